"""`serve_pinpoint_otp`: the active fake over HTTP, for boto3 in another process and for any HTTP client."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import boto3
import notify
import pytest
import time_machine
from active import served_fake
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from helpers import APPLICATION, DESTINATION, LEFT_OUT, REFERENCE, send, send_request, send_status, verify
from talking import PATIENCE, get, request

from pytest_pinpoint_otp import (
    LostResponse,
    PinpointOTP,
    PinpointOTPServer,
    RawResponse,
    mock_pinpoint_otp,
    serve_pinpoint_otp,
)
from pytest_pinpoint_otp.fake import service_of

TESTS = Path(__file__).parents[1]


def make_client(server: PinpointOTPServer, **config: Any) -> Any:
    return boto3.client(
        "pinpoint",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}, proxies={}, **config),
    )


@pytest.fixture(scope="module")
def client(server: PinpointOTPServer) -> Any:
    return make_client(server)


def test_a_client_over_the_socket_reaches_the_fake(fake: PinpointOTP, client: Any) -> None:
    assert send_status(client) == "SUCCESSFUL"
    assert not verify(client, fake.wrong_code(DESTINATION))
    assert verify(client, fake.code_for(DESTINATION))
    assert [call.outcome for call in fake.calls] == ["SUCCESSFUL", "INVALID", "VALID"]
    assert fake.assert_called().request == send_request()


def test_boto3_in_another_process_reaches_the_fake_by_its_environment_alone(
    fake: PinpointOTP, server: PinpointOTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    code = "import boto3, helpers; print(helpers.send_status(boto3.client('pinpoint')))"
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **server.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.stdout, result.stderr) == ("SUCCESSFUL\n", "")
    assert fake.code_for(DESTINATION)


@notify.NEEDED
def test_end_user_messaging_in_another_process_reaches_the_same_fake(
    fake: PinpointOTP, server: PinpointOTPServer
) -> None:
    code = "import boto3, notify; notify.send(boto3.client('endusermessaging'))"
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **server.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.stderr == ""
    assert fake.assert_sent(DESTINATION).api == "endusermessaging"


def test_the_environment_has_nothing_real_in_it(server: PinpointOTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    before = dict(os.environ)
    assert server.environ == {
        "AWS_ENDPOINT_URL_PINPOINT": server.url,
        "AWS_ENDPOINT_URL_ENDUSERMESSAGING": server.url,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
    assert dict(os.environ) == before


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_hosts_that_need_no_proxy_go_on_needing_none(
    server: PinpointOTPServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(name, "intranet")
    assert server.environ["NO_PROXY"] == server.environ["no_proxy"] == "intranet,127.0.0.1,localhost"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_url_says_127_0_0_1(host: str) -> None:
    with serve_pinpoint_otp(host) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert get(server, "health").json == {"status": "ok", "active": False}
    with pytest.raises(ConnectionRefusedError):
        get(server, "health")


@pytest.mark.parametrize("host", ["::1", "::"])
def test_a_url_puts_an_address_of_ipv6_into_brackets(host: str) -> None:
    try:
        with serve_pinpoint_otp(host) as server:
            assert server.url == f"http://[::1]:{server.port}"
            assert get(server, "health").status == 200
    except OSError as error:
        pytest.skip(f"IPv6 is not here: {error}")


def test_clients_in_this_process_go_by_the_hooks(server: PinpointOTPServer) -> None:
    # Its own, because the hooks stay on a client that has met a fake.
    client = make_client(server)
    with mock_pinpoint_otp() as fake:
        server.stop()
        try:
            assert send_status(client) == "SUCCESSFUL"
        finally:
            server.start()
    assert len(fake.messages) == 1


def test_the_innermost_fake_is_served(server: PinpointOTPServer, client: Any) -> None:
    with served_fake() as outer:
        with served_fake() as inner:
            send(client)
        send(client, DestinationIdentity="+15550100456")
    assert [message.destination for message in inner.messages] == [DESTINATION]
    assert [message.destination for message in outer.messages] == ["+15550100456"]


def test_without_a_fake_a_call_is_told_so_and_not_retried(server: PinpointOTPServer, client: Any) -> None:
    with pytest.raises(ClientError, match="No PinpointOTP is active in the process that serves this address") as error:
        send(client)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert error.value.response["Error"]["Code"] == "NotImplementedException"


def test_an_operation_that_is_not_faked_is_told_so(fake: PinpointOTP, client: Any) -> None:
    with pytest.raises(ClientError, match="not faked"):
        client.get_apps()


def test_an_error_travels_with_its_name(fake: PinpointOTP, client: Any) -> None:
    fake.inject("ForbiddenException")
    with pytest.raises(client.exceptions.ForbiddenException):
        send(client)
    with pytest.raises(client.exceptions.BadRequestException, match="BrandName"):
        send(client, BrandName="x" * 21)


def test_a_raw_answer_travels_byte_by_byte(fake: PinpointOTP, server: PinpointOTPServer) -> None:
    fake.inject(RawResponse(502, b"\xff<html>", {"X-Cache": "miss"}))
    reply = request(server, "POST", f"/v1/apps/{APPLICATION}/otp", send_request()["SendOTPMessageRequestParameters"])
    assert reply == (502, {"x-cache": "miss", "content-length": "7"}, b"\xff<html>")


def test_a_lost_answer_is_a_reset_after_the_work(fake: PinpointOTP, client: Any) -> None:
    fake.inject(LostResponse())
    with pytest.raises(ConnectionClosedError):
        send(client)
    assert fake.code_for(DESTINATION)
    assert fake.calls[0].outcome == "ReadTimeoutError"


@pytest.mark.parametrize("outcome", [EndpointConnectionError, ReadTimeoutError])
def test_a_transport_fault_is_a_reset(fake: PinpointOTP, client: Any, outcome: type[Exception]) -> None:
    fake.inject(outcome)
    with pytest.raises(ConnectionClosedError):
        send(client)
    assert fake.messages == []


def test_a_read_timeout_is_silence_where_the_server_holds_its_answers(fake: PinpointOTP) -> None:
    with serve_pinpoint_otp(hold=PATIENCE) as server:
        fake.inject(ReadTimeoutError)
        with pytest.raises(ReadTimeoutError):
            send(make_client(server, read_timeout=0.1))


def test_a_read_timeout_is_a_reset_at_once_where_nothing_is_said(fake: PinpointOTP) -> None:
    with serve_pinpoint_otp() as server:
        fake.inject(ReadTimeoutError)
        with pytest.raises(ConnectionClosedError):
            send(make_client(server, read_timeout=0.9))


def test_a_stopped_server_is_an_endpoint_that_is_down(fake: PinpointOTP) -> None:
    with serve_pinpoint_otp() as server:
        client = make_client(server)
        send(client)
        server.stop()
        with pytest.raises(EndpointConnectionError):
            send(client)
        server.start()
        send(client)
    assert len(fake.messages) == 2


class MistakeOfTheTest(Exception):  # noqa: N818
    """What a test's own callable raises."""


