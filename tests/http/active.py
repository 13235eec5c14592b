"""Fakes that are active for the server alone, so that boto3 in this process goes over the socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytest_pinpoint_otp import PinpointOTP
from pytest_pinpoint_otp.engine.options import read_options
from pytest_pinpoint_otp.fake import service_of
from pytest_pinpoint_otp.transports.active import activate, deactivate


@contextmanager
def served_fake(**options: Any) -> Iterator[PinpointOTP]:
    """Put a fake on the stack, and nothing into botocore."""
    fake = PinpointOTP(read_options(options, "served_fake"))
    activate(service_of(fake), fake)
    try:
        yield fake
    finally:
        deactivate(service_of(fake))
