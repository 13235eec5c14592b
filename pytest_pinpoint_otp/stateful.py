"""A Hypothesis state machine that drives a user's own OTP flow, and checks what any such flow must keep.

Needs the extra: ``pip install "pytest-pinpoint-otp[hypothesis]"``.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Collection
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Literal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from pytest_pinpoint_otp.engine.checks import did_you_mean, kind
from pytest_pinpoint_otp.engine.codes import VerificationReason
from pytest_pinpoint_otp.engine.faults.injections import Injection
from pytest_pinpoint_otp.engine.faults.outcomes import DeliveryStatus
from pytest_pinpoint_otp.engine.faults.transport_errors import LostResponse
from pytest_pinpoint_otp.engine.records import Verification
from pytest_pinpoint_otp.fake import PinpointOTP, service_of
from pytest_pinpoint_otp.mock import mock_pinpoint_otp

SEND: Final = "SendOTPMessage"
VERIFY: Final = "VerifyOTPMessage"

PROPERTIES: Final = (
    "refused_code_lets_nobody_in",
    "code_works_once",
    "guesses_are_limited",
    "failed_delivery_is_not_reported_as_sent",
    "retry_does_not_lock_out",
    "right_code_lets_in",
)
"""What `OTPStateMachine` checks."""

# Names, because Hypothesis prints an enum's member as nothing that can be pasted.
_DELIVERY_FAILURES: Final = [str(status) for status in DeliveryStatus if status != DeliveryStatus.SUCCESSFUL]
_ERRORS: Final = ["TooManyRequestsException", "InternalServerErrorException"]
_WRONG: Final = (VerificationReason.WRONG_CODE, VerificationReason.SUPERSEDED)

PHONES: Final = ("+15550100001", "+15550100002")


def _texted(machine: OTPStateMachine) -> list[str]:
    """Return the phones that have had a text."""
    return [phone for phone in PHONES if machine.fake.inbox(phone)]


_TEXTED: Final[st.SearchStrategy[str]] = st.runner().flatmap(lambda machine: st.sampled_from(_texted(machine)))
"""A phone that has had a text; there must be one."""


class OTPStateMachine(RuleBasedStateMachine):
    """Drives an application's OTP flow with resends, wrong and old codes, time, opt-outs, throttling, errors and lost
    responses, and checks what any OTP flow must keep.

    Subclass it, say how the application asks for a code and how it checks one, and let pytest collect its test case::

        class SignUpMachine(OTPStateMachine):
            def request_code(self, phone):
                return application.request_code(phone)

            def check_code(self, phone, code):
                return application.check_code(phone, code)

        TestSignUp = SignUpMachine.TestCase

    A fresh fake is active for each run of the machine, as ``self.fake``; an application that keeps state of its own is
    to be made afresh in `begin`. The properties, of which the class attribute ``properties`` chooses:

    - ``refused_code_lets_nobody_in``: `check_code` is true only where the service accepted that code for that phone.
    - ``code_works_once``: no code lets anybody in a second time.
    - ``guesses_are_limited``: within ``guess_window``, at most ``max_guesses`` wrong codes for one phone reach the
      service, however often a code is resent, until a right one does.
    - ``failed_delivery_is_not_reported_as_sent``: `request_code` is true only where a text reached the phone.
    - ``retry_does_not_lock_out``: `check_code` is not false where the service accepted the code in that call, and the
      answer was lost on the way.
    - ``right_code_lets_in``: `check_code` is not false where the user typed the code of the newest text, alive, and the
      service was asked about that text's reference. An application that has locked a phone out does not ask it.
    """

    properties: ClassVar[Collection[str]] = PROPERTIES
    """The names of the properties to check; all of them by default."""
    max_guesses: ClassVar[int] = 10
    """Wrong codes for one phone within ``guess_window`` that the application may pass on to the service."""
    guess_window: ClassVar[timedelta] = timedelta(hours=1)
    """How far back wrong codes count towards ``max_guesses``."""
    options: ClassVar[dict[str, Any]] = {}
    """Options of the fake, as ``mock_pinpoint_otp`` takes them."""
    fake: PinpointOTP
    """The fake of this run."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if isinstance(cls.properties, str) or not isinstance(cls.properties, Collection):
            raise TypeError(f"{cls.__name__}.properties takes a list of names, not {kind(cls.properties)}.")
        for method in ("request_code", "check_code"):
            if inspect.iscoroutinefunction(getattr(cls, method)):
                raise TypeError(
                    f"{cls.__name__}.{method} is a coroutine function, but the machine does not await: run"
                    " the application's own inside of it, by asyncio.run(...), say."
                )
        for name in cls.properties:
            if name not in PROPERTIES:
                raise ValueError(f"{cls.__name__}.properties: there is no {name!r}.{did_you_mean(name, PROPERTIES)}")

    def __init__(self) -> None:
        super().__init__()
        self._exits = ExitStack()
        self._let_in: set[tuple[str, str]] = set()
        self._guesses: defaultdict[str, list[datetime]] = defaultdict(list)
        self._failures: dict[str, Injection] = {}

    def begin(self) -> None:
        """Make the application afresh; called at the beginning of each run. Does nothing by default."""

    def request_code(self, phone: str) -> bool:
        """Let the application send a code to a phone. Return whether it told the user that a text is on its way."""
        raise NotImplementedError(f"{type(self).__name__} does not say how the application requests a code.")

    def check_code(self, phone: str, code: str) -> bool | None:
        """Let the application check a code that a user typed in.

        Return whether the user was let in; None: the application could not tell, and said so.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how the application checks a code.")

    def teardown(self) -> None:
        """End the run. A subclass that needs more calls this as well."""
        self._exits.close()
        super().teardown()

    @initialize(seed=st.integers(0, 9999), leading_zeros=st.booleans())
    def start(self, seed: int, leading_zeros: bool) -> None:
        """Enter a fresh fake, whose codes the seed decides, and let the application begin."""
        # What a run leaves unused is no mistake: a failure is arranged for a next call that may not come.
        options = {**self.options, "seed": f"{self.options.get('seed', '')}{seed}", "assert_all_used": False}
        self.fake = self._exits.enter_context(mock_pinpoint_otp(**options))
        service_of(self.fake).codes.leading_zeros = leading_zeros
        self.begin()

    @rule(phone=st.sampled_from(PHONES))
    def request(self, phone: str) -> None:
        """The user asks for a code, for the first time or again."""
        before = len(self.fake.inbox(phone))
        told = self.request_code(phone)
        delivered = len(self.fake.inbox(phone)) - before
        self._check(
            "failed_delivery_is_not_reported_as_sent",
            bool(delivered) or not told,
            f"request_code({phone!r}) returned {told!r}, but no text reached the phone",
        )

    @precondition(lambda self: len(_texted(self)) > 0)
    @rule(phone=_TEXTED, answer_is_lost=st.booleans())
    def type_right_code(self, phone: str, answer_is_lost: bool) -> None:
        """The user types the code of the newest text, and the service's first answer may be lost."""
        if answer_is_lost:
            self.lose_next_response(VERIFY)
        self._type(phone, self.fake.code_for(phone))

    @precondition(lambda self: len(_texted(self)) > 0)
    @rule(phone=_TEXTED, times=st.integers(1, 4))
    def type_wrong_codes(self, phone: str, times: int) -> None:
        """Somebody guesses, a few times."""
        for _ in range(times):
            self._type(phone, self.fake.wrong_code(phone))

    @rule(phone=st.sampled_from(PHONES), resends=st.integers(1, 5))
    def guess_through_resends(self, phone: str, resends: int) -> None:
        """Somebody guesses until a code is dead, asks for the next one, and so on."""
        for _ in range(resends):
            self.request(phone)
            if self.fake.inbox(phone):
                self.type_wrong_codes(phone, times=3)

    @precondition(lambda self: len(_texted(self)) > 0)
    @rule(phone=_TEXTED, index=st.integers(0, 3))
    def type_old_code(self, phone: str, index: int) -> None:
        """The user types the code of an earlier text, or one that was used."""
        texts = self.fake.inbox(phone)
        self._type(phone, texts[max(0, len(texts) - 1 - index)].code)

    @precondition(lambda self: len(_texted(self)) > 1)
    @rule(phone=_TEXTED)
    def type_code_of_another_phone(self, phone: str) -> None:
        """The user types the code of a text to somebody else."""
        self._type(phone, next(self.fake.code_for(other) for other in PHONES if other != phone))

    @rule(minutes=st.sampled_from((1, 5, 15, 60)))
    def let_time_pass(self, minutes: int) -> None:
        """Time passes, for the service."""
        self.fake.advance(minutes=minutes)

    @rule(phone=st.sampled_from(PHONES))
    def opt_out(self, phone: str) -> None:
        """The phone opts out of texts."""
        self.fake.opt_out(phone)

    @rule(phone=st.sampled_from(PHONES))
    def opt_in(self, phone: str) -> None:
        """The phone takes its opt-out back."""
        self.fake.opt_in(phone)

    @rule(failure=st.sampled_from(_DELIVERY_FAILURES))
    def fail_next_delivery(self, failure: str) -> None:
        """The next text is not delivered: throttled, say."""
        self._fail_next(SEND, failure)

    @rule(operation=st.sampled_from((SEND, VERIFY)), error=st.sampled_from(_ERRORS))
    def fail_next_call(self, operation: str, error: str) -> None:
        """The service answers the next call with an error, however often it is retried."""
        self._fail_next(operation, error)

    @rule(operation=st.sampled_from((SEND, VERIFY)))
    def lose_next_response(self, operation: str) -> None:
        """The service does what the next request asks, and its answer is lost; botocore may retry."""
        self._fail_next(operation, LostResponse(), per="attempt")

    def _fail_next(self, operation: Any, failure: Any, per: Literal["call", "attempt"] = "call") -> None:
        # In place of an earlier one: most calls would fail otherwise, and little would ever work.
        if operation in self._failures:
            self._failures[operation].cancel()
        self._failures[operation] = self.fake.inject(failure, operation=operation, per=per)

    def _type(self, phone: str, code: str) -> None:
        """Let the user type a code, and check everything that a check of a code must keep."""
        newest = self.fake.inbox(phone)[-1]
        live = code == newest.code and service_of(self.fake).accepts(newest)
        before = len(self.fake.verifications)
        let_in = self.check_code(phone, code)
        judged = [one for one in self.fake.verifications[before:] if one.destination == phone]
        accepted = [one for one in judged if one.valid and one.otp == code]
        lost = any(self._is_lost(one) for one in accepted)
        # A text whose answer was lost may be of a reference that the application has never learnt of.
        asked = [one.otp for one in judged if one.reference_id == newest.reference_id]
        called = f"check_code({phone!r}, {code!r}) returned {let_in!r}"
        self._check(
            "code_works_once",
            not let_in or accepted or (phone, code) not in self._let_in,
            f"{called} for the second time, but the service accepted no such code",
        )
        self._check(
            "refused_code_lets_nobody_in", accepted or not let_in, f"{called}, but the service accepted no such code"
        )
        self._check(
            "retry_does_not_lock_out",
            let_in is not False or not lost,
            f"{called}, but the service had accepted the code before its answer was lost",
        )
        self._check(
            "right_code_lets_in",
            let_in is not False or not live or lost or not asked,
            f"{called}, but that was the live code, and the service was asked about {asked}",
        )
        if let_in:
            self._let_in.add((phone, code))
            self._guesses[phone].clear()
        elif any(one.reason in _WRONG for one in judged):
            self._count_guess(phone)

    def _is_lost(self, verification: Verification) -> bool:
        """Tell whether the answer to a verification never reached the application."""
        attempts = (attempt for call in self.fake.calls for attempt in call.attempts)
        return any(one.request_id == verification.request_id and one.status_code is None for one in attempts)

    def _count_guess(self, phone: str) -> None:
        guesses, now = self._guesses[phone], self.fake.now()
        guesses[:] = [*(at for at in guesses if now - at < self.guess_window), now]
        self._check(
            "guesses_are_limited",
            len(guesses) <= self.max_guesses,
            f"{len(guesses)} wrong codes for {phone} reached the service within {self.guess_window}",
        )

    def _check(self, name: str, holds: object, otherwise: str) -> None:
        if name in self.properties and not holds:
            raise AssertionError(f"{name}: {otherwise}.\n{service_of(self.fake).traffic()}")
