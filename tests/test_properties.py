"""Properties that hold for all inputs, and a machine that drives a real client and compares it with a model."""

# ruff: noqa: D102 - the rules of the machine are named as sentences

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import time_machine
from botocore.config import Config
from botocore.exceptions import ClientError
from helpers import APPLICATION, DESTINATION, ORIGINATION, OTHER_DESTINATION, send, send_status, verify
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, precondition, rule
from model import FAILED, Fault, Key, Model, is_phone_number, is_sender, refusal

from pytest_pinpoint_otp import Injection, mock_pinpoint_otp

CLIENT = boto3.client(
    "pinpoint",
    region_name="us-east-1",
    aws_access_key_id="testing",
    aws_secret_access_key="testing",
    config=Config(retries={"mode": "standard", "total_max_attempts": 2}),
)

# -- One property at a time --------------------------------------------------------------------------------------------

several = settings(max_examples=60, deadline=None)


@several
@given(st.integers())
@example(4)
@example(5)
@example(8)
@example(9)
def test_exactly_the_documented_code_lengths_are_accepted(length: int) -> None:
    with mock_pinpoint_otp() as fake:
        accepted = is_accepted(CodeLength=length)

    assert accepted == (length in (5, 6, 7, 8))
    assert [len(message.code) for message in fake.messages] == [length] * accepted


@several
@given(st.integers())
@example(4)
@example(5)
@example(60)
@example(61)
def test_exactly_the_documented_validity_periods_are_accepted(minutes: int) -> None:
    with mock_pinpoint_otp():
        assert is_accepted(ValidityPeriod=minutes) == (5 <= minutes <= 60)


@several
@given(st.integers())
@example(0)
@example(1)
@example(5)
@example(6)
def test_exactly_the_documented_allowed_attempts_are_accepted(attempts: int) -> None:
    with mock_pinpoint_otp():
        assert is_accepted(AllowedAttempts=attempts) == (1 <= attempts <= 5)


@several
@given(st.text(max_size=60) | st.from_regex(r"\+?[0-9]{0,17}"))
def test_exactly_the_numbers_in_e_164_are_accepted(destination: str) -> None:
    assume(encodes(destination))
    with mock_pinpoint_otp():
        assert is_accepted(DestinationIdentity=destination) == is_phone_number(destination)


@several
@given(st.text(max_size=20) | st.from_regex(r"\A[-0-9A-Za-z]{0,14}\Z"))
def test_exactly_numbers_and_sender_ids_are_accepted_as_origination(origination: str) -> None:
    assume(encodes(origination))
    with mock_pinpoint_otp():
        expected = is_phone_number(origination) or is_sender(origination)
        assert is_accepted(OriginationIdentity=origination) == expected


@several
@given(st.text(max_size=60))
@example("x" * 48)
@example("x" * 49)
def test_any_reference_of_1_to_48_characters_is_accepted_and_verifies(reference: str) -> None:
    assume(encodes(reference))
    with mock_pinpoint_otp() as fake:
        accepted = is_accepted(ReferenceId=reference)
        assert accepted == (1 <= len(reference) <= 48)
        if accepted:
            assert fake.messages[0].reference_id == reference
            assert verify(CLIENT, fake.code_for(DESTINATION), ReferenceId=reference)


@several
@given(st.text(max_size=25))
def test_any_brand_name_of_up_to_20_characters_ends_the_text(brand: str) -> None:
    assume(encodes(brand))
    with mock_pinpoint_otp() as fake:
        accepted = is_accepted(BrandName=brand)
        assert accepted == (len(brand) <= 20)
        if accepted:
            (message,) = fake.messages
            assert message.body == f"This is your One Time Password: {message.code} from {brand}"


@several
@given(st.text(min_size=1, max_size=30))
@example("a/ü b")
@example("%2F")
@example("..a")
def test_any_application_id_arrives_as_it_was_given(application: str) -> None:
    # botocore itself joins an ID of nothing but dots with the path.
    assume(encodes(application) and application.strip("."))
    with mock_pinpoint_otp() as fake:
        assert send(CLIENT, ApplicationId=application)["ApplicationId"] == application
        assert fake.calls[0].application_id == application


@several
@given(st.text(max_size=12))
def test_no_otp_but_the_code_is_ever_valid(otp: str) -> None:
    assume(encodes(otp))
    with mock_pinpoint_otp() as fake:
        send(CLIENT)
        assert verify(CLIENT, otp) == (otp == fake.code_for(DESTINATION))


