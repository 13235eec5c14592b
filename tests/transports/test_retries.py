"""botocore's retries of faked calls: as many attempts as ever, no wait, no quota used up, no client slowed down."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.retryhandler import RetryHandler
from freezegun import freeze_time
from helpers import send, send_status, verify

from pytest_pinpoint_otp import PinpointOTP, mock_pinpoint_otp

SESSION = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")
MODES = ["legacy", "standard", "adaptive"]
ATTEMPTS = {"legacy": 5, "standard": 3, "adaptive": 3}
EXHAUSTING = ["InternalServerErrorException", "TooManyRequestsException", ReadTimeoutError]
QUOTA_RUNS_DRY_AFTER = 60
"""More calls than standard mode's quota has room for: 17 that fail, or 50 that are throttled."""


class SlowedDownError(Exception):
    """Adaptive mode makes a call wait for its turn."""


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record every wait of botocore's in place of making it."""
    recorded: list[float] = []

    def record(seconds: float) -> None:
        if seconds:
            recorded.append(seconds)

    def wait(condition: Any, timeout: float | None = None) -> bool:
        # What adaptive mode's token bucket waits on.
        recorded.append(timeout or 0)
        raise SlowedDownError

    monkeypatch.setattr(time, "sleep", record)
    monkeypatch.setattr(threading.Condition, "wait", wait)
    return recorded


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def client(mode: str) -> Any:
    return make_client(mode)


def make_client(mode: str, service: str = "pinpoint", **retries: Any) -> Any:
    return SESSION.client(service, config=Config(retries={"mode": mode, **retries}))


def answer_with(client: Any, status_code: int, error: str) -> Callable[[], None]:
    """Let a client be answered with an error by no fake of ours, and return what ends this."""

    class Raw:
        def stream(self) -> Iterator[bytes]:
            yield b'{"__type": "%s"}' % error.encode()

    def answer(**kwargs: Any) -> AWSResponse:
        return AWSResponse("https://answered.example/", status_code, {"x-amzn-errortype": error}, Raw())

    client.meta.events.register("before-send", answer)
    return lambda: client.meta.events.unregister("before-send", answer)


def is_slowed_down(call: Callable[[], object]) -> bool:
    """Tell whether the client waits before one of the next calls."""
    try:
        for _ in range(50):
            with contextlib.suppress(ClientError):
                call()
    except SlowedDownError:
        return True
    return False


@pytest.mark.parametrize("outcome", EXHAUSTING)
@pytest.mark.parametrize("operation", ["SendOTPMessage", "VerifyOTPMessage"])
def test_an_exhausted_call_makes_every_attempt_and_never_waits(
    pinpoint_otp: PinpointOTP, client: Any, mode: str, operation: str, outcome: Any, waits: list[float]
) -> None:
    pinpoint_otp.inject(outcome, operation=operation)
    with pytest.raises((ClientError, ReadTimeoutError)):
        send(client) if operation == "SendOTPMessage" else verify(client, "000000")
    (call,) = pinpoint_otp.calls
    assert [attempt.number for attempt in call.attempts] == list(range(1, ATTEMPTS[mode] + 1))
    assert waits == []


@pytest.mark.parametrize("outcome", EXHAUSTING)
def test_many_exhausted_calls_never_run_the_retry_quota_dry(
    pinpoint_otp: PinpointOTP, client: Any, mode: str, outcome: Any, waits: list[float]
) -> None:
    injection = pinpoint_otp.inject(outcome, times=QUOTA_RUNS_DRY_AFTER)
    for _ in range(QUOTA_RUNS_DRY_AFTER):
        with pytest.raises((ClientError, ReadTimeoutError)):
            send(client)
    assert {len(call.attempts) for call in pinpoint_otp.calls} == {ATTEMPTS[mode]}
    assert injection.remaining == 0
    assert waits == []


