"""The strategies: what they draw is what AWS takes (or refuses), reaches every limit, shrinks, and can be pasted."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from string import ascii_uppercase, digits
from typing import Any

import boto3
import botocore.exceptions
import hypothesis
import pytest
from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from botocore.validate import ParamValidator
from effort import THOROUGH, examples
from helpers import APPLICATION, DESTINATION, send_request, send_status, verify
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import pytest_pinpoint_otp
from pytest_pinpoint_otp import (
    Delivery,
    DeliveryStatus,
    ErrorResponse,
    FailurePlan,
    FailureStep,
    LostResponse,
    RawResponse,
    mock_pinpoint_otp,
)
from pytest_pinpoint_otp.apis import OPERATIONS as OPERATIONS_BY_NAME
from pytest_pinpoint_otp.strategies import (
    codes,
    failure_plans,
    invalid_send_parameters,
    outcomes,
    phone_numbers,
    reference_ids,
    send_parameters,
)

# Derandomized, because a strategy is judged by what it draws: the same in every run.
several = settings(max_examples=examples(40), deadline=None, derandomize=True, database=None)
searching = settings(several, max_examples=2000, phases=[Phase.generate, Phase.shrink])

CLIENT = boto3.client(
    "pinpoint",
    region_name="us-east-1",
    aws_access_key_id="testing",
    aws_secret_access_key="testing",
    config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
)
PARAMETERS = CLIENT.meta.service_model.operation_model("SendOTPMessage").input_shape.members[
    "SendOTPMessageRequestParameters"
]
REQUIRED = {"BrandName", "Channel", "DestinationIdentity", "OriginationIdentity", "ReferenceId"}
SHORT = {"BrandName": "", "DestinationIdentity": DESTINATION, "OriginationIdentity": "A", "ReferenceId": "1"}
"""Where only the other members matter."""
SMALLEST = {
    "Channel": "SMS",
    "BrandName": "",
    "DestinationIdentity": "+1000000",
    "OriginationIdentity": "0",
    "ReferenceId": "0",
}
OPTIONAL = {"CodeLength", "ValidityPeriod", "AllowedAttempts", "Language", "EntityId", "TemplateId"}
WITHOUT_OPTIONAL = dict.fromkeys(OPTIONAL)
"""Where only the required members matter."""
OPERATIONS = ["SendOTPMessage", "VerifyOTPMessage"]
FAKED = sorted(OPERATIONS_BY_NAME)
PASTED = {
    **{name: getattr(pytest_pinpoint_otp, name) for name in pytest_pinpoint_otp.__all__},
    **vars(exceptions),
    "botocore": botocore,
}
"""What a reader who pastes a printed value has imported."""


def find(strategy: SearchStrategy[Any], condition: Any = lambda value: True) -> Any:
    """Return the smallest value that meets a condition."""
    return hypothesis.find(strategy, condition, settings=searching)


def draw(strategy: SearchStrategy[Any], count: int) -> list[Any]:
    """Return so many values, as they are drawn: for what is reached, which a search would shrink at a high price."""
    drawn = []

    @settings(several, max_examples=count, phases=[Phase.generate])
    @given(strategy)
    def note(value: Any) -> None:
        drawn.append(value)

    note()
    return drawn


@pytest.fixture(scope="module")
def parameters_drawn() -> list[dict[str, Any]]:
    """Many parameters of a send, of which the optional members differ."""
    return draw(send_parameters(**SHORT), 600)


@pytest.fixture(scope="module")
def violations_drawn() -> list[tuple[dict[str, Any], str]]:
    """Many refused parameters of a send, each with the name of the one at fault."""
    return draw(invalid_send_parameters(), 400)


@pytest.fixture(scope="module")
def steps_drawn() -> list[FailureStep]:
    """Many steps of failure plans."""
    return [step for plan in draw(failure_plans(), 150) for step in plan.steps]


def printed(strategy: SearchStrategy[Any]) -> tuple[str, Any]:
    """Return the call that Hypothesis prints under a failing test, and the argument that it had."""
    drawn = []

    @settings(searching, max_examples=30)
    @given(value=strategy)
    def fails(value: Any) -> None:
        drawn.append(value)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        fails()
    report = "\n".join(caught.value.__notes__)
    return report[report.index("fails(") : report.rindex(")") + 1], drawn[-1]


def send_with(parameters: dict[str, Any]) -> str:
    """Send with these parameters and return the delivery's status."""
    response = CLIENT.send_otp_message(ApplicationId=APPLICATION, SendOTPMessageRequestParameters=parameters)
    return response["MessageResponse"]["Result"][parameters["DestinationIdentity"]]["DeliveryStatus"]


