"""The state machine on AWS End User Messaging: what it finds there, and what is different from Pinpoint."""

# ruff: noqa: D101, D102 - the applications' mistakes are their names

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from effort import THOROUGH
from helpers import LEFT_OUT
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from notify import NEEDED, make_client, send, validate

from pytest_pinpoint_otp.stateful import OTPStateMachine

pytestmark = NEEDED

PHONE, OTHER = OTPStateMachine.phones
OPERATIONS = {"SendNotifyCodeVerification", "ValidateNotifyCodeVerification"}

fixed = settings(deadline=None, derandomize=True, database=None, phases=[Phase.generate], stateful_step_count=30)


@pytest.fixture(scope="module", autouse=True)
def clients() -> None:
    """The clients of the applications: one that repeats what was not answered, and one that does not."""
    for application, attempts in ((Application, 3), (RepeatsValidations, 3), (ChecksOnce, 1)):
        application.client = make_client(
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(retries={"mode": "standard", "total_max_attempts": attempts}),
        )


class Application:
    """A log-in that does everything right, but for validations that are repeated."""

    client: Any
    reference: Any = "log-in"

    def __init__(self) -> None:
        self.guesses: dict[str, int] = {}

    def request_code(self, phone: str) -> bool:
        try:
            self.send(phone)
        except (ClientError, BotoCoreError):
            return False
        return True

    def check_code(self, phone: str, code: str) -> bool | None:
        if self.guesses.get(phone, 0) >= 6:
            return False
        self.guesses[phone] = self.guesses.get(phone, 0) + 1
        try:
            status = self.validate(phone, code)
        except (ClientError, BotoCoreError):
            return None
        let_in = self.is_valid(status)
        if let_in:
            self.guesses[phone] = 0
        return let_in

    def send(self, phone: str) -> None:
        send(self.client, destinationIdentity=phone, referenceId=self.reference)

    def validate(self, phone: str, code: str) -> str:
        return validate(self.client, code, destinationIdentity=phone, referenceId=self.reference)

    def is_valid(self, status: str) -> bool:
        return status == "VALID"


class RepeatsValidations(Application):
    pass


class ChecksOnce(Application):
    """A log-in that does everything right; a send is not repeated either."""


class LeavesTheReferenceOut(ChecksOnce):
    reference = LEFT_OUT


class SendsLetters(ChecksOnce):
    def send(self, phone: str) -> None:
        policy = {"codeType": "ALPHANUMERIC", "codeLength": 4}
        send(
            self.client,
            destinationIdentity=phone,
            referenceId=self.reference,
            overrideCodeConfigurationParameters=policy,
        )


class TakesTheStatusForTrue(ChecksOnce):
    def is_valid(self, status: str) -> bool:
        return bool(status)


class HandsTheStatusOn(ChecksOnce):
    def is_valid(self, status: str) -> Any:
        return status


class ValidatesWithoutTheReference(ChecksOnce):
    def validate(self, phone: str, code: str) -> str:
        return validate(self.client, code, destinationIdentity=phone, referenceId=LEFT_OUT)


class SaysSent(ChecksOnce):
    def request_code(self, phone: str) -> bool:
        super().request_code(phone)
        return True


class ForgetsGuesses(ChecksOnce):
    def request_code(self, phone: str) -> bool:
        self.guesses[phone] = 0
        return super().request_code(phone)


class ForgetsToReturn(ChecksOnce):
    def check_code(self, phone: str, code: str) -> bool | None:
        super().check_code(phone, code)
        return None


class TextsTwice(ChecksOnce):
    def request_code(self, phone: str) -> bool:
        super().request_code(phone)
        return super().request_code(phone)


class TakesOutagesForWrongCodes(ChecksOnce):
    def check_code(self, phone: str, code: str) -> bool | None:
        return bool(super().check_code(phone, code))


class LocksOutByErrors(ChecksOnce):
    def check_code(self, phone: str, code: str) -> bool | None:
        return super().check_code(phone, code) if self.guesses.get(phone, 0) < 5 else False


