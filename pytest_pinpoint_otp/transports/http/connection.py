"""HTTP/1.1 on one connection: reads its requests and writes their answers. Knows nothing of OTP.

h11 reads the requests. Answers and resets are written here, because a test may give an answer byte by byte, or have the
connection reset.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Final, NamedTuple

import h11

MAX_BODY: Final = 1024 * 1024
"""Bytes of a request's body; a longer one is answered 413."""
_MAX_DRAINED: Final = 16 * 1024 * 1024
"""Bytes that are read and thrown away, so that a client that is still sending gets to read its answer."""
_DRAIN_SECONDS: Final = 1.0
_MAX_HEAD: Final = 64 * 1024
_CHUNK: Final = 64 * 1024
RESET_ON_CLOSE: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER of 0 seconds: closing then resets. The structure has shorter numbers on Windows."""


class Answer(NamedTuple):
    """An HTTP answer. Content-Length is added unless the headers frame the body themselves."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes = b""


class Reset(NamedTuple):
    """No answer: the connection is reset, after some seconds of silence."""

    silence: float = 0.0


class Request(NamedTuple):
    """An HTTP request. Header names are in lower case; repeated ones are joined by a comma."""

    method: str
    target: str
    """Path and query as they came, percent-encoded; in absolute form if the client used that."""
    headers: Mapping[str, str]
    body: bytes
    wait: Callable[[float], bool]
    """Waits some seconds, and tells whether the client is still there and the server still runs."""


Handler = Callable[[Request], Answer | Reset]


