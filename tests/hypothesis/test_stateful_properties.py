"""What passes by doing nothing, and what is only seen where somebody looks: each property of the machine by itself."""

# ruff: noqa: D101, D102 - the applications' mistakes are their names

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import phonenumbers
import pytest
import time_machine
from botocore.exceptions import BotoCoreError, ClientError
from effort import THOROUGH
from helpers import send_status, verify
from hypothesis import Phase, settings
from hypothesis.errors import UnsatisfiedAssumption
from hypothesis.stateful import run_state_machine_as_test
from log_ins import ONCE, OTHER, PHONE, Application, fixed, machine_of

from pytest_pinpoint_otp import LostResponse, active_pinpoint_otp
from pytest_pinpoint_otp.stateful import PHONES, OTPStateMachine
from pytest_pinpoint_otp.stateful.rules import RULES
from pytest_pinpoint_otp.stateful.tally import Tally

Start = Callable[..., Any]


@pytest.fixture
def start() -> Iterator[Start]:
    """A function that starts a machine, as a failing example that is pasted does."""
    started = []

    def start(application: Callable[[], Any] = Application, **attributes: Any) -> Any:
        state = machine_of(application, **attributes)()
        state.start(seed=0, leading_zeros=False)
        started.append(state)
        return state

    yield start
    for state in reversed(started):
        state.teardown()


# -- What passes by doing nothing --------------------------------------------------------------------------------------


class ForgetsToReturnTheRequest(Application):
    def request_code(self, phone: str) -> bool:
        super().request_code(phone)
        return None  # type: ignore[return-value]


class SaysThatNothingWasSent(Application):
    def request_code(self, phone: str) -> bool:
        super().request_code(phone)
        return False


class ForgetsToReturnTheCheck(Application):
    def check_code(self, phone: str, code: str) -> bool | None:
        super().check_code(phone, code)
        return None


class LetsNobodyIn(Application):
    def check_code(self, phone: str, code: str) -> bool | None:
        return False


