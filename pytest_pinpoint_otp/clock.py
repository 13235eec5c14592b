"""The service's clock: the process's wall clock, which freezegun and time-machine move, plus what a test advances."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Aware datetimes in UTC, exact to the microsecond."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the current moment."""
        # freezegun computes time_ns from a float, some 100 ns off: rounding gives the frozen microsecond back.
        seconds, nanoseconds = divmod(time.time_ns() + 500, 1_000_000_000)
        return _EPOCH + timedelta(0, seconds, nanoseconds // 1000) + self._ahead

    def advance(self, by: timedelta) -> None:
        """Move ahead of the wall clock by this much more.

        Raises:
            OverflowError: that is beyond the year 9999.
        """
        self.now() + by
        self._ahead += by
