"""How a test writes an outcome: what ``inject`` accepts, and what a plan's JSON holds."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from pytest_pinpoint_otp.apis import APIS, ERRORS, OPERATIONS, canonical_name
from pytest_pinpoint_otp.apis.base import Operation
from pytest_pinpoint_otp.apis.names import ErrorName
from pytest_pinpoint_otp.engine.argument_checks import check_int, did_you_mean, find_near, kind
from pytest_pinpoint_otp.engine.faults.outcome_base import Outcome, in_json, in_place
from pytest_pinpoint_otp.engine.faults.outcomes import (
    VERDICTS,
    Delivery,
    DeliveryStatus,
    ErrorResponse,
    RawResponse,
    Verdict,
)
from pytest_pinpoint_otp.engine.faults.transport_errors import (
    LostResponse,
    TransportFailure,
    find_transport_exception,
    read_exception,
    transport_exception_names,
)

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.records import Call

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

OutcomeCallable = Callable[["Call"], object]
"""A test's own function: takes the `Call`, returns an outcome in any form that ``inject`` takes, or None."""

DeliveryName = Literal[
    "SUCCESSFUL",
    "THROTTLED",
    "TEMPORARY_FAILURE",
    "PERMANENT_FAILURE",
    "UNKNOWN_FAILURE",
    "OPT_OUT",
    "DUPLICATE",
]
TransportName = Literal[
    "HTTPClientError",
    "ConnectionError",
    "EndpointConnectionError",
    "SSLError",
    "ConnectionClosedError",
    "ReadTimeoutError",
    "ConnectTimeoutError",
    "ProxyConnectionError",
    "ResponseStreamingError",
]
Refused = DeliveryStatus | DeliveryName | Delivery | ErrorName | ErrorResponse
"""The outcome of a send that the service refuses; the names are for editors."""
OutcomeLike = (
    Refused
    | TransportName
    | Literal["VALID", "INVALID"]
    | LostResponse
    | RawResponse
    | Exception
    | type[Exception]
    | OutcomeCallable
)
"""What ``inject`` takes; the names are for editors."""

PER: Final = ("call", "attempt")

_OTHER_ERROR: Final = '{"error": {"name": ..., "status_code": ...}}'
"""How JSON writes an error that an operation does not model."""

_BY_MEMBER: Final[Mapping[str, type[Outcome]]] = {
    kind_of.member: kind_of
    for kind_of in (Delivery, ErrorResponse, TransportFailure, LostResponse, RawResponse, Verdict)
}


def parse_outcome(value: object, operation: str | None) -> Outcome | OutcomeCallable:
    """Read one outcome as ``inject`` takes it.

    Args:
        value: a `DeliveryStatus`, a `Delivery`, an `ErrorResponse`, a `LostResponse`, a `RawResponse`, the plain name
            of a status, of a modelled error, of a botocore transport exception or of a verdict, a modelled exception
            class (``client.exceptions.X``), a botocore transport exception (class or instance), or a callable.
        operation: the operation that it is for; None: any that sends a code.

    Raises:
        TypeError: the value is none of these.
        ValueError: an unknown name, or an outcome that the operation does not have.
    """
    of = None if operation is None else OPERATIONS[operation]
    outcome = _read(value, of)
    if isinstance(outcome, Outcome):
        _check_outcome(outcome, of)
    return outcome


def read_operation(where: str, operation: object) -> str:
    """Return the name of a faked operation, given as AWS or as boto3 spells it; ``where`` begins the message.

    Raises:
        ValueError: it is not faked.
    """
    name = canonical_name(operation)
    if not isinstance(name, str) or name not in OPERATIONS:
        raise ValueError(f"{where}: operation {operation!r} is not faked.{did_you_mean(operation, OPERATIONS)}")
    return OPERATIONS[name].name


def check_steering(where: str, per: object, times: object, after: object) -> None:
    """Check the arguments that say how often an outcome is given; ``where`` begins the message.

    Raises:
        TypeError: a count that is not an int.
        ValueError: an unknown name, or a count out of range.
    """
    if per not in PER:
        raise ValueError(f"{where}: per is {per!r}, but takes 'call' or 'attempt'.")
    if times is not None:
        check_int(
            f"{where}: times", times, 1, meaning="how often the whole sequence is given; None, in JSON null: for ever"
        )
    check_int(f"{where}: after", after, 0, meaning="how many matching calls pass first")


def write_json(outcome: Outcome, operation: str) -> Any:
    """Return an outcome as a plan's JSON has it: just its name, if that says everything.

    Raises:
        ValueError: JSON cannot hold it.
    """
    written = {outcome.member: outcome.to_json()}
    try:
        named = parse_outcome(outcome.label, operation)
    except ValueError:
        return written
    return outcome.label if named == outcome else written


