"""A pytest plugin that stands in for Amazon Pinpoint's OTP service: the names that users import, nothing else."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine import VerificationReason
    from pytest_pinpoint_otp.fake import PinpointOTP
    from pytest_pinpoint_otp.faults import Injection
    from pytest_pinpoint_otp.journal import Attempt, Call, SentMessage, Verification
    from pytest_pinpoint_otp.mock import active_pinpoint_otp, mock_pinpoint_otp
    from pytest_pinpoint_otp.outcomes import Delivery, DeliveryStatus, ErrorResponse, LostResponse, RawResponse
    from pytest_pinpoint_otp.plans import FailurePlan, FailureStep
    from pytest_pinpoint_otp.quotas import RateLimit

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
    "RateLimit",
    "RawResponse",
    "SentMessage",
    "Verification",
    "VerificationReason",
    "active_pinpoint_otp",
    "mock_pinpoint_otp",
]

_HOMES = {
    "Attempt": "journal",
    "Call": "journal",
    "Delivery": "outcomes",
    "DeliveryStatus": "outcomes",
    "ErrorResponse": "outcomes",
    "FailurePlan": "plans",
    "FailureStep": "plans",
    "Injection": "faults",
    "LostResponse": "outcomes",
    "PinpointOTP": "fake",
    "RateLimit": "quotas",
    "RawResponse": "outcomes",
    "SentMessage": "journal",
    "Verification": "journal",
    "VerificationReason": "engine",
    "active_pinpoint_otp": "mock",
    "mock_pinpoint_otp": "mock",
}


def __getattr__(name: str) -> Any:
    # Handed on when asked for: pytest imports this package at start-up, whether or not a test uses it.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Never kept: between two runs in one process, pytester replaces this package's modules, but not the package itself.
    # For the same reason the modules say `import pytest_pinpoint_otp.reach as reach`: `from` may find a stale one.
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
