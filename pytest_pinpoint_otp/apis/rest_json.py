"""AWS's wire format (rest-json): what an HTTP request says, and how an answer is written. No rules, no state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from pytest_pinpoint_otp.apis.operations import OPERATION_BY_PATH
from pytest_pinpoint_otp.engine.faults.outcomes import Delivery

_decoder: Final = json.JSONDecoder()


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
        document = _read_json(body.decode() if isinstance(body, bytes) else body or "")
    except (ValueError, RecursionError) as error:
        return {}, f"The request body is no JSON document: {error}."
    if not isinstance(document, dict):
        return {}, f"The request body is a JSON {type(document).__name__}, but takes an object of parameters."
    return document, None


def _read_json(text: str) -> Any:
    try:
        document, end = _decoder.raw_decode(text)
        if end == len(text):
            return document
    except ValueError:
        pass
    # This also looks for white space around the document, which takes long and is not there in most.
    return _decoder.decode(text)


def read_invocation_id(headers: Mapping[str, Any]) -> str | None:
    """Return what botocore sends with every attempt of one call; None where another HTTP client made the request."""
    try:
        invocation_id = headers["amz-sdk-invocation-id"]
    except KeyError:
        return None
    return invocation_id.decode("latin-1") if isinstance(invocation_id, bytes) else invocation_id


def write_delivery(
    delivery: Delivery, application_id: str, destination: str, request_id: str, message_id: str
) -> Response:
    """Write the answer to a send: the result of its one delivery."""
    # As text, member by member: encoding nested dicts takes longer than issuing the code.
    address = encode_basestring_ascii(destination)
    result = (
        f'"DeliveryStatus": "{delivery.status}", "MessageId": "{message_id}", "StatusCode": {delivery.code},'
        f' "StatusMessage": {encode_basestring_ascii(delivery.message(message_id))}'
    )
    if delivery.updated_token is not None:
        result += f', "UpdatedToken": {encode_basestring_ascii(delivery.updated_token)}'
    members = (
        f'"ApplicationId": {encode_basestring_ascii(application_id)}, "RequestId": "{request_id}",'
        f' "Result": {{{address}: {{{result}}}}}'
    )
    if delivery.endpoint_id is not None:
        endpoint_id = encode_basestring_ascii(delivery.endpoint_id)
        members += f', "EndpointResult": {{{endpoint_id}: {{"Address": {address}, {result}}}}}'
    return Response(200, _headers(request_id), f"{{{members}}}".encode())


def write_verification(valid: bool, request_id: str) -> Response:
    """Write the answer to a verification."""
    return Response(200, _headers(request_id), b'{"Valid": true}' if valid else b'{"Valid": false}')


def write_error(name: str, status_code: int, message: str, request_id: str) -> Response:
    """Write an error answer, with the members that both operations model for it."""
    headers = {**_headers(request_id), "x-amzn-errortype": name}
    return Response(status_code, headers, json.dumps({"Message": message, "RequestID": request_id}).encode())


def _headers(request_id: str) -> dict[str, str]:
    return {"content-type": "application/json", "x-amzn-requestid": request_id}
