"""The JSON API under ``/_otp/``: reads a request, runs its command, and writes the result."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import unquote

from pytest_pinpoint_otp.engine.argument_checks import did_you_mean, kind, unique_members
from pytest_pinpoint_otp.transports.http.actions import CommandContext, NoFakeError
from pytest_pinpoint_otp.transports.http.answers import write_error, write_json
from pytest_pinpoint_otp.transports.http.commands import COMMANDS, Command, kinds_of
from pytest_pinpoint_otp.transports.http.connection import Answer, Request
from pytest_pinpoint_otp.transports.http.openapi import describe
from pytest_pinpoint_otp.transports.http.records import News, as_json

PREFIX: Final = "/_otp/"

_DOCUMENT: Final = "openapi.json"
_STATUS_CODES: Final[tuple[tuple[type[Exception], int], ...]] = (
    (NoFakeError, 503),
    (TimeoutError, 408),
    (LookupError, 404),
    (AssertionError, 409),
    (TypeError, 400),
    (ValueError, 400),
)


class Control:
    """Carries out the commands of the JSON API on the innermost active fake."""

    def __init__(self) -> None:
        self._news = News()

    def answer(self, name: str, query: str, request: Request) -> Answer:
        """Answer a request for ``/_otp/<name>``."""
        method = "GET" if request.method == "HEAD" else request.method
        command = COMMANDS.get(name)
        if command is None and name != _DOCUMENT:
            known = (*COMMANDS, _DOCUMENT)
            return write_error(404, "LookupError", f"There is no {PREFIX}{name}.{did_you_mean(name, known)}")
        takes = "GET" if command is None else command.method
        if method != takes:
            message = f"{PREFIX}{name} takes {takes}, not {request.method}."
            return write_error(405, "MethodNotAllowed", message, {"allow": takes})
        if command is None:
            return write_json(200, describe(PREFIX))
        try:
            given = _read_query(query, command) if method == "GET" else _read_body(name, request.body)
            command.check(name, given)
            return write_json(200, as_json(command.run(CommandContext(self._news, request.wait), **given)))
        except Exception as error:
            return _write_exception(error)


def _write_exception(error: Exception) -> Answer:
    status_code = next((code for kind_of, code in _STATUS_CODES if isinstance(error, kind_of)), 500)
    return write_error(status_code, type(error).__name__, str(error))


def _read_query(query: str, command: Command) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = (unquote(part) for part in pair.partition("="))
        if name in given:
            raise ValueError(f"The argument {name!r} is given twice.")
        # A plus stays a plus: phone numbers begin with one.
        given[name] = _read_value(value, kinds_of(command.arguments.get(name, {})))
    return given


def _read_value(text: str, kinds: list[str]) -> object:
    """Return a value of a query, which has no types, as the type that its argument takes."""
    try:
        if "integer" in kinds:
            return int(text)
        return float(text) if "number" in kinds else text
    except ValueError:
        raise ValueError(f"{text!r} is not a number.") from None


def _read_body(name: str, body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        document = json.loads(body, object_pairs_hook=unique_members, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: the request body is not a JSON document: {error}.") from None
    if not isinstance(document, dict):
        raise TypeError(f"{name}: the request body takes an object of arguments, not {kind(document)}.")
    return document


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
