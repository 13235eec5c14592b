"""What the tests of strategies draw with: values as they come, the smallest, and several runs of a user's test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis
from effort import THOROUGH, examples
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

# Derandomized, because a strategy is judged by what it draws: the same in every run.
several = settings(max_examples=examples(40), deadline=None, derandomize=True, database=None)
searching = settings(several, max_examples=2000, phases=[Phase.generate, Phase.shrink])


def find(strategy: SearchStrategy[Any], condition: Any = lambda value: True) -> Any:
    """Return the smallest value that meets a condition."""
    return hypothesis.find(strategy, condition, settings=searching)


def draw(strategy: SearchStrategy[Any], count: int, *, run: int | None = None) -> list[Any]:
    """Return values as they are drawn: for what is reached, which a search would shrink at a high price.

    Args:
        strategy: what draws them.
        count: how many; without ``run``, twice as many.
        run: the seed, where one user's test is meant; None: half of ``count`` each of four runs. Hypothesis draws the
            values of one run more alike than chance would, and which ones depends on constants that it finds in the
            code, so one run reaches today what it does not tomorrow.
    """
    if run is None:
        return [value for one in range(4) for value in draw(strategy, (count + 1) // 2, run=one)]
    drawn = []

    # The machine may be busy.
    @seed(run)
    @settings(
        several,
        max_examples=count,
        phases=[Phase.generate],
        derandomize=False,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(strategy)
    def note(value: Any) -> None:
        drawn.append(value)

    note()
    return drawn


class Drawing:
    """Values for a test of what is reached: only as many are drawn as that takes, and several tests may share them.

    Args:
        strategy: what draws them.
        count: twice as many are drawn at most, as by ``draw`` without ``run``. They come in ten runs of equal size.
    """

    def __init__(self, strategy: SearchStrategy[Any], count: int) -> None:
        self.strategy, self.size = strategy, (count + 4) // 5
        self.runs: list[list[Any]] = []

    def until(self, reached: Callable[[list[Any]], Any], *, at_least: int = 0) -> list[Any]:
        """Return drawn values until they are enough, or all of them. Runs are kept for the next test that asks.

        Args:
            reached: takes the values so far, and tells whether they are enough.
            at_least: how many are drawn in any case, for a test that says what is never drawn.
        """
        values: list[Any] = []
        for run in range(10):
            if run == len(self.runs):
                self.runs.append(draw(self.strategy, self.size, run=run))
            values += self.runs[run]
            if len(values) >= at_least and reached(values) and not THOROUGH:
                break
        return values


def fail_with(strategy: SearchStrategy[Any], condition: Any, run: int) -> Any:
    """Return what a failing test shows: the last example, of all of Hypothesis's phases, as a user has them."""
    failing = []

    @seed(run)
    @settings(deadline=None, database=None, max_examples=300)
    @given(strategy)
    def fails(value: Any) -> None:
        if condition(value):
            failing.append(value)
            raise ZeroDivisionError

    try:
        fails()
    except ZeroDivisionError:
        return failing[-1]
    raise AssertionError(f"Run {run} has not found an example.")


def printed(strategy: SearchStrategy[Any]) -> tuple[str, Any]:
    """Return the call that Hypothesis prints under a failing test, and the argument that it had."""
    drawn = []

    @settings(searching, max_examples=30)
    @given(value=strategy)
    def fails(value: Any) -> None:
        drawn.append(value)
        raise ZeroDivisionError

    try:
        fails()
    except ZeroDivisionError as error:
        report = "\n".join(error.__notes__)
    return report[report.index("fails(") : report.rindex(")") + 1], drawn[-1]
