"""Whatever bytes come, the server answers in HTTP or ends the connection, and goes on."""

from __future__ import annotations

import socket
import threading

from active import served_fake
from effort import REQUESTS
from helpers import APPLICATION
from hypothesis import given, settings
from hypothesis import strategies as st
from talking import connected, everything, get

from pytest_pinpoint_otp import PinpointOTPServer

BODY = b'{"DestinationIdentity": "+15550100123"}'
PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"POST /v1/apps/%s/otp HTTP/1.1\r\n" % APPLICATION.encode(),
            b"GET / HTTP/1.1\r\n",
            b"GET /_otp/messages?unless=x&wait=60 HTTP/1.1\r\n",
            b"POST /_otp/inject HTTP/1.1\r\n",
            b"HEAD http://[::1/ HTTP/1.0\r\n",
            b"CONNECT evil.example:443 HTTP/1.1\r\n",
            b"OPTIONS * HTTP/1.1\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"Host: 127.0.0.1\r\n",
            b"Host: [::1\r\n",
            b"Host: evil.example\r\n",
            b"Origin: null\r\n",
            b"Content-Length: %d\r\n" % len(BODY),
            b"Content-Length: -1\r\n",
            b"Content-Length: 99999999999999999999\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Expect: 100-continue\r\n",
            b"Connection: close\r\n",
            b"Upgrade: websocket\r\nConnection: upgrade\r\n",
            b"X: " + b"x" * 20_000 + b"\r\n",
            b"X: a\r\n b\r\n",
            b"\r\n",
            b"\n\n",
            b"0\r\n\r\n",
            b"ffffffffffffffff\r\n",
            BODY,
        ]
    ),
)


@settings(max_examples=REQUESTS // 10)
@given(st.lists(PIECES, min_size=1, max_size=12))
def test_any_bytes_are_answered_in_http_or_not_at_all(server: PinpointOTPServer, pieces: list[bytes]) -> None:
    with served_fake():
        with connected(server.port) as client:
            client.sendall(b"".join(pieces))
            client.shutdown(socket.SHUT_WR)
            try:
                answer = everything(client)
            except ConnectionResetError:
                answer = b""
        assert answer[:9] in (b"", b"HTTP/1.1 ")
        assert b"Traceback" not in answer
        assert get(server, "health").status == 200


def test_many_clients_at_once_are_all_answered(server: PinpointOTPServer) -> None:
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(get(server, "messages").status for _ in range(20))

    with served_fake():
        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [200] * 320
