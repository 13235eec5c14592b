"""Records as text: the traffic under a failing test, and what errors say about what happened instead."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, groupby
from typing import Final, NamedTuple, TypeVar

from pytest_pinpoint_otp.apis import OPERATIONS
from pytest_pinpoint_otp.engine.codes import VerificationReason
from pytest_pinpoint_otp.engine.journal import Journal, differences
from pytest_pinpoint_otp.engine.records import Call, SentMessage, Unsent, Verification

_Either = TypeVar("_Either", bound=SentMessage | Call)

_CALLS: Final = 100
"""How many calls the traffic shows at most, and how many arranged messages: the newest."""
_SHOWN: Final = 10
"""How many records of a kind an error shows at most."""
_INDENT: Final = 13
"""The width of a time and a space, below which details stand."""
_DESTINATION: Final = 16
"""The width of the longest phone number in E.164."""
_NOUNS: Final = {"message": "text", "call": "call"}
_NO_CALL: Final = (
    "No OTP call has reached this fake. Is the client patched or mocked? Does the application run in another process"
    " (start it with pinpoint_otp_server.environ)? Otherwise the application made no call."
)
_LOOP_WAITS: Final = (
    "The test waited inside an event loop, which could run no other task meanwhile: await async_wait_for_message()"
    " instead."
)


class _Entry(NamedTuple):
    """What the traffic tells of one call or arranged message."""

    at: datetime
    what: str
    destination: str
    verdict: str
    """How it ended, who decided that, and why."""
    message: str | None
    details: list[str]


def traffic(journal: Journal, width: int, unused: Sequence[str] = ()) -> str:
    """Return the newest calls, arranged messages and unsent calls of a fake, oldest first, in lines of that width.

    Args:
        journal: the fake's records.
        width: columns of a line.
        unused: what the test has arranged and no call has used.
    """
    calls = [call for call in journal.calls if call.at is not None]
    made = {attempt.request_id for call in calls for attempt in call.attempts}
    arranged = [message for message in journal.messages if message.request_id not in made]
    entries = [*_call_entries(calls[-_CALLS:], journal), *map(_arranged_entry, arranged[-_CALLS:])]
    entries.sort(key=lambda entry: entry.at)
    lines = [*_left_out(calls, "calls"), *_left_out(arranged, "arranged messages")]
    for day, of_day in groupby(entries, key=lambda entry: entry.at.date()):
        lines.append(f"{day} (UTC)")
        lines += _table(list(of_day), width)
    lines += _left_out(journal.unsent, "calls that botocore stopped")
    for unsent in journal.unsent[-_CALLS:]:
        lines += _unsent_lines(unsent, width)
    for one in unused:
        lines += _wrapped(f"{'not used':{_INDENT}}{one}", width, first_indent=0)
    # With nothing else to show, the test does not mean this fake: another one is around each of its examples, say.
    if lines:
        lines += chain.from_iterable(_wrapped(one, width, first_indent=0) for one in _answered_elsewhere(journal))
    return "\n".join(lines)


def _left_out(records: Sequence[object], nouns: str) -> Iterator[str]:
    if len(records) > _CALLS:
        yield f"Earlier {nouns} left out: {len(records) - _CALLS:,}"


def _call_entries(calls: Iterable[Call], journal: Journal) -> Iterator[_Entry]:
    messages = {message.request_id: message for message in journal.messages}
    verifications = {verification.request_id: verification for verification in journal.verifications}
    for call in calls:
        ids = [attempt.request_id for attempt in call.attempts]
        sent = [messages[one] for one in ids if one in messages]
        judged = [verifications[one] for one in ids if one in verifications]
        entry = _call_entry(call, sent, judged)
        entry.details.extend(chain.from_iterable(_other_text(call, one, journal) for one in judged))
        yield entry


def _other_text(call: Call, verification: Verification, journal: Journal) -> Iterator[str]:
    """If no code was sent for what a verification names, tell how the newest text to its phone differs."""
    if verification.reason != VerificationReason.NEVER_SENT:
        return
    texts = [one for one in journal.messages_to(verification.destination) if one.sent_at <= verification.at]
    if texts:
        asked = {
            "api": OPERATIONS[call.operation].api.name,
            "application_id": verification.application_id,
            "reference_id": verification.reference_id,
        }
        unlike = differences(texts[-1], asked)
        # A text of the other API differs in application and reference in any case.
        told = {"api": unlike["api"]} if "api" in unlike else unlike
        yield from (f"but the newest text has {name} {value!r}" for name, value in told.items())


def _call_entry(call: Call, sent: Sequence[SentMessage], judged: Sequence[Verification]) -> _Entry:
    attempts = [_ending(attempt.outcome, attempt.source) for attempt in call.attempts]
    last = call.attempts[-1]
    details = _reference_detail(call)
    times = ""
    if len(set(attempts)) > 1:
        details.append(f"attempts: {', '.join(attempts)}")
    elif len(attempts) > 1:
        times = f" x{len(attempts)}"
    verdict = _ending(f"{last.outcome}{times}", last.source)
    lost = last.status_code is None
    if lost and any(message.request_id == last.request_id for message in sent):
        verdict += ", lost after SUCCESSFUL"
    details += [f"code {message.code}" for message in sent]
    for verification in judged:
        otp = f"otp {_quoted(verification.otp)}"
        if verification.request_id != last.request_id:
            # The application did not get this answer.
            otp += f": {verification.reason}"
        elif lost:
            verdict += f", lost after {verification.reason}"
        elif not verification.valid:
            verdict += f": {verification.reason}"
        details.append(otp)
        if verification.attempts_left is not None:
            details.append(f"attempts left: {verification.attempts_left}")
    message = call.error_message
    if message is None and last.outcome == "RawResponse":
        message = f"HTTP status {call.status_code}"
    return _Entry(call.attempts[0].at, call.operation, _quoted(call.destination) or "-", verdict, message, details)


def _ending(outcome: str, source: str) -> str:
    return f"{outcome} ({source})"


def _arranged_entry(message: SentMessage) -> _Entry:
    details = [*_reference_detail(message), f"code {message.code}"]
    return _Entry(message.sent_at, "issue", _quoted(message.destination) or "-", "arranged by the test", None, details)


def _reference_detail(record: SentMessage | Call) -> list[str]:
    return [] if record.reference_id is None else [f"reference {_quoted(record.reference_id)}"]


def _table(entries: Sequence[_Entry], width: int) -> Iterator[str]:
    """Yield the lines of entries, with operations and destinations in columns."""
    what = max(len(entry.what) for entry in entries)
    destination = min(max(len(entry.destination) for entry in entries), _DESTINATION)
    for entry in entries:
        head, details = f"{_clock_time(entry.at)} {entry.what:{what}}", entry.details
        whole = f"{head} {entry.destination:{destination}} {entry.verdict}"
        if len(whole) > width:
            # The first line must have room for how it ended; the destination moves down.
            whole, details = f"{head} {entry.verdict}", [f"to {entry.destination}", *details]
        if entry.message is not None:
            whole += f": {_one_line(entry.message)}"
        yield from _wrapped(whole, width, first_indent=0)
        yield from _wrapped(", ".join(details), width)


def _unsent_lines(unsent: Unsent, width: int) -> list[str]:
    why = f"stopped by botocore: {_one_line(unsent.error)}"
    return [f"{'not sent':{_INDENT}}{unsent.operation}", *_wrapped(why, width)]


def _wrapped(text: str, width: int, first_indent: int = _INDENT) -> list[str]:
    return textwrap.wrap(printable(text), width, initial_indent=" " * first_indent, subsequent_indent=" " * _INDENT)


def _clock_time(at: datetime | None) -> str:
    return "--:--:--.---" if at is None else at.isoformat(timespec="milliseconds")[11:23]


def printable(text: str) -> str:
    """Return a text that any terminal can show: control characters and what cannot be encoded are escaped."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in text)


