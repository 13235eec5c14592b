"""AWS's documented limits: each at both of its ends, on both operations, and what holds where they are not enforced."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from helpers import APPLICATION, DESTINATION, REFERENCE, send, send_status, verify

from pytest_pinpoint_otp import PinpointOTP, mock_pinpoint_otp

LANGUAGES = [
    "de-DE",
    "en-GB",
    "en-US",
    "es-419",
    "es-ES",
    "fr-CA",
    "fr-FR",
    "it-IT",
    "ja-JP",
    "ko-KR",
    "pt-BR",
    "zh-CN",
    "zh-TW",
]

ACCEPTED = [
    ("AllowedAttempts", 1),
    ("AllowedAttempts", 5),
    ("BrandName", ""),
    ("BrandName", "x" * 20),
    ("BrandName", "ü" * 20),
    ("Channel", "SMS"),
    ("CodeLength", 5),
    ("CodeLength", 8),
    ("DestinationIdentity", "+12"),
    ("DestinationIdentity", "+123456789012345"),
    ("EntityId", "x" * 100),
    *(("Language", language) for language in LANGUAGES),
    ("OriginationIdentity", "+15550100999"),
    ("OriginationIdentity", "12345"),
    ("OriginationIdentity", "A"),
    ("OriginationIdentity", "Ab-3456789x"),
    ("ReferenceId", "x"),
    ("ReferenceId", "x" * 48),
    ("ReferenceId", "ü" * 48),
    ("TemplateId", "x" * 100),
    ("ValidityPeriod", 5),
    ("ValidityPeriod", 60),
]

# Parameter, value, and what the message says of the limit.
REFUSED = [
    ("AllowedAttempts", 0, "1 to 5 attempts"),
    ("AllowedAttempts", 6, "1 to 5 attempts"),
    ("AllowedAttempts", -1, "1 to 5 attempts"),
    ("BrandName", "x" * 21, "up to 20 characters"),
    ("Channel", "VOICE", "'SMS'"),
    ("Channel", "sms", "'SMS'"),
    ("Channel", "", "'SMS'"),
    ("CodeLength", 4, "5 to 8 digits"),
    ("CodeLength", 9, "5 to 8 digits"),
    ("DestinationIdentity", "15550100123", "E.164"),
    ("DestinationIdentity", "+05550100123", "E.164"),
    ("DestinationIdentity", "+1", "E.164"),
    ("DestinationIdentity", "+1234567890123456", "E.164"),
    ("DestinationIdentity", "+1 555 0100 123", "E.164"),
    ("DestinationIdentity", "+15550100123\n", "E.164"),
    ("DestinationIdentity", "+1\u0665\u0665\u0665", "E.164"),
    ("DestinationIdentity", "", "E.164"),
    ("Language", "en", "en-US"),
    ("Language", "en-us", "en-US"),
    ("Language", "", "en-US"),
    ("OriginationIdentity", "", "sender ID of 1 to 11"),
    ("OriginationIdentity", "Ab-3456789xy", "sender ID of 1 to 11"),
    ("OriginationIdentity", "my shop", "sender ID of 1 to 11"),
    ("OriginationIdentity", "my_shop", "sender ID of 1 to 11"),
    ("OriginationIdentity", "+1234567890123456", "sender ID of 1 to 11"),
    ("ReferenceId", "", "1 to 48 characters"),
    ("ReferenceId", "x" * 49, "1 to 48 characters"),
    ("ValidityPeriod", 4, "5 to 60 minutes"),
    ("ValidityPeriod", 61, "5 to 60 minutes"),
]
REFUSED_BY_VERIFY = [row for row in REFUSED if row[0] in {"DestinationIdentity", "ReferenceId"}]


@pytest.mark.parametrize(("parameter", "value"), ACCEPTED)
def test_a_value_within_the_limit_is_accepted(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, parameter: str, value: object
) -> None:
    assert send_status(pinpoint_otp_client, **{parameter: value}) == "SUCCESSFUL"
    assert len(pinpoint_otp.messages) == 1


@pytest.mark.parametrize(("parameter", "value", "limit"), REFUSED)
def test_a_value_beyond_the_limit_is_refused_by_name_value_and_limit(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, parameter: str, value: object, limit: str
) -> None:
    with pytest.raises(pinpoint_otp_client.exceptions.BadRequestException) as caught:
        send(pinpoint_otp_client, **{parameter: value})

    message = caught.value.response["Error"]["Message"]
    assert message.startswith(f"{parameter} is {value!r}, ")
    assert limit in message
    assert pinpoint_otp.messages == []
    assert pinpoint_otp.calls[0].error_message == message


@pytest.mark.parametrize(("parameter", "value", "limit"), REFUSED_BY_VERIFY)
def test_a_verification_is_refused_beyond_the_limits_of_a_send(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, parameter: str, value: object, limit: str
) -> None:
    with pytest.raises(pinpoint_otp_client.exceptions.BadRequestException) as caught:
        verify(pinpoint_otp_client, "123456", **{parameter: value})

    message = caught.value.response["Error"]["Message"]
    assert message.startswith(f"{parameter} is {value!r}, ")
    assert limit in message
    assert pinpoint_otp.verifications == []


@pytest.mark.parametrize(
    ("parameter", "value"), [("DestinationIdentity", "+123456789012345"), ("ReferenceId", "x" * 48)]
)
def test_a_verification_is_accepted_at_the_limits_of_a_send(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, parameter: str, value: object
) -> None:
    send(pinpoint_otp_client, **{parameter: value})

    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(), **{parameter: value})


def test_a_refusal_uses_nothing_up(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.queue_codes("012345")
    injection = pinpoint_otp.inject("THROTTLED", after=1)

    for _ in range(3):
        with pytest.raises(pinpoint_otp_client.exceptions.BadRequestException):
            send(pinpoint_otp_client, CodeLength=9)

    assert (injection.used, injection.remaining) == (0, 1)
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    assert send_status(pinpoint_otp_client) == "THROTTLED"
    assert pinpoint_otp.code_for(DESTINATION) == "012345"


def test_a_refused_verification_uses_no_attempt(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client, AllowedAttempts=1)

    with pytest.raises(pinpoint_otp_client.exceptions.BadRequestException):
        verify(pinpoint_otp_client, pinpoint_otp.wrong_code(DESTINATION), ReferenceId="")

    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [row[:2] for row in REFUSED if row[0] not in {"AllowedAttempts", "CodeLength"}]
    + [
        ("CodeLength", 1),
        ("CodeLength", 64),
        ("AllowedAttempts", 1),
        ("AllowedAttempts", 10**7),
        ("ValidityPeriod", 1),
        ("ValidityPeriod", 10**7),
    ],
)
def test_limits_that_are_not_enforced_refuse_nothing(pinpoint_otp_client: Any, parameter: str, value: object) -> None:
    with mock_pinpoint_otp(enforce_limits=False) as fake:
        assert send_status(pinpoint_otp_client, **{parameter: value}) == "SUCCESSFUL"
        (message,) = fake.messages
        key = {"DestinationIdentity": message.destination, "ReferenceId": message.reference_id}
        assert verify(pinpoint_otp_client, message.code, **key)


@pytest.mark.parametrize("length", [1, 4, 9, 64])
def test_codes_have_the_length_asked_for_where_limits_are_not_enforced(pinpoint_otp_client: Any, length: int) -> None:
    with mock_pinpoint_otp(enforce_limits=False) as fake:
        send(pinpoint_otp_client, CodeLength=length)
        assert len(fake.code_for(DESTINATION)) == length
        assert len(fake.wrong_code(DESTINATION)) == length


def test_a_code_may_have_every_digit_where_limits_are_not_enforced(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp(enforce_limits=False) as fake:
        fake.queue_codes("0123456789")
        send(pinpoint_otp_client, CodeLength=10)
        fake.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE, code="9876543210")
    assert [message.code for message in fake.messages] == ["0123456789", "9876543210"]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("CodeLength", 0),
        ("CodeLength", 65),
        ("CodeLength", -1),
        ("ValidityPeriod", 0),
        ("ValidityPeriod", 10**7 + 1),
        ("ValidityPeriod", 10**18),
        ("AllowedAttempts", 0),
        ("AllowedAttempts", -1),
        ("AllowedAttempts", 10**7 + 1),
    ],
)
def test_what_cannot_be_simulated_is_refused_though_limits_are_not_enforced(
    pinpoint_otp_client: Any, parameter: str, value: int
) -> None:
    with (
        mock_pinpoint_otp(enforce_limits=False),
        pytest.raises(pinpoint_otp_client.exceptions.BadRequestException) as caught,
    ):
        send(pinpoint_otp_client, **{parameter: value})

    assert f"{parameter} is {value}, which cannot be simulated" in caught.value.response["Error"]["Message"]


def test_codes_run_out_by_an_error_that_says_so(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp(enforce_limits=False, code_length=1, assert_all_used=False) as fake:
        for _ in range(10):
            send(pinpoint_otp_client)
        assert {message.code for message in fake.messages} == set("0123456789")

        with pytest.raises(LookupError, match="No wrong code is left: every code of 1 digits"):
            fake.wrong_code(DESTINATION)
        with pytest.raises(LookupError, match=r"No code is left: \+1.* has had every code of 1 digits for reference"):
            send(pinpoint_otp_client)
        fake.reset()


def test_a_destination_that_is_refused_does_not_hide_an_unknown_application(pinpoint_otp_client: Any) -> None:
    with (
        mock_pinpoint_otp(applications=["known"]),
        pytest.raises(pinpoint_otp_client.exceptions.NotFoundException),
    ):
        send(pinpoint_otp_client, ApplicationId="unknown", DestinationIdentity="12")


def test_the_same_request_is_judged_by_the_options_of_each_fake(pinpoint_otp_client: Any) -> None:
    def answers(**options: Any) -> str:
        with mock_pinpoint_otp(**options) as fake:
            try:
                send(pinpoint_otp_client, ReferenceId="judged anew", CodeLength=4)
            except ClientError as error:
                return str(error.response["Error"]["Code"])
            return fake.messages[-1].code

    assert answers() == "BadRequestException"
    assert len(answers(enforce_limits=False)) == 4
    assert answers(enforce_limits=False, applications=["another"]) == "NotFoundException"
    assert answers() == "BadRequestException"


@pytest.mark.parametrize(
    ("option", "values"), [("code_length", (5, 8)), ("validity_period", (5, 60)), ("allowed_attempts", (1, 5))]
)
def test_what_the_same_request_leaves_out_is_each_fake_s_own(
    pinpoint_otp_client: Any, option: str, values: tuple[int, int]
) -> None:
    for value in (*values, *values):
        with mock_pinpoint_otp(**{option: value}) as fake:
            send(pinpoint_otp_client)
            assert getattr(fake.messages[-1], option) == value
