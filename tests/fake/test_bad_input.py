"""A mistake is told where it is made, by name and value, and leaves the fake as it was."""

from __future__ import annotations

import gc
import json
import os
import re
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import Enum, IntEnum, StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED, exceptions
from botocore.config import Config
from helpers import APPLICATION, DESTINATION, LEFT_OUT, REFERENCE, send, send_request, send_status, verify

from pytest_pinpoint_otp import (
    Delivery,
    DeliveryStatus,
    ErrorResponse,
    FailurePlan,
    FailureStep,
    LostResponse,
    PinpointOTP,
    RawResponse,
    active_pinpoint_otp,
    mock_pinpoint_otp,
)
from pytest_pinpoint_otp.apis.rest_json import read_parameters


class Unknown(exceptions.ClientError):
    """An exception of no service."""


Forbidden = type("ForbiddenException", (exceptions.ClientError,), {})


async def a_coroutine_function(call: object) -> str:
    return "THROTTLED"


@pytest.fixture
def untouched(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> Iterator[PinpointOTP]:
    """Hand out the fake, and prove at the end that nothing that was tried has left a trace in it."""
    before = pinpoint_otp.now()
    yield pinpoint_otp
    assert pinpoint_otp.calls == pinpoint_otp.messages == pinpoint_otp.verifications == []
    assert pinpoint_otp.now() - before < timedelta(minutes=5)
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    with mock_pinpoint_otp(seed="another") as another:
        send(pinpoint_otp_client)
    assert pinpoint_otp.code_for() not in {"012345", "111111", another.code_for()}
    assert verify(pinpoint_otp_client, pinpoint_otp.code_for())


# -- inject ------------------------------------------------------------------------------------------------------------

INJECT_MISTAKES = [
    # No outcome, or none that exists.
    ((), {}, TypeError, r"^inject: give at least one outcome, such as inject\('THROTTLED'\)\.$"),
    (("THROTLED",), {}, ValueError, r"'THROTLED' is neither .* Did you mean 'THROTTLED'\?"),
    (("throttled",), {}, ValueError, r"'throttled' is neither .* Did you mean 'THROTTLED'\?"),
    (("BadRequestExeption",), {}, ValueError, r"Did you mean 'BadRequestException'\?"),
    (("xyzzy",), {}, ValueError, r"'xyzzy' is neither .* Choose from: BadRequestException"),
    (("",), {}, ValueError, r"'' is neither a delivery status nor a modelled error"),
    (("THROTTLED", "OPTOUT"), {}, ValueError, r"'OPTOUT' is neither .* Did you mean 'OPT_OUT'\?"),
    ((503,), {}, TypeError, r"503 \(int\) is not an outcome"),
    ((None,), {}, TypeError, r"None \(NoneType\) is not an outcome"),
    ((["THROTTLED"],), {}, TypeError, r"\['THROTTLED'\] \(list\) is not an outcome.* inject\(\*outcomes\)"),
    (
        ("ThrottlingException",),
        {},
        ValueError,
        r"^'ThrottlingException' is an error of endusermessaging: for its calls, add"
        r" operation='SendNotifyCodeVerification'\. SendOTPMessage is of pinpoint, which has BadRequestException, ",
    ),
    (
        ("ConflictException",),
        {"operation": "VerifyOTPMessage"},
        ValueError,
        r"^'ConflictException' is an error of endusermessaging: .* operation='ValidateNotifyCodeVerification'\. ",
    ),
    (
        ("TooManyRequestsException",),
        {"operation": "send_notify_code_verification"},
        ValueError,
        r"is an error of pinpoint: .* of endusermessaging, which has .*, ThrottlingException, ValidationException\.$",
    ),
    (
        (ErrorResponse("ThrottlingException"),),
        {},
        ValueError,
        r"status_code as well\. 'ThrottlingException' is an error of endusermessaging: ",
    ),
    (("ThisException",), {}, ValueError, r"'ThisException' is neither .* Choose from: BadRequestException"),
    ((LostResponse,), {}, TypeError, r"LostResponse is a class, not an outcome yet: make one of it"),
    ((Delivery,), {}, TypeError, r"Delivery is a class, not an outcome yet"),
    ((DeliveryStatus,), {}, TypeError, r"DeliveryStatus is the class of all statuses: give one of them"),
    ((b"THROTTLED",), {}, TypeError, r"b'THROTTLED' \(bytes\) is not an outcome"),
    ((ValueError,), {}, TypeError, r"ValueError.* is not a transport exception of botocore"),
    ((TimeoutError("late"),), {}, TypeError, r"TimeoutError\('late'\) is not a transport exception"),
    ((KeyboardInterrupt(),), {}, TypeError, r"KeyboardInterrupt\(\) is not a transport exception"),
    ((a_coroutine_function,), {}, TypeError, r"a_coroutine_function .* is a coroutine function"),
    ((int,), {}, TypeError, r"'int'.* is not a transport exception"),
    ((exceptions.ParamValidationError,), {}, TypeError, r"ParamValidationError.* is not a transport exception"),
    ((exceptions.ClientError,), {}, ValueError, r"ClientError.* is not a modelled exception class"),
    ((Unknown,), {}, ValueError, r"Unknown.* is not a modelled exception class"),
    ((exceptions.ClientError({"Error": {"Code": "SlowDown"}}, "SendOTPMessage"),), {}, ValueError, r"ErrorResponse\("),
    ((Forbidden({"Error": {"Code": "SlowDown"}}, "SendOTPMessage"),), {}, ValueError, r"give client\.exceptions\.X"),
    # An operation that is not faked, or has no delivery.
    (("THROTTLED",), {"operation": "SendMessages"}, ValueError, r"'SendMessages' is not faked.* 'SendOTPMessage'\?"),
    (("THROTTLED",), {"operation": "send_otp_mesage"}, ValueError, r"'send_otp_mesage' is not faked"),
    (("THROTTLED",), {"phone": DESTINATION}, TypeError, r"keyword argument 'phone'\. Did you mean 'destination'\?"),
    (("THROTTLED",), {"operation": None}, ValueError, r"^inject: operation None is not faked.* Choose from"),
    (("THROTTLED",), {"operation": ["SendOTPMessage"]}, ValueError, r"\['SendOTPMessage'\] is not faked"),
    (("THROTTLED",), {"operation": "VerifyOTPMessage"}, ValueError, r"'THROTTLED' is a delivery, and VerifyOTPMessage"),
    ((Delivery("OPT_OUT"),), {"operation": "VerifyOTPMessage"}, ValueError, r"delivers nothing.*wrong_code\(\)"),
    (("VALDI",), {}, ValueError, r"'VALDI' is neither .*\. Choose from: BadRequestException"),
    (("VALDI",), {"operation": "VerifyOTPMessage"}, ValueError, r"'VALDI' is neither .* Did you mean 'VALID'\?"),
    # Counts.
    (("THROTTLED",), {"times": 0}, ValueError, r"times is 0, but takes 1 or more"),
    (("THROTTLED",), {"times": -1}, ValueError, r"times is -1, but takes 1 or more"),
    (
        ("THROTTLED",),
        {"times": "2"},
        TypeError,
        r"^inject: times takes an int \(how often the whole sequence is given; None, in JSON null: for ever\), not"
        r" '2' \(str\)\.$",
    ),
    (("THROTTLED",), {"times": 1.0}, TypeError, r"times takes an int .* not 1\.0 \(float\)"),
    (("THROTTLED",), {"times": True}, TypeError, r"times takes an int .* not True \(bool\)"),
    (
        ("THROTTLED",),
        {"after": -1},
        ValueError,
        r"^inject: after is -1, but takes 0 or more \(how many matching calls pass first\)\.$",
    ),
    (("THROTTLED",), {"after": None}, TypeError, r"after takes an int .* not None \(NoneType\)"),
    (("THROTTLED",), {"after": False}, TypeError, r"after takes an int .* not False \(bool\)"),
    # The other arguments.
    (("THROTTLED",), {"per": "calls"}, ValueError, r"per is 'calls', but takes 'call' or 'attempt'"),
    (("THROTTLED",), {"per": None}, ValueError, r"per is None, but takes 'call' or 'attempt'"),
    (("THROTTLED",), {"optional": 1}, TypeError, r"optional takes True or False, not 1 \(int\)"),
    (("THROTTLED",), {"destination": 15550100123}, TypeError, r"destination takes a str, not 15550100123 \(int\)"),
    (("THROTTLED",), {"reference_id": b"sign-up"}, TypeError, r"reference_id takes a str, not b'sign-up' \(bytes\)"),
    (("THROTTLED",), {"application_id": 1.5}, TypeError, r"application_id takes a str, not 1\.5 \(float\)"),
    (("THROTTLED",), {"destination": [DESTINATION]}, TypeError, r"destination takes a str, not \['\+1555.*\(list\)"),
    (("THROTTLED",), {"destination": {DESTINATION}}, TypeError, r"destination takes a str, not .*\(set\)"),
    (("THROTTLED",), {"destination": (DESTINATION,)}, TypeError, r"destination takes a str, not .*\(tuple\)"),
    (("THROTTLED",), {"destination": lambda value: True}, TypeError, r"destination takes a str, not .*\(function\)"),
    (
        ("THROTTLED",),
        {"destinaton": DESTINATION},
        TypeError,
        r"unexpected keyword argument 'destinaton'\. Did you mean 'destination'\?$",
    ),
]


@pytest.mark.parametrize(("outcomes", "arguments", "error", "match"), INJECT_MISTAKES)
def test_a_mistake_in_inject_is_told_there(
    untouched: PinpointOTP, outcomes: Any, arguments: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        untouched.inject(*outcomes, **arguments)


def test_a_traceback_ends_at_the_mistake_of_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from concurrent.futures import ThreadPoolExecutor
        from datetime import timedelta

        import boto3
        import pytest
        from botocore.config import Config
        from botocore.exceptions import ReadTimeoutError
        from helpers import send
        from pytest_pinpoint_otp import (
            Delivery, ErrorResponse, FailurePlan, RawResponse, mock_pinpoint_otp, serve_pinpoint_otp
        )
        from pytest_pinpoint_otp.strategies import (
            failure_plans, invalid_send_parameters, notify_send_parameters, phone_numbers, send_parameters
        )

        class Matcher:
            def __eq__(self, other):
                raise LookupError

        def leave_unused(**options):
            with mock_pinpoint_otp() as fake:
                fake.inject("THROTTLED")

        MISTAKES = [
            lambda fake: fake.inject("THROTLED"),
            lambda fake: fake.inject("THROTTLED", times=0),
            lambda fake: fake.inject("THROTTLED", tmes=1),
            lambda fake: fake.inject(ValueError),
            lambda fake: fake.advance(minutes=-1),
            lambda fake: fake.opt_out("me"),
            lambda fake: fake.queue_codes("12"),
            lambda fake: fake.issue("me", application_id="a", reference_id="b"),
            lambda fake: fake.limit_rate(-1, per=timedelta(hours=1)),
            lambda fake: fake.code_for(),
            lambda fake: fake.inbox(reference="b"),
            lambda fake: fake.assert_sent(),
            lambda fake: fake.add_code_configuration("cc", code_length="6"),
            lambda fake: fake.add_code_configuration("cc", code_length=99),
            lambda fake: Delivery("THROTLED"),
            lambda fake: ErrorResponse("SlowDown"),
            lambda fake: RawResponse(99),
            lambda fake: FailurePlan.from_json("{"),
            lambda fake: FailurePlan.from_json('{"version": 1, "steps": [{"outcome": {"kind": "RawResponse"}}]}'),
            lambda fake: FailurePlan(["THROTTLED"]),
            lambda fake: mock_pinpoint_otp(seed=1.5),
            lambda fake: mock_pinpoint_otp().stop(),
            lambda fake: leave_unused(),
            lambda fake: mock_pinpoint_otp()(leave_unused)(),
            lambda fake: serve_pinpoint_otp(port=-1),
            lambda fake: phone_numbers("Narnia"),
            lambda fake: failure_plans(operations=[]),
            lambda fake: send_parameters(Chanel="SMS"),
            lambda fake: invalid_send_parameters("Chanel"),
            lambda fake: notify_send_parameters(chanel="SMS"),
        ]
        MISTAKES_IN_A_CALL = [
            lambda fake: fake.inject(ReadTimeoutError),
            lambda fake: fake.inject("ForbiddenException"),
            lambda fake: fake.inject(lambda call: "THROTLED"),
            lambda fake: fake.inject("THROTTLED", destination=Matcher()),
            lambda fake: fake.queue_codes("12345"),
        ]

        @pytest.mark.parametrize("mistake", MISTAKES)
        def test_it(pinpoint_otp, mistake):
            mistake(pinpoint_otp)

        @pytest.mark.parametrize("mistake", MISTAKES_IN_A_CALL)
        def test_it_in_a_call(pinpoint_otp, pinpoint_otp_client, mistake):
            mistake(pinpoint_otp)
            send(pinpoint_otp_client)

        @pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
        def test_it_in_a_call_of_each_retry_mode(pinpoint_otp, mode):
            pinpoint_otp.inject(ReadTimeoutError)
            send(boto3.client("pinpoint", region_name="us-east-1", config=Config(retries={"mode": mode})))

        def test_it_in_a_call_and_swallowed(pinpoint_otp, pinpoint_otp_client):
            pinpoint_otp.inject(lambda call: "THROTLED")
            with ThreadPoolExecutor() as pool:
                assert pool.submit(send, pinpoint_otp_client).exception()

        def test_it_in_botocore(pinpoint_otp):
            boto3.Session().client("pinpoint", region_name="no region")

        @pytest.mark.pinpoint_otp(seed=1.5)
        def test_it_in_the_marker():
            pass
        """
    )
    result = pytester.runpytest("-p", "no:asyncio", "--tb=short", "-rN")

    outcomes = result.parseoutcomes()
    assert (outcomes["failed"], outcomes["errors"]) == (39, 2)
    assert "pytest_pinpoint_otp/" not in result.stdout.str().replace(os.sep, "/")


# -- Outcomes ----------------------------------------------------------------------------------------------------------

OUTCOME_MISTAKES = [
    (
        Delivery,
        {"status": "THROTLED"},
        ValueError,
        r"'THROTLED', which is not a delivery status\. Did you mean 'THROTTLED'\?",
    ),
    (Delivery, {"status": None}, TypeError, r"status takes the name of a delivery status, not None"),
    (Delivery, {"status": 200}, TypeError, r"status takes the name of a delivery status, not 200 \(int\)"),
    (Delivery, {"status": "DUPLICATE", "status_code": "400"}, TypeError, r"status_code takes an int, not '400'"),
    (Delivery, {"status": "DUPLICATE", "status_code": True}, TypeError, r"status_code takes an int, not True"),
    (Delivery, {"status": "DUPLICATE", "status_code": 99}, ValueError, r"status_code is 99, but takes 100 to 599"),
    (Delivery, {"status": "DUPLICATE", "status_code": 600}, ValueError, r"status_code is 600, but takes 100 to 599"),
    (Delivery, {"status": "DUPLICATE", "status_message": 1}, TypeError, r"status_message takes a str, not 1 \(int\)"),
    (Delivery, {"status": "DUPLICATE", "updated_token": b"x"}, TypeError, r"updated_token takes a str, not b'x'"),
    (Delivery, {"status": "DUPLICATE", "endpoint_id": 1}, TypeError, r"endpoint_id takes a str, not 1 \(int\)"),
    (Delivery, {"status": "DUPLICATE", "statuscode": 1}, TypeError, r"'statuscode'\. Did you mean 'status_code'\?$"),
    (Delivery, {"status": "DUPLICATE", "message": "x"}, TypeError, r"'message'\. Did you mean 'status_message'\?$"),
    (ErrorResponse, {"name": "X", "status": 503}, TypeError, r"'status'\. Did you mean 'status_code'\?$"),
    (ErrorResponse, {"name": "X", "code": 503}, TypeError, r"'code'\. Did you mean 'status_code'\?$"),
    (ErrorResponse, {"name": "X", "xyzzy": 1}, TypeError, r"'xyzzy'\. Choose from: message, name, status_code\.$"),
    (RawResponse, {"status": 502}, TypeError, r"'status'\. Did you mean 'status_code'\?$"),
    (ErrorResponse, {"name": "SlowDown"}, ValueError, r"'SlowDown', which is not modelled .* give its status_code as"),
    (ErrorResponse, {"name": "ForbidenException"}, ValueError, r"Did you mean 'ForbiddenException'\?"),
    (ErrorResponse, {"name": ""}, ValueError, r"name is '', which is not the name of an error"),
    (ErrorResponse, {"name": "Slow\nDown", "status_code": 503}, ValueError, r"is not the name of an error"),
    (ErrorResponse, {"name": None}, TypeError, r"name takes the error's name, not None"),
    (ErrorResponse, {"name": exceptions.ClientError}, TypeError, r"name takes the error's name, not <class"),
    (ErrorResponse, {"name": "BadRequestException", "message": 1}, TypeError, r"message takes a str, not 1 \(int\)"),
    (ErrorResponse, {"name": "SlowDown", "status_code": 399}, ValueError, r"status_code is 399, but takes 400 to 599"),
    (ErrorResponse, {"name": "SlowDown", "status_code": 600}, ValueError, r"status_code is 600, but takes 400 to 599"),
    (ErrorResponse, {"name": "SlowDown", "status_code": "503"}, TypeError, r"status_code takes an int, not '503'"),
]


@pytest.mark.parametrize(("outcome", "arguments", "error", "match"), OUTCOME_MISTAKES)
def test_a_mistake_in_an_outcome_is_told_where_it_is_made(
    outcome: Any, arguments: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        outcome(**arguments)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"body": "\ud800"}, r"RawResponse: body '\\ud800' cannot be sent as UTF-8"),
        ({"headers": {"A": "1", "a": "2"}}, r"RawResponse: headers \{'A': '1', 'a': '2'\} has a name twice"),
    ],
)
def test_a_raw_answer_that_cannot_be_sent_is_refused(arguments: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        RawResponse(502, **arguments)


@pytest.mark.parametrize("status_code", [100, 599])
def test_the_status_code_of_a_delivery_has_ends(pinpoint_otp_client: Any, status_code: int) -> None:
    with mock_pinpoint_otp() as fake:
        fake.inject(Delivery("DUPLICATE", status_code=status_code))
        assert send(pinpoint_otp_client)["Result"][DESTINATION]["StatusCode"] == status_code


@pytest.mark.parametrize("status_code", [400, 599])
def test_the_status_code_of_an_error_has_ends(status_code: int) -> None:
    with mock_pinpoint_otp() as fake:
        fake.inject(ErrorResponse("SlowDown", status_code=status_code))
        with pytest.raises(exceptions.ClientError) as caught:
            send(unchecked_client())
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status_code


def test_outcomes_of_an_iterator_that_has_run_out_are_told_as_that(pinpoint_otp_client: Any) -> None:
    outcomes = iter(["THROTTLED"])

    @mock_pinpoint_otp()
    def sign_up() -> None:
        active_pinpoint_otp().inject(lambda call: next(outcomes), times=None)
        assert send_status(pinpoint_otp_client) == "THROTTLED"
        with pytest.raises(RuntimeError, match="StopIteration: what it takes its outcomes from has run out"):
            send(pinpoint_otp_client)

    with pytest.raises(RuntimeError) as raised:
        sign_up()
    assert str(raised.value).endswith(
        " raised StopIteration: what it takes its outcomes from has run out. Let it return None, which leaves the call"
        " to others, or give inject(...) as many times."
    )
    assert isinstance(raised.value.__cause__, StopIteration)


# -- Numbers and codes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["opt_out", "opt_in"])
@pytest.mark.parametrize("number", ["", "15550100123", "+0123456", "+1", "+1-555-010-0123", " +15550100123", "me"])
def test_a_number_that_is_no_e_164_is_refused(untouched: PinpointOTP, method: str, number: str) -> None:
    with pytest.raises(ValueError, match=r"E\.164") as caught:
        getattr(untouched, method)(number)
    assert str(caught.value).startswith(f"{method}: {number!r} is not a phone number")


@pytest.mark.parametrize("method", ["opt_out", "opt_in"])
@pytest.mark.parametrize("number", [15550100123, None, b"+15550100123", [DESTINATION]])
def test_a_number_that_is_no_text_is_refused(untouched: PinpointOTP, method: str, number: Any) -> None:
    with pytest.raises(TypeError, match=f"{method} takes a phone number as str") as caught:
        getattr(untouched, method)(number)
    assert repr(number) in str(caught.value)


@pytest.mark.parametrize(
    ("codes", "error", "match"),
    [
        ((), TypeError, r"queue_codes: give at least one code"),
        (("123",), ValueError, r"'123' has 3 digits.*5 to 8"),
        (("1",), ValueError, r"'1' has 1 digit\. .*5 to 8 digits\. .*4 to 8"),
        (("ABC",), ValueError, r"'ABC' has 3 characters\. .*5 to 8"),
        (("123456789",), ValueError, r"'123456789' has 9 digits.*5 to 8"),
        (("12345a",), ValueError, r"'12345a' is not made of the digits 0 to 9, or of those and capital letters\.$"),
        (("123 456",), ValueError, r"'123 456' is not made of the digits 0 to 9"),
        (("",), ValueError, r"'' is not made of the digits 0 to 9"),
        (("-12345",), ValueError, r"'-12345' is not made of the digits 0 to 9"),
        (("\u0661\u0662\u0663\u0664\u0665\u0666",), ValueError, r"is not made of the digits 0 to 9"),
        (("\u00b9\u00b2\u00b3\u00b9\u00b2\u00b3",), ValueError, r"is not made of the digits 0 to 9"),
        ((123456,), TypeError, r"as str, since a code may start with a zero, not 123456 \(int\)"),
        ((["012345", "1"],), TypeError, r"\(list\) is not a code\. .* arguments: queue_codes\('012345', '1'\)\.$"),
        ((None,), TypeError, r"not None \(NoneType\)"),
        (("012345", "111111", "12345x"), ValueError, r"'12345x' is not made of"),
    ],
)
def test_a_mistake_in_a_queued_code_is_told_there(
    untouched: PinpointOTP, codes: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        untouched.queue_codes(*codes)


ISSUE_MISTAKES = [
    ({"destination": "5550100123"}, ValueError, r"DestinationIdentity is '5550100123', but AWS accepts .*E\.164"),
    ({"reference_id": ""}, ValueError, r"ReferenceId is '', but AWS accepts 1 to 48 characters"),
    ({"reference_id": None}, ValueError, r"ReferenceId is missing"),
    ({"application_id": 7}, TypeError, r"application_id takes a str, not 7 \(int\)"),
    ({"brand_name": "x" * 21}, ValueError, r"BrandName is 'x+', but AWS accepts up to 20 characters"),
    ({"channel": "EMAIL"}, ValueError, r"Channel is 'EMAIL', but AWS accepts 'SMS'"),
    ({"code_length": 9}, ValueError, r"CodeLength is 9, but AWS accepts 5 to 8 digits"),
    ({"code_length": "6"}, TypeError, r"issue: CodeLength is '6', but takes an integer: 5 to 8 digits\."),
    ({"destination": 15550100123}, TypeError, r"issue: DestinationIdentity is 15550100123, but takes a string"),
    ({"code_length": "6", "code": "012345"}, ValueError, r"'012345' has 6 digits, not '6'"),
    ({"validity_period": 61}, ValueError, r"ValidityPeriod is 61, but AWS accepts 5 to 60 minutes"),
    ({"allowed_attempts": 0}, ValueError, r"AllowedAttempts is 0, but AWS accepts 1 to 5 attempts"),
    ({"language": "xx-XX"}, ValueError, r"Language is 'xx-XX', but AWS accepts one of de-DE"),
    ({"origination_identity": "no sender"}, ValueError, r"OriginationIdentity is 'no sender', but AWS accepts"),
    ({"entity_id": 1}, TypeError, r"issue: EntityId is 1, but takes a string\.$"),
    ({"code": "012345", "code_length": 8}, ValueError, r"the code '012345' has 6 digits, not 8"),
    ({"code": "12345x"}, ValueError, r"'12345x' is not made of the digits 0 to 9\.$"),
    ({"code": "12345A"}, ValueError, r"'12345A' is not made of the digits 0 to 9\.$"),
    ({"code": "123"}, ValueError, r"'123' has 3 digits.*5 to 8"),
    ({"code": 123456}, TypeError, r"as str, since a code may start with a zero, not 123456 \(int\)"),
    ({"brandname": "Example"}, TypeError, r"issue: there is no parameter 'brandname'\. Did you mean 'brand_name'\?"),
    ({"BrandName": "Example"}, TypeError, r"issue: there is no parameter 'BrandName'\. Did you mean 'brand_name'\?"),
    (
        {"code_type": "ALPHA"},
        TypeError,
        r"no parameter 'code_type'\. It is for codes of endusermessaging: leave application_id out\.$",
    ),
    ({"xyzzy": 1}, TypeError, r"issue: there is no parameter 'xyzzy'\. Choose from: allowed_attempts, [a-z_, ]+\.$"),
    (
        {"application_id": None, "reference_id": "log in 1"},
        ValueError,
        r"referenceId is 'log in 1', but .*\. \(Without application_id, the code is for endusermessaging\.\)$",
    ),
    (
        {"application_id": None, "brand_name": "Example"},
        TypeError,
        r"no parameter 'brand_name'\..* \(Without application_id, the code is for endusermessaging\.\)$",
    ),
]


@pytest.mark.parametrize(("arguments", "error", "match"), ISSUE_MISTAKES)
def test_a_mistake_in_issue_is_told_there(
    untouched: PinpointOTP, arguments: Any, error: type[Exception], match: str
) -> None:
    valid = {"destination": DESTINATION, "application_id": APPLICATION, "reference_id": REFERENCE}
    with pytest.raises(error, match=match):
        untouched.issue(**valid | arguments)


def test_issue_knows_the_known_applications() -> None:
    with mock_pinpoint_otp(applications=["known"]) as fake:
        with pytest.raises(ValueError, match=r"'unknown' was not found; known applications: 'known'"):
            fake.issue(DESTINATION, application_id="unknown", reference_id=REFERENCE)
        assert fake.messages == []


@pytest.mark.parametrize(
    ("positional", "keywords", "error", "match"),
    [
        ((), {}, TypeError, r"advance takes a timedelta or keywords such as minutes=5"),
        ((5,), {}, TypeError, r"advance takes a timedelta or keywords such as minutes=5, not 5 \(int\)"),
        (("5m",), {}, TypeError, r"not '5m' \(str\)"),
        ((timedelta(minutes=1),), {"minutes": 1}, TypeError, r"not both"),
        ((timedelta(minutes=-1),), {}, ValueError, r"the clock never goes back, but datetime\.timedelta\(.*\) is neg"),
        ((), {"seconds": -0.000001}, ValueError, r"the clock never goes back, but seconds=-1e-06 is negative\.$"),
        ((), {"minutes": "5"}, TypeError, r"minutes takes a number, not '5' \(str\)"),
        ((), {"minutes": True}, TypeError, r"minutes takes a number, not True \(bool\)"),
        ((), {"minutes": float("nan")}, ValueError, r"minutes=nan is not a duration"),
        ((), {"minutes": float("inf")}, ValueError, r"minutes=inf is not a duration"),
        ((), {"days": 10**10, "hours": 1}, ValueError, r"days=10000000000, hours=1 is not a duration"),
        ((timedelta.max,), {}, ValueError, r"beyond the year 9999"),
        ((), {"week": 1}, TypeError, r"unexpected keyword argument 'week'"),
    ],
)
def test_a_mistake_in_advance_is_told_there(
    untouched: PinpointOTP, positional: Any, keywords: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        untouched.advance(*positional, **keywords)


# -- Options -----------------------------------------------------------------------------------------------------------

OPTION_MISTAKES = [
    ({"code_lenght": 6}, TypeError, r"there is no option 'code_lenght'\. Did you mean 'code_length'\?"),
    ({"enabled": True}, TypeError, r"there is no option 'enabled'\."),
    (
        {"code_length": 3},
        ValueError,
        r"code_length is refused\. pinpoint: CodeLength is 3, but AWS accepts 5 to 8 digits\."
        r" endusermessaging: codeLength is 3, but AWS accepts 4 to 8 characters\.$",
    ),
    ({"code_length": True}, TypeError, r"code_length takes an int, not True \(bool\)"),
    ({"code_length": "6"}, TypeError, r"code_length takes an int, not '6' \(str\)"),
    ({"validity_period": 61}, ValueError, r"validity_period is refused\. pinpoint: ValidityPeriod is 61"),
    ({"validity_period": 15.0}, TypeError, r"validity_period takes an int \(minutes\), not 15\.0"),
    ({"allowed_attempts": 0}, ValueError, r"allowed_attempts is refused\. pinpoint: AllowedAttempts is 0"),
    ({"allowed_attempts": 6}, ValueError, r"allowed_attempts is refused\. pinpoint: AllowedAttempts is 6"),
    ({"enforce_limits": False, "code_length": 0}, ValueError, r"CodeLength is 0, which cannot be simulated"),
    ({"enforce_limits": 1}, TypeError, r"enforce_limits takes True or False, not 1 \(int\)"),
    ({"retry_backoff": "no"}, TypeError, r"retry_backoff takes True or False, not 'no' \(str\)"),
    ({"assert_all_used": None}, TypeError, r"assert_all_used takes True or False, not None"),
    ({"applications": "a1b2c3d4"}, TypeError, r"applications takes application IDs in a list.* not 'a1b2c3d4'"),
    ({"applications": 7}, TypeError, r"applications takes application IDs in a list.* not 7 \(int\)"),
    ({"applications": ["a", 7]}, TypeError, r"applications takes application IDs as str, but has 7 \(int\)"),
    ({"seed": 1.5}, TypeError, r"seed takes a str or an int, not 1\.5 \(float\)"),
    ({"seed": None}, TypeError, r"seed takes a str or an int, not None"),
    ({"seed": True}, TypeError, r"seed takes a str or an int, not True"),
]


@pytest.mark.parametrize(("options", "error", "match"), OPTION_MISTAKES)
def test_a_mistake_in_an_option_is_told_where_it_is_made(options: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match) as caught:
        mock_pinpoint_otp(**options)
    assert str(caught.value).startswith("mock_pinpoint_otp: ")


# -- Requests that no validating client would send ---------------------------------------------------------------------


def unchecked_client() -> Any:
    """Return a client that sends what it is given, once."""
    config = Config(parameter_validation=False, signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    return boto3.client("pinpoint", region_name="us-east-1", config=config)


REQUIRED_OF_SEND = ["BrandName", "Channel", "DestinationIdentity", "OriginationIdentity", "ReferenceId"]
REQUIRED_OF_VERIFY = ["DestinationIdentity", "Otp", "ReferenceId"]


@pytest.mark.parametrize("value", [LEFT_OUT, None], ids=["left out", "None"])
@pytest.mark.parametrize("parameter", REQUIRED_OF_SEND)
def test_a_send_without_a_required_parameter_is_refused(pinpoint_otp: PinpointOTP, parameter: str, value: Any) -> None:
    client = unchecked_client()

    with pytest.raises(client.exceptions.BadRequestException, match=f"{parameter} is missing: SendOTPMessage needs"):
        send(client, **{parameter: value})

    assert pinpoint_otp.messages == []
    assert pinpoint_otp.calls[0].outcome == "BadRequestException"


@pytest.mark.parametrize("value", [LEFT_OUT, None], ids=["left out", "None"])
@pytest.mark.parametrize("parameter", REQUIRED_OF_VERIFY)
def test_a_verification_without_a_required_parameter_is_refused(
    pinpoint_otp: PinpointOTP, parameter: str, value: Any
) -> None:
    client = unchecked_client()

    with pytest.raises(client.exceptions.BadRequestException, match=f"{parameter} is missing: VerifyOTPMessage needs"):
        verify(client, "123456", **{parameter: value})

    assert pinpoint_otp.verifications == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("AllowedAttempts", "3"),
        ("AllowedAttempts", True),
        ("BrandName", 1),
        ("Channel", ["SMS"]),
        ("CodeLength", 6.0),
        ("CodeLength", "6"),
        ("DestinationIdentity", 15550100123),
        ("EntityId", 1),
        ("Language", {}),
        ("OriginationIdentity", False),
        ("ReferenceId", 7),
        ("TemplateId", [1]),
        ("ValidityPeriod", [15]),
    ],
)
def test_a_send_with_a_parameter_of_the_wrong_type_is_refused(
    pinpoint_otp: PinpointOTP, parameter: str, value: Any
) -> None:
    client = unchecked_client()
    # botocore's serialiser would stop some of these, and another HTTP client would not.
    body = json.dumps(send_request(**{parameter: value})["SendOTPMessageRequestParameters"])

    with pytest.raises(client.exceptions.BadRequestException) as caught:
        send_raw(client, body.encode())

    message = caught.value.response["Error"]["Message"]
    assert message.startswith(f"{parameter} is {value!r}, but takes ")
    assert pinpoint_otp.messages == []


@pytest.mark.parametrize("enforce_limits", [True, False])
def test_types_are_asked_even_where_limits_are_not_enforced(enforce_limits: bool) -> None:
    client = unchecked_client()
    with (
        mock_pinpoint_otp(enforce_limits=enforce_limits),
        pytest.raises(client.exceptions.BadRequestException, match="Otp is 123456, but takes a string"),
    ):
        verify(client, 123456)


@pytest.mark.parametrize(
    "parameter", ["AllowedAttempts", "CodeLength", "EntityId", "Language", "TemplateId", "ValidityPeriod"]
)
def test_an_optional_parameter_that_is_null_counts_as_left_out(pinpoint_otp: PinpointOTP, parameter: str) -> None:
    body = json.dumps(send_request(**{parameter: None})["SendOTPMessageRequestParameters"])

    assert send_raw(unchecked_client(), body.encode())["MessageResponse"]["Result"]
    (message,) = pinpoint_otp.messages
    assert (message.allowed_attempts, message.code_length, message.validity_period) == (3, 6, 15)
    assert (message.entity_id, message.language, message.template_id) == (None, None, None)


def test_a_body_may_have_white_space_around_it(pinpoint_otp: PinpointOTP) -> None:
    body = json.dumps(send_request()["SendOTPMessageRequestParameters"])

    send_raw(unchecked_client(), f" \r\n\t{body}\n ".encode())

    assert pinpoint_otp.assert_sent().destination == DESTINATION


@pytest.mark.parametrize("value", [5, ["+15550100123"], {}])
def test_a_call_has_no_destination_or_reference_that_is_no_string(pinpoint_otp: PinpointOTP, value: Any) -> None:
    client = unchecked_client()
    parameters = send_request(DestinationIdentity=value, ReferenceId=value)["SendOTPMessageRequestParameters"]

    with pytest.raises(client.exceptions.BadRequestException, match="DestinationIdentity is "):
        send_raw(client, json.dumps(parameters).encode())

    (call,) = pinpoint_otp.calls
    assert (call.destination, call.reference_id) == (None, None)
    assert call.parameters == parameters


def test_a_member_that_aws_does_not_know_is_ignored(pinpoint_otp: PinpointOTP) -> None:
    body = json.dumps(send_request(Xyzzy={})["SendOTPMessageRequestParameters"])

    send_raw(unchecked_client(), body.encode())

    assert pinpoint_otp.calls[0].outcome == "SUCCESSFUL"
    assert pinpoint_otp.calls[0].parameters["Xyzzy"] == {}


@pytest.mark.parametrize(
    ("body", "match"),
    [
        (b"", "not a JSON document"),
        (None, "not a JSON document"),
        (b"{", "not a JSON document"),
        (b"\xff\xfe{}\xff", "not a JSON document"),
        (b'{"BrandName": "\xff"}', "not a JSON document"),
        (b"[" * 100_000, "not a JSON document"),
        (b"{} {}", "not a JSON document"),
        (b"[]", "is a JSON list, but takes an object"),
        (b"null", "is a JSON NoneType, but takes an object"),
        (b'"text"', "is a JSON str, but takes an object"),
        (b"{}", "is missing: SendOTPMessage needs"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(pinpoint_otp: PinpointOTP, body: Any, match: str) -> None:
    client = unchecked_client()

    with pytest.raises(client.exceptions.BadRequestException, match=match) as caught:
        send_raw(client, body)

    (call,) = pinpoint_otp.calls
    assert (call.parameters, call.destination, call.reference_id) == ({}, None, None)
    assert (call.outcome, call.status_code) == ("BadRequestException", 400)
    assert call.error_message == caught.value.response["Error"]["Message"]
    assert pinpoint_otp.messages == []


def test_an_application_that_does_not_exist_is_told_before_a_body_that_is_no_json() -> None:
    client = unchecked_client()

    with mock_pinpoint_otp(applications=["another"]) as fake, pytest.raises(client.exceptions.NotFoundException):
        send_raw(client, b"{")
    assert fake.calls[0].outcome == "NotFoundException"


def test_a_request_that_is_no_post_is_refused(pinpoint_otp: PinpointOTP) -> None:
    client = unchecked_client()

    with pytest.raises(client.exceptions.MethodNotAllowedException, match="SendOTPMessage takes POST, not PUT"):
        send_raw(client, b"{}", method="PUT")

    assert pinpoint_otp.calls[0].outcome == "MethodNotAllowedException"


@pytest.mark.parametrize("path", ["/v1/apps/a1b2c3d4/messages", "/v2/apps/a1b2c3d4/otp", "/v1/apps/a/b/otp", "/otp"])
def test_a_request_to_another_path_is_told_what_is_faked(pinpoint_otp: PinpointOTP, path: str) -> None:
    client = unchecked_client()

    with pytest.raises(exceptions.ClientError) as caught:
        send_raw(client, b"{}", path=path)
    message = caught.value.response["Error"]["Message"]
    assert f"{path} is not faked: pytest-pinpoint-otp answers SendOTPMessage, VerifyOTPMessage" in message
    assert message.endswith("Use the method and path of one of these, or another mock.")

    assert pinpoint_otp.calls == []


def test_a_request_without_an_invocation_id_is_a_call_of_its_own(pinpoint_otp: PinpointOTP) -> None:
    client = unchecked_client()

    def drop(request: Any, **kwargs: Any) -> None:
        del request.headers["amz-sdk-invocation-id"]

    client.meta.events.register("request-created.pinpoint", drop)
    send(client)
    send(client)

    assert len(pinpoint_otp.calls) == 2
    assert all(call.invocation_id for call in pinpoint_otp.calls)


def test_a_request_that_says_another_call_s_invocation_id_is_a_call_of_its_own(pinpoint_otp: PinpointOTP) -> None:
    client = unchecked_client()

    def say(request: Any, **kwargs: Any) -> None:
        request.headers["amz-sdk-invocation-id"] = "the-same"

    client.meta.events.register("request-created.pinpoint", say)
    with pytest.raises(client.exceptions.BadRequestException):
        send(client, ReferenceId=None)
    send(client)
    assert verify(client, pinpoint_otp.code_for(DESTINATION))

    assert [call.outcome for call in pinpoint_otp.calls] == ["BadRequestException", "SUCCESSFUL", "VALID"]
    assert [len(call.attempts) for call in pinpoint_otp.calls] == [1, 1, 1]


def send_raw(client: Any, body: bytes | None, *, method: str = "POST", path: str | None = None) -> Any:
    """Make a send whose HTTP request is changed on the way out."""

    def change(params: dict[str, Any], **kwargs: Any) -> None:
        params["body"] = body
        params["method"] = method
        if path is not None:
            params["url"] = f"https://pinpoint.us-east-1.amazonaws.com{path}"

    client.meta.events.register("before-call.pinpoint.SendOTPMessage", change)
    return client.send_otp_message(**send_request())


# -- Mistakes that show only in the service ----------------------------------------------------------------------------


def test_a_key_that_has_had_every_code_is_told_again_at_the_end(pinpoint_otp_client: Any) -> None:
    mock = mock_pinpoint_otp(enforce_limits=False)
    fake = mock.start()
    for _ in range(10):
        send(pinpoint_otp_client, CodeLength=1)
    with pytest.raises(LookupError, match="had every code of 1 digits"):
        send(pinpoint_otp_client, CodeLength=1)

    with pytest.raises(LookupError, match="had every code of 1 digits"):
        mock.stop()
    assert len({message.code for message in fake.messages}) == 10
    assert [call.outcome for call in fake.calls] == ["SUCCESSFUL"] * 10 + ["LookupError"]


def test_every_code_of_a_length_is_drawn_before_a_key_has_none_left(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp(enforce_limits=False, code_length=2) as fake:
        for _ in range(100):
            send(pinpoint_otp_client)
        with pytest.raises(LookupError, match="No wrong code is left: every code of 2 digits"):
            fake.wrong_code()
    assert len({message.code for message in fake.messages}) == 100


def test_an_expiry_beyond_the_year_9999_is_told_again_and_uses_no_queued_code(pinpoint_otp_client: Any) -> None:
    mock = mock_pinpoint_otp()
    fake = mock.start()
    fake.advance(datetime(9999, 12, 31, 23, 50, tzinfo=UTC) - fake.now())
    fake.queue_codes("012345")
    with pytest.raises(OverflowError):
        send(pinpoint_otp_client)
    send(pinpoint_otp_client, ValidityPeriod=5)

    with pytest.raises(OverflowError):
        mock.stop()
    assert [message.code for message in fake.messages] == ["012345"]
    assert [call.outcome for call in fake.calls] == ["OverflowError", "SUCCESSFUL"]


def test_a_queued_code_of_the_wrong_length_uses_no_injection(pinpoint_otp_client: Any) -> None:
    mock = mock_pinpoint_otp()
    fake = mock.start()
    injection = fake.inject("SUCCESSFUL")
    fake.queue_codes("12345")
    with pytest.raises(ValueError, match="The queued code '12345' has 5 digits"):
        send(pinpoint_otp_client)
    assert (injection.used, injection.remaining) == (0, 1)
    assert send_status(pinpoint_otp_client, CodeLength=5) == "SUCCESSFUL"
    assert (injection.used, injection.remaining) == (1, 0)

    with pytest.raises(ValueError, match="The queued code '12345' has 5 digits"):
        mock.stop()


def test_a_mistake_in_a_later_attempt_gives_nothing_back_of_an_earlier_one(pinpoint_otp_client: Any) -> None:
    mock = mock_pinpoint_otp()
    fake = mock.start()
    injection = fake.inject(LostResponse(), times=2)
    fake.queue_codes("012345", "12345")
    with pytest.raises(ValueError, match="The queued code '12345' has 5 digits"):
        send(pinpoint_otp_client)
    assert [message.code for message in fake.messages] == ["012345"]
    assert (injection.used, injection.remaining) == (1, 1)

    with pytest.raises(ValueError, match="The queued code '12345' has 5 digits"):
        mock.stop()


# -- Values of other types of the same kind ----------------------------------------------------------------------------


class Phone(StrEnum):
    """Phone numbers as an application may have them."""

    ALICE = DESTINATION


class Length(IntEnum):
    """Numbers of a kind."""

    LONG = 8


def test_members_of_enums_are_taken_for_their_values(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp(applications=[StrEnum("Application", {"OURS": APPLICATION}).OURS]) as fake:
        fake.issue(Phone.ALICE, application_id=APPLICATION, reference_id=REFERENCE, code_length=Length.LONG)
        assert verify(pinpoint_otp_client, fake.code_for(Phone.ALICE))
        fake.opt_out(Phone.ALICE)
        assert send_status(pinpoint_otp_client) == "OPT_OUT"
        fake.opt_in(Phone.ALICE)
        fake.queue_codes(StrEnum("Code", {"FIRST": "012345"}).FIRST)
        assert send_status(pinpoint_otp_client, DestinationIdentity=Phone.ALICE) == "SUCCESSFUL"
        assert verify(pinpoint_otp_client, "012345")
    with mock_pinpoint_otp(code_length=Length.LONG) as fake:
        send(pinpoint_otp_client)
    assert len(fake.code_for()) == 8


class Name(str, Enum):  # noqa: UP042 - not a StrEnum, whose text is its value
    """Names of a kind."""

    STATUS = "THROTTLED"
    ERROR = "TooManyRequestsException"
    SEED = "a seed"
    OPERATION = "SendOTPMessage"
    BY = "destination"


def test_a_member_of_an_enum_names_an_error(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.inject(Name.ERROR)
    with pytest.raises(pinpoint_otp_client.exceptions.TooManyRequestsException):
        send(pinpoint_otp_client)
    assert type(pinpoint_otp.calls[0].outcome) is str
    assert f"{pinpoint_otp.calls[0].outcome}" == "TooManyRequestsException"


def test_an_injection_of_a_member_of_an_enum_is_shown_by_its_value(pinpoint_otp: PinpointOTP) -> None:
    assert repr(pinpoint_otp.inject(Name.STATUS, optional=True)) == "inject('THROTTLED', operation='SendOTPMessage')"


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (lambda: RawResponse(HTTPStatus.BAD_GATEWAY), "RawResponse(502)"),
        (
            lambda: ErrorResponse("NotFoundException", status_code=HTTPStatus.GONE),
            "ErrorResponse('NotFoundException', status_code=410)",
        ),
        (
            lambda: Delivery("THROTTLED", status_code=HTTPStatus.GONE, message_id=Name.SEED),
            "Delivery('THROTTLED', status_code=410, message_id='a seed')",
        ),
        (
            lambda: FailureStep("THROTTLED", operation=Name.OPERATION, destination=Phone.ALICE),
            f"FailureStep(Delivery('THROTTLED'), destination={Phone.ALICE.value!r})",
        ),
    ],
)
def test_what_has_a_member_of_an_enum_shows_its_value(made: Callable[[], object], shown: str) -> None:
    assert repr(made()) == shown


def test_arrangements_by_members_of_enums_show_their_values(pinpoint_otp: PinpointOTP) -> None:
    injection = pinpoint_otp.inject("THROTTLED", operation=Name.OPERATION, optional=True)
    assert repr(injection) == "inject('THROTTLED', operation='SendOTPMessage')"
    limit = pinpoint_otp.limit_rate(1, per=timedelta(hours=1), by=Name.BY)
    assert "by='destination'" in repr(limit)


def test_a_member_of_an_enum_is_the_seed_that_its_value_is() -> None:
    codes = []
    for seed in (Name.SEED, "a seed"):
        with mock_pinpoint_otp(seed=seed) as fake:
            codes.append(fake.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE).code)
    assert codes[0] == codes[1]


# -- Arguments that a method does not take -----------------------------------------------------------------------------


def test_a_configuration_has_no_other_parameters(untouched: PinpointOTP) -> None:
    with pytest.raises(TypeError, match=r"there is no parameter 'code_len'\. Did you mean 'code_length'\?"):
        untouched.add_code_configuration("cc-example", code_len=5)  # type: ignore[call-arg]


def test_seconds_by_position_are_meant_as_the_timeout(untouched: PinpointOTP) -> None:
    with pytest.raises(TypeError, match=r"positional arguments.*Give the seconds by keyword: timeout=5\."):
        untouched.wait_for_message(DESTINATION, 5)  # type: ignore[misc]


@pytest.mark.parametrize("options", [{}, {"seed": 1}], ids=["none", "some"])
def test_who_makes_a_fake_by_its_class_is_told_what_makes_one(options: Any) -> None:
    advice = r"\. Use the fixture pinpoint_otp, or mock_pinpoint_otp\(\), which takes options\.$"
    with pytest.raises(TypeError, match=advice):
        PinpointOTP(**options)


def test_a_message_about_other_positional_arguments_has_no_advice(untouched: PinpointOTP) -> None:
    with pytest.raises(TypeError, match=r"positional arguments but 3 were given\.$"):
        untouched.add_code_configuration("cc-example", 6)  # type: ignore[misc]


@pytest.mark.parametrize("name", ["phone", "phone_number", "number", "to"])
def test_a_phone_number_by_another_name_is_meant_as_the_destination(untouched: PinpointOTP, name: str) -> None:
    with pytest.raises(TypeError, match=rf"keyword argument '{name}'\. Did you mean 'destination'\?"):
        untouched.inject("THROTTLED", **{name: DESTINATION})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=rf"SentMessage has no field '{name}'\. Did you mean 'destination'\?"):
        untouched.code_for(**{name: DESTINATION})  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["opt_out", "opt_in"])
@pytest.mark.parametrize("name", ["phone", "phone_number", "destination", "to"])
def test_an_opt_out_is_of_a_number(untouched: PinpointOTP, method: str, name: str) -> None:
    with pytest.raises(TypeError, match=rf"keyword argument '{name}'\. Did you mean 'number'\?"):
        getattr(untouched, method)(**{name: DESTINATION})


def test_a_type_error_inside_a_method_is_told_as_it_is(untouched: PinpointOTP) -> None:
    with pytest.raises(TypeError, match=r"^inject: optional takes True or False, not 1 \(int\)\.$"):
        untouched.inject("THROTTLED", optional=1)  # type: ignore[arg-type]


def test_a_matcher_of_a_filter_that_raises_is_told_in_the_application_and_at_the_end() -> None:
    class Matcher:
        def __eq__(self, other: object) -> bool:
            raise LookupError("no such user")

        __hash__ = object.__hash__

    mock = mock_pinpoint_otp()
    fake = mock.start()
    fake.inject("THROTTLED", destination=Matcher())
    with pytest.raises(LookupError, match="no such user"):
        send(boto3.client("pinpoint", region_name="us-east-1"))
    assert [call.outcome for call in fake.calls] == ["LookupError"]
    with pytest.raises(LookupError, match="no such user") as caught:
        mock.stop()
    assert caught.value.__notes__ == [f"It came up while the fake answered SendOTPMessage to {DESTINATION}."]


@pytest.mark.parametrize(
    ("headers", "match"),
    [
        ({"X-A": "1\r\nX-B: 2"}, r"headers has a line break or NUL in X-A: '1\\r\\nX-B: 2'; leave it out\."),
        ({"X-A": "1\n2"}, "has a line break or NUL in X-A"),
        ({"X-A": "1\0"}, "has a line break or NUL in X-A"),
        ({"X A": "1"}, r"'X A', which is not the name of a header: use letters, digits and hyphens\."),
        ({"X-A:": "1"}, "'X-A:', which is not the name of a header"),
        ({"": "1"}, "'', which is not the name of a header"),
        ({"X-A\n": "1"}, r"'X-A\\n', which is not the name of a header"),
    ],
)
def test_a_raw_answer_has_no_header_that_would_be_another_on_a_wire(headers: dict[str, str], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        RawResponse(200, headers=headers)


@pytest.mark.parametrize(
    ("path", "error", "match"),
    [
        (7, TypeError, r"^from_file takes the path of a file, not 7 \(int\); from_json reads a document\.$"),
        (b"plan.json", TypeError, r"from_file takes the path of a file, not b'plan\.json' \(bytes\)"),
        ("missing.json", OSError, r"missing\.json"),
    ],
)
def test_a_plan_is_read_from_a_file(path: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        FailurePlan.from_file(path)


def test_a_file_that_holds_no_plan_is_named(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text('{"version": 2}')
    with pytest.raises(
        ValueError, match=rf"^{re.escape(str(file))}: version is 2, but this package reads version 1\.$"
    ):
        FailurePlan.from_file(file)
    file.write_text(FailurePlan().to_json())
    assert FailurePlan.from_file(str(file)) == FailurePlan.from_file(file) == FailurePlan()


def test_a_context_of_an_issued_code_that_is_too_large_has_the_wrong_value_not_the_wrong_type(
    untouched: PinpointOTP,
) -> None:
    pairs = {f"{place}": "0" for place in range(6)}
    with pytest.raises(ValueError, match=r"^issue: context has 6 members, but AWS accepts 0 to 5\."):
        untouched.issue(DESTINATION, reference_id=None, context=pairs)


def test_what_is_optional_in_a_plan_is_true_or_false(untouched: PinpointOTP) -> None:
    with pytest.raises(TypeError, match=r"^follow: optional takes True or False, not 'yes' \(str\)"):
        untouched.follow(FailurePlan(), optional="yes")  # type: ignore[arg-type]


def test_a_body_of_many_brackets_may_be_shallow(pinpoint_otp: PinpointOTP) -> None:
    with pytest.raises(exceptions.ClientError, match=r"BadRequestException.*Channel is .* but takes a string"):
        send_raw(unchecked_client(), b'{"Channel": [' + b"[], " * 300 + b"[]]}")


def test_a_body_that_is_nested_too_deeply_is_refused(pinpoint_otp: PinpointOTP) -> None:
    with pytest.raises(exceptions.ClientError, match=r"BadRequestException.*nested more than 100 levels deep"):
        send_raw(unchecked_client(), b'{"BrandName": ' + b"[" * 500 + b"]" * 500 + b"}")
    with pytest.raises(exceptions.ClientError, match=r"BadRequestException.*Channel is .* but takes a string"):
        send_raw(unchecked_client(), b'{"Channel": {"a": ' + b"[" * 50 + b"]" * 50 + b"}}")
    assert hash(pinpoint_otp.calls[1]) == hash(pinpoint_otp.calls[1])


def test_a_stack_that_is_nearly_full_is_not_the_fault_of_the_body() -> None:
    def read_at(depth: int) -> object:
        return read_at(depth - 1) if depth else read_parameters(b' {"BrandName": "Example"}')

    for depth in range(sys.getrecursionlimit()):
        with suppress(RecursionError):
            assert read_at(depth) == {"BrandName": "Example"}


def test_long_requests_do_not_stay_in_memory(pinpoint_otp_client: Any) -> None:
    def send_long(brand_name: str) -> None:
        with mock_pinpoint_otp(), pytest.raises(exceptions.ClientError, match="BadRequestException"):
            send(pinpoint_otp_client, BrandName=brand_name)

    tracemalloc.start()
    try:
        for number in range(20):
            send_long(str(number) * 1_000_000)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 15_000_000
    finally:
        tracemalloc.stop()


def test_a_wrong_argument_is_named_among_right_ones(untouched: PinpointOTP) -> None:
    with pytest.raises(TypeError, match=r"keyword argument 'tmes'\. Did you mean 'times'\?"):
        untouched.inject("THROTTLED", after=1, tmes=2)  # type: ignore[call-arg]


def test_a_configuration_needs_an_id(untouched: PinpointOTP) -> None:
    with pytest.raises(ValueError, match=r"^add_code_configuration: configuration_id is empty\.$"):
        untouched.add_code_configuration("")
    with pytest.raises(TypeError, match=r"^add_code_configuration: configuration_id takes a str, not 7 \(int\)\.$"):
        untouched.add_code_configuration(7)  # type: ignore[arg-type]


def test_an_error_of_another_api_needs_its_status_code(untouched: PinpointOTP) -> None:
    match = "'ThrottlingException' is not an error that SendOTPMessage models: give its status_code as well"
    with pytest.raises(ValueError, match=match):
        untouched.inject(ErrorResponse("ThrottlingException"))
    untouched.inject(ErrorResponse("ThrottlingException", status_code=429)).cancel()


def test_an_issued_code_is_of_the_type_that_is_asked_for(untouched: PinpointOTP) -> None:
    with pytest.raises(ValueError, match=r"^issue: the code 'ABC123' does not consist of 6 digits: give the code_type"):
        untouched.issue(DESTINATION, reference_id=None, code="ABC123", code_type="NUMERIC")