def botocore_objects(parameters: dict[str, Any]) -> bool:
    """Tell whether botocore's own validation has anything against these parameters."""
    return bool(ParamValidator().validate(parameters, PARAMETERS).has_errors())


# -- Phone numbers -----------------------------------------------------------------------------------------------------


@several
@given(phone_numbers())
def test_a_phone_number_is_one_that_the_service_sends_to(number: str) -> None:
    assert re.fullmatch(r"\+[1-9][0-9]{6,14}", number)
    with mock_pinpoint_otp() as fake:
        assert send_status(CLIENT, DestinationIdentity=number) == "SUCCESSFUL"
        fake.assert_sent(number, times=1)


def test_a_phone_number_shrinks_to_a_short_one_of_small_digits() -> None:
    assert find(phone_numbers()) == "+1000000"


def test_the_longest_phone_number_of_e_164_is_reached() -> None:
    assert find(phone_numbers(), lambda number: len(number) == 16) == "+100000000000000"


@pytest.mark.parametrize("region", ["US", "DE", "IT", "BR", "GB", "AC"])
def test_a_phone_number_of_a_region_is_valid_there(region: str) -> None:
    phonenumbers = pytest.importorskip("phonenumbers")

    @settings(several, max_examples=20)
    @given(phone_numbers(region))
    def check(number: str) -> None:
        assert phonenumbers.is_valid_number_for_region(phonenumbers.parse(number), region)
        with mock_pinpoint_otp():
            assert send_status(CLIENT, DestinationIdentity=number) == "SUCCESSFUL"

    check()


def test_a_mobile_number_is_preferred_where_the_region_tells_them_apart() -> None:
    phonenumbers = pytest.importorskip("phonenumbers")

    number = phonenumbers.parse(find(phone_numbers("DE")))

    assert phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE


def test_a_phone_number_of_a_region_shrinks_to_small_digits() -> None:
    pytest.importorskip("phonenumbers")

    assert find(phone_numbers("US")).endswith("2000000")


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
    monkeypatch.setitem(__import__("sys").modules, "phonenumbers", None)

    assert find(phone_numbers()) == "+1000000"
    with pytest.raises(ModuleNotFoundError, match="phonenumbers"):
        phone_numbers("US")


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
    assert {*"".join(draw(codes(8, code_type), 300))} == {*characters}


@several
@given(codes(7))
def test_a_code_of_one_length_has_that_length(code: str) -> None:
    assert re.fullmatch("[0-9]{7}", code)


def test_leading_zeros_and_other_digits_are_reached() -> None:
    assert find(codes(6), lambda code: code[0] == "0" and int(code)) == "000001"
    assert find(codes(6), lambda code: code[0] == "9") == "900000"


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


@pytest.mark.parametrize(
    ("name", "boundary"),
    [
        ("CodeLength", 5),
        ("CodeLength", 8),
        ("ValidityPeriod", 5),
        ("ValidityPeriod", 60),
        ("AllowedAttempts", 1),
        ("AllowedAttempts", 5),
    ],
)
def test_a_number_reaches_both_of_its_limits(name: str, boundary: int) -> None:
    numbers = send_parameters(**SHORT, **dict.fromkeys(OPTIONAL - {name}))

    assert find(numbers, lambda drawn: drawn.get(name) == boundary)[name] == boundary


EUROPE = {"de-DE", "en-GB", "es-ES", "fr-FR", "it-IT"}
LANGUAGES = EUROPE | {"en-US", "es-419", "fr-CA", "ja-JP", "ko-KR", "pt-BR", "zh-CN", "zh-TW"}


