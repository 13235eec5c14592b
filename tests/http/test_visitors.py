"""Who may talk to the server: the hosts and origins that are served, and those that are not."""

from __future__ import annotations

import pytest

from pytest_pinpoint_otp.transports.http.access import find_refusal

HOSTS = ["example.test"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:4599",
        "192.168.1.20:80",
        "[::1]:4599",
        "[::ffff:127.0.0.1]",
        "localhost:4599",
        "LOCALHOST",
        "localhost.",
        "otp_server:4599",
        "app.localhost",
        "host.docker.internal:4599",
        "example.test",
        "Example.Test.:4599",
    ],
)
def test_a_host_that_no_public_site_can_have_is_served(host: str) -> None:
    assert find_refusal({"host": host}, "/", HOSTS) is None
    assert find_refusal({"host": "127.0.0.1"}, f"http://{host}/v1", HOSTS) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:4599",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evillocalhost.com",
        "sub.example.test",
        "[::1",
        "[::1]evil",
        "[nonsense]",
        "[fe80::1]x:80",
        "127.0.0.1:",
        "127.0.0.1:port",
        "user@127.0.0.1",
        "127.0.0.1, evil.example",
        "a b",
        "é",
    ],
)
def test_any_other_host_is_refused_in_words(host: str) -> None:
    refusal = find_refusal({"host": host}, "/", HOSTS)
    assert refusal is not None
    assert refusal.startswith(f"The host {host!r} is not served")
    assert "--allow-host" in refusal


def test_a_request_without_a_host_is_refused() -> None:
    assert find_refusal({}, "/", HOSTS) is not None


@pytest.mark.parametrize("target", ["http://evil.example/", "http://[::1/", "*", "evil.example:80", "http:///x"])
def test_a_target_that_names_another_host_is_refused(target: str) -> None:
    assert find_refusal({"host": "127.0.0.1"}, target, HOSTS) is not None


@pytest.mark.parametrize("origin", ["http://127.0.0.1:4599", "HTTP://127.0.0.1:4599"])
def test_a_page_of_the_server_itself_is_served(origin: str) -> None:
    assert find_refusal({"host": "127.0.0.1:4599", "origin": origin}, "/", HOSTS) is None


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://127.0.0.1",
        "http://127.0.0.1:4600",
        "https://127.0.0.1:4599",
        "http://localhost:4599",
        "http://evil.example",
        "http://127.0.0.1:4599.evil.example",
        "http://127.0.0.1:4599/",
    ],
)
def test_a_page_of_any_other_origin_is_refused_in_words(origin: str) -> None:
    refusal = find_refusal({"host": "127.0.0.1:4599", "origin": origin}, "/", HOSTS)
    assert refusal is not None
    assert refusal.startswith(f"The origin {origin!r} is not served")
