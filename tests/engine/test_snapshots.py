"""A service goes back to a moment that was saved, with the handles that a test holds; Hypothesis's examples need it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from helpers import DESTINATION, OTHER_DESTINATION, send, send_status, verify

from pytest_pinpoint_otp import PinpointOTP
from pytest_pinpoint_otp.engine.service import Service
from pytest_pinpoint_otp.fake import service_of, use_service


def test_a_service_goes_back_as_often_as_is_wanted(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client, AllowedAttempts=2)
    code, wrong = pinpoint_otp.code_for(), pinpoint_otp.wrong_code()
    injection = pinpoint_otp.inject("DUPLICATE", "THROTTLED", after=1)
    standing = pinpoint_otp.inject("UNKNOWN_FAILURE", times=None, destination=OTHER_DESTINATION)
    limit = pinpoint_otp.limit_rate(2, per=timedelta(minutes=1))
    pinpoint_otp.queue_codes("111111")
    pinpoint_otp.opt_out("+15550100789")
    pinpoint_otp.advance(minutes=1)
    snapshot = service_of(pinpoint_otp).save()
    before = (pinpoint_otp.calls, pinpoint_otp.messages, pinpoint_otp.verifications)
    seen = []

    for _ in range(3):
        use_service(pinpoint_otp, Service.from_snapshot(snapshot))
        assert (pinpoint_otp.calls, pinpoint_otp.messages, pinpoint_otp.verifications) == before
        assert (injection.used, injection.remaining, standing.remaining) == (0, 2, None)
        assert not verify(pinpoint_otp_client, wrong)
        assert verify(pinpoint_otp_client, code)
        assert send_status(pinpoint_otp_client, DestinationIdentity="+15550100789") == "OPT_OUT"
        statuses = [send_status(pinpoint_otp_client) for _ in range(5)]
        assert statuses == ["DUPLICATE", "THROTTLED", "SUCCESSFUL", "SUCCESSFUL", "THROTTLED"]
        assert send_status(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION) == "UNKNOWN_FAILURE"
        seen.append([message.code for message in pinpoint_otp.messages])
        assert len(pinpoint_otp.recorded_plan().steps) == 5
        pinpoint_otp.advance(minutes=5)
        pinpoint_otp.opt_in("+15550100789")
        injection.cancel()
        standing.cancel()
        limit.cancel()

    assert seen[0] == seen[1] == seen[2]
    assert seen[0][1] == "111111"


def test_a_mistake_before_the_moment_is_told_after_it_too(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.inject(lambda call: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        send(pinpoint_otp_client)
    snapshot = service_of(pinpoint_otp).save()
    pinpoint_otp.reset()

    with pytest.raises(ZeroDivisionError):
        Service.from_snapshot(snapshot).check_end()


def test_what_a_service_does_after_the_moment_does_not_reach_the_snapshot(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    snapshot = service_of(pinpoint_otp).save()
    send(pinpoint_otp_client)

    service = Service.from_snapshot(snapshot)

    assert service.journal.messages == service.journal.calls == []
    assert service.journal.messages_to(DESTINATION) == []
