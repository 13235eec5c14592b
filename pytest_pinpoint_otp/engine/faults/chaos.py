"""Chaos: failures drawn at a rate from a seed, for every test of a run."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from pytest_pinpoint_otp.apis.operations import OPERATIONS, SEND
from pytest_pinpoint_otp.engine.faults.outcomes import DeliveryStatus, LostResponse

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.faults.injections import Injection
    from pytest_pinpoint_otp.engine.faults.plans import FailurePlan
    from pytest_pinpoint_otp.engine.journal import Call
    from pytest_pinpoint_otp.fake import PinpointOTP


def failures_of(operation: str) -> list[object]:
    """Return the failures that a call may meet in production: of the delivery, of the service, of the transport."""
    from botocore import exceptions

    deliveries = [status for status in DeliveryStatus if status != DeliveryStatus.SUCCESSFUL]
    errors = ["TooManyRequestsException", "InternalServerErrorException", "ForbiddenException"]
    transport = [exceptions.ReadTimeoutError, exceptions.ConnectTimeoutError, exceptions.EndpointConnectionError]
    return [*(deliveries if operation == SEND else []), *errors, *transport, LostResponse()]


class Chaos:
    """Failures that are drawn call by call. Called with a fake, it arranges them for it.

    Args:
        rate: how likely a call is to fail, 0 to 1.
        seed: what is drawn from; the same seed and the same calls give the same failures.
    """

    def __init__(self, rate: float, seed: str) -> None:
        self._rate = rate
        self._seed = seed
        self._injections: list[Injection] = []
        self.failed_calls = 0
        """How many calls it has failed so far, in all examples and after resets too."""

    def __call__(self, fake: PinpointOTP) -> None:
        """Let the calls of a fake fail, wherever no other injection answers them."""
        random = Random(self._seed)
        failures = {operation: failures_of(operation) for operation in OPERATIONS}

        def draw(call: Call) -> object:
            # Once for each call: a plan that replays it counts calls, not attempts.
            if call.attempts or random.random() >= self._rate:
                return None
            self.failed_calls += 1
            return random.choice(failures[call.operation])

        self._injections = [fake.inject(draw, operation=operation, times=None) for operation in OPERATIONS]

    def plan(self, fake: PinpointOTP) -> FailurePlan:
        """Return the plan of what was drawn for a fake, and of nothing that the test arranged itself."""
        return fake._recorded_plan(only=self._injections)
