"""What a call can be made to do: the outcomes that a test may inject, and how an argument of ``inject`` is read.

Nothing here knows which call gets which outcome (`faults`) or how an outcome travels over HTTP (`service`).
"""

from __future__ import annotations

import inspect
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, cast

from pytest_pinpoint_otp.apis.operations import VERIFY
from pytest_pinpoint_otp.engine.checks import did_you_mean, kind

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.journal import Call

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


class DeliveryStatus(StrEnum):
    """How the delivery of an OTP ended (source: botocore model, ``DeliveryStatus``).

    Every status is an HTTP 200 without an exception: only ``Result[destination]["DeliveryStatus"]`` tells.
    """

    SUCCESSFUL = "SUCCESSFUL"
    THROTTLED = "THROTTLED"
    TEMPORARY_FAILURE = "TEMPORARY_FAILURE"
    PERMANENT_FAILURE = "PERMANENT_FAILURE"
    UNKNOWN_FAILURE = "UNKNOWN_FAILURE"
    OPT_OUT = "OPT_OUT"
    DUPLICATE = "DUPLICATE"


_DELIVERY_STATUS_CODES: Final[dict[str, int]] = {
    DeliveryStatus.SUCCESSFUL: 200,
    DeliveryStatus.THROTTLED: 429,
    DeliveryStatus.TEMPORARY_FAILURE: 500,
    DeliveryStatus.PERMANENT_FAILURE: 400,
    DeliveryStatus.UNKNOWN_FAILURE: 500,
    DeliveryStatus.OPT_OUT: 400,
    DeliveryStatus.DUPLICATE: 400,
}

_DELIVERY_STATUS_MESSAGES: Final[dict[str, str]] = {
    DeliveryStatus.THROTTLED: "The message was throttled.",
    DeliveryStatus.TEMPORARY_FAILURE: "The message could not be delivered for now.",
    DeliveryStatus.PERMANENT_FAILURE: "The message cannot be delivered to this destination.",
    DeliveryStatus.UNKNOWN_FAILURE: "The message could not be delivered for an unknown reason.",
    DeliveryStatus.OPT_OUT: "The destination has opted out of messages.",
    DeliveryStatus.DUPLICATE: "The message is a duplicate.",
}

MODELLED_ERRORS: Final = {
    "BadRequestException": 400,
    "ForbiddenException": 403,
    "NotFoundException": 404,
    "MethodNotAllowedException": 405,
    "PayloadTooLargeException": 413,
    "TooManyRequestsException": 429,
    "InternalServerErrorException": 500,
}
"""The errors that both operations model, with their HTTP status (source: botocore model)."""

_ERROR_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")


class Pasteable:
    """Something that prints as a test would write it, in Hypothesis's reports too."""

    __slots__ = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # Hypothesis prints a dataclass field by field otherwise, and a field as no test writes it.
        printer.text(repr(self))


@dataclass(frozen=True, slots=True, repr=False)
class Delivery(Pasteable):
    """A delivery result with its fields in the test's hands.

    Args:
        status: the ``DeliveryStatus``, or its name.
        status_code: ``StatusCode`` of the result, 100 to 599. By default 200 for SUCCESSFUL, 429 for THROTTLED,
            400 for OPT_OUT, PERMANENT_FAILURE and DUPLICATE, 500 for the other failures (our assumption: AWS
            documents the 200 only).
        status_message: ``StatusMessage``. By default AWS's ``MessageId: <id>`` for SUCCESSFUL (source: AWS guide),
            and a sentence of ours for a failure.
        updated_token: ``UpdatedToken``, left out of the answer by default.
        endpoint_id: where given, ``EndpointResult`` is filled too, under this endpoint ID and with the destination
            as its ``Address`` (source: botocore model).

    A SUCCESSFUL delivery issues a code as ever; any other issues none and leaves an earlier one as it was.

    Raises:
        TypeError: a field has the wrong type.
        ValueError: no such delivery status, or a status code out of range.
    """

    status: DeliveryStatus | str
    status_code: int | None = None
    status_message: str | None = None
    updated_token: str | None = None
    endpoint_id: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.status, str):
            raise TypeError(f"Delivery: status takes a DeliveryStatus or its name, not {kind(self.status)}.")
        if self.status not in _DELIVERY_STATUS_CODES:
            raise ValueError(
                f"Delivery: {self.status!r} is no delivery status.{did_you_mean(self.status, DeliveryStatus)}"
            )
        object.__setattr__(self, "status", DeliveryStatus(self.status))
        _check_status_code("Delivery", self.status_code, 100)
        for name in ("status_message", "updated_token", "endpoint_id"):
            _check_text("Delivery", name, getattr(self, name))

    def __repr__(self) -> str:
        return _as_written(self, repr(str(self.status)))

    @property
    def label(self) -> str:
        """The outcome as records show it: the plain name of the status."""
        return str(self.status)

    @property
    def delivered(self) -> bool:
        """Whether the text reaches the handset."""
        return self.status == DeliveryStatus.SUCCESSFUL

    @property
    def code(self) -> int:
        """``StatusCode`` of the result."""
        # By a plain str: an enum's member computes its hash in Python, for each answer anew.
        return _DELIVERY_STATUS_CODES[str(self.status)] if self.status_code is None else self.status_code

    def message(self, message_id: str) -> str:
        """Return ``StatusMessage`` of the result for the message of this ID."""
        if self.status_message is not None:
            return self.status_message
        return f"MessageId: {message_id}" if self.delivered else _DELIVERY_STATUS_MESSAGES[self.status]


