"""Transport faults: what an application sees when no answer comes, by every exception that botocore has for it."""

from __future__ import annotations

import traceback
from typing import Any

import boto3
import pytest
from botocore import exceptions
from botocore.config import Config
from helpers import send, send_status, verify

from pytest_pinpoint_otp import Call, PinpointOTP, mock_pinpoint_otp

SESSION = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")
ATTEMPTS = {"legacy": 5, "standard": 3, "adaptive": 3}
URL = "https://endpoint.example/"

INSTANCES = [
    exceptions.ConnectTimeoutError(endpoint_url=URL),
    exceptions.ReadTimeoutError(endpoint_url=URL),
    exceptions.EndpointConnectionError(endpoint_url=URL),
    exceptions.ConnectionClosedError(endpoint_url=URL),
    exceptions.ProxyConnectionError(proxy_url="http://proxy.example:3128"),
    exceptions.SSLError(endpoint_url=URL, error="certificate verify failed"),
    exceptions.ConnectionError(error="no route to host"),
]
"""One of each that every retry mode tries again."""
CLASSES = [type(instance) for instance in INSTANCES]
NOT_RETRIED_BY_LEGACY = [exceptions.HTTPClientError, exceptions.ResponseStreamingError]


@pytest.fixture(params=list(ATTEMPTS))
def mode(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def client(mode: str) -> Any:
    return make_client(mode)


def make_client(mode: str = "standard", **arguments: Any) -> Any:
    return SESSION.client("pinpoint", config=Config(retries={"mode": mode}), **arguments)


def call(client: Any, operation: str) -> None:
    if operation == "SendOTPMessage":
        send(client)
    else:
        verify(client, "000000")


@pytest.mark.parametrize("operation", ["SendOTPMessage", "VerifyOTPMessage"])
@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_transport_exception_class_comes_out_after_every_attempt(
    pinpoint_otp: PinpointOTP, client: Any, mode: str, cls: type[Exception], operation: str
) -> None:
    pinpoint_otp.inject(cls, operation=operation)
    with pytest.raises(exceptions.BotoCoreError) as raised:
        call(client, operation)
    assert type(raised.value) is cls
    assert pinpoint_otp.messages == []
    assert pinpoint_otp.verifications == []
    (recorded,) = pinpoint_otp.calls
    assert recorded.outcome == cls.__name__
    assert recorded.status_code is None
    assert [attempt.outcome for attempt in recorded.attempts] == [cls.__name__] * ATTEMPTS[mode]
    assert {attempt.status_code for attempt in recorded.attempts} == {None}


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda instance: type(instance).__name__)
def test_a_transport_exception_instance_comes_out_as_it_is(
    pinpoint_otp: PinpointOTP, client: Any, mode: str, instance: Exception
) -> None:
    pinpoint_otp.inject(instance)
    with pytest.raises(type(instance)) as raised:
        send(client)
    assert raised.value is instance
    (recorded,) = pinpoint_otp.calls
    assert recorded.outcome == type(instance).__name__
    assert recorded.error_message == str(instance)
    assert len(recorded.attempts) == ATTEMPTS[mode]


@pytest.mark.parametrize("cls", NOT_RETRIED_BY_LEGACY, ids=lambda cls: cls.__name__)
def test_what_legacy_mode_does_not_retry_makes_one_attempt_there(
    pinpoint_otp: PinpointOTP, client: Any, mode: str, cls: type[Exception]
) -> None:
    pinpoint_otp.inject(cls)
    with pytest.raises(cls):
        send(client)
    (recorded,) = pinpoint_otp.calls
    assert [attempt.outcome for attempt in recorded.attempts] == [cls.__name__] * (1 if mode == "legacy" else 3)
    assert recorded.status_code is None


def test_every_transport_exception_of_botocore_can_be_injected_by_class(pinpoint_otp: PinpointOTP) -> None:
    known = {
        cls
        for cls in vars(exceptions).values()
        if isinstance(cls, type) and issubclass(cls, (exceptions.HTTPClientError, exceptions.ConnectionError))
    }
    assert known >= {*CLASSES, *NOT_RETRIED_BY_LEGACY}
    client = make_client()
    for cls in known:
        pinpoint_otp.inject(cls)
        with pytest.raises(cls) as raised:
            send(client)
        assert type(raised.value) is cls


@pytest.mark.parametrize("cls", [exceptions.ReadTimeoutError, exceptions.EndpointConnectionError])
@pytest.mark.parametrize("endpoint", [None, "http://localhost:4566/prefix"])
def test_an_exception_made_from_its_class_names_the_requests_own_url(
    pinpoint_otp: PinpointOTP, endpoint: str | None, cls: type[Exception]
) -> None:
    client = make_client(endpoint_url=endpoint)
    pinpoint_otp.inject(cls)
    with pytest.raises(cls) as raised:
        send(client)
    assert f"{endpoint or 'https://pinpoint.us-east-1.amazonaws.com'}/v1/apps/a1b2c3d4/otp" in str(raised.value)


