"""Strategies for sends and verifications of Amazon Pinpoint, valid and refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from string import ascii_letters, digits
from typing import Any, Final, Literal

from hypothesis import strategies as st

from pytest_pinpoint_otp.apis.pinpoint import (
    ALLOWED_ATTEMPTS,
    CODE_LENGTH,
    LANGUAGES,
    SEND_RULES,
    VALIDITY_PERIOD,
    VERIFY_RULES,
)
from pytest_pinpoint_otp.strategies.phones import malformed_numbers, phone_numbers
from pytest_pinpoint_otp.strategies.values import (
    CHARACTERS,
    as_strategy,
    check_fixed,
    check_names,
    members,
    numbers,
    numbers_outside,
    reference_ids,
    texts,
    typed_codes,
)

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

LimitedOfSend = Literal[
    "DestinationIdentity",
    "Channel",
    "BrandName",
    "OriginationIdentity",
    "ReferenceId",
    "CodeLength",
    "ValidityPeriod",
    "AllowedAttempts",
    "Language",
]
"""The members of a send that have a limit."""
LimitedOfVerification = Literal["DestinationIdentity", "ReferenceId"]

_Strategies = Mapping[str, st.SearchStrategy[Any]]


def send_parameters(**fixed: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Parameters of SendOTPMessage: a complete dict for boto3's ``SendOTPMessageRequestParameters``.

    Every optional member is sometimes left out, and every documented limit of every member is drawn often.

    Args:
        fixed: members by AWS's name, such as ``CodeLength``, each with its value or a strategy for it. None leaves an
            optional member out.

    Shrinks to the required members, with short values.

    Raises:
        TypeError: no such member.
        ValueError: a required member is left out.
    """
    check_fixed("send_parameters", fixed, SEND_RULES, _REQUIRED)
    given = {name: as_strategy(value) for name, value in fixed.items() if value is not None}
    optional = {name: strategy for name, strategy in _OPTIONAL.items() if name not in fixed}
    return members({**_REQUIRED, **given}, optional)


def verify_parameters(**fixed: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Parameters of VerifyOTPMessage: a complete dict for boto3's ``VerifyOTPMessageRequestParameters``.

    ``Otp`` is what users type, as `typed_codes` draws it. The fake knows the right code.

    Args:
        fixed: members by AWS's name, such as ``DestinationIdentity``, each with its value or a strategy for it.

    Shrinks to short values.

    Raises:
        TypeError: no such member.
        ValueError: a member is left out; all are required.
    """
    check_fixed("verify_parameters", fixed, VERIFY_RULES, VERIFY_RULES)
    return members({**_OF_VERIFICATION, **{name: as_strategy(value) for name, value in fixed.items()}}, {})


_REQUIRED: Final[_Strategies] = {
    "Channel": st.just("SMS"),
    "BrandName": texts(0, 20),
    "DestinationIdentity": phone_numbers(),
    "OriginationIdentity": texts(1, 11, f"{digits}{ascii_letters}-") | phone_numbers(),
    "ReferenceId": reference_ids(),
}
_OPTIONAL: Final[_Strategies] = {
    "CodeLength": numbers(CODE_LENGTH),
    "ValidityPeriod": numbers(VALIDITY_PERIOD),
    "AllowedAttempts": numbers(ALLOWED_ATTEMPTS),
    "Language": st.sampled_from(sorted(LANGUAGES)),
    "EntityId": st.text(CHARACTERS),
    "TemplateId": st.text(CHARACTERS),
}
_OF_VERIFICATION: Final[_Strategies] = {
    "DestinationIdentity": phone_numbers(),
    "Otp": typed_codes(),
    "ReferenceId": reference_ids(),
}


def invalid_send_parameters(*names: LimitedOfSend) -> st.SearchStrategy[tuple[dict[str, Any], str]]:
    """Parameters of SendOTPMessage that AWS refuses: a tuple of the dict and the name of the parameter at fault.

    Exactly one parameter is outside its documented limits, below or above. botocore's own validation accepts all of
    them.

    Args:
        names: the parameters that may be at fault, such as ``"CodeLength"``; by default any that has a limit.

    Shrinks to the required members and the smallest violation.

    Raises:
        ValueError: no parameter of that name has a limit.
    """
    check_names("invalid_send_parameters", names, _OUTSIDE)
    return _with_one(send_parameters, names or _OUTSIDE)


def invalid_verify_parameters(*names: LimitedOfVerification) -> st.SearchStrategy[tuple[dict[str, Any], str]]:
    """Parameters of VerifyOTPMessage that AWS refuses: a tuple of the dict and the name of the parameter at fault.

    Like `invalid_send_parameters`, for ``DestinationIdentity`` and ``ReferenceId``. An ``Otp`` may be any text.

    Args:
        names: the parameters that may be at fault; by default either.

    Shrinks to the smallest violation.

    Raises:
        ValueError: no parameter of that name has a limit.
    """
    limited = [name for name in _OUTSIDE if name in _OF_VERIFICATION]
    check_names("invalid_verify_parameters", names, limited)
    return _with_one(verify_parameters, names or limited)


def _with_one(
    parameters: Callable[..., st.SearchStrategy[dict[str, Any]]], names: Iterable[str]
) -> st.SearchStrategy[tuple[dict[str, Any], str]]:
    """Return a strategy for parameters with one of these members outside its limit."""
    each = {name: st.tuples(parameters(**{name: _OUTSIDE[name]}), st.just(name)) for name in names}
    return st.sampled_from([*each]).flatmap(each.__getitem__)


def _refused(name: str, *tried: str) -> st.SearchStrategy[str]:
    """Return a strategy for these texts and any others that a parameter does not accept."""
    known = st.sampled_from(tried)
    # Twice, because an application is likelier to accept these than any text.
    drawn = known | known | st.text(CHARACTERS)
    return drawn.filter(lambda value: not SEND_RULES[name].accepts(value))


def _longer_than(longest: int) -> st.SearchStrategy[str]:
    # One character too many is where mistakes are, and a text without an upper limit is hardly ever that short.
    return texts(longest + 1, longest + 1) | st.text(CHARACTERS, min_size=longest + 1)


_OUTSIDE: Final[_Strategies] = {
    # First, because a request without a number takes the fewest draws: Hypothesis shrinks to it.
    "DestinationIdentity": malformed_numbers(),
    "Channel": _refused("Channel", "", "sms", "SMS\n", "VOICE", "EMAIL", "PUSH"),
    "BrandName": _longer_than(20),
    "OriginationIdentity": _refused("OriginationIdentity", "", "twelveletter", "a_b", "A\n")
    | malformed_numbers().filter(lambda value: not SEND_RULES["OriginationIdentity"].accepts(value)),
    "ReferenceId": st.just("") | _longer_than(48),
    "CodeLength": numbers_outside(CODE_LENGTH),
    "ValidityPeriod": numbers_outside(VALIDITY_PERIOD),
    "AllowedAttempts": numbers_outside(ALLOWED_ATTEMPTS),
    "Language": _refused("Language", "", "en", "en_US", "EN-US", "en-US\n", "nl-NL"),
}
"""Strategies for values that are refused, of each member that has a limit."""
