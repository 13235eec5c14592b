"""The strategies for codes and requests: what AWS takes or refuses, up to every limit; it shrinks and can be pasted."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from string import ascii_uppercase, digits
from typing import Any, get_args

import boto3
import pytest
from botocore.config import Config
from botocore.validate import ParamValidator
from drawing import Drawing, draw, fail_with, find, printed, several
from effort import THOROUGH, examples
from helpers import APPLICATION, DESTINATION, send_request, send_status, verify
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pytest_pinpoint_otp import mock_pinpoint_otp
from pytest_pinpoint_otp.strategies import (
    codes,
    invalid_send_parameters,
    invalid_verify_parameters,
    phone_numbers,
    reference_ids,
    send_parameters,
    typed_codes,
    verify_parameters,
)
from pytest_pinpoint_otp.strategies.pinpoint_requests import LimitedOfSend, LimitedOfVerification

CLIENT = boto3.client(
    "pinpoint",
    region_name="us-east-1",
    aws_access_key_id="testing",
    aws_secret_access_key="testing",
    config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
)


def shape_of(operation: str) -> Any:
    """Return botocore's model of an operation's parameters."""
    return CLIENT.meta.service_model.operation_model(operation).input_shape.members[f"{operation}RequestParameters"]


PARAMETERS = shape_of("SendOTPMessage")
REQUIRED = {"BrandName", "Channel", "DestinationIdentity", "OriginationIdentity", "ReferenceId"}
SHORT = {"BrandName": "", "DestinationIdentity": DESTINATION, "OriginationIdentity": "A", "ReferenceId": "1"}
"""Where only the other members matter."""
SMALLEST = {
    "Channel": "SMS",
    "BrandName": "",
    "DestinationIdentity": "+12025550100",
    "OriginationIdentity": "0",
    "ReferenceId": "0",
}
OPTIONAL = {"CodeLength", "ValidityPeriod", "AllowedAttempts", "Language", "EntityId", "TemplateId"}
WITHOUT_OPTIONAL = dict.fromkeys(OPTIONAL)
"""Where only the required members matter."""
LIMITED = sorted((REQUIRED | OPTIONAL) - {"EntityId", "TemplateId"})


@pytest.fixture(scope="module")
def runs_drawn() -> list[list[dict[str, Any]]]:
    """Many runs of a user's test of a send."""
    return [draw(send_parameters(), 100, run=run) for run in range(40 if THOROUGH else 10)]


