"""Processes: a fork while the fake is at work, and what forked and spawned children have of it."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from helpers import APPLICATION, DESTINATION, OTHER_DESTINATION, send, send_status, verify

from pytest_pinpoint_otp import PinpointOTP, active_pinpoint_otp, mock_pinpoint_otp

SESSION = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")
CLIENT = SESSION.client("pinpoint")
PATIENCE = 30
"""Seconds until a child counts as hanging."""

forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks on this system")
# Python 3.12 and newer warn of every fork beside threads, which is what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def in_forked_child(work: Callable[[], object]) -> object:
    """Fork, do the work in the child and return its result; fail where the child hangs."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def answer() -> None:
        try:
            sender.send(work())
        except BaseException as error:
            sender.send(repr(error))

    child = context.Process(target=answer)
    child.start()
    try:
        assert receiver.poll(PATIENCE), "the child hangs"
        return receiver.recv()
    finally:
        child.kill()
        child.join()


@forking
def test_a_forked_child_has_the_fake_as_it_was(pinpoint_otp: PinpointOTP) -> None:
    send(CLIENT)
    code = pinpoint_otp.code_for(DESTINATION)
    assert in_forked_child(lambda: active_pinpoint_otp().code_for(DESTINATION)) == code
    assert in_forked_child(lambda: verify(CLIENT, code)) is True


@forking
def test_a_forked_childs_records_stay_in_the_child(pinpoint_otp: PinpointOTP) -> None:
    def work() -> list[str]:
        send(CLIENT)
        return [message.destination for message in pinpoint_otp.messages]

    send(CLIENT, DestinationIdentity=OTHER_DESTINATION)
    assert in_forked_child(work) == [OTHER_DESTINATION, DESTINATION]
    assert [message.destination for message in pinpoint_otp.messages] == [OTHER_DESTINATION]
    assert len(pinpoint_otp.calls) == 1


@forking
def test_a_code_that_a_forked_child_verified_is_still_good_in_the_parent(pinpoint_otp: PinpointOTP) -> None:
    send(CLIENT)
    assert in_forked_child(lambda: verify(CLIENT, pinpoint_otp.code_for())) is True
    assert verify(CLIENT, pinpoint_otp.code_for())


@forking
def test_a_fake_that_a_forked_child_leaves_stays_active_in_the_parent() -> None:
    mock = mock_pinpoint_otp()
    fake = mock.start()

    def work() -> str:
        mock.stop()
        try:
            active_pinpoint_otp()
        except RuntimeError:
            return "none is active"
        return "one is active"

    assert in_forked_child(work) == "none is active"
    assert active_pinpoint_otp() is fake
    assert send_status(CLIENT) == "SUCCESSFUL"
    mock.stop()


class Busy:
    """Keeps the fake at work in other threads, so that a fork is likely to find its lock held."""

    def __init__(self, fake: PinpointOTP) -> None:
        self._fake = fake
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(4)]

    def _work(self, number: int) -> None:
        while not self._over.is_set():
            self._fake.issue(f"+1555010020{number}", application_id=APPLICATION, reference_id="busy")

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


@forking
def test_a_fork_while_other_threads_are_inside_the_fake_does_not_hang(pinpoint_otp: PinpointOTP) -> None:
    with Busy(pinpoint_otp):
        for _ in range(20):
            assert in_forked_child(lambda: send_status(CLIENT)) == "SUCCESSFUL"
    assert send_status(CLIENT) == "SUCCESSFUL"


class Held:
    """A filter of an injection that is asked while the fake holds its lock, and keeps it there."""

    def __init__(self) -> None:
        self.inside = threading.Event()
        self.release = threading.Event()

    def __eq__(self, other: object) -> bool:
        self.inside.set()
        return self.release.wait(PATIENCE) and False

    __hash__ = object.__hash__


@forking
def test_a_fork_waits_for_the_thread_that_holds_the_lock(pinpoint_otp: PinpointOTP) -> None:
    held = Held()
    pinpoint_otp.inject("THROTTLED", destination=held, optional=True)
    sending = threading.Thread(target=send, args=(CLIENT,))
    sending.start()
    assert held.inside.wait(PATIENCE)
    # The fork comes to wait for the lock, and goes on once the thread has left it.
    threading.Timer(0.2, held.release.set).start()
    assert in_forked_child(lambda: len(pinpoint_otp.messages)) == 1
    sending.join()


@forking
def test_a_fork_inside_a_callable_of_the_test_does_not_hang(pinpoint_otp: PinpointOTP) -> None:
    seen: list[object] = []

    def fork(call: Any) -> None:
        seen.append(in_forked_child(lambda: send_status(CLIENT, ReferenceId="of the child")))

    pinpoint_otp.inject(fork, reference_id="sign-up", times=None)
    assert send_status(CLIENT) == "SUCCESSFUL"
    assert seen == ["SUCCESSFUL"]
    assert [message.reference_id for message in pinpoint_otp.messages] == ["sign-up"]


@forking
def test_threads_of_a_forked_child_may_use_the_fake(pinpoint_otp: PinpointOTP) -> None:
    def work() -> int:
        threads = [threading.Thread(target=send, args=(CLIENT,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        return len(pinpoint_otp.messages)

    assert in_forked_child(work) == 3


def spawned(sender: Any) -> None:
    """Tell what a spawned child finds; at module level, to be found by its name there."""
    try:
        active_pinpoint_otp()
    except RuntimeError as error:
        sender.send(str(error))
    else:
        sender.send("a fake is active")


def test_a_spawned_child_has_no_fake(pinpoint_otp: PinpointOTP, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=spawned, args=(sender,))
    child.start()
    try:
        assert receiver.poll(PATIENCE), "the child hangs"
        assert "No PinpointOTP is active" in receiver.recv()
    finally:
        child.join()


def test_a_spawned_childs_client_is_a_real_one(pinpoint_otp: PinpointOTP, tmp_path: Path) -> None:
    source = """if True:
        import boto3
        from helpers import send
        client = boto3.client("pinpoint", region_name="us-east-1")
        send(client)
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    result = subprocess.run(
        [sys.executable, "-c", source], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert result.returncode == 1
    assert NoCredentialsError.__name__ in result.stderr
    assert pinpoint_otp.calls == []
