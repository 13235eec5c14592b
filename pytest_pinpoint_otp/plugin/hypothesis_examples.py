"""Hypothesis's examples: a fake that was activated for a test is fresh in each of them, and checked at its end."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pytest_pinpoint_otp.fake import PinpointOTP

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


def isolate_examples(test: Any, fake: PinpointOTP) -> Callable[[], None] | None:
    """Let every example of a Hypothesis test begin with a reset fake.

    Args:
        test: the test function.
        fake: the fake that is active around all its examples.

    Returns:
        a function that ends this; None where the test is none of Hypothesis, or takes the fake as an argument, of
        which Hypothesis's own health check warns.
    """
    handle = getattr(test, "hypothesis", None)
    inner = getattr(handle, "inner_test", None)
    if handle is None or inner is None or "pinpoint_otp" in inspect.signature(test).parameters:
        return None
    handle.inner_test = _coroutine_example(inner, fake) if inspect.iscoroutinefunction(inner) else _example(inner, fake)
    return functools.partial(setattr, handle, "inner_test", inner)


def isolate_runs(test: Any, fake: PinpointOTP) -> Callable[[], None] | None:
    """Let every run of a state machine of Hypothesis's, whose test case the test is, begin with a reset fake.

    Returns:
        a function that ends this; None where the test is of no state machine.
    """
    if not getattr(test, "is_hypothesis_test", False) or hasattr(test, "hypothesis"):
        return None
    from hypothesis.stateful import RuleBasedStateMachine

    original = RuleBasedStateMachine.__init__

    @functools.wraps(original)
    def start(machine: RuleBasedStateMachine) -> None:
        fake.reset()
        original(machine)

    def put_on(method: Callable[..., None]) -> None:
        setattr(RuleBasedStateMachine, "__init__", method)  # noqa: B010 - a method is assigned

    put_on(start)
    return functools.partial(put_on, original)


def _example(inner: Callable[..., Any], fake: PinpointOTP) -> Callable[..., Any]:
    @functools.wraps(inner)
    def example(*args: Any, **kwargs: Any) -> Any:
        with _fresh(fake):
            return inner(*args, **kwargs)

    return example


def _coroutine_example(inner: Callable[..., Any], fake: PinpointOTP) -> Callable[..., Any]:
    @functools.wraps(inner)
    async def example(*args: Any, **kwargs: Any) -> Any:
        with _fresh(fake):
            return await inner(*args, **kwargs)

    return example


@contextmanager
def _fresh(fake: PinpointOTP) -> Iterator[None]:
    fake.reset()
    yield
    # Reached by an example that passed, as it is at the end of a test.
    if unused := fake._check_end():
        raise AssertionError(unused)
