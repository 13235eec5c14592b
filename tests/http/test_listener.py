"""HTTP over sockets: what a client may send, what it gets, and how everything ends."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from talking import PATIENCE, connected, everything, exchange, read_reply

from pytest_pinpoint_otp.transports.http.connection import MAX_BODY, RESET_ON_CLOSE, Answer, Request, Reset
from pytest_pinpoint_otp.transports.http.listener import Listener

HOST = b"Host: 127.0.0.1\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"


class Served:
    """A listener whose answers a test sets, and what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Answer | Reset = Answer(200, {"content-type": "text/plain"}, b"hello")
        self.listener = Listener("127.0.0.1", 0, self.handle)

    def handle(self, request: Request) -> Answer | Reset:
        """Answer a request."""
        self.requests.append(request)
        return self.answer

    @property
    def port(self) -> int:
        """The listener's port."""
        return self.listener.port


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    served.listener.start()
    yield served
    served.listener.stop()
    assert own_threads(served.listener) == []


def own_threads(listener: Listener) -> list[str]:
    """Return the names of the threads of a listener that still run."""
    return [thread.name for thread in threading.enumerate() if str(listener.port) in thread.name]


def is_over(client: socket.socket) -> bool:
    """Tell whether the server has ended a connection."""
    try:
        return client.recv(1) == b""
    except ConnectionError:
        return True


def test_a_request_arrives_as_it_was_sent(served: Served) -> None:
    body = b'{"a": 1}'
    head = b"POST /v1/apps/a%2Fb/otp?x=+1 HTTP/1.1\r\n" + HOST + b"X-One: 1\r\nx-one: 2\r\nContent-Length: 8\r\n\r\n"

    reply = exchange(served.port, head, body)

    (asked,) = served.requests
    assert (asked.method, asked.target, asked.body) == ("POST", "/v1/apps/a%2Fb/otp?x=+1", body)
    assert asked.headers == {"host": "127.0.0.1", "x-one": "1, 2", "content-length": "8"}
    assert reply == (200, {"content-type": "text/plain", "content-length": "5"}, b"hello")


def test_a_connection_serves_one_request_after_the_other(served: Served) -> None:
    with connected(served.port) as client:
        for _ in range(3):
            client.sendall(GET)
            assert read_reply(client).body == b"hello"


def test_requests_that_are_sent_ahead_are_answered_in_turn(served: Served) -> None:
    with connected(served.port) as client:
        client.sendall(GET + GET.replace(b"GET / ", b"GET /2 ") + b"GET /3 HTTP/1.0\r\n" + HOST + b"\r\n")
        assert everything(client).count(b"hello") == 3
    assert [asked.target for asked in served.requests] == ["/", "/2", "/3"]


@pytest.mark.parametrize(
    "head",
    [b"GET / HTTP/1.0\r\n" + HOST + b"\r\n", GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")],
    ids=["1.0", "close"],
)
def test_a_client_that_wants_no_more_is_told_that_there_is_no_more(served: Served, head: bytes) -> None:
    with connected(served.port) as client:
        client.sendall(head)
        assert everything(client).startswith(b"HTTP/1.1 200 OK\r\n")
    assert exchange(served.port, head).headers["connection"] == "close"


def test_a_body_in_chunks_arrives_whole(served: Served) -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    exchange(served.port, head, b"3\r\nabc\r\n", b"2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\n")
    assert served.requests[0].body == b"abcde"


def test_a_client_that_waits_for_permission_gets_it_at_once(served: Served) -> None:
    with connected(served.port) as client:
        client.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        client.sendall(b"abc")
        assert read_reply(client).status == 200
    assert served.requests[0].body == b"abc"


def test_head_gets_the_headers_alone(served: Served) -> None:
    with connected(served.port) as client:
        client.sendall(GET.replace(b"GET", b"HEAD"))
        assert read_reply(client, "HEAD") == (200, {"content-type": "text/plain", "content-length": "5"}, b"")
        client.sendall(GET)
        assert read_reply(client).body == b"hello"


def test_two_hundred_headers_are_no_trouble(served: Served) -> None:
    many = b"".join(b"X-%d: %d\r\n" % (number, number) for number in range(200))
    assert exchange(served.port, GET.replace(b"\r\n\r\n", b"\r\n" + many + b"\r\n")).status == 200
    assert len(served.requests[0].headers) == 201


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"hello\r\n\r\n", 400, id="garbage"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400, id="TLS"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, id="HTTP/2"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400, id="two hosts in 1.1"),
        pytest.param(b"GET / HTTP/1.0\r\n" + HOST + HOST + b"\r\n", 400, id="two hosts in 1.0"),
        pytest.param(
            b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            id="both lengths",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            400,
            id="two lengths",
        ),
        pytest.param(b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n", 501, id="no chunks"),
        pytest.param(b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, id="bad chunk"),
        pytest.param(b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 300_000 + b"\r\n\r\n", 431, id="long header"),
    ],
)
def test_what_is_no_request_of_http_1_1_is_refused_in_words(served: Served, sent: bytes, status: int) -> None:
    with connected(served.port) as client:
        client.sendall(sent)
        reply = read_reply(client)
        assert client.recv(1) == b""
    assert reply.status == status
    assert reply.headers["connection"] == "close"
    assert reply.json["error"] == ("ValueError" if status < 500 else "RuntimeError")
    assert reply.json["message"]
    assert served.requests == []


