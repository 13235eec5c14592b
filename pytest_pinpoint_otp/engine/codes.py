"""The rules of one-time passwords: issue, verify, expire, lock. Pure: no HTTP, no API's names, no clock of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from string import ascii_uppercase, digits
from typing import Final, NamedTuple

from pytest_pinpoint_otp.apis.base import Key, Policy
from pytest_pinpoint_otp.engine.argument_checks import counted

ALPHABETS: Final = {"NUMERIC": digits, "ALPHA": ascii_uppercase, "ALPHANUMERIC": digits + ascii_uppercase}
"""The characters of each type of code."""


STATUSES: Final = ("LIVE", "VERIFIED", "EXPIRED", "EXHAUSTED", "SUPERSEDED")
"""What `Codes.status` returns."""


class VerificationReason(StrEnum):
    """Why a verification ended as it did. AWS answers only valid or not valid; the reasons are this package's own.

    If several apply, it is the first in this order. Only SUPERSEDED and WRONG_CODE use an attempt.
    """

    NEVER_SENT = "NEVER_SENT"
    ALREADY_VERIFIED = "ALREADY_VERIFIED"
    ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED"
    EXPIRED = "EXPIRED"
    VALID = "VALID"
    SUPERSEDED = "SUPERSEDED"
    WRONG_CODE = "WRONG_CODE"


ATTEMPTS_USED: Final = (VerificationReason.SUPERSEDED, VerificationReason.WRONG_CODE)
"""The reasons of verifications that use an attempt."""


class Judgement(NamedTuple):
    """What a verification came to."""

    reason: VerificationReason
    attempts_left: int | None
    """Failed verifications that the code still survives; None if nothing was sent."""


@dataclass(slots=True)
class OTP:
    """The code of one key, alive or not."""

    code: str
    expires_at: datetime
    attempts_left: int
    verified: bool = False
    earlier: set[str] | None = None
    """The key's codes before this one; None if there are none, which is the common case."""


