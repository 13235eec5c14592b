"""The service's own quota on deliveries: a rate that a test sets, on the fake's clock."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pytest_pinpoint_otp.apis.base import Denial
from pytest_pinpoint_otp.engine.argument_checks import check_choice, check_int, check_str, kind, plain
from pytest_pinpoint_otp.engine.faults.outcomes import Delivery, ErrorResponse
from pytest_pinpoint_otp.engine.faults.parsing import parse_outcome
from pytest_pinpoint_otp.engine.records import Call

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


class RateLimit:
    """The handle that `PinpointOTP.limit_rate` returns: a quota that is in force until it is cancelled."""

    def __init__(self, count: int, *, per: timedelta, by: str, outcome: object) -> None:
        check_int("limit_rate: count", count, 0)
        if not isinstance(per, timedelta):
            raise TypeError(f"limit_rate: per takes a timedelta, such as timedelta(hours=1), not {kind(per)}.")
        if per <= timedelta(0):
            raise ValueError(f"limit_rate: per is {per!r}, but takes a duration above zero.")
        check_str("limit_rate: by", by)
        check_choice("limit_rate: by", by, _READERS)
        self._outcome: Final = None if outcome is None else read_refusal(outcome, "limit_rate")
        """What a send over the limit ends in; None: what the API throttles with."""
        self._count = count
        self._per = per
        self._by = plain(by)
        self._read = _READERS[by]
        self._delivered: dict[str | None, deque[datetime]] = {}
        self._cancelled = False

    def cancel(self) -> None:
        """End the quota. It may be called twice."""
        self._cancelled = True

    def _is_reached(self, call: Call, now: datetime) -> bool:
        """Tell whether as many deliveries as allowed lie within the duration before this moment."""
        if self._cancelled:
            return False
        newest = self._delivered.get(self._read(call), ())
        return len(newest) == self._count and all(now - at < self._per for at in newest)

    def _count_delivery(self, call: Call, now: datetime) -> None:
        """Count a delivery by a call."""
        self._delivered.setdefault(self._read(call), deque(maxlen=min(self._count, sys.maxsize))).append(now)

    def _save(self) -> Callable[[], None]:
        """Return a function that puts the handle back to how it is now."""
        delivered, cancelled = {key: copy(moments) for key, moments in self._delivered.items()}, self._cancelled

        def restore() -> None:
            self._delivered = {key: copy(moments) for key, moments in delivered.items()}
            self._cancelled = cancelled

        return restore

    def __repr__(self) -> str:
        outcome = "" if self._outcome is None else f", outcome={self._outcome!r}"
        return f"limit_rate({self._count}, per={self._per!r}, by={self._by!r}{outcome})"


class RateLimits(list[RateLimit]):
    """The quotas of one fake, in the order in which they were set."""

    def find_outcome(
        self, call: Call, throttled: Denial, now: Callable[[], datetime]
    ) -> Delivery | ErrorResponse | None:
        """Return what a send ends in because of the first quota that is reached; None: no quota is.

        Args:
            call: the send.
            throttled: what its API answers to a send over a quota that has no outcome of its own.
            now: returns the service's time.
        """
        for limit in self:
            if limit._is_reached(call, now()):
                return limit._outcome or read_denial(throttled)
        return None

    def count_delivery(self, call: Call, now: datetime) -> None:
        """Count a delivery towards every quota."""
        for limit in self:
            limit._count_delivery(call, now)

    def save(self) -> Callable[[], RateLimits]:
        """Return a function that puts every quota back to how it is now, and returns those that there are now."""
        limits = [(limit, limit._save()) for limit in self]

        def restore() -> RateLimits:
            for _, restore_limit in limits:
                restore_limit()
            return RateLimits(limit for limit, _ in limits)

        return restore


_READERS: Final[Mapping[str, Callable[[Call], str | None]]] = {
    "destination": lambda call: call.destination,
    "origination": lambda call: call.origination,
    "application": lambda call: call.application_id,
}


def read_denial(denial: Denial) -> Delivery | ErrorResponse:
    """Return the outcome by which an API refuses a send."""
    refusal = read_refusal(denial.name)
    if denial.message is None:
        return refusal
    if isinstance(refusal, Delivery):
        return replace(refusal, status_message=denial.message)
    return replace(refusal, message=denial.message)


def read_refusal(outcome: object, where: str = "") -> Delivery | ErrorResponse:
    """Read the outcome of a send that the service refuses: a failed delivery or an error.

    Args:
        outcome: in any form that ``inject`` takes.
        where: whose argument it is; the message begins with it.

    Raises:
        TypeError: it is not a failed delivery or an error.
        ValueError: it is SUCCESSFUL, or a name of anything else.
    """
    refusal = parse_outcome(outcome, None)
    if isinstance(refusal, Delivery) and refusal.delivered:
        raise ValueError(f"{where}: outcome is SUCCESSFUL, but takes a failed delivery or an error.")
    if not isinstance(refusal, (Delivery, ErrorResponse)):
        wrong = ValueError if isinstance(outcome, str) else TypeError
        raise wrong(f"{where}: outcome takes a failed delivery or an error, not {kind(outcome)}.")
    return refusal
