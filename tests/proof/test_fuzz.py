"""Arbitrary requests: whatever comes, the answer is well-formed HTTP, and a refused request changes nothing."""

from __future__ import annotations

import json
from itertools import count, islice
from random import randrange
from typing import Any

import boto3
from botocore.parsers import create_parser
from effort import FRESH, REQUESTS
from fuzzing import REQUESTS_OF_A_FAKE, Chance, Request, check_headers
from helpers import APPLICATION, DESTINATION, REFERENCE

from pytest_pinpoint_otp import Injection, PinpointOTP, mock_pinpoint_otp
from pytest_pinpoint_otp.apis.rest_json import Response
from pytest_pinpoint_otp.fake import service_of

MODEL = boto3.client("pinpoint", region_name="us-east-1").meta.service_model
PARSER = create_parser("rest-json")
REFUSALS = {
    "BadRequestException": 400,
    "NotFoundException": 404,
    "MethodNotAllowedException": 405,
    "NotImplementedException": 501,
}


def test_whatever_is_asked_the_answer_is_well_formed_and_a_refusal_changes_nothing() -> None:
    seeds = count(randrange(2**32) if FRESH else 0)
    for seed in islice(seeds, REQUESTS // REQUESTS_OF_A_FAKE + 1):
        chance = Chance(seed)
        with mock_pinpoint_otp(
            enforce_limits=chance.random() < 0.5, applications=chance.choice([None, None, [APPLICATION]])
        ) as fake:
            fake.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE)
            injections = [
                fake.inject("THROTTLED", "SUCCESSFUL", optional=True),
                fake.inject("ForbiddenException", operation="VerifyOTPMessage", after=1, optional=True),
            ]
            for _ in range(REQUESTS_OF_A_FAKE):
                request = chance.request()
                try:
                    ask(fake, injections, request)
                except Exception as error:
                    error.add_note(f"Asked by Chance({seed}): {request!a:.2000}")
                    raise


def ask(fake: PinpointOTP, injections: list[Injection], request: Request) -> None:
    """Make one request, and look at its answer and at what it has changed."""
    before, known = state(fake, injections), fake.calls
    response = service_of(fake).respond(*request)
    assert isinstance(response, Response)
    check_headers(response)
    document = json.loads(response.body)
    refusal = response.headers.get("x-amzn-errortype")
    request_id = response.headers["x-amzn-requestid"]
    if refusal is None:
        assert response.status_code == 200
        check_answer(response, document, fake)
    else:
        assert document.keys() == {"Message", "RequestID"}
        assert document["RequestID"] == request_id
        assert isinstance(document["Message"], str)
        if refusal != "ForbiddenException":
            assert response.status_code == REFUSALS[refusal]
            assert state(fake, injections) == before
    if refusal == "NotImplementedException":
        assert fake.calls == known
    else:
        (answered,) = [call for call in fake.calls if call.request_id == request_id]
        assert answered.attempts[-1].status_code == response.status_code


def check_answer(response: Response, document: dict[str, Any], fake: PinpointOTP) -> None:
    """Check that a successful answer has the members that are modelled, and that botocore reads it."""
    operation = "VerifyOTPMessage" if "Valid" in document else "SendOTPMessage"
    shape = MODEL.operation_model(operation).output_shape
    answer = {"status_code": response.status_code, "headers": response.headers, "body": response.body}
    parsed = PARSER.parse(answer, shape)
    del parsed["ResponseMetadata"]
    (read,) = parsed.values()
    assert read == document
    if operation == "SendOTPMessage":
        assert document["RequestId"] == response.headers["x-amzn-requestid"]
        ((destination, result),) = document["Result"].items()
        assert result["DeliveryStatus"] in ("SUCCESSFUL", "THROTTLED")
        assert (fake.messages[-1].destination == destination) or result["DeliveryStatus"] == "THROTTLED"
    else:
        assert document["Valid"] is fake.verifications[-1].valid


def state(fake: PinpointOTP, injections: list[Injection]) -> tuple[object, ...]:
    """Return what a refused request must leave as it is."""
    return (
        list(fake.messages),
        list(fake.verifications),
        repr(service_of(fake).codes),
        [(injection.used, injection.remaining) for injection in injections],
    )
