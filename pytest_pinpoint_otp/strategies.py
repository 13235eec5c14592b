"""Hypothesis strategies for OTP flows: phone numbers, codes, references, requests, outcomes and failure plans.

Needs the extra: ``pip install "pytest-pinpoint-otp[hypothesis]"``.
"""

from __future__ import annotations

import re
from typing import Any, Final

from hypothesis import strategies as st

from pytest_pinpoint_otp.apis import OPERATIONS
from pytest_pinpoint_otp.apis.pinpoint import ALLOWED_ATTEMPTS, CODE_LENGTH, LANGUAGES, SEND_RULES, VALIDITY_PERIOD
from pytest_pinpoint_otp.engine.checks import did_you_mean, kind
from pytest_pinpoint_otp.engine.faults.outcomes import Delivery, DeliveryStatus, ErrorResponse, RawResponse
from pytest_pinpoint_otp.engine.faults.plans import FailurePlan, FailureStep
from pytest_pinpoint_otp.engine.faults.transport_errors import DRAWN_BY_CHAOS, LostResponse, find_transport_exception

__all__ = [
    "codes",
    "failure_plans",
    "invalid_send_parameters",
    "outcomes",
    "phone_numbers",
    "reference_ids",
    "send_parameters",
]

_DIGITS: Final = "0123456789"
_TEXT: Final = st.characters(categories=("L", "M", "N", "P", "S", "Zs"))
"""What people may have in a name: letters, marks, numbers, punctuation, symbols and spaces of any script."""


def _text(shortest: int, longest: int) -> st.SearchStrategy[str]:
    # Hypothesis hardly ever draws a long text by itself, and the limit is where mistakes are.
    return st.text(_TEXT, min_size=shortest, max_size=longest) | st.text(_TEXT, min_size=longest, max_size=longest)


def phone_numbers(region: str | None = None) -> st.SearchStrategy[str]:
    """Phone numbers in E.164, such as ``+1000000``: a str.

    Args:
        region: a region such as ``"US"`` or ``"DE"``, for mobile numbers that are valid there (source: the
            phonenumbers library, an extra of its own). None: any of 7 to 15 digits.

    Shrinks to a short number of small digits.

    Raises:
        TypeError: the region is no str.
        ValueError: the phonenumbers library knows no such region.
        ModuleNotFoundError: a region is given, and the phonenumbers library is not installed.
    """
    if region is None:
        return st.from_regex(r"\+[1-9][0-9]{6,14}|\+[1-9][0-9]{14}", fullmatch=True)
    if not isinstance(region, str):
        raise TypeError(f"phone_numbers: region takes a str, not {kind(region)}.")
    try:
        import phonenumbers
    except ModuleNotFoundError as error:
        error.add_note('phone_numbers(region) needs it: pip install "pytest-pinpoint-otp[phonenumbers]".')
        raise
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    if metadata is None:
        regions = phonenumbers.SUPPORTED_REGIONS
        raise ValueError(f"phone_numbers: there is no region {region!r}.{did_you_mean(region, regions)}")
    kinds = (metadata.mobile, metadata.general_desc)
    pattern = next(one.national_number_pattern for one in kinds if one is not None and one.national_number_pattern)
    national = st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True)

    def is_valid(number: str) -> bool:
        return bool(phonenumbers.is_valid_number_for_region(phonenumbers.parse(number), region))

    return national.map(lambda digits: f"+{metadata.country_code}{digits}").filter(is_valid)


def codes(length: int | None = None) -> st.SearchStrategy[str]:
    """Codes: a str of digits that may start with a zero.

    Args:
        length: how many digits, 5 to 8 (source: AWS guide). None: any of these.

    Shrinks to zeros, and to the shortest.

    Raises:
        TypeError: the length is no int.
        ValueError: AWS sends no codes of that length.
    """
    if length is None:
        return st.text(_DIGITS, min_size=CODE_LENGTH[0], max_size=CODE_LENGTH[-1])
    if not isinstance(length, int) or isinstance(length, bool):
        raise TypeError(f"codes: length takes an int, not {kind(length)}.")
    if length not in CODE_LENGTH:
        raise ValueError(f"codes: length is {length}, but AWS sends 5 to 8 digits.")
    return st.text(_DIGITS, min_size=length, max_size=length)


def reference_ids() -> st.SearchStrategy[str]:
    """Reference IDs: a str of 1 to 48 characters (source: AWS guide). Shrinks to ``"0"``."""
    return _text(1, 48)


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
    for name, value in fixed.items():
        if name not in SEND_RULES:
            raise TypeError(f"send_parameters: there is no member {name!r}.{did_you_mean(name, SEND_RULES)}")
        if value is None and name in required:
            raise ValueError(f"send_parameters: {name} is required, so it cannot be left out.")
        optional.pop(name, None)
        if value is not None:
            required[name] = value if isinstance(value, st.SearchStrategy) else st.just(value)
    return st.fixed_dictionaries(required, optional=optional)


