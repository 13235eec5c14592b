"""The services and operations that are faked, until the registry of `apis` says so."""

from __future__ import annotations

from typing import Final

from pytest_pinpoint_otp.apis.operations import OPERATIONS

SERVICES: Final = frozenset({"pinpoint"})


def find(service: str, operation: str) -> str | None:
    """Return an operation that is faked, or None."""
    return operation if service in SERVICES and operation in OPERATIONS else None
