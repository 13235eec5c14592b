"""Chromium: the inbox is kept current, a log-in is completed with its code, and another origin's page gets nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from active import served_fake
from sdks import CLIENTS, node_environ

from pytest_pinpoint_otp import PinpointOTP, PinpointOTPServer, serve_pinpoint_otp

PHONE = "+15550100123"
OTHER_PHONE = "+15550100456"
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "web_log_in"


class Browser:
    """Chromium, which goes through one of the scenarios of browse.cjs."""

    def __init__(self, *arguments: str) -> None:
        chromium = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
        if chromium is None:
            pytest.skip("Chromium is not here.")
        self._process = subprocess.Popen(
            ["node", str(CLIENTS / "browse.cjs"), *arguments],
            env={**os.environ, **node_environ("playwright-core"), "CHROMIUM": chromium, "NODE_NO_WARNINGS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def hear(self) -> Any:
        """Return what the scenario tells next."""
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def go_on(self) -> Any:
        """Let the scenario go on, and return what it tells then."""
        assert self._process.stdin
        print(file=self._process.stdin, flush=True)
        return self.hear()

    def close(self) -> None:
        """Wait for its end."""
        self._process.communicate(timeout=60)


def issue(fake: PinpointOTP, phone: str, **parameters: Any) -> str:
    """Issue a code, and return it."""
    return fake.issue(phone, application_id="shop", reference_id="log-in", **parameters).code


def test_an_open_inbox_is_kept_current() -> None:
    with serve_pinpoint_otp() as server, closing(Browser("watch", server.url, PHONE)) as browser:
        assert browser.hear() == {"state": "No fake is active: no test is running.", "title": "OTP inbox"}
        with served_fake() as fake:
            code = issue(fake, PHONE)
            begun = time.time() * 1000
            seen = browser.go_on()
            assert (seen["code"], seen["status"]) == (code, "LIVE")
            # Within a second, and another one for a machine that is busy.
            assert seen["at"] - begun < 2000
            verify(server, code)
            verified = browser.go_on()
            assert verified == {"announced": f"New text for {PHONE}: code {code}", "title": "(1) OTP inbox"}
        assert browser.go_on() == {"state": "No fake is active: no test is running."}
        server.stop()
        assert browser.go_on() == {"state": "The server does not answer. Trying again …"}


def verify(server: PinpointOTPServer, code: str) -> None:
    """Verify a code that was issued."""
    from talking import request

    document = {"DestinationIdentity": PHONE, "ReferenceId": "log-in", "Otp": code}
    assert request(server, "POST", "/v1/apps/shop/verify-otp", document).json == {"Valid": True}


def test_the_inbox_is_used_by_keyboard_and_named_for_screen_readers(
    server: PinpointOTPServer, fake: PinpointOTP
) -> None:
    issue(fake, PHONE)
    code = issue(fake, OTHER_PHONE)
    with closing(Browser("use", server.url)) as browser:
        assert browser.hear() == {
            "listed": 1,
            "copied": code,
            "focused": f"Copy code {code} for {OTHER_PHONE}",
            "empty": "No text matches the filter.",
        }


def test_words_stay_words(server: PinpointOTPServer) -> None:
    names = [
        "<script>alert(1)</script><img src=x onerror=alert(2)><a href=javascript:alert(3)>x</a>",
        "\u202egnp.exe \x00\x1b[31m",
        "W" * 500,
        "العربية",
    ]
    with served_fake(enforce_limits=False) as fake:
        for number, name in enumerate(names):
            issue(fake, f"+1555010010{number}", brand_name=name)
        with closing(Browser("show", server.url)) as browser:
            seen = browser.hear()
    assert (seen["heard"], seen["strangers"], seen["wide"]) == ([], 0, False)
    shown = "\n".join(seen["shown"])
    assert names[0] in shown
    assert "\\u202egnp.exe \\u0000\\u001b[31m" in shown


@contextmanager
def running_shop(server: PinpointOTPServer) -> Iterator[str]:
    """Run the example application under uvicorn, and yield its address."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("fastapi")
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "shop:app", "--port", "0"],
        cwd=EXAMPLE,
        env={**os.environ, **server.environ},
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr
        try:
            found = next(filter(None, (re.search(r"running on (http://\S+)", line) for line in process.stderr)))
            yield found[1]
        finally:
            # Otherwise a test that fails would wait for it for ever.
            process.terminate()
            process.stderr.read()


