"""How the machine's rules are made, and what they draw."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar, cast

from hypothesis import currently_in_test_context, event
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple, rule

from pytest_pinpoint_otp.engine.records import SentMessage

# pytest shows a failure at the user's own line, not in here.
__tracebackhide__ = True

_Method = TypeVar("_Method", bound=Callable[..., Any])

TEXTS: Final[Bundle[SentMessage]] = Bundle("text")
"""The texts that users were sent, printed as ``text_0``."""

DIGITS: Final = "0123456789"
FORMS: Final[dict[str, Callable[[str], str]]] = {
    "nothing": lambda code: "",
    "blanks": lambda code: " " * len(code),
    "zeros": lambda code: "0" * len(code),
    "ascending digits": lambda code: "12345678"[: len(code)],
    "letters": lambda code: "abcdefghijkl"[: len(code)],
    "one character more": lambda code: f"{code}0",
    "blanks around": lambda code: f" {code} ",
    "a hyphen inside": lambda code: f"{code[:3]}-{code[3:]}",
    "full-width digits": lambda code: code.translate(str.maketrans(DIGITS, "０１２３４５６７８９")),  # noqa: RUF001
    "superscript digits": lambda code: code.translate(str.maketrans(DIGITS, "⁰¹²³⁴⁵⁶⁷⁸⁹")),
}
"""Other ways in which people write a code, and guesses.

An application may accept zeros or ascending digits because a code for its tests was left in.
"""


def drawn_from(choices: Callable[[Any], Sequence[str]]) -> st.SearchStrategy[str]:
    """Return a strategy for one of what the running machine has to choose from."""
    return st.runner().flatmap(lambda machine: st.sampled_from(choices(machine)))


def drawn_up_to(most: Callable[[Any], int]) -> st.SearchStrategy[int]:
    """Return a strategy for a number from 1 to a limit of the running machine, which is drawn most often."""
    # One draw, so that it shrinks to 1. Hypothesis takes a branch that draws nothing for the smallest.
    return st.runner().map(most).flatmap(lambda most: st.integers(1, 2 * most).map(lambda number: min(number, most)))


def step(into: Bundle[SentMessage] | None = None, **arguments: Any) -> Callable[[_Method], _Method]:
    """Decorate a rule of the machine. It can still be called as a method, with the same result.

    Hypothesis's statistics show in how many runs it was carried out.

    Args:
        into: the bundle that its results go to; None: Hypothesis does not see them.
        arguments: a strategy for each argument.
    """

    def decorate(function: _Method) -> _Method:
        @functools.wraps(function)
        def carry_out(*args: Any, **kwargs: Any) -> Any:
            tell(f"step {function.__name__}")
            result = function(*args, **kwargs)
            if into is None:
                return None
            return multiple() if result is None else result

        targets = {} if into is None else {"target": into}
        ruled = cast(Any, rule)(**targets, **arguments)(carry_out)

        @functools.wraps(ruled)
        def method(machine: Any, *args: Any, **kwargs: Any) -> Any:
            with machine.left_when_pasted():
                return function(machine, *args, **kwargs)

        return cast(_Method, method)

    return decorate


def tell(*events: str) -> None:
    """Let Hypothesis's statistics tell in how many runs something happened."""
    # A failing example that is pasted runs outside of Hypothesis.
    if currently_in_test_context():
        for one in events:
            event(one)
