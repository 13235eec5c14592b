"""A Hypothesis state machine that drives a user's own OTP flow, and checks what any such flow must keep.

Needs the extra: ``pip install "pytest-pinpoint-otp[hypothesis]"``.
"""

from __future__ import annotations

try:
    import hypothesis  # noqa: F401 - only to say which extra has it
except ModuleNotFoundError as error:
    error.add_note('pytest_pinpoint_otp.stateful needs it: pip install "pytest-pinpoint-otp[hypothesis]".')
    raise

from pytest_pinpoint_otp.stateful.attributes import PHONES
from pytest_pinpoint_otp.stateful.machine import OTPStateMachine
from pytest_pinpoint_otp.stateful.properties import PROPERTIES
from pytest_pinpoint_otp.stateful.records import Requested, Typed

__all__ = ["PHONES", "PROPERTIES", "OTPStateMachine", "Requested", "Typed"]
