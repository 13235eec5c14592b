"""A log-in that does everything right, for the state machine to drive, and the machine that drives it."""

# ruff: noqa: D102

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from helpers import send_status, verify
from hypothesis import Phase, settings

from pytest_pinpoint_otp.stateful import OTPStateMachine

PHONE, OTHER = OTPStateMachine.phones

# The same in every run: whether a mistake is found must not depend on luck.
fixed = settings(deadline=None, derandomize=True, database=None, phases=[Phase.generate], stateful_step_count=30)


def client(attempts: int) -> Any:
    return boto3.client(
        "pinpoint",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"mode": "standard", "total_max_attempts": attempts}),
    )


RETRYING, ONCE = client(attempts=3), client(attempts=1)


class Application:
    """A log-in that does everything right."""

    sender, checker = RETRYING, ONCE

    def __init__(self) -> None:
        self.guesses: dict[str, int] = {}
        self.let_in: set[tuple[str, str]] = set()

    def request_code(self, phone: str) -> bool:
        try:
            return self.send(phone) == "SUCCESSFUL"
        except (ClientError, BotoCoreError):
            return False

    def check_code(self, phone: str, code: str) -> bool | None:
        if self.guesses.get(phone, 0) >= 6:
            return False
        self.guesses[phone] = self.guesses.get(phone, 0) + 1
        try:
            valid = self.verify(phone, code)
        except (ClientError, BotoCoreError):
            return None
        if valid:
            self.guesses[phone] = 0
        return valid

    def send(self, phone: str) -> str:
        return send_status(self.sender, DestinationIdentity=phone, ReferenceId=self.reference(phone))

    def verify(self, phone: str, code: str) -> bool:
        return verify(self.checker, code, DestinationIdentity=phone, ReferenceId=self.reference(phone))

    def reference(self, phone: str) -> str:
        return "log-in"


def machine_of(application: Callable[[], Any], **attributes: Any) -> type[OTPStateMachine]:
    """Return a machine that drives an application."""

    class Machine(OTPStateMachine):
        def begin(self) -> None:
            self.application = application()

        def request_code(self, phone: str) -> bool:
            return self.application.request_code(phone)

        def check_code(self, phone: str, code: str) -> bool | None:
            return self.application.check_code(phone, code)

    return type("Machine", (Machine,), attributes)