class KeepsItsReferences(Application):
    """A log-in with a reference for each text, which it learns when the send is answered."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self.references: dict[str, str] = {}

    def send(self, phone: str) -> str:
        self.number += 1
        reference = f"log-in-{self.number}"
        status = send_status(self.sender, DestinationIdentity=phone, ReferenceId=reference)
        if status == "SUCCESSFUL":
            self.keep(phone, reference)
        return status

    def keep(self, phone: str, reference: str) -> None:
        self.references[phone] = reference

    def reference(self, phone: str) -> str:
        return self.references.get(phone, "none")


class KeepsTheFirstReference(KeepsItsReferences):
    def keep(self, phone: str, reference: str) -> None:
        self.references.setdefault(phone, reference)


class KeepsTheReferenceBeforeTheSend(KeepsItsReferences):
    def send(self, phone: str) -> str:
        self.references[phone] = f"log-in-{self.number + 1}"
        return super().send(phone)


@pytest.mark.parametrize(
    ("mistaken", "message"),
    [
        (ForgetsToReturnTheRequest, r"sent_text_is_reported: .* Is a return missing in request_code\?\n"),
        (SaysThatNothingWasSent, r"sent_text_is_reported: request_code\(.*\) returned False, but a text reached"),
        (ForgetsToReturnTheCheck, r"happy_path_lets_in: .* Is a return missing in check_code\?\n"),
        (
            LetsNobodyIn,
            r"(happy_path_lets_in|errors_do_not_lock_out): check_code\(.*\) returned False, but that was the live code",
        ),
        (KeepsTheFirstReference, "right_code_lets_in"),
        (KeepsTheReferenceBeforeTheSend, "right_code_lets_in"),
    ],
)
def test_what_used_to_pass_by_doing_nothing_is_found(mistaken: type[Application], message: str) -> None:
    with pytest.raises(AssertionError, match=rf"(?s)^{message}"):
        run_state_machine_as_test(machine_of(mistaken), settings=fixed)


@pytest.mark.parametrize("phone", PHONES)
def test_the_machines_phones_are_valid_and_kept_for_fiction(phone: str) -> None:
    number = phonenumbers.parse(phone)

    assert phonenumbers.is_valid_number(number)
    assert str(number.national_number)[3:8] == "55501"


@pytest.mark.parametrize(("mistaken", "missing"), [(LetsNobodyIn, "nobody was let in"), (Application, "no text")])
def test_a_whole_test_fails_in_which_nobody_is_let_in_or_texted(mistaken: type[Application], missing: str) -> None:
    # Left out, so that nothing else sees it.
    chosen = {*OTPStateMachine.properties} - {"happy_path_lets_in", "errors_do_not_lock_out", "sent_text_is_reported"}

    class Machine(machine_of(mistaken, properties=chosen)):  # type: ignore[misc]
        def request_code(self, phone: str) -> bool:
            if missing == "no text":
                self.application.request_code("+12025550199")
                return False
            return super().request_code(phone)

    message = rf"^Nothing is tested: in 8 runs, {missing}.*If that is on purpose, set may_test_nothing = True"
    drawn = settings(fixed, max_examples=8)
    with pytest.raises(AssertionError, match=message):
        run_state_machine_as_test(Machine, settings=drawn)

    run_state_machine_as_test(type("OnPurpose", (Machine,), {"may_test_nothing": True}), settings=drawn)


def test_properties_of_requests_alone_need_nobody_to_be_let_in() -> None:
    chosen = ["failed_delivery_is_not_reported_as_sent", "one_text_per_request"]
    run_state_machine_as_test(machine_of(LetsNobodyIn, properties=chosen), settings=settings(fixed, max_examples=10))


def test_a_test_in_which_somebody_was_let_in_is_not_one_of_nothing_later() -> None:
    machine = machine_of(Application)
    drawn = settings(fixed, max_examples=100 if THOROUGH else 6)
    run_state_machine_as_test(machine, settings=drawn)
    run_state_machine_as_test(machine, settings=drawn)


def test_a_run_that_found_something_else_is_not_said_to_test_nothing() -> None:
    chosen = {*OTPStateMachine.properties} - {"happy_path_lets_in"}

    class SaysSentAndLetsNobodyIn(LetsNobodyIn):
        def request_code(self, phone: str) -> bool:
            super().request_code(phone)
            return True

    machine = machine_of(SaysSentAndLetsNobodyIn, properties=chosen)
    with pytest.raises(AssertionError, match=r"^failed_delivery_is_not_reported_as_sent"):
        run_state_machine_as_test(machine, settings=settings(machine.TestCase.settings, database=None, max_examples=30))


def test_the_shorter_runs_of_one_that_failed_are_not_said_to_test_nothing() -> None:
    class BreaksAtTheFourthRequest(LetsNobodyIn):
        requests = 0

        def request_code(self, phone: str) -> bool:
            self.requests += 1
            if self.requests == 4:
                raise OSError("disk full")
            return super().request_code(phone)

    chosen = {*OTPStateMachine.properties} - {"happy_path_lets_in", "errors_do_not_lock_out"}
    machine = machine_of(BreaksAtTheFourthRequest, properties=chosen)
    shrunk = settings(fixed, phases=[Phase.generate, Phase.shrink], max_examples=3)
    with pytest.raises(OSError, match="disk full"):
        run_state_machine_as_test(machine, settings=shrunk)


@pytest.mark.parametrize(
    ("ends", "complains"),
    [
        ([None], False),
        ([None, None], True),
        ([None, KeyboardInterrupt()], False),
        ([None, UnsatisfiedAssumption(), None], True),
        ([None, AssertionError(), None], False),
    ],
)
def test_enough_runs_are_those_that_come_to_their_end(ends: list[BaseException | None], complains: bool) -> None:
    tally, excused = Tally(), Tally()
    tally.note_requested(texts=0, had_to=True)
    excused.note_requested(texts=0, had_to=False)
    for raised in ends:
        tally.note_end(raised)
        excused.note_end(raised)

    assert bool(tally.complain(2)) is complains
    assert excused.complain(2) is None


def test_texts_that_cannot_come_are_not_missing() -> None:
    class Machine(machine_of(Application)):  # type: ignore[misc]
        def begin(self) -> None:
            super().begin()
            for phone in self.phones:
                self.fake.opt_out(phone)

    without = dict.fromkeys({*RULES} - {"request"})
    run_state_machine_as_test(type("Machine", (Machine,), without), settings=settings(fixed, max_examples=5))


# -- The happy path ----------------------------------------------------------------------------------------------------


@time_machine.travel(datetime(2026, 11, 26, 12, tzinfo=UTC), tick=False)
@pytest.mark.parametrize("excuse", ["a guess", "a failure", "time", "no text on its way"])
def test_a_right_code_may_be_refused_where_something_is_amiss(start: Start, excuse: str) -> None:
    class LetsNobodyInAndWaits(LetsNobodyIn):
        def request_code(self, phone: str) -> bool:
            return excuse != "no text on its way" and super().request_code(phone)

    state = start(LetsNobodyInAndWaits, may_test_nothing=True)
    text = state.request(PHONE)
    if excuse == "a guess":
        state.type_wrong_codes(PHONE, times=1)
    elif excuse == "a failure":
        state.opt_out(OTHER)
        state.request(OTHER)
        state.fail_next_call("VerifyOTPMessage", "TooManyRequestsException")
        verify_anything()
    elif excuse == "time":
        state.let_time_pass(minutes=1)
    else:
        text = state.fake.issue(PHONE, application_id="a1b2c3d4", reference_id="log-in")

    # Other properties than the happy path may see it, but for errors there was none too many.
    state.properties = ["happy_path_lets_in"]
    assert state.type_code(text) is False


def test_a_user_is_to_be_let_in_who_is_told_of_the_newest_text_alone(start: Start) -> None:
    class TellsTheFirstTime(LetsNobodyIn):
        told = True

        def request_code(self, phone: str) -> bool:
            super().request_code(phone)
            told, self.told = self.told, False
            return told

    state = start(TellsTheFirstTime, properties=["happy_path_lets_in"])
    state.request(PHONE)
    text = state.request(PHONE)

    assert state.type_code(text) is False


def verify_anything() -> None:
    with pytest.raises(ClientError):
        verify(ONCE, "123456")


def test_a_guess_for_somebody_else_is_no_excuse(start: Start) -> None:
    state = start(LetsNobodyIn)
    state.request(OTHER)
    state.type_wrong_codes(OTHER, times=1)
    text = state.request(PHONE)

    with pytest.raises(AssertionError, match="happy_path_lets_in"):
        state.type_code(text)


class LocksEverybody(Application):
    def check_code(self, phone: str, code: str) -> bool | None:
        return super().check_code(phone, code) if sum(self.guesses.values()) < 6 else False


class CountsTexts(Application):
    def request_code(self, phone: str) -> bool:
        self.guesses[phone] = self.guesses.get(phone, 0) + 1
        return super().request_code(phone)


def test_texts_lock_nobody_out(start: Start) -> None:
    state = start(CountsTexts)
    text = [state.request(PHONE) for _ in range(6)][-1]

    with pytest.raises(AssertionError, match=r"happy_path_lets_in: .*nobody has guessed"):
        state.type_code(text)


@pytest.mark.proof
@pytest.mark.parametrize("mistaken", [LocksEverybody, CountsTexts])
def test_a_user_who_did_nothing_wrong_is_not_to_be_locked_out(mistaken: type[Application]) -> None:
    with pytest.raises(AssertionError, match=r"happy_path_lets_in|errors_do_not_lock_out"):
        run_state_machine_as_test(machine_of(mistaken), settings=fixed)


def test_guesses_of_others_lock_nobody_out(start: Start) -> None:
    state = start(LocksEverybody)
    with pytest.raises(AssertionError, match=r"happy_path_lets_in: .*nobody has guessed"):
        state.log_in_while_others_guess(PHONE, resends=2)


# -- Texts -------------------------------------------------------------------------------------------------------------


class TextsTwice(Application):
    def request_code(self, phone: str) -> bool:
        super().request_code(phone)
        return super().request_code(phone)


def test_one_request_is_one_text(start: Start) -> None:
    with pytest.raises(AssertionError, match=r"one_text_per_request: .* returned True, and 2 texts reached the phone"):
        start(TextsTwice).request(PHONE)


def test_a_text_that_botocore_repeats_since_an_answer_was_lost_is_not_a_second_one(start: Start) -> None:
    state = start()
    state.lose_next_response("SendOTPMessage")
    newest = state.request(PHONE)

    assert [newest] == state.fake.inbox(PHONE)[1:]


def test_texts_are_limited_where_a_number_is_given(start: Start) -> None:
    state = start(max_texts=3, text_window=timedelta(minutes=30))
    state.request_again_and_again(PHONE, times=3)
    state.request_again_and_again(OTHER, times=3)
    state.let_time_pass(minutes=60)
    state.request_again_and_again(PHONE, times=3)

    with pytest.raises(AssertionError, match=r"texts_are_limited: 4 texts reached \+12025550101 within 0:30:00"):
        state.request(PHONE)


@time_machine.travel(datetime(2026, 11, 26, 12, tzinfo=UTC), tick=False)
def test_a_text_counts_until_it_is_as_old_as_the_window_is_long(start: Start) -> None:
    state = start(max_texts=1)
    state.request(PHONE)
    # An hour, by default.
    state.let_time_pass(minutes=60)
    state.request(PHONE)
    assert len(state.fake.messages) == 2

    state.fake.advance(timedelta(hours=1) - timedelta(microseconds=1))
    with pytest.raises(AssertionError, match=r"texts_are_limited: 2 texts reached \S+ within 1:00:00"):
        state.request(PHONE)


def test_a_text_that_botocore_repeats_does_not_count(start: Start) -> None:
    state = start(max_texts=2)
    state.lose_next_response("SendOTPMessage")
    state.request(PHONE)
    state.request(PHONE)

    assert len(state.fake.messages) == 3


def test_the_machine_runs_up_the_bill_where_a_number_is_given() -> None:
    with pytest.raises(AssertionError, match="texts_are_limited: 21 texts"):
        run_state_machine_as_test(machine_of(Application, max_texts=20), settings=fixed)


def test_any_number_of_texts_is_right_by_default(start: Start) -> None:
    state = start()
    for _ in range(30):
        state.request(PHONE)

    assert len(state.fake.messages) == 30


class WaitsForTheFirstText(Application):
    """Within a cool-down of a minute, a code is already on its way: while it lives."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, datetime] = {}

    def request_code(self, phone: str) -> bool:
        now = active_pinpoint_otp().now()
        if phone in self.sent and now - self.sent[phone] < timedelta(minutes=1):
            return True
        told = super().request_code(phone)
        if told:
            self.sent[phone] = now
        return told

    def check_code(self, phone: str, code: str) -> bool | None:
        let_in = super().check_code(phone, code)
        if let_in is not False or self.guesses[phone] % 3 == 0:
            self.sent.pop(phone, None)
        return let_in


