"""The strategies for phone numbers: real calling codes, numbers that validators accept, and others on purpose."""

from __future__ import annotations

import re
import sys
from collections import Counter
from random import Random
from typing import Any

import boto3
import pytest
from botocore.config import Config
from drawing import Drawing, draw, find, several
from effort import examples
from helpers import send_status
from hypothesis import given, settings

from pytest_pinpoint_otp import mock_pinpoint_otp
from pytest_pinpoint_otp.strategies import e164_numbers, phone_numbers
from pytest_pinpoint_otp.strategies.calling_codes import TEMPLATES

CLIENT = boto3.client(
    "pinpoint",
    region_name="us-east-1",
    aws_access_key_id="testing",
    aws_secret_access_key="testing",
    config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
)
FICTIONAL = "+12025550100"


@several
@given(phone_numbers() | e164_numbers())
def test_a_phone_number_is_one_that_the_service_sends_to(number: str) -> None:
    assert re.fullmatch(r"\+[1-9][0-9]{6,14}", number)
    with mock_pinpoint_otp() as fake:
        assert send_status(CLIENT, DestinationIdentity=number) == "SUCCESSFUL"
        fake.assert_sent(number, times=1)


def test_a_phone_number_is_one_that_validators_accept() -> None:
    phonenumbers = pytest.importorskip("phonenumbers")
    drawn = [phonenumbers.parse(number) for number in draw(phone_numbers(), examples(100))]

    assert all(map(phonenumbers.is_possible_number, drawn))
    # Countries change their numbering now and then.
    assert sum(map(phonenumbers.is_valid_number, drawn)) > 0.98 * len(drawn)
    assert len({number.country_code for number in drawn}) > 25


def test_phone_numbers_are_of_every_calling_code() -> None:
    phonenumbers = pytest.importorskip("phonenumbers")
    random = Random(1)
    codes: Counter[int] = Counter()
    for template in TEMPLATES:
        start = template.rstrip("x")
        ends = ["".join(random.choices("0123456789", k=len(template) - len(start))) for _ in range(20)]
        numbers = [phonenumbers.parse(start + end) for end in ends]
        codes[numbers[0].country_code] += sum(map(phonenumbers.is_valid_number, numbers))

    # Those that are no country's, such as satellites', have no region.
    countries = {code for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items() if regions != ("001",)}
    assert not codes.keys() - countries
    assert sum(1 for code in countries if codes[code]) > 0.98 * len(countries)


def test_a_phone_number_shrinks_to_a_fictional_one() -> None:
    assert find(phone_numbers()) == FICTIONAL
    assert find(phone_numbers(), lambda number: number != FICTIONAL) == "+12025550101"


def test_phone_numbers_have_7_to_15_digits_and_often_as_few_or_as_many_as_can_be() -> None:
    lengths = Counter(len(number.lstrip("+")) for number in draw(phone_numbers(), examples(200)))

    assert (min(lengths), max(lengths)) == (7, 15)
    assert min(lengths[7], lengths[15]) > 0.08 * lengths.total()


def test_numbers_in_e_164_are_any_and_shrink_to_a_short_one_of_small_digits() -> None:
    assert find(e164_numbers()) == "+1000000"
    assert find(e164_numbers(), lambda number: len(number) == 16) == "+100000000000000"

    def lengths(drawn: list[str]) -> set[int]:
        return {len(number.lstrip("+")) for number in drawn}

    drawn = Drawing(e164_numbers(), 200).until(lambda drawn: lengths(drawn) > {7, 15}, at_least=200)
    assert {7, 15} < lengths(drawn) <= {*range(7, 16)}


@pytest.mark.parametrize("region", ["US", "DE", "IT", "BR", "GB", "AC", "TA"])
def test_a_phone_number_of_a_region_is_valid_there(region: str) -> None:
    phonenumbers = pytest.importorskip("phonenumbers")

    @settings(several, max_examples=examples(20))
    @given(phone_numbers(region))
    def check(number: str) -> None:
        assert phonenumbers.is_valid_number_for_region(phonenumbers.parse(number), region)
        with mock_pinpoint_otp():
            assert send_status(CLIENT, DestinationIdentity=number) == "SUCCESSFUL"

    check()


def test_a_mobile_number_is_preferred_where_the_region_tells_them_apart() -> None:
    phonenumbers = pytest.importorskip("phonenumbers")
    kinds = {phonenumbers.number_type(phonenumbers.parse(number)) for number in draw(phone_numbers("DE"), 30)}

    assert kinds == {phonenumbers.PhoneNumberType.MOBILE}


@pytest.mark.parametrize(("region", "example"), [("US", "+12015550123"), ("GB", "+447400123456")])
def test_a_phone_number_of_a_region_shrinks_to_the_librarys_example(region: str, example: str) -> None:
    pytest.importorskip("phonenumbers")

    assert find(phone_numbers(region)) == example
    # Once is enough of it.
    assert len({*draw(phone_numbers(region), 60)}) > 40


@pytest.mark.parametrize(
    ("region", "error", "message"),
    [
        (49, TypeError, r"phone_numbers: region takes a str, not 49 \(int\)\."),
        ("us", ValueError, r"phone_numbers: there is no region 'us'\. Did you mean 'US'\?"),
        ("Germany", ValueError, r"phone_numbers: there is no region 'Germany'\. Choose from: AC, AD, "),
    ],
)
def test_a_region_that_is_none_is_refused(region: Any, error: type[Exception], message: str) -> None:
    pytest.importorskip("phonenumbers")

    with pytest.raises(error, match=message):
        phone_numbers(region)


def test_no_region_needs_no_phonenumbers_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phonenumbers", None)

    assert find(phone_numbers()) == FICTIONAL
    with pytest.raises(ModuleNotFoundError, match="phonenumbers"):
        phone_numbers("US")
