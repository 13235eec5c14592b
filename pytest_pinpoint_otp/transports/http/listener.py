"""Accepts connections on one address, serves each in a thread of its own, and ends all of them within milliseconds.

Knows nothing of OTP. HTTP is read and written in `connection`.
"""

from __future__ import annotations

import os
import selectors
import socket
import sys
import threading
import time
from contextlib import ExitStack, suppress
from typing import Final
from weakref import WeakSet

from pytest_pinpoint_otp.transports.http.connection import Connection, Handler

_STOP_SECONDS: Final = 0.25
"""How long `stop` waits for a thread that it cannot wake, such as one inside a test's callable."""

_lock: Final = threading.Lock()
"""Guards the sockets of every listener, so that a fork sees all of them."""
_listeners: Final[WeakSet[Listener]] = WeakSet()


class Listener:
    """Serves HTTP on one address, each connection in a thread of its own.

    Args:
        host: the address to bind to.
        port: the port; 0 lets the system choose one, which is kept from then on.
        handler: answers a request, in the connection's thread.
    """

    def __init__(self, host: str, port: int, handler: Handler) -> None:
        self._handler = handler
        self._family, self._address = _resolve(host, port)
        self._socket: socket.socket | None = None
        self._waker: tuple[socket.socket, socket.socket] | None = None
        """A pair of sockets: closing the first wakes the accepting thread, which watches the second."""
        self._connections: dict[Connection, threading.Thread] = {}
        self._thread: threading.Thread | None = None
        _listeners.add(self)

    @property
    def host(self) -> str:
        """The address that it is bound to."""
        return self._address[0]

    @property
    def port(self) -> int:
        """The port; 0 before the first start, if the system chooses."""
        return self._address[1]

    @property
    def running(self) -> bool:
        """Whether it accepts connections."""
        return self._socket is not None

    def start(self) -> None:
        """Bind, and accept connections.

        Raises:
            RuntimeError: it runs already.
            OSError: the address cannot be bound to.
        """
        if self._socket is not None:
            raise RuntimeError(f"The server already runs at {self.host}:{self.port}.")
        with ExitStack() as stack:
            # Everything that needs a descriptor comes first, and is closed if one is missing.
            listening = stack.enter_context(_listen(self._family, self._address))
            waker, woken = map(stack.enter_context, socket.socketpair())
            selector = stack.enter_context(selectors.DefaultSelector())
            for watched in (listening, woken):
                selector.register(watched, selectors.EVENT_READ)
            address = listening.getsockname()[:2]
            thread = threading.Thread(
                target=self._accept, args=(listening, woken, selector), name=f"pinpoint-otp {address[1]}", daemon=True
            )
            thread.start()
            with _lock:
                self._address = address
                self._socket, self._waker, self._thread = listening, (waker, woken), thread
            stack.pop_all()

    def stop(self) -> None:
        """Refuse further connections, end those that are open, and keep the port for another start."""
        with _lock:
            listening, self._socket = self._socket, None
            waker, self._waker = self._waker, None
            thread, self._thread = self._thread, None
        if listening is None or waker is None or thread is None:
            return
        waker[0].close()
        thread.join()
        with _lock:
            connections = dict(self._connections)
        for connection in connections:
            connection.end()
        deadline = time.monotonic() + _STOP_SECONDS
        for connection_thread in connections.values():
            if connection_thread is not threading.current_thread():
                connection_thread.join(max(0.0, deadline - time.monotonic()))

    def _accept(self, listening: socket.socket, woken: socket.socket, selector: selectors.BaseSelector) -> None:
        with listening, woken, selector:
            while woken not in [key.fileobj for key, _ in selector.select()]:
                self._accept_one(listening)

    def _accept_one(self, listening: socket.socket) -> None:
        try:
            with _lock:
                accepted, _ = listening.accept()
                connection = Connection(accepted, self._handler)
                thread = self._connections[connection] = threading.Thread(
                    target=self._serve, args=(connection,), name=f"pinpoint-otp {self.port} connection", daemon=True
                )
        except OSError:
            # The client has gone, or no descriptors are left: then trying again at once would only use the CPU.
            time.sleep(0.01)
            return
        try:
            thread.start()
        except RuntimeError:
            # The system has no more threads.
            self._forget(connection)

    def _serve(self, connection: Connection) -> None:
        try:
            # A client may go away at any time.
            with suppress(OSError):
                connection.serve()
        finally:
            self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        with _lock:
            self._connections.pop(connection, None)
            connection.close()

    def leave_to_parent(self) -> None:
        """Close what a forked child has inherited; the connections go on in the parent."""
        for inherited in (self._socket, *(self._waker or ()), *self._connections):
            if inherited is not None:
                inherited.close()
        self._socket = self._waker = self._thread = None
        self._connections = {}


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except UnicodeError as error:
        # Part of the name is empty or too long.
        raise OSError(f"{host!r} cannot be the name of a host: {error}") from None
    # A name such as localhost may have both; clients find 127.0.0.1 without a look-up.
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    return family, (str(address[0]), int(address[1]))


def _listen(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # pragma: no branch - there, it would let two servers share a port
            # Lets the port be bound again at once, while the system still remembers earlier connections.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
        # A client that goes away between select and accept must not block us.
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


def _leave_to_parent() -> None:
    for listener in list(_listeners):
        listener.leave_to_parent()
    _lock.release()


if sys.platform != "win32":  # pragma: no branch - nothing forks there
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_leave_to_parent)
