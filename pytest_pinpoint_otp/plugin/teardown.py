"""The end of a test: what it left unused or did wrong is an error at teardown, and a failure shows the OTP traffic.

The guard reports the calls that it stopped: see the module `guard`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pytest_pinpoint_otp.fake import PinpointOTP, service_of
from pytest_pinpoint_otp.plugin.configuration import terminal_width

if TYPE_CHECKING:
    from pytest_pinpoint_otp.plugin.failures import Arrangement

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


class Teardown:
    """What is checked and reported at the end of one test, and how the test has ended so far.

    Args:
        item: the test.
        fake: its fake.
        arrangement: what was arranged for the fake; None: nothing.
    """

    def __init__(self, item: pytest.Item, fake: PinpointOTP, arrangement: Arrangement | None) -> None:
        self.fake: Final = fake
        self.examples_are_checked = False
        """Whether each of Hypothesis's examples has had its own check, so that the test needs none."""
        self._item = item
        self._arrangement = arrangement
        self._outcomes: list[str] = []
        """One for each subtest, and the test's own last, which passes even if a subtest has failed."""

    def note(self, report: pytest.TestReport) -> None:
        """Note a report on the test. If it is a failure, add the traffic to it."""
        if report.failed:
            self._add_sections(report)
        if report.when == "call":
            self._outcomes.append("xfailed" if hasattr(report, "wasxfail") else report.outcome)

    def _add_sections(self, report: pytest.TestReport) -> None:
        # At teardown, the error itself may be about what is unused.
        unused = report.when != "teardown"
        traffic = service_of(self.fake).traffic(terminal_width(self._item.config), unused=unused)
        if traffic:
            report.sections.append(("Pinpoint OTP traffic", traffic))
            if self._arrangement and (chaos := self._arrangement.section(self.fake, self._item)):
                report.sections.append(("Pinpoint OTP chaos", chaos))

    def check(self) -> None:
        """Check what a test that passed has left. One that failed, was skipped or xfailed has its verdict."""
        passed = self._outcomes[-1:] == ["passed"] and "failed" not in self._outcomes
        if passed and not self.examples_are_checked and (unused := service_of(self.fake).check_end()):
            pytest.fail(unused, pytrace=False)
