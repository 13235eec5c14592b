"""Waiting for a text that the application sends from a thread or a task: in threads, under asyncio and under trio."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import time_machine
from freezegun import freeze_time
from helpers import APPLICATION, DESTINATION, OTHER_DESTINATION, REFERENCE, send, send_status

from pytest_pinpoint_otp import PinpointOTP, SentMessage, mock_pinpoint_otp
from pytest_pinpoint_otp.fake import service_of

LONG = 30.0
"""Seconds that no test waits: it fails before."""
MOMENT = datetime(2026, 1, 2, 12, tzinfo=UTC)

AsyncFunction = Callable[[], Awaitable[Any]]
Wait = Callable[..., SentMessage]


class Awaited:
    """A destination that tells when it is compared, and how often."""

    def __init__(self, destination: str) -> None:
        self.destination = destination
        self.comparisons = 0
        self.compared = threading.Event()

    def __eq__(self, other: object) -> bool:
        self.comparisons += 1
        self.compared.set()
        return other == self.destination

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.destination)


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Callable[[AsyncFunction], Any]:
    """Run a coroutine function in an event loop: of asyncio, and of trio where it is installed."""
    if request.param == "trio":
        return pytest.importorskip("trio").run
    return lambda function: asyncio.run(function())


@pytest.fixture(params=["thread", "asyncio", "trio"])
def wait(request: pytest.FixtureRequest) -> Wait:
    """Wait by each of the two methods, in this thread or in an event loop's."""
    if request.param == "thread":
        return PinpointOTP.wait_for_message
    if request.param == "trio":
        trio = pytest.importorskip("trio")
        return lambda fake, *args, **kwargs: trio.run(partial(fake.async_wait_for_message, *args, **kwargs))
    return lambda fake, *args, **kwargs: asyncio.run(fake.async_wait_for_message(*args, **kwargs))


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    """Threads in which the application works."""
    with ThreadPoolExecutor() as pool:
        yield pool


async def together(*functions: AsyncFunction) -> list[Any]:
    """Run coroutine functions in tasks beside each other, and return what they return."""
    results: dict[int, Any] = {}

    async def keep(number: int, function: AsyncFunction) -> None:
        results[number] = await function()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        import trio

        async with trio.open_nursery() as nursery:
            for number, function in enumerate(functions):
                nursery.start_soon(keep, number, function)
    else:
        await asyncio.gather(*(keep(number, function) for number, function in enumerate(functions)))
    return [results[number] for number in range(len(functions))]