def test_a_client_that_is_still_sending_gets_to_read_that_it_was_refused(served: Served) -> None:
    # More than the system takes in for a server that reads no longer.
    reply = exchange(served.port, b"hello\r\n\r\n", bytes(12 * 1024 * 1024))
    assert reply.status == 400


def test_a_client_that_was_refused_and_stays_is_left_alone_in_the_end(served: Served) -> None:
    with connected(served.port) as client:
        client.sendall(b"hello\r\n\r\n")
        assert everything(client)
        for thread in threading.enumerate():
            if thread.name == f"pinpoint-otp {served.port} connection":
                thread.join(PATIENCE)
                assert not thread.is_alive()


@pytest.mark.parametrize("size", [MAX_BODY + 1, 3_000_000, 17 * 1024 * 1024])
def test_a_body_that_is_too_long_is_refused_in_words(served: Served, size: int) -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % size
    reply = exchange(served.port, head, bytes(size))
    assert reply.status == 413
    assert str(MAX_BODY).encode() in reply.body


def test_a_body_that_is_too_long_is_not_asked_for(served: Served) -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 3000000\r\n\r\n"
    assert exchange(served.port, head).status == 413


def test_a_body_that_is_too_long_is_refused_once_it_is_sent(served: Served) -> None:
    with connected(served.port) as client:
        client.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2000000\r\n\r\n" + bytes(MAX_BODY + 1))
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(PATIENCE)
        client.sendall(bytes(2_000_000 - MAX_BODY - 1))
        assert read_reply(client).status == 413


@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"], ids=["sent", "asked for"])
def test_the_longest_body_is_accepted(served: Served, expect: bytes) -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + expect + b"Content-Length: %d\r\n\r\n" % MAX_BODY
    assert exchange(served.port, head, bytes(MAX_BODY)).status == 200
    assert served.requests[0].body == bytes(MAX_BODY)


