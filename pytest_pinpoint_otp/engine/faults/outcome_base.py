"""What every outcome has: a label for records, its JSON, its repr, and what it has the service do."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, ClassVar, NamedTuple, Protocol, Self

from pytest_pinpoint_otp.apis.base import DeliveryReport
from pytest_pinpoint_otp.apis.rest_json import Response
from pytest_pinpoint_otp.engine.argument_checks import did_you_mean


class Failure(Protocol):
    """What there is instead of a response if the transport fails."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The name of the exception's class."""

    @abstractmethod
    def for_request(self, url: str) -> Exception:
        """Return the exception to raise for one request."""


class Answer(NamedTuple):
    """What an attempt comes to: what records keep of it, and what goes back to the client."""

    label: str
    status_code: int | None
    """None if the transport failed."""
    error_message: str | None
    response: Response | Failure


class Work(Protocol):
    """What the service can do for one attempt."""

    @abstractmethod
    def deliver(self, report: DeliveryReport) -> Answer:
        """Answer a send. A delivery that succeeds issues a code; one that fails changes nothing."""

    @abstractmethod
    def give_verdict(self, valid: bool) -> Answer:
        """Answer a verification without judging its code."""

    @abstractmethod
    def write_error(
        self, name: str, status_code: int, message: str, members: Mapping[str, Any] | None = None
    ) -> Answer:
        """Answer an error of the API."""

    @abstractmethod
    def carry_out(self) -> Answer:
        """Do what the call asks for, as the service does without an injection."""


class Pasteable:
    """Something that prints as a test would write it, in Hypothesis's reports too."""

    __slots__ = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # Hypothesis would print a dataclass field by field, and not as a test would write it.
        printer.text(repr(self))


class Outcome(Pasteable):
    """What an attempt ends in, when a test says so. Not of ABC's metaclass, whose isinstance is slow."""

    __slots__ = ()
    member: ClassVar[str]
    """The member of a plan's JSON that holds it."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The outcome as records show it."""

    @abstractmethod
    def carry_out(self, work: Work) -> Answer:
        """Let the service do what this outcome asks for."""

    @abstractmethod
    def to_json(self) -> Any:
        """Return what a plan's JSON holds under `member`.

        Raises:
            ValueError: JSON cannot hold it.
        """

    @classmethod
    @abstractmethod
    def from_json(cls, where: str, value: Any) -> Self:
        """Read what `to_json` wrote; ``where`` begins the message of an error.

        Raises:
            TypeError: a field has the wrong type.
            ValueError: a field is missing, unknown or out of range.
        """


def in_json(value: Any) -> str:
    """Return a value of a JSON document as error messages show it."""
    return repr(value) if isinstance(value, str) else json.dumps(value)


def in_place(where: str, made: type, error: Exception) -> ValueError:
    """Turn an error that names an argument of a class into one that names a member of a JSON document.

    Args:
        where: the member that an object of the class is read from.
        made: the class. Its errors about an argument begin with its name.
        error: what was raised.
    """
    message, own = str(error), f"{made.__name__}: "
    if message.startswith(own):
        message = f"{where}.{message.removeprefix(own)}"
    return ValueError(message if message.startswith(where) else f"{where}: {message}")


def check_members(where: str, value: Any, known: set[str], needed: list[str]) -> dict[str, Any]:
    """Return a JSON object, whose members must be known and which must have those that are needed.

    Raises:
        ValueError: naming the member that is unknown or missing.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{where} takes an object, not {in_json(value)}.")
    for name in value:
        if name not in known:
            raise ValueError(f"{where} has no member {name!r}.{did_you_mean(name, known)}")
    for name in needed:
        if name not in value:
            raise ValueError(f"{where} lacks its member {name!r}.")
    return value


def names_of_fields(outcome: type[Any]) -> set[str]:
    """Return the names of an outcome's fields."""
    return {one.name for one in fields(outcome)}


def unusual_fields(outcome: Any) -> dict[str, Any]:
    """Return the fields that do not have their default, by name."""
    values = {one: getattr(outcome, one.name) for one in fields(outcome)}
    return {
        one.name: value
        for one, value in values.items()
        if value != (one.default if one.default_factory is MISSING else one.default_factory())
    }


def write_call(outcome: Any, first: str) -> str:
    """Return an outcome as a test would write it, for people to paste."""
    first_field, *_ = fields(outcome)
    others = [f"{name}={value!r}" for name, value in unusual_fields(outcome).items() if name != first_field.name]
    return f"{type(outcome).__name__}({', '.join([first, *others])})"
