"""What a run pays for the plugin where no test uses it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from measuring import Measure

TESTS = 2_000

Run = Callable[..., None]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A function that runs pytest in a process of its own, in a folder with one test that does nothing."""
    (tmp_path / "test_nothing.py").write_text(
        "import pytest\n"
        "\n"
        "@pytest.mark.parametrize('number', range(int(__import__('os').environ['TESTS'])))\n"
        "def test_nothing(number): pass\n",
        encoding="utf-8",
    )
    # No other plugin: the smaller the rest, the larger the share of this one.
    others = {plugin.name for plugin in entry_points(group="pytest11")} - {"pinpoint_otp"}

    def run(*, without: bool = False, tests: int = 1) -> None:
        blocked = ["cacheprovider", *sorted(others), *(["pinpoint_otp"] if without else [])]
        command = [sys.executable, "-m", "pytest", "-q", *(f"-pno:{name}" for name in blocked)]
        subprocess.run(command, cwd=tmp_path, env={**os.environ, "TESTS": str(tests)}, check=True, capture_output=True)

    return run


def processor_time() -> float:
    """Return what the processes that have ended took of the processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_the_start_of_pytest_with_the_plugin(measure: Measure, run: Run) -> None:
    ratio = measure.ratio(run, lambda: run(without=True), calls=1, warm_up=0, rounds=25, clock=processor_time)
    measure.check("pytest's start with the plugin, of one without", ratio, 1.05)


def test_a_test_that_does_not_use_the_fake(measure: Measure, run: Run) -> None:
    seconds = measure.difference(
        lambda: run(tests=TESTS),
        lambda: run(without=True, tests=TESTS),
        calls=1,
        warm_up=0,
        rounds=9,
        clock=processor_time,
    )
    measure.check("What a test that does not use the fake pays for the plugin", seconds / TESTS * 1e6, 50, " us")


def test_an_unused_plugin_imports_neither_botocore_nor_hypothesis(run: Run, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import sys\n"
        "\n"
        "def pytest_unconfigure():\n"
        "    assert not {'boto3', 'botocore', 'hypothesis'} & sys.modules.keys()\n",
        encoding="utf-8",
    )
    run()
