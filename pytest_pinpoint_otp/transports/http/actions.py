"""What the commands of the JSON API do with the fake. They take arguments from JSON, and return records."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest_pinpoint_otp.transports.active as active
from pytest_pinpoint_otp.apis import DEFAULT_OPERATION
from pytest_pinpoint_otp.engine.argument_checks import check_seconds, did_you_mean, kind
from pytest_pinpoint_otp.engine.clock import DurationParts
from pytest_pinpoint_otp.engine.faults.injections import Injection
from pytest_pinpoint_otp.engine.faults.parsing import read_json, read_operation
from pytest_pinpoint_otp.engine.faults.plans import FailurePlan
from pytest_pinpoint_otp.engine.journal import select, select_calls
from pytest_pinpoint_otp.engine.waiting import check_timeout
from pytest_pinpoint_otp.transports.http.answers import NO_FAKE
from pytest_pinpoint_otp.transports.http.records import News, as_json, pauses

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.service import Service
    from pytest_pinpoint_otp.fake import PinpointOTP

LONGEST_WAIT: Final = 60
"""Seconds that one request waits for news at most."""
_LOOK_SECONDS: Final = 0.02
"""How often a test that waits for a text looks for it."""
DURATION: Final = tuple(DurationParts.__annotations__)


class NoFakeError(Exception):
    """No fake is active, so there is nothing to ask or to arrange."""


class CommandContext:
    """What a command works with: the fake that is active now, and a way to wait."""

    def __init__(self, news: News, wait: Callable[[float], bool]) -> None:
        self.news: Final = news
        self.wait: Final = wait

    @property
    def fake(self) -> PinpointOTP:
        """The innermost active fake."""
        fake = active.innermost_fake
        if fake is None:
            raise NoFakeError(NO_FAKE)
        return fake

    @property
    def service(self) -> Service:
        """Its service."""
        service = active.innermost
        if service is None:
            raise NoFakeError(NO_FAKE)
        return service

    def tag(self) -> str:
        """Return a tag that changes whenever a text comes or a status changes."""
        return self.news.tag(active.innermost_fake, active.innermost)


def messages(context: CommandContext, /, unless: str | None = None, wait: float = 0.0, **fields: object) -> object:
    check_seconds("messages: wait", wait, LONGEST_WAIT)
    if unless is not None:
        context.news.wait(unless, context.tag, wait, context.wait)
    # Before the texts: one that comes in between is shown twice, but not missed.
    tag, service = context.tag(), context.service
    shown = [{**as_json(one), "status": service.code_status(one)} for one in context.fake.inbox(**fields)]
    return {"tag": tag, "messages": shown}


def calls(context: CommandContext, /, operation: object = None, **fields: object) -> object:
    return {"calls": list(select(context.fake.calls, select_calls("calls", operation, fields)))}


def health(context: CommandContext) -> object:
    return {"status": "ok", "active": active.innermost_fake is not None}


def inject(context: CommandContext, /, outcomes: list[object], **steering: Any) -> object:
    operation = read_operation("inject", steering.get("operation", DEFAULT_OPERATION))
    read = [_read_outcome(f"inject: outcomes[{index}]", one, operation) for index, one in enumerate(outcomes)]
    return _injection(context.fake.inject(*read, **steering))


def follow(context: CommandContext, /, plan: object, **optional: Any) -> object:
    followed = context.fake.follow(FailurePlan.from_json(json.dumps(plan)), **optional)
    return {"injections": list(map(_injection, followed))}


def _injection(injection: Injection) -> dict[str, object]:
    return {"injection": repr(injection), "used": injection.used, "remaining": injection.remaining}


def limit_rate(context: CommandContext, /, count: Any, per: object, **given: Any) -> object:
    context.fake.limit_rate(count, per=_read_duration(per), **_read_own_outcome(given))
    return {}


def opt_out(context: CommandContext, /, number: Any, **given: Any) -> object:
    context.fake.opt_out(number, **_read_own_outcome(given))
    return {}


def queue_codes(context: CommandContext, /, codes: list[str]) -> object:
    context.fake.queue_codes(*codes)
    return {}


def advance(context: CommandContext, /, **duration: Any) -> object:
    context.fake.advance(**duration)
    return {"now": context.fake.now()}


def wait_for_message(
    context: CommandContext, /, destination: object = None, *, timeout: Any = 5.0, **fields: object
) -> object:
    check_timeout("wait_for_message", timeout)
    fake = context.fake
    # Not the fake's own wait, which would go on after the server or the client has gone.
    for pause in pauses(timeout, _LOOK_SECONDS):
        if found := fake.inbox(destination, **fields):
            return found[-1]
        if not context.wait(pause):
            break
    while not (found := fake.inbox(destination, **fields)):
        try:
            # Its error shows what came instead. If the text has come by now, the next look finds it.
            fake.code_for(destination, **fields)
        except LookupError as missing:
            raise TimeoutError(f"Waited {timeout} seconds. {missing}") from None
    return found[-1]


def _read_outcome(where: str, written: object, operation: str | None) -> Any:
    """Read an outcome as a plan's file has it. A name stays a name, because the injection shows what it was given."""
    read = read_json(where, written, operation)
    return written if isinstance(written, str) else read


def _read_own_outcome(given: dict[str, Any]) -> dict[str, Any]:
    """Read the outcome among the arguments, if there is one."""
    if given.get("outcome") is None:
        return given
    return {**given, "outcome": _read_outcome("outcome", given["outcome"], None)}


def _read_duration(per: object) -> timedelta:
    """Read a duration: seconds, or an object such as ``{"minutes": 5}``."""
    given: dict[str, Any] = per if isinstance(per, dict) else {"seconds": per}
    for name, value in given.items():
        if name not in DURATION:
            raise TypeError(f"limit_rate: per has no member {name!r}.{did_you_mean(name, DURATION)}")
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise TypeError(f"limit_rate: per takes seconds, or an object such as {{'minutes': 5}}, not {kind(per)}.")
    try:
        return timedelta(**given)
    except OverflowError as error:
        raise ValueError(f"limit_rate: per is {per!r}, which is too long: {error}.") from None
