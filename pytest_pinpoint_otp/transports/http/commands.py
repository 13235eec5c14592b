"""The commands of the JSON API: one table, from which requests are answered and the OpenAPI document is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest_pinpoint_otp.transports.http.actions as actions
from pytest_pinpoint_otp.apis import DEFAULT_OPERATION
from pytest_pinpoint_otp.engine.argument_checks import did_you_mean
from pytest_pinpoint_otp.engine.arguments import ConfigurationParameters, IssueParameters
from pytest_pinpoint_otp.engine.codes import STATUSES
from pytest_pinpoint_otp.engine.records import Call, SentMessage, Verification
from pytest_pinpoint_otp.transports.http.actions import DURATION, LONGEST_WAIT, CommandContext
from pytest_pinpoint_otp.transports.http.records import properties_of, schema_of

if TYPE_CHECKING:
    from pytest_pinpoint_otp.fake import PinpointOTP


_Schema = Mapping[str, Any]


class _Type(NamedTuple):
    """A type of JSON, and of Python."""

    words: str
    types: tuple[type, ...]

    def holds(self, value: object) -> bool:
        """Tell whether a value is of this type."""
        # In Python True is an int as well.
        return isinstance(value, self.types) and (bool in self.types or not isinstance(value, bool))


_TYPES: Final = {
    "string": _Type("a string", (str,)),
    "integer": _Type("an integer", (int,)),
    "number": _Type("a number", (int, float)),
    "boolean": _Type("true or false", (bool,)),
    "array": _Type("a list", (list,)),
    "object": _Type("an object", (dict,)),
    "null": _Type("null", (type(None),)),
}


def kinds_of(schema: _Schema) -> list[str]:
    """Return the types that a schema names; none if it has alternatives."""
    named = schema.get("type", [])
    return [named] if isinstance(named, str) else named


class Command(NamedTuple):
    """One command: how it is called, what it takes and returns, and what it does."""

    method: str
    text: str
    arguments: Mapping[str, _Schema]
    required: tuple[str, ...]
    answer: _Schema
    run: Callable[..., object]
    """Takes the `CommandContext` by position only: a command may have an argument called ``context``."""

    def check(self, name: str, given: Mapping[str, object]) -> None:
        """Refuse arguments that are unknown, of the wrong type, or missing.

        Raises:
            TypeError: naming the argument.
        """
        for argument, value in given.items():
            if argument not in self.arguments:
                raise TypeError(f"{name}: there is no argument {argument!r}.{did_you_mean(argument, self.arguments)}")
            kinds = kinds_of(self.arguments[argument])
            if kinds and not any(_TYPES[kind].holds(value) for kind in kinds):
                wanted = " or ".join(_TYPES[kind].words for kind in kinds)
                raise TypeError(f"{name}: {argument} takes {wanted}, not {json.dumps(value)}.")
        for argument in self.required:
            if argument not in given:
                raise TypeError(f"{name}: the argument {argument!r} is missing.")


def _nothing(run: Callable[[PinpointOTP], Callable[..., object]]) -> Callable[..., object]:
    """Return a command that calls a method of the fake which returns nothing."""

    def call(context: CommandContext, /, **given: object) -> object:
        run(context.fake)(**given)
        return {}

    return call


def _string(text: str, **more: object) -> _Schema:
    return {"type": "string", "description": text, **more}


def _nullable(schema: _Schema) -> _Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _fields_of(record: type[SentMessage | Call]) -> dict[str, _Schema]:
    """Return the fields of a record that a JSON value can select by."""
    properties: dict[str, _Schema] = schema_of(record)["properties"]
    comparable = {"string", "integer", "null"}
    return {
        name: schema
        for name, schema in properties.items()
        if {*kinds_of(schema)} <= comparable and "format" not in schema
    }


def _object(**properties: _Schema) -> _Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list_of(schema: _Schema) -> _Schema:
    return {"type": "array", "items": schema}


_MESSAGE: Final = schema_of(SentMessage)
_MESSAGE_FIELDS: Final = _fields_of(SentMessage)
_CALL: Final = schema_of(Call)
_CALL_FIELDS: Final = _fields_of(Call)
_SHOWN_MESSAGE: Final = {
    **_MESSAGE,
    "properties": {**_MESSAGE["properties"], "status": {"type": "string", "enum": list(STATUSES)}},
    "required": [*_MESSAGE["required"], "status"],
}
_INJECTION: Final = _object(
    injection=_string("As a test would write it."),
    used={"type": "integer"},
    remaining={"type": ["integer", "null"], "description": "null: for ever."},
)
_NOTHING: Final = _object()
_CODE: Final = _object(code=_string("The code."))
_OUTCOME: Final[_Schema] = {
    "description": "The name of a delivery status, of a modelled error or of botocore's transport exception, or an"
    " object with one member, as in a failure plan's file.",
    "oneOf": [
        {"type": "string"},
        *(
            {"type": "object", "properties": {name: schema}, "required": [name], "additionalProperties": False}
            for name, schema in {
                "delivery": {"type": "object"},
                "error": {"type": "object"},
                "exception": {"type": "string"},
                "lost_response": {"type": "string"},
                "raw_response": {"type": "object"},
                "verdict": {"type": "string", "enum": ["VALID", "INVALID"]},
            }.items()
        ),
    ],
}
_PLAN: Final[_Schema] = {
    **_object(version={"const": 1}, steps=_list_of({"type": "object"})),
    "description": "The document of a failure plan's file. A step has an outcome, and which calls or attempts end in"
    " it; or a timeline, with what each attempt ends in, null if the service answers.",
}
_OPERATION: Final = _string("An operation, in AWS's spelling or boto3's.", default=DEFAULT_OPERATION)
_TIMES: Final = {"type": ["integer", "null"], "minimum": 1, "description": "Exactly how many; null: at least one."}
_OPTIONAL: Final = {"type": "boolean", "default": False, "description": "Whether it may stay unused."}
_DURATION_FIELDS: Final = {name: {"type": ["number", "null"]} for name in DURATION}
_OWN_OUTCOME: Final = {**_OUTCOME, "oneOf": [*_OUTCOME["oneOf"], {"type": "null"}]}
_NUMBER: Final = _string("A phone number in E.164.", examples=["+15550100123"])

COMMANDS: Final[Mapping[str, Command]] = {
    "messages": Command(
        "GET",
        "The texts that match, oldest first, each with the status of its code. With unless=TAG, waits until the tag is"
        " another one.",
        {
            **_MESSAGE_FIELDS,
            "unless": _string("The tag of an earlier answer: return at once if there is news, and wait otherwise."),
            "wait": {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT, "description": "Seconds to wait."},
        },
        (),
        _object(tag=_string("Changes whenever a text comes or a status changes."), messages=_list_of(_SHOWN_MESSAGE)),
        actions.messages,
    ),
    "calls": Command(
        "GET", "The calls that match, oldest first.", _CALL_FIELDS, (), _object(calls=_list_of(_CALL)), actions.calls
    ),
    "verifications": Command(
        "GET",
        "The codes that were judged, oldest first.",
        {},
        (),
        _object(verifications=_list_of(schema_of(Verification))),
        lambda context: {"verifications": context.fake.verifications},
    ),
    "plan": Command(
        "GET",
        "The failure plan that reproduces what was done to the calls so far.",
        {},
        (),
        _PLAN,
        lambda context: json.loads(context.fake.recorded_plan().to_json()),
    ),
    "unused": Command(
        "GET",
        "The injections and queued codes that no call has used.",
        {},
        (),
        _object(unused=_list_of({"type": "string"})),
        lambda context: {"unused": context.service.unused().words()},
    ),
    "health": Command(
        "GET",
        "Whether the server runs, and whether a fake is active.",
        {},
        (),
        _object(status=_string("Always ok."), active={"type": "boolean"}),
        actions.health,
    ),
    "inject": Command(
        "POST",
        "Make the next matching calls end in these outcomes, in order.",
        {
            "outcomes": {"type": "array", "items": _OUTCOME, "minItems": 1},
            "operation": _OPERATION,
            "per": {"type": "string", "enum": ["call", "attempt"], "default": "call"},
            "times": {"type": ["integer", "null"], "minimum": 1, "default": 1, "description": "null: for ever."},
            "after": {"type": "integer", "minimum": 0, "default": 0, "description": "How many calls pass first."},
            "optional": _OPTIONAL,
            **{name: {"type": ["string", "null"]} for name in ("destination", "reference_id", "application_id")},
        },
        ("outcomes",),
        _INJECTION,
        actions.inject,
    ),
    "follow": Command(
        "POST",
        "Carry out a failure plan.",
        {"plan": _PLAN, "optional": _OPTIONAL},
        ("plan",),
        _object(injections=_list_of(_INJECTION)),
        actions.follow,
    ),
    "limit_rate": Command(
        "POST",
        "Give the service a quota.",
        {
            "count": {"type": "integer", "minimum": 0, "description": "Deliveries within the window."},
            "per": {
                "description": "The window: seconds, or an object such as {'minutes': 5}.",
                "oneOf": [
                    {"type": "number", "exclusiveMinimum": 0},
                    {"type": "object", "properties": _DURATION_FIELDS, "additionalProperties": False},
                ],
            },
            "by": {"type": "string", "enum": ["destination", "origination", "application"], "default": "destination"},
            "outcome": _OWN_OUTCOME,
        },
        ("count", "per"),
        _NOTHING,
        actions.limit_rate,
    ),
    "opt_out": Command(
        "POST",
        "Make every send to this number fail from now on.",
        {"number": _NUMBER, "outcome": _OWN_OUTCOME},
        ("number",),
        _NOTHING,
        actions.opt_out,
    ),
    "opt_in": Command(
        "POST",
        "Undo the opt-out of a number.",
        {"number": _NUMBER},
        ("number",),
        _NOTHING,
        _nothing(lambda fake: fake.opt_in),
    ),
    "queue_codes": Command(
        "POST",
        "Set the codes of the next delivered sends, in order.",
        {"codes": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
        ("codes",),
        _NOTHING,
        actions.queue_codes,
    ),
    "issue": Command(
        "POST",
        "Issue a live code without a call.",
        {
            "destination": _NUMBER,
            "application_id": {"type": ["string", "null"], "description": "null: by End User Messaging."},
            "reference_id": {"type": ["string", "null"]},
            "code": {"type": ["string", "null"], "description": "null: one is drawn."},
            **properties_of(IssueParameters),
        },
        ("destination", "reference_id"),
        _MESSAGE,
        lambda context, /, **given: context.fake.issue(**given),
    ),
    "add_code_configuration": Command(
        "POST",
        "Add a notify code configuration of End User Messaging.",
        {"configuration_id": {"type": "string"}, **properties_of(ConfigurationParameters)},
        ("configuration_id",),
        _NOTHING,
        _nothing(lambda fake: fake.add_code_configuration),
    ),
    "advance": Command(
        "POST",
        "Move the service's clock ahead.",
        _DURATION_FIELDS,
        (),
        _object(now={"type": "string", "format": "date-time"}),
        actions.advance,
    ),
    "reset": Command("POST", "Reset the fake to its first state.", {}, (), _NOTHING, _nothing(lambda fake: fake.reset)),
    "code_for": Command(
        "POST",
        "The code of the newest text that matches.",
        _MESSAGE_FIELDS,
        (),
        _CODE,
        lambda context, /, **fields: {"code": context.fake.code_for(**fields)},
    ),
    "wrong_code": Command(
        "POST",
        "A code that is wrong for the newest text that matches.",
        _MESSAGE_FIELDS,
        (),
        _CODE,
        lambda context, /, **fields: {"code": context.fake.wrong_code(**fields)},
    ),
    "wait_for_message": Command(
        "POST",
        "Wait for a text that matches, and return the newest.",
        {**_MESSAGE_FIELDS, "timeout": {"type": "number", "minimum": 0, "default": 5, "description": "Seconds."}},
        (),
        _MESSAGE,
        actions.wait_for_message,
    ),
    "assert_sent": Command(
        "POST",
        "Fail unless a matching text was sent; return the newest.",
        {**_MESSAGE_FIELDS, "times": _TIMES},
        (),
        _MESSAGE,
        lambda context, /, **fields: context.fake.assert_sent(**fields),
    ),
    "assert_not_sent": Command(
        "POST",
        "Fail if a matching text was sent.",
        _MESSAGE_FIELDS,
        (),
        _NOTHING,
        _nothing(lambda fake: fake.assert_not_sent),
    ),
    "assert_called": Command(
        "POST",
        "Fail unless a matching call was made; return the newest.",
        {**_CALL_FIELDS, "operation": _nullable(_OPERATION), "times": _TIMES},
        (),
        _CALL,
        lambda context, /, **fields: context.fake.assert_called(**fields),
    ),
    "assert_not_called": Command(
        "POST",
        "Fail if a matching call was made.",
        {**_CALL_FIELDS, "operation": {"type": ["string", "null"], "description": "null: any."}},
        (),
        _NOTHING,
        _nothing(lambda fake: fake.assert_not_called),
    ),
}
