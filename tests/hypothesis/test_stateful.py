"""The state machine: it finds an application's mistakes, leaves right ones alone, and each rule does what it says."""

# ruff: noqa: D101, D102 - the applications' mistakes are their names

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from effort import THOROUGH
from helpers import APPLICATION, send_status, verify
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from log_ins import ONCE, OTHER, PHONE, RETRYING, Application, fixed, machine_of
from suites import passes, run

from pytest_pinpoint_otp import PinpointOTP, active_pinpoint_otp
from pytest_pinpoint_otp.stateful import OTPStateMachine


class SaysSent(Application):
    def request_code(self, phone: str) -> bool:
        super().request_code(phone)
        return True


class LosesZeros(Application):
    def verify(self, phone: str, code: str) -> bool:
        return super().verify(phone, code.lstrip("0"))


class RepeatsVerifications(Application):
    checker = RETRYING


class ForgetsGuesses(Application):
    def request_code(self, phone: str) -> bool:
        self.guesses[phone] = 0
        return super().request_code(phone)


class OpensOnErrors(Application):
    def check_code(self, phone: str, code: str) -> bool | None:
        return super().check_code(phone, code) is not False


class RemembersCodes(Application):
    def verify(self, phone: str, code: str) -> bool:
        if (phone, code) in self.let_in or super().verify(phone, code):
            self.let_in.add((phone, code))
            return True
        return False


class RefusesEverybody(Application):
    def verify(self, phone: str, code: str) -> bool:
        return super().verify(phone, code) and False


