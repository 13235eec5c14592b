"""What one call costs, beside botocore's own work."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from botocore.config import Config
from measuring import Measure, OneOf, Send, Turns, client, constant, sends

from pytest_pinpoint_otp import mock_pinpoint_otp
from pytest_pinpoint_otp.client import make_client


@pytest.mark.parametrize(("kind", "limit"), [("a signed", 0.85), ("an unsigned", 1.15)], ids=["signed", "unsigned"])
def test_a_send_beside_a_constant_answer(kind: str, limit: float, measure: Measure, turns: Turns) -> None:
    ratio = beside_a_constant_answer(lambda: sends(client()), measure, turns, signed=kind == "a signed")
    measure.check(f"A send, of {kind} call that a constant handler answers", ratio, limit)


def test_a_send_by_pinpoint_otp_client_beside_an_unsigned_constant_answer(measure: Measure, turns: Turns) -> None:
    ratio = beside_a_constant_answer(lambda: sends(make_client()), measure, turns, signed=False)
    measure.check("A send by `pinpoint_otp_client`, of that unsigned call", ratio, 0.7)


def beside_a_constant_answer(make: Callable[[], Send], measure: Measure, turns: Turns, *, signed: bool) -> float:
    """Return what a send through the fake takes, of one that a constant handler answers."""
    subject, reference = OneOf(make), OneOf(lambda: constant(signed=signed))

    def before_subject() -> None:
        turns.enter()
        subject.begin_block()

    def before_reference() -> None:
        turns.leave()
        reference.begin_block()

    return measure.ratio(
        subject, reference, before_subject=before_subject, before_reference=before_reference, warm_up=5, rounds=300
    )


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
