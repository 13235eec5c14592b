"""Hypothesis strategies for OTP flows: phone numbers, codes, references, requests, outcomes and failure plans.

Needs the extra: ``pip install "pytest-pinpoint-otp[hypothesis]"``.
"""

from __future__ import annotations

from pytest_pinpoint_otp.strategies.failures import failure_plans, outcomes
from pytest_pinpoint_otp.strategies.notify_requests import invalid_notify_send_parameters, notify_send_parameters
from pytest_pinpoint_otp.strategies.pinpoint_requests import invalid_send_parameters, send_parameters
from pytest_pinpoint_otp.strategies.values import codes, phone_numbers, reference_ids

__all__ = [
    "codes",
    "failure_plans",
    "invalid_notify_send_parameters",
    "invalid_send_parameters",
    "notify_send_parameters",
    "outcomes",
    "phone_numbers",
    "reference_ids",
    "send_parameters",
]
