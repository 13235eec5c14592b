"""Which call gets which outcome: injections, in their order of precedence, then quotas and opt-outs."""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from copy import copy
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Final

from pytest_pinpoint_otp.apis import OPERATIONS
from pytest_pinpoint_otp.apis.base import Operation, SendOperation
from pytest_pinpoint_otp.engine.argument_checks import check_bool, check_selected, counted, plain
from pytest_pinpoint_otp.engine.faults.outcome_base import Outcome
from pytest_pinpoint_otp.engine.faults.parsing import OutcomeCallable, check_steering, parse_outcome, read_operation
from pytest_pinpoint_otp.engine.faults.quotas import RateLimits, read_denial
from pytest_pinpoint_otp.engine.journal import differences
from pytest_pinpoint_otp.engine.lock import lock
from pytest_pinpoint_otp.engine.records import Call

if TYPE_CHECKING:
    from typing import Self

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


class Drawing(ABC):
    """A callable outcome that is also given the number of the call among those for its destination."""

    @abstractmethod
    def __call__(self, call: Call, number: int) -> object:
        """Return an outcome, or None; ``number`` counts the calls of the operation for the destination, from 0."""

    @abstractmethod
    def begin(self) -> None:
        """Begin an example. Called when the state of its beginning is saved, and each time it is restored."""


class Injection:
    """The handle that `PinpointOTP.inject` returns.

    As a context manager, it is cancelled at the end of the block. If it has not been used by then, that is an
    AssertionError, unless it is optional or the block raised. It is safe to use from any thread.
    """

    def __init__(
        self,
        *outcomes: object,
        operation: object,
        per: str,
        times: int | None,
        after: int,
        optional: bool,
        filters: dict[str, object],
        source: str = "injection",
    ) -> None:
        if not outcomes:
            raise TypeError("inject: give at least one outcome, such as inject('THROTTLED').")
        self.operation: Final = read_operation("inject", operation)
        check_steering("inject", per, times, after)
        check_bool("inject: optional", optional)
        for name, value in filters.items():
            check_selected(f"inject: {name}", value)
        self.per: Final = per
        self.after: Final = after
        self.optional: Final = optional
        self._source: Final = source
        self._standing: Final = times is None
        self._given = outcomes
        self._outcomes = tuple(parse_outcome(outcome, self.operation) for outcome in outcomes)
        self._total = None if times is None else times * len(outcomes)
        self._filters = {name: value for name, value in filters.items() if value is not None}
        self._begun = 0
        self._given_back: list[int] = []
        """Places in the sequence that a callable has declined to fill, to be taken before those not begun."""
        self._passed: set[tuple[str, int]] = set()
        self._cancelled = False

    @property
    def used(self) -> int:
        """How many calls (``per="call"``) or attempts (``per="attempt"``) it has answered."""
        with lock:
            return self._begun - len(self._given_back)

    @property
    def remaining(self) -> int | None:
        """How many calls or attempts it will still answer. None means any number; 0 means none, as after `cancel`."""
        with lock:
            if self._cancelled:
                return 0
            return None if self._total is None else self._total - self.used

    def cancel(self) -> None:
        """Answer no further call. What is left over is then not an error. It may be called twice."""
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
        words = [_write_outcome(outcome) for outcome in self._given]
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
    def _over(self) -> bool:
        """Whether it can never answer a call again. A callable under way may still decline, and give its use back."""
        return self._cancelled or (self.used == self._total and not any(map(callable, self._outcomes)))

    def _matches(self, call: Call) -> bool:
        """Tell whether it is in force for the call's operation and fields."""
        return (
            not self._cancelled
            and call.operation == self.operation
            and not (self._filters and differences(call, self._filters))
        )

    def _lets_pass(self, call: Call) -> bool:
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

    def _take(self) -> tuple[Outcome | OutcomeCallable, int] | None:
        """Use the next outcome, and return it with its place in the sequence; None: all are used."""
        if self._given_back:
            place = heapq.heappop(self._given_back)
        elif self._begun == self._total:
            return None
        else:
            place = self._begun
            self._begun += 1
        return self._outcomes[place % len(self._outcomes)], place

    def _give_back(self, place: int) -> None:
        """Take back the use of an outcome that a callable has declined to give."""
        heapq.heappush(self._given_back, place)

    def _save(self) -> Callable[[], None]:
        """Return a function that puts the handle back to how it is now."""
        saved = {name: copy(vars(self)[name]) for name in ("_begun", "_given_back", "_passed", "_cancelled")}
        self._begin_drawing()

        def restore() -> None:
            vars(self).update({name: copy(value) for name, value in saved.items()})
            self._begin_drawing()

        return restore

    def _begin_drawing(self) -> None:
        for outcome in self._outcomes:
            if isinstance(outcome, Drawing):
                outcome.begin()


def _write_outcome(outcome: object) -> str:
    if isinstance(outcome, str):
        return repr(plain(outcome))
    return str(getattr(outcome, "__name__", None) or repr(outcome))


