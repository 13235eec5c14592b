"""Waiting for a message that the application sends from elsewhere: in threads and in tasks of asyncio or trio.

Always in real time, because a frozen clock would never let a wait end: threads wait on locks, and a task is woken by a
timer's thread, not by its event loop's clock.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from pytest_pinpoint_otp.engine.argument_checks import check_seconds
from pytest_pinpoint_otp.engine.journal import Journal, differences
from pytest_pinpoint_otp.engine.lock import lock
from pytest_pinpoint_otp.engine.records import SentMessage
from pytest_pinpoint_otp.engine.report import timed_out


def wait(journal: Journal, selection: Mapping[str, object], timeout: float, where: str) -> SentMessage:
    """Wait in this thread for a matching message, and return it. If some match already, return the newest at once.

    Args:
        journal: where messages are written.
        selection: what the message must match.
        timeout: seconds of real time.
        where: the method that waits; error messages begin with it.

    Raises:
        TimeoutError: none came in time.
        TypeError: the timeout is not a number.
        ValueError: the timeout is negative, or more than threads can wait.
    """
    check_timeout(where, timeout)
    before = len(journal.messages)
    arrived = threading.Event()
    with _arrival(journal, selection, arrived.set) as arrivals:
        if not arrivals:
            arrived.wait(timeout)
    if not arrivals:
        raise TimeoutError(timed_out(selection, timeout, journal, before, in_event_loop=_runs_in_event_loop()))
    return arrivals[0]


async def async_wait(journal: Journal, selection: Mapping[str, object], timeout: float, where: str) -> SentMessage:
    """Wait in this task for a matching message; takes, returns and raises what `wait` does."""
    check_timeout(where, timeout)
    before = len(journal.messages)
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
    if not arrivals:
        raise TimeoutError(timed_out(selection, timeout, journal, before, in_event_loop=False))
    return arrivals[0]


def check_timeout(where: str, timeout: object) -> None:
    """Check that a timeout is a number of seconds from 0 to what threads can wait; ``where`` begins a message.

    Raises:
        TypeError: it is not a number.
        ValueError: it is out of range.
    """
    check_seconds(f"{where}: timeout", timeout, threading.TIMEOUT_MAX)


@contextmanager
def _arrival(
    journal: Journal, selection: Mapping[str, object], wake: Callable[[], object]
) -> Iterator[list[SentMessage]]:
    """Yield a list that holds the newest matching message, or will hold the next one when ``wake`` is called."""
    arrivals: list[SentMessage] = []
    mistakes: list[Exception] = []

    def arrive(message: SentMessage) -> None:
        try:
            if differences(message, selection):
                return
        except Exception as mistake:
            # Raised by the test's own matcher: it belongs where the test waits, not in the application that sends.
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
        # If the wait was cancelled, the loop may have been closed since.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(event.set)

    return wake, event.wait


def _runs_in_event_loop() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _runs_in_trio()
    return True


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