@several
@given(st.one_of(st.text(), st.integers()), st.lists(st.integers(5, 8), min_size=1, max_size=12))
def test_codes_are_digits_of_the_length_asked_for_and_new_for_their_key(seed: str | int, lengths: list[int]) -> None:
    drawn = []
    for _ in range(2):
        with mock_pinpoint_otp(seed=seed) as fake:
            for length in lengths:
                send(CLIENT, CodeLength=length)
        drawn.append([message.code for message in fake.messages])

    assert drawn[0] == drawn[1]
    assert [len(code) for code in drawn[0]] == lengths
    assert len(set(drawn[0])) == len(lengths)
    assert set("".join(drawn[0])) <= set("0123456789")


@several
@given(
    st.lists(st.text("0123456789", min_size=5, max_size=8), min_size=1, max_size=8),
    st.integers(min_value=0, max_value=7),
)
def test_a_wrong_code_is_wrong_whatever_was_sent_and_queued(codes: list[str], sent: int) -> None:
    with mock_pinpoint_otp(assert_all_used=False) as fake:
        fake.queue_codes(*codes)
        for code in codes[: sent + 1]:
            send(CLIENT, CodeLength=len(code))
        wrong = fake.wrong_code(DESTINATION)

        assert len(wrong) == len(fake.code_for(DESTINATION))
        assert wrong not in codes
        assert wrong == fake.wrong_code(DESTINATION)
        assert not verify(CLIENT, wrong)
        assert fake.verifications[-1].reason == "WRONG_CODE"


@several
@given(
    minutes=st.integers(5, 60),
    elapsed=st.timedeltas(min_value=timedelta(0), max_value=timedelta(minutes=61)),
    frozen=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
)
def test_a_code_is_valid_exactly_as_long_as_its_validity_period(
    minutes: int, elapsed: timedelta, frozen: datetime
) -> None:
    with time_machine.travel(frozen.replace(tzinfo=UTC), tick=False), mock_pinpoint_otp() as fake:
        send(CLIENT, ValidityPeriod=minutes)
        fake.advance(elapsed)

        assert verify(CLIENT, fake.code_for(DESTINATION)) == (elapsed < timedelta(minutes=minutes))


@several
@given(
    outcomes=st.lists(st.sampled_from(["THROTTLED", "DUPLICATE", "SUCCESSFUL"]), min_size=1, max_size=4),
    times=st.integers(1, 3),
    after=st.integers(0, 4),
)
def test_an_injection_gives_its_sequence_so_many_times_after_so_many_calls(
    outcomes: list[str], times: int, after: int
) -> None:
    with mock_pinpoint_otp() as fake:
        injection = fake.inject(*outcomes, times=times, after=after)
        script = ["SUCCESSFUL"] * after + outcomes * times + ["SUCCESSFUL"] * 2

        assert [send_status(CLIENT) for _ in script] == script
        assert (injection.used, injection.remaining) == (len(outcomes) * times, 0)


def is_accepted(**parameters: Any) -> bool:
    """Tell whether a send is accepted; it must be refused by name and value if not."""
    try:
        return send_status(CLIENT, **parameters) == "SUCCESSFUL"
    except CLIENT.exceptions.BadRequestException as error:
        ((name, value),) = parameters.items()
        if not error.response["Error"]["Message"].startswith(f"{name} is {value!r}, "):
            raise
        return False