class WaitsThoughTheCodeIsDead(WaitsForTheFirstText):
    def check_code(self, phone: str, code: str) -> bool | None:
        return Application.check_code(self, phone, code)


def test_a_text_may_be_already_on_its_way_while_it_lives(start: Start) -> None:
    state = start(WaitsForTheFirstText)
    text = state.request(PHONE)

    assert state.request(PHONE) is None
    assert state.type_code(text)
    assert len(state.fake.messages) == 1


def test_a_text_is_not_already_on_its_way_whose_code_is_dead(start: Start) -> None:
    state = start(WaitsThoughTheCodeIsDead)
    state.request(PHONE)
    state.type_wrong_codes(PHONE, times=3)

    message = "^failed_delivery_is_not_reported_as_sent: .*, and the code of the earlier one is no longer alive[.]"
    with pytest.raises(AssertionError, match=message):
        state.request(PHONE)


def test_an_earlier_text_does_not_make_up_for_one_that_was_sent_and_not_delivered(start: Start) -> None:
    class SaysSent(Application):
        def request_code(self, phone: str) -> bool:
            super().request_code(phone)
            return True

    state = start(SaysSent)
    state.request(PHONE)
    state.fail_next_delivery("THROTTLED")

    with pytest.raises(AssertionError, match="failed_delivery_is_not_reported_as_sent"):
        state.request(PHONE)


