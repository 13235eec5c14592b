"""`serve_pinpoint_otp`: the active fake over HTTP, for other processes and other SDKs. Needs the extra ``server``."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Final

from pytest_pinpoint_otp.engine.argument_checks import check_int, check_seconds, check_str, kind
from pytest_pinpoint_otp.fake import service_of
from pytest_pinpoint_otp.transports.active import activate, deactivate

if TYPE_CHECKING:
    from pytest_pinpoint_otp.fake import PinpointOTP

try:
    from pytest_pinpoint_otp.transports.http.listener import Listener
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        'The server needs h11: pip install "pytest-pinpoint-otp[server]".', name=error.name, path=error.path
    ) from None
from pytest_pinpoint_otp.transports.http.access import normalised
from pytest_pinpoint_otp.transports.http.routes import Router

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""The address to connect to if the server is bound to every address."""


class PinpointOTPServer:
    """The innermost active fake of this process, over HTTP. `serve_pinpoint_otp` yields one.

    While no fake is active, calls are answered 501 with a message.
    """

    def __init__(self, host: str, port: int, hold: float, allowed_hosts: Collection[str]) -> None:
        self._listener = Listener(host, port, Router(hold, allowed_hosts).answer)

    @property
    def host(self) -> str:
        """The address to connect to."""
        return _ANY_ADDRESS.get(self._listener.host, self._listener.host)

    @property
    def port(self) -> int:
        """The port, which stays the same when the server is stopped and started again."""
        return self._listener.port

    @property
    def url(self) -> str:
        """The URL of the server, which SDKs take as their endpoint. It is the inbox's address too."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """What lets the SDKs of another process reach the server, as in ``env={**os.environ, **server.environ}``.

        It has the endpoints for Pinpoint and End User Messaging, placeholder credentials, a region, and the names for
        which no proxy is used, the server's host among them. None of it is written into this process's environment.
        """
        bypassed = ",".join(
            filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), self.host, "localhost"])
        )
        return {
            "AWS_ENDPOINT_URL_PINPOINT": self.url,
            "AWS_ENDPOINT_URL_ENDUSERMESSAGING": self.url,
            # Otherwise an SDK may be configured to ignore both.
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            # Instead of a real one, which would be sent here otherwise.
            "AWS_SESSION_TOKEN": "testing",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            # Some clients read one, some the other.
            "NO_PROXY": bypassed,
            "no_proxy": bypassed,
        }

    def start(self) -> None:
        """Accept connections again after `stop`.

        Raises:
            RuntimeError: it runs already.
            OSError: the port has been taken meanwhile.
        """
        self._listener.start()

    def stop(self) -> None:
        """Refuse connections, as an endpoint that is down does, and end those that are open. It may be called twice.

        This is the only way to test what fails before there is a connection.
        """
        self._listener.stop()

    def __repr__(self) -> str:
        return f"<PinpointOTPServer {self.url}, {'running' if self._listener.running else 'stopped'}>"


class serve_pinpoint_otp:  # noqa: N801 - it is called like a function, as context managers of the field are
    """Serve the innermost active fake of this process over HTTP, until it is left.

    Two ways::

        with serve_pinpoint_otp() as server: ...       # context manager

        serving = serve_pinpoint_otp()                 # by hand
        server = serving.start()
        serving.stop()

    It does not enter a fake: ``mock_pinpoint_otp`` or the fixture does. Clients in this process reach the fake without
    the server. It does not need pytest.

    Args:
        host: the address to bind to. Whoever can reach it can read and arrange everything.
        port: the port; 0 lets the system choose.
        hold: seconds of silence for a call that ends in a read timeout; 0: the connection is reset at once.
        allowed_hosts: names by which clients may call this machine, besides IP addresses, names without a dot, and
            names under ``.localhost`` or ``.internal``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range.
        OSError: at the start, the address cannot be bound to.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, hold: float = 0.0, allowed_hosts: Collection[str] = ()
    ) -> None:
        check_str("serve_pinpoint_otp: host", host)
        if not host:
            raise ValueError("serve_pinpoint_otp: host is empty; '127.0.0.1' is this machine, '0.0.0.0' every address.")
        check_int("serve_pinpoint_otp: port", port, 0, 65535)
        check_seconds("serve_pinpoint_otp: hold", hold, 86400)
        self._arguments = (host, port, float(hold), _read_names(allowed_hosts))
        self._server: PinpointOTPServer | None = None

    def start(self) -> PinpointOTPServer:
        """Start the server and return it.

        Raises:
            RuntimeError: it is started already.
            OSError: the address cannot be bound to.
        """
        if self._server is not None:
            raise RuntimeError("This serve_pinpoint_otp is started already: make another one for a second server.")
        server = PinpointOTPServer(*self._arguments)
        server.start()
        self._server = server
        return server

    def stop(self) -> None:
        """Stop the server.

        Raises:
            RuntimeError: it is not started.
        """
        if self._server is None:
            raise RuntimeError("This serve_pinpoint_otp is not started, so it cannot be stopped.")
        self._server.stop()
        self._server = None

    def __enter__(self) -> PinpointOTPServer:
        return self.start()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def _read_names(allowed_hosts: object) -> frozenset[str]:
    if not isinstance(allowed_hosts, str) and isinstance(allowed_hosts, Iterable):
        names = list(allowed_hosts)
        if all(isinstance(name, str) for name in names):
            return frozenset(map(normalised, names))
    raise TypeError(f"serve_pinpoint_otp: allowed_hosts takes names in a list, not {kind(allowed_hosts)}.")


@contextmanager
def active_for_servers(fake: PinpointOTP) -> Iterator[None]:
    """Let the servers of this process serve a fake, without wrapping botocore in it."""
    activate(service_of(fake), fake)
    try:
        yield
    finally:
        deactivate(fake)
