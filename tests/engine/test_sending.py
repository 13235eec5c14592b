"""A send: its eleven parameters, the text that reaches the handset, its code, and OTPs that a test issues itself."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from helpers import (
    APPLICATION,
    DESTINATION,
    LEFT_OUT,
    ORIGINATION,
    OTHER_DESTINATION,
    REFERENCE,
    send,
    send_request,
    send_status,
    verify,
)

from pytest_pinpoint_otp import PinpointOTP, mock_pinpoint_otp

EVERY_PARAMETER = {
    "AllowedAttempts": 5,
    "BrandName": "Example Shop",
    "Channel": "SMS",
    "CodeLength": 8,
    "DestinationIdentity": OTHER_DESTINATION,
    "EntityId": "1101000000000000001",
    "Language": "fr-CA",
    "OriginationIdentity": "EXAMPLE",
    "ReferenceId": "log-in",
    "TemplateId": "1107000000000000001",
    "ValidityPeriod": 60,
}

FIELD_OF_PARAMETER = {
    "AllowedAttempts": "allowed_attempts",
    "BrandName": "brand_name",
    "Channel": "channel",
    "CodeLength": "code_length",
    "DestinationIdentity": "destination",
    "EntityId": "entity_id",
    "Language": "language",
    "OriginationIdentity": "origination",
    "ReferenceId": "reference_id",
    "TemplateId": "template_id",
    "ValidityPeriod": "validity_period",
}


@pytest.mark.parametrize("parameter", EVERY_PARAMETER)
def test_every_parameter_is_accepted_and_visible_on_the_message(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, parameter: str
) -> None:
    value = EVERY_PARAMETER[parameter]

    assert send_status(pinpoint_otp_client, **{parameter: value}) == "SUCCESSFUL"

    (message,) = pinpoint_otp.messages
    assert getattr(message, FIELD_OF_PARAMETER[parameter]) == value


def test_all_parameters_are_accepted_together(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client, **EVERY_PARAMETER)

    (message,) = pinpoint_otp.messages
    seen = {parameter: getattr(message, field) for parameter, field in FIELD_OF_PARAMETER.items()}
    assert seen == EVERY_PARAMETER
    assert message.application_id == APPLICATION


def test_parameters_that_are_left_out_have_their_defaults(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)

    (message,) = pinpoint_otp.messages
    assert (message.code_length, message.validity_period, message.allowed_attempts) == (6, 15, 3)
    assert (message.language, message.entity_id, message.template_id) == (None, None, None)


def test_options_change_the_defaults_of_numbers(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp(code_length=8, validity_period=60, allowed_attempts=1) as fake:
        send(pinpoint_otp_client)

    (message,) = fake.messages
    assert (message.code_length, message.validity_period, message.allowed_attempts) == (8, 60, 1)
    assert len(message.code) == 8
    assert message.expires_at - message.sent_at == timedelta(hours=1)


def test_a_request_s_own_numbers_win_over_the_options(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp(code_length=8, validity_period=60, allowed_attempts=1) as fake:
        send(pinpoint_otp_client, CodeLength=5, ValidityPeriod=5, AllowedAttempts=5)

    (message,) = fake.messages
    assert (message.code_length, message.validity_period, message.allowed_attempts) == (5, 5, 5)


@pytest.mark.parametrize("length", [5, 6, 7, 8])
def test_the_code_has_as_many_digits_as_the_code_length(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, length: int
) -> None:
    send(pinpoint_otp_client, CodeLength=length)

    code = pinpoint_otp.code_for(DESTINATION)
    assert isinstance(code, str)
    assert len(code) == length
    assert set(code) <= set("0123456789")


def test_drawn_codes_may_start_with_a_zero(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    for number in range(100):
        send(pinpoint_otp_client, ReferenceId=f"reference-{number}")

    codes = [message.code for message in pinpoint_otp.messages]
    assert any(code.startswith("0") for code in codes)
    assert {len(code) for code in codes} == {6}


def test_the_text_follows_the_documented_template(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.queue_codes("012345")

    send(pinpoint_otp_client, BrandName="{otp} & {brand} %s")

    (message,) = pinpoint_otp.messages
    assert message.body == "This is your One Time Password: 012345 from {otp} & {brand} %s"


def test_a_message_knows_when_it_was_sent_and_when_its_code_expires(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    earliest = pinpoint_otp.now()
    send(pinpoint_otp_client, ValidityPeriod=7)
    latest = pinpoint_otp.now()

    (message,) = pinpoint_otp.messages
    assert earliest <= message.sent_at <= latest
    assert message.expires_at - message.sent_at == timedelta(minutes=7)
    assert message.sent_at.tzinfo is UTC
    assert message.expires_at.tzinfo is UTC


def test_a_message_carries_the_ids_of_the_answer(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    answer = send(pinpoint_otp_client)

    (message,) = pinpoint_otp.messages
    assert message.message_id == answer["Result"][DESTINATION]["MessageId"]
    assert message.request_id == answer["RequestId"]
    assert message.message_id != message.request_id


def test_ids_never_repeat(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    for _ in range(20):
        send(pinpoint_otp_client)
        verify(pinpoint_otp_client, "000000")

    ids = [call.request_id for call in pinpoint_otp.calls] + [message.message_id for message in pinpoint_otp.messages]
    assert len(ids) == len(set(ids)) == 60


def test_messages_are_in_the_order_of_sending(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    for reference in ("first", "second", "third"):
        send(pinpoint_otp_client, ReferenceId=reference)

    assert [message.reference_id for message in pinpoint_otp.messages] == ["first", "second", "third"]


def test_an_application_id_of_any_characters_arrives_as_it_was_given(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    answer = send(pinpoint_otp_client, ApplicationId="a/ü b")

    assert answer["ApplicationId"] == "a/ü b"
    assert pinpoint_otp.messages[0].application_id == "a/ü b"


def test_a_reference_of_any_characters_arrives_as_it_was_given(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    reference = 'Größe "1"\n\t\\ \N{PILE OF POO}'

    send(pinpoint_otp_client, ReferenceId=reference)

    assert pinpoint_otp.messages[0].reference_id == reference
    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION), ReferenceId=reference)


def test_only_known_applications_are_found_where_some_are_given(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp(applications=[APPLICATION, "other"]) as fake:
        assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
        with pytest.raises(pinpoint_otp_client.exceptions.NotFoundException, match=r"'missing'.*'a1b2c3d4', 'other'"):
            send(pinpoint_otp_client, ApplicationId="missing")
        with pytest.raises(pinpoint_otp_client.exceptions.NotFoundException, match="'missing'"):
            verify(pinpoint_otp_client, fake.code_for(), ApplicationId="missing")

    assert len(fake.messages) == 1
    assert fake.verifications == []


def test_no_application_is_found_where_none_is_known(pinpoint_otp_client: Any) -> None:
    with (
        mock_pinpoint_otp(applications=()),
        pytest.raises(pinpoint_otp_client.exceptions.NotFoundException, match="known applications: none"),
    ):
        send(pinpoint_otp_client)


def test_queued_codes_go_out_in_turn_whatever_their_key(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.queue_codes("012345", "111111")
    pinpoint_otp.queue_codes("87654321")

    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
    send(pinpoint_otp_client, ReferenceId="other")
    send(pinpoint_otp_client, CodeLength=8)
    send(pinpoint_otp_client)

    assert [message.code for message in pinpoint_otp.messages[:3]] == ["012345", "111111", "87654321"]
    assert pinpoint_otp.messages[3].code not in {"012345", "111111"}


def test_a_queued_code_waits_for_a_delivery_that_succeeds(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.queue_codes("012345")
    pinpoint_otp.inject("THROTTLED", "BadRequestException")

    assert send_status(pinpoint_otp_client) == "THROTTLED"
    with pytest.raises(pinpoint_otp_client.exceptions.BadRequestException):
        send(pinpoint_otp_client)
    send(pinpoint_otp_client)

    assert [message.code for message in pinpoint_otp.messages] == ["012345"]


def test_an_issued_otp_is_alive_without_a_call(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    message = pinpoint_otp.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE)

    assert pinpoint_otp.calls == []
    assert pinpoint_otp.messages == [message]
    assert pinpoint_otp.code_for(DESTINATION) == message.code
    assert message.body == f"This is your One Time Password: {message.code} from {message.brand_name}"
    assert verify(pinpoint_otp_client, message.code)


def test_an_issued_otp_has_ids_of_its_own(pinpoint_otp: PinpointOTP) -> None:
    messages = [
        pinpoint_otp.issue(DESTINATION, application_id=APPLICATION, reference_id=reference) for reference in "ab"
    ]

    ids = [one for message in messages for one in (message.message_id, message.request_id)]
    assert all(isinstance(one, str) for one in ids)
    assert len(set(ids)) == 4


def test_an_issued_otp_may_be_beyond_limits_that_are_not_enforced() -> None:
    with mock_pinpoint_otp(enforce_limits=False) as fake:
        message = fake.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE, validity_period=61)

    assert message.validity_period == 61


def test_an_issued_otp_has_the_defaults_of_a_send(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp(code_length=7, validity_period=9, allowed_attempts=2) as fake:
        message = fake.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE)

    assert (message.channel, message.code_length, message.validity_period, message.allowed_attempts) == ("SMS", 7, 9, 2)
    assert len(message.code) == 7
    assert message.brand_name
    assert message.origination


def test_an_issued_otp_takes_every_parameter_of_a_send(pinpoint_otp: PinpointOTP) -> None:
    message = pinpoint_otp.issue(
        OTHER_DESTINATION,
        application_id="other",
        reference_id="log-in",
        code="01234567",
        brand_name="Example Shop",
        channel="SMS",
        origination_identity=ORIGINATION,
        code_length=8,
        validity_period=60,
        allowed_attempts=5,
        language="de-DE",
        entity_id="1101",
        template_id="1107",
    )

    assert message._asdict() == {
        "application_id": "other",
        "destination": OTHER_DESTINATION,
        "origination": ORIGINATION,
        "reference_id": "log-in",
        "brand_name": "Example Shop",
        "channel": "SMS",
        "language": "de-DE",
        "entity_id": "1101",
        "template_id": "1107",
        "code": "01234567",
        "body": "This is your One Time Password: 01234567 from Example Shop",
        "code_length": 8,
        "validity_period": 60,
        "allowed_attempts": 5,
        "sent_at": message.sent_at,
        "expires_at": message.sent_at + timedelta(hours=1),
        "message_id": message.message_id,
        "request_id": message.request_id,
        "api": "pinpoint",
        "verification_id": None,
        "configuration": None,
        "code_type": None,
        "context": None,
    }


def test_an_issued_code_says_its_own_length(pinpoint_otp: PinpointOTP) -> None:
    message = pinpoint_otp.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE, code="01234567")

    assert (message.code, message.code_length) == ("01234567", 8)


def test_issue_replaces_an_earlier_code_as_a_send_does(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)
    earlier = pinpoint_otp.code_for(DESTINATION)

    message = pinpoint_otp.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE)

    assert not verify(pinpoint_otp_client, earlier)
    assert pinpoint_otp.verifications[-1].reason == "SUPERSEDED"
    assert verify(pinpoint_otp_client, message.code)


def test_issue_uses_neither_queue_nor_injections_nor_opt_outs(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.queue_codes("111111")
    injection = pinpoint_otp.inject("DUPLICATE")
    pinpoint_otp.opt_out(DESTINATION)

    message = pinpoint_otp.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE, code="222222")

    assert verify(pinpoint_otp_client, "222222")
    assert message.code == "222222"
    assert (injection.used, injection.remaining) == (0, 1)
    assert send_status(pinpoint_otp_client) == "DUPLICATE"
    pinpoint_otp.opt_in(DESTINATION)
    send(pinpoint_otp_client)
    assert pinpoint_otp.code_for(DESTINATION) == "111111"


def test_a_missing_required_parameter_never_leaves_botocore(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    from botocore.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError, match="DestinationIdentity"):
        pinpoint_otp_client.send_otp_message(**send_request(DestinationIdentity=LEFT_OUT))

    assert pinpoint_otp.calls == []
    assert pinpoint_otp.messages == []


def test_a_reference_may_hold_what_no_encoding_can(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    # JSON can, in escapes.
    send(pinpoint_otp_client, ReferenceId="half of a pair: \ud800")

    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(), ReferenceId="half of a pair: \ud800")