async def pause() -> None:
    """Let other tasks run."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        import trio

        await trio.lowlevel.checkpoint()
    else:
        await asyncio.sleep(0)


async def until(event: threading.Event) -> None:
    """Let other tasks run until something has happened."""
    while not event.is_set():
        await pause()


elapsed = partial(time.perf_counter)
"""Returns seconds of a clock that time-machine leaves alone, and freezegun finds only under its own name."""


# -- What is there already ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [0, LONG])
def test_the_newest_text_that_matches_already_is_returned_at_once(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, wait: Wait, timeout: float
) -> None:
    for destination in (DESTINATION, DESTINATION, OTHER_DESTINATION):
        send(pinpoint_otp_client, DestinationIdentity=destination)
    before = elapsed()
    assert wait(pinpoint_otp, DESTINATION, timeout=timeout) is pinpoint_otp.messages[1]
    assert wait(pinpoint_otp, timeout=timeout) is pinpoint_otp.messages[2]
    assert elapsed() - before < LONG


def test_fields_select_as_everywhere(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, wait: Wait) -> None:
    for reference_id in ("sign-up", "log-in", "sign-up"):
        send(pinpoint_otp_client, ReferenceId=reference_id)
    assert wait(pinpoint_otp, reference_id="log-in") is pinpoint_otp.messages[1]
    assert wait(pinpoint_otp, DESTINATION, reference_id="log-in", origination="+15550100999").reference_id == "log-in"


# -- What comes --------------------------------------------------------------------------------------------------------


def test_a_text_that_a_thread_sends_meanwhile_ends_the_wait(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, wait: Wait, elsewhere: ThreadPoolExecutor
) -> None:
    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
    awaited = Awaited(DESTINATION)

    def work() -> str:
        assert awaited.compared.wait(LONG)
        return send_status(pinpoint_otp_client)

    working = elsewhere.submit(work)
    message = wait(pinpoint_otp, awaited, timeout=LONG)
    assert working.result() == "SUCCESSFUL"
    assert message is pinpoint_otp.messages[1]
    assert message.destination == DESTINATION


def test_issue_ends_the_wait(pinpoint_otp: PinpointOTP, wait: Wait, elsewhere: ThreadPoolExecutor) -> None:
    def issue(destination: str) -> SentMessage:
        return pinpoint_otp.issue(destination, application_id=APPLICATION, reference_id=REFERENCE)

    def work() -> SentMessage:
        assert awaited.compared.wait(LONG)
        return issue(DESTINATION)

    issue(OTHER_DESTINATION)
    awaited = Awaited(DESTINATION)
    working = elsewhere.submit(work)
    assert wait(pinpoint_otp, awaited, timeout=LONG) is working.result()


def test_only_a_matching_text_ends_the_wait(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, wait: Wait, elsewhere: ThreadPoolExecutor
) -> None:
    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
    awaited = Awaited(DESTINATION)

    def work() -> None:
        assert awaited.compared.wait(LONG)
        send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION, ReferenceId="log-in")
        send(pinpoint_otp_client, ReferenceId="sign-up")
        with pinpoint_otp.inject("TEMPORARY_FAILURE"):
            send(pinpoint_otp_client, ReferenceId="log-in")
        send(pinpoint_otp_client, ReferenceId="log-in")

    working = elsewhere.submit(work)
    message = wait(pinpoint_otp, awaited, reference_id="log-in", timeout=LONG)
    working.result()
    assert message is pinpoint_otp.messages[-1]
    assert (message.destination, message.reference_id) == (DESTINATION, "log-in")


def test_all_who_wait_for_a_text_get_it(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, elsewhere: ThreadPoolExecutor
) -> None:
    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
    everybody = [Awaited(DESTINATION) for _ in range(4)]
    waiting = [elsewhere.submit(pinpoint_otp.wait_for_message, one, timeout=LONG) for one in everybody]
    for one in everybody:
        assert one.compared.wait(LONG)
    send(pinpoint_otp_client)
    assert [future.result() for future in waiting] == [pinpoint_otp.messages[1]] * 4


def test_a_text_to_a_fake_further_in_does_not_end_a_wait_on_the_outer_one(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, wait: Wait
) -> None:
    with mock_pinpoint_otp() as inner:
        send(pinpoint_otp_client)
        with pytest.raises(TimeoutError):
            wait(pinpoint_otp, DESTINATION, timeout=0)
        assert wait(inner, DESTINATION, timeout=0) is inner.messages[0]


# -- Tasks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("texts", "arguments"), [(1, {"timeout": LONG}), (2, {})])
def test_the_first_text_that_another_task_sends_meanwhile_ends_the_wait(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, run: Any, texts: int, arguments: dict[str, float]
) -> None:
    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
    awaited = Awaited(DESTINATION)

    async def work() -> None:
        await until(awaited.compared)
        # All in one step, before the waiting task can run.
        for _ in range(texts):
            send(pinpoint_otp_client)

    message, _ = run(partial(together, partial(pinpoint_otp.async_wait_for_message, awaited, **arguments), work))
    assert message is pinpoint_otp.messages[1]


def test_many_tasks_wait_each_for_its_own_text(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, run: Any) -> None:
    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
    everybody = [Awaited(f"+155501002{number:02}") for number in range(50)]

    async def work() -> None:
        for one in everybody:
            await until(one.compared)
        for one in reversed(everybody):
            send(pinpoint_otp_client, DestinationIdentity=one.destination)

    waits = [partial(pinpoint_otp.async_wait_for_message, one, timeout=LONG) for one in everybody]
    *messages, _ = run(partial(together, *waits, work))
    assert [message.destination for message in messages] == [one.destination for one in everybody]


def test_a_cancelled_task_listens_no_more(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, run: Any) -> None:
    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
    awaited = Awaited(DESTINATION)
    wait = partial(pinpoint_otp.async_wait_for_message, awaited, timeout=LONG)

    async def cancel_in_asyncio() -> None:
        task = asyncio.create_task(wait())
        await until(awaited.compared)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def cancel_in_trio() -> None:
        import trio

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await until(awaited.compared)
            nursery.cancel_scope.cancel()

    async def cancel() -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            await cancel_in_trio()
        else:
            await cancel_in_asyncio()
        comparisons = awaited.comparisons
        send(pinpoint_otp_client)
        assert awaited.comparisons == comparisons

    run(cancel)


def test_a_wait_that_has_ended_listens_no_more(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, wait: Wait) -> None:
    found, missed = Awaited(DESTINATION), Awaited(OTHER_DESTINATION)
    send(pinpoint_otp_client)
    wait(pinpoint_otp, found)
    with pytest.raises(TimeoutError):
        wait(pinpoint_otp, missed, timeout=0)
    comparisons = found.comparisons, missed.comparisons
    send(pinpoint_otp_client)
    assert (found.comparisons, missed.comparisons) == comparisons


def test_a_wait_of_a_task_leaves_no_thread_behind(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, run: Any
) -> None:
    before = set(threading.enumerate())
    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
    awaited = Awaited(DESTINATION)

    async def work() -> None:
        await until(awaited.compared)
        send(pinpoint_otp_client)

    run(partial(together, partial(pinpoint_otp.async_wait_for_message, awaited, timeout=3600), work))
    for thread in set(threading.enumerate()) - before:
        thread.join(LONG)
        assert not thread.is_alive()


def test_a_wait_of_a_task_keeps_no_process_alive(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, run: Any) -> None:
    before = set(threading.enumerate())
    awaited, started = Awaited(DESTINATION), []

    async def work() -> None:
        while not set(threading.enumerate()) - before:
            await pause()
        started.extend(set(threading.enumerate()) - before)
        send(pinpoint_otp_client)

    run(partial(together, partial(pinpoint_otp.async_wait_for_message, awaited, timeout=3600), work))
    assert started
    assert all(thread.daemon for thread in started)


def test_an_application_that_sends_does_not_learn_of_a_loop_that_was_closed_under_a_wait(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    loop = asyncio.new_event_loop()
    # It would log that the task never ends, which is what this is about.
    loop.set_exception_handler(lambda loop, context: None)
    waiting = pinpoint_otp.async_wait_for_message(DESTINATION, timeout=LONG)
    task = loop.create_task(waiting)
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()

    assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
    assert not task.done()
    waiting.close()


def test_a_waiting_task_lets_its_loop_run(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, run: Any) -> None:
    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
    awaited = Awaited(DESTINATION)
    turns: list[int] = []

    async def work() -> None:
        await until(awaited.compared)
        for turn in range(100):
            turns.append(turn)
            await pause()
        send(pinpoint_otp_client)

    run(partial(together, partial(pinpoint_otp.async_wait_for_message, awaited, timeout=LONG), work))
    assert len(turns) == 100


# -- Real time ---------------------------------------------------------------------------------------------------------


@pytest.fixture(
    params=[
        pytest.param(nullcontext, id="running"),
        # pytest measures the set-up across the freezing: its own clock has to run on.
        pytest.param(partial(freeze_time, MOMENT, ignore=["_pytest.timing"]), id="freezegun"),
        pytest.param(partial(time_machine.travel, MOMENT, tick=False), id="time-machine"),
    ]
)
def clock(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the process's clock run, or stop it."""
    with request.param():
        yield


