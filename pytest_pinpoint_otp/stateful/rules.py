"""What users, attackers and networks do, as rules. After each rule, the properties that belong to it are checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Literal, overload

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, precondition

from pytest_pinpoint_otp.engine.faults.injections import Injection
from pytest_pinpoint_otp.engine.faults.outcomes import DeliveryStatus
from pytest_pinpoint_otp.engine.faults.transport_errors import LostResponse
from pytest_pinpoint_otp.engine.records import Call, SentMessage
from pytest_pinpoint_otp.fake import service_of
from pytest_pinpoint_otp.stateful.attributes import APIS_BY_NAME
from pytest_pinpoint_otp.stateful.properties import OF_CODES, OF_REQUESTS, Properties
from pytest_pinpoint_otp.stateful.records import Requested, Typed
from pytest_pinpoint_otp.stateful.steps import FORMS, TEXTS, drawn_from, drawn_up_to, step, tell
from pytest_pinpoint_otp.stateful.tally import Tally

# pytest shows a failure at the user's own line, not in here.
__tracebackhide__ = True

# Names, because Hypothesis prints an enum's member as nothing that can be pasted.
_DELIVERY_FAILURES: Final = [str(status) for status in DeliveryStatus if status != DeliveryStatus.SUCCESSFUL]

_PHONE: Final = drawn_from(lambda machine: machine.phones)
_TEXTED: Final = drawn_from(lambda machine: machine.phones_with_a_text())
_OPERATION: Final = drawn_from(lambda machine: machine.operations())
_ERROR: Final = drawn_from(lambda machine: APIS_BY_NAME[machine.api].usual_errors)


class Rules(Properties):
    """The rules of the machine. A subclass leaves one out by its name: ``opt_out = None``."""

    may_test_nothing: ClassVar[bool]
    texts: ClassVar[Bundle[SentMessage]] = TEXTS
    """The texts of this run. A rule of a subclass draws one with ``@rule(text=OTPStateMachine.texts)``."""
    tally: ClassVar[Tally]

    def __init__(self) -> None:
        super().__init__()
        self._due: dict[str, Injection] = {}
        self._told: set[str] = set()
        self._guessed: set[str] = set()

    def request_code(self, phone: str) -> bool:
        """Request a code for a phone from the application. Return whether it told the user that a text is on its way.

        False means that it refused, such as during a cool-down, or said that no text was sent.
        """
        name = type(self).__name__
        raise NotImplementedError(
            f"{name} does not say how the application requests a code: define request_code(self, phone)."
        )

    def check_code(self, phone: str, code: str) -> bool | None:
        """Let the application check a code that a user has typed. Return whether the user was let in.

        None means that the application could not tell, and said so.
        """
        name = type(self).__name__
        raise NotImplementedError(
            f"{name} does not say how the application checks a code: define check_code(self, phone, code)."
        )

    # -- What may happen -------------------------------------------------------------------------------------------

    # Rules do not call each other, since a subclass may leave any of them out.

    @step(into=TEXTS, phone=_PHONE)
    def request(self, phone: str) -> SentMessage | None:
        """The user asks for a code, for the first time or again. Returns the text, if one came."""
        return self._request(phone)

    @step(into=TEXTS, phone=_PHONE)
    def request_and_type_code(self, phone: str) -> SentMessage | None:
        """The user asks for a code and types it: a log-in as it should be."""
        return self._log_in(phone)

    @step(into=TEXTS, phone=_PHONE)
    def request_and_type_code_twice(self, phone: str) -> SentMessage | None:
        """The user asks for a code and types it, the answer is lost on the way, and the user types the code again."""
        text = self._request(phone)
        if text is not None:
            self._lose_next(self.operations()[1])
            self._type_text(text)
            self._type_text(text)
        return text

    @overload
    def type_code(self, text: SentMessage, /) -> bool | None: ...
    @overload
    def type_code(self, *, text: SentMessage) -> bool | None: ...
    @overload
    def type_code(self, phone: str, code: str) -> bool | None: ...
    @step(text=TEXTS)
    def type_code(
        self, phone: str | SentMessage | None = None, code: str | None = None, *, text: SentMessage | None = None
    ) -> bool | None:
        """The user types the code of a text, the newest or an older one. Rules of a subclass may type any code.

        Call it as ``self.type_code(text)`` or ``self.type_code(phone, code)``. It makes the checks, and returns what
        `check_code` returned.
        """
        if isinstance(phone, SentMessage):
            text = phone
        if text is not None:
            return self._type(text.destination, text.code)
        if not isinstance(phone, str) or not isinstance(code, str):
            raise TypeError(f"type_code takes a text, or a phone and a code as str, not {phone!r} and {code!r}.")
        return self._type(phone, code)

    @precondition(lambda self: self.phones_with_a_text())
    @step(phone=_TEXTED, answer_is_lost=st.booleans())
    def type_right_code(self, phone: str, answer_is_lost: bool) -> None:
        """The user types the code of the newest text, and the service's first answer may be lost."""
        if answer_is_lost:
            self._lose_next(self.operations()[1])
        self._type(phone, self.fake.code_for(phone))

    @precondition(lambda self: self.phones_with_a_text())
    @step(phone=_TEXTED, times=st.integers(1, 4))
    def type_wrong_codes(self, phone: str, times: int) -> None:
        """Somebody guesses, a few times."""
        self._guess(phone, times)

    @step(phone=_PHONE, resends=st.integers(1, 5))
    def guess_through_resends(self, phone: str, resends: int) -> None:
        """Somebody asks for a code and guesses three times, again and again."""
        self._guess_through(phone, resends)

    @precondition(lambda self: self.max_texts is not None)
    @step(phone=_PHONE, times=drawn_up_to(lambda machine: machine.max_texts + 1))
    def request_again_and_again(self, phone: str, times: int) -> None:
        """Somebody runs up the bill: asks for code after code. Only where ``max_texts`` says what is too much."""
        for _ in range(times):
            self._request(phone)

    def type_old_code(self, phone: str, index: int) -> None:
        """The user types the code of an earlier text, the newest being 0. `type_code` is the rule; this repeats what an
        earlier version printed.
        """
        texts = self.fake.inbox(phone)
        self._type(phone, texts[max(0, len(texts) - 1 - index)].code)

    @step(text=TEXTS, form=st.sampled_from(list(FORMS)))
    def type_malformed_code(self, text: SentMessage, form: str) -> None:
        """The user types something that is not a code or easy to guess, or writes the code in another way."""
        self._type(text.destination, FORMS[form](text.code))

    @step(into=TEXTS, phone=_PHONE, error=_ERROR, times=drawn_up_to(lambda machine: machine.tolerated_errors))
    def type_code_during_outage(self, phone: str, error: Any, times: int) -> SentMessage | None:
        """The user has a code, and types it again and again while the service only has errors, and then once more."""
        text = self._request(phone)
        if text is not None:
            verifying: Any = self.operations()[1]
            self._forget_failure(verifying)
            outage = self.fake.inject(error, operation=verifying, times=None, destination=phone)
            for _ in range(times):
                self._type_text(text)
            outage.cancel()
            self._type_text(text)
        return text

    @step(into=TEXTS, phone=_PHONE, error=_ERROR)
    def type_code_after_failed_resend(self, phone: str, error: str) -> SentMessage | None:
        """The user has a code, asks for another one, which fails, and types the earlier one."""
        text = self._request(phone)
        if text is not None:
            self._fail_next(self.operations()[0], error)
            self._request(phone)
            self._type_text(text)
        return text

    @precondition(lambda self: len(self.phones) > 1)
    @step(into=TEXTS, phone=_PHONE, resends=st.integers(1, 5))
    def log_in_while_others_guess(self, phone: str, resends: int) -> SentMessage | None:
        """Somebody guesses for all other phones, and the user of this one logs in."""
        for other in self.phones:
            if other != phone:
                self._guess_through(other, resends)
        return self._log_in(phone)

    @precondition(lambda self: len(self.phones) > 1)
    @step(into=TEXTS, phone=_PHONE)
    def log_in_while_others_ask(self, phone: str) -> SentMessage | None:
        """The user asks for a code, so does everybody else, and the user types it."""
        text = self._request(phone)
        for other in self.phones:
            if other != phone:
                self._request(other)
        if text is not None:
            self._type_text(text)
        return text

    @precondition(lambda self: len(self.phones) > 1)
    @step(into=TEXTS, phone=_PHONE)
    def type_code_of_another_phone(self, phone: str) -> SentMessage | None:
        """The user types the code of a text to somebody else, who asks for one first if there is none."""
        others = [other for other in self.phones if other != phone]
        live = (text for other in others if self.is_live(text := self.newest_text(other)))
        newest, asked = next(live, None), None
        if newest is None:
            newest = asked = self._request(others[0])
        if newest is not None:
            self._type(phone, newest.code)
        return asked

    @step(minutes=st.sampled_from((1, 5, 15, 60)))
    def let_time_pass(self, minutes: int) -> None:
        """Time passes, for the service."""
        self.fake.advance(minutes=minutes)

    @step(phone=_PHONE)
    def opt_out(self, phone: str) -> None:
        """The phone opts out of texts."""
        self.fake.opt_out(phone)

    @step(phone=_PHONE)
    def opt_in(self, phone: str) -> None:
        """The phone takes its opt-out back."""
        self.fake.opt_in(phone)

    @step(failure=st.sampled_from(_DELIVERY_FAILURES))
    def fail_next_delivery(self, failure: str) -> None:
        """The next text is not delivered, because it is throttled, for example."""
        self._fail_next(self.operations()[0], failure)

    @step(operation=_OPERATION, error=_ERROR)
    def fail_next_call(self, operation: str, error: str) -> None:
        """The service answers the next call with an error, however often it is retried."""
        self._fail_next(operation, error)

    @step(operation=_OPERATION)
    def lose_next_response(self, operation: str) -> None:
        """The service does what the next request asks, and its answer is lost; botocore may retry."""
        self._lose_next(operation)

    # -- What rules are made of ------------------------------------------------------------------------------------

    def _request(self, phone: str) -> SentMessage | None:
        """Let the user ask for a code, and check what came of it."""
        texts, sends = len(self.fake.inbox(phone)), len(self.sends(phone))
        told = self.request_code(phone)
        requested = Requested(phone, told, self.fake.inbox(phone)[texts:], self.sends(phone)[sends:])
        self._told.discard(phone)
        if told:
            self._told.add(phone)
        tell("told that a text is on its way" if told else "told that no text is on its way")
        self.tally.note_requested(len(requested.texts), had_to=not self.failures())
        self._check(OF_REQUESTS, requested)
        self._check_that_something_is_tested(requested)
        return requested.texts[-1] if requested.texts else None

    def _log_in(self, phone: str) -> SentMessage | None:
        text = self._request(phone)
        newest = self.newest_text(phone)
        if newest is not None and self.is_live(newest):
            self._type_text(newest)
        return text

    def _guess(self, phone: str, times: int) -> None:
        for _ in range(times):
            self._type(phone, self.fake.wrong_code(phone))

    def _guess_through(self, phone: str, resends: int) -> None:
        for _ in range(resends):
            self._request(phone)
            if self.fake.inbox(phone):
                self._guess(phone, 3)

    def _type_text(self, text: SentMessage) -> bool | None:
        return self._type(text.destination, text.code)

    def _lose_next(self, operation: str) -> None:
        self._fail_next(operation, LostResponse(), per="attempt")

    def _fail_next(self, operation: Any, failure: Any, per: Literal["call", "attempt"] = "call") -> None:
        # Instead of an earlier one. Otherwise most calls would fail.
        self._forget_failure(operation)
        self._due[operation] = self.fake.inject(failure, operation=operation, per=per)

    def _forget_failure(self, operation: str) -> None:
        if operation in self._due:
            self._due[operation].cancel()

    def _type(self, phone: str, code: str) -> bool | None:
        """Let the user type a code, and check what came of it."""
        newest = self.newest_text(phone)
        was_live = newest is not None and code == newest.code and self.is_live(newest)
        before, calls = len(self.fake.verifications), len(self.fake.calls)
        let_in = self.check_code(phone, code)
        judged = [one for one in self.fake.verifications[before:] if one.destination == phone]
        asked = self.fake.calls[calls:]
        asked = [call for call in asked if call.destination == phone and call.operation == self.operations()[1]]
        typed = Typed(phone, code, let_in, newest, was_live, phone in self._told, phone in self._guessed, asked, judged)
        tell("let in" if let_in else "could not tell" if let_in is None else "refused")
        if not was_live:
            self._guessed.add(phone)
        self.note_guess(typed)
        self._check(OF_CODES, typed)
        self.note_typed(typed)
        self.tally.note_typed(let_in=bool(let_in), had_to=self.is_to_let_in(typed) and not self.failures())
        return let_in

    def _check(self, names: Sequence[str], happened: Requested | Typed) -> None:
        """Fail with a property that does not hold, if it is one that was chosen."""
        for name in names:
            if name in self.properties and (complaint := getattr(self, name)(happened)):
                self.fail(f"{name}: {complaint}")

    def _check_that_something_is_tested(self, requested: Requested) -> None:
        sending = self.operations()[0]
        served = any(_was_served(call) for call in self.fake.calls if call.operation == sending)
        if not served and not self.may_test_nothing:
            called = {call.operation for call in self.fake.calls}
            others = [api for api in APIS_BY_NAME.values() if api.sending.name in called - {sending}]
            advice = "Make the application afresh in begin(), and choose phones that it accepts"
            if others:
                advice = f"It has called {others[0].sending.name}: set api = {others[0].name!r}"
            self.fail(
                f"Nothing is tested: {requested}, but the application has made no {sending} that the service accepts."
                f" {advice}"
            )

    def fail(self, message: str) -> None:
        """Fail, and show the traffic of the run."""
        end = "" if message.endswith("?") else "."
        raise AssertionError(f"{message}{end}\n{service_of(self.fake).traffic()}")


RULES: Final = tuple(name for name, value in vars(Rules).items() if hasattr(value, "hypothesis_stateful_rule"))
"""The names of the rules."""


def _was_served(send: Call) -> bool:
    """Tell whether the service would have sent a code, had nothing been arranged against it."""
    return send.source != "service" or send.outcome == DeliveryStatus.SUCCESSFUL
