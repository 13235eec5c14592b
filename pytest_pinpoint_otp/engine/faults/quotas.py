"""The service's own quota on deliveries: a rate that a test sets, on the fake's clock."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from pytest_pinpoint_otp.apis.operations import SEND
from pytest_pinpoint_otp.engine.checks import did_you_mean, kind
from pytest_pinpoint_otp.engine.faults.outcomes import Delivery, ErrorResponse, parse_outcome
from pytest_pinpoint_otp.engine.journal import Call

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


class RateLimit:
    """What `PinpointOTP.limit_rate` returns: the handle of a quota, in force until it is cancelled."""

    def __init__(self, count: int, *, per: timedelta, by: str, outcome: object) -> None:
        if not isinstance(count, int) or isinstance(count, bool):
            raise TypeError(f"limit_rate: count takes an int, not {kind(count)}.")
        if count < 0:
            raise ValueError(f"limit_rate: count is {count}, but takes 0 or more.")
        if not isinstance(per, timedelta):
            raise TypeError(f"limit_rate: per takes a timedelta, not {kind(per)}.")
        if per <= timedelta(0):
            raise ValueError(f"limit_rate: per is {per!r}, but takes a duration above zero.")
        if not isinstance(by, str):
            raise TypeError(f"limit_rate: by takes a str, not {kind(by)}.")
        if by not in _READERS:
            raise ValueError(f"limit_rate: by is {by!r}.{did_you_mean(by, _READERS)}")
        self.outcome: Final = _read_refusal(outcome)
        self._count = count
        self._per = per
        self._by = by
        self._read = _READERS[by]
        self._delivered: dict[str | None, deque[datetime]] = {}
        self._cancelled = False

    def cancel(self) -> None:
        """Lift the quota. A second time changes nothing."""
        self._cancelled = True

    def is_reached(self, call: Call, now: datetime) -> bool:
        """Tell whether as many deliveries as allowed lie within the duration before this moment."""
        if self._cancelled:
            return False
        newest = self._delivered.get(self._read(call), ())
        return len(newest) == self._count and all(now - at < self._per for at in newest)

    def count_delivery(self, call: Call, now: datetime) -> None:
        """Count a delivery by a call."""
        self._delivered.setdefault(self._read(call), deque(maxlen=min(self._count, sys.maxsize))).append(now)

    def __repr__(self) -> str:
        return f"limit_rate({self._count}, per={self._per!r}, by={self._by!r}, outcome={self.outcome!r})"


_READERS: Final[Mapping[str, Callable[[Call], str | None]]] = {
    "destination": lambda call: call.destination,
    "origination": lambda call: call.parameters["OriginationIdentity"],
    "application": lambda call: call.application_id,
}


def _read_refusal(outcome: object) -> Delivery | ErrorResponse:
    refusal = parse_outcome(outcome, SEND)
    if isinstance(refusal, Delivery) and refusal.delivered:
        raise ValueError("limit_rate: outcome is SUCCESSFUL, but takes what a send over the limit ends in.")
    if not isinstance(refusal, (Delivery, ErrorResponse)):
        raise TypeError(f"limit_rate: outcome takes a failed delivery or an error, not {kind(outcome)}.")
    return refusal
