"""What happened: calls with their attempts, messages and verifications, in order, and how they are selected.

Records are immutable snapshots: named tuples, because every call makes some. How they read as text is `report`'s
business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from pytest_pinpoint_otp.apis.operations import REQUEST_MEMBER
from pytest_pinpoint_otp.engine.checks import did_you_mean
from pytest_pinpoint_otp.engine.codes import VerificationReason


class SentMessage(NamedTuple):
    """A text that reached a handset. Datetimes are aware, in UTC; ``validity_period`` is in minutes."""

    application_id: str
    destination: str
    origination: str
    reference_id: str
    brand_name: str
    channel: str
    language: str | None
    """None where the request left it out, as for ``entity_id`` and ``template_id``."""
    entity_id: str | None
    template_id: str | None
    code: str
    body: str
    """The text, by AWS's documented template (AWS guide), in English for every language."""
    code_length: int
    validity_period: int
    allowed_attempts: int
    sent_at: datetime
    expires_at: datetime
    message_id: str
    request_id: str


class Attempt(NamedTuple):
    """One HTTP request of a call. ``status_code`` is None where the transport failed."""

    number: int
    outcome: str
    status_code: int | None
    request_id: str
    at: datetime


class Call(NamedTuple):
    """What the application called. botocore may have made several attempts of it.

    ``outcome``, ``status_code``, ``error_message``, ``request_id`` and ``at`` are those of the last answered attempt,
    and None before one. ``outcome`` is a delivery status, an error's name, ``VALID`` or ``INVALID``, or the class name
    of an exception.
    """

    operation: str
    application_id: str
    destination: str | None
    """None where the request did not say, as for ``reference_id``."""
    reference_id: str | None
    parameters: dict[str, Any]
    """The parameters as sent, by AWS's names."""
    invocation_id: str
    """What botocore sends with every attempt of one call."""
    attempts: tuple[Attempt, ...] = ()
    outcome: str | None = None
    status_code: int | None = None
    error_message: str | None = None
    request_id: str | None = None
    at: datetime | None = None

    @property
    def request(self) -> dict[str, Any]:
        """The keyword arguments that the application gave to boto3."""
        return {"ApplicationId": self.application_id, REQUEST_MEMBER[self.operation]: self.parameters}

    def answered(self, attempt: Attempt, error_message: str | None) -> Call:
        """Return the call as it is after one more attempt."""
        _, outcome, status_code, request_id, at = attempt
        return Call(*self[:6], (*self.attempts, attempt), outcome, status_code, error_message, request_id, at)


class Verification(NamedTuple):
    """A code that was judged. ``attempts_left`` is None where nothing had been sent for its key."""

    application_id: str
    destination: str
    reference_id: str
    otp: str
    valid: bool
    reason: VerificationReason
    attempts_left: int | None
    at: datetime
    request_id: str


class Unsent(NamedTuple):
    """A call that botocore's own validation stopped, so that it never left the application."""

    operation: str
    error: str


Record = TypeVar("Record", SentMessage, Call)


class Journal:
    """The records of one fake, in order. Not locked: the service is."""

    def __init__(self) -> None:
        self.messages: list[SentMessage] = []
        self.verifications: list[Verification] = []
        self.unsent: list[Unsent] = []
        self.listeners: list[Callable[[SentMessage], None]] = []
        """Told of every message, for those who wait for one."""
        self._calls: dict[str, Call] = {}
        self._inboxes: dict[str, list[SentMessage]] = {}

    @property
    def calls(self) -> list[Call]:
        """The calls, oldest first, as a new list."""
        return list(self._calls.values())

    def call(self, invocation_id: str) -> Call | None:
        """Return the call that an attempt belongs to, if it is known."""
        return self._calls.get(invocation_id)

    def write_call(self, call: Call) -> None:
        """Add a call, or put its newer state in the place of the older."""
        self._calls[call.invocation_id] = call

    def write_message(self, message: SentMessage) -> None:
        """Add a text that reached a handset."""
        self.messages.append(message)
        self._inboxes.setdefault(message.destination, []).append(message)
        for listener in self.listeners:
            listener(message)

    def messages_to(self, destination: object) -> list[SentMessage]:
        """Return the messages among which those for a destination are; all of them where it is no plain string."""
        if type(destination) is str:
            return self._inboxes.get(destination, [])
        return self.messages

    def newest_message(self, selection: Mapping[str, object]) -> SentMessage | None:
        """Return the newest message that matches, if one does. The cost does not grow with the messages to others."""
        return next(select(reversed(self.messages_to(selection.get("destination"))), selection), None)


_FIELDS = {SentMessage: {*SentMessage._fields}, Call: {*Call._fields, "request"}}


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
    """Return the record's values of those selected fields that are not as selected."""
    found = {name: getattr(record, name) for name in selection}
    # The selected value comes first, so that its own == (unittest.mock.ANY, a matcher) decides; != may be another's.
    return {name: value for name, value in found.items() if not (selection[name] == value)}  # noqa: SIM201


def select(records: Iterable[Record], selection: Mapping[str, object]) -> Iterator[Record]:
    """Yield the records whose fields equal the selected ones."""
    return (record for record in records if not differences(record, selection))