def encodes(text: str) -> bool:
    """Tell whether a text can travel: botocore itself cannot send lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


# -- The machine -------------------------------------------------------------------------------------------------------

START = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
DELIVERIES = [
    "SUCCESSFUL",
    "THROTTLED",
    "TEMPORARY_FAILURE",
    "PERMANENT_FAILURE",
    "UNKNOWN_FAILURE",
    "OPT_OUT",
    "DUPLICATE",
]
ERRORS = [
    "BadRequestException",
    "ForbiddenException",
    "NotFoundException",
    "InternalServerErrorException",
    "TooManyRequestsException",
]

applications = st.sampled_from([APPLICATION, "other"])
destinations = st.sampled_from([DESTINATION, OTHER_DESTINATION])
references = st.sampled_from(["sign-up", "log-in"])
keys = st.tuples(applications, destinations, references)
# Mostly within AWS's limits, at both ends, and sometimes just beyond.
options = st.fixed_dictionaries(
    {},
    optional={
        "CodeLength": st.sampled_from([5, 6, 6, 6, 7, 8, 9]),
        "ValidityPeriod": st.sampled_from([5, 15, 60, 60, 4]),
        "AllowedAttempts": st.sampled_from([1, 2, 5, 5, 6]),
        "Language": st.sampled_from(["de-DE", "es-419", "zh-TW", "en"]),
    },
)


class ServiceMachine(RuleBasedStateMachine):
    """Sends, verifications, time and faults, in any order."""

    injections = Bundle("injections")

    def __init__(self) -> None:
        super().__init__()
        self.travel = time_machine.travel(START, tick=False)
        self.travel.start()
        self.mock = mock_pinpoint_otp(assert_all_used=False)
        self.fake = self.mock.start()
        self.begin()

    def begin(self) -> None:
        self.model = Model()
        self.now = START
        self.handles: list[tuple[Injection, Fault]] = []

    def teardown(self) -> None:
        mistaken = FAILED in self.model.outcomes
        try:
            if mistaken:
                with pytest.raises(ValueError, match="The queued code"):
                    self.mock.stop()
            else:
                self.mock.stop()
        finally:
            self.travel.stop()

    @rule(key=keys, optional=options)
    def send(self, key: Key, optional: dict[str, Any]) -> None:
        application, destination, reference = key
        parameters: dict[str, Any] = {
            "BrandName": "Example",
            "Channel": "SMS",
            "DestinationIdentity": destination,
            "OriginationIdentity": ORIGINATION,
            "ReferenceId": reference,
            **optional,
        }
        expected = self.model.send(application, parameters)

        assert self.outcome_of(send_status, ApplicationId=application, **parameters) == expected
        if expected == "SUCCESSFUL":
            self.compare_text(key, optional)
        elif expected == "BadRequestException" and (refused := refusal(parameters)):
            assert str(self.fake.calls[-1].error_message).startswith(f"{refused} is {parameters[refused]!r}, ")

    def compare_text(self, key: Key, optional: dict[str, Any]) -> None:
        message = self.fake.messages[-1]
        assert (message.application_id, message.destination, message.reference_id) == key
        assert message.code_length == len(message.code) == optional.get("CodeLength", 6)
        assert message.validity_period == optional.get("ValidityPeriod", 15)
        assert message.allowed_attempts == optional.get("AllowedAttempts", 3)
        assert message.language == optional.get("Language")
        assert message.sent_at == self.now
        assert message.expires_at == self.now + timedelta(minutes=message.validity_period)
        if self.model.queue:
            assert message.code == self.model.queue.pop(0)
        else:
            assert message.code not in self.model.codes(key)
        self.model.deliver(key, message.code, self.now, message.validity_period, message.allowed_attempts)

    @rule(key=keys, code=st.none() | st.text("0123456789", min_size=5, max_size=8), allowed=st.integers(1, 5))
    def issue(self, key: Key, code: str | None, allowed: int) -> None:
        application, destination, reference = key
        message = self.fake.issue(
            destination, application_id=application, reference_id=reference, code=code, allowed_attempts=allowed
        )
        assert message == self.fake.messages[-1]
        assert message.code == code or code is None
        assert code is not None or message.code not in self.model.codes(key)
        self.model.deliver(key, message.code, self.now, 15, allowed)

    @rule(key=keys, pick=st.integers(0, 10))
    def verify_a_code_that_was_sent(self, key: Key, pick: int) -> None:
        # The newest code of the key is the likeliest, then its earlier ones, then other keys' codes.
        codes = self.model.codes(key)[::-1] + self.model.codes()
        self.verify(key, codes[pick % len(codes)] if codes else "000000")

    @rule(key=keys)
    def verify_the_right_code(self, key: Key) -> None:
        self.verify(key, (self.model.codes(key) or ["000000"])[-1])

    @rule(key=keys)
    @precondition(lambda self: self.model.codes())
    def verify_a_wrong_code(self, key: Key) -> None:
        wrong = self.fake.wrong_code()
        assert wrong not in self.model.codes()
        assert wrong not in self.model.queue
        self.verify(key, wrong)

    @rule(key=keys, otp=st.sampled_from(["", "12345", "abcdef", "0123456789"]))
    def verify_some_text(self, key: Key, otp: str) -> None:
        self.verify(key, otp)

    def verify(self, key: Key, otp: str) -> None:
        application, destination, reference = key
        expected = self.model.verify(key, otp, self.now)

        parameters = {"ApplicationId": application, "DestinationIdentity": destination, "ReferenceId": reference}
        assert self.outcome_of(verify, otp, **parameters) == {"VALID": True, "INVALID": False}.get(expected, expected)

    def outcome_of(self, call: Any, *arguments: Any, **parameters: Any) -> Any:
        """Return what a call gives the application: its result, an error's name, or that of a mistake of the test."""
        try:
            return call(CLIENT, *arguments, **parameters)
        except ClientError as error:
            return error.response["Error"]["Code"]
        except ValueError:
            return FAILED

    @rule(key=keys)
    @precondition(lambda self: self.fake.messages)
    def go_to_the_end_of_a_validity_period(self, key: Key) -> None:
        ends = [message.expires_at for message in self.fake.messages if message.expires_at > self.now]
        assume(ends)
        self.go_on(min(ends) - self.now)

    @rule(minutes=st.sampled_from([0, 1, 5, 15, 60]), microseconds=st.sampled_from([-1, 0, 1]))
    def wait(self, minutes: int, microseconds: int) -> None:
        self.go_on(max(timedelta(minutes=minutes, microseconds=microseconds), timedelta(0)))

    def go_on(self, duration: timedelta) -> None:
        self.fake.advance(duration)
        self.now += duration
        assert self.fake.now() == self.now

    @rule(
        target=injections,
        outcomes=st.lists(st.sampled_from(DELIVERIES + ERRORS), min_size=1, max_size=3),
        times=st.sampled_from([1, 1, 2, 3, None]),
        after=st.integers(0, 2),
        destination=st.none() | destinations,
        reference=st.none() | references,
    )
    def inject_into_sends(self, outcomes: list[str], **arguments: Any) -> Any:
        return self.inject(outcomes, "SendOTPMessage", **arguments)

    @rule(
        target=injections,
        outcomes=st.lists(st.sampled_from(ERRORS), min_size=1, max_size=2),
        times=st.sampled_from([1, 1, 2, None]),
        after=st.integers(0, 2),
        destination=st.none() | destinations,
        reference=st.none() | references,
    )
    def inject_into_verifications(self, outcomes: list[str], **arguments: Any) -> Any:
        return self.inject(outcomes, "VerifyOTPMessage", **arguments)

    def inject(
        self,
        outcomes: list[str],
        operation: str,
        times: int | None,
        after: int,
        destination: str | None,
        reference: str | None,
    ) -> Any:
        # Standing ones by and by answer everything: few of them at a time.
        assume(times is not None or sum(fault.left is None for _, fault in self.handles) < 2)
        injection = self.fake.inject(
            *outcomes, operation=operation, times=times, after=after, destination=destination, reference_id=reference
        )
        fault = self.model.inject(outcomes, operation, times, after, destination, reference)
        self.handles.append((injection, fault))
        return multiple((injection, fault))

    @rule(handle=consumes(injections))
    def cancel(self, handle: tuple[Injection, Fault]) -> None:
        injection, fault = handle
        injection.cancel()
        if fault in self.model.faults:
            self.model.faults.remove(fault)
        self.handles = [one for one in self.handles if one[0] is not injection]
        assert injection.remaining == 0

    @rule(number=destinations)
    def opt_out(self, number: str) -> None:
        self.fake.opt_out(number)
        self.model.opted_out.add(number)

    @rule(number=destinations)
    def opt_in(self, number: str) -> None:
        self.fake.opt_in(number)
        self.model.opted_out.discard(number)

    @rule(codes=st.lists(st.sampled_from(["012345", "111111", "999999", "00000", "01234567"]), min_size=1, max_size=2))
    def queue_codes(self, codes: list[str]) -> None:
        assume(len(self.model.queue) < 3)
        self.fake.queue_codes(*codes)
        self.model.queue += codes

    @rule()
    @precondition(lambda self: FAILED in self.model.outcomes)
    def reset(self) -> None:
        self.fake.reset()
        self.begin()

    @invariant()
    def the_records_agree_with_the_model(self) -> None:
        outcomes = [call.outcome for call in self.fake.calls]
        assert outcomes == ["ValueError" if outcome == FAILED else outcome for outcome in self.model.outcomes]
        assert [message.code for message in self.fake.messages] == self.model.codes()
        judged = [
            (one.application_id, one.destination, one.reference_id, one.otp, one.reason, one.attempts_left)
            for one in self.fake.verifications
        ]
        assert judged == [(*one.key, one.otp, one.reason, one.attempts_left) for one in self.model.judged()]
        assert all(one.valid == (one.reason == "VALID") for one in self.fake.verifications)

    @invariant()
    def the_handles_agree_with_the_model(self) -> None:
        for injection, fault in self.handles:
            assert (injection.used, injection.remaining) == (fault.used, fault.left)

    @invariant()
    def no_id_repeats(self) -> None:
        ids = [attempt.request_id for call in self.fake.calls for attempt in call.attempts]
        ids += [message.message_id for message in self.fake.messages]
        assert len(ids) == len(set(ids))


TestServiceMachine = ServiceMachine.TestCase
TestServiceMachine.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
