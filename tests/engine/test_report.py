"""The traffic as text: who decided and why on the first line, at the terminal's width, for the newest calls only."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber
from helpers import APPLICATION, DESTINATION, REFERENCE, send, send_request, verify

from pytest_pinpoint_otp import ErrorResponse, LostResponse, PinpointOTP, mock_pinpoint_otp
from pytest_pinpoint_otp.fake import service_of

LONG = "the quick brown fox jumps over the lazy dog " * 5


def traffic(fake: PinpointOTP, width: int = 80) -> list[str]:
    """Return the lines of a fake's traffic."""
    return service_of(fake).traffic(width).split("\n")


@pytest.mark.parametrize("width", [60, 80, 132])
def test_lines_are_as_long_as_the_terminal_is_wide(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, width: int
) -> None:
    pinpoint_otp.inject(ErrorResponse("ForbiddenException", message=LONG))
    with pytest.raises(pinpoint_otp_client.exceptions.ForbiddenException):
        send(pinpoint_otp_client)

    lines = traffic(pinpoint_otp, width)
    assert width - 12 < max(map(len, lines)) <= width
    assert " ".join(" ".join(lines).split()).count("quick brown fox") == 5


def test_lines_are_eighty_characters_long_by_default(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.inject(ErrorResponse("ForbiddenException", message="xx" + " x" * 50))
    with pytest.raises(pinpoint_otp_client.exceptions.ForbiddenException):
        send(pinpoint_otp_client)

    lines = service_of(pinpoint_otp).traffic().split("\n")
    assert list(map(len, lines[1:3])) == [79, 80]


def test_the_reason_and_who_decided_stand_on_the_first_line(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    verify(pinpoint_otp_client, "123456")
    pinpoint_otp.inject(ErrorResponse("ForbiddenException", message="No."))
    with pytest.raises(pinpoint_otp_client.exceptions.ForbiddenException):
        send(pinpoint_otp_client)
    pinpoint_otp.opt_out(DESTINATION)
    send(pinpoint_otp_client)

    firsts = [line[13:] for line in traffic(pinpoint_otp, 120) if line[:2].isdigit() and line[2] == ":"]
    assert firsts == [
        f"VerifyOTPMessage {DESTINATION} INVALID (service): NEVER_SENT",
        f"SendOTPMessage   {DESTINATION} ForbiddenException (injection): No.",
        f"SendOTPMessage   {DESTINATION} OPT_OUT (opt-out)",
    ]


def test_a_destination_that_is_no_number_widens_no_column(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    with pytest.raises(pinpoint_otp_client.exceptions.BadRequestException):
        verify(pinpoint_otp_client, "123456", DestinationIdentity="1" * 17)
    verify(pinpoint_otp_client, "123456")

    text = service_of(pinpoint_otp).traffic(120)
    assert f"VerifyOTPMessage {'1' * 17} BadRequestException" in text
    assert f"VerifyOTPMessage {DESTINATION}     INVALID" in text


def test_two_attempts_with_one_outcome_are_counted(pinpoint_otp: PinpointOTP) -> None:
    config = Config(retries={"mode": "standard", "total_max_attempts": 2})
    client = boto3.client("pinpoint", region_name="us-east-1", config=config)
    pinpoint_otp.inject("InternalServerErrorException")
    with pytest.raises(client.exceptions.InternalServerErrorException):
        send(client)

    assert "InternalServerErrorException x2 (injection)" in service_of(pinpoint_otp).traffic(120)
    with pytest.raises(AssertionError, match="InternalServerErrorException after 2 attempts"):
        pinpoint_otp.assert_sent()


def test_the_newest_hundred_calls_are_shown(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    for number in range(100):
        send(pinpoint_otp_client, ReferenceId=f"call-{number:03}")
    assert not any("left out" in line for line in traffic(pinpoint_otp))
    for number in range(100, 103):
        send(pinpoint_otp_client, ReferenceId=f"call-{number:03}")

    lines = traffic(pinpoint_otp)
    assert lines[0] == "Earlier calls left out: 3"
    assert [line for line in lines if "call-002" in line] == []
    assert len([line for line in lines if "reference call-" in line]) == 100
    assert "reference call-102" in lines[-1]


def test_arranged_messages_and_stopped_calls_are_limited_too(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    for number in range(101):
        pinpoint_otp.issue(DESTINATION, application_id=APPLICATION, reference_id=f"issued-{number:03}")
        with pytest.raises(Exception, match="validation failed"):
            pinpoint_otp_client.send_otp_message(ApplicationId=number)

    lines = traffic(pinpoint_otp)
    assert "Earlier arranged messages left out: 1" in lines
    assert "Earlier calls that botocore stopped left out: 1" in lines
    assert not any("issued-000" in line for line in lines)
    assert len([line for line in lines if line.startswith("not sent")]) == 100


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("nul\0", r"nul\x00"),
        ("\ud800", r"\ud800"),
        ("\u202eabc", r"\u202eabc"),
        ("bell\a", r"bell\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("größe ✓", "größe ✓"),
    ],
)
def test_no_text_of_anybody_steers_the_terminal(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, hostile: str, shown: str
) -> None:
    pinpoint_otp.inject(ErrorResponse("ForbiddenException", message=hostile))
    with pytest.raises(pinpoint_otp_client.exceptions.ForbiddenException):
        send(pinpoint_otp_client)
    message = f"{service_of(pinpoint_otp).traffic()}"

    assert f"(injection): {shown}" in " ".join(message.split())
    if shown != hostile:
        assert hostile not in message
    with pytest.raises(AssertionError) as caught:
        pinpoint_otp.assert_sent()
    assert f"({shown})" in str(caught.value)
    str(caught.value).encode()


# -- Where no call has reached the fake --------------------------------------------------------------------------------


def test_another_fake_that_has_answered_is_told_of(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)
    with mock_pinpoint_otp() as unreached:
        with mock_pinpoint_otp():
            send(pinpoint_otp_client)
            send(pinpoint_otp_client)
        with pytest.raises(LookupError, match="No OTP call has reached this fake") as caught:
            unreached.code_for()
    assert str(caught.value).endswith("Calls that another fake has answered meanwhile: 2. The innermost one answers.")


def test_a_stubber_that_has_answered_is_told_of(pinpoint_otp: PinpointOTP) -> None:
    client = boto3.client("pinpoint", region_name="us-east-1")
    with Stubber(client) as stubber:
        answer = {"MessageResponse": {"ApplicationId": APPLICATION, "Result": {}}}
        stubber.add_response("send_otp_message", answer, send_request())
        send(client)

    with pytest.raises(AssertionError) as caught:
        pinpoint_otp.assert_called()
    assert "Calls that botocore prepared, but that reached no fake: 1. A Stubber" in str(caught.value)


def test_nothing_is_told_of_others_where_the_fake_has_answered(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    with mock_pinpoint_otp():
        send(pinpoint_otp_client)
    send(pinpoint_otp_client)

    with pytest.raises(LookupError) as caught:
        pinpoint_otp.code_for(reference_id=REFERENCE * 2)
    assert "another fake" not in str(caught.value)


def test_the_traffic_tells_how_many_calls_another_fake_has_answered(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    send(pinpoint_otp_client)
    assert "another fake" not in "".join(traffic(pinpoint_otp, 80))
    with mock_pinpoint_otp() as inner:
        send(pinpoint_otp_client)
        verify(pinpoint_otp_client, pinpoint_otp.code_for())

    assert traffic(pinpoint_otp, 60)[-2:] == [
        "Calls that another fake has answered meanwhile: 2. The",
        "             innermost one answers.",
    ]
    assert "another fake" not in "".join(traffic(inner, 80))
    # Each of Hypothesis's examples begins with a copy of the records.
    copied = service_of(pinpoint_otp).journal.copy()
    assert copied.written_elsewhere == 0
    pinpoint_otp.reset()
    with mock_pinpoint_otp():
        send(pinpoint_otp_client)
    assert service_of(pinpoint_otp).traffic() == ""


def test_a_verdict_whose_answer_was_lost_is_shown(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)
    pinpoint_otp.inject(LostResponse(), operation="VerifyOTPMessage", per="attempt")
    code = pinpoint_otp.code_for()

    assert not verify(pinpoint_otp_client, code)

    lines = " ".join(" ".join(traffic(pinpoint_otp, 200)).split())
    assert f"VerifyOTPMessage {DESTINATION} INVALID (service): ALREADY_VERIFIED" in lines
    assert f"otp {code}: VALID, attempts left: 3, otp {code}, attempts left: 3" in lines


def test_the_last_answer_that_was_lost_is_told_with_what_it_said(pinpoint_otp: PinpointOTP) -> None:
    config = Config(retries={"total_max_attempts": 1})
    client = boto3.client("pinpoint", region_name="us-east-1", config=config)
    pinpoint_otp.inject(LostResponse())
    pinpoint_otp.inject(LostResponse(), LostResponse(), "ReadTimeoutError", operation="VerifyOTPMessage")
    with pytest.raises(ReadTimeoutError):
        send(client)
    for code in (pinpoint_otp.wrong_code(), pinpoint_otp.code_for(), "123456"):
        with pytest.raises(ReadTimeoutError):
            verify(client, code)

    firsts = [line.partition(f"{DESTINATION} ")[2] for line in traffic(pinpoint_otp, 132) if DESTINATION in line]
    assert [line.partition(": ")[0] for line in firsts] == [
        "ReadTimeoutError (injection), lost after SUCCESSFUL",
        "ReadTimeoutError (injection), lost after WRONG_CODE",
        "ReadTimeoutError (injection), lost after VALID",
        "ReadTimeoutError (injection)",
    ]


def test_what_is_arranged_and_unused_is_told_last(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)
    pinpoint_otp.inject("THROTTLED", destination="15550100123")
    pinpoint_otp.inject("THROTTLED", times=None)
    pinpoint_otp.inject("THROTTLED", optional=True)
    pinpoint_otp.queue_codes("012345")

    *_, injection, codes = service_of(pinpoint_otp).traffic(132, unused=True).split("\n")
    assert not [line for line in traffic(pinpoint_otp, 132) if "not used" in line]
    pinpoint_otp.reset()
    assert injection == (
        "not used     inject('THROTTLED', operation='SendOTPMessage', destination='15550100123'): used 0, 1 left"
    )
    assert codes == "not used     queue_codes('012345')"