# -- What is typed -----------------------------------------------------------------------------------------------------


class ReadsNumbers(Application):
    def verify(self, phone: str, code: str) -> bool:
        return super().verify(phone, f"{int(code):06}")


class LetsBlanksIn(Application):
    def check_code(self, phone: str, code: str) -> bool | None:
        return not code.strip() or super().check_code(phone, code)


class ReadsEverybodysDigits(Application):
    def verify(self, phone: str, code: str) -> bool:
        return super().verify(phone, unicodedata.normalize("NFKC", code).replace("-", "").strip() or "none")


@pytest.mark.parametrize(
    ("form", "typed"),
    [
        ("nothing", ""),
        ("blanks", "      "),
        ("zeros", "000000"),
        ("ascending digits", "123456"),
        ("letters", "abcdef"),
        ("one character more", "8094220"),
        ("blanks around", " 809422 "),
        ("a hyphen inside", "809-422"),
        ("full-width digits", "８０９４２２"),  # noqa: RUF001
        ("superscript digits", "⁸⁰⁹⁴²²"),
    ],
)
def test_people_write_codes_in_other_ways(start: Start, form: str, typed: str) -> None:
    seen = []

    class NotesCodes(Application):
        def check_code(self, phone: str, code: str) -> bool | None:
            seen.append(code)
            return False

    state = start(NotesCodes)
    text = state.request(PHONE)
    state.type_malformed_code(text, form)

    assert text.code == "809422"
    assert seen == [typed]