def test_a_log_in_is_completed_with_the_code_that_the_inbox_shows(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    with running_shop(server) as shop, closing(Browser("logIn", server.url, f"{shop}/", PHONE)) as browser:
        assert browser.hear() == {"status": "VERIFIED"}
    assert fake.verifications[0].valid


ATTACK = """<!doctype html><script>
window.read = [];
async function attempt(name, url, options) {
  try {
    const answer = await fetch(url, options);
    window.read.push([name, answer.status, await answer.text()]);
  } catch {}
}
function element(kind, attributes) {
  return new Promise((done) => {
    const made = Object.assign(document.createElement(kind), attributes);
    made.onload = () => { try { window.read.push([kind, made.contentDocument.body.textContent]); } catch {} done(); };
    made.onerror = done;
    document.documentElement.append(made);
  });
}
(async () => {
  const otp = SERVER, text = {"Content-Type": "text/plain"};
  await attempt("read", otp + "/_otp/messages");
  await attempt("simple post", otp + "/_otp/reset", {method: "POST", headers: text, body: "{}"});
  await attempt("blind post", otp + "/_otp/reset", {method: "POST", mode: "no-cors", headers: text, body: "{}"});
  const json = {"Content-Type": "application/json"};
  await attempt("json post", otp + "/_otp/reset", {method: "POST", headers: json, body: "{}"});
  await attempt("send", otp + "/v1/apps/shop/otp", {method: "POST", mode: "no-cors", headers: text, body: SEND});
  await element("script", {src: otp + "/_otp/messages"});
  await element("img", {src: otp + "/_otp/messages"});
  await element("iframe", {src: otp + "/"});
  window.done = true;
})();
</script>"""


@contextmanager
def attacker(server: PinpointOTPServer, address: str) -> Iterator[str]:
    """Serve the attack's page from another origin, and yield its address."""
    from helpers import send_request

    send = json.dumps(json.dumps(send_request()["SendOTPMessageRequestParameters"]))
    html = ATTACK.replace("SERVER", json.dumps(address)).replace("SEND", send).encode()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html)

        def log_message(self, *given: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Page) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=[0.05])
        thread.start()
        try:
            yield f"http://127.0.0.1:{httpd.server_port}/"
        finally:
            httpd.shutdown()
            thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
def test_a_page_of_another_origin_reads_and_changes_nothing(
    server: PinpointOTPServer, fake: PinpointOTP, host: str
) -> None:
    code = issue(fake, PHONE)
    # evil.example leads to this machine too, as a name that is rebound does.
    address = f"http://{host}:{server.port}"
    with attacker(server, address) as page, closing(Browser("attack", page)) as browser:
        read = browser.hear()
    assert code not in json.dumps(read)
    assert [entry for entry in read if entry[1:] != [0, ""]] == []
    assert [message.code for message in fake.messages] == [code]
    assert fake.calls == []


def test_a_page_whose_own_name_is_rebound_to_the_server_reads_nothing(
    server: PinpointOTPServer, fake: PinpointOTP
) -> None:
    from talking import request

    code = issue(fake, PHONE)
    host = f"evil.example:{server.port}"
    for headers in ({"Host": host}, {"Host": host, "Origin": f"http://{host}"}):
        for path in ("/", "/_otp/messages"):
            reply = request(server, "GET", path, None, headers)
            assert (reply.status, code.encode() in reply.body) == (403, False)
