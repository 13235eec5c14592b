"""Words that error messages share: what was probably meant, and a choice of names."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known name, or all the names where none is near."""
    import difflib

    names = sorted(known)
    if isinstance(name, str):
        by_lower = {candidate.lower(): str(candidate) for candidate in names}
        near = difflib.get_close_matches(name.lower(), by_lower, n=1)
        if near:
            return f" Did you mean {by_lower[near[0]]!r}?"
    return f" Choose from: {', '.join(names)}."


def kind(value: object) -> str:
    """Return a value with its type, as error messages show it: ``'abc' (str)``."""
    return f"{value!r} ({type(value).__name__})"