@pytest.mark.parametrize(("form", "left_in"), [("zeros", "000000"), ("ascending digits", "123456")])
def test_a_code_for_tests_that_was_left_in_is_found(start: Start, form: str, left_in: str) -> None:
    class LetsTestsIn(Application):
        def check_code(self, phone: str, code: str) -> bool | None:
            return code == left_in or super().check_code(phone, code)

    state = start(LetsTestsIn)
    text = state.request(PHONE)
    with pytest.raises(AssertionError, match=rf"^refused_code_lets_nobody_in: .*'{left_in}'\) returned True"):
        state.type_malformed_code(text, form)


def test_a_malformed_code_that_breaks_the_application_is_found() -> None:
    with pytest.raises(ValueError, match="invalid literal for int"):
        run_state_machine_as_test(machine_of(ReadsNumbers), settings=settings(fixed, report_multiple_bugs=False))


def test_a_malformed_code_that_lets_in_is_found() -> None:
    with pytest.raises(AssertionError, match=r"refused_code_lets_nobody_in: check_code\('.*', ' *'\) returned True"):
        run_state_machine_as_test(machine_of(LetsBlanksIn), settings=fixed)


@pytest.mark.parametrize("form", ["blanks around", "a hyphen inside", "full-width digits", "superscript digits"])
def test_an_application_may_read_a_code_in_the_way_it_was_meant(start: Start, form: str) -> None:
    state = start(ReadsEverybodysDigits)
    text = state.request(PHONE)
    state.type_malformed_code(text, form)

    assert state.fake.verifications[0].valid


# -- Outages -----------------------------------------------------------------------------------------------------------


class TakesOutagesForWrongCodes(Application):
    def check_code(self, phone: str, code: str) -> bool | None:
        return bool(super().check_code(phone, code))


class LocksOutByErrors(Application):
    most = 5

    def check_code(self, phone: str, code: str) -> bool | None:
        return super().check_code(phone, code) if self.guesses.get(phone, 0) < self.most else False


class SaysThatItCannotTell(LocksOutByErrors):
    def check_code(self, phone: str, code: str) -> bool | None:
        return super().check_code(phone, code) or None


def test_an_outage_is_not_a_wrong_code(start: Start) -> None:
    state = start(TakesOutagesForWrongCodes)
    text = state.request(PHONE)
    state.fail_next_call("VerifyOTPMessage", "TooManyRequestsException")

    message = r"outage_is_not_a_refusal: .* the service judged none \(TooManyRequestsException\)"
    with pytest.raises(AssertionError, match=message):
        state.type_code(text)


@pytest.mark.parametrize("answer", ["INVALID", LostResponse()])
def test_a_verdict_is_not_an_outage_nor_is_one_that_is_lost(start: Start, answer: Any) -> None:
    state = start(TakesOutagesForWrongCodes, properties=["outage_is_not_a_refusal"])
    text = state.request(PHONE)
    state.fake.inject(answer, operation="VerifyOTPMessage")

    assert state.type_code(text) is False