def test_exactly_the_documented_languages_are_reached(parameters_drawn: list[dict[str, Any]]) -> None:
    assert {parameters.get("Language") for parameters in parameters_drawn} == {*LANGUAGES, None}


@pytest.mark.parametrize(("name", "length"), [("BrandName", 0), ("BrandName", 20), ("ReferenceId", 48)])
def test_a_text_reaches_its_limits(name: str, length: int) -> None:
    texts = send_parameters(**WITHOUT_OPTIONAL)

    assert find(texts, lambda drawn: len(drawn[name]) == length)[name] == "0" * length


ORIGINATIONS = send_parameters(BrandName="", DestinationIdentity=DESTINATION, ReferenceId="1", **WITHOUT_OPTIONAL)


def test_an_origination_is_a_number_or_a_sender_id_of_up_to_11_characters() -> None:
    drawn = [parameters["OriginationIdentity"] for parameters in draw(ORIGINATIONS, 200)]

    assert {1, 11, 16} <= {*map(len, drawn)}
    assert any(re.fullmatch("[A-Za-z0-9-]{11}", origination) for origination in drawn)


@pytest.mark.parametrize("seed_of_it", range(10 if THOROUGH else 1))
@pytest.mark.parametrize(
    ("strategy", "smallest"),
    [
        (send_parameters(), {**SMALLEST}),
        (invalid_send_parameters(), ({**SMALLEST, "DestinationIdentity": ""}, "DestinationIdentity")),
        (failure_plans(), FailurePlan()),
    ],
    ids=["send_parameters", "invalid_send_parameters", "failure_plans"],
)
def test_what_a_failing_test_shows_is_as_small_as_can_be(strategy: Any, smallest: Any, seed_of_it: int) -> None:
    drawn = []

    # All of Hypothesis's phases, as a user has them: the one that explains may draw the example anew.
    @seed(seed_of_it)
    @settings(deadline=None, database=None)
    @given(strategy)
    def failing(value: Any) -> None:
        drawn.append(value)
        raise AssertionError

    with pytest.raises(AssertionError):
        failing()
    assert drawn[-1] == smallest


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


@pytest.mark.parametrize("name", sorted((REQUIRED | OPTIONAL) - {"EntityId", "TemplateId"}))
def test_every_parameter_that_has_a_limit_is_violated(
    violations_drawn: list[tuple[dict[str, Any], str]], name: str
) -> None:
    assert any(violated == name for _, violated in violations_drawn)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CodeLength", 4),
        ("CodeLength", 9),
        ("ValidityPeriod", 4),
        ("ValidityPeriod", 61),
        ("AllowedAttempts", 0),
        ("AllowedAttempts", 6),
        ("BrandName", "0" * 21),
        ("ReferenceId", ""),
        ("ReferenceId", "0" * 49),
    ],
)
def test_a_violation_just_beyond_the_limit_is_reached(
    violations_drawn: list[tuple[dict[str, Any], str]], name: str, value: Any
) -> None:
    drawn = [parameters[name] for parameters, violated in violations_drawn if violated == name]

    # Of a text the length is what counts.
    assert value in drawn or len(str(value)) in [len(str(one)) for one in drawn if isinstance(value, str)]


# -- Outcomes and failure plans ----------------------------------------------------------------------------------------


OUTCOMES = {operation: outcomes(operation) for operation in OPERATIONS}


@several
@given(st.sampled_from(OPERATIONS).flatmap(lambda operation: st.tuples(st.just(operation), OUTCOMES[operation])))
def test_an_outcome_can_be_injected_for_its_operation(drawn: tuple[str, Any]) -> None:
    operation, outcome = drawn
    with mock_pinpoint_otp() as fake:
        fake.inject(outcome, operation=operation)
        # What botocore makes of the outcome is told elsewhere.
        with contextlib.suppress(Exception):
            send_status(CLIENT) if operation == "SendOTPMessage" else verify(CLIENT, "123456")
        (call,) = fake.calls
        assert call.operation == operation
        assert call.outcome in (
            outcome,
            getattr(outcome, "status", None),
            getattr(outcome, "name", None),
            getattr(outcome, "__name__", None),
            "ReadTimeoutError" if isinstance(outcome, LostResponse) else "RawResponse",
        )


