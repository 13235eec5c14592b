"""Chaos: failures drawn at a rate for every call, from a seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from random import Random
from typing import Final

from pytest_pinpoint_otp.apis import OPERATIONS
from pytest_pinpoint_otp.engine.faults.injections import Drawing, Injection
from pytest_pinpoint_otp.engine.faults.outcomes import DeliveryStatus
from pytest_pinpoint_otp.engine.faults.transport_errors import DRAWN_BY_CHAOS, LostResponse
from pytest_pinpoint_otp.engine.lock import lock
from pytest_pinpoint_otp.engine.records import Call

KINDS: Final = ("transient", "delivery", "errors", "network", "lost")
"""The kinds of failures. A transient one fails an attempt; the others fail a call."""

_RETRIED: Final = (429, 500)
"""The statuses among those of the usual errors that every retry mode of botocore retries."""


def failures_of(operation: str) -> dict[str, list[object]]:
    """Return the failures that a call may meet in production, by kind."""
    faked = OPERATIONS[operation]
    errors = faked.api.usual_errors
    return {
        "transient": [*(name for name in errors if faked.api.errors[name] in _RETRIED), *DRAWN_BY_CHAOS],
        "delivery": [status for status in DeliveryStatus if status != DeliveryStatus.SUCCESSFUL] if faked.sends else [],
        "errors": [*errors],
        "network": [*DRAWN_BY_CHAOS],
        "lost": [LostResponse()],
    }


class Chaos:
    """Failures that are drawn call by call.

    Args:
        rate: how likely a call is to fail, 0 to 1, and how likely the first attempt of any other call is.
        seed: what is drawn from; the same seed and the same calls for a destination give the same failures.
        kinds: those of `KINDS` that are drawn.
        choices: returns what Hypothesis has chosen so far for the example under way in this thread, which is drawn from
            as well; None: there is no example.
    """

    def __init__(
        self,
        rate: float,
        seed: str,
        kinds: Collection[str] = KINDS,
        choices: Callable[[], Sequence[object] | None] = lambda: None,
    ) -> None:
        self.rate: Final = rate
        self.seed: Final = seed
        self.choices: Final = choices
        self.counts: Final[Counter[str]] = Counter()
        """How many "calls" it has met, how many of them "failed", and how many of those were "hidden" by a retry."""
        self._kinds = kinds

    def injections(self) -> list[Injection]:
        """Return new injections that let calls fail wherever no other injection answers them."""
        # The newest standing injection answers first: whether an attempt fails is drawn only if its call does not.
        kinds = {"attempt": {"transient"}, "call": {*KINDS} - {"transient"}}
        return [
            Injection(
                draws, operation=operation, per=per, times=None, after=0, optional=True, filters={}, source="chaos"
            )
            for per, of in kinds.items()
            for draws in [_Draws(self, per, of.intersection(self._kinds))]
            for operation in OPERATIONS
        ]


class _Draws(Drawing):
    """What chaos draws for the calls of one fake, or for their first attempts."""

    def __init__(self, chaos: Chaos, per: str, kinds: Collection[str]) -> None:
        self._chaos = chaos
        self._per = per
        self._failures = {
            operation: [failures for kind, failures in failures_of(operation).items() if kind in kinds and failures]
            for operation in OPERATIONS
        }
        self.begin()

    def begin(self) -> None:
        self._begun = self._chaos.choices()
        self._called: Sequence[object] | None = None

    def __call__(self, call: Call, number: int) -> object:
        # Once for each call: a call that fails does so at every attempt, and a retry hides the failure of an attempt.
        if call.attempts:
            if self._per == "attempt" and [one.source for one in call.attempts] == ["chaos"]:
                self._count("hidden")
            return None
        drawn = (self._chaos.seed, self._example(), self._per, call.operation, call.destination, number)
        random = Random(repr(drawn))
        kinds = self._failures[call.operation]
        failed = bool(kinds) and random.random() < self._chaos.rate
        if self._per == "call":
            self._count("calls")
        if failed:
            self._count("failed")
        return random.choice(random.choice(kinds)) if failed else None

    def _example(self) -> Sequence[object] | None:
        """Return what tells an example from the others, and is the same when it is run again.

        In a thread of the application, that is what was chosen before the example began, since the example goes on
        choosing meanwhile. Otherwise it is what was chosen before the first call: a state machine has chosen nothing
        when its example begins, and what follows the first call can be shrunk with the same failures.
        """
        choices = self._chaos.choices()
        if choices is None:
            return self._begun
        if self._called is None:
            self._called = choices
        return self._called

    def _count(self, what: str) -> None:
        with lock:
            self._chaos.counts[what] += 1
