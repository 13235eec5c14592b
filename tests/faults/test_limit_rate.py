"""A quota of the service's own: `limit_rate`, on the fake's clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError, ReadTimeoutError
from helpers import (
    APPLICATION,
    DESTINATION,
    ORIGINATION,
    OTHER_DESTINATION,
    REFERENCE,
    send,
    send_status,
    verify,
)
from hypothesis import given
from hypothesis import strategies as st

from pytest_pinpoint_otp import (
    Delivery,
    DeliveryStatus,
    ErrorResponse,
    LostResponse,
    PinpointOTP,
    RawResponse,
    mock_pinpoint_otp,
)
from pytest_pinpoint_otp.transports.botocore.client import make_client

MINUTE = timedelta(minutes=1)
MICROSECOND = timedelta(microseconds=1)
CLIENT = make_client()


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """Stop the clock: a boundary is exact."""
    with time_machine.travel(datetime(2026, 1, 2, 12, tzinfo=UTC), tick=False):
        yield


def statuses(client: Any, count: int, **overrides: Any) -> list[str]:
    """Send so many times, and return what the deliveries came to."""
    return [send_status(client, **overrides) for _ in range(count)]


# -- The window --------------------------------------------------------------------------------------------------------


def test_sends_up_to_the_count_are_delivered_and_the_next_is_throttled(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.limit_rate(2, per=MINUTE)
    assert statuses(pinpoint_otp_client, 4) == ["SUCCESSFUL", "SUCCESSFUL", "THROTTLED", "THROTTLED"]
    assert [call.outcome for call in pinpoint_otp.calls] == ["SUCCESSFUL", "SUCCESSFUL", "THROTTLED", "THROTTLED"]
    assert len(pinpoint_otp.messages) == 2


def test_a_delivery_leaves_the_window_exactly_when_the_duration_is_over(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.limit_rate(1, per=MINUTE)
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    pinpoint_otp.advance(MINUTE - MICROSECOND)
    assert send_status(pinpoint_otp_client) == "THROTTLED"
    pinpoint_otp.advance(MICROSECOND)
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"


def test_the_window_slides_over_each_delivery_by_itself(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(2, per=MINUTE)
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    pinpoint_otp.advance(seconds=40)
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    pinpoint_otp.advance(seconds=20)
    assert statuses(pinpoint_otp_client, 2) == ["SUCCESSFUL", "THROTTLED"]
    pinpoint_otp.advance(seconds=40)
    assert statuses(pinpoint_otp_client, 2) == ["SUCCESSFUL", "THROTTLED"]


def test_a_refused_send_does_not_make_the_window_longer(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(1, per=MINUTE)
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    pinpoint_otp.advance(seconds=59)
    assert statuses(pinpoint_otp_client, 5) == ["THROTTLED"] * 5
    pinpoint_otp.advance(seconds=1)
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"


def test_the_wall_clock_moves_the_window_as_well(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(1, per=MINUTE)
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    with time_machine.travel(datetime(2026, 1, 2, 12, 0, 59, tzinfo=UTC), tick=False):
        assert send_status(pinpoint_otp_client) == "THROTTLED"
    with time_machine.travel(datetime(2026, 1, 2, 12, 1, tzinfo=UTC), tick=False):
        assert send_status(pinpoint_otp_client) == "SUCCESSFUL"


def test_a_count_of_zero_refuses_every_send(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(0, per=MINUTE)
    assert send_status(pinpoint_otp_client) == "THROTTLED"
    pinpoint_otp.advance(days=400)
    assert send_status(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION) == "THROTTLED"
    pinpoint_otp.assert_not_sent()


def test_deliveries_before_the_quota_was_set_do_not_count(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    pinpoint_otp.limit_rate(1, per=MINUTE)
    assert statuses(pinpoint_otp_client, 2) == ["SUCCESSFUL", "THROTTLED"]


@given(
    count=st.integers(0, 4),
    per=st.integers(1, 10),
    steps=st.lists(st.integers(0, 6), max_size=30),
)
def test_a_send_is_delivered_where_fewer_than_the_count_lie_within_the_duration_before_it(
    count: int, per: int, steps: list[int]
) -> None:
    delivered: list[int] = []
    now = 0
    with mock_pinpoint_otp() as fake:
        fake.limit_rate(count, per=timedelta(seconds=per))
        for step in steps:
            now += step
            fake.advance(seconds=step)
            within = [at for at in delivered if now - per < at]
            expected = "SUCCESSFUL" if len(within) < count else "THROTTLED"
            assert send_status(CLIENT) == expected
            if expected == "SUCCESSFUL":
                delivered.append(now)


# -- For each of what --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "same", "other"),
    [
        pytest.param("destination", "DestinationIdentity", OTHER_DESTINATION, id="destination"),
        pytest.param("origination", "OriginationIdentity", "+15550100998", id="origination"),
        pytest.param("application", "ApplicationId", "e5f6a7b8", id="application"),
    ],
)
def test_a_quota_is_for_each_destination_origination_or_application_by_itself(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, by: str, same: str, other: str
) -> None:
    pinpoint_otp.limit_rate(1, per=MINUTE, by=by)
    everything = {
        "DestinationIdentity": OTHER_DESTINATION,
        "OriginationIdentity": "+15550100998",
        "ApplicationId": "e5f6a7b8",
        "ReferenceId": "log-in",
        "BrandName": "Other",
    }
    del everything[same]
    assert statuses(pinpoint_otp_client, 2) == ["SUCCESSFUL", "THROTTLED"]
    assert send_status(pinpoint_otp_client, **everything) == "THROTTLED"
    assert statuses(pinpoint_otp_client, 2, **{same: other}) == ["SUCCESSFUL", "THROTTLED"]


def test_a_sender_id_in_other_letters_is_another_origination(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.limit_rate(1, per=MINUTE, by="origination")

    for origination in ("Example", "EXAMPLE", "example"):
        assert statuses(pinpoint_otp_client, 2, OriginationIdentity=origination) == ["SUCCESSFUL", "THROTTLED"]


def test_several_quotas_hold_together(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(2, per=MINUTE)
    pinpoint_otp.limit_rate(3, per=timedelta(hours=1), by="application", outcome="TooManyRequestsException")
    assert statuses(pinpoint_otp_client, 3) == ["SUCCESSFUL", "SUCCESSFUL", "THROTTLED"]
    assert send_status(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION) == "SUCCESSFUL"
    with pytest.raises(pinpoint_otp_client.exceptions.TooManyRequestsException):
        send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
    pinpoint_otp.advance(MINUTE)
    with pytest.raises(pinpoint_otp_client.exceptions.TooManyRequestsException):
        send(pinpoint_otp_client)


def test_of_two_quotas_that_are_both_reached_the_one_set_first_answers(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.limit_rate(0, per=MINUTE, outcome="TEMPORARY_FAILURE")
    pinpoint_otp.limit_rate(0, per=MINUTE, outcome="PERMANENT_FAILURE")
    assert send_status(pinpoint_otp_client) == "TEMPORARY_FAILURE"


# -- What counts -------------------------------------------------------------------------------------------------------


def test_what_issue_arranges_is_neither_counted_nor_refused(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    def issue() -> None:
        pinpoint_otp.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE)

    pinpoint_otp.limit_rate(1, per=MINUTE)
    issue()
    assert statuses(pinpoint_otp_client, 2) == ["SUCCESSFUL", "THROTTLED"]
    issue()
    pinpoint_otp.assert_sent(times=3)


def test_calls_that_deliver_nothing_do_not_count(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(1, per=MINUTE)
    pinpoint_otp.inject("TEMPORARY_FAILURE", RawResponse(404))
    pinpoint_otp.opt_out(DESTINATION)
    assert send_status(pinpoint_otp_client) == "TEMPORARY_FAILURE"
    with pytest.raises(ClientError):
        send(pinpoint_otp_client)
    with pytest.raises(pinpoint_otp_client.exceptions.BadRequestException):
        send(pinpoint_otp_client, CodeLength=4)
    assert send_status(pinpoint_otp_client) == "OPT_OUT"
    assert not verify(pinpoint_otp_client, "012345")
    pinpoint_otp.opt_in(DESTINATION)
    assert statuses(pinpoint_otp_client, 2) == ["SUCCESSFUL", "THROTTLED"]


def test_a_delivery_whose_answer_is_lost_counts(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(1, per=MINUTE)
    pinpoint_otp.inject(LostResponse(), per="attempt")
    # botocore repeats the call, and its second attempt is over the limit.
    assert send_status(pinpoint_otp_client) == "THROTTLED"
    (call,) = pinpoint_otp.calls
    assert [attempt.outcome for attempt in call.attempts] == ["ReadTimeoutError", "THROTTLED"]
    pinpoint_otp.assert_sent(times=1)


def test_a_throttled_send_leaves_the_earlier_code_alive(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(1, per=MINUTE)
    assert statuses(pinpoint_otp_client, 2) == ["SUCCESSFUL", "THROTTLED"]
    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))


def test_a_throttled_send_uses_no_queued_code(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(1, per=MINUTE)
    pinpoint_otp.queue_codes("111111", "222222")
    assert statuses(pinpoint_otp_client, 2) == ["SUCCESSFUL", "THROTTLED"]
    pinpoint_otp.advance(MINUTE)
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    assert [message.code for message in pinpoint_otp.messages] == ["111111", "222222"]


def test_a_quota_does_not_touch_verifications(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    code = pinpoint_otp.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE).code
    pinpoint_otp.limit_rate(0, per=MINUTE)
    assert verify(pinpoint_otp_client, code)


def test_a_quota_that_no_send_reaches_is_no_error_at_the_end(pinpoint_otp: PinpointOTP) -> None:
    with mock_pinpoint_otp() as fake:
        fake.limit_rate(0, per=MINUTE)


# -- Precedence --------------------------------------------------------------------------------------------------------


def test_a_refused_request_is_refused_before_the_quota_is_asked(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.limit_rate(0, per=MINUTE)
    with pytest.raises(pinpoint_otp_client.exceptions.BadRequestException):
        send(pinpoint_otp_client, CodeLength=4)


@pytest.mark.parametrize("times", [1, None], ids=["finite", "standing"])
def test_injections_come_before_quotas(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, times: int | None) -> None:
    pinpoint_otp.limit_rate(0, per=MINUTE)
    injection = pinpoint_otp.inject("PERMANENT_FAILURE", times=times)
    assert send_status(pinpoint_otp_client) == "PERMANENT_FAILURE"
    injection.cancel()
    assert send_status(pinpoint_otp_client) == "THROTTLED"


def test_an_injected_success_passes_the_quota_and_counts(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(1, per=MINUTE)
    pinpoint_otp.inject("SUCCESSFUL", times=2)
    assert statuses(pinpoint_otp_client, 3) == ["SUCCESSFUL", "SUCCESSFUL", "THROTTLED"]
    pinpoint_otp.advance(MINUTE)
    assert statuses(pinpoint_otp_client, 2) == ["SUCCESSFUL", "THROTTLED"]


def test_quotas_come_before_opt_outs(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.opt_out(DESTINATION)
    limit = pinpoint_otp.limit_rate(0, per=MINUTE)
    assert send_status(pinpoint_otp_client) == "THROTTLED"
    limit.cancel()
    assert send_status(pinpoint_otp_client) == "OPT_OUT"


# -- Outcomes ----------------------------------------------------------------------------------------------------------


def test_the_outcome_may_be_a_delivery_with_its_fields(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(0, per=MINUTE, outcome=Delivery("DUPLICATE", status_code=409, status_message="Later."))
    (result,) = send(pinpoint_otp_client)["Result"].values()
    assert (result["DeliveryStatus"], result["StatusCode"], result["StatusMessage"]) == ("DUPLICATE", 409, "Later.")


def test_the_outcome_may_be_an_error(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    error = ErrorResponse("TooManyRequestsException", message="Slow down.")
    pinpoint_otp.limit_rate(0, per=MINUTE, outcome=error)
    with pytest.raises(pinpoint_otp_client.exceptions.TooManyRequestsException, match="Slow down"):
        send(pinpoint_otp_client)
    (call,) = pinpoint_otp.calls
    assert {attempt.outcome for attempt in call.attempts} == {"TooManyRequestsException"}
    assert (call.status_code, call.error_message) == (429, "Slow down.")


def test_the_outcome_may_be_a_modelled_exception_class(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    forbidden = pinpoint_otp_client.exceptions.ForbiddenException
    pinpoint_otp.limit_rate(0, per=MINUTE, outcome=forbidden)
    with pytest.raises(forbidden):
        send(pinpoint_otp_client)


# -- Its end -----------------------------------------------------------------------------------------------------------


def test_cancel_lifts_the_quota_and_a_second_time_changes_nothing(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    limit = pinpoint_otp.limit_rate(1, per=MINUTE)
    assert statuses(pinpoint_otp_client, 2) == ["SUCCESSFUL", "THROTTLED"]
    limit.cancel()
    limit.cancel()
    assert statuses(pinpoint_otp_client, 2) == ["SUCCESSFUL", "SUCCESSFUL"]


def test_cancel_lifts_that_quota_only(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(0, per=MINUTE, outcome="TEMPORARY_FAILURE")
    pinpoint_otp.limit_rate(0, per=MINUTE, outcome="PERMANENT_FAILURE").cancel()
    assert send_status(pinpoint_otp_client) == "TEMPORARY_FAILURE"


def test_reset_lifts_every_quota(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(0, per=MINUTE)
    pinpoint_otp.limit_rate(0, per=MINUTE, by="application")
    pinpoint_otp.reset()
    assert statuses(pinpoint_otp_client, 2) == ["SUCCESSFUL", "SUCCESSFUL"]


def test_a_quota_of_an_outer_fake_does_not_hold_for_the_inner_one(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.limit_rate(0, per=MINUTE)
    with mock_pinpoint_otp():
        assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    assert send_status(pinpoint_otp_client) == "THROTTLED"


# -- Bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"count": -1}, ValueError, r"count is -1, but takes 0 or more"),
        ({"count": 1.0}, TypeError, r"count takes an int, not .*float"),
        ({"count": True}, TypeError, r"count takes an int, not .*bool"),
        ({"count": None}, TypeError, r"count takes an int, not None"),
        ({"per": 60}, TypeError, r"per takes a timedelta, such as timedelta\(hours=1\), not 60 \(int\)"),
        ({"per": timedelta(0)}, ValueError, r"per is .* but takes a duration above zero"),
        ({"per": -MINUTE}, ValueError, r"per is .* but takes a duration above zero"),
        ({"by": "destinations"}, ValueError, r"by is 'destinations'.*'destination'"),
        ({"by": ["destination"]}, TypeError, r"by takes a str, not .*list"),
        ({"by": None}, TypeError, r"by takes a str, not None"),
        ({"outcome": "THROTLED"}, ValueError, r"'THROTLED'.*'?THROTTLED"),
        (
            {"outcome": DeliveryStatus.SUCCESSFUL},
            ValueError,
            r"^limit_rate: outcome is SUCCESSFUL, but takes a failed delivery or an error\.$",
        ),
        ({"outcome": Delivery("SUCCESSFUL", status_code=429)}, ValueError, r"outcome is SUCCESSFUL"),
        ({"outcome": 429}, TypeError, r"429 \(int\) is not an outcome"),
        (
            {"outcome": ReadTimeoutError},
            TypeError,
            r"outcome takes a failed delivery or an error, not .*ReadTimeoutError",
        ),
        ({"outcome": LostResponse()}, TypeError, r"outcome takes a failed delivery or an error"),
        ({"outcome": RawResponse(502)}, TypeError, r"outcome takes a failed delivery or an error"),
        ({"outcome": lambda call: "THROTTLED"}, TypeError, r"outcome takes a failed delivery or an error"),
    ],
)
def test_a_bad_argument_is_refused_with_its_name_and_value(
    pinpoint_otp: PinpointOTP,
    pinpoint_otp_client: Any,
    arguments: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        pinpoint_otp.limit_rate(**{"count": 0, "per": MINUTE, **arguments})
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"


def test_the_handle_offers_to_cancel_and_nothing_else(pinpoint_otp: PinpointOTP) -> None:
    limit = pinpoint_otp.limit_rate(5, per=MINUTE)
    assert [name for name in dir(limit) if not name.startswith("_")] == ["cancel"]


def test_the_handle_says_what_it_limits(pinpoint_otp: PinpointOTP) -> None:
    limit = pinpoint_otp.limit_rate(5, per=MINUTE, by="origination")
    assert repr(limit) == "limit_rate(5, per=datetime.timedelta(seconds=60), by='origination')"
    limit = pinpoint_otp.limit_rate(5, per=MINUTE, outcome="DUPLICATE")
    shown = "limit_rate(5, per=datetime.timedelta(seconds=60), by='destination', outcome=Delivery('DUPLICATE'))"
    assert repr(limit) == shown


def test_a_count_beyond_all_memory_is_no_limit(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(2**70, per=MINUTE)

    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"


def test_destinations_may_share_an_origination_and_each_has_its_own_window(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.limit_rate(1, per=MINUTE)
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    pinpoint_otp.advance(seconds=30)
    assert send_status(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION) == "SUCCESSFUL"
    pinpoint_otp.advance(seconds=30)
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    assert send_status(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION) == "THROTTLED"
    assert {message.origination for message in pinpoint_otp.messages} == {ORIGINATION}
