"""The fake of a test: its activation before the test's own fixtures, and what it checks and reports at teardown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pinpoint_otp.fake import PinpointOTP, service_of
from pytest_pinpoint_otp.mock import enter, isolated_examples, leave
from pytest_pinpoint_otp.plugin.configuration import (
    FIXTURE,
    MARKER,
    fixture_names,
    marker_arguments,
    options_of,
    run_of,
    terminal_width,
)

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.faults.plans import FailurePlan
    from pytest_pinpoint_otp.plugin.failures import Arrangement

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


class Activation:
    """The fake of one test, what was arranged for it, and how the test has ended so far."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self.arrangement = _arrangement_of(item)
        self.fake = PinpointOTP(options_of(item), self.arrangement)
        self.examples_are_checked = False
        """Whether each of Hypothesis's examples has had its own check, so that the test needs none."""
        self._outcomes: list[str] = []
        """One for each subtest, and the test's own last, which passes even where a subtest has failed."""

    def check_end(self) -> None:
        """Check what a test that passed has left. One that failed, was skipped or xfailed has its verdict."""
        passed = self._outcomes[-1:] == ["passed"] and "failed" not in self._outcomes
        if passed and not self.examples_are_checked and (unused := service_of(self.fake).check_end()):
            pytest.fail(unused, pytrace=False)

    def note(self, report: pytest.TestReport) -> None:
        """Take note of a report on the test; where it tells of a failure, add the traffic to it."""
        if report.failed and (traffic := service_of(self.fake).traffic(terminal_width(self._item.config))):
            report.sections.append(("Pinpoint OTP traffic", traffic))
            if self.arrangement and (chaos := self.arrangement.section(self.fake, self._item)):
                report.sections.append(("Pinpoint OTP chaos", chaos))
        if report.when == "call":
            self._outcomes.append("xfailed" if hasattr(report, "wasxfail") else report.outcome)


@contextmanager
def activated(item: pytest.Item) -> Iterator[PinpointOTP]:
    """Activate a test's fake, and check at the end what the test has left."""
    run = run_of(item.config)
    activation = run.activations[item] = Activation(item)
    enter(activation.fake)
    try:
        with isolated_examples(getattr(item, "obj", None), activation.fake, checked=True) as checked:
            activation.examples_are_checked = checked
            yield activation.fake
    finally:
        leave(activation.fake)
        if run.failures is not None and activation.arrangement is not None:
            run.failures.count(item, activation.arrangement)
    activation.check_end()


def _arrangement_of(item: pytest.Item) -> Arrangement | None:
    """Return what the test's marker and the command line arrange for its fake; None if that is nothing."""
    arguments = marker_arguments(item)
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
    """Let the fake of a test come into force when the test is set up, after all fixtures that are wider."""
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
    # A list of its own: pytest shares one among the parameters of a test, and with others.
    item.fixturenames = [*others[:place], FIXTURE, *others[place:]]


def _has_function_scope(item: Any, name: str) -> bool:
    definitions = item._fixtureinfo.name2fixturedefs.get(name)
    if definitions is None:
        # Another plugin may have added the name, as this one does.
        definitions = item.session._fixturemanager.getfixturedefs(name, item)
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