@pytest.fixture(scope="module")
def parameters_drawn(runs_drawn: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Many parameters of a send."""
    return [parameters for run in runs_drawn for parameters in run]


@cache
def at_fault(*names: Any, count: int) -> Drawing:
    """Return refused parameters of a send in which one of these, by default any, is at fault, each with its name."""
    return Drawing(invalid_send_parameters(*names), count)


def send_with(parameters: dict[str, Any]) -> str:
    """Send with these parameters and return the delivery's status."""
    response = CLIENT.send_otp_message(ApplicationId=APPLICATION, SendOTPMessageRequestParameters=parameters)
    return response["MessageResponse"]["Result"][parameters["DestinationIdentity"]]["DeliveryStatus"]


def verify_with(parameters: dict[str, Any]) -> bool:
    """Verify with these parameters and return the verdict."""
    response = CLIENT.verify_otp_message(ApplicationId=APPLICATION, VerifyOTPMessageRequestParameters=parameters)
    return bool(response["VerificationResponse"]["Valid"])


def botocore_objects(parameters: dict[str, Any], shape: Any = PARAMETERS) -> bool:
    """Tell whether botocore's own validation has anything against these parameters."""
    return bool(ParamValidator().validate(parameters, shape).has_errors())


# -- Codes and references ----------------------------------------------------------------------------------------------


@several
@given(codes())
def test_a_code_is_one_that_the_service_can_send_and_judge(code: str) -> None:
    with mock_pinpoint_otp() as fake:
        fake.queue_codes(code)
        assert send_status(CLIENT, CodeLength=len(code)) == "SUCCESSFUL"
        assert verify(CLIENT, code)


@pytest.mark.parametrize(("code_type", "smallest"), [("NUMERIC", "0"), ("ALPHA", "A"), ("ALPHANUMERIC", "0")])
@pytest.mark.parametrize("length", [4, 5, 6, 7, 8])
def test_a_code_of_every_type_and_length_is_reached_and_shrinks(length: int, code_type: Any, smallest: str) -> None:
    assert find(codes(length, code_type)) == smallest * length
    if code_type != "NUMERIC" or length > 4:
        assert find(codes(code_type=code_type), lambda code: len(code) == length) == smallest * length


def test_digits_without_a_length_are_a_code_of_either_api() -> None:
    assert {len(code) for code in draw(codes(), 100)} == {5, 6, 7, 8}


@pytest.mark.parametrize(
    ("code_type", "characters"),
    [("NUMERIC", digits), ("ALPHA", ascii_uppercase), ("ALPHANUMERIC", digits + ascii_uppercase)],
)
def test_a_code_has_all_characters_of_its_type_and_no_others(code_type: Any, characters: str) -> None:
    drawn = Drawing(codes(8, code_type), 300).until(lambda drawn: {*"".join(drawn)} >= {*characters})

    assert {*"".join(drawn)} == {*characters}


@several
@given(codes(7))
def test_a_code_of_one_length_has_that_length(code: str) -> None:
    assert re.fullmatch("[0-9]{7}", code)


def test_leading_zeros_and_other_digits_are_reached() -> None:
    assert find(codes(6), lambda code: code[0] == "0" and int(code)) == "000001"
    assert find(codes(6), lambda code: code[0] == "9") == "900000"


NAMES = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")

TYPED = {
    "right": lambda code: re.fullmatch("[0-9]{6}", code),
    "too short": lambda code: re.fullmatch("[0-9]{1,5}", code),
    "too long": lambda code: re.fullmatch("[0-9]{7,14}", code),
    "empty": lambda code: not code,
    "blanks": lambda code: re.fullmatch(r"[0-9\s-]{6,}", code, re.ASCII) and not code.isalnum(),
    "letters": lambda code: re.search("[A-Za-z]", code),
    "other digits": lambda code: re.fullmatch(r"\d{6}", code) and not code.isascii(),
}
"""What users type where a code has six digits."""


def test_typed_codes_are_of_every_kind_in_equal_parts() -> None:
    # Beside something else: of itself, an empty one is drawn once only.
    drawn = [code for code, _ in draw(st.tuples(typed_codes(6), codes()), 700)]

    for is_of_kind in TYPED.values():
        assert sum(map(bool, map(is_of_kind, drawn))) > len(drawn) / 20
    for typed in ("", " ", "-", "\n", "\N{NO-BREAK SPACE}", "O", "l"):
        assert any(typed in code for code in drawn)
    assert find(typed_codes(6)) == "000000"
    assert {*map(len, draw(typed_codes(), 150))} > {0, 4, 5, 8, 9}


def test_a_code_may_have_blanks_or_a_hyphen_anywhere_and_the_digits_of_other_scripts() -> None:
    inside = {"000 000", "000-000", " " * 6}
    around = {" 000000", "000000 ", "000000\n", "\N{NO-BREAK SPACE}000000"}
    scripts = ("FULLWIDTH ", "ARABIC-INDIC ", "DEVANAGARI ")
    others = {unicodedata.lookup(f"{script}DIGIT {name}") for script in scripts for name in NAMES}

    def spaced(drawn: list[str]) -> set[str]:
        return {re.sub("[0-9]", "0", code) for code in drawn if TYPED["blanks"](code)}

    def foreign(drawn: list[str]) -> set[str]:
        return {digit for code in drawn if TYPED["other digits"](code) for digit in code}

    def are_reached(drawn: list[str]) -> bool:
        return spaced(drawn) >= inside and foreign(drawn) >= others

    drawn = Drawing(typed_codes(6), 700).until(are_reached, at_least=700)
    assert inside <= spaced(drawn) <= inside | around
    assert foreign(drawn) == others


@several
@given(typed_codes())
def test_the_service_judges_what_is_typed(typed: str) -> None:
    with mock_pinpoint_otp() as fake:
        fake.queue_codes("1234567")
        send_status(CLIENT, CodeLength=7)
        assert verify(CLIENT, typed) == (typed == "1234567")
        assert fake.verifications[-1].otp == typed


@pytest.mark.parametrize(
    ("length", "error", "message"),
    [
        ("6", TypeError, r"codes: length takes an int \(characters of a code\), not '6' \(str\)\."),
        (True, TypeError, r"codes: length takes an int \(characters of a code\), not True \(bool\)\."),
        (3, ValueError, r"codes: length is 3, but takes 4 to 8 \(characters of a code\)\."),
        (9, ValueError, r"codes: length is 9, but takes 4 to 8 \(characters of a code\)\."),
    ],
)
def test_a_length_that_no_code_has_is_refused(length: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        codes(length)
    with pytest.raises(error, match=f"typed_{message}"):
        typed_codes(length)


def test_a_type_that_no_code_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"codes: code_type is 'NUMERICAL'\. Did you mean 'NUMERIC'\?"):
        codes(code_type="NUMERICAL")


@several
@given(reference_ids())
def test_a_reference_is_one_that_the_service_takes_and_matches(reference: str) -> None:
    assert 1 <= len(reference) <= 48
    with mock_pinpoint_otp() as fake:
        assert send_status(CLIENT, ReferenceId=reference) == "SUCCESSFUL"
        assert verify(CLIENT, fake.code_for(DESTINATION), ReferenceId=reference)


def test_a_reference_reaches_both_limits_and_shrinks_to_one_character() -> None:
    assert find(reference_ids()) == "0"
    assert find(reference_ids(), lambda reference: len(reference) == 48) == "0" * 48


# -- Parameters of a send ----------------------------------------------------------------------------------------------


@several
@given(send_parameters())
def test_drawn_parameters_satisfy_botocore_and_the_service(parameters: dict[str, Any]) -> None:
    assert not botocore_objects(parameters)
    assert set(parameters) >= REQUIRED
    with mock_pinpoint_otp() as fake:
        assert send_with(parameters) == "SUCCESSFUL"
        message = fake.assert_sent(parameters["DestinationIdentity"])
        assert verify(
            CLIENT, message.code, DestinationIdentity=message.destination, ReferenceId=parameters["ReferenceId"]
        )


def test_the_members_are_those_of_botocores_model(parameters_drawn: list[dict[str, Any]]) -> None:
    assert set(PARAMETERS.members) == REQUIRED | OPTIONAL
    assert set(PARAMETERS.required_members) == REQUIRED
    assert set().union(*parameters_drawn) == REQUIRED | OPTIONAL


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_an_optional_member_is_sometimes_there_and_sometimes_not(
    parameters_drawn: list[dict[str, Any]], name: str
) -> None:
    assert any(name in parameters for parameters in parameters_drawn)
    assert any(OPTIONAL - parameters.keys() == {name} for parameters in parameters_drawn)


def has_length(name: str, length: int) -> Any:
    """Return what tells whether a text has a length."""
    return lambda parameters: len(parameters[name]) == length


@pytest.mark.parametrize(
    "is_reached",
    [
        *(
            pytest.param(lambda parameters, name=name, limit=limit: parameters.get(name) == limit, id=f"{name} {limit}")
            for name, limits in {"CodeLength": (5, 8), "ValidityPeriod": (5, 60), "AllowedAttempts": (1, 5)}.items()
            for limit in limits
        ),
        *(
            pytest.param(has_length(name, length), id=f"{name} of {length}")
            for name, lengths in {
                "BrandName": (0, 20),
                "ReferenceId": (1, 48),
                "OriginationIdentity": (1, 11),
                "DestinationIdentity": (8, 16),
            }.items()
            for length in lengths
        ),
    ],
)
def test_every_boundary_is_drawn_in_nearly_every_run(runs_drawn: list[list[dict[str, Any]]], is_reached: Any) -> None:
    assert sum(any(map(is_reached, run)) for run in runs_drawn) >= 0.9 * len(runs_drawn)


def is_long_lived(parameters: dict[str, Any]) -> bool:
    """Tell whether a send asks for a long code that lives long."""
    return parameters.get("CodeLength") == 8 and parameters.get("ValidityPeriod", 15) > 30


@pytest.mark.parametrize("run", range(60 if THOROUGH else 1))
def test_a_failing_send_has_no_member_that_does_not_matter(run: int) -> None:
    failing = fail_with(send_parameters(), is_long_lived, run)

    assert failing == {**SMALLEST, "CodeLength": 8, "ValidityPeriod": 31}


EUROPE = {"de-DE", "en-GB", "es-ES", "fr-FR", "it-IT"}
LANGUAGES = EUROPE | {"en-US", "es-419", "fr-CA", "ja-JP", "ko-KR", "pt-BR", "zh-CN", "zh-TW"}


def test_exactly_the_documented_languages_are_reached(parameters_drawn: list[dict[str, Any]]) -> None:
    assert {parameters.get("Language") for parameters in parameters_drawn} == {*LANGUAGES, None}


ORIGINATIONS = send_parameters(BrandName="", DestinationIdentity=DESTINATION, ReferenceId="1", **WITHOUT_OPTIONAL)


def test_an_origination_is_a_number_or_a_sender_id_of_up_to_11_characters() -> None:
    drawn = [parameters["OriginationIdentity"] for parameters in draw(ORIGINATIONS, 200)]

    assert {1, 11, 16} <= {*map(len, drawn)}
    assert any(re.fullmatch("[A-Za-z0-9-]{11}", origination) for origination in drawn)


@pytest.mark.parametrize("run", range(10 if THOROUGH else 1))
@pytest.mark.parametrize(
    ("strategy", "smallest"),
    [
        pytest.param(send_parameters(), SMALLEST, marks=pytest.mark.proof),
        (invalid_send_parameters(), ({**SMALLEST, "DestinationIdentity": ""}, "DestinationIdentity")),
    ],
    ids=["send_parameters", "invalid_send_parameters"],
)
def test_what_a_failing_test_shows_is_as_small_as_can_be(strategy: Any, smallest: Any, run: int) -> None:
    assert fail_with(strategy, lambda value: True, run) == smallest


def test_parameters_shrink_to_the_required_ones_with_short_values() -> None:
    assert find(send_parameters()) == SMALLEST


@several
@given(send_parameters(BrandName="Example", CodeLength=st.just(8), Language=None, ReferenceId=st.sampled_from("ab")))
def test_members_can_be_fixed_by_value_or_strategy_or_left_out(parameters: dict[str, Any]) -> None:
    assert parameters["BrandName"] == "Example"
    assert parameters["CodeLength"] == 8
    assert parameters["ReferenceId"] in ("a", "b")
    assert "Language" not in parameters


@pytest.mark.parametrize(
    ("fixed", "error", "message"),
    [
        ({"CodeLenght": 6}, TypeError, "there is no member 'CodeLenght'. Did you mean 'CodeLength'?"),
        ({"ApplicationId": "a"}, TypeError, "there is no member 'ApplicationId'. Choose from: AllowedAttempts, "),
        ({"ReferenceId": None}, ValueError, "ReferenceId is required, so it cannot be left out."),
    ],
)
def test_a_member_that_cannot_be_fixed_is_refused(fixed: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(f"send_parameters: {message}")):
        send_parameters(**fixed)


# -- Parameters that are refused ---------------------------------------------------------------------------------------


@settings(several, max_examples=examples(120))
@given(invalid_send_parameters())
def test_invalid_parameters_have_one_violation_which_the_service_names(invalid: tuple[dict[str, Any], str]) -> None:
    parameters, name = invalid
    valid = send_request()["SendOTPMessageRequestParameters"]
    assert not botocore_objects(parameters)
    with mock_pinpoint_otp() as fake:
        with pytest.raises(CLIENT.exceptions.BadRequestException) as refused:
            send_with(parameters)
        assert refused.value.response["Error"]["Message"].startswith(f"{name} is {parameters[name]!r}, ")
        fake.assert_not_sent()
        # With that one member made valid, or left out, nothing is wrong any more.
        cured = {**parameters, name: valid.get(name)}
        assert send_with({key: value for key, value in cured.items() if value is not None}) == "SUCCESSFUL"


@pytest.mark.parametrize("name", LIMITED)
def test_every_parameter_that_has_a_limit_is_violated(name: str) -> None:
    def is_violated(drawn: list[tuple[Any, str]]) -> bool:
        return any(violated == name for _, violated in drawn)

    assert is_violated(at_fault(count=400).until(is_violated))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("CodeLength", [4, 9]),
        ("ValidityPeriod", [4, 61]),
        ("AllowedAttempts", [0, 6]),
        ("ReferenceId", [""]),
        ("Channel", ["", "sms", "SMS\n"]),
        ("Language", ["", "EN-US", "en-US\n"]),
        ("DestinationIdentity", [""]),
        ("OriginationIdentity", ["", "twelveletter"]),
    ],
)
def test_a_violation_of_one_parameter_is_just_beyond_either_end_of_its_limit(name: Any, values: list[Any]) -> None:
    def are_reached(drawn: list[tuple[Any, str]]) -> bool:
        return not {*values} - {parameters[name] for parameters, _ in drawn}

    drawn = at_fault(name, count=80).until(are_reached)
    assert {violated for _, violated in drawn} == {name}
    assert are_reached(drawn)