@pytest.mark.parametrize(
    "sent", [b"", b"GET /", GET[:-2], b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\nx"]
)
def test_a_client_that_goes_away_in_the_middle_hurts_nobody(served: Served, sent: bytes) -> None:
    with connected(served.port) as client:
        client.sendall(sent)
    assert exchange(served.port, GET).status == 200
    assert len(served.requests) == 1


def test_an_answer_is_sent_as_it_is_given(served: Served) -> None:
    served.answer = Answer(299, {"X-One": "1", "x-two": "é", "x-three": "€"}, b"\0\xff")
    with connected(served.port) as client:
        client.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert everything(client) == (
            b"HTTP/1.1 299 \r\nX-One: 1\r\nx-two: \xe9\r\nx-three: \xe2\x82\xac\r\ncontent-length: 2\r\n"
            b"connection: close\r\n\r\n\0\xff"
        )


@pytest.mark.parametrize("name", ["content-length", "Transfer-Encoding", "connection"])
def test_an_answer_that_frames_itself_is_the_last_of_its_connection(served: Served, name: str) -> None:
    served.answer = Answer(200, {name: "9"}, b"abc")
    with connected(served.port) as client:
        client.sendall(GET + GET)
        received = everything(client)
    assert received.startswith(b"HTTP/1.1 200 OK\r\n%s: 9\r\n" % name.encode())
    assert received.endswith(b"\r\n\r\nabc")
    assert received.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_that_has_no_body_is_sent_without_one(served: Served, status: int) -> None:
    served.answer = Answer(status, {}, b"abc")
    with connected(served.port) as client:
        for _ in range(2):
            client.sendall(GET)
            assert read_reply(client) == (status, {}, b"")


@pytest.mark.parametrize("character", "\r\n\0")
@pytest.mark.parametrize("place", ["name", "value"])
def test_no_header_puts_lines_of_its_own_on_the_wire(served: Served, place: str, character: str) -> None:
    line = f"x{character}set-cookie: a=b"
    served.answer = Answer(200, {line: "1"} if place == "name" else {"x": line})
    with connected(served.port) as client:
        client.sendall(GET)
        reply = read_reply(client)
    assert (reply.status, reply.json["error"]) == (500, "RuntimeError")
    assert "set-cookie" not in reply.headers
    assert b"cannot be sent" in reply.body


def test_a_reset_is_a_reset(served: Served) -> None:
    served.answer = Reset()
    with connected(served.port) as client:
        client.sendall(GET)
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_reset_after_silence_lets_the_client_run_out_of_patience_first(served: Served) -> None:
    served.answer = Reset(silence=PATIENCE)
    with connected(served.port) as client:
        client.settimeout(0.05)
        client.sendall(GET)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_a_client_that_waits_long_enough_is_reset_in_the_end(served: Served) -> None:
    served.answer = Reset(silence=0.02)
    with connected(served.port) as client:
        client.sendall(GET)
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_handler_that_waits_is_told_when_its_client_goes_away() -> None:
    told: list[bool] = []
    waiting = threading.Event()

    def handle(request: Request) -> Answer:
        told.append(request.wait(0))
        waiting.set()
        told.append(request.wait(PATIENCE))
        return Answer(200, {})

    listener = Listener("127.0.0.1", 0, handle)
    listener.start()
    with connected(listener.port) as client:
        client.sendall(GET)
        assert waiting.wait(PATIENCE)
    while len(told) < 2:
        threading.Event().wait(0.001)
    listener.stop()
    assert told == [True, False]


def test_a_connection_goes_on_after_its_handler_has_waited() -> None:
    def handle(request: Request) -> Answer:
        return Answer(200, {}, b"yes" if request.wait(0) else b"no")

    listener = Listener("127.0.0.1", 0, handle)
    listener.start()
    with connected(listener.port) as client:
        for _ in range(2):
            client.sendall(GET)
            assert read_reply(client).body == b"yes"
            client.settimeout(0.05)
            with pytest.raises(TimeoutError):
                client.recv(1)
            client.settimeout(PATIENCE)
    listener.stop()


@pytest.mark.parametrize("leave", ["close", "reset"])
def test_a_handler_that_waits_is_told_however_its_client_goes_away(leave: str) -> None:
    told: list[bool] = []
    with waiting_handler(told) as (listener, begun):
        with connected(listener.port) as client:
            client.sendall(GET)
            assert begun.wait(PATIENCE)
            if leave == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        while not told:
            threading.Event().wait(0.001)
    assert told == [False]


def test_a_client_that_has_sent_its_next_request_is_still_there_until_the_server_ends() -> None:
    told: list[bool] = []
    with waiting_handler(told) as (listener, begun), connected(listener.port) as client:
        client.sendall(GET)
        assert begun.wait(PATIENCE)
        client.sendall(GET)
        assert not told
        listener.stop()
        assert told == [False]


@contextmanager
def waiting_handler(told: list[bool]) -> Iterator[tuple[Listener, threading.Event]]:
    """Yield a listener whose handler waits and keeps what it is told, and what tells that it has begun."""
    begun = threading.Event()

    def handle(request: Request) -> Answer:
        begun.set()
        told.append(request.wait(PATIENCE))
        return Answer(200, {})

    listener = Listener("127.0.0.1", 0, handle)
    listener.start()
    yield listener, begun
    listener.stop()


def test_a_client_that_never_ends_what_it_sends_is_left_alone_in_the_end(served: Served) -> None:
    with connected(served.port) as client, pytest.raises(ConnectionError):
        client.sendall(bytes(100 * 1024 * 1024))
    assert exchange(served.port, GET).status == 200


def test_fifty_open_connections_end_at_once(served: Served) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(connected(served.port)) for _ in range(50)]
        for number, client in enumerate(clients):
            client.sendall(
                [b"GET", GET, GET[:-2], b"POST / HTTP/1.1\r\nContent-Length: 9\r\n" + HOST + b"\r\n"][number % 4]
            )
        for client in clients[1::4]:
            assert read_reply(client).status == 200
        begun = time.perf_counter()
        served.listener.stop()
        taken = time.perf_counter() - begun
        assert own_threads(served.listener) == []
        assert all(map(is_over, clients))
    # A small number is not timed: this is what is left of socketserver's half a second on a busy machine.
    assert taken < 0.4