def _quoted(text: str | None) -> str | None:
    """Return a text of a request: as it is if a terminal can show it, else quoted."""
    return text if text is None or text.isprintable() else repr(text)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def missing(
    what: str,
    selection: Mapping[str, object],
    times: int | None,
    found: Sequence[SentMessage | Call],
    records: Sequence[SentMessage | Call],
    journal: Journal,
) -> str:
    """Say that a message or call is not there as often as it should be, and what is there instead."""
    if found:
        wanted = _wanted(what, selection, plural=times != 1)
        lines = [f"Expected {times} {wanted}, found {len(found)}.", *_section("Found", map(_summary, found))]
    else:
        lines = [f"No {_wanted(what, selection)} was found."]
    there = set(map(id, found))
    others = [record for record in records if id(record) not in there]
    return _text([*lines, *_instead(selection, others, journal, failures=what == "message")])


def timed_out(
    selection: Mapping[str, object], timeout: float, journal: Journal, before: int, *, in_event_loop: bool
) -> str:
    """Say that a message did not arrive in time, and what did after the first ``before`` messages."""
    meanwhile = journal.messages[before:]
    lines = [
        f"No {_wanted('message', selection)} arrived within {timeout} seconds.",
        *([_LOOP_WAITS] if in_event_loop else []),
        f"Sent meanwhile: {len(meanwhile)}; before: {before}.",
    ]
    return _text([*lines, *_instead(selection, meanwhile, journal, failures=True)])


