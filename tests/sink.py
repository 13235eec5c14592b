"""A loopback server that stands for AWS: what arrives here would have left the process."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import boto3
from helpers import send_request

KEYS: Final = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG/EXAMPLEKEY"}
"""They look real, so that what leaves is signed."""
SESSION: Final = boto3.Session(**KEYS, region_name="us-east-1")
"""One for all clients that have no need of their own: each session reads botocore's data anew, a tenth of a second."""


class Sink:
    """What arrived, and how it is answered.

    Attributes:
        arrived: method and path of each request, oldest first.
        signed: the Authorization headers of those that have one.
        answer: called for each request, returns the status of the answer.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.arrived: list[str] = []
        self.signed: list[str] = []
        self.answer: Callable[[], int] = lambda: 200


@contextmanager
def open_sink() -> Iterator[Sink]:
    """Serve a sink."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_request(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            sink.arrived.append(f"{self.command} {self.path}")
            if (signature := self.headers.get("Authorization")) is not None:
                sink.signed.append(signature)
            self.send_response(sink.answer())
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: Any) -> None:
            pass

    for method in ("GET", "POST", "PUT", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.do_request)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    sink = Sink(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class InThread:
    """A function that runs in a thread of its own, and what came of it."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(function,))
        self._thread.start()

    def _run(self, function: Callable[[], Any]) -> None:
        try:
            self.result = function()
        except BaseException as error:
            self.error = error

    def join(self) -> InThread:
        """Wait for its end."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self


class Gate:
    """Something that one thread reaches and waits in until another opens it."""

    def __init__(self) -> None:
        self._reached, self._open = threading.Event(), threading.Event()

    def pass_through(self) -> None:
        """Say that it is reached, and wait."""
        self._reached.set()
        assert self._open.wait(30)

    def wait_until_reached(self) -> None:
        """Wait for the other thread."""
        assert self._reached.wait(30)

    def open(self) -> None:
        """Let the other thread go on, now and ever after."""
        self._open.set()


def run_program(program: str, *arguments: str, options: tuple[str, ...] = ()) -> tuple[str, str]:
    """Run a program in a process of its own, and return what it has written to its two outputs.

    Args:
        program: its text; REQUEST in it are boto3's arguments of a valid send.
        arguments: what it is given.
        options: Python's own.
    """
    text = f"REQUEST = {send_request()!r}\n{textwrap.dedent(program)}"
    command = [sys.executable, *options, "-c", text, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout, done.stderr
