"""What one call costs, beside botocore's own work."""

from __future__ import annotations

import time
from itertools import count

import pytest
from botocore.config import Config
from measuring import KEEPS_USER_AGENT, Measure, OneOf, Send, Turns, client, constant, sends

from pytest_pinpoint_otp import mock_pinpoint_otp
from pytest_pinpoint_otp.transports.botocore.client import make_client

# Limit and goal, of a signed and of an unsigned call.
LIMITS = [(0.8, 0.75), (1.25, 1.15)] if KEEPS_USER_AGENT else [(0.85, None), (1.15, None)]


@pytest.mark.parametrize(
    ("kind", "limit", "goal"),
    [(kind, *limits) for kind, limits in zip(("a signed", "an unsigned"), LIMITS, strict=True)],
    ids=["signed", "unsigned"],
)
def test_a_send_beside_a_constant_answer(
    kind: str, limit: float, goal: float | None, measure: Measure, turns: Turns
) -> None:
    reference = OneOf(lambda: constant(signed=kind == "a signed"))
    ratio = measure.beside(OneOf(lambda: sends(client())), reference, turns)
    measure.check(f"A send, of {kind} call that a constant handler answers", ratio, limit, goal=goal)


def test_a_send_by_pinpoint_otp_client_beside_an_unsigned_constant_answer(measure: Measure, turns: Turns) -> None:
    ratio = measure.beside(OneOf(lambda: sends(make_client())), OneOf(lambda: constant(signed=False)), turns)
    what = "A send by `pinpoint_otp_client`, of that unsigned call"
    # Most of what this client saves, newer versions of botocore save every client.
    measure.check(what, ratio, 0.95 if KEEPS_USER_AGENT else 0.7)


def test_a_send_whose_request_is_new_beside_one_that_is_remembered(measure: Measure, send: Send) -> None:
    numbers = count()
    with mock_pinpoint_otp():
        ratio = measure.ratio(lambda: send(DestinationIdentity=f"+1555{next(numbers):07}"), send)
    measure.show("A send whose request is new, of one that came before", ratio)


def test_entering_and_leaving_beside_a_send(measure: Measure, turns: Turns, send: Send) -> None:
    def enter_and_leave() -> None:
        with mock_pinpoint_otp():
            pass

    ratio = measure.ratio(
        enter_and_leave,
        send,
        before_subject=turns.leave,
        before_reference=turns.enter,
    )
    measure.check("Entering and leaving `mock_pinpoint_otp`, of a send", ratio, 0.1)


@pytest.mark.parametrize(("mode", "attempts"), [("legacy", 5), ("standard", 3), ("adaptive", 3)])
def test_three_calls_that_exhaust_the_retries(mode: str, attempts: int, measure: Measure) -> None:
    failing = client(config=Config(retries={"mode": mode}))
    send = sends(failing)

    def exhaust() -> None:
        for _ in range(3):
            with pytest.raises(failing.exceptions.InternalServerErrorException):
                send()

    with mock_pinpoint_otp() as fake:
        fake.inject("InternalServerErrorException", times=None)
        start = time.perf_counter()
        exhaust()
        # A wait takes none of the processor's time, so it is looked for by the clock: real back-off takes seconds.
        assert time.perf_counter() - start < 0.5
        seconds = measure.seconds(exhaust)
        assert {len(call.attempts) for call in fake.calls} == {attempts}
    measure.check(f"Three calls that exhaust botocore's retries, {mode} mode", seconds * 1000, 15, " ms")
