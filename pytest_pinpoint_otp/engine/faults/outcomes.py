"""What a call can be made to do: the outcomes, each with its label in records, its JSON and its repr.

An outcome's `carry_out` says what the service does. `injections` and `quotas` decide which call gets which outcome, and
`parsing` reads what a test writes. Outcomes of the transport are in `transport_errors`. Each API writes the answers
(`write_delivery`).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Final, Self, cast

from pytest_pinpoint_otp.apis import ERRORS
from pytest_pinpoint_otp.apis.base import DeliveryReport
from pytest_pinpoint_otp.apis.frozen_json import FrozenDict
from pytest_pinpoint_otp.apis.rest_json import Response
from pytest_pinpoint_otp.engine.argument_checks import check_int, check_str, did_you_mean, explain_fields, kind, plain
from pytest_pinpoint_otp.engine.faults.outcome_base import (
    Answer,
    Outcome,
    Work,
    check_members,
    in_json,
    names_of_fields,
    unusual_fields,
    write_call,
)

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


class DeliveryStatus(StrEnum):
    """How the delivery of an OTP ended (source: botocore model, ``DeliveryStatus``).

    Pinpoint answers every status with an HTTP 200 and without an exception: only
    ``Result[destination]["DeliveryStatus"]`` shows it. An answer of End User Messaging has no status at all.
    """

    SUCCESSFUL = "SUCCESSFUL"
    THROTTLED = "THROTTLED"
    TEMPORARY_FAILURE = "TEMPORARY_FAILURE"
    PERMANENT_FAILURE = "PERMANENT_FAILURE"
    UNKNOWN_FAILURE = "UNKNOWN_FAILURE"
    OPT_OUT = "OPT_OUT"
    DUPLICATE = "DUPLICATE"


_STATUS_CODES: Final[dict[str, int]] = {
    DeliveryStatus.SUCCESSFUL: 200,
    DeliveryStatus.THROTTLED: 429,
    DeliveryStatus.TEMPORARY_FAILURE: 500,
    DeliveryStatus.PERMANENT_FAILURE: 400,
    DeliveryStatus.UNKNOWN_FAILURE: 500,
    DeliveryStatus.OPT_OUT: 400,
    DeliveryStatus.DUPLICATE: 400,
}

_STATUS_MESSAGES: Final[dict[str, str]] = {
    # The first two were seen; the others are our own.
    DeliveryStatus.THROTTLED: "Too many requests.",
    DeliveryStatus.OPT_OUT: "Destination phone number opted out",
    DeliveryStatus.TEMPORARY_FAILURE: "The message could not be delivered for now.",
    DeliveryStatus.PERMANENT_FAILURE: "The message cannot be delivered to this destination.",
    DeliveryStatus.UNKNOWN_FAILURE: "The message could not be delivered for an unknown reason.",
    DeliveryStatus.DUPLICATE: "The message is a duplicate.",
}

_ERROR_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")
_INJECTED: Final = "Injected by pytest-pinpoint-otp."


@explain_fields
@dataclass(frozen=True, slots=True, repr=False)
class Delivery(Outcome):
    """The result of a delivery, with fields that the test sets.

    Args:
        status: the ``DeliveryStatus``, or its name.
        status_code: ``StatusCode`` of the result, 100 to 599. By default 200 for SUCCESSFUL, 429 for THROTTLED,
            400 for OPT_OUT, PERMANENT_FAILURE and DUPLICATE, 500 for the other failures (source: AWS guide for 200,
            seen for 429; the others are our assumption).
        status_message: ``StatusMessage``. By default AWS's ``MessageId: <id>`` for SUCCESSFUL (source: AWS guide),
            "Too many requests." for THROTTLED and "Destination phone number opted out" for OPT_OUT (seen), and a
            sentence of our own for the other failures.
        updated_token: ``UpdatedToken``, left out of the answer by default.
        endpoint_id: an endpoint ID, under which the answer also has an ``EndpointResult``, with the destination as its
            ``Address`` (source: botocore model). By default there is none.
        message_id: ``MessageId``. By default one is drawn; an empty string leaves the member out, as AWS sometimes
            does on a failure (seen).

    A SUCCESSFUL delivery issues a code. Any other issues none, and leaves an earlier code as it was. End User Messaging
    says nothing about a delivery, so its answer is the usual one.

    Raises:
        TypeError: a field has the wrong type.
        ValueError: no such delivery status, or a status code out of range.
    """

    member = "delivery"

    status: DeliveryStatus | str
    status_code: int | None = None
    status_message: str | None = None
    updated_token: str | None = None
    endpoint_id: str | None = None
    message_id: str | None = None

    def __post_init__(self) -> None:
        _make_plain(self)
        check_str("Delivery: status", self.status, "the name of a delivery status")
        if self.status not in _STATUS_CODES:
            hint = did_you_mean(self.status, DeliveryStatus)
            raise ValueError(f"Delivery: status is {self.status!r}, which is not a delivery status.{hint}")
        object.__setattr__(self, "status", DeliveryStatus(self.status))
        _check_status_code("Delivery", self.status_code, 100)
        for name in ("status_message", "updated_token", "endpoint_id", "message_id"):
            _check_text("Delivery", name, getattr(self, name))

    def __repr__(self) -> str:
        return write_call(self, repr(str(self.status)))

    @property
    def label(self) -> str:
        """The outcome as records show it: the plain name of the status."""
        return str(self.status)

    @property
    def delivered(self) -> bool:
        """Whether the text reaches the handset."""
        return self.status is DeliveryStatus.SUCCESSFUL

    def carry_out(self, work: Work) -> Answer:
        """Let the service deliver a code, or not."""
        return work.deliver(self.report())

    def report(self) -> DeliveryReport:
        """Return what an answer may say about it."""
        status = DeliveryStatus(self.status)
        return DeliveryReport(
            status=str(status),
            delivered=self.delivered,
            status_code=_STATUS_CODES[status] if self.status_code is None else self.status_code,
            status_message=_STATUS_MESSAGES.get(status) if self.status_message is None else self.status_message,
            message_id=self.message_id,
            updated_token=self.updated_token,
            endpoint_id=self.endpoint_id,
        )

    def to_json(self) -> Any:
        """Return the fields that do not have their default, and the status."""
        return {**unusual_fields(self), "status": self.label}

    @classmethod
    def from_json(cls, where: str, value: Any) -> Self:
        """Read its fields."""
        return cls(**check_members(where, value, names_of_fields(cls), ["status"]))


@explain_fields
@dataclass(frozen=True, slots=True, repr=False)
class ErrorResponse(Outcome):
    """An error that AWS answers, which botocore raises as a ``ClientError`` or the modelled subclass of that name.

    Args:
        name: the error's name: one that the operation models, or any other.
        message: the error's message; by default ``Injected by pytest-pinpoint-otp.``
        status_code: the HTTP status, 400 to 599. By default the modelled one (source: botocore model). A name that is
            not modelled needs one.

    botocore retries it if its retry mode says so, such as a 500 or TooManyRequestsException.

    Raises:
        TypeError: a field has the wrong type.
        ValueError: not the name of an error, a name that is not modelled and has no status code, or a status code out
            of range.
    """

    member = "error"

    name: str
    message: str | None = None
    status_code: int | None = None

    def __post_init__(self) -> None:
        _make_plain(self)
        check_str("ErrorResponse: name", self.name, "the error's name")
        if not _ERROR_NAME.fullmatch(self.name):
            raise ValueError(
                f"ErrorResponse: name is {self.name!r}, which is not the name of an error: use letters, digits, '.' and"
                " '_'."
            )
        if self.status_code is None and self.name not in ERRORS:
            raise ValueError(
                f"ErrorResponse: name is {self.name!r}, which is not modelled for the OTP operations: give its"
                f" status_code as well.{did_you_mean(self.name, ERRORS)}"
            )
        _check_text("ErrorResponse", "message", self.message)
        _check_status_code("ErrorResponse", self.status_code, 400)

    def __repr__(self) -> str:
        return write_call(self, repr(self.name))

    @property
    def label(self) -> str:
        """The outcome as records show it: the error's name."""
        return self.name

    def carry_out(self, work: Work) -> Answer:
        """Let the service answer the error, and do no work."""
        status_code = ERRORS[self.name] if self.status_code is None else self.status_code
        return work.write_error(self.label, status_code, _INJECTED if self.message is None else self.message)

    def to_json(self) -> Any:
        """Return its fields, without those that have their default."""
        return unusual_fields(self)

    @classmethod
    def from_json(cls, where: str, value: Any) -> Self:
        """Read its fields."""
        return cls(**check_members(where, value, names_of_fields(cls), ["name"]))


