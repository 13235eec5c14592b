"""A second, independent account of the service, to compare the package with: a log, and questions asked of it.

Written from AWS's documents and the plugin's contract alone; it imports nothing of the package. Where the package keeps
a state for each code, this replays what happened; where the package counts an injection's uses, this unrolls it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LANGUAGES = re.compile(r"(de-DE|en-(GB|US)|es-(419|ES)|fr-(CA|FR)|it-IT|ja-JP|ko-KR|pt-BR|zh-(CN|TW))\Z")
FAILED = "FAILED"
"""What a send comes to when a queued code does not fit it: a mistake of the test."""

Key = tuple[str, str, str]
"""Application, destination, reference."""


@dataclass
class Text:
    """A text on a handset."""

    key: Key
    code: str
    sent_at: datetime
    minutes: int
    attempts: int


@dataclass
class Judged:
    """A verification that the service judged."""

    key: Key
    otp: str
    reason: str
    attempts_left: int | None


@dataclass
class Fault:
    """An injection: how many matching calls pass, then what the next ones get."""

    operation: str
    passes: int
    script: Iterator[str]
    left: int | None
    destination: str | None
    reference: str | None
    used: int = 0

    def is_for(self, operation: str, key: Key) -> bool:
        """Tell whether it counts or answers a call."""
        return operation == self.operation and self.destination in (None, key[1]) and self.reference in (None, key[2])

    def pop(self) -> str:
        """Give its next outcome."""
        self.used += 1
        if self.left is not None:
            self.left -= 1
        return next(self.script)


def refusal(parameters: dict[str, object]) -> str | None:
    """Name the first parameter that AWS's limits refuse, in the order of the request; None: all are accepted."""
    for name, value in parameters.items():
        if not is_accepted(name, value):
            return name
    return None


def is_accepted(name: str, value: object) -> bool:
    """Tell whether AWS's limits accept a parameter."""
    text = str(value)
    match name:
        case "AllowedAttempts":
            return value in (1, 2, 3, 4, 5)
        case "BrandName":
            return len(text) < 21
        case "Channel":
            return text == "SMS"
        case "CodeLength":
            return value in (5, 6, 7, 8)
        case "DestinationIdentity":
            return is_phone_number(text)
        case "Language":
            return LANGUAGES.match(text) is not None
        case "OriginationIdentity":
            return is_phone_number(text) or is_sender(text)
        case "ReferenceId":
            return 0 < len(text) < 49
        case "ValidityPeriod":
            return value in range(5, 61)
    return True


def is_phone_number(text: str) -> bool:
    """Tell whether a text is a number in E.164: at most fifteen digits, of which the first is no zero."""
    digits = text[1:]
    return text[:1] == "+" and 2 <= len(digits) <= 15 and set(digits) <= set("0123456789") and digits[0] != "0"


def is_sender(text: str) -> bool:
    """Tell whether a text is a sender ID or a short code."""
    return re.match(r"^[-0-9A-Za-z]+\Z", text) is not None and len(text) < 12


@dataclass
class Model:
    """The log of one fake, and what is still to come."""

    log: list[Text | Judged] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    queue: list[str] = field(default_factory=list)
    opted_out: set[str] = field(default_factory=set)
    outcomes: list[str] = field(default_factory=list)
    """What each call came to."""

    def inject(
        self,
        outcomes: list[str],
        operation: str,
        times: int | None,
        after: int,
        destination: str | None,
        reference: str | None,
    ) -> Fault:
        """Arrange what matching calls get."""
        script = itertools.cycle(outcomes) if times is None else iter(outcomes * times)
        left = None if times is None else len(outcomes) * times
        fault = Fault(operation, after, script, left, destination, reference)
        self.faults.append(fault)
        return fault

    def fault_for(self, operation: str, key: Key) -> str | None:
        """Ask the injections about one call, all of which may count it; None: none of them answers it."""
        due = []
        for fault in self.faults:
            if fault.is_for(operation, key):
                if fault.passes:
                    fault.passes -= 1
                else:
                    due.append(fault)
        finite = [fault for fault in due if fault.left]
        standing = [fault for fault in due if fault.left is None]
        answering = [*finite, *reversed(standing)][:1]
        return answering[0].pop() if answering else None

    def send(self, application: str, parameters: dict[str, object]) -> str:
        """Say what a send comes to; of one that succeeds, the text is still to be told by `deliver`."""
        if refusal(parameters):
            return self._note("BadRequestException")
        key = (application, str(parameters["DestinationIdentity"]), str(parameters["ReferenceId"]))
        outcome = self.fault_for("SendOTPMessage", key)
        if outcome is None:
            outcome = "OPT_OUT" if key[1] in self.opted_out else "SUCCESSFUL"
        if outcome == "SUCCESSFUL" and self.queue and len(self.queue[0]) != parameters.get("CodeLength", 6):
            outcome = FAILED
        return self._note(outcome)

    def deliver(self, key: Key, code: str, now: datetime, minutes: int, attempts: int) -> None:
        """Log the text of a send that succeeded."""
        self.log.append(Text(key, code, now, minutes, attempts))

    def verify(self, key: Key, otp: str, now: datetime) -> str:
        """Say what a verification comes to."""
        outcome = self.fault_for("VerifyOTPMessage", key)
        if outcome is None:
            reason, left = self.judge(key, otp, now)
            self.log.append(Judged(key, otp, reason, left))
            outcome = "VALID" if reason == "VALID" else "INVALID"
        return self._note(outcome)

    def judge(self, key: Key, otp: str, now: datetime) -> tuple[str, int | None]:
        """Give the first reason that holds, and the attempts left after it."""
        of_key = [entry for entry in self.log if entry.key == key]
        texts = [entry for entry in of_key if isinstance(entry, Text)]
        if not texts:
            return "NEVER_SENT", None
        text = texts[-1]
        since = [entry.reason for entry in of_key[of_key.index(text) + 1 :] if isinstance(entry, Judged)]
        left = text.attempts - sum(reason in ("SUPERSEDED", "WRONG_CODE") for reason in since)
        if "VALID" in since:
            return "ALREADY_VERIFIED", left
        if left <= 0:
            return "ATTEMPTS_EXHAUSTED", 0
        if now - text.sent_at >= timedelta(minutes=text.minutes):
            return "EXPIRED", left
        if otp == text.code:
            return "VALID", left
        earlier = {entry.code for entry in texts[:-1]}
        return ("SUPERSEDED" if otp in earlier else "WRONG_CODE"), left - 1

    def codes(self, key: Key | None = None) -> list[str]:
        """Return the codes that were sent, for one key or for all."""
        return [entry.code for entry in self.log if isinstance(entry, Text) and key in (None, entry.key)]

    def judged(self) -> list[Judged]:
        """Return the verifications that were judged."""
        return [entry for entry in self.log if isinstance(entry, Judged)]

    def _note(self, outcome: str) -> str:
        self.outcomes.append(outcome)
        return outcome
