"""aiobotocore's clients: the same fake from the same fixture, on each HTTP backend and event loop."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

aiobotocore = pytest.importorskip("aiobotocore")
anyio = pytest.importorskip("anyio")

from aiobotocore.config import AioConfig  # noqa: E402 - after what may skip
from aiobotocore.session import get_session  # noqa: E402
from aiobotocore.utils import AioContainerMetadataFetcher  # noqa: E402
from botocore.exceptions import (  # noqa: E402
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    MetadataRetrievalError,
    ParamValidationError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from helpers import (  # noqa: E402
    APPLICATION,
    DESTINATION,
    OTHER_DESTINATION,
    REFERENCE,
    send_request,
    send_status,
    verify,
    verify_request,
)

from pytest_pinpoint_otp import (  # noqa: E402
    DeliveryStatus,
    LostResponse,
    PinpointOTP,
    RawResponse,
    active_pinpoint_otp,
    mock_pinpoint_otp,
)

TESTS = Path(__file__).parents[1]
VERSION = tuple(map(int, aiobotocore.__version__.split(".")[:2]))
MODES = ["legacy", "standard", "adaptive"]
ATTEMPTS = {"legacy": 5, "standard": 3, "adaptive": 3}
"""How often botocore tries at most, by retry mode."""
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}

SESSION = get_session()
"""One for all clients: it keeps the parsed service model."""

pytestmark = pytest.mark.anyio

Connect = Callable[..., Awaitable[Any]]


WAYS = ("aiohttp on asyncio", "httpx on asyncio", "httpx on trio")
"""Each HTTP backend, on each event loop that it runs on."""

# What all ways have in common: the ordinary run takes one of them.
any_way = pytest.mark.parametrize(
    "way", [WAYS[0], *(pytest.param(one, marks=pytest.mark.proof) for one in WAYS[1:])], indirect=True
)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A backend and a loop."""
    backend, _, loop = request.param.split()
    if backend == "httpx":
        pytest.importorskip("aiobotocore.httpxsession")
        if VERSION < (3, 9):
            pytest.importorskip("httpx")
    if loop == "trio":
        pytest.importorskip("trio")
        if VERSION < (3, 9):
            pytest.skip("aiobotocore runs on trio from 3.9 on")
    return backend, loop


@pytest.fixture
def anyio_backend(way: tuple[str, str]) -> str:
    """The event loop that anyio's plugin runs a test in."""
    return way[1]


@pytest.fixture(params=["standard"])
def mode(request: pytest.FixtureRequest) -> str:
    """The retry mode of botocore."""
    return request.param


@pytest.fixture
def config(way: tuple[str, str], mode: str) -> AioConfig:
    """The configuration of a client on that backend, in that mode."""
    return make_config(way[0], retries={"mode": mode})


@pytest.fixture
async def client(config: AioConfig) -> AsyncIterator[Any]:
    """A client, which is an async fixture itself."""
    async with make_client(config) as client:
        yield client


def make_config(backend: str, **options: Any) -> AioConfig:
    """Return a client's configuration for an HTTP backend."""
    if backend == "httpx":
        from aiobotocore.httpxsession import HttpxSession

        options["http_session_cls"] = HttpxSession
    return AioConfig(**options)


def make_client(config: AioConfig | None = None) -> Any:
    """Return the context manager of a client."""
    return SESSION.create_client("pinpoint", region_name="us-east-1", config=config, **KEYS)


async def async_send(client: Any, **overrides: Any) -> str:
    """Send an OTP and return its ``DeliveryStatus``."""
    response = await client.send_otp_message(**send_request(**overrides))
    (result,) = response["MessageResponse"]["Result"].values()
    return result["DeliveryStatus"]


async def async_verify(client: Any, code: str, **overrides: Any) -> bool:
    """Verify an OTP and return ``Valid``."""
    response = await client.verify_otp_message(**verify_request(code, **overrides))
    return response["VerificationResponse"]["Valid"]


