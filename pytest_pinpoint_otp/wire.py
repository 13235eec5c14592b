"""AWS's wire format (rest-json): what an HTTP request says, and how an answer is written. No rules, no state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from pytest_pinpoint_otp.operations import OPERATION_BY_PATH

# The documents are made here and hold no circle; looking for one would double the cost.
_encode: Final = json.JSONEncoder(check_circular=False).encode


class Response(NamedTuple):
    """An HTTP answer. Header names are in lower case."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes


@lru_cache
def read_route(url: str) -> tuple[str, str] | None:
    """Read operation and application ID from ``.../v1/apps/{application-id}/otp`` or ``/verify-otp``, or None."""
    match url.partition("?")[0].rsplit("/", 4):
        case [_, "v1", "apps", application_id, last] if last in OPERATION_BY_PATH:
            return OPERATION_BY_PATH[last], unquote(application_id)
    return None


def read_parameters(body: bytes | str | None) -> tuple[dict[str, Any], str | None]:
    """Return the parameters in a request's body, and what is wrong with it, if anything."""
    try:
        # Decoded here, because JSON travels as UTF-8, and finding out which encoding it is costs as much as reading it.
        document = json.loads(body.decode() if isinstance(body, bytes) else body or "")
    except (ValueError, RecursionError) as error:
        return {}, f"The request body is no JSON document: {error}."
    if not isinstance(document, dict):
        return {}, f"The request body is a JSON {type(document).__name__}, but takes an object of parameters."
    return document, None


def read_invocation_id(headers: Mapping[str, Any]) -> str | None:
    """Return what botocore sends with every attempt of one call; None where another HTTP client made the request."""
    invocation_id = headers.get("amz-sdk-invocation-id")
    return invocation_id.decode("latin-1") if isinstance(invocation_id, bytes) else invocation_id


def write_document(document: Mapping[str, Any], request_id: str) -> Response:
    """Write a successful answer."""
    headers = {"content-type": "application/json", "x-amzn-requestid": request_id}
    return Response(200, headers, _encode(document).encode())


def write_error(name: str, status_code: int, message: str, request_id: str) -> Response:
    """Write an error answer, with the members that both operations model for it."""
    headers = {"content-type": "application/json", "x-amzn-requestid": request_id, "x-amzn-errortype": name}
    return Response(status_code, headers, _encode({"Message": message, "RequestID": request_id}).encode())
