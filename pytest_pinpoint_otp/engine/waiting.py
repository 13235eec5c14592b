"""Waiting for a message that the application sends from elsewhere: in threads and in tasks of asyncio or trio.

Always in real time, because a frozen clock would never let a wait end: threads wait on locks, and a task is woken by a
timer's thread, not by its event loop's clock.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from pytest_pinpoint_otp.engine.checks import kind
from pytest_pinpoint_otp.engine.journal import Journal, differences
from pytest_pinpoint_otp.engine.lock import lock
from pytest_pinpoint_otp.engine.records import SentMessage


def check_timeout(where: str, timeout: object) -> None:
    """Refuse a timeout that is no number of seconds from 0 to what threads can wait."""
    if not isinstance(timeout, (int, float)) or isinstance(timeout, bool):
        raise TypeError(f"{where}: timeout takes seconds as int or float, not {kind(timeout)}.")
    if not 0 <= timeout <= threading.TIMEOUT_MAX:
        raise ValueError(f"{where}: timeout is {timeout!r}, but takes seconds from 0 to {threading.TIMEOUT_MAX}.")


def wait(journal: Journal, selection: Mapping[str, object], timeout: float) -> SentMessage | None:
    """Wait in this thread for a matching message, at most ``timeout`` seconds; None: none came."""
    arrived = threading.Event()
    with _arrival(journal, selection, arrived.set) as arrivals:
        if not arrivals:
            arrived.wait(timeout)
    return arrivals[0] if arrivals else None


async def async_wait(journal: Journal, selection: Mapping[str, object], timeout: float) -> SentMessage | None:
    """Wait in this task for a matching message, at most ``timeout`` seconds; None: none came."""
    wake, woken = _trio_event() if _runs_in_trio() else _asyncio_event()
    with _arrival(journal, selection, wake) as arrivals:
        if not arrivals:
            timer = threading.Timer(timeout, wake)
            timer.daemon = True
            timer.start()
            try:
                await woken()
            finally:
                timer.cancel()
    return arrivals[0] if arrivals else None


@contextmanager
def _arrival(
    journal: Journal, selection: Mapping[str, object], wake: Callable[[], object]
) -> Iterator[list[SentMessage]]:
    """Yield a list that holds the newest matching message, or will hold the next one, of which ``wake`` tells."""
    arrivals: list[SentMessage] = []
    mistakes: list[Exception] = []

    def arrive(message: SentMessage) -> None:
        try:
            if differences(message, selection):
                return
        except Exception as mistake:
            # Of the test's own matcher: to be raised where it waits, not in the application that sends.
            mistakes.append(mistake)
        else:
            arrivals.append(message)
        wake()

    with lock:
        newest = journal.newest_message(selection)
        if newest is not None:
            arrivals.append(newest)
        journal.listeners.append(arrive)
    try:
        yield arrivals
    finally:
        with lock:
            journal.listeners.remove(arrive)
    if mistakes:
        raise mistakes[0]


def _asyncio_event() -> tuple[Callable[[], None], Callable[[], Awaitable[object]]]:
    import asyncio

    loop, event = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        # The loop may have been closed since, where the wait was cancelled.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(event.set)

    return wake, event.wait


def _runs_in_trio() -> bool:
    trio = sys.modules.get("trio")
    return trio is not None and trio.lowlevel.in_trio_run()


def _trio_event() -> tuple[Callable[[], None], Callable[[], Awaitable[object]]]:
    import trio

    token, event = trio.lowlevel.current_trio_token(), trio.Event()

    def wake() -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(event.set)

    return wake, event.wait
