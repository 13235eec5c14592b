"""Arbitrary requests: whatever comes, the answer is well-formed HTTP, and a refused request changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from fuzzing import Answered, Arranged, Chance, Request, ask, fuzz
from helpers import APPLICATION, DESTINATION, REFERENCE

from pytest_pinpoint_otp import PinpointOTP, mock_pinpoint_otp

MODEL = boto3.client("pinpoint", region_name="us-east-1").meta.service_model
REFUSALS = {
    "BadRequestException": 400,
    "NotFoundException": 404,
    "MethodNotAllowedException": 405,
    "NotImplementedException": 501,
}


def test_whatever_is_asked_the_answer_is_well_formed_and_a_refusal_changes_nothing() -> None:
    fuzz(Chance, arrange, check)


@contextmanager
def arrange(chance: Chance) -> Iterator[Arranged]:
    """Yield a fake with a code and injections."""
    limited, applications = chance.random() < 0.5, chance.choice([None, None, [APPLICATION]])
    with mock_pinpoint_otp(enforce_limits=limited, applications=applications) as fake:
        fake.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE)
        injections = [
            fake.inject("THROTTLED", "SUCCESSFUL", optional=True),
            fake.inject("ForbiddenException", operation="VerifyOTPMessage", after=1, optional=True),
        ]
        yield Arranged(fake, injections)


def check(arranged: Arranged, request: Request) -> None:
    """Make one request, and look at its answer and at what it has changed."""
    fake, before, known = arranged.fake, arranged.state(), arranged.fake.calls
    answer = ask(fake, request)
    response, document, refusal = answer
    if refusal is None:
        check_success(answer, fake)
    else:
        assert document.keys() == {"Message", "RequestID"}
        assert document["RequestID"] == answer.request_id
        assert isinstance(document["Message"], str)
        if refusal != "ForbiddenException":
            assert response.status_code == REFUSALS[refusal]
            assert arranged.state() == before
    if refusal == "NotImplementedException":
        assert fake.calls == known
    else:
        (answered,) = [call for call in fake.calls if call.request_id == answer.request_id]
        assert answered.attempts[-1].status_code == response.status_code


def check_success(answer: Answered, fake: PinpointOTP) -> None:
    """Check that a successful answer has the members that are modelled, and that botocore reads it."""
    document = answer.document
    operation = "VerifyOTPMessage" if "Valid" in document else "SendOTPMessage"
    (read,) = answer.parse(MODEL.operation_model(operation).output_shape).values()
    assert read == document
    if operation == "SendOTPMessage":
        assert document["RequestId"] == answer.request_id
        ((destination, result),) = document["Result"].items()
        assert result["DeliveryStatus"] in ("SUCCESSFUL", "THROTTLED")
        assert (fake.messages[-1].destination == destination) or result["DeliveryStatus"] == "THROTTLED"
    else:
        assert document["Valid"] is fake.verifications[-1].valid
