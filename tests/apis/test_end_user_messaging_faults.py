"""What can be made to happen to calls of AWS End User Messaging: errors, deliveries, verdicts, quotas and opt-outs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from helpers import DESTINATION, ORIGINATION, OTHER_DESTINATION
from notify import NEEDED, create, make_client, send, validate

from pytest_pinpoint_otp import Delivery, ErrorResponse, LostResponse, PinpointOTP, RawResponse, mock_pinpoint_otp
from pytest_pinpoint_otp.fake import service_of

pytestmark = NEEDED

ARN = "arn:aws:end-user-messaging:us-east-1:123456789012:notify-code-configuration/cc-1"
ONE = {"notifyCodeConfigurationId": "cc-1"}
CALLS: dict[str, Callable[[Any], Any]] = {
    "SendNotifyCodeVerification": send,
    "ValidateNotifyCodeVerification": lambda client: validate(client, "123456"),
    "CreateNotifyCodeConfiguration": create,
    "GetNotifyCodeConfiguration": lambda client: client.get_notify_code_configuration(**ONE),
    "UpdateNotifyCodeConfiguration": lambda client: client.update_notify_code_configuration(**ONE),
    "DeleteNotifyCodeConfiguration": lambda client: client.delete_notify_code_configuration(**ONE),
    "ListNotifyCodeConfigurations": lambda client: client.list_notify_code_configurations(),
    "TagResource": lambda client: client.tag_resource(resourceArn=ARN, tags=[{"key": "a", "value": "b"}]),
    "UntagResource": lambda client: client.untag_resource(resourceArn=ARN, tagKeys=["a"]),
    "ListTagsForResource": lambda client: client.list_tags_for_resource(resourceArn=ARN),
}
ERRORS = {
    "ValidationException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ConflictException": 409,
    "ServiceQuotaExceededException": 400,
    "ThrottlingException": 429,
    "InternalServerException": 500,
}
DELIVERIES = ["THROTTLED", "TEMPORARY_FAILURE", "PERMANENT_FAILURE", "UNKNOWN_FAILURE", "OPT_OUT", "DUPLICATE"]


@pytest.fixture
def client(pinpoint_otp: PinpointOTP) -> Any:
    pinpoint_otp.add_code_configuration("cc-1")
    return make_client(config=Config(retries={"mode": "standard", "total_max_attempts": 3}))


def error(call: Callable[..., Any], *arguments: Any, **given: Any) -> dict[str, Any]:
    """Return the answer of a call that is refused."""
    with pytest.raises(ClientError) as raised:
        call(*arguments, **given)
    return raised.value.response


@pytest.mark.parametrize("operation", CALLS)
def test_a_call_is_recorded(client: Any, pinpoint_otp: PinpointOTP, operation: str) -> None:
    CALLS[operation](client)
    (call,) = pinpoint_otp.calls
    assert (call.operation, call.status_code, call.application_id) == (operation, 200, None)
    assert len(call.attempts) == 1
    assert pinpoint_otp.assert_called(operation, times=1)


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("operation", CALLS)
def test_every_operation_takes_every_error(client: Any, pinpoint_otp: PinpointOTP, operation: str, name: str) -> None:
    pinpoint_otp.inject(name, operation=operation, per="call")
    with pytest.raises(getattr(client.exceptions, name)) as raised:
        CALLS[operation](client)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == ERRORS[name]
    (call,) = pinpoint_otp.calls
    assert call.outcome == name
    assert len(call.attempts) == (3 if name in ("ThrottlingException", "InternalServerException") else 1)
    CALLS[operation](client)


@pytest.mark.parametrize("operation", CALLS)
def test_an_error_that_is_about_a_resource_says_which(client: Any, pinpoint_otp: PinpointOTP, operation: str) -> None:
    pinpoint_otp.inject("ConflictException", "ResourceNotFoundException", operation=operation)
    answers = [error(CALLS[operation], client) for _ in range(2)]
    told = [(answer.get("resourceId"), answer.get("resourceType")) for answer in answers]
    if operation == "SendNotifyCodeVerification":
        assert told == [(DESTINATION, "destination-identity"), (ORIGINATION, "origination-identity")]
    elif operation.startswith(("Validate", "Create", "ListNotify")):
        assert told == [(None, None)] * 2
    else:
        assert told == [("cc-1", "notify-code-configuration")] * 2


def test_a_modelled_exception_of_this_api_is_not_for_the_other(client: Any, pinpoint_otp: PinpointOTP) -> None:
    with pytest.raises(
        ValueError, match=r"^'ThrottlingException' is an error of endusermessaging: for its calls, add "
    ):
        pinpoint_otp.inject(client.exceptions.ThrottlingException)


@pytest.mark.parametrize(
    ("operation", "called", "told"),
    [
        ("SendOTPMessage", [send], "SendNotifyCodeVerification was called 1 time"),
        ("SendOTPMessage", [send, send], "SendNotifyCodeVerification was called 2 times"),
        ("VerifyOTPMessage", [send, CALLS["ValidateNotifyCodeVerification"]], "ValidateNotifyCodeVerification was"),
    ],
)
def test_an_injection_for_the_other_apis_calls_is_asked_about_at_the_end(
    client: Any, pinpoint_otp: PinpointOTP, operation: Any, called: list[Callable[[Any], Any]], told: str
) -> None:
    injection = pinpoint_otp.inject("ReadTimeoutError", operation=operation)
    for one in called:
        one(client)
    said = service_of(pinpoint_otp).check_end()
    injection.cancel()
    assert said is not None
    assert f"operation='{operation}'): used 0, 1 left. {told}" in said
    assert f": did you mean operation='{told.split(maxsplit=1)[0]}'?\n" in said


def test_an_injection_for_calls_of_another_kind_is_not_asked_about(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("ForbiddenException", operation="VerifyOTPMessage")
    pinpoint_otp.inject("ConflictException", operation="TagResource")
    pinpoint_otp.inject("ConflictException", operation="SendNotifyCodeVerification", after=1)
    send(client)
    said = service_of(pinpoint_otp).check_end()
    pinpoint_otp.reset()
    assert said is not None
    assert "did you mean" not in said


def test_a_standing_injection_for_the_other_apis_calls_is_shown_with_the_traffic(
    client: Any, pinpoint_otp: PinpointOTP
) -> None:
    pinpoint_otp.inject("THROTTLED", times=None)
    pinpoint_otp.inject("OPT_OUT", times=None, optional=True)
    assert "not used" not in service_of(pinpoint_otp).traffic(200, unused=True)
    send(client)
    pinpoint_otp.inject("ThrottlingException", operation="SendNotifyCodeVerification", times=None, after=1)
    lines = service_of(pinpoint_otp).traffic(200, unused=True).splitlines()
    (told,) = [line for line in lines if "used 0" in line]
    assert told == (
        "not used     inject('THROTTLED', operation='SendOTPMessage', times=None): used 0."
        " SendNotifyCodeVerification was called 1 time: did you mean"
        " operation='SendNotifyCodeVerification'?"
    )


def test_a_code_of_the_other_api_is_told_of_where_none_was_sent(client: Any, pinpoint_otp: PinpointOTP) -> None:
    validate(client, "123456", destinationIdentity=OTHER_DESTINATION)
    pinpoint_otp.issue(DESTINATION, application_id="sign-up", reference_id="log-in")
    validate(client, "123456", referenceId="log-in")
    pinpoint_otp.issue(DESTINATION, reference_id="sign-up")
    validate(client, "123456", referenceId="log-in")
    lines = service_of(pinpoint_otp).traffic(132).splitlines()
    assert [line.strip() for line in lines if " otp " in line] == [
        "reference sign-up, otp 123456",
        "reference log-in, otp 123456, but the newest text has api 'pinpoint'",
        "reference log-in, otp 123456, but the newest text has reference_id 'sign-up'",
    ]


def test_an_injected_validation_error_names_no_member(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(ErrorResponse("ValidationException", message="Because."), operation="TagResource")
    answer = error(CALLS["TagResource"], client)
    assert (answer["Error"]["Message"], answer["fieldList"]) == ("Because.", [])


@pytest.mark.parametrize("operation", CALLS)
def test_every_operation_takes_failures_of_the_transport(
    client: Any, pinpoint_otp: PinpointOTP, operation: str
) -> None:
    pinpoint_otp.inject(ConnectTimeoutError, RawResponse(502), operation=operation)
    with pytest.raises(ConnectTimeoutError):
        CALLS[operation](client)
    assert error(CALLS[operation], client)["ResponseMetadata"]["HTTPStatusCode"] == 502


@pytest.mark.parametrize("operation", [name for name in CALLS if name != "DeleteNotifyCodeConfiguration"])
def test_the_answer_of_every_operation_can_be_lost(client: Any, pinpoint_otp: PinpointOTP, operation: str) -> None:
    pinpoint_otp.inject(LostResponse(), operation=operation)
    with pytest.raises(ReadTimeoutError):
        CALLS[operation](client)


def test_the_retry_of_a_delete_whose_answer_was_lost_finds_nothing(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(LostResponse(), operation="DeleteNotifyCodeConfiguration")
    assert error(CALLS["DeleteNotifyCodeConfiguration"], client)["Error"]["Code"] == "ResourceNotFoundException"
    assert [attempt.outcome for attempt in pinpoint_otp.calls[0].attempts] == [
        "ReadTimeoutError",
        "ResourceNotFoundException",
    ]


def test_a_create_whose_answer_was_lost_makes_one_configuration(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(LostResponse(), operation="CreateNotifyCodeConfiguration", per="attempt")
    made = create(client)
    listed = client.list_notify_code_configurations()["notifyCodeConfigurations"]
    assert [one["notifyCodeConfigurationId"] for one in listed] == ["cc-1", made["notifyCodeConfigurationId"]]


def test_what_is_deleted_while_a_call_waits_is_not_found(client: Any, pinpoint_otp: PinpointOTP) -> None:
    def delete_meanwhile(call: Any) -> None:
        CALLS["DeleteNotifyCodeConfiguration"](make_client())

    pinpoint_otp.inject(delete_meanwhile, operation="GetNotifyCodeConfiguration", times=None)
    answer = error(CALLS["GetNotifyCodeConfiguration"], client)
    assert (answer["Error"]["Code"], answer["resourceId"]) == ("ResourceNotFoundException", "cc-1")


def test_a_send_whose_answer_was_lost_is_sent_again(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(LostResponse(), operation="SendNotifyCodeVerification", per="attempt")
    send(client)
    assert len(pinpoint_otp.messages) == 2


@pytest.mark.parametrize("status", DELIVERIES)
def test_a_failed_delivery_is_answered_as_any_other(client: Any, pinpoint_otp: PinpointOTP, status: str) -> None:
    pinpoint_otp.inject(status, operation="SendNotifyCodeVerification")
    answer = send(client)
    assert answer["verificationId"].startswith("ver-")
    assert answer["messageId"].startswith("sms-")
    assert not pinpoint_otp.messages
    (call,) = pinpoint_otp.calls
    assert (call.outcome, call.status_code) == (status, 200)
    assert validate(client, "123456") == "INVALID"


def test_a_delivery_chooses_its_message_id(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(
        Delivery("SUCCESSFUL", message_id="sms-1"),
        Delivery("SUCCESSFUL", message_id=""),
        operation="SendNotifyCodeVerification",
    )
    assert send(client)["messageId"] == "sms-1"
    assert pinpoint_otp.messages[-1].message_id == "sms-1"
    assert "messageId" not in send(client)


def test_a_verdict_is_forced(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client)
    pinpoint_otp.inject("INVALID", "VALID", operation="ValidateNotifyCodeVerification")
    code = pinpoint_otp.code_for(DESTINATION)
    assert [validate(client, code), validate(client, "0000"), validate(client, code)] == ["INVALID", "VALID", "VALID"]
    assert len(pinpoint_otp.verifications) == 1


@pytest.mark.parametrize("operation", [name for name in CALLS if not name.startswith("SendNotify")])
def test_only_a_send_has_deliveries(pinpoint_otp: PinpointOTP, operation: str) -> None:
    with pytest.raises(ValueError, match="THROTTLED"):
        pinpoint_otp.inject("THROTTLED", operation=operation)


def test_an_operation_may_be_given_as_boto3_spells_it(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("AccessDeniedException", operation="send_notify_code_verification")
    assert error(send, client)["Error"]["Code"] == "AccessDeniedException"
    assert pinpoint_otp.assert_called("send_notify_code_verification", times=1)


def test_an_error_of_pinpoint_is_not_modelled_here(pinpoint_otp: PinpointOTP) -> None:
    with pytest.raises(ValueError, match="TooManyRequestsException"):
        pinpoint_otp.inject("TooManyRequestsException", operation="SendNotifyCodeVerification")


def test_a_number_that_has_opted_out_is_a_conflict(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.opt_out(DESTINATION)
    answer = error(send, client)
    assert answer["Error"]["Code"] == "ConflictException"
    assert (answer["resourceId"], answer["resourceType"]) == (DESTINATION, "destination-identity")
    send(client, destinationIdentity=OTHER_DESTINATION)
    pinpoint_otp.opt_in(DESTINATION)
    send(client)


def test_a_send_over_a_rate_is_throttled(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.limit_rate(1, per=timedelta(minutes=1))
    send(client)
    assert error(send, client)["Error"]["Code"] == "ThrottlingException"
    send(client, destinationIdentity=OTHER_DESTINATION)
    pinpoint_otp.advance(minutes=1)
    send(client)


@pytest.mark.pinpoint_otp(originations=["Example"])
def test_a_send_from_an_unknown_origination_is_not_found(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client, originationIdentity="Example")
    answer = error(send, client)
    assert answer["Error"]["Code"] == "ResourceNotFoundException"
    assert "does not belong to the account" in answer["Error"]["Message"]
    assert (answer["resourceId"], answer["resourceType"]) == (ORIGINATION, "origination-identity")


def test_a_recorded_plan_does_the_same_again(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("ConflictException", operation="SendNotifyCodeVerification")
    pinpoint_otp.inject("INVALID", operation="ValidateNotifyCodeVerification", after=1)
    pinpoint_otp.inject("InternalServerException", operation="TagResource", per="attempt")
    error(send, client)
    plan_of = [validate(client, "0000"), validate(client, "0000")]
    CALLS["TagResource"](client)
    plan = pinpoint_otp.recorded_plan()
    with mock_pinpoint_otp() as again:
        again.add_code_configuration("cc-1")
        again.follow(plan)
        assert error(send, client)["Error"]["Code"] == "ConflictException"
        assert [validate(client, "0000"), validate(client, "0000")] == plan_of
        CALLS["TagResource"](client)
        assert [len(call.attempts) for call in again.calls] == [1, 1, 1, 2]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda client: client.list_brand_profiles(), "ListBrandProfiles"),
        (lambda client: client.get_job(jobId="job-1"), "GetJob"),
    ],
)
def test_other_operations_are_refused(client: Any, pinpoint_otp: PinpointOTP, call: Any, name: str) -> None:
    answer = error(call, client)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert name in answer["Error"]["Message"]
    assert not pinpoint_otp.calls


def test_retries_of_a_faked_call_do_not_sleep(client: Any, pinpoint_otp: PinpointOTP, monkeypatch: Any) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    pinpoint_otp.inject("InternalServerException", operation="SendNotifyCodeVerification", per="attempt", times=2)
    send(client)
    assert len(pinpoint_otp.calls[0].attempts) == 3
    assert not any(slept)
