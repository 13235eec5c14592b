"""Failure plans: what a fake did, or is to do, as a value that can be compared, kept in a file and followed again."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, NamedTuple

from pytest_pinpoint_otp.apis.operations import OPERATIONS, SEND
from pytest_pinpoint_otp.engine.checks import did_you_mean, kind
from pytest_pinpoint_otp.engine.faults.injections import Injection, check_steering
from pytest_pinpoint_otp.engine.faults.outcomes import (
    Delivery,
    ErrorResponse,
    LostResponse,
    Outcome,
    Pasteable,
    RawResponse,
    TransportFailure,
    parse_outcome,
)
from pytest_pinpoint_otp.engine.journal import Call, Journal

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
        operation: ``SendOTPMessage`` or ``VerifyOTPMessage``.
        per: ``"call"`` or ``"attempt"``.
        after: how many matching calls or attempts pass first.
        times: for how many it holds; None: for ever.
        destination: only calls for this ``DestinationIdentity``; None: for any, as with the next two.
        reference_id: only calls with this ``ReferenceId``.
        application_id: only calls for this application.

    Raises:
        TypeError: a member has the wrong type.
        ValueError: an unknown name, or a count out of range.
    """

    outcome: Any
    operation: str = SEND
    per: str = "call"
    after: int = 0
    times: int | None = 1
    destination: str | None = None
    reference_id: str | None = None
    application_id: str | None = None

    def __post_init__(self) -> None:
        check_steering("FailureStep", self.operation, self.per, self.times, self.after)
        outcome = parse_outcome(self.outcome, self.operation)
        if callable(outcome):
            raise TypeError(f"FailureStep: outcome takes no callable, such as {self.outcome!r}: a plan is data.")
        object.__setattr__(self, "outcome", outcome)
        for name in _FILTERS:
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise TypeError(f"FailureStep: {name} takes a str, not {kind(value)}.")

    def injection(self, *, optional: bool, lock: threading.RLock) -> Injection:
        """Return a new injection that carries the step out."""
        return Injection(
            self.outcome,
            operation=self.operation,
            per=self.per,
            times=self.times,
            after=self.after,
            optional=optional,
            filters={name: getattr(self, name) for name in _FILTERS},
            lock=lock,
        )

    def __repr__(self) -> str:
        words = [repr(self.outcome), *(f"{name}={value!r}" for name, value in self._unusual())]
        return f"FailureStep({', '.join(words)})"

    def _unusual(self) -> Iterator[tuple[str, Any]]:
        """Yield the members beside the outcome that are not as they are by default."""
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if value != field.default:
                yield field.name, value


