"""Wrong uses, each of which a type checker must report: after `# error:` stand mypy's code and pyright's rule.

Not run: `python tests/typing/compare.py` lets both read it, and compares what they report, line by line.
"""

# ruff: noqa: B018, D101, D102, RUF012 - a suite as its author wrote it

from __future__ import annotations

from datetime import datetime, timedelta

from pytest_pinpoint_otp import (
    Delivery,
    ErrorResponse,
    FailurePlan,
    FailureStep,
    LostResponse,
    PinpointOTP,
    RawResponse,
    active_pinpoint_otp,
    mock_pinpoint_otp,
)
from pytest_pinpoint_otp.stateful import OTPStateMachine
from pytest_pinpoint_otp.strategies import (
    codes,
    failure_plans,
    invalid_send_parameters,
    invalid_verify_parameters,
    outcomes,
    phone_numbers,
    typed_codes,
)

PHONE = "+15550100123"


def read(fake: PinpointOTP) -> None:
    fake.mesages  # error: attr-defined, reportAttributeAccessIssue
    fake.code_for(PHONE, brand="Example")  # error: call-arg, reportCallIssue
    fake.code_for(phone=PHONE)  # error: call-arg, reportCallIssue
    fake.inbox(PHONE, referenceid="sign-up")  # error: call-arg, reportCallIssue
    fake.wrong_code(PHONE, outcome="SUCCESSFUL")  # error: call-arg, reportCallIssue
    fake.assert_sent(PHONE, times="once")  # error: arg-type, reportArgumentType
    fake.assert_sent(PHONE, 2)  # error: call-arg, reportCallIssue
    fake.assert_not_sent(brand="Example")  # error: call-arg, reportCallIssue
    fake.assert_called("VerifyOTP")  # error: arg-type, reportArgumentType
    fake.assert_called(operation="VerifyOTP")  # error: arg-type, reportArgumentType
    fake.assert_called(PHONE)  # error: arg-type, reportArgumentType
    fake.assert_called("VerifyOTPMessage", brand_name="Example")  # error: call-arg, reportCallIssue
    fake.assert_not_called("Verify")  # error: arg-type, reportArgumentType
    fake.wait_for_message(PHONE, 5)  # error: call-arg, reportCallIssue
    fake.wait_for_message(PHONE, timeout="5")  # error: arg-type, reportArgumentType
    fake.messages[0].code = "123456"  # error: misc, reportAttributeAccessIssue
    fake.verifications[0].code  # error: attr-defined, reportAttributeAccessIssue
    late: datetime = fake.messages[0].validity_period  # error: assignment, reportAssignmentType
    print(late)


def arrange(fake: PinpointOTP) -> None:
    fake.inject("THROTLED")  # error: arg-type, reportArgumentType
    fake.inject("TooManyRequests")  # error: arg-type, reportArgumentType
    fake.inject("ReadTimeout")  # error: arg-type, reportArgumentType
    fake.inject(429)  # error: arg-type, reportArgumentType
    fake.inject(["THROTTLED", "THROTTLED"])  # error: arg-type, reportArgumentType
    fake.inject("THROTTLED", operation="VerifyOTP")  # error: arg-type, reportArgumentType
    fake.inject("THROTTLED", per="calls")  # error: arg-type, reportArgumentType
    fake.inject("THROTTLED", times="twice")  # error: arg-type, reportArgumentType
    fake.inject("THROTTLED", after=None)  # error: arg-type, reportArgumentType
    fake.inject("THROTTLED", phone=PHONE)  # error: call-arg, reportCallIssue
    fake.inject("THROTTLED", optional="yes")  # error: arg-type, reportArgumentType
    fake.follow({"version": 1, "steps": []})  # error: arg-type, reportArgumentType
    fake.limit_rate(2, per=60)  # error: arg-type, reportArgumentType
    fake.limit_rate(2, per=timedelta(minutes=1), by="phone")  # error: arg-type, reportArgumentType
    fake.limit_rate(2, per=timedelta(minutes=1), outcome="READ_TIMEOUT")  # error: arg-type, reportArgumentType
    fake.limit_rate("2", per=timedelta(minutes=1))  # error: arg-type, reportArgumentType
    fake.opt_out(15550100123)  # error: arg-type, reportArgumentType
    fake.opt_out(PHONE, outcome="OPTED_OUT")  # error: arg-type, reportArgumentType
    fake.opt_out(PHONE, "OPT_OUT")  # error: call-arg, reportCallIssue
    fake.queue_codes(123456)  # error: arg-type, reportArgumentType
    fake.queue_codes(["123456"])  # error: arg-type, reportArgumentType
    fake.issue(PHONE, reference_id="sign-up", brand="Example")  # error: call-arg, reportCallIssue
    fake.issue(PHONE, reference_id="sign-up", code_type="DIGITS")  # error: arg-type, reportArgumentType
    fake.issue(PHONE, reference_id="sign-up", code_length="8")  # error: arg-type, reportArgumentType
    fake.issue(PHONE)  # error: call-arg, reportCallIssue
    fake.add_code_configuration("cc-1", code_type="digits")  # error: arg-type, reportArgumentType
    fake.add_code_configuration("cc-1", length=8)  # error: call-arg, reportCallIssue
    fake.advance(5)  # error: arg-type, reportArgumentType
    fake.advance("5 minutes")  # error: arg-type, reportArgumentType
    fake.advance(minute=5)  # error: call-arg, reportCallIssue
    fake.advance(minutes="5")  # error: arg-type, reportArgumentType


