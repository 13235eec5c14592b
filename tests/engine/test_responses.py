"""Every field of the two answers, every delivery status, every error: as botocore hands them to the application."""

from __future__ import annotations

import json
import logging
import re
from typing import Any
from uuid import UUID

import boto3
import pytest
from botocore.exceptions import ClientError
from helpers import APPLICATION, DESTINATION, send, send_request, verify, verify_request

from pytest_pinpoint_otp import Delivery, DeliveryStatus, ErrorResponse, PinpointOTP

STATUS_CODES = {
    "SUCCESSFUL": 200,
    "THROTTLED": 429,
    "TEMPORARY_FAILURE": 500,
    "PERMANENT_FAILURE": 400,
    "UNKNOWN_FAILURE": 500,
    "OPT_OUT": 400,
    "DUPLICATE": 400,
}

MODELLED_ERRORS = {
    "BadRequestException": 400,
    "ForbiddenException": 403,
    "InternalServerErrorException": 500,
    "MethodNotAllowedException": 405,
    "NotFoundException": 404,
    "PayloadTooLargeException": 413,
    "TooManyRequestsException": 429,
}

OPERATIONS = ("SendOTPMessage", "VerifyOTPMessage")


def call(client: Any, operation: str) -> Any:
    """Make a valid call of either operation."""
    return send(client) if operation == "SendOTPMessage" else verify(client, "123456")


