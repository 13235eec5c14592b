"""No attempt of a faked call of aiobotocore's clients leaves the process, on each HTTP backend and event loop."""

from __future__ import annotations

import contextlib
import unittest.mock
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("aiobotocore")
pytest.importorskip("anyio")

from aiobotocore.config import AioConfig
from aiobotocore.endpoint import AioEndpoint
from aiobotocore.session import get_session
from helpers import DESTINATION, send_request
from sink import KEYS, Sink, open_sink, run_program

from pytest_pinpoint_otp import LostResponse, UnfakedCallError, mock_pinpoint_otp
from pytest_pinpoint_otp.transports.botocore.guard import UnfakedCall, let_through, take, turn_on
from pytest_pinpoint_otp.transports.botocore.patches import hold

pytestmark = [
    pytest.mark.anyio,
    # Older versions of botocore sign with it.
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
]

METHODS = ("make_request", "_send_request", "create_request", "_send")
OWN_METHODS = ("_send_request", "create_request", "_send")
"""Those that AioEndpoint does not inherit."""
SESSION = get_session()
"""One for all clients: each session reads botocore's data anew."""


@pytest.fixture
def sink() -> Iterator[Sink]:
    """What stands for AWS."""
    with open_sink() as sink:
        yield sink


@pytest.fixture
def anyio_backend() -> str:
    """The event loop."""
    return "asyncio"


@pytest.fixture(params=["legacy", "standard", "adaptive"])
def config(request: pytest.FixtureRequest) -> AioConfig:
    """The configuration of a client in each retry mode."""
    return AioConfig(retries={"mode": request.param})


def connect(sink: Sink, config: AioConfig | None = None, service: str = "pinpoint") -> Any:
    """Return the context manager of a client that would reach the sink, with keys that look real."""
    return SESSION.create_client(service, region_name="us-east-1", endpoint_url=sink.url, config=config, **KEYS)


def leaving(mock: mock_pinpoint_otp, then: Callable[[], object] = lambda: None) -> Callable[[object], LostResponse]:
    """Return a callable for `inject` that leaves the fake during the call, and loses the answer."""

    def lose(call: object) -> LostResponse:
        mock.stop()
        then()
        return LostResponse()

    return lose


async def test_an_attempt_after_the_last_fake_has_left_raises_instead_of_leaving(sink: Sink, config: AioConfig) -> None:
    async with connect(sink, config) as client:
        mock = mock_pinpoint_otp(assert_all_used=False)
        mock.start().inject(leaving(mock), per="attempt")
        with pytest.raises(UnfakedCallError, match="began while a fake was active"):
            await client.send_otp_message(**send_request())
    assert sink.arrived == []


async def test_an_attempt_that_outlives_its_fake_reaches_the_one_that_is_active_now(
    sink: Sink, config: AioConfig
) -> None:
    async with connect(sink, config) as client:
        mock, other = mock_pinpoint_otp(assert_all_used=False), mock_pinpoint_otp()
        fakes: list[Any] = []
        mock.start().inject(leaving(mock, lambda: fakes.append(other.start())), per="attempt")
        await client.send_otp_message(**send_request())
        other.stop()
        assert len(fakes[0].messages) == 1
    assert sink.arrived == []


