"""Records stay as they were written, have a hash, and say who decided."""

from __future__ import annotations

import copy
import pickle
from datetime import timedelta
from typing import Any

import boto3
import pytest
from helpers import DESTINATION, OTHER_DESTINATION, send, send_request, send_status, verify

from pytest_pinpoint_otp import Call, FailurePlan, FailureStep, PinpointOTP, active_pinpoint_otp, mock_pinpoint_otp
from pytest_pinpoint_otp.apis.frozen_json import freeze
from pytest_pinpoint_otp.apis.pinpoint import Pinpoint


def test_a_call_cannot_be_changed_by_who_reads_it(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)
    parameters: Any = pinpoint_otp.calls[0].parameters

    for change in (
        lambda: parameters.update(BrandName="x"),
        lambda: parameters.__setitem__("BrandName", "x"),
        lambda: parameters.pop("BrandName"),
        parameters.clear,
    ):
        with pytest.raises(TypeError, match=r"belongs to a record and cannot be changed; dict\(\.\.\.\) makes a copy"):
            change()
    pinpoint_otp.calls.clear()
    pinpoint_otp.calls[0].request["ApplicationId"] = "another"

    assert pinpoint_otp.calls[0].request == send_request()


def test_a_changed_copy_of_the_parameters_can_be_sent(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)
    request = pinpoint_otp.calls[0].request

    pinpoint_otp_client.send_otp_message(**request)
    parameters = {**request["SendOTPMessageRequestParameters"], "CodeLength": 8}
    pinpoint_otp_client.send_otp_message(**{**request, "SendOTPMessageRequestParameters": parameters})

    assert [message.code_length for message in pinpoint_otp.messages] == [6, 6, 8]


def test_every_record_has_a_hash_and_survives_copies_and_pickles(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    send(pinpoint_otp_client)
    verify(pinpoint_otp_client, pinpoint_otp.code_for())
    records = [*pinpoint_otp.calls, *pinpoint_otp.messages, *pinpoint_otp.verifications]

    assert len({*records, *pinpoint_otp.calls[0].attempts}) == 5
    for again in (copy.deepcopy(records), pickle.loads(pickle.dumps(records))):
        assert again == records
        assert list(map(hash, again)) == list(map(hash, records))
        with pytest.raises(TypeError, match="cannot be changed"):
            again[0].parameters["Channel"] = "VOICE"


def test_a_call_says_who_decided_its_outcome(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    pinpoint_otp.limit_rate(1, per=timedelta(minutes=1))
    pinpoint_otp.inject("DUPLICATE")
    assert send_status(pinpoint_otp_client) == "DUPLICATE"
    pinpoint_otp.follow(FailurePlan((FailureStep("UNKNOWN_FAILURE"),)))
    assert send_status(pinpoint_otp_client) == "UNKNOWN_FAILURE"
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    assert send_status(pinpoint_otp_client) == "THROTTLED"
    pinpoint_otp.opt_out(OTHER_DESTINATION)
    assert send_status(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION) == "OPT_OUT"
    verify(pinpoint_otp_client, pinpoint_otp.wrong_code())

    sources = ["service", "injection", "plan", "service", "quota", "opt-out", "service"]
    assert [call.source for call in pinpoint_otp.calls] == sources
    assert [call.attempts[-1].source for call in pinpoint_otp.calls] == sources
    assert pinpoint_otp.assert_called(source="quota", times=1).outcome == "THROTTLED"


def test_each_attempt_says_who_decided_it(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.inject("InternalServerErrorException", per="attempt")

    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    (call,) = pinpoint_otp.calls
    assert [attempt.source for attempt in call.attempts] == ["injection", "service"]
    assert call.source == "service"


class BrokenMatcher:
    """A filter whose comparison fails."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError("of the test")


def test_a_mistake_is_of_whoever_made_it() -> None:
    client = boto3.client("pinpoint", region_name="us-east-1")
    mock = mock_pinpoint_otp(assert_all_used=False)
    fake = mock.start()
    for arrange in (
        lambda: fake.inject(lambda call: 503),
        lambda: fake.inject("THROTTLED", destination=BrokenMatcher()),
        lambda: fake.queue_codes("01234567"),
    ):
        handle = arrange()
        with pytest.raises((TypeError, ZeroDivisionError, ValueError)):
            send(client)
        if handle is not None:
            handle.cancel()
    assert [call.source for call in fake.calls] == ["injection", "injection", "service"]
    assert [call.attempts[0].source for call in fake.calls] == ["injection", "injection", "service"]
    with pytest.raises(TypeError, match="503"):
        mock.stop()


def test_a_call_under_way_has_no_source_yet(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    seen = []

    def look(call: Call) -> str:
        seen.append((call.source, active_pinpoint_otp().calls[0].source))
        return "THROTTLED"

    pinpoint_otp.inject(look)
    send(pinpoint_otp_client)

    assert seen == [(None, None)]


def test_the_repr_tells_in_one_line_what_a_fake_holds(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp() as fake:
        assert repr(fake).endswith(" UTC: 0 messages, 0 calls, 0 verifications>")
        send(pinpoint_otp_client)
        verify(pinpoint_otp_client, fake.code_for(DESTINATION))
        injection = fake.inject("THROTTLED")
        assert repr(fake).endswith(" UTC: 1 message, 2 calls, 1 verification, 1 arranged and unused>")
        assert repr(fake).startswith(f"<PinpointOTP at {fake.now():%Y-%m-%d %H:%M}")
        injection.cancel()


def test_a_list_of_a_record_cannot_be_changed_either() -> None:
    record: Any = freeze({"tags": [{"key": "a"}, ["b"]]})

    for change in (record["tags"].append, record["tags"][1].extend, record["tags"][0].update):
        with pytest.raises(TypeError, match="belongs to a record and cannot be changed"):
            change(["x"])
    assert record == {"tags": [{"key": "a"}, ["b"]]}
    again = pickle.loads(pickle.dumps(record))
    assert again == copy.deepcopy(record) == record
    assert hash(again) == hash(record)
    with pytest.raises(TypeError, match=r"list\(\.\.\.\) makes a copy that can"):
        again["tags"].clear()


def test_an_api_without_configurations_takes_none() -> None:
    with pytest.raises(NotImplementedError, match="pinpoint has no code configurations"):
        Pinpoint().add_configuration(None, "cc-1")
