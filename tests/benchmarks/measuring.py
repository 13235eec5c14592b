"""What the benchmarks measure with: two functions that take turns, and the sends that are compared.

The speed of a machine may change by a factor of two from one second to the next, so no time is compared with one from
another second: the two take turns in small blocks, and a ratio is always of two neighbours. Both are times of the
processor, in which other processes have no part.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import entry_points
from itertools import cycle
from typing import Any

import boto3
import botocore
import pytest
from botocore.awsrequest import AWSResponse
from packaging.version import Version
from pytest_benchmark.fixture import BenchmarkFixture

from pytest_pinpoint_otp import mock_pinpoint_otp

Action = Callable[[], object]
Send = Callable[..., Any]

KEEPS_USER_AGENT = Version(botocore.__version__) >= Version("1.44.6")
"""Whether botocore keeps most of its user agent, so that its own part of a call is a good deal less."""

BLOCKED = [
    "-pno:cacheprovider",
    *(f"-pno:{plugin.name}" for plugin in entry_points(group="pytest11") if plugin.name != "pinpoint_otp"),
]
"""What keeps other plugins out of a run of pytest: the smaller the rest, the larger the share of this one."""

rows = pytest.StashKey[list[tuple[str, str, str]]]()

_REQUEST_ID = "7a8b3c0e-1111-4222-a333-444455556666"
_PARAMETERS = {
    "BrandName": "Example",
    "Channel": "SMS",
    "DestinationIdentity": "+15550100123",
    "OriginationIdentity": "+15550100999",
    "ReferenceId": "sign-up",
}
_RESULT = {
    "DeliveryStatus": "SUCCESSFUL",
    "MessageId": _REQUEST_ID,
    "StatusCode": 200,
    "StatusMessage": f"MessageId: {_REQUEST_ID}",
}
_MESSAGE_RESPONSE = {"ApplicationId": "a1b2c3d4", "RequestId": _REQUEST_ID, "Result": {"+15550100123": _RESULT}}
ANSWER = json.dumps(_MESSAGE_RESPONSE).encode()
RESPONSE = {"MessageResponse": _MESSAGE_RESPONSE}
"""The same answer as boto3 returns it."""


class Turns:
    """A fake that is active in the turns of one side only."""

    def __init__(self) -> None:
        self._mock: mock_pinpoint_otp | None = None

    def enter(self) -> None:
        """Enter a fresh fake."""
        self._mock = mock_pinpoint_otp()
        self._mock.start()

    def leave(self) -> None:
        """Leave the fake, if it is entered."""
        if self._mock is not None:
            self._mock.stop()
            self._mock = None


class OneOf:
    """A send by one client of several, made alike: where one lies in memory makes a difference of some percent.

    Args:
        make: makes the send of another client.
        clients: how many there are.
        blocks: how many blocks of calls each of them makes in a row.
    """

    def __init__(self, make: Callable[[], Action], clients: int = 6, blocks: int = 50) -> None:
        made = [make() for _ in range(clients)]
        self._sends = cycle([send for send in made for _ in range(blocks)])
        self.begin_block()

    def begin_block(self) -> None:
        """Let the client whose turn it is make the next sends."""
        self._send = next(self._sends)

    def __call__(self) -> object:
        """Make the send."""
        return self._send()


class Measure:
    """Measures through pytest-benchmark, keeps the lines of the table, and fails the benchmark beyond its limit."""

    def __init__(self, benchmark: BenchmarkFixture, config: pytest.Config) -> None:
        self._benchmark = benchmark
        self._config = config

    def seconds(self, subject: Action, *, rounds: int = 50, clock: Callable[[], float] = time.process_time) -> float:
        """Return the median time of one function, in seconds of the processor, or of another clock."""
        times: list[float] = []

        def timed() -> None:
            start = clock()
            subject()
            times.append(clock() - start)

        self._benchmark.pedantic(timed, rounds=rounds)
        return statistics.median(times)

    def ratio(self, subject: Action, reference: Action, **options: Any) -> float:
        """Let two functions take turns, as `take_turns` does, and return the median ratio of neighbours."""
        return statistics.median(mine / other for mine, other in self.take_turns(subject, reference, **options))

    def beside(
        self, subject: OneOf, reference: OneOf, turns: Turns, *, calls: int = 10, warm_up: int = 5, rounds: int = 300
    ) -> float:
        """Return the ratio of sends through the fake to those that go elsewhere, of several clients each."""

        def before_subject() -> None:
            turns.enter()
            subject.begin_block()

        def before_reference() -> None:
            turns.leave()
            reference.begin_block()

        return self.ratio(
            subject,
            reference,
            before_subject=before_subject,
            before_reference=before_reference,
            calls=calls,
            warm_up=warm_up,
            rounds=rounds,
        )

    def take_turns(
        self,
        subject: Action,
        reference: Action,
        *,
        before_subject: Action = lambda: None,
        before_reference: Action = lambda: None,
        calls: int = 10,
        warm_up: int = 3,
        rounds: int = 150,
        clock: Callable[[], float] = time.process_time,
    ) -> list[tuple[float, float]]:
        """Call two functions in turns, and return the times of both, in seconds for each block.

        Args:
            subject: the one that pytest-benchmark shows.
            reference: the other.
            before_subject: called before each of the subject's blocks.
            before_reference: called before each of the reference's blocks.
            calls: how many calls a block has.
            warm_up: how many calls more it begins with, which are not timed.
            rounds: how many blocks each of the two has.
            clock: what tells the time.
        """
        reference_times: list[float] = []
        subject_times: list[float] = []

        def block(call: Action, times: list[float]) -> None:
            start = clock()
            for _ in range(calls):
                call()
            times.append(clock() - start)

        def arrange() -> None:
            before_reference()
            for _ in range(warm_up):
                reference()
            block(reference, reference_times)
            before_subject()
            for _ in range(warm_up):
                subject()

        self._benchmark.pedantic(block, (subject, subject_times), setup=arrange, rounds=rounds)
        return list(zip(subject_times, reference_times, strict=True))

    def show(self, what: str, measured: float, unit: str = "") -> None:
        """Add a line without a limit to the table."""
        self._config.stash[rows].append((what, "", f"{measured:.3g}{unit}"))

    def check(self, what: str, measured: float, limit: float, unit: str = "", *, goal: float | None = None) -> None:
        """Add a line to the table, and fail where it is beyond its limit.

        Args:
            what: what is measured.
            measured: the figure.
            limit: what it may be at most.
            unit: of both.
            goal: what it should come to, and does not yet; the table has it too.
        """
        shown = f"{measured:.3g}{unit}"
        self._benchmark.extra_info.update(measured=measured, limit=limit)
        at_most = f"{limit:g}{unit}" if goal is None else f"{limit:g}{unit} (goal: {goal:g})"
        self._config.stash[rows].append((what, at_most, shown))
        assert measured <= limit, f"{what}: {shown}, but at most {limit:g}{unit}."


def difference(pairs: Sequence[tuple[float, float]]) -> float:
    """Return what the first of each pair takes beyond the second, of times that took turns.

    For a small difference of large times: the median ratio of neighbours, at the speed of the fastest.
    """
    ratio = statistics.median(mine / other for mine, other in pairs)
    return (ratio - 1) * min(other for _, other in pairs)


def client(**options: Any) -> Any:
    """Return a client as an application makes it."""
    session = boto3.Session(region_name="us-east-1", aws_access_key_id="benchmark", aws_secret_access_key="benchmark")
    return session.client("pinpoint", **options)


def sends(client: Any) -> Send:
    """Return a function that makes the same send each time, save for the parameters that are given."""
    return lambda **changed: client.send_otp_message(**request(**changed))


def request(**changed: str) -> dict[str, Any]:
    """Return the arguments of a send, with the parameters that are given."""
    return {"ApplicationId": "a1b2c3d4", "SendOTPMessageRequestParameters": {**_PARAMETERS, **changed}}


def constant(*, signed: bool) -> Send:
    """Return a send by a client whose own before-send handler gives the same answer each time."""
    answered = client()
    answer_by_constant(answered, signed=signed)
    return sends(answered)


def answer_by_constant(client: Any, *, signed: bool) -> None:
    """Let a handler of a boto3 client's own give every send the same answer."""
    answer_always(client, AWSResponse, _Raw, signed=signed)


def answer_always(client: Any, response: type[AWSResponse], raw: type[Any], *, signed: bool) -> None:
    """Let a handler of the client's own give every send the same answer, of this class and with such a body."""

    def answer(request: Any, **kwargs: Any) -> AWSResponse:
        headers = {"content-type": "application/json", "x-amzn-RequestId": _REQUEST_ID}
        return response(request.url, 200, headers, raw())

    client.meta.events.register("before-send.pinpoint.SendOTPMessage", answer)
    if not signed:
        client.meta.events.register("choose-signer.pinpoint", lambda **kwargs: botocore.UNSIGNED)


class _Raw:
    """What urllib3's response is to botocore's AWSResponse."""

    def stream(self, **kwargs: Any) -> Iterator[bytes]:
        yield ANSWER
