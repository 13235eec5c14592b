"""What the command line and markers arrange for tests as failure plans: chaos, replays, and a test's own plan.

Imported only in runs that ask for one of these.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_pinpoint_otp.engine.checks import kind
from pytest_pinpoint_otp.engine.faults.chaos import Chaos
from pytest_pinpoint_otp.engine.faults.plans import FailurePlan

if TYPE_CHECKING:
    from pytest_pinpoint_otp.fake import PinpointOTP


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
            self._chaos(fake)

    def section(self, fake: PinpointOTP, item: pytest.Item) -> str:
        """Return what a failing test tells of its chaos: the plan, and the command that replays it; else nothing."""
        plan = self._chaos.plan(fake) if self._chaos is not None else FailurePlan()
        if not plan.steps:
            return ""
        file, folder = _write_plan_file(item, plan), item.config.invocation_params.dir
        if file.is_relative_to(folder):
            file = file.relative_to(folder)
        command = shlex.join(["pytest", *_kept(item.config), _argument_for(item), f"--pinpoint-otp-replay={file}"])
        return f"{plan.to_json()}\n\nTo replay exactly this:\n{command}"


class Shaking:
    """What the command line wants to happen to every test of a run.

    Args:
        rate: how likely a call is to fail, 0 to 1; None: no chaos.
        seed: what failures are drawn from, beside each test's name.
        replay: a plan that every test follows.
        file: where it was read from.
    """

    def __init__(self, rate: float | None, seed: str, replay: FailurePlan | None, file: str | None) -> None:
        self._rate: Final = rate
        self._seed: Final = seed
        self._replay: Final = replay
        self._file: Final = file

    def header(self) -> str:
        """Return the line of pytest's header that tells of it."""
        if self._rate is not None:
            return f"pinpoint-otp: chaos at a rate of {self._rate}, seed {self._seed!r}"
        return f"pinpoint-otp: replays the failure plan {self._file}, without chaos"

    def arrangement(self, identity: str, plan: FailurePlan | None) -> Arrangement:
        """Return what is arranged for the test of this identity."""
        chaos = None if self._rate is None else Chaos(self._rate, f"{self._seed}{identity}")
        return Arrangement(plan, self._replay, chaos)


def read_shaking(config: pytest.Config) -> Shaking:
    """Read the options of the command line.

    Raises:
        pytest.UsageError: a rate that is none, or a file that holds no plan.
    """
    rate, file = config.option.pinpoint_otp_chaos, config.option.pinpoint_otp_replay
    if rate is not None and not 0 <= rate <= 1:
        raise pytest.UsageError(f"--pinpoint-otp-chaos is {rate}, but takes a rate from 0 to 1.")
    replay = None
    if file is not None:
        try:
            replay = _read_plan_file(Path(config.invocation_params.dir, file))
        except (OSError, ValueError) as error:
            raise pytest.UsageError(f"--pinpoint-otp-replay: {error}") from None
        # Chaos may stand in addopts, and what was drawn once is to be repeated alone.
        rate = None
    return Shaking(rate, config.option.pinpoint_otp_chaos_seed, replay, file)


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
        raise TypeError(f"plan takes a FailurePlan or the path of its file, not {kind(plan)}; FailurePlan() is none.")
    return _read_plan_file(item.path.parent / plan)


def _read_plan_file(file: Path) -> FailurePlan:
    try:
        return FailurePlan.from_json(file.read_bytes())
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def _kept(config: pytest.Config) -> Iterator[str]:
    """Yield the options of the command line that say how a test is configured."""
    option = config.option
    for name, values in (("-c", [option.inifilename]), ("--rootdir", [option.rootdir])):
        yield from (word for value in values if value for word in (name, str(value)))
    for name, values in (("-p", option.plugins), ("-o", option.override_ini or [])):
        yield from (word for value in values for word in (name, value))


def _argument_for(item: pytest.Item) -> str:
    """Return what selects a test on a command line in the folder where pytest was started."""
    # Not the node ID: it is relative to pytest's root folder, and pytest-xdist appends the group to it.
    names = [node.name for node in item.listchain() if isinstance(node, (pytest.Class, pytest.Item))]
    return "::".join([os.path.relpath(item.path, item.config.invocation_params.dir), *names])


def _write_plan_file(item: pytest.Item, plan: FailurePlan) -> Path:
    """Write a plan into pytest's cache, or where there is none into a temporary folder, and return its file."""
    cache = item.config.cache if item.config.pluginmanager.hasplugin("cacheprovider") else None
    folder = Path(tempfile.mkdtemp(prefix="pinpoint-otp-")) if cache is None else cache.mkdir("pinpoint-otp")
    file = folder / f"{blake2b(item.nodeid.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}.json"
    file.write_text(plan.to_json(), encoding="utf-8")
    return file
