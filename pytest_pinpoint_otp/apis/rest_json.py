"""AWS's wire format rest-json: how a request's body is read, and how an answer is written. No rules, no state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, Final, NamedTuple

_decoder: Final = json.JSONDecoder()

_DEEPEST: Final = 100

quote: Final = encode_basestring_ascii
"""Return a string as JSON has it."""


class Response(NamedTuple):
    """An HTTP answer. Header names are in lower case."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes


def read_parameters(body: bytes | str | None) -> dict[str, Any]:
    """Return the parameters in a request's body.

    Raises:
        ValueError: the body is not a JSON object.
    """
    text = ""
    try:
        # Decoded here: JSON is sent as UTF-8, and letting json detect the encoding costs as much as reading the text.
        text = body.decode() if isinstance(body, bytes) else body or ""
        document = _read_json(text)
    except (ValueError, RecursionError) as error:
        if isinstance(error, RecursionError) and not _may_be_deep(text):
            # The stack is deep, not the document: this must not be remembered for the request.
            raise
        raise ValueError(f"The request body is not a JSON document: {error}.") from None
    if not isinstance(document, dict):
        raise ValueError(f"The request body is a JSON {type(document).__name__}, but takes an object of parameters.")
    if len(text) > 2 * _DEEPEST and _may_be_deep(text) and not _is_shallow(document):
        raise ValueError(f"The request body is nested more than {_DEEPEST} levels deep.")
    return document


def _may_be_deep(text: str) -> bool:
    """Tell whether a document has enough brackets to be nested deeply."""
    return text.count("{") + text.count("[") > _DEEPEST


def _is_shallow(document: dict[str, Any]) -> bool:
    """Tell whether recursive functions can walk through a document."""
    level = [value for value in document.values() if isinstance(value, (dict, list))]
    for _ in range(_DEEPEST):
        if not level:
            return True
        inner = [value.values() if isinstance(value, dict) else value for value in level]
        level = [value for values in inner for value in values if isinstance(value, (dict, list))]
    return False


def _read_json(text: str) -> Any:
    try:
        document, end = _decoder.raw_decode(text)
        if end == len(text):
            return document
    except ValueError:
        pass
    # This also accepts white space around the document. It is slower, and few documents have any.
    return _decoder.decode(text)


def read_invocation_id(headers: Mapping[str, Any]) -> str | None:
    """Return the ID that AWS's SDKs send with every attempt of a call; None: another HTTP client made the request."""
    try:
        invocation_id = headers["amz-sdk-invocation-id"]
    except KeyError:
        return None
    return invocation_id.decode("latin-1") if isinstance(invocation_id, bytes) else invocation_id


def write_answer(body: bytes, request_id: str) -> Response:
    """Write a successful answer of a JSON document."""
    return Response(200, {"content-type": "application/json", "x-amzn-requestid": request_id}, body)


def write_document(document: Mapping[str, Any], request_id: str) -> Response:
    """Write a successful answer."""
    return write_answer(json.dumps(document).encode(), request_id)


def write_error(name: str, status_code: int, document: Mapping[str, Any], request_id: str) -> Response:
    """Write an error answer. Its name travels in a header (source: botocore's parser)."""
    _, headers, body = write_document(document, request_id)
    return Response(status_code, {**headers, "x-amzn-errortype": name}, body)
