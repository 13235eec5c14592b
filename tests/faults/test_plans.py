"""Failure plans: values that are compared, kept as JSON, followed by a fake, and recorded from one."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import itertools
import json
import pickle
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from effort import examples
from helpers import DESTINATION, OTHER_DESTINATION, REFERENCE, send, send_status, verify
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.vendor.pretty import pretty
from suites import passes, run

from pytest_pinpoint_otp import (
    Delivery,
    DeliveryStatus,
    ErrorResponse,
    FailurePlan,
    FailureStep,
    LostResponse,
    PinpointOTP,
    RawResponse,
    mock_pinpoint_otp,
)
from pytest_pinpoint_otp.strategies import failure_plans, outcomes

CLIENT = boto3.client(
    "pinpoint",
    region_name="us-east-1",
    aws_access_key_id="testing",
    aws_secret_access_key="testing",
    config=Config(retries={"mode": "standard", "total_max_attempts": 3}),
)
THROTTLED = FailureStep("THROTTLED")

several = settings(max_examples=examples(60))


# -- A value -----------------------------------------------------------------------------------------------------------


def test_a_plan_equals_another_of_the_same_steps() -> None:
    assert FailurePlan((THROTTLED,)) == FailurePlan([FailureStep(DeliveryStatus.THROTTLED, "SendOTPMessage")])
    assert FailurePlan((THROTTLED,)) != FailurePlan((FailureStep("THROTTLED", after=1),))
    assert FailurePlan() == FailurePlan(())


def test_a_plan_and_its_steps_cannot_be_changed() -> None:
    plan = FailurePlan([THROTTLED])

    assert plan.steps == (THROTTLED,)
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.steps = ()  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        THROTTLED.after = 1  # type: ignore[misc]


def test_a_plan_with_a_raw_answer_is_immutable_and_has_a_hash_too() -> None:
    plan, same = (FailurePlan((FailureStep(RawResponse(502, "x", {"Server": "a"})),)) for _ in range(2))
    headers = plan.steps[0].outcome.headers

    assert len({plan, same, FailurePlan((FailureStep(RawResponse(502)),))}) == 2
    with pytest.raises(TypeError, match="cannot be changed"):
        headers["x"] = "y"
    with pytest.raises(TypeError, match="cannot be changed"):
        headers.clear()
    assert pickle.loads(pickle.dumps(plan)) == copy.deepcopy(plan) == plan
    assert eval(repr(plan)) == plan


def test_exceptions_of_the_same_making_are_the_same_in_a_plan_and_can_be_pasted() -> None:
    plans = [
        FailurePlan((FailureStep(ReadTimeoutError(endpoint_url="u")), FailureStep(LostResponse(one))))
        for one in (ConnectTimeoutError(endpoint_url="v"), ConnectTimeoutError(endpoint_url="v"))
    ]

    assert plans[0] == plans[1]
    assert len(set(plans)) == 1
    assert FailureStep(ReadTimeoutError(endpoint_url="u")) != FailureStep(ReadTimeoutError(endpoint_url="w"))
    assert FailureStep(ReadTimeoutError) != FailureStep(LostResponse(ReadTimeoutError))
    assert eval(repr(plans[0])) == plans[0]


def test_equal_plans_have_one_place_in_a_set() -> None:
    assert len({FailurePlan((THROTTLED,)), FailurePlan((FailureStep("THROTTLED"),)), FailurePlan()}) == 2


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("THROTTLED", Delivery("THROTTLED")),
        (DeliveryStatus.OPT_OUT, Delivery("OPT_OUT")),
        ("ForbiddenException", ErrorResponse("ForbiddenException")),
        (CLIENT.exceptions.NotFoundException, ErrorResponse("NotFoundException")),
        (LostResponse(), LostResponse(ReadTimeoutError)),
        (RawResponse(502, "a page"), RawResponse(502, b"a page")),
    ],
)
def test_a_step_reads_its_outcome_as_an_injection_does(given: Any, read: Any) -> None:
    assert FailureStep(given).outcome == read
    assert FailureStep(given) == FailureStep(read)


def test_a_step_prints_as_it_is_written() -> None:
    step = FailureStep("THROTTLED", per="attempt", times=None, destination="+15550100123")

    assert repr(step) == "FailureStep(Delivery('THROTTLED'), per='attempt', times=None, destination='+15550100123')"
    assert repr(FailureStep(ReadTimeoutError, "VerifyOTPMessage")) == (
        "FailureStep(ReadTimeoutError, operation='VerifyOTPMessage')"
    )


@pytest.mark.parametrize(
    ("plan", "printed"),
    [
        (FailurePlan(), "FailurePlan()"),
        (FailurePlan((THROTTLED,)), "FailurePlan((FailureStep(Delivery('THROTTLED')),))"),
        (
            FailurePlan((FailureStep(LostResponse(), times=2), FailureStep("INVALID", "VerifyOTPMessage"))),
            "FailurePlan((FailureStep(LostResponse(), times=2), FailureStep('INVALID', operation='VerifyOTPMessage')))",
        ),
    ],
    ids=["empty", "one step", "two steps"],
)
def test_a_plan_prints_as_it_is_written_in_hypothesis_reports_too(plan: FailurePlan, printed: str) -> None:
    assert repr(plan) == pretty(plan) == printed
    assert eval(repr(plan)) == plan


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"outcome": "THROTLED"}, ValueError, "Did you mean 'THROTTLED'?"),
        ({"outcome": 429}, TypeError, "429 (int) is not an outcome."),
        ({"outcome": print}, TypeError, "FailureStep: outcome takes no callable, such as <built-in function print>"),
        ({"operation": "SendOtpMessage"}, ValueError, "operation 'SendOtpMessage' is not faked."),
        ({"operation": "VerifyOTPMessage"}, ValueError, "is a delivery, and VerifyOTPMessage delivers nothing."),
        ({"per": "request"}, ValueError, "per is 'request', but takes 'call' or 'attempt'."),
        ({"after": -1}, ValueError, "after is -1, but takes 0 or more"),
        ({"after": "1"}, TypeError, "after takes an int"),
        ({"times": 0}, ValueError, "times is 0, but takes 1 or more"),
        ({"times": 1.5}, TypeError, "times takes an int"),
        ({"destination": 15550100123}, TypeError, "FailureStep: destination takes a str, not 15550100123 (int)."),
        ({"reference_id": b"1"}, TypeError, "FailureStep: reference_id takes a str"),
        ({"application_id": ["a"]}, TypeError, "FailureStep: application_id takes a str"),
        ({"note": 4711}, TypeError, "FailureStep: note takes a str, not 4711 (int)."),
    ],
    ids=repr,
)
def test_a_step_that_makes_no_sense_is_refused(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        FailureStep(**{"outcome": "THROTTLED", **arguments})


def test_a_plan_of_anything_but_steps_is_refused() -> None:
    with pytest.raises(TypeError, match=r"FailurePlan: steps takes FailureStep values, but has 'THROTTLED' \(str\)\."):
        FailurePlan(("THROTTLED",))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"FailurePlan: steps takes a tuple of FailureStep values, not FailureStep\("):
        FailurePlan(THROTTLED)  # type: ignore[arg-type]


# -- JSON --------------------------------------------------------------------------------------------------------------


@several
@given(failure_plans())
@example(FailurePlan((FailureStep(LostResponse(ConnectTimeoutError), destination="+15550100123"),)))
@example(FailurePlan((FailureStep(RawResponse(502, b"\xff", {"Content-Type": "text/html"})),)))
@example(FailurePlan((FailureStep(ErrorResponse("Gone", status_code=410), reference_id="a", application_id="b"),)))
def test_a_plan_comes_back_from_its_json(plan: FailurePlan) -> None:
    assert FailurePlan.from_json(plan.to_json()) == plan
    assert FailurePlan.from_json(plan.to_json().encode()) == plan


def test_json_holds_what_is_not_as_by_default() -> None:
    plan = FailurePlan(
        (
            FailureStep("THROTTLED", note="seen at night"),
            FailureStep("ForbiddenException"),
            FailureStep("VALID", "VerifyOTPMessage"),
            FailureStep(ErrorResponse("ForbiddenException", status_code=401)),
            FailureStep(Delivery("OPT_OUT", status_code=409, endpoint_id="e"), per="attempt", after=2, times=None),
            FailureStep(ErrorResponse("TooManyRequestsException", message="Slow down."), "VerifyOTPMessage"),
            FailureStep(ReadTimeoutError, times=2),
            FailureStep(LostResponse()),
            FailureStep(RawResponse(502, "<html>", {"Content-Type": "text/html"})),
            FailureStep(RawResponse(200, b"\xff")),
        )
    )

    assert json.loads(plan.to_json()) == {
        "version": 1,
        "steps": [
            {"outcome": "THROTTLED", "note": "seen at night"},
            {"outcome": "ForbiddenException"},
            {"outcome": "VALID", "operation": "VerifyOTPMessage"},
            {"outcome": {"error": {"name": "ForbiddenException", "status_code": 401}}},
            {
                "outcome": {"delivery": {"status": "OPT_OUT", "status_code": 409, "endpoint_id": "e"}},
                "per": "attempt",
                "after": 2,
                "times": None,
            },
            {
                "outcome": {"error": {"name": "TooManyRequestsException", "message": "Slow down."}},
                "operation": "VerifyOTPMessage",
            },
            {"outcome": "ReadTimeoutError", "times": 2},
            {"outcome": {"lost_response": "ReadTimeoutError"}},
            {
                "outcome": {
                    "raw_response": {"status_code": 502, "headers": {"content-type": "text/html"}, "body": "<html>"}
                }
            },
            {"outcome": {"raw_response": {"status_code": 200, "body_base64": "/w=="}}},
        ],
    }


def test_json_has_a_step_a_line_for_people_to_read() -> None:
    plan = FailurePlan((THROTTLED, FailureStep(LostResponse(), per="attempt", after=1, note="text 2")))

    assert plan.to_json().splitlines() == [
        "{",
        '  "version": 1,',
        '  "steps": [',
        '    {"outcome": "THROTTLED"},',
        '    {"outcome": {"lost_response": "ReadTimeoutError"}, "per": "attempt", "after": 1, "note": "text 2"}',
        "  ]",
        "}",
    ]
    assert FailurePlan().to_json().splitlines() == ["{", '  "version": 1,', '  "steps": []', "}"]


WRITTEN_BY_VERSION_0_1 = """{
  "version": 1,
  "steps": [
    {
      "outcome": {
        "delivery": {
          "status": "THROTTLED"
        }
      }
    },
    {
      "outcome": {
        "error": {
          "name": "InternalServerErrorException"
        }
      },
      "operation": "VerifyOTPMessage",
      "after": 2
    },
    {
      "outcome": {
        "exception": "ReadTimeoutError"
      },
      "per": "attempt",
      "times": null
    },
    {
      "outcome": {
        "verdict": "INVALID"
      },
      "operation": "VerifyOTPMessage"
    }
  ]
}"""


def test_a_file_of_an_earlier_release_means_the_same() -> None:
    assert FailurePlan.from_json(WRITTEN_BY_VERSION_0_1) == FailurePlan(
        (
            THROTTLED,
            FailureStep("InternalServerErrorException", "VerifyOTPMessage", after=2),
            FailureStep(ReadTimeoutError, per="attempt", times=None),
            FailureStep("INVALID", "VerifyOTPMessage"),
        )
    )


def test_a_plan_written_by_hand_may_have_the_names_alone() -> None:
    names = ["THROTTLED", "ForbiddenException", "ReadTimeoutError"]
    steps = [{"outcome": name, "after": after} for after, name in enumerate(names)]

    assert FailurePlan.from_json(json.dumps({"version": 1, "steps": steps})) == FailurePlan(
        (THROTTLED, FailureStep("ForbiddenException", after=1), FailureStep(ReadTimeoutError, after=2))
    )


def test_a_note_is_kept_and_changes_nothing() -> None:
    step = FailureStep("THROTTLED", note="the night of the sale")
    plan = FailurePlan((step,))

    assert step == THROTTLED
    assert len({step, THROTTLED}) == 1
    assert repr(step) == "FailureStep(Delivery('THROTTLED'), note='the night of the sale')"
    assert FailurePlan.from_json(plan.to_json()).steps[0].note == eval(repr(step)).note == "the night of the sale"


def read_steps(*steps: Any) -> FailurePlan:
    return FailurePlan.from_json(json.dumps({"version": 1, "steps": steps}))


def test_a_timeline_has_one_entry_for_each_attempt() -> None:
    plan = read_steps(
        {"timeline": ["THROTTLED", None, {"lost_response": "ReadTimeoutError"}], "destination": DESTINATION},
        {"timeline": [None, "InternalServerErrorException"], "operation": "VerifyOTPMessage", "note": "both"},
        {"outcome": "OPT_OUT", "after": 7},
    )

    assert plan == FailurePlan(
        (
            FailureStep("THROTTLED", per="attempt", destination=DESTINATION),
            FailureStep(LostResponse(), per="attempt", after=2, destination=DESTINATION),
            FailureStep("InternalServerErrorException", "VerifyOTPMessage", per="attempt", after=1),
            FailureStep("OPT_OUT", after=7),
        )
    )
    assert [step.note for step in plan.steps] == [None, None, "both", None]


@several
@given(st.lists(st.sampled_from([None, "THROTTLED", "ForbiddenException", "InternalServerErrorException"]), max_size=6))
def test_attempts_end_as_their_timeline_says(timeline: list[str | None]) -> None:
    with mock_pinpoint_otp() as fake:
        fake.follow(read_steps({"timeline": timeline}))
        while len(met := [one.outcome for call in fake.calls for one in call.attempts]) < len(timeline):
            with contextlib.suppress(ClientError):
                send(CLIENT)

    assert met[: len(timeline)] == [outcome or "SUCCESSFUL" for outcome in timeline]
    assert set(met[len(timeline) :]) <= {"SUCCESSFUL"}


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"timeline": "THROTTLED"}, "steps[0].timeline takes a list, not 'THROTTLED'."),
        ({"timeline": [None, "THROTLED"]}, "steps[0].timeline[1]: 'THROTLED' is neither a delivery status nor"),
        ({"timeline": [None, 429]}, "steps[0].timeline[1] is 429, but takes a name, or an object with one of:"),
        (
            {"timeline": ["THROTTLED"], "outcome": "THROTTLED"},
            "steps[0] has both outcome and timeline, but takes one of them.",
        ),
        (
            {"timeline": ["THROTTLED"], "times": 2},
            "steps[0] has both times and timeline: repeat the entries of the timeline instead.",
        ),
        ({"timeline": ["THROTTLED"], "after": 1}, "steps[0], a timeline, has no member 'after'."),
        ({"timelin": ["THROTTLED"]}, "steps[0] has no member 'timelin'. Did you mean 'timeline'?"),
        ({"timeline": ["THROTTLED"], "operation": "Send"}, "steps[0].operation 'Send' is not faked."),
        ({"timeline": [None], "operation": "Send"}, "steps[0].operation 'Send' is not faked."),
        ({"timeline": [], "note": 1}, "steps[0].note takes a str, not 1 (int)."),
        (
            {"timeline": ["THROTTLED"], "destination": 1},
            "steps[0].destination takes a str, not 1 (int).",
        ),
    ],
    ids=str,
)
def test_a_timeline_that_makes_no_sense_is_refused(step: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read_steps(step)


@pytest.mark.parametrize(
    "outcome", [ReadTimeoutError(endpoint_url="x"), LostResponse(ReadTimeoutError(endpoint_url="x"))]
)
def test_an_exception_that_is_an_instance_has_no_json(outcome: Any) -> None:
    with pytest.raises(ValueError, match=r"to_json: ReadTimeoutError\(.*\) cannot be written; JSON holds the names of"):
        FailurePlan((FailureStep(outcome),)).to_json()


def test_an_exception_class_of_somebody_elses_has_no_json() -> None:
    class MineError(ReadTimeoutError):
        pass

    with pytest.raises(ValueError, match=r"to_json: MineError cannot be written.*not an instance or a subclass"):
        FailurePlan((FailureStep(MineError),)).to_json()


def with_outcome(outcome: Any) -> dict[str, Any]:
    return {"version": 1, "steps": [{"outcome": "THROTTLED"}, {"outcome": outcome}]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], 'the plan takes an object, such as {"version": 1, "steps": [...]}, not [].'),
        ({"steps": []}, "the plan lacks its member 'version'."),
        ({"version": 1}, "the plan lacks its member 'steps'."),
        ({"version": 1, "step": []}, "the plan has no member 'step'. Did you mean 'steps'?"),
        ({"version": 2, "steps": []}, "version is 2, but this package reads version 1."),
        ({"version": 1, "steps": {}}, "steps takes a list, not {}."),
        ({"version": 1, "steps": ["THROTTLED"]}, "steps[0] takes an object, not 'THROTTLED'."),
        ({"version": 1, "steps": [{}]}, "steps[0] lacks its member 'outcome'."),
        (
            {"version": 1, "steps": [{"outcome": "THROTTLED", "time": 1}]},
            "steps[0] has no member 'time'. Did you mean 'times'?",
        ),
        (
            {"version": 1, "steps": [{"outcome": "THROTTLED", "times": 0}]},
            "steps[0].times is 0, but takes 1 or more (how often the whole sequence is given; None, in JSON null: for"
            " ever).",
        ),
        (
            {"version": 1, "steps": [{"outcome": "THROTTLED", "destination": 1}]},
            "steps[0].destination takes a str, not 1 (int).",
        ),
        (
            with_outcome("THROTLED"),
            "steps[1].outcome: 'THROTLED' is neither a delivery status nor a modelled error nor a transport exception."
            """ Did you mean 'THROTTLED'? For any other error use {"error": {"name": ..., "status_code": ...}}.""",
        ),
        (with_outcome(None), "steps[1].outcome is null, but takes a name, or an object with one of: delivery, error,"),
        (with_outcome({"delivered": {}}), 'steps[1].outcome is {"delivered": {}}, but takes a name'),
        (with_outcome({"error": {}, "delivery": {}}), 'steps[1].outcome is {"error": {}, "delivery": {}}, but takes'),
        (with_outcome({"delivery": {"state": "OPT_OUT"}}), "steps[1].outcome.delivery has no member 'state'."),
        (
            with_outcome({"delivery": {"status": "OPTOUT"}}),
            "steps[1].outcome.delivery.status is 'OPTOUT', which is not",
        ),
        (with_outcome({"delivery": ["OPT_OUT"]}), 'steps[1].outcome.delivery takes an object, not ["OPT_OUT"].'),
        (with_outcome({"error": {"name": "Gone"}}), "steps[1].outcome.error.name is 'Gone', which is not modelled"),
        (
            with_outcome({"exception": "KeyError"}),
            "steps[1].outcome.exception is 'KeyError', which is not",
        ),
        (with_outcome({"exception": ["KeyError"]}), 'steps[1].outcome.exception is ["KeyError"], which is not'),
        (
            with_outcome({"exception": "NoCredentialsError"}),
            "steps[1].outcome.exception is 'NoCredentialsError', which is not a transport exception of botocore."
            " Choose from: ConnectTimeoutError, ConnectionClosedError,",
        ),
        (with_outcome({"lost_response": "NoRegionError"}), "steps[1].outcome.lost_response is 'NoRegionError', which"),
        (with_outcome({"raw_response": {"body": ""}}), "steps[1].outcome.raw_response lacks its member"),
        (
            with_outcome({"raw_response": {"status_code": 1}}),
            "steps[1].outcome.raw_response.status_code is 1, but takes",
        ),
        (
            with_outcome({"raw_response": {"status_code": 502, "body_base64": "*"}}),
            "steps[1].outcome.raw_response.body_base64 is '*', but takes bytes in Base64.",
        ),
        (
            with_outcome({"raw_response": {"status_code": 502, "body_base64": 5}}),
            "steps[1].outcome.raw_response.body_base64 is 5, but takes bytes in Base64.",
        ),
        (
            with_outcome({"raw_response": {"status_code": 502, "body": "", "body_base64": ""}}),
            "steps[1].outcome.raw_response has both body and body_base64, but takes one of them.",
        ),
        (with_outcome({"exception": None}), "steps[1].outcome.exception is null, which is not a transport exception"),
        (
            with_outcome({"delivery": {"status": None}}),
            "steps[1].outcome.delivery.status takes the name of a delivery status, not None",
        ),
        (
            with_outcome({"raw_response": {"status_code": 502, "headers": {"a b": "c"}}}),
            "steps[1].outcome.raw_response.headers has 'a b', which is not the name of a header",
        ),
        (
            with_outcome("VALID"),
            "steps[1].outcome: 'VALID' is a verdict, and SendOTPMessage gives none: the operations",
        ),
        (
            with_outcome({"error": {"name": "ThrottlingException"}}),
            "steps[1].outcome.error: 'ThrottlingException' is not an error that SendOTPMessage models: give its"
            " status_code as well.",
        ),
        (
            {
                "version": 1,
                "steps": [{"outcome": {"delivery": {"status": "OPT_OUT"}}, "operation": "VerifyOTPMessage"}],
            },
            "steps[0].outcome.delivery: 'OPT_OUT' is a delivery, and VerifyOTPMessage delivers nothing. To make it"
            " fail, use 'INVALID' or an error, or let",
        ),
        (with_outcome({"verdict": True}), "steps[1].outcome.verdict is true, but takes 'VALID' or 'INVALID'."),
        (with_outcome({"delivery": {}}), "steps[1].outcome.delivery lacks its member 'status'."),
        (
            with_outcome({"error": "BadRequestException"}),
            "steps[1].outcome.error takes an object, not 'BadRequestException'.",
        ),
        (
            with_outcome({"error": {"name": "BadRequestException", "code": 4}}),
            "steps[1].outcome.error has no member 'code'.",
        ),
        (
            with_outcome({"lost_response": "ReadTimeoutErro"}),
            "steps[1].outcome.lost_response is 'ReadTimeoutErro', which is not a transport exception of"
            " botocore. Did you mean 'ReadTimeoutError'?",
        ),
        (
            {"version": 1, "steps": [{"outcome": "THROTTLED", "operation": "Send"}]},
            "steps[0].operation 'Send' is not faked. Choose from: CreateNotify",
        ),
        ({"version": 2, "steps": [], "comment": "later"}, "version is 2, but this package reads version 1."),
        ({"version": True, "steps": []}, "version is true, but this package reads version 1."),
        ({"version": 1.0, "steps": []}, "version is 1.0, but this package reads version 1."),
    ],
    ids=str,
)
def test_a_json_document_that_is_no_plan_is_refused_by_the_member_at_fault(document: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        FailurePlan.from_json(json.dumps(document))


@pytest.mark.parametrize("member", ["version", "after"])
def test_a_member_that_is_there_twice_is_refused(member: str) -> None:
    text = '{"version": 1, "steps": [{"outcome": "THROTTLED", "after": 1}]}'
    twice = text.replace(f'"{member}": 1', f'"{member}": 1, "{member}": 1')

    with pytest.raises(ValueError, match=f"not a JSON document: the member '{member}' is there twice"):
        FailurePlan.from_json(twice)


@pytest.mark.parametrize("text", [None, {"version": 1, "steps": []}, Path("plan.json")])
def test_what_is_no_text_is_refused(text: Any) -> None:
    with pytest.raises(TypeError, match=r"from_json takes the text of a JSON document, not .*FailurePlan\.from_file"):
        FailurePlan.from_json(text)


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[" * 200_000])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="The failure plan is not a JSON document: "):
        FailurePlan.from_json(text)


# -- Following ---------------------------------------------------------------------------------------------------------


def test_a_fake_follows_a_plan_step_by_step(pinpoint_otp: PinpointOTP) -> None:
    injections = pinpoint_otp.follow(
        FailurePlan((FailureStep("THROTTLED", times=2), FailureStep("OPT_OUT", destination=OTHER_DESTINATION, after=1)))
    )

    assert [injection.remaining for injection in injections] == [2, 1]
    assert [send_status(CLIENT) for _ in range(3)] == ["THROTTLED", "THROTTLED", "SUCCESSFUL"]
    assert send_status(CLIENT, DestinationIdentity=OTHER_DESTINATION) == "SUCCESSFUL"
    assert send_status(CLIENT, DestinationIdentity=OTHER_DESTINATION) == "OPT_OUT"
    assert [injection.used for injection in injections] == [2, 1]


@pytest.mark.parametrize(
    "filters",
    [{"destination": OTHER_DESTINATION}, {"reference_id": "another"}, {"application_id": "another"}],
    ids=repr,
)
def test_each_filter_of_a_step_holds(pinpoint_otp: PinpointOTP, filters: dict[str, str]) -> None:
    pinpoint_otp.follow(FailurePlan((FailureStep("THROTTLED", **filters),)))  # type: ignore[arg-type]
    names = {
        "destination": "DestinationIdentity",
        "reference_id": "ReferenceId",
        "application_id": "ApplicationId",
    }

    assert send_status(CLIENT) == "SUCCESSFUL"
    assert send_status(CLIENT, **{names[name]: value for name, value in filters.items()}) == "THROTTLED"


def test_a_step_per_attempt_is_hidden_by_a_retry(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.follow(FailurePlan((FailureStep("InternalServerErrorException", per="attempt"),)))

    assert send_status(CLIENT) == "SUCCESSFUL"
    assert len(pinpoint_otp.calls[0].attempts) == 2


def test_a_plan_may_be_followed_twice(pinpoint_otp: PinpointOTP) -> None:
    plan = FailurePlan((THROTTLED,))
    pinpoint_otp.follow(plan)
    assert [send_status(CLIENT) for _ in range(2)] == ["THROTTLED", "SUCCESSFUL"]

    pinpoint_otp.follow(plan)
    assert [send_status(CLIENT) for _ in range(2)] == ["THROTTLED", "SUCCESSFUL"]


def test_a_step_that_is_left_unused_is_an_error_unless_it_is_optional() -> None:
    plan = FailurePlan((THROTTLED,))

    with pytest.raises(AssertionError, match="arranged something that no call used"), mock_pinpoint_otp() as fake:
        fake.follow(plan)
    with mock_pinpoint_otp() as fake:
        fake.follow(plan, optional=True)


@pytest.mark.parametrize("plan", [(THROTTLED,), '{"version": 1, "steps": []}', None], ids=str)
def test_only_a_plan_can_be_followed(pinpoint_otp: PinpointOTP, plan: Any) -> None:
    with pytest.raises(
        TypeError, match=r"follow takes a FailurePlan, not .*; FailurePlan\(steps\) makes one, FailurePlan\.from_"
    ):
        pinpoint_otp.follow(plan)


# -- Recording ---------------------------------------------------------------------------------------------------------


def recorded(
    outcome: Any, operation: str = "SendOTPMessage", destination: str = DESTINATION, **members: Any
) -> FailureStep:
    return FailureStep(outcome, operation, destination=destination, **members)


def test_a_fake_that_did_nothing_of_its_own_records_no_step(pinpoint_otp: PinpointOTP) -> None:
    send(CLIENT)
    verify(CLIENT, "123456")

    assert pinpoint_otp.recorded_plan() == FailurePlan()


def test_calls_that_end_alike_in_a_row_are_one_step(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("THROTTLED", "THROTTLED", "OPT_OUT", after=1)
    for _ in range(5):
        send(CLIENT)

    assert pinpoint_otp.recorded_plan() == FailurePlan(
        (recorded("THROTTLED", after=1, times=2), recorded("OPT_OUT", after=3))
    )


def test_a_call_is_recorded_whole_however_often_it_was_retried(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("InternalServerErrorException", operation="VerifyOTPMessage")
    with pytest.raises(CLIENT.exceptions.InternalServerErrorException):
        verify(CLIENT, "123456")

    assert len(pinpoint_otp.calls[0].attempts) == 3
    assert pinpoint_otp.recorded_plan() == FailurePlan((recorded("InternalServerErrorException", "VerifyOTPMessage"),))


def test_attempts_of_one_call_that_end_differently_are_recorded_one_by_one(pinpoint_otp: PinpointOTP) -> None:
    send(CLIENT)
    pinpoint_otp.inject("InternalServerErrorException", "TooManyRequestsException", per="attempt")
    send(CLIENT)

    assert pinpoint_otp.recorded_plan() == FailurePlan(
        (
            recorded("InternalServerErrorException", per="attempt", after=1),
            recorded("TooManyRequestsException", per="attempt", after=2),
        )
    )


def test_quotas_and_opt_outs_are_recorded_as_what_they_did(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.limit_rate(1, per=timedelta(hours=1), outcome="TEMPORARY_FAILURE")
    pinpoint_otp.opt_out(OTHER_DESTINATION)
    for destination in (DESTINATION, DESTINATION, OTHER_DESTINATION):
        send(CLIENT, DestinationIdentity=destination)

    assert pinpoint_otp.recorded_plan() == FailurePlan(
        (recorded("TEMPORARY_FAILURE", after=1), recorded("OPT_OUT", destination=OTHER_DESTINATION))
    )


@pytest.mark.parametrize("outcome", ["ConflictException", ErrorResponse("ConflictException", status_code=400)])
def test_an_opt_out_by_an_error_of_another_api_is_recorded_with_its_status(outcome: Any) -> None:
    def opted_out(fake: PinpointOTP) -> tuple[Any, int | None]:
        with pytest.raises(ClientError, match="ConflictException") as caught:
            send(CLIENT)
        return caught.value.response["Error"], fake.calls[0].status_code

    with mock_pinpoint_otp() as fake:
        fake.opt_out(DESTINATION, outcome=outcome)
        seen = opted_out(fake)
    with mock_pinpoint_otp() as again:
        again.follow(FailurePlan.from_json(fake.recorded_plan().to_json()))
        assert opted_out(again) == seen


def test_an_opt_out_that_decides_a_later_attempt_is_recorded_for_that_attempt(pinpoint_otp: PinpointOTP) -> None:
    send(CLIENT)
    pinpoint_otp.opt_out(DESTINATION)
    pinpoint_otp.inject("InternalServerErrorException", per="attempt")
    send(CLIENT)

    assert pinpoint_otp.recorded_plan() == FailurePlan(
        (
            recorded("InternalServerErrorException", per="attempt", after=1),
            recorded("OPT_OUT", per="attempt", after=2),
        )
    )


def test_a_callable_is_recorded_as_what_it_returned(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject(lambda call: "DUPLICATE" if call.destination == OTHER_DESTINATION else None, times=None)
    send(CLIENT)
    send(CLIENT, DestinationIdentity=OTHER_DESTINATION)

    assert pinpoint_otp.recorded_plan() == FailurePlan((recorded("DUPLICATE", destination=OTHER_DESTINATION),))


def test_refused_calls_are_neither_recorded_nor_counted(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("THROTTLED")
    with pytest.raises(CLIENT.exceptions.BadRequestException):
        send(CLIENT, CodeLength=99)
    send(CLIENT)

    assert pinpoint_otp.recorded_plan() == FailurePlan((recorded("THROTTLED"),))


def test_what_a_tests_own_mistake_raised_is_not_recorded() -> None:
    with mock_pinpoint_otp() as fake:
        fake.queue_codes("12345678")
        fake.inject("SUCCESSFUL")
        with pytest.raises(ValueError, match="The queued code '12345678' has 8 digits"):
            send(CLIENT)
        assert fake.recorded_plan() == FailurePlan()
        fake.reset()


def test_a_reset_forgets_what_was_recorded(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("THROTTLED")
    send(CLIENT)
    pinpoint_otp.reset()

    assert pinpoint_otp.recorded_plan() == FailurePlan()


def test_an_attempt_and_a_call_that_ended_alike_are_steps_of_their_own(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("InternalServerErrorException", per="attempt")
    pinpoint_otp.inject("InternalServerErrorException", after=1)
    send(CLIENT)
    with pytest.raises(CLIENT.exceptions.InternalServerErrorException):
        send(CLIENT)

    assert pinpoint_otp.recorded_plan() == FailurePlan(
        (
            recorded("InternalServerErrorException", per="attempt"),
            recorded("InternalServerErrorException", after=1),
        )
    )


def test_an_answer_that_was_lost_with_nothing_delivered_delivers_nothing_when_it_is_repeated() -> None:
    def act(fake: PinpointOTP) -> bool:
        send(CLIENT)
        with contextlib.suppress(ReadTimeoutError):
            send(CLIENT)
        return verify(CLIENT, fake.inbox(DESTINATION)[0].code)

    with mock_pinpoint_otp() as fake:
        fake.limit_rate(1, per=timedelta(hours=1))
        fake.inject(LostResponse(), after=1)
        assert act(fake)
    with mock_pinpoint_otp() as again:
        again.follow(fake.recorded_plan())
        assert act(again)
    assert len(again.messages) == 1


def test_calls_for_each_destination_are_counted_by_themselves(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("THROTTLED", times=2, after=1, destination=OTHER_DESTINATION)
    pinpoint_otp.inject("OPT_OUT", destination=DESTINATION)
    for destination in (OTHER_DESTINATION, DESTINATION, OTHER_DESTINATION, DESTINATION, OTHER_DESTINATION):
        send(CLIENT, DestinationIdentity=destination)

    assert pinpoint_otp.recorded_plan() == FailurePlan(
        (recorded("OPT_OUT"), recorded("THROTTLED", destination=OTHER_DESTINATION, after=1, times=2))
    )


PHONES = [f"+1555010012{number}" for number in range(4)]
TURNS = [phone for phone in PHONES for _ in range(5)]


def use(phone: str) -> None:
    for call in (send, lambda client, **key: verify(client, "000000", **key)):
        with contextlib.suppress(ClientError):
            call(CLIENT, DestinationIdentity=phone)


def met_by_each(fake: PinpointOTP) -> dict[str, list[list[tuple[str, int | None]]]]:
    return {phone: outcomes_of(fake, phone) for phone in PHONES}


@pytest.fixture(scope="module")
def one_phone_throttled() -> tuple[FailurePlan, dict[str, Any]]:
    with mock_pinpoint_otp() as fake:
        fake.inject("THROTTLED", times=2, after=1, destination=PHONES[2])
        fake.inject("InternalServerErrorException", per="attempt", after=3, destination=PHONES[2])
        for phone in TURNS:
            use(phone)
    return fake.recorded_plan(), met_by_each(fake)


@settings(max_examples=examples(15))
@given(turns=st.permutations(TURNS))
def test_a_replay_gives_each_destination_what_it_met_in_whatever_order_they_come(
    one_phone_throttled: tuple[FailurePlan, dict[str, Any]], turns: list[str]
) -> None:
    plan, met = one_phone_throttled
    with mock_pinpoint_otp() as fake:
        fake.follow(plan)
        for phone in turns:
            use(phone)

    assert met_by_each(fake) == met
    assert fake.recorded_plan() == plan


@pytest.mark.parametrize("first", range(4))
def test_a_replay_gives_each_of_four_threads_what_it_met(
    one_phone_throttled: tuple[FailurePlan, dict[str, Any]], first: int
) -> None:
    plan, met = one_phone_throttled
    together = threading.Barrier(len(PHONES))

    def use_often(phone: str) -> None:
        for _ in range(5):
            together.wait(30)
            use(phone)

    with mock_pinpoint_otp() as fake, ThreadPoolExecutor(len(PHONES)) as pool:
        fake.follow(plan)
        list(pool.map(use_often, PHONES[first:] + PHONES[:first]))

    assert met_by_each(fake) == met
    assert fake.recorded_plan() == plan


Step = Callable[[PinpointOTP], object]
"""Something that a test does."""


def call_service(operation: str, destination: str, reference: str, *, right: bool) -> Step:
    def act(fake: PinpointOTP) -> None:
        key = {"DestinationIdentity": destination, "ReferenceId": reference}
        texts = fake.inbox(destination, reference_id=reference)
        code = texts[-1 if right else 0].code if texts else "123456"
        # However the application takes it: what the service did is what counts.
        with contextlib.suppress(Exception):
            send(CLIENT, **key) if operation == "SendOTPMessage" else verify(CLIENT, code, **key)

    return act


def arrange(name: str, *arguments: Any, **keywords: Any) -> Step:
    return lambda fake: getattr(fake, name)(*arguments, **keywords)


# One of each is by far the likeliest, so that what is arranged and what is called meet.
destinations = st.sampled_from([DESTINATION, DESTINATION, DESTINATION, OTHER_DESTINATION])
references = st.sampled_from([REFERENCE, REFERENCE, REFERENCE, "another"])
operations = st.sampled_from(["SendOTPMessage", "VerifyOTPMessage"])


def calls_of(operation: str) -> st.SearchStrategy[tuple[str, Step]]:
    drawn = st.builds(
        call_service, st.just(operation), destinations, references, right=st.sampled_from([True, True, False])
    )
    return drawn.map(lambda act: ("call", act))


def injections(operation: str, destination: st.SearchStrategy[str | None]) -> st.SearchStrategy[Step]:
    return st.builds(
        arrange,
        st.just("inject"),
        outcomes(operation).filter(lambda outcome: outcome != Delivery("SUCCESSFUL")),
        operation=st.just(operation),
        per=st.sampled_from(["call", "attempt"]),
        times=st.sampled_from([1, 2, 5, None]),
        after=st.sampled_from([1, 0, 2]),
        destination=destination,
    )


refusals = st.one_of(
    st.builds(arrange, st.sampled_from(["opt_out", "opt_in"]), destinations),
    st.builds(
        arrange,
        st.just("limit_rate"),
        st.integers(0, 2),
        per=st.just(timedelta(minutes=10)),
        outcome=st.sampled_from(["THROTTLED", "TooManyRequestsException"]),
    ),
)
others = st.one_of(
    refusals,
    operations.flatmap(lambda one: injections(one, st.sampled_from([None, DESTINATION, OTHER_DESTINATION]))),
).map(lambda act: ("arrange", act))
times = st.builds(arrange, st.just("advance"), minutes=st.sampled_from([1, 10, 20])).map(lambda act: ("time", act))
# A plan of nothing proves nothing: each operation is made to fail, and called again and again, whatever comes between.
scripts = st.builds(
    lambda first, rounds: [*(("arrange", act) for act in first), *itertools.chain(*rounds)],
    st.tuples(injections("SendOTPMessage", st.none()), injections("VerifyOTPMessage", st.none())),
    st.lists(
        st.tuples(calls_of("SendOTPMessage"), calls_of("VerifyOTPMessage"))
        | st.tuples(others, calls_of("SendOTPMessage"), times, calls_of("VerifyOTPMessage")),
        min_size=3,
        max_size=8,
    ),
)


@settings(several, max_examples=examples(80))
@given(scripts)
def test_a_recorded_plan_gives_the_same_calls_the_same_outcomes(script: list[tuple[str, Step]]) -> None:
    with mock_pinpoint_otp(assert_all_used=False) as fake:
        for _, act in script:
            act(fake)
    plan = FailurePlan.from_json(fake.recorded_plan().to_json())
    assert {step.operation for step in plan.steps} == {"SendOTPMessage", "VerifyOTPMessage"}
    with mock_pinpoint_otp() as again:
        again.follow(plan)
        for kind, act in script:
            if kind != "arrange":
                act(again)

    assert outcomes_of(again) == outcomes_of(fake)
    assert [message.code for message in again.messages] == [message.code for message in fake.messages]
    assert [one.reason for one in again.verifications] == [one.reason for one in fake.verifications]
    assert again.recorded_plan() == plan


def outcomes_of(fake: PinpointOTP, destination: str | None = None) -> list[list[tuple[str, int | None]]]:
    calls = [call for call in fake.calls if destination in (None, call.destination)]
    return [[(attempt.outcome, attempt.status_code) for attempt in call.attempts] for call in calls]


# -- By the marker -----------------------------------------------------------------------------------------------------


def test_a_marker_gives_a_plan_as_an_object(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it="""
            import pytest
            from application import send
            from pytest_pinpoint_otp import FailurePlan, FailureStep

            @pytest.mark.pinpoint_otp(plan=FailurePlan([FailureStep("THROTTLED", after=1)]))
            def test_it():
                assert [send() for _ in range(3)] == ["SUCCESSFUL", "THROTTLED", "SUCCESSFUL"]
        """,
    )

    passes(result, passed=1)


def test_a_marker_gives_a_plan_as_a_path_from_the_tests_file(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("tests")
    (folder / "plans").mkdir()
    (folder / "plans" / "night.json").write_text(FailurePlan((THROTTLED,)).to_json(), encoding="utf-8")
    (folder / "test_it.py").write_text(
        "import pathlib, pytest\n"
        "from application import send\n"
        "\n"
        "@pytest.mark.parametrize('number', [1, 2])\n"
        "@pytest.mark.pinpoint_otp(plan='plans/night.json')\n"
        "def test_as_text(number):\n"
        "    assert send() == 'THROTTLED'\n"
        "\n"
        "@pytest.mark.pinpoint_otp(plan=pathlib.Path('plans', 'night.json'))\n"
        "def test_as_a_path(pinpoint_otp):\n"
        "    assert send() == 'THROTTLED'\n"
        "    pinpoint_otp.reset()\n"
        "    assert send() == 'THROTTLED'\n",
        encoding="utf-8",
    )

    passes(run(pytester, conftest=""), passed=3)


def test_a_marked_plan_that_is_left_unused_is_an_error(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it="""
            import pytest
            from pytest_pinpoint_otp import FailurePlan, FailureStep

            @pytest.mark.pinpoint_otp(plan=FailurePlan([FailureStep("THROTTLED")]))
            def test_it():
                pass
        """,
    )

    passes(result, passed=1, errors=1)
    result.stdout.fnmatch_lines(["*inject(Delivery('THROTTLED')*used 0, 1 left"])


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (
            "1",
            "@pytest.mark.pinpoint_otp: plan takes a FailurePlan or the path of its file, not 1 (int);"
            " FailurePlan(steps) makes one, and FailurePlan() is one without steps.",
        ),
        (
            "None",
            "@pytest.mark.pinpoint_otp: plan takes a FailurePlan or the path of its file, not None (NoneType);"
            " FailurePlan(steps) makes one, and FailurePlan() is one without steps.",
        ),
        ("'none.json'", "@pytest.mark.pinpoint_otp: *No such file or directory: *none.json'"),
        ("'bad.json'", "@pytest.mark.pinpoint_otp: *bad.json: the plan lacks its member 'version'."),
    ],
)
def test_a_bad_plan_in_a_marker_is_an_error_of_the_test(pytester: pytest.Pytester, plan: str, message: str) -> None:
    pytester.path.joinpath("bad.json").write_text('{"steps": []}', encoding="utf-8")
    result = run(
        pytester,
        test_it=f"""
            import pytest

            @pytest.mark.pinpoint_otp(plan={plan})
            def test_it():
                pass
        """,
    )

    passes(result, errors=1)
    result.stdout.fnmatch_lines([message])
    assert "Traceback" not in result.stdout.str()