def test_errors_of_others_and_of_sends_do_not_count(start: Start) -> None:
    state = start(LocksOutByErrors, tolerated_errors=5)
    state.application.most = 100
    state.fake.inject("TooManyRequestsException", operation="SendOTPMessage", times=3)
    for _ in range(3):
        state.request(PHONE)
    state.type_code_during_outage(OTHER, "TooManyRequestsException", times=3)
    state.application.most = 2

    with pytest.raises(AssertionError, match="errors_do_not_lock_out"):
        state.type_code_during_outage(PHONE, "TooManyRequestsException", times=2)


def test_verdicts_are_not_among_the_errors_that_may_lock_out(start: Start) -> None:
    state = start(LocksOutByErrors, tolerated_errors=1, properties=["errors_do_not_lock_out"])
    state.request_and_type_code(PHONE)
    state.request_and_type_code(PHONE)
    state.application.most = 1

    with pytest.raises(AssertionError, match="errors_do_not_lock_out"):
        state.type_code_during_outage(PHONE, "TooManyRequestsException", times=1)


def test_a_wrong_code_may_be_called_wrong_in_an_outage(start: Start) -> None:
    state = start(TakesOutagesForWrongCodes)
    state.request(PHONE)
    state.fail_next_call("VerifyOTPMessage", "TooManyRequestsException")
    state.type_wrong_codes(PHONE, times=1)

    assert [call.outcome for call in state.fake.calls] == ["SUCCESSFUL", "TooManyRequestsException"]


def test_an_outage_is_shrunk_to_one_error() -> None:
    class OpensOnErrors(Application):
        def check_code(self, phone: str, code: str) -> bool | None:
            return super().check_code(phone, code) is not False

    others = dict.fromkeys({*RULES} - {"type_code_during_outage"})
    shrunk = settings(fixed, phases=[Phase.generate, Phase.shrink], max_examples=20)
    with pytest.raises(AssertionError, match=r"^refused_code_lets_nobody_in") as failed:
        run_state_machine_as_test(machine_of(OpensOnErrors, **others), settings=shrunk)

    assert any("times=1)" in note for note in failed.value.__notes__)


def test_errors_alone_lock_nobody_out(start: Start) -> None:
    state = start(LocksOutByErrors)
    with pytest.raises(AssertionError, match=r"errors_do_not_lock_out: .* only errors .InternalServerErrorException"):
        state.type_code_during_outage(PHONE, "InternalServerErrorException", times=5)


@pytest.mark.parametrize("excuse", ["many errors", "a lost answer", "a guess", "it says so"])
def test_errors_may_lock_out_who_was_not_alone_with_them(start: Start, excuse: str) -> None:
    state = start(SaysThatItCannotTell if excuse == "it says so" else LocksOutByErrors)
    if excuse == "many errors":
        state.type_code_during_outage(PHONE, "InternalServerErrorException", times=3)
        state.application.guesses[PHONE], state.application.most = 0, 6
        times = 6
    else:
        state.request(PHONE)
        times = 5
    if excuse == "a lost answer":
        state.type_right_code(PHONE, answer_is_lost=True)
    elif excuse == "a guess":
        state.type_wrong_codes(PHONE, times=1)
    state.type_code_during_outage(PHONE, "InternalServerErrorException", times=times)

    assert state.application.guesses[PHONE] >= 5


def test_a_refusal_in_an_outage_is_not_a_guess(start: Start) -> None:
    state = start(TakesOutagesForWrongCodes, properties=["guesses_are_limited"], max_guesses=1)
    state.request(PHONE)
    for _ in range(2):
        state.fail_next_call("VerifyOTPMessage", "TooManyRequestsException")
        state.type_wrong_codes(PHONE, times=1)
    state.type_wrong_codes(PHONE, times=1)

    assert [one.valid for one in state.fake.verifications] == [False]
    with pytest.raises(AssertionError, match="guesses_are_limited: 2 wrong codes"):
        state.type_wrong_codes(PHONE, times=1)