def find_misdirection(injection: Injection, calls: Sequence[Call]) -> str:
    """Return a hint about an injection whose operation was not called while another API's was.

    In a report it follows the injection. It is empty if there is nothing to hint at.
    """
    made = Counter(call.operation for call in calls)
    meant = OPERATIONS[injection.operation]
    alike = {name: one for name, one in OPERATIONS.items() if name in made and _do_the_same(one, meant)}
    if not alike or meant.name in alike:
        return ""
    told = ", ".join(f"{name} was called {counted(made[name], 'time')}" for name in alike)
    meant_instead = " or ".join(f"operation={name!r}" for name in alike)
    return f". {told}: did you mean {meant_instead}?"


def _do_the_same(one: Operation, other: Operation) -> bool:
    return (one.sends and other.sends) or (one.verifies and other.verifies)


class Taken:
    """What answers one attempt: an outcome, and the injection that gave it. `keep` or `give_back` must follow."""

    __slots__ = ("_held", "_place", "injection", "outcome")

    def __init__(
        self, outcome: Outcome | OutcomeCallable, injection: Injection, place: int, held: dict[str, Taken] | None
    ) -> None:
        self.outcome = outcome
        self.injection = injection
        self._place = place
        self._held = held
        """Where the outcomes that calls hold are kept; None if the call holds this one already."""

    @property
    def source(self) -> str:
        """Who has arranged it: "injection", "plan" or "chaos"."""
        return self.injection._source

    def keep(self, call: Call, outcome: Outcome) -> None:
        """Note that the outcome has answered the call. If it is per call, the call keeps it for its later attempts."""
        if self._held is not None and self.injection.per == "call":
            self._held[call.invocation_id] = Taken(outcome, self.injection, self._place, None)

    def give_back(self) -> None:
        """Note that the outcome has not answered the call: its callable declined, or the test has made a mistake."""
        if self._held is not None:
            self.injection._give_back(self._place)


class Faults:
    """The injections, quotas and opt-outs of one fake. Not locked: the service is."""

    def __init__(self) -> None:
        self.opted_out: dict[str, Outcome | None] = {}
        """What sends to each opted-out number end in; None: the API's own outcome."""
        self.rate_limits = RateLimits()
        self.injections: tuple[Injection, ...] = ()
        """In their order of precedence: finite ones, oldest first; then standing ones, newest first."""
        self._held: dict[str, Taken] = {}

    def save(self) -> Callable[[], Faults]:
        """Return a function that puts every handle back to how it is now, and returns faults of the same state."""
        saved = copy(self)
        restore_injections = [one._save() for one in self.injections]
        restore_rate_limits = self.rate_limits.save()
        opted_out, held = dict(self.opted_out), dict(self._held)

        def restore() -> Faults:
            for restore_injection in restore_injections:
                restore_injection()
            other = copy(saved)
            other.opted_out, other.rate_limits, other._held = dict(opted_out), restore_rate_limits(), dict(held)
            return other

        return restore

    def add(self, injection: Injection) -> None:
        """Put an injection in force."""
        left = [other for other in self.injections if not other._over]
        # After the finite ones, before those that stand: it is the newest of either.
        self.injections = (
            *(other for other in left if not other._standing),
            injection,
            *(other for other in left if other._standing),
        )

    def take(self, call: Call, declined: Collection[Injection] = ()) -> Taken | None:
        """Decide which injection answers the next attempt of a call; None: no injection does.

        An outcome that the call holds comes first; then finite injections, oldest first; then standing ones, newest
        first. An injection that answers is used.

        Args:
            call: the call, with its earlier attempts.
            declined: injections whose callable has returned None for this attempt.
        """
        # A list, not a generator: every injection counts this attempt, whichever answers it.
        ready = [one for one in self.injections if one._matches(call) and not one._lets_pass(call)]
        held = self._held.get(call.invocation_id)
        if held is not None:
            return held
        for injection in ready:
            if injection not in declined and (taken := injection._take()) is not None:
                outcome, place = taken
                return Taken(outcome, injection, place, self._held)
        return None

    def of_service(
        self, call: Call, operation: SendOperation, now: Callable[[], datetime]
    ) -> tuple[Outcome, str] | None:
        """Return the outcome of the quota or opt-out that refuses a send, and which of the two it is; None: neither."""
        throttled = self.rate_limits.find_outcome(call, operation.throttled, now)
        if throttled is not None:
            return throttled, "quota"
        if call.destination in self.opted_out:
            return self.opted_out[call.destination] or read_denial(operation.opted_out), "opt-out"
        return None

    def unused(self) -> list[Injection]:
        """Return the finite injections that still have outcomes to give and are not optional."""
        return [one for one in self.injections if one.remaining and not one.optional]

    def standing_and_unused(self) -> list[Injection]:
        """Return the standing injections that have answered no call, and are not optional."""
        return [one for one in self.injections if one.remaining is None and not (one.used or one.optional)]

    def cancel(self) -> None:
        """Cancel every injection."""
        for injection in self.injections:
            injection.cancel()
