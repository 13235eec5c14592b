"""The limits of AWS End User Messaging are those of botocore's own model: every max, min, pattern and enum of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import UnknownServiceError
from botocore.model import Shape, StringShape
from botocore.serialize import create_serializer

from pytest_pinpoint_otp.apis import OPERATIONS, route
from pytest_pinpoint_otp.apis.base import Operation, Reading, Refusal, Request
from pytest_pinpoint_otp.engine.options import Options

try:
    MODEL = botocore.session.get_session().get_service_model("endusermessaging")
except UnknownServiceError:
    pytest.skip("this botocore has no endusermessaging", allow_module_level=True)

HOST = "https://end-user-messaging.eu-west-1.amazonaws.com"
OURS = sorted(name for name, operation in OPERATIONS.items() if operation.api.name == "endusermessaging")
ARN = "arn:aws:end-user-messaging:us-east-1:123456789012:notify-code-configuration/cc-1"

CHANNELS: dict[str, Any] = {
    "text": {"inlineTemplateBody": "{{code}}", "destinationCountryParameters": {"IN_ENTITY_ID": "1"}},
    "voice": {
        "inlineTemplateBody": "{{code}}",
        "languageCode": "en-US",
        "voiceId": "Amy",
        "voiceMessageBodyTextType": "TEXT",
    },
    "notify": {"notifyTemplateId": "template-1", "voiceId": "Amy"},
    "whatsApp": {"whatsAppTemplateName": "template_1", "languageCode": "en"},
}
POLICY = {"codeType": "ALPHA", "codeLength": 6, "validityPeriodMinutes": 10, "maxAttempts": 3}
CONFIGURATION = {
    "notifyCodeConfigurationName": "Log-in",
    "codeConfigurationParameters": POLICY,
    "channelParameters": CHANNELS,
    "deletionProtectionEnabled": True,
}
TAGS = [{"key": "team", "value": "access"}]
VALID: dict[str, dict[str, Any]] = {
    "SendNotifyCodeVerification": {
        "channel": "WHATSAPP",
        "destinationIdentity": "+15550100123",
        "originationIdentity": "+15550100999",
        "notifyCodeConfiguration": "cc-1",
        "overrideChannelParameters": CHANNELS,
        "overrideCodeConfigurationParameters": POLICY,
        "configurationSetName": "events",
        "context": {"tenant": "a"},
        "referenceId": "log-in",
    },
    "ValidateNotifyCodeVerification": {
        "destinationIdentity": "+15550100123",
        "referenceId": "log-in",
        "code": "123456",
    },
    "CreateNotifyCodeConfiguration": {**CONFIGURATION, "clientToken": "token", "tags": TAGS},
    "GetNotifyCodeConfiguration": {"notifyCodeConfigurationId": "cc-1"},
    "UpdateNotifyCodeConfiguration": {"notifyCodeConfigurationId": "cc-1", **CONFIGURATION},
    "DeleteNotifyCodeConfiguration": {"notifyCodeConfigurationId": "cc-1"},
    "ListNotifyCodeConfigurations": {"maxResults": 10, "nextToken": "page-1"},
    "TagResource": {"resourceArn": ARN, "tags": TAGS},
    "UntagResource": {"resourceArn": ARN, "tagKeys": ["team"]},
    "ListTagsForResource": {"resourceArn": ARN},
}
"""A request of each operation that has every member."""

STRICTER = re.compile(".*/(inlineTemplateBody|whatsAppTemplateName|nextToken|notifyCodeConfigurationId|resourceArn)")
"""Members that have another rule beside the model's: documented elsewhere, or that what they name exists."""

IN_PATH = ("notifyCodeConfigurationId", "resourceArn")
SIMULATED = ("channel", "codeType", "codeLength", "validityPeriodMinutes", "maxAttempts", "maxResults", "tagKeys")
"""Members of which not everything can be simulated; without a key, `tagKeys` is not there at all."""

# One that no enum has, and one of each kind that patterns tell apart.
CHARACTERS = [*map(chr, range(0x20, 0x7F)), "\t", "\n", "\x7f", "\xa0", "ü", "\u0665", "\u2028", "😀"]
Step = str | int
Place = tuple[Step, ...]


def refusal(operation: str, parameters: dict[str, Any], *, enforce_limits: bool = True) -> Refusal | None:
    """Return why the API refuses a request, as botocore would write it without a validation of its own."""
    model = MODEL.operation_model(operation)
    serialized = create_serializer("rest-json", include_validation=False).serialize_to_request(parameters, model)
    query = serialized["query_string"]
    pairs = query.items() if isinstance(query, dict) else query
    flat = [(name, one) for name, value in pairs for one in (value if isinstance(value, list) else [value])]
    url = HOST + serialized["url_path"] + _query(flat)
    routed = route(serialized["method"], url)
    assert routed is not None
    assert routed.operation.name == operation
    request = Request(serialized["method"], url, routed.in_path, serialized["body"] or None)
    reading: Reading = routed.operation.read(request)
    if parameters == VALID[operation]:
        assert routed.operation.write_keywords(None, reading.parameters) == parameters
    terms = Options(enforce_limits=enforce_limits)
    state = routed.operation.api.new_state(terms)
    state.add("cc-1", {})
    return refused(routed.operation, reading, terms, state)


