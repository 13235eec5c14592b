"""What a test can see: records, selectors, codes, the four assertions and what their errors tell."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from botocore.exceptions import ParamValidationError
from helpers import (
    APPLICATION,
    DESTINATION,
    LEFT_OUT,
    OTHER_DESTINATION,
    REFERENCE,
    send,
    send_request,
    verify,
    verify_request,
)

from pytest_pinpoint_otp import Attempt, Call, PinpointOTP, SentMessage, Verification, mock_pinpoint_otp

# -- Records -----------------------------------------------------------------------------------------------------------


def test_a_call_shows_what_the_application_gave_to_boto3(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    request = send_request(ApplicationId="a/ü b", CodeLength=8, Language="de-DE", BrandName="Größe")

    response = pinpoint_otp_client.send_otp_message(**request)

    (call,) = pinpoint_otp.calls
    assert isinstance(call, Call)
    assert call.operation == "SendOTPMessage"
    assert call.application_id == "a/ü b"
    assert call.destination == DESTINATION
    assert call.reference_id == REFERENCE
    assert call.request == request
    assert call.parameters == request["SendOTPMessageRequestParameters"]
    assert isinstance(call.invocation_id, str)
    assert call.outcome == "SUCCESSFUL"
    assert call.status_code == 200
    assert call.error_message is None
    assert call.request_id == response["ResponseMetadata"]["RequestId"]
    assert call.at == pinpoint_otp.messages[0].sent_at
    assert call.at.tzinfo is UTC


def test_a_verification_call_shows_what_the_application_gave_to_boto3(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    request = verify_request("123456")

    pinpoint_otp_client.verify_otp_message(**request)

    (call,) = pinpoint_otp.calls
    assert call.operation == "VerifyOTPMessage"
    assert call.request == request
    assert call.parameters == request["VerifyOTPMessageRequestParameters"]
    assert (call.destination, call.reference_id, call.application_id) == (DESTINATION, REFERENCE, APPLICATION)
    assert call.outcome == "INVALID"


def test_a_verification_call_s_outcome_is_valid_or_invalid(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)
    code = pinpoint_otp.code_for(DESTINATION)
    verify(pinpoint_otp_client, code)
    verify(pinpoint_otp_client, code)

    assert [call.outcome for call in pinpoint_otp.calls] == ["SUCCESSFUL", "VALID", "INVALID"]
    assert [call.status_code for call in pinpoint_otp.calls] == [200, 200, 200]


def test_outcomes_are_plain_strings(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.inject("THROTTLED", "ForbiddenException")
    send(pinpoint_otp_client)
    with pytest.raises(pinpoint_otp_client.exceptions.ForbiddenException):
        send(pinpoint_otp_client)
    send(pinpoint_otp_client)
    verify(pinpoint_otp_client, "1")

    assert {type(call.outcome) for call in pinpoint_otp.calls} == {str}
    assert {type(attempt.outcome) for call in pinpoint_otp.calls for attempt in call.attempts} == {str}


def test_attempts_of_one_call_are_together(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    from botocore.exceptions import ReadTimeoutError

    pinpoint_otp.inject(ReadTimeoutError, "InternalServerErrorException", per="attempt")

    send(pinpoint_otp_client)

    (call,) = pinpoint_otp.calls
    assert all(isinstance(attempt, Attempt) for attempt in call.attempts)
    assert [attempt.number for attempt in call.attempts] == [1, 2, 3]
    assert [attempt.outcome for attempt in call.attempts] == [
        "ReadTimeoutError",
        "InternalServerErrorException",
        "SUCCESSFUL",
    ]
    assert [attempt.status_code for attempt in call.attempts] == [None, 500, 200]
    assert len({attempt.request_id for attempt in call.attempts}) == 3
    assert call.attempts[0].at <= call.attempts[1].at <= call.attempts[2].at
    last = call.attempts[-1]
    assert (call.outcome, call.status_code, call.request_id, call.at) == (
        last.outcome,
        last.status_code,
        last.request_id,
        last.at,
    )


def test_a_call_that_ends_in_a_transport_failure_has_no_status_code(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    from botocore.exceptions import ConnectTimeoutError

    pinpoint_otp.inject(ConnectTimeoutError)
    with pytest.raises(ConnectTimeoutError):
        send(pinpoint_otp_client)

    (call,) = pinpoint_otp.calls
    assert (call.outcome, call.status_code) == ("ConnectTimeoutError", None)
    assert call.error_message


def test_calls_of_one_client_have_invocation_ids_of_their_own(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    for _ in range(3):
        send(pinpoint_otp_client)

    assert len({call.invocation_id for call in pinpoint_otp.calls}) == 3


def test_a_refused_call_is_a_call(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    with pytest.raises(pinpoint_otp_client.exceptions.BadRequestException):
        send(pinpoint_otp_client, CodeLength=9)

    (call,) = pinpoint_otp.calls
    assert (call.outcome, call.status_code) == ("BadRequestException", 400)
    assert "CodeLength is 9" in str(call.error_message)


def test_every_record_is_in_order(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    for reference in ("a", "b", "c"):
        send(pinpoint_otp_client, ReferenceId=reference)
    for reference in ("c", "a"):
        verify(pinpoint_otp_client, "1", ReferenceId=reference)

    assert [call.reference_id for call in pinpoint_otp.calls] == ["a", "b", "c", "c", "a"]
    assert [message.reference_id for message in pinpoint_otp.messages] == ["a", "b", "c"]
    assert [verification.reference_id for verification in pinpoint_otp.verifications] == ["c", "a"]


def test_lists_of_records_are_the_test_s_own(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)
    verify(pinpoint_otp_client, "1")

    for records in (pinpoint_otp.calls, pinpoint_otp.messages, pinpoint_otp.verifications, pinpoint_otp.inbox()):
        records.clear()

    assert len(pinpoint_otp.calls) == 2
    assert len(pinpoint_otp.inbox()) == len(pinpoint_otp.messages) == len(pinpoint_otp.verifications) == 1


@pytest.mark.parametrize("kind", ["messages", "calls", "verifications"])
def test_records_cannot_be_changed(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, kind: str) -> None:
    send(pinpoint_otp_client)
    verify(pinpoint_otp_client, "1")

    with pytest.raises(AttributeError):
        getattr(pinpoint_otp, kind)[0].destination = OTHER_DESTINATION


def test_records_stay_readable_after_the_fake_has_ended(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp() as fake:
        send(pinpoint_otp_client)
        verify(pinpoint_otp_client, fake.code_for(DESTINATION))

    assert isinstance(fake.messages[0], SentMessage)
    assert isinstance(fake.verifications[0], Verification)
    assert fake.code_for(DESTINATION) == fake.messages[0].code
    fake.assert_called("VerifyOTPMessage", outcome="VALID")


# -- Inbox and codes ---------------------------------------------------------------------------------------------------


def test_the_inbox_has_the_messages_that_match(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client, ReferenceId="a")
    send(pinpoint_otp_client, ReferenceId="b", DestinationIdentity=OTHER_DESTINATION)
    send(pinpoint_otp_client, ReferenceId="c", Language="de-DE")
    a, b, c = pinpoint_otp.messages

    assert pinpoint_otp.inbox() == [a, b, c]
    assert pinpoint_otp.inbox(DESTINATION) == [a, c]
    assert pinpoint_otp.inbox(destination=DESTINATION) == [a, c]
    assert pinpoint_otp.inbox(ANY) == [a, b, c]
    assert pinpoint_otp.inbox(DESTINATION, reference_id="c") == [c]
    assert pinpoint_otp.inbox(reference_id="b") == [b]
    assert pinpoint_otp.inbox(language=None) == [a, b]
    assert pinpoint_otp.inbox(language=ANY, code=c.code) == [c]
    assert pinpoint_otp.inbox("+15550100789") == []
    assert pinpoint_otp.inbox(DESTINATION, reference_id="b") == []


@pytest.mark.parametrize("field", SentMessage._fields)
def test_every_field_of_a_message_selects(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, field: str) -> None:
    send(pinpoint_otp_client)
    (message,) = pinpoint_otp.messages

    assert pinpoint_otp.inbox(**{field: getattr(message, field)}) == [message]
    assert pinpoint_otp.inbox(**{field: object()}) == []


class Unlike:
    """Equal to nothing but itself."""


@pytest.mark.parametrize("field", [*Call._fields, "request"])
def test_every_field_of_a_call_selects(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, field: str) -> None:
    send(pinpoint_otp_client)
    (call,) = pinpoint_otp.calls

    assert pinpoint_otp.assert_called(**{field: getattr(call, field)}) == call
    pinpoint_otp.assert_not_called(**{field: Unlike()})


def test_code_for_is_the_newest_code_that_matches(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.queue_codes("111111", "222222", "333333")
    send(pinpoint_otp_client)
    send(pinpoint_otp_client)
    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION, ReferenceId="other")

    assert pinpoint_otp.code_for() == "333333"
    assert pinpoint_otp.code_for(DESTINATION) == "222222"
    assert pinpoint_otp.code_for(ANY) == "333333"
    assert pinpoint_otp.code_for(reference_id=REFERENCE) == "222222"
    assert pinpoint_otp.code_for(OTHER_DESTINATION, reference_id="other") == "333333"


def test_a_subclass_of_str_selects_as_its_text_does(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    class PhoneNumber(str):
        __slots__ = ()

    send(pinpoint_otp_client)

    assert pinpoint_otp.inbox(PhoneNumber(DESTINATION)) == pinpoint_otp.messages


def test_an_equality_of_the_selector_s_own_decides(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    class AtMost(int):
        __hash__ = int.__hash__

        def __eq__(self, other: object) -> bool:
            return isinstance(other, int) and other <= self

    send(pinpoint_otp_client, ValidityPeriod=10)

    assert pinpoint_otp.inbox(validity_period=AtMost(10)) == pinpoint_otp.messages
    assert pinpoint_otp.inbox(validity_period=AtMost(9)) == []


def test_a_wrong_code_is_stable_of_the_same_length_and_never_issued_or_queued(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.queue_codes("99999", "00000", "00001")
    send(pinpoint_otp_client, CodeLength=5)
    send(pinpoint_otp_client, CodeLength=5, DestinationIdentity=OTHER_DESTINATION)

    wrong = pinpoint_otp.wrong_code(DESTINATION)

    assert wrong == pinpoint_otp.wrong_code(DESTINATION)
    assert len(wrong) == 5
    assert wrong not in {"99999", "00000", "00001"}
    send(pinpoint_otp_client, CodeLength=5)
    assert not verify(pinpoint_otp_client, wrong)
    assert pinpoint_otp.verifications[0].reason == "WRONG_CODE"


def test_a_wrong_code_is_never_drawn_later(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp(enforce_limits=False, code_length=1, assert_all_used=False) as fake:
        fake.queue_codes("5")
        send(pinpoint_otp_client)
        wrong = fake.wrong_code(DESTINATION)
        for _ in range(8):
            send(pinpoint_otp_client)

        assert fake.wrong_code(DESTINATION) == wrong
        assert {message.code for message in fake.messages} == set("0123456789") - {wrong}


def test_a_wrong_code_selects_as_code_for_does(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client, CodeLength=5)
    send(pinpoint_otp_client, CodeLength=8, ReferenceId="other")

    assert len(pinpoint_otp.wrong_code(reference_id=REFERENCE)) == 5
    assert len(pinpoint_otp.wrong_code()) == 8
    with pytest.raises(LookupError):
        pinpoint_otp.wrong_code(OTHER_DESTINATION)


def test_code_for_tells_what_was_sent_instead(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client, ReferenceId="other")
    send(pinpoint_otp_client, ReferenceId="another", DestinationIdentity=OTHER_DESTINATION)

    with pytest.raises(LookupError) as caught:
        pinpoint_otp.code_for(DESTINATION, reference_id=REFERENCE)

    lines = str(caught.value).splitlines()
    assert lines[0] == f"No text to {DESTINATION} with reference_id='{REFERENCE}' was found."
    assert lines[1] == "Near misses:"
    # The nearer miss comes first.
    assert f"text to {DESTINATION}, reference other, code {pinpoint_otp.messages[0].code}" in lines[2]
    assert lines[2].endswith("-- reference_id is 'other'")
    assert lines[3].endswith(f"-- destination is '{OTHER_DESTINATION}', reference_id is 'another'")
    assert len(lines) == 4


def test_code_for_tells_which_calls_failed_and_how(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.inject("OPT_OUT", "InternalServerErrorException")
    send(pinpoint_otp_client)
    with pytest.raises(pinpoint_otp_client.exceptions.InternalServerErrorException):
        send(pinpoint_otp_client)
    with pytest.raises(pinpoint_otp_client.exceptions.BadRequestException):
        send(pinpoint_otp_client, CodeLength=9)
    verify(pinpoint_otp_client, "1")

    with pytest.raises(LookupError) as caught:
        pinpoint_otp.code_for(DESTINATION)

    text = str(caught.value)
    assert "Calls that failed:" in text
    assert f"SendOTPMessage to {DESTINATION}, reference {REFERENCE}: OPT_OUT" in text
    attempts = len(pinpoint_otp.calls[1].attempts)
    assert attempts > 1
    assert f"InternalServerErrorException after {attempts} attempts" in text
    assert "BadRequestException (CodeLength is 9" in text
    assert "VerifyOTPMessage" not in text
    assert "Near misses" not in text


def test_code_for_tells_which_calls_never_left_botocore(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    with pytest.raises(ParamValidationError):
        pinpoint_otp_client.send_otp_message(**send_request(Language=None))
    with pytest.raises(ParamValidationError):
        pinpoint_otp_client.send_otp_message(**send_request(DestinationIdentity=LEFT_OUT, TemplateParameters={}))

    with pytest.raises(LookupError) as caught:
        pinpoint_otp.code_for(DESTINATION)

    text = str(caught.value)
    assert "Never left botocore:" in text
    assert "SendOTPMessage: Parameter validation failed" in text
    assert "Language" in text
    assert "TemplateParameters" in text
    assert 'Missing required parameter in SendOTPMessageRequestParameters: "DestinationIdentity"' in text


def test_code_for_says_when_nothing_at_all_was_sent(pinpoint_otp: PinpointOTP) -> None:
    with pytest.raises(LookupError, match=r"^No text was found\.\nNo OTP call has reached this fake\. "):
        pinpoint_otp.code_for()


def test_of_many_calls_that_failed_the_one_that_was_meant_is_shown(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.inject("THROTTLED", times=None)
    send(pinpoint_otp_client, ReferenceId="meant")
    for number in range(15):
        send(pinpoint_otp_client, DestinationIdentity=f"+155501005{number:02}")

    with pytest.raises(LookupError) as caught:
        pinpoint_otp.code_for(DESTINATION, reference_id="meant", language="de-DE")
    shown = str(caught.value).partition("Calls that failed:\n")[2].splitlines()
    assert f"to {DESTINATION}, reference meant: THROTTLED" in shown[0]
    # Of those that are equally far off, the newest.
    assert "+15550100514" in shown[1]
    assert shown[10] == "  ... and 6 more"


def test_a_reference_that_no_terminal_can_show_is_quoted(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client, ReferenceId="a\nb\x1b[31m")

    with pytest.raises(AssertionError) as caught:
        pinpoint_otp.assert_not_sent()
    assert "reference 'a\\nb\\x1b[31m', code" in str(caught.value)


def test_a_matcher_needs_no_more_than_its_own_equality(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    class Ending(str):  # noqa: PLW1641 - never hashed
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            return isinstance(other, str) and other.endswith(str(self))

    pinpoint_otp.inject("OPT_OUT", destination=Ending("123"))
    send(pinpoint_otp_client)
    assert pinpoint_otp.calls[0].outcome == "OPT_OUT"
    send(pinpoint_otp_client)

    assert pinpoint_otp.inbox(Ending("123")) == pinpoint_otp.messages
    assert pinpoint_otp.inbox(Ending("124")) == []


@pytest.mark.parametrize("method", ["assert_called", "assert_not_called"])
@pytest.mark.parametrize("operation", [5, b"SendOTPMessage", ["SendOTPMessage"]])
def test_an_operation_that_is_no_text_is_a_mistake(pinpoint_otp: PinpointOTP, method: str, operation: Any) -> None:
    with pytest.raises(TypeError, match=f"{method}: operation takes a str, not "):
        getattr(pinpoint_otp, method)(operation)


@pytest.mark.parametrize(("sent", "last"), [(10, "reference-0"), (11, "  ... and 1 more"), (12, "  ... and 2 more")])
def test_errors_show_ten_records_and_how_many_more_there_are(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, sent: int, last: str
) -> None:
    for number in range(sent):
        send(pinpoint_otp_client, ReferenceId=f"reference-{number}")

    with pytest.raises(LookupError) as caught:
        pinpoint_otp.code_for(OTHER_DESTINATION)

    lines = str(caught.value).splitlines()
    assert len(lines) == 1 + 1 + min(sent, 11)
    assert f"reference-{sent - 1}" in lines[2]
    assert last in lines[-1]


# -- Assertions --------------------------------------------------------------------------------------------------------


def test_assert_sent_returns_the_newest_match(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client, BrandName="First")
    send(pinpoint_otp_client, BrandName="Second")
    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
    _, second, other = pinpoint_otp.messages

    assert pinpoint_otp.assert_sent() is other
    assert pinpoint_otp.assert_sent(DESTINATION) is second
    assert pinpoint_otp.assert_sent(DESTINATION, times=2) is second
    assert pinpoint_otp.assert_sent(DESTINATION, times=1, brand_name="Second") is second
    assert pinpoint_otp.assert_sent(ANY, times=3) is other


def test_assert_sent_fails_where_nothing_matches_and_shows_the_near_misses(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    send(pinpoint_otp_client)
    pinpoint_otp.inject("THROTTLED")
    send(pinpoint_otp_client, ReferenceId="throttled")

    with pytest.raises(AssertionError) as caught:
        pinpoint_otp.assert_sent(DESTINATION, language="de-DE")

    text = str(caught.value)
    assert text.startswith(f"No text to {DESTINATION} with language='de-DE' was found.\n")
    assert "-- language is None" in text
    assert "reference throttled: THROTTLED" in text


@pytest.mark.parametrize(("times", "expected"), [(1, "1 text"), (3, "3 texts")])
def test_assert_sent_fails_where_there_are_more_or_less_and_shows_them(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, times: int, expected: str
) -> None:
    send(pinpoint_otp_client)
    send(pinpoint_otp_client)
    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)

    with pytest.raises(AssertionError) as caught:
        pinpoint_otp.assert_sent(DESTINATION, times=times)

    text = str(caught.value)
    assert text.startswith(f"Expected {expected} to {DESTINATION}, found 2.\nFound:\n")
    assert text.count(f"text to {DESTINATION}, reference") == 2
    assert f"-- destination is '{OTHER_DESTINATION}'" in text


def test_assert_not_sent_passes_where_nothing_matches(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.assert_not_sent()
    pinpoint_otp.inject("THROTTLED")
    send(pinpoint_otp_client)
    pinpoint_otp.assert_not_sent()
    send(pinpoint_otp_client)
    pinpoint_otp.assert_not_sent(OTHER_DESTINATION)
    pinpoint_otp.assert_not_sent(DESTINATION, brand_name="Another")


def test_assert_not_sent_fails_and_shows_what_was_sent(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)

    with pytest.raises(AssertionError) as caught:
        pinpoint_otp.assert_not_sent(DESTINATION)

    text = str(caught.value)
    assert text.startswith(f"Expected no text to {DESTINATION}, found 1.\n")
    assert f"reference {REFERENCE}, code {pinpoint_otp.code_for(DESTINATION)}" in text
    with pytest.raises(AssertionError, match=r"^Expected no text, found 1\.\n"):
        pinpoint_otp.assert_not_sent()


def test_assert_called_is_about_sends_unless_told_otherwise(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    verify(pinpoint_otp_client, "1")

    with pytest.raises(AssertionError) as caught:
        pinpoint_otp.assert_called()

    assert str(caught.value).startswith("No call of SendOTPMessage was found.\n")
    assert "-- operation is 'VerifyOTPMessage'" in str(caught.value)
    assert pinpoint_otp.assert_called("VerifyOTPMessage") == pinpoint_otp.calls[0]
    assert pinpoint_otp.assert_called(operation="VerifyOTPMessage", times=1) == pinpoint_otp.calls[0]
    assert pinpoint_otp.assert_called(ANY) == pinpoint_otp.calls[0]


def test_assert_called_counts_calls_however_they_ended_and_not_attempts(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.inject("InternalServerErrorException", "THROTTLED")
    with pytest.raises(pinpoint_otp_client.exceptions.InternalServerErrorException):
        send(pinpoint_otp_client)
    send(pinpoint_otp_client)
    send(pinpoint_otp_client)

    assert pinpoint_otp.assert_called(times=3) == pinpoint_otp.calls[-1]
    assert pinpoint_otp.assert_called(times=1, outcome="THROTTLED") == pinpoint_otp.calls[1]
    assert pinpoint_otp.assert_called(status_code=500).outcome == "InternalServerErrorException"


def test_assert_called_compares_the_whole_request(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)

    pinpoint_otp.assert_called(request=send_request())
    pinpoint_otp.assert_called(request=send_request(ReferenceId=ANY))
    with pytest.raises(AssertionError, match="-- request is"):
        pinpoint_otp.assert_called(request=send_request(BrandName="Another"))


def test_assert_called_shows_calls_that_never_left_botocore(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    with pytest.raises(ParamValidationError):
        pinpoint_otp_client.verify_otp_message(**verify_request(None))

    with pytest.raises(AssertionError) as caught:
        pinpoint_otp.assert_called("VerifyOTPMessage")

    assert "Never left botocore:" in str(caught.value)
    assert "VerifyOTPMessage: Parameter validation failed" in str(caught.value)


def test_assert_called_fails_where_there_are_more_or_less(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)
    send(pinpoint_otp_client)

    with pytest.raises(AssertionError, match=r"^Expected 1 call of SendOTPMessage, found 2\.\nFound:\n"):
        pinpoint_otp.assert_called(times=1)


def test_assert_not_called_is_about_every_operation_unless_told_otherwise(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.assert_not_called()
    verify(pinpoint_otp_client, "1")

    pinpoint_otp.assert_not_called("SendOTPMessage")
    pinpoint_otp.assert_not_called(destination=OTHER_DESTINATION)
    with pytest.raises(AssertionError) as caught:
        pinpoint_otp.assert_not_called()
    assert str(caught.value).startswith("Expected no call, found 1.\nFound:\n")
    assert f"VerifyOTPMessage to {DESTINATION}, reference {REFERENCE}: INVALID" in str(caught.value)
    with pytest.raises(AssertionError, match=r"^Expected no call of VerifyOTPMessage to \+15550100123, found 1\."):
        pinpoint_otp.assert_not_called("VerifyOTPMessage", destination=DESTINATION)


def test_a_refused_call_counts_as_called_and_not_as_sent(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    with pytest.raises(pinpoint_otp_client.exceptions.BadRequestException):
        send(pinpoint_otp_client, CodeLength=9)

    pinpoint_otp.assert_called(outcome="BadRequestException")
    pinpoint_otp.assert_not_sent()


def test_a_call_without_attempts_is_in_the_errors_too(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    errors = []

    def look(call: Call) -> None:
        assert pinpoint_otp.calls == [call]
        with pytest.raises(AssertionError) as caught:
            pinpoint_otp.assert_not_called()
        errors.append(str(caught.value))

    pinpoint_otp.inject(look, optional=True)
    send(pinpoint_otp_client)

    assert f"SendOTPMessage to {DESTINATION}, reference {REFERENCE}: None" in errors[0]


# -- Selectors that are mistaken ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["inbox", "code_for", "wrong_code", "assert_sent", "assert_not_sent"])
def test_an_unknown_field_of_a_message_is_a_mistake_even_where_nothing_was_sent(
    pinpoint_otp: PinpointOTP, method: str
) -> None:
    with pytest.raises(TypeError, match=r"SentMessage has no field 'referense_id'\. Did you mean 'reference_id'\?"):
        getattr(pinpoint_otp, method)(DESTINATION, referense_id=REFERENCE)


@pytest.mark.parametrize("method", ["assert_called", "assert_not_called"])
def test_an_unknown_field_of_a_call_is_a_mistake_even_where_nothing_was_called(
    pinpoint_otp: PinpointOTP, method: str
) -> None:
    with pytest.raises(TypeError, match=r"Call has no field 'outcom'\. Did you mean 'outcome'\?"):
        getattr(pinpoint_otp, method)(outcom="THROTTLED")
    with pytest.raises(TypeError, match=r"Call has no field 'xyzzy'\. Choose from: application_id, at, attempts"):
        getattr(pinpoint_otp, method)(xyzzy=1)


@pytest.mark.parametrize("method", ["assert_called", "assert_not_called"])
def test_an_operation_that_is_not_faked_is_a_mistake(pinpoint_otp: PinpointOTP, method: str) -> None:
    with pytest.raises(ValueError, match=r"'SendOTPMesage' is not faked\. Did you mean 'SendOTPMessage'\?$"):
        getattr(pinpoint_otp, method)("SendOTPMesage")
    by_keyword = rf"is not faked\. A destination is given by keyword here: destination='{re.escape(DESTINATION)}'\.$"
    with pytest.raises(ValueError, match=by_keyword):
        getattr(pinpoint_otp, method)(DESTINATION)


@pytest.mark.parametrize(
    ("method", "otherwise"), [("assert_sent", "assert_not_sent"), ("assert_called", "assert_not_called")]
)
def test_times_takes_an_int_of_one_or_more(pinpoint_otp: PinpointOTP, method: str, otherwise: str) -> None:
    for times in (0, -1):
        with pytest.raises(ValueError, match=rf"{method}: times is {times}, .*{otherwise}\(\)"):
            getattr(pinpoint_otp, method)(times=times)
    for times in ("1", 1.0, True):
        with pytest.raises(TypeError, match=rf"{method}: times takes an int, not {times!r}"):
            getattr(pinpoint_otp, method)(times=times)


# -- Reset -------------------------------------------------------------------------------------------------------------


def test_reset_starts_afresh_as_entered(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp() as fake:
        send(pinpoint_otp_client)
        first = fake.messages[0]
        verify(pinpoint_otp_client, first.code)
        fake.advance(days=1)
        fake.queue_codes("012345")
        fake.opt_out(DESTINATION)
        injection = fake.inject("THROTTLED")
        standing = fake.inject("DUPLICATE", times=None)
        with pytest.raises(ParamValidationError):
            send(pinpoint_otp_client, Language=None)

        fake.reset()

        assert fake.calls == fake.messages == fake.verifications == fake.inbox() == []
        assert fake.now() - first.sent_at < timedelta(hours=1)
        assert injection.remaining == standing.remaining == 0
        assert not verify(pinpoint_otp_client, first.code)
        assert fake.verifications[0].reason == "NEVER_SENT"
        fake.reset()
        send(pinpoint_otp_client)
        again = fake.messages[0]
        assert (again.code, again.message_id, again.request_id) == (first.code, first.message_id, first.request_id)
        with pytest.raises(LookupError) as caught:
            fake.code_for(OTHER_DESTINATION)
        assert "Never left botocore" not in str(caught.value)


def test_reset_inside_a_block_of_an_injection_leaves_the_block_in_peace(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    with pinpoint_otp.inject("THROTTLED"):
        pinpoint_otp.reset()
        send(pinpoint_otp_client)

    assert len(pinpoint_otp.messages) == 1
