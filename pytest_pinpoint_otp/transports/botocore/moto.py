"""Other mocks in the process: moto leaves faked calls alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest_pinpoint_otp.transports.active as active
from pytest_pinpoint_otp.apis import FAKED
from pytest_pinpoint_otp.transports.botocore.wrapping import Target

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


def _sparing_otp_calls(original: Callable[..., Any]) -> Callable[..., Any]:
    """Skip moto's handler, which runs after ours: it doubles the cost, and raises for a service not whitelisted."""

    def call(stubber: Any, event_name: str, **kwargs: Any) -> Any:
        if active.innermost is not None and tuple(event_name.split(".")[1:]) in FAKED:
            return None
        return original(stubber, event_name=event_name, **kwargs)

    return call


TARGETS: Final = (Target("moto.core.botocore_stubber", "BotocoreStubber", "__call__", _sparing_otp_calls),)
