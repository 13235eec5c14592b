"""Arbitrary requests to AWS End User Messaging: the answer is well-formed, and a refused request changes nothing."""

from __future__ import annotations

import json
from copy import deepcopy
from itertools import count, islice
from random import randrange
from typing import Any
from urllib.parse import quote

from botocore.parsers import create_parser
from effort import FRESH, REQUESTS
from fuzzing import REQUESTS_OF_A_FAKE, Chance, Request, check_headers
from helpers import DESTINATION, ORIGINATION, REFERENCE
from notify import NEEDED, make_client

from pytest_pinpoint_otp import Call, Injection, PinpointOTP, mock_pinpoint_otp
from pytest_pinpoint_otp.apis import OPERATIONS
from pytest_pinpoint_otp.apis.rest_json import Response
from pytest_pinpoint_otp.fake import service_of

pytestmark = NEEDED

HOST = "https://end-user-messaging.us-east-1.amazonaws.com"
ARN = "arn:aws:end-user-messaging:us-east-1:123456789012:notify-code-configuration/cc-1"
PARSER = create_parser("rest-json")
STATUS_CODES = {
    "ValidationException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ConflictException": 409,
    "ServiceQuotaExceededException": 400,
    "NotImplementedException": 501,
}
MEMBERS = {
    "ResourceNotFoundException": {"message", "resourceId", "resourceType"},
    "ConflictException": {"message", "resourceId", "resourceType"},
    "ValidationException": {"message", "fieldList"},
}

VALID: dict[str, Any] = {
    "channel": "TEXT",
    "destinationIdentity": DESTINATION,
    "originationIdentity": ORIGINATION,
    "notifyCodeConfiguration": "cc-1",
    "overrideChannelParameters": {"text": {"inlineTemplateBody": "{{code}}"}, "whatsApp": {"languageCode": "en"}},
    "overrideCodeConfigurationParameters": {"codeType": "ALPHA", "codeLength": 6},
    "configurationSetName": "events",
    "context": {"tenant": "a"},
    "referenceId": REFERENCE,
    "code": "012345",
    "notifyCodeConfigurationName": "Log-in",
    "codeConfigurationParameters": {"validityPeriodMinutes": 10, "maxAttempts": 3},
    "channelParameters": {
        "text": {"inlineTemplateBody": "{{code}}", "destinationCountryParameters": {"a": "b"}},
        "voice": {"languageCode": "en", "voiceId": "Amy", "voiceMessageBodyTextType": "TEXT"},
        "notify": {"notifyTemplateId": "t"},
    },
    "deletionProtectionEnabled": False,
    "clientToken": "token",
    "tags": [{"key": "a", "value": "b"}],
}


class NotifyChance(Chance):
    """Where requests come from."""

    def members(self) -> str:
        """Return a body that is valid but for a few members, at any depth."""
        document = deepcopy(VALID)
        for _ in range(self.choice([0, 0, 0, 1, 1, 2])):
            self.spoil(document)
        members = [(json.dumps(name), json.dumps(value)) for name, value in document.items()]
        if not self.randrange(4):
            members.append((json.dumps(self.choice([*VALID, "", self.text()])), self.json()))
        if not self.randrange(4):
            self.shuffle(members)
        return "{" + ",".join(f"{name}:{value}" for name, value in members) + "}"

    def spoil(self, document: Any) -> None:
        """Change or remove something in a document."""
        inside = document
        while True:
            places = [*inside] if isinstance(inside, dict) else [*range(len(inside))]
            if not places:
                return
            place = self.choice(places)
            if isinstance(inside[place], (dict, list)) and self.randrange(3):
                inside = inside[place]
                continue
            if not self.randrange(3):
                del inside[place]
            else:
                odd = [None, True, 0, -1, 5, 9, 1e9, "", " ", "x" * 7000, [], {}, [1], {"a": {}}, self.text()]
                inside[place] = self.choice(odd)
            return

    def url(self) -> str:
        """Return a URL, mostly of one of the operations."""
        which = self.choice(
            ["cc-1", "cc-1", ARN, quote(ARN, safe="/"), "cc-2", "%", "a%2Fb", quote(self.text()[:9], errors="replace")]
        )
        arn = self.choice([ARN, ARN, quote(ARN, safe=""), "arn:aws:mobiletargeting:us-east-1:1:apps/a", which])
        paths = [
            "notify-code-verifications/send",
            "notify-code-verifications/validate",
            "notify-code-configurations",
            f"notify-code-configurations/{which}",
            f"tags/{arn}",
            self.choice(["", "tags", "tags/", "notify-code-configurations/", "brand-profiles", self.text()]),
        ]
        page = self.choice(
            ["5", "1", "0", "101", "-1", "x", "9" * 30, "", "%31", "page-1", "page-0", "page-9999999999"]
        )
        queries = [
            "",
            f"?maxResults={page}",
            f"?nextToken={page}",
            "?tagKeys=a&tagKeys=",
            "?tagKeys=a%20b",
            f"?{page}=&&=%",
        ]
        host = self.choice([HOST] * 4 + ["http://[::1]:4566/prefix", "", self.text()])
        return f"{host}/v1/{self.choice(paths)}{self.choice(queries)}"

    def request(self) -> Request:
        """Return a request."""
        method = self.choice(["POST"] * 6 + ["GET", "GET", "PUT", "PUT", "DELETE", "DELETE", "PATCH", "post"])
        return super().request()._replace(method=method)


