"""The server: its start and stop, a request beside moto's server, and what an open inbox costs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from measuring import Measure, Turns, request

from pytest_pinpoint_otp import active_pinpoint_otp, serve_pinpoint_otp

TEXTS, SECONDS = 200, 10


@contextmanager
def requests(url: str, method: str, path: str, body: bytes | None = None) -> Iterator[Callable[[], None]]:
    """Yield a function that makes a request on a connection that stays open where the server lets it."""
    parts = urlsplit(url)
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=a/b/us-east-1/mobiletargeting/c"}
    with closing(HTTPConnection(str(parts.hostname), parts.port)) as connection:

        def ask() -> None:
            connection.request(method, path, body, signed)
            with connection.getresponse() as answer:
                assert answer.status == 200
                answer.read()

        yield ask


def test_the_start_and_the_stop_of_the_server(measure: Measure) -> None:
    def start_and_stop() -> None:
        with serve_pinpoint_otp():
            pass

    seconds = measure.seconds(start_and_stop, clock=time.perf_counter)
    measure.check("Start and stop of the server together", seconds * 1e3, 5, " ms")


def test_the_stop_of_a_server_with_many_open_connections(measure: Measure) -> None:
    times = []

    def open_and_stop() -> None:
        with serve_pinpoint_otp() as server:
            connections = [HTTPConnection(server.host, server.port) for _ in range(50)]
            for connection in connections:
                connection.request("GET", "/_otp/health")
                connection.getresponse().read()
            start = time.perf_counter()
            server.stop()
            times.append(time.perf_counter() - start)
            for connection in connections:
                connection.close()

    measure.seconds(open_and_stop, rounds=20)
    measure.check("Stop of the server with 50 open connections", sorted(times)[len(times) // 2] * 1e3, 50, " ms")


def test_a_request_beside_one_to_motos_server(measure: Measure, turns: Turns) -> None:
    moto_server = pytest.importorskip("moto.server")
    moto = moto_server.ThreadedMotoServer(port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    body = json.dumps(request()["SendOTPMessageRequestParameters"]).encode()
    turns.enter()
    try:
        with (
            serve_pinpoint_otp() as server,
            requests(server.url, "POST", "/v1/apps/a1b2c3d4/otp", body) as ours,
            requests(f"http://{host}:{port}", "GET", "/v1/apps") as theirs,
        ):
            ratio = measure.ratio(ours, theirs)
    finally:
        moto.stop()
    measure.check("A request to the server, of one to moto's", ratio, 0.6)


def test_an_open_inbox(measure: Measure, turns: Turns) -> None:
    turns.enter()
    fake = active_pinpoint_otp()
    for number in range(TEXTS):
        fake.issue(f"+1555010{number:04}", application_id="a", reference_id="log-in")
    with serve_pinpoint_otp() as server, closing(HTTPConnection(server.host, server.port)) as connection:

        def get(query: str) -> str:
            connection.request("GET", f"/_otp/messages{query}")
            return str(json.load(connection.getresponse())["tag"])

        tag = get("")
        seconds = measure.seconds(lambda: get(f"?unless={tag}&wait={SECONDS}"), rounds=1)
    measure.check(f"An open inbox of {TEXTS} texts where nothing comes, each second", seconds / SECONDS * 1e3, 5, " ms")
