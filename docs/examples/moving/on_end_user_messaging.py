"""Sign in with a code by text: the application after it has moved, on AWS End User Messaging."""

import re
from enum import StrEnum

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

ORIGINATION = "+15550100999"

# No retries: one whose answer was lost would send a second text, or refuse a code that was right.
codes = boto3.client("endusermessaging", region_name="eu-west-1", config=Config(retries={"total_max_attempts": 1}))


class Sending(StrEnum):
    """What became of a text, as the user needs to know it."""

    SENT = "We have sent you a code."
    TRY_LATER = "Please try again later."
    OTHER_NUMBER = "Please use another number."


def send_code(phone: str) -> Sending:
    """Text a code to a phone."""
    try:
        codes.send_notify_code_verification(
            channel="TEXT",
            originationIdentity=ORIGINATION,
            destinationIdentity=phone,
            referenceId=reference(phone),
            overrideChannelParameters={"text": {"inlineTemplateBody": "Your code for Example Shop is {{code}}."}},
            overrideCodeConfigurationParameters={"validityPeriodMinutes": 15},
        )
    except codes.exceptions.ConflictException:
        # The answer says nothing about a delivery, but a number that has opted out is a conflict.
        return Sending.OTHER_NUMBER
    except (BotoCoreError, ClientError):
        return Sending.TRY_LATER
    return Sending.SENT


def check_code(phone: str, code: str) -> bool:
    """Tell whether a code lets a user in."""
    try:
        answer = codes.validate_notify_code_verification(
            destinationIdentity=phone, code=re.sub(r"\s", "", code), referenceId=reference(phone)
        )
    except (codes.exceptions.ValidationException, ParamValidationError):
        # What cannot be a code is refused, not INVALID; one that is too short by boto3 itself.
        return False
    # Both statuses are strings, so both are true.
    return answer["status"] == "VALID"


def reference(phone: str) -> str:
    """Return what ties a validation to its send; a reference may not have the characters + and :."""
    return f"sign-in-{phone.removeprefix('+')}"
