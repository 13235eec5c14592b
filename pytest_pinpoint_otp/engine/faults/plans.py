"""Failure plans: what a fake did, or is to do, as a value that can be compared, kept in a file and followed again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from itertools import chain
from pathlib import Path
from typing import Any, Final

from pytest_pinpoint_otp.apis import DEFAULT_OPERATION
from pytest_pinpoint_otp.engine.argument_checks import check_str, kind, plain, unique_members
from pytest_pinpoint_otp.engine.faults.injections import Injection
from pytest_pinpoint_otp.engine.faults.outcome_base import Pasteable, check_members, in_json, in_place
from pytest_pinpoint_otp.engine.faults.parsing import (
    check_steering,
    parse_outcome,
    read_json,
    read_operation,
    write_json,
)

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

VERSION: Final = 1
"""The schema of the JSON document."""

_FILTERS: Final = ("destination", "reference_id", "application_id")


@dataclass(frozen=True, slots=True, repr=False)
class FailureStep(Pasteable):
    """One step of a plan: an outcome, and which calls or attempts end in it. Its members are arguments of ``inject``.

    Args:
        outcome: in any form that `PinpointOTP.inject` takes but a callable.
        operation: a faked operation, such as ``SendOTPMessage``.
        per: ``"call"`` or ``"attempt"``.
        after: how many matching calls or attempts pass first.
        times: how many of them end in the outcome; None: all that follow.
        destination: only calls for this destination. None means any, as with the next two.
        reference_id: only calls with this reference.
        application_id: only calls for this application.
        note: a text for people. It changes nothing, and steps that differ only in it are equal.

    Raises:
        TypeError: a member has the wrong type.
        ValueError: an unknown name, or a count out of range.
    """

    outcome: Any
    operation: str = DEFAULT_OPERATION
    per: str = "call"
    after: int = 0
    times: int | None = 1
    destination: str | None = None
    reference_id: str | None = None
    application_id: str | None = None
    note: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        operation = read_operation("FailureStep", self.operation)
        object.__setattr__(self, "operation", operation)
        check_steering("FailureStep", self.per, self.times, self.after)
        outcome = parse_outcome(self.outcome, operation)
        if callable(outcome):
            raise TypeError(f"FailureStep: outcome takes no callable, such as {self.outcome!r}: a plan is data.")
        object.__setattr__(self, "outcome", outcome)
        for name in (*_FILTERS, "note"):
            value = getattr(self, name)
            if value is not None:
                check_str(f"FailureStep: {name}", value)
                object.__setattr__(self, name, plain(value))

    def injection(self, *, optional: bool, source: str) -> Injection:
        """Return a new injection that carries the step out."""
        return Injection(
            self.outcome,
            operation=self.operation,
            per=self.per,
            times=self.times,
            after=self.after,
            optional=optional,
            filters={name: getattr(self, name) for name in _FILTERS},
            source=source,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the step as the plan's JSON has it.

        Raises:
            ValueError: its exception is an instance, or not one of botocore's own.
        """
        return {"outcome": write_json(self.outcome, self.operation), **dict(self._unusual())}

    @classmethod
    def from_json(cls, where: str, step: Any) -> FailureStep:
        """Read what `to_json` wrote; ``where`` begins the message of an error.

        Raises:
            ValueError: naming the member that is wrong, its value, and what it takes.
        """
        members = dict(check_members(where, step, {*_MEMBERS, "timeline"}, ["outcome"]))
        return _make_step(where, f"{where}.outcome", members.pop("outcome"), members)

    def __repr__(self) -> str:
        words = [repr(self.outcome), *(f"{name}={value!r}" for name, value in self._unusual())]
        return f"FailureStep({', '.join(words)})"

    def _unusual(self) -> Iterator[tuple[str, Any]]:
        """Yield the members besides the outcome that do not have their default."""
        for one in fields(self)[1:]:
            value = getattr(self, one.name)
            if value != one.default:
                yield one.name, value


_MEMBERS: Final = frozenset(one.name for one in fields(FailureStep))
_SHARED: Final = ("operation", *_FILTERS, "note")
"""The members that a timeline has for all of its attempts."""


