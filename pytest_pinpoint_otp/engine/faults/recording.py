"""What a fake did to its calls, noted as it happens, so that a failure plan can repeat it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from copy import copy
from dataclasses import replace
from typing import NamedTuple

from pytest_pinpoint_otp.engine.faults.injections import Injection
from pytest_pinpoint_otp.engine.faults.outcome_base import Outcome
from pytest_pinpoint_otp.engine.faults.plans import FailurePlan, FailureStep
from pytest_pinpoint_otp.engine.journal import Journal
from pytest_pinpoint_otp.engine.records import Call


class _Noted(NamedTuple):
    """An attempt that the rules of OTP alone did not answer."""

    call: Call
    place: int
    """Which attempt of its operation it is."""
    outcome: Outcome
    injection: Injection | None


class Recording:
    """What a fake did to its calls, as far as a plan can repeat it. Not locked: the service is."""

    def __init__(self) -> None:
        self._begun: dict[str, list[str]] = {}
        """The invocation IDs of the attempts of each operation, in order, refused ones left out."""
        self._noted: dict[str, list[_Noted]] = {}

    def copy(self) -> Recording:
        """Return a recording of the same state that goes on independently."""
        other = copy(self)
        other._begun = {operation: list(begun) for operation, begun in self._begun.items()}
        other._noted = {invocation_id: list(noted) for invocation_id, noted in self._noted.items()}
        return other

    def begin(self, call: Call) -> int:
        """Count an attempt that is not refused, before anybody answers it, and return which of its operation it is."""
        begun = self._begun.setdefault(call.operation, [])
        begun.append(call.invocation_id)
        return len(begun) - 1

    def note(self, call: Call, place: int, outcome: Outcome, injection: Injection | None) -> None:
        """Keep what an attempt ended in; ``injection`` is None where the service decided."""
        self._noted.setdefault(call.invocation_id, []).append(_Noted(call, place, outcome, injection))

    def plan(self, journal: Journal, only: Collection[Injection] | None = None) -> FailurePlan:
        """Return the plan that reproduces what was noted, or what these injections have given."""
        # Numbered by the first attempt of each.
        numbers = {
            invocation_id: number
            for begun in self._begun.values()
            for number, invocation_id in enumerate(dict.fromkeys(begun))
        }
        steps: list[FailureStep] = []
        for invocation_id, noted in self._noted.items():
            call = journal.call(invocation_id)
            made = len(call.attempts) if call else 0
            wanted = [one for one in noted if only is None or one.injection in only]
            steps += _steps_of_call(wanted, made, numbers[invocation_id])
        return FailurePlan(tuple(_merge(steps)))


def _steps_of_call(noted: Sequence[_Noted], attempts: int, number: int) -> list[FailureStep]:
    """Return one step for a call whose attempts all ended alike, or else one for each attempt."""
    outcomes = [one.outcome for one in noted]
    if len(noted) == attempts and outcomes.count(outcomes[0]) == attempts:
        return [FailureStep(outcomes[0], noted[0].call.operation, after=number)]
    return [FailureStep(one.outcome, one.call.operation, per="attempt", after=one.place) for one in noted]


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
