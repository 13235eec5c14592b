"""Chaos: failures drawn at a rate for every call, from a seed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Final

from pytest_pinpoint_otp.apis import OPERATIONS
from pytest_pinpoint_otp.engine.faults.injections import Drawing, Injection
from pytest_pinpoint_otp.engine.faults.outcomes import DeliveryStatus
from pytest_pinpoint_otp.engine.faults.transport_errors import DRAWN_BY_CHAOS, LostResponse
from pytest_pinpoint_otp.engine.records import Call


def failures_of(operation: str) -> list[object]:
    """Return the failures that a call may meet in production: of the delivery, of the service, of the transport."""
    faked = OPERATIONS[operation]
    deliveries = [status for status in DeliveryStatus if status != DeliveryStatus.SUCCESSFUL] if faked.sends else []
    return [*deliveries, *faked.api.usual_errors, *DRAWN_BY_CHAOS, LostResponse()]


class Chaos:
    """Failures that are drawn call by call.

    Args:
        rate: how likely a call is to fail, 0 to 1.
        seed: what is drawn from; the same seed and the same calls give the same failures.
    """

    def __init__(self, rate: float, seed: str) -> None:
        self.rate: Final = rate
        self._seed = seed
        self.failed_calls = 0
        """How many calls it has failed so far, in all examples and after resets too."""

    def injections(self) -> list[Injection]:
        """Return new injections that let calls fail wherever no other injection answers them."""
        draws = _Draws(self, Random(self._seed))
        return [
            Injection(
                draws, operation=operation, per="call", times=None, after=0, optional=True, filters={}, source="chaos"
            )
            for operation in OPERATIONS
        ]


class _Draws(Drawing):
    """What chaos draws for the calls of one fake."""

    def __init__(self, chaos: Chaos, random: Random) -> None:
        self._chaos = chaos
        self._random = random
        self._failures = {operation: failures_of(operation) for operation in OPERATIONS}

    def __call__(self, call: Call) -> object:
        # Once for each call: a plan that replays it counts calls, not attempts.
        if call.attempts or self._random.random() >= self._chaos.rate:
            return None
        self._chaos.failed_calls += 1
        return self._random.choice(self._failures[call.operation])

    def save(self) -> Callable[[], None]:
        return partial(self._random.setstate, self._random.getstate())
