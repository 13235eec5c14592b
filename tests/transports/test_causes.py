"""Which exceptions are found to come from an OTP call that nobody faked."""

from __future__ import annotations

import traceback
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ParamValidationError
from botocore.stub import Stubber
from helpers import send, send_request, verify
from sink import SESSION

from pytest_pinpoint_otp import UnfakedCallError
from pytest_pinpoint_otp.transports.botocore.exceptions import find_otp_call
from pytest_pinpoint_otp.transports.botocore.guard import turn_on
from pytest_pinpoint_otp.transports.botocore.patches import hold


def connect(**options: Any) -> Any:
    """Return a client whose calls go nowhere."""
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=0.1)
    return SESSION.client("pinpoint", endpoint_url="http://127.0.0.1:9", config=config, **options)


@pytest.fixture
def refused() -> Any:
    """The exception of a send that found nobody."""
    with pytest.raises(EndpointConnectionError) as caught:
        send(connect())
    return caught.value


def test_a_connection_error_of_an_otp_call_is_found(refused: EndpointConnectionError) -> None:
    assert find_otp_call(refused) == "SendOTPMessage"


def test_missing_credentials_of_an_otp_call_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = boto3.Session(region_name="us-east-1").client("pinpoint")
    client._request_signer._credentials = None
    with pytest.raises(NoCredentialsError) as caught:
        verify(client, "123456")
    assert find_otp_call(caught.value) == "VerifyOTPMessage"


def test_what_the_guard_raised_is_found() -> None:
    release, turn_off = hold(), turn_on()
    try:
        with pytest.raises(UnfakedCallError) as caught:
            send(connect())
    finally:
        turn_off()
        release()
    assert find_otp_call(caught.value) == "SendOTPMessage"


def test_the_cause_of_an_applications_own_exception_is_found(refused: EndpointConnectionError) -> None:
    def sign_up() -> None:
        try:
            send(connect())
        except EndpointConnectionError as error:
            raise LookupError("sign-up is down") from error

    with pytest.raises(LookupError) as caught:
        sign_up()
    assert find_otp_call(caught.value) == "SendOTPMessage"
    caught.value.__cause__ = None
    assert find_otp_call(caught.value) == "SendOTPMessage", "it is still the context"


def test_one_of_a_group_is_found(refused: EndpointConnectionError) -> None:
    group = ExceptionGroup("both", [ValueError("other"), refused])
    assert find_otp_call(group) == "SendOTPMessage"


def test_a_circle_of_causes_ends() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__context__, other.__context__ = other, one
    assert find_otp_call(one) is None


@pytest.mark.parametrize("operation", ["get_apps", "list_buckets"])
def test_a_connection_error_of_another_operation_is_not_one(operation: str) -> None:
    config = Config(retries={"total_max_attempts": 1})
    service = "s3" if operation == "list_buckets" else "pinpoint"
    client = SESSION.client(service, endpoint_url="http://127.0.0.1:9", config=config)
    with pytest.raises(EndpointConnectionError) as caught:
        getattr(client, operation)()
    assert find_otp_call(caught.value) is None


def test_an_answer_of_a_stubber_is_not_one() -> None:
    client = connect()
    with Stubber(client) as stubber:
        stubber.add_client_error("send_otp_message", "BadRequestException")
        with pytest.raises(ClientError) as caught:
            send(client)
    assert find_otp_call(caught.value) is None


def test_arguments_that_botocore_refuses_are_not_one() -> None:
    with pytest.raises(ParamValidationError) as caught:
        connect().send_otp_message(**send_request(Channel=1))
    assert find_otp_call(caught.value) is None


def test_a_botocore_exception_raised_by_a_test_is_not_one() -> None:
    with pytest.raises(NoCredentialsError) as caught:
        raise NoCredentialsError
    assert find_otp_call(caught.value) is None


def test_a_function_of_the_same_name_is_not_one(refused: EndpointConnectionError) -> None:
    def _make_api_call() -> None:
        raise refused.with_traceback(None)

    with pytest.raises(EndpointConnectionError) as caught:
        _make_api_call()
    assert find_otp_call(caught.value) is None


def test_an_exception_whose_frames_were_cleared_is_not_one(refused: EndpointConnectionError) -> None:
    traceback.clear_frames(refused.__traceback__)
    assert find_otp_call(refused) is None


def test_an_exception_that_was_never_raised_is_not_one() -> None:
    assert find_otp_call(ValueError("made by hand")) is None


def test_an_exception_whose_class_names_no_module_is_not_found() -> None:
    assert find_otp_call(type("Odd", (Exception,), {"__module__": None})()) is None