def test_an_applications_own_transport_exception_comes_out_as_it_is(pinpoint_otp: PinpointOTP) -> None:
    class TunnelError(exceptions.ConnectionError):
        fmt = "Tunnel down: {endpoint_url} ({error})"

    pinpoint_otp.inject(TunnelError)
    with pytest.raises(TunnelError, match="Tunnel down"):
        send(make_client())
    assert pinpoint_otp.calls[0].outcome == "TunnelError"


def test_an_injected_instance_gathers_no_traceback_from_one_call_to_the_next(pinpoint_otp: PinpointOTP) -> None:
    instance = exceptions.ReadTimeoutError(endpoint_url=URL)
    pinpoint_otp.inject(instance, times=20)
    client = make_client("legacy")
    lengths = []
    for _ in range(20):
        with pytest.raises(exceptions.ReadTimeoutError) as raised:
            send(client)
        lengths.append(len(traceback.extract_tb(raised.value.__traceback__)))
        assert raised.value.__context__ is None
    assert len(set(lengths)) == 1


def test_a_failed_transport_issues_no_code_and_leaves_the_earlier_one(pinpoint_otp: PinpointOTP, client: Any) -> None:
    send(client)
    code = pinpoint_otp.code_for()
    pinpoint_otp.inject(exceptions.ConnectTimeoutError)
    with pytest.raises(exceptions.ConnectTimeoutError):
        send(client)
    assert len(pinpoint_otp.messages) == 1
    assert verify(client, code)


def test_a_failed_transport_uses_no_attempt_of_a_code(pinpoint_otp: PinpointOTP, client: Any) -> None:
    send(client, AllowedAttempts=1)
    pinpoint_otp.inject(exceptions.ConnectTimeoutError, operation="VerifyOTPMessage")
    with pytest.raises(exceptions.ConnectTimeoutError):
        verify(client, pinpoint_otp.wrong_code())
    assert pinpoint_otp.verifications == []
    assert verify(client, pinpoint_otp.code_for())


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_transport_fault_per_attempt_is_hidden_by_botocores_retry(
    pinpoint_otp: PinpointOTP, client: Any, cls: type[Exception], times: int
) -> None:
    pinpoint_otp.inject(cls, per="attempt", times=times)
    assert send_status(client) == "SUCCESSFUL"
    (recorded,) = pinpoint_otp.calls
    assert [attempt.outcome for attempt in recorded.attempts] == [*[cls.__name__] * times, "SUCCESSFUL"]
    assert recorded.outcome == "SUCCESSFUL"
    assert recorded.error_message is None
    assert len(pinpoint_otp.messages) == 1


def test_outcomes_of_every_kind_go_together_in_one_sequence(pinpoint_otp: PinpointOTP, client: Any) -> None:
    no_certificate = exceptions.SSLError(endpoint_url=URL, error="no")
    pinpoint_otp.inject(
        exceptions.ReadTimeoutError, "THROTTLED", no_certificate, "ForbiddenException", lambda call: "DUPLICATE"
    )
    with pytest.raises(exceptions.ReadTimeoutError):
        send(client)
    assert send_status(client) == "THROTTLED"
    with pytest.raises(exceptions.SSLError):
        send(client)
    with pytest.raises(client.exceptions.ForbiddenException):
        send(client)
    assert send_status(client) == "DUPLICATE"
    assert send_status(client) == "SUCCESSFUL"


def test_a_callable_may_fail_the_transport_by_attempt(pinpoint_otp: PinpointOTP, client: Any) -> None:
    def flaky(call: Call) -> object:
        return None if call.attempts else exceptions.EndpointConnectionError

    pinpoint_otp.inject(flaky, per="attempt")
    assert send_status(client) == "SUCCESSFUL"
    outcomes = [attempt.outcome for attempt in pinpoint_otp.calls[0].attempts]
    assert outcomes == ["EndpointConnectionError", "SUCCESSFUL"]


def test_a_standing_outage_lasts_until_it_is_cancelled(client: Any) -> None:
    with mock_pinpoint_otp() as fake:
        outage = fake.inject(exceptions.EndpointConnectionError, times=None)
        for _ in range(3):
            with pytest.raises(exceptions.EndpointConnectionError):
                send(client)
        outage.cancel()
        assert send_status(client) == "SUCCESSFUL"
    assert outage.used == 3


@pytest.mark.parametrize("given", [ValueError, OSError("reset"), KeyboardInterrupt, exceptions.ParamValidationError])
def test_what_is_no_transport_exception_is_refused_where_it_is_injected(
    pinpoint_otp: PinpointOTP, given: object
) -> None:
    with pytest.raises(TypeError, match="is not a transport exception of botocore"):
        pinpoint_otp.inject(given)
    assert send_status(make_client()) == "SUCCESSFUL"


def test_an_exception_class_that_cannot_be_built_asks_for_an_instance(pinpoint_otp: PinpointOTP) -> None:
    class TunnelError(exceptions.ConnectionError):
        fmt = "Tunnel {number} is down"

    with pytest.raises(TypeError, match=r"TunnelError cannot be built from its class alone .* inject an instance"):
        pinpoint_otp.inject(TunnelError)
    pinpoint_otp.inject(TunnelError(number=7))
    with pytest.raises(TunnelError, match="Tunnel 7 is down"):
        send(make_client())
