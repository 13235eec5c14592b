"""Sign in with a code by text: the application before it moves, on Amazon Pinpoint."""

import re
from enum import StrEnum

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

APPLICATION_ID = "a1b2c3d4"
ORIGINATION = "+15550100999"

# No retries: one whose answer was lost would send a second text, or refuse a code that was right.
pinpoint = boto3.client("pinpoint", region_name="eu-west-1", config=Config(retries={"total_max_attempts": 1}))


class Sending(StrEnum):
    """What became of a text, as the user needs to know it."""

    SENT = "We have sent you a code."
    TRY_LATER = "Please try again later."
    OTHER_NUMBER = "Please use another number."


def send_code(phone: str) -> Sending:
    """Text a code to a phone."""
    try:
        response = pinpoint.send_otp_message(
            ApplicationId=APPLICATION_ID,
            SendOTPMessageRequestParameters={
                "Channel": "SMS",
                "BrandName": "Example Shop",
                "OriginationIdentity": ORIGINATION,
                "DestinationIdentity": phone,
                "ReferenceId": f"sign-in:{phone}",
                "ValidityPeriod": 15,
            },
        )
    except (BotoCoreError, ClientError):
        return Sending.TRY_LATER
    match response["MessageResponse"]["Result"][phone]["DeliveryStatus"]:
        case "SUCCESSFUL":
            return Sending.SENT
        case "OPT_OUT" | "PERMANENT_FAILURE":
            return Sending.OTHER_NUMBER
    return Sending.TRY_LATER


def check_code(phone: str, code: str) -> bool:
    """Tell whether a code lets a user in."""
    response = pinpoint.verify_otp_message(
        ApplicationId=APPLICATION_ID,
        VerifyOTPMessageRequestParameters={
            "DestinationIdentity": phone,
            "Otp": re.sub(r"\s", "", code),
            "ReferenceId": f"sign-in:{phone}",
        },
    )
    return response["VerificationResponse"]["Valid"]
