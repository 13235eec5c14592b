"""The subtler faults: answers lost on the way (`LostResponse`) and raw ones (`RawResponse`)."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    HTTPClientError,
    NoCredentialsError,
    ReadTimeoutError,
)
from helpers import APPLICATION, DESTINATION, REFERENCE, send, send_request, send_status, verify, verify_request

from pytest_pinpoint_otp import LostResponse, PinpointOTP, RawResponse, mock_pinpoint_otp
from pytest_pinpoint_otp.fake import service_of

BAD_GATEWAY = RawResponse(502, "<html><h1>502 Bad Gateway</h1></html>", {"Content-Type": "text/html"})
OPERATIONS = ["SendOTPMessage", "VerifyOTPMessage"]
ATTEMPTS = {"legacy": 5, "standard": 3, "adaptive": 3}
"""How often botocore tries at most, by retry mode."""


@pytest.fixture(params=ATTEMPTS)
def mode(request: pytest.FixtureRequest) -> str:
    """Each of botocore's retry modes."""
    return request.param


@pytest.fixture
def client(mode: str) -> Any:
    """A client in that mode."""
    config = Config(retries={"mode": mode})
    return boto3.client(
        "pinpoint",
        region_name="us-east-1",
        config=config,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def call(client: Any, operation: str) -> dict[str, Any]:
    """Call an operation, and return its answer's document."""
    if operation == "SendOTPMessage":
        return client.send_otp_message(**send_request())["MessageResponse"]
    return client.verify_otp_message(**verify_request("012345"))["VerificationResponse"]


def outcomes(fake: PinpointOTP) -> list[list[tuple[str, int | None]]]:
    """Return outcome and HTTP status of every attempt, call by call."""
    return [[(attempt.outcome, attempt.status_code) for attempt in call.attempts] for call in fake.calls]


# -- A lost answer to a send -------------------------------------------------------------------------------------------


def test_a_lost_answer_makes_botocore_send_a_second_text_and_only_the_second_code_works(
    pinpoint_otp: PinpointOTP, client: Any
) -> None:
    pinpoint_otp.queue_codes("111111", "222222")
    pinpoint_otp.inject(LostResponse(), per="attempt")
    assert send_status(client) == "SUCCESSFUL"
    assert [message.code for message in pinpoint_otp.inbox(DESTINATION)] == ["111111", "222222"]
    assert outcomes(pinpoint_otp) == [[("ReadTimeoutError", None), ("SUCCESSFUL", 200)]]
    assert not verify(client, "111111")
    assert verify(client, "222222")
    assert [verification.reason for verification in pinpoint_otp.verifications] == ["SUPERSEDED", "VALID"]


def test_a_call_whose_every_answer_is_lost_sends_a_text_for_each_attempt(
    pinpoint_otp: PinpointOTP, client: Any, mode: str
) -> None:
    pinpoint_otp.inject(LostResponse())
    with pytest.raises(ReadTimeoutError):
        send(client)
    assert len(pinpoint_otp.messages) == ATTEMPTS[mode]
    (made,) = pinpoint_otp.calls
    assert outcomes(pinpoint_otp) == [[("ReadTimeoutError", None)] * ATTEMPTS[mode]]
    assert (made.outcome, made.status_code) == ("ReadTimeoutError", None)
    assert made.error_message is not None
    assert [attempt.request_id for attempt in made.attempts] == [one.request_id for one in pinpoint_otp.messages]
    # The application saw a failure, and yet the user's newest code works.
    assert verify(client, pinpoint_otp.code_for(DESTINATION))


def test_a_lost_answer_with_retries_off_reaches_the_application_and_the_text_the_user(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    client = boto3.client("pinpoint", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}))
    pinpoint_otp.inject(LostResponse(), per="attempt")
    with pytest.raises(ReadTimeoutError):
        send(client)
    assert verify(client, pinpoint_otp.assert_sent(DESTINATION, times=1).code)


def test_a_lost_answer_uses_a_queued_code_at_each_attempt(pinpoint_otp: PinpointOTP, client: Any) -> None:
    pinpoint_otp.queue_codes("111111", "222222", "333333")
    pinpoint_otp.inject(LostResponse(), per="attempt", times=2)
    assert send_status(client) == "SUCCESSFUL"
    assert [message.code for message in pinpoint_otp.messages] == ["111111", "222222", "333333"]


def test_a_lost_answer_may_be_an_opt_outs_and_no_text_is_sent(pinpoint_otp: PinpointOTP, client: Any) -> None:
    pinpoint_otp.opt_out(DESTINATION)
    pinpoint_otp.inject(LostResponse(), per="attempt")
    assert send_status(client) == "OPT_OUT"
    assert outcomes(pinpoint_otp) == [[("ReadTimeoutError", None), ("OPT_OUT", 200)]]
    pinpoint_otp.assert_not_sent()


