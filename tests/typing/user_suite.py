"""A suite as a user with a strict type checker writes it. Not run: mypy reads it beside the installed package.

The lines with an ignored error must be errors: an ignore without one is an error itself, as it would be for all of
them if the package lost its types.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_type

import pytest
from botocore.exceptions import ReadTimeoutError

from pytest_pinpoint_otp import (
    Attempt,
    Call,
    Delivery,
    DeliveryStatus,
    ErrorResponse,
    Injection,
    PinpointOTP,
    SentMessage,
    Verification,
    VerificationReason,
    active_pinpoint_otp,
    mock_pinpoint_otp,
)


@pytest.fixture
def opted_out(pinpoint_otp: PinpointOTP) -> str:
    pinpoint_otp.opt_out("+15550100123")
    return "+15550100123"


@pytest.mark.pinpoint_otp(code_length=8)
def test_records(pinpoint_otp: PinpointOTP, opted_out: str) -> None:
    assert_type(pinpoint_otp.messages, list[SentMessage])
    assert_type(pinpoint_otp.calls, list[Call])
    assert_type(pinpoint_otp.calls[0].attempts, tuple[Attempt, ...])
    assert_type(pinpoint_otp.verifications, list[Verification])
    assert_type(pinpoint_otp.verifications[0].reason, VerificationReason)
    assert_type(pinpoint_otp.inbox(opted_out), list[SentMessage])
    assert_type(pinpoint_otp.assert_sent(opted_out, times=1), SentMessage)
    assert_type(pinpoint_otp.assert_called("VerifyOTPMessage"), Call)
    assert_type(pinpoint_otp.code_for(opted_out, language="en-US"), str)
    assert_type(pinpoint_otp.wrong_code(), str)
    pinpoint_otp.assert_sent(times="once")  # type: ignore[arg-type]
    assert not pinpoint_otp.mesages  # type: ignore[attr-defined]


def test_arrangements(pinpoint_otp: PinpointOTP) -> None:
    def by_number(call: Call) -> DeliveryStatus | None:
        return DeliveryStatus.THROTTLED if call.destination == "+15550100123" else None

    injection = pinpoint_otp.inject(
        "THROTTLED", DeliveryStatus.OPT_OUT, Delivery("DUPLICATE"), ErrorResponse("ForbiddenException"), by_number
    )
    assert_type(injection, Injection)
    assert_type(injection.remaining, int | None)
    with pinpoint_otp.inject(ReadTimeoutError, per="attempt", times=None) as entered:
        assert_type(entered, Injection)
    pinpoint_otp.queue_codes("012345")
    pinpoint_otp.advance(timedelta(minutes=5))
    assert_type(pinpoint_otp.now(), datetime)
    assert_type(pinpoint_otp.issue("+15550100123", application_id="a", reference_id="b"), SentMessage)
    pinpoint_otp.inject("THROTTLED", times="twice")  # type: ignore[arg-type]
    pinpoint_otp.queue_codes(12345)  # type: ignore[arg-type]


@mock_pinpoint_otp(seed=1)
def decorated(number: int) -> str:
    assert_type(active_pinpoint_otp(), PinpointOTP)
    return str(number)


@mock_pinpoint_otp()
async def decorated_coroutine_function(number: int) -> str:
    return str(number)


async def test_without_a_fixture() -> None:
    with mock_pinpoint_otp() as fake:
        assert_type(fake, PinpointOTP)
    assert_type(decorated(1), str)
    assert_type(await decorated_coroutine_function(1), str)
    decorated("1")  # type: ignore[arg-type]