@dataclass(frozen=True, slots=True, repr=False)
class ErrorResponse(Pasteable):
    """An error that AWS answers, which botocore raises as a ``ClientError`` or the modelled subclass of that name.

    Args:
        name: the error's name: one of the seven that both operations model, or any other.
        message: ``Message`` of the error; by default ``Injected by pytest-pinpoint-otp.``
        status_code: the HTTP status, 400 to 599. By default the modelled one (source: botocore model); an unmodelled
            name needs one.

    botocore retries what its retry mode retries: a 500 or TooManyRequestsException, say.

    Raises:
        TypeError: a field has the wrong type.
        ValueError: no name of an error, an unmodelled name without a status code, or a status code out of range.
    """

    name: str
    message: str | None = None
    status_code: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"ErrorResponse: name takes the error's name, not {kind(self.name)}.")
        if not _ERROR_NAME.fullmatch(self.name):
            raise ValueError(f"ErrorResponse: {self.name!r} is no name of an error: use letters, digits, '.' and '_'.")
        if self.status_code is None and self.name not in MODELLED_ERRORS:
            raise ValueError(
                f"ErrorResponse: {self.name!r} is not modelled for the OTP operations: give its status_code="
                f" as well.{did_you_mean(self.name, MODELLED_ERRORS)}"
            )
        _check_text("ErrorResponse", "message", self.message)
        _check_status_code("ErrorResponse", self.status_code, 400)

    def __repr__(self) -> str:
        return _as_written(self, repr(self.name))

    @property
    def label(self) -> str:
        """The outcome as records show it: the error's name."""
        return self.name

    @property
    def http_status(self) -> int:
        """The HTTP status of the answer."""
        return MODELLED_ERRORS[self.name] if self.status_code is None else self.status_code

    @property
    def text(self) -> str:
        """The message of the answer."""
        return "Injected by pytest-pinpoint-otp." if self.message is None else self.message


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class TransportFailure(Pasteable):
    """A botocore transport exception, to be raised instead of an answer. What ``inject`` makes of the exception."""

    exception: Exception | type[Exception]

    def __repr__(self) -> str:
        return _exception_as_written(self.exception)

    def __eq__(self, other: object) -> bool:
        # An exception is equal to itself alone, so what it was built from is compared.
        return isinstance(other, TransportFailure) and (self._class, repr(self)) == (other._class, repr(other))

    def __hash__(self) -> int:
        return hash(repr(self))

    @property
    def label(self) -> str:
        """The outcome as records show it: the exception's class name."""
        return self._class.__name__

    @property
    def _class(self) -> type[Exception]:
        return self.exception if isinstance(self.exception, type) else type(self.exception)

    @property
    def text(self) -> str:
        """What the failure says, as far as it is known before a request."""
        return "Injected by pytest-pinpoint-otp." if isinstance(self.exception, type) else str(self.exception)

    def for_request(self, url: str) -> Exception:
        """Return the exception to raise for one request, with no traceback of an earlier one."""
        if isinstance(self.exception, type):
            return _instantiate(self.exception, url)
        return self.exception.with_traceback(None)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class LostResponse(Pasteable):
    """The service does its work, and its answer is lost on the way: the application sees the exception.

    With ``per="attempt"`` botocore's retry sends a second text, and only the second code works; a verification that
    was lost is false when it is repeated, because a code works once.

    Args:
        exception: the botocore transport exception, class or instance; by default ``ReadTimeoutError``.

    Raises:
        TypeError: the exception is no transport exception of botocore.
    """

    exception: Exception | type[Exception] | None = None

    def __post_init__(self) -> None:
        if self.exception is None:
            from botocore.exceptions import ReadTimeoutError

            object.__setattr__(self, "exception", ReadTimeoutError)
        else:
            _read_transport_exception(self.exception)

    def __repr__(self) -> str:
        written = _exception_as_written(self.exception)
        return "LostResponse()" if written == "ReadTimeoutError" else f"LostResponse({written})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LostResponse) and self.failure == other.failure

    def __hash__(self) -> int:
        return hash(self.failure)

    @property
    def failure(self) -> TransportFailure:
        """What the application sees of it."""
        return TransportFailure(cast("Exception | type[Exception]", self.exception))


