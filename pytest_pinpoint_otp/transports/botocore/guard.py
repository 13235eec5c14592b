"""The guard: an attempt that no fake is there to answer may leave the process, or raises `UnfakedCallError`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from pytest_pinpoint_otp.apis import FAKED
from pytest_pinpoint_otp.engine.lock import lock

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

SERVICE: Final = "pinpoint_otp"
"""The key in botocore's context of a call for the service of its last attempt; None there: no attempt had one."""

_guards: set[object] = set()
_letting_through = 0
_unfaked: list[UnfakedCall] = []


class UnfakedCallError(RuntimeError):
    """A call of a faked operation was made while no fake was active. It has not left the process."""

    # A traceback shows the name by which a test imports it.
    __module__ = "pytest_pinpoint_otp"

    call: UnfakedCall
    """Which call it was."""


class UnfakedCall(NamedTuple):
    """A call that raised `UnfakedCallError`."""

    operation: str
    destination: str | None
    """None if the request does not say."""


def turn_on() -> Callable[[], None]:
    """Stop calls of faked operations while no fake is active. It works only while the patches are held.

    Returns:
        what turns it off again; a second call of that changes nothing.
    """
    guard = object()
    with lock:
        _guards.add(guard)

    def turn_off() -> None:
        with lock:
            _guards.discard(guard)
            if not _guards:
                # Nothing is left to report them, and the next run in this process must not.
                _unfaked.clear()

    return turn_off


@contextmanager
def let_through() -> Iterator[None]:
    """Let calls of the whole process leave, apart from those that began in a fake."""
    global _letting_through
    with lock:
        _letting_through += 1
    try:
        yield
    finally:
        with lock:
            _letting_through -= 1


def lets_through() -> bool:
    """Tell whether the guard lets calls pass for now."""
    return _letting_through > 0


def stops_calls() -> bool:
    """Tell whether a call of a faked operation is stopped while no fake is active."""
    return bool(_guards) and not _letting_through


def take() -> list[UnfakedCall]:
    """Return the calls that were stopped since this was called last."""
    with lock:
        unfaked = list(_unfaked)
        _unfaked.clear()
    return unfaked


def check_may_leave(context: MutableMapping[str, Any], service_name: str, operation: str, body: object) -> None:
    """Check that an attempt may leave the process while no fake is active.

    Args:
        context: botocore's context of the call.
        service_name: botocore's name of the service.
        operation: its name of the operation.
        body: the request's body.

    Raises:
        UnfakedCallError: an earlier attempt was for a fake, or the guard is on.
    """
    begun = context.get(SERVICE) is not None
    if begun or (stops_calls() and (service_name, operation) in FAKED):
        raise _stop_call(operation, _read_destination(body), begun=begun)


def _read_destination(body: object) -> str | None:
    try:
        parameters = json.loads(body)  # type: ignore[arg-type]  # whatever a request has
    except (TypeError, ValueError):
        return None
    if not isinstance(parameters, dict):
        return None
    # Each API spells it differently.
    destination = {name.lower(): value for name, value in parameters.items()}.get("destinationidentity")
    return destination if isinstance(destination, str) else None


def _stop_call(operation: str, destination: str | None, *, begun: bool) -> UnfakedCallError:
    """Note a call that must not leave, and return the error that it raises.

    Args:
        operation: its name.
        destination: the number that it was for; None: the request does not say.
        begun: whether an earlier attempt of it was answered by a fake, which has been left since.
    """
    call = UnfakedCall(operation, destination)
    with lock:
        if _guards:
            _unfaked.append(call)
    error = UnfakedCallError(
        _advise(operation if destination is None else f"{operation} to {destination!r}", begun=begun)
    )
    error.call = call
    return error


def _advise(what: str, *, begun: bool) -> str:
    if begun:
        return (
            f"{what} began while a fake was active, and botocore made another attempt after that had been left."
            " The attempt did not leave the process. Let the test wait until the application has finished the call."
        )
    return (
        f"{what} was called while no fake was active. The call did not leave the process. Make it inside"
        " `with mock_pinpoint_otp():`, or in a test that has the fixture pinpoint_otp. To make real calls, mark the"
        " test with @pytest.mark.pinpoint_otp(enabled=False)."
    )
