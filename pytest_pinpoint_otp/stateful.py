"""A Hypothesis state machine that drives a user's own OTP flow, and checks what any such flow must keep.

Needs the extra: ``pip install "pytest-pinpoint-otp[hypothesis]"``.
"""

from __future__ import annotations

import functools
import inspect
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Literal, NamedTuple, TypeVar, cast

from hypothesis import currently_in_test_context, event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from pytest_pinpoint_otp.apis import APIS
from pytest_pinpoint_otp.engine.checks import did_you_mean, kind
from pytest_pinpoint_otp.engine.codes import VerificationReason
from pytest_pinpoint_otp.engine.faults.injections import Injection
from pytest_pinpoint_otp.engine.faults.outcomes import DeliveryStatus
from pytest_pinpoint_otp.engine.faults.transport_errors import LostResponse
from pytest_pinpoint_otp.engine.options import OptionValues
from pytest_pinpoint_otp.engine.records import Call, SentMessage, Verification
from pytest_pinpoint_otp.fake import PinpointOTP, service_of
from pytest_pinpoint_otp.mock import mock_pinpoint_otp

PROPERTIES: Final = (
    "refused_code_lets_nobody_in",
    "code_works_once",
    "guesses_are_limited",
    "failed_delivery_is_not_reported_as_sent",
    "retry_does_not_lock_out",
    "right_code_lets_in",
)
"""What `OTPStateMachine` checks."""

PHONES: Final = ("+15550100001", "+15550100002")

_APIS: Final = {api.name: api for api in APIS}
_Rule = TypeVar("_Rule", bound=Callable[..., None])

# Names, because Hypothesis prints an enum's member as nothing that can be pasted.
_DELIVERY_FAILURES: Final = [str(status) for status in DeliveryStatus if status != DeliveryStatus.SUCCESSFUL]
_WRONG: Final = (VerificationReason.WRONG_CODE, VerificationReason.SUPERSEDED)


def _one_of(choices: Callable[[OTPStateMachine], Sequence[str]]) -> st.SearchStrategy[str]:
    """Return a strategy for one of what the running machine has to choose from."""
    return st.runner().flatmap(lambda machine: st.sampled_from(choices(machine)))


def _step(**arguments: Any) -> Callable[[_Rule], _Rule]:
    """Decorate a rule of the machine, and let Hypothesis's statistics tell in how many runs it was carried out."""

    def decorate(function: _Rule) -> _Rule:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> None:
            _tell(f"step {function.__name__}")
            function(*args, **kwargs)

        return cast(_Rule, cast(Any, rule)(**arguments)(wrapper))

    return decorate


def _tell(*events: str) -> None:
    # A failing example that is pasted runs outside of Hypothesis.
    if currently_in_test_context():
        for one in events:
            event(one)


_PHONE: Final = _one_of(lambda machine: machine.phones)
_TEXTED: Final = _one_of(lambda machine: machine.phones_with_a_text())
_OPERATION: Final = _one_of(lambda machine: machine.operations())
_ERROR: Final = _one_of(lambda machine: _APIS[machine.api].usual_errors)


