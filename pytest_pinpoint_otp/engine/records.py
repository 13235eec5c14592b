"""The records of what happened: messages, calls with their attempts, and verifications.

Records are immutable snapshots: named tuples, because every call makes some. How they read as text is `report`'s
business.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, TypedDict

from pytest_pinpoint_otp.apis import OPERATIONS
from pytest_pinpoint_otp.apis.base import Key, SendOperation
from pytest_pinpoint_otp.engine.codes import VerificationReason

make: Final = tuple.__new__
"""Make a record of all its members, in order. Its own constructor takes twice as long, and every call makes three."""


class SentMessage(NamedTuple):
    """A text that reached a handset. Datetimes are aware, in UTC; ``validity_period`` is in minutes.

    A field that the API does not have, or that the request left out, is None.
    """

    application_id: str | None
    destination: str
    origination: str
    reference_id: str | None
    brand_name: str | None
    channel: str
    language: str | None
    entity_id: str | None
    template_id: str | None
    code: str
    body: str
    """The text, by AWS's documented template (AWS guide), in English for every language, or by the request's own."""
    code_length: int
    validity_period: int
    allowed_attempts: int
    sent_at: datetime
    expires_at: datetime
    message_id: str
    request_id: str
    api: str
    """boto3's name of the client."""
    verification_id: str | None
    configuration: str | None
    code_type: str | None
    """NUMERIC, ALPHA or ALPHANUMERIC; None if the API has numeric codes only."""
    context: Mapping[str, str] | None

    @property
    def key(self) -> Key:
        """What the code is for."""
        return Key(self.application_id, self.destination, self.reference_id)


class Attempt(NamedTuple):
    """One HTTP request of a call. ``status_code`` is None if the transport failed."""

    number: int
    outcome: str
    status_code: int | None
    request_id: str
    at: datetime
    source: str = "service"
    """Who decided the outcome, one of "service", "injection", "quota", "opt-out", "plan" and "chaos"."""


class Call(NamedTuple):
    """A call of the application. botocore may have made several attempts of it.

    ``outcome``, ``status_code``, ``error_message``, ``request_id``, ``at`` and ``source`` are those of the last
    answered attempt; before one they are None. ``outcome`` is a delivery status, an error's name, ``VALID`` or
    ``INVALID``, ``OK`` for an operation that neither sends nor verifies, or the class name of an exception.
    """

    operation: str
    application_id: str | None
    """None if the API has no applications."""
    destination: str | None
    """None if the request does not have one, as with ``reference_id``."""
    reference_id: str | None
    parameters: dict[str, Any]
    """The parameters as sent, by AWS's names. The dict cannot be changed; ``dict(...)`` makes a copy that can."""
    invocation_id: str
    """What botocore sends with every attempt of one call."""
    attempts: tuple[Attempt, ...] = ()
    outcome: str | None = None
    status_code: int | None = None
    error_message: str | None = None
    request_id: str | None = None
    at: datetime | None = None
    source: str | None = None

    @property
    def request(self) -> dict[str, Any]:
        """The keyword arguments that the application gave to boto3."""
        return OPERATIONS[self.operation].write_keywords(self.application_id, self.parameters)

    @property
    def origination(self) -> str | None:
        """The origination identity of a send; None if the request has none, or does not send."""
        operation = OPERATIONS[self.operation]
        return self.parameters.get(operation.origination_member) if isinstance(operation, SendOperation) else None


class Verification(NamedTuple):
    """A code that was judged. ``attempts_left`` is None if nothing had been sent for its application, destination and
    reference.
    """

    application_id: str | None
    destination: str
    reference_id: str | None
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


class MessageFields(TypedDict, total=False):
    """The fields that select messages, besides the destination; each is compared with ``==``."""

    application_id: object
    origination: object
    reference_id: object
    brand_name: object
    channel: object
    language: object
    entity_id: object
    template_id: object
    code: object
    body: object
    code_length: object
    validity_period: object
    allowed_attempts: object
    sent_at: object
    expires_at: object
    message_id: object
    request_id: object
    api: object
    verification_id: object
    configuration: object
    code_type: object
    context: object


class CallFields(TypedDict, total=False):
    """The fields that select calls, besides the operation; each is compared with ``==``."""

    application_id: object
    destination: object
    reference_id: object
    parameters: object
    request: object
    invocation_id: object
    attempts: object
    outcome: object
    status_code: object
    error_message: object
    request_id: object
    at: object
    source: object