def test_a_check_that_only_fails_to_text_again_is_not_an_outage(start: Start) -> None:
    class TextsAgainInsteadOfChecking(Application):
        sender = ONCE

        def check_code(self, phone: str, code: str) -> bool | None:
            super().request_code(phone)
            return False

    state = start(TextsAgainInsteadOfChecking, properties=["outage_is_not_a_refusal"])
    text = state.request(PHONE)
    state.fail_next_call("SendOTPMessage", "TooManyRequestsException")

    assert state.type_code(text) is False
    assert [call.outcome for call in state.fake.calls] == ["SUCCESSFUL", "TooManyRequestsException"]


def test_an_outage_takes_the_place_of_a_failure_that_was_to_come(start: Start) -> None:
    state = start()
    state.fail_next_call("VerifyOTPMessage", "InternalServerErrorException")
    text = state.type_code_during_outage(PHONE, "TooManyRequestsException", times=1)

    assert [text] == state.fake.messages
    assert [call.outcome for call in state.fake.calls] == ["SUCCESSFUL", "TooManyRequestsException", "VALID"]


def test_an_outage_before_which_no_text_came_is_none(start: Start) -> None:
    state = start()
    state.opt_out(PHONE)

    assert state.type_code_during_outage(PHONE, "TooManyRequestsException", times=2) is None
    assert state.type_code_after_failed_resend(PHONE, "TooManyRequestsException") is None
    assert state.request_and_type_code_twice(PHONE) is None
    assert state.request_and_type_code(PHONE) is None
    assert state.type_code_of_another_phone(OTHER) is None
    assert {call.outcome for call in state.fake.calls} <= {"OPT_OUT"}