def outcomes_of_a_test() -> None:
    Delivery(404)  # error: arg-type, reportArgumentType
    Delivery("THROTTLED", code=429)  # error: call-arg, reportCallIssue
    ErrorResponse("BadRequestException", status_code="400")  # error: arg-type, reportArgumentType
    LostResponse(504)  # error: arg-type, reportArgumentType
    RawResponse(502, body={"message": "Bad gateway"})  # error: arg-type, reportArgumentType
    FailureStep("THROTTLED", time=2)  # error: call-arg, reportCallIssue
    FailurePlan([FailureStep("THROTTLED")]).step  # error: attr-defined, reportAttributeAccessIssue


def options() -> None:
    mock_pinpoint_otp(code_length="8")  # error: arg-type, reportArgumentType
    mock_pinpoint_otp(code_lenght=8)  # error: call-arg, reportCallIssue
    mock_pinpoint_otp(seed=1.5)  # error: arg-type, reportArgumentType
    mock_pinpoint_otp(enforce_limits="no")  # error: arg-type, reportArgumentType
    mock_pinpoint_otp(applications=1)  # error: arg-type, reportArgumentType
    mock_pinpoint_otp("spring")  # error: call-arg, reportCallIssue
    active_pinpoint_otp().stop()  # error: attr-defined, reportAttributeAccessIssue
    with mock_pinpoint_otp() as fake:
        fake.start()  # error: attr-defined, reportAttributeAccessIssue


@mock_pinpoint_otp()
def decorated(number: int) -> str:
    return str(number)


decorated("1")  # error: arg-type, reportArgumentType


@mock_pinpoint_otp  # error: call-arg, reportCallIssue
def without_parentheses() -> None: ...


class Machine(OTPStateMachine):
    options = {"code_lenght": 8}  # error: typeddict-unknown-key, reportAssignmentType
    max_guesses = "10"  # error: assignment, reportAssignmentType

    def request_code(self, phone: str) -> str:  # error: override, reportIncompatibleMethodOverride
        return phone


def drawn() -> None:
    codes("6")  # error: arg-type, reportArgumentType
    codes(code_type="NUMBERS")  # error: arg-type, reportArgumentType
    phone_numbers(49)  # error: arg-type, reportArgumentType
    outcomes("SendOtpMessage")  # error: arg-type, reportArgumentType
    failure_plans(5)  # error: call-arg, reportCallIssue
    failure_plans(operations="SendOTPMessage")  # error: arg-type, reportArgumentType
    failure_plans(destination=15550100123)  # error: arg-type, reportArgumentType
    invalid_send_parameters("CodeLenght")  # error: arg-type, reportArgumentType
    invalid_verify_parameters("Otp")  # error: arg-type, reportArgumentType
    typed_codes("6")  # error: arg-type, reportArgumentType
