"""A forced verdict: a verification answered as the test says, whose code nobody judges."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import DESTINATION, send, verify

from pytest_pinpoint_otp import ErrorResponse, FailurePlan, FailureStep, LostResponse, PinpointOTP, mock_pinpoint_otp


@pytest.mark.parametrize(("verdict", "valid"), [("VALID", True), ("INVALID", False)])
@pytest.mark.parametrize("operation", ["VerifyOTPMessage", "verify_otp_message"])
def test_a_verdict_is_given_whatever_the_code(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, operation: Any, verdict: Any, valid: bool
) -> None:
    pinpoint_otp.inject(verdict, operation=operation)

    assert verify(pinpoint_otp_client, "not even a code") is valid

    (call,) = pinpoint_otp.calls
    assert (call.outcome, call.status_code, call.source) == (verdict, 200, "injection")
    assert pinpoint_otp.verifications == []


def test_a_forced_verdict_uses_nothing_up(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client, AllowedAttempts=1)
    code = pinpoint_otp.code_for()
    pinpoint_otp.inject("INVALID", "VALID", operation="VerifyOTPMessage")

    assert verify(pinpoint_otp_client, code) is False
    assert verify(pinpoint_otp_client, pinpoint_otp.wrong_code()) is True
    assert verify(pinpoint_otp_client, code) is True
    assert [one.attempts_left for one in pinpoint_otp.verifications] == [1]


def test_a_verdict_is_of_verifications_only(pinpoint_otp: PinpointOTP) -> None:
    verifying = "the operations that do are VerifyOTPMessage and ValidateNotifyCodeVerification"
    with pytest.raises(ValueError, match=rf"'VALID' is a verdict, and SendOTPMessage gives none: {verifying}\."):
        pinpoint_otp.inject("VALID")
    with pytest.raises(ValueError, match=r"'OPT_OUT' is a delivery, and VerifyOTPMessage delivers nothing.*'INVALID'"):
        pinpoint_otp.inject("OPT_OUT", operation="verify_otp_message")


def test_a_plan_repeats_forced_verdicts(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp() as fake:
        fake.inject("VALID", operation="VerifyOTPMessage", times=2)
        assert [verify(pinpoint_otp_client, "1") for _ in range(2)] == [True, True]
        plan = fake.recorded_plan()
    assert plan == FailurePlan((FailureStep("VALID", "VerifyOTPMessage", times=2, destination=DESTINATION),))
    assert FailurePlan.from_json(plan.to_json()) == plan
    assert repr(plan.steps[0]).startswith("FailureStep('VALID', operation='VerifyOTPMessage', times=2, destination=")
    with mock_pinpoint_otp() as fake:
        fake.follow(plan)
        assert [verify(pinpoint_otp_client, "1") for _ in range(3)] == [True, True, False]


def test_a_verdict_of_a_plan_in_json_has_a_name(pinpoint_otp: PinpointOTP) -> None:
    written = '{"version": 1, "steps": [{"outcome": {"verdict": "MAYBE"}, "operation": "VerifyOTPMessage"}]}'
    with pytest.raises(ValueError, match=r"steps\[0\]\.outcome\.verdict is 'MAYBE', but takes 'VALID' or 'INVALID'"):
        FailurePlan.from_json(written)
    step = FailurePlan.from_json(written.replace('{"verdict": "MAYBE"}', '"INVALID"')).steps[0]
    assert step == FailureStep("INVALID", "VerifyOTPMessage")


# -- Names -------------------------------------------------------------------------------------------------------------


def test_a_transport_exception_is_injected_by_its_name(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

    pinpoint_otp.inject("ConnectTimeoutError", LostResponse("EndpointConnectionError"))

    with pytest.raises(ConnectTimeoutError):
        send(pinpoint_otp_client)
    with pytest.raises(EndpointConnectionError):
        send(pinpoint_otp_client)
    assert len(pinpoint_otp.inbox(DESTINATION)) == len(pinpoint_otp.calls[1].attempts)


def test_a_name_that_is_nearly_a_transport_exceptions_gets_it_suggested(pinpoint_otp: PinpointOTP) -> None:
    with pytest.raises(ValueError, match=r"'ReadTimeoutErorr' is neither.*Did you mean 'ReadTimeoutError'\?"):
        pinpoint_otp.inject("ReadTimeoutErorr")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"'NoCredentialsError' is neither a delivery status nor a modelled error nor"):
        pinpoint_otp.inject("NoCredentialsError")  # type: ignore[arg-type]


def test_an_error_that_the_operation_does_not_model_needs_its_status_code(pinpoint_otp: PinpointOTP) -> None:
    with pytest.raises(
        ValueError, match="'SlowDown', which is not modelled for the OTP operations: give its status_code as"
    ):
        ErrorResponse("SlowDown")


def test_a_plan_may_spell_an_operation_as_boto3_does() -> None:
    assert FailureStep("VALID", operation="verify_otp_message").operation == "VerifyOTPMessage"


def test_selections_take_boto3s_spelling(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)

    assert pinpoint_otp.assert_called("send_otp_message").operation == "SendOTPMessage"
    pinpoint_otp.assert_not_called("verify_otp_message")
    with pytest.raises(ValueError, match=r"^assert_called: operation 'send_otp_mesage' is not faked"):
        pinpoint_otp.assert_called("send_otp_mesage")  # type: ignore[arg-type]
