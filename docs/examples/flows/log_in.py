"""Log in with a phone number: text a code to it, let the user type the code in, and stop those who guess."""

import logging
from datetime import UTC, datetime, timedelta

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

APPLICATION_ID = "log-in"
GUESSES = 6
WINDOW = timedelta(hours=1)

logger = logging.getLogger(__name__)
sender = boto3.client("pinpoint", region_name="us-east-1")
# A code works once, so a verification must not be repeated: it would refuse what the lost one has accepted.
checker = boto3.client("pinpoint", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}))


def utc_now() -> datetime:
    """Return the time of day."""
    return datetime.now(UTC)


class LogIn:
    """The log-in of all users. It remembers how often each has guessed.

    Args:
        now: the clock.
    """

    checker = checker

    def __init__(self, now=utc_now):
        self.now = now
        self.guesses = {}

    def request_code(self, phone: str) -> bool:
        """Text a code to a phone, and tell whether it is on its way."""
        try:
            status = self.send(phone)
        except (BotoCoreError, ClientError):
            logger.exception("The code was not sent.")
            return False
        return status == "SUCCESSFUL"

    def check_code(self, phone: str, code: str) -> bool | None:
        """Tell whether a user may come in with a code; None: nobody knows, so ask for a new one."""
        if self.is_locked(phone):
            return False
        # Counted before the call, which may fail after it was judged.
        self.guesses[phone].append(self.now())
        try:
            valid = self.verify(phone, code)
        except (BotoCoreError, ClientError):
            logger.exception("The code was not checked.")
            return None
        if valid:
            del self.guesses[phone]
        return valid

    def is_locked(self, phone: str) -> bool:
        """Tell whether there were too many guesses for a phone, and forget those of long ago."""
        since = self.now() - WINDOW
        self.guesses[phone] = [at for at in self.guesses.get(phone, []) if at > since]
        return len(self.guesses[phone]) >= GUESSES

    def send(self, phone: str) -> str:
        """Send a code, and return the delivery status."""
        response = sender.send_otp_message(
            ApplicationId=APPLICATION_ID,
            SendOTPMessageRequestParameters={
                "Channel": "SMS",
                "BrandName": "Example Shop",
                "OriginationIdentity": "+15550100999",
                "DestinationIdentity": phone,
                "ReferenceId": f"log-in-{phone}",
            },
        )
        return response["MessageResponse"]["Result"][phone]["DeliveryStatus"]

    def verify(self, phone: str, code: str) -> bool:
        """Tell whether the service accepts a code."""
        response = self.checker.verify_otp_message(
            ApplicationId=APPLICATION_ID,
            VerifyOTPMessageRequestParameters={
                "DestinationIdentity": phone,
                "Otp": code,
                "ReferenceId": f"log-in-{phone}",
            },
        )
        return response["VerificationResponse"]["Valid"]
