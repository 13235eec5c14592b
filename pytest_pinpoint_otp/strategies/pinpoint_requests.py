"""Strategies for sends of Amazon Pinpoint, valid and refused."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from pytest_pinpoint_otp.apis.pinpoint import ALLOWED_ATTEMPTS, CODE_LENGTH, LANGUAGES, SEND_RULES, VALIDITY_PERIOD
from pytest_pinpoint_otp.strategies.values import (
    CHARACTERS,
    as_strategy,
    check_fixed,
    numbers,
    numbers_above,
    phone_numbers,
    reference_ids,
    texts,
)

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


def send_parameters(**fixed: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Parameters of SendOTPMessage: a complete dict for boto3's ``SendOTPMessageRequestParameters``.

    Every optional member is sometimes absent, and every documented boundary can be reached.

    Args:
        fixed: members by AWS's name, such as ``CodeLength``, each with the value to have or a strategy for it. None
            leaves an optional member out.

    Shrinks to the required members alone, with short values.

    Raises:
        TypeError: no such member.
        ValueError: a required member is left out.
    """
    required, optional = _members()
    check_fixed("send_parameters", fixed, SEND_RULES, required)
    for name, value in fixed.items():
        optional.pop(name, None)
        if value is not None:
            required[name] = as_strategy(value)
    return st.fixed_dictionaries(required, optional=optional)


def _members() -> tuple[dict[str, st.SearchStrategy[Any]], dict[str, st.SearchStrategy[Any]]]:
    """Return strategies for the valid values of the required and of the optional members."""
    required: dict[str, st.SearchStrategy[Any]] = {
        "Channel": st.just("SMS"),
        "BrandName": texts(0, 20),
        "DestinationIdentity": phone_numbers(),
        # What takes the fewest draws comes first: Hypothesis shrinks to it.
        "OriginationIdentity": st.from_regex(r"[A-Za-z0-9-]{1,11}|[A-Za-z0-9-]{11}", fullmatch=True) | phone_numbers(),
        "ReferenceId": reference_ids(),
    }
    optional: dict[str, st.SearchStrategy[Any]] = {
        "CodeLength": numbers(CODE_LENGTH),
        "ValidityPeriod": numbers(VALIDITY_PERIOD),
        "AllowedAttempts": numbers(ALLOWED_ATTEMPTS),
        "Language": st.sampled_from(sorted(LANGUAGES)),
        "EntityId": st.text(CHARACTERS),
        "TemplateId": st.text(CHARACTERS),
    }
    return required, optional


def invalid_send_parameters() -> st.SearchStrategy[tuple[dict[str, Any], str]]:
    """Parameters of SendOTPMessage that AWS refuses: a tuple of the dict and the name of the parameter at fault.

    Exactly one parameter is outside its documented limit; botocore's own validation has nothing against any.

    Shrinks to the required members and the smallest violation.
    """
    return st.sampled_from(list(_VIOLATIONS)).flatmap(
        lambda name: st.tuples(send_parameters(**{name: _VIOLATIONS[name]}), st.just(name))
    )


def _outside(accepted: range) -> st.SearchStrategy[int]:
    below = accepted[0] - 1
    # botocore's model has a plain integer, which AWS reads as one of 32 bits.
    return st.just(below) | numbers_above(accepted) | st.integers(-(2**31), below)


def _refused(name: str, *tried: str) -> st.SearchStrategy[str]:
    """Return a strategy for these texts and any others that a parameter does not accept."""
    drawn = st.sampled_from(tried) | st.text(CHARACTERS)
    return drawn.filter(lambda value: not SEND_RULES[name].accepts(value))


def _longer_than(longest: int) -> st.SearchStrategy[str]:
    # One character too many is where mistakes are, and a text without an upper limit is hardly ever that short.
    return texts(longest + 1, longest + 1) | st.text(CHARACTERS, min_size=longest + 1)


_VIOLATIONS: Final[dict[str, st.SearchStrategy[Any]]] = {
    # First, because a request without a number takes the fewest draws: Hypothesis shrinks to it.
    "DestinationIdentity": _refused("DestinationIdentity", "", "+", "15550100123", "+05550100", "+1 555 0100"),
    "Channel": _refused("Channel", "", "sms", "VOICE", "EMAIL", "PUSH"),
    "BrandName": _longer_than(20),
    "OriginationIdentity": _refused("OriginationIdentity", "", "a_b", "twelveletter", "+05550100"),
    "ReferenceId": st.just("") | _longer_than(48),
    "CodeLength": _outside(CODE_LENGTH),
    "ValidityPeriod": _outside(VALIDITY_PERIOD),
    "AllowedAttempts": _outside(ALLOWED_ATTEMPTS),
    "Language": _refused("Language", "", "en", "en_US", "EN-US", "nl-NL"),
}