def read_json(where: str, written: Any, operation: str | None) -> Outcome:
    """Read an outcome of a plan's JSON: a name, or an object with one member; ``where`` begins the message.

    Args:
        where: whose outcome it is; the message begins with it.
        written: the name or the object.
        operation: the operation that it is for; None: any that sends a code.

    Raises:
        ValueError: naming the member that is wrong, its value, and what it takes.
    """
    of = None if operation is None else OPERATIONS[operation]
    made: type[Outcome] | None = None
    if not isinstance(written, str):
        if not (isinstance(written, dict) and len(written) == 1 and written.keys() <= _BY_MEMBER.keys()):
            members = ", ".join(_BY_MEMBER)
            raise ValueError(f"{where} is {in_json(written)}, but takes a name, or an object with one of: {members}.")
        ((member, written),) = written.items()
        where, made = f"{where}.{member}", _BY_MEMBER[member]
    try:
        outcome = _read_name(written, of, _OTHER_ERROR) if made is None else made.from_json(where, written)
        _check_outcome(outcome, of)
    except (TypeError, ValueError) as error:
        raise in_place(where, made or str, error) from None
    return outcome


def _read(value: object, operation: Operation | None) -> Outcome | OutcomeCallable:
    if isinstance(value, Outcome):
        return value
    if isinstance(value, str):
        return _read_name(value, operation, "ErrorResponse(name, status_code=...)")
    if isinstance(value, type) and issubclass(value, DeliveryStatus):
        raise TypeError(
            "DeliveryStatus is the class of all statuses: give one of them, such as DeliveryStatus.THROTTLED."
        )
    if isinstance(value, type) and issubclass(value, Outcome):
        name = value.__name__
        raise TypeError(f"{name} is a class, not an outcome yet: make one of it, such as {name}(...).")
    if isinstance(value, (type, BaseException)):
        read = read_exception(value)
        return _read_modelled(value, read, operation) if isinstance(read, str) else read
    if inspect.iscoroutinefunction(value):
        raise TypeError(f"{value!r} is a coroutine function, but the service does not await it: use a plain one.")
    if callable(value):
        return value
    if isinstance(value, (list, tuple)):
        raise TypeError(f"{kind(value)} is not an outcome. Give several outcomes as arguments: inject(*outcomes).")
    raise TypeError(
        f"{kind(value)} is not an outcome. Give a DeliveryStatus, a Delivery, an ErrorResponse, a LostResponse, a"
        " RawResponse, the name of a status, of a modelled error or of a transport exception, client.exceptions.X, a"
        " botocore transport exception, or a callable that returns one."
    )


def _read_name(name: str, operation: Operation | None, other_error: str) -> Outcome:
    """Read the name of an outcome; ``other_error`` says how an error is written that the operation does not model."""
    if name in DeliveryStatus.__members__:
        return Delivery(name)
    if name in _errors_of(operation):
        return ErrorResponse(name)
    if name in VERDICTS:
        return Verdict(name == "VALID")
    if advice := _say_whose_error(name, operation):
        raise ValueError(advice)
    # Last, because it imports botocore.
    exception = find_transport_exception(name)
    if exception is not None:
        return TransportFailure(exception)
    verdicts = VERDICTS if operation is not None and operation.verifies else ()
    of_service, of_transport = [*DeliveryStatus, *_errors_of(operation), *verdicts], transport_exception_names()
    only_transport = find_near(name, of_service) is None and find_near(name, of_transport) is not None
    hint = did_you_mean(name, of_transport if only_transport else of_service)
    raise ValueError(
        f"{name!r} is neither a delivery status nor a modelled error nor a transport exception.{hint}"
        f" For any other error use {other_error}."
    )


def _read_modelled(value: object, name: str, operation: Operation | None) -> Outcome:
    if name in _errors_of(operation):
        return ErrorResponse(name)
    raise ValueError(
        _say_whose_error(name, operation)
        or f"{value!r} is not a modelled exception class of {operation.name if operation else 'the OTP operations'}:"
        " give client.exceptions.X, or ErrorResponse(name, message=..., status_code=...)."
    )


def _errors_of(operation: Operation | None) -> Mapping[str, int]:
    return ERRORS if operation is None else operation.api.errors


def _say_whose_error(name: str, operation: Operation | None) -> str:
    """Say that an error belongs to another API, and what to do about it; empty if it does not."""
    if operation is None or name in operation.api.errors or name not in ERRORS:
        return ""
    other = next(api for api in APIS if name in api.errors)
    alike = other.verifying if operation.verifies else other.sending
    return (
        f"{name!r} is an error of {other.name}: for its calls, add operation={alike.name!r}. {operation.name} is of"
        f" {operation.api.name}, which has {', '.join(sorted(operation.api.errors))}."
    )


def _check_outcome(outcome: Outcome, operation: Operation | None) -> None:
    """Refuse an outcome that an operation does not have. The words are for Python and for JSON alike."""
    if operation is None:
        return
    if isinstance(outcome, Delivery) and not operation.sends:
        advice = "use an error"
        if operation.verifies:
            advice = "use 'INVALID' or an error, or let the application send a wrong code (wrong_code())"
        raise ValueError(
            f"{outcome.label!r} is a delivery, and {operation.name} delivers nothing. To make it fail, {advice}."
        )
    if isinstance(outcome, Verdict) and not operation.verifies:
        verifying = " and ".join(name for name, one in OPERATIONS.items() if one.verifies)
        raise ValueError(
            f"{outcome.label!r} is a verdict, and {operation.name} gives none: the operations that do are {verifying}."
        )
    if isinstance(outcome, ErrorResponse) and outcome.status_code is None and outcome.name not in operation.api.errors:
        raise ValueError(
            f"{outcome.label!r} is not an error that {operation.name} models: give its status_code as well."
            f" {_say_whose_error(outcome.name, operation)}"
        )
