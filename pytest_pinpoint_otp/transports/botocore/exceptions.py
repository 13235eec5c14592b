"""Which faked operation an exception comes from, for the hint under a failing test that has no fake. No botocore."""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType
from typing import Final

from pytest_pinpoint_otp.apis import FAKED
from pytest_pinpoint_otp.transports.botocore.guard import UnfakedCallError

_PACKAGES: Final = ("botocore", "aiobotocore")
_ANSWERED_OR_STOPPED: Final = ("ClientError", "ParamValidationError")
"""Exceptions that mean an answer, which a Stubber may have given, or a mistake in the arguments."""


def find_otp_call(exception: BaseException) -> str | None:
    """Return the faked operation whose failed call raised an exception or one of its causes.

    None: there is no such operation, or its call was answered, by an error or otherwise.
    """
    for cause in causes_of(exception):
        if not _is_of_a_failed_call(cause):
            continue
        trace = cause.__traceback__
        while trace is not None:
            if (operation := _operation_of(trace.tb_frame)) is not None:
                return operation
            trace = trace.tb_next
    return None


def causes_of(exception: BaseException) -> Iterator[BaseException]:
    """Yield an exception, the exceptions of a group, and all that led to them, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [exception]
    while waiting:
        cause = waiting.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__context__, cause.__cause__]
        if isinstance(cause, BaseExceptionGroup):
            waiting += cause.exceptions


def _is_of_a_failed_call(exception: BaseException) -> bool:
    if isinstance(exception, UnfakedCallError):
        return True
    # Not every class has a str there.
    kinds = [kind for kind in type(exception).__mro__ if str(kind.__module__).partition(".")[0] in _PACKAGES]
    return bool(kinds) and not any(kind.__name__ in _ANSWERED_OR_STOPPED for kind in kinds)


def _operation_of(frame: FrameType) -> str | None:
    """Return the faked operation whose call a frame is, if it is one."""
    if frame.f_code.co_name != "_make_api_call" or frame.f_globals["__name__"].partition(".")[0] not in _PACKAGES:
        return None
    client, operation = map(frame.f_locals.get, ("self", "operation_name"))
    # unittest's assertRaises clears the frames of what it catches.
    if client is None or operation is None:
        return None
    return operation if (client.meta.service_model.service_name, operation) in FAKED else None
