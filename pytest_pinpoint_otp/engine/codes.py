"""The OTP rules: issue, verify, expire, lock. Pure: no HTTP, no botocore, no pytest, no clock of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple


class VerificationReason(StrEnum):
    """Why a verification ended as it did. AWS answers ``Valid`` alone; the reasons are this package's.

    Of several that hold, the first in this order is given. Only SUPERSEDED and WRONG_CODE use an attempt.
    """

    NEVER_SENT = "NEVER_SENT"
    ALREADY_VERIFIED = "ALREADY_VERIFIED"
    ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED"
    EXPIRED = "EXPIRED"
    VALID = "VALID"
    SUPERSEDED = "SUPERSEDED"
    WRONG_CODE = "WRONG_CODE"


class Key(NamedTuple):
    """What one OTP at a time is alive for: a later send for the same key replaces it (our assumption)."""

    application_id: str
    destination: str
    reference_id: str


class Judgement(NamedTuple):
    """What a verification came to."""

    reason: VerificationReason
    attempts_left: int | None
    """Failed verifications that the code still survives; None where nothing was sent."""


@dataclass(slots=True)
class OTP:
    """The code of one key, alive or not."""

    code: str
    expires_at: datetime
    attempts_left: int
    verified: bool = False
    earlier: set[str] | None = None
    """The key's codes before this one; None where there are none, which is the common case."""


class Engine:
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
        """Whether every code that is drawn starts with a zero, as one in ten does by itself."""

    def issue(
        self,
        key: Key,
        *,
        code: str | None,
        code_length: int,
        validity_period: int,
        allowed_attempts: int,
        now: datetime,
    ) -> OTP:
        """Issue a code, in place of the key's earlier one.

        Args:
            key: what the code is for.
            code: the code, or None to draw one that the key never had.
            code_length: digits of a drawn code.
            validity_period: minutes.
            allowed_attempts: failed verifications after which the code is dead.
            now: the moment of issue.
        """
        previous = self._otps.get(key)
        earlier = None
        if previous is not None:
            # Handed on from code to code, never copied: a key may be resent to a thousand times.
            earlier = previous.earlier or set()
            earlier.add(previous.code)
        if code is None:
            code = self._draw(key, code_length, earlier or frozenset())
        otp = OTP(code, now + _minutes(validity_period), allowed_attempts, earlier=earlier)
        self._otps[key] = otp
        self._issued.add(code)
        return otp

    def verify(self, key: Key, code: str, now: datetime) -> Judgement:
        """Judge a code, by the first reason that holds, and use an attempt where it is wrong."""
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
        return Judgement(
            VerificationReason.SUPERSEDED if superseded else VerificationReason.WRONG_CODE, otp.attempts_left
        )

    def accepts(self, key: Key, code: str, now: datetime) -> bool:
        """Tell whether `verify` would find a code valid, without using anything up."""
        otp = self._otps.get(key)
        return (
            otp is not None and not otp.verified and otp.attempts_left > 0 and now < otp.expires_at and code == otp.code
        )

    def wrong_code(self, code: str) -> str:
        """Return the next code after this one that was neither issued nor queued, and keep it from being drawn.

        Raises:
            LookupError: every code of that length was issued or is queued.
        """
        queued = set(self.queue)
        for number in _numbers_from(int(code) + 1, len(code)):
            candidate = _code(number, len(code))
            if candidate not in self._issued and candidate not in queued:
                self._wrong.add(candidate)
                return candidate
        raise LookupError(f"No wrong code is left: every code of {len(code)} digits was issued or is queued.")

    def _draw(self, key: Key, length: int, earlier: Collection[str]) -> str:
        draw = self._draws.copy()
        given = f"{key.application_id}\0{key.destination}\0{key.reference_id}\0{length}\0{len(earlier)}"
        draw.update(given.encode("utf-8", "surrogatepass"))
        start = int.from_bytes(draw.digest()) % 10 ** (length - self.leading_zeros)
        for number in _numbers_from(start, length):
            code = _code(number, length)
            if code not in earlier and code not in self._wrong:
                return code
        raise LookupError(
            f"No code is left: {key.destination} has had every code of {length} digits for reference"
            f" {key.reference_id!r}. Let codes be longer, or send for another reference."
        )


def _numbers_from(start: int, length: int) -> range:
    """Return the numbers of every code of a length, upwards from one of them."""
    return range(start, start + 10**length)


def _code(number: int, length: int) -> str:
    return str(number % 10**length).zfill(length)


@lru_cache
def _minutes(count: int) -> timedelta:
    # Built once for each validity period: that takes longer than all else that issues a code.
    return timedelta(minutes=count)
