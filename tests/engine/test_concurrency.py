"""Many threads and tasks on one fake: nothing counts twice, nothing is lost, nothing hangs.

The threads of a race give way to each other at every line of the package, so that what can go wrong does: without the
lock of the fakes each of these races is lost.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import boto3
import pytest
from botocore.endpoint import Endpoint
from botocore.exceptions import ReadTimeoutError
from helpers import APPLICATION, DESTINATION, OTHER_DESTINATION, REFERENCE, send, send_status, verify

import pytest_pinpoint_otp
from pytest_pinpoint_otp import Call, LostResponse, PinpointOTP, active_pinpoint_otp, mock_pinpoint_otp

PACKAGE = str(Path(pytest_pinpoint_otp.__file__).parent)
THREADS = 32
LONG = 60.0
"""Seconds after which something hangs."""

Result = TypeVar("Result")


@pytest.fixture(autouse=True)
def give_way() -> Iterator[None]:
    """Let every new thread give way to the others at each line of the package."""

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        time.sleep(0)
        return trace

    tracer = threading.gettrace()
    threading.settrace(trace)
    yield
    threading.settrace(tracer)  # type: ignore[arg-type]  # None: no tracer


def race(work: Callable[[int], Result], threads: int = THREADS) -> list[Result]:
    """Let threads do their work, by their numbers, from the same moment on."""
    start = threading.Barrier(threads)

    def run(number: int) -> Result:
        start.wait(LONG)
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        return [future.result(LONG) for future in [pool.submit(run, number) for number in range(threads)]]


def issue(fake: PinpointOTP, **parameters: Any) -> str:
    """Arrange a live code."""
    return fake.issue(DESTINATION, application_id=APPLICATION, reference_id=REFERENCE, **parameters).code


# -- One code ----------------------------------------------------------------------------------------------------------


def test_exactly_as_many_wrong_verifications_count_as_are_allowed(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    code = issue(pinpoint_otp, allowed_attempts=5)
    wrong = pinpoint_otp.wrong_code()
    assert race(lambda number: verify(pinpoint_otp_client, wrong)) == [False] * THREADS
    reasons = [verification.reason for verification in pinpoint_otp.verifications]
    assert reasons == ["WRONG_CODE"] * 5 + ["ATTEMPTS_EXHAUSTED"] * (THREADS - 5)
    lefts = [verification.attempts_left for verification in pinpoint_otp.verifications]
    assert lefts == [4, 3, 2, 1, 0] + [0] * (THREADS - 5)
    assert not verify(pinpoint_otp_client, code)


def test_a_right_code_that_is_raced_for_is_accepted_exactly_once(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    code = issue(pinpoint_otp)
    accepted = race(lambda number: verify(pinpoint_otp_client, code))
    assert accepted.count(True) == 1
    reasons = Counter(verification.reason for verification in pinpoint_otp.verifications)
    assert reasons == {"VALID": 1, "ALREADY_VERIFIED": THREADS - 1}


def test_right_and_wrong_codes_that_race_are_judged_one_after_the_other(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    right = issue(pinpoint_otp, allowed_attempts=5)
    wrong = pinpoint_otp.wrong_code()
    race(lambda number: verify(pinpoint_otp_client, right if number % 8 == 7 else wrong))
    left, verified = 5, False
    for verification in pinpoint_otp.verifications:
        if verified:
            expected = "ALREADY_VERIFIED"
        elif not left:
            expected = "ATTEMPTS_EXHAUSTED"
        elif verification.otp == right:
            expected, verified = "VALID", True
        else:
            expected, left = "WRONG_CODE", left - 1
        assert (verification.reason, verification.attempts_left) == (expected, left)
    assert len(pinpoint_otp.verifications) == THREADS


def test_resends_that_race_issue_a_code_each_and_the_last_one_works(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    race(lambda number: send(pinpoint_otp_client, CodeLength=5))
    codes = [message.code for message in pinpoint_otp.messages]
    assert len(set(codes)) == len(codes) == THREADS
    assert not verify(pinpoint_otp_client, codes[0])
    assert verify(pinpoint_otp_client, codes[-1])
    assert [verification.reason for verification in pinpoint_otp.verifications] == ["SUPERSEDED", "VALID"]


# -- What is used up ---------------------------------------------------------------------------------------------------


def test_an_injection_is_used_exactly_as_often_as_it_says(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    injection = pinpoint_otp.inject("THROTTLED", times=50)
    results = race(lambda number: [send_status(pinpoint_otp_client) for _ in range(2)])
    assert Counter(status for of_thread in results for status in of_thread) == {
        "THROTTLED": 50,
        "SUCCESSFUL": 2 * THREADS - 50,
    }
    assert (injection.used, injection.remaining) == (50, 0)
    assert Counter(call.outcome for call in pinpoint_otp.calls) == {"THROTTLED": 50, "SUCCESSFUL": 2 * THREADS - 50}
    assert len(pinpoint_otp.messages) == 2 * THREADS - 50


def test_a_sequence_is_given_in_turn_whoever_calls(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.inject("THROTTLED", "OPT_OUT", "DUPLICATE", times=10)
    statuses = race(lambda number: send_status(pinpoint_otp_client))
    assert Counter(statuses) == {"THROTTLED": 10, "OPT_OUT": 10, "DUPLICATE": 10, "SUCCESSFUL": THREADS - 30}


def test_exactly_as_many_calls_pass_as_an_injection_lets(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.inject("THROTTLED", times=None, after=7)
    statuses = race(lambda number: send_status(pinpoint_otp_client))
    assert Counter(statuses) == {"SUCCESSFUL": 7, "THROTTLED": THREADS - 7}


def test_an_injection_per_attempt_is_used_exactly_as_often_as_it_says(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    injection = pinpoint_otp.inject(ReadTimeoutError, per="attempt", times=50)

    def work(number: int) -> None:
        with suppress(ReadTimeoutError):
            send(pinpoint_otp_client)

    race(work)
    outcomes = Counter(attempt.outcome for call in pinpoint_otp.calls for attempt in call.attempts)
    assert outcomes["ReadTimeoutError"] == injection.used == 50
    assert outcomes["SUCCESSFUL"] == len(pinpoint_otp.messages)


def test_a_sequence_keeps_its_turns_where_a_callable_declines_while_another_call_is_answered(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def decline_once(call: Call) -> str | None:
        if call.reference_id != "first":
            return "DUPLICATE"
        inside.set()
        assert go_on.wait(LONG)
        return None

    injection = pinpoint_otp.inject(decline_once, "OPT_OUT")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send_status, pinpoint_otp_client, ReferenceId="first")
        assert inside.wait(LONG)
        assert send_status(pinpoint_otp_client, ReferenceId="second") == "OPT_OUT"
        go_on.set()
        assert first.result() == "SUCCESSFUL"
    assert (injection.used, injection.remaining) == (1, 1)
    assert send_status(pinpoint_otp_client, ReferenceId="third") == "DUPLICATE"


def test_a_call_goes_past_an_injection_whose_last_place_a_callable_has_not_decided_on(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def pick(call: Call) -> str | None:
        if call.reference_id == "picked":
            return "DUPLICATE"
        inside.set()
        assert go_on.wait(LONG)
        return None

    injection = pinpoint_otp.inject(pick)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send_status, pinpoint_otp_client)
        assert inside.wait(LONG)
        assert send_status(pinpoint_otp_client, ReferenceId="picked") == "SUCCESSFUL"
        go_on.set()
        assert first.result(LONG) == "SUCCESSFUL"
    assert (injection.used, injection.remaining) == (0, 1)
    assert send_status(pinpoint_otp_client, ReferenceId="picked") == "DUPLICATE"


def test_a_callable_that_declines_uses_nothing_up(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    def choose(call: Call) -> str | None:
        return "THROTTLED" if call.destination == DESTINATION else None

    def work(number: int) -> str:
        return send_status(pinpoint_otp_client, DestinationIdentity=(DESTINATION, OTHER_DESTINATION)[number % 2])

    injection = pinpoint_otp.inject(choose, times=None)
    assert race(work) == ["THROTTLED", "SUCCESSFUL"] * (THREADS // 2)
    assert injection.used == THREADS // 2


def test_a_quota_lets_exactly_as_many_through_as_it_says(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.limit_rate(5, per=timedelta(hours=1), by="application")
    statuses = race(lambda number: send_status(pinpoint_otp_client, ReferenceId=f"reference-{number}"))
    assert Counter(statuses) == {"SUCCESSFUL": 5, "THROTTLED": THREADS - 5}


def test_every_queued_code_is_used_exactly_once(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    codes = [f"{number:06}" for number in range(THREADS)]
    pinpoint_otp.queue_codes(*codes)
    race(lambda number: send(pinpoint_otp_client, ReferenceId=f"reference-{number}"))
    assert [message.code for message in pinpoint_otp.messages] == codes


# -- Records -----------------------------------------------------------------------------------------------------------


def test_ids_never_repeat_and_records_are_complete(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    def work(number: int) -> tuple[str, str]:
        reference_id = f"reference-{number}"
        answer = send(pinpoint_otp_client, ReferenceId=reference_id)
        message = pinpoint_otp.assert_sent(DESTINATION, times=1, reference_id=reference_id)
        assert verify(pinpoint_otp_client, message.code, ReferenceId=reference_id)
        return answer["RequestId"], answer["Result"][DESTINATION]["MessageId"]

    answers = race(work)
    messages, calls, verifications = pinpoint_otp.messages, pinpoint_otp.calls, pinpoint_otp.verifications
    assert sorted((message.request_id, message.message_id) for message in messages) == sorted(answers)
    assert len({message.message_id for message in messages}) == len(messages) == THREADS
    assert len(calls) == 2 * THREADS
    assert len({call.invocation_id for call in calls}) == 2 * THREADS
    assert len({call.request_id for call in calls}) == 2 * THREADS
    assert all(len(call.attempts) == 1 for call in calls)
    assert Counter(call.outcome for call in calls) == {"SUCCESSFUL": THREADS, "VALID": THREADS}
    assert len(verifications) == len({verification.reference_id for verification in verifications}) == THREADS


def test_attempts_of_calls_that_race_stay_with_their_calls(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    pinpoint_otp.inject(LostResponse(), times=None)

    def work(number: int) -> None:
        with pytest.raises(ReadTimeoutError):
            send(pinpoint_otp_client, ReferenceId=f"reference-{number}")

    race(work, 8)
    assert len(pinpoint_otp.calls) == 8
    for call in pinpoint_otp.calls:
        sent = [message.request_id for message in pinpoint_otp.inbox(reference_id=call.reference_id)]
        assert [attempt.request_id for attempt in call.attempts] == sent
        assert [attempt.number for attempt in call.attempts] == [*range(1, len(sent) + 1)]


def test_records_can_be_read_while_they_are_written(pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any) -> None:
    def work(number: int) -> None:
        if number % 2:
            send(pinpoint_otp_client, ReferenceId=f"reference-{number}")
            return
        for _ in range(5):
            assert len(pinpoint_otp.calls) >= len(pinpoint_otp.messages) - THREADS
            pinpoint_otp.inbox(DESTINATION)
            pinpoint_otp.assert_not_sent(OTHER_DESTINATION)
            pinpoint_otp.assert_not_called("VerifyOTPMessage")

    race(work)
    pinpoint_otp.assert_sent(times=THREADS // 2)


def test_many_threads_make_the_first_call_of_one_client(pinpoint_otp: PinpointOTP) -> None:
    client = boto3.client("pinpoint", region_name="us-east-1")
    race(lambda number: send(client, ReferenceId=f"reference-{number}"))
    pinpoint_otp.assert_called(times=THREADS)
    pinpoint_otp.assert_sent(times=THREADS)


def test_a_call_that_comes_while_the_first_one_registers_the_handlers_is_answered(
    pinpoint_otp: PinpointOTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    emitter_class = type(boto3.client("pinpoint", region_name="us-east-1").meta.events)
    original, meanwhile = emitter_class.register, []

    def register(emitter: Any, event_name: str, *args: Any, **kwargs: Any) -> None:
        # In the same thread, which has the lock: another one would wait for it before the handlers, not after.
        if event_name == "choose-signer.pinpoint" and not meanwhile:
            meanwhile.append(None)
            meanwhile.append(send(client))
        original(emitter, event_name, *args, **kwargs)

    client = boto3.client("pinpoint", region_name="us-east-1")
    monkeypatch.setattr(emitter_class, "register", register)
    send(client)
    pinpoint_otp.assert_sent(times=2)


# -- Callables ---------------------------------------------------------------------------------------------------------


class Compared:
    """A destination that tells the first time that it is compared."""

    def __init__(self) -> None:
        self.once = threading.Event()

    def __eq__(self, other: object) -> bool:
        self.once.set()
        return other == DESTINATION

    __hash__ = None  # type: ignore[assignment]


def test_a_text_that_comes_while_a_wait_begins_is_not_missed(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)
    for _ in range(20):
        destination = Compared()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(pinpoint_otp.wait_for_message, destination, timeout=1)
            assert destination.once.wait(LONG)
            send(pinpoint_otp_client)
            assert waiting.result(LONG).destination == DESTINATION
        pinpoint_otp.reset()
        send(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION)


def test_callables_of_calls_under_way_can_meet_at_a_barrier(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    meeting = threading.Barrier(THREADS)

    def meet(call: Call) -> str:
        meeting.wait(LONG)
        return "THROTTLED"

    pinpoint_otp.inject(meet, times=THREADS)
    assert race(lambda number: send_status(pinpoint_otp_client)) == ["THROTTLED"] * THREADS


def test_other_calls_and_the_fake_go_on_while_a_callable_blocks(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    entered, left = threading.Barrier(2), threading.Barrier(2)

    def block(call: Call) -> str:
        entered.wait(LONG)
        left.wait(LONG)
        return "TEMPORARY_FAILURE"

    pinpoint_otp.inject(block, destination=DESTINATION)
    with ThreadPoolExecutor(1) as pool:
        blocked = pool.submit(send_status, pinpoint_otp_client)
        entered.wait(LONG)
        assert send_status(pinpoint_otp_client, DestinationIdentity=OTHER_DESTINATION) == "SUCCESSFUL"
        code = pinpoint_otp.wait_for_message(OTHER_DESTINATION, timeout=0).code
        assert verify(pinpoint_otp_client, code, DestinationIdentity=OTHER_DESTINATION)
        # The blocked call is there, without an attempt as yet.
        assert [len(call.attempts) for call in pinpoint_otp.calls] == [0, 1, 1]
        with mock_pinpoint_otp() as inner:
            assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
            inner.assert_sent(DESTINATION, times=1)
        assert not blocked.done()
        left.wait(LONG)
        assert blocked.result(LONG) == "TEMPORARY_FAILURE"
    pinpoint_otp.assert_not_sent(DESTINATION)


def test_a_callable_may_use_the_fake_and_make_calls_of_its_own(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: Any
) -> None:
    def ask(call: Call) -> str:
        number = f"+1555010{pinpoint_otp.assert_called(invocation_id=call.invocation_id).reference_id}"
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(send_status, pinpoint_otp_client, DestinationIdentity=number).result(LONG)

    pinpoint_otp.inject(ask, destination=DESTINATION, times=8)
    statuses = race(lambda number: send_status(pinpoint_otp_client, ReferenceId=f"{number:04}"), 8)
    assert statuses == ["SUCCESSFUL"] * 8
    pinpoint_otp.assert_sent(times=16)


# -- Fakes of their own ------------------------------------------------------------------------------------------------


def test_threads_that_each_enter_a_fake_leave_nothing_behind(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp() as outer:

        def work(number: int) -> None:
            with mock_pinpoint_otp():
                # The fakes are process-wide: the innermost answers, whoever has entered it.
                assert send_status(pinpoint_otp_client) == "SUCCESSFUL"

        race(work)
        assert active_pinpoint_otp() is outer


def test_nothing_of_botocore_stays_wrapped_after_the_last_of_many_threads() -> None:
    before = Endpoint.make_request

    def work(number: int) -> None:
        for _ in range(2):
            with mock_pinpoint_otp():
                pass

    race(work)
    assert Endpoint.make_request is before
    with pytest.raises(RuntimeError, match="No PinpointOTP is active"):
        active_pinpoint_otp()


def test_of_overlapping_tasks_the_one_that_entered_last_answers_until_it_leaves(pinpoint_otp_client: Any) -> None:
    async def main() -> None:
        turns = [asyncio.Event() for _ in range(4)]

        async def first() -> PinpointOTP:
            with mock_pinpoint_otp() as fake:
                assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
                turns[0].set()
                await turns[1].wait()
                send(pinpoint_otp_client, ReferenceId="of-the-first-task")
            turns[2].set()
            await turns[3].wait()
            return fake

        async def second() -> PinpointOTP:
            await turns[0].wait()
            with mock_pinpoint_otp() as fake:
                turns[1].set()
                await turns[2].wait()
                # The first task's fake is gone, and this one still answers.
                assert active_pinpoint_otp() is fake
                send(pinpoint_otp_client, ReferenceId="of-the-second-task")
            turns[3].set()
            return fake

        one, other = await asyncio.gather(first(), second())
        assert [message.reference_id for message in one.messages] == [REFERENCE]
        assert [message.reference_id for message in other.messages] == ["of-the-first-task", "of-the-second-task"]

    asyncio.run(main())


def test_decorated_coroutine_functions_may_overlap(pinpoint_otp_client: Any) -> None:
    before = Endpoint.make_request
    fakes: list[PinpointOTP] = []

    @mock_pinpoint_otp()
    async def work(turns: int) -> None:
        fakes.append(active_pinpoint_otp())
        for _ in range(turns):
            await asyncio.sleep(0)
            assert send_status(pinpoint_otp_client) == "SUCCESSFUL"

    async def main() -> None:
        await asyncio.gather(*(work(turns) for turns in (3, 1, 5, 2, 4)))

    asyncio.run(main())
    assert len({id(fake) for fake in fakes}) == 5
    assert sum(len(fake.messages) for fake in fakes) == 15
    assert Endpoint.make_request is before
