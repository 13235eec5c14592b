"""The middle of a change: other threads wait for its end, and what is interrupted there is done again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.endpoint import Endpoint
from botocore.exceptions import ParamValidationError
from botocore.session import Session
from botocore.stub import Stubber
from helpers import APPLICATION, send, send_request
from sink import SESSION, InThread

import pytest_pinpoint_otp.transports.active as active
import pytest_pinpoint_otp.transports.botocore.interception as interception
import pytest_pinpoint_otp.transports.botocore.wrapping as wrapping
from pytest_pinpoint_otp import PinpointOTP, mock_pinpoint_otp
from pytest_pinpoint_otp.engine.lock import lock
from pytest_pinpoint_otp.transports.botocore.patches import hold


class WatchedLock:
    """Takes the place of the lock in some modules, and tells when a thread comes to it there."""

    def __init__(self) -> None:
        self._moved = threading.Event()

    def __enter__(self) -> None:
        self._moved.set()
        lock.acquire()

    def __exit__(self, *args: object) -> None:
        lock.release()

    def meet(self, function: Callable[[], Any]) -> InThread:
        """Run a function in a thread of its own, and wait until that comes to the lock or to its end."""
        self._moved.clear()

        def run() -> Any:
            try:
                return function()
            finally:
                self._moved.set()

        thread = InThread(run)
        assert self._moved.wait(30)
        return thread


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> WatchedLock:
    """The lock, as the modules find it that change botocore, the stack of fakes or a journal before an attempt."""
    watched = WatchedLock()
    for module in (active, interception, wrapping):
        monkeypatch.setattr(module, "lock", watched)
    return watched


def is_wrapped(method: str = "_send", owner: type = Endpoint) -> bool:
    return hasattr(vars(owner)[method], "__wrapped__")


@contextmanager
def during_the_next_search(function: Callable[[], None]) -> Iterator[None]:
    """Call a function in the middle of the next search for classes."""
    due = [function]

    class Watching(type):
        """Its classes are looked at whenever classes are gone through."""

        @property
        def __module__(cls) -> str:  # type: ignore[override]
            if due:
                due.pop()()
            return __name__

    class Watch(metaclass=Watching):
        pass

    yield
    assert not due, Watch


def test_a_thread_that_enters_a_fake_wraps_nothing_while_another_has_the_lock(watched: WatchedLock) -> None:
    mock = mock_pinpoint_otp()
    with lock:
        entering = watched.meet(mock.start)
        wrapped = [is_wrapped()]
    entering.join()
    wrapped.append(is_wrapped())
    mock.stop()
    assert wrapped == [False, True]


def test_a_thread_that_lets_go_unwraps_nothing_while_another_has_the_lock(watched: WatchedLock) -> None:
    release = hold()
    with lock:
        releasing = watched.meet(release)
        wrapped = [is_wrapped()]
    releasing.join()
    assert [*wrapped, is_wrapped()] == [True, False]


def test_a_thread_waits_while_another_wraps_what_a_session_tells_of(watched: WatchedLock) -> None:
    class OwnSession(Session):
        pass

    def make_session() -> bool:
        OwnSession()
        return is_wrapped("__call__", BotocoreStubber)

    others: list[InThread] = []
    with mock_pinpoint_otp(), during_the_next_search(lambda: others.append(watched.meet(make_session))):

        class BotocoreStubber:
            __module__ = "moto.core.botocore_stubber"

            def __call__(self) -> None:
                pass

        OwnSession()
        assert others[0].join().result is True
    assert not is_wrapped("__call__", BotocoreStubber)


def told_of(fake: PinpointOTP) -> str:
    """Return what is told where a call is missing."""
    with pytest.raises(AssertionError) as caught:
        fake.assert_called()
    return str(caught.value)


def test_a_call_that_a_stubber_answers_is_noted_while_no_other_thread_has_the_lock(watched: WatchedLock) -> None:
    client = SESSION.client("pinpoint")
    with mock_pinpoint_otp() as fake, Stubber(client) as stubber:
        stubber.add_response("send_otp_message", {"MessageResponse": {"ApplicationId": APPLICATION}}, send_request())
        with lock:
            sending = watched.meet(lambda: send(client))
            assert "Calls that botocore prepared" not in told_of(fake)
        assert sending.join().error is None
        assert "Calls that botocore prepared, but that reached no fake: 1." in told_of(fake)


def test_a_call_that_botocore_stops_is_noted_while_no_other_thread_has_the_lock(watched: WatchedLock) -> None:
    client = SESSION.client("pinpoint")
    with mock_pinpoint_otp() as fake:
        with lock:
            sending = watched.meet(client.send_otp_message)
            assert "Never left botocore" not in told_of(fake)
        assert type(sending.join().error) is ParamValidationError
        assert "Never left botocore" in told_of(fake)


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_fake_that_was_interrupted_while_it_was_entered_keeps_nothing_wrapped() -> None:
    class OwnSession(Session):
        """Its being there starts a search."""

    with during_the_next_search(interrupt), pytest.raises(KeyboardInterrupt):
        mock_pinpoint_otp().start()
    with mock_pinpoint_otp():
        assert is_wrapped(), OwnSession
    assert not is_wrapped()


def test_a_search_that_was_interrupted_is_repeated_for_the_next_fake() -> None:
    class BotocoreStubber:
        __module__ = "moto.core.botocore_stubber"

        def __call__(self) -> None:
            pass

    class OwnSession(Session):
        """Its being there starts a search."""

    with during_the_next_search(interrupt), pytest.raises(KeyboardInterrupt):
        mock_pinpoint_otp().start()
    with mock_pinpoint_otp():
        assert is_wrapped("__call__", BotocoreStubber), OwnSession
    assert not is_wrapped("__call__", BotocoreStubber)