class AsksWithAnotherReferenceEachTime(Application):
    """Learns of a reference only when a send has been answered."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self.references: dict[str, str] = {}

    def send(self, phone: str) -> str:
        self.number += 1
        status = send_status(self.sender, DestinationIdentity=phone, ReferenceId=f"log-in-{self.number}")
        if status == "SUCCESSFUL":
            self.references[phone] = f"log-in-{self.number}"
        return status

    def reference(self, phone: str) -> str:
        return self.references.get(phone, "none")


class SendsOnce(AsksWithAnotherReferenceEachTime):
    sender = ONCE


class TextsAnAdministratorToo(Application):
    def request_code(self, phone: str) -> bool:
        told = super().request_code(phone)
        super().request_code("+15550100999")
        return told


class AcceptsCodesOfOthers(Application):
    def check_code(self, phone: str, code: str) -> bool | None:
        owners = [message.destination for message in active_pinpoint_otp().messages if message.code == code]
        return super().check_code(owners[-1] if owners else phone, code)


class SaysThatSomebodyElseHasSent(Application):
    """Was forgotten in a move: another service is said to have the code on its way, and nobody to let in."""

    def send(self, phone: str) -> str:
        return "QUEUED"


class NamesAnotherApplication(Application):
    def send(self, phone: str) -> str:
        return send_status(self.sender, ApplicationId="old", DestinationIdentity=phone)


class VerifiesWithAnotherReference(Application):
    def verify(self, phone: str, code: str) -> bool:
        return verify(self.checker, code, DestinationIdentity=phone, ReferenceId="log-on")


MISTAKES = [
    (AcceptsCodesOfOthers, "refused_code_lets_nobody_in: check_code("),
    (SaysSent, "failed_delivery_is_not_reported_as_sent: request_code("),
    (LosesZeros, "right_code_lets_in: check_code("),
    (RepeatsVerifications, "retry_does_not_lock_out: check_code("),
    (ForgetsGuesses, r"guesses_are_limited: 11 wrong codes for \+1202555010[12] reached the service within 1:00:00"),
    (OpensOnErrors, "refused_code_lets_nobody_in: check_code("),
    (RemembersCodes, "code_works_once: check_code("),
    (RefusesEverybody, "right_code_lets_in: check_code("),
    (VerifiesWithAnotherReference, "right_code_lets_in: check_code("),
]


# -- A run -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mistaken", "message"), MISTAKES)
def test_the_machine_finds_a_mistake_and_shows_the_traffic(mistaken: type[Application], message: str) -> None:
    with pytest.raises(AssertionError, match=message.replace("(", r"\(")) as found:
        run_state_machine_as_test(machine_of(mistaken), settings=fixed)

    assert "\n" in str(found.value)
    assert "SendOTPMessage" in str(found.value)
    with pytest.raises(RuntimeError):
        active_pinpoint_otp()


@pytest.mark.parametrize(
    "application",
    [
        AsksWithAnotherReferenceEachTime,
        *(pytest.param(one, marks=pytest.mark.proof) for one in (Application, SendsOnce, TextsAnAdministratorToo)),
    ],
)
def test_the_machine_leaves_a_right_application_alone(application: type[Application]) -> None:
    run_state_machine_as_test(
        machine_of(application), settings=settings(fixed, derandomize=False, max_examples=200 if THOROUGH else 10)
    )


@pytest.mark.parametrize(
    ("mistaken", "message"),
    # Of what is typed, of what is asked for, and of what comes after zeros.
    [*MISTAKES[:3], *(pytest.param(*mistake, marks=pytest.mark.proof) for mistake in MISTAKES[3:])],
)
def test_a_property_that_is_not_chosen_is_not_checked(mistaken: type[Application], message: str) -> None:
    name = message.partition(":")[0]
    # A code that lets in again without being accepted breaks both.
    entries = {"code_works_once", "refused_code_lets_nobody_in"}
    # So does an application that never lets in, and that counts those whom it refuses beside errors.
    refusals = {"right_code_lets_in", "happy_path_lets_in", "retry_does_not_lock_out", "errors_do_not_lock_out"}
    others = next((both for both in (entries, refusals) if name in both), {name})
    chosen = {*OTPStateMachine.properties} - others

    run_state_machine_as_test(
        machine_of(mistaken, properties=chosen, may_test_nothing=True),
        settings=settings(fixed, max_examples=15, stateful_step_count=20),
    )


@pytest.mark.parametrize(
    ("application", "options", "shown"),
    [
        (SaysThatSomebodyElseHasSent, {}, ""),
        (NamesAnotherApplication, {"applications": [APPLICATION]}, "NotFoundException"),
        (Application, {"originations": ["+15550100000"]}, "PERMANENT_FAILURE"),
    ],
)
def test_a_run_fails_in_which_the_service_accepts_no_send(
    application: type[Application], options: dict[str, Any], shown: str
) -> None:
    message = (
        r"Nothing is tested: request_code\('\+12025550101'\) returned False, but the application has made no"
        r" SendOTPMessage that the service accepts\. Make the application afresh in begin\(\)"
    )
    with pytest.raises(AssertionError, match=message) as found:
        run_state_machine_as_test(machine_of(application, options=options, phones=["+12025550101"]), settings=fixed)

    assert shown in str(found.value)


def test_an_application_that_is_not_made_afresh_tests_nothing() -> None:
    kept = Application()

    class SendsOnceToEach(Application):
        def send(self, phone: str) -> str:
            if phone in kept.guesses:
                return "SENT BEFORE"
            kept.guesses[phone] = 0
            return super().send(phone)

    with pytest.raises(AssertionError, match="Nothing is tested"):
        run_state_machine_as_test(machine_of(SendsOnceToEach), settings=fixed)


def test_a_property_that_there_is_not_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValueError, match=r"Machine\.properties: there is no 'code_work_once'\. Did you mean"):
        machine_of(Application, properties=["code_work_once"])


@pytest.mark.parametrize(
    ("method", "definition"),
    [("request_code", r"request_code\(self, phone\)"), ("check_code", r"check_code\(self, phone, code\)")],
)
def test_a_machine_needs_to_know_how_the_application_is_used(method: str, definition: str) -> None:
    def used(self: object, *arguments: str) -> bool:
        return Application().request_code(arguments[0])

    others = {"request_code", "check_code"} - {method}
    forgetful = type("Forgetful", (OTPStateMachine,), dict.fromkeys(others, used))

    with pytest.raises(
        NotImplementedError, match=rf"^Forgetful does not say how the application .* a code: define {definition}\."
    ):
        run_state_machine_as_test(forgetful, settings=fixed)


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("max_guess", 4, "max_guesses"),
        ("max_text", None, "max_texts"),
        ("text_windows", timedelta(hours=2), "text_window"),
        ("tolerate_errors", 3, "tolerated_errors"),
        ("optout", None, "opt_out"),
    ],
)
def test_an_attribute_that_is_misspelled_is_refused_where_it_is_written(name: str, value: object, meant: str) -> None:
    with pytest.raises(ValueError, match=rf"^Machine\.{name}: there is no such attribute\. Did you mean '{meant}'\?$"):
        machine_of(Application, **{name: value})


def test_a_machine_may_have_attributes_of_its_own() -> None:
    machine = machine_of(Application, phone="+12025550101", max_retries=3, optout=True, max_guesses=4)
    assert machine_of(machine, max_guesses=5).max_guesses == 5


def test_an_api_that_is_not_faked_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValueError, match=r"Machine\.api: 'pinpont' is not faked\. Did you mean 'pinpoint'\?"):
        machine_of(Application, api="pinpont")


@pytest.mark.parametrize("phones", ["+12025550101", [], {"+12025550101"}, None])
def test_phones_are_numbers_in_a_list(phones: Any) -> None:
    with pytest.raises(TypeError, match=r"Machine\.phones takes a list of phone numbers, not "):
        machine_of(Application, phones=phones)


@pytest.mark.parametrize("phones", [["+12025550143"], ("+12025550143", "+12025550144", "+12025550145")])
def test_the_machine_asks_for_codes_for_the_phones_of_its_class(phones: Any) -> None:
    asked = set()

    class NotesPhones(Application):
        def request_code(self, phone: str) -> bool:
            asked.add(phone)
            return super().request_code(phone)

    run_state_machine_as_test(machine_of(NotesPhones, phones=phones), settings=settings(fixed, max_examples=6))

    assert asked == {*phones}


def test_properties_are_names_in_a_list() -> None:
    with pytest.raises(TypeError, match=r"Machine\.properties takes a list of names, not 'code_works_once' \(str\)\."):
        machine_of(Application, properties="code_works_once")
    with pytest.raises(TypeError, match=r"Machine\.properties takes a list of names, not None"):
        machine_of(Application, properties=None)


@pytest.mark.parametrize(
    ("attributes", "error", "message"),
    [
        ({"api": ["pinpoint"]}, ValueError, r"api: \['pinpoint'\] is not faked"),
        ({"options": None}, TypeError, r"options takes a dict of options by name, not None"),
        ({"options": []}, TypeError, r"options takes a dict of options by name, not \[\]"),
        ({"may_test_nothing": "no"}, TypeError, r"may_test_nothing takes True or False, not 'no'"),
        (
            {"code_works_once": None},
            TypeError,
            r"code_works_once takes a method, not None .*Leave its name out of prop",
        ),
        ({"start": lambda self: None}, TypeError, r"start takes the place of the machine's own, .*: override begin\."),
    ],
)
def test_an_attribute_that_would_fail_or_be_misread_in_a_run_is_refused_where_it_is_written(
    attributes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=rf"^Machine\.{message}"):
        machine_of(Application, **attributes)


@pytest.mark.parametrize("method", ["begin", "request_code", "check_code"])
def test_a_coroutine_function_is_refused(method: str) -> None:
    async def used(self: object, *arguments: str) -> bool:
        return True

    with pytest.raises(TypeError, match=f"Async.{method} is a coroutine function, but the machine does not await"):
        type("Async", (OTPStateMachine,), {method: used})


def test_pytest_collects_the_machines_test_case(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "-p",
        "hypothesispytest",
        test_it="""
            import hypothesis
            from application import send
            from pytest_pinpoint_otp.stateful import OTPStateMachine

            class Machine(OTPStateMachine):
                properties = ["failed_delivery_is_not_reported_as_sent"]

                def request_code(self, phone):
                    try:
                        send(DestinationIdentity=phone)
                    except Exception:
                        pass
                    return True

                def check_code(self, phone, code):
                    return False

            TestMachine = Machine.TestCase
            TestMachine.settings = hypothesis.settings(
                deadline=None, derandomize=True, database=None, phases=[hypothesis.Phase.generate]
            )
        """,
    )

    passes(result, failed=1)
    result.stdout.fnmatch_lines(["*failed_delivery_is_not_reported_as_sent: *", "*state = Machine()"])


def test_statistics_tell_which_steps_were_taken_and_what_calls_ended_in(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "-p",
        "hypothesispytest",
        "--hypothesis-show-statistics",
        test_it="""
            import hypothesis
            from application import send, verify
            from pytest_pinpoint_otp.stateful import OTPStateMachine

            class Machine(OTPStateMachine):
                properties = []
                guess_through_resends = log_in_while_others_guess = log_in_while_others_ask = None

                def request_code(self, phone):
                    try:
                        return send(DestinationIdentity=phone) == "SUCCESSFUL"
                    except Exception:
                        return False

                def check_code(self, phone, code):
                    try:
                        return verify(code, DestinationIdentity=phone)
                    except Exception:
                        return None

            TestMachine = Machine.TestCase
            TestMachine.settings = hypothesis.settings(
                deadline=None, derandomize=True, database=None, max_examples=20, stateful_step_count=30
            )
        """,
    )

    passes(result, passed=1)
    told = result.stdout.str()
    steps = {"request", "type_code", "type_right_code", "type_wrong_codes", "type_malformed_code"}
    steps |= {"request_and_type_code", "request_and_type_code_twice", "type_code_of_another_phone"}
    steps |= {"type_code_during_outage", "type_code_after_failed_resend"}
    steps |= {"let_time_pass", "opt_out", "opt_in", "fail_next_delivery", "fail_next_call", "lose_next_response"}
    assert {*re.findall(r"%, step (\w+)", told)} == steps
    assert {"SUCCESSFUL", "OPT_OUT", "ReadTimeoutError"} <= {*re.findall(r"%, SendOTPMessage (\w+)", told)}
    assert {"VALID", "WRONG_CODE"} <= {*re.findall(r"%, judged (\w+)", told)}


@pytest.mark.parametrize(
    ("requested", "checked", "told"),
    [
        (True, True, {"told that a text is on its way", "let in"}),
        (False, False, {"told that no text is on its way", "refused"}),
        (None, None, {"told that no text is on its way", "could not tell"}),
    ],
)
def test_statistics_tell_what_the_application_said(
    pytester: pytest.Pytester, requested: object, checked: object, told: set[str]
) -> None:
    result = run(
        pytester,
        "-p",
        "hypothesispytest",
        "--hypothesis-show-statistics",
        test_it=f"""
            import hypothesis
            from hypothesis.stateful import rule
            from pytest_pinpoint_otp.stateful import OTPStateMachine

            class Machine(OTPStateMachine):
                properties = []
                may_test_nothing = True

                def request_code(self, phone):
                    return {requested}

                def check_code(self, phone, code):
                    return {checked}

                @rule()
                def guess(self):
                    self.type_code(self.phones[0], "123456")

            TestMachine = Machine.TestCase
            TestMachine.settings = hypothesis.settings(
                deadline=None, derandomize=True, database=None, max_examples=5, stateful_step_count=30
            )
        """,
    )

    passes(result, passed=1)
    assert {*re.findall(r"%, (told .*|let in|refused|could not tell)$", result.stdout.str(), re.MULTILINE)} == told


# -- Rule by rule ------------------------------------------------------------------------------------------------------

Start = Callable[..., Any]


@pytest.fixture
def start() -> Iterator[Start]:
    """A function that starts a machine, as a failing example that is pasted does."""
    started = []

    def start(application: Callable[[], Any] = Application, leading_zeros: bool = False, **attributes: Any) -> Any:
        state = machine_of(application, **attributes)()
        state.start(seed=0, leading_zeros=leading_zeros)
        started.append(state)
        return state

    yield start
    for state in reversed(started):
        state.teardown()


def reasons(fake: PinpointOTP) -> list[str]:
    return [str(verification.reason) for verification in fake.verifications]


def calls(fake: PinpointOTP) -> list[tuple[str, str | None]]:
    return [(call.operation[:4], call.outcome) for call in fake.calls]


def test_a_run_has_a_fake_of_its_own_and_an_application_made_afresh(start: Start) -> None:
    first = start()
    first.request(PHONE)
    first.teardown()
    second = start()

    assert second.fake is not first.fake
    assert second.fake is active_pinpoint_otp()
    assert second.application is not first.application
    second.fake.assert_not_called()
    assert first.fake.messages


def test_the_seed_decides_the_codes_and_zeros_may_lead(start: Start) -> None:
    drawn = []
    for leading_zeros in (False, False, True):
        state = start(leading_zeros=leading_zeros)
        state.request(PHONE)
        state.request(PHONE)
        drawn.append([message.code for message in state.fake.messages])

    assert drawn[0] == drawn[1]
    assert [code[0] for code in drawn[2]] == ["0", "0"]
    assert len(set(drawn[2])) == 2


def test_options_are_those_of_the_fake_with_the_seed_mixed_in(start: Start) -> None:
    plain = start(options={"code_length": 8})
    seeded = start(options={"code_length": 8, "seed": "spring"})
    codes = [plain.fake.issue(PHONE, application_id="a", reference_id="b").code]
    codes.append(seeded.fake.issue(PHONE, application_id="a", reference_id="b").code)

    assert [len(code) for code in codes] == [8, 8]
    assert codes[0] != codes[1]


def test_the_user_asks_and_types_right_wrong_and_old_codes(start: Start) -> None:
    state = start()
    state.request(PHONE)
    state.request(PHONE)
    state.type_old_code(PHONE, index=1)
    state.type_wrong_codes(PHONE, times=1)
    state.type_right_code(PHONE, answer_is_lost=False)
    state.type_old_code(PHONE, index=0)
    state.type_old_code(PHONE, index=3)

    assert reasons(state.fake) == ["SUPERSEDED", "WRONG_CODE", "VALID", "ALREADY_VERIFIED", "ALREADY_VERIFIED"]
    first, second = state.fake.messages
    assert [one.otp for one in state.fake.verifications[2:]] == [second.code, second.code, first.code]


def test_guesses_go_on_through_resends(start: Start) -> None:
    state = start()
    state.guess_through_resends(PHONE, resends=2)

    assert calls(state.fake) == [("Send", "SUCCESSFUL"), *[("Veri", "INVALID")] * 3] * 2


def test_nobody_guesses_before_there_was_a_text(start: Start) -> None:
    state = start()
    state.opt_out(PHONE)
    state.guess_through_resends(PHONE, resends=2)

    assert calls(state.fake) == [("Send", "OPT_OUT")] * 2


def test_phones_opt_out_and_in_and_time_passes(start: Start) -> None:
    state = start()
    state.opt_out(OTHER)
    state.request(OTHER)
    state.request(PHONE)
    state.opt_in(OTHER)
    state.request(OTHER)
    state.let_time_pass(minutes=15)
    state.type_right_code(OTHER, answer_is_lost=False)

    assert [outcome for _, outcome in calls(state.fake)] == ["OPT_OUT", "SUCCESSFUL", "SUCCESSFUL", "INVALID"]
    assert reasons(state.fake) == ["EXPIRED"]


def test_the_next_delivery_call_or_answer_fails_and_the_newest_failure_counts(start: Start) -> None:
    state = start()
    state.fail_next_call("VerifyOTPMessage", "TooManyRequestsException")
    state.fail_next_delivery("THROTTLED")
    state.request(PHONE)
    state.fail_next_delivery("OPT_OUT")
    state.fail_next_call("SendOTPMessage", "InternalServerErrorException")
    state.request(PHONE)
    state.lose_next_response("SendOTPMessage")
    state.request(PHONE)
    state.type_right_code(PHONE, answer_is_lost=False)

    outcomes = [[attempt.outcome for attempt in call.attempts] for call in state.fake.calls]
    assert outcomes == [
        ["THROTTLED"],
        ["InternalServerErrorException"] * 3,
        ["ReadTimeoutError", "SUCCESSFUL"],
        ["TooManyRequestsException"],
    ]
    assert len(state.fake.messages) == 2


def test_what_a_run_leaves_unused_is_no_mistake() -> None:
    state = machine_of(Application)()
    state.start(seed=0, leading_zeros=False)
    state.fail_next_delivery("THROTTLED")

    state.teardown()

    with pytest.raises(RuntimeError):
        active_pinpoint_otp()


# -- What is no mistake ------------------------------------------------------------------------------------------------


def test_a_right_code_of_a_text_that_the_application_never_learnt_of_may_be_refused(start: Start) -> None:
    state = start(SendsOnce)
    state.request(PHONE)
    state.lose_next_response("SendOTPMessage")
    state.request(PHONE)
    state.type_right_code(PHONE, answer_is_lost=False)

    assert len(state.fake.messages) == 2
    assert reasons(state.fake) == ["WRONG_CODE"]


def test_an_answer_that_was_lost_leaves_the_user_with_a_used_code_and_no_mistake(start: Start) -> None:
    state = start()
    state.request(PHONE)
    state.type_right_code(PHONE, answer_is_lost=True)
    state.type_right_code(PHONE, answer_is_lost=False)

    assert reasons(state.fake) == ["VALID", "ALREADY_VERIFIED"]


def test_a_phone_that_is_locked_out_may_be_refused_its_right_code(start: Start) -> None:
    state = start()
    state.guess_through_resends(PHONE, resends=2)
    state.request(PHONE)
    state.type_right_code(PHONE, answer_is_lost=False)

    assert len(state.fake.verifications) == 6


def test_a_text_that_replaced_another_though_its_answer_was_lost_lets_in(start: Start) -> None:
    state = start()
    state.lose_next_response("SendOTPMessage")
    state.request(PHONE)
    state.type_old_code(PHONE, index=1)
    state.type_right_code(PHONE, answer_is_lost=False)

    assert reasons(state.fake) == ["SUPERSEDED", "VALID"]


def test_guesses_of_long_ago_and_of_others_do_not_count(start: Start) -> None:
    state = start(ForgetsGuesses, max_guesses=3, guess_window=timedelta(minutes=30))
    state.request(PHONE)
    state.request(OTHER)
    state.type_wrong_codes(PHONE, times=3)
    state.type_wrong_codes(OTHER, times=3)
    state.let_time_pass(minutes=60)
    state.request(PHONE)
    state.type_wrong_codes(PHONE, times=3)
    state.request(PHONE)

    with pytest.raises(AssertionError, match=r"guesses_are_limited: 4 wrong codes for \+12025550101 reached"):
        state.type_wrong_codes(PHONE, times=1)


def test_a_guess_counts_until_the_window_is_over_and_not_at_its_end(start: Start) -> None:
    with time_machine.travel(datetime(2030, 1, 1, tzinfo=UTC), tick=False):
        state = start(ForgetsGuesses, max_guesses=1, guess_window=timedelta(minutes=5))
        state.request(PHONE)
        state.type_wrong_codes(PHONE, times=1)
        state.let_time_pass(minutes=5)
        state.type_wrong_codes(PHONE, times=1)
        state.fake.advance(timedelta(minutes=5) - timedelta(microseconds=1))
        with pytest.raises(AssertionError, match="guesses_are_limited: 2 wrong codes"):
            state.type_wrong_codes(PHONE, times=1)


def test_a_right_code_ends_a_series_of_guesses(start: Start) -> None:
    state = start(max_guesses=2)
    for _ in range(3):
        state.request(PHONE)
        state.type_wrong_codes(PHONE, times=2)
        state.type_right_code(PHONE, answer_is_lost=False)

    assert reasons(state.fake) == ["WRONG_CODE", "WRONG_CODE", "VALID"] * 3


def test_a_lost_answer_and_a_refused_right_code_are_told_apart(start: Start) -> None:
    lost = start(RepeatsVerifications)
    lost.request(PHONE)
    with pytest.raises(AssertionError, match=r"retry_does_not_lock_out: .* before its answer was lost"):
        lost.type_right_code(PHONE, answer_is_lost=True)

    refused = start(RefusesEverybody)
    refused.request(PHONE)
    with pytest.raises(AssertionError, match=r"right_code_lets_in: .* that was the live code"):
        refused.type_right_code(PHONE, answer_is_lost=False)


# -- What is a mistake -------------------------------------------------------------------------------------------------


class TypesTheCodeForTheUser(Application):
    def verify(self, phone: str, code: str) -> bool:
        return super().verify(phone, active_pinpoint_otp().code_for(phone))


class GoesOnToTheNextReferenceAnyway(AsksWithAnotherReferenceEachTime):
    def reference(self, phone: str) -> str:
        return f"log-in-{self.number}"


class RefusesAndSendsOnce(RefusesEverybody):
    sender = ONCE


def test_a_code_that_the_application_made_right_lets_nobody_in(start: Start) -> None:
    state = start(TypesTheCodeForTheUser)
    state.request(PHONE)

    with pytest.raises(AssertionError, match="refused_code_lets_nobody_in"):
        state.type_wrong_codes(PHONE, times=1)


def test_a_code_of_another_phone_that_was_accepted_for_that_one_lets_nobody_in(start: Start) -> None:
    state = start(AcceptsCodesOfOthers)
    state.request(PHONE)
    state.request(OTHER)

    with pytest.raises(AssertionError, match="refused_code_lets_nobody_in"):
        state.type_code_of_another_phone(PHONE)
    assert [(one.destination, one.valid) for one in state.fake.verifications] == [(OTHER, True)]


def test_a_code_that_lets_in_a_second_time_is_told_apart_from_one_that_was_never_right(start: Start) -> None:
    state = start(RemembersCodes)
    state.request(PHONE)
    state.type_right_code(PHONE, answer_is_lost=False)

    with pytest.raises(AssertionError, match=r"code_works_once: .* for the second time"):
        state.type_right_code(PHONE, answer_is_lost=False)


def test_a_code_that_is_no_longer_alive_is_no_guess(start: Start) -> None:
    state = start(ForgetsGuesses, max_guesses=1)
    state.request(PHONE)
    state.let_time_pass(minutes=15)
    state.type_right_code(PHONE, answer_is_lost=False)
    state.type_right_code(PHONE, answer_is_lost=False)

    assert reasons(state.fake) == ["EXPIRED", "EXPIRED"]


def test_a_reference_is_not_to_be_given_up_before_the_next_text_is_on_its_way(start: Start) -> None:
    state = start(GoesOnToTheNextReferenceAnyway)
    state.request(PHONE)
    state.fail_next_delivery("THROTTLED")
    state.request(PHONE)

    with pytest.raises(AssertionError, match=r"right_code_lets_in: .* the service was asked about"):
        state.type_right_code(PHONE, answer_is_lost=False)
    assert reasons(state.fake) == ["NEVER_SENT"]


def test_a_right_code_is_not_to_be_refused_where_the_answer_to_its_send_was_lost(start: Start) -> None:
    state = start(RefusesAndSendsOnce)
    state.lose_next_response("SendOTPMessage")
    state.request(PHONE)

    with pytest.raises(AssertionError, match="right_code_lets_in"):
        state.type_right_code(PHONE, answer_is_lost=False)
