"""A pytest plugin that stands in for Amazon Pinpoint's OTP service: the names that users import, nothing else."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.codes import VerificationReason
    from pytest_pinpoint_otp.engine.faults.injections import Injection
    from pytest_pinpoint_otp.engine.faults.outcomes import Delivery, DeliveryStatus, ErrorResponse, RawResponse
    from pytest_pinpoint_otp.engine.faults.plans import FailurePlan, FailureStep
    from pytest_pinpoint_otp.engine.faults.quotas import RateLimit
    from pytest_pinpoint_otp.engine.faults.transport_errors import LostResponse
    from pytest_pinpoint_otp.engine.records import Attempt, Call, SentMessage, Verification
    from pytest_pinpoint_otp.fake import PinpointOTP
    from pytest_pinpoint_otp.mock import active_pinpoint_otp, mock_pinpoint_otp
    from pytest_pinpoint_otp.server import PinpointOTPServer, serve_pinpoint_otp
    from pytest_pinpoint_otp.transports.botocore.guard import UnfakedCallError

__all__ = [
    "Attempt",
    "Call",
    "Delivery",
    "DeliveryStatus",
    "ErrorResponse",
    "FailurePlan",
    "FailureStep",
    "Injection",
    "LostResponse",
    "PinpointOTP",
    "PinpointOTPServer",
    "RateLimit",
    "RawResponse",
    "SentMessage",
    "UnfakedCallError",
    "Verification",
    "VerificationReason",
    "active_pinpoint_otp",
    "mock_pinpoint_otp",
    "serve_pinpoint_otp",
]

_HOMES = {
    "Attempt": "engine.records",
    "Call": "engine.records",
    "Delivery": "engine.faults.outcomes",
    "DeliveryStatus": "engine.faults.outcomes",
    "ErrorResponse": "engine.faults.outcomes",
    "FailurePlan": "engine.faults.plans",
    "FailureStep": "engine.faults.plans",
    "Injection": "engine.faults.injections",
    "LostResponse": "engine.faults.transport_errors",
    "PinpointOTP": "fake",
    "PinpointOTPServer": "server",
    "RateLimit": "engine.faults.quotas",
    "RawResponse": "engine.faults.outcomes",
    "SentMessage": "engine.records",
    "UnfakedCallError": "transports.botocore.guard",
    "Verification": "engine.records",
    "VerificationReason": "engine.codes",
    "active_pinpoint_otp": "mock",
    "mock_pinpoint_otp": "mock",
    "serve_pinpoint_otp": "server",
}


def __getattr__(name: str) -> Any:
    # Imported on demand: pytest imports this package at start-up, whether or not a test uses it.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Never kept: between two runs in one process, pytester replaces this package's modules, but not the package itself.
    # For the same reason modules say `import a.b.c as c` or `from a.b.c import name`: `from a.b import c` may find a
    # stale one.
    found = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name == "FailurePlan" and (entry := sys.modules.get(f"{__name__}.hypothesis_entry")) is not None:
        # Hypothesis was imported first, and could not be told about a class that did not exist yet.
        entry.register()
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
