"""The two calls as tests make them: valid as they are, each argument open to change by AWS's name."""

from __future__ import annotations

from typing import Any, Final

APPLICATION: Final = "a1b2c3d4"
DESTINATION: Final = "+15550100123"
OTHER_DESTINATION: Final = "+15550100456"
ORIGINATION: Final = "+15550100999"
REFERENCE: Final = "sign-up"
LEFT_OUT: Final = object()
"""As a value: the request does not have the parameter at all."""


def send_request(**overrides: Any) -> dict[str, Any]:
    """Return boto3's arguments of a valid send, for ``client.send_otp_message(**...)``."""
    request = {
        "ApplicationId": APPLICATION,
        "BrandName": "Example",
        "Channel": "SMS",
        "DestinationIdentity": DESTINATION,
        "OriginationIdentity": ORIGINATION,
        "ReferenceId": REFERENCE,
    }
    return _nested("SendOTPMessageRequestParameters", request | overrides)


def verify_request(code: object, **overrides: Any) -> dict[str, Any]:
    """Return boto3's arguments of a valid verification, for ``client.verify_otp_message(**...)``."""
    request = {
        "ApplicationId": APPLICATION,
        "DestinationIdentity": DESTINATION,
        "Otp": code,
        "ReferenceId": REFERENCE,
    }
    return _nested("VerifyOTPMessageRequestParameters", request | overrides)


def send(client: Any, **overrides: Any) -> dict[str, Any]:
    """Send an OTP and return the ``MessageResponse``."""
    return client.send_otp_message(**send_request(**overrides))["MessageResponse"]


def send_status(client: Any, **overrides: Any) -> str:
    """Send an OTP and return its ``DeliveryStatus``."""
    (result,) = send(client, **overrides)["Result"].values()
    return result["DeliveryStatus"]


def verify(client: Any, code: object, **overrides: Any) -> bool:
    """Verify an OTP and return ``Valid``."""
    return client.verify_otp_message(**verify_request(code, **overrides))["VerificationResponse"]["Valid"]


def _nested(member: str, arguments: dict[str, Any]) -> dict[str, Any]:
    arguments = {name: value for name, value in arguments.items() if value is not LEFT_OUT}
    parameters = {name: value for name, value in arguments.items() if name != "ApplicationId"}
    application = {name: value for name, value in arguments.items() if name == "ApplicationId"}
    return {**application, member: parameters}
