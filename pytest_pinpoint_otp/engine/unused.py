"""What a test has arranged and no call has used. At its end, finite injections and queued codes must be used up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pytest_pinpoint_otp.engine.faults.injections import Injection, find_misdirection
from pytest_pinpoint_otp.engine.records import Call


class Unused(NamedTuple):
    """What is left of what a test has arranged."""

    injections: list[Injection]
    """Finite ones that still have outcomes to give, and are not optional."""
    codes: tuple[str, ...]
    """Those that are still queued."""

    def also_in(self, other: Unused) -> Unused:
        """Return what is left both here and there."""
        return Unused([one for one in self.injections if one in other.injections], self.codes if other.codes else ())

    def words(self, calls: Sequence[Call] = ()) -> list[str]:
        """Return what is left, each as a test has written it, with the reason if the calls that were made show one."""
        words = [
            f"{one!r}: used {one.used}, {one.remaining} left{find_misdirection(one, calls)}" for one in self.injections
        ]
        return [*words, f"queue_codes({', '.join(map(repr, self.codes))})"] if self.codes else words