def test_whatever_is_asked_the_answer_is_well_formed_and_a_refusal_changes_nothing() -> None:
    seeds = count(randrange(2**32) if FRESH else 0)
    for seed in islice(seeds, REQUESTS // REQUESTS_OF_A_FAKE + 1):
        chance = NotifyChance(seed)
        with mock_pinpoint_otp(
            enforce_limits=chance.random() < 0.5, configurations=chance.choice([None, None, ["cc-1"]])
        ) as fake:
            fake.issue(DESTINATION, reference_id=REFERENCE)
            if chance.random() < 0.5:
                fake.add_code_configuration("cc-1")
            injections = [
                fake.inject("THROTTLED", "SUCCESSFUL", operation="SendNotifyCodeVerification", optional=True),
                fake.inject("AccessDeniedException", operation="TagResource", after=1, optional=True),
            ]
            for _ in range(REQUESTS_OF_A_FAKE):
                request = chance.request()
                try:
                    ask(fake, injections, request)
                except Exception as error:
                    error.add_note(f"Asked by NotifyChance({seed}): {request!a:.2000}")
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
    answered = [call for call in fake.calls if call.request_id == request_id]
    if refusal is None:
        assert response.status_code == 200
        check_answer(response, document, fake, answered[0])
    else:
        assert response.status_code == STATUS_CODES[refusal]
        if refusal == "ValidationException":
            check_fields(document)
        if refusal != "AccessDeniedException":
            assert state(fake, injections) == before
    if refusal == "NotImplementedException":
        assert fake.calls == known
    else:
        (call,) = answered
        assert refusal is None or document.keys() == MEMBERS.get(refusal, {"message"})
        assert call.attempts[-1].status_code == response.status_code
        assert OPERATIONS[call.operation].api.name == "endusermessaging"


def check_fields(document: dict[str, Any]) -> None:
    """Check that a refusal names what is wrong."""
    assert document["fieldList"]
    for field in document["fieldList"]:
        assert field.keys() == {"path", "message"}
        assert field["path"] == "" or field["path"].startswith("/")
        assert field["message"] in document["message"]


def check_answer(response: Response, document: dict[str, Any], fake: PinpointOTP, call: Call) -> None:
    """Check that a successful answer has the members that are modelled, and that botocore reads it."""
    shape = MODEL.operation_model(call.operation).output_shape
    answer = {"status_code": response.status_code, "headers": response.headers, "body": response.body}
    parsed = PARSER.parse(answer, shape)
    del parsed["ResponseMetadata"]
    assert parsed.keys() == document.keys()
    assert set(shape.required_members) <= parsed.keys()
    if call.operation == "SendNotifyCodeVerification":
        delivered = call.outcome == "SUCCESSFUL"
        assert (fake.messages[-1].message_id == document["messageId"]) == delivered
    if call.operation == "ValidateNotifyCodeVerification":
        assert document["status"] == ("VALID" if fake.verifications[-1].valid else "INVALID")


def state(fake: PinpointOTP, injections: list[Injection]) -> tuple[object, ...]:
    """Return what a refused request must leave as it is."""
    store = service_of(fake).kept["endusermessaging"]
    return (
        list(fake.messages),
        list(fake.verifications),
        repr(vars(service_of(fake).codes)),
        repr([vars(one) for one in store.list_after(0, 1000)[0]]),
        [(injection.used, injection.remaining) for injection in injections],
    )


MODEL: Any = None
"""botocore's model of the service."""


def setup_module() -> None:
    global MODEL
    MODEL = make_client().meta.service_model
