"""The JSON API does what its OpenAPI document says, for whatever schemathesis makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from active import served_fake
from hypothesis import HealthCheck, settings
from talking import PATIENCE

from pytest_pinpoint_otp import PinpointOTPServer, serve_pinpoint_otp
from pytest_pinpoint_otp.transports.http.control import PREFIX
from pytest_pinpoint_otp.transports.http.openapi import describe

schemathesis = pytest.importorskip("schemathesis")
checks = pytest.importorskip("schemathesis.specs.openapi.checks")

SCHEMA: Any = schemathesis.openapi.from_dict(describe(PREFIX))


@pytest.fixture(scope="module")
def server() -> Iterator[PinpointOTPServer]:
    with serve_pinpoint_otp() as server:
        yield server


def _waits(case: Any) -> list[tuple[str, Any]]:
    """Return the arguments that say how long to wait, and what they are in."""
    return {
        f"{PREFIX}messages": [("wait", case.query)],
        f"{PREFIX}wait_for_message": [("timeout", case.body)],
    }.get(case.operation.path, [])


@SCHEMA.parametrize()
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_every_command_does_what_the_document_says(case: Any, server: PinpointOTPServer) -> None:
    for name, given in _waits(case):
        if isinstance(given, dict) and isinstance(given.get(name, 5), (int, float)):
            # Nobody needs to wait for what does not come.
            given[name] = min(given.get(name, 5), 0.01)
    with served_fake() as fake:
        if case.operation.path != f"{PREFIX}assert_not_sent":
            fake.issue("+15550100123", application_id="shop", reference_id="log-in")
        # Which names there are, and which codes a request may have, is for the fake to say, and not for a schema.
        case.call_and_validate(base_url=server.url, timeout=PATIENCE, excluded_checks=[checks.positive_data_acceptance])
