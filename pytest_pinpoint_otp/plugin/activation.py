"""The fake of a test: what is arranged for it, and its activation before the test's own fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pinpoint_otp.fake import PinpointOTP
from pytest_pinpoint_otp.mock import enter, isolated_examples, leave
from pytest_pinpoint_otp.plugin.configuration import (
    FIXTURE,
    MARKER,
    fixture_definitions,
    fixture_names,
    marker_arguments,
    options_of,
    run_of,
)
from pytest_pinpoint_otp.plugin.teardown import Teardown

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.faults.plans import FailurePlan
    from pytest_pinpoint_otp.plugin.failures import Arrangement

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


@contextmanager
def activated(item: pytest.Item) -> Iterator[PinpointOTP]:
    """Activate a test's fake, and check at the end what the test has left."""
    run, arguments = run_of(item.config), marker_arguments(item)
    arrangement = _arrangement_of(item, arguments)
    fake = PinpointOTP(options_of(item, arguments), arrangement)
    teardown = run.teardowns[item] = Teardown(item, fake, arrangement)
    enter(fake)
    try:
        with isolated_examples(getattr(item, "obj", None), fake) as checked:
            teardown.examples_are_checked = checked
            yield fake
    finally:
        leave(fake)
        if run.failures is not None and arrangement is not None:
            run.failures.count(item, arrangement)
    teardown.check()


def _arrangement_of(item: pytest.Item, arguments: Mapping[str, Any]) -> Arrangement | None:
    """Return what a test's markers and the command line arrange for its fake; None if that is nothing."""
    failures = run_of(item.config).failures if arguments.get("chaos", True) else None
    plan: FailurePlan | None = None
    if "plan" in arguments:
        from pytest_pinpoint_otp.plugin.failures import read_marked_plan

        try:
            plan = read_marked_plan(arguments["plan"], item)
        except (TypeError, ValueError, OSError) as error:
            raise pytest.fail.Exception(f"@pytest.mark.{MARKER}: {error}", pytrace=False) from None
    if failures is None and plan is None:
        return None
    from pytest_pinpoint_otp.plugin.failures import Arrangement

    return Arrangement(plan) if failures is None else failures.arrangement(item, plan)


def prepare(item: pytest.Item) -> None:
    """Have the fake of a test activated when the test is set up, after all wider fixtures."""
    if isinstance(item, (pytest.Function, pytest.DoctestItem)) or FIXTURE in fixture_names(item):
        _put_fixture_first(item)
    elif "setup" not in vars(item):
        _surround(item)


def _put_fixture_first(item: Any) -> None:
    """Let pytest set up the fixture before all others of its scope."""
    names = item.fixturenames
    if FIXTURE in names and not _has_function_scope(item, FIXTURE):
        return
    others = [name for name in names if name != FIXTURE]
    place = next((at for at, name in enumerate(others) if _has_function_scope(item, name)), len(others))
    # A new list: pytest shares one among the parameters of a test, and with other tests.
    item.fixturenames = [*others[:place], FIXTURE, *others[place:]]


def _has_function_scope(item: pytest.Item, name: str) -> bool:
    definitions = fixture_definitions(item, name)
    return not definitions or definitions[-1].scope == "function"


def _surround(item: pytest.Item) -> None:
    """Activate the fake around the set-up and the teardown of an item that takes no fixtures."""
    fake = ExitStack()
    set_up: Callable[[], None] = item.setup
    tear_down: Callable[[], None] = item.teardown

    def setup() -> None:
        fake.enter_context(activated(item))
        set_up()

    def teardown() -> None:
        del vars(item)["setup"], vars(item)["teardown"]
        with fake:
            tear_down()

    # On the item, since pytest's hooks are around the fixtures of its module and session too.
    vars(item).update(setup=setup, teardown=teardown)
