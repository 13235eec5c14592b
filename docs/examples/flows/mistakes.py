"""The log-in with one mistake each: four that are made in real applications."""

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from log_in import LogIn


class SaysSentWithoutLooking(LogIn):
    """Believes that a text is on its way if there is no exception. THROTTLED raises none."""

    def request_code(self, phone):
        """Text a code to a phone, and tell whether the call was answered."""
        try:
            self.send(phone)
        except (BotoCoreError, ClientError):
            return False
        return True


class TakesCodesForNumbers(LogIn):
    """Loses the zero that a code may start with."""

    def verify(self, phone, code):
        """Tell whether the service accepts a code, as a number is written."""
        return super().verify(phone, code.lstrip("0"))


class RepeatsVerifications(LogIn):
    """Lets boto3 retry a verification whose answer was lost, and believes the second answer."""

    checker = boto3.client("pinpoint", region_name="us-east-1")


class ForgetsGuesses(LogIn):
    """Lets anybody guess for ever who asks for a new code now and then."""

    def request_code(self, phone):
        """Text a code to a phone, and begin to count its guesses anew."""
        self.guesses.pop(phone, None)
        return super().request_code(phone)
