"""What every OTP flow must guarantee: one method for each property, which says what violates it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final

from pytest_pinpoint_otp.engine.codes import ATTEMPTS_USED
from pytest_pinpoint_otp.engine.records import Attempt, Call, SentMessage, Verification
from pytest_pinpoint_otp.fake import PinpointOTP, service_of
from pytest_pinpoint_otp.stateful.attributes import APIS_BY_NAME
from pytest_pinpoint_otp.stateful.records import Requested, Typed, plain_code

# pytest shows a failure at the user's own line, not in here.
__tracebackhide__ = True

OF_REQUESTS: Final = (
    "failed_delivery_is_not_reported_as_sent",
    "sent_text_is_reported",
    "one_text_per_request",
    "texts_are_limited",
)
"""The properties that are checked after each request for a code."""

OF_CODES: Final = (
    "code_works_once",
    "refused_code_lets_nobody_in",
    "retry_does_not_lock_out",
    "outage_is_not_a_refusal",
    "right_code_lets_in",
    "errors_do_not_lock_out",
    "happy_path_lets_in",
    "guesses_are_limited",
)
"""The properties that are checked after each code that is typed in."""

PROPERTIES: Final = (*OF_CODES, *OF_REQUESTS)
"""What `OTPStateMachine` checks."""

A_MOMENT: Final = timedelta(minutes=1)
"""How old a text may be whose code was typed at once."""


class Properties:
    """The properties, each a method of its name. It returns what violates it, for the report, or None if it holds.

    To make an exception from one, override it: return None, or what ``super()`` returns.
    """

    api: ClassVar[str]
    properties: ClassVar[Collection[str]]
    phones: ClassVar[Sequence[str]]
    max_guesses: ClassVar[int]
    guess_window: ClassVar[timedelta]
    max_texts: ClassVar[int | None]
    text_window: ClassVar[timedelta]
    tolerated_errors: ClassVar[int]
    fake: PinpointOTP

    def __init__(self) -> None:
        super().__init__()
        self._entries: set[tuple[str, str]] = set()
        self._guesses: defaultdict[str, list[datetime]] = defaultdict(list)

    # -- Of a request for a code -----------------------------------------------------------------------------------

    def failed_delivery_is_not_reported_as_sent(self, requested: Requested) -> str | None:
        """`request_code` is true only if a text reached the phone, or the code of an earlier text is still alive.

        End User Messaging says nothing about a delivery: there it is enough that the service accepted the send.
        """
        if not requested.told or requested.texts or self._may_be_on_its_way(requested.sends):
            return None
        if requested.sends:
            return f"{requested}, but no text reached the phone"
        earlier = self.newest_text(requested.phone)
        if self.is_live(earlier):
            return None
        dead = ", and the code of the earlier one is no longer alive" if earlier else ""
        return f"{requested}, but no text reached the phone{dead}"

    def sent_text_is_reported(self, requested: Requested) -> str | None:
        """`request_code` is true if a text reached the phone and the service said so."""
        if requested.told or not self._answered(requested.texts):
            return None
        forgotten = ". Is a return missing in request_code?" if requested.told is None else ""
        return f"{requested}, but a text reached the phone, and the application was told{forgotten}"

    def one_text_per_request(self, requested: Requested) -> str | None:
        """One request sends one text, apart from those that botocore repeats because an answer was lost."""
        count = len(self._answered(requested.texts))
        return f"{requested}, and {count} texts reached the phone" if count > 1 else None

    def texts_are_limited(self, requested: Requested) -> str | None:
        """Within ``text_window``, at most ``max_texts`` texts reach one phone, apart from those that botocore repeats.

        It is not checked if ``max_texts`` is None.
        """
        if self.max_texts is None:
            return None
        now, phone = self.fake.now(), requested.phone
        recent = [text for text in self.fake.inbox(phone) if now - text.sent_at < self.text_window]
        count = len(self._answered(recent))
        return f"{count} texts reached {phone} within {self.text_window}" if count > self.max_texts else None

    # -- Of a code that was typed in -------------------------------------------------------------------------------

    def code_works_once(self, typed: Typed) -> str | None:
        """No code lets anybody in a second time."""
        if not typed.let_in or typed.accepted or (typed.phone, plain_code(typed.code)) not in self._entries:
            return None
        return f"{typed} for the second time, but the service accepted no such code"

    def refused_code_lets_nobody_in(self, typed: Typed) -> str | None:
        """`check_code` is true only if the service accepted that code for that phone."""
        if not typed.let_in or typed.accepted:
            return None
        return f"{typed}, but the service accepted no such code"

    def retry_does_not_lock_out(self, typed: Typed) -> str | None:
        """`check_code` is not false if the service accepted the code and its answer was lost on the way."""
        if typed.let_in is not False or not self._was_acceptance_lost(typed):
            return None
        return f"{typed}, but the service had accepted the code before its answer was lost"

    def outage_is_not_a_refusal(self, typed: Typed) -> str | None:
        """`check_code` is not false if the right code was typed and the service answered with errors only."""
        if typed.let_in is not False or not typed.was_live or not typed.calls:
            return None
        if typed.judged or any(call.status_code == 200 for call in typed.calls):
            return None
        ends = ", ".join(str(call.outcome) for call in typed.calls)
        return f"{typed}, but that was the live code, and the service judged none ({ends})"

    def right_code_lets_in(self, typed: Typed) -> str | None:
        """`check_code` is not false if the user typed the live code of the newest text and the service was asked.

        An application that has locked a phone out does not ask the service. One that got no answer to the send of that
        text may ask about an earlier one.
        """
        if typed.let_in is not False or not typed.was_live or self._was_acceptance_lost(typed):
            return None
        asked = self._asked_about(typed)
        if not asked:
            return None
        return f"{typed}, but that was the live code, and the service was asked about {[one.otp for one in asked]}"

    def errors_do_not_lock_out(self, typed: Typed) -> str | None:
        """`check_code` is not false because of errors alone: there were at most ``tolerated_errors`` of them, nobody
        has guessed, and the user was told of a text.

        It is not checked after a lost answer: for all that the application knows, that was the answer to a wrong guess.
        """
        failures = self.failures()
        if typed.let_in is not False or typed.calls or not failures or not self.is_to_let_in(typed):
            return None
        if self._errors_of(typed.phone) > self.tolerated_errors or any(one.status_code is None for one in failures):
            return None
        ends = ", ".join(sorted({one.outcome for one in failures}))
        return f"{typed}, but that was the live code, nobody has guessed, and there were only errors ({ends})"

    def happy_path_lets_in(self, typed: Typed) -> str | None:
        """`check_code` is true if nothing went wrong: the user was told of a text and types its code at once, nothing
        has failed in this run, and nobody has guessed for this phone.
        """
        if typed.let_in or self.failures() or not self.is_to_let_in(typed):
            return None
        forgotten = ". Is a return missing in check_code?" if typed.let_in is None else ""
        return (
            f"{typed}, but that was the live code of a text that the user was told of, nothing has failed, and nobody"
            f" has guessed{forgotten}"
        )

    def guesses_are_limited(self, typed: Typed) -> str | None:
        """Within ``guess_window``, at most ``max_guesses`` wrong codes for one phone reach the service before a right
        one does, however often a code is resent.
        """
        count = len(self._guesses[typed.phone])
        if typed.let_in or not _was_wrong(typed) or count <= self.max_guesses:
            return None
        return f"{count} wrong codes for {typed.phone} reached the service within {self.guess_window}"

    # -- What has happened -----------------------------------------------------------------------------------------

    def operations(self) -> tuple[str, str]:
        """Return the names of the operations that send and that verify codes."""
        return APIS_BY_NAME[self.api].sending.name, APIS_BY_NAME[self.api].verifying.name

    def phones_with_a_text(self) -> list[str]:
        """Return the phones that have had a text."""
        return [phone for phone in self.phones if self.fake.inbox(phone)]

    def note_typed(self, typed: Typed) -> None:
        """Keep what later checks need to know, once those of this code are made."""
        if typed.let_in:
            self._entries.add((typed.phone, plain_code(typed.code)))
            self._guesses[typed.phone].clear()

    def note_guess(self, typed: Typed) -> None:
        """Count a wrong code that has reached the service, and forget those of long ago."""
        if not typed.let_in and _was_wrong(typed):
            now = self.fake.now()
            recent = [at for at in self._guesses[typed.phone] if now - at < self.guess_window]
            self._guesses[typed.phone] = [*recent, now]

    def newest_text(self, phone: str) -> SentMessage | None:
        """Return the newest text that a phone has had."""
        return next(iter(self.fake.inbox(phone)[::-1]), None)

    def is_live(self, text: SentMessage | None) -> bool:
        """Tell whether the code of a text would be accepted now."""
        return text is not None and service_of(self.fake).accepts(text)

    def is_to_let_in(self, typed: Typed) -> bool:
        """Tell whether a user did all that is asked for: waited for the text, and typed its code at once."""
        if typed.newest is None or not typed.was_live or not typed.was_told or typed.was_guessed:
            return False
        return self.fake.now() - typed.newest.sent_at < A_MOMENT

    def _attempts(self) -> list[Attempt]:
        return [attempt for call in self.fake.calls for attempt in call.attempts]

    def failures(self) -> list[Attempt]:
        """Return the attempts of this run that something was arranged against."""
        return [attempt for attempt in self._attempts() if attempt.source != "service"]

    def sends(self, phone: str) -> list[Call]:
        """Return the application's sends to a phone, oldest first."""
        return [call for call in self.fake.calls if call.operation == self.operations()[0] if call.destination == phone]

    def _errors_of(self, phone: str) -> int:
        """Return how many verifications for a phone ended without a verdict."""
        verifying = self.operations()[1]
        calls = [call for call in self.fake.calls if call.operation == verifying and call.destination == phone]
        return sum(call.status_code != 200 for call in calls)

    def _answered(self, texts: list[SentMessage]) -> list[SentMessage]:
        """Return those of some texts whose sends were answered."""
        answered = {attempt.request_id for attempt in self._attempts() if attempt.status_code is not None}
        return [text for text in texts if text.request_id in answered]

    def _was_acceptance_lost(self, typed: Typed) -> bool:
        lost = {attempt.request_id for attempt in self._attempts() if attempt.status_code is None}
        return any(one.request_id in lost for one in typed.accepted)

    def _may_be_on_its_way(self, sends: list[Call]) -> bool:
        """Tell whether an application has to believe that one of these sends reaches its phone."""
        if APIS_BY_NAME[self.api].sending.tells_delivery:
            return False
        return any(call.status_code == 200 for call in sends)

    def _asked_about(self, typed: Typed) -> list[Verification]:
        """Return what the service was asked that has to do with the phone's newest text."""
        newest = typed.newest
        assert newest is not None  # its code was typed
        sends = self.sends(typed.phone)
        ids = [[attempt.request_id for attempt in call.attempts] for call in sends]
        later = next((sends[place + 1 :] for place, one in enumerate(ids) if newest.request_id in one), [])
        if self._answered([newest]) and not self._may_be_on_its_way(later):
            return typed.judged
        return [one for one in typed.judged if one.reference_id == newest.reference_id]


def _was_wrong(typed: Typed) -> bool:
    return any(one.reason in ATTEMPTS_USED for one in typed.judged)
