"""No attempt of a faked call leaves the process: neither with a fake active, nor after the fake that it began in."""

from __future__ import annotations

import contextlib
import copy
import gc
import io
import json
import os
import sys
import threading
import types
import unittest.mock
import weakref
from collections.abc import Callable, Iterator
from http.client import HTTPMessage
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.endpoint import Endpoint
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.session import Session
from helpers import APPLICATION, DESTINATION, send, send_request, send_status, verify
from sink import SESSION, Gate, InThread, Sink, open_sink, run_program

import pytest_pinpoint_otp.transports.botocore.wrapping as wrapping
from pytest_pinpoint_otp import LostResponse, PinpointOTP, UnfakedCallError, mock_pinpoint_otp
from pytest_pinpoint_otp.transports.botocore.guard import let_through, turn_on
from pytest_pinpoint_otp.transports.botocore.patches import hold

MODES = ("legacy", "standard", "adaptive")
METHODS = ("make_request", "_send_request", "create_request", "_send")
"""What each call passes in botocore's endpoint, and others may wrap. A call that is answered never reaches the last."""


TWO_LINES = ("_send_request", "create_request")
"""Those that a fake wraps to meet a call before it is signed."""


@pytest.fixture
def sink() -> Iterator[Sink]:
    """What stands for AWS."""
    with open_sink() as sink:
        yield sink


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """The retry mode."""
    return request.param


def connect(sink: Sink, mode: str = "standard", service: str = "pinpoint") -> Any:
    """Return a client that would reach the sink, with keys that look real."""
    config = Config(retries={"mode": mode})
    return SESSION.client(service, endpoint_url=sink.url, config=config)


@pytest.fixture
def client(sink: Sink, mode: str) -> Any:
    """A client in one of the modes, older than every fake."""
    return connect(sink, mode)


