"""Fakes that are active for the server alone, so that boto3 in this process goes over the socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytest_pinpoint_otp import PinpointOTP
from pytest_pinpoint_otp.engine.options import read_options
from pytest_pinpoint_otp.server import active_for_servers


@contextmanager
def served_fake(**options: Any) -> Iterator[PinpointOTP]:
    """Put a fake on the stack, and nothing into botocore."""
    fake = PinpointOTP(read_options(options, "served_fake"))
    with active_for_servers(fake):
        yield fake
