"""Who keeps botocore wrapped: fakes, the plugin, calls under way. What was done is undone when the last has gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pytest_pinpoint_otp.engine.lock import lock

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_holders: set[object] = set()
calls_under_way: Final[list[None]] = []
"""As many as calls keep what is done, so that their later attempts are met after the last fake has left. Each adds one
when it begins, and calls `end_call`; that is a list, to which threads add without a lock."""

_undoings: dict[Callable[[], None], None] = {}


def hold() -> Callable[[], None]:
    """Keep what is done until it is released.

    Returns:
        what releases it; a second call of that changes nothing.
    """
    holder = object()
    with lock:
        _holders.add(holder)

    def release() -> None:
        with lock:
            if holder in _holders:
                _holders.remove(holder)
                _undo_if_last()

    return release


def end_call() -> None:
    """Let go for a call."""
    calls_under_way.pop()
    if not _holders:
        with lock:
            _undo_if_last()


def is_held() -> bool:
    """Tell whether anybody but a call under way holds it."""
    return bool(_holders)


def undo_at_last(undo: Callable[[], None]) -> None:
    """Have something undone, once, when nobody holds it any more; the last first. Needs the lock."""
    _undoings[undo] = None


def _undo_if_last() -> None:
    if not _holders and not calls_under_way:
        while _undoings:
            undo, _ = _undoings.popitem()
            undo()
