"""Two-factor login: text a code to a user whose password was right; the challenge waits in DynamoDB until it is met."""

import logging
import os
import secrets
import time
from enum import StrEnum

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

APPLICATION_ID = os.environ.get("PINPOINT_APPLICATION_ID", "two-factor")
BRAND = os.environ.get("OTP_BRAND", "Example Shop")
ORIGINATION = os.environ.get("OTP_ORIGINATION_IDENTITY", "+15550100999")
REGION = os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
MINUTES = 5

logger = logging.getLogger(__name__)
# No retries: one whose answer was lost would send a second text, or refuse a code that was right.
pinpoint = boto3.client("pinpoint", region_name=REGION, config=Config(retries={"total_max_attempts": 1}))
challenges = boto3.resource("dynamodb", region_name=REGION).Table(os.environ.get("CHALLENGE_TABLE", "challenges"))


class Login(StrEnum):
    """What became of a login, as the user needs to know it."""

    DONE = "You are logged in."
    WRONG_CODE = "This code is not right."
    BEGIN_AGAIN = "Please log in again."
    UNKNOWN = "We could not check your code. Please ask for a new one."


def begin(user: str, phone: str) -> str | None:
    """Text a code to a user's phone, and return the challenge that it meets; None where no text is on its way."""
    challenge = secrets.token_hex(16)
    challenges.put_item(
        Item={"id": challenge, "user": user, "phone": phone, "expires": int(time.time()) + MINUTES * 60},
        ConditionExpression="attribute_not_exists(id)",
    )
    if not _send(challenge, phone):
        challenges.delete_item(Key={"id": challenge})
        return None
    return challenge


def resend(challenge: str) -> bool:
    """Text a new code for a challenge; the earlier one is void then."""
    item = _look_up(challenge)
    return item is not None and _send(challenge, item["phone"])


def finish(challenge: str, code: str) -> Login:
    """Log the user in if this is the code of the challenge."""
    item = _look_up(challenge)
    if item is None:
        return Login.BEGIN_AGAIN
    try:
        response = pinpoint.verify_otp_message(
            ApplicationId=APPLICATION_ID,
            VerifyOTPMessageRequestParameters={
                "DestinationIdentity": item["phone"],
                "Otp": code,
                "ReferenceId": challenge,
            },
        )
    except (BotoCoreError, ClientError):
        logger.exception("The code was not checked, or the answer was lost.")
        return Login.UNKNOWN
    if not response["VerificationResponse"]["Valid"]:
        return Login.WRONG_CODE
    challenges.delete_item(Key={"id": challenge})
    return Login.DONE


def _look_up(challenge: str) -> dict | None:
    item = challenges.get_item(Key={"id": challenge}).get("Item")
    # DynamoDB deletes expired items some time later.
    return item if item and item["expires"] > time.time() else None


def _send(challenge: str, phone: str) -> bool:
    try:
        response = pinpoint.send_otp_message(
            ApplicationId=APPLICATION_ID,
            SendOTPMessageRequestParameters={
                "Channel": "SMS",
                "BrandName": BRAND,
                "ValidityPeriod": MINUTES,
                "AllowedAttempts": 3,
                "OriginationIdentity": ORIGINATION,
                "DestinationIdentity": phone,
                "ReferenceId": challenge,
            },
        )
    except (BotoCoreError, ClientError):
        logger.exception("The code was not sent.")
        return False
    # A failed delivery raises no exception: only its status shows it.
    status = response["MessageResponse"]["Result"][phone]["DeliveryStatus"]
    if status != "SUCCESSFUL":
        logger.warning("The code was not delivered: %s", status)
    return status == "SUCCESSFUL"