class _Headers(dict[str, str]):
    """Headers that stay as they are, so that an outcome, and a plan of it, has a hash."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)

    def _refuse(self, *args: object, **kwargs: object) -> Any:
        raise TypeError("The headers of a RawResponse cannot be changed: make another RawResponse.")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse


@dataclass(frozen=True, slots=True, repr=False)
class RawResponse(Pasteable):
    """An answer given byte by byte: a proxy's 502 page, truncated JSON, an empty body, a wrong content type.

    What botocore makes of it reaches the application. The service does no work.

    Args:
        status_code: the HTTP status, 200 to 599.
        body: the body; a str is sent as UTF-8.
        headers: the headers, and no others: no request ID is added.

    Raises:
        TypeError: a field has the wrong type.
        ValueError: a status code out of range, a body that cannot be encoded, or a header that is given twice.
    """

    status_code: int
    body: bytes | str = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status_code is None:
            raise TypeError("RawResponse: status_code takes an int, not None.")
        _check_status_code("RawResponse", self.status_code, 200)
        if not isinstance(self.body, (bytes, str)):
            raise TypeError(f"RawResponse: body takes bytes or a str, not {kind(self.body)}.")
        if isinstance(self.body, str):
            try:
                object.__setattr__(self, "body", self.body.encode())
            except UnicodeEncodeError as error:
                raise ValueError(f"RawResponse: body {self.body!r} cannot be sent as UTF-8: {error.reason}.") from None
        if not isinstance(self.headers, Mapping):
            raise TypeError(f"RawResponse: headers takes a dict of str, not {kind(self.headers)}.")
        for name, value in self.headers.items():
            if not (isinstance(name, str) and isinstance(value, str)):
                raise TypeError(f"RawResponse: headers takes a dict of str, but has {name!r}: {value!r}.")
        headers = _Headers((name.lower(), value) for name, value in self.headers.items())
        if len(headers) < len(self.headers):
            raise ValueError(
                f"RawResponse: headers {dict(self.headers)!r} has a name twice; their case does not count."
            )
        object.__setattr__(self, "headers", headers)

    def __repr__(self) -> str:
        return _as_written(self, repr(self.status_code))

    @property
    def label(self) -> str:
        """The outcome as records show it; the attempt's ``status_code`` tells the status."""
        return RawResponse.__name__

    @property
    def content(self) -> bytes:
        """The body as it travels."""
        return cast("bytes", self.body)


_MADE_BY_CALLING: Final = (Delivery, ErrorResponse, LostResponse, RawResponse)

Outcome = Delivery | ErrorResponse | TransportFailure | LostResponse | RawResponse
"""What one attempt ends in, when a test says so."""

OutcomeCallable = Callable[["Call"], object]
"""A test's own function: takes the `Call`, returns an outcome in any form that `inject` takes, or None."""


def parse_outcome(value: object, operation: str) -> Outcome | OutcomeCallable:
    """Read one outcome as `inject` takes it.

    Args:
        value: a `DeliveryStatus`, a `Delivery`, an `ErrorResponse`, a `LostResponse`, a `RawResponse`, the plain name
            of a status or of a modelled error, a modelled exception class (``client.exceptions.X``), a botocore
            transport exception (class or instance), or a callable.
        operation: the operation that it is for; VerifyOTPMessage has no delivery.

    Raises:
        TypeError: the value is none of these.
        ValueError: an unknown name, or a delivery for VerifyOTPMessage.
    """
    outcome = _read_outcome(value)
    if operation == VERIFY and isinstance(outcome, Delivery):
        raise ValueError(
            f"{value!r} is a delivery, and {VERIFY} delivers nothing. To make a verification fail, let the"
            " application send a wrong code (wrong_code()), or inject an error."
        )
    return outcome


