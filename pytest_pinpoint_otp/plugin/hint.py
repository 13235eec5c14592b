"""The hint under a failing test without a fake that an OTP call made fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_pinpoint_otp.plugin.configuration import is_left_out, wants_fake
from pytest_pinpoint_otp.transports.botocore.exceptions import find_otp_call

_WITHOUT_A_FAKE = (
    "Three ways out:",
    "- Name the fixture pinpoint_otp in the test, or mark the test with @pytest.mark.pinpoint_otp.",
    "- Enter mock_pinpoint_otp() where there is no test: in wider fixtures, setUpClass and scripts.",
    "- Set pinpoint_otp_autouse = true in pytest's configuration, and every test has the fake.",
)
_BEFORE_ITS_FAKE = (
    "The test has one, but only after setUpClass and the fixtures of a wider scope. Two ways out:",
    "- Enter mock_pinpoint_otp() there.",
    "- Give the fixture function scope, and the test's fake answers it.",
)
_LEFT_OUT = (
    "A marker of the test says enabled=False, so the call was a real one.",
    "Remove it, or mark the test itself with @pytest.mark.pinpoint_otp: the nearest marker wins.",
)


def hint(item: pytest.Item, error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield the section of a test that failed by this exception, if an OTP call raised it."""
    operation = find_otp_call(error)
    if operation is not None:
        said, *ways_out = _BEFORE_ITS_FAKE if wants_fake(item) else _LEFT_OUT if is_left_out(item) else _WITHOUT_A_FAKE
        heading = f"{operation} was called while no fake of pytest-pinpoint-otp was active. {said}"
        yield "Pinpoint OTP", "\n".join([heading, *ways_out])
