"""What the command line and markers arrange for tests as failure plans: chaos, replays, and a test's own plan.

Imported only in runs that use one of these.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from pytest_pinpoint_otp.engine.argument_checks import counted, kind
from pytest_pinpoint_otp.engine.faults.chaos import KINDS, Chaos
from pytest_pinpoint_otp.engine.faults.plans import FailurePlan
from pytest_pinpoint_otp.engine.report import printable
from pytest_pinpoint_otp.fake import service_of
from pytest_pinpoint_otp.plugin.configuration import identity_of

if TYPE_CHECKING:
    from pytest_pinpoint_otp.fake import PinpointOTP

_COUNTS: Final = "pinpoint_otp_chaos"
"""The key under which a worker of pytest-xdist reports to its controller."""


class Arrangement:
    """What is arranged for the fake of one test, at its entry and at each reset.

    Args:
        plan: the test's own plan; what it leaves unused is an error.
        replay: the plan of a test that failed earlier.
        chaos: the failures that are drawn.
    """

    def __init__(
        self, plan: FailurePlan | None = None, replay: FailurePlan | None = None, chaos: Chaos | None = None
    ) -> None:
        self._plan = plan
        self._replay = replay
        self._chaos = chaos

    def __call__(self, fake: PinpointOTP) -> None:
        """Arrange it for a fake."""
        if self._replay is not None:
            fake.follow(self._replay, optional=True)
        if self._plan is not None:
            fake.follow(self._plan)
        if self._chaos is not None:
            service_of(fake).add(self._chaos.injections())

    @property
    def counts(self) -> Counter[str]:
        """How many calls chaos has met and failed, as `Chaos` counts them."""
        return Counter() if self._chaos is None else self._chaos.counts

    def section(self, fake: PinpointOTP, item: pytest.Item) -> str:
        """Return what a failing test shows of its chaos: the plan, and the command that replays it; or nothing."""
        plan = service_of(fake).recorded_plan("chaos") if self._chaos is not None else FailurePlan()
        if not plan.steps:
            return ""
        try:
            file = _write_plan_file(item, plan)
        except OSError as error:
            last = [f"To replay exactly this, save it in a file for --pinpoint-otp-replay: {error}."]
        else:
            last = ["To replay exactly this:", _replay_command(item, file)]
        return printable("\n".join([plan.to_json(), "", *last]))


class Shaking(NamedTuple):
    """How chaos shakes the tests of a run."""

    rate: float
    """How likely a call is to fail, 0 to 1."""
    seed: str
    """What failures are drawn from, besides each test's name."""
    kinds: tuple[str, ...]
    """The kinds of failures that are drawn."""


