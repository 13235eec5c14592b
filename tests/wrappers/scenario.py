"""One application under another package's wrappers: run as ``scenario.py PACKAGE WHEN``, in a process of its own.

Everything that it sends goes to a loopback server that stands for AWS. WHEN says when the package wraps botocore:
``before`` or ``after`` the clients are made, or ``inside`` of a fake, and unwraps it there where it can.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import Any

import aiobotocore.client
import aiobotocore.endpoint
import boto3
import botocore.client
import botocore.endpoint
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.config import Config
from helpers import send, send_request, send_status, verify
from sink import KEYS, Sink, open_sink

from pytest_pinpoint_otp import LostResponse, UnfakedCallError, mock_pinpoint_otp

Unwrap = Callable[[], object] | None
MODES = ("legacy", "standard", "adaptive")


def wrap_by_newrelic() -> Unwrap:
    from newrelic.hooks import external_aiobotocore, external_botocore

    external_botocore.instrument_botocore_endpoint(botocore.endpoint)
    external_botocore.instrument_botocore_client(botocore.client)
    external_aiobotocore.instrument_aiobotocore_endpoint(aiobotocore.endpoint)
    external_aiobotocore.instrument_aiobotocore_client(aiobotocore.client)
    assert "make_request" in vars(aiobotocore.endpoint.AioEndpoint)
    return None


def wrap_by_wrapt() -> Unwrap:
    """Wrap every method that the fake wraps as well, and more."""
    import wrapt

    import pytest_pinpoint_otp.transports.botocore.patches as patches

    patches.hold()()
    methods = {(target.module, f"{target.owner}.{target.name}") for target in patches.TARGETS}
    methods |= {("botocore.endpoint", "Endpoint.make_request"), ("aiobotocore.endpoint", "AioEndpoint.make_request")}
    for module, path in sorted(methods):
        if module.partition(".")[0] != "moto":
            wrapt.wrap_function_wrapper(module, path, lambda wrapped, instance, args, kwargs: wrapped(*args, **kwargs))
    return None


def wrap_by_ddtrace() -> Unwrap:
    from ddtrace.contrib.internal.aiobotocore.patch import patch as patch_aiobotocore
    from ddtrace.contrib.internal.aiobotocore.patch import unpatch as unpatch_aiobotocore
    from ddtrace.contrib.internal.botocore.patch import patch, unpatch

    patch()
    patch_aiobotocore()
    return lambda: (unpatch(), unpatch_aiobotocore())


def wrap_by_opentelemetry() -> Unwrap:
    from opentelemetry.instrumentation.botocore import AiobotocoreInstrumentor, BotocoreInstrumentor

    instrumentors = BotocoreInstrumentor(), AiobotocoreInstrumentor()
    for instrumentor in instrumentors:
        instrumentor.instrument()
    return lambda: [instrumentor.uninstrument() for instrumentor in reversed(instrumentors)]


def wrap_by_xray() -> Unwrap:
    from aws_xray_sdk.core import xray_recorder
    from aws_xray_sdk.ext.aiobotocore.patch import patch as patch_aiobotocore
    from aws_xray_sdk.ext.botocore.patch import patch

    xray_recorder.configure(sampling=False, context_missing="IGNORE_ERROR")
    patch()
    patch_aiobotocore()
    return None


def wrap_by_sentry() -> Unwrap:
    import sentry_sdk
    from sentry_sdk.integrations.boto3 import Boto3Integration

    sentry_sdk.init(integrations=[Boto3Integration()], default_integrations=False, traces_sample_rate=1.0)
    return None


PACKAGES: dict[str, Callable[[], Unwrap]] = {
    "newrelic": wrap_by_newrelic,
    "wrapt": wrap_by_wrapt,
    "ddtrace": wrap_by_ddtrace,
    "opentelemetry": wrap_by_opentelemetry,
    "aws_xray_sdk": wrap_by_xray,
    "sentry_sdk": wrap_by_sentry,
}


class Application:
    """An application's clients: of Pinpoint in each retry mode, and of another service."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        session = boto3.Session(**KEYS, region_name="us-east-1")
        self.clients = [
            session.client("pinpoint", endpoint_url=sink.url, config=Config(retries={"mode": mode})) for mode in MODES
        ]
        self.other = session.client("dynamodb", endpoint_url=sink.url)

    def check(self, wrap: Callable[[], object], unwrap: Callable[[], object]) -> None:
        """See the fake answer, other services pass, and nothing else leave."""
        with mock_pinpoint_otp() as fake:
            wrap()
            for client in self.clients:
                fake.inject(LostResponse(), per="attempt")
                assert send_status(client) == "SUCCESSFUL"
                assert verify(client, fake.code_for())
                assert len(fake.calls[-2].attempts) == 2
            assert self.sink.arrived == []
            self.other.list_tables()
            assert len(self.sink.signed) == 1
            unwrap()
            for client in self.clients:
                assert send_status(client) == "SUCCESSFUL"
            assert len(self.sink.arrived) == 1
        for client in self.clients:
            self.outlive(client)
            client.send_otp_message(**send_request())
        assert len(self.sink.signed) == len(self.sink.arrived) == 4

    def outlive(self, client: Any) -> None:
        """See a later attempt raise that the fake has been left for."""
        mock = mock_pinpoint_otp()
        mock.start().inject(lambda call: mock.stop() or LostResponse(), per="attempt")
        try:
            send(client)
        except UnfakedCallError:
            return
        raise AssertionError("the attempt was answered")


