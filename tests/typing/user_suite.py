"""A suite as a user with a strict type checker writes it. Not run: mypy and pyright read it, and report nothing.

`wrong_uses.py` has what they must report.
"""

# pyright: strict
# ruff: noqa: D101, D102, RUF012 - a suite as its author wrote it

from __future__ import annotations

import unittest
from datetime import datetime, timedelta
from typing import Any, assert_type

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from pytest_pinpoint_otp import (
    Attempt,
    Call,
    Delivery,
    DeliveryStatus,
    ErrorResponse,
    FailurePlan,
    FailureStep,
    Injection,
    LostResponse,
    PinpointOTP,
    PinpointOTPServer,
    RateLimit,
    RawResponse,
    SentMessage,
    UnfakedCallError,
    Verification,
    VerificationReason,
    active_pinpoint_otp,
    mock_pinpoint_otp,
    serve_pinpoint_otp,
)
from pytest_pinpoint_otp.stateful import OTPStateMachine
from pytest_pinpoint_otp.strategies import (
    codes,
    e164_numbers,
    failure_plans,
    invalid_notify_send_parameters,
    invalid_send_parameters,
    invalid_verify_parameters,
    notify_send_parameters,
    outcomes,
    phone_numbers,
    send_parameters,
    typed_codes,
    verify_parameters,
)

PHONE = "+15550100123"


@pytest.fixture
def opted_out(pinpoint_otp: PinpointOTP) -> str:
    pinpoint_otp.opt_out(PHONE)
    pinpoint_otp.opt_out(PHONE, outcome="PERMANENT_FAILURE")
    pinpoint_otp.opt_out(PHONE, outcome=ErrorResponse("ConflictException"))
    return PHONE


@pytest.mark.pinpoint_otp(code_length=8)
def test_records(pinpoint_otp: PinpointOTP, opted_out: str) -> None:
    assert_type(pinpoint_otp.messages, list[SentMessage])
    assert_type(pinpoint_otp.messages[0].reference_id, str | None)
    assert_type(pinpoint_otp.calls, list[Call])
    assert_type(pinpoint_otp.calls[0].attempts, tuple[Attempt, ...])
    assert_type(pinpoint_otp.calls[0].source, str | None)
    assert_type(pinpoint_otp.verifications, list[Verification])
    assert_type(pinpoint_otp.verifications[0].reason, VerificationReason)
    assert_type(pinpoint_otp.inbox(opted_out), list[SentMessage])
    assert_type(pinpoint_otp.inbox(api="endusermessaging", verification_id="ver-1"), list[SentMessage])
    assert_type(pinpoint_otp.assert_sent(opted_out, times=1), SentMessage)
    assert_type(pinpoint_otp.assert_called("VerifyOTPMessage"), Call)
    assert_type(pinpoint_otp.assert_called("verify_otp_message", outcome="VALID", times=2), Call)
    assert_type(pinpoint_otp.assert_called("SendNotifyCodeVerification", destination=PHONE), Call)
    pinpoint_otp.assert_not_called()
    pinpoint_otp.assert_not_called("ValidateNotifyCodeVerification", reference_id=None)
    assert_type(pinpoint_otp.code_for(opted_out, language="en-US"), str)
    assert_type(pinpoint_otp.code_for(reference_id="sign-up", brand_name="Example"), str)
    assert_type(pinpoint_otp.wrong_code(), str)
    assert_type(pinpoint_otp.wait_for_message(opted_out, timeout=1), SentMessage)


async def test_async_records(pinpoint_otp: PinpointOTP) -> None:
    assert_type(await pinpoint_otp.async_wait_for_message(PHONE, reference_id="sign-up", timeout=0.5), SentMessage)


def test_arrangements(pinpoint_otp: PinpointOTP) -> None:
    def by_number(call: Call) -> DeliveryStatus | None:
        return DeliveryStatus.THROTTLED if call.destination == PHONE else None

    injection = pinpoint_otp.inject(
        "THROTTLED", DeliveryStatus.OPT_OUT, Delivery("DUPLICATE"), ErrorResponse("ForbiddenException"), by_number
    )
    assert_type(injection, Injection)
    assert_type(injection.remaining, int | None)
    with pinpoint_otp.inject(ReadTimeoutError, per="attempt", times=None) as entered:
        assert_type(entered, Injection)
    pinpoint_otp.inject("ReadTimeoutError", LostResponse("ConnectTimeoutError"), RawResponse(502, "Bad gateway"))
    pinpoint_otp.inject("VALID", "INVALID", operation="verify_otp_message", destination=PHONE)
    pinpoint_otp.inject("ThrottlingException", operation="SendNotifyCodeVerification", optional=True)
    pinpoint_otp.queue_codes("012345", "AB12")
    pinpoint_otp.advance(timedelta(minutes=5))
    pinpoint_otp.advance(weeks=1, hours=0.5)
    assert_type(pinpoint_otp.now(), datetime)
    assert_type(pinpoint_otp.issue(PHONE, application_id="a", reference_id="b", code_length=8), SentMessage)
    assert_type(pinpoint_otp.issue(PHONE, reference_id=None, code_type="ALPHA", context={"flow": "a"}), SentMessage)
    assert_type(pinpoint_otp.limit_rate(2, per=timedelta(minutes=1), by="origination"), RateLimit)
    pinpoint_otp.limit_rate(0, per=timedelta(days=1), outcome="TooManyRequestsException").cancel()
    pinpoint_otp.add_code_configuration("cc-1", code_type="NUMERIC", text="Your code: {{code}}")
    pinpoint_otp.reset()


