"""The shop in a process of its own, under uvicorn: started once, with a fresh fake for each test."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shop(pinpoint_otp_server):
    """The shop's address."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("fastapi")
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "shop:app", "--port", "0"],
        cwd=Path(__file__).parent,
        # No retries: they would take real time.
        env={**os.environ, **pinpoint_otp_server.environ, "AWS_MAX_ATTEMPTS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        for line in process.stderr:
            if started := re.search(r"running on (http://\S+)", line):
                break
        else:
            pytest.fail("uvicorn has not started.")
        yield started[1]
        process.terminate()
        process.stderr.read()