class RunFailures:
    """What the command line arranges for every test of a run. It is a pytest plugin of its own.

    Args:
        shaking: how chaos shakes them; None: no chaos.
        replay: a plan that every test follows.
        file: where it was read from.
    """

    def __init__(self, shaking: Shaking | None, replay: FailurePlan | None, file: str | None) -> None:
        self._shaking: Final = shaking
        self._replay: Final = replay
        self._file: Final = file
        self._counts: Counter[tuple[str, str]] = Counter()
        """What chaos has counted in each test, by what was counted and the node ID."""

    def arrangement(self, item: pytest.Item, plan: FailurePlan | None) -> Arrangement:
        """Return what is arranged for a test, whose marker names a plan of its own or does not."""
        # A test with a plan of its own expects those failures and no others.
        if self._shaking is None or (plan is not None and plan.steps):
            return Arrangement(plan, self._replay)
        rate, seed, kinds = self._shaking
        return Arrangement(plan, self._replay, Chaos(rate, f"{seed}{identity_of(item)}", kinds, _choices))

    def count(self, item: pytest.Item, arrangement: Arrangement) -> None:
        """Count what a test's arrangement has done, for the run's summary."""
        self._counts.update({(what, item.nodeid): count for what, count in arrangement.counts.items()})

    def pytest_report_header(self) -> str:
        """Announce chaos or the replay in the header."""
        if self._shaking is None:
            return f"pinpoint-otp: replays the failure plan {self._file}, without chaos"
        rate, seed, kinds = self._shaking
        of = "" if kinds == KINDS else f", of {', '.join(kinds)}"
        return f"pinpoint-otp: chaos at a rate of {rate}, seed {seed!r}{of}"

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Report to the controller of pytest-xdist, if there is one, before the worker ends."""
        result = yield
        if (output := getattr(session.config, "workeroutput", None)) is not None:
            output[_COUNTS] = dict(self._counts)
        return result

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker has reported."""
        self._counts.update(getattr(node, "workeroutput", {}).get(_COUNTS, {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how much was failed."""
        if self._shaking is not None:
            terminalreporter.line(f"pinpoint-otp: chaos {_summarize(self._counts)}")


def _summarize(counts: Counter[tuple[str, str]]) -> str:
    """Tell what chaos has done in a run, or why it has done nothing."""
    totals: Counter[str] = Counter()
    for (what, _), count in counts.items():
        totals[what] += count
    calls, failed, hidden = (totals[name] for name in ("calls", "failed", "hidden"))
    if not calls:
        return "failed nothing: no test that it reaches made an OTP call"
    if not failed:
        return f"failed none of {counted(calls, 'call')}: choose a higher rate, other kinds or another seed"
    tests = sum(what == "failed" for what, _ in counts)
    told = f"failed {counted(failed, 'call')} of {counted(tests, 'test')}"
    return f"{told}, {hidden} of them hidden by a retry" if hidden else told


def _choices() -> Sequence[object] | None:
    """Return what Hypothesis has chosen so far for the example under way in this thread; None: there is none.

    They are the same when Hypothesis runs the example again, and differ between examples.
    """
    control: Any = sys.modules.get("hypothesis.control")
    if control is None or not control.currently_in_test_context():
        return None
    data = control.current_build_context().data
    # Before 6.123, they are not the same when an example runs again. There, all examples draw alike.
    choices: Sequence[object] = getattr(data, "choices", ())
    return choices


def read_command_line(config: pytest.Config) -> RunFailures:
    """Read the options of the command line.

    Raises:
        pytest.UsageError: a rate out of range, an option of chaos without a rate, an unknown kind of failures, or a
            file that holds no plan.
    """
    option = config.option
    shaking = _read_shaking(option.pinpoint_otp_chaos, option.pinpoint_otp_chaos_seed, option.pinpoint_otp_chaos_kinds)
    file = option.pinpoint_otp_replay
    if file is None:
        return RunFailures(shaking, None, None)
    try:
        replay = FailurePlan.from_file(Path(config.invocation_params.dir, file))
    except (OSError, ValueError) as error:
        raise pytest.UsageError(f"--pinpoint-otp-replay: {error}") from None
    # Without chaos, which may be in addopts: what was drawn once must be repeated alone.
    return RunFailures(None, replay, file)


def _read_shaking(rate: float | None, seed: str | None, kinds: str | None) -> Shaking | None:
    if rate is None:
        for name, value in (("seed", seed), ("kinds", kinds)):
            if value is not None:
                raise pytest.UsageError(
                    f"--pinpoint-otp-chaos-{name} is {value!r}, but nothing is drawn without a rate: give"
                    " --pinpoint-otp-chaos=RATE as well."
                )
        return None
    if not 0 <= rate <= 1:
        raise pytest.UsageError(f"--pinpoint-otp-chaos is {rate}, but takes a rate from 0 to 1.")
    named = KINDS if kinds is None else tuple(name.strip() for name in kinds.split(","))
    if unknown := [name for name in named if name not in KINDS]:
        raise pytest.UsageError(
            f"--pinpoint-otp-chaos-kinds: {unknown[0]!r} is not a kind of failures. Choose from {', '.join(KINDS)}."
        )
    return Shaking(rate, "0" if seed is None else seed, named)


def read_marked_plan(plan: Any, item: pytest.Item) -> FailurePlan:
    """Return the plan that a marker gives as an object, or as a path relative to the test's file.

    Raises:
        TypeError: neither of these.
        OSError: there is no such file.
        ValueError: the file holds no plan.
    """
    if isinstance(plan, FailurePlan):
        return plan
    if not isinstance(plan, (str, os.PathLike)):
        makers = "FailurePlan(steps) makes one, and FailurePlan() is one without steps"
        raise TypeError(f"plan takes a FailurePlan or the path of its file, not {kind(plan)}; {makers}.")
    return FailurePlan.from_file(item.path.parent / plan)


def _replay_command(item: pytest.Item, file: Path) -> str:
    """Return the command that replays a plan, in the folder where pytest was started."""
    folder = item.config.invocation_params.dir
    if file.is_relative_to(folder):
        file = file.relative_to(folder)
    # Not the node ID: it is relative to pytest's root folder, and pytest-xdist appends the group to it.
    names = [node.name for node in item.listchain() if isinstance(node, (pytest.Class, pytest.Item))]
    test = "::".join([os.path.relpath(item.path, folder), *names])
    return shlex.join(["pytest", *_kept(item.config), test, f"--pinpoint-otp-replay={file}"])


def _kept(config: pytest.Config) -> Iterator[str]:
    """Yield the options of the command line that say how a test is configured."""
    option = config.option
    for name, values in (("-c", [option.inifilename]), ("--rootdir", [option.rootdir])):
        yield from (word for value in values if value for word in (name, str(value)))
    for name, values in (("-p", option.plugins), ("-o", option.override_ini or [])):
        yield from (word for value in values for word in (name, value))


def _write_plan_file(item: pytest.Item, plan: FailurePlan) -> Path:
    """Write a plan into pytest's cache or, if that fails, into a temporary folder, and return its file.

    Raises:
        OSError: neither can be written.
    """
    name = f"{blake2b(item.nodeid.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}.json"
    if item.config.pluginmanager.hasplugin("cacheprovider"):
        try:
            # pytest only warns if its folder cannot be made.
            return _write(item.config.cache.mkdir("pinpoint-otp") / name, plan)
        except OSError:
            pass
    return _write(Path(tempfile.mkdtemp(prefix="pinpoint-otp-")) / name, plan)


def _write(file: Path, plan: FailurePlan) -> Path:
    file.write_text(plan.to_json(), encoding="utf-8")
    return file