@pytest.mark.usefixtures("clock")
def test_a_timeout_is_over_in_real_time_even_where_the_clock_stands_still(
    pinpoint_otp: PinpointOTP, wait: Wait
) -> None:
    before = elapsed()
    with pytest.raises(TimeoutError):
        wait(pinpoint_otp, DESTINATION, timeout=0.1)
    assert 0.1 <= elapsed() - before < LONG


@pytest.mark.usefixtures("clock")
def test_a_text_ends_the_wait_even_where_the_clock_stands_still(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, wait: Wait, elsewhere: ThreadPoolExecutor
) -> None:
    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
    awaited = Awaited(DESTINATION)

    def work() -> None:
        assert awaited.compared.wait(LONG)
        send(pinpoint_otp_client)

    working = elsewhere.submit(work)
    assert wait(pinpoint_otp, awaited, timeout=LONG) is pinpoint_otp.messages[1]
    working.result()


def test_advancing_the_services_clock_ends_no_wait(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, wait: Wait, elsewhere: ThreadPoolExecutor
) -> None:
    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
    awaited = Awaited(DESTINATION)

    def work() -> None:
        assert awaited.compared.wait(LONG)
        pinpoint_otp.advance(days=1)
        send(pinpoint_otp_client)

    working = elsewhere.submit(work)
    assert wait(pinpoint_otp, awaited, timeout=LONG) is pinpoint_otp.messages[1]
    working.result()


# -- The TimeoutError --------------------------------------------------------------------------------------------------


def test_the_error_says_that_nothing_was_sent(pinpoint_otp: PinpointOTP, wait: Wait) -> None:
    with pytest.raises(TimeoutError) as raised:
        wait(pinpoint_otp, timeout=0.01)
    assert str(raised.value).startswith(
        "No text arrived within 0.01 seconds.\nSent meanwhile: 0; before: 0.\nNo OTP call has reached this fake."
    )


def test_the_error_says_that_an_event_loop_cannot_work_while_its_thread_waits(
    pinpoint_otp: PinpointOTP, run: Callable[[AsyncFunction], Any]
) -> None:
    async def wait_in_the_way_of_threads() -> None:
        pinpoint_otp.wait_for_message(timeout=0.01)

    with pytest.raises(TimeoutError, match=r"within 0.01 seconds\.\n.*: await async_wait_for_message\(\) instead\.\n"):
        run(wait_in_the_way_of_threads)
    with pytest.raises(TimeoutError) as raised:
        pinpoint_otp.wait_for_message(timeout=0.01)
    assert "async_wait_for_message" not in str(raised.value)