@pytest.mark.parametrize(("name", "length"), [("BrandName", 21), ("ReferenceId", 49)])
def test_a_text_of_one_character_too_many_is_drawn(name: Any, length: int) -> None:
    def is_reached(drawn: list[tuple[Any, str]]) -> bool:
        return length in [len(parameters[name]) for parameters, _ in drawn]

    assert is_reached(at_fault(name, count=60).until(is_reached))


@pytest.mark.parametrize("name", ["DestinationIdentity", "OriginationIdentity"])
@pytest.mark.parametrize(
    "careless",
    [
        pytest.param(r"\+[1-9][0-9]{7,14}\n", id="a line break at the end, which $ lets pass"),
        pytest.param(r"\+[\uff10-\uff19]{7,15}", id="full-width digits, which isdigit lets pass"),
        pytest.param(r"\+[\u0660-\u0669]{7,15}", id="Arabic-Indic digits"),
        pytest.param(r"\+[1-9][0-9]{15}", id="16 digits"),
        pytest.param(r"\+[1-9]", id="one digit"),
    ],
)
def test_numbers_are_drawn_that_a_careless_check_lets_pass(name: str, careless: str) -> None:
    def is_reached(drawn: list[tuple[Any, str]]) -> bool:
        return any(re.fullmatch(careless, parameters[name]) for parameters, _ in drawn)

    assert is_reached(at_fault(name, count=400).until(is_reached))


