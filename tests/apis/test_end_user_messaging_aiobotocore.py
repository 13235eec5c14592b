"""The calls of AWS End User Messaging through aiobotocore."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from helpers import DESTINATION, LEFT_OUT
from notify import send_request, validate_request

from pytest_pinpoint_otp import LostResponse, PinpointOTP

session = pytest.importorskip("aiobotocore.session")
pytestmark = pytest.mark.skipif(
    "endusermessaging" not in session.get_session().get_available_services(),
    reason="the botocore of this aiobotocore has no endusermessaging",
)


def run(work: Any, **given: Any) -> None:
    """Run a coroutine function with a client."""

    async def main() -> None:
        async with session.get_session().create_client("endusermessaging", region_name="eu-west-1", **given) as client:
            await work(client)

    asyncio.run(main())


def test_a_code_is_sent_and_validated(pinpoint_otp: PinpointOTP) -> None:
    async def work(client: Any) -> None:
        answer = await client.send_notify_code_verification(**send_request())
        (message,) = pinpoint_otp.messages
        assert (answer["messageId"], answer["verificationId"]) == (message.message_id, message.verification_id)
        wrong = await client.validate_notify_code_verification(**validate_request(pinpoint_otp.wrong_code()))
        right = await client.validate_notify_code_verification(**validate_request(message.code))
        assert (wrong["status"], right["status"]) == ("INVALID", "VALID")

    run(work)


def test_a_configuration_is_kept(pinpoint_otp: PinpointOTP) -> None:
    async def work(client: Any) -> None:
        answer = await client.create_notify_code_configuration(
            notifyCodeConfigurationName="Log-in", codeConfigurationParameters={"codeType": "ALPHA"}
        )
        made = answer["notifyCodeConfiguration"]
        assert made["notifyCodeConfigurationArn"].split(":")[3] == "eu-west-1"
        request = send_request(
            notifyCodeConfiguration=made["notifyCodeConfigurationId"], overrideChannelParameters=LEFT_OUT
        )
        await client.send_notify_code_verification(**request)
        assert pinpoint_otp.code_for(DESTINATION).isalpha()
        tags = await client.list_tags_for_resource(resourceArn=made["notifyCodeConfigurationArn"])
        assert tags["tags"] == []
        pages = client.get_paginator("list_notify_code_configurations").paginate()
        assert [one async for page in pages for one in page["notifyCodeConfigurations"]] == [made]

    run(work)


def test_errors_and_lost_answers_come_as_from_aws(pinpoint_otp: PinpointOTP) -> None:
    async def work(client: Any) -> None:
        pinpoint_otp.inject("ConflictException", LostResponse(), operation="SendNotifyCodeVerification", per="attempt")
        with pytest.raises(client.exceptions.ConflictException) as raised:
            await client.send_notify_code_verification(**send_request())
        assert raised.value.response["resourceId"] == DESTINATION
        await client.send_notify_code_verification(**send_request())
        with pytest.raises(client.exceptions.ValidationException) as refused:
            await client.send_notify_code_verification(**send_request(channel="PIGEON"))
        assert refused.value.response["fieldList"][0]["path"] == "/channel"

    run(work)
    assert len(pinpoint_otp.messages) == 2
