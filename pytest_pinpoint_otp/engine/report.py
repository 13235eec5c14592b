"""How records read as text: the traffic under a failing test, and what errors tell of what happened instead."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final, TypeVar

from pytest_pinpoint_otp.apis import OPERATIONS
from pytest_pinpoint_otp.engine.faults.outcomes import RawResponse
from pytest_pinpoint_otp.engine.journal import Journal, differences
from pytest_pinpoint_otp.engine.records import Call, SentMessage, Unsent, Verification

_Either = TypeVar("_Either", bound=SentMessage | Call)

WIDTH: Final = 80
_SHOWN: Final = 10
"""How many records of a kind an error shows at most."""
_INDENT: Final = 13
"""The width of a time and a space, below which details stand."""


def traffic(journal: Journal, width: int = WIDTH) -> str:
    """Return every call, arranged message and unsent call of a fake, oldest first, at most 80 columns wide."""
    calls = [call for call in journal.calls if call.at is not None]
    made = {attempt.request_id for call in calls for attempt in call.attempts}
    arranged = [message for message in journal.messages if message.request_id not in made]
    messages = {message.request_id: message for message in journal.messages}
    verifications = {verification.request_id: verification for verification in journal.verifications}
    entries = [(call.attempts[0].at, _call_lines(call, messages, verifications)) for call in calls]
    entries += [(message.sent_at, _arranged_lines(message)) for message in arranged]
    entries.sort(key=lambda entry: entry[0])
    lines: list[str] = []
    for day, of_day in groupby(entries, key=lambda entry: entry[0].date()):
        lines.append(f"{day} (UTC)")
        for _, entry_lines in of_day:
            lines += entry_lines
    lines += [line for unsent in journal.unsent for line in _unsent_lines(unsent)]
    return "\n".join(lines)


def _call_lines(
    call: Call, messages: Mapping[str, SentMessage], verifications: Mapping[str, Verification]
) -> list[str]:
    outcomes = [attempt.outcome for attempt in call.attempts]
    outcome = outcomes[-1]
    details = [] if call.reference_id is None else [f"reference {_shown(call.reference_id)}"]
    if len(set(outcomes)) > 1:
        details.append(f"attempts: {', '.join(outcomes)}")
    elif len(outcomes) > 1:
        outcome += f" x{len(outcomes)}"
    for attempt in call.attempts:
        if attempt.request_id in messages:
            details.append(f"code {messages[attempt.request_id].code}")
        if attempt.request_id in verifications:
            details.append(_judged(verifications[attempt.request_id]))
    if call.outcome == RawResponse.__name__:
        details.append(f"HTTP status {call.status_code}")
    if call.error_message is not None:
        details.append(call.error_message)
    return _entry(call.attempts[0].at, call.operation, call.destination, outcome, details)


def _judged(verification: Verification) -> str:
    left = "" if verification.attempts_left is None else f", attempts left: {verification.attempts_left}"
    return f"otp {_shown(verification.otp)}: {verification.reason}{left}"


def _arranged_lines(message: SentMessage) -> list[str]:
    details = [f"reference {_shown(message.reference_id)}", f"code {message.code}"]
    return _entry(message.sent_at, "issue", message.destination, "arranged by the test", details)


def _unsent_lines(unsent: Unsent) -> list[str]:
    return [f"{'not sent':{_INDENT}}{unsent.operation}", *_wrapped(f"stopped by botocore: {_one_line(unsent.error)}")]


def _entry(at: datetime, what: str, destination: str | None, outcome: str, details: Sequence[str]) -> list[str]:
    width = max(map(len, OPERATIONS))
    head = f"{_clock_time(at)} {what:{width}} {_shown(destination) or '-':16} {outcome}"
    return [*_wrapped(head, first_indent=0), *_wrapped(", ".join(details))]


def _wrapped(text: str, first_indent: int = _INDENT) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=" " * first_indent, subsequent_indent=" " * _INDENT)


def _clock_time(at: datetime | None) -> str:
    return "--:--:--.---" if at is None else at.isoformat(timespec="milliseconds")[11:23]


def _shown(text: str | None) -> str | None:
    """Return a text of a request as it is where a terminal can show it, and quoted otherwise."""
    return text if text is None or text.isprintable() else repr(text)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def printable(text: str) -> str:
    """Return a text as a terminal can show it: what would steer it, or cannot be encoded, is escaped in it."""
    return "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in text)


def missing(
    what: str,
    selection: Mapping[str, object],
    times: int | None,
    found: Sequence[SentMessage | Call],
    records: Sequence[SentMessage | Call],
    journal: Journal,
) -> str:
    """Say that a message or call is not there as often as it should be, and what is there instead."""
    wanted = _wanted(what, selection)
    if found:
        lines = [f"{wanted}: {len(found)} found, but {times} expected.", *_section("Found", map(_summary, found))]
    else:
        lines = [f"{wanted}: none found."]
    there = set(map(id, found))
    others = [record for record in records if id(record) not in there]
    return "\n".join([*lines, *_instead(selection, others, journal, failures=what == "message")])


def timed_out(selection: Mapping[str, object], timeout: float, journal: Journal, before: int) -> str:
    """Say that a message did not arrive in time, and what did after the first ``before`` messages."""
    meanwhile = journal.messages[before:]
    lines = [
        f"{_wanted('message', selection)}: none arrived within {timeout} seconds.",
        f"Sent meanwhile: {len(meanwhile)}; before: {before}.",
    ]
    return "\n".join([*lines, *_instead(selection, meanwhile, journal, failures=True)])


def _instead(
    selection: Mapping[str, object],
    others: Sequence[SentMessage | Call],
    journal: Journal,
    *,
    failures: bool,
) -> list[str]:
    """Tell what there is instead: near misses, and where wanted the calls that failed, the nearest and newest first."""
    lines = _section("Near misses", (_near_miss(record, selection) for record in _nearest(others, selection)))
    if failures:
        failed = [
            call
            for call in journal.calls
            if OPERATIONS[call.operation].sends and call.outcome not in (None, "SUCCESSFUL")
        ]
        shared = {name: value for name, value in selection.items() if name in Call._fields}
        lines += _section("Calls that failed", map(_summary, _nearest(failed, shared)))
    unsent = (f"{one.operation}: {_one_line(one.error)}" for one in reversed(journal.unsent))
    lines += _section("Never left botocore", unsent)
    if not (lines or journal.calls or journal.messages):
        lines = ["No OTP call has reached the fake: was it made, by a client of boto3 or botocore, while it is active?"]
    return lines


def _nearest(records: Sequence[_Either], selection: Mapping[str, object]) -> list[_Either]:
    """Return records in another order: those with the fewest differences first, and of these the newest."""
    newest_first = records[::-1]
    return sorted(newest_first, key=lambda record: len(differences(record, selection)))


def unexpected(what: str, selection: Mapping[str, object], found: Sequence[SentMessage | Call]) -> str:
    """Say that a message or call is there that should not be."""
    lines = [f"{_wanted(what, selection)}: {len(found)} found, but none expected."]
    return "\n".join([*lines, *_section("Found", map(_summary, found))])


def unused(arranged: Sequence[str]) -> str:
    """Say what a test has arranged in vain, and what to do about it."""
    lines = ["The test has arranged what no call has used:", *(f"  {one}" for one in arranged)]
    lines += [
        "Make the call, check the filters, or say that it is on purpose: inject(..., optional=True),",
        "Injection.cancel(), reset(), or the option assert_all_used=False.",
    ]
    return "\n".join(lines)


def _wanted(what: str, selection: Mapping[str, object]) -> str:
    fields = ", ".join(f"{name}={value!r}" for name, value in selection.items())
    return f"A {what} with {fields}" if fields else f"Any {what}"


def _near_miss(record: SentMessage | Call, selection: Mapping[str, object]) -> str:
    unlike = [f"{name} is {value!r}" for name, value in differences(record, selection).items()]
    return f"{_summary(record)} -- {', '.join(unlike)}"


def _summary(record: SentMessage | Call) -> str:
    if isinstance(record, SentMessage):
        return (
            f"{_clock_time(record.sent_at)} text to {record.destination}, reference {_shown(record.reference_id)},"
            f" code {record.code}"
        )
    attempts = f" after {len(record.attempts)} attempts" if len(record.attempts) > 1 else ""
    message = f" ({_one_line(record.error_message)})" if record.error_message else ""
    return (
        f"{_clock_time(record.at)} {record.operation} to {_shown(record.destination)},"
        f" reference {_shown(record.reference_id)}:"
        f" {record.outcome}{attempts}{message}"
    )


def _section(title: str, entries: Iterable[str]) -> list[str]:
    """Return a title and entries below it; nothing where there are none."""
    shown = [f"  {entry}" for entry in entries]
    if not shown:
        return []
    more = len(shown) - _SHOWN
    return [f"{title}:", *shown[:_SHOWN], *([f"  ... and {more} more"] if more > 0 else [])]