async def test_a_later_attempt_of_a_call_that_began_before_the_fake_reaches_it(
    sink: Sink, config: AioConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(endpoint: object, seconds: float) -> None:
        pass

    monkeypatch.setattr(AioEndpoint, "_sleep", sleep, raising=False)
    mock = mock_pinpoint_otp()
    fakes: list[Any] = []

    def answer() -> int:
        fakes.append(mock.start())
        return 500

    sink.answer = answer
    async with connect(sink, config) as client:
        await client.send_otp_message(**send_request())
    mock.stop()
    assert len(fakes[0].calls) == 1
    assert len(sink.arrived) == 1


@pytest.mark.parametrize("name", METHODS)
async def test_a_patch_that_began_before_the_fake_and_ends_inside_lets_nothing_leave(
    sink: Sink, config: AioConfig, name: str
) -> None:
    original = getattr(AioEndpoint, name)

    async def method(*args: Any) -> Any:
        return await original(*args)

    async with connect(sink, config) as client:
        patch = unittest.mock.patch.object(AioEndpoint, name, method)
        patch.start()
        mock = mock_pinpoint_otp()
        fake = mock.start()
        patch.stop()
        fake.inject(LostResponse(), per="attempt")
        await client.send_otp_message(**send_request())
        assert len(fake.messages) == 2
        fake.inject(leaving(mock), per="attempt")
        with pytest.raises(UnfakedCallError):
            await client.send_otp_message(**send_request())
    assert sink.arrived == []


def passing_on(original: Any) -> Any:
    """Return a method that does what another one does."""

    async def method(*args: Any) -> Any:
        return await original(*args)

    return method


async def test_patches_of_both_places_that_end_inside_let_nothing_leave(sink: Sink, config: AioConfig) -> None:
    async with connect(sink, config) as client, connect(sink, service="dynamodb") as other:
        with contextlib.ExitStack() as patches:
            for name in ("_send_request", "create_request"):
                replacement = passing_on(getattr(AioEndpoint, name))
                patches.enter_context(unittest.mock.patch.object(AioEndpoint, name, replacement))
            with mock_pinpoint_otp() as fake:
                patches.close()
                fake.inject(LostResponse(), per="attempt")
                await client.send_otp_message(**send_request())
                assert len(fake.messages) == 2
                assert sink.arrived == []
                await other.list_tables()
    assert len(sink.arrived) == 1


@pytest.mark.parametrize("name", ["_send_request", "create_request"])
async def test_a_call_that_meets_one_place_alone_is_not_signed(sink: Sink, config: AioConfig, name: str) -> None:
    signed = []
    async with connect(sink, config) as client:
        client.meta.events.register_first(
            "before-send.pinpoint", lambda request, **_: signed.append("Authorization" in request.headers)
        )
        patch = unittest.mock.patch.object(AioEndpoint, name, passing_on(getattr(AioEndpoint, name)))
        patch.start()
        with mock_pinpoint_otp():
            patch.stop()
            await client.send_otp_message(**send_request())
    assert signed == [False]
    assert sink.arrived == []


async def test_a_fake_that_is_entered_during_a_first_attempt_answers_it(sink: Sink, config: AioConfig) -> None:
    mock = mock_pinpoint_otp()
    async with connect(sink, config) as client:
        client.meta.events.register_first("before-send.pinpoint.SendOTPMessage", lambda **kwargs: mock.start() and None)
        try:
            await client.send_otp_message(**send_request())
        finally:
            mock.stop()
    assert sink.arrived == []


async def test_all_is_as_it_was_after_the_last_such_call(sink: Sink) -> None:
    before = {name: vars(AioEndpoint)[name] for name in OWN_METHODS}
    seen: list[bool] = []
    async with connect(sink) as client:
        mock = mock_pinpoint_otp()

        def look() -> None:
            seen.append(all(vars(AioEndpoint)[name] is before[name] for name in OWN_METHODS))

        mock.start().inject(leaving(mock, look), per="attempt")
        with pytest.raises(UnfakedCallError):
            await client.send_otp_message(**send_request())
        assert seen == [False]
        assert {name: vars(AioEndpoint)[name] for name in OWN_METHODS} == before
        await client.send_otp_message(**send_request())
    assert len(sink.signed) == 1


async def test_other_services_are_signed_and_sent_as_ever(sink: Sink) -> None:
    with mock_pinpoint_otp():
        async with connect(sink, service="dynamodb") as client:
            await client.list_tables()
    assert len(sink.signed) == 1


async def test_a_call_without_a_fake_is_guarded(sink: Sink, config: AioConfig) -> None:
    take()
    release, turn_off = hold(), turn_on()
    try:
        async with connect(sink, config) as client:
            with pytest.raises(UnfakedCallError):
                await client.send_otp_message(**send_request())
            assert sink.arrived == []
            with let_through():
                await client.send_otp_message(**send_request())
            assert len(sink.signed) == 1
        assert take() == [UnfakedCall("SendOTPMessage", DESTINATION)]
    finally:
        turn_off()
        release()


async def test_a_presigned_url_is_signed_after_the_first_call_too(sink: Sink) -> None:
    with mock_pinpoint_otp():
        async with connect(sink) as client:
            await client.send_otp_message(**send_request())
            assert "X-Amz-Signature" in await client.generate_presigned_url("send_otp_message", send_request())


async def test_an_abandoned_call_holds_nothing(sink: Sink) -> None:
    before = vars(AioEndpoint)["_send_request"]
    mock = mock_pinpoint_otp()
    async with connect(sink) as client:
        mock.start()

        class Waiting:
            def __await__(self) -> Iterator[None]:
                yield

        async def wait(**kwargs: Any) -> None:
            await Waiting()

        client.meta.events.register_first("before-send.pinpoint.SendOTPMessage", wait)
        call = client.send_otp_message(**send_request())
        call.send(None)
        mock.stop()
        assert vars(AioEndpoint)["_send_request"] is not before
        call.close()
        assert vars(AioEndpoint)["_send_request"] is before


def test_an_application_that_is_imported_while_modules_are_patched_inside_a_fake_reaches_it(sink: Sink) -> None:
    program = """
        import asyncio, sys, unittest.mock
        from pytest_pinpoint_otp import mock_pinpoint_otp

        async def send():
            keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
            session = aiobotocore.session.get_session()
            async with session.create_client(
                "pinpoint", region_name="us-east-1", endpoint_url=sys.argv[1], **keys
            ) as client:
                await client.send_otp_message(**REQUEST)

        with mock_pinpoint_otp() as fake:
            # aiobotocore is not among the modules afterwards.
            with unittest.mock.patch.dict(sys.modules, {"optional": unittest.mock.Mock()}):
                import aiobotocore.session
            asyncio.run(send())
            print(len(fake.messages))
    """
    assert run_program(program, sink.url) == ("1\n", "")
    assert sink.arrived == []


def test_an_application_that_is_imported_while_modules_are_patched_between_two_fakes_reaches_the_second(
    sink: Sink,
) -> None:
    program = """
        import asyncio, sys, unittest.mock
        from pytest_pinpoint_otp import mock_pinpoint_otp

        async def send():
            keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
            async with session.create_client(
                "pinpoint", region_name="us-east-1", endpoint_url=sys.argv[1], **keys
            ) as client:
                await client.send_otp_message(**REQUEST)

        with mock_pinpoint_otp():
            pass
        with unittest.mock.patch.dict(sys.modules, {"optional": unittest.mock.Mock()}):
            import aiobotocore.session
            session = aiobotocore.session.get_session()
        with mock_pinpoint_otp() as fake:
            asyncio.run(send())
            print(len(fake.messages))
    """
    assert run_program(program, sink.url) == ("1\n", "")
    assert sink.arrived == []