def refused(operation: Operation, reading: Reading, terms: Any, state: Any) -> Refusal | None:
    asked = operation.accept(reading, terms, state)
    return asked if isinstance(asked, Refusal) else None


def _query(pairs: list[tuple[str, Any]]) -> str:
    from botocore.utils import percent_encode_sequence

    return "?" + percent_encode_sequence(pairs) if pairs else ""


def paths(refused: Refusal | None) -> set[str]:
    """Return the JSON pointers of what is refused."""
    if refused is None or refused.name != "ValidationException":
        return set()
    return {field["path"] for field in refused.members["fieldList"]}


def leaves(shape: Shape, value: Any, place: Place = ()) -> Iterator[tuple[Place, Shape]]:
    """Return each value of a request that the model has a shape for."""
    yield place, shape
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from leaves(member, value[name], (*place, name))
    elif shape.type_name == "map":
        (key,) = value
        yield from leaves(shape.value, value[key], (*place, key))
    elif shape.type_name == "list":
        yield from leaves(shape.member, value[0], (*place, 0))


ALL = [
    (operation, place, shape)
    for operation in OURS
    for place, shape in leaves(MODEL.operation_model(operation).input_shape, VALID[operation])
    if place
]
NAMES = [f"{operation}-{'.'.join(map(str, place))}" for operation, place, _ in ALL]


def with_value(operation: str, place: Place, value: Any) -> dict[str, Any]:
    """Return a valid request with another value somewhere."""
    request = deepcopy(VALID[operation])
    at: Any = request
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    return request


def values(shape: Shape) -> Iterator[Any]:
    """Return values at both sides of each limit of a shape."""
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 0)
    match shape.type_name:
        case "string":
            assert isinstance(shape, StringShape)
            yield from [*shape.enum, *map(str.lower, shape.enum), "PIGEON", ""]
            for count in sorted({1, least, max(least - 1, 0), most, most + 1}):
                yield from (character * count for character in "aA0_")
            inside = "a" * (least // 2 + 1)
            for character in CHARACTERS:
                yield from (inside + character + inside, character + inside + inside, inside + inside + character)
        case "integer":
            yield from {least - 1, least, most, most + 1, 0, -1}
        case "list":
            yield from ([item(shape, number) for number in range(count)] for count in {0, least, most, most + 1})
        case "map":
            yield from ({f"key{number}": "value" for number in range(count)} for count in {0, least, most, most + 1})


def item(shape: Any, number: int) -> Any:
    """Return an item of a list."""
    return {"key": f"k{number}", "value": ""} if shape.member.type_name == "structure" else f"k{number}"


def is_modelled(shape: Shape, value: Any) -> bool:
    """Tell whether the model accepts a value."""
    size = value if isinstance(value, int) else len(value)
    limits = shape.metadata
    if size < limits.get("min", size) or size > limits.get("max", size):
        return False
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        return False
    pattern = limits.get("pattern")
    return pattern is None or re.fullmatch(pattern, value) is not None


@pytest.mark.parametrize("operation", OURS)
def test_a_request_with_every_member_is_accepted(operation: str) -> None:
    assert refusal(operation, VALID[operation]) is None


@pytest.mark.parametrize(("operation", "place", "shape"), ALL, ids=NAMES)
def test_each_limit_of_the_model_is_kept_and_no_other(operation: str, place: Place, shape: Shape) -> None:
    pointer = "/" + "/".join(map(str, place))
    tried = set()
    for value in values(shape):
        if place[-1] in IN_PATH and not value:
            continue  # it would be another path
        refused = refusal(operation, with_value(operation, place, value))
        accepted = is_modelled(shape, value)
        tried.add(accepted)
        if not accepted:
            assert pointer in paths(refused), value
            if place[-1] not in SIMULATED and not STRICTER.fullmatch(pointer):
                unlimited = refusal(operation, with_value(operation, place, value), enforce_limits=False)
                assert not paths(unlimited), value
        elif not STRICTER.fullmatch(pointer):
            assert pointer not in paths(refused), value
    if shape.type_name not in ("structure", "boolean"):
        assert False in tried


@pytest.mark.parametrize("operation", OURS)
def test_each_required_member_of_the_model_is_required(operation: str) -> None:
    for name in MODEL.operation_model(operation).input_shape.required_members:
        request = {key: value for key, value in VALID[operation].items() if key != name}
        if name in IN_PATH:
            continue
        assert f"/{name}" in paths(refusal(operation, request, enforce_limits=False))


def _changed(operation: str, **given: Any) -> dict[str, Any]:
    return {**VALID[operation], **given}


@pytest.mark.parametrize(
    ("operation", "given", "accepted"),
    [
        (
            "UpdateNotifyCodeConfiguration",
            {"channelParameters": {"text": {"destinationCountryParameters": {}, "inlineTemplateBody": ""}}},
            True,
        ),
        (
            "CreateNotifyCodeConfiguration",
            {"channelParameters": {"text": {"inlineTemplateBody": "{{code}}".ljust(6000)}}},
            True,
        ),
        (
            "CreateNotifyCodeConfiguration",
            {"channelParameters": {"text": {"inlineTemplateBody": "{{code}}".ljust(6001)}}},
            False,
        ),
        ("CreateNotifyCodeConfiguration", {"tags": [{"key": "k" * 128, "value": ""}]}, True),
        ("CreateNotifyCodeConfiguration", {"tags": [{"key": "k" * 129, "value": ""}]}, False),
        ("CreateNotifyCodeConfiguration", {"tags": [{"key": "k"}]}, False),
        ("CreateNotifyCodeConfiguration", {"tags": [{"value": "v"}]}, False),
        ("SendNotifyCodeVerification", {"context": {"k" * 100: "v"}}, True),
        ("SendNotifyCodeVerification", {"context": {"k" * 101: "v"}}, False),
        ("CreateNotifyCodeConfiguration", {"clientToken": "t" * 128}, True),
        ("CreateNotifyCodeConfiguration", {"clientToken": "t" * 129}, False),
    ],
)
def test_a_limit_has_an_end(operation: str, given: dict[str, Any], accepted: bool) -> None:
    assert (refusal(operation, _changed(operation, **given)) is None) == accepted


@pytest.mark.parametrize(
    ("name", "most"), [("codeLength", 64), ("validityPeriodMinutes", 10_000_000), ("maxAttempts", 10_000_000)]
)
def test_what_can_be_simulated_has_ends(name: str, most: int) -> None:
    def refusal_of(value: int) -> Refusal | None:
        request = _changed("CreateNotifyCodeConfiguration", codeConfigurationParameters={name: value})
        return refusal("CreateNotifyCodeConfiguration", request, enforce_limits=False)

    assert [refusal_of(value) is None for value in (0, 1, most, most + 1)] == [False, True, True, False]


def test_a_page_has_one_entry_at_least_also_where_limits_are_not_enforced() -> None:
    def refusal_of(most: int) -> Refusal | None:
        return refusal("ListNotifyCodeConfigurations", {"maxResults": most}, enforce_limits=False)

    assert [refusal_of(most) is None for most in (0, 1, 2)] == [False, True, True]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("tags", "tags is 'x', but takes a list."),
        ("channelParameters", "channelParameters is 'x', but takes an object."),
    ],
)
def test_a_value_that_no_sdk_writes_is_told_what_is_taken(name: str, told: str) -> None:
    operation, terms = OPERATIONS["CreateNotifyCodeConfiguration"], Options()
    body = json.dumps(_changed(operation.name, **{name: "x"})).encode()
    reading = operation.read(Request("POST", f"{HOST}/v1/notify-code-configurations", {}, body))
    refusal = refused(operation, reading, terms, operation.api.new_state(terms))
    assert refusal is not None
    assert told in [field["message"] for field in refusal.members["fieldList"]]


