"""How arguments are checked, and the words that error messages share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


def kind(value: object) -> str:
    """Return a value with its type, as error messages show it: ``'abc' (str)``."""
    return f"{value!r} ({type(value).__name__})"


def counted(number: int, noun: str) -> str:
    """Return how many there are: ``1 call``, ``2 calls``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known name, or all names if none is near."""
    names = sorted(known)
    near = find_near(name, names)
    return f" Choose from: {', '.join(names)}." if near is None else f" Did you mean {near!r}?"


def find_near(name: object, known: Collection[str], likeness: float = 0.6) -> str | None:
    """Return the known name that was probably meant; None if there is none.

    Args:
        name: what was given.
        known: the names that there are.
        likeness: from 0 to 1, how alike two names have to be.
    """
    import difflib

    if not isinstance(name, str):
        return None
    for meant in _MEANT.get(name, ()):
        if meant in known:
            return meant
    by_stem = {_stem(candidate): str(candidate) for candidate in known}
    near = difflib.get_close_matches(_stem(name), by_stem, n=1, cutoff=likeness)
    return by_stem[near[0]] if near else None


_PHONE: Final = ("destination", "number")
_MEANT: Final[Mapping[str, Sequence[str]]] = {
    "phone": _PHONE,
    "phone_number": _PHONE,
    "number": _PHONE,
    "to": _PHONE,
    "destination": _PHONE,
    "message": ("status_message",),
    "status": ("status_code",),
    "code": ("status_code",),
}
"""Other names for an argument or a field, each with the names here that it may mean. The first that exists counts."""


def _stem(name: str) -> str:
    # That two names both end in Exception does not make them alike.
    return name.lower().removesuffix("exception")


def plain(value: Any) -> Any:
    """Return the value of a member of an enum that is a str or an int, such as ``http.HTTPStatus``; others as they are.

    An API's rules refuse such a member, because JSON has none, and it would not be shown as a test can write it.
    """
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def check_int(
    what: str, value: object, lowest: int | None = None, highest: int | None = None, meaning: str = ""
) -> None:
    """Check that an argument is an int within a range.

    Args:
        what: the argument, as the message begins.
        value: its value.
        lowest: the smallest that is accepted; None: any is.
        highest: the largest that is accepted; None: there is none.
        meaning: what the number means, for the message.

    Raises:
        TypeError: it is not an int.
        ValueError: it is out of range.
    """
    meaning = f" ({meaning})" if meaning else ""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{what} takes an int{meaning}, not {kind(value)}.")
    if lowest is not None and not lowest <= value <= (value if highest is None else highest):
        accepted = f"{lowest} or more" if highest is None else f"{lowest} to {highest}"
        raise ValueError(f"{what} is {value}, but takes {accepted}{meaning}.")


def check_number(what: str, value: object, takes: str = "a number") -> None:
    """Check that an argument is an int or a float; ``takes`` says in the message what it takes.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(f"{what} takes {takes}, not {kind(value)}.")


def check_seconds(what: str, value: Any, highest: float) -> None:
    """Check that an argument is a number of seconds, from 0 to the highest that is accepted.

    Raises:
        TypeError: it is not a number.
        ValueError: it is out of range.
    """
    check_number(what, value, "seconds as int or float")
    if not 0 <= value <= highest:
        raise ValueError(f"{what} is {value!r}, but takes seconds from 0 to {highest}.")


def check_bool(what: str, value: object) -> None:
    """Check that an argument is True or False.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{what} takes True or False, not {kind(value)}.")


def check_str(what: str, value: object, meaning: str = "a str") -> None:
    """Check that an argument is a str.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, str):
        raise TypeError(f"{what} takes {meaning}, not {kind(value)}.")


def check_selected(what: str, value: object) -> None:
    """Check what a text is compared with: a str, or an object with an == of its own (``unittest.mock.ANY``).

    Raises:
        TypeError: it is of a built-in type that never equals a str.
    """
    if value is not None and not isinstance(value, str) and type(value).__module__ == "builtins":
        raise TypeError(f"{what} takes a str, not {kind(value)}.")


def check_choice(what: str, value: object, choices: Iterable[str]) -> None:
    """Check that an argument is one of a few names.

    Raises:
        ValueError: it is not.
    """
    choices = list(choices)
    if value not in choices:
        raise ValueError(f"{what} is {value!r}.{did_you_mean(value, choices)}")


def unique_members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of a JSON object: ``json.loads`` takes this as its ``object_pairs_hook``.

    Raises:
        ValueError: a member is there twice.
    """
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the member {next(name for name in names if names.count(name) > 1)!r} is there twice")
    return members


_Method = TypeVar("_Method", bound=Callable[..., Any])
_Class = TypeVar("_Class", bound=type)


def explain_arguments(advice: str = "") -> Callable[[_Method], _Method]:
    """Decorate a method so that a call with arguments that it does not take says what was probably meant.

    Args:
        advice: what to do; the message ends with it.
    """

    def decorate(method: _Method) -> _Method:
        @functools.wraps(method)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            try:
                return method(*args, **kwargs)
            except TypeError as error:
                # Only a call of the method itself fails with no frame inside of it.
                if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                    raise
                # Without Python 3.13's own guess, which knows only the method's names.
                said = str(error).partition(". Did you mean")[0]
                raise TypeError(f"{said}.{_explain(method, kwargs)}{advice and f' {advice}'}") from None

        return cast(_Method, wrapper)

    return decorate


def explain_fields(cls: _Class) -> _Class:
    """Decorate a dataclass so that making one with fields that it does not have says what was probably meant."""
    made: Any = cls
    made.__init__ = explain_arguments()(made.__init__)
    return cls


def _explain(method: Callable[..., Any], kwargs: dict[str, Any]) -> str:
    known = [name for name in inspect.signature(method).parameters if name != "self"]
    for name in kwargs:
        if name not in known:
            return did_you_mean(name, known)
    return ""