@pytest.fixture
def requests_without_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests as older versions of botocore make them, which do not know of which call they are."""
    prepare = Endpoint.prepare_request

    def as_older_versions(endpoint: Any, request: Any) -> Any:
        prepared = prepare(endpoint, request)
        prepared.context = None
        return prepared

    monkeypatch.setattr(Endpoint, "prepare_request", as_older_versions)


def losing_an_answer(gate: Gate) -> Callable[[object], LostResponse]:
    """Return a callable for `inject`, which loses an answer as soon as the gate is open."""

    def lose(call: object) -> LostResponse:
        gate.pass_through()
        return LostResponse()

    return lose


# -- An attempt that outlives its fake ---------------------------------------------------------------------------------


def test_an_attempt_after_the_last_fake_has_left_raises_instead_of_leaving(sink: Sink, client: Any) -> None:
    gate, mock = Gate(), mock_pinpoint_otp()
    mock.start().inject(losing_an_answer(gate), per="attempt")
    sending = InThread(lambda: send(client))
    gate.wait_until_reached()
    mock.stop()
    gate.open()
    assert type(sending.join().error) is UnfakedCallError
    assert f"SendOTPMessage to '{DESTINATION}' began while a fake was active" in str(sending.error)
    assert sink.arrived == []


def test_an_attempt_that_outlives_its_fake_reaches_the_one_that_is_active_now(sink: Sink, client: Any) -> None:
    gate, mock = Gate(), mock_pinpoint_otp()
    first = mock.start()
    first.inject(losing_an_answer(gate), per="attempt")
    sending = InThread(lambda: send_status(client))
    gate.wait_until_reached()
    mock.stop()
    with mock_pinpoint_otp() as second:
        gate.open()
        assert sending.join().result == "SUCCESSFUL"
        assert len(second.messages) == 1
    assert len(first.messages) == 1
    assert sink.arrived == []


def test_an_attempt_that_outlives_an_inner_fake_reaches_the_outer(sink: Sink, client: Any) -> None:
    with mock_pinpoint_otp() as outer:
        gate, mock = Gate(), mock_pinpoint_otp()
        mock.start().inject(losing_an_answer(gate), per="attempt")
        sending = InThread(lambda: send_status(client))
        gate.wait_until_reached()
        mock.stop()
        gate.open()
        assert sending.join().result == "SUCCESSFUL"
        assert len(outer.messages) == 1
    assert sink.arrived == []


def test_an_attempt_after_a_real_wait_does_not_leave_either(
    sink: Sink, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, mock = Gate(), mock_pinpoint_otp(retry_backoff=True)
    mock.start().inject("InternalServerErrorException", per="attempt")
    sending_threads: list[threading.Thread] = []

    def sleep(seconds: float) -> None:
        if threading.current_thread() in sending_threads:
            gate.pass_through()

    def run() -> None:
        sending_threads.append(threading.current_thread())
        send(client)

    monkeypatch.setattr("time.sleep", sleep)
    sending = InThread(run)
    gate.wait_until_reached()
    mock.stop()
    gate.open()
    assert type(sending.join().error) is UnfakedCallError
    assert sink.arrived == []


def test_no_retry_waits_after_its_fake_has_left(sink: Sink, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    gate, mock = Gate(), mock_pinpoint_otp()
    mock.start().inject(losing_an_answer(gate), per="attempt")
    sending = InThread(lambda: send(client))
    gate.wait_until_reached()
    mock.stop()
    monkeypatch.setattr("time.sleep", waits.append)
    gate.open()
    sending.join()
    assert not any(waits)


def test_a_fake_that_leaves_during_an_attempt_takes_nothing_with_it(sink: Sink, client: Any) -> None:
    mock = mock_pinpoint_otp()
    fake = mock.start()
    client.meta.events.register_first("before-send.pinpoint.SendOTPMessage", lambda **kwargs: mock.stop())
    with pytest.raises(UnfakedCallError):
        send(client)
    assert fake.calls == []
    assert sink.arrived == []


def test_when_the_last_such_call_has_ended_all_is_as_it_was(sink: Sink) -> None:
    client, methods = connect(sink), {name: vars(Endpoint)[name] for name in METHODS}
    gate, mock = Gate(), mock_pinpoint_otp()
    mock.start().inject(losing_an_answer(gate), per="attempt")
    sending = InThread(lambda: send(client))
    gate.wait_until_reached()
    mock.stop()
    assert vars(Endpoint)["create_request"] is not methods["create_request"]
    assert sink.arrived == []
    gate.open()
    sending.join()
    assert {name: vars(Endpoint)[name] for name in METHODS} == methods
    send_and_ignore(client)
    assert len(sink.signed) == 1


def send_and_ignore(client: Any) -> None:
    """Send, whatever comes of it: the sink answers nothing that can be read as a message."""
    client.send_otp_message(**send_request())


def test_a_real_call_passes_while_another_call_outlives_its_fake(sink: Sink) -> None:
    gate, mock = Gate(), mock_pinpoint_otp()
    mock.start().inject(losing_an_answer(gate), per="attempt")
    outliving, other = connect(sink), connect(sink)
    sending = InThread(lambda: send(outliving))
    gate.wait_until_reached()
    mock.stop()
    send_and_ignore(other)
    send_and_ignore(outliving)
    assert len(sink.signed) == 2
    gate.open()
    assert type(sending.join().error) is UnfakedCallError
    assert len(sink.arrived) == 2


def test_many_calls_that_outlive_their_fakes_never_leave(sink: Sink, mode: str) -> None:
    client, sendings = connect(sink, mode), list[InThread]()
    for number in range(100):
        with mock_pinpoint_otp() as fake:
            fake.inject(LostResponse(), per="attempt", optional=True)
            reference = f"test-{number}"
            sendings.append(InThread(lambda reference=reference: send(client, ReferenceId=reference)))
            # Its own: of a call that has not begun in a fake nobody says that it must not leave.
            fake.wait_for_message(reference_id=reference)
    errors = {type(sending.join().error) for sending in sendings}
    # The last of them: its attempts were for three fakes in turn.
    assert errors <= {type(None), UnfakedCallError, ReadTimeoutError}
    assert sink.arrived == []


# -- A call that began before the fake ---------------------------------------------------------------------------------


def test_a_later_attempt_of_a_call_that_began_before_the_fake_reaches_it(
    sink: Sink, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    gate = Gate()
    sink.answer = lambda: gate.pass_through() or 500
    sending = InThread(lambda: send_status(client))
    gate.wait_until_reached()
    with mock_pinpoint_otp() as fake:
        gate.open()
        assert sending.join().result == "SUCCESSFUL"
        assert len(fake.calls) == 1
    assert len(sink.arrived) == 1


def test_such_an_attempt_does_not_leave_when_the_fake_leaves_during_it(
    sink: Sink, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    gate, mock, entered = Gate(), mock_pinpoint_otp(), []
    sink.answer = lambda: gate.pass_through() or 500

    def leave(**kwargs: Any) -> None:
        if entered:
            mock.stop()

    client.meta.events.register_first("before-send.pinpoint.SendOTPMessage", leave)
    sending = InThread(lambda: send(client))
    gate.wait_until_reached()
    entered.append(mock.start())
    gate.open()
    assert type(sending.join().error) is UnfakedCallError
    assert len(sink.arrived) == 1
    entered.clear()
    sink.answer = lambda: 200
    send_and_ignore(client)
    assert len(sink.signed) == 2, "what is left of it does nothing"


def test_a_fake_that_is_entered_during_an_attempt_answers_it(sink: Sink, client: Any) -> None:
    mock, release = mock_pinpoint_otp(), hold()

    def enter(**kwargs: Any) -> None:
        mock.start()

    client.meta.events.register_first("before-send.pinpoint.SendOTPMessage", enter)
    try:
        assert send_status(client) == "SUCCESSFUL"
    finally:
        mock.stop()
        release()
    assert sink.arrived == []


# -- Whoever patches botocore ------------------------------------------------------------------------------------------


def passing_on(original: Any) -> Any:
    """Return a function that does what another one does."""

    def method(*args: Any) -> Any:
        return original(*args)

    return method


@pytest.mark.parametrize("name", METHODS)
def test_a_patch_that_began_before_the_fake_and_ends_inside_lets_nothing_leave(
    sink: Sink, client: Any, name: str
) -> None:
    patch = unittest.mock.patch.object(Endpoint, name, passing_on(getattr(Endpoint, name)))
    patch.start()
    with mock_pinpoint_otp() as fake:
        patch.stop()
        assert send_status(client) == "SUCCESSFUL"
        assert verify(connect(sink), fake.code_for())
    assert sink.arrived == []


@pytest.mark.parametrize("name", METHODS)
def test_a_call_outlives_its_fake_after_a_patch_has_ended_and_does_not_leave(
    sink: Sink, client: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No fake is there any more to keep botocore from waiting before a retry.
    monkeypatch.setattr("botocore.endpoint.time", types.SimpleNamespace(sleep=lambda seconds: None))
    patch = unittest.mock.patch.object(Endpoint, name, passing_on(getattr(Endpoint, name)))
    patch.start()
    gate, mock = Gate(), mock_pinpoint_otp()
    mock.start().inject(losing_an_answer(gate), per="attempt")
    patch.stop()
    sending = InThread(lambda: send(client))
    gate.wait_until_reached()
    mock.stop()
    gate.open()
    assert type(sending.join().error) is UnfakedCallError
    assert sink.arrived == []


@pytest.mark.parametrize("name", METHODS)
def test_the_next_fake_wraps_again_what_a_patch_has_put_back(sink: Sink, name: str) -> None:
    original = vars(Endpoint)[name]
    patch = unittest.mock.patch.object(Endpoint, name, passing_on(getattr(Endpoint, name)))
    patch.start()
    with mock_pinpoint_otp():
        patch.stop()
        with mock_pinpoint_otp() as fake:
            assert (vars(Endpoint)[name] is original) is (name == "make_request")
            assert send_status(connect(sink)) == "SUCCESSFUL"
            assert len(fake.calls) == 1
    assert vars(Endpoint)[name] is original
    assert sink.arrived == []


@pytest.mark.parametrize("name", METHODS)
def test_a_patch_around_an_inner_fake_leaves_nothing_of_either(sink: Sink, name: str) -> None:
    original = vars(Endpoint)[name]
    with mock_pinpoint_otp():
        patch = unittest.mock.patch.object(Endpoint, name, passing_on(getattr(Endpoint, name)))
        patch.start()
        with mock_pinpoint_otp():
            assert send_status(connect(sink)) == "SUCCESSFUL"
        patch.stop()
        assert send_status(connect(sink)) == "SUCCESSFUL"
    assert vars(Endpoint)[name] is original
    assert sink.arrived == []


@pytest.mark.parametrize("name", TWO_LINES)
def test_an_object_that_takes_no_instance_is_called_as_it_was(sink: Sink, name: str) -> None:
    original = getattr(Endpoint, name)
    client = connect(sink)
    replacement = unittest.mock.MagicMock(side_effect=lambda *args: original(client._endpoint, *args))
    with unittest.mock.patch.object(Endpoint, name, replacement), mock_pinpoint_otp():
        assert send_status(client) == "SUCCESSFUL"
    replacement.assert_called_once()
    assert sink.arrived == []


@pytest.mark.parametrize("name", TWO_LINES)
def test_a_call_that_meets_one_line_alone_is_not_signed(sink: Sink, name: str) -> None:
    client, signed = connect(sink), []
    client.meta.events.register_first(
        "before-send.pinpoint", lambda request, **_: signed.append("Authorization" in request.headers)
    )
    with ending_inside(name) as patches, mock_pinpoint_otp():
        patches.close()
        assert send_status(client) == "SUCCESSFUL"
    assert signed == [False]
    assert sink.arrived == []


def test_a_wrapper_of_the_fakes_own_methods_is_not_wrapped_again(sink: Sink) -> None:
    original = vars(Endpoint)["create_request"]
    try:
        with mock_pinpoint_otp():
            ours = vars(Endpoint)["create_request"]

            class Wrapper:
                """Hands on the attributes of what it wraps, as wrapt's do."""

                def __get__(self, instance: Any, owner: type) -> Any:
                    return ours.__get__(instance, owner)

                def __getattr__(self, name: str) -> Any:
                    return getattr(ours, name)

            wrapper = Endpoint.create_request = Wrapper()
        for _ in range(2):
            with mock_pinpoint_otp():
                assert vars(Endpoint)["create_request"] is wrapper
                assert send_status(connect(sink)) == "SUCCESSFUL"
        assert vars(Endpoint)["create_request"] is wrapper
    finally:
        Endpoint.create_request = original
    assert sink.arrived == []


