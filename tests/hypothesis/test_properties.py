"""Properties that hold for all inputs, each by itself; `test_proof` has them meet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import time_machine
from botocore.config import Config
from effort import examples
from helpers import DESTINATION, send, send_status, verify
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from model import is_phone_number, is_sender

from pytest_pinpoint_otp import mock_pinpoint_otp

CLIENT = boto3.client(
    "pinpoint",
    region_name="us-east-1",
    aws_access_key_id="testing",
    aws_secret_access_key="testing",
    config=Config(retries={"mode": "standard", "total_max_attempts": 2}),
)

several = settings(max_examples=examples(60))


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
