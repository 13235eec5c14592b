"""The SDKs that the tests of the wire use: boto3, the AWS CLI and AWS's SDK for JavaScript."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from helpers import send_request, verify_request

from pytest_pinpoint_otp import PinpointOTPServer

CLIENTS: Final = Path(__file__).with_name("clients")
ATTEMPTS: Final = 2
TIMEOUT: Final = 1
"""Seconds that a client waits for an answer."""


class Failed(Exception):  # noqa: N818 - it is an outcome
    """How a call failed, in the words of its SDK."""


class Sdk(Protocol):
    """One SDK."""

    def call(self, operation: str, request: dict[str, Any]) -> Any:
        """Call an operation by boto3's keyword arguments, and return the answer as boto3 has it.

        Raises:
            Failed: it failed.
        """

    def close(self) -> None:
        """End what it has started."""


def send(sdk: Sdk, **parameters: Any) -> str:
    """Send, and return the delivery's status, or what is there in its place."""
    answer = sdk.call("SendOTPMessage", send_request(**parameters))
    results = answer.get("MessageResponse", {}).get("Result", {}).values()
    return next((str(result["DeliveryStatus"]) for result in results), "without a result")


def verify(sdk: Sdk, code: str) -> bool:
    """Verify a code."""
    return bool(sdk.call("VerifyOTPMessage", verify_request(code))["VerificationResponse"]["Valid"])


class Boto3:
    """boto3, in this process."""

    def __init__(self, server: PinpointOTPServer) -> None:
        retries = {"total_max_attempts": ATTEMPTS, "mode": "standard"}
        config = Config(retries=retries, proxies={}, read_timeout=TIMEOUT)  # type: ignore[arg-type]
        self._client: Any = boto3.client(
            "pinpoint",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=config,
        )

    def call(self, operation: str, request: dict[str, Any]) -> Any:
        """Call an operation."""
        name = {"SendOTPMessage": "send_otp_message", "VerifyOTPMessage": "verify_otp_message"}[operation]
        try:
            return getattr(self._client, name)(**request)
        except ClientError as error:
            kind = type(error).__name__
            code = error.response["Error"]["Code"]
            raise Failed(f"`{kind}`" if kind == code else f"`{kind}`, code {code}") from error
        except BotoCoreError as error:
            raise Failed(f"`{type(error).__name__}`") from error

    def close(self) -> None:
        """Close the client."""
        self._client.close()


class AwsCli:
    """The AWS CLI, a process for each call."""

    WORDS: Final = (
        r"An error occurred \(([^)]+)\)",
        r"(Connection was closed)",
        r"(Could not connect)",
        r"(Read timeout)",
        r"(Unable to parse response)",
    )

    def __init__(self, server: PinpointOTPServer) -> None:
        # Of this environment: the machine's may be of any version.
        program = shutil.which("aws", path=Path(sys.executable).parent)
        if program is None:
            pytest.skip("The AWS CLI is not here: pip install awscli.")
        self._program = program
        self._environ = _environ(server)

    def call(self, operation: str, request: dict[str, Any]) -> Any:
        """Call an operation."""
        name = {"SendOTPMessage": "send-otp-message", "VerifyOTPMessage": "verify-otp-message"}[operation]
        result = subprocess.run(
            [
                self._program,
                "pinpoint",
                name,
                "--cli-read-timeout",
                str(TIMEOUT),
                "--cli-input-json",
                json.dumps(request),
            ],
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if result.returncode == 0:
            return json.loads(result.stdout)
        found = next(filter(None, [re.search(words, result.stderr) for words in self.WORDS]), None)
        raise Failed(f"“{found[1]}”" if found else result.stderr)

    def close(self) -> None:
        """Nothing runs on."""


class JavaScript:
    """AWS's SDK for JavaScript, in one process."""

    def __init__(self, server: PinpointOTPServer) -> None:
        self._process = subprocess.Popen(
            ["node", str(CLIENTS / "send.cjs")],
            env={**_environ(server), **node_environ("@aws-sdk/client-pinpoint"), "NODE_NO_WARNINGS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(self, operation: str, request: dict[str, Any]) -> Any:
        """Call an operation."""
        assert self._process.stdin
        assert self._process.stdout
        command = {"operation": operation, "request": request, "timeout": TIMEOUT * 1000}
        print(json.dumps(command), file=self._process.stdin, flush=True)
        outcome = json.loads(self._process.stdout.readline())
        if "error" in outcome:
            raise Failed(f"`{outcome['error']}`")
        return outcome["answer"]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def node_environ(package: str) -> dict[str, str]:
    """Return what lets Node find a package, and skip the test where there is none."""
    if shutil.which("node") is None:
        pytest.skip("Node is not here.")
    folders = (os.environ.get("PINPOINT_OTP_NODE_MODULES"), CLIENTS / "node_modules")
    for folder in filter(None, folders):
        if Path(folder, package).is_dir():
            return {"NODE_PATH": str(folder)}
    pytest.skip(f"{package} is not here: run npm install in tests/http/clients.")


def _environ(server: PinpointOTPServer) -> Mapping[str, str]:
    return {
        **os.environ,
        **server.environ,
        "AWS_MAX_ATTEMPTS": str(ATTEMPTS),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PAGER": "",
    }


SDKS: Final[Mapping[str, type[Boto3 | AwsCli | JavaScript]]] = {
    "boto3": Boto3,
    "AWS CLI": AwsCli,
    "JavaScript": JavaScript,
}