def _read_outcome(value: object) -> Outcome | OutcomeCallable:
    if isinstance(value, Outcome):
        return value
    if isinstance(value, str):
        return _read_name(value)
    if isinstance(value, (type, BaseException)):
        return _read_exception(value)
    if inspect.iscoroutinefunction(value):
        raise TypeError(f"{value!r} is a coroutine function, but the service asks without awaiting: use a plain one.")
    if callable(value):
        return value
    if isinstance(value, (list, tuple)):
        raise TypeError(f"{kind(value)} is no outcome. Give several outcomes as arguments: inject(*outcomes).")
    raise TypeError(
        f"{kind(value)} is no outcome. Give a DeliveryStatus, a Delivery, an ErrorResponse, a LostResponse, a"
        " RawResponse, the name of a status or of a modelled error, client.exceptions.X, a botocore transport"
        " exception, or a callable that returns one."
    )


def _read_name(name: str) -> Outcome:
    if name in _DELIVERY_STATUS_CODES:
        return Delivery(name)
    if name in MODELLED_ERRORS:
        return ErrorResponse(name)
    hint = did_you_mean(name, [*DeliveryStatus, *MODELLED_ERRORS])
    raise ValueError(
        f"{name!r} is neither a delivery status nor a modelled error.{hint}"
        " For any other error use ErrorResponse(name, status_code=...)."
    )


def _read_exception(value: type | BaseException) -> Outcome:
    # Looked up when called: a botocore imported earlier may have been replaced since (pytester does so).
    from botocore import exceptions

    cls = value if isinstance(value, type) else type(value)
    if cls in _MADE_BY_CALLING:
        raise TypeError(f"{cls.__name__} is a class, and no outcome yet: make one of it, such as {cls.__name__}(...).")
    if not issubclass(cls, exceptions.ClientError):
        return _read_transport_exception(value)
    if value is cls and cls.__name__ in MODELLED_ERRORS:
        return ErrorResponse(cls.__name__)
    raise ValueError(
        f"{value!r} is no modelled exception class of the OTP operations: give client.exceptions.X, or"
        " ErrorResponse(name, message=..., status_code=...)."
    )


def _read_transport_exception(value: object) -> TransportFailure:
    from botocore import exceptions

    cls = value if isinstance(value, type) else type(value)
    if not issubclass(cls, (exceptions.HTTPClientError, exceptions.ConnectionError)):
        raise TypeError(
            f"{value!r} is no transport exception of botocore: those derive from HTTPClientError or ConnectionError in"
            " botocore.exceptions, such as ReadTimeoutError or EndpointConnectionError."
        )
    if isinstance(value, type):
        # An exception class that cannot be built is a mistake to show here, not inside the application.
        _instantiate(value, "https://pinpoint.us-east-1.amazonaws.com/")
    return TransportFailure(value)  # type: ignore[arg-type]  # narrowed by issubclass above


def _instantiate(cls: type[Exception], url: str) -> Exception:
    """Build a botocore exception from the placeholders of its ``fmt``, as botocore's HTTP session does."""
    known = {
        "endpoint_url": url,
        "proxy_url": "http://proxy.invalid:3128",
        "error": f"{cls.__name__}, injected by the test",
    }
    fields = {name for _, name, _, _ in string.Formatter().parse(getattr(cls, "fmt", "")) if name}
    try:
        return cls(**{name: known[name] for name in fields})
    except (KeyError, TypeError) as error:
        raise TypeError(
            f"{cls.__name__} cannot be built from its class alone ({error!r}): inject an instance."
        ) from error


def _as_written(outcome: Delivery | ErrorResponse | RawResponse, first: str) -> str:
    """Return an outcome as a test would write it, for people to paste."""
    words = [first]
    for one in fields(outcome)[1:]:
        value = getattr(outcome, one.name)
        if value != (one.default if one.default_factory is MISSING else one.default_factory()):
            words.append(f"{one.name}={value!r}")
    return f"{type(outcome).__name__}({', '.join(words)})"


def _exception_as_written(exception: object) -> str:
    if isinstance(exception, type):
        return exception.__name__
    # What botocore's exceptions were built from.
    built = getattr(exception, "kwargs", {})
    words = ", ".join(f"{name}={value!r}" for name, value in built.items())
    return f"{type(exception).__name__}({words})" if built else repr(exception)


def _check_status_code(owner: str, value: object, lowest: int) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{owner}: status_code takes an int, not {kind(value)}.")
    if not lowest <= value <= 599:
        raise ValueError(f"{owner}: status_code is {value}, but takes {lowest} to 599.")


def _check_text(owner: str, field: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{owner}: {field} takes a str, not {kind(value)}.")
