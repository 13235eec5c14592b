"""Arbitrary requests to AWS End User Messaging: the answer is well-formed, and a refused request changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any
from urllib.parse import quote

from fuzzing import Answered, Arranged, Chance, Request, ask, fuzz
from helpers import DESTINATION, ORIGINATION, REFERENCE
from notify import NEEDED, make_client

from pytest_pinpoint_otp import Call, PinpointOTP, mock_pinpoint_otp
from pytest_pinpoint_otp.apis import OPERATIONS
from pytest_pinpoint_otp.fake import service_of

pytestmark = NEEDED

HOST = "https://end-user-messaging.us-east-1.amazonaws.com"
ARN = "arn:aws:end-user-messaging:us-east-1:123456789012:notify-code-configuration/cc-1"
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
    fuzz(NotifyChance, arrange, check)


@contextmanager
def arrange(chance: Chance) -> Iterator[Arranged]:
    """Yield a fake with a code, injections and perhaps a configuration."""
    limited, configurations = chance.random() < 0.5, chance.choice([None, None, ["cc-1"]])
    with mock_pinpoint_otp(enforce_limits=limited, configurations=configurations) as fake:
        fake.issue(DESTINATION, reference_id=REFERENCE)
        if chance.random() < 0.5:
            fake.add_code_configuration("cc-1")
        injections = [
            fake.inject("THROTTLED", "SUCCESSFUL", operation="SendNotifyCodeVerification", optional=True),
            fake.inject("AccessDeniedException", operation="TagResource", after=1, optional=True),
        ]
        yield Arranged(fake, injections)


def check(arranged: Arranged, request: Request) -> None:
    """Make one request, and look at its answer and at what it has changed."""
    fake, before, known = arranged.fake, state(arranged), arranged.fake.calls
    answer = ask(fake, request)
    response, document, refusal = answer
    answered = [call for call in fake.calls if call.request_id == answer.request_id]
    if refusal is None:
        check_success(answer, fake, answered[0])
    else:
        assert response.status_code == STATUS_CODES[refusal]
        if refusal == "ValidationException":
            check_fields(document)
        if refusal != "AccessDeniedException":
            assert state(arranged) == before
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


def check_success(answer: Answered, fake: PinpointOTP, call: Call) -> None:
    """Check that a successful answer has the members that are modelled, and that botocore reads it."""
    document, shape = answer.document, MODEL.operation_model(call.operation).output_shape
    parsed = answer.parse(shape)
    assert parsed.keys() == document.keys()
    assert set(shape.required_members) <= parsed.keys()
    if call.operation == "SendNotifyCodeVerification":
        delivered = call.outcome == "SUCCESSFUL"
        assert (fake.messages[-1].message_id == document["messageId"]) == delivered
    if call.operation == "ValidateNotifyCodeVerification":
        assert document["status"] == ("VALID" if fake.verifications[-1].valid else "INVALID")


def state(arranged: Arranged) -> tuple[object, ...]:
    """Return what a refused request must leave as it is."""
    store = service_of(arranged.fake).kept["endusermessaging"]
    return *arranged.state(), repr([vars(one) for one in store.list_after(0, 1000)[0]])


MODEL: Any = None
"""botocore's model of the service."""


def setup_module() -> None:
    global MODEL
    MODEL = make_client().meta.service_model
