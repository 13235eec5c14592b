"""Rules on the parameters of a request, and how they are checked. Each API has rules of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

E164: Final = r"\+[1-9][0-9]{1,14}"
"""A phone number: a plus, a country code and a number."""


class ParameterError(ValueError):
    """A parameter is missing, has the wrong type, or is outside a limit; the message names all three."""

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(message)
        self.name: Final = name


class ParameterTypeError(ParameterError):
    """A parameter has the wrong type."""


class Rule(NamedTuple):
    """What one parameter of an operation takes."""

    type: type
    required: bool
    accepts: Callable[[Any], object]
    """The documented limit, checked when limits are enforced."""
    limit: str
    simulated: Callable[[Any], object]
    """What can be simulated, checked if limits are not enforced."""


def _anything(value: object) -> bool:
    return True


def text(limit: str, accepts: Callable[[str], object] = _anything, *, required: bool = False) -> Rule:
    """Return a rule for a string."""
    return Rule(str, required, accepts, limit, _anything)


def number(limit: str, accepted: range, simulated: range) -> Rule:
    """Return a rule for an integer."""
    return Rule(int, False, accepted.__contains__, limit, simulated.__contains__)


def like(pattern: str) -> Callable[[str], object]:
    """Return a check: whether the whole string matches."""
    return re.compile(pattern).fullmatch


def of_length(shortest: int, longest: int) -> Callable[[str], object]:
    """Return a check: whether a string has so many characters."""
    return lambda value: shortest <= len(value) <= longest


def check_parameters(
    rules: Mapping[str, Rule], parameters: Mapping[str, Any], *, enforce: bool, operation: str
) -> None:
    """Check the parameters of one request.

    Args:
        rules: the rules by AWS's names.
        parameters: the request's parameters; None counts as left out, and unknown members are ignored.
        enforce: whether the documented limits are checked; required members and types always are.
        operation: the operation, for the message.

    Raises:
        ParameterError: naming the first parameter that is refused, its value and the limit.
    """
    for name, rule in rules.items():
        value = parameters.get(name)
        if value is not None:
            # The common case takes no call, because this runs for each parameter of each request.
            if type(value) is not rule.type or not (rule.accepts if enforce else rule.simulated)(value):
                check_parameter(rule, name, value, enforce=enforce)
        elif rule.required:
            raise ParameterError(f"{name} is missing: {operation} needs {rule.limit}.", name)


def check_parameter(rule: Rule, name: str, value: object, *, enforce: bool) -> None:
    """Check one parameter's value.

    Raises:
        ParameterError: naming the parameter, its value and the limit.
    """
    if type(value) is not rule.type:
        takes = _TYPE_NAMES[rule.type]
        limit = "" if takes == rule.limit else f": {rule.limit}"
        raise ParameterTypeError(f"{name} is {value!r}, but takes {takes}{limit}.", name)
    if not (rule.accepts if enforce else rule.simulated)(value):
        accepted = "but AWS accepts" if enforce else "which cannot be simulated; AWS accepts"
        raise ParameterError(f"{name} is {value!r}, {accepted} {rule.limit}.", name)


def find_refusal(rule: Rule, name: str, value: object, *, enforce: bool) -> str | None:
    """Return why a parameter's value is refused, as `check_parameter` says it; None: it is not."""
    try:
        check_parameter(rule, name, value, enforce=enforce)
    except ParameterError as error:
        return str(error)
    return None


PHONE_NUMBER: Final = text("a phone number in E.164, such as '+15550100123'", like(E164), required=True)

_TYPE_NAMES: Final = {str: "a string", int: "an integer", bool: "true or false"}