@dataclass(frozen=True, slots=True, repr=False)
class Verdict(Outcome):
    """A forced answer to a verification: no code is judged, and nothing is used up."""

    member = "verdict"

    valid: bool

    def __repr__(self) -> str:
        return repr(self.label)

    @property
    def label(self) -> str:
        """The outcome as records show it."""
        return "VALID" if self.valid else "INVALID"

    def carry_out(self, work: Work) -> Answer:
        """Let the service give the verdict."""
        return work.give_verdict(self.valid)

    def to_json(self) -> Any:
        """Return the verdict's name."""
        return self.label

    @classmethod
    def from_json(cls, where: str, value: Any) -> Self:
        """Read the verdict's name."""
        if value not in VERDICTS:
            raise ValueError(f"{where} is {in_json(value)}, but takes 'VALID' or 'INVALID'.")
        return cls(value == "VALID")


VERDICTS: Final = ("VALID", "INVALID")


@explain_fields
@dataclass(frozen=True, slots=True, repr=False)
class RawResponse(Outcome):
    """An answer given byte by byte: a proxy's 502 page, truncated JSON, an empty body, a wrong content type.

    The application gets what botocore makes of it. The service does no work.

    Args:
        status_code: the HTTP status, 200 to 599.
        body: the body; a str is sent as UTF-8.
        headers: the headers, and no others: no request ID is added.

    Raises:
        TypeError: a field has the wrong type.
        ValueError: a status code out of range, a body that cannot be encoded, a header that is given twice, or a header
            that cannot be sent.
    """

    member = "raw_response"

    status_code: int
    body: bytes | str = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _make_plain(self)
        check_int("RawResponse: status_code", self.status_code, 200, 599)
        if not isinstance(self.body, (bytes, str)):
            raise TypeError(f"RawResponse: body takes bytes or a str, not {kind(self.body)}.")
        if isinstance(self.body, str):
            try:
                object.__setattr__(self, "body", self.body.encode())
            except UnicodeEncodeError as error:
                raise ValueError(f"RawResponse: body {self.body!r} cannot be sent as UTF-8: {error.reason}.") from None
        object.__setattr__(self, "headers", _read_headers(self.headers))

    def __repr__(self) -> str:
        return write_call(self, repr(self.status_code))

    @property
    def label(self) -> str:
        """The outcome as records show it; the attempt's ``status_code`` tells the status."""
        return RawResponse.__name__

    def carry_out(self, work: Work) -> Answer:
        """Answer as given, and let the service do no work."""
        response = Response(self.status_code, self.headers, cast("bytes", self.body))
        return Answer(self.label, self.status_code, None, response)

    def to_json(self) -> Any:
        """Return its fields; the body as text, or in Base64 if it is not UTF-8."""
        members = unusual_fields(self)
        members.pop("body", None)
        body = cast("bytes", self.body)
        try:
            return {**members, "body": body.decode()}
        except UnicodeDecodeError:
            return {**members, "body_base64": base64.b64encode(body).decode()}

    @classmethod
    def from_json(cls, where: str, value: Any) -> Self:
        """Read its fields."""
        members = dict(check_members(where, value, {*names_of_fields(cls), "body_base64"}, ["status_code"]))
        if "body_base64" in members:
            if "body" in members:
                raise ValueError(f"{where} has both body and body_base64, but takes one of them.")
            written = members.pop("body_base64")
            try:
                members["body"] = base64.b64decode(written, validate=True)
            except (TypeError, ValueError):
                raise ValueError(f"{where}.body_base64 is {in_json(written)}, but takes bytes in Base64.") from None
        return cls(**members)