def test_the_error_tells_what_was_sent_meanwhile_and_what_failed(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, elsewhere: ThreadPoolExecutor
) -> None:
    pinpoint_otp.queue_codes("111111", "222222")
    pinpoint_otp.inject("OPT_OUT", reference_id="log-in")
    awaited = Awaited(DESTINATION)

    def work() -> None:
        assert awaited.compared.wait(LONG)
        send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION, ReferenceId="recovery")
        send(pinpoint_otp_client, ReferenceId="log-in")

    with time_machine.travel(MOMENT, tick=False):
        send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
        working = elsewhere.submit(work)
        with pytest.raises(TimeoutError) as raised:
            pinpoint_otp.wait_for_message(awaited, timeout=2.0)
        working.result()
    assert str(raised.value).splitlines() == [
        f"No text to {awaited!r} arrived within 2.0 seconds.",
        "Sent meanwhile: 1; before: 1.",
        "Near misses:",
        "  12:00:00.000 text to +15550100456, reference recovery, code 222222 -- destination is '+15550100456'",
        "Calls that failed:",
        "  12:00:00.000 SendOTPMessage to +15550100123, reference log-in: OPT_OUT",
    ]


def test_the_error_tells_of_calls_that_botocore_stopped(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, wait: Wait
) -> None:
    with pytest.raises(Exception, match="Parameter validation failed"):
        send(pinpoint_otp_client, Language=None)
    with pytest.raises(TimeoutError, match=r"Never left botocore:\n  SendOTPMessage: .*Language"):
        wait(pinpoint_otp, DESTINATION, timeout=0)


# -- Bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"timeout": -1}, ValueError, "timeout is -1, but takes seconds from 0"),
        ({"timeout": -0.001}, ValueError, r"timeout is -0\.001, but takes seconds from 0"),
        ({"timeout": float("nan")}, ValueError, "timeout is nan"),
        ({"timeout": float("inf")}, ValueError, "timeout is inf, but takes seconds from 0 to "),
        ({"timeout": 10**12}, ValueError, "timeout is 1000000000000, but takes seconds from 0 to "),
        ({"timeout": None}, TypeError, "timeout takes seconds as int or float, not None"),
        ({"timeout": "5"}, TypeError, "timeout takes seconds as int or float, not '5'"),
        ({"timeout": True}, TypeError, "timeout takes seconds as int or float, not True"),
        ({"reference": "sign-up"}, TypeError, "has no field 'reference'.*'reference_id'"),
    ],
)
def test_a_bad_argument_is_refused_even_where_a_text_matches(
    pinpoint_otp: PinpointOTP,
    pinpoint_otp_client: Any,
    wait: Wait,
    arguments: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    send(pinpoint_otp_client)
    with pytest.raises(error, match=message):
        wait(pinpoint_otp, DESTINATION, **arguments)


def test_a_wait_may_be_as_long_as_threads_can_wait(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, wait: Wait
) -> None:
    send(pinpoint_otp_client)
    assert wait(pinpoint_otp, DESTINATION, timeout=threading.TIMEOUT_MAX) == pinpoint_otp.messages[0]


def test_a_matcher_that_raises_does_so_where_it_is_waited_and_leaves_the_application_alone(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, wait: Wait
) -> None:
    class Broken:
        compared = 0

        def __eq__(self, other: object) -> bool:
            self.compared += 1
            if self.compared > 1:
                # Told of the message that came, not of how the error would describe it.
                return False
            raise KeyError("a mistake of the test")

        __hash__ = None  # type: ignore[assignment]

    with ThreadPoolExecutor() as pool:
        sending = pool.submit(send_after_the_wait_began, pinpoint_otp, pinpoint_otp_client)
        with pytest.raises(KeyError, match="a mistake of the test"):
            wait(pinpoint_otp, timeout=LONG, language=Broken())
        assert sending.result() == "SUCCESSFUL"
    assert len(pinpoint_otp.calls) == len(pinpoint_otp.messages) == 1


def send_after_the_wait_began(fake: PinpointOTP, client: Any) -> str:
    while not service_of(fake).journal.listeners:
        time.sleep(0.001)
    return send_status(client)


def test_who_waits_over_a_reset_gets_what_comes_after_it(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any, wait: Wait
) -> None:
    def reset_and_send() -> str:
        while not service_of(pinpoint_otp).journal.listeners:
            time.sleep(0.001)
        pinpoint_otp.reset()
        return send_status(pinpoint_otp_client)

    with ThreadPoolExecutor() as pool:
        sending = pool.submit(reset_and_send)
        message = wait(pinpoint_otp, timeout=LONG)
        assert sending.result() == "SUCCESSFUL"
    assert [message] == pinpoint_otp.messages
    assert service_of(pinpoint_otp).journal.listeners == []
