"""A server for each module that needs one, and a fake that it serves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from active import served_fake

from pytest_pinpoint_otp import PinpointOTP, PinpointOTPServer, serve_pinpoint_otp


@pytest.fixture(scope="module")
def server() -> Iterator[PinpointOTPServer]:
    """A server on a port of its own."""
    with serve_pinpoint_otp() as server:
        yield server


@pytest.fixture
def fake() -> Iterator[PinpointOTP]:
    """A fake that is active for the server alone."""
    with served_fake() as fake:
        yield fake
