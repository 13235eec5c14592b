"""The strategies for outcomes and failure plans: what can be injected, in fair shares, as small as can be."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from drawing import Drawing, draw, fail_with, find, printed, several
from effort import THOROUGH, examples
from helpers import DESTINATION, send_status, verify
from hypothesis import given
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
from pytest_pinpoint_otp.strategies import failure_plans, outcomes, phone_numbers

CLIENT = boto3.client(
    "pinpoint",
    region_name="us-east-1",
    aws_access_key_id="testing",
    aws_secret_access_key="testing",
    config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
)
OPERATIONS: list[Any] = ["SendOTPMessage", "VerifyOTPMessage"]
FAKED = sorted(OPERATIONS_BY_NAME)
PASTED = {
    **{name: getattr(pytest_pinpoint_otp, name) for name in pytest_pinpoint_otp.__all__},
    **vars(exceptions),
    "botocore": botocore,
}
"""What a reader who pastes a printed value has imported."""


@pytest.fixture(scope="module")
def plans_drawn() -> list[FailurePlan]:
    """Many failure plans."""
    return draw(failure_plans(), 150)


@pytest.fixture(scope="module")
def steps_drawn(plans_drawn: list[FailurePlan]) -> list[FailureStep]:
    """Many steps of failure plans."""
    return [step for plan in plans_drawn for step in plan.steps]


# -- Outcomes and failure plans ----------------------------------------------------------------------------------------


OUTCOMES = {operation: outcomes(operation) for operation in OPERATIONS}
OUTCOMES_DRAWN = Drawing(outcomes(), 400)
"""Many outcomes of a send."""


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
        assert call.outcome == getattr(outcome, "label", getattr(outcome, "__name__", outcome))


@pytest.mark.parametrize("operation", [*OPERATIONS, "TagResource"])
def test_every_kind_of_outcome_has_its_share(operation: Any) -> None:
    drawn = draw(outcomes(operation), examples(250))
    kinds = Counter(map(type, drawn))
    raw = [outcome.body for outcome in drawn if isinstance(outcome, RawResponse)]
    damaged = [body for body in raw if b"\xef\xbf\xbd" in body.decode(errors="replace").encode()]

    assert min(kinds.values()) > 0.2 * len(drawn) / len(kinds)
    # botocore itself raises UnicodeDecodeError of these.
    assert 0 < len(damaged) < 0.35 * len(raw)
    assert len({body for body in raw if body not in damaged}) > 10


def test_raw_answers_have_the_status_codes_of_aws_and_of_proxies() -> None:
    def status_codes(drawn: list[Any]) -> set[int]:
        return {outcome.status_code for outcome in drawn if isinstance(outcome, RawResponse)}

    expected = {200, 403, 502, 503}
    drawn = OUTCOMES_DRAWN.until(lambda drawn: status_codes(drawn) >= expected, at_least=400)
    assert status_codes(drawn) == expected


def test_any_members_of_a_delivery_are_drawn() -> None:
    names = ("status_message", "updated_token", "endpoint_id", "message_id")
    # All of them, one of them, or none.
    expected = {(), names, *((name,) for name in names)}

    def given(drawn: list[Any]) -> set[tuple[str, ...]]:
        deliveries = [outcome for outcome in drawn if isinstance(outcome, Delivery)]
        return {tuple(name for name in names if getattr(one, name) is not None) for one in deliveries}

    def has_an_empty_one(drawn: list[Any]) -> bool:
        return "" in [outcome.message_id for outcome in drawn if isinstance(outcome, Delivery)]

    drawn = OUTCOMES_DRAWN.until(lambda drawn: given(drawn) >= expected and has_an_empty_one(drawn), at_least=400)
    assert given(drawn) == expected
    assert has_an_empty_one(drawn)


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
    drawn = {operation: draw(outcomes(operation), 150) for operation in [*OPERATIONS, "TagResource"]}
    kinds = {operation: {*map(type, some)} for operation, some in drawn.items()}

    shared = {ErrorResponse, LostResponse, RawResponse, type}
    assert kinds["SendOTPMessage"] == {*shared, Delivery}
    assert kinds["VerifyOTPMessage"] == {*shared, str}
    assert kinds["TagResource"] == shared
    assert {*filter(lambda one: isinstance(one, str), drawn["VerifyOTPMessage"])} == {"VALID", "INVALID"}


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
    assert find(failure_plans(), lambda plan: plan.steps) == FailurePlan((FailureStep("THROTTLED"),))


def test_every_step_of_a_failure_plan_makes_something_fail(steps_drawn: list[FailureStep]) -> None:
    labels = {step.outcome.label for step in steps_drawn}

    assert labels > {"THROTTLED", "INVALID", "ReadTimeoutError", "RawResponse"}
    assert not labels & {"SUCCESSFUL", "VALID"}


def test_a_step_is_for_the_calls_that_are_asked_for() -> None:
    filters = {"destination": DESTINATION, "reference_id": "sign-up", "application_id": "a1b2c3d4"}
    for name, value in filters.items():
        steps = [step for plan in draw(failure_plans(**{name: value}), 10) for step in plan.steps]
        assert {getattr(step, name) for step in steps} == {value}
        assert {getattr(step, other) for step in steps for other in filters.keys() - {name}} == {None}


def test_a_step_is_for_calls_that_a_strategy_draws() -> None:
    phones = st.none() | phone_numbers()
    destinations = {step.destination for plan in draw(failure_plans(destination=phones), 40) for step in plan.steps}

    assert len(destinations) > 5
    assert None in destinations


@pytest.mark.parametrize("name", ["destination", "reference_id", "application_id"])
def test_a_filter_of_another_type_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=rf"failure_plans: {name} takes a str, or a strategy for it, not 5 \(int\)\."):
        failure_plans(**{name: 5})  # type: ignore[arg-type]


def flow(plan: FailurePlan) -> list[Any]:
    """Return what two sends and a verification with the right code come to under a plan; None: an exception."""
    answers: list[Any] = []
    with mock_pinpoint_otp(assert_all_used=False) as fake:
        fake.follow(plan)
        for act in (send_status, send_status, lambda client: verify(client, fake.code_for(DESTINATION))):
            try:
                answers.append(act(CLIENT))
            # What botocore makes of an answer is told elsewhere.
            except Exception:
                answers.append(None)
    return answers


@pytest.mark.parametrize("run", range(20 if THOROUGH else 1))
@pytest.mark.parametrize(
    ("condition", "smallest"),
    [
        pytest.param(
            lambda plan: [status == "SUCCESSFUL" for status in flow(plan)[:2]] == [True, False],
            FailureStep("THROTTLED", after=1),
            id="the second send fails",
        ),
        pytest.param(
            lambda plan: flow(plan)[0] == "SUCCESSFUL" and flow(plan)[2] is False,
            FailureStep("INVALID", "VerifyOTPMessage"),
            id="the right code is refused",
            marks=pytest.mark.proof,
        ),
    ],
)
def test_a_failing_plan_has_no_step_and_no_member_that_does_not_matter(
    condition: Any, smallest: FailureStep, run: int
) -> None:
    assert fail_with(failure_plans(operations=OPERATIONS), condition, run) == FailurePlan((smallest,))


@pytest.mark.parametrize(
    "member",
    [{"per": "attempt"}, {"after": 3}, {"times": 3}, {"times": None}],
    ids=repr,
)
def test_every_member_of_a_step_is_reached(steps_drawn: list[FailureStep], member: dict[str, Any]) -> None:
    ((name, value),) = member.items()

    assert any(getattr(step, name) == value for step in steps_drawn)


def test_a_step_lets_up_to_three_calls_pass_and_is_for_up_to_three_or_for_all(steps_drawn: list[FailureStep]) -> None:
    assert {step.after for step in steps_drawn} == {0, 1, 2, 3}
    assert {step.times for step in steps_drawn} == {1, 2, 3, None}


def test_a_plan_has_up_to_five_steps(plans_drawn: list[FailurePlan]) -> None:
    assert max(len(plan.steps) for plan in plans_drawn) == 5


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
    assert {len(plan.steps) for plan in draw(failure_plans(max_steps=2), 30)} == {0, 1, 2}
    assert {*draw(failure_plans(max_steps=0), 5)} == {FailurePlan()}


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
@given(failure_plans() | st.sampled_from(OPERATIONS).flatmap(OUTCOMES.__getitem__))
def test_a_value_can_be_pasted_from_its_repr_or_is_a_class(value: Any) -> None:
    shown = value.__name__ if isinstance(value, type) else repr(value)
    assert eval(shown, PASTED.copy()) == value


def of_kind(kind: type, operation: Any = "SendOTPMessage") -> SearchStrategy[Any]:
    """Return a strategy for outcomes of one kind."""
    return outcomes(operation).filter(lambda outcome: isinstance(outcome, kind))


@pytest.mark.parametrize(
    "strategy",
    [
        pytest.param(of_kind(Delivery), id="deliveries"),
        pytest.param(of_kind(Delivery).filter(lambda delivery: delivery.endpoint_id), id="members"),
        pytest.param(of_kind(ErrorResponse), id="errors"),
        pytest.param(of_kind(type), id="classes"),
        pytest.param(of_kind(LostResponse), id="lost"),
        pytest.param(of_kind(RawResponse).filter(lambda raw: raw.body), id="raw"),
        pytest.param(of_kind(str, "VerifyOTPMessage"), id="verdict"),
        pytest.param(failure_plans(), id="no plan"),
        pytest.param(failure_plans().filter(lambda plan: plan.steps and plan.steps[0].after), id="failure_plans"),
    ],
)
def test_what_hypothesis_prints_can_be_pasted(strategy: SearchStrategy[Any]) -> None:
    text, value = printed(strategy)

    assert eval(text, {**PASTED, "fails": lambda value: value}) == value


def test_a_plan_prints_as_it_is_written() -> None:
    text, _ = printed(failure_plans(operations=["SendOTPMessage"]).filter(lambda plan: plan.steps))

    assert text == "fails(\n    value=FailurePlan((FailureStep(Delivery('THROTTLED')),)),\n)"
    failing = failure_plans().map(lambda plan: FailurePlan((FailureStep(ReadTimeoutError), *plan.steps)))
    assert printed(failing)[0] == "fails(\n    value=FailurePlan((FailureStep(ReadTimeoutError),)),\n)"