class AsyncApplication:
    """The same of aiobotocore."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.stack = contextlib.AsyncExitStack()
        self.clients: list[Any] = []

    async def connect(self) -> None:
        """Make the clients."""
        session = get_session()
        for mode in MODES:
            await self._enter(session, "pinpoint", AioConfig(retries={"mode": mode}))
        await self._enter(session, "dynamodb", AioConfig())
        self.other = self.clients.pop()

    async def _enter(self, session: Any, service: str, config: AioConfig) -> None:
        making = session.create_client(
            service, region_name="us-east-1", endpoint_url=self.sink.url, config=config, **KEYS
        )
        self.clients.append(await self.stack.enter_async_context(making))

    async def check(self, wrap: Callable[[], object], unwrap: Callable[[], object]) -> None:
        """See the fake answer, other services pass, and nothing else leave."""
        with mock_pinpoint_otp() as fake:
            wrap()
            for client in self.clients:
                fake.inject(LostResponse(), per="attempt")
                await client.send_otp_message(**send_request())
                assert len(fake.calls[-1].attempts) == 2
            assert self.sink.arrived == []
            await self.other.list_tables()
            assert len(self.sink.signed) == 1
            unwrap()
            for client in self.clients:
                await client.send_otp_message(**send_request())
            assert len(self.sink.arrived) == 1
        for client in self.clients:
            mock = mock_pinpoint_otp()
            mock.start().inject(lambda call, mock=mock: mock.stop() or LostResponse(), per="attempt")
            try:
                await client.send_otp_message(**send_request())
            except UnfakedCallError:
                pass
            else:
                raise AssertionError("the attempt was answered")
            await client.send_otp_message(**send_request())
        assert len(self.sink.signed) == len(self.sink.arrived) == 4


def nothing() -> None:
    """Do nothing."""


def of_botocore() -> dict[tuple[type, str], Any]:
    """Return the methods of the classes that a call passes."""
    classes = (
        botocore.endpoint.Endpoint,
        aiobotocore.endpoint.AioEndpoint,
        botocore.client.BaseClient,
        aiobotocore.client.AioBaseClient,
    )
    return {(owner, name): value for owner in classes for name, value in vars(owner).items()}


async def main(package: str, when: str) -> None:
    """Run the application."""
    undo: list[Callable[[], object]] = []

    def wrap() -> None:
        undo.append(PACKAGES[package]() or nothing)

    def unwrap() -> None:
        undo.pop()()

    with open_sink() as sink, open_sink() as async_sink:
        if when == "before":
            wrap()
        application, async_application = Application(sink), AsyncApplication(async_sink)
        await async_application.connect()
        if when == "after":
            wrap()
        before = of_botocore()
        if when == "inside":
            application.check(wrap, unwrap)
            await async_application.check(wrap, unwrap)
        else:
            application.check(nothing, nothing)
            await async_application.check(nothing, nothing)
            assert {key for key, value in of_botocore().items() if before.get(key) is not value} == set()
        await async_application.stack.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    print("all is well")
