"""The page with every text and its code: what it is made of, and what it may do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from talking import request

import pytest_pinpoint_otp.transports.http.inbox as inbox
from pytest_pinpoint_otp import PinpointOTPServer
from pytest_pinpoint_otp.engine.codes import STATUSES

PAGE = Path(inbox.__file__).with_name("page")


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/", "text/html"), ("/_otp/inbox.css", "text/css"), ("/_otp/inbox.js", "text/javascript")],
)
def test_the_page_is_served_under_a_policy_that_lets_it_do_nothing_else(
    server: PinpointOTPServer, path: str, content_type: str
) -> None:
    reply = request(server, "GET", path)
    assert reply.status == 200
    assert reply.headers["content-type"] == f"{content_type}; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["x-frame-options"] == "DENY"
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert request(server, "POST", path).status == 405
    assert request(server, "HEAD", path).status == 200


def test_the_page_needs_no_fake(server: PinpointOTPServer) -> None:
    assert b"<h1>OTP inbox</h1>" in request(server, "GET", "/").body


def test_browsers_may_ask_for_an_icon(server: PinpointOTPServer) -> None:
    assert request(server, "GET", "/favicon.ico").status == 404


def test_the_page_writes_text_and_never_html() -> None:
    script = (PAGE / "inbox.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|\.style\b|Function\(", script)
    html = (PAGE / "inbox.html").read_text(encoding="utf-8")
    assert not re.search(r"<script>|<style|\son\w+=|\sstyle=|javascript:", html)


def test_the_page_reaches_nothing_but_its_own_server() -> None:
    for file in PAGE.iterdir():
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|//[a-z]", text), file.name


def test_the_page_knows_every_status() -> None:
    script = (PAGE / "inbox.js").read_text(encoding="utf-8")
    style = (PAGE / "inbox.css").read_text(encoding="utf-8")
    for status in STATUSES:
        assert re.search(rf"^  {status}: ", script, re.MULTILINE)
        assert f'[data-status="{status}"] .status' in style