def test_a_map_with_too_many_members_is_told_how_many_it_takes() -> None:
    countries = {"destinationCountryParameters": {f"C{number}": "1" for number in range(11)}}
    request = _changed("UpdateNotifyCodeConfiguration", channelParameters={"text": countries})
    refused = refusal("UpdateNotifyCodeConfiguration", request)
    assert refused is not None
    assert "destinationCountryParameters has 11 members, but AWS accepts 0 to 10." in str(refused.members)


@pytest.mark.parametrize("query", ["maxResults=", "maxResults=x", "maxResults=0x10", "nextToken=", "nextToken=page-0"])
def test_a_query_that_no_sdk_writes_is_refused(query: str) -> None:
    url = f"{HOST}/v1/notify-code-configurations?{query}"
    operation = OPERATIONS["ListNotifyCodeConfigurations"]
    terms = Options()
    reading = operation.read(Request("GET", url, {}, None))
    assert paths(refused(operation, reading, terms, operation.api.new_state(terms))) == {"/" + query.partition("=")[0]}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/tags/arn%3Aaws%3Amobiletargeting%3Aus-east-1%3A123456789012%3Aapps%2Fa1b2c3d4"),
        ("GET", "/v1/tags/"),
        ("GET", "/v1/notify-code-configurations/"),
        ("PATCH", "/v1/notify-code-configurations/cc-1"),
        ("GET", "/v1/notify-code-verifications/send"),
        ("GET", "/v1/brand-profiles"),
    ],
)
def test_another_request_is_for_no_operation(method: str, path: str) -> None:
    assert route(method, HOST + path) is None


def test_an_operation_is_found_behind_any_host_and_prefix() -> None:
    for host in ("http://localhost:4566", "http://[::1]/prefix", "http://localhost/v1/prefix", ""):
        found = route("GET", f"{host}/v1/notify-code-configurations/arn%3Aaws%3Aa/cc-1?a=b")
        assert found is not None
        assert found.in_path == {"notifyCodeConfigurationId": "arn:aws:a/cc-1"}
