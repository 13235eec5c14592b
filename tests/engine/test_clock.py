"""The service's clock: moved by freezegun and time-machine without help, and ahead of the process by `advance`."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import freezegun
import pytest
import time_machine
from helpers import DESTINATION, send, verify

from pytest_pinpoint_otp import PinpointOTP, mock_pinpoint_otp

MICROSECOND = timedelta(microseconds=1)
MOMENT = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def frozen_by_time_machine(moment: datetime) -> Any:
    return time_machine.travel(moment, tick=False)


FREEZERS = [frozen_by_time_machine, freezegun.freeze_time]


def test_now_is_the_wall_clock_in_utc(pinpoint_otp: PinpointOTP) -> None:
    earliest = datetime.now(UTC)
    now = pinpoint_otp.now()
    latest = datetime.now(UTC)

    assert earliest - MICROSECOND <= now <= latest + MICROSECOND
    assert now.tzinfo is UTC


@pytest.mark.parametrize("freeze", FREEZERS)
@pytest.mark.parametrize(
    "moment",
    [
        MOMENT,
        datetime(2030, 1, 1, tzinfo=UTC),
        datetime(2030, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(1999, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2099, 7, 8, 9, 10, 11, 121314, tzinfo=UTC),
    ],
)
def test_a_frozen_moment_is_the_service_s_to_the_microsecond(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, freeze: Any, moment: datetime
) -> None:
    with freeze(moment):
        assert pinpoint_otp.now() == moment
        send(pinpoint_otp_client)
        verify(pinpoint_otp_client, "1")

    (message,) = pinpoint_otp.messages
    assert message.sent_at == moment
    assert message.expires_at == moment + timedelta(minutes=15)
    assert pinpoint_otp.verifications[0].at == moment
    assert [call.at for call in pinpoint_otp.calls] == [moment, moment]
    assert pinpoint_otp.calls[0].attempts[0].at == moment


@pytest.mark.parametrize("freeze", FREEZERS)
@pytest.mark.parametrize(
    ("later", "valid"), [(timedelta(minutes=15) - MICROSECOND, True), (timedelta(minutes=15), False)]
)
def test_a_code_expires_by_the_process_s_clock(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, freeze: Any, later: timedelta, valid: bool
) -> None:
    with freeze(MOMENT):
        send(pinpoint_otp_client)
    with freeze(MOMENT + later):
        assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION)) is valid


@pytest.mark.parametrize("freeze", FREEZERS)
def test_whoever_asks_is_told_the_frozen_moment(pinpoint_otp: PinpointOTP, freeze: Any) -> None:
    # freezegun's time.time() is the real one close to a thread's or a queue's beginning.
    def issue() -> datetime:
        return pinpoint_otp.issue(DESTINATION, application_id="a", reference_id="b").sent_at

    with freeze(MOMENT), ThreadPoolExecutor(1) as pool:
        moments = [pool.submit(pinpoint_otp.now).result(), pool.submit(issue).result(), pinpoint_otp.now()]
        assert moments == [MOMENT] * 3
        assert {moment.tzinfo for moment in moments} == {UTC}


def test_freezegun_s_offset_does_not_move_utc(pinpoint_otp: PinpointOTP) -> None:
    with freezegun.freeze_time(MOMENT, tz_offset=-4):
        assert pinpoint_otp.now() == MOMENT


def test_freezegun_s_ticks_move_the_service(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    with freezegun.freeze_time(MOMENT) as frozen:
        send(pinpoint_otp_client)
        frozen.tick(timedelta(minutes=15) - MICROSECOND)
        assert not verify(pinpoint_otp_client, pinpoint_otp.wrong_code(DESTINATION))
        frozen.tick(MICROSECOND)
        assert not verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))

    assert [verification.reason for verification in pinpoint_otp.verifications] == ["WRONG_CODE", "EXPIRED"]


def test_time_machine_s_shifts_move_the_service(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    with time_machine.travel(MOMENT, tick=False) as traveller:
        send(pinpoint_otp_client)
        traveller.shift(timedelta(minutes=15) - MICROSECOND)
        assert not verify(pinpoint_otp_client, pinpoint_otp.wrong_code(DESTINATION))
        traveller.shift(MICROSECOND)
        assert not verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))

    assert [verification.reason for verification in pinpoint_otp.verifications] == ["WRONG_CODE", "EXPIRED"]


@pytest.fixture(params=["Asia/Kathmandu", "America/St_Johns"])
def odd_time_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the process be where local time is no whole hours from UTC."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system has no time zone of the process")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("odd_time_zone")
def test_the_local_time_zone_does_not_move_the_service(pinpoint_otp: PinpointOTP) -> None:
    assert abs(pinpoint_otp.now() - datetime.now(UTC)) < timedelta(minutes=1)
    for freeze in FREEZERS:
        with freeze(MOMENT):
            assert pinpoint_otp.now() == MOMENT


@pytest.mark.parametrize("freeze", FREEZERS)
def test_a_clock_that_is_frozen_first_is_the_service_s_too(pinpoint_otp_client: Any, freeze: Any) -> None:
    with freeze(MOMENT), mock_pinpoint_otp() as fake:
        send(pinpoint_otp_client)
        fake.advance(minutes=15)
        assert not verify(pinpoint_otp_client, fake.code_for(DESTINATION))

    assert fake.messages[0].sent_at == MOMENT
    assert fake.verifications[0].at == MOMENT + timedelta(minutes=15)


@pytest.mark.parametrize("freeze", FREEZERS)
def test_a_clock_that_goes_back_takes_the_service_back(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, freeze: Any
) -> None:
    with freeze(MOMENT):
        send(pinpoint_otp_client)
    with freeze(MOMENT - timedelta(days=1)):
        assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))


@pytest.mark.parametrize("freeze", FREEZERS)
def test_advance_adds_to_a_frozen_clock_and_moves_the_service_s_alone(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, freeze: Any
) -> None:
    with freeze(MOMENT):
        pinpoint_otp.advance(timedelta(minutes=1))
        pinpoint_otp.advance(days=1, hours=2, minutes=3, seconds=4.5)
        ahead = timedelta(days=1, hours=2, minutes=4, seconds=4.5)

        assert pinpoint_otp.now() == MOMENT + ahead
        assert datetime.now(UTC) == MOMENT
        assert time.time() == MOMENT.timestamp()
        send(pinpoint_otp_client)
        assert pinpoint_otp.messages[0].sent_at == MOMENT + ahead
    with freeze(MOMENT + timedelta(days=30)):
        assert pinpoint_otp.now() == MOMENT + timedelta(days=30) + ahead


def test_moments_are_plain_even_where_the_clock_was_frozen_at_the_import() -> None:
    spec: Any = importlib.util.find_spec("pytest_pinpoint_otp.engine.clock")
    module: Any = importlib.util.module_from_spec(spec)
    with freezegun.freeze_time(MOMENT):
        spec.loader.exec_module(module)
        frozen = module.Clock().now()
    assert frozen == MOMENT
    assert [type(moment) for moment in (frozen, module.Clock().now())] == [datetime, datetime]


def test_advance_by_nothing_changes_nothing(pinpoint_otp: PinpointOTP) -> None:
    with time_machine.travel(MOMENT, tick=False):
        pinpoint_otp.advance(timedelta())
        pinpoint_otp.advance(minutes=0)

        assert pinpoint_otp.now() == MOMENT


def test_parts_of_a_duration_may_be_negative_where_the_whole_is_not(pinpoint_otp: PinpointOTP) -> None:
    with time_machine.travel(MOMENT, tick=False):
        pinpoint_otp.advance(minutes=15, seconds=-1)

        assert pinpoint_otp.now() == MOMENT + timedelta(minutes=14, seconds=59)


def test_an_application_may_be_given_the_service_s_clock(pinpoint_otp: PinpointOTP) -> None:
    clock = pinpoint_otp.now
    with time_machine.travel(MOMENT, tick=False):
        pinpoint_otp.advance(hours=1)

        assert clock() == MOMENT + timedelta(hours=1)


def test_reset_takes_the_clock_back(pinpoint_otp: PinpointOTP) -> None:
    with time_machine.travel(MOMENT, tick=False):
        clock = pinpoint_otp.now
        pinpoint_otp.advance(days=365)
        pinpoint_otp.reset()

        assert clock() == MOMENT


def test_fakes_have_clocks_of_their_own() -> None:
    with time_machine.travel(MOMENT, tick=False), mock_pinpoint_otp() as outer, mock_pinpoint_otp() as inner:
        outer.advance(days=1)

        assert inner.now() == MOMENT
        assert outer.now() == MOMENT + timedelta(days=1)
