"""What one call of an async client costs, beside aiobotocore's own work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from measuring import ANSWER, Action, Measure, OneOf, Turns, answer_always, request

session = pytest.importorskip("aiobotocore.session").get_session()

from aiobotocore.awsrequest import AioAWSResponse  # noqa: E402 - after what may skip

SENDS = 10


class Raw:
    """What aiohttp's response is to aiobotocore's AioAWSResponse."""

    async def read(self) -> bytes:
        """Read the body."""
        return ANSWER


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def new_client(loop: asyncio.AbstractEventLoop) -> Iterator[Callable[[], Any]]:
    """A function that makes a client as an application does."""
    contexts = AsyncExitStack()
    options = {"region_name": "us-east-1", "aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    yield lambda: loop.run_until_complete(contexts.enter_async_context(session.create_client("pinpoint", **options)))
    loop.run_until_complete(contexts.aclose())


def test_an_async_send_beside_an_unsigned_constant_answer(
    measure: Measure, turns: Turns, loop: asyncio.AbstractEventLoop, new_client: Callable[[], Any]
) -> None:
    async def send_all(client: Any) -> None:
        for _ in range(SENDS):
            await client.send_otp_message(**request())

    def sends() -> Action:
        client = new_client()
        return lambda: loop.run_until_complete(send_all(client))

    def constant() -> Action:
        client = new_client()
        answer_always(client, AioAWSResponse, Raw, signed=False)
        return lambda: loop.run_until_complete(send_all(client))

    ratio = measure.beside(OneOf(sends), OneOf(constant), turns, calls=1, warm_up=1)
    measure.check("An async send, of an unsigned call that a constant handler answers", ratio, 1.15)