def test_what_a_callable_raises_is_told_there_and_at_the_end(client: Any) -> None:
    def fail(call: object) -> object:
        raise MistakeOfTheTest("not like this")

    with served_fake() as fake:
        fake.inject(fail)
        with pytest.raises(ClientError, match="MistakeOfTheTest: not like this") as error:
            send(client)
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    (mistake,) = service_of(fake).mistakes
    assert isinstance(mistake, MistakeOfTheTest)


def test_a_test_that_fails_in_a_callable_fails_at_its_end(client: Any) -> None:
    with served_fake() as fake:
        fake.inject(lambda call: pytest.fail("not like this"))
        with pytest.raises(ClientError, match="not like this"):
            send(client)
    (mistake,) = service_of(fake).mistakes
    assert isinstance(mistake, pytest.fail.Exception)


def test_a_callable_that_blocks_blocks_nobody_else(fake: PinpointOTP, server: PinpointOTPServer, client: Any) -> None:
    begun, end = threading.Event(), threading.Event()

    def block(call: object) -> None:
        begun.set()
        end.wait(PATIENCE)

    fake.inject(block, destination="+15550100456", optional=True)
    thread = threading.Thread(target=send, args=[make_client(server)], kwargs={"DestinationIdentity": "+15550100456"})
    thread.start()
    assert begun.wait(PATIENCE)
    assert send_status(client) == "SUCCESSFUL"
    end.set()
    thread.join(PATIENCE)
    assert len(fake.messages) == 2


