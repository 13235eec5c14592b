"""Strategies for the values in OTP flows: phone numbers, codes, references, and texts up to a limit."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

from hypothesis import strategies as st

import pytest_pinpoint_otp.apis.end_user_messaging.rules as notify
import pytest_pinpoint_otp.apis.pinpoint as pinpoint
from pytest_pinpoint_otp.engine.checks import check_choice, check_int, check_str, did_you_mean
from pytest_pinpoint_otp.engine.codes import ALPHABETS

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

CHARACTERS: Final = st.characters(categories=("L", "M", "N", "P", "S", "Zs"))
"""What people may have in a name: letters, marks, numbers, punctuation, symbols and spaces of any script."""


def texts(shortest: int, longest: int, characters: st.SearchStrategy[str] | str = CHARACTERS) -> st.SearchStrategy[str]:
    """Return a strategy for texts of so many characters; that text ``"0" * longest`` must be one of them."""
    # Hypothesis hardly ever draws a long text by itself, and the limit is where mistakes are.
    drawn = st.text(characters, min_size=shortest, max_size=longest)
    return drawn | drawn.map(lambda text: text.ljust(longest, "0"))


def numbers(accepted: range) -> st.SearchStrategy[int]:
    """Return a strategy for the numbers of a range."""
    return st.integers(accepted[0], accepted[-1])


def numbers_above(accepted: range) -> st.SearchStrategy[int]:
    """Return a strategy for numbers above a range."""
    above = accepted[-1] + 1
    # botocore's models have a plain integer, which AWS reads as one of 32 bits.
    return st.just(above) | st.integers(above, 2**31 - 1)


def check_fixed(where: str, fixed: Mapping[str, Any], known: Collection[str], required: Collection[str]) -> None:
    """Check the members that a caller fixes; ``where`` begins a message.

    Raises:
        TypeError: no such member.
        ValueError: a required member is left out.
    """
    for name, value in fixed.items():
        if name not in known:
            raise TypeError(f"{where}: there is no member {name!r}.{did_you_mean(name, known)}")
        if value is None and name in required:
            raise ValueError(f"{where}: {name} is required, so it cannot be left out.")


def as_strategy(value: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for a value that is fixed, or for which a strategy is given."""
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


def phone_numbers(region: str | None = None) -> st.SearchStrategy[str]:
    """Phone numbers in E.164, such as ``+1000000``: a str.

    Args:
        region: a region such as ``"US"`` or ``"DE"``, for mobile numbers that are valid there (source: the
            phonenumbers library, an extra of its own). None: any of 7 to 15 digits.

    Shrinks to a short number of small digits.

    Raises:
        TypeError: the region is not a str.
        ValueError: the phonenumbers library knows no such region.
        ModuleNotFoundError: a region is given, and the phonenumbers library is not installed.
    """
    if region is None:
        return st.from_regex(r"\+[1-9][0-9]{6,14}|\+[1-9][0-9]{14}", fullmatch=True)
    check_str("phone_numbers: region", region)
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


def codes(
    length: int | None = None, code_type: Literal["NUMERIC", "ALPHA", "ALPHANUMERIC"] = "NUMERIC"
) -> st.SearchStrategy[str]:
    """Codes: a str of digits, of capital letters, or of both. It may start with a zero.

    Args:
        length: how many characters: 4 to 8, of which Pinpoint sends 5 to 8 (sources: AWS guide; botocore model).
            None: any of these, but for digits 5 to 8, which both APIs send.
        code_type: NUMERIC, ALPHA or ALPHANUMERIC. Pinpoint sends NUMERIC codes alone.

    Shrinks to zeros, or to the letter A, and to the shortest.

    Raises:
        TypeError: the length is not an int.
        ValueError: AWS sends no codes of that length or type.
    """
    check_choice("codes: code_type", code_type, ALPHABETS)
    lengths = pinpoint.CODE_LENGTH if code_type == "NUMERIC" else notify.CODE_LENGTH
    if length is not None:
        check_int("codes: length", length, notify.CODE_LENGTH[0], notify.CODE_LENGTH[-1], "characters of a code")
        lengths = range(length, length + 1)
    return st.text(ALPHABETS[code_type], min_size=lengths[0], max_size=lengths[-1])


def reference_ids() -> st.SearchStrategy[str]:
    """Reference IDs of Pinpoint: a str of 1 to 48 characters (source: AWS guide). Shrinks to ``"0"``."""
    return texts(1, 48)
