"""Credential look-ups over the network: none is made for a client of a faked service.

Clients of other services keep theirs, whenever they are made: nothing in a session is changed.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final

import pytest_pinpoint_otp.transports.active as active
from pytest_pinpoint_otp.apis import SERVICES
from pytest_pinpoint_otp.transports.botocore.guard import lets_through
from pytest_pinpoint_otp.transports.botocore.wrapping import Target, is_held

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_for_faked_service: ContextVar[bool] = ContextVar("_for_faked_service", default=False)
"""Whether a client of a faked service is being made."""


def _are_off() -> bool:
    if not _for_faked_service.get():
        return False
    return active.innermost is not None or (is_held() and not lets_through())


def _making_client(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_client(session: Any, service_name: Any, *args: Any, **kwargs: Any) -> Any:
        token = _for_faked_service.set(service_name in SERVICES)
        try:
            return original(session, service_name, *args, **kwargs)
        finally:
            _for_faked_service.reset(token)

    return create_client


def _making_async_client(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def create_client(session: Any, service_name: Any, *args: Any, **kwargs: Any) -> Any:
        token = _for_faked_service.set(service_name in SERVICES)
        try:
            return await original(session, service_name, *args, **kwargs)
        finally:
            _for_faked_service.reset(token)

    return create_client


def _without_metadata(original: Callable[..., Any]) -> Callable[..., Any]:
    """The look-up in the EC2 metadata service ends as if there were no such service."""

    def assert_enabled(fetcher: Any) -> None:
        if _are_off():
            raise fetcher._RETRIES_EXCEEDED_ERROR_CLS()
        original(fetcher)

    return assert_enabled


def _without_container(original: Callable[..., Any]) -> Callable[..., Any]:
    """The look-up at a container's endpoint finds no credentials."""

    def load(provider: Any) -> Any:
        return None if _are_off() else original(provider)

    return load


def _without_async_container(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def load(provider: Any) -> Any:
        return None if _are_off() else await original(provider)

    return load


def _without_source(original: Callable[..., Any]) -> Callable[..., Any]:
    """A role whose ``credential_source`` is one of these finds no credentials, instead of raising an error."""

    def load(provider: Any) -> Any:
        if not _are_off():
            return original(provider)
        visited = list(provider._visited_profiles)
        try:
            return original(provider)
        except _no_source():
            # The provider remembers the profiles of a failed look-up, and would take the next one for a loop.
            provider._visited_profiles = visited
            return None

    return load


def _without_async_source(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def load(provider: Any) -> Any:
        if not _are_off():
            return await original(provider)
        visited = list(provider._visited_profiles)
        try:
            return await original(provider)
        except _no_source():
            provider._visited_profiles = visited
            return None

    return load


def _no_source() -> type[Exception]:
    # Looked up when needed: a botocore imported earlier may have been replaced since (pytester does so).
    error: type[Exception] = sys.modules["botocore.exceptions"].CredentialRetrievalError
    return error


TARGETS: Final = (
    Target("botocore.session", "Session", "create_client", _making_client),
    Target("aiobotocore.session", "AioSession", "_create_client", _making_async_client),
    Target("botocore.utils", "IMDSFetcher", "_assert_enabled", _without_metadata),
    Target("botocore.credentials", "ContainerProvider", "load", _without_container),
    Target("aiobotocore.credentials", "AioContainerProvider", "load", _without_async_container),
    Target("botocore.credentials", "AssumeRoleProvider", "load", _without_source),
    Target("aiobotocore.credentials", "AioAssumeRoleProvider", "load", _without_async_source),
)