def test_a_page_of_another_origin_reaches_nothing(fake: PinpointOTP, server: PinpointOTPServer) -> None:
    parameters = send_request()["SendOTPMessageRequestParameters"]
    evil = {"Origin": "http://evil.example"}
    assert request(server, "POST", f"/v1/apps/{APPLICATION}/otp", parameters, evil).status == 403
    assert request(server, "POST", "/_otp/reset", {}, evil).status == 403
    assert request(server, "GET", "/_otp/messages", None, evil).status == 403
    assert request(server, "GET", "/", None, {"Host": "evil.example"}).status == 403
    preflight = request(server, "OPTIONS", "/_otp/reset", None, evil)
    assert not [name for name in preflight.headers if name.startswith("access-control")]
    assert fake.calls == []


def test_a_host_that_is_allowed_is_served() -> None:
    with serve_pinpoint_otp(allowed_hosts=["OTP.example.test."]) as server:
        assert request(server, "GET", "/", None, {"Host": "otp.example.test:80"}).status == 200


def test_hosts_that_can_be_read_once_only_are_all_allowed() -> None:
    once: Any = iter(["a.example.test", "b.example.test"])
    with serve_pinpoint_otp(allowed_hosts=once) as server:
        for host in ("a.example.test", "b.example.test"):
            assert request(server, "GET", "/", None, {"Host": host}).status == 200


def test_a_target_in_absolute_form_is_served(fake: PinpointOTP, server: PinpointOTPServer) -> None:
    path = f"{server.url}/v1/apps/{APPLICATION}/otp?x"
    assert request(server, "POST", path, send_request()["SendOTPMessageRequestParameters"]).status == 200
    assert request(server, "GET", server.url).status == 200
    assert fake.code_for(DESTINATION)
    for number, texts in (("%2B15550100123", 1), ("%2B15550100456", 0)):
        found = request(server, "GET", f"{server.url}/_otp/messages?destination={number}")
        assert len(found.json["messages"]) == texts


def test_localstacks_endpoint_shows_the_newest_code(fake: PinpointOTP, server: PinpointOTPServer, client: Any) -> None:
    path = f"/_aws/pinpoint/{APPLICATION}/{REFERENCE}"
    assert request(server, "GET", path).status == 404
    send(client, CodeLength=8, ValidityPeriod=LEFT_OUT)
    verify(client, fake.wrong_code(DESTINATION))
    reply = request(server, "GET", path)
    assert reply.status == 200
    document = reply.json
    created = document.pop("CreatedTimestamp")
    assert created.endswith("Z")
    assert len(created) == len("2026-01-01T00:00:00.000Z")
    assert document == {
        "AllowedAttempts": 3,
        "BrandName": "Example",
        "CodeLength": 8,
        "DestinationIdentity": DESTINATION,
        "OriginationIdentity": "+15550100999",
        "ReferenceId": REFERENCE,
        "ValidityPeriod": 15,
        "Attempts": 1,
        "ApplicationId": APPLICATION,
        "Code": fake.code_for(DESTINATION),
    }
    assert request(server, "POST", path).status == 405


