"""The service's clock: the process's wall clock, which freezegun and time-machine move, plus what a test advances."""

from __future__ import annotations

import datetime as standard
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypedDict, cast

from pytest_pinpoint_otp.engine.argument_checks import check_number, did_you_mean, kind

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

# freezegun puts a subclass in the place of ``datetime``: later, or before this module is imported.
_datetime: Final = cast("type[datetime]", next(cls for cls in datetime.__mro__ if cls.__module__ == "datetime"))
_from_timestamp: Final = _datetime.fromtimestamp
_combine: Final = _datetime.combine


class Clock:
    """Aware datetimes in UTC, exact to the microsecond."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the current moment."""
        if standard.datetime.__module__ == "freezegun.api":
            # For callers from some modules, freezegun leaves time.time() real; its own datetime is always frozen.
            frozen = standard.datetime.utcnow()
            return _combine(frozen.date(), frozen.time(), UTC) + self._ahead
        moment = _from_timestamp(time.time(), UTC)
        return moment + self._ahead if self._ahead else moment

    def advance(self, by: timedelta) -> None:
        """Move ahead of the wall clock by this much more.

        Raises:
            ValueError: that is beyond the year 9999.
        """
        try:
            _ = self.now() + by
        except OverflowError:
            raise ValueError(f"advance: {by!r} from now is beyond the year 9999.") from None
        self._ahead += by


class DurationParts(TypedDict, total=False):
    """A duration in parts, as keyword arguments; None: not given."""

    weeks: float | None
    days: float | None
    hours: float | None
    minutes: float | None
    seconds: float | None


def read_duration(by: object, parts: Mapping[str, Any]) -> timedelta:
    """Read a duration as `PinpointOTP.advance` takes it.

    Args:
        by: a timedelta, or None.
        parts: keyword arguments of a timedelta; None counts as not given.

    Raises:
        TypeError: none or both of the two forms, or one that is not a number.
        ValueError: it is negative, or beyond what a timedelta holds.
    """
    usage = "advance takes a timedelta or keywords such as minutes=5"
    for name in parts:
        if name not in DurationParts.__annotations__:
            hint = did_you_mean(name, DurationParts.__annotations__)
            raise TypeError(f"advance() got an unexpected keyword argument {name!r}.{hint}")
    given = {name: value for name, value in parts.items() if value is not None}
    if by is None:
        if not given:
            raise TypeError(f"{usage}: give one of them.")
        for name, value in given.items():
            check_number(f"advance: {name}", value)
        try:
            by = timedelta(**given)
        except (OverflowError, ValueError) as error:
            shown = ", ".join(f"{name}={value!r}" for name, value in given.items())
            raise ValueError(f"advance: {shown} is not a duration: {error}.") from None
    elif given:
        raise TypeError(f"{usage}, not both.")
    if not isinstance(by, timedelta):
        raise TypeError(f"{usage}, not {kind(by)}.")
    if by < timedelta(0):
        shown = ", ".join(f"{name}={value!r}" for name, value in given.items()) or repr(by)
        raise ValueError(f"advance: the clock never goes back, but {shown} is negative.")
    return by
