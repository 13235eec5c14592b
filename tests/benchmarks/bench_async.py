"""What one call of an async client costs, beside aiobotocore's own work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from measuring import ANSWER, Action, Measure, Turns, answer_always, request

session = pytest.importorskip("aiobotocore.session").get_session()

from aiobotocore.awsrequest import AioAWSResponse  # noqa: E402 - after what may skip

SENDS = 10


class Raw:
    """What aiohttp's response is to aiobotocore's AioAWSResponse."""

    async def read(self) -> bytes:
        """Read the body."""
        return ANSWER


@pytest.fixture
def clients() -> Iterator[tuple[Callable[[Any], Action], Any, Any]]:
    """A function that makes ten sends in an event loop, an application's client, and one with a constant answer."""
    loop = asyncio.new_event_loop()
    options = {"region_name": "us-east-1", "aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    contexts = [session.create_client("pinpoint", **options) for _ in range(2)]
    client, answered = (loop.run_until_complete(context.__aenter__()) for context in contexts)
    answer_always(answered, AioAWSResponse, Raw, signed=False)

    async def send(client: Any) -> None:
        for _ in range(SENDS):
            await client.send_otp_message(**request())

    yield lambda client: lambda: loop.run_until_complete(send(client)), client, answered
    for context in contexts:
        loop.run_until_complete(context.__aexit__(None, None, None))
    loop.close()


def test_an_async_send_beside_an_unsigned_constant_answer(measure: Measure, turns: Turns, clients: Any) -> None:
    sends, client, answered = clients
    ratio = measure.ratio(
        sends(client),
        sends(answered),
        before_subject=turns.enter,
        before_reference=turns.leave,
        calls=1,
        warm_up=1,
    )
    measure.check("An async send, of an unsigned call that a constant handler answers", ratio, 1.15)
