"""Words that error messages share: what was probably meant, and a choice of names."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known name, or all the names where none is near."""
    import difflib

    names = sorted(known)
    if isinstance(name, str):
        by_stem = {_stem(candidate): str(candidate) for candidate in names}
        near = difflib.get_close_matches(_stem(name), by_stem, n=1)
        if near:
            return f" Did you mean {by_stem[near[0]]!r}?"
    return f" Choose from: {', '.join(names)}."


def _stem(name: str) -> str:
    # That two names both end in Exception does not make them alike.
    return name.lower().removesuffix("exception")


def kind(value: object) -> str:
    """Return a value with its type, as error messages show it: ``'abc' (str)``."""
    return f"{value!r} ({type(value).__name__})"
