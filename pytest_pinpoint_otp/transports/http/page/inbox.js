"use strict";

const MEANINGS = {
  LIVE: "The code is accepted now.",
  VERIFIED: "The code was accepted, and is used up.",
  EXPIRED: "The code's validity is over.",
  EXHAUSTED: "Too many wrong codes were tried.",
  SUPERSEDED: "A later text for the same number and reference has replaced the code.",
};
const DETAILS = [
  ["reference_id", "Reference"],
  ["application_id", "Application"],
  ["configuration", "Configuration"],
  ["origination", "From"],
  ["channel", "Channel"],
  ["language", "Language"],
];
const USUAL = { channel: ["SMS", "TEXT"] };
const WAIT_SECONDS = 20;
const RETRY_MILLISECONDS = 1000;
const COPIED_MILLISECONDS = 1500;

const list = document.getElementById("texts");
const empty = document.getElementById("empty");
const state = document.getElementById("state");
const filter = document.getElementById("filter");
const announcement = document.getElementById("announcement");
const template = document.getElementById("text");
const shown = new Map();

// What a screen does not show, or would let the text around it run backwards.
function visible(text) {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (character) => "\\u" + character.codePointAt(0).toString(16).padStart(4, "0"));
}

function clock(moment) {
  const time = document.createElement("time");
  time.dateTime = moment;
  time.textContent = new Date(moment).toLocaleTimeString();
  time.title = new Date(moment).toLocaleString();
  return time;
}

function addDetail(details, name, value) {
  const term = document.createElement("dt");
  term.textContent = name;
  const description = document.createElement("dd");
  description.append(value);
  const pair = document.createElement("div");
  pair.append(term, description);
  details.append(pair);
}

function make(message) {
  const item = template.content.firstElementChild.cloneNode(true);
  item.dataset.destination = message.destination;
  item.dataset.code = message.code;
  for (const field of item.querySelectorAll("[data-field]")) {
    field.textContent = visible(message[field.dataset.field]);
  }
  const details = item.querySelector("dl");
  addDetail(details, "Sent", clock(message.sent_at));
  addDetail(details, "Valid until", clock(message.expires_at));
  for (const [field, name] of DETAILS) {
    const value = message[field];
    if (value == null || (USUAL[field] || []).includes(value)) continue;
    const isolated = document.createElement("bdi");
    isolated.textContent = visible(value);
    addDetail(details, name, isolated);
  }
  const copy = item.querySelector(".copy");
  copy.setAttribute("aria-label", `Copy code ${message.code} for ${message.destination}`);
  // Browsers let a page copy only from this machine itself, or over TLS.
  copy.hidden = !navigator.clipboard;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(message.code);
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, COPIED_MILLISECONDS);
  });
  return item;
}

function mark(item, status) {
  item.dataset.status = status;
  const badge = item.querySelector(".status");
  badge.textContent = status;
  badge.title = MEANINGS[status];
}

function show(messages) {
  const first = shown.size === 0 && list.dataset.filled === undefined;
  const ids = new Set(messages.map((message) => message.message_id));
  for (const [id, item] of shown) {
    if (!ids.has(id)) {
      item.remove();
      shown.delete(id);
    }
  }
  for (const message of messages) {
    let item = shown.get(message.message_id);
    if (item === undefined) {
      item = make(message);
      item.classList.toggle("new", !first);
      shown.set(message.message_id, item);
      list.prepend(item);
      if (!first) announcement.textContent = `New text for ${message.destination}: code ${message.code}`;
    }
    if (item.dataset.status !== message.status) mark(item, message.status);
  }
  list.dataset.filled = "";
  narrow();
}

// Shows what matches the filter, and says so where nothing does.
function narrow() {
  const wanted = filter.value.trim().toLowerCase();
  let matching = 0;
  for (const item of shown.values()) {
    const matches = item.textContent.toLowerCase().includes(wanted);
    item.hidden = !matches;
    matching += matches;
  }
  document.title = shown.size ? `(${shown.size}) OTP inbox` : "OTP inbox";
  empty.hidden = matching > 0;
  empty.textContent = shown.size ? "No text matches the filter." : "No text yet. It appears here as soon as it is sent.";
}

function tell(name, text) {
  state.dataset.state = name;
  if (state.textContent !== text) state.textContent = text;
}

function count(number) {
  return number === 1 ? "1 text" : `${number} texts`;
}

async function ask(tag) {
  const response = await fetch("/_otp/messages" + (tag ? `?unless=${encodeURIComponent(tag)}&wait=${WAIT_SECONDS}` : ""));
  if (response.status === 503) {
    show([]);
    tell("idle", "No fake is active: no test is running.");
    return "none";
  }
  if (!response.ok) throw new Error(`status ${response.status}`);
  const news = await response.json();
  show(news.messages);
  tell("live", count(news.messages.length));
  return news.tag;
}

async function follow() {
  let tag = null;
  for (;;) {
    try {
      tag = await ask(tag);
    } catch {
      tag = null;
      tell("lost", "The server does not answer. Trying again …");
      await new Promise((done) => setTimeout(done, RETRY_MILLISECONDS));
    }
  }
}

filter.addEventListener("input", narrow);
follow();