def test_faked_failures_leave_the_quota_to_real_calls(mode: str, waits: list[float]) -> None:
    client = make_client(mode)
    with mock_pinpoint_otp() as fake:
        fake.inject("InternalServerErrorException", times=QUOTA_RUNS_DRY_AFTER)
        for _ in range(QUOTA_RUNS_DRY_AFTER):
            with pytest.raises(ClientError):
                send(client)
    assert waits == []
    answer_with(client, 500, "InternalServerErrorException")
    with pytest.raises(ClientError) as raised:
        send(client)
    assert raised.value.response["ResponseMetadata"]["RetryAttempts"] == ATTEMPTS[mode] - 1
    assert len(waits) == ATTEMPTS[mode] - 1


def test_a_quota_that_real_calls_have_used_up_does_not_cut_the_retries_of_faked_calls() -> None:
    client = make_client("standard")
    stop = answer_with(client, 500, "InternalServerErrorException")
    for _ in range(QUOTA_RUNS_DRY_AFTER):
        with pytest.raises(ClientError) as raised:
            send(client)
    assert raised.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    stop()
    with mock_pinpoint_otp() as fake:
        fake.inject("InternalServerErrorException")
        with pytest.raises(ClientError):
            send(client)
        assert len(fake.calls[0].attempts) == 3


@pytest.mark.parametrize("status", ["TooManyRequestsException", "THROTTLED"])
def test_faked_throttling_never_slows_an_adaptive_client_down(
    pinpoint_otp: PinpointOTP, status: str, waits: list[float]
) -> None:
    client = make_client("adaptive")
    pinpoint_otp.inject(status, times=10)
    for _ in range(10):
        try:
            assert send_status(client) == "THROTTLED"
        except client.exceptions.TooManyRequestsException:
            assert status == "TooManyRequestsException"
    assert not is_slowed_down(lambda: send(client))
    assert waits == []


def test_an_adaptive_client_that_real_calls_have_throttled_still_waits(waits: list[float]) -> None:
    client = make_client("adaptive", total_max_attempts=1)
    stop = answer_with(client, 429, "TooManyRequestsException")
    with pytest.raises(client.exceptions.TooManyRequestsException):
        send(client)
    stop()
    with mock_pinpoint_otp():
        assert is_slowed_down(lambda: send(client))
    assert len(waits) == 1
    assert waits[0] > 0


def test_retry_backoff_lets_botocore_wait(client: Any, mode: str, waits: list[float]) -> None:
    with mock_pinpoint_otp(retry_backoff=True) as fake:
        fake.inject("InternalServerErrorException")
        with pytest.raises(ClientError):
            send(client)
        assert len(fake.calls[0].attempts) == ATTEMPTS[mode]
    assert len(waits) == ATTEMPTS[mode] - 1
    assert all(wait > 0 for wait in waits)


@pytest.mark.parametrize("mode", ["standard", "adaptive"])
def test_retry_backoff_lets_the_quota_run_dry(client: Any) -> None:
    with mock_pinpoint_otp(retry_backoff=True) as fake:
        fake.inject("InternalServerErrorException", times=QUOTA_RUNS_DRY_AFTER)
        for _ in range(QUOTA_RUNS_DRY_AFTER):
            with pytest.raises(ClientError):
                send(client)
        assert len(fake.calls[0].attempts) == 3
        assert len(fake.calls[-1].attempts) == 1


def test_retry_backoff_lets_throttling_slow_an_adaptive_client_down() -> None:
    client = make_client("adaptive", total_max_attempts=1)
    with mock_pinpoint_otp(retry_backoff=True) as fake:
        fake.inject("TooManyRequestsException")
        with pytest.raises(client.exceptions.TooManyRequestsException):
            send(client)
        assert is_slowed_down(lambda: send(client))


def test_the_innermost_fake_decides_about_back_off(client: Any, mode: str, waits: list[float]) -> None:
    with mock_pinpoint_otp(retry_backoff=True) as outer:
        with mock_pinpoint_otp() as inner:
            inner.inject("InternalServerErrorException")
            with pytest.raises(ClientError):
                send(client)
        assert waits == []
        outer.inject("InternalServerErrorException")
        with pytest.raises(ClientError):
            send(client)
        assert len(waits) == ATTEMPTS[mode] - 1