def test_a_refused_send_is_refused_and_loses_nothing(pinpoint_otp: PinpointOTP, client: Any) -> None:
    injection = pinpoint_otp.inject(LostResponse(), optional=True)
    with pytest.raises(client.exceptions.BadRequestException):
        send(client, CodeLength=4)
    assert injection.used == 0


def test_a_mistake_in_a_queued_code_shows_through_a_lost_answer(client: Any) -> None:
    mock = mock_pinpoint_otp()
    fake = mock.start()
    fake.inject(LostResponse())
    fake.queue_codes("11111")
    with pytest.raises(ValueError, match="has 5 digits"):
        send(client)
    with pytest.raises(ValueError, match="has 5 digits"):
        mock.stop()
    assert outcomes(fake) == [[("ValueError", None)]]


# -- A lost answer to a verification -----------------------------------------------------------------------------------


def test_a_verification_whose_answer_was_lost_is_false_when_it_is_repeated(
    pinpoint_otp: PinpointOTP, client: Any
) -> None:
    send(client)
    pinpoint_otp.inject(LostResponse(), operation="VerifyOTPMessage", per="attempt")
    assert not verify(client, pinpoint_otp.code_for(DESTINATION))
    assert [one.reason for one in pinpoint_otp.verifications] == ["VALID", "ALREADY_VERIFIED"]
    assert outcomes(pinpoint_otp)[1] == [("ReadTimeoutError", None), ("INVALID", 200)]


def test_a_wrong_verification_whose_answer_was_lost_uses_an_attempt_each_time(
    pinpoint_otp: PinpointOTP, client: Any
) -> None:
    send(client, AllowedAttempts=2)
    pinpoint_otp.inject(LostResponse(), operation="VerifyOTPMessage", per="attempt")
    assert not verify(client, pinpoint_otp.wrong_code())
    assert not verify(client, pinpoint_otp.code_for(DESTINATION))
    assert [one.reason for one in pinpoint_otp.verifications] == ["WRONG_CODE", "WRONG_CODE", "ATTEMPTS_EXHAUSTED"]


def test_a_verification_whose_every_answer_is_lost_ends_in_the_exception(
    pinpoint_otp: PinpointOTP, client: Any, mode: str
) -> None:
    send(client)
    pinpoint_otp.inject(LostResponse(), operation="VerifyOTPMessage")
    with pytest.raises(ReadTimeoutError):
        verify(client, pinpoint_otp.code_for(DESTINATION))
    again = ["ALREADY_VERIFIED"] * (ATTEMPTS[mode] - 1)
    assert [one.reason for one in pinpoint_otp.verifications] == ["VALID", *again]
    # Its outcome is what the application saw.
    pinpoint_otp.assert_called("VerifyOTPMessage", times=1, outcome="ReadTimeoutError", status_code=None)


# -- The exception of a lost answer ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "exception",
    [ReadTimeoutError, ConnectTimeoutError, ConnectionClosedError, HTTPClientError],
    ids=lambda exception: exception.__name__,
)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_exception_may_be_any_of_botocores_transport(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, exception: type[Exception], operation: str
) -> None:
    pinpoint_otp.inject(LostResponse(exception), operation=operation)
    with pytest.raises(exception) as raised:
        call(pinpoint_otp_client, operation)
    assert type(raised.value) is exception
    assert {attempt.outcome for attempt in pinpoint_otp.calls[0].attempts} == {exception.__name__}


