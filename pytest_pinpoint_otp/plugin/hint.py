"""What a failing test without a fake is told where an OTP call made it fail."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_pinpoint_otp.transports.botocore.causes import find_otp_call

_WAYS_OUT = (
    "Name the fixture pinpoint_otp in the test, or mark the test with @pytest.mark.pinpoint_otp.",
    "Enter mock_pinpoint_otp() where there is no test: in wider fixtures, setUpClass and scripts.",
    "Set pinpoint_otp_autouse = true in pytest's configuration, and every test has the fake.",
)


def hint(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield the section of a test that failed by this exception, if an OTP call raised it."""
    operation = find_otp_call(error)
    if operation is not None:
        heading = f"{operation} was called while no fake of pytest-pinpoint-otp was active. Three ways out:"
        yield "Pinpoint OTP", "\n".join([heading, *(f"- {way}" for way in _WAYS_OUT)])