@pytest.mark.parametrize(
    ("mistaken", "message"),
    [
        (TakesOutagesForWrongCodes, "outage_is_not_a_refusal|retry_does_not_lock_out"),
        pytest.param(LocksOutByErrors, "errors_do", marks=pytest.mark.proof),
    ],
)
def test_the_machine_finds_what_outages_do(mistaken: type[Application], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        run_state_machine_as_test(machine_of(mistaken), settings=fixed)


# -- Rules that go all the way -----------------------------------------------------------------------------------------


def test_a_user_logs_in(start: Start) -> None:
    state = start()
    text = state.request_and_type_code(PHONE)

    assert text == state.fake.messages[0]
    assert [one.valid for one in state.fake.verifications] == [True]


def test_a_user_types_no_code_that_is_dead(start: Start) -> None:
    state = start()
    state.request(PHONE)
    state.let_time_pass(minutes=15)
    state.opt_out(PHONE)

    assert state.request_and_type_code(PHONE) is None
    assert state.fake.verifications == []


def test_about_as_many_users_are_let_in_as_there_are_runs() -> None:
    entries = []

    class NotesEntries(Application):
        def check_code(self, phone: str, code: str) -> bool | None:
            let_in = super().check_code(phone, code)
            entries[-1] += bool(let_in)
            return let_in

        def __init__(self) -> None:
            super().__init__()
            entries.append(0)

    run_state_machine_as_test(machine_of(NotesEntries), settings=settings(fixed, max_examples=100 if THOROUGH else 20))

    assert sum(entries) > len(entries) * 3 / 4


class LimitsNoGuesses(Application):
    def check_code(self, phone: str, code: str) -> bool | None:
        self.guesses.clear()
        return super().check_code(phone, code)


@pytest.mark.parametrize(
    ("steps", "guesses"),
    [
        ({"guess_through_resends"}, 15),
        ({"log_in_while_others_guess"}, 15),
        ({"request", "type_wrong_codes"}, 3),
    ],
    ids=["through resends", "for others", "for one text"],
)
def test_a_step_may_have_as_many_guesses_as_take_many_steps_otherwise(steps: set[str], guesses: int) -> None:
    others = dict.fromkeys({*RULES} - steps)
    machine = machine_of(LimitsNoGuesses, properties=["guesses_are_limited"], max_guesses=guesses - 1, **others)

    with pytest.raises(AssertionError, match=f"guesses_are_limited: {guesses} wrong codes"):
        # The start is one of these steps, so others of the fewest guesses would not add up to as many.
        run_state_machine_as_test(machine, settings=settings(fixed, stateful_step_count=4, max_examples=500))


def test_a_code_is_typed_again_whose_answer_was_lost(start: Start) -> None:
    state = start()
    text = state.request_and_type_code_twice(PHONE)

    assert [text] == state.fake.messages
    assert [one.reason for one in state.fake.verifications] == ["VALID", "ALREADY_VERIFIED"]
    assert [call.outcome for call in state.fake.calls] == ["SUCCESSFUL", "ReadTimeoutError", "INVALID"]


def test_a_resend_fails_and_the_code_before_it_is_typed(start: Start) -> None:
    state = start()
    text = state.type_code_after_failed_resend(PHONE, "TooManyRequestsException")

    assert [call.outcome for call in state.fake.calls] == ["SUCCESSFUL", "TooManyRequestsException", "VALID"]
    assert [text] == state.fake.messages


def test_the_code_of_another_phone_is_one_that_lives_or_is_asked_for(start: Start) -> None:
    state = start()
    asked = state.type_code_of_another_phone(PHONE)
    assert state.type_code_of_another_phone(PHONE) is None

    assert [asked] == state.fake.inbox(OTHER)
    assert {(one.destination, one.otp) for one in state.fake.verifications} == {(PHONE, asked.code)}


class KeepsTheReferenceOfWhoAskedLast(Application):
    def request_code(self, phone: str) -> bool:
        self.current = phone
        return super().request_code(phone)

    def reference(self, phone: str) -> str:
        return f"log-in-{self.current}"


def test_a_user_logs_in_while_others_ask(start: Start) -> None:
    state = start()
    text = state.log_in_while_others_ask(PHONE)
    state.opt_out(PHONE)
    assert state.log_in_while_others_ask(PHONE) is None

    assert [(one.otp, one.valid) for one in state.fake.verifications] == [(text.code, True)]
    assert len(state.fake.inbox(OTHER)) == 2
    with pytest.raises(AssertionError, match=r"^right_code_lets_in: check_code"):
        start(KeepsTheReferenceOfWhoAskedLast).log_in_while_others_ask(PHONE)


class StopsAfterErrors(Application):
    """A circuit breaker: after three errors, it cannot tell for five minutes."""

    def __init__(self) -> None:
        super().__init__()
        self.errors, self.until = 0, active_pinpoint_otp().now()

    def request_code(self, phone: str) -> bool:
        return active_pinpoint_otp().now() >= self.until and super().request_code(phone)

    def send(self, phone: str) -> str:
        return self.counted(super().send, phone)

    def verify(self, phone: str, code: str) -> bool:
        return self.counted(super().verify, phone, code)

    def counted(self, call: Callable[..., Any], *arguments: str) -> Any:
        try:
            answer = call(*arguments)
        except (ClientError, BotoCoreError):
            self.errors += 1
            if self.errors >= 3:
                self.until = active_pinpoint_otp().now() + timedelta(minutes=5)
            raise
        self.errors = 0
        return answer

    def check_code(self, phone: str, code: str) -> bool | None:
        return super().check_code(phone, code) if active_pinpoint_otp().now() >= self.until else None


class TextsAtMostFive(Application):
    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, int] = {}

    def request_code(self, phone: str) -> bool:
        self.texts[phone] = self.texts.get(phone, 0) + 1
        return self.texts[phone] <= 5 and super().request_code(phone)


class RefusesInvalidNumbers(Application):
    def request_code(self, phone: str) -> bool:
        return phonenumbers.is_valid_number(phonenumbers.parse(phone)) and super().request_code(phone)


@pytest.mark.parametrize(
    ("application", "attributes"),
    [
        (WaitsForTheFirstText, {}),
        (ReadsEverybodysDigits, {}),
        (StopsAfterErrors, {}),
        (TextsAtMostFive, {"max_texts": 5}),
        pytest.param(KeepsItsReferences, {}, marks=pytest.mark.proof),
        pytest.param(RefusesInvalidNumbers, {}, marks=pytest.mark.proof),
    ],
)
def test_the_machine_leaves_right_designs_alone(application: type[Application], attributes: dict[str, Any]) -> None:
    drawn = settings(fixed, derandomize=False, max_examples=100 if THOROUGH else 6)
    run_state_machine_as_test(machine_of(application, **attributes), settings=drawn)
