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

SCHEMA: Any = schemathesis.openapi.from_dict(describe(PREFIX))


@pytest.fixture(scope="module")
def server() -> Iterator[PinpointOTPServer]:
    with serve_pinpoint_otp() as server:
        yield server


@SCHEMA.parametrize()
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_every_command_does_what_the_document_says(case: Any, server: PinpointOTPServer) -> None:
    for name in ("wait", "timeout"):
        for given in (case.query, case.body):
            if isinstance(given, dict) and isinstance(given.get(name), (int, float)):
                # Nobody needs to wait for what does not come.
                given[name] = min(given[name], 0.01)
    with served_fake() as fake:
        if case.operation.path != f"{PREFIX}assert_not_sent":
            fake.issue("+15550100123", application_id="shop", reference_id="log-in")
        case.call_and_validate(base_url=server.url, timeout=PATIENCE)
