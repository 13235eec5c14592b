"""`OTPStateMachine`: what users, attackers and networks do, as rules, and when the properties are checked."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any, ClassVar, Final

from hypothesis import Phase, currently_in_test_context, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from pytest_pinpoint_otp.apis import APIS
from pytest_pinpoint_otp.engine.options import OptionValues
from pytest_pinpoint_otp.fake import PinpointOTP, service_of
from pytest_pinpoint_otp.mock import mock_pinpoint_otp
from pytest_pinpoint_otp.stateful.attributes import PHONES, check_attributes
from pytest_pinpoint_otp.stateful.properties import OF_CODES, PROPERTIES
from pytest_pinpoint_otp.stateful.rules import RULES, Rules
from pytest_pinpoint_otp.stateful.steps import tell
from pytest_pinpoint_otp.stateful.tally import Tally

STEPS: Final = 30
"""How many steps a run has by default."""

# pytest shows a failure at the user's own line, not in here.
__tracebackhide__ = True


def _default_settings(given: settings) -> settings:
    """Return the settings of a machine that says nothing else, made from those of Hypothesis's profile."""
    # Phase.explain takes up to 30 seconds, and only shows which lines of botocore and of this package a failure ran.
    phases = [phase for phase in given.phases if phase is not Phase.explain]
    # Fewer steps, unless the profile says otherwise: steps are whole log-ins here, and long runs shrink slowly.
    usual = settings.get_profile("default").stateful_step_count
    steps = STEPS if given.stateful_step_count == usual else given.stateful_step_count
    return settings(given, phases=phases, stateful_step_count=steps)


def _after_flags(machine: Any) -> st.SearchStrategy[int]:
    """Return a strategy for a seed, which first lets Hypothesis draw how many rules this run leaves out.

    Hypothesis would draw that with the first rule, which could then not be shrunk away.
    """
    rules = getattr(machine, "_rules_strategy", None)
    flags: st.SearchStrategy[Any] = getattr(rules, "enabled_rules_strategy", st.none())
    return flags.flatmap(lambda _: st.integers(0, 9999))


