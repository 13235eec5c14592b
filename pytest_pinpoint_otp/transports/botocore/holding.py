"""Who keeps botocore wrapped: fakes, the plugin, calls under way. What was done is undone when the last has gone."""

from __future__ import annotations

from collections.abc import Callable

from pytest_pinpoint_otp.engine.lock import lock

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_holders: set[object] = set()
_calls = 0
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


def begin_call() -> None:
    """Keep what is done until a call has ended, so that its later attempts are met after the last fake has left."""
    global _calls
    with lock:
        _calls += 1


def end_call() -> None:
    """Let go for a call."""
    global _calls
    with lock:
        _calls -= 1
        if not _holders:
            _undo_if_last()


def is_held() -> bool:
    """Tell whether anybody but a call under way holds it."""
    return bool(_holders)


def undo_at_last(undo: Callable[[], None]) -> None:
    """Have something undone, once, when nobody holds it any more; the last first. Needs the lock."""
    _undoings[undo] = None


def _undo_if_last() -> None:
    if not _holders and not _calls:
        while _undoings:
            undo, _ = _undoings.popitem()
            undo()
