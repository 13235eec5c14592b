"""The options of a fake: their names, defaults and checks, wherever they are given (marker, call, configuration)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from pytest_pinpoint_otp.apis.limits import ParameterError, check_parameter, plain
from pytest_pinpoint_otp.apis.operations import SEND, WIRE_NAMES
from pytest_pinpoint_otp.engine.checks import did_you_mean, kind


@dataclass(frozen=True, slots=True)
class Options:
    """How a fake behaves.

    Args:
        seed: what codes, message IDs and request IDs are drawn from (str or int).
        applications: the application IDs that exist; a call for any other is answered NotFoundException. None: any is
            accepted.
        code_length: digits, for requests that leave CodeLength out (AWS documents no default: our assumption, as for
            the next two).
        validity_period: minutes, for requests that leave ValidityPeriod out.
        allowed_attempts: failed verifications, for requests that leave AllowedAttempts out.
        enforce_limits: whether requests outside AWS's documented limits are answered BadRequestException.
        retry_backoff: whether botocore really sleeps before it retries a faked call.
        assert_all_used: whether a finite injection or a queued code that was not used is an error at the end.

    Raises:
        TypeError: a value has the wrong type.
        ValueError: a default outside AWS's limits while they are enforced, or one that cannot be simulated.
    """

    seed: str | int = "pytest-pinpoint-otp"
    applications: frozenset[str] | None = None
    code_length: int = 6
    validity_period: int = 15
    allowed_attempts: int = 3
    enforce_limits: bool = True
    retry_backoff: bool = False
    assert_all_used: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.seed, (str, int)) or isinstance(self.seed, bool):
            raise TypeError(f"seed takes a str or an int, not {kind(self.seed)}.")
        for name in ("enforce_limits", "retry_backoff", "assert_all_used"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} takes True or False, not {kind(getattr(self, name))}.")
        object.__setattr__(self, "applications", _read_applications(self.applications))
        for name in ("code_length", "validity_period", "allowed_attempts"):
            value = plain(getattr(self, name))
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{name} takes an int, not {kind(value)}.")
            object.__setattr__(self, name, value)
            try:
                check_parameter(SEND, WIRE_NAMES[name], value, enforce=self.enforce_limits)
            except ParameterError as error:
                raise ValueError(f"{name} is refused: {error}") from None


def _read_applications(given: object) -> frozenset[str] | None:
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"applications takes application IDs in a list, set or tuple, not {kind(given)}.")
    applications = frozenset(map(plain, given))
    for application in applications:
        if not isinstance(application, str):
            raise TypeError(f"applications takes application IDs as str, but has {kind(application)}.")
    return applications


OPTION_NAMES = tuple(field.name for field in fields(Options))


@cache
def default_options() -> Options:
    """Return the options where none is given."""
    return Options()


def read_options(given: Mapping[str, Any], owner: str, *, beside: tuple[str, ...] = ()) -> Options:
    """Check options by name and value.

    Args:
        given: the options, by name.
        owner: where they were given, for the message.
        beside: what the owner takes beside options, for the message.

    Raises:
        TypeError: an unknown option or a wrong type.
        ValueError: a value out of range.
    """
    if not given:
        return default_options()
    for name in given:
        if name not in OPTION_NAMES:
            raise TypeError(f"{owner}: there is no option {name!r}.{did_you_mean(name, (*OPTION_NAMES, *beside))}")
    try:
        return Options(**given)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{owner}: {error}") from None
