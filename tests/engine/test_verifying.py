"""A verification: what ends a code, at the exact boundary, and the reason that each verification is given."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from helpers import APPLICATION, DESTINATION, OTHER_DESTINATION, REFERENCE, send, send_status, verify

from pytest_pinpoint_otp import PinpointOTP, Verification, VerificationReason

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _frozen() -> Any:
    with time_machine.travel("2030-01-02T03:04:05.123456+00:00", tick=False):
        yield


def last(fake: PinpointOTP) -> tuple[str, int | None]:
    """Return reason and attempts left of the newest verification."""
    verification = fake.verifications[-1]
    return verification.reason, verification.attempts_left


def test_the_code_that_was_sent_is_valid(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)

    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION)) is True
    assert last(pinpoint_otp) == ("VALID", 3)


def test_another_code_is_not_valid(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)

    assert verify(pinpoint_otp_client, pinpoint_otp.wrong_code(DESTINATION)) is False
    assert last(pinpoint_otp) == ("WRONG_CODE", 2)


def test_a_verification_is_recorded_with_all_its_fields(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)
    pinpoint_otp.advance(seconds=1)
    code = pinpoint_otp.code_for(DESTINATION)

    verify(pinpoint_otp_client, code)

    (verification,) = pinpoint_otp.verifications
    assert isinstance(verification, Verification)
    assert verification.application_id == APPLICATION
    assert verification.destination == DESTINATION
    assert verification.reference_id == REFERENCE
    assert verification.otp == code
    assert verification.valid is True
    assert verification.reason is VerificationReason.VALID
    assert verification.attempts_left == 3
    assert verification.at == pinpoint_otp.now()
    assert verification.request_id == pinpoint_otp.calls[-1].request_id


def test_reasons_are_plain_strings_too() -> None:
    assert [str(reason) for reason in VerificationReason] == [
        "NEVER_SENT",
        "ALREADY_VERIFIED",
        "ATTEMPTS_EXHAUSTED",
        "EXPIRED",
        "VALID",
        "SUPERSEDED",
        "WRONG_CODE",
    ]


def test_a_reference_that_was_never_sent_is_invalid_and_no_error(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    assert verify(pinpoint_otp_client, "123456") is False
    assert last(pinpoint_otp) == ("NEVER_SENT", None)


@pytest.mark.parametrize(
    "other", [{"ApplicationId": "other"}, {"DestinationIdentity": OTHER_DESTINATION}, {"ReferenceId": "Sign-Up"}]
)
def test_a_code_is_for_its_application_destination_and_reference_alone(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, other: dict[str, str]
) -> None:
    send(pinpoint_otp_client, AllowedAttempts=1)
    code = pinpoint_otp.code_for(DESTINATION)

    assert not verify(pinpoint_otp_client, code, **other)
    assert last(pinpoint_otp) == ("NEVER_SENT", None)
    assert verify(pinpoint_otp_client, code)


def test_a_code_is_single_use(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)
    code = pinpoint_otp.code_for(DESTINATION)
    verify(pinpoint_otp_client, code)

    assert not verify(pinpoint_otp_client, code)
    assert last(pinpoint_otp) == ("ALREADY_VERIFIED", 3)
    assert not verify(pinpoint_otp_client, pinpoint_otp.wrong_code(DESTINATION))
    assert last(pinpoint_otp) == ("ALREADY_VERIFIED", 3)


@pytest.mark.parametrize("minutes", [5, 15, 60])
def test_a_code_is_valid_until_the_last_microsecond_of_its_validity_period(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, minutes: int
) -> None:
    send(pinpoint_otp_client, ValidityPeriod=minutes)

    pinpoint_otp.advance(timedelta(minutes=minutes) - MICROSECOND)

    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))


@pytest.mark.parametrize("minutes", [5, 15, 60])
def test_a_code_expires_at_the_end_of_its_validity_period(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, minutes: int
) -> None:
    send(pinpoint_otp_client, ValidityPeriod=minutes)

    pinpoint_otp.advance(minutes=minutes)

    assert pinpoint_otp.now() == pinpoint_otp.messages[0].expires_at
    assert not verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))
    assert last(pinpoint_otp) == ("EXPIRED", 3)


@pytest.mark.parametrize("allowed", [1, 2, 3, 4, 5])
def test_the_code_outlives_all_but_the_last_allowed_attempt(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, allowed: int
) -> None:
    send(pinpoint_otp_client, AllowedAttempts=allowed)

    for failed in range(1, allowed):
        assert not verify(pinpoint_otp_client, pinpoint_otp.wrong_code(DESTINATION))
        assert last(pinpoint_otp) == ("WRONG_CODE", allowed - failed)

    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))
    assert last(pinpoint_otp) == ("VALID", 1)


@pytest.mark.parametrize("allowed", [1, 2, 3, 4, 5])
def test_the_last_allowed_attempt_ends_the_code(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, allowed: int
) -> None:
    send(pinpoint_otp_client, AllowedAttempts=allowed)
    for _ in range(allowed):
        verify(pinpoint_otp_client, pinpoint_otp.wrong_code(DESTINATION))
    assert last(pinpoint_otp) == ("WRONG_CODE", 0)

    for code in (pinpoint_otp.code_for(DESTINATION), pinpoint_otp.wrong_code(DESTINATION)):
        assert not verify(pinpoint_otp_client, code)
        assert last(pinpoint_otp) == ("ATTEMPTS_EXHAUSTED", 0)


def test_a_resend_replaces_the_earlier_code(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)
    earlier = pinpoint_otp.code_for(DESTINATION)
    send(pinpoint_otp_client)

    assert not verify(pinpoint_otp_client, earlier)
    assert last(pinpoint_otp) == ("SUPERSEDED", 2)
    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))


def test_every_earlier_code_of_a_key_is_superseded(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    for _ in range(4):
        send(pinpoint_otp_client, AllowedAttempts=4)

    for message in pinpoint_otp.messages[:3]:
        verify(pinpoint_otp_client, message.code)

    judged = [(verification.reason, verification.attempts_left) for verification in pinpoint_otp.verifications]
    assert judged == [("SUPERSEDED", 3), ("SUPERSEDED", 2), ("SUPERSEDED", 1)]


def test_a_resend_starts_attempts_and_validity_afresh(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client, AllowedAttempts=1, ValidityPeriod=5)
    verify(pinpoint_otp_client, pinpoint_otp.wrong_code(DESTINATION))
    pinpoint_otp.advance(minutes=5)

    send(pinpoint_otp_client, AllowedAttempts=1, ValidityPeriod=5)
    pinpoint_otp.advance(timedelta(minutes=5) - MICROSECOND)

    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))
    assert last(pinpoint_otp) == ("VALID", 1)


def test_a_resend_after_a_verification_makes_a_new_code(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)
    first = pinpoint_otp.code_for(DESTINATION)
    verify(pinpoint_otp_client, first)

    send(pinpoint_otp_client)

    assert not verify(pinpoint_otp_client, first)
    assert last(pinpoint_otp) == ("SUPERSEDED", 2)
    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))


def test_a_code_that_is_queued_again_is_valid_and_not_superseded(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.queue_codes("111111", "222222", "111111")
    for _ in range(3):
        send(pinpoint_otp_client)

    assert not verify(pinpoint_otp_client, "222222")
    assert last(pinpoint_otp) == ("SUPERSEDED", 2)
    assert verify(pinpoint_otp_client, "111111")


@pytest.mark.parametrize(
    "failure",
    ["THROTTLED", "TEMPORARY_FAILURE", "PERMANENT_FAILURE", "UNKNOWN_FAILURE", "OPT_OUT", "DUPLICATE"],
)
def test_a_failed_delivery_leaves_the_earlier_code_as_it_was(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, failure: str
) -> None:
    send(pinpoint_otp_client, ValidityPeriod=5)
    verify(pinpoint_otp_client, pinpoint_otp.wrong_code(DESTINATION))
    pinpoint_otp.advance(minutes=4)
    pinpoint_otp.inject(failure)

    assert send_status(pinpoint_otp_client, ValidityPeriod=60) == failure

    assert len(pinpoint_otp.messages) == 1
    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))
    assert last(pinpoint_otp) == ("VALID", 2)


def test_a_failed_delivery_issues_no_code(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.inject("TEMPORARY_FAILURE")
    send(pinpoint_otp_client)

    assert pinpoint_otp.messages == []
    assert not verify(pinpoint_otp_client, "123456")
    assert last(pinpoint_otp) == ("NEVER_SENT", None)


def test_already_verified_comes_before_expired(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)
    code = pinpoint_otp.code_for(DESTINATION)
    verify(pinpoint_otp_client, code)
    pinpoint_otp.advance(days=1)

    verify(pinpoint_otp_client, code)

    assert last(pinpoint_otp) == ("ALREADY_VERIFIED", 3)


def test_attempts_exhausted_comes_before_expired(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client, AllowedAttempts=1)
    verify(pinpoint_otp_client, pinpoint_otp.wrong_code(DESTINATION))
    pinpoint_otp.advance(days=1)

    verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))

    assert last(pinpoint_otp) == ("ATTEMPTS_EXHAUSTED", 0)


def test_expired_comes_before_superseded_and_uses_no_attempt(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    send(pinpoint_otp_client)
    send(pinpoint_otp_client)
    pinpoint_otp.advance(minutes=15)

    verify(pinpoint_otp_client, pinpoint_otp.messages[0].code)

    assert last(pinpoint_otp) == ("EXPIRED", 3)


@pytest.mark.parametrize(
    "otp", ["", " ", "12345", "1234567", "abcdef", "12345\n", "\u0660\u0661\u0662\u0663\u0664\u0665", "x" * 10_000]
)
def test_no_otp_is_refused_whatever_it_looks_like(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, otp: str
) -> None:
    send(pinpoint_otp_client)

    assert verify(pinpoint_otp_client, otp) is False
    assert last(pinpoint_otp) == ("WRONG_CODE", 2)
    assert pinpoint_otp.verifications[0].otp == otp


def test_a_leading_zero_matters(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.queue_codes("012345")
    send(pinpoint_otp_client)

    assert not verify(pinpoint_otp_client, "12345")
    assert verify(pinpoint_otp_client, "012345")


def test_a_code_with_blanks_around_it_is_wrong(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)

    assert not verify(pinpoint_otp_client, f" {pinpoint_otp.code_for(DESTINATION)} ")


def test_an_injected_error_judges_no_code(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client, AllowedAttempts=1)
    pinpoint_otp.inject("ForbiddenException", operation="VerifyOTPMessage")

    with pytest.raises(pinpoint_otp_client.exceptions.ForbiddenException):
        verify(pinpoint_otp_client, pinpoint_otp.wrong_code(DESTINATION))

    assert pinpoint_otp.verifications == []
    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))
