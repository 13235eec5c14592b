"""Which call gets which outcome: the injections, in their order of precedence, then quotas and opt-outs.

What an outcome is belongs to `outcomes`; what becomes of it, to `service`.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Collection
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_pinpoint_otp.apis.operations import OPERATIONS
from pytest_pinpoint_otp.engine.checks import did_you_mean, kind
from pytest_pinpoint_otp.engine.faults.outcomes import (
    Delivery,
    DeliveryStatus,
    ErrorResponse,
    Outcome,
    OutcomeCallable,
    parse_outcome,
)
from pytest_pinpoint_otp.engine.faults.quotas import RateLimit
from pytest_pinpoint_otp.engine.journal import Call, differences

if TYPE_CHECKING:
    from typing import Self

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_PER: Final = ("call", "attempt")
_OPTED_OUT: Final = Delivery(DeliveryStatus.OPT_OUT)


class Injection:
    """What `PinpointOTP.inject` returns: the handle of outcomes that await their calls.

    As a context manager it must have been used at least once by its clean end, unless it is optional, and is cancelled
    then. Safe to use from any thread.
    """

    def __init__(
        self,
        *outcomes: object,
        operation: str,
        per: str,
        times: int | None,
        after: int,
        optional: bool,
        filters: dict[str, object],
        lock: threading.RLock,
    ) -> None:
        if not outcomes:
            raise TypeError("inject: give at least one outcome, such as inject('THROTTLED').")
        check_steering("inject", operation, per, times, after)
        if not isinstance(optional, bool):
            raise TypeError(f"inject: optional takes True or False, not {kind(optional)}.")
        for name, value in filters.items():
            # A matcher with an == of its own (unittest.mock.ANY) is welcome; nothing built in but a str equals a str.
            if value is not None and not isinstance(value, str) and type(value).__module__ == "builtins":
                raise TypeError(f"inject: {name} takes a str, not {kind(value)}.")
        self.operation: Final = operation
        self.per: Final = per
        self.after: Final = after
        self.optional: Final = optional
        self.standing: Final = times is None
        self._given = outcomes
        self._outcomes = tuple(parse_outcome(outcome, operation) for outcome in outcomes)
        self._total = None if times is None else times * len(outcomes)
        self._filters = {name: value for name, value in filters.items() if value is not None}
        self._lock = lock
        self._begun = 0
        self._given_back: list[int] = []
        """Places in the sequence that a callable has declined to fill, to be taken before those not begun."""
        self._passed: set[tuple[str, int]] = set()
        self._cancelled = False

    @property
    def used(self) -> int:
        """How many calls (``per="call"``) or attempts (``per="attempt"``) it has answered."""
        with self._lock:
            return self._begun - len(self._given_back)

    @property
    def remaining(self) -> int | None:
        """How many calls or attempts it will still answer. None when standing, 0 once cancelled."""
        with self._lock:
            if self._cancelled:
                return 0
            return None if self._total is None else self._total - self.used

    def cancel(self) -> None:
        """Answer no further call. What is left over is no error then. A second time changes nothing."""
        self._cancelled = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        cancelled, self._cancelled = self._cancelled, True
        if exc_type is None and not (self.used or self.optional or cancelled):
            raise AssertionError(
                f"{self!r} was not used: no matching call was answered by it. Make the call inside the with block,"
                " check the filters, or say optional=True."
            )

    def __repr__(self) -> str:
        words = [_shown(outcome) for outcome in self._given]
        words.append(f"operation={self.operation!r}")
        if self.per != "call":
            words.append(f"per={self.per!r}")
        if self._total is None:
            words.append("times=None")
        elif self._total != len(self._outcomes):
            words.append(f"times={self._total // len(self._outcomes)}")
        if self.after:
            words.append(f"after={self.after}")
        words += [f"{name}={value!r}" for name, value in self._filters.items()]
        return f"inject({', '.join(words)})"

    @property
    def over(self) -> bool:
        """Whether it can answer no call any more, whatever callables under way decline."""
        return self._cancelled or (self.used == self._total and not any(map(callable, self._outcomes)))

    def matches(self, call: Call) -> bool:
        """Tell whether the call is one that it was made for."""
        return (
            not self._cancelled
            and call.operation == self.operation
            and not (self._filters and differences(call, self._filters))
        )

    def lets_pass(self, call: Call) -> bool:
        """Count an attempt among those that pass before the first outcome, and tell whether it is one of them."""
        if not self.after:
            return False
        unit = (call.invocation_id, 0 if self.per == "call" else len(call.attempts))
        if unit in self._passed:
            return True
        if len(self._passed) == self.after:
            return False
        self._passed.add(unit)
        return True

    def take(self) -> Taken | None:
        """Use the next outcome; None where all are used."""
        if self._given_back:
            place = heapq.heappop(self._given_back)
        elif self._begun == self._total:
            return None
        else:
            place = self._begun
            self._begun += 1
        return Taken(self._outcomes[place % len(self._outcomes)], self, place)

    def give_back(self, place: int) -> None:
        """Take back the use of an outcome that a callable has declined to give."""
        heapq.heappush(self._given_back, place)


def check_steering(where: str, operation: object, per: object, times: object, after: object) -> None:
    """Refuse what does not say which calls or attempts an outcome is for; ``where`` begins the message."""
    if operation not in OPERATIONS:
        raise ValueError(f"{where}: operation {operation!r} is not faked.{did_you_mean(operation, OPERATIONS)}")
    if per not in _PER:
        raise ValueError(f"{where}: per is {per!r}, but takes 'call' or 'attempt'.")
    if times is not None:
        _check_count(f"{where}: times", times, 1, "how often the whole sequence is given; None: for ever")
    _check_count(f"{where}: after", after, 0, "how many matching calls pass first")


def _check_count(what: str, value: object, lowest: int, meaning: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{what} takes an int ({meaning}), not {kind(value)}.")
    if value < lowest:
        raise ValueError(f"{what} is {value}, but takes {lowest} or more ({meaning}).")


def _shown(outcome: object) -> str:
    if isinstance(outcome, str):
        return repr(str(outcome))
    return str(getattr(outcome, "__name__", None) or repr(outcome))


class Taken(NamedTuple):
    """What answers one attempt: an outcome, and the injection that gave it."""

    outcome: Outcome | OutcomeCallable
    injection: Injection
    place: int
    """Which of the injection's outcomes it is, counted on through every round of the sequence."""
    held: bool = False
    """Whether the call held it already."""