def _instead(
    selection: Mapping[str, object],
    others: Sequence[SentMessage | Call],
    journal: Journal,
    *,
    failures: bool,
) -> list[str]:
    """Return what there is instead, the nearest and newest first: near misses and, for a text, calls that failed."""
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
        lines = [_NO_CALL, *_answered_elsewhere(journal), *_unanswered(journal)]
    return lines


def _answered_elsewhere(journal: Journal) -> Iterator[str]:
    if journal.written_elsewhere:
        yield f"Calls that another fake has answered meanwhile: {journal.written_elsewhere}. The innermost one answers."


def _unanswered(journal: Journal) -> Iterator[str]:
    if journal.prepared:
        yield (
            f"Calls that botocore prepared, but that reached no fake: {journal.prepared}. A Stubber, or another handler"
            " of botocore's events, may have answered them."
        )


def _nearest(records: Sequence[_Either], selection: Mapping[str, object]) -> list[_Either]:
    """Return records in another order: those with the fewest differences first, and of these the newest."""
    newest_first = records[::-1]
    return sorted(newest_first, key=lambda record: len(differences(record, selection)))


def unexpected(what: str, selection: Mapping[str, object], found: Sequence[SentMessage | Call]) -> str:
    """Say that a message or call is there that should not be."""
    lines = [f"Expected no {_wanted(what, selection)}, found {len(found)}."]
    return _text([*lines, *_section("Found", map(_summary, found))])


def unused(arranged: Sequence[str]) -> str:
    """Say what a test arranged that was left unused, and what to do about it."""
    lines = ["The test arranged something that no call used:", *(f"  {one}" for one in arranged)]
    lines += [
        "Make the call, check the filters, or say that it is on purpose: inject(..., optional=True),",
        "Injection.cancel(), reset(), or the option assert_all_used=False.",
    ]
    return _text(lines)


def _text(lines: Iterable[str]) -> str:
    return "\n".join(map(printable, lines))


def _wanted(what: str, selection: Mapping[str, object], *, plural: bool = False) -> str:
    """Return what is looked for, such as ``text to +15550100123 with language='de-DE'``."""
    fields = dict(selection)
    wanted = f"{_NOUNS[what]}{'s' if plural else ''}"
    for name, word in (("operation", "of"), ("destination", "to")):
        if name in fields:
            wanted += f" {word} {_selected(fields.pop(name))}"
    others = ", ".join(f"{name}={value!r}" for name, value in fields.items())
    return f"{wanted} with {others}" if others else wanted


def _selected(value: object) -> str:
    return value if type(value) is str and value.isprintable() and value else repr(value)


def _near_miss(record: SentMessage | Call, selection: Mapping[str, object]) -> str:
    unlike = [f"{name} is {value!r}" for name, value in differences(record, selection).items()]
    return f"{_summary(record)} -- {', '.join(unlike)}"


def _summary(record: SentMessage | Call) -> str:
    if isinstance(record, SentMessage):
        return f"{_clock_time(record.sent_at)} text to {record.destination}{_reference(record)}, code {record.code}"
    attempts = f" after {len(record.attempts)} attempts" if len(record.attempts) > 1 else ""
    message = f" ({_one_line(record.error_message)})" if record.error_message else ""
    return (
        f"{_clock_time(record.at)} {record.operation} to {_quoted(record.destination)}{_reference(record)}:"
        f" {record.outcome}{attempts}{message}"
    )


def _reference(record: SentMessage | Call) -> str:
    return "" if record.reference_id is None else f", reference {_quoted(record.reference_id)}"


def _section(title: str, entries: Iterable[str]) -> list[str]:
    """Return a title with entries below it; nothing if there are no entries."""
    shown = [f"  {entry}" for entry in entries]
    if not shown:
        return []
    more = len(shown) - _SHOWN
    return [f"{title}:", *shown[:_SHOWN], *([f"  ... and {more} more"] if more > 0 else [])]