def _read_headers(headers: object) -> FrozenDict:
    if not isinstance(headers, Mapping):
        raise TypeError(f"RawResponse: headers takes a dict of str, not {kind(headers)}.")
    for name, value in headers.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise TypeError(f"RawResponse: headers takes a dict of str, but has {name!r}: {value!r}.")
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ValueError(
                f"RawResponse: headers has {name!r}, which is not the name of a header: use letters, digits and"
                " hyphens."
            )
        if re.search(r"[\r\n\0]", value):
            raise ValueError(f"RawResponse: headers has a line break or NUL in {name}: {value!r}; leave it out.")
    lowered = FrozenDict((name.lower(), value) for name, value in headers.items())
    if len(lowered) < len(headers):
        raise ValueError(f"RawResponse: headers {dict(headers)!r} has a name twice; their case does not count.")
    return lowered


def _make_plain(outcome: Delivery | ErrorResponse | RawResponse) -> None:
    """Let an outcome hold values instead of members of enums, such as an ``http.HTTPStatus``."""
    for one in fields(outcome):
        object.__setattr__(outcome, one.name, plain(getattr(outcome, one.name)))


def _check_status_code(owner: str, value: object, lowest: int) -> None:
    if value is not None:
        check_int(f"{owner}: status_code", value, lowest, 599)


def _check_text(owner: str, name: str, value: object) -> None:
    if value is not None:
        check_str(f"{owner}: {name}", value)
