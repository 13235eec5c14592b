"""Hypothesis strategies for OTP flows: phone numbers, codes, references, requests, outcomes and failure plans.

Needs the extra: ``pip install "pytest-pinpoint-otp[hypothesis]"``.
"""

from __future__ import annotations

try:
    import hypothesis  # noqa: F401 - only to say which extra has it
except ModuleNotFoundError as error:
    error.add_note('pytest_pinpoint_otp.strategies needs it: pip install "pytest-pinpoint-otp[hypothesis]".')
    raise

from pytest_pinpoint_otp.strategies.end_user_messaging_requests import (
    invalid_notify_send_parameters,
    notify_send_parameters,
)
from pytest_pinpoint_otp.strategies.failures import failure_plans, outcomes
from pytest_pinpoint_otp.strategies.phones import e164_numbers, phone_numbers
from pytest_pinpoint_otp.strategies.pinpoint_requests import (
    invalid_send_parameters,
    invalid_verify_parameters,
    send_parameters,
    verify_parameters,
)
from pytest_pinpoint_otp.strategies.values import codes, reference_ids, typed_codes

__all__ = [
    "codes",
    "e164_numbers",
    "failure_plans",
    "invalid_notify_send_parameters",
    "invalid_send_parameters",
    "invalid_verify_parameters",
    "notify_send_parameters",
    "outcomes",
    "phone_numbers",
    "reference_ids",
    "send_parameters",
    "typed_codes",
    "verify_parameters",
]
