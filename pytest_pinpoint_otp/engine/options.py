"""The options of a fake: their names, defaults and checks, wherever they are given (marker, call, configuration)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, TypedDict

from pytest_pinpoint_otp.apis import APIS
from pytest_pinpoint_otp.apis.base import Terms
from pytest_pinpoint_otp.engine.argument_checks import check_bool, check_int, did_you_mean, kind, plain

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


class OptionValues(TypedDict, total=False):
    """The options as keyword arguments."""

    seed: str | int
    applications: Iterable[str] | None
    originations: Iterable[str] | None
    configurations: Iterable[str] | None
    code_length: int | None
    validity_period: int | None
    allowed_attempts: int | None
    enforce_limits: bool
    retry_backoff: bool
    assert_all_used: bool


@dataclass(frozen=True, slots=True)
class Options:
    """How a fake behaves.

    Args:
        seed: what codes, message IDs and request IDs are drawn from (str or int).
        applications: the application IDs that exist; a call for any other is answered NotFoundException. None: any is
            accepted.
        originations: the origination identities that the account has; a send from any other is not delivered. None:
            any.
        configurations: the notify code configuration IDs that exist. None: any, until one is created or added.
        code_length: characters of a code, for requests that leave the length out. None: what the API documents, as
            for the next two.
        validity_period: minutes that a code is valid, for requests that leave it out.
        allowed_attempts: failed verifications that a code survives, for requests that leave it out.
        enforce_limits: whether requests outside AWS's documented limits are refused.
        retry_backoff: whether botocore really sleeps before it retries a faked call.
        assert_all_used: whether a finite injection or a queued code that was not used is an error at the end.

    Raises:
        TypeError: a value has the wrong type.
        ValueError: a default that no API accepts while limits are enforced, or one that cannot be simulated.
    """

    seed: str | int = "pytest-pinpoint-otp"
    applications: frozenset[str] | None = None
    originations: frozenset[str] | None = None
    configurations: frozenset[str] | None = None
    code_length: int | None = None
    validity_period: int | None = None
    allowed_attempts: int | None = None
    enforce_limits: bool = True
    retry_backoff: bool = False
    assert_all_used: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.seed, (str, int)) or isinstance(self.seed, bool):
            raise TypeError(f"seed takes a str or an int, not {kind(self.seed)}.")
        object.__setattr__(self, "seed", plain(self.seed))
        for name in ("enforce_limits", "retry_backoff", "assert_all_used"):
            check_bool(name, getattr(self, name))
        for name, holds in _IDS.items():
            if (given := getattr(self, name)) is not None:
                object.__setattr__(self, name, _read_ids(name, given, holds))
        for name in ("code_length", "validity_period", "allowed_attempts"):
            if (value := plain(getattr(self, name))) is not None:
                object.__setattr__(self, name, value)
                _check_default(name, value, enforce=self.enforce_limits)

    @property
    def terms(self) -> Terms:
        """What the rules of the APIs depend on."""
        return Terms(
            self.applications,
            self.configurations,
            self.code_length,
            self.validity_period,
            self.allowed_attempts,
            self.enforce_limits,
        )


_IDS = {
    "applications": "application IDs",
    "originations": "origination identities",
    "configurations": "configuration IDs",
}
"""The options that are sets of what exists, and what they hold."""


def _check_default(name: str, value: int, *, enforce: bool) -> None:
    """Refuse a number that no API accepts."""
    check_int(name, value, meaning="minutes" if name == "validity_period" else "")
    refusals = find_refusals(name, value, enforce=enforce)
    if refusals:
        raise ValueError(f"{name} is refused. {refusals}")


def find_refusals(name: str, value: int, *, enforce: bool) -> str:
    """Return what every API says against the value of an option; empty if one accepts it."""
    refusals = {api.name: api.find_default_refusal(name, value, enforce=enforce) for api in APIS}
    return " ".join(f"{api}: {refusal}" for api, refusal in refusals.items()) if all(refusals.values()) else ""


def _read_ids(name: str, given: object, holds: str) -> frozenset[str]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"{name} takes {holds} in a list, set or tuple, not {kind(given)}.")
    ids = frozenset(map(plain, given))
    for one in ids:
        if not isinstance(one, str):
            raise TypeError(f"{name} takes {holds} as str, but has {kind(one)}.")
    return ids


OPTION_NAMES = tuple(field.name for field in fields(Options))


@cache
def default_options() -> Options:
    """Return the options if none is given."""
    return Options()


def read_options(given: Mapping[str, Any], owner: str, *, beside: tuple[str, ...] = ()) -> Options:
    """Check options by name and value.

    Args:
        given: the options, by name.
        owner: where they were given, for the message.
        beside: what the owner takes besides options, for the message.

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
