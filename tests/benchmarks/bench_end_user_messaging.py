"""What a send of AWS End User Messaging costs, beside botocore's own work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import botocore
from botocore.awsrequest import AWSResponse
from measuring import KEEPS_USER_AGENT, Measure, OneOf, Send, Turns

ANSWER = json.dumps({"verificationId": "ver-0123456789", "messageId": "sms-0123456789"}).encode()


def notify_client() -> Any:
    """Return a client as an application makes it."""
    session = boto3.Session(region_name="us-east-1", aws_access_key_id="benchmark", aws_secret_access_key="benchmark")
    return session.client("endusermessaging")


def sends_notify(client: Any) -> Send:
    """Return a function that makes the same send each time."""
    return lambda: client.send_notify_code_verification(
        channel="TEXT",
        destinationIdentity="+15550100123",
        originationIdentity="+15550100999",
        referenceId="sign-up",
        overrideChannelParameters={"text": {"inlineTemplateBody": "Your code is {{code}}."}},
    )


def constant_notify() -> Send:
    """Return a send, unsigned, by a client whose own before-send handler gives the same answer each time."""
    client = notify_client()

    def answer(request: Any, **kwargs: Any) -> AWSResponse:
        headers = {"content-type": "application/json", "x-amzn-RequestId": "7a8b3c0e-1111-4222-a333-444455556666"}
        return AWSResponse(request.url, 200, headers, _Raw())

    client.meta.events.register("before-send.endusermessaging.SendNotifyCodeVerification", answer)
    client.meta.events.register("choose-signer.endusermessaging", lambda **kwargs: botocore.UNSIGNED)
    return sends_notify(client)


class _Raw:
    """What urllib3's response is to botocore's AWSResponse."""

    def stream(self, **kwargs: Any) -> Iterator[bytes]:
        yield ANSWER


def test_a_send_beside_a_constant_answer(measure: Measure, turns: Turns) -> None:
    ratio = measure.beside(OneOf(lambda: sends_notify(notify_client())), OneOf(constant_notify), turns)
    what = "A send of End User Messaging, of an unsigned call that a constant handler answers"
    if KEEPS_USER_AGENT:
        measure.check(what, ratio, 1.25, goal=1.2)
    else:
        measure.check(what, ratio, 1.2)