def test_plans(pinpoint_otp: PinpointOTP, tmp_path: Any) -> None:
    plan = FailurePlan((FailureStep("THROTTLED", times=2), FailureStep(ReadTimeoutError, "VerifyOTPMessage")))
    assert_type(pinpoint_otp.follow(plan), list[Injection])
    assert_type(pinpoint_otp.recorded_plan(), FailurePlan)
    assert_type(plan.to_json(), str)
    assert_type(FailurePlan.from_json(plan.to_json()), FailurePlan)
    assert_type(FailurePlan.from_file("plan.json"), FailurePlan)


@pytest.mark.parametrize("status", [DeliveryStatus.THROTTLED, DeliveryStatus.OPT_OUT])
def test_members_of_the_enum_keep_their_type(pinpoint_otp: PinpointOTP, status: DeliveryStatus) -> None:
    pinpoint_otp.inject(status)


@pytest.mark.parametrize("status", ["THROTTLED", "OPT_OUT"])
def test_plain_names_become_members(pinpoint_otp: PinpointOTP, status: str) -> None:
    pinpoint_otp.inject(DeliveryStatus(status))


@pytest.mark.parametrize("name", ["ForbiddenException", "TooManyRequestsException"])
def test_plain_names_become_errors(pinpoint_otp: PinpointOTP, name: str) -> None:
    pinpoint_otp.inject(ErrorResponse(name))


@mock_pinpoint_otp(seed=1, code_length=8, applications=["a"], originations={"+15550100999"})
def decorated(number: int) -> str:
    assert_type(active_pinpoint_otp(), PinpointOTP)
    return str(number)


@mock_pinpoint_otp()
async def decorated_coroutine_function(number: int) -> str:
    return str(number)


@mock_pinpoint_otp(enforce_limits=False)
class DecoratedTests(unittest.TestCase):
    number = 1


async def test_without_a_fixture() -> None:
    with mock_pinpoint_otp() as fake:
        assert_type(fake, PinpointOTP)
    assert_type(decorated(1), str)
    assert_type(await decorated_coroutine_function(1), str)
    assert_type(DecoratedTests().number, int)
    mock = mock_pinpoint_otp()
    assert_type(mock.start(), PinpointOTP)
    mock.stop()
    with pytest.raises(UnfakedCallError):
        decorated(1)


def test_the_server(pinpoint_otp_server: PinpointOTPServer) -> None:
    assert_type(pinpoint_otp_server.url, str)
    with serve_pinpoint_otp(hold=1.5, allowed_hosts=["otp.example"]) as server:
        assert_type(server, PinpointOTPServer)


assert_type(phone_numbers("DE"), st.SearchStrategy[str])
assert_type(codes(6), st.SearchStrategy[str])
assert_type(codes(code_type="ALPHANUMERIC"), st.SearchStrategy[str])
assert_type(failure_plans(operations=["send_otp_message"]), st.SearchStrategy[FailurePlan])
assert_type(failure_plans(destination=PHONE, reference_id=st.none() | codes()), st.SearchStrategy[FailurePlan])
assert_type(e164_numbers(), st.SearchStrategy[str])
assert_type(typed_codes(6), st.SearchStrategy[str])
assert_type(verify_parameters(Otp="123456"), st.SearchStrategy[dict[str, Any]])
assert_type(invalid_send_parameters("CodeLength", "Language"), st.SearchStrategy[tuple[dict[str, Any], str]])
assert_type(invalid_verify_parameters(), st.SearchStrategy[tuple[dict[str, Any], str]])


@given(
    send_parameters(CodeLength=8), notify_send_parameters(channel="TEXT"), outcomes(), invalid_notify_send_parameters()
)
def test_what_is_drawn(
    parameters: dict[str, Any], others: dict[str, Any], outcome: Any, invalid: tuple[dict[str, Any], str]
) -> None:
    active_pinpoint_otp().inject(outcome)


class SignUpMachine(OTPStateMachine):
    api = "endusermessaging"
    properties = ["code_works_once"]
    phones = ("+12025550143",)
    options = {"code_length": 8, "seed": "spring"}
    guess_window = timedelta(minutes=30)

    def begin(self) -> None:
        assert_type(self.fake, PinpointOTP)

    def request_code(self, phone: str) -> bool:
        return True

    def check_code(self, phone: str, code: str) -> bool | None:
        return None


TestSignUp = SignUpMachine.TestCase
