// Does what a person or a hostile page does in Chromium: node browse.cjs SCENARIO URL...; prints lines of JSON.
"use strict";

const readline = require("node:readline");
const { chromium } = require("playwright-core");

const PATIENCE = 20000;
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

function tell(value) {
  console.log(JSON.stringify(value));
}

// Tells that a step is done, and waits until the test has done its own.
async function pause(value) {
  tell(value);
  await lines.next();
}

async function openInbox(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  await page.locator("#state:not([data-state=connecting])").waitFor();
  return page;
}

const SCENARIOS = {
  // Keeps an inbox open while the test sends, verifies and ends.
  async watch(context, url, phone) {
    const inbox = await openInbox(context, url);
    await pause({ state: await inbox.locator("#state").textContent(), title: await inbox.title() });
    const text = inbox.locator(`[data-destination="${phone}"]`);
    await text.waitFor();
    const at = Date.now();
    await pause({ at, code: await text.getAttribute("data-code"), status: await text.getAttribute("data-status") });
    await inbox.locator(`[data-destination="${phone}"][data-status=VERIFIED]`).waitFor();
    await pause({ announced: await inbox.locator("#announcement").textContent(), title: await inbox.title() });
    await text.waitFor({ state: "detached" });
    await inbox.locator("#state[data-state=idle]").waitFor();
    await pause({ state: await inbox.locator("#state").textContent() });
    await inbox.locator("#state[data-state=lost]").waitFor();
    tell({ state: await inbox.locator("#state").textContent() });
  },

  // Uses the page without a mouse, and as a screen reader names it.
  async use(context, url) {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const inbox = await openInbox(context, url);
    await inbox.keyboard.press("Tab");
    await inbox.keyboard.type("456");
    const listed = await inbox.getByRole("list", { name: "Texts, newest first" }).getByRole("listitem").count();
    await inbox.keyboard.press("Tab");
    await inbox.keyboard.press("Enter");
    await inbox.getByText("Copied").waitFor();
    const copied = await inbox.evaluate(() => navigator.clipboard.readText());
    const focused = await inbox.evaluate(() => document.activeElement.getAttribute("aria-label"));
    await inbox.getByRole("searchbox", { name: "Filter" }).fill("nothing like it");
    tell({ listed, copied, focused, empty: await inbox.locator("#empty").textContent() });
  },

  // Shows texts whose words would like to be more than words.
  async show(context, url) {
    const inbox = await context.newPage();
    const heard = [];
    inbox.on("dialog", (dialog) => { heard.push(dialog.message()); dialog.dismiss(); });
    inbox.on("console", (message) => heard.push(message.text()));
    inbox.on("pageerror", (error) => heard.push(error.message));
    await inbox.goto(url);
    await inbox.locator(".text").first().waitFor();
    const strangers = await inbox.locator("main script, main img, main a:not(noscript a), main iframe").count();
    const wide = await inbox.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    tell({ heard, strangers, wide, shown: await inbox.locator("blockquote").allTextContents() });
  },

  // Logs in at the shop with the code that stands in the inbox.
  async logIn(context, url, shop, phone) {
    const inbox = await openInbox(context, url);
    const page = await context.newPage();
    await page.goto(shop);
    await page.getByLabel("Phone").fill(phone);
    await page.getByRole("button", { name: "Send code" }).click();
    const code = await inbox.locator(`[data-destination="${phone}"][data-status=LIVE]`).getAttribute("data-code");
    await page.getByLabel("Code").fill(code);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("Welcome!").waitFor();
    // The inbox hears of it a moment after the application does.
    await inbox.locator(`[data-destination="${phone}"][data-status=VERIFIED]`).waitFor();
    tell({ status: await inbox.locator(`[data-destination="${phone}"]`).getAttribute("data-status") });
  },

  // Opens a page of another origin, which does what it can, and tells what it has read.
  async attack(context, attacker) {
    const page = await context.newPage();
    await page.goto(attacker);
    await page.waitForFunction(() => window.done);
    tell(await page.evaluate(() => window.read));
  },
};

(async () => {
  const [scenario, ...given] = process.argv.slice(2);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"],
  });
  const context = await browser.newContext();
  context.setDefaultTimeout(PATIENCE);
  await SCENARIOS[scenario](context, ...given);
  await browser.close();
  process.exit();
})();