@pytest.mark.parametrize("total", [1, 2, 7])
def test_the_clients_own_number_of_attempts_holds(pinpoint_otp: PinpointOTP, mode: str, total: int) -> None:
    client = make_client(mode, total_max_attempts=total)
    pinpoint_otp.inject("InternalServerErrorException")
    with pytest.raises(ClientError) as raised:
        send(client)
    assert len(pinpoint_otp.calls[0].attempts) == total
    assert raised.value.response["ResponseMetadata"]["RetryAttempts"] == total - 1


@pytest.mark.parametrize(
    "name",
    [
        "BadRequestException",
        "ForbiddenException",
        "NotFoundException",
        "MethodNotAllowedException",
        "PayloadTooLargeException",
    ],
)
def test_what_botocore_does_not_retry_makes_one_attempt(pinpoint_otp: PinpointOTP, client: Any, name: str) -> None:
    pinpoint_otp.inject(name)
    with pytest.raises(client.exceptions.from_code(name)):
        send(client)
    assert len(pinpoint_otp.calls[0].attempts) == 1


def test_a_failed_delivery_is_not_retried(pinpoint_otp: PinpointOTP, client: Any) -> None:
    pinpoint_otp.inject("TEMPORARY_FAILURE")
    assert send_status(client) == "TEMPORARY_FAILURE"
    assert len(pinpoint_otp.calls[0].attempts) == 1


def test_a_fault_per_attempt_is_hidden_by_botocores_retry(
    pinpoint_otp: PinpointOTP, client: Any, waits: list[float]
) -> None:
    pinpoint_otp.inject("InternalServerErrorException", ReadTimeoutError, per="attempt")
    assert send_status(client) == "SUCCESSFUL"
    (call,) = pinpoint_otp.calls
    outcomes = ["InternalServerErrorException", "ReadTimeoutError", "SUCCESSFUL"]
    assert [attempt.outcome for attempt in call.attempts] == outcomes
    assert [attempt.status_code for attempt in call.attempts] == [500, None, 200]
    assert len(pinpoint_otp.messages) == 1
    assert waits == []


def test_more_faults_per_attempt_than_attempts_reach_the_application(
    pinpoint_otp: PinpointOTP, client: Any, mode: str
) -> None:
    injection = pinpoint_otp.inject("InternalServerErrorException", per="attempt", times=ATTEMPTS[mode] + 1)
    with pytest.raises(client.exceptions.InternalServerErrorException):
        send(client)
    assert injection.remaining == 1
    assert send_status(client) == "SUCCESSFUL"
    assert [len(call.attempts) for call in pinpoint_otp.calls] == [ATTEMPTS[mode], 2]


def test_all_attempts_of_a_call_share_its_invocation_id(pinpoint_otp: PinpointOTP, client: Any) -> None:
    ids: list[bytes] = []
    client.meta.events.register(
        "before-send", lambda request, **kwargs: ids.append(request.headers["amz-sdk-invocation-id"])
    )
    pinpoint_otp.inject("InternalServerErrorException", per="attempt")
    send(client)
    send(client)
    first, second = pinpoint_otp.calls
    assert [id_.decode() for id_ in ids] == [first.invocation_id, first.invocation_id, second.invocation_id]


def test_calls_are_told_apart_where_a_test_has_patched_uuid4(
    pinpoint_otp: PinpointOTP, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=1))
    pinpoint_otp.inject("THROTTLED")
    assert [send_status(client), send_status(client)] == ["THROTTLED", "SUCCESSFUL"]
    pinpoint_otp.inject("InternalServerErrorException", per="attempt")
    assert send_status(client) == "SUCCESSFUL"
    assert [len(call.attempts) for call in pinpoint_otp.calls] == [1, 1, 2]
    assert len({call.invocation_id for call in pinpoint_otp.calls}) == 3