@pytest.mark.parametrize("status", DeliveryStatus)
def test_every_delivery_status_is_reached_by_a_send(status: DeliveryStatus) -> None:
    assert find(outcomes(), lambda outcome: getattr(outcome, "status", None) == status) == Delivery(status)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "wanted",
    [
        ErrorResponse("TooManyRequestsException"),
        ErrorResponse("BadRequestException"),
        exceptions.ReadTimeoutError,
        exceptions.EndpointConnectionError,
        LostResponse(),
        RawResponse(502),
    ],
)
def test_errors_and_failures_of_the_transport_are_reached(operation: str, wanted: Any) -> None:
    assert find(outcomes(operation), lambda outcome: outcome == wanted) == wanted


def test_only_a_send_has_deliveries_and_only_a_verification_verdicts() -> None:
    kinds = {operation: {*map(type, draw(outcomes(operation), 150))} for operation in [*OPERATIONS, "TagResource"]}

    shared = {ErrorResponse, LostResponse, RawResponse, type}
    assert kinds["SendOTPMessage"] == {*shared, Delivery}
    assert kinds["VerifyOTPMessage"] == {*shared, str}
    assert kinds["TagResource"] == shared
    assert {*filter(lambda one: isinstance(one, str), draw(outcomes("VerifyOTPMessage"), 150))} == {"VALID", "INVALID"}


@pytest.mark.parametrize("operation", FAKED)
def test_outcomes_of_every_operation_can_be_injected(operation: str) -> None:
    with mock_pinpoint_otp(assert_all_used=False) as fake:
        for outcome in draw(outcomes(operation), examples(10)):
            assert fake.inject(outcome, operation=operation).operation == operation


def test_an_operation_may_be_spelled_as_boto3_does() -> None:
    assert find(outcomes("verify_otp_message")) == find(outcomes("VerifyOTPMessage"))
    steps = failure_plans(operations=["verify_otp_message"]).filter(lambda plan: plan.steps)
    assert find(steps).steps[0].operation == "VerifyOTPMessage"


def test_an_outcome_shrinks_to_a_status_or_an_error_alone() -> None:
    assert find(outcomes()) == Delivery("SUCCESSFUL")
    assert find(outcomes("VerifyOTPMessage")) == ErrorResponse("BadRequestException")


def test_outcomes_of_an_operation_that_is_not_faked_are_refused() -> None:
    with pytest.raises(ValueError, match=r"outcomes: operation 'SendOtpMessage' .* Did you mean 'SendOTPMessage'\?"):
        outcomes("SendOtpMessage")


@several
@given(failure_plans(max_steps=3))
def test_a_failure_plan_can_be_followed(plan: FailurePlan) -> None:
    assert len(plan.steps) <= 3
    with mock_pinpoint_otp(assert_all_used=False) as fake:
        assert [injection.operation for injection in fake.follow(plan)] == [step.operation for step in plan.steps]


def test_a_failure_plan_shrinks_to_none_then_to_one_plain_step() -> None:
    assert find(failure_plans()) == FailurePlan()
    assert find(failure_plans(), lambda plan: plan.steps) == FailurePlan((FailureStep("SUCCESSFUL"),))


@pytest.mark.parametrize(
    "member",
    [{"per": "attempt"}, {"after": 3}, {"times": 3}, {"times": None}],
    ids=repr,
)
def test_every_member_of_a_step_is_reached(steps_drawn: list[FailureStep], member: dict[str, Any]) -> None:
    ((name, value),) = member.items()

    assert any(getattr(step, name) == value for step in steps_drawn)


def test_a_step_is_for_any_operation_and_mostly_for_those_that_send_or_verify(steps_drawn: list[FailureStep]) -> None:
    drawn = Counter(step.operation for step in steps_drawn)

    assert drawn.keys() == {*FAKED}
    often = sum(drawn[name] for name in FAKED if OPERATIONS_BY_NAME[name].sends or OPERATIONS_BY_NAME[name].verifies)
    assert often > drawn.total() / 2


