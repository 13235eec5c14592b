"""The journal: the records of one fake, in order, and how they are selected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from typing import TypeVar

from pytest_pinpoint_otp.apis import OPERATIONS, canonical_name
from pytest_pinpoint_otp.engine.argument_checks import check_selected, did_you_mean, plain
from pytest_pinpoint_otp.engine.records import Call, SentMessage, Unsent, Verification

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

Record = TypeVar("Record", SentMessage, Call)

# Not an attribute of the class: a class that changes makes every look-up on its instances slow.
_written = 0
"""How many calls all fakes of the process have answered."""


class Journal:
    """The records of one fake, in order. Written under the lock."""

    def __init__(self) -> None:
        self.messages: list[SentMessage] = []
        self.verifications: list[Verification] = []
        self.unsent: list[Unsent] = []
        self.listeners: list[Callable[[SentMessage], None]] = []
        """Called with every message, for those who wait for one."""
        self.prepared = 0
        """How many calls botocore has prepared for sending while this fake was the innermost."""
        self._written_before = _written
        self.by_invocation_id: dict[str, Call] = {}
        """The calls, oldest first."""
        self._inboxes: dict[str, list[SentMessage]] = {}

    def copy(self) -> Journal:
        """Return a journal of the same records that goes on independently, with the same listeners."""
        other = copy(self)
        other.messages, other.verifications = list(self.messages), list(self.verifications)
        other.unsent, other.by_invocation_id = list(self.unsent), dict(self.by_invocation_id)
        other._inboxes = {destination: list(inbox) for destination, inbox in self._inboxes.items()}
        other._written_before = _written - len(self.by_invocation_id)
        return other

    @property
    def written_elsewhere(self) -> int:
        """How many calls other fakes have answered since this journal began."""
        return _written - self._written_before - len(self.by_invocation_id)

    @property
    def calls(self) -> list[Call]:
        """The calls, oldest first, as a new list."""
        return list(self.by_invocation_id.values())

    def write_call(self, call: Call) -> None:
        """Add a call, or replace its earlier state."""
        global _written
        if call.invocation_id not in self.by_invocation_id:
            _written += 1
        self.by_invocation_id[call.invocation_id] = call

    def write_message(self, message: SentMessage) -> None:
        """Add a text that reached a handset."""
        self.messages.append(message)
        self._inboxes.setdefault(message.destination, []).append(message)
        for listener in self.listeners:
            listener(message)

    def messages_to(self, destination: object) -> list[SentMessage]:
        """Return messages that include all those for a destination; only those if it is a plain string."""
        if type(destination) is str:
            return self._inboxes.get(destination, [])
        return self.messages

    def newest_message(self, selection: Mapping[str, object]) -> SentMessage | None:
        """Return the newest message that matches, if one does. The cost does not grow with the messages to others."""
        return next(select(reversed(self.messages_to(selection.get("destination"))), selection), None)


_FIELDS = {SentMessage: {*SentMessage._fields}, Call: {*Call._fields, "request"}}


def select_messages(destination: object, fields: Mapping[str, object]) -> dict[str, object]:
    """Return the selection of messages by destination (None: any) and further fields.

    Raises:
        TypeError: an unknown field.
    """
    selection = dict(fields) if destination is None else {"destination": destination, **fields}
    check_fields(SentMessage, selection)
    return selection


def select_calls(where: str, operation: object, fields: Mapping[str, object]) -> dict[str, object]:
    """Return the selection of calls by operation (None: any) and further fields; ``where`` begins a message.

    Raises:
        TypeError: an unknown field, or an operation that is not a str.
        ValueError: the operation is not faked.
    """
    operation = plain(canonical_name(operation))
    if isinstance(operation, str) and operation not in OPERATIONS:
        hint = did_you_mean(operation, OPERATIONS)
        if operation.startswith("+"):
            hint = f" A destination is given by keyword here: destination={operation!r}."
        raise ValueError(f"{where}: operation {operation!r} is not faked.{hint}")
    check_selected(f"{where}: operation", operation)
    check_fields(Call, fields)
    return dict(fields) if operation is None else {"operation": operation, **fields}


def check_fields(record: type[SentMessage] | type[Call], selection: Mapping[str, object]) -> None:
    """Refuse a selection by fields that the record does not have.

    Raises:
        TypeError: naming the unknown field and the nearest known one.
    """
    known = _FIELDS[record]
    for name in selection:
        if name not in known:
            raise TypeError(f"{record.__name__} has no field {name!r}.{did_you_mean(name, known)}")


def differences(record: object, selection: Mapping[str, object]) -> dict[str, object]:
    """Return the selected fields in which the record differs, with its own values."""
    found = {name: getattr(record, name) for name in selection}
    # The selected value comes first, so that its own == (unittest.mock.ANY, a matcher) decides; != may be another's.
    return {name: value for name, value in found.items() if not (selection[name] == value)}  # noqa: SIM201


def select(records: Iterable[Record], selection: Mapping[str, object]) -> Iterator[Record]:
    """Yield the records whose fields equal the selected ones."""
    return (record for record in records if not differences(record, selection))
