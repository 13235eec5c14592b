"""Faults of the network: botocore's transport exceptions, and the outcomes that raise them.

Outside of `transports.botocore`, this is the only module that reads botocore's exceptions. It imports botocore late.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Any, Final, Self, cast

from pytest_pinpoint_otp.engine.argument_checks import did_you_mean
from pytest_pinpoint_otp.engine.faults.outcome_base import Answer, Outcome, Work, in_json

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

DRAWN_BY_CHAOS: Final = ("ReadTimeoutError", "ConnectTimeoutError", "EndpointConnectionError")
"""Those that occur now and then in production."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class TransportFailure(Outcome):
    """A botocore transport exception, raised instead of an answer. ``inject`` makes it of the exception itself."""

    member = "exception"

    exception: Exception | type[Exception]

    def __repr__(self) -> str:
        return _write_exception(self.exception)

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
        """The failure's message, as far as it is known before a request."""
        return "Injected by pytest-pinpoint-otp." if isinstance(self.exception, type) else str(self.exception)

    def carry_out(self, work: Work) -> Answer:
        """Answer with the failure; the request does not reach the service."""
        return Answer(self.label, None, self.text, self)

    def for_request(self, url: str) -> Exception:
        """Return the exception to raise for one request, with no traceback of an earlier one."""
        if isinstance(self.exception, type):
            return _instantiate(self.exception, url)
        return self.exception.with_traceback(None)

    def to_json(self) -> Any:
        """Return the name of the exception's class.

        Raises:
            ValueError: it is an instance, or not one of botocore's own: JSON holds its class name only.
        """
        from botocore import exceptions

        if getattr(exceptions, self.label, None) is not self.exception:
            raise ValueError(
                f"to_json: {self!r} cannot be written; JSON holds the names of botocore's own exception classes only."
                " Inject one of these, not an instance or a subclass."
            )
        return self.label

    @classmethod
    def from_json(cls, where: str, value: Any) -> Self:
        """Read the name of the exception's class."""
        named = find_transport_exception(value) if isinstance(value, str) else None
        if named is None:
            hint = did_you_mean(value, transport_exception_names())
            raise ValueError(f"{where} is {in_json(value)}, which is not a transport exception of botocore.{hint}")
        return cls(named)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class LostResponse(Outcome):
    """The service does its work, and its answer is lost on the way: the application sees the exception.

    With ``per="attempt"``, botocore repeats the request. A repeated send makes a second text, and only its code works.
    A repeated verification is answered false, because a code works only once.

    Args:
        exception: a transport exception of botocore: its class, an instance, or the name of the class. By default
            ``ReadTimeoutError``.

    Raises:
        TypeError: the exception is not a transport exception of botocore.
    """

    member = "lost_response"

    exception: Exception | type[Exception] | str | None = None

    def __post_init__(self) -> None:
        given = "ReadTimeoutError" if self.exception is None else self.exception
        if isinstance(given, str):
            named = find_transport_exception(given)
            if named is None:
                hint = did_you_mean(given, transport_exception_names())
                raise TypeError(f"LostResponse: {given!r} is not a transport exception of botocore.{hint}")
            object.__setattr__(self, "exception", named)
        else:
            _check_transport_exception(given)

    def __repr__(self) -> str:
        written = _write_exception(self.exception)
        return "LostResponse()" if written == "ReadTimeoutError" else f"LostResponse({written})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LostResponse) and self.failure == other.failure

    def __hash__(self) -> int:
        return hash(self.failure)

    @property
    def failure(self) -> TransportFailure:
        """What the application sees of it."""
        return TransportFailure(cast("Exception | type[Exception]", self.exception))

    @property
    def label(self) -> str:
        """The outcome as records show it: the exception's class name."""
        return self.failure.label

    def carry_out(self, work: Work) -> Answer:
        """Let the service do its work, and lose its answer."""
        failure = self.failure
        work.carry_out()
        return Answer(self.label, None, failure.text, failure)

    def to_json(self) -> Any:
        """Return the name of the exception's class."""
        return self.failure.to_json()

    @classmethod
    def from_json(cls, where: str, value: Any) -> Self:
        """Read the name of the exception's class."""
        return cls(TransportFailure.from_json(where, value).exception)


def find_transport_exception(name: str) -> type[Exception] | None:
    """Return botocore's transport exception class of a name, or None."""
    # Looked up when called: a botocore imported earlier may have been replaced since (pytester does so).
    from botocore import exceptions

    found = getattr(exceptions, name, None)
    return found if isinstance(found, type) and _is_transport_exception(found) else None


def transport_exception_names() -> list[str]:
    """Return the names of botocore's transport exceptions."""
    from botocore import exceptions

    return [name for name, one in vars(exceptions).items() if isinstance(one, type) and _is_transport_exception(one)]


def read_exception(value: type | BaseException) -> TransportFailure | str:
    """Read an exception that a test injects: of the transport, or the name of a service's modelled error.

    Raises:
        TypeError: it is not a transport exception of botocore.
        ValueError: it is an instance of ClientError, or that class itself.
    """
    from botocore import exceptions

    cls = value if isinstance(value, type) else type(value)
    if not issubclass(cls, exceptions.ClientError):
        return TransportFailure(_check_transport_exception(value))
    if value is cls and cls is not exceptions.ClientError:
        return cls.__name__
    raise ValueError(
        f"{value!r} is not a modelled exception class of the OTP operations: give client.exceptions.X, or"
        " ErrorResponse(name, message=..., status_code=...)."
    )


def _is_transport_exception(cls: type) -> bool:
    from botocore import exceptions

    return issubclass(cls, (exceptions.HTTPClientError, exceptions.ConnectionError))


def _check_transport_exception(value: object) -> Exception | type[Exception]:
    if not _is_transport_exception(value if isinstance(value, type) else type(value)):
        raise TypeError(
            f"{value!r} is not a transport exception of botocore: those derive from HTTPClientError or ConnectionError"
            " in botocore.exceptions, such as ReadTimeoutError or EndpointConnectionError."
        )
    if isinstance(value, type):
        # An exception class that cannot be built is a mistake to show here, not inside the application.
        _instantiate(value, "https://example.com/")
    return cast("Exception | type[Exception]", value)


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


def _write_exception(exception: object) -> str:
    if isinstance(exception, type):
        return exception.__name__
    # What botocore's exceptions were built from.
    built = getattr(exception, "kwargs", {})
    words = ", ".join(f"{name}={value!r}" for name, value in built.items())
    return f"{type(exception).__name__}({words})" if built else repr(exception)
