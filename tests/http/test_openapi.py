"""The OpenAPI document: made from the table of commands, which has the names and arguments of PinpointOTP's methods."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from helpers import APPLICATION, send_request, verify_request
from talking import Reply, get, post, request

from pytest_pinpoint_otp import Call, PinpointOTP, PinpointOTPServer, SentMessage, mock_pinpoint_otp
from pytest_pinpoint_otp.transports.http.commands import COMMANDS

SELECTING_MESSAGES = ("code_for", "wrong_code", "wait_for_message", "assert_sent", "assert_not_sent")
SELECTING_CALLS = ("assert_called", "assert_not_called")


@pytest.mark.parametrize("name", sorted(name for name, command in COMMANDS.items() if command.method == "POST"))
def test_a_command_has_the_name_and_the_arguments_of_a_method(name: str) -> None:
    parameters = inspect.signature(getattr(PinpointOTP, name)).parameters.values()
    named = {one.name for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD} - {"self"}
    if name == "advance":
        # A timedelta has no form in JSON beside its parts.
        named -= {"by"}
    assert named <= {*COMMANDS[name].arguments}
    required = {one.name for one in parameters if one.default is inspect.Parameter.empty} & named
    assert {*COMMANDS[name].required} >= required


@pytest.mark.parametrize("name", sorted(name for name, command in COMMANDS.items() if command.method == "POST"))
def test_a_default_is_that_of_the_method(name: str) -> None:
    parameters = inspect.signature(getattr(PinpointOTP, name)).parameters
    for argument, schema in COMMANDS[name].arguments.items():
        if "default" in schema:
            assert schema["default"] == parameters[argument].default


@pytest.mark.parametrize(
    ("name", "argument", "beside"),
    [
        ("inject", "times", {"outcomes": ["THROTTLED"], "optional": True}),
        ("inject", "after", {"outcomes": ["THROTTLED"], "optional": True}),
        ("limit_rate", "count", {"per": 60}),
        ("assert_sent", "times", {}),
        ("assert_called", "times", {}),
        ("wait_for_message", "timeout", {}),
    ],
)
def test_a_minimum_is_the_least_that_is_accepted(
    server: PinpointOTPServer, name: str, argument: str, beside: dict[str, object]
) -> None:
    least = COMMANDS[name].arguments[argument]["minimum"]
    with mock_pinpoint_otp():
        assert post(server, name, **beside, **{argument: least - 1}).status == 400
        # What a command finds is another question.
        assert post(server, name, **beside, **{argument: least}).status != 400


@pytest.mark.parametrize(
    ("name", "argument", "item"), [("inject", "outcomes", "OPT_OUT"), ("queue_codes", "codes", "012345")]
)
def test_a_list_has_at_least_one_item(server: PinpointOTPServer, name: str, argument: str, item: str) -> None:
    assert COMMANDS[name].arguments[argument]["minItems"] == 1
    with mock_pinpoint_otp(assert_all_used=False):
        assert post(server, name, **{argument: []}).status == 400
        assert post(server, name, **{argument: [item]}).status == 200


@pytest.mark.parametrize(
    ("names", "record"), [(SELECTING_MESSAGES, SentMessage), (SELECTING_CALLS, Call)], ids=["messages", "calls"]
)
def test_a_command_that_selects_takes_every_field_that_json_can_hold(names: tuple[str, ...], record: type) -> None:
    unlike = {"sent_at", "expires_at", "at", "attempts", "parameters", "request", "context"}
    for name in names:
        assert {*record._fields} - unlike <= {*COMMANDS[name].arguments}  # type: ignore[attr-defined]
        assert not unlike & {*COMMANDS[name].arguments}


def test_the_document_has_every_command_with_its_arguments(server: PinpointOTPServer) -> None:
    reply = get(server, "openapi.json")
    document = reply.json
    assert (reply.status, document["openapi"]) == (200, "3.1.0")
    assert {*document["paths"]} == {f"/_otp/{name}" for name in COMMANDS}
    for name, command in COMMANDS.items():
        (operation,) = document["paths"][f"/_otp/{name}"].values()
        assert operation["operationId"] == name
        assert {"200", "400", "503"} <= {*operation["responses"]}
        if command.method == "GET":
            assert {one["name"] for one in operation["parameters"]} == {*command.arguments}
            assert {one["name"] for one in operation["parameters"] if one["required"]} == {*command.required}
        else:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            assert {*schema["properties"]} == {*command.arguments}
            assert schema["required"] == [*command.required]
            assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("name", "member", "ends"),
    [
        ("messages", "wait", {"minimum": 0, "maximum": 60}),
        ("inject", "times", {"minimum": 1, "default": 1}),
        ("inject", "after", {"minimum": 0, "default": 0}),
        ("wait_for_message", "timeout", {"minimum": 0, "default": 5}),
    ],
)
def test_numbers_have_the_ends_and_the_defaults_of_the_methods(name: str, member: str, ends: dict[str, int]) -> None:
    schema = COMMANDS[name].arguments[member]

    assert {end: schema.get(end) for end in ends} == ends


def test_objects_take_no_other_members() -> None:
    (per,) = [one for one in COMMANDS["limit_rate"].arguments["per"]["oneOf"] if one["type"] == "object"]
    outcomes = [one for one in COMMANDS["inject"].arguments["outcomes"]["items"]["oneOf"] if one["type"] == "object"]
    plan = COMMANDS["follow"].arguments["plan"]

    assert {one["additionalProperties"] for one in (per, *outcomes)} == {False}
    assert plan["properties"]["version"] == {"const": 1}
    assert COMMANDS["limit_rate"].arguments["per"]["oneOf"][0] == {"type": "number", "exclusiveMinimum": 0}


KINDS = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
    "object": dict,
    "array": list,
}


def mismatches(value: object, schema: Any, where: str = "answer") -> list[str]:
    """Return what in a value is not as a schema says."""
    named = schema.get("type", [*KINDS])
    # A type that stands alone is not in a list: not every generator of clients reads that.
    kinds = [named] if isinstance(named, str) else named
    if len(kinds) == 1 and not isinstance(named, str):
        return [f"{where}: {named}"]
    if not any(isinstance(value, KINDS[kind]) for kind in kinds) or value not in schema.get("enum", [value]):
        return [f"{where}: {value!r} is not {schema}"]
    if isinstance(value, list):
        return [one for member in value for one in mismatches(member, schema["items"], f"{where}[]")]
    if isinstance(value, dict) and "properties" in schema:
        members = schema["properties"]
        if not {*schema["required"]} <= {*value} <= {*members}:
            return [f"{where}: {sorted(value)} is not {sorted(members)}"]
        return [one for name in value for one in mismatches(value[name], members[name], f"{where}.{name}")]
    return []


def log_in(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    """Send a text and verify its code, over the socket."""
    document = send_request()["SendOTPMessageRequestParameters"]
    request(server, "POST", f"/v1/apps/{APPLICATION}/otp", document)
    document = verify_request(fake.code_for())["VerifyOTPMessageRequestParameters"]
    request(server, "POST", f"/v1/apps/{APPLICATION}/verify-otp", document)


def answer_of(server: PinpointOTPServer, name: str) -> Reply:
    """Return the answer to a command that is right."""
    number = "+15550100123"
    given: dict[str, Any] = {
        "inject": {"outcomes": ["THROTTLED"], "optional": True},
        "follow": {"plan": {"version": 1, "steps": [{"outcome": "OPT_OUT"}]}, "optional": True},
        "limit_rate": {"count": 100, "per": 60},
        "opt_out": {"number": "+15550100456"},
        "opt_in": {"number": "+15550100456"},
        "queue_codes": {"codes": ["012345"]},
        "issue": {"destination": number, "application_id": "shop", "reference_id": "log-in"},
        "add_code_configuration": {"configuration_id": "cc-shop"},
        "advance": {"seconds": 1},
        "assert_not_sent": {"destination": "+15550100456"},
        "assert_not_called": {"operation": "VerifyOTPMessage", "destination": "+15550100456"},
    }
    return get(server, name) if COMMANDS[name].method == "GET" else post(server, name, **given.get(name, {}))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_an_answer_has_the_members_and_the_types_of_the_document(server: PinpointOTPServer, name: str) -> None:
    document = get(server, "openapi.json").json
    (operation,) = document["paths"][f"/_otp/{name}"].values()
    responses = {status: one["content"]["application/json"]["schema"] for status, one in operation["responses"].items()}
    with mock_pinpoint_otp(assert_all_used=False) as fake:
        log_in(server, fake)
        reply = answer_of(server, name)
        assert reply.status == 200
        assert mismatches(reply.json, responses["200"]) == []
        refused = get(server, f"{name}?x=1") if COMMANDS[name].method == "GET" else post(server, name, x=1)
    assert refused.status == 400
    (error,) = {responses[status]["$ref"] for status in responses if status != "200"}
    assert mismatches(refused.json, document["components"]["schemas"][error.rpartition("/")[2]]) == []


def test_the_document_needs_no_fake_and_is_only_read(server: PinpointOTPServer) -> None:
    assert request(server, "POST", "/_otp/openapi.json").headers["allow"] == "GET"


def test_the_reference_page_has_every_status_of_an_error(server: PinpointOTPServer) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "json-api.md").read_text(encoding="utf-8")
    responses = get(server, "openapi.json").json["paths"]["/_otp/calls"]["get"]["responses"]
    assert re.findall(r"^\| (\d{3}) \|", page, re.MULTILINE) == sorted(responses.keys() - {"200"})


def test_the_reference_page_has_every_command() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "json-api.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(GET|POST) (\w+)`", page, re.MULTILINE) == [
        (command.method, name) for name, command in COMMANDS.items()
    ]
