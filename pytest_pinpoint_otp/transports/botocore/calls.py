"""Decides at every attempt: does the innermost fake answer it, may it leave the process, or does the guard stop it?"""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Final

import pytest_pinpoint_otp.transports.botocore.guard as guard
from pytest_pinpoint_otp.apis import FAKED

if TYPE_CHECKING:
    pass

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

SERVICE: Final = "pinpoint_otp"
"""Where botocore's context of a call has the service that its last attempt was for. None: none, so far."""


def check_may_leave(context: MutableMapping[str, Any], service_name: str, operation: str, body: object) -> None:
    """Let an attempt leave that no fake is there for, if it may.

    Args:
        context: botocore's context of the call.
        service_name: botocore's name of the service.
        operation: its name of the operation.
        body: the request's body.

    Raises:
        UnfakedCallError: an earlier attempt was for a fake, or the guard is on.
    """
    begun = context.get(SERVICE) is not None
    if begun or (guard.stops_calls() and (service_name, operation) in FAKED):
        raise guard.stop_call(operation, _read_destination(body), begun=begun)


def _read_destination(body: object) -> str | None:
    try:
        parameters = json.loads(body)  # type: ignore[arg-type]  # whatever a request has
    except (TypeError, ValueError):
        return None
    if not isinstance(parameters, dict):
        return None
    # Each API spells it in its own way.
    destination = {name.lower(): value for name, value in parameters.items()}.get("destinationidentity")
    return destination if isinstance(destination, str) else None