def test_a_step_is_for_one_of_the_operations_that_are_given() -> None:
    plans = draw(failure_plans(operations=["VerifyOTPMessage", "TagResource"]), 60)

    assert {step.operation for plan in plans for step in plan.steps} == {"VerifyOTPMessage", "TagResource"}
    others = failure_plans(operations=["TagResource"]).filter(lambda plan: plan.steps)
    assert find(others).steps[0].operation == "TagResource"


@pytest.mark.parametrize(
    ("operations", "error", "message"),
    [
        ("SendOTPMessage", TypeError, r"operations takes a list of names, not 'SendOTPMessage' \(str\)\."),
        (5, TypeError, r"operations takes a list of names, not 5 \(int\)\."),
        ([], ValueError, r"operations is empty: name at least one, or leave it out\."),
        (["SendOTP"], ValueError, r"operation 'SendOTP' is not faked\. Did you mean 'SendOTPMessage'\?"),
    ],
)
def test_operations_that_are_none_are_refused(operations: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"failure_plans: {message}"):
        failure_plans(operations=operations)


def test_a_failure_plan_has_as_many_steps_as_it_may_have() -> None:
    assert len(find(failure_plans(), lambda plan: len(plan.steps) == 5).steps) == 5
    assert find(failure_plans(max_steps=0)) == FailurePlan()


@pytest.mark.parametrize(
    ("steps", "error", "message"),
    [
        ("5", TypeError, r"failure_plans: max_steps takes an int, not '5' \(str\)\."),
        (True, TypeError, r"failure_plans: max_steps takes an int, not True \(bool\)\."),
        (-1, ValueError, r"failure_plans: max_steps is -1, but takes 0 or more\."),
    ],
)
def test_a_number_of_steps_that_is_none_is_refused(steps: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        failure_plans(max_steps=steps)


# -- What is printed ---------------------------------------------------------------------------------------------------


@several
@given(phone_numbers() | codes() | reference_ids() | send_parameters() | invalid_send_parameters() | failure_plans())
def test_a_value_can_be_pasted_from_its_repr(value: Any) -> None:
    assert eval(repr(value), PASTED.copy()) == value


@several
@given(st.sampled_from(OPERATIONS).flatmap(OUTCOMES.__getitem__))
def test_an_outcome_can_be_pasted_from_its_repr_or_is_a_class(outcome: Any) -> None:
    shown = outcome.__name__ if isinstance(outcome, type) else repr(outcome)
    assert eval(shown, PASTED.copy()) == outcome


@pytest.mark.parametrize(
    "strategy",
    [
        pytest.param(phone_numbers(), id="phone_numbers"),
        pytest.param(codes(), id="codes"),
        pytest.param(send_parameters(**SHORT), id="send_parameters"),
        pytest.param(invalid_send_parameters(), id="invalid_send_parameters"),
        pytest.param(outcomes().filter(lambda outcome: isinstance(outcome, Delivery)), id="deliveries"),
        pytest.param(outcomes().filter(lambda outcome: isinstance(outcome, ErrorResponse)), id="errors"),
        pytest.param(outcomes().filter(lambda outcome: isinstance(outcome, type)), id="classes"),
        pytest.param(outcomes().filter(lambda outcome: isinstance(outcome, LostResponse)), id="lost"),
        pytest.param(outcomes().filter(lambda outcome: isinstance(outcome, RawResponse)), id="raw"),
        pytest.param(outcomes("VerifyOTPMessage").filter(lambda outcome: outcome == "VALID"), id="verdict"),
        pytest.param(failure_plans(), id="no plan"),
        pytest.param(failure_plans().filter(lambda plan: plan.steps and plan.steps[0].after), id="failure_plans"),
    ],
)
def test_what_hypothesis_prints_can_be_pasted(strategy: SearchStrategy[Any]) -> None:
    text, value = printed(strategy)

    assert eval(text, {**PASTED, "fails": lambda value: value}) == value


def test_a_plan_of_an_exception_class_prints_as_it_is_written() -> None:
    text, value = printed(failure_plans().map(lambda plan: FailurePlan((FailureStep(ReadTimeoutError), *plan.steps))))

    assert text == "fails(\n    value=FailurePlan((FailureStep(ReadTimeoutError),)),\n)"
    assert eval(text, {**PASTED, "fails": lambda value: value}) == value
