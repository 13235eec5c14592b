"""Calls of AWS End User Messaging as tests make them: valid as they are, each argument open to change by name."""

from __future__ import annotations

from typing import Any, Final

import boto3
import pytest
from helpers import DESTINATION, LEFT_OUT, ORIGINATION, REFERENCE

NEEDED: Final = pytest.mark.skipif(
    "endusermessaging" not in boto3.Session().get_available_services(), reason="this botocore has no endusermessaging"
)
"""For the tests that need the client."""

TEXT: Final = {"text": {"inlineTemplateBody": "Your code: {{code}}"}}


def make_client(region: str = "us-east-1", **given: Any) -> Any:
    """Return a client, as an application makes it."""
    return boto3.client("endusermessaging", region_name=region, **given)


def send_request(**overrides: Any) -> dict[str, Any]:
    """Return boto3's arguments of a valid send, for ``client.send_notify_code_verification(**...)``."""
    request = {
        "channel": "TEXT",
        "destinationIdentity": DESTINATION,
        "originationIdentity": ORIGINATION,
        "referenceId": REFERENCE,
        "overrideChannelParameters": TEXT,
    }
    return {name: value for name, value in (request | overrides).items() if value is not LEFT_OUT}


def send(client: Any, **overrides: Any) -> dict[str, Any]:
    """Send a code and return the answer."""
    return client.send_notify_code_verification(**send_request(**overrides))


def validate_request(code: object, **overrides: Any) -> dict[str, Any]:
    """Return boto3's arguments of a valid validation, for ``client.validate_notify_code_verification(**...)``."""
    request = {"destinationIdentity": DESTINATION, "referenceId": REFERENCE, "code": code}
    return {name: value for name, value in (request | overrides).items() if value is not LEFT_OUT}


def validate(client: Any, code: object, **overrides: Any) -> str:
    """Validate a code and return the status."""
    return client.validate_notify_code_verification(**validate_request(code, **overrides))["status"]


def create(client: Any, name: str = "Log-in", **given: Any) -> dict[str, Any]:
    """Create a configuration and return it."""
    return client.create_notify_code_configuration(notifyCodeConfigurationName=name, **given)["notifyCodeConfiguration"]