def test_a_stopped_listener_refuses_connections_and_starts_again_on_its_port(served: Served) -> None:
    port = served.port
    for _ in range(2):
        served.listener.stop()
        assert not served.listener.running
        with pytest.raises(ConnectionRefusedError), connected(port):
            pass
        served.listener.start()
        assert served.listener.running
        assert exchange(port, GET).status == 200
    assert served.port == port


def test_a_port_is_taken_again_although_a_connection_of_before_is_not_forgotten(served: Served) -> None:
    with connected(served.port) as client:
        client.sendall(GET)
        read_reply(client)
        served.listener.stop()
        assert client.recv(1) == b""
    served.listener.start()
    assert exchange(served.port, GET).status == 200


@pytest.mark.parametrize("first", [socket.AF_INET, socket.AF_INET6])
def test_a_name_of_both_protocols_is_taken_as_an_address_of_ipv4(
    monkeypatch: pytest.MonkeyPatch, first: socket.AddressFamily
) -> None:
    addresses = {socket.AF_INET: ("127.0.0.1", 0), socket.AF_INET6: ("::1", 0, 0, 0)}
    found = [(family, socket.SOCK_STREAM, 6, "", address) for family, address in addresses.items()]
    found.sort(key=lambda one: one[0] is not first)
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lambda *given, **named: found)
        listener = Listener("localhost", 0, lambda request: Answer(200, {}))
    assert listener.host == "127.0.0.1"


def test_a_client_that_is_gone_when_it_is_accepted_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Repeating(selectors.DefaultSelector):
        """Tells of each client twice."""

        told: tuple[tuple[selectors.SelectorKey, int], ...] = ()

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            again = self.told
            self.told = () if again else tuple(super().select(timeout))
            return list(again or self.told)

    monkeypatch.setattr(selectors, "DefaultSelector", Repeating)
    listener = Listener("127.0.0.1", 0, lambda request: Answer(200, {}))
    listener.start()
    assert exchange(listener.port, GET).status == 200
    stopping = threading.Thread(target=listener.stop)
    stopping.start()
    stopping.join(PATIENCE / 4)
    waits_for_a_client = stopping.is_alive()
    if waits_for_a_client:
        # Who waits so holds up all servers of this process.
        with connected(listener.port):
            stopping.join()
    assert not waits_for_a_client


def test_to_stop_twice_changes_nothing(served: Served) -> None:
    served.listener.stop()
    served.listener.stop()


def test_to_start_twice_is_an_error(served: Served) -> None:
    with pytest.raises(RuntimeError, match=f"already runs at 127.0.0.1:{served.port}"):
        served.listener.start()


def test_a_port_that_is_taken_is_an_error(served: Served) -> None:
    other = Listener("127.0.0.1", served.port, served.handle)
    with pytest.raises(OSError, match="in use"):
        other.start()
    assert not other.running