def test_retries_need_no_running_clock(client: Any, mode: str, waits: list[float]) -> None:
    with freeze_time("2030-01-01 12:00:00"), mock_pinpoint_otp() as fake:
        fake.inject("TooManyRequestsException", times=QUOTA_RUNS_DRY_AFTER)
        for _ in range(QUOTA_RUNS_DRY_AFTER):
            with pytest.raises(client.exceptions.TooManyRequestsException):
                send(client)
        assert {len(call.attempts) for call in fake.calls} == {ATTEMPTS[mode]}
        assert verify(client, "000000") is False
    assert waits == []


def test_sleep_itself_is_left_alone(pinpoint_otp: PinpointOTP, client: Any, waits: list[float]) -> None:
    sleep = time.sleep
    pinpoint_otp.inject("InternalServerErrorException")
    with pytest.raises(ClientError):
        send(client)
    assert time.sleep is sleep
    time.sleep(3)
    assert waits == [3]


def test_the_back_off_of_another_service_stays_real(pinpoint_otp: PinpointOTP, mode: str, waits: list[float]) -> None:
    tables = make_client(mode, "dynamodb", total_max_attempts=3)
    answer_with(tables, 500, "InternalServerError")
    texts = make_client(mode)
    pinpoint_otp.inject("InternalServerErrorException")
    with pytest.raises(texts.exceptions.InternalServerErrorException):
        send(texts)
    assert waits == []
    with pytest.raises(ClientError) as raised:
        tables.list_tables()
    assert raised.value.response["ResponseMetadata"]["RetryAttempts"] == 2
    assert len(waits) == 2
    assert all(wait > 0 for wait in waits)


def test_the_quota_of_another_service_stays_real(pinpoint_otp: PinpointOTP) -> None:
    tables = make_client("standard", "dynamodb")
    answer_with(tables, 500, "InternalServerError")
    retries = []
    for _ in range(QUOTA_RUNS_DRY_AFTER):
        with pytest.raises(ClientError) as raised:
            tables.list_tables()
        retries.append(raised.value.response["ResponseMetadata"]["RetryAttempts"])
    assert retries[0] > 0
    assert retries[-1] == 0


def test_another_services_throttling_slows_its_adaptive_client_down(pinpoint_otp: PinpointOTP) -> None:
    tables = make_client("adaptive", "dynamodb", total_max_attempts=1)
    answer_with(tables, 400, "ThrottlingException")
    with pytest.raises(ClientError, match="ThrottlingException"):
        tables.list_tables()
    assert is_slowed_down(tables.list_tables)


def test_a_retry_handler_that_an_application_makes_for_itself_works_as_ever(pinpoint_otp: PinpointOTP) -> None:
    handler = RetryHandler(checker=lambda **kwargs: True, action=lambda attempts: 2 * attempts)
    assert handler(attempts=1, response=None, caught_exception=None) == 2


def test_a_faked_call_does_not_wait_where_an_application_calls_the_retry_handler(
    pinpoint_otp: PinpointOTP, waits: list[float]
) -> None:
    client = make_client("legacy", total_max_attempts=1)
    retry = RetryHandler(checker=lambda attempt_number, **kwargs: attempt_number < 3, action=lambda attempts: 7)

    def call_it(attempts: int, response: Any, caught_exception: Any, request_dict: Any, **kwargs: Any) -> Any:
        # Without the operation, which botocore gives as well.
        return retry(attempts, response, caught_exception, request_dict=request_dict)

    client.meta.events.register_first("needs-retry.pinpoint.SendOTPMessage", call_it)
    pinpoint_otp.inject("InternalServerErrorException")
    with pytest.raises(ClientError):
        send(client)
    assert len(pinpoint_otp.calls[0].attempts) == 3
    assert waits == []


def test_after_the_fake_back_off_is_real_again(client: Any, mode: str, waits: list[float]) -> None:
    with mock_pinpoint_otp():
        send(client)
    answer_with(client, 500, "InternalServerErrorException")
    with pytest.raises(ClientError):
        send(client)
    assert len(waits) == ATTEMPTS[mode] - 1
