"""The fake under the real packages that wrap botocore: nothing leaves, and no call of another service breaks.

Each runs in a process of its own, since most of these packages never unwrap. nox's session ``wrappers`` has them all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
# Whatever a package sends to its own service goes nowhere.
QUIET = {
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
}


@pytest.mark.parametrize("when", ["before", "after", "inside"])
@pytest.mark.parametrize("package", ["newrelic", "wrapt", "ddtrace", "opentelemetry", "aws_xray_sdk", "sentry_sdk"])
def test_nothing_leaves_and_nothing_of_others_breaks(package: str, when: str) -> None:
    pytest.importorskip("aiobotocore")
    pytest.importorskip({"opentelemetry": "opentelemetry.instrumentation.botocore"}.get(package, package))
    command = [sys.executable, str(FOLDER / "scenario.py"), package, when]
    environ = {**os.environ, **QUIET, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, check=False, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "all is well\n"