def test_the_exception_may_be_an_instance(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    exception = ConnectionClosedError(endpoint_url="https://gateway.example/")
    pinpoint_otp.inject(LostResponse(exception), LostResponse(exception=exception))
    for _ in range(2):
        with pytest.raises(ConnectionClosedError, match=r"gateway\.example") as raised:
            send(pinpoint_otp_client)
        assert raised.value is exception
    assert pinpoint_otp.calls[0].error_message == str(exception)


def test_a_callable_may_lose_the_answer(pinpoint_otp: PinpointOTP, client: Any) -> None:
    pinpoint_otp.inject(lambda call: None if call.attempts else LostResponse(), per="attempt", times=None)
    assert send_status(client) == "SUCCESSFUL"
    pinpoint_otp.assert_sent(times=2)


@pytest.mark.parametrize(
    ("exception", "shown"),
    [
        (ValueError, "<class 'ValueError'>"),
        (ClientError, "ClientError"),
        (NoCredentialsError(), "NoCredentialsError"),
        ("ReadTimeoutErorr", "'ReadTimeoutErorr'"),
        ("NoCredentialsError", "'NoCredentialsError'"),
        ("THROTTLED", "'THROTTLED'"),
        (RawResponse(502), "RawResponse"),
        (LostResponse(), "LostResponse"),
        (lambda call: None, "<function"),
        (5, "5"),
    ],
)
def test_a_lost_response_takes_nothing_but_a_transport_exception(exception: Any, shown: str) -> None:
    with pytest.raises(TypeError, match=f"{shown}.* is not a transport exception of botocore"):
        LostResponse(exception)


# -- A raw answer ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_502_page_is_retried_and_reaches_the_application_as_a_client_error(
    pinpoint_otp: PinpointOTP, client: Any, mode: str, operation: str
) -> None:
    pinpoint_otp.inject(BAD_GATEWAY, operation=operation)
    with pytest.raises(ClientError) as raised:
        call(client, operation)
    assert type(raised.value) is ClientError
    assert raised.value.response["Error"] == {"Code": "502", "Message": "Bad Gateway"}
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502
    assert raised.value.response["ResponseMetadata"]["HTTPHeaders"] == {"content-type": "text/html"}
    assert outcomes(pinpoint_otp) == [[("RawResponse", 502)] * ATTEMPTS[mode]]
    assert pinpoint_otp.messages == []
    assert pinpoint_otp.verifications == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_502_page_for_one_attempt_is_hidden_by_botocores_retry(
    pinpoint_otp: PinpointOTP, client: Any, operation: str
) -> None:
    code = pinpoint_otp.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE).code
    pinpoint_otp.inject(BAD_GATEWAY, operation=operation, per="attempt")
    if operation == "SendOTPMessage":
        assert send_status(client) == "SUCCESSFUL"
        last = "SUCCESSFUL"
    else:
        assert verify(client, code)
        last = "VALID"
    assert outcomes(pinpoint_otp) == [[("RawResponse", 502), (last, 200)]]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(RawResponse(200), id="empty"),
        pytest.param(RawResponse(204), id="no-content"),
        pytest.param(
            RawResponse(200, b'{"ApplicationId": "a1b2', {"Content-Type": "application/json"}), id="truncated"
        ),
        pytest.param(RawResponse(200, "<html>Sign in</html>", {"Content-Type": "text/html"}), id="a-page"),
        pytest.param(RawResponse(200, "{}"), id="no-members"),
    ],
)
def test_an_answer_without_a_whole_document_is_an_answer_without_its_members(
    pinpoint_otp: PinpointOTP, client: Any, operation: str, raw: RawResponse
) -> None:
    # botocore raises nothing: an application that reads Valid or Result ends in a KeyError.
    pinpoint_otp.inject(raw, operation=operation)
    assert call(client, operation) == {}
    assert outcomes(pinpoint_otp) == [[("RawResponse", raw.status_code)]]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_document_with_a_wrong_content_type_is_read_all_the_same(
    pinpoint_otp: PinpointOTP, client: Any, operation: str
) -> None:
    documents = {"SendOTPMessage": '{"ApplicationId": "a1b2c3d4"}', "VerifyOTPMessage": '{"Valid": true}'}
    expected = {"SendOTPMessage": {"ApplicationId": "a1b2c3d4"}, "VerifyOTPMessage": {"Valid": True}}
    pinpoint_otp.inject(RawResponse(200, documents[operation], {"Content-Type": "text/plain"}), operation=operation)
    assert call(client, operation) == expected[operation]
    assert pinpoint_otp.verifications == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_bytes_that_are_no_text_raise_what_botocores_parser_raises(
    pinpoint_otp: PinpointOTP, client: Any, operation: str
) -> None:
    pinpoint_otp.inject(RawResponse(200, b"\xff\xfe"), operation=operation)
    with pytest.raises(UnicodeDecodeError):
        call(client, operation)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param(RawResponse(403, "<html>Forbidden</html>", {"Content-Type": "text/html"}), "403", id="a-page"),
        pytest.param(RawResponse(404), "404", id="empty"),
        pytest.param(RawResponse(400, b'{"Message": "Too'), "400", id="truncated"),
        pytest.param(RawResponse(302, headers={"Location": "https://portal.example/"}), "302", id="a-portal"),
    ],
)
def test_an_error_status_without_an_errors_name_is_a_client_error_named_by_it(
    pinpoint_otp: PinpointOTP, client: Any, operation: str, raw: RawResponse, code: str
) -> None:
    pinpoint_otp.inject(raw, operation=operation)
    with pytest.raises(ClientError) as raised:
        call(client, operation)
    assert type(raised.value) is ClientError
    assert raised.value.response["Error"]["Code"] == code
    assert outcomes(pinpoint_otp) == [[("RawResponse", raw.status_code)]]


