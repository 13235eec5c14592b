"""Arbitrary requests, and what every answer to them must keep: for the fuzz tests of both APIs."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count, islice
from random import Random, randrange
from typing import Any, NamedTuple

from botocore.parsers import create_parser
from effort import FRESH, REQUESTS
from helpers import APPLICATION, DESTINATION, ORIGINATION, REFERENCE

from pytest_pinpoint_otp import Injection, PinpointOTP
from pytest_pinpoint_otp.apis.rest_json import Response, read_invocation_id
from pytest_pinpoint_otp.fake import service_of

REQUESTS_OF_A_FAKE = 20
PARSER = create_parser("rest-json")
OPERATIONS = {"otp": "SendOTPMessage", "verify-otp": "VerifyOTPMessage"}

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


class Arranged(NamedTuple):
    """A fake to ask, and what was arranged in it."""

    fake: PinpointOTP
    injections: list[Injection]

    def state(self) -> tuple[object, ...]:
        """Return what a refused request must leave as it is."""
        return (
            list(self.fake.messages),
            list(self.fake.verifications),
            repr(vars(service_of(self.fake).codes)),
            [(injection.used, injection.remaining) for injection in self.injections],
        )


class Answered(NamedTuple):
    """An answer, read."""

    response: Response
    document: dict[str, Any]
    refusal: str | None

    @property
    def request_id(self) -> str:
        """The ID that the headers give the request."""
        return self.response.headers["x-amzn-requestid"]

    def parse(self, shape: Any) -> dict[str, Any]:
        """Return what botocore reads of it."""
        response = self.response
        answer = {"status_code": response.status_code, "headers": response.headers, "body": response.body}
        parsed = PARSER.parse(answer, shape)
        del parsed["ResponseMetadata"]
        return parsed


def fuzz(
    make: Callable[[int], Chance],
    arrange: Callable[[Chance], AbstractContextManager[Arranged]],
    check: Callable[[Arranged, Request], None],
) -> None:
    """Check requests in fresh fakes; a failure tells which one it was."""
    seeds = count(randrange(2**32) if FRESH else 0)
    for seed in islice(seeds, REQUESTS // REQUESTS_OF_A_FAKE + 1):
        chance = make(seed)
        with arrange(chance) as arranged:
            for _ in range(REQUESTS_OF_A_FAKE):
                request = chance.request()
                try:
                    check(arranged, request)
                except Exception as error:
                    error.add_note(f"Asked by {type(chance).__name__}({seed}): {request!a:.2000}")
                    raise


def ask(fake: PinpointOTP, request: Request) -> Answered:
    """Make one request; its answer is well-formed, whatever it says."""
    response = service_of(fake).respond(request.method, request.url, read_invocation_id(request.headers), request.body)
    assert isinstance(response, Response)
    check_headers(response)
    refusal = response.headers.get("x-amzn-errortype")
    assert refusal is not None or response.status_code == 200
    return Answered(response, json.loads(response.body), refusal)


def check_headers(response: Response) -> None:
    """Check the headers, by what any HTTP client asks of them too."""
    assert response.headers["content-type"] == "application/json"
    for name, value in response.headers.items():
        assert name == name.lower()
        assert value.isascii()
        assert value.isprintable()
