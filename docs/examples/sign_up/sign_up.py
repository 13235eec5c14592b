"""Sign up with a phone number: text a code to it, and let the user type the code in."""

import hashlib
import logging
import os
from enum import StrEnum

import boto3
from botocore.exceptions import ClientError

APPLICATION_ID = os.environ.get("PINPOINT_APPLICATION_ID", "sign-up")
BRAND = os.environ.get("OTP_BRAND", "Example Shop")
ORIGINATION = os.environ.get("OTP_ORIGINATION_IDENTITY", "+15550100999")

logger = logging.getLogger(__name__)
pinpoint = boto3.client("pinpoint", region_name=os.environ.get("AWS_DEFAULT_REGION", "us-east-1"))


class Sending(StrEnum):
    """What became of a code, as the user needs to know it."""

    SENT = "We have sent you a code."
    TRY_LATER = "Please try again in a few minutes."
    OTHER_NUMBER = "We cannot send a code to this number. Please use another one."


def send_code(phone: str) -> Sending:
    """Text a new code to a phone."""
    try:
        response = pinpoint.send_otp_message(
            ApplicationId=APPLICATION_ID,
            SendOTPMessageRequestParameters={
                "Channel": "SMS",
                "BrandName": BRAND,
                "CodeLength": 6,
                "ValidityPeriod": 10,
                "AllowedAttempts": 3,
                "OriginationIdentity": ORIGINATION,
                "DestinationIdentity": phone,
                "ReferenceId": reference_id(phone),
            },
        )
    except ClientError:
        logger.exception("The code was not sent.")
        return Sending.TRY_LATER
    # A failed delivery raises no exception: only its status shows it.
    status = response["MessageResponse"]["Result"][phone]["DeliveryStatus"]
    if status == "SUCCESSFUL":
        return Sending.SENT
    logger.warning("The code was not delivered: %s", status)
    if status in ("OPT_OUT", "PERMANENT_FAILURE"):
        return Sending.OTHER_NUMBER
    return Sending.TRY_LATER


def check_code(phone: str, code: str) -> bool:
    """Tell whether this is the code that was sent to the phone."""
    try:
        response = pinpoint.verify_otp_message(
            ApplicationId=APPLICATION_ID,
            VerifyOTPMessageRequestParameters={
                "DestinationIdentity": phone,
                "Otp": code,
                "ReferenceId": reference_id(phone),
            },
        )
    except ClientError:
        logger.exception("The code was not checked.")
        return False
    return response["VerificationResponse"]["Valid"]


def reference_id(phone: str) -> str:
    """Return what ties a code to its verification."""
    return hashlib.md5(f"{BRAND}{phone}".encode(), usedforsecurity=False).hexdigest()
