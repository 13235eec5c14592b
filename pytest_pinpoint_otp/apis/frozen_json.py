"""JSON values that cannot be changed, so that a record stays as it was written and has a hash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final


class FrozenDict(dict[str, Any]):
    """A dict that cannot be changed. It equals a plain dict of the same items."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)

    def _refuse(self, *args: object, **kwargs: object) -> Any:
        raise TypeError("This dict belongs to a record and cannot be changed; dict(...) makes a copy that can.")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse  # pyright: ignore[reportAssignmentType]


class FrozenList(list[Any]):
    """A list that cannot be changed. It equals a plain list of the same items."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self),)

    def _refuse(self, *args: object, **kwargs: object) -> Any:
        raise TypeError("This list belongs to a record and cannot be changed; list(...) makes a copy that can.")

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = extend = insert = remove = pop = clear = sort = reverse = _refuse  # pyright: ignore[reportAssignmentType]


_CHANGEABLE: Final = (dict, list)
"""The mutable types that JSON is read as."""


def freeze(value: Any) -> Any:
    """Return a JSON value that cannot be changed, at any depth."""
    if isinstance(value, dict):
        return freeze_dict(value)
    return FrozenList(map(freeze, value)) if isinstance(value, list) else value


def freeze_dict(values: Mapping[str, Any]) -> FrozenDict:
    """Return a JSON object that cannot be changed, at any depth."""
    for value in values.values():
        if value.__class__ in _CHANGEABLE:
            return FrozenDict({name: freeze(value) for name, value in values.items()})
    # Most requests have only strings and numbers.
    return FrozenDict(values)
