"""A second, independent account of the service, to compare the package with: a log, and questions asked of it.

Written from AWS's documents and the plugin's contract alone; it imports nothing of the package. Where the package keeps
a state for each code, each quota and each injection, this keeps what happened and reads the state off that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

SEND, VERIFY = "SendOTPMessage", "VerifyOTPMessage"
LANGUAGES = re.compile(r"(de-DE|en-(GB|US)|es-(419|ES)|fr-(CA|FR)|it-IT|ja-JP|ko-KR|pt-BR|zh-(CN|TW))\Z")
LOST = "ReadTimeoutError"
"""What an attempt comes to whose answer is lost after the service has done its work."""
MISTAKE = "ValueError"
"""What a send comes to when a queued code does not fit it: a mistake of the test."""
STATUS_CODES = {
    "BadRequestException": 400,
    "ForbiddenException": 403,
    "NotFoundException": 404,
    "MethodNotAllowedException": 405,
    "PayloadTooLargeException": 413,
    "TooManyRequestsException": 429,
    "InternalServerErrorException": 500,
    "RawResponse": 502,
    "ConnectTimeoutError": None,
    LOST: None,
    MISTAKE: None,
}
"""The HTTP status of an attempt that came to this; 200 of any other."""
RETRIED = {"TooManyRequestsException", "InternalServerErrorException", "RawResponse", "ConnectTimeoutError", LOST}
"""What botocore's standard retry mode tries again."""
TRIES = 3
NUMBERS = ("CodeLength", "ValidityPeriod", "AllowedAttempts")

Key = tuple[str, str, str]
"""Application, destination, reference."""


@dataclass
class Text:
    """A text on a handset. The code is None until it is known what the package has drawn."""

    key: Key
    code: str | None
    length: int
    sent_at: datetime
    minutes: int
    attempts: int
    origination: str | None
    """None where it was issued without a call."""


@dataclass
class Judged:
    """A verification that the service judged."""

    key: Key
    otp: str
    reason: str
    attempts_left: int | None
    at: datetime


@dataclass(frozen=True)
class Only:
    """A callable's outcome: for one destination, and declined for every other."""

    destination: str
    outcome: str


@dataclass
class Fault:
    """An injection: what it is for, which calls or attempts it has seen, and how many of those it has answered."""

    outcomes: list[str | Only]
    operation: str
    per: str
    times: int | None
    after: int
    filters: tuple[str | None, str | None, str | None]
    seen: list[tuple[int, ...]] = field(default_factory=list)
    used: int = 0

    def sees(self, operation: str, key: Key, call: int, attempt: int) -> bool:
        """Count an attempt if it matches, and tell whether those that pass are over."""
        wanted = zip(self.filters, key, strict=True)
        if operation != self.operation or any(want not in (None, got) for want, got in wanted):
            return False
        unit = (call,) if self.per == "call" else (call, attempt)
        if unit not in self.seen:
            self.seen.append(unit)
        return self.seen.index(unit) >= self.after

    def offer(self, key: Key) -> str | None:
        """Return the outcome whose turn it is, if there is one for this key."""
        if self.left == 0:
            return None
        turn = self.outcomes[self.used % len(self.outcomes)]
        if isinstance(turn, Only):
            return turn.outcome if turn.destination == key[1] else None
        return turn

    @property
    def left(self) -> int | None:
        """How many outcomes are left; None: for ever."""
        return None if self.times is None else self.times * len(self.outcomes) - self.used


@dataclass
class Quota:
    """A limit on the deliveries that are in the log from an entry on."""

    count: int
    per: timedelta
    by: str
    outcome: str
    since: int


def take(faults: list[Fault], key: Key) -> tuple[str | None, str | None]:
    """Use the first outcome that the injections offer: what it is, and what it is for the attempts after this one."""
    finite = [fault for fault in faults if fault.times is not None]
    standing = [fault for fault in faults if fault.times is None]
    for fault in finite + standing[::-1]:
        outcome = fault.offer(key)
        if outcome:
            fault.used += 1
            return outcome, outcome if fault.per == "call" else None
    return None, None


