"""The stack of active fakes: the innermost one answers. Process-wide, so threads and tasks see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_pinpoint_otp.engine.lock import lock

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.service import Service
    from pytest_pinpoint_otp.fake import PinpointOTP

# Replaced as a whole, never changed: reading it needs no lock.
_stack: tuple[tuple[Service, PinpointOTP], ...] = ()


def activate(service: Service, fake: PinpointOTP) -> None:
    """Let a service answer every call of the process, until it is deactivated or another is activated."""
    global _stack
    with lock:
        _stack = (*_stack, (service, fake))


def deactivate(service: Service) -> None:
    """Take one service off the stack, wherever in it it is."""
    global _stack
    with lock:
        _stack = tuple(entry for entry in _stack if entry[0] is not service)


def replace(old: Service, new: Service) -> None:
    """Put a service in the place of another; where that is not active, nothing changes."""
    global _stack
    with lock:
        _stack = tuple((new, fake) if service is old else (service, fake) for service, fake in _stack)


def innermost() -> Service | None:
    """Return the service that answers now, or None where no fake is active."""
    stack = _stack
    return stack[-1][0] if stack else None


def innermost_fake() -> PinpointOTP | None:
    """Return the fake whose service answers now, or None where none is active."""
    stack = _stack
    return stack[-1][1] if stack else None