@dataclass(frozen=True, slots=True, repr=False)
class FailurePlan(Pasteable):
    """What goes wrong in a test, as an immutable value that can be compared. It is made of steps.

    ``fake.follow(plan)`` carries it out, and ``fake.recorded_plan()`` returns the one that reproduces what a fake did.
    `to_json`, `from_json` and `from_file` keep it in a file.

    Args:
        steps: the `FailureStep` values, oldest first.

    Raises:
        TypeError: a step is not a `FailureStep`.
    """

    steps: tuple[FailureStep, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.steps, Iterable):
            raise TypeError(f"FailurePlan: steps takes a tuple of FailureStep values, not {kind(self.steps)}.")
        steps = tuple(self.steps)
        for step in steps:
            if not isinstance(step, FailureStep):
                raise TypeError(f"FailurePlan: steps takes FailureStep values, but has {kind(step)}.")
        object.__setattr__(self, "steps", steps)

    def __repr__(self) -> str:
        return f"FailurePlan({self.steps!r})" if self.steps else "FailurePlan()"

    def to_json(self) -> str:
        """Return the plan as a JSON document, which `from_json` reads.

        Raises:
            ValueError: a step's exception is an instance, or not one of botocore's own: JSON holds its class name only.
        """
        lines = ",".join(f"\n    {json.dumps(step.to_json())}" for step in self.steps)
        end = "\n  " if lines else ""
        return f'{{\n  "version": {VERSION},\n  "steps": [{lines}{end}]\n}}'

    @classmethod
    def from_json(cls, text: str | bytes) -> FailurePlan:
        """Read a plan from a JSON document.

        Raises:
            TypeError: neither str nor bytes.
            ValueError: naming the member that is wrong, its value, and what it takes.
        """
        if not isinstance(text, (str, bytes, bytearray)):
            raise TypeError(
                f"from_json takes the text of a JSON document, not {kind(text)}; FailurePlan.from_file reads a file."
            )
        try:
            document = json.loads(text, object_pairs_hook=unique_members)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"The failure plan is not a JSON document: {error}.") from None
        where = "the plan"
        if not isinstance(document, dict):
            raise ValueError(
                f'{where} takes an object, such as {{"version": {VERSION}, "steps": [...]}}, not {in_json(document)}.'
            )
        # First of all: a later version may have other members.
        version = check_members(where, document, {"version", *document}, ["version"])["version"]
        if type(version) is not int or version != VERSION:
            raise ValueError(f"version is {in_json(version)}, but this package reads version {VERSION}.")
        steps = check_members(where, document, {"version", "steps"}, ["steps"])["steps"]
        if not isinstance(steps, list):
            raise ValueError(f"steps takes a list, not {in_json(steps)}.")
        read = (_read_steps(f"steps[{index}]", step) for index, step in enumerate(steps))
        return cls(tuple(chain.from_iterable(read)))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> FailurePlan:
        """Read a plan from a file with a JSON document.

        Raises:
            TypeError: not a path.
            OSError: the file cannot be read.
            ValueError: naming the file, the member that is wrong, its value, and what it takes.
        """
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"from_file takes the path of a file, not {kind(path)}; from_json reads a document.")
        try:
            return cls.from_json(Path(path).read_bytes())
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}: {error}") from None


def _read_steps(where: str, step: Any) -> Iterator[FailureStep]:
    """Read a step that counts, or a timeline: what each attempt ends in; null: the service answers."""
    if not isinstance(step, dict) or "timeline" not in step:
        yield FailureStep.from_json(where, step)
        return
    if "outcome" in step:
        raise ValueError(f"{where} has both outcome and timeline, but takes one of them.")
    if "times" in step:
        raise ValueError(f"{where} has both times and timeline: repeat the entries of the timeline instead.")
    shared = dict(check_members(f"{where}, a timeline,", step, {"timeline", *_SHARED}, []))
    timeline = shared.pop("timeline")
    if not isinstance(timeline, list):
        raise ValueError(f"{where}.timeline takes a list, not {in_json(timeline)}.")
    # With any outcome, to check what the steps share even if the service answers every attempt.
    _make_step(where, where, {"raw_response": {"status_code": 200}}, shared)
    for place, outcome in enumerate(timeline):
        if outcome is not None:
            yield _make_step(where, f"{where}.timeline[{place}]", outcome, {**shared, "per": "attempt", "after": place})


def _make_step(where: str, at: str, outcome: Any, members: dict[str, Any]) -> FailureStep:
    """Make a step of what a document says; its outcome stands ``at`` its own place there."""
    try:
        operation = read_operation(FailureStep.__name__, members.get("operation", DEFAULT_OPERATION))
        return FailureStep(read_json(at, outcome, operation), **members)
    except (TypeError, ValueError) as error:
        raise in_place(where, FailureStep, error) from None
