"""The stack of active fakes: the innermost one answers. Process-wide, so threads and tasks see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_pinpoint_otp.engine.lock import lock

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.service import Service
    from pytest_pinpoint_otp.fake import PinpointOTP

innermost: Service | None = None
"""The service that answers now; None: no fake is active. A plain variable, because every attempt reads it."""

innermost_fake: PinpointOTP | None = None
"""The fake of that service."""

_stack: list[tuple[Service, PinpointOTP]] = []


def activate(service: Service, fake: PinpointOTP) -> None:
    """Let a service answer every call of the process, until it is deactivated or another is activated."""
    with lock:
        _change([*_stack, (service, fake)])


def deactivate(fake: PinpointOTP) -> None:
    """Take a fake off the stack, at any depth, whichever service it has by now."""
    with lock:
        _change([entry for entry in _stack if entry[1] is not fake])


def replace(old: Service, new: Service) -> None:
    """Replace a service by another. If it is not active, nothing changes."""
    with lock:
        _change([(new, fake) if service is old else (service, fake) for service, fake in _stack])


def _change(stack: list[tuple[Service, PinpointOTP]]) -> None:
    global innermost, innermost_fake
    _stack[:] = stack
    innermost, innermost_fake = stack[-1] if stack else (None, None)
