"""The guard: what a call comes to where no fake is active."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import botocore
import notify
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from helpers import DESTINATION, OTHER_DESTINATION, send, send_request, send_status, verify
from sink import SESSION, Gate, InThread, Sink, open_sink

from pytest_pinpoint_otp import LostResponse, UnfakedCallError, mock_pinpoint_otp
from pytest_pinpoint_otp.transports.botocore.guard import UnfakedCall, let_through, take, turn_on
from pytest_pinpoint_otp.transports.botocore.patches import hold


@pytest.fixture
def sink() -> Iterator[Sink]:
    """What stands for AWS."""
    with open_sink() as sink:
        yield sink


@pytest.fixture(params=["legacy", "standard", "adaptive"])
def client(sink: Sink, request: pytest.FixtureRequest) -> Any:
    """A client in each retry mode."""
    return connect(sink, request.param)


@pytest.fixture
def guard() -> Iterator[None]:
    """The guard, on as the plugin turns it on."""
    take()
    release, turn_off = hold(), turn_on()
    yield
    left = take()
    turn_off()
    release()
    assert left == [], "each test takes what it has caused"


def connect(sink: Sink, mode: str = "standard", **options: Any) -> Any:
    """Return a client that would reach the sink, with keys that look real."""
    config = Config(retries={"mode": mode}, **options)
    return SESSION.client("pinpoint", endpoint_url=sink.url, config=config)


def test_a_call_without_a_fake_raises_at_once_and_never_leaves(guard: None, sink: Sink, client: Any) -> None:
    events: list[str] = []
    for event in ("request-created", "choose-signer", "before-send", "needs-retry"):
        client.meta.events.register(event, lambda event_name, **kwargs: events.append(event_name))
    with pytest.raises(UnfakedCallError):
        send(client)
    assert sink.arrived == []
    assert events == [], "nothing is signed, and nothing is tried again"
    assert take() == [UnfakedCall("SendOTPMessage", DESTINATION)]


def test_the_error_has_the_name_by_which_it_is_imported(guard: None, sink: Sink) -> None:
    with pytest.raises(UnfakedCallError) as caught:
        send(connect(sink))
    assert traceback.format_exception_only(caught.value)[0].startswith("pytest_pinpoint_otp.UnfakedCallError: ")
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (type(copied), str(copied), copied.call) == (UnfakedCallError, str(caught.value), caught.value.call)
    take()


def test_the_error_names_the_call_and_says_what_to_do(guard: None, sink: Sink) -> None:
    with pytest.raises(UnfakedCallError) as caught:
        send(connect(sink))
    assert str(caught.value) == (
        "SendOTPMessage to '+15550100123' was called while no fake was active. The call did not leave the"
        " process. Make it inside `with mock_pinpoint_otp():`, or in a test that has the fixture pinpoint_otp. To make"
        " real calls, mark the test with @pytest.mark.pinpoint_otp(enabled=False)."
    )
    assert isinstance(caught.value, RuntimeError)
    take()


def test_every_call_is_told_once(guard: None, sink: Sink) -> None:
    client = connect(sink)
    for destination in (DESTINATION, OTHER_DESTINATION):
        with pytest.raises(UnfakedCallError):
            send(client, DestinationIdentity=destination)
    with pytest.raises(UnfakedCallError):
        verify(client, "123456")
    assert take() == [
        UnfakedCall("SendOTPMessage", DESTINATION),
        UnfakedCall("SendOTPMessage", OTHER_DESTINATION),
        UnfakedCall("VerifyOTPMessage", DESTINATION),
    ]
    assert take() == []


def test_no_credentials_are_read_for_it(guard: None, sink: Sink) -> None:
    client = connect(sink)

    class Refusing:
        def get_frozen_credentials(self) -> None:
            raise AssertionError("nothing is signed")

    client._request_signer._credentials = Refusing()
    with pytest.raises(UnfakedCallError):
        send(client)
    take()


def test_an_unsigned_client_is_guarded_too(guard: None, sink: Sink) -> None:
    with pytest.raises(UnfakedCallError):
        send(connect(sink, signature_version=botocore.UNSIGNED))
    assert sink.arrived == []
    take()


@pytest.mark.parametrize("body", ["", "[]", "{", '{"DestinationIdentity": 1}', None])
def test_a_request_that_names_no_destination_is_told_without(guard: None, sink: Sink, body: object) -> None:
    client = connect(sink)
    client.meta.events.register("before-call.pinpoint", lambda params, **kwargs: params.update(body=body))
    with pytest.raises(UnfakedCallError, match=r"^SendOTPMessage was called while"):
        send(client)
    assert take() == [UnfakedCall("SendOTPMessage", None)]


def test_with_a_fake_active_calls_reach_it(guard: None, sink: Sink) -> None:
    client = connect(sink)
    with mock_pinpoint_otp() as fake:
        assert send_status(client) == "SUCCESSFUL"
    assert len(fake.calls) == 1
    with pytest.raises(UnfakedCallError):
        send(client)
    assert take() == [UnfakedCall("SendOTPMessage", DESTINATION)]


def test_other_operations_and_services_pass(guard: None, sink: Sink) -> None:
    connect(sink).get_apps()
    SESSION.client("dynamodb", endpoint_url=sink.url).list_tables()
    assert len(sink.signed) == 2


def test_another_operation_passes_again_after_the_fake_that_refused_it(guard: None, sink: Sink) -> None:
    client = connect(sink)
    with mock_pinpoint_otp(), pytest.raises(ClientError, match="GetApps is not faked"):
        client.get_apps()
    assert sink.arrived == []
    client.get_apps()
    assert len(sink.signed) == 1


@notify.NEEDED
def test_calls_of_end_user_messaging_are_guarded(guard: None, sink: Sink) -> None:
    client = SESSION.client("endusermessaging", endpoint_url=sink.url)
    with mock_pinpoint_otp() as fake:
        notify.send(client)
        with pytest.raises(ClientError, match="moto does not have it either"):
            client.list_jobs()
    assert len(fake.messages) == 1
    with pytest.raises(UnfakedCallError):
        notify.send(client)
    with pytest.raises(UnfakedCallError):
        client.list_notify_code_configurations()
    assert take() == [
        UnfakedCall("SendNotifyCodeVerification", DESTINATION),
        UnfakedCall("ListNotifyCodeConfigurations", None),
    ]
    assert sink.arrived == []


@notify.NEEDED
def test_an_attempt_of_end_user_messaging_that_outlives_its_fake_does_not_leave(sink: Sink) -> None:
    client, mock = (
        SESSION.client("endusermessaging", endpoint_url=sink.url),
        mock_pinpoint_otp(),
    )
    fake = mock.start()
    fake.inject(lambda call: mock.stop() or LostResponse(), operation="SendNotifyCodeVerification", per="attempt")
    with pytest.raises(UnfakedCallError):
        notify.send(client)
    assert sink.arrived == []


def test_calls_that_are_let_through_leave_signed_until_the_end(guard: None, sink: Sink) -> None:
    client = connect(sink)
    with let_through():
        with let_through():
            client.send_otp_message(**send_request())
        client.send_otp_message(**send_request())
    assert len(sink.signed) == 2
    with pytest.raises(UnfakedCallError):
        send(client)
    assert len(sink.signed) == 2
    take()


def test_a_call_that_began_in_a_fake_is_not_let_through(guard: None, sink: Sink, client: Any) -> None:
    gate, mock = Gate(), mock_pinpoint_otp()

    def lose(call: object) -> LostResponse:
        gate.pass_through()
        return LostResponse()

    mock.start().inject(lose, per="attempt")
    sending = InThread(lambda: send(client))
    gate.wait_until_reached()
    mock.stop()
    with let_through():
        gate.open()
        assert type(sending.join().error) is UnfakedCallError
    assert sink.arrived == []
    assert take() == [UnfakedCall("SendOTPMessage", DESTINATION)]


def test_a_later_attempt_of_a_call_that_was_let_through_is_stopped(
    guard: None, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    client, gate = connect(sink), Gate()
    sink.answer = lambda: gate.pass_through() or 500
    with let_through():
        sending = InThread(lambda: send(client))
        gate.wait_until_reached()
    gate.open()
    assert type(sending.join().error) is UnfakedCallError
    assert len(sink.arrived) == 1
    assert take() == [UnfakedCall("SendOTPMessage", DESTINATION)]


def test_the_guard_is_on_until_all_have_turned_it_off(guard: None, sink: Sink) -> None:
    turn_off = turn_on()
    turn_off()
    turn_off()
    with pytest.raises(UnfakedCallError):
        send(connect(sink))
    take()


def test_without_the_guard_a_call_leaves(sink: Sink) -> None:
    release = hold()
    try:
        connect(sink).send_otp_message(**send_request())
    finally:
        release()
        release()
    assert len(sink.signed) == 1
    assert take() == []


def test_what_a_fake_stopped_without_the_guard_is_not_kept(sink: Sink) -> None:
    client, mock = connect(sink), mock_pinpoint_otp()
    mock.start()
    client.meta.events.register_first("before-send.pinpoint.SendOTPMessage", lambda **kwargs: mock.stop())
    with pytest.raises(UnfakedCallError):
        send(client)
    assert take() == []


def test_a_call_that_nobody_took_is_forgotten_with_the_last_guard(sink: Sink) -> None:
    release, turn_off, turn_other_off = hold(), turn_on(), turn_on()
    with pytest.raises(UnfakedCallError):
        send(connect(sink))
    turn_off()
    turn_other_off()
    release()
    assert take() == []


def test_a_call_is_kept_while_another_guard_is_on(guard: None, sink: Sink) -> None:
    turn_off = turn_on()
    with pytest.raises(UnfakedCallError):
        send(connect(sink))
    turn_off()
    assert take() == [UnfakedCall("SendOTPMessage", DESTINATION)]
