"""A user's test suite for pytester: an application with a client of its own, and the ways to run pytest on it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

TESTS: Final = Path(__file__).parent

APPLICATION: Final = """
import boto3
import helpers

# As applications do: once, at import, before any fake is active.
client = boto3.client(
    "pinpoint", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
)

def send(**parameters):
    return helpers.send_status(client, **parameters)

def verify(code, **parameters):
    return helpers.verify(client, code, **parameters)
"""

ALONE: Final = ("-p", "no:randomly", "-p", "no:asyncio", "-p", "no:hypothesispytest", "-p", "no:benchmark")
"""Without the neighbours that shuffle the tests, warn of what a small suite leaves out, or import much in each run."""

AUTOLOAD: Final = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
"""Empty: pytest loads the plugins of the environment."""

# Imported here so that pytester, which forgets what a run has imported, need not import it anew in each run.
boto3.Session()


def write(pytester: pytest.Pytester, **files: str) -> None:
    """Write an application and the Python files of its suite, by name without the ending."""
    pytester.syspathinsert(TESTS)
    pytester.makepyfile(**{"application": APPLICATION, **files})


def run(pytester: pytest.Pytester, *arguments: str, **files: str) -> pytest.RunResult:
    """Write a suite, if files are given, and run it, in the order in which it is written."""
    if files:
        write(pytester, **files)
    with pytest.MonkeyPatch.context() as patch:
        # To look for the plugins of the environment and to load them is a quarter of such a run. Session `neighbours`
        # says that it wants them.
        patch.setenv(AUTOLOAD, os.environ.get(AUTOLOAD, "1"))
        return pytester.runpytest("-p", "pinpoint_otp", *ALONE, *arguments)


def run_apart(pytester: pytest.Pytester, *arguments: str, **files: str) -> pytest.RunResult:
    """Write a suite, if files are given, and run it in a process of its own."""
    if files:
        write(pytester, **files)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS), prepend=os.pathsep)
        return pytester.runpytest_subprocess(*ALONE, *arguments)


def passes(result: pytest.RunResult, **outcomes: Any) -> None:
    """Assert how many tests of a run passed, failed and so on, and that pytest agrees."""
    result.assert_outcomes(**outcomes)
    bad = outcomes.get("failed", 0) + outcomes.get("errors", 0)
    assert result.ret == (pytest.ExitCode.TESTS_FAILED if bad else pytest.ExitCode.OK)