class GoesOnToTheNextReference(ChecksOnce):
    """A log-in with a reference for each text, which it keeps before it knows of the text."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0

    def send(self, phone: str) -> None:
        self.number += 1
        self.reference = f"log-in-{self.number}"
        super().send(phone)


MISTAKES = [
    (ForgetsToReturn, "happy_path_lets_in"),
    (TextsTwice, "one_text_per_request"),
    (TakesOutagesForWrongCodes, "(outage_is_not_a_refusal|retry_does_not_lock_out)"),
    pytest.param(LocksOutByErrors, "errors_do_not_lock_out", marks=pytest.mark.proof),
    (GoesOnToTheNextReference, "right_code_lets_in"),
    (TakesTheStatusForTrue, "refused_code_lets_nobody_in"),
    (HandsTheStatusOn, "refused_code_lets_nobody_in"),
    (ValidatesWithoutTheReference, "right_code_lets_in"),
    (SaysSent, "failed_delivery_is_not_reported_as_sent"),
    (RepeatsValidations, "retry_does_not_lock_out"),
    (ForgetsGuesses, "guesses_are_limited"),
]


def machine_of(application: Callable[[], Any], **attributes: Any) -> type[OTPStateMachine]:
    """Return a machine that drives an application."""

    class Machine(OTPStateMachine):
        api = "endusermessaging"

        def begin(self) -> None:
            self.application = application()

        def request_code(self, phone: str) -> bool:
            return self.application.request_code(phone)

        def check_code(self, phone: str, code: str) -> bool | None:
            return self.application.check_code(phone, code)

        def teardown(self) -> None:
            assert {call.operation for call in self.fake.calls} <= OPERATIONS
            super().teardown()

    return type("Machine", (Machine,), attributes)


Start = Callable[..., Any]


@pytest.fixture
def start() -> Iterator[Start]:
    """A function that starts a machine, as a failing example that is pasted does."""
    started = []

    def start(application: Callable[[], Any] = ChecksOnce) -> Any:
        state = machine_of(application)()
        state.start(seed=0, leading_zeros=False)
        started.append(state)
        return state

    yield start
    for state in reversed(started):
        state.teardown()


@pytest.mark.parametrize(("mistaken", "broken"), MISTAKES)
def test_the_machine_finds_a_mistake(mistaken: type[Application], broken: str) -> None:
    with pytest.raises(AssertionError, match=f"^{broken}: ") as found:
        run_state_machine_as_test(machine_of(mistaken), settings=fixed)

    assert "SendNotifyCodeVerification" in str(found.value)


@pytest.mark.parametrize(
    "application",
    [ChecksOnce, *(pytest.param(one, marks=pytest.mark.proof) for one in (LeavesTheReferenceOut, SendsLetters))],
)
def test_the_machine_leaves_a_right_application_alone(application: type[Application]) -> None:
    drawn = settings(fixed, derandomize=False, max_examples=250 if THOROUGH else 10)
    run_state_machine_as_test(machine_of(application), settings=drawn)


def test_an_application_of_another_api_tests_nothing() -> None:
    class Machine(OTPStateMachine):
        def request_code(self, phone: str) -> bool:
            return ChecksOnce().request_code(phone)

    advice = (
        r"Nothing is tested: .* no SendOTPMessage that the service accepts\."
        r" It has called SendNotifyCodeVerification: set api = 'endusermessaging'\.\n"
    )
    with pytest.raises(AssertionError, match=advice):
        run_state_machine_as_test(Machine, settings=fixed)


def test_a_failed_delivery_that_no_answer_tells_may_be_reported_as_sent(start: Start) -> None:
    state = start()
    state.fail_next_delivery("PERMANENT_FAILURE")
    state.request(PHONE)

    assert not state.fake.messages
    assert state.fake.calls[0].status_code == 200


@pytest.mark.parametrize("failure", ["opt_out", "ThrottlingException", "text to another phone"])
def test_a_send_that_was_not_accepted_must_not_be_reported_as_sent(start: Start, failure: str) -> None:
    class TextsAnotherPhone(ChecksOnce):
        def send(self, phone: str) -> None:
            super().send(OTHER)

    state = start(TextsAnotherPhone if failure.startswith("text") else SaysSent)
    if failure == "opt_out":
        state.opt_out(PHONE)
    elif failure == "ThrottlingException":
        state.fail_next_call("SendNotifyCodeVerification", failure)

    with pytest.raises(AssertionError, match="failed_delivery_is_not_reported_as_sent"):
        state.request(PHONE)


def test_an_earlier_accepted_send_does_not_count_for_a_later_one(start: Start) -> None:
    state = start(SaysSent)
    state.request(PHONE)
    state.opt_out(PHONE)

    with pytest.raises(AssertionError, match="failed_delivery_is_not_reported_as_sent"):
        state.request(PHONE)


def test_a_code_without_a_reference_lets_in(start: Start) -> None:
    state = start(LeavesTheReferenceOut)
    state.request(PHONE)
    state.type_right_code(PHONE, answer_is_lost=False)

    assert [verification.reference_id for verification in state.fake.verifications] == [None]
    assert state.fake.verifications[0].valid


def test_a_failed_delivery_leaves_the_earlier_code_to_be_right(start: Start) -> None:
    state = start(LeavesTheReferenceOut)
    state.request(PHONE)
    state.fail_next_delivery("THROTTLED")
    state.request(PHONE)
    state.type_right_code(PHONE, answer_is_lost=False)

    assert [verification.reason for verification in state.fake.verifications] == ["VALID"]


def test_a_code_may_be_refused_after_a_later_send_that_seemed_to_be_on_its_way(start: Start) -> None:
    state = start(GoesOnToTheNextReference)
    text = state.request(PHONE)
    state.fail_next_delivery("THROTTLED")
    state.request(PHONE)
    state.type_code(text)

    assert [verification.reason for verification in state.fake.verifications] == ["NEVER_SENT"]


def test_a_malformed_code_that_breaks_the_application_is_found() -> None:
    class HandsEverythingOn(ChecksOnce):
        def check_code(self, phone: str, code: str) -> bool | None:
            try:
                return self.validate(phone, code) == "VALID"
            except self.client.exceptions.ValidationException:
                raise
            except (ClientError, BotoCoreError):
                return None

    chosen = {*OTPStateMachine.properties} - {"guesses_are_limited"}
    with pytest.raises(ClientError, match="ValidationException"):
        run_state_machine_as_test(machine_of(HandsEverythingOn, properties=chosen), settings=fixed)