class _Typing(NamedTuple):
    """What came of a code that a user typed in."""

    phone: str
    code: str
    let_in: bool | None
    """What the application said; None: it could not tell."""
    newest: SentMessage
    """The newest text that the phone had then."""
    was_live: bool
    """Whether the code was that text's, and would have been accepted."""
    judged: list[Verification]
    """What the service was asked about the phone meanwhile."""

    @property
    def accepted(self) -> list[Verification]:
        """The verifications in which the service accepted the code."""
        return [one for one in self.judged if one.valid and one.otp == self.code]

    def __str__(self) -> str:
        return f"check_code({self.phone!r}, {self.code!r}) returned {self.let_in!r}"


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

    Each run has a fresh fake, ``self.fake``. An application that keeps state of its own must be made afresh in `begin`.
    The class attribute ``properties`` chooses what is checked:

    - ``refused_code_lets_nobody_in``: `check_code` is true only where the service accepted that code for that phone.
    - ``code_works_once``: no code lets anybody in a second time.
    - ``guesses_are_limited``: within ``guess_window``, at most ``max_guesses`` wrong codes for one phone reach the
      service, however often a code is resent, until a right one does.
    - ``failed_delivery_is_not_reported_as_sent``: `request_code` is true only where a text reached the phone. Where the
      API says nothing about a delivery (End User Messaging), it is enough that the service accepted the send.
    - ``retry_does_not_lock_out``: `check_code` is not false where the service accepted the code in that call, and the
      answer was lost on the way.
    - ``right_code_lets_in``: `check_code` is not false where the user typed the code of the newest text, alive, and the
      application asked the service. One that has locked a phone out does not ask it, and one that was not told of the
      newest text may ask about an earlier one.

    A run in which the application sends nothing that the service accepts fails too: it would prove nothing.
    """

    api: ClassVar[str] = APIS[0].name
    """boto3's name of the client that the application uses, ``pinpoint`` or ``endusermessaging``."""
    properties: ClassVar[Collection[str]] = PROPERTIES
    """The names of the properties to check; all of them by default."""
    phones: ClassVar[Sequence[str]] = PHONES
    """The phones that ask for codes, for applications that do not accept the default ones."""
    max_guesses: ClassVar[int] = 10
    """Wrong codes for one phone within ``guess_window`` that the application may pass on to the service."""
    guess_window: ClassVar[timedelta] = timedelta(hours=1)
    """How far back wrong codes count towards ``max_guesses``."""
    options: ClassVar[OptionValues] = {}
    """Options of the fake, as ``mock_pinpoint_otp`` takes them."""
    fake: PinpointOTP
    """The fake of this run."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if isinstance(cls.properties, str) or not isinstance(cls.properties, Collection):
            raise TypeError(f"{cls.__name__}.properties takes a list of names, not {kind(cls.properties)}.")
        if isinstance(cls.phones, str) or not isinstance(cls.phones, Sequence) or not cls.phones:
            raise TypeError(f"{cls.__name__}.phones takes a list of phone numbers, not {kind(cls.phones)}.")
        for method in ("request_code", "check_code"):
            if inspect.iscoroutinefunction(getattr(cls, method)):
                raise TypeError(
                    f"{cls.__name__}.{method} is a coroutine function, but the machine does not await: use asyncio.run."
                )
        for name in cls.properties:
            if name not in PROPERTIES:
                raise ValueError(f"{cls.__name__}.properties: there is no {name!r}.{did_you_mean(name, PROPERTIES)}")
        if cls.api not in _APIS:
            raise ValueError(f"{cls.__name__}.api: {cls.api!r} is not faked.{did_you_mean(cls.api, _APIS)}")

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

    # -- What may happen -------------------------------------------------------------------------------------------

    @initialize(seed=st.integers(0, 9999), leading_zeros=st.booleans())
    def start(self, seed: int, leading_zeros: bool) -> None:
        """Enter a fresh fake, whose codes the seed decides, and let the application begin."""
        # What a run leaves unused is not a mistake: a failure is arranged for a next call that may not come.
        mixed = f"{self.options.get('seed', '')}{seed}"
        options: OptionValues = {**self.options, "seed": mixed, "assert_all_used": False}
        self.fake = self._exits.enter_context(mock_pinpoint_otp(**options))
        self._exits.callback(self._tell_outcomes)
        service_of(self.fake).codes.leading_zeros = leading_zeros
        self.begin()

    @_step(phone=_PHONE)
    def request(self, phone: str) -> None:
        """The user asks for a code, for the first time or again."""
        texts, sends = len(self.fake.inbox(phone)), len(self._sends())
        told = self.request_code(phone)
        delivered = len(self.fake.inbox(phone)) > texts
        returned = f"request_code({phone!r}) returned {told!r}"
        if told and not delivered and not self._may_be_on_its_way(phone, self._sends()[sends:]):
            otherwise = f"{returned}, but no text reached the phone"
            self._violate("failed_delivery_is_not_reported_as_sent", otherwise)
        if not any(map(_was_served, self._sends())):
            self._fail(
                f"Nothing is tested: {returned}, but the application has made no {self.operations()[0]} that the"
                " service accepts. Make the application afresh in begin(), and choose phones that it accepts"
            )

    @precondition(lambda self: self.phones_with_a_text())
    @_step(phone=_TEXTED, answer_is_lost=st.booleans())
    def type_right_code(self, phone: str, answer_is_lost: bool) -> None:
        """The user types the code of the newest text, and the service's first answer may be lost."""
        if answer_is_lost:
            self.lose_next_response(self.operations()[1])
        self._type(phone, self.fake.code_for(phone))

    @precondition(lambda self: self.phones_with_a_text())
    @_step(phone=_TEXTED, times=st.integers(1, 4))
    def type_wrong_codes(self, phone: str, times: int) -> None:
        """Somebody guesses, a few times."""
        for _ in range(times):
            self._type(phone, self.fake.wrong_code(phone))

    @_step(phone=_PHONE, resends=st.integers(1, 5))
    def guess_through_resends(self, phone: str, resends: int) -> None:
        """Somebody guesses until a code is dead, asks for the next one, and so on."""
        for _ in range(resends):
            self.request(phone)
            if self.fake.inbox(phone):
                self.type_wrong_codes(phone, times=3)

    @precondition(lambda self: self.phones_with_a_text())
    @_step(phone=_TEXTED, index=st.integers(0, 3))
    def type_old_code(self, phone: str, index: int) -> None:
        """The user types the code of an earlier text, or one that was used."""
        texts = self.fake.inbox(phone)
        self._type(phone, texts[max(0, len(texts) - 1 - index)].code)

    @precondition(lambda self: len(self.phones_with_a_text()) > 1)
    @_step(phone=_TEXTED)
    def type_code_of_another_phone(self, phone: str) -> None:
        """The user types the code of a text to somebody else."""
        self._type(phone, next(self.fake.code_for(other) for other in self.phones_with_a_text() if other != phone))

    @_step(minutes=st.sampled_from((1, 5, 15, 60)))
    def let_time_pass(self, minutes: int) -> None:
        """Time passes, for the service."""
        self.fake.advance(minutes=minutes)

    @_step(phone=_PHONE)
    def opt_out(self, phone: str) -> None:
        """The phone opts out of texts."""
        self.fake.opt_out(phone)

    @_step(phone=_PHONE)
    def opt_in(self, phone: str) -> None:
        """The phone takes its opt-out back."""
        self.fake.opt_in(phone)

    @_step(failure=st.sampled_from(_DELIVERY_FAILURES))
    def fail_next_delivery(self, failure: str) -> None:
        """The next text is not delivered: throttled, say."""
        self._fail_next(self.operations()[0], failure)

    @_step(operation=_OPERATION, error=_ERROR)
    def fail_next_call(self, operation: str, error: str) -> None:
        """The service answers the next call with an error, however often it is retried."""
        self._fail_next(operation, error)

    @_step(operation=_OPERATION)
    def lose_next_response(self, operation: str) -> None:
        """The service does what the next request asks, and its answer is lost; botocore may retry."""
        self._fail_next(operation, LostResponse(), per="attempt")

    def _fail_next(self, operation: Any, failure: Any, per: Literal["call", "attempt"] = "call") -> None:
        # In place of an earlier one: most calls would fail otherwise, and little would ever work.
        if operation in self._failures:
            self._failures[operation].cancel()
        self._failures[operation] = self.fake.inject(failure, operation=operation, per=per)

    # -- What must hold --------------------------------------------------------------------------------------------

    def _type(self, phone: str, code: str) -> None:
        """Let the user type a code, and check what came of it."""
        newest = self.fake.inbox(phone)[-1]
        was_live = code == newest.code and service_of(self.fake).accepts(newest)
        before = len(self.fake.verifications)
        let_in = self.check_code(phone, code)
        judged = [one for one in self.fake.verifications[before:] if one.destination == phone]
        typing = _Typing(phone, code, let_in, newest, was_live, judged)
        if let_in:
            self._check_entry(typing)
            self._guesses[phone].clear()
            return
        if let_in is False:
            self._check_refusal(typing)
        if any(one.reason in _WRONG for one in judged):
            self._count_guess(phone)

    def _check_entry(self, typing: _Typing) -> None:
        """Check that a user who was let in had a code that the service accepted."""
        entry = (typing.phone, typing.code)
        if not typing.accepted:
            if entry in self._let_in:
                self._violate("code_works_once", f"{typing} for the second time, but the service accepted no such code")
            self._violate("refused_code_lets_nobody_in", f"{typing}, but the service accepted no such code")
        self._let_in.add(entry)

    def _check_refusal(self, typing: _Typing) -> None:
        """Check that a user who was refused had not typed the right code."""
        if any(_was_answer_lost(self.fake, one) for one in typing.accepted):
            otherwise = f"{typing}, but the service had accepted the code before its answer was lost"
            self._violate("retry_does_not_lock_out", otherwise)
        elif typing.was_live and (asked := self._asked_about(typing)):
            codes = [one.otp for one in asked]
            otherwise = f"{typing}, but that was the live code, and the service was asked about {codes}"
            self._violate("right_code_lets_in", otherwise)

    def _count_guess(self, phone: str) -> None:
        """Note that a wrong code has reached the service, and check that there were not too many."""
        now = self.fake.now()
        recent = [at for at in self._guesses[phone] if now - at < self.guess_window]
        self._guesses[phone] = [*recent, now]
        if len(recent) >= self.max_guesses:
            self._violate(
                "guesses_are_limited",
                f"{len(recent) + 1} wrong codes for {phone} reached the service within {self.guess_window}",
            )

    def _violate(self, name: str, otherwise: str) -> None:
        """Fail with a property that does not hold, if it is one that was chosen."""
        if name in self.properties:
            self._fail(f"{name}: {otherwise}")

    def _fail(self, message: str) -> None:
        raise AssertionError(f"{message}.\n{service_of(self.fake).traffic()}")

    # -- What has happened -----------------------------------------------------------------------------------------

    def operations(self) -> tuple[str, str]:
        """Return the names of the operations that send and that verify codes."""
        return _APIS[self.api].sending.name, _APIS[self.api].verifying.name

    def phones_with_a_text(self) -> list[str]:
        """Return the phones that have had a text."""
        return [phone for phone in self.phones if self.fake.inbox(phone)]

    def _sends(self) -> list[Call]:
        return [call for call in self.fake.calls if call.operation == self.operations()[0]]

    def _may_be_on_its_way(self, phone: str, sends: list[Call]) -> bool:
        """Tell whether an application has to believe that one of these sends reaches a phone."""
        if _APIS[self.api].sending.tells_delivery:
            return False
        return any(call.destination == phone and call.status_code == 200 for call in sends)

    def _asked_about(self, typing: _Typing) -> list[Verification]:
        """Return what the service was asked that has to do with the phone's newest text.

        An application that got no answer to that text's send may not know its reference, and ask about another one.
        """
        newest = typing.newest
        last = next((call for call in reversed(self._sends()) if call.destination == typing.phone), None)
        if last and last.request_id == newest.request_id and last.status_code is not None:
            return typing.judged
        return [one for one in typing.judged if one.reference_id == newest.reference_id]

    def _tell_outcomes(self) -> None:
        """Let Hypothesis's statistics tell what calls ended in, and why codes were accepted and refused."""
        ends = {f"{call.operation} {attempt.outcome}" for call in self.fake.calls for attempt in call.attempts}
        reasons = {f"judged {one.reason}" for one in self.fake.verifications}
        _tell(*sorted(ends | reasons))


def _was_served(send: Call) -> bool:
    """Tell whether the service would have sent a code, had nothing been arranged against it."""
    return send.source != "service" or send.outcome == DeliveryStatus.SUCCESSFUL


def _was_answer_lost(fake: PinpointOTP, verification: Verification) -> bool:
    """Tell whether the answer to a verification never reached the application."""
    attempts = (attempt for call in fake.calls for attempt in call.attempts)
    return any(one.request_id == verification.request_id and one.status_code is None for one in attempts)