class Codes:
    """Every OTP of one fake, and the codes that are queued for the next ones.

    Args:
        seed: what codes are drawn from. A code depends on the seed, its key and how many codes the key had before, not
            on what other keys do, so threads do not change each other's codes.
    """

    def __init__(self, seed: str) -> None:
        self._draws = blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=16, person=b"otp-code")
        self._otps: dict[Key, OTP] = {}
        self._issued: set[str] = set()
        self._wrong: set[str] = set()
        self.queue: deque[str] = deque()
        self.leading_zeros = False
        """Whether every code that is drawn starts with a zero, as one in ten does otherwise."""

    def copy(self) -> Codes:
        """Return codes of the same state that go on independently."""
        other = copy(self)
        other._otps = {key: _copy_otp(otp) for key, otp in self._otps.items()}
        other._issued, other._wrong, other.queue = set(self._issued), set(self._wrong), deque(self.queue)
        return other

    def issue(self, key: Key, policy: Policy, *, code: str | None, now: datetime) -> OTP:
        """Issue a code, in place of the key's earlier one.

        Args:
            key: what the code is for.
            policy: its type, length, validity and attempts.
            code: the code, or None to draw one that the key never had.
            now: the moment of issue.
        """
        previous = self._otps.get(key)
        earlier = None
        if previous is not None:
            # The same set for each code of a key, never a copy: a test may resend a thousand times.
            earlier = previous.earlier or set()
            earlier.add(previous.code)
        if code is None:
            code = self._draw(key, policy, earlier or frozenset())
        otp = OTP(code, now + _minutes(policy.validity_period), policy.allowed_attempts, earlier=earlier)
        self._otps[key] = otp
        self._issued.add(code)
        return otp

    def verify(self, key: Key, code: str, now: datetime) -> Judgement:
        """Judge a code, by the first reason that holds, and use an attempt if it is wrong."""
        otp = self._otps.get(key)
        if otp is None:
            return Judgement(VerificationReason.NEVER_SENT, None)
        if otp.verified:
            return Judgement(VerificationReason.ALREADY_VERIFIED, otp.attempts_left)
        if otp.attempts_left == 0:
            return Judgement(VerificationReason.ATTEMPTS_EXHAUSTED, 0)
        if now >= otp.expires_at:
            return Judgement(VerificationReason.EXPIRED, otp.attempts_left)
        if code == otp.code:
            otp.verified = True
            return Judgement(VerificationReason.VALID, otp.attempts_left)
        otp.attempts_left -= 1
        superseded = otp.earlier is not None and code in otp.earlier
        reason = VerificationReason.SUPERSEDED if superseded else VerificationReason.WRONG_CODE
        return Judgement(reason, otp.attempts_left)

    def status(self, key: Key, code: str, now: datetime) -> str:
        """Return what has become of a code: LIVE, VERIFIED, EXPIRED, EXHAUSTED or SUPERSEDED. Uses nothing up."""
        otp = self._otps.get(key)
        if otp is None or code != otp.code:
            return "SUPERSEDED"
        if otp.verified:
            return "VERIFIED"
        if otp.attempts_left == 0:
            return "EXHAUSTED"
        return "LIVE" if now < otp.expires_at else "EXPIRED"

    def wrong_code(self, code: str, code_type: str) -> str:
        """Return the next code after this one that was neither issued nor queued, and keep it from being drawn.

        Raises:
            LookupError: every code of that length was issued or is queued.
        """
        alphabet = ALPHABETS[code_type]
        queued = set(self.queue)
        for number in _numbers_from(_number(code, alphabet) + 1, len(code), alphabet):
            candidate = _code(number, len(code), alphabet)
            if candidate not in self._issued and candidate not in queued:
                self._wrong.add(candidate)
                return candidate
        raise LookupError(
            f"No wrong code is left: every code of {len(code)} {_characters(code_type)} was issued or is queued."
        )

    def _draw(self, key: Key, policy: Policy, earlier: Collection[str]) -> str:
        alphabet, length = ALPHABETS[policy.code_type], policy.code_length
        draw = self._draws.copy()
        application_id, destination, reference_id = key
        given = f"{application_id}\0{destination}\0{reference_id}\0{length}\0{len(earlier)}"
        draw.update(given.encode("utf-8", "surrogatepass"))
        start = int.from_bytes(draw.digest()) % len(alphabet) ** (length - self.leading_zeros)
        code = _code(start, length, alphabet)
        # The common case without a range.
        if code not in earlier and code not in self._wrong:
            return code
        for number in _numbers_from(start + 1, length, alphabet):
            code = _code(number, length, alphabet)
            if code not in earlier and code not in self._wrong:
                return code
        raise LookupError(
            f"No code is left: {key.destination} has had every code of {length} {_characters(policy.code_type)} for"
            f" reference {key.reference_id!r}. Let codes be longer, or send for another reference."
        )


def fits(code: str, policy: Policy) -> bool:
    """Tell whether a code is of the type and length that a policy asks for."""
    return len(code) == policy.code_length and set(code) <= set(ALPHABETS[policy.code_type])


def describe(policy: Policy) -> str:
    """Return the kind of code that a policy asks for, as error messages show it: ``6 digits``."""
    return f"{policy.code_length} {_characters(policy.code_type)}"


def say_length(code: str) -> str:
    """Return how long a code is, as error messages show it: ``6 digits``."""
    return counted(len(code), "digit" if code.isdigit() else "character")


def _characters(code_type: str) -> str:
    return {"NUMERIC": "digits", "ALPHA": "capital letters", "ALPHANUMERIC": "digits and capital letters"}[code_type]


def _numbers_from(start: int, length: int, alphabet: str) -> range:
    """Return the numbers of every code of a length, upwards from one of them."""
    return range(start, start + len(alphabet) ** length)


def _code(number: int, length: int, alphabet: str) -> str:
    base = len(alphabet)
    if base == 10:
        return str(number % 10**length).zfill(length)
    characters = []
    for _ in range(length):
        number, place = divmod(number, base)
        characters.append(alphabet[place])
    return "".join(reversed(characters))


def _number(code: str, alphabet: str) -> int:
    number = 0
    for character in code:
        number = number * len(alphabet) + alphabet.index(character)
    return number


def _copy_otp(otp: OTP) -> OTP:
    other = copy(otp)
    other.earlier = None if otp.earlier is None else set(otp.earlier)
    return other


@lru_cache
def _minutes(count: int) -> timedelta:
    # Built once for each validity period, because building it takes longer than the rest of issuing a code.
    return timedelta(minutes=count)
