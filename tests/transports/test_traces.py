"""What a fake leaves of itself in botocore once it has left: nothing, whichever way was wrapped for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# In a process of its own, because the baseline has to be taken before any fake was ever active.
SOURCE = """
import contextlib
import importlib
import pkgutil

import boto3
from botocore.config import Config
from helpers import send

from pytest_pinpoint_otp import mock_pinpoint_otp


def attributes():
    # Of every module, and of every class in it.
    found = {}
    for name in ("botocore", "botocore.retries", "aiobotocore", "aiobotocore.retries", "moto.core"):
        with contextlib.suppress(ImportError):
            package = importlib.import_module(name)
            for info in pkgutil.iter_modules(package.__path__, f"{name}."):
                with contextlib.suppress(ImportError):
                    for key, value in vars(importlib.import_module(info.name)).items():
                        found[info.name, key] = value
                        if isinstance(value, type):
                            found |= {(info.name, key, attribute): one for attribute, one in vars(value).items()}
    return found


def client(mode):
    return boto3.client(
        "pinpoint",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"mode": mode}),
    )


before = attributes()
client("standard")
with mock_pinpoint_otp() as fake:
    for mode in ("legacy", "standard", "adaptive"):
        fake.inject("TooManyRequestsException", per="attempt")
        send(client(mode))
    within = attributes()
after = attributes()
print(len([key for key in before if within[key] is not before[key]]) > 5)
print([key for key in before if after[key] is not before[key]])
"""


def test_nothing_of_botocore_is_wrapped_that_was_not_before_the_first_fake() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SOURCE],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.split("\n", 1) == ["True", "[]\n"], done.stderr