def _members() -> tuple[dict[str, st.SearchStrategy[Any]], dict[str, st.SearchStrategy[Any]]]:
    """Return strategies for the valid values of the required and of the optional members."""
    required: dict[str, st.SearchStrategy[Any]] = {
        "Channel": st.just("SMS"),
        "BrandName": _text(0, 20),
        "DestinationIdentity": phone_numbers(),
        # What takes the fewest draws comes first: Hypothesis shrinks to it.
        "OriginationIdentity": st.from_regex(r"[A-Za-z0-9-]{1,11}|[A-Za-z0-9-]{11}", fullmatch=True) | phone_numbers(),
        "ReferenceId": reference_ids(),
    }
    optional: dict[str, st.SearchStrategy[Any]] = {
        "CodeLength": st.sampled_from(CODE_LENGTH),
        "ValidityPeriod": st.integers(VALIDITY_PERIOD[0], VALIDITY_PERIOD[-1]),
        "AllowedAttempts": st.sampled_from(ALLOWED_ATTEMPTS),
        "Language": st.sampled_from(sorted(LANGUAGES)),
        "EntityId": st.text(_TEXT),
        "TemplateId": st.text(_TEXT),
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


def _outside(allowed: range) -> st.SearchStrategy[int]:
    below, above = allowed[0] - 1, allowed[-1] + 1
    # botocore's model has a plain integer, which AWS reads as one of 32 bits.
    return st.sampled_from((below, above)) | st.integers(-(2**31), below) | st.integers(above, 2**31 - 1)


def _longer_than(longest: int) -> st.SearchStrategy[str]:
    # One character too many is where mistakes are, and a text without an upper limit is hardly ever that short.
    return st.text(_TEXT, min_size=longest + 1, max_size=longest + 1) | st.text(_TEXT, min_size=longest + 1)


def _refused_text(name: str, tried: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return tried.filter(lambda value: not SEND_RULES[name].accepts(value))


_VIOLATIONS: Final[dict[str, st.SearchStrategy[Any]]] = {
    # First, because a request without a number takes the fewest draws: Hypothesis shrinks to it.
    "DestinationIdentity": _refused_text(
        "DestinationIdentity", st.sampled_from(["", "+", "15550100123", "+05550100", "+1 555 0100"]) | st.text(_TEXT)
    ),
    "Channel": _refused_text("Channel", st.sampled_from(["", "sms", "VOICE", "EMAIL", "PUSH"]) | st.text(_TEXT)),
    "BrandName": _longer_than(20),
    "OriginationIdentity": _refused_text(
        "OriginationIdentity", st.sampled_from(["", "a_b", "twelveletter", "+05550100"]) | st.text(_TEXT)
    ),
    "ReferenceId": st.just("") | _longer_than(48),
    "CodeLength": _outside(CODE_LENGTH),
    "ValidityPeriod": _outside(VALIDITY_PERIOD),
    "AllowedAttempts": _outside(ALLOWED_ATTEMPTS),
    "Language": _refused_text("Language", st.sampled_from(["", "en", "en_US", "EN-US", "nl-NL"]) | st.text(_TEXT)),
}


def outcomes(operation: str = "SendOTPMessage") -> st.SearchStrategy[Any]:
    """Outcomes that ``inject`` takes: deliveries (of SendOTPMessage), errors, transport failures, lost and raw answers.

    Args:
        operation: ``SendOTPMessage`` or ``VerifyOTPMessage``, which delivers nothing.

    Shrinks to a delivery status or error without further members.

    Raises:
        ValueError: no such operation.
    """
    if operation not in OPERATIONS:
        raise ValueError(f"outcomes: operation {operation!r} is not faked.{did_you_mean(operation, OPERATIONS)}")
    plain = [
        *([Delivery(status) for status in DeliveryStatus] if OPERATIONS[operation].sends else []),
        *(ErrorResponse(name) for name in OPERATIONS[operation].api.errors),
        *filter(None, map(find_transport_exception, DRAWN_BY_CHAOS)),
        LostResponse(),
    ]
    message = st.none() | st.text(_TEXT)
    deliveries = st.builds(
        Delivery,
        # Names, because Hypothesis prints an enum's member as nothing that can be pasted.
        st.sampled_from([str(status) for status in DeliveryStatus]),
        status_message=message,
        updated_token=message,
        endpoint_id=st.none() | st.text(_TEXT, min_size=1),
    )
    errors = st.builds(ErrorResponse, st.sampled_from(sorted(OPERATIONS[operation].api.errors)), message=message)
    raw = st.builds(RawResponse, st.sampled_from([200, 403, 502, 503]), body=st.binary(max_size=64))
    # The plain ones are a single draw, so that Hypothesis shrinks to them.
    kinds = [st.sampled_from(plain), errors, raw]
    return st.one_of([*kinds, deliveries] if OPERATIONS[operation].sends else kinds)


def failure_plans(*, max_steps: int = 5) -> st.SearchStrategy[FailurePlan]:
    """Failure plans: a ``FailurePlan`` of steps for both operations, per call and per attempt.

    Args:
        max_steps: how many steps at most.

    Shrinks to the empty plan, then to one step with its members at their defaults.

    Raises:
        TypeError: ``max_steps`` is no int.
        ValueError: ``max_steps`` is negative.
    """
    if not isinstance(max_steps, int) or isinstance(max_steps, bool):
        raise TypeError(f"failure_plans: max_steps takes an int, not {kind(max_steps)}.")
    if max_steps < 0:
        raise ValueError(f"failure_plans: max_steps is {max_steps}, but takes 0 or more.")
    steps = [
        st.builds(
            FailureStep,
            outcomes(operation),
            st.just(operation),
            per=st.sampled_from(("call", "attempt")),
            after=st.integers(0, 3),
            times=st.sampled_from((1, 2, 3, None)),
        )
        for operation in OPERATIONS
    ]
    return st.lists(st.one_of(steps), max_size=max_steps).map(lambda made: FailurePlan(tuple(made)))
