"""What the account knows: applications, origination identities, and numbers that have opted out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from helpers import APPLICATION, DESTINATION, ORIGINATION, OTHER_DESTINATION, send, send_status, verify

from pytest_pinpoint_otp import Delivery, ErrorResponse, LostResponse, PinpointOTP, mock_pinpoint_otp


def result_of(response: dict[str, Any]) -> dict[str, Any]:
    """Return the result of the one delivery of a send."""
    (result,) = response["Result"].values()
    assert isinstance(result, dict)
    return result


@pytest.mark.pinpoint_otp(originations=[ORIGINATION, "EXAMPLE"])
def test_a_send_from_an_unknown_origination_fails_as_aws_has_been_seen_to(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    assert send_status(pinpoint_otp_client, OriginationIdentity="EXAMPLE") == "SUCCESSFUL"
    result = result_of(send(pinpoint_otp_client, OriginationIdentity="example"))

    assert (result["DeliveryStatus"], result["StatusCode"]) == ("PERMANENT_FAILURE", 400)
    assert result["StatusMessage"] == "The provided number does not exist or does not belong to the account"
    assert len(pinpoint_otp.messages) == 2
    assert pinpoint_otp.calls[-1].source == "service"


@pytest.mark.pinpoint_otp(originations=[ORIGINATION])
def test_opt_outs_come_before_an_unknown_origination(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.opt_out(DESTINATION)

    assert send_status(pinpoint_otp_client, OriginationIdentity="EXAMPLE") == "OPT_OUT"


@pytest.mark.pinpoint_otp(originations=[ORIGINATION])
def test_a_lost_answer_of_an_undelivered_send_delivers_nothing(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.inject(LostResponse("ReadTimeoutError"), per="attempt")

    assert send_status(pinpoint_otp_client, OriginationIdentity="EXAMPLE") == "PERMANENT_FAILURE"
    pinpoint_otp.assert_not_sent()


@pytest.mark.parametrize("name", ["applications", "originations", "configurations"])
def test_what_exists_is_given_in_a_list_of_str(name: str) -> None:
    with pytest.raises(TypeError, match=rf"{name} takes .* in a list, set or tuple, not 'a' \(str\)"):
        mock_pinpoint_otp(**{name: "a"})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=rf"{name} takes .* as str, but has 7 \(int\)"):
        mock_pinpoint_otp(**{name: [7]})  # type: ignore[arg-type]


def test_an_empty_application_id_is_not_found(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    with pytest.raises(ClientError, match=r"NotFoundException.*The application ID is empty") as caught:
        send(pinpoint_otp_client, ApplicationId="")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    pinpoint_otp.inject("VALID", operation="VerifyOTPMessage", optional=True)
    with pytest.raises(ClientError, match="NotFoundException"):
        verify(pinpoint_otp_client, "123456", ApplicationId="")


@pytest.mark.parametrize(
    "outcome",
    ["PERMANENT_FAILURE", Delivery("PERMANENT_FAILURE", status_message="Phone number is opted out", message_id="")],
)
def test_an_opted_out_number_fails_as_the_test_says(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, outcome: Any
) -> None:
    pinpoint_otp.opt_out(DESTINATION, outcome=outcome)

    for _ in range(2):
        assert send_status(pinpoint_otp_client) == "PERMANENT_FAILURE"
    assert send_status(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION) == "SUCCESSFUL"
    pinpoint_otp.opt_in(DESTINATION)
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"


def test_an_opted_out_number_may_get_an_error(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.opt_out(DESTINATION, outcome=ErrorResponse("ForbiddenException", message="Opted out."))

    with pytest.raises(ClientError, match=r"ForbiddenException.*Opted out"):
        send(pinpoint_otp_client)
    assert pinpoint_otp.calls[0].source == "opt-out"


def test_the_later_opt_out_says_how(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.opt_out(DESTINATION, outcome="PERMANENT_FAILURE")
    pinpoint_otp.opt_out(DESTINATION)

    result = result_of(send(pinpoint_otp_client))
    assert (result["DeliveryStatus"], result["StatusMessage"]) == ("OPT_OUT", "Destination phone number opted out")


@pytest.mark.parametrize(
    ("outcome", "error", "match"),
    [
        ("SUCCESSFUL", ValueError, r"^opt_out: outcome is SUCCESSFUL, but takes a failed delivery or an error\.$"),
        ("OPTOUT", ValueError, r"'OPTOUT' is neither .* Did you mean 'OPT_OUT'\?"),
        ("VALID", ValueError, r"^opt_out: outcome takes a failed delivery or an error, not 'VALID' \(str\)"),
        ("ReadTimeoutError", ValueError, r"^opt_out: outcome takes a failed delivery or an error"),
        (LostResponse(), TypeError, r"^opt_out: outcome takes a failed delivery or an error, not LostResponse"),
        (lambda call: "OPT_OUT", TypeError, r"^opt_out: outcome takes a failed delivery or an error"),
    ],
)
def test_an_opt_out_takes_a_failed_delivery_or_an_error(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, outcome: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        pinpoint_otp.opt_out(DESTINATION, outcome=outcome)
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"


# -- What an answer tells of a delivery --------------------------------------------------------------------------------


def test_a_throttled_delivery_has_the_message_that_was_seen(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.inject("THROTTLED")

    result = result_of(send(pinpoint_otp_client))
    assert (result["StatusCode"], result["StatusMessage"]) == (429, "Too many requests.")


def test_a_delivery_has_the_message_id_that_the_test_gives(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.inject(Delivery("SUCCESSFUL", message_id="m-1"))

    result = result_of(send(pinpoint_otp_client))
    assert (result["MessageId"], result["StatusMessage"]) == ("m-1", "MessageId: m-1")
    assert pinpoint_otp.messages[0].message_id == "m-1"


@pytest.mark.parametrize("status", ["SUCCESSFUL", "OPT_OUT"])
def test_an_empty_message_id_leaves_the_member_out(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, status: str
) -> None:
    pinpoint_otp.inject(Delivery(status, message_id=""))

    assert "MessageId" not in result_of(send(pinpoint_otp_client))
    assert all(message.message_id for message in pinpoint_otp.messages)


def test_a_message_id_is_written_into_a_plan(pinpoint_otp: PinpointOTP) -> None:
    assert repr(Delivery("OPT_OUT", message_id="m-1")) == "Delivery('OPT_OUT', message_id='m-1')"
    with pytest.raises(TypeError, match=r"Delivery: message_id takes a str, not 7 \(int\)"):
        Delivery("OPT_OUT", message_id=7)  # type: ignore[arg-type]


# -- Defaults ----------------------------------------------------------------------------------------------------------


def test_a_default_that_is_not_set_is_what_aws_documents(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)

    message = pinpoint_otp.messages[0]
    assert (message.code_length, message.validity_period, message.allowed_attempts) == (6, 15, 3)
    assert message.api == "pinpoint"
    issued = pinpoint_otp.issue(DESTINATION, application_id=APPLICATION, reference_id="issued")
    assert (issued.code_length, issued.validity_period, issued.allowed_attempts) == (6, 15, 3)


def test_each_api_says_in_its_own_words_what_it_does_not_carry_out() -> None:
    boto3 = pytest.importorskip("boto3")
    if "endusermessaging" not in boto3.Session().get_available_services():
        pytest.skip("this botocore has no endusermessaging")
    client = boto3.client("endusermessaging", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}))

    def send_code(origination: str = ORIGINATION) -> str:
        try:
            client.send_notify_code_verification(
                channel="TEXT",
                destinationIdentity=DESTINATION,
                originationIdentity=origination,
                notifyCodeConfiguration="cc-1",
            )
        except ClientError as error:
            return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
        return "sent"

    with mock_pinpoint_otp(originations=[ORIGINATION]) as fake:
        assert send_code("EXAMPLE").startswith("ResourceNotFoundException: The origination identity does not exist")
        limit = fake.limit_rate(0, per=timedelta(minutes=1))
        assert send_code() == "ThrottlingException: Rate exceeded."
        limit.cancel()
        fake.opt_out(DESTINATION)
        assert send_code() == "ConflictException: The destination identity has opted out."
        fake.opt_in(DESTINATION)
        assert send_code() == "sent"
    assert [call.source for call in fake.calls] == ["service", "quota", "opt-out", "service"]