@dataclass(frozen=True, slots=True)
class FailurePlan:
    """What is to go wrong in a test: an immutable, comparable value, made of steps.

    ``fake.follow(plan)`` carries it out, ``fake.recorded_plan()`` returns the one that reproduces what a fake did, and
    `to_json` and `from_json` keep it in a file.

    Args:
        steps: the `FailureStep` values, oldest first.

    Raises:
        TypeError: a step is no `FailureStep`.
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

    def to_json(self) -> str:
        """Return the plan as a JSON document, which `from_json` reads.

        Raises:
            ValueError: a step's exception is an instance, or none of botocore's own: JSON holds its class name only.
        """
        steps = [{"outcome": _write_outcome(step.outcome), **dict(step._unusual())} for step in self.steps]
        return json.dumps({"version": VERSION, "steps": steps}, indent=2)

    @classmethod
    def from_json(cls, text: str | bytes) -> FailurePlan:
        """Read a plan from a JSON document.

        Raises:
            TypeError: no text.
            ValueError: naming the member that is wrong, its value, and what it takes.
        """
        if not isinstance(text, (str, bytes, bytearray)):
            raise TypeError(
                f"from_json takes the text of a JSON document, not {kind(text)}; Path.read_text() reads a file."
            )
        try:
            document = json.loads(text, object_pairs_hook=_object)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"The failure plan is no JSON document: {error}.") from None
        _check_members("the plan", document, None, {"version"})
        # First of all: a later version may have other members.
        if type(document["version"]) is not int or document["version"] != VERSION:
            raise ValueError(f"version is {document['version']!r}, but this package reads version {VERSION}.")
        _check_members("the plan", document, {"version", "steps"}, {"version", "steps"})
        if not isinstance(document["steps"], list):
            raise ValueError(f"steps takes a list, not {kind(document['steps'])}.")
        return cls(tuple(_read_step(f"steps[{index}]", step) for index, step in enumerate(document["steps"])))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object, whose members may not be given twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the member {next(name for name in names if names.count(name) > 1)!r} is there twice")
    return members


def _names_of(record: type[FailureStep | Delivery | ErrorResponse | RawResponse]) -> set[str]:
    return {field.name for field in fields(record)}


def _read_step(where: str, step: Any) -> FailureStep:
    _check_members(where, step, _names_of(FailureStep), {"outcome"})
    outcome = _read_outcome(f"{where}.outcome", step["outcome"], step.get("operation", SEND))
    try:
        return FailureStep(**{**step, "outcome": outcome})
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from None


def _write_outcome(outcome: Outcome) -> Any:
    if isinstance(outcome, TransportFailure):
        return {"exception": _write_exception(outcome)}
    if isinstance(outcome, LostResponse):
        return {"lost_response": _write_exception(outcome.failure)}
    members = {
        field.name: value for field in fields(outcome) if (value := getattr(outcome, field.name)) not in (None, {})
    }
    if isinstance(outcome, Delivery):
        return {"delivery": {**members, "status": outcome.label}}
    if isinstance(outcome, ErrorResponse):
        return {"error": members}
    del members["body"]
    return {"raw_response": {**members, **_write_body(outcome.content)}}


def _write_exception(failure: TransportFailure) -> str:
    from botocore import exceptions

    if getattr(exceptions, failure.label, None) is not failure.exception:
        raise ValueError(
            f"to_json: {failure!r} cannot be written; JSON holds the names of botocore's own exception classes only."
            " Inject the class, not an instance."
        )
    return failure.label


def _write_body(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


def _read_outcome(where: str, written: Any, operation: str) -> Any:
    if isinstance(written, dict) and len(written) == 1 and next(iter(written)) in _OUTCOME_READERS:
        ((name, value),) = written.items()
        where, read = f"{where}.{name}", _OUTCOME_READERS[name]
    elif isinstance(written, str):
        value, read = written, lambda where, name: name
    else:
        raise ValueError(f"{where} is {written!r}, but takes a name, or an object with one of: {_OUTCOME_KINDS}.")
    try:
        return parse_outcome(read(where, value), operation)
    except (TypeError, ValueError) as error:
        told = str(error)
        raise ValueError(told if told.startswith(where) else f"{where}: {told}") from None


def _read_delivery(where: str, members: Any) -> Delivery:
    _check_members(where, members, _names_of(Delivery), {"status"})
    return Delivery(**members)


def _read_error(where: str, members: Any) -> ErrorResponse:
    _check_members(where, members, _names_of(ErrorResponse), {"name"})
    return ErrorResponse(**members)


def _read_raw_response(where: str, members: Any) -> RawResponse:
    _check_members(where, members, {*_names_of(RawResponse), "body_base64"}, {"status_code"})
    members = dict(members)
    if "body_base64" in members:
        if "body" in members:
            raise ValueError(f"{where} has both body and body_base64, but takes one of them.")
        written = members.pop("body_base64")
        try:
            members["body"] = base64.b64decode(written, validate=True)
        except (TypeError, ValueError):
            raise ValueError(f"{where}.body_base64 is {written!r}, but takes bytes in Base64.") from None
    return RawResponse(**members)


def _read_exception(where: str, name: Any) -> type[Exception]:
    from botocore import exceptions

    cls = getattr(exceptions, name, None) if isinstance(name, str) else None
    if not isinstance(cls, type):
        known = [name for name, value in vars(exceptions).items() if isinstance(value, type)]
        hint = did_you_mean(name, known) if isinstance(name, str) else ""
        raise ValueError(f"{where} is {name!r}, which is no exception class of botocore.exceptions.{hint}")
    return cls


_OUTCOME_READERS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "delivery": _read_delivery,
    "error": _read_error,
    "exception": _read_exception,
    "lost_response": lambda where, name: LostResponse(_read_exception(where, name)),
    "raw_response": _read_raw_response,
}
_OUTCOME_KINDS: Final = ", ".join(_OUTCOME_READERS)


def _check_members(where: str, document: Any, known: Collection[str] | None, needed: Iterable[str]) -> None:
    if not isinstance(document, dict):
        raise ValueError(f"{where} takes an object, not {kind(document)}.")
    for name in document:
        if known is not None and name not in known:
            raise ValueError(f"{where} has no member {name!r}.{did_you_mean(name, known)}")
    for name in needed:
        if name not in document:
            raise ValueError(f"{where} lacks its member {name!r}.")


class _Entry(NamedTuple):
    """An attempt that was not answered by the rules of OTP alone."""

    call: Call
    attempt: int
    outcome: Outcome
    injection: Injection | None


class Recording:
    """What a fake did to its calls, as far as a plan can repeat it. Not locked: the service is."""

    def __init__(self) -> None:
        self._begun: dict[str, list[str]] = {operation: [] for operation in OPERATIONS}
        """The invocation IDs of the attempts of each operation, in order, refused ones left out."""
        self._entries: dict[str, list[_Entry]] = {}

    def begin(self, call: Call) -> int:
        """Count an attempt that is not refused, before anybody answers it, and return which of its operation it is."""
        begun = self._begun[call.operation]
        begun.append(call.invocation_id)
        return len(begun) - 1

    def note(self, call: Call, attempt: int, outcome: Outcome, injection: Injection | None) -> None:
        """Keep what an attempt ended in; ``injection`` is None where a quota or an opt-out decided."""
        self._entries.setdefault(call.invocation_id, []).append(_Entry(call, attempt, outcome, injection))

    def plan(self, journal: Journal, only: Collection[Injection] | None = None) -> FailurePlan:
        """Return the plan that reproduces what was noted, or what these injections have given."""
        # Numbered by the first attempt of each.
        numbers = {
            invocation_id: number
            for begun in self._begun.values()
            for number, invocation_id in enumerate(dict.fromkeys(begun))
        }
        steps: list[FailureStep] = []
        for invocation_id, entries in self._entries.items():
            call = journal.call(invocation_id)
            made = len(call.attempts) if call else 0
            wanted = [entry for entry in entries if only is None or entry.injection in only]
            steps += _steps_of_call(wanted, made, numbers[invocation_id])
        return FailurePlan(tuple(_merged(steps)))


def _steps_of_call(entries: Sequence[_Entry], attempts: int, number: int) -> list[FailureStep]:
    """Return one step for a call whose attempts all ended alike, or else one for each attempt."""
    outcomes = [entry.outcome for entry in entries]
    if len(entries) == attempts and outcomes.count(outcomes[0]) == attempts:
        return [FailureStep(outcomes[0], entries[0].call.operation, after=number)]
    return [FailureStep(entry.outcome, entry.call.operation, per="attempt", after=entry.attempt) for entry in entries]


def _merged(steps: Iterable[FailureStep]) -> list[FailureStep]:
    """Put steps that follow on each other with the same outcome into one."""
    merged: list[FailureStep] = []
    for step in steps:
        last = merged[-1] if merged else None
        if last and last.times and step == replace(last, after=last.after + last.times, times=1):
            merged[-1] = replace(last, times=last.times + 1)
        else:
            merged.append(step)
    return merged