def test_a_raw_error_in_awss_format_is_the_modelled_exception(pinpoint_otp: PinpointOTP, client: Any) -> None:
    headers = {"x-amzn-ErrorType": "ForbiddenException", "x-amzn-RequestId": "given"}
    pinpoint_otp.inject(RawResponse(403, '{"Message": "Blocked."}', headers))
    with pytest.raises(client.exceptions.ForbiddenException, match=r"Blocked\.") as raised:
        send(client)
    assert raised.value.response["ResponseMetadata"]["RequestId"] == "given"


def test_a_raw_answer_carries_the_headers_it_is_given_and_no_others(pinpoint_otp: PinpointOTP, client: Any) -> None:
    pinpoint_otp.inject(RawResponse(200, "{}", {"X-Proxy": "edge-1"}), RawResponse(200, "{}"))
    metadata = client.send_otp_message(**send_request())["ResponseMetadata"]
    assert metadata["HTTPHeaders"] == {"x-proxy": "edge-1"}
    assert "RequestId" not in metadata
    assert client.send_otp_message(**send_request())["ResponseMetadata"]["HTTPHeaders"] == {}


def test_a_str_travels_as_utf_8(pinpoint_otp: PinpointOTP, client: Any) -> None:
    pinpoint_otp.inject(RawResponse(200, '{"ApplicationId": "straße-\N{CHECK MARK}"}'))
    assert send(client) == {"ApplicationId": "straße-\N{CHECK MARK}"}


def test_a_raw_answer_leaves_an_earlier_code_and_the_queue_as_they_were(pinpoint_otp: PinpointOTP, client: Any) -> None:
    send(client)
    pinpoint_otp.queue_codes("111111")
    pinpoint_otp.inject(RawResponse(200))
    assert send(client) == {}
    assert verify(client, pinpoint_otp.code_for(DESTINATION))
    send(client)
    assert pinpoint_otp.code_for(DESTINATION) == "111111"


def test_a_raw_answer_to_a_verification_judges_no_code(pinpoint_otp: PinpointOTP, client: Any) -> None:
    send(client)
    pinpoint_otp.inject(RawResponse(200), operation="VerifyOTPMessage")
    response = client.verify_otp_message(**verify_request(pinpoint_otp.code_for(DESTINATION)))
    assert response["VerificationResponse"] == {}
    assert pinpoint_otp.verifications == []
    assert verify(client, pinpoint_otp.code_for(DESTINATION))


def test_what_a_test_does_to_its_headers_afterwards_changes_no_answer(pinpoint_otp: PinpointOTP, client: Any) -> None:
    headers = {"X-Proxy": "edge-1"}
    pinpoint_otp.inject(RawResponse(200, "{}", headers))
    headers["X-Proxy"] = "edge-2"
    metadata = client.send_otp_message(**send_request())["ResponseMetadata"]
    assert metadata["HTTPHeaders"] == {"x-proxy": "edge-1"}


def test_a_callable_may_give_a_raw_answer(pinpoint_otp: PinpointOTP, client: Any) -> None:
    pinpoint_otp.inject(lambda call: RawResponse(200, f'{{"ApplicationId": "{call.destination}"}}'))
    assert send(client) == {"ApplicationId": DESTINATION}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"status_code": 199}, ValueError, "status_code is 199, but takes 200 to 599"),
        ({"status_code": 600}, ValueError, "status_code is 600, but takes 200 to 599"),
        ({"status_code": "502"}, TypeError, "status_code takes an int, not '502'"),
        ({"status_code": 502.0}, TypeError, r"status_code takes an int, not 502\.0"),
        ({"status_code": True}, TypeError, "status_code takes an int, not True"),
        ({"status_code": None}, TypeError, "status_code takes an int, not None"),
        ({"body": {"Valid": True}}, TypeError, "body takes bytes or a str, not"),
        ({"body": None}, TypeError, "body takes bytes or a str, not None"),
        ({"headers": [("Content-Type", "text/html")]}, TypeError, "headers takes a dict of str, not"),
        ({"headers": None}, TypeError, "headers takes a dict of str, not None"),
        ({"headers": {"Retry-After": 5}}, TypeError, "headers takes a dict of str, but has 'Retry-After': 5"),
        ({"headers": {b"Retry-After": "5"}}, TypeError, "headers takes a dict of str, but has b'Retry-After'"),
    ],
)
def test_a_bad_field_of_a_raw_response_is_refused_with_its_name_and_value(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        RawResponse(**{"status_code": 502, **arguments})


def test_the_traffic_shows_the_status_of_a_raw_answer(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.inject(RawResponse(404))
    with pytest.raises(pinpoint_otp_client.exceptions.ClientError):
        send(pinpoint_otp_client)
    assert "HTTP status 404" in service_of(pinpoint_otp).traffic(width=120)
