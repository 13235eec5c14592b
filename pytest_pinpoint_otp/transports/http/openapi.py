"""The OpenAPI document of the JSON API, made from the table of its commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pytest_pinpoint_otp.transports.http.commands import COMMANDS, Command

_ERRORS: Final = {
    "400": "An argument is unknown, missing, of the wrong type, or out of range.",
    "403": "The host or the origin is not served.",
    "404": "Nothing matches.",
    "405": "The method is another one.",
    "408": "Nothing matched in time.",
    "409": "What was asserted does not hold.",
    "413": "The body is too long.",
    "500": "The server has made a mistake.",
    "503": "No fake is active.",
}
_ERROR: Final = {
    "type": "object",
    "properties": {"error": {"type": "string"}, "message": {"type": "string"}},
    "required": ["error", "message"],
}


def describe(prefix: str) -> dict[str, Any]:
    """Return the OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pytest-pinpoint-otp",
            "version": "1",
            "description": "Arrange and read the fake that is active. Commands have the names and arguments of"
            " PinpointOTP's methods.",
        },
        "paths": {
            f"{prefix}{name}": {command.method.lower(): _operation(name, command)} for name, command in COMMANDS.items()
        },
        "components": {"schemas": {"Error": _ERROR}},
    }


def _operation(name: str, command: Command) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": _response("Done.", command.answer)}
    responses |= {code: _response(text, {"$ref": "#/components/schemas/Error"}) for code, text in _ERRORS.items()}
    operation: dict[str, Any] = {"operationId": name, "summary": command.text, "responses": responses}
    if command.method == "GET":
        operation["parameters"] = [
            {"name": argument, "in": "query", "required": argument in command.required, "schema": schema}
            for argument, schema in command.arguments.items()
        ]
    else:
        operation["requestBody"] = {
            "required": bool(command.required),
            "content": {"application/json": {"schema": _arguments(command)}},
        }
    return operation


def _arguments(command: Command) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(command.arguments),
        "required": list(command.required),
        "additionalProperties": False,
    }


def _response(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}
