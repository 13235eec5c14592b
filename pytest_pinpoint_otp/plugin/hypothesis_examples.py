"""Hypothesis's examples: each begins with what the test's fixtures arranged before the first, and has its own check."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pinpoint_otp.engine.service import Service
from pytest_pinpoint_otp.fake import service_of, use_service

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.state import Snapshot
    from pytest_pinpoint_otp.plugin.activation import Activation

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


@contextmanager
def isolated_examples(item: pytest.Item, activation: Activation) -> Iterator[None]:
    """Keep the examples of a test apart, if it is one of Hypothesis's, or runs a state machine of Hypothesis's."""
    test: Any = getattr(item, "obj", None)
    handle: Any = getattr(test, "hypothesis", None)
    inner = getattr(handle, "inner_test", None)
    examples = _Examples(activation)
    if inner is not None:
        activation.examples_are_checked = True
        with _replaced(handle, "inner_test", inner, examples.each_of(inner)):
            yield
    elif handle is None and getattr(test, "is_hypothesis_test", False):
        from hypothesis.stateful import RuleBasedStateMachine

        start = RuleBasedStateMachine.__init__
        with _replaced(RuleBasedStateMachine, "__init__", start, examples.begun_by(start)):
            yield
    else:
        yield


@contextmanager
def _replaced(owner: Any, name: str, original: object, replacement: object) -> Iterator[None]:
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, original)


class _Examples:
    """The examples of one test, before each of which the fake becomes again as it was before the first."""

    def __init__(self, activation: Activation) -> None:
        self._fake = activation.fake
        self._beginning: Snapshot | None = None
        """Taken when the first example begins, after all fixtures, ``setUp`` included."""

    def _begin(self) -> None:
        if self._beginning is None:
            self._beginning = service_of(self._fake).save()
        else:
            use_service(self._fake, Service.from_snapshot(self._beginning))

    @contextmanager
    def _example(self) -> Iterator[None]:
        self._begin()
        yield
        # Reached by an example that passed, as it is at the end of a test.
        if unused := service_of(self._fake).check_end():
            raise AssertionError(unused)

    def each_of(self, test: Callable[..., Any]) -> Callable[..., Any]:
        """Return a test whose every run is an example."""

        @functools.wraps(test)
        def function(*args: Any, **kwargs: Any) -> Any:
            with self._example():
                return test(*args, **kwargs)

        @functools.wraps(test)
        async def coroutine_function(*args: Any, **kwargs: Any) -> Any:
            with self._example():
                return await test(*args, **kwargs)

        return coroutine_function if inspect.iscoroutinefunction(test) else function

    def begun_by(self, start: Callable[..., None]) -> Callable[..., None]:
        """Return an initializer of state machines that begins an example each time."""

        @functools.wraps(start)
        def initialize(machine: Any) -> None:
            self._begin()
            start(machine)

        return initialize
