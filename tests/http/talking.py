"""How the tests talk to a server: by raw sockets, and by the standard library's HTTP client."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BufferedReader
from typing import Any, Final, Literal, NamedTuple, cast

from pytest_pinpoint_otp import PinpointOTPServer

PATIENCE: Final = 20.0
"""Seconds until a peer counts as hanging."""


class Reply(NamedTuple):
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as a JSON document."""
        return json.loads(self.body)


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """Yield a socket that is connected to a port of this machine."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) as client:
        yield client


class _Unbuffered:
    """A socket from which `http.client` takes no more than it needs: the rest stays for the next answer."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client

    def makefile(self, mode: Literal["rb"]) -> BufferedReader:
        return self._client.makefile(mode, buffering=1)


def read_reply(client: socket.socket, method: str = "GET") -> Reply:
    """Read one answer, and nothing beyond it where its length is known."""
    only_one = cast(socket.socket, _Unbuffered(client))
    with closing(http.client.HTTPResponse(only_one, method=method)) as response:
        response.begin()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def exchange(port: int, *sent: bytes) -> Reply:
    """Send bytes on a connection of their own and read the answer."""
    with connected(port) as client:
        for piece in sent:
            client.sendall(piece)
        return read_reply(client)


def everything(client: socket.socket) -> bytes:
    """Read until the server ends the connection."""
    received = b""
    while chunk := client.recv(65536):
        received += chunk
    return received


def request(
    server: PinpointOTPServer, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> Reply:
    """Make a request by the standard library's client; a body that is not bytes travels as JSON."""
    with closing(http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE)) as connection:
        written = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, written, headers or {})
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, named, response.read())


def get(server: PinpointOTPServer, name: str) -> Reply:
    """Get something of the JSON API."""
    return request(server, "GET", f"/_otp/{name}")


def post(server: PinpointOTPServer, name: str, /, **arguments: Any) -> Reply:
    """Give a command to the JSON API."""
    return request(server, "POST", f"/_otp/{name}", arguments)
