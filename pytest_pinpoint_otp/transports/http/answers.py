"""The server's own answers: JSON and pages, with the headers that keep other sites' pages from using them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from pytest_pinpoint_otp.transports.http.connection import Answer

NO_FAKE: Final = (
    "No PinpointOTP is active in the process that serves this address: name the fixture pinpoint_otp_server or"
    " pinpoint_otp in the test, or enter mock_pinpoint_otp()."
)
_SAFE: Final = {
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def write_json(status_code: int, document: object, headers: Mapping[str, str] | None = None) -> Answer:
    """Write a JSON document."""
    return write(status_code, "application/json", json.dumps(document).encode(), headers)


def write_error(status_code: int, error: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Write an error: which kind, and what to do about it."""
    return write_json(status_code, {"error": error, "message": message}, headers)


def write(status_code: int, content_type: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """Write any document."""
    return Answer(status_code, {"content-type": content_type, **_SAFE, **(headers or {})}, body)