def test_several_parameters_may_be_at_fault() -> None:
    names = {name for _, name in draw(invalid_send_parameters("CodeLength", "Language"), 40)}

    assert names == {"CodeLength", "Language"}


def test_exactly_the_parameters_that_have_a_limit_can_be_named() -> None:
    assert sorted(get_args(LimitedOfSend)) == LIMITED
    for name in get_args(LimitedOfSend):
        invalid_send_parameters(name)
    for name in get_args(LimitedOfVerification):
        invalid_verify_parameters(name)


@pytest.mark.parametrize(
    ("strategy", "name", "message"),
    [
        (invalid_send_parameters, "CodeLenght", "'CodeLenght'. Did you mean 'CodeLength'?"),
        (invalid_send_parameters, "EntityId", "'EntityId'. Choose from: AllowedAttempts, BrandName, "),
        (invalid_verify_parameters, "Otp", "'Otp'. Choose from: DestinationIdentity, ReferenceId."),
    ],
)
def test_a_parameter_without_a_limit_cannot_be_at_fault(strategy: Any, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{strategy.__name__}: a name is {message}")):
        strategy(name)


# -- Verifications -----------------------------------------------------------------------------------------------------


@several
@given(verify_parameters())
def test_drawn_verifications_satisfy_botocore_and_the_service(parameters: dict[str, Any]) -> None:
    assert not botocore_objects(parameters, shape_of("VerifyOTPMessage"))
    with mock_pinpoint_otp() as fake:
        assert not verify_with(parameters)
        fake.queue_codes("1234567")
        key = {name: parameters[name] for name in ("DestinationIdentity", "ReferenceId")}
        assert send_status(CLIENT, **key, CodeLength=7) == "SUCCESSFUL"
        assert verify_with(parameters) == (parameters["Otp"] == "1234567")
        assert verify_with({**parameters, "Otp": "1234567"})


def test_a_verification_has_the_members_of_botocores_model() -> None:
    smallest = find(verify_parameters())
    assert shape_of("VerifyOTPMessage").members.keys() == smallest.keys()
    assert {*smallest["Otp"]} == {"0"}
    assert {**smallest, "Otp": "0"} == {"DestinationIdentity": "+12025550100", "Otp": "0", "ReferenceId": "0"}
    fixed = find(verify_parameters(DestinationIdentity=DESTINATION, Otp=codes(6)))
    assert fixed == {"DestinationIdentity": DESTINATION, "Otp": "000000", "ReferenceId": "0"}
    with pytest.raises(ValueError, match="verify_parameters: Otp is required, so it cannot be left out"):
        verify_parameters(Otp=None)
    with pytest.raises(TypeError, match="verify_parameters: there is no member 'Code'"):
        verify_parameters(Code="123456")


@settings(several, max_examples=examples(60))
@given(invalid_verify_parameters())
def test_invalid_verifications_have_one_violation_which_the_service_names(invalid: tuple[dict[str, Any], str]) -> None:
    parameters, name = invalid
    assert not botocore_objects(parameters, shape_of("VerifyOTPMessage"))
    with mock_pinpoint_otp():
        with pytest.raises(CLIENT.exceptions.BadRequestException) as refused:
            verify_with(parameters)
        assert refused.value.response["Error"]["Message"].startswith(f"{name} is {parameters[name]!r}, ")
        assert not verify_with({**parameters, name: DESTINATION})


def test_an_invalid_verification_is_of_either_member_or_of_the_one_that_is_named() -> None:
    assert {name for _, name in draw(invalid_verify_parameters(), 30)} == {"DestinationIdentity", "ReferenceId"}
    assert {name for _, name in draw(invalid_verify_parameters("ReferenceId"), 10)} == {"ReferenceId"}
    assert find(invalid_verify_parameters())[0]["DestinationIdentity"] == ""


# -- What is printed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "strategy",
    [
        pytest.param(phone_numbers(), id="phone_numbers"),
        pytest.param(codes(), id="codes"),
        pytest.param(typed_codes().filter(lambda code: not code.isascii()), id="typed_codes"),
        pytest.param(reference_ids(), id="reference_ids"),
        pytest.param(send_parameters(**SHORT), id="send_parameters"),
        pytest.param(send_parameters().filter(lambda drawn: len(drawn["BrandName"]) == 20), id="long"),
        pytest.param(invalid_send_parameters(), id="invalid_send_parameters"),
        pytest.param(invalid_send_parameters("OriginationIdentity"), id="invalid_origination"),
        pytest.param(verify_parameters(), id="verify_parameters"),
        pytest.param(invalid_verify_parameters(), id="invalid_verify_parameters"),
    ],
)
def test_what_hypothesis_prints_can_be_pasted(strategy: SearchStrategy[Any]) -> None:
    text, value = printed(strategy)

    assert eval(text, {"fails": lambda value: value}) == value