class Faults:
    """The injections, quotas and opt-outs of one fake. Not locked: the service is."""

    def __init__(self) -> None:
        self.opted_out: set[str | None] = set()
        self.rate_limits: list[RateLimit] = []
        self._finite: list[Injection] = []
        self._standing: list[Injection] = []
        self._held: dict[str, Taken] = {}

    def add(self, injection: Injection) -> None:
        """Put an injection in force."""
        if injection.standing:
            self._standing = [injection, *(other for other in self._standing if not other.over)]
        else:
            self._finite = [*(other for other in self._finite if not other.over), injection]

    def take(self, call: Call, declined: Collection[Injection] = ()) -> Taken | None:
        """Decide who answers the next attempt of a call; None: no injection does.

        An outcome that the call holds comes first; then finite injections, oldest first; then standing ones, newest
        first. An injection that answers is used. `settle` must follow.

        Args:
            call: the call, with its earlier attempts.
            declined: injections whose callable has returned None for this attempt.
        """
        if not (self._finite or self._standing):
            return None
        # A list, not a generator: those that come later in the order count this attempt as well.
        ready = [
            injection
            for injection in (*self._finite, *self._standing)
            if injection.matches(call) and not injection.lets_pass(call)
        ]
        held = self._held.get(call.invocation_id)
        if held is not None:
            return held
        for injection in ready:
            if injection not in declined and (taken := injection.take()) is not None:
                return taken
        return None

    def settle(self, call: Call, taken: Taken, outcome: Outcome | None) -> None:
        """Say what an outcome that was taken has come to; None: its callable declined, so nothing was used."""
        if taken.held:
            return
        if outcome is None:
            taken.injection.give_back(taken.place)
        elif taken.injection.per == "call":
            self._held[call.invocation_id] = taken._replace(outcome=outcome, held=True)

    def of_service(self, call: Call, now: Callable[[], datetime]) -> Delivery | ErrorResponse | None:
        """Decide what the service itself has against a send that no injection answers; None: nothing."""
        for limit in self.rate_limits:
            if limit.is_reached(call, now()):
                return limit.outcome
        return _OPTED_OUT if call.destination in self.opted_out else None

    def count_delivery(self, call: Call, now: datetime) -> None:
        """Count a delivery towards every quota."""
        for limit in self.rate_limits:
            limit.count_delivery(call, now)

    def unused(self) -> list[Injection]:
        """Return the finite injections that still have outcomes to give and are not optional."""
        return [one for one in self._finite if one.remaining and not one.optional]

    def cancel(self) -> None:
        """Cancel every injection and quota."""
        for injection in (*self._finite, *self._standing):
            injection.cancel()
        for limit in self.rate_limits:
            limit.cancel()
