"""aioboto3's clients, which are aiobotocore's: the same fake from the same fixture."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

aioboto3 = pytest.importorskip("aioboto3")
pytest.importorskip("anyio")

from botocore.exceptions import ClientError, ReadTimeoutError  # noqa: E402 - after what may skip
from helpers import DESTINATION, send_request, send_status, verify, verify_request  # noqa: E402

from pytest_pinpoint_otp import LostResponse, PinpointOTP, active_pinpoint_otp, mock_pinpoint_otp  # noqa: E402

SESSION = aioboto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")
"""Older than every fake, as an application's is."""

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The event loop that aioboto3 runs on."""
    return "asyncio"


@pytest.fixture
async def client() -> AsyncIterator[Any]:
    """A client of that session."""
    async with SESSION.client("pinpoint") as client:
        yield client


async def async_send(client: Any, **overrides: Any) -> dict[str, Any]:
    """Send an OTP and return its ``Result`` entry."""
    response = await client.send_otp_message(**send_request(**overrides))
    (result,) = response["MessageResponse"]["Result"].values()
    return result


async def async_verify(client: Any, code: str) -> bool:
    """Verify an OTP and return ``Valid``."""
    return (await client.verify_otp_message(**verify_request(code)))["VerificationResponse"]["Valid"]


async def test_a_client_sends_and_verifies(pinpoint_otp: PinpointOTP, client: Any) -> None:
    result = await async_send(client)
    message = pinpoint_otp.assert_sent(DESTINATION, times=1)
    assert (result["DeliveryStatus"], result["MessageId"]) == ("SUCCESSFUL", message.message_id)
    assert not await async_verify(client, pinpoint_otp.wrong_code())
    assert await async_verify(client, message.code)
    assert [call.outcome for call in pinpoint_otp.calls] == ["SUCCESSFUL", "INVALID", "VALID"]


async def test_a_client_of_a_session_without_credentials_needs_none(
    pinpoint_otp: PinpointOTP, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    async with aioboto3.Session(region_name="us-east-1").client("pinpoint") as client:
        await async_send(client)
    pinpoint_otp.assert_sent(DESTINATION)


async def test_a_client_shares_the_fake_with_one_of_boto3(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, client: Any
) -> None:
    await async_send(client)
    assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))
    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    assert await async_verify(client, pinpoint_otp.code_for(DESTINATION))


async def test_deliveries_errors_and_transport_faults_reach_the_application(
    pinpoint_otp: PinpointOTP, client: Any
) -> None:
    pinpoint_otp.inject("OPT_OUT", "TooManyRequestsException", ReadTimeoutError)
    assert (await async_send(client))["DeliveryStatus"] == "OPT_OUT"
    with pytest.raises(client.exceptions.TooManyRequestsException):
        await async_send(client)
    with pytest.raises(ReadTimeoutError):
        await async_send(client)
    with pytest.raises(ClientError, match="GetApps is not faked"):
        await client.get_apps()
    assert len(pinpoint_otp.calls) == 3


async def test_a_lost_answer_makes_a_second_text_and_only_the_second_code_works(
    pinpoint_otp: PinpointOTP, client: Any
) -> None:
    pinpoint_otp.inject(LostResponse(), per="attempt")
    await async_send(client)
    first, second = pinpoint_otp.messages
    assert not await async_verify(client, first.code)
    assert await async_verify(client, second.code)


@mock_pinpoint_otp()
async def test_a_decorated_coroutine_function_has_a_fake() -> None:
    async with SESSION.client("pinpoint") as client:
        await async_send(client)
    message = await active_pinpoint_otp().async_wait_for_message(DESTINATION, timeout=0)
    assert message is active_pinpoint_otp().messages[0]
