"""Other SDKs reach the same fake, and make of each fault what docs/how-to/other-processes.md says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from active import served_fake
from helpers import DESTINATION
from sdks import SDKS, TIMEOUT, Failed, Sdk, send, verify

from pytest_pinpoint_otp import LostResponse, PinpointOTPServer, RawResponse, serve_pinpoint_otp

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "other-processes.md"

FAULTS: Final[dict[str, Any]] = {
    '`"OPT_OUT"`, as any delivery': "OPT_OUT",
    '`"TooManyRequestsException"`': "TooManyRequestsException",
    '`"InternalServerErrorException"`': "InternalServerErrorException",
    '`"ForbiddenException"`': "ForbiddenException",
    '`RawResponse(502, "<html>")`': RawResponse(502, "<html>"),
    '`RawResponse(200, "{")`': RawResponse(200, "{"),
    "`LostResponse()`": LostResponse(),
    '`"ReadTimeoutError"`': "ReadTimeoutError",
    '`"ReadTimeoutError"`, with `hold`': "ReadTimeoutError",
    "any other transport fault": "EndpointConnectionError",
}
STOPPED: Final = "`server.stop()`"


@pytest.fixture(scope="module", params=list(SDKS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def holding() -> Iterator[PinpointOTPServer]:
    with serve_pinpoint_otp(hold=TIMEOUT * 10) as server:
        yield server


@pytest.fixture(scope="module")
def sdk(name: str, server: PinpointOTPServer) -> Iterator[Sdk]:
    sdk = SDKS[name](server)
    yield sdk
    sdk.close()


def test_a_code_is_sent_and_verified(sdk: Sdk) -> None:
    with served_fake() as fake:
        assert send(sdk) == "SUCCESSFUL"
        assert not verify(sdk, fake.wrong_code(DESTINATION))
        assert verify(sdk, fake.code_for(DESTINATION))
        assert [call.outcome for call in fake.calls] == ["SUCCESSFUL", "INVALID", "VALID"]


def test_attempts_of_a_call_are_counted_as_one_call(sdk: Sdk) -> None:
    with served_fake() as fake:
        fake.inject("InternalServerErrorException", per="attempt")
        assert send(sdk) == "SUCCESSFUL"
        (call,) = fake.calls
        assert [attempt.outcome for attempt in call.attempts] == ["InternalServerErrorException", "SUCCESSFUL"]


def test_a_refusal_names_the_parameter(sdk: Sdk) -> None:
    with served_fake(), pytest.raises(Failed, match="BadRequestException"):
        send(sdk, BrandName="x" * 21)


@pytest.mark.parametrize("fault", [*FAULTS, STOPPED])
def test_a_fault_is_what_the_page_says(
    name: str, sdk: Sdk, server: PinpointOTPServer, holding: PinpointOTPServer, fault: str
) -> None:
    with served_fake() as fake:
        if fault == STOPPED:
            server.stop()
        else:
            fake.inject(FAULTS[fault])
        one = SDKS[name](holding) if "hold" in fault else sdk
        try:
            seen = f"answer: {send(one)}"
        except Failed as failed:
            seen = str(failed)
        finally:
            if fault == STOPPED:
                server.start()
            if one is not sdk:
                one.close()
        if len(fake.calls) == 1 and len(fake.calls[0].attempts) > 1:
            seen += ", retried"
    assert table()[fault][name] == seen


def table() -> dict[str, dict[str, str]]:
    """Return the page's table of faults: by fault, then by column."""
    lines = [
        line.strip("| \n").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"
    ]
    start = next(index for index, cells in enumerate(lines) if cells[0] == "the test arranges")
    columns = lines[start]
    rows: dict[str, dict[str, str]] = {}
    for cells in lines[start + 2 :]:
        if len(cells) != len(columns):
            break
        rows[cells[0]] = dict(zip(columns, cells, strict=True))
    return rows