def test_what_a_wrapper_has_kept_of_a_fake_does_nothing_to_real_calls(sink: Sink) -> None:
    client, original = connect(sink), vars(Endpoint)["create_request"]
    try:
        with mock_pinpoint_otp():
            Endpoint.create_request = passing_on(vars(Endpoint)["create_request"])
        send_and_ignore(client)
        with mock_pinpoint_otp():
            send(client)
        send_and_ignore(client)
    finally:
        Endpoint.create_request = original
    assert len(sink.signed) == len(sink.arrived) == 2


def test_a_descriptor_is_bound_as_it_was(sink: Sink) -> None:
    original = vars(Endpoint)["create_request"]
    bound: list[Any] = []

    class Wrapper:
        """Binds by itself and takes no instance, as wrapt's wrappers do."""

        def __get__(self, instance: Any, owner: type) -> Any:
            bound.append((instance, owner))
            return original.__get__(instance, owner)

    client = connect(sink)
    with unittest.mock.patch.object(Endpoint, "create_request", Wrapper()), mock_pinpoint_otp():
        bound.clear()
        assert send_status(client) == "SUCCESSFUL"
    assert bound == [(client._endpoint, Endpoint)]
    assert sink.arrived == []


def test_what_is_imported_after_the_last_fake_is_left_alone(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    class BotocoreStubber:
        def __call__(self) -> None:
            pass

    class Module(types.ModuleType):
        pass

    monkeypatch.delitem(sys.modules, "moto.core.botocore_stubber", raising=False)
    before, leftover = vars(BotocoreStubber)["__call__"], vars(Session)["__init__"]
    with mock_pinpoint_otp():
        wrapped = vars(Session)["__init__"]
    module = Module("moto.core.botocore_stubber")
    module.BotocoreStubber = BotocoreStubber
    monkeypatch.setitem(sys.modules, "moto.core.botocore_stubber", module)
    monkeypatch.setattr(Session, "__init__", wrapped)
    Session()
    assert vars(BotocoreStubber)["__call__"] is before
    monkeypatch.setattr(Session, "__init__", leftover)
    with mock_pinpoint_otp():
        assert vars(BotocoreStubber)["__call__"] is not before
    assert vars(BotocoreStubber)["__call__"] is before


def test_what_is_imported_only_in_part_is_wrapped_when_it_is_complete(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    class BotocoreStubber:
        def __call__(self) -> None:
            pass

    module = types.ModuleType("moto.core.botocore_stubber")
    monkeypatch.setitem(sys.modules, "moto.core.botocore_stubber", module)
    before = vars(BotocoreStubber)["__call__"]
    with mock_pinpoint_otp():
        module.BotocoreStubber = BotocoreStubber
        send(connect(sink))
        assert vars(BotocoreStubber)["__call__"] is not before
    assert vars(BotocoreStubber)["__call__"] is before


def test_an_application_that_is_imported_while_modules_are_patched_reaches_the_fake(sink: Sink) -> None:
    program = """
        import sys, unittest.mock

        # The first import of boto3: it is not among the modules afterwards, and the fake imports another botocore.
        with unittest.mock.patch.dict(sys.modules, {"optional": unittest.mock.Mock()}):
            import boto3
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        client = boto3.client("pinpoint", region_name="us-east-1", endpoint_url=sys.argv[1], **keys)

        from pytest_pinpoint_otp import mock_pinpoint_otp
        with mock_pinpoint_otp() as fake:
            assert type(client._endpoint) is not sys.modules["botocore.endpoint"].Endpoint
            fake.inject("InternalServerErrorException", per="attempt")
            client.send_otp_message(**REQUEST)
            print([len(call.attempts) for call in fake.calls])
    """
    assert run_program(program, sink.url) == ("[2]\n", "")
    assert sink.arrived == []


def test_an_application_that_is_imported_while_modules_are_patched_between_two_fakes_reaches_the_second(
    sink: Sink,
) -> None:
    program = """
        import sys, unittest.mock
        import boto3
        from pytest_pinpoint_otp import mock_pinpoint_otp

        with mock_pinpoint_otp():
            boto3.Session()
        with unittest.mock.patch.dict(sys.modules):
            for name in [name for name in sys.modules if name.partition(".")[0] in ("boto3", "botocore")]:
                del sys.modules[name]
            import boto3
            keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
            client = boto3.client("pinpoint", region_name="us-east-1", endpoint_url=sys.argv[1], **keys)
        with mock_pinpoint_otp() as fake:
            client.send_otp_message(**REQUEST)
            print(len(fake.messages))
    """
    assert run_program(program, sink.url) == ("1\n", "")
    assert sink.arrived == []


@pytest.mark.parametrize("autospec", ["", "autospec"])
def test_the_first_fake_may_find_a_mock_in_the_place_of_a_class(autospec: str) -> None:
    program = """
        import sys, unittest.mock
        import boto3
        from pytest_pinpoint_otp import mock_pinpoint_otp

        client = boto3.client("pinpoint", region_name="us-east-1")
        patch = unittest.mock.patch("botocore.session.Session", autospec=bool(sys.argv[1]) or None)
        with patch, mock_pinpoint_otp() as fake:
            client.send_otp_message(**REQUEST)
            print(len(fake.messages))
    """
    assert run_program(program, autospec) == ("1\n", "")


def test_the_next_fake_wraps_what_has_been_reloaded_since(sink: Sink) -> None:
    program = """
        import importlib, os, sys
        import boto3, botocore.session
        from pytest_pinpoint_otp import mock_pinpoint_otp

        os.environ |= {"AWS_EC2_METADATA_SERVICE_ENDPOINT": sys.argv[1], "AWS_EC2_METADATA_DISABLED": "false"}
        os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        for _ in range(2):
            with mock_pinpoint_otp() as fake:
                boto3.Session().client("pinpoint", region_name="us-east-1").send_otp_message(**REQUEST)
                print(len(fake.messages))
            importlib.reload(botocore.session)
    """
    assert run_program(program, sink.url) == ("1\n1\n", "")
    assert sink.arrived == []


def test_nothing_is_unwrapped_while_more_is_looked_for() -> None:
    wrapped: list[bool] = []

    class Watching(type):
        """Its classes are looked at whenever classes are gone through."""

        @property
        def __module__(cls) -> str:  # type: ignore[override]
            wrapped.append(hasattr(vars(Endpoint)["_send"], "__wrapped__"))
            return __name__

    class Watch(metaclass=Watching):
        pass

    class OwnSession(Session):
        pass

    with mock_pinpoint_otp():
        wrapped.clear()
        OwnSession()
        assert {*wrapped} == {True}, Watch
    assert not hasattr(vars(Endpoint)["_send"], "__wrapped__")


def test_a_class_that_was_in_the_place_of_botocores_is_as_it_was_after_the_fake(sink: Sink) -> None:
    class OwnEndpoint(Endpoint):
        def _send(self, request: Any) -> Any:
            return super()._send(request)

    class OwnSession(Session):
        pass

    before = vars(OwnEndpoint)["_send"]
    with contextlib.ExitStack() as patch:
        patch.enter_context(unittest.mock.patch("botocore.endpoint.Endpoint", OwnEndpoint))
        with mock_pinpoint_otp():
            assert vars(OwnEndpoint)["_send"] is not before
            patch.close()
            OwnSession()
            send(connect(sink))
    assert vars(OwnEndpoint)["_send"] is before
    assert sink.arrived == []


def test_what_is_among_the_modules_no_more_is_wrapped_with_the_first_session_of_a_class(sink: Sink) -> None:
    with mock_pinpoint_otp():

        class BotocoreStubber:
            __module__ = "moto.core.botocore_stubber"

            def __call__(self) -> None:
                pass

        class OwnSession(Session):
            pass

        before = vars(BotocoreStubber)["__call__"]
        send(connect(sink))
        assert vars(BotocoreStubber)["__call__"] is before
        OwnSession()
        assert vars(BotocoreStubber)["__call__"] is not before
    assert vars(BotocoreStubber)["__call__"] is before


def test_a_session_that_is_made_while_the_last_fake_leaves_wraps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def taken_by_another_thread_before() -> Iterator[None]:
        monkeypatch.undo()
        mock.stop()
        with wrapping.lock:
            yield

    class OwnSession(Session):
        pass

    before = vars(Endpoint)["_send_request"]
    mock = mock_pinpoint_otp()
    mock.start()
    monkeypatch.setattr(wrapping, "lock", taken_by_another_thread_before())
    OwnSession()
    assert vars(Endpoint)["_send_request"] is before


# -- The last line, at the socket --------------------------------------------------------------------------------------


@contextlib.contextmanager
def ending_inside(*names: str) -> Iterator[contextlib.ExitStack]:
    """Patch methods as others do; closing what this yields ends the patches, which put back what they found."""
    with contextlib.ExitStack() as patches:
        for name in names:
            patches.enter_context(unittest.mock.patch.object(Endpoint, name, passing_on(getattr(Endpoint, name))))
        yield patches


def test_patches_of_both_that_end_inside_let_nothing_leave(sink: Sink, client: Any) -> None:
    with ending_inside(*TWO_LINES) as patches, mock_pinpoint_otp() as fake:
        patches.close()
        fake.inject("ReadTimeoutError", per="attempt")
        assert send_status(client) == "SUCCESSFUL"
        assert verify(client, fake.code_for())
        assert [len(call.attempts) for call in fake.calls] == [2, 1]
    assert sink.arrived == []


def test_a_request_that_does_not_know_its_call_is_answered_at_the_socket(
    sink: Sink, requests_without_context: None
) -> None:
    client = connect(sink)
    with ending_inside(*TWO_LINES) as patches, mock_pinpoint_otp() as fake:
        patches.close()
        assert send_status(client) == "SUCCESSFUL"
        assert len(fake.calls) == 1
    assert sink.arrived == []


def test_what_such_a_call_asks_for_beyond_the_fake_is_refused(sink: Sink) -> None:
    with ending_inside(*TWO_LINES) as patches, mock_pinpoint_otp():
        patches.close()
        with pytest.raises(ClientError, match=r"GET .*/v1/apps is not faked"):
            connect(sink).get_apps()
    assert sink.arrived == []


@pytest.mark.skipif("endusermessaging" not in boto3.Session().get_available_services(), reason="botocore is older")
def test_end_user_messaging_has_that_line_too(sink: Sink) -> None:
    client = connect(sink, service="endusermessaging")
    with ending_inside(*TWO_LINES) as patches, mock_pinpoint_otp() as fake:
        patches.close()
        client.list_notify_code_configurations()
        assert [call.operation for call in fake.calls] == ["ListNotifyCodeConfigurations"]
    assert sink.arrived == []


def test_other_services_pass_that_line(sink: Sink) -> None:
    with ending_inside(*TWO_LINES) as patches, mock_pinpoint_otp():
        patches.close()
        connect(sink, service="dynamodb").list_tables()
        connect(sink, service="kinesis").list_streams()
    assert len(sink.signed) == 2


def test_a_fake_that_is_entered_during_a_first_attempt_answers_it(sink: Sink, client: Any) -> None:
    mock = mock_pinpoint_otp()
    client.meta.events.register_first("before-send.pinpoint.SendOTPMessage", lambda **kwargs: mock.start() and None)
    try:
        assert send_status(client) == "SUCCESSFUL"
    finally:
        mock.stop()
    assert sink.arrived == []


def test_a_client_with_an_endpoint_of_its_own_is_met_at_the_socket_too(sink: Sink) -> None:
    class OtherEndpoint(Endpoint):
        """What a package may put in the place of botocore's own."""

        _send_request = vars(Endpoint)["_send_request"]
        create_request = vars(Endpoint)["create_request"]

    client = connect(sink)
    client._endpoint.__class__ = OtherEndpoint
    with mock_pinpoint_otp():
        assert send_status(client) == "SUCCESSFUL"
    assert sink.arrived == []


def test_the_guard_holds_that_line_without_a_fake(sink: Sink, client: Any) -> None:
    with ending_inside(*TWO_LINES) as patches, contextlib.ExitStack() as stack:
        stack.callback(hold())
        stack.callback(turn_on())
        patches.close()
        with pytest.raises(UnfakedCallError, match=r"SendOTPMessage to .* was called while no"):
            send(client)
        assert sink.arrived == []
        client.get_apps()
        with let_through():
            send_and_ignore(client)
        assert len(sink.signed) == 2


# -- Emitters, handlers and bodies -------------------------------------------------------------------------------------


def test_a_copied_emitter_that_outlives_the_fake_lets_real_calls_pass(sink: Sink) -> None:
    client = connect(sink)
    with mock_pinpoint_otp():
        send(client)
        copied = copy.copy(client.meta.events)
    client._endpoint._event_emitter = client.meta.events = copied
    send_and_ignore(client)
    assert len(sink.arrived) == 1


@pytest.mark.parametrize("form", [bytearray, bytes.decode, io.BytesIO, lambda body: io.StringIO(body.decode())])
def test_a_handler_may_give_the_body_another_form(pinpoint_otp: PinpointOTP, sink: Sink, form: Any) -> None:
    client = connect(sink)

    def change(request: Any, **kwargs: Any) -> None:
        request.body = form(request.body) if isinstance(request.body, bytes) else request.body

    client.meta.events.register_first("before-send.pinpoint.SendOTPMessage", change)
    pinpoint_otp.inject(LostResponse(), per="attempt")
    assert send_status(client) == "SUCCESSFUL"
    assert len(pinpoint_otp.messages) == 2
    assert sink.arrived == []


def test_the_same_body_as_bytes_and_as_text_is_not_compared() -> None:
    program = """
        import boto3
        from pytest_pinpoint_otp import mock_pinpoint_otp

        def change(request, **kwargs):
            request.body = forms.pop()(request.body)

        client = boto3.client("pinpoint", region_name="us-east-1")
        client.meta.events.register_first("before-send.pinpoint.SendOTPMessage", change)
        forms = [bytes.decode, bytes]
        with mock_pinpoint_otp() as fake:
            for _ in range(2):
                client.send_otp_message(**REQUEST)
            print(len(fake.messages))
    """
    assert run_program(program, options=("-bb",)) == ("2\n", "")


def test_a_request_without_its_context_is_answered_too(
    pinpoint_otp: PinpointOTP, sink: Sink, requests_without_context: None
) -> None:
    client = connect(sink)
    pinpoint_otp.inject(LostResponse(), per="attempt")
    assert send_status(client) == "SUCCESSFUL"
    assert len(pinpoint_otp.messages) == 2


def test_a_handler_may_take_the_body_of_an_answer_as_a_stream(pinpoint_otp: PinpointOTP, sink: Sink) -> None:
    client, bodies = connect(sink), list[bytes]()

    def read(response: Any = None, **kwargs: Any) -> None:
        bodies.append(response[0].raw.read())

    client.meta.events.register("needs-retry.pinpoint.SendOTPMessage", read)
    send(client)
    assert json.loads(bodies[0])["ApplicationId"] == APPLICATION


def test_a_body_that_is_read_already_is_sent_from_where_it_stands(pinpoint_otp: PinpointOTP, sink: Sink) -> None:
    client = connect(sink)
    bodies = []

    def change(request: Any, **kwargs: Any) -> None:
        request.body = io.BytesIO(b"before" + request.body)
        request.body.read(6)
        bodies.append(request.body)

    client.meta.events.register_first("before-send.pinpoint.SendOTPMessage", change)
    assert send_status(client) == "SUCCESSFUL"
    assert bodies[0].tell() == 6


def test_a_presigned_url_is_signed_before_and_after_the_first_call(pinpoint_otp: PinpointOTP, sink: Sink) -> None:
    client = connect(sink)

    def presigned() -> dict[str, list[str]]:
        return parse_qs(urlsplit(client.generate_presigned_url("send_otp_message", send_request())).query)

    before = presigned()
    send(client)
    assert presigned().keys() == before.keys()
    assert "X-Amz-Signature" in before


def test_another_service_is_sent_and_signed_as_ever(pinpoint_otp: PinpointOTP, sink: Sink) -> None:
    connect(sink, service="dynamodb").list_tables()
    assert len(sink.signed) == 1


def test_a_closed_client_still_reaches_the_fake(pinpoint_otp: PinpointOTP, sink: Sink) -> None:
    client = connect(sink)
    client.close()
    assert send_status(client) == "SUCCESSFUL"


def test_a_call_keeps_no_client_alive(sink: Sink) -> None:
    with mock_pinpoint_otp():
        client = connect(sink)
        send(client)
        collected = unittest.mock.Mock()
        weakref.finalize(client.meta.events, collected)
        del client
        gc.collect()
        collected.assert_called_once_with()


def test_a_fake_keeps_no_class_alive_that_a_test_derives(sink: Sink) -> None:
    def use_classes_of_its_own() -> list[weakref.ref[type]]:
        class OwnSession(Session):
            pass

        class OwnEndpoint(Endpoint):
            pass

        class OwnMessage(HTTPMessage):
            pass

        with mock_pinpoint_otp():
            OwnSession()
            send(connect(sink))
        return [weakref.ref(cls) for cls in (OwnSession, OwnEndpoint, OwnMessage)]

    classes = use_classes_of_its_own()
    gc.collect()
    assert [cls() for cls in classes] == [None, None, None]


def test_nothing_is_signed_by_a_session_that_is_replaced_inside_the_fake(sink: Sink) -> None:
    client = connect(sink)
    with mock_pinpoint_otp():
        client._endpoint.http_session = URLLib3Session()
        assert send_status(client) == "SUCCESSFUL"
    assert sink.arrived == []


# -- Processes ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_forked_during_a_call_lets_nothing_leave_and_ends_its_own_fakes(sink: Sink) -> None:
    client, gate = connect(sink), Gate()
    with mock_pinpoint_otp() as fake:
        fake.inject(losing_an_answer(gate), per="attempt")
        sending = InThread(lambda: send_status(client))
        gate.wait_until_reached()
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if send_status(connect(sink)) == "SUCCESSFUL" and verify(client, fake.code_for()) else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        gate.open()
        assert sending.join().result == "SUCCESSFUL"
    assert sink.arrived == []