def test_silence_ends_with_the_server(served: Served) -> None:
    served.answer = Reset(silence=PATIENCE)
    with connected(served.port) as client:
        client.sendall(GET)
        while not served.requests:
            threading.Event().wait(0.001)
        served.listener.stop()
        assert own_threads(served.listener) == []


def test_a_handler_may_stop_its_own_server() -> None:
    listener: Listener

    def handle(request: Request) -> Answer:
        listener.stop()
        return Answer(200, {})

    listener = Listener("127.0.0.1", 0, handle)
    listener.start()
    with connected(listener.port) as client:
        client.sendall(GET)
        assert client.recv(1) == b""


def test_a_handler_that_does_not_end_keeps_nobody() -> None:
    begun, end = threading.Semaphore(0), threading.Event()
    told: list[bool] = []

    def handle(request: Request) -> Answer:
        begun.release()
        told.append(end.wait(PATIENCE / 4))
        return Answer(200, {})

    listener = Listener("127.0.0.1", 0, handle)
    listener.start()
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(connected(listener.port)).sendall(GET)
            assert begun.acquire(timeout=PATIENCE)
        listener.stop()
        # For all of them together, and not for each in turn.
        assert told == []
    threads = [thread for thread in threading.enumerate() if str(listener.port) in thread.name]
    assert len(threads) == 20
    assert all(thread.daemon for thread in threads)
    end.set()
    for thread in threads:
        thread.join(PATIENCE)


def test_a_lack_of_threads_closes_the_connection(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with connected(served.port) as client:
            assert client.recv(1) == b""
    assert exchange(served.port, GET).status == 200


def test_a_lack_of_descriptors_passes(served: Served) -> None:
    resource = pytest.importorskip("resource", reason="this system has no limit on descriptors to set")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    client = socket.socket()
    spare = os.dup(client.fileno())
    resource.setrlimit(resource.RLIMIT_NOFILE, (spare + 1, hard))
    try:
        os.close(spare)
        taken = [os.dup(client.fileno())]
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", served.port))
        client.sendall(GET)
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for one in taken:
            os.close(one)
    client.settimeout(PATIENCE)
    assert read_reply(client).status == 200
    client.close()


@contextmanager
def forked(run: Callable[[socket.socket], None]) -> Iterator[socket.socket]:
    """Yield a socket whose other end a forked child has, which runs something and lives until the block ends."""
    here, there = socket.socketpair()
    child = os.fork()
    if not child:
        try:
            here.close()
            run(there)
            there.recv(1)
        finally:
            os._exit(0)
    there.close()
    here.settimeout(PATIENCE)
    # It ends by itself once the socket is closed, and must not hang the tests if it does not.
    killer = threading.Timer(PATIENCE, os.kill, (child, signal.SIGKILL))
    killer.start()
    try:
        with here:
            yield here
    finally:
        status = os.waitpid(child, 0)[1]
        killer.cancel()
    assert status == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks on this system")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_child_closes_what_it_inherits_and_ends_nothing(served: Served) -> None:
    def stop(there: socket.socket) -> None:
        client.close()
        served.listener.stop()
        there.sendall(b"running" if served.listener.running else b"stopped")

    with connected(served.port) as client:
        client.sendall(GET)
        read_reply(client)
        with forked(stop) as here:
            assert here.recv(100) == b"stopped"
            client.sendall(GET)
            assert read_reply(client).status == 200
            served.listener.stop()
            # The child still lives, and holds no end of it.
            assert client.recv(1) == b""
            with pytest.raises(ConnectionRefusedError), connected(served.port):
                pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks on this system")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.parametrize("stopped", [False, True])
def test_a_forked_child_may_start_a_server_of_its_own(served: Served, stopped: bool) -> None:
    def start(there: socket.socket) -> None:
        own = Served()
        own.listener.start()
        there.sendall(b"%d" % own.port)
        there.recv(1)

    if stopped:
        served.listener.stop()
    with forked(start) as here:
        assert exchange(int(here.recv(100)), GET).status == 200
