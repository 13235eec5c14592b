"""What a run pays for the plugin where no test uses it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from measuring import BLOCKED, Measure, difference

TESTS, ROUNDS = 400, 60
WITHOUT = "-pno:pinpoint_otp"

Run = Callable[..., None]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A function that runs Python in a folder with tests that do nothing, as many as the environment says."""
    (tmp_path / "test_nothing.py").write_text(
        "import os\n"
        "import pytest\n"
        "\n"
        "@pytest.mark.parametrize('number', range(int(os.environ['TESTS'])))\n"
        "def test_nothing(number): pass\n",
        encoding="utf-8",
    )

    def run(*arguments: str, tests: int = 1) -> None:
        environment = {**os.environ, "TESTS": str(tests)}
        subprocess.run([sys.executable, *arguments], cwd=tmp_path, env=environment, check=True, capture_output=True)

    return run


def processor_time() -> float:
    """Return what the processes that have ended took of the processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_the_start_of_pytest_with_the_plugin(measure: Measure, run: Run) -> None:
    ratio = measure.ratio(
        lambda: run("-m", "pytest", "-q", *BLOCKED),
        lambda: run("-m", "pytest", "-q", *BLOCKED, WITHOUT),
        calls=1,
        warm_up=0,
        rounds=25,
        clock=processor_time,
    )
    measure.check("pytest's start with the plugin, of one without", ratio, 1.05)


# The runs take turns within one process: the starts of as many processes would hide what is looked for.
TAKE_TURNS = f"""
import json, time, pytest

def seconds(*arguments):
    start = time.process_time()
    assert pytest.main(["-q", *{BLOCKED!r}, *arguments]) == 0
    return time.process_time() - start

times = [(seconds(), seconds("{WITHOUT}")) for _ in range({ROUNDS})]
with open("times.json", "w") as file:
    json.dump(times, file)
"""


def test_a_test_that_does_not_use_the_fake(measure: Measure, run: Run, tmp_path: Path) -> None:
    measure.seconds(lambda: run("-c", TAKE_TURNS, tests=TESTS), rounds=1)
    seconds = difference(json.loads((tmp_path / "times.json").read_bytes()))
    measure.check("What a test that does not use the fake pays for the plugin", seconds / TESTS * 1e6, 50, " us")


def test_an_unused_plugin_imports_neither_botocore_nor_hypothesis(run: Run, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import sys\n"
        "\n"
        "def pytest_unconfigure():\n"
        "    assert not {'boto3', 'botocore', 'hypothesis'} & sys.modules.keys()\n",
        encoding="utf-8",
    )
    run("-m", "pytest", "-q", *BLOCKED)
