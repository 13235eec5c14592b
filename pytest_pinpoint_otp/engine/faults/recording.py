"""What a fake did to its calls, noted as it happens, so that a failure plan can repeat it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import replace
from typing import NamedTuple

from pytest_pinpoint_otp.apis import ERRORS, OPERATIONS
from pytest_pinpoint_otp.engine.faults.outcome_base import Outcome
from pytest_pinpoint_otp.engine.faults.outcomes import ErrorResponse
from pytest_pinpoint_otp.engine.faults.plans import FailurePlan, FailureStep
from pytest_pinpoint_otp.engine.journal import Journal
from pytest_pinpoint_otp.engine.records import Call


class _Noted(NamedTuple):
    """An attempt that was not answered by the rules of OTP alone."""

    call: Call
    place: int
    """Which of the attempts of its operation for its destination it is."""
    outcome: Outcome
    source: str
    """Who decided that."""


class Recording:
    """What a fake did to its calls, as far as a plan can repeat it. Not locked: the service is.

    It counts for each operation and destination separately: the calls of an application's threads alternate differently
    in the next run.
    """

    def __init__(self) -> None:
        self._begun: dict[tuple[str, str | None], list[str]] = {}
        """The invocation IDs of the attempts of an operation for a destination, in order, refused ones left out."""
        self._numbers: dict[tuple[str, str | None], tuple[int, dict[str, int]]] = {}
        """How many of those attempts have been looked at, and the number of each call among them."""
        self._noted: dict[str, list[_Noted]] = {}

    def copy(self) -> Recording:
        """Return a recording of the same state that goes on independently."""
        other = copy(self)
        other._begun = {counted: list(begun) for counted, begun in self._begun.items()}
        other._numbers = {}
        other._noted = {invocation_id: list(noted) for invocation_id, noted in self._noted.items()}
        return other

    def begin(self, operation: str, destination: str | None, invocation_id: str) -> int:
        """Count an attempt that is not refused, before it is answered, and return its place."""
        begun = self._begun.setdefault((operation, destination), [])
        begun.append(invocation_id)
        return len(begun) - 1

    def number(self, call: Call) -> int:
        """Return which of the calls of its operation for its destination it is, by the first attempt of each."""
        counted = call.operation, call.destination
        begun = self._begun[counted]
        # Here, not at each attempt, because only chaos needs it.
        known, numbers = self._numbers.get(counted, (0, {}))
        for invocation_id in begun[known:]:
            numbers.setdefault(invocation_id, len(numbers))
        self._numbers[counted] = len(begun), numbers
        return numbers[call.invocation_id]

    def note(self, call: Call, place: int, outcome: Outcome, source: str) -> None:
        """Keep what an attempt ended in, and who decided that."""
        self._noted.setdefault(call.invocation_id, []).append(_Noted(call, place, outcome, source))

    def plan(self, journal: Journal, source: str | None = None) -> FailurePlan:
        """Return the plan that reproduces what was noted; or, of that, only what this source decided."""
        steps: list[FailureStep] = []
        # Sorted: threads come in any order, but the same calls must give the same plan.
        for operation, destination in sorted(self._begun, key=_order):
            begun = dict.fromkeys(self._begun[operation, destination])
            for number, invocation_id in enumerate(begun):
                noted = self._noted.get(invocation_id, ())
                wanted = [one for one in noted if source in (None, one.source)]
                call = journal.by_invocation_id.get(invocation_id)
                steps += _steps_of_call(wanted, len(call.attempts) if call else 0, number)
        return FailurePlan(tuple(_merge(steps)))


def _order(counted: tuple[str, str | None]) -> tuple[int, str]:
    operation, destination = counted
    return list(OPERATIONS).index(operation), destination or ""


def _steps_of_call(noted: Sequence[_Noted], attempts: int, number: int) -> list[FailureStep]:
    """Return one step for a call whose attempts all ended alike, or else one for each attempt."""
    outcomes = [one.outcome for one in noted]
    if outcomes and len(noted) == attempts and outcomes.count(outcomes[0]) == attempts:
        return [_step(noted[0], per="call", after=number)]
    return [_step(one, per="attempt", after=one.place) for one in noted]


def _step(noted: _Noted, *, per: str, after: int) -> FailureStep:
    call, outcome = noted.call, noted.outcome
    if isinstance(outcome, ErrorResponse) and outcome.name not in OPERATIONS[call.operation].api.errors:
        # A quota or an opt-out may answer an error of another API, which a step takes only with its status code.
        outcome = replace(outcome, status_code=outcome.status_code or ERRORS[outcome.name])
    return FailureStep(outcome, call.operation, per, after, destination=call.destination)


def _merge(steps: Iterable[FailureStep]) -> list[FailureStep]:
    """Put steps that follow on each other with the same outcome into one."""
    merged: list[FailureStep] = []
    for step in steps:
        last = merged[-1] if merged else None
        if last and last.times and step == replace(last, after=last.after + last.times, times=1):
            merged[-1] = replace(last, times=last.times + 1)
        else:
            merged.append(step)
    return merged