@time_machine.travel("2030-01-02T03:04:05+00:00", tick=False)
def test_localstacks_endpoint_counts_the_wrong_codes_since_the_newest_text(
    fake: PinpointOTP, server: PinpointOTPServer, client: Any
) -> None:
    def attempts() -> int:
        return request(server, "GET", f"/_aws/pinpoint/{APPLICATION}/{REFERENCE}").json["Attempts"]  # type: ignore[no-any-return]

    send(client)
    verify(client, fake.wrong_code(DESTINATION))
    assert attempts() == 1
    fake.advance(seconds=1)
    send(client)
    assert attempts() == 0
    verify(client, fake.wrong_code(DESTINATION))
    assert verify(client, fake.code_for(DESTINATION))
    assert attempts() == 1


def test_localstacks_endpoint_without_a_fake_says_so(server: PinpointOTPServer) -> None:
    reply = request(server, "GET", "/_aws/pinpoint/a/b")
    assert (reply.status, reply.json["error"]) == (503, "NoFakeError")
    assert "No PinpointOTP is active" in reply.json["message"]


def test_started_by_hand_it_is_stopped_by_hand() -> None:
    serving = serve_pinpoint_otp()
    with pytest.raises(RuntimeError, match="not started"):
        serving.stop()
    server = serving.start()
    assert repr(server) == f"<PinpointOTPServer http://127.0.0.1:{server.port}, running>"
    with pytest.raises(RuntimeError, match="started already"):
        serving.start()
    serving.stop()
    assert repr(server).endswith(", stopped>")
    assert serving.start().port
    serving.stop()


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"host": 1}, TypeError, r"host takes a str, not 1 \(int\)"),
        ({"host": ""}, ValueError, "host is empty"),
        ({"port": "80"}, TypeError, "port takes an int"),
        ({"port": True}, TypeError, "port takes an int"),
        ({"port": 65536}, ValueError, "port is 65536, but takes 0 to 65535"),
        ({"hold": "1"}, TypeError, "hold takes seconds"),
        ({"hold": False}, TypeError, "hold takes seconds"),
        ({"hold": -1}, ValueError, "hold is -1"),
        ({"hold": 86400.5}, ValueError, "hold is 86400.5, but takes seconds from 0 to 86400"),
        ({"hold": float("nan")}, ValueError, "hold is nan"),
        ({"allowed_hosts": "a.test"}, TypeError, "allowed_hosts takes names in a list, not 'a.test'"),
        ({"allowed_hosts": [1]}, TypeError, "allowed_hosts takes names"),
        ({"allowed_hosts": None}, TypeError, r"allowed_hosts takes names in a list, not None \(NoneType\)"),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"^serve_pinpoint_otp: {text}"):
        serve_pinpoint_otp(**arguments)


@pytest.mark.parametrize("arguments", [{"port": 65535}, {"hold": 86400}])
def test_the_greatest_numbers_are_accepted(arguments: dict[str, Any]) -> None:
    serve_pinpoint_otp(**arguments)


def test_a_server_that_nobody_stops_keeps_no_interpreter_from_ending() -> None:
    code = (
        "import socket; from pytest_pinpoint_otp import serve_pinpoint_otp;"
        "server = serve_pinpoint_otp().start();"
        "client = socket.create_connection((server.host, server.port));"
        "client.sendall(b'GET /_otp/messages?unless=none&wait=60 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_without_h11_the_extra_is_named() -> None:
    code = "import sys; sys.modules['h11'] = None; import pytest_pinpoint_otp; pytest_pinpoint_otp.serve_pinpoint_otp"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert 'ModuleNotFoundError: The server needs h11: pip install "pytest-pinpoint-otp[server]".' in result.stderr


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_method_that_a_page_of_another_site_can_use_leaves_no_call(
    fake: PinpointOTP, server: PinpointOTPServer, method: str
) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=10)
    connection.request(method, "/v1/apps/shop/otp")
    answer = connection.getresponse()
    answer.read()
    connection.close()

    assert (answer.status, answer.getheader("x-amzn-errortype")) == (405, "MethodNotAllowedException")
    assert fake.calls == []
