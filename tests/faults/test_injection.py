"""Which call gets which outcome: injections per call and per attempt, their order, filters, handles and callables."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

import boto3
import pytest
from botocore import exceptions
from botocore.config import Config
from helpers import DESTINATION, OTHER_DESTINATION, send, send_request, send_status, verify

from pytest_pinpoint_otp import (
    Call,
    Delivery,
    DeliveryStatus,
    ErrorResponse,
    PinpointOTP,
    active_pinpoint_otp,
    mock_pinpoint_otp,
)

RETRIED = "InternalServerErrorException"
"""An error that every retry mode of botocore retries."""


def make_client(*, attempts: int) -> Any:
    """Return a client, as an application has it, that makes at most so many attempts of a call."""
    return boto3.client(
        "pinpoint",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"mode": "standard", "total_max_attempts": attempts}),
    )


THREE_ATTEMPTS = make_client(attempts=3)
ONE_ATTEMPT = make_client(attempts=1)


def outcomes(fake: PinpointOTP) -> list[list[str]]:
    """Return the outcomes of every attempt of every call."""
    return [[attempt.outcome for attempt in call.attempts] for call in fake.calls]


# -- Sequences and counts ----------------------------------------------------------------------------------------------


def test_an_injection_answers_the_next_call_only(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(DeliveryStatus.THROTTLED)

    assert [send_status(ONE_ATTEMPT) for _ in range(3)] == ["THROTTLED", "SUCCESSFUL", "SUCCESSFUL"]


def test_a_sequence_is_given_in_turn(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("THROTTLED", "SUCCESSFUL", Delivery("DUPLICATE"))

    assert [send_status(ONE_ATTEMPT) for _ in range(4)] == ["THROTTLED", "SUCCESSFUL", "DUPLICATE", "SUCCESSFUL"]


def test_times_repeats_the_whole_sequence(pinpoint_otp: PinpointOTP) -> None:
    injection = pinpoint_otp.inject("THROTTLED", "DUPLICATE", times=2)
    assert (injection.used, injection.remaining) == (0, 4)

    assert [send_status(ONE_ATTEMPT) for _ in range(5)] == [
        "THROTTLED",
        "DUPLICATE",
        "THROTTLED",
        "DUPLICATE",
        "SUCCESSFUL",
    ]
    assert (injection.used, injection.remaining) == (4, 0)


def test_a_standing_injection_goes_round_for_ever(pinpoint_otp: PinpointOTP) -> None:
    injection = pinpoint_otp.inject("THROTTLED", "DUPLICATE", times=None)

    assert [send_status(ONE_ATTEMPT) for _ in range(5)] == ["THROTTLED", "DUPLICATE"] * 2 + ["THROTTLED"]
    assert (injection.used, injection.remaining) == (5, None)


def test_after_lets_matching_calls_pass_first(pinpoint_otp: PinpointOTP) -> None:
    injection = pinpoint_otp.inject("THROTTLED", after=2)

    assert [send_status(ONE_ATTEMPT) for _ in range(4)] == ["SUCCESSFUL", "SUCCESSFUL", "THROTTLED", "SUCCESSFUL"]
    assert (injection.used, injection.remaining) == (1, 0)


def test_after_counts_matching_calls_only(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("THROTTLED", after=1, destination=OTHER_DESTINATION)

    statuses = [
        send_status(ONE_ATTEMPT, DestinationIdentity=destination)
        for destination in (DESTINATION, OTHER_DESTINATION, DESTINATION, OTHER_DESTINATION)
    ]

    assert statuses == ["SUCCESSFUL", "SUCCESSFUL", "SUCCESSFUL", "THROTTLED"]


def test_after_counts_calls_that_another_injection_answers(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("DUPLICATE", times=2)
    pinpoint_otp.inject("THROTTLED", after=2)

    assert [send_status(ONE_ATTEMPT) for _ in range(4)] == ["DUPLICATE", "DUPLICATE", "THROTTLED", "SUCCESSFUL"]


def test_after_lets_pass_for_a_standing_injection_too(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("THROTTLED", after=1, times=None)

    assert [send_status(ONE_ATTEMPT) for _ in range(3)] == ["SUCCESSFUL", "THROTTLED", "THROTTLED"]


def test_after_counts_calls_that_opted_out_numbers_end(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.opt_out(DESTINATION)
    pinpoint_otp.inject("THROTTLED", after=1)

    assert [send_status(ONE_ATTEMPT) for _ in range(3)] == ["OPT_OUT", "THROTTLED", "OPT_OUT"]


def test_an_injection_is_for_its_operation_alone(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("ForbiddenException", operation="VerifyOTPMessage")

    assert send_status(ONE_ATTEMPT) == "SUCCESSFUL"
    with pytest.raises(ONE_ATTEMPT.exceptions.ForbiddenException):
        verify(ONE_ATTEMPT, pinpoint_otp.code_for(DESTINATION))
    assert verify(ONE_ATTEMPT, pinpoint_otp.code_for(DESTINATION))


# -- Filters -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "parameter", "value"),
    [
        ("destination", "DestinationIdentity", OTHER_DESTINATION),
        ("reference_id", "ReferenceId", "other"),
        ("application_id", "ApplicationId", "other"),
    ],
)
def test_a_filter_picks_the_calls(pinpoint_otp: PinpointOTP, field: str, parameter: str, value: str) -> None:
    pinpoint_otp.inject("THROTTLED", **{field: value})

    assert send_status(ONE_ATTEMPT) == "SUCCESSFUL"
    assert send_status(ONE_ATTEMPT, **{parameter: value}) == "THROTTLED"


def test_filters_must_all_match(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("THROTTLED", destination=DESTINATION, reference_id="other")

    assert send_status(ONE_ATTEMPT) == "SUCCESSFUL"
    assert send_status(ONE_ATTEMPT, DestinationIdentity=OTHER_DESTINATION, ReferenceId="other") == "SUCCESSFUL"
    assert send_status(ONE_ATTEMPT, ReferenceId="other") == "THROTTLED"


def test_filters_hold_for_verifications_too(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("ForbiddenException", operation="VerifyOTPMessage", reference_id="other")

    assert verify(ONE_ATTEMPT, "123456") is False
    with pytest.raises(ONE_ATTEMPT.exceptions.ForbiddenException):
        verify(ONE_ATTEMPT, "123456", ReferenceId="other")


def test_any_matches_every_value(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("THROTTLED", destination=ANY, reference_id=ANY, application_id=ANY)

    assert send_status(ONE_ATTEMPT) == "THROTTLED"


def test_an_object_with_an_equality_of_its_own_may_filter(pinpoint_otp: PinpointOTP) -> None:
    class Ending:
        def __init__(self, end: str) -> None:
            self.end = end

        def __eq__(self, other: object) -> bool:
            return isinstance(other, str) and other.endswith(self.end)

        __hash__ = None  # type: ignore[assignment]

    pinpoint_otp.inject("THROTTLED", destination=Ending("456"))

    assert send_status(ONE_ATTEMPT) == "SUCCESSFUL"
    assert send_status(ONE_ATTEMPT, DestinationIdentity=OTHER_DESTINATION) == "THROTTLED"


# -- Precedence --------------------------------------------------------------------------------------------------------


def test_finite_injections_come_oldest_first_then_standing_ones_newest_first(pinpoint_otp: PinpointOTP) -> None:
    older = pinpoint_otp.inject("PERMANENT_FAILURE", times=None)
    pinpoint_otp.inject("THROTTLED")
    newer = pinpoint_otp.inject("TEMPORARY_FAILURE", times=None)
    pinpoint_otp.inject("DUPLICATE")

    assert [send_status(ONE_ATTEMPT) for _ in range(4)] == [
        "THROTTLED",
        "DUPLICATE",
        "TEMPORARY_FAILURE",
        "TEMPORARY_FAILURE",
    ]
    newer.cancel()
    assert send_status(ONE_ATTEMPT) == "PERMANENT_FAILURE"
    older.cancel()
    assert send_status(ONE_ATTEMPT) == "SUCCESSFUL"


def test_injections_come_before_opt_outs(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.opt_out(DESTINATION)
    pinpoint_otp.inject("SUCCESSFUL", "DUPLICATE")

    assert [send_status(ONE_ATTEMPT) for _ in range(3)] == ["SUCCESSFUL", "DUPLICATE", "OPT_OUT"]
    assert len(pinpoint_otp.messages) == 1


@pytest.mark.parametrize(
    ("refused", "error"),
    [({"CodeLength": 9}, "BadRequestException"), ({"ApplicationId": "unknown"}, "NotFoundException")],
)
def test_refusals_come_before_every_injection(refused: dict[str, Any], error: str) -> None:
    with mock_pinpoint_otp(applications=["a1b2c3d4"]) as fake:
        finite = fake.inject("THROTTLED", after=1)
        standing = fake.inject("DUPLICATE", times=None)
        with pytest.raises(getattr(ONE_ATTEMPT.exceptions, error)):
            send(ONE_ATTEMPT, **refused)
        assert (finite.used, standing.used) == (0, 0)
        assert [send_status(ONE_ATTEMPT) for _ in range(3)] == ["DUPLICATE", "THROTTLED", "DUPLICATE"]


def test_a_successful_injection_issues_a_code_as_ever(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("SUCCESSFUL")
    send(ONE_ATTEMPT)

    assert verify(ONE_ATTEMPT, pinpoint_otp.code_for(DESTINATION))


# -- Per call and per attempt ------------------------------------------------------------------------------------------


def test_per_call_the_application_sees_the_outcome_however_often_botocore_retries(pinpoint_otp: PinpointOTP) -> None:
    injection = pinpoint_otp.inject(RETRIED)

    with pytest.raises(THREE_ATTEMPTS.exceptions.InternalServerErrorException):
        send(THREE_ATTEMPTS)
    assert send_status(THREE_ATTEMPTS) == "SUCCESSFUL"

    assert outcomes(pinpoint_otp) == [[RETRIED] * 3, ["SUCCESSFUL"]]
    assert (injection.used, injection.remaining) == (1, 0)


def test_per_attempt_botocore_s_own_retry_may_hide_the_outcome(pinpoint_otp: PinpointOTP) -> None:
    injection = pinpoint_otp.inject(RETRIED, per="attempt", times=2)

    assert send_status(THREE_ATTEMPTS) == "SUCCESSFUL"

    assert outcomes(pinpoint_otp) == [[RETRIED, RETRIED, "SUCCESSFUL"]]
    assert (injection.used, injection.remaining) == (2, 0)
    assert len(pinpoint_otp.messages) == 1


def test_per_attempt_outcomes_run_on_into_the_next_call(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(RETRIED, per="attempt", times=4)

    with pytest.raises(THREE_ATTEMPTS.exceptions.InternalServerErrorException):
        send(THREE_ATTEMPTS)
    send(THREE_ATTEMPTS)

    assert outcomes(pinpoint_otp) == [[RETRIED] * 3, [RETRIED, "SUCCESSFUL"]]


def test_per_attempt_after_counts_attempts(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(RETRIED, per="attempt", times=3)
    pinpoint_otp.inject("DUPLICATE", per="attempt", after=4)

    with pytest.raises(THREE_ATTEMPTS.exceptions.InternalServerErrorException):
        send(THREE_ATTEMPTS)
    assert [send_status(THREE_ATTEMPTS) for _ in range(3)] == ["SUCCESSFUL", "DUPLICATE", "SUCCESSFUL"]


def test_per_attempt_after_counts_attempts_that_the_call_s_own_outcome_answers(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(RETRIED)
    pinpoint_otp.inject("DUPLICATE", per="attempt", after=3)

    with pytest.raises(THREE_ATTEMPTS.exceptions.InternalServerErrorException):
        send(THREE_ATTEMPTS)
    assert send_status(THREE_ATTEMPTS) == "DUPLICATE"


def test_per_call_after_counts_a_call_once_however_many_attempts_it_has(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(RETRIED, per="attempt", times=2)
    pinpoint_otp.inject("DUPLICATE", after=1)

    assert [send_status(THREE_ATTEMPTS) for _ in range(3)] == ["SUCCESSFUL", "DUPLICATE", "SUCCESSFUL"]
    assert outcomes(pinpoint_otp)[0] == [RETRIED, RETRIED, "SUCCESSFUL"]


def test_a_per_call_outcome_once_taken_answers_before_other_injections(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(RETRIED)
    per_attempt = pinpoint_otp.inject("DUPLICATE", per="attempt")

    with pytest.raises(THREE_ATTEMPTS.exceptions.InternalServerErrorException):
        send(THREE_ATTEMPTS)

    assert outcomes(pinpoint_otp) == [[RETRIED] * 3]
    assert per_attempt.used == 0
    assert send_status(THREE_ATTEMPTS) == "DUPLICATE"


def test_a_call_first_answered_per_attempt_may_still_take_a_per_call_outcome(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("TooManyRequestsException", per="attempt")
    per_call = pinpoint_otp.inject(RETRIED)

    with pytest.raises(THREE_ATTEMPTS.exceptions.InternalServerErrorException):
        send(THREE_ATTEMPTS)

    assert outcomes(pinpoint_otp) == [["TooManyRequestsException", RETRIED, RETRIED]]
    assert (per_call.used, per_call.remaining) == (1, 0)


def test_a_cancelled_injection_still_answers_the_call_that_has_taken_it(pinpoint_otp: PinpointOTP) -> None:
    injection = pinpoint_otp.inject(RETRIED, times=None)
    client = make_client(attempts=3)
    client.meta.events.register("needs-retry.pinpoint.SendOTPMessage", lambda **kwargs: injection.cancel())

    with pytest.raises(client.exceptions.InternalServerErrorException):
        send(client)

    assert send_status(client) == "SUCCESSFUL"
    assert outcomes(pinpoint_otp) == [[RETRIED] * 3, ["SUCCESSFUL"]]


def test_botocore_numbers_its_attempts(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(RETRIED, per="attempt", times=2)

    response = THREE_ATTEMPTS.send_otp_message(**send_request())

    assert response["ResponseMetadata"]["RetryAttempts"] == 2
    assert [attempt.number for attempt in pinpoint_otp.calls[0].attempts] == [1, 2, 3]


# -- Callables ---------------------------------------------------------------------------------------------------------


def test_a_callable_is_given_the_call_as_it_is_before_the_attempt(pinpoint_otp: PinpointOTP) -> None:
    seen: list[Call] = []
    pinpoint_otp.inject(lambda call: seen.append(call) or "THROTTLED")

    send(ONE_ATTEMPT, CodeLength=8)

    (call,) = seen
    assert isinstance(call, Call)
    assert call.operation == "SendOTPMessage"
    assert call.destination == DESTINATION
    assert call.parameters["CodeLength"] == 8
    assert call.attempts == ()
    assert (call.outcome, call.status_code, call.error_message, call.request_id, call.at) == (None,) * 5


def test_a_callable_sees_the_earlier_attempts_only(pinpoint_otp: PinpointOTP) -> None:
    def fail_twice(call: Call) -> str:
        return RETRIED if len(call.attempts) < 2 else "DUPLICATE"

    injection = pinpoint_otp.inject(fail_twice, per="attempt", times=None)

    assert send_status(THREE_ATTEMPTS) == "DUPLICATE"
    assert outcomes(pinpoint_otp) == [[RETRIED, RETRIED, "DUPLICATE"]]
    assert injection.used == 3


def test_a_callable_per_call_is_asked_once_for_all_attempts(pinpoint_otp: PinpointOTP) -> None:
    seen: list[Call] = []
    pinpoint_otp.inject(lambda call: seen.append(call) or RETRIED)

    with pytest.raises(THREE_ATTEMPTS.exceptions.InternalServerErrorException):
        send(THREE_ATTEMPTS)

    assert len(seen) == 1
    assert outcomes(pinpoint_otp) == [[RETRIED] * 3]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (DeliveryStatus.THROTTLED, "THROTTLED"),
        ("THROTTLED", "THROTTLED"),
        (Delivery("DUPLICATE", status_code=200), "DUPLICATE"),
        ("ForbiddenException", "ForbiddenException"),
        (ErrorResponse("SlowDown", status_code=418), "SlowDown"),
        (ONE_ATTEMPT.exceptions.NotFoundException, "NotFoundException"),
        (exceptions.ReadTimeoutError, "ReadTimeoutError"),
        (exceptions.ReadTimeoutError(endpoint_url="https://example.com"), "ReadTimeoutError"),
    ],
)
def test_a_callable_may_return_every_kind_of_outcome(pinpoint_otp: PinpointOTP, answer: Any, outcome: str) -> None:
    pinpoint_otp.inject(lambda call: answer)

    try:
        send(ONE_ATTEMPT)
    except (exceptions.ClientError, exceptions.ReadTimeoutError):
        assert outcome not in DeliveryStatus.__members__

    assert outcomes(pinpoint_otp) == [[outcome]]


def test_a_callable_that_returns_none_uses_nothing_and_the_next_injection_is_asked(pinpoint_otp: PinpointOTP) -> None:
    def only_other(call: Call) -> str | None:
        return "THROTTLED" if call.destination == OTHER_DESTINATION else None

    choosy = pinpoint_otp.inject(only_other)
    standing = pinpoint_otp.inject("DUPLICATE", times=None)

    assert send_status(ONE_ATTEMPT) == "DUPLICATE"
    assert (choosy.used, choosy.remaining, standing.used) == (0, 1, 1)
    assert send_status(ONE_ATTEMPT, DestinationIdentity=OTHER_DESTINATION) == "THROTTLED"
    assert (choosy.used, choosy.remaining, standing.used) == (1, 0, 1)


def test_where_every_callable_declines_opt_outs_and_then_the_service_answer(pinpoint_otp: PinpointOTP) -> None:
    injection = pinpoint_otp.inject(lambda call: None, times=None)

    assert send_status(ONE_ATTEMPT) == "SUCCESSFUL"
    pinpoint_otp.opt_out(DESTINATION)
    assert send_status(ONE_ATTEMPT) == "OPT_OUT"
    assert injection.used == 0


def test_a_callable_that_declined_is_asked_again_for_the_next_attempt(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(RETRIED, per="attempt")
    late = pinpoint_otp.inject(lambda call: "DUPLICATE" if call.attempts else None)

    assert send_status(THREE_ATTEMPTS) == "DUPLICATE"
    assert late.used == 1


def test_a_callable_that_ends_the_test_uses_nothing_up_and_is_no_mistake(pinpoint_otp: PinpointOTP) -> None:
    injection = pinpoint_otp.inject(lambda call: pytest.fail("not now"), optional=True)

    with pytest.raises(pytest.fail.Exception, match="not now"):
        send(ONE_ATTEMPT)
    assert injection.used == 0
    assert pinpoint_otp.calls[-1].attempts == ()


def test_a_callable_cannot_change_what_was_checked(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(lambda call: call.parameters.update(BrandName="x" * 99))

    with pytest.raises(TypeError, match=r"belongs to a record and cannot be changed; dict\(\.\.\.\) makes a copy"):
        send_status(ONE_ATTEMPT)
    assert len(pinpoint_otp.calls[0].parameters["BrandName"]) <= 20
    pinpoint_otp.reset()


def test_a_callable_keeps_its_place_in_a_sequence_until_it_answers(pinpoint_otp: PinpointOTP) -> None:
    answers = iter([None, "THROTTLED"])
    pinpoint_otp.inject("DUPLICATE", lambda call: next(answers), "PERMANENT_FAILURE")

    assert [send_status(ONE_ATTEMPT) for _ in range(4)] == [
        "DUPLICATE",
        "SUCCESSFUL",
        "THROTTLED",
        "PERMANENT_FAILURE",
    ]


def test_a_callable_that_is_being_asked_is_not_forgotten_when_another_injection_comes(
    pinpoint_otp: PinpointOTP,
) -> None:
    asked = []

    def decline_first(call: Call) -> str | None:
        asked.append(call)
        pinpoint_otp.inject("DUPLICATE", reference_id="another", optional=True)
        return "THROTTLED" if len(asked) > 1 else None

    injection = pinpoint_otp.inject(decline_first)

    assert [send_status(ONE_ATTEMPT) for _ in range(3)] == ["SUCCESSFUL", "THROTTLED", "SUCCESSFUL"]
    assert injection.remaining == 0


def test_after_lets_a_call_pass_before_a_callable_is_asked(pinpoint_otp: PinpointOTP) -> None:
    asked: list[Call] = []
    pinpoint_otp.inject(asked.append, after=1, optional=True)

    send(ONE_ATTEMPT)
    assert asked == []
    send(ONE_ATTEMPT)
    assert len(asked) == 1


def test_a_callable_may_use_the_fake(pinpoint_otp: PinpointOTP) -> None:
    def expire_first(call: Call) -> None:
        pinpoint_otp.advance(minutes=15)
        pinpoint_otp.inject("DUPLICATE")

    send(ONE_ATTEMPT)
    pinpoint_otp.inject(expire_first, operation="VerifyOTPMessage", optional=True)

    assert not verify(ONE_ATTEMPT, pinpoint_otp.code_for(DESTINATION))
    assert pinpoint_otp.verifications[0].reason == "EXPIRED"
    assert send_status(ONE_ATTEMPT) == "DUPLICATE"


def test_a_callable_may_make_calls_of_its_own(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(lambda call: send(ONE_ATTEMPT, ReferenceId="nested") and "THROTTLED", reference_id="outer")

    assert send_status(ONE_ATTEMPT, ReferenceId="outer") == "THROTTLED"
    assert [message.reference_id for message in pinpoint_otp.messages] == ["nested"]


def test_an_object_that_can_be_called_is_a_callable(pinpoint_otp: PinpointOTP) -> None:
    class Throttle:
        def __call__(self, call: Call) -> str:
            return "THROTTLED"

    pinpoint_otp.inject(Throttle())

    assert send_status(ONE_ATTEMPT) == "THROTTLED"


# -- The handle --------------------------------------------------------------------------------------------------------


def test_the_handle_offers_what_a_test_needs_and_nothing_else(pinpoint_otp: PinpointOTP) -> None:
    injection = pinpoint_otp.inject("THROTTLED", operation="send_otp_message", per="attempt", after=2, optional=True)
    assert [name for name in dir(injection) if not name.startswith("_")] == [
        "after",
        "cancel",
        "operation",
        "optional",
        "per",
        "remaining",
        "used",
    ]
    arranged = (injection.operation, injection.per, injection.after, injection.optional)
    assert arranged == ("SendOTPMessage", "attempt", 2, True)


def test_cancel_ends_an_injection_and_what_is_left_is_no_error() -> None:
    with mock_pinpoint_otp() as fake:
        injection = fake.inject("THROTTLED", times=3)
        assert send_status(ONE_ATTEMPT) == "THROTTLED"
        injection.cancel()
        injection.cancel()
        assert send_status(ONE_ATTEMPT) == "SUCCESSFUL"

    assert (injection.used, injection.remaining) == (1, 0)


def test_as_a_context_manager_an_injection_ends_with_its_block(pinpoint_otp: PinpointOTP) -> None:
    with pinpoint_otp.inject("THROTTLED", times=None) as injection:
        assert send_status(ONE_ATTEMPT) == "THROTTLED"

    assert send_status(ONE_ATTEMPT) == "SUCCESSFUL"
    assert (injection.used, injection.remaining) == (1, 0)


@pytest.mark.parametrize("times", [1, None])
def test_as_a_context_manager_an_injection_must_be_used(pinpoint_otp: PinpointOTP, times: int | None) -> None:
    with (
        pytest.raises(
            AssertionError,
            match=r"inject\('THROTTLED'.*was not used: no matching call .* check the filters, or say optional=True\.$",
        ),
        pinpoint_otp.inject("THROTTLED", times=times, destination=OTHER_DESTINATION),
    ):
        send(ONE_ATTEMPT)

    assert send_status(ONE_ATTEMPT, DestinationIdentity=OTHER_DESTINATION) == "SUCCESSFUL"


def test_as_a_context_manager_one_use_of_many_is_enough() -> None:
    with mock_pinpoint_otp() as fake, fake.inject("THROTTLED", times=5):
        send(ONE_ATTEMPT)


def test_an_optional_injection_may_be_left_unused() -> None:
    with mock_pinpoint_otp() as fake:
        fake.inject("THROTTLED", optional=True)
        with fake.inject("DUPLICATE", optional=True):
            pass


def test_a_block_that_raises_says_nothing_of_its_injection(pinpoint_otp: PinpointOTP) -> None:
    with pytest.raises(ZeroDivisionError), pinpoint_otp.inject("THROTTLED") as injection:
        raise ZeroDivisionError

    assert injection.remaining == 0
    assert send_status(ONE_ATTEMPT) == "SUCCESSFUL"


def test_a_cancelled_injection_need_not_have_been_used_by_the_end_of_its_block(pinpoint_otp: PinpointOTP) -> None:
    with pinpoint_otp.inject("THROTTLED") as injection:
        injection.cancel()

    assert injection.used == 0


def test_a_finite_injection_that_is_left_over_is_an_error_that_shows_it() -> None:
    @mock_pinpoint_otp()
    def arranges_in_vain() -> None:
        fake = active_pinpoint_otp()
        fake.inject("THROTTLED", ErrorResponse("SlowDown", status_code=503), per="attempt", times=2, after=1)
        fake.inject(ONE_ATTEMPT.exceptions.ForbiddenException, operation="VerifyOTPMessage", destination=DESTINATION)
        fake.queue_codes("012345", "678901")
        fake.inject("DUPLICATE", times=None)
        fake.inject("OPT_OUT", optional=True)

    with pytest.raises(AssertionError) as caught:
        arranges_in_vain()

    message = str(caught.value)
    assert "'THROTTLED'" in message
    assert "SlowDown" in message
    assert "per='attempt'" in message
    assert "times=2," in message
    assert "after=1" in message
    assert "used 0, 4 left" in message
    assert "ForbiddenException" in message
    assert "operation='VerifyOTPMessage'" in message
    assert f"destination='{DESTINATION}'" in message
    assert "queue_codes('012345', '678901')" in message
    assert "optional=True" in message
    assert "'DUPLICATE'" not in message
    assert "'OPT_OUT'" not in message


def test_left_over_injections_and_codes_may_be_on_purpose() -> None:
    with mock_pinpoint_otp(assert_all_used=False) as fake:
        fake.inject("THROTTLED")
        fake.queue_codes("012345")


def test_a_standing_injection_shows_in_its_own_words(pinpoint_otp: PinpointOTP) -> None:
    injection = pinpoint_otp.inject("THROTTLED", times=None, reference_id="other")

    assert repr(injection) == "inject('THROTTLED', operation='SendOTPMessage', times=None, reference_id='other')"


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        (DeliveryStatus.THROTTLED, "'THROTTLED'"),
        ("ForbiddenException", "'ForbiddenException'"),
        (ONE_ATTEMPT.exceptions.ForbiddenException, "ForbiddenException"),
        (exceptions.ReadTimeoutError, "ReadTimeoutError"),
        (exceptions.HTTPClientError(error="late"), "HTTPClientError("),
        (send, "send"),
        (Delivery("OPT_OUT", status_code=200), "Delivery('OPT_OUT', status_code=200)"),
        (ErrorResponse("SlowDown", status_code=503), "ErrorResponse('SlowDown', status_code=503)"),
    ],
)
def test_an_injection_shows_each_outcome_as_it_was_written(pinpoint_otp: PinpointOTP, outcome: Any, shown: str) -> None:
    injection = pinpoint_otp.inject(outcome, optional=True)

    assert repr(injection).startswith(f"inject({shown}")


def test_old_injections_are_forgotten_without_a_trace(pinpoint_otp: PinpointOTP) -> None:
    for _ in range(3):
        pinpoint_otp.inject("THROTTLED")
        pinpoint_otp.inject("DUPLICATE", times=None).cancel()
        assert send_status(ONE_ATTEMPT) == "THROTTLED"
        assert send_status(ONE_ATTEMPT) == "SUCCESSFUL"


# -- Opt-outs ----------------------------------------------------------------------------------------------------------


def test_an_opted_out_number_gets_no_text_until_it_opts_in(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.opt_out(DESTINATION)
    pinpoint_otp.opt_out(DESTINATION)

    assert [send_status(ONE_ATTEMPT) for _ in range(3)] == ["OPT_OUT"] * 3
    assert pinpoint_otp.messages == []
    assert send_status(ONE_ATTEMPT, DestinationIdentity=OTHER_DESTINATION) == "SUCCESSFUL"

    pinpoint_otp.opt_in(DESTINATION)
    assert send_status(ONE_ATTEMPT) == "SUCCESSFUL"


def test_an_opt_out_leaves_verifications_alone(pinpoint_otp: PinpointOTP) -> None:
    send(ONE_ATTEMPT)
    pinpoint_otp.opt_out(DESTINATION)

    assert send_status(ONE_ATTEMPT) == "OPT_OUT"
    assert verify(ONE_ATTEMPT, pinpoint_otp.code_for(DESTINATION))


def test_opting_in_without_an_opt_out_changes_nothing(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.opt_in(DESTINATION)

    assert send_status(ONE_ATTEMPT) == "SUCCESSFUL"


# -- Mistakes that show inside the application only --------------------------------------------------------------------


def test_a_queued_code_of_the_wrong_length_is_told_in_the_application_and_at_the_end() -> None:
    told = []

    @mock_pinpoint_otp()
    def queues_a_wrong_length() -> None:
        active_pinpoint_otp().queue_codes("01234567")
        with pytest.raises(ValueError, match=r"'01234567' has 8 digits.*SendOTPMessage to \+15550100123") as caught:
            send(THREE_ATTEMPTS)
        assert active_pinpoint_otp().messages == []
        assert outcomes(active_pinpoint_otp()) == [["ValueError"]]
        told.append(caught.value)

    with pytest.raises(ValueError, match="asks for 6") as caught:
        queues_a_wrong_length()

    assert told == [caught.value]


def test_a_callable_that_raises_is_told_in_the_application_and_at_the_end() -> None:
    def broken(call: Call) -> None:
        raise ZeroDivisionError("of the test")

    @mock_pinpoint_otp(assert_all_used=False)
    def injects_a_broken_callable() -> None:
        fake = active_pinpoint_otp()
        injection = fake.inject(broken)
        with pytest.raises(ZeroDivisionError, match="of the test"):
            send(THREE_ATTEMPTS)
        assert injection.used == 0
        assert outcomes(fake) == [["ZeroDivisionError"]]
        assert fake.calls[0].error_message == "of the test"

    with pytest.raises(ZeroDivisionError, match="of the test"):
        injects_a_broken_callable()


def test_a_callable_that_raises_what_a_call_may_end_in_is_told_to_return_it() -> None:
    error = exceptions.ReadTimeoutError(endpoint_url="https://example.com/")

    def raises_as_a_mock_does(call: Call) -> None:
        raise error

    @mock_pinpoint_otp()
    def injects_it() -> None:
        active_pinpoint_otp().inject(raises_as_a_mock_does, optional=True)
        send(THREE_ATTEMPTS)

    with pytest.raises(exceptions.ReadTimeoutError):
        injects_it()
    assert error.__notes__[1:] == [
        "If the call is to end in this, let the callable return 'ReadTimeoutError' instead of raising it."
    ]


@pytest.mark.parametrize(
    ("answer", "error", "match"),
    [
        (503, TypeError, r"503 \(int\) is not an outcome"),
        ("THROTLED", ValueError, "Did you mean 'THROTTLED'"),
        (lambda call: None, TypeError, "returned the callable"),
    ],
)
def test_a_callable_that_returns_no_outcome_is_a_mistake_too(answer: Any, error: type[Exception], match: str) -> None:
    @mock_pinpoint_otp()
    def injects_a_mistaken_callable() -> None:
        injection = active_pinpoint_otp().inject(lambda call: answer, optional=True)
        with pytest.raises(error, match=match):
            send(ONE_ATTEMPT)
        assert injection.used == 0

    with pytest.raises(error, match=match):
        injects_a_mistaken_callable()


def test_a_callable_that_returns_a_delivery_for_a_verification_is_a_mistake_too() -> None:
    @mock_pinpoint_otp()
    def delivers_a_verification() -> None:
        active_pinpoint_otp().inject(lambda call: "THROTTLED", operation="VerifyOTPMessage", optional=True)
        with pytest.raises(ValueError, match="VerifyOTPMessage delivers nothing"):
            verify(ONE_ATTEMPT, "123456")

    with pytest.raises(ValueError, match="VerifyOTPMessage delivers nothing"):
        delivers_a_verification()


def test_a_mistake_leaves_queue_and_earlier_code_as_they_were() -> None:
    @mock_pinpoint_otp()
    def goes_on_after_a_mistake() -> None:
        fake = active_pinpoint_otp()
        send(ONE_ATTEMPT)
        fake.queue_codes("01234567")
        with pytest.raises(ValueError, match="01234567"):
            send(ONE_ATTEMPT)
        assert verify(ONE_ATTEMPT, fake.code_for(DESTINATION))
        send(ONE_ATTEMPT, CodeLength=8)
        assert fake.code_for(DESTINATION) == "01234567"

    with pytest.raises(ValueError, match="01234567"):
        goes_on_after_a_mistake()


def test_an_exception_says_where_it_came_up_and_each_place_once() -> None:
    error = KeyError("the test's own")

    def fail(call: Call) -> None:
        raise error

    mock = mock_pinpoint_otp()
    mock.start().inject(fail, times=None)
    for destination in (DESTINATION, DESTINATION, OTHER_DESTINATION):
        with pytest.raises(KeyError):
            send(ONE_ATTEMPT, DestinationIdentity=destination)

    with pytest.raises(KeyError, match="the test's own"):
        mock.stop()
    came_up = "It came up while the fake answered SendOTPMessage to"
    assert error.__notes__ == [f"{came_up} {DESTINATION}.", f"{came_up} {OTHER_DESTINATION}."]


def test_reset_takes_a_mistake_back() -> None:
    with mock_pinpoint_otp() as fake:
        fake.queue_codes("01234567")
        with pytest.raises(ValueError, match="01234567"):
            send(ONE_ATTEMPT)
        fake.reset()