class Connection:
    """One connection: its requests, one after the other."""

    def __init__(self, accepted: socket.socket, handler: Handler) -> None:
        self._socket = accepted
        self._handler = handler
        self._ended = threading.Event()
        accepted.setblocking(True)
        # An answer is sent in one piece, and must not be delayed.
        with suppress(OSError):
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def end(self) -> None:
        """Wake the connection's thread from another one, whatever it waits for."""
        self._ended.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def serve(self) -> None:
        """Answer requests until the client or an answer ends the connection."""
        received: bytes | None = b""
        while received is not None and not self._ended.is_set():
            received = self._serve_one(received)

    def _serve_one(self, received: bytes) -> bytes | None:
        """Answer one request, and return what has been received of the next one; None: the connection is over."""
        reader = _Reader(self._socket, received)
        try:
            request = reader.read(self.wait)
        except _Refusal as refusal:
            self._write(_refuse(refusal.status_code, str(refusal)), method="GET", keep=False)
            self._drain(_DRAIN_SECONDS)
            return None
        if request is None:
            return None
        answer = self._handler(request)
        if isinstance(answer, Reset):
            self._prepare_reset(answer.silence)
            return None
        try:
            keep = self._write(answer, method=request.method, keep=reader.keeps_alive)
        except ValueError as error:
            keep = self._write(_refuse(500, str(error)), method=request.method, keep=reader.keeps_alive)
        return reader.rest if keep else None

    def _write(self, answer: Answer, *, method: str, keep: bool) -> bool:
        """Write an answer, and tell whether the connection goes on."""
        names = {name.lower() for name in answer.headers}
        # The test frames the answer, maybe wrongly, so the connection cannot go on.
        keep = keep and not names & {"connection", "content-length", "transfer-encoding"}
        bodiless = answer.status_code in (204, 304)
        head = [f"HTTP/1.1 {answer.status_code} {_reason(answer.status_code)}".encode()]
        head += [_header(name, value) for name, value in answer.headers.items()]
        if not (bodiless or names & {"content-length", "transfer-encoding"}):
            head.append(b"content-length: %d" % len(answer.body))
        if not keep and "connection" not in names:
            head.append(b"connection: close")
        body = b"" if bodiless or method == "HEAD" else answer.body
        # In one piece: the second of two would wait until the client has acknowledged the first.
        self._socket.sendall(b"\r\n".join([*head, b"", body]))
        return keep

    def _prepare_reset(self, silence: float) -> None:
        if silence:
            self.wait(silence)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)

    def _drain(self, seconds: float) -> None:
        """Let a client that is still sending read its answer: to close now would reset the connection."""
        deadline = time.monotonic() + seconds
        self._socket.shutdown(socket.SHUT_WR)
        drained = 0
        while drained < _MAX_DRAINED and (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            chunk = self._socket.recv(_CHUNK)
            if not chunk:
                return
            drained += len(chunk)

    def wait(self, seconds: float) -> bool:
        """Wait, and tell whether the client is still there and the server still runs."""
        self._socket.settimeout(max(seconds, 0.001))
        try:
            if not self._socket.recv(1, socket.MSG_PEEK):
                return False
        except TimeoutError:
            return True
        except OSError:
            return False
        finally:
            self._socket.settimeout(None)
        # It has sent its next request already.
        return not self._ended.wait(seconds)


class _Refusal(Exception):  # noqa: N818 - it is an answer
    """A request that is not HTTP, or is too long."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code


class _Reader:
    """Reads one request from a socket."""

    def __init__(self, source: socket.socket, received: bytes) -> None:
        self._socket = source
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)
        if received:
            self._parser.receive_data(received)

    @property
    def keeps_alive(self) -> bool:
        """Whether the client wants to go on after this request."""
        return self._parser.their_state is h11.DONE

    @property
    def rest(self) -> bytes:
        """What has been received of the next request."""
        return bytes(self._parser.trailing_data[0])

    def read(self, wait: Callable[[float], bool]) -> Request | None:
        """Return the request; None: the client sends no more.

        Raises:
            _Refusal: the request is not HTTP/1.1, or is too long.
        """
        try:
            head = self._next_event()
            if not isinstance(head, h11.Request):
                return None
            headers = _read_headers(head)
            return Request(head.method.decode(), head.target.decode("latin-1"), headers, self._read_body(), wait)
        except h11.RemoteProtocolError as error:
            raise _Refusal(error.error_status_hint, f"This is not a request of HTTP/1.1: {error}.") from None

    def _read_body(self) -> bytes:
        body, length = [], 0
        for data in self._data():
            length += len(data)
            if length <= MAX_BODY:
                body.append(data)
            elif length > _MAX_DRAINED:
                break
        if length > MAX_BODY:
            raise _Refusal(413, f"The request's body is longer than {MAX_BODY} bytes.")
        return b"".join(body)

    def _data(self) -> Iterator[bytes]:
        while isinstance(event := self._next_event(), h11.Data):
            yield bytes(event.data)

    def _next_event(self) -> object:
        while (event := self._parser.next_event()) is h11.NEED_DATA:
            if self._parser.they_are_waiting_for_100_continue:
                self._socket.sendall(self._parser.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            self._parser.receive_data(self._socket.recv(_CHUNK))
        return event


def _read_headers(head: h11.Request) -> dict[str, str]:
    if head.http_version not in (b"1.0", b"1.1"):
        raise _Refusal(505, f"This server speaks HTTP/1.1, not HTTP/{head.http_version.decode()}.")
    headers: dict[str, str] = {}
    for raw_name, raw_value in head.headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if "content-length" in headers and "transfer-encoding" in headers:
        # Two readers would find two requests in it.
        raise _Refusal(400, "The request has both Content-Length and Transfer-Encoding.")
    if "expect" in headers and int(headers.get("content-length", 0)) > MAX_BODY:
        raise _Refusal(413, f"The request's body is longer than {MAX_BODY} bytes.")
    return headers


def _refuse(status_code: int, message: str) -> Answer:
    """Answer an error as the JSON API does; a client of AWS reads nothing but its status."""
    document = {"error": "ValueError" if status_code < 500 else "RuntimeError", "message": message}
    return Answer(status_code, {"content-type": "application/json"}, json.dumps(document).encode())


def _reason(status_code: int) -> str:
    try:
        return HTTPStatus(status_code).phrase
    except ValueError:
        return ""


def _header(name: str, value: str) -> bytes:
    line = f"{name}: {value}"
    if any(character in line for character in "\r\n\0"):
        raise ValueError(f"The header {name!r}: {value!r} cannot be sent: it has a line break or a NUL in it.")
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode("utf-8", "surrogatepass")
