"""Codes by AWS End User Messaging: what is sent, by which policy and template, and how it is validated."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from helpers import DESTINATION, LEFT_OUT, ORIGINATION, OTHER_DESTINATION, REFERENCE
from helpers import send as send_by_pinpoint
from notify import NEEDED, TEXT, make_client, send, send_request, validate

from pytest_pinpoint_otp import PinpointOTP

pytestmark = NEEDED

DEFAULT_BODY = r"Your verification code is \d{6}\."


@pytest.fixture
def client(pinpoint_otp: PinpointOTP) -> Any:
    return make_client()


def refused(call: Any, *arguments: Any, **overrides: Any) -> dict[str, Any]:
    """Return the answer of a call that is refused."""
    with pytest.raises(ClientError) as raised:
        call(*arguments, **overrides)
    return raised.value.response


def paths(answer: dict[str, Any]) -> list[str]:
    """Return the JSON pointers of a ValidationException."""
    assert answer["Error"]["Code"] == "ValidationException"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    return [field["path"] for field in answer["fieldList"]]


# -- Sending -------------------------------------------------------------------------------------------------------


def test_a_code_that_was_sent_is_valid(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client)
    assert validate(client, pinpoint_otp.code_for(DESTINATION)) == "VALID"


def test_an_answer_has_two_ids_that_the_message_has_too(client: Any, pinpoint_otp: PinpointOTP) -> None:
    answer = send(client)
    (message,) = pinpoint_otp.messages
    assert answer.keys() == {"verificationId", "messageId", "ResponseMetadata"}
    assert (message.verification_id, message.message_id) == (answer["verificationId"], answer["messageId"])
    assert re.fullmatch("ver-[0-9a-v]{40}", answer["verificationId"])
    assert re.fullmatch("sms-[0-9a-v]{40}", answer["messageId"])
    assert message.request_id == answer["ResponseMetadata"]["RequestId"]
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"] == message.request_id


def test_two_sends_have_different_ids(client: Any) -> None:
    first, second = send(client), send(client)
    assert first["verificationId"] != second["verificationId"]
    assert first["messageId"] != second["messageId"]


def test_a_message_tells_what_the_request_said(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client, context={"tenant": "a"}, notifyCodeConfiguration="cc-1", configurationSetName="events")
    (message,) = pinpoint_otp.messages
    assert message.api == "endusermessaging"
    assert (message.destination, message.origination, message.reference_id) == (DESTINATION, ORIGINATION, REFERENCE)
    assert (message.channel, message.configuration, message.context) == ("TEXT", "cc-1", {"tenant": "a"})
    assert message.body == f"Your code: {message.code}"
    assert (message.application_id, message.brand_name, message.language) == (None, None, None)
    assert (message.entity_id, message.template_id) == (None, None)


def test_a_call_keeps_exactly_the_arguments(client: Any, pinpoint_otp: PinpointOTP) -> None:
    channels = {"text": {**TEXT["text"], "destinationCountryParameters": {"IN_ENTITY_ID": "1"}}}
    request = send_request(overrideChannelParameters=channels, context={"a": "b"}, configurationSetName="events")
    client.send_notify_code_verification(**request)
    (call,) = pinpoint_otp.calls
    assert call.operation == "SendNotifyCodeVerification"
    assert (call.application_id, call.destination, call.reference_id) == (None, DESTINATION, REFERENCE)
    assert call.parameters == call.request == request


def test_the_policy_is_the_services_own_where_nothing_says_otherwise(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client)
    (message,) = pinpoint_otp.messages
    assert (message.code_type, message.code_length, message.validity_period, message.allowed_attempts) == (
        "NUMERIC",
        6,
        10,
        3,
    )
    assert re.fullmatch(r"\d{6}", message.code)
    assert message.expires_at - message.sent_at == timedelta(minutes=10)


@pytest.mark.pinpoint_otp(code_length=7, validity_period=20, allowed_attempts=2)
def test_each_member_of_the_policy_comes_from_the_first_that_has_it(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.add_code_configuration("cc-1", code_type="ALPHA", code_length=5, validity_period=30)
    send(
        client,
        notifyCodeConfiguration="cc-1",
        overrideCodeConfigurationParameters={"codeType": "ALPHANUMERIC", "codeLength": 8},
    )
    (message,) = pinpoint_otp.messages
    assert message.code_type == "ALPHANUMERIC"
    assert re.fullmatch("[A-Z0-9]{8}", message.code)
    assert (message.validity_period, message.allowed_attempts) == (30, 2)


@pytest.mark.parametrize(
    ("code_type", "pattern"), [("NUMERIC", "[0-9]{4}"), ("ALPHA", "[A-Z]{4}"), ("ALPHANUMERIC", "[0-9A-Z]{4}")]
)
def test_a_code_has_the_characters_of_its_type(
    client: Any, pinpoint_otp: PinpointOTP, code_type: str, pattern: str
) -> None:
    for _ in range(20):
        send(client, overrideCodeConfigurationParameters={"codeType": code_type, "codeLength": 4})
    codes = [message.code for message in pinpoint_otp.messages]
    assert all(re.fullmatch(pattern, code) for code in codes)
    assert len(set(codes)) == 20
    assert validate(client, codes[-1]) == "VALID"


def test_the_policy_is_fixed_when_the_code_is_sent(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.add_code_configuration("cc-1", validity_period=30)
    send(client, notifyCodeConfiguration="cc-1")
    client.update_notify_code_configuration(
        notifyCodeConfigurationId="cc-1", codeConfigurationParameters={"validityPeriodMinutes": 1}
    )
    pinpoint_otp.advance(minutes=29)
    assert validate(client, pinpoint_otp.code_for(DESTINATION)) == "VALID"


@pytest.mark.parametrize(
    ("channel", "origination", "overrides", "body"),
    [
        ("TEXT", ORIGINATION, {"text": {"inlineTemplateBody": "T {{code}} {{code}}"}}, r"T (\d{6}) \1"),
        ("VOICE", ORIGINATION, {"voice": {"inlineTemplateBody": "V {{code}}"}}, r"V \d{6}"),
        ("TEXT", "nc-1", {"notify": {"notifyTemplateId": "t"}}, DEFAULT_BODY),
        (
            "VOICE",
            "arn:aws:sms-voice:us-east-1:1:notify-configuration/nc-1",
            {"notify": {"notifyTemplateId": "t"}},
            DEFAULT_BODY,
        ),
        ("WHATSAPP", "nc-1", {"whatsApp": {"whatsAppTemplateName": "t", "languageCode": "en"}}, DEFAULT_BODY),
    ],
)
def test_the_route_takes_its_own_template(
    client: Any, pinpoint_otp: PinpointOTP, channel: str, origination: str, overrides: dict[str, Any], body: str
) -> None:
    request = {"channel": channel, "originationIdentity": origination}
    send(client, **request, overrideChannelParameters=overrides)
    assert re.fullmatch(body, pinpoint_otp.messages[-1].body)

    (route,) = overrides
    (template, *_) = overrides[route]
    for others in ({}, {"voice" if route == "text" else "text": {"inlineTemplateBody": "{{code}}"}}):
        answer = refused(send, client, **request, overrideChannelParameters=others)
        assert paths(answer) == [f"/overrideChannelParameters/{route}/{template}"]


def test_a_request_without_template_and_configuration_is_refused(client: Any, pinpoint_otp: PinpointOTP) -> None:
    answer = refused(send, client, overrideChannelParameters=LEFT_OUT)
    assert paths(answer) == ["/overrideChannelParameters/text/inlineTemplateBody"]
    assert not pinpoint_otp.messages


def test_an_unknown_configuration_has_a_template_of_its_own(client: Any, pinpoint_otp: PinpointOTP) -> None:
    for channel in ("TEXT", "VOICE", "WHATSAPP"):
        send(client, channel=channel, notifyCodeConfiguration="cc-1", overrideChannelParameters=LEFT_OUT)
        assert re.fullmatch(DEFAULT_BODY, pinpoint_otp.messages[-1].body)


def test_a_configuration_without_a_template_has_the_same_one(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.add_code_configuration("cc-1", voice="Spoken {{code}}")
    for channel in ("TEXT", "WHATSAPP"):
        send(client, channel=channel, notifyCodeConfiguration="cc-1", overrideChannelParameters=LEFT_OUT)
        assert re.fullmatch(DEFAULT_BODY, pinpoint_otp.messages[-1].body)


def test_the_requests_template_wins_over_the_configurations(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.add_code_configuration("cc-1", text="Stored {{code}}", voice="Spoken {{code}}")
    send(client, notifyCodeConfiguration="cc-1", overrideChannelParameters=LEFT_OUT)
    send(client, notifyCodeConfiguration="cc-1")
    send(
        client, channel="VOICE", notifyCodeConfiguration="cc-1", overrideChannelParameters={"voice": {"voiceId": "Amy"}}
    )
    codes = [message.code for message in pinpoint_otp.messages]
    assert [message.body for message in pinpoint_otp.messages] == [
        f"Stored {codes[0]}",
        f"Your code: {codes[1]}",
        f"Spoken {codes[2]}",
    ]


def test_a_template_without_the_placeholder_is_refused(client: Any) -> None:
    answer = refused(send, client, overrideChannelParameters={"text": {"inlineTemplateBody": "Your code: {code}"}})
    assert paths(answer) == ["/overrideChannelParameters/text/inlineTemplateBody"]
    assert "{{code}}" in answer["fieldList"][0]["message"]


def test_other_braces_of_a_template_stay(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client, overrideChannelParameters={"text": {"inlineTemplateBody": "{{shop}}: {{code}} {{ code }}"}})
    (message,) = pinpoint_otp.messages
    assert message.body == f"{{{{shop}}}}: {message.code} {{{{ code }}}}"


def test_whatsapp_needs_a_language_beside_its_template(client: Any, pinpoint_otp: PinpointOTP) -> None:
    override = {"whatsApp": {"whatsAppTemplateName": "log_in"}}
    request = {"channel": "WHATSAPP", "overrideChannelParameters": override}
    assert paths(refused(send, client, **request)) == ["/overrideChannelParameters/whatsApp/languageCode"]
    send(client, **request, notifyCodeConfiguration="cc-1")
    override["whatsApp"]["languageCode"] = "pt-BR"
    send(client, **request)
    assert pinpoint_otp.messages[-1].language == "pt-BR"


@pytest.mark.parametrize("channel", ["TEXT", "VOICE"])
def test_text_and_voice_need_a_phone_number(client: Any, channel: str) -> None:
    answer = refused(
        send,
        client,
        channel=channel,
        destinationIdentity="15550100123",
        overrideChannelParameters={channel.lower(): TEXT["text"]},
    )
    assert paths(answer) == ["/destinationIdentity"]
    assert "E.164" in answer["Error"]["Message"]


def test_whatsapp_takes_another_address(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client, channel="WHATSAPP", destinationIdentity="someone@example", notifyCodeConfiguration="cc-1")
    assert pinpoint_otp.code_for("someone@example")


def test_every_mistake_of_a_request_is_named(client: Any) -> None:
    answer = refused(
        send,
        client,
        channel="PIGEON",
        referenceId="log in",
        context={"a b": "c", "d/~e": " f "},
        overrideCodeConfigurationParameters={"codeLength": 9, "codeType": "numeric"},
    )
    assert paths(answer) == [
        "/channel",
        "/overrideCodeConfigurationParameters/codeType",
        "/overrideCodeConfigurationParameters/codeLength",
        "/context/a b",
        "/context/d~1~0e",
        "/referenceId",
    ]
    assert all(field["message"] in answer["Error"]["Message"] for field in answer["fieldList"])
    assert "overrideCodeConfigurationParameters.codeLength is 9, but AWS accepts 4 to 8" in answer["Error"]["Message"]
    assert "context.d/~e is ' f ', but AWS accepts 1 to 800" in answer["Error"]["Message"]


def test_a_refused_request_uses_nothing_up(client: Any, pinpoint_otp: PinpointOTP) -> None:
    injection = pinpoint_otp.inject("ThrottlingException", operation="SendNotifyCodeVerification", optional=True)
    pinpoint_otp.queue_codes("123456")
    refused(send, client, referenceId="log in")
    assert injection.remaining == 1
    injection.cancel()
    send(client)
    assert pinpoint_otp.code_for(DESTINATION) == "123456"


def test_what_botocore_refuses_never_gets_here(client: Any, pinpoint_otp: PinpointOTP) -> None:
    with pytest.raises(ParamValidationError):
        send(client, overrideCodeConfigurationParameters={"codeLength": 3})
    assert not pinpoint_otp.calls


@pytest.mark.pinpoint_otp(enforce_limits=False)
def test_without_limits_what_can_be_simulated_is(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(
        client,
        destinationIdentity="anybody",
        referenceId="log in",
        overrideChannelParameters={"text": {"inlineTemplateBody": "no code"}},
        overrideCodeConfigurationParameters={"codeLength": 12, "maxAttempts": 9},
    )
    (message,) = pinpoint_otp.messages
    assert (message.body, len(message.code), message.allowed_attempts) == ("no code", 12, 9)
    send(client, overrideChannelParameters=LEFT_OUT)
    assert re.fullmatch(DEFAULT_BODY, pinpoint_otp.messages[-1].body)

    assert paths(refused(send, client, channel="PIGEON")) == ["/channel"]
    policy = {"codeType": "EMOJI", "codeLength": 65}
    assert len(paths(refused(send, client, overrideCodeConfigurationParameters=policy))) == 2


@pytest.mark.pinpoint_otp(code_length=5)
def test_an_option_that_both_apis_accept_is_for_both(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client)
    assert len(pinpoint_otp.code_for(DESTINATION)) == 5


@pytest.mark.pinpoint_otp(code_length=4)
def test_an_option_of_this_api_alone_is_a_mistake_where_pinpoint_is_called(
    client: Any, pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    send(client)
    assert len(pinpoint_otp.code_for(DESTINATION)) == 4
    with pytest.raises(ValueError, match="code_length=4 is not for SendOTPMessage"):
        send_by_pinpoint(pinpoint_otp_client)
    with pytest.raises(ValueError, match=r"issue: .* code_length=4 is not for SendOTPMessage"):
        pinpoint_otp.issue(DESTINATION, application_id="a1b2c3d4", reference_id="sign-up")
    pinpoint_otp.reset()


# -- Validating ----------------------------------------------------------------------------------------------------


def test_a_wrong_code_is_invalid_and_uses_an_attempt(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client, overrideCodeConfigurationParameters={"maxAttempts": 2})
    code, wrong = pinpoint_otp.code_for(DESTINATION), pinpoint_otp.wrong_code(DESTINATION)
    assert [validate(client, wrong), validate(client, wrong), validate(client, code)] == ["INVALID"] * 3
    assert [verification.reason for verification in pinpoint_otp.verifications] == [
        "WRONG_CODE",
        "WRONG_CODE",
        "ATTEMPTS_EXHAUSTED",
    ]


def test_the_last_attempt_may_be_the_right_one(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client, overrideCodeConfigurationParameters={"maxAttempts": 2})
    assert validate(client, pinpoint_otp.wrong_code(DESTINATION)) == "INVALID"
    assert validate(client, pinpoint_otp.code_for(DESTINATION)) == "VALID"


def test_a_malformed_code_is_refused_and_uses_no_attempt(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client, overrideCodeConfigurationParameters={"maxAttempts": 1})
    for code in ("123 456", "12-456", "123456789", "\uff11\uff12\uff13\uff14"):
        assert paths(refused(validate, client, code)) == ["/code"]
    assert validate(client, pinpoint_otp.code_for(DESTINATION)) == "VALID"
    assert len(pinpoint_otp.verifications) == 1


def test_letter_case_counts(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client, overrideCodeConfigurationParameters={"codeType": "ALPHA"})
    code = pinpoint_otp.code_for(DESTINATION)
    assert [validate(client, code.lower()), validate(client, code)] == ["INVALID", "VALID"]


def test_a_wrong_code_is_of_the_codes_type(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client, overrideCodeConfigurationParameters={"codeType": "ALPHA", "codeLength": 8})
    assert re.fullmatch("[A-Z]{8}", pinpoint_otp.wrong_code(DESTINATION))


def test_each_reason_is_recorded(client: Any, pinpoint_otp: PinpointOTP) -> None:
    validate(client, "000000")
    send(client)
    first = pinpoint_otp.code_for(DESTINATION)
    send(client)
    validate(client, first)
    validate(client, pinpoint_otp.code_for(DESTINATION))
    validate(client, pinpoint_otp.code_for(DESTINATION))
    send(client)
    pinpoint_otp.advance(minutes=10)
    validate(client, pinpoint_otp.code_for(DESTINATION))
    assert [(one.reason, one.valid, one.application_id) for one in pinpoint_otp.verifications] == [
        ("NEVER_SENT", False, None),
        ("SUPERSEDED", False, None),
        ("VALID", True, None),
        ("ALREADY_VERIFIED", False, None),
        ("EXPIRED", False, None),
    ]


@pytest.mark.parametrize(
    ("sent", "given", "status"),
    [
        (REFERENCE, REFERENCE, "VALID"),
        (LEFT_OUT, LEFT_OUT, "VALID"),
        (REFERENCE, LEFT_OUT, "INVALID"),
        (LEFT_OUT, REFERENCE, "INVALID"),
        (REFERENCE, REFERENCE.upper(), "INVALID"),
    ],
)
def test_the_reference_must_be_the_sends_own(
    client: Any, pinpoint_otp: PinpointOTP, sent: object, given: object, status: str
) -> None:
    send(client, referenceId=sent)
    (message,) = pinpoint_otp.messages
    assert message.reference_id == (None if sent is LEFT_OUT else sent)
    assert validate(client, message.code, referenceId=given) == status


def test_a_code_of_one_api_is_not_valid_by_the_other(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send_by_pinpoint(pinpoint_otp_client)
    assert validate(make_client(), pinpoint_otp.code_for(DESTINATION)) == "INVALID"


def test_a_code_is_for_one_destination(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client)
    code = pinpoint_otp.code_for(DESTINATION)
    assert validate(client, code, destinationIdentity=OTHER_DESTINATION) == "INVALID"


# -- Issuing -------------------------------------------------------------------------------------------------------


def test_a_code_is_issued_without_a_call(client: Any, pinpoint_otp: PinpointOTP) -> None:
    message = pinpoint_otp.issue(DESTINATION, reference_id=REFERENCE)
    assert message.api == "endusermessaging"
    assert re.fullmatch(DEFAULT_BODY, message.body)
    assert validate(client, message.code) == "VALID"
    assert pinpoint_otp.assert_called("ValidateNotifyCodeVerification") is not None


def test_an_issued_code_takes_what_a_send_takes(client: Any, pinpoint_otp: PinpointOTP) -> None:
    message = pinpoint_otp.issue(
        DESTINATION,
        reference_id=REFERENCE,
        code="ABCD",
        code_type="ALPHA",
        validity_period=1,
        allowed_attempts=1,
        origination_identity="Example",
        context={"tenant": "a"},
        text="Hello {{code}}",
    )
    assert (message.code, message.body, message.code_type) == ("ABCD", "Hello ABCD", "ALPHA")
    assert (message.code_length, message.validity_period, message.allowed_attempts) == (4, 1, 1)
    assert (message.origination, message.context) == ("Example", {"tenant": "a"})
    assert validate(client, "ABCD") == "VALID"


def test_a_code_is_issued_by_a_configuration(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.add_code_configuration("cc-1", code_length=8, text="Stored {{code}}")
    message = pinpoint_otp.issue(DESTINATION, reference_id=REFERENCE, configuration="cc-1")
    assert (len(message.code), message.body, message.configuration) == (8, f"Stored {message.code}", "cc-1")


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({"channel": "VOICE"}, "Your verification code is ABCDEF."),
        ({"channel": "VOICE", "text": "Say {{code}}"}, "Say ABCDEF"),
        ({"channel": "WHATSAPP"}, "Your verification code is ABCDEF."),
        ({"channel": "WHATSAPP", "text": "log_in"}, "Your verification code is ABCDEF."),
        ({"origination_identity": "nc-1"}, "Your verification code is ABCDEF."),
    ],
)
def test_a_code_is_issued_by_every_channel(pinpoint_otp: PinpointOTP, given: dict[str, Any], body: str) -> None:
    message = pinpoint_otp.issue(DESTINATION, reference_id=REFERENCE, code="ABCDEF", code_type="ALPHA", **given)
    assert message.body == body


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"code_length": 9}, ValueError, "codeLength is 9"),
        ({"code_length": "6"}, TypeError, "codeLength is '6'"),
        ({"channel": "PIGEON"}, ValueError, "channel is 'PIGEON'"),
        ({"text": "no placeholder"}, ValueError, "{{code}}"),
        ({"context": ["a"]}, TypeError, "context is"),
    ],
)
def test_a_code_that_no_send_could_ask_for_is_not_issued(
    pinpoint_otp: PinpointOTP, given: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=re.escape(told)):
        pinpoint_otp.issue(DESTINATION, reference_id=REFERENCE, **given)
    assert not pinpoint_otp.messages