async def together(*functions: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Run coroutine functions in tasks beside each other, and return what they return."""
    results: dict[int, Any] = {}

    async def keep(number: int) -> None:
        results[number] = await functions[number]()

    async with anyio.create_task_group() as group:
        for number in range(len(functions)):
            group.start_soon(keep, number)
    return [results[number] for number in range(len(functions))]


def without_ids(fake: PinpointOTP) -> list[Any]:
    """Return the records of calls and messages, without what differs from one run to the next."""
    calls = [
        call._replace(invocation_id="", at=None, attempts=tuple(attempt._replace(at=None) for attempt in call.attempts))
        for call in fake.calls
    ]
    messages = [message._replace(sent_at=None, expires_at=None) for message in fake.messages]
    return [calls, messages, [verification._replace(at=None) for verification in fake.verifications]]


# -- Calls and records -------------------------------------------------------------------------------------------------


async def test_an_async_client_sends_and_verifies(pinpoint_otp: PinpointOTP, client: Any) -> None:
    assert await async_send(client) == "SUCCESSFUL"
    assert not await async_verify(client, pinpoint_otp.wrong_code(DESTINATION))
    assert await async_verify(client, pinpoint_otp.code_for(DESTINATION))
    assert [call.outcome for call in pinpoint_otp.calls] == ["SUCCESSFUL", "INVALID", "VALID"]
    assert [one.reason for one in pinpoint_otp.verifications] == ["WRONG_CODE", "VALID"]


async def test_records_and_answers_are_exactly_as_for_boto3(config: AioConfig, mode: str) -> None:
    import boto3
    from botocore.config import Config

    def arrange(fake: PinpointOTP) -> None:
        fake.queue_codes("111111", "222222")
        fake.inject("THROTTLED", "InternalServerErrorException", ReadTimeoutError, RawResponse(502, "<html>"), after=1)
        fake.inject("TooManyRequestsException", operation="VerifyOTPMessage", per="attempt")
        fake.inject(LostResponse(), per="attempt", reference_id="log-in")

    requests: list[tuple[str, dict[str, Any]]] = [
        ("send_otp_message", send_request(Language="de-DE", CodeLength=6, EntityId="entity", TemplateId="template")),
        ("send_otp_message", send_request()),
        ("send_otp_message", send_request()),
        ("send_otp_message", send_request()),
        ("send_otp_message", send_request()),
        ("send_otp_message", send_request(CodeLength=4)),
        ("verify_otp_message", verify_request("111111")),
        ("send_otp_message", send_request(ApplicationId="a/ü b", ReferenceId="log-in")),
        ("verify_otp_message", verify_request("000000", ApplicationId="a/ü b", ReferenceId="log-in")),
    ]

    def result(answer: Any) -> Any:
        if isinstance(answer, (ClientError, HTTPClientError)):
            return type(answer).__name__, str(answer), getattr(answer, "response", None)
        return answer

    answers: list[list[Any]] = [[], []]
    with mock_pinpoint_otp() as expected:
        arrange(expected)
        sync_client = boto3.client("pinpoint", region_name="us-east-1", config=Config(retries={"mode": mode}), **KEYS)
        for method, request in requests:
            try:
                answers[0].append(result(getattr(sync_client, method)(**request)))
            except Exception as error:
                answers[0].append(result(error))
    with mock_pinpoint_otp() as fake:
        arrange(fake)
        async with make_client(config) as client:
            for method, request in requests:
                try:
                    answers[1].append(result(await getattr(client, method)(**request)))
                except Exception as error:
                    answers[1].append(result(error))
    assert answers[1] == answers[0]
    assert without_ids(fake) == without_ids(expected)


async def test_one_sync_and_one_async_client_share_one_fake(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, client: Any
) -> None:
    assert await async_send(client) == "SUCCESSFUL"
    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    assert await async_verify(client, pinpoint_otp.code_for(DESTINATION))
    assert [call.operation for call in pinpoint_otp.calls] == [*["SendOTPMessage", "VerifyOTPMessage"] * 2]
    pinpoint_otp.inject("THROTTLED", times=2)
    assert [await async_send(client), send_status(pinpoint_otp_client)] == ["THROTTLED", "THROTTLED"]


async def test_a_client_older_than_the_fake_reaches_one_fake_after_the_other(config: AioConfig) -> None:
    async with make_client(config) as client:
        for _ in range(2):
            with mock_pinpoint_otp() as fake:
                assert await async_send(client) == "SUCCESSFUL"
                assert await async_verify(client, fake.code_for(DESTINATION))


async def test_no_credentials_are_needed(
    pinpoint_otp: PinpointOTP, config: AioConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    session = get_session()
    async with session.create_client("pinpoint", region_name="us-east-1", config=config) as client:
        assert await async_send(client) == "SUCCESSFUL"


async def test_hundreds_of_calls_at_once_are_all_served(pinpoint_otp: PinpointOTP, client: Any) -> None:
    numbers = [f"+1555010{number:04}" for number in range(300)]

    async def sign_up(number: str) -> bool:
        assert await async_send(client, DestinationIdentity=number) == "SUCCESSFUL"
        return await async_verify(client, pinpoint_otp.code_for(number), DestinationIdentity=number)

    results = await together(*[lambda number=number: sign_up(number) for number in numbers])
    assert results == [True] * 300
    assert sorted(message.destination for message in pinpoint_otp.messages) == numbers
    assert len({message.message_id for message in pinpoint_otp.messages}) == 300
    assert Counter(call.outcome for call in pinpoint_otp.calls) == {"SUCCESSFUL": 300, "VALID": 300}
    assert all(len(call.attempts) == 1 for call in pinpoint_otp.calls)


# -- Errors and faults -------------------------------------------------------------------------------------------------


@any_way
@pytest.mark.parametrize("mode", MODES, indirect=True)
@pytest.mark.parametrize("operation", ["SendOTPMessage", "VerifyOTPMessage"])
@pytest.mark.parametrize(
    "name",
    [
        "BadRequestException",
        "ForbiddenException",
        "NotFoundException",
        "MethodNotAllowedException",
        "PayloadTooLargeException",
        "TooManyRequestsException",
        "InternalServerErrorException",
    ],
)
async def test_every_modelled_error_is_raised_as_such(
    pinpoint_otp: PinpointOTP, client: Any, mode: str, operation: str, name: str
) -> None:
    pinpoint_otp.inject(name, operation=operation)
    with pytest.raises(getattr(client.exceptions, name)) as raised:
        await (async_send(client) if operation == "SendOTPMessage" else async_verify(client, "012345"))
    (call,) = pinpoint_otp.calls
    retried = name in ("TooManyRequestsException", "InternalServerErrorException")
    assert [attempt.outcome for attempt in call.attempts] == [name] * (ATTEMPTS[mode] if retried else 1)
    assert raised.value.response["ResponseMetadata"]["RequestId"] == call.request_id


@any_way
@pytest.mark.parametrize("mode", MODES, indirect=True)
@pytest.mark.parametrize(
    "exception",
    [
        ReadTimeoutError,
        ConnectTimeoutError,
        EndpointConnectionError,
        ConnectionClosedError,
        ProxyConnectionError,
        SSLError,
        HTTPClientError,
    ],
    ids=lambda exception: exception.__name__,
)
async def test_every_transport_exception_comes_out_with_its_type(
    pinpoint_otp: PinpointOTP, client: Any, exception: type[Exception]
) -> None:
    pinpoint_otp.inject(exception)
    with pytest.raises(exception) as raised:
        await async_send(client)
    assert type(raised.value) is exception
    (call,) = pinpoint_otp.calls
    assert {attempt.outcome for attempt in call.attempts} == {exception.__name__}
    assert await async_send(client) == "SUCCESSFUL"


@any_way
@pytest.mark.parametrize("status", [status for status in DeliveryStatus if status != "SUCCESSFUL"])
async def test_every_failed_delivery_is_an_answer(pinpoint_otp: PinpointOTP, client: Any, status: str) -> None:
    pinpoint_otp.inject(status)
    assert await async_send(client) == status
    pinpoint_otp.assert_not_sent()


async def test_a_refused_request_says_why(pinpoint_otp: PinpointOTP, client: Any) -> None:
    with pytest.raises(client.exceptions.BadRequestException, match="CodeLength"):
        await async_send(client, CodeLength=4)


async def test_a_call_that_botocore_stops_is_told_of(pinpoint_otp: PinpointOTP, client: Any) -> None:
    with pytest.raises(ParamValidationError):
        await async_send(client, Language=None)
    with pytest.raises(LookupError, match=r"Never left botocore:\n  SendOTPMessage: .*Language"):
        pinpoint_otp.code_for(DESTINATION)


@pytest.mark.parametrize("mode", MODES, indirect=True)
async def test_another_operation_is_refused_at_once_and_leaves_no_record(
    pinpoint_otp: PinpointOTP, client: Any
) -> None:
    with pytest.raises(ClientError, match=r"GetApps is not faked.*SendOTPMessage, VerifyOTPMessage"):
        await client.get_apps()
    with pytest.raises(ClientError, match="PhoneNumberValidate is not faked"):
        await client.phone_number_validate(NumberValidateRequest={"PhoneNumber": DESTINATION})
    assert pinpoint_otp.calls == []


@pytest.mark.parametrize("mode", MODES, indirect=True)
async def test_a_lost_answer_makes_a_second_text_and_only_the_second_code_works(
    pinpoint_otp: PinpointOTP, client: Any
) -> None:
    pinpoint_otp.queue_codes("111111", "222222")
    pinpoint_otp.inject(LostResponse(), per="attempt")
    pinpoint_otp.inject(LostResponse(ConnectionClosedError), per="attempt", operation="VerifyOTPMessage", after=1)
    assert await async_send(client) == "SUCCESSFUL"
    assert not await async_verify(client, "111111")
    assert not await async_verify(client, "222222")
    assert [one.reason for one in pinpoint_otp.verifications] == ["SUPERSEDED", "VALID", "ALREADY_VERIFIED"]
    assert [[attempt.outcome for attempt in call.attempts] for call in pinpoint_otp.calls] == [
        ["ReadTimeoutError", "SUCCESSFUL"],
        ["INVALID"],
        ["ConnectionClosedError", "INVALID"],
    ]


@pytest.mark.parametrize("mode", MODES, indirect=True)
async def test_a_call_whose_every_answer_is_lost_sends_a_text_for_each_attempt(
    pinpoint_otp: PinpointOTP, client: Any, mode: str
) -> None:
    pinpoint_otp.inject(LostResponse())
    with pytest.raises(ReadTimeoutError):
        await async_send(client)
    assert len(pinpoint_otp.messages) == ATTEMPTS[mode]
    assert await async_verify(client, pinpoint_otp.code_for(DESTINATION))


@pytest.mark.parametrize("mode", MODES, indirect=True)
async def test_a_raw_answer_reaches_the_application_as_botocore_reads_it(
    pinpoint_otp: PinpointOTP, client: Any, mode: str
) -> None:
    page = RawResponse(502, "<html>Bad Gateway</html>", {"Content-Type": "text/html"})
    pinpoint_otp.inject(page, RawResponse(200), RawResponse(200, b'{"ApplicationId": "a1'), RawResponse(200, b"\xff"))
    with pytest.raises(ClientError) as raised:
        await async_send(client)
    assert raised.value.response["Error"]["Code"] == "502"
    assert raised.value.response["ResponseMetadata"]["HTTPHeaders"] == {"content-type": "text/html"}
    for _ in range(2):
        assert (await client.send_otp_message(**send_request()))["MessageResponse"] == {}
    with pytest.raises(UnicodeDecodeError):
        await async_send(client)
    pinpoint_otp.inject(page, per="attempt")
    assert await async_send(client) == "SUCCESSFUL"
    assert [[attempt.status_code for attempt in call.attempts] for call in pinpoint_otp.calls] == [
        [502] * ATTEMPTS[mode],
        [200],
        [200],
        [200],
        [502, 200],
    ]


async def test_a_quota_holds_for_async_clients(pinpoint_otp: PinpointOTP, client: Any) -> None:
    pinpoint_otp.limit_rate(2, per=timedelta(hours=1))
    statuses = await together(*[lambda: async_send(client)] * 5)
    assert Counter(statuses) == {"SUCCESSFUL": 2, "THROTTLED": 3}


# -- Retries -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_waits(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a timer of the event loop, and so every sleep, fail."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError(f"a retry waits: {args}")

    if anyio_backend == "trio":
        monkeypatch.setattr("trio._timeouts.sleep_until", refuse)
        # What adaptive mode's token bucket waits with.
        monkeypatch.setattr(anyio, "move_on_after", refuse)
    else:
        for name in ("call_later", "call_at"):
            monkeypatch.setattr(asyncio.BaseEventLoop, name, refuse)


@pytest.mark.usefixtures("no_waits")
async def test_a_sleep_would_be_noticed() -> None:
    await anyio.sleep(0)
    with pytest.raises(AssertionError, match="a retry waits"):
        await anyio.sleep(0.001)


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize("mode", MODES, indirect=True)
async def test_no_retry_sleeps_and_the_quota_never_runs_dry(pinpoint_otp: PinpointOTP, client: Any, mode: str) -> None:
    # Standard mode's quota otherwise is dry after 17 failed calls, or 50 throttled ones.
    pinpoint_otp.inject("InternalServerErrorException", ReadTimeoutError, "TooManyRequestsException", times=20)
    for _ in range(60):
        with pytest.raises((ClientError, ReadTimeoutError)):
            await async_send(client)
    assert [len(call.attempts) for call in pinpoint_otp.calls] == [ATTEMPTS[mode]] * 60
    assert await async_send(client) == "SUCCESSFUL"


@pytest.mark.usefixtures("no_waits")
@pytest.mark.pinpoint_otp(retry_backoff=True)
@pytest.mark.parametrize("mode", MODES, indirect=True)
async def test_retries_sleep_where_that_is_wanted(pinpoint_otp: PinpointOTP, client: Any) -> None:
    pinpoint_otp.inject(ReadTimeoutError)
    with pytest.raises(AssertionError, match="a retry waits"):
        await async_send(client)


# -- Concurrency -------------------------------------------------------------------------------------------------------


async def test_exactly_as_many_wrong_verifications_count_as_are_allowed(pinpoint_otp: PinpointOTP, client: Any) -> None:
    pinpoint_otp.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE, allowed_attempts=5)
    wrong = pinpoint_otp.wrong_code()
    assert await together(*[lambda: async_verify(client, wrong)] * 32) == [False] * 32
    reasons = [one.reason for one in pinpoint_otp.verifications]
    assert reasons == ["WRONG_CODE"] * 5 + ["ATTEMPTS_EXHAUSTED"] * 27


async def test_a_right_code_that_is_raced_for_is_accepted_exactly_once(pinpoint_otp: PinpointOTP, client: Any) -> None:
    code = pinpoint_otp.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE).code
    assert (await together(*[lambda: async_verify(client, code)] * 32)).count(True) == 1


async def test_an_injection_is_used_exactly_as_often_as_it_says(pinpoint_otp: PinpointOTP, client: Any) -> None:
    injection = pinpoint_otp.inject("THROTTLED", times=50)
    statuses = await together(*[lambda: async_send(client)] * 80)
    assert Counter(statuses) == {"THROTTLED": 50, "SUCCESSFUL": 30}
    assert (injection.used, injection.remaining) == (50, 0)


async def test_a_text_that_another_task_sends_ends_a_wait(pinpoint_otp: PinpointOTP, client: Any) -> None:
    async def work() -> None:
        for number in range(5):
            await async_send(client, ReferenceId=f"step-{number}")

    message, _ = await together(lambda: pinpoint_otp.async_wait_for_message(reference_id="step-4", timeout=60), work)
    assert message is pinpoint_otp.messages[4]


async def test_overlapping_tasks_that_each_enter_a_fake_leave_nothing_behind(config: AioConfig) -> None:
    from botocore.endpoint import Endpoint

    before = Endpoint.make_request
    served = []
    async with make_client(config) as client:

        async def work(turns: int) -> None:
            with mock_pinpoint_otp() as fake:
                for _ in range(turns):
                    assert await async_send(client) == "SUCCESSFUL"
                served.append(fake)

        await together(*[lambda turns=turns: work(turns) for turns in (3, 1, 5, 2, 4)])
    assert sum(len(fake.messages) for fake in served) == 15
    assert Endpoint.make_request is before
    with pytest.raises(RuntimeError):
        active_pinpoint_otp()


# -- Decorators and fixtures -------------------------------------------------------------------------------------------


@mock_pinpoint_otp(code_length=8)
async def test_a_decorated_coroutine_function_has_a_fake(config: AioConfig) -> None:
    async with make_client(config) as client:
        assert await async_send(client) == "SUCCESSFUL"
    assert len(active_pinpoint_otp().code_for(DESTINATION)) == 8


@pytest.fixture
async def signed_up(client: Any) -> str:
    """A user who was sent a code, by the application's own client."""
    assert await async_send(client, DestinationIdentity=OTHER_DESTINATION) == "SUCCESSFUL"
    return OTHER_DESTINATION


async def test_an_async_fixture_finds_the_fake_active_though_it_comes_first(
    signed_up: str, pinpoint_otp: PinpointOTP
) -> None:
    pinpoint_otp.assert_sent(signed_up, times=1)


@pytest.mark.pinpoint_otp(code_length=5)
async def test_an_async_fixture_of_a_marked_test_finds_the_fake_active(signed_up: str) -> None:
    assert len(active_pinpoint_otp().code_for(signed_up)) == 5


@pytest.fixture
async def client_at_the_end(config: AioConfig) -> AsyncIterator[None]:
    """A fixture that makes its call when the test is over."""
    async with make_client(config) as client:
        yield
        assert await async_send(client) == "SUCCESSFUL"
        active_pinpoint_otp().assert_sent(DESTINATION, times=1)


@pytest.mark.usefixtures("client_at_the_end")
async def test_the_fake_is_active_until_async_fixtures_have_ended(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.assert_not_called()


# -- What it does not need ---------------------------------------------------------------------------------------------


def run_python(program: str) -> None:
    """Run a program in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_nothing_async_is_imported_unless_the_test_did_it() -> None:
    run_python(
        """
        import sys
        import boto3
        import pytest_pinpoint_otp.plugin
        from pytest_pinpoint_otp import LostResponse, mock_pinpoint_otp
        with mock_pinpoint_otp() as fake:
            client = boto3.client("pinpoint", region_name="us-east-1")
            fake.inject(LostResponse(), per="attempt")
            client.send_otp_message(
                ApplicationId="a1b2c3d4",
                SendOTPMessageRequestParameters={
                    "BrandName": "Example", "Channel": "SMS", "DestinationIdentity": "+15550100123",
                    "OriginationIdentity": "+15550100999", "ReferenceId": "sign-up",
                },
            )
            fake.wait_for_message("+15550100123", timeout=0)
        found = {"aiobotocore", "aiohttp", "httpx", "httpx2", "anyio", "trio"} & set(sys.modules)
        assert not found, found
        """
    )


def test_legacy_retries_of_a_client_imported_after_the_fake_was_entered_do_not_sleep() -> None:
    run_python(
        """
        import asyncio
        from pytest_pinpoint_otp import mock_pinpoint_otp
        with mock_pinpoint_otp() as fake:
            from aiobotocore.config import AioConfig
            from aiobotocore.session import get_session

            def refuse(*args, **kwargs):
                raise AssertionError("a retry waits")

            async def main():
                config = AioConfig(retries={"mode": "legacy"})
                async with get_session().create_client("pinpoint", region_name="us-east-1", config=config) as client:
                    asyncio.BaseEventLoop.call_later = asyncio.BaseEventLoop.call_at = refuse
                    fake.inject("InternalServerErrorException", per="attempt", times=4)
                    await client.send_otp_message(
                        ApplicationId="a1b2c3d4",
                        SendOTPMessageRequestParameters={
                            "BrandName": "Example", "Channel": "SMS", "DestinationIdentity": "+15550100123",
                            "OriginationIdentity": "+15550100999", "ReferenceId": "sign-up",
                        },
                    )

            asyncio.run(main())
        assert len(fake.calls[0].attempts) == 5
        """
    )


# -- pytest-asyncio ----------------------------------------------------------------------------------------------------

APPLICATION_FILE = """
import helpers
from aiobotocore.session import get_session

def connect():
    return get_session().create_client("pinpoint", region_name="us-east-1")

async def send(client, **parameters):
    return await client.send_otp_message(**helpers.send_request(**parameters))
"""

SUITE = """
import application
import pytest
import pytest_asyncio
from pytest_pinpoint_otp import LostResponse, active_pinpoint_otp, mock_pinpoint_otp

@pytest_asyncio.fixture
async def client():
    async with application.connect() as client:
        yield client

@pytest_asyncio.fixture
async def sent(client):
    await application.send(client)

@pytest.mark.asyncio
async def test_a_fixture_before_the_fake(sent, pinpoint_otp):
    pinpoint_otp.assert_sent("+15550100123", times=1)

@pytest.mark.asyncio
@pytest.mark.pinpoint_otp(code_length=8)
async def test_a_marked_test(sent):
    assert len(active_pinpoint_otp().code_for()) == 8

@pytest.mark.asyncio
@mock_pinpoint_otp()
async def test_a_decorated_test():
    async with application.connect() as client:
        await application.send(client)
    active_pinpoint_otp().assert_sent()

@pytest.mark.asyncio
async def test_a_fault_and_a_wait(client, pinpoint_otp):
    pinpoint_otp.inject(LostResponse(), per="attempt")
    await application.send(client)
    assert await pinpoint_otp.async_wait_for_message() is pinpoint_otp.messages[1]

@pytest.mark.asyncio
async def test_unused(client, pinpoint_otp):
    pinpoint_otp.inject("THROTTLED")

@pytest.mark.asyncio
async def test_failing(client, pinpoint_otp):
    await application.send(client)
    assert False
"""


@pytest.mark.parametrize("asyncio_mode", ["auto", pytest.param("strict", marks=pytest.mark.proof)])
def test_a_suite_on_pytest_asyncio_uses_the_same_fixture(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, asyncio_mode: str
) -> None:
    pytest.importorskip("pytest_asyncio")
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    pytester.makepyfile(application=APPLICATION_FILE, test_sign_up=SUITE)
    pytester.makeini(f"[pytest]\nasyncio_mode = {asyncio_mode}\nasyncio_default_fixture_loop_scope = function\n")
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-W", "error")
    result.assert_outcomes(passed=5, errors=1, failed=1)
    result.stdout.fnmatch_lines(["*test_unused*", "The test arranged something that no call used:"])
    result.stdout.fnmatch_lines(["*Pinpoint OTP traffic*", "*SendOTPMessage*SUCCESSFUL*"])


@pytest.mark.anyio
async def test_a_container_is_never_asked_for_credentials_while_a_fake_is_active_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []

    async def ask(fetcher: object, *args: object, **kwargs: object) -> None:
        asked.append(fetcher)
        raise MetadataRetrievalError(error_msg="asked")

    monkeypatch.setattr(AioContainerMetadataFetcher, "retrieve_full_uri", ask)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/credentials")
    session = get_session()
    with mock_pinpoint_otp() as fake:
        async with session.create_client("pinpoint", region_name="us-east-1") as client:
            assert await async_send(client) == "SUCCESSFUL"
        assert len(fake.messages) == 1
        assert asked == []
        with pytest.raises(CredentialRetrievalError):
            await session.create_client("s3", region_name="us-east-1").__aenter__()
        assert len(asked) == 1
        async with session.create_client("pinpoint", region_name="us-east-1"):
            pass
        with pytest.raises(CredentialRetrievalError):
            await get_session().get_credentials()
        assert len(asked) == 2
    with pytest.raises(CredentialRetrievalError):
        await session.create_client("pinpoint", region_name="us-east-1").__aenter__()
    assert len(asked) == 3
