"""A Hypothesis state machine that drives a user's own OTP flow, and checks what any such flow must keep.

Needs the extra: ``pip install "pytest-pinpoint-otp[hypothesis]"``.
"""

from __future__ import annotations

from pytest_pinpoint_otp.stateful.attributes import PHONES
from pytest_pinpoint_otp.stateful.machine import OTPStateMachine
from pytest_pinpoint_otp.stateful.properties import PROPERTIES
from pytest_pinpoint_otp.stateful.records import Requested, Typed

__all__ = ["PHONES", "PROPERTIES", "OTPStateMachine", "Requested", "Typed"]
