"""Strategies for the values in OTP flows: codes, references, and texts and numbers up to a limit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from string import ascii_letters, digits
from typing import Any, Final, Literal

from hypothesis import strategies as st

import pytest_pinpoint_otp.apis.end_user_messaging.parameter_rules as notify
import pytest_pinpoint_otp.apis.pinpoint as pinpoint
from pytest_pinpoint_otp.engine.argument_checks import check_choice, check_int, did_you_mean
from pytest_pinpoint_otp.engine.codes import ALPHABETS

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_Strategies = Mapping[str, st.SearchStrategy[Any]]

BOOLEANS: Final = st.booleans()
MOSTLY: Final = st.sampled_from([False, True, True, True])
"""A strategy for whether to include something that is there more often than not."""

CHARACTERS: Final = st.characters(categories=("L", "M", "N", "P", "S", "Zs"))
"""Characters that names may have: letters, marks, numbers, punctuation, symbols and spaces of any script."""


def texts(
    shortest: int,
    longest: int,
    characters: st.SearchStrategy[str] | str = CHARACTERS,
    *,
    usual: Sequence[str] = (),
) -> st.SearchStrategy[str]:
    """Return a strategy for texts of so many characters. A third has the least number of them, a third the most.

    Hypothesis seldom draws long texts, and mistakes are made at limits.

    Args:
        shortest: how many characters it has at least.
        longest: how many at most; that text ``"0" * longest`` must be one of them.
        characters: those that it may have.
        usual: texts that are drawn as often as all others between the limits; the first is what it shrinks to.
    """
    drawn = st.text(characters, min_size=shortest, max_size=longest)
    short = st.text(characters, min_size=shortest, max_size=shortest)
    long = drawn.map(lambda text: text.ljust(longest, "0"))
    if usual:
        # One branch of three; with | there would be four.
        return BOOLEANS.flatmap({False: st.sampled_from(usual), True: drawn}.__getitem__) | short | long
    return short | drawn | long


def numbers(accepted: range) -> st.SearchStrategy[int]:
    """Return a strategy for the numbers of a range. A third of those drawn is the first, and a third the last."""
    ends = [accepted[0], accepted[-1]]
    return st.sampled_from([*accepted, *ends * len(accepted)])


@st.composite
def members(draw: st.DrawFn, required: _Strategies, optional: _Strategies) -> dict[str, Any]:
    """Draw a dict with the required members, and most of the optional ones.

    Each optional member has a draw of its own that says whether it is there: with st.fixed_dictionaries, Hypothesis
    cannot always leave out one member without putting in another.
    """
    made = {name: draw(strategy) for name, strategy in required.items()}
    for name, strategy in optional.items():
        if draw(MOSTLY):
            made[name] = draw(strategy)
    return made


def numbers_above(accepted: range) -> st.SearchStrategy[int]:
    """Return a strategy for numbers above a range."""
    above = accepted[-1] + 1
    # botocore's models have a plain integer, which AWS reads as one of 32 bits.
    return st.just(above) | st.integers(above, 2**31 - 1)


def numbers_outside(accepted: range) -> st.SearchStrategy[int]:
    """Return a strategy for numbers below or above a range."""
    below = accepted[0] - 1
    return st.just(below) | numbers_above(accepted) | st.integers(-(2**31), below)


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


def check_names(where: str, names: Collection[str], known: Collection[str]) -> None:
    """Check the names of members that a caller gives; ``where`` begins a message.

    Raises:
        ValueError: there is no such member.
    """
    for name in names:
        check_choice(f"{where}: a name", name, known)


def as_strategy(value: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for a value that is fixed, or for which a strategy is given."""
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


def codes(
    length: int | None = None, code_type: Literal["NUMERIC", "ALPHA", "ALPHANUMERIC"] = "NUMERIC"
) -> st.SearchStrategy[str]:
    """Codes: a str of digits, of capital letters, or of both. A code may start with a zero.

    Args:
        length: how many characters: 4 to 8; Pinpoint sends 5 to 8 (sources: AWS guide; botocore model). None: any of
            these. For digits None means 5 to 8, which both APIs send.
        code_type: NUMERIC, ALPHA or ALPHANUMERIC. Pinpoint sends only NUMERIC codes.

    Shrinks to the shortest code of zeros, or of the letter A.

    Raises:
        TypeError: the length is not an int.
        ValueError: AWS sends no codes of that length or type.
    """
    check_choice("codes: code_type", code_type, ALPHABETS)
    lengths = _read_lengths("codes", length, pinpoint.CODE_LENGTH if code_type == "NUMERIC" else notify.CODE_LENGTH)
    return st.text(ALPHABETS[code_type], min_size=lengths[0], max_size=lengths[-1])


def typed_codes(length: int | None = None) -> st.SearchStrategy[str]:
    """What users type when they are asked for a code of digits, as a str.

    Seven kinds are equally likely: it looks right, is too short, is too long, is empty, has blanks or a hyphen, has
    letters, or has the digits of another script.

    Args:
        length: how many digits the right code has: 4 to 8. None: 5 to 8, as with `codes`.

    Shrinks to zeros that look right.

    Raises:
        TypeError: the length is not an int.
        ValueError: AWS sends no codes of that length.
    """
    lengths = _read_lengths("typed_codes", length, pinpoint.CODE_LENGTH)
    right = st.text(digits, min_size=lengths[0], max_size=lengths[-1])
    return (
        right
        | st.text(digits, min_size=1, max_size=lengths[0] - 1)
        | st.text(digits, min_size=lengths[-1] + 1, max_size=lengths[-1] + 8)
        | st.just("")
        | st.tuples(right, st.sampled_from(_BLANKS)).map(lambda both: both[1](both[0]))
        | st.tuples(right, st.sampled_from(_LETTERS)).map(lambda both: both[0].translate(both[1]))
        | st.tuples(right, st.sampled_from(OTHER_DIGITS)).map(lambda both: both[0].translate(both[1]))
    )


OTHER_DIGITS: Final = [
    str.maketrans(digits, "".join(map(chr, range(zero, zero + 10)))) for zero in (0xFF10, 0x0660, 0x0966)
]
"""Translations into full-width, Arabic-Indic and Devanagari digits, which ``\\d`` and ``str.isdigit`` accept."""

_LETTERS: Final = [str.maketrans("01", "Ol"), str.maketrans(digits, ascii_letters[:10])]
"""Translations into letters: those that look alike, and any."""

_BLANKS: Final[list[Callable[[str], str]]] = [
    " {}".format,
    "{} ".format,
    "{}\n".format,
    "\N{NO-BREAK SPACE}{}".format,
    lambda code: f"{code[:3]} {code[3:]}",
    lambda code: f"{code[:3]}-{code[3:]}",
    lambda code: " " * len(code),
]


def _read_lengths(where: str, length: int | None, default: range) -> range:
    """Return how long codes may be, for a length that a test gives or leaves out."""
    if length is None:
        return default
    check_int(f"{where}: length", length, notify.CODE_LENGTH[0], notify.CODE_LENGTH[-1], "characters of a code")
    return range(length, length + 1)


def reference_ids() -> st.SearchStrategy[str]:
    """Reference IDs of Pinpoint: a str of 1 to 48 characters (source: AWS guide). Shrinks to ``"0"``."""
    return texts(1, 48)