def refused(parameters: Mapping[str, object]) -> set[str]:
    """Name the parameters that AWS's limits refuse; which of several an answer names is nowhere laid down."""
    return {name for name, value in parameters.items() if not is_accepted(name, value)}


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
    """The log of one fake, and what was arranged for it."""

    applications: set[str]
    defaults: Mapping[str, int]
    log: list[Text | Judged] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    quotas: list[Quota] = field(default_factory=list)
    queue: list[str] = field(default_factory=list)
    opted_out: set[str] = field(default_factory=set)
    calls: list[list[str]] = field(default_factory=list)
    """What the attempts of each call came to."""

    def call(self, operation: str, application: str, parameters: Mapping[str, object], now: datetime) -> list[str]:
        """Say what each attempt of a call comes to."""
        call = len(self.calls)
        attempts: list[str] = []
        self.calls.append(attempts)
        if application not in self.applications:
            attempts.append("NotFoundException")
        elif refused(parameters):
            attempts.append("BadRequestException")
        key = (application, str(parameters["DestinationIdentity"]), str(parameters["ReferenceId"]))
        kept = None
        while not attempts or (attempts[-1] in RETRIED and len(attempts) < TRIES):
            seeing = [fault for fault in self.faults if fault.sees(operation, key, call, len(attempts))]
            used_before = [fault.used for fault in seeing]
            outcome, kept = (kept, kept) if kept else take(seeing, key)
            if outcome in (None, LOST, "SUCCESSFUL"):
                own = self.work(operation, key, parameters, now, unhindered=outcome == "SUCCESSFUL")
                outcome = LOST if outcome == LOST and own != MISTAKE else own
                if own == MISTAKE:
                    # What the test has got wrong uses up nothing.
                    for fault, used in zip(seeing, used_before, strict=True):
                        fault.used = used
            attempts.append(outcome)
        return attempts

    def work(
        self, operation: str, key: Key, parameters: Mapping[str, object], now: datetime, *, unhindered: bool
    ) -> str:
        """Do what the service does by itself, and say what that comes to."""
        if operation == VERIFY:
            otp = str(parameters["Otp"])
            reason, left = self.judge(key, otp, now)
            self.log.append(Judged(key, otp, reason, left, now))
            return "VALID" if reason == "VALID" else "INVALID"
        sender = str(parameters["OriginationIdentity"])
        if not unhindered:
            for quota in self.quotas:
                if self.is_over(quota, key, sender, now):
                    return quota.outcome
            if key[1] in self.opted_out:
                return "OPT_OUT"
        length, minutes, attempts = (int(str(parameters.get(name, self.defaults[name]))) for name in NUMBERS)
        if self.queue and len(self.queue[0]) != length:
            return MISTAKE
        code = self.queue.pop(0) if self.queue else None
        self.log.append(Text(key, code, length, now, minutes, attempts, sender))
        return "SUCCESSFUL"

    def issue(self, key: Key, code: str | None, now: datetime, minutes: int | None, attempts: int) -> None:
        """Log a text that no call has asked for."""
        length = self.defaults["CodeLength"] if code is None else len(code)
        self.log.append(Text(key, code, length, now, minutes or self.defaults["ValidityPeriod"], attempts, None))

    def is_over(self, quota: Quota, key: Key, sender: str, now: datetime) -> bool:
        """Tell whether a quota has no room for one more delivery."""
        within = [
            entry
            for entry in self.log[quota.since :]
            if isinstance(entry, Text)
            and entry.origination is not None
            and now - quota.per < entry.sent_at
            and (
                (quota.by == "application" and entry.key[0] == key[0])
                or (quota.by == "destination" and entry.key[1] == key[1])
                or (quota.by == "origination" and entry.origination == sender)
            )
        ]
        return len(within) >= quota.count

    def judge(self, key: Key, otp: str, now: datetime) -> tuple[str, int | None]:
        """Give the first reason that holds, and the attempts left after it."""
        of_key = [entry for entry in self.log if entry.key == key]
        texts = [entry for entry in of_key if isinstance(entry, Text)]
        if not texts:
            return "NEVER_SENT", None
        text = texts[-1]
        since: list[str] = []
        for entry in of_key:
            since = [] if isinstance(entry, Text) else [*since, entry.reason]
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

    def texts(self, key: Key | None = None) -> list[Text]:
        """Return the texts that were sent, for one key or for all."""
        return [entry for entry in self.log if isinstance(entry, Text) and key in (None, entry.key)]

    def codes(self, key: Key | None = None) -> list[str | None]:
        """Return the codes that were sent, for one key or for all."""
        return [text.code for text in self.texts(key)]

    def judged(self) -> list[Judged]:
        """Return the verifications that were judged."""
        return [entry for entry in self.log if isinstance(entry, Judged)]