class OTPStateMachine(Rules, RuleBasedStateMachine):
    """Drives an application's OTP flow with resends, wrong and old codes, time, opt-outs, throttling, errors and lost
    answers, and checks what every OTP flow must guarantee.

    Subclass it, define how the application requests a code and how it checks one, and let pytest collect its test
    case::

        class SignUpMachine(OTPStateMachine):
            def request_code(self, phone):
                return application.request_code(phone)

            def check_code(self, phone, code):
                return application.check_code(phone, code)

        TestSignUp = SignUpMachine.TestCase

    Each run has a fresh fake, ``self.fake``. If the application keeps state of its own, reset it in `begin`. The class
    attribute ``properties`` chooses what is checked. Each property is a method of its name, which says what it checks.

    A run in which the service accepts no send fails too, and so does a whole test in which nobody is texted or let in:
    they would prove nothing.
    """

    api: ClassVar[str] = APIS[0].name
    """boto3's name of the client that the application uses, ``pinpoint`` or ``endusermessaging``."""
    properties: ClassVar[Collection[str]] = PROPERTIES
    """The names of the properties to check; all of them by default."""
    phones: ClassVar[Sequence[str]] = PHONES
    """The phones that ask for codes. The default numbers are valid, and are kept for fiction."""
    max_guesses: ClassVar[int] = 10
    """How many wrong codes for one phone the application may pass on to the service within ``guess_window``."""
    guess_window: ClassVar[timedelta] = timedelta(hours=1)
    """How far back wrong codes count towards ``max_guesses``."""
    max_texts: ClassVar[int | None] = None
    """How many texts the application may send to one phone within ``text_window``. None means any number."""
    text_window: ClassVar[timedelta] = timedelta(hours=1)
    """How far back texts count towards ``max_texts``."""
    tolerated_errors: ClassVar[int] = 5
    """How many verifications for one phone may end in errors of the service without locking its user out."""
    may_test_nothing: ClassVar[bool] = False
    """Whether it is on purpose that nobody is texted or let in."""
    options: ClassVar[OptionValues] = {}
    """Options of the fake, as ``mock_pinpoint_otp`` takes them."""
    fake: PinpointOTP
    """The fake of this run."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        check_attributes(cls, PROPERTIES, RULES)
        _refuse_own([name for name in _OWN if getattr(cls, name) is not getattr(OTPStateMachine, name)], cls)
        cls.tally = Tally()
        cls.TestCase.settings = _default_settings(cls.TestCase.settings)

    def __init__(self) -> None:
        super().__init__()
        self._exits = ExitStack()
        # Hypothesis runs the initializers of a machine in any order, but a subclass's own need the fake.
        self._initializers: list[Any] = getattr(self, "_initialize_rules_to_run", [])
        self._own_initializers = [one for one in self._initializers if one.function.__name__ != "start"]
        self._initializers[:] = [one for one in self._initializers if one not in self._own_initializers]
        # On the instance, so that the fake is left whether or not a subclass calls super().teardown().
        vars(self)["teardown"] = functools.partial(self._end, self.teardown)

    def begin(self) -> None:
        """Reset the application. Called at the beginning of each run; does nothing by default."""

    def teardown(self) -> None:
        """Clean up at the end of a run. Does nothing by default; the fake ends in any case."""

    @initialize(seed=st.runner().flatmap(_after_flags), leading_zeros=st.booleans())
    def start(self, seed: int, leading_zeros: bool) -> None:
        """Enter a fresh fake, whose codes the seed decides, and let the application begin."""
        # What a run leaves unused is not a mistake: a failure is arranged for a next call that may not come.
        mixed = f"{self.options.get('seed', '')}{seed}"
        options: OptionValues = {**self.options, "seed": mixed, "assert_all_used": False}
        self.fake = self._exits.enter_context(mock_pinpoint_otp(**options))
        self._exits.callback(self._tell_outcomes)
        service_of(self.fake).codes.leading_zeros = leading_zeros
        with self.left_when_pasted():
            self.begin()
            _refuse_own(_OWN & vars(self).keys(), type(self))
        self._initializers.extend(self._own_initializers)

    @contextmanager
    def left_when_pasted(self) -> Iterator[None]:
        """Leave the fake if an example that was pasted into a test fails. It does not reach its teardown, which
        Hypothesis always calls, and later tests would have the fake.
        """
        try:
            yield
        except BaseException:
            if not currently_in_test_context():
                self._exits.close()
            raise

    def _end(self, teardown: Callable[[], None]) -> None:
        """End the run, and look back on all of them."""
        raised = sys.exc_info()[1]
        try:
            teardown()
        finally:
            self._exits.close()
        # A failing example that is pasted runs outside of Hypothesis.
        if currently_in_test_context():
            self.tally.note_end(raised)
            complaint = self.tally.complain(settings().max_examples)
            # The properties of requests alone do not need anybody to be let in.
            if complaint and not self.may_test_nothing and not {*OF_CODES}.isdisjoint(self.properties):
                self.fail(f"Nothing is tested: {complaint}. If that is on purpose, set may_test_nothing = True")

    def _tell_outcomes(self) -> None:
        """Let Hypothesis's statistics tell what calls ended in, and why codes were accepted and refused."""
        ends = {f"{call.operation} {attempt.outcome}" for call in self.fake.calls for attempt in call.attempts}
        reasons = {f"judged {one.reason}" for one in self.fake.verifications}
        tell(*sorted(ends | reasons))


_OWN: Final = {
    name
    for owner in (*Rules.__mro__[:-1], OTPStateMachine)
    for name, value in vars(owner).items()
    if inspect.isfunction(value) and not name.startswith("_")
} - {*PROPERTIES, *RULES, "begin", "teardown", "request_code", "check_code"}
"""The names of the machine's own methods, which a subclass must not override."""


def _refuse_own(names: Collection[str], machine: type[OTPStateMachine]) -> None:
    for name in names:
        raise TypeError(f"{machine.__name__}.{name} is what the machine itself needs: choose another name.")