def test_a_successful_send_answers_as_the_guide_shows(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    response = pinpoint_otp_client.send_otp_message(**send_request())

    message_id = pinpoint_otp.messages[0].message_id
    request_id = response["ResponseMetadata"]["RequestId"]
    assert response["MessageResponse"] == {
        "ApplicationId": APPLICATION,
        "RequestId": request_id,
        "Result": {
            DESTINATION: {
                "DeliveryStatus": "SUCCESSFUL",
                "MessageId": message_id,
                "StatusCode": 200,
                "StatusMessage": f"MessageId: {message_id}",
            }
        },
    }


def test_a_send_s_metadata_is_botocore_s_own(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    metadata = pinpoint_otp_client.send_otp_message(**send_request())["ResponseMetadata"]

    assert metadata["HTTPStatusCode"] == 200
    assert metadata["RetryAttempts"] == 0
    assert metadata["HTTPHeaders"]["x-amzn-requestid"] == metadata["RequestId"]
    assert metadata["HTTPHeaders"]["content-type"] == "application/json"
    assert metadata["RequestId"] == pinpoint_otp.calls[0].request_id


def test_request_ids_are_uuids_and_message_ids_as_awss_own_and_no_two_are_alike(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    for _ in range(20):
        send(pinpoint_otp_client)

    request_ids = [message.request_id for message in pinpoint_otp.messages]
    message_ids = [message.message_id for message in pinpoint_otp.messages]
    assert [str(UUID(one)) for one in request_ids] == request_ids
    assert {UUID(one).version for one in request_ids} == {4}
    assert all(re.fullmatch("[0-9a-v]{40}", one) for one in message_ids)
    assert len({*request_ids, *message_ids}) == 40


def test_other_people_s_handlers_may_read_the_body_as_a_stream(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    bodies = []

    def keep(http_response: Any, **kwargs: Any) -> None:
        bodies.append((http_response.raw.read(), http_response.content))

    pinpoint_otp_client.meta.events.register("after-call.pinpoint", keep)
    send(pinpoint_otp_client)

    ((streamed, content),) = bodies
    assert streamed == content
    assert pinpoint_otp.messages[0].message_id.encode() in streamed


def test_a_verification_answers_valid_alone(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    send(pinpoint_otp_client)

    response = pinpoint_otp_client.verify_otp_message(**verify_request(pinpoint_otp.code_for(DESTINATION)))

    assert response["VerificationResponse"] == {"Valid": True}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert response["ResponseMetadata"]["RequestId"] == pinpoint_otp.calls[-1].request_id


def test_the_two_answers_hold_no_member_that_the_model_lacks(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    # botocore logs the raw answer before it drops what its model does not know.
    with caplog.at_level(logging.DEBUG, logger="botocore.parsers"):
        send(pinpoint_otp_client)
        verify(pinpoint_otp_client, "123456")

    bodies = [record.args[0] for record in caplog.records if str(record.msg).startswith("Response body")]
    assert len(bodies) == 2
    assert set(json.loads(bodies[0])) == {"ApplicationId", "RequestId", "Result"}
    assert json.loads(bodies[1]) == {"Valid": False}


def test_the_seven_delivery_statuses_are_the_documented_ones() -> None:
    assert {status.value for status in DeliveryStatus} == set(STATUS_CODES)


@pytest.mark.parametrize("status", STATUS_CODES)
def test_every_delivery_status_is_an_answer_without_an_exception(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, status: str
) -> None:
    pinpoint_otp.inject(DeliveryStatus(status))

    response = pinpoint_otp_client.send_otp_message(**send_request())

    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
    result = response["MessageResponse"]["Result"][DESTINATION]
    assert set(result) == {"DeliveryStatus", "MessageId", "StatusCode", "StatusMessage"}
    assert result["DeliveryStatus"] == status
    assert result["StatusCode"] == STATUS_CODES[status]
    assert result["MessageId"]
    assert result["StatusMessage"]
    assert len(pinpoint_otp.messages) == (status == "SUCCESSFUL")
    assert pinpoint_otp.calls[0].outcome == status
    assert pinpoint_otp.calls[0].status_code == 200


@pytest.mark.parametrize("status", STATUS_CODES)
def test_a_delivery_s_fields_are_in_the_test_s_hands(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, status: str
) -> None:
    pinpoint_otp.inject(Delivery(status, status_code=299, status_message="As told", updated_token="token-2"))

    answer = send(pinpoint_otp_client)

    result = answer["Result"][DESTINATION]
    assert result.pop("MessageId")
    assert result == {
        "DeliveryStatus": status,
        "StatusCode": 299,
        "StatusMessage": "As told",
        "UpdatedToken": "token-2",
    }
    assert "EndpointResult" not in answer


@pytest.mark.parametrize("status", ["SUCCESSFUL", "PERMANENT_FAILURE"])
def test_an_endpoint_id_fills_endpoint_result_beside_result(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, status: str
) -> None:
    pinpoint_otp.inject(Delivery(DeliveryStatus(status), endpoint_id="endpoint-1", updated_token="token-2"))

    answer = send(pinpoint_otp_client)

    result = answer["Result"][DESTINATION]
    assert result["UpdatedToken"] == "token-2"
    assert answer["EndpointResult"] == {"endpoint-1": {"Address": DESTINATION, **result}}


def test_an_empty_status_message_is_not_the_default(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.inject(Delivery("SUCCESSFUL", status_message=""))

    assert send(pinpoint_otp_client)["Result"][DESTINATION]["StatusMessage"] == ""


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", MODELLED_ERRORS)
def test_every_modelled_error_is_raised_as_its_own_class(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, operation: str, name: str
) -> None:
    pinpoint_otp.inject(ErrorResponse(name, message="As told"), operation=operation)

    with pytest.raises(getattr(pinpoint_otp_client.exceptions, name)) as caught:
        call(pinpoint_otp_client, operation)

    response = caught.value.response
    assert response["Error"] == {"Message": "As told", "Code": name}
    assert response["Message"] == "As told"
    assert response["RequestID"] == response["ResponseMetadata"]["RequestId"] == pinpoint_otp.calls[0].request_id
    assert response["ResponseMetadata"]["HTTPStatusCode"] == MODELLED_ERRORS[name]
    assert pinpoint_otp.calls[0].outcome == name
    assert pinpoint_otp.calls[0].status_code == MODELLED_ERRORS[name]
    assert pinpoint_otp.calls[0].error_message == "As told"


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", MODELLED_ERRORS)
def test_a_modelled_error_may_be_given_by_name_or_class(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, operation: str, name: str
) -> None:
    error = getattr(pinpoint_otp_client.exceptions, name)
    pinpoint_otp.inject(name, error, operation=operation)

    for _ in range(2):
        with pytest.raises(error) as caught:
            call(pinpoint_otp_client, operation)
        assert "injected by" in caught.value.response["Error"]["Message"].lower()


def test_a_modelled_error_may_have_another_http_status(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.inject(ErrorResponse("BadRequestException", status_code=422))

    with pytest.raises(pinpoint_otp_client.exceptions.BadRequestException) as caught:
        send(pinpoint_otp_client)

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 422


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_unmodelled_error_is_a_plain_client_error(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, operation: str
) -> None:
    pinpoint_otp.inject(
        ErrorResponse("UnrecognizedClientException", message="The security token is invalid.", status_code=403),
        operation=operation,
    )

    with pytest.raises(ClientError) as caught:
        call(pinpoint_otp_client, operation)

    assert type(caught.value) is ClientError
    assert caught.value.response["Error"] == {
        "Code": "UnrecognizedClientException",
        "Message": "The security token is invalid.",
    }
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert caught.value.response["ResponseMetadata"]["RequestId"] == pinpoint_otp.calls[0].request_id
    assert caught.value.operation_name == operation


def test_a_modelled_class_of_any_client_may_be_injected(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    other = boto3.client("pinpoint", "eu-west-1", aws_access_key_id="testing", aws_secret_access_key="testing")
    pinpoint_otp.inject(other.exceptions.ForbiddenException)

    with pytest.raises(pinpoint_otp_client.exceptions.ForbiddenException):
        send(pinpoint_otp_client)


def test_errors_carry_the_error_s_name_in_the_documented_header(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    pinpoint_otp.inject("NotFoundException")

    with pytest.raises(pinpoint_otp_client.exceptions.NotFoundException) as caught:
        send(pinpoint_otp_client)

    headers = caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amzn-errortype"] == "NotFoundException"
    assert headers["x-amzn-requestid"] == caught.value.response["RequestID"]
