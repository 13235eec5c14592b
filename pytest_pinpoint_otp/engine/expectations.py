"""What a test expects of the records: the newest message that matches, so many matching calls, or none."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_pinpoint_otp.engine.argument_checks import check_int
from pytest_pinpoint_otp.engine.journal import Journal, Record, select
from pytest_pinpoint_otp.engine.lock import lock
from pytest_pinpoint_otp.engine.records import SentMessage
from pytest_pinpoint_otp.engine.report import missing, unexpected

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


def matching_messages(journal: Journal, selection: Mapping[str, object]) -> list[SentMessage]:
    """Return the messages that match, oldest first."""
    with lock:
        candidates = list(journal.messages_to(selection.get("destination")))
    return list(select(candidates, selection))


def newest_message(journal: Journal, selection: Mapping[str, object]) -> SentMessage:
    """Return the newest message that matches.

    Raises:
        LookupError: none does. The error shows what there is instead.
    """
    message = journal.newest_message(selection)
    if message is None:
        with lock:
            messages = list(journal.messages)
        raise LookupError(missing("message", selection, None, [], messages, journal))
    return message


def expect(
    what: str,
    selection: Mapping[str, object],
    times: int | None,
    found: list[Record],
    records: list[Record],
    journal: Journal,
) -> Record:
    """Return the newest of the records that match, if there are as many as expected.

    Args:
        what: "message" or "call".
        selection: the fields that were selected by.
        times: how many must be there; None: at least one.
        found: the records that match.
        records: all of them, for near misses.
        journal: where they are from.

    Raises:
        AssertionError: there are more or fewer.
    """
    if not found or times not in (None, len(found)):
        raise AssertionError(missing(what, selection, times, found, records, journal))
    return found[-1]


def expect_none(what: str, selection: Mapping[str, object], found: list[Record]) -> None:
    """Check that no record matches.

    Raises:
        AssertionError: one does.
    """
    if found:
        raise AssertionError(unexpected(what, selection, found))


def check_times(where: str, times: int | None, otherwise: str) -> None:
    """Check how often something is expected; ``where`` begins a message.

    Raises:
        TypeError: it is not an int.
        ValueError: it is less than 1; ``otherwise`` names the method for none.
    """
    if times is None:
        return
    check_int(f"{where}: times", times)
    if times < 1:
        raise ValueError(f"{where}: times is {times}, but takes 1 or more; for none at all use {otherwise}().")
