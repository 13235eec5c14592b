"""Strategies for phone numbers."""

from __future__ import annotations

import re
from typing import Any, Final

from hypothesis import strategies as st

from pytest_pinpoint_otp.apis.parameter_rules import PHONE_NUMBER
from pytest_pinpoint_otp.engine.argument_checks import check_str, did_you_mean
from pytest_pinpoint_otp.strategies.calling_codes import TEMPLATES
from pytest_pinpoint_otp.strategies.values import CHARACTERS, OTHER_DIGITS

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


def phone_numbers(region: str | None = None) -> st.SearchStrategy[str]:
    """Mobile phone numbers in E.164, such as ``+12025550100``, as a str.

    Args:
        region: a region such as ``"US"`` or ``"DE"``, for numbers that are valid there (source: the phonenumbers
            library, which is an extra of its own). None: numbers of any country, with 7 to 15 digits, that validators
            accept.

    Shrinks to ``+12025550100``, which nobody owns, or to the library's example number for the region.

    Raises:
        TypeError: the region is not a str.
        ValueError: the phonenumbers library does not know the region.
        ModuleNotFoundError: a region is given, but the phonenumbers library is not installed.
    """
    if region is None:
        return _international_numbers()
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

    mobile = phonenumbers.PhoneNumberType.MOBILE
    example: Any = phonenumbers.example_number_for_type(region, mobile) or phonenumbers.example_number(region)
    shown = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    return _national_numbers(shown, national.map(f"+{metadata.country_code}{{}}".format).filter(is_valid))


def e164_numbers() -> st.SearchStrategy[str]:
    """Any number that E.164 allows: a plus and 7 to 15 digits, such as ``+1000000``. Validators refuse most of them.

    Shrinks to a short number with small digits.
    """
    return st.one_of([st.integers(10**places, 10 ** (places + 1) - 1) for places in range(6, 15)]).map("+{}".format)


def malformed_numbers() -> st.SearchStrategy[str]:
    """Return a strategy for what is not a number in E.164: too short, too long, or with other characters or digits."""
    number = _international_numbers()
    return (
        st.sampled_from(["", "+", "+05550100", "+1 555 0100"])
        | st.integers(1, 9).map("+{}".format)
        | number.map(lambda number: number.ljust(len("+") + 16, "0"))
        | number.map(lambda number: number.removeprefix("+"))
        # A pattern that ends in $ lets the line break pass.
        | st.tuples(number, st.sampled_from(["{}\n", " {}", "{} "])).map(lambda both: both[1].format(both[0]))
        | st.tuples(number, st.sampled_from(OTHER_DIGITS)).map(lambda both: both[0].translate(both[1]))
        | st.text(CHARACTERS).filter(lambda text: not PHONE_NUMBER.accepts(text))
    )


_DIGITS: Final = [*(st.integers(0, 10**count - 1).map(f"{{:0{count}}}".format) for count in range(15))]
"""Strategies for no digit, for 1 digit and so on."""


def _often(length: int) -> list[str]:
    """Return the templates of a length, so many times that they are one in five of all."""
    found = [template for template in TEMPLATES if len(template) == length]
    return found * (len(TEMPLATES) // 3 // len(found))


# Mistakes are made with the fewest and the most digits.
_LENGTHS: Final = [*map(len, TEMPLATES)]
_TEMPLATES: Final = st.sampled_from([*TEMPLATES, *_often(min(_LENGTHS)), *_often(max(_LENGTHS))])


@st.composite
def _international_numbers(draw: st.DrawFn) -> str:
    # Two numbers are drawn, which is cheap to generate and to shrink; from_regex draws each digit.
    template = draw(_TEMPLATES)
    start = template.rstrip("x")
    return start + draw(_DIGITS[len(template) - len(start)])


@st.composite
def _national_numbers(draw: st.DrawFn, example: str, others: st.SearchStrategy[str]) -> str:
    return draw(others) if draw(_TENTH) else example


_TENTH: Final = st.integers(0, 9)
