"""No sequence of requests, codes, failures and time breaks the log-in's promises, and some break each mistake's."""

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from log_in import LogIn
from mistakes import ForgetsGuesses, RepeatsVerifications, SaysSentWithoutLooking, TakesCodesForNumbers

from pytest_pinpoint_otp.stateful import OTPStateMachine


class LogInMachine(OTPStateMachine):
    """Drives the log-in with requests, codes, failures and time."""

    application = LogIn

    def begin(self):
        """Make a new log-in, with the clock of the fake."""
        self.log_in = self.application(now=self.fake.now)

    def request_code(self, phone):
        """Let the log-in text a code."""
        return self.log_in.request_code(phone)

    def check_code(self, phone, code):
        """Let the log-in check a code."""
        return self.log_in.check_code(phone, code)


TestLogIn = LogInMachine.TestCase
TestLogIn.settings = settings(TestLogIn.settings, max_examples=30, derandomize=True, report_multiple_bugs=False)


@pytest.mark.parametrize(
    ("mistaken", "broken"),
    [
        (SaysSentWithoutLooking, "failed_delivery_is_not_reported_as_sent"),
        (TakesCodesForNumbers, "right_code_lets_in"),
        (RepeatsVerifications, "retry_does_not_lock_out"),
        (ForgetsGuesses, "guesses_are_limited"),
    ],
)
def test_the_machine_finds_each_mistake(mistaken, broken):
    class Machine(LogInMachine):
        application = mistaken

    # The same every time, and not shrunk: how small the failing example is does not matter here.
    fixed = settings(TestLogIn.settings, max_examples=500, phases=[Phase.generate])
    with pytest.raises(AssertionError, match=broken):
        run_state_machine_as_test(Machine, settings=fixed)
