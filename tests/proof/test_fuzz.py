"""Arbitrary requests: whatever comes, the answer is well-formed HTTP, and a refused request changes nothing."""

from __future__ import annotations

import json
from itertools import count, islice
from random import Random, randrange
from typing import Any, NamedTuple

import boto3
from botocore.parsers import create_parser
from effort import FRESH, REQUESTS
from helpers import APPLICATION, DESTINATION, ORIGINATION, REFERENCE

from pytest_pinpoint_otp import Injection, PinpointOTP, mock_pinpoint_otp
from pytest_pinpoint_otp.apis.rest_json import Response
from pytest_pinpoint_otp.fake import service_of

REQUESTS_OF_A_FAKE = 20
MODEL = boto3.client("pinpoint", region_name="us-east-1").meta.service_model
PARSER = create_parser("rest-json")
OPERATIONS = {"otp": "SendOTPMessage", "verify-otp": "VerifyOTPMessage"}
REFUSALS = {
    "BadRequestException": 400,
    "NotFoundException": 404,
    "MethodNotAllowedException": 405,
    "NotImplementedException": 501,
}

VALID = {
    "BrandName": "Example",
    "Channel": "SMS",
    "DestinationIdentity": DESTINATION,
    "OriginationIdentity": ORIGINATION,
    "ReferenceId": REFERENCE,
    "CodeLength": 6,
    "ValidityPeriod": 15,
    "AllowedAttempts": 3,
    "Language": "en-GB",
    "EntityId": "entity",
    "TemplateId": "template",
    "Otp": "012345",
}


class Request(NamedTuple):
    """What the service is asked."""

    method: str
    url: str
    headers: dict[str, Any]
    body: bytes | str | None


class Chance(Random):
    """Where requests come from. Not Hypothesis: its draws would cost some fifty times what the service does."""

    def text(self) -> str:
        """Return a text, of which lone surrogates and control characters may be part."""
        ranges = [(0x20, 0x7E), (0x20, 0x7E), (0, 0xFF), (0xD800, 0xDFFF), (0, 0x10FFFF)]
        return "".join(chr(self.randint(*self.choice(ranges))) for _ in range(self.randint(0, 12)))

    def json(self) -> str:
        """Return a JSON text, perhaps of what no client would send."""
        match self.randrange(12):
            case 0:
                return "9" * self.choice([1, 2, 20, 400, 4300, 4301, 6000])
            case 1:
                depth = self.randint(1, 3000)
                return "[" * depth + "]" * depth
            case 2:
                depth = self.randint(1, 1500)
                return '{"a":' * depth + "0" + "}" * depth
            case 3:
                return json.dumps("x" * self.choice([1, 20, 21, 48, 49, 100_000]))
            case 4 | 5:
                return json.dumps(self.text())
            case 6:
                return str(self.randint(-10, 100))
            case 7:
                members = [f"{json.dumps(self.text())}:{self.json()}" for _ in range(self.randint(0, 2))]
                return "{" + ",".join(members) + "}"
            case 8:
                return "[" + ",".join(self.json() for _ in range(self.randint(0, 2))) + "]"
            case 9:
                return json.dumps(self.choice([*VALID.values()]))
        return self.choice(["NaN", "-Infinity", "1e400", "-0", "6.0", "true", "null", '"\\ud800"', '"\\u0000"', '"6"'])

    def members(self) -> str:
        """Return a body that is valid but for a few members, which come in any order, and perhaps twice."""
        kept = [(json.dumps(name), json.dumps(value)) for name, value in VALID.items()]
        if not self.randrange(4):
            kept.pop(self.randrange(len(kept)))
        for _ in range(self.choice([0, 0, 1, 1, 2])):
            name = self.choice([*VALID, "TemplateParameters", "otp", "", self.text()])
            kept.append((json.dumps(name), self.json()))
        if not self.randrange(4):
            self.shuffle(kept)
        return "{" + ",".join(f"{name}:{value}" for name, value in kept) + "}"

    def body(self) -> bytes | str | None:
        """Return a body: near to a valid one, broken, or anything."""
        members = self.members()
        match self.randrange(10):
            case 0:
                start = self.randint(0, len(members))
                broken = members.encode()
                return broken[:start] + self.randbytes(self.randint(0, 5)) + broken[start + self.randint(0, 20) :]
            case 1:
                return self.json()
            case 2:
                return members.encode(self.choice(["utf-8-sig", "utf-16", "utf-32"]))
            case 3:
                return self.choice([None, self.randbytes(self.randint(0, 60)), self.text()])
            case 4:
                return members
        return members.encode()

    def url(self) -> str:
        """Return a URL, mostly of one of the two operations."""
        last = self.choice([*OPERATIONS])
        odd = ["", ".", "..", "a%2Fb", "%", "%ff%00", "%ED%A0%80", self.text()]
        paths = [f"/v1/apps/{APPLICATION}/{last}"] * 8 + [f"/v1/apps/{self.choice(odd)}/{last}"] * 2
        paths.append(f"/v1/apps/{last}")
        paths.append("/".join(self.choices(["v1", "apps", *OPERATIONS, "?", "#", *odd], k=self.randint(0, 7))))
        hosts = ["https://pinpoint.us-east-1.amazonaws.com"] * 3 + ["http://[::1]:4566/prefix", "", self.text()]
        return self.choice(hosts) + self.choice(paths) + self.choice(["", "", "", "?", "?a=/v1/apps/b/otp", "#otp"])

    def request(self) -> Request:
        """Return a request."""
        headers = {self.text(): self.choice([self.text(), self.randbytes(9)]) for _ in range(self.randint(0, 2))}
        if self.randrange(3):
            headers["amz-sdk-invocation-id"] = self.choice(
                ["first", "second", b"second", self.text(), self.randbytes(9)]
            )
        method = self.choice(["POST"] * 12 + ["GET", "PUT", "post", "", self.text()])
        return Request(method, self.url(), headers, self.body())


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


def check_headers(response: Response) -> None:
    """Check the headers, by what any HTTP client asks of them too."""
    assert response.headers["content-type"] == "application/json"
    for name, value in response.headers.items():
        assert name == name.lower()
        assert value.isascii()
        assert value.isprintable()


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
