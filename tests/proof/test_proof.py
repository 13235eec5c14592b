"""A machine that drives a real client and compares all that it sees, and all that is recorded, with a model."""

# ruff: noqa: D102 - the rules of the machine are named as sentences

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from helpers import APPLICATION, ORIGINATION, send, verify
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from machine import FAILURES, ComparingMachine, compare, destinations, spans
from model import SEND, STATUS_CODES, TRIES, VERIFY, Key, Model, Only, refused

from pytest_pinpoint_otp import mock_pinpoint_otp
from pytest_pinpoint_otp.fake import service_of

CLIENT = boto3.client(
    "pinpoint",
    region_name="us-east-1",
    aws_access_key_id="testing",
    aws_secret_access_key="testing",
    config=Config(retries={"mode": "standard", "total_max_attempts": TRIES}),
)
OTHER_APPLICATION = "other"
OTHER_ORIGINATION = "Example"

ERRORS = [
    "BadRequestException",
    "ForbiddenException",
    "NotFoundException",
    "InternalServerErrorException",
    "TooManyRequestsException",
]
DELIVERIES = [
    "SUCCESSFUL",
    "THROTTLED",
    "TEMPORARY_FAILURE",
    "PERMANENT_FAILURE",
    "UNKNOWN_FAILURE",
    "OPT_OUT",
    "DUPLICATE",
]
# Few keys, of which one is the likeliest, so that much happens to each.
applications = st.sampled_from([APPLICATION, APPLICATION, OTHER_APPLICATION])
references = st.sampled_from(["sign-up", "sign-up", "log-in"])
originations = st.sampled_from([ORIGINATION, OTHER_ORIGINATION])
keys = st.tuples(applications, destinations, references)
filters = st.one_of(
    st.just((None, None, None)),
    st.tuples(st.none() | applications, st.none() | destinations, st.none() | references),
)
# Within AWS's limits, at both ends.
options = st.fixed_dictionaries(
    {},
    optional={
        "CodeLength": st.sampled_from([6, 6, 6, 5, 7, 8]),
        "ValidityPeriod": st.sampled_from([15, 5, 60]),
        "AllowedAttempts": st.sampled_from([5, 1, 2, 4]),
        "Language": st.sampled_from(["de-DE", "es-419", "zh-TW"]),
    },
)
beyond_the_limits = st.sampled_from(
    [
        {"BrandName": "x" * 21},
        {"Channel": "EMAIL"},
        {"CodeLength": 4},
        {"CodeLength": 9},
        {"ValidityPeriod": 4},
        {"ValidityPeriod": 61},
        {"AllowedAttempts": 0},
        {"AllowedAttempts": 6},
        {"Language": "en"},
        {"OriginationIdentity": "twelveletter"},
        {"DestinationIdentity": "15550100123"},
        {"DestinationIdentity": "+1555010012345678"},
        {"ReferenceId": "x" * 49},
        {"ReferenceId": ""},
        {"AllowedAttempts": 6, "CodeLength": 9},
        {"CodeLength": 9, "AllowedAttempts": 6},
    ]
)


def outcomes_for(operation: str) -> st.SearchStrategy[Any]:
    """Return a strategy for an injection's outcomes, as the model writes them."""
    names = st.sampled_from(ERRORS + FAILURES + (DELIVERIES if operation == SEND else []))
    return st.lists(st.one_of(names, names, names, st.builds(Only, destinations, names)), min_size=1, max_size=3)


class ServiceMachine(ComparingMachine):
    """Sends, verifications, time and faults, in any order."""

    @initialize(
        code_length=st.sampled_from([6, 6, 5, 8]), minutes=st.sampled_from([15, 5, 60]), attempts=st.integers(1, 5)
    )
    def enter(self, code_length: int, minutes: int, attempts: int) -> None:
        self.defaults = {"CodeLength": code_length, "ValidityPeriod": minutes, "AllowedAttempts": attempts}
        self.mock = mock_pinpoint_otp(
            applications=[APPLICATION, OTHER_APPLICATION],
            code_length=code_length,
            validity_period=minutes,
            allowed_attempts=attempts,
        )
        self.fake = self.mock.start()
        self.begin()

    def make_model(self) -> Model:
        return Model({APPLICATION, OTHER_APPLICATION}, self.defaults)

    # -- Calls ---------------------------------------------------------------------------------------------------------

    @rule(key=keys, origination=originations, optional=options)
    def send(self, key: Key, origination: str, optional: dict[str, Any]) -> None:
        self.send_to(key[0], self.parameters_of(key) | {"OriginationIdentity": origination} | optional)

    @rule(key=keys, times=st.integers(2, 4))
    def send_again_and_again(self, key: Key, times: int) -> None:
        for _ in range(times):
            self.send_to(key[0], self.parameters_of(key))

    @rule(key=keys, wrong=beyond_the_limits)
    def send_beyond_a_limit(self, key: Key, wrong: dict[str, Any]) -> None:
        parameters = self.parameters_of(key) | wrong
        self.send_to(key[0], parameters)
        told = str(self.fake.calls[-1].error_message)
        assert [name for name in refused(parameters) if told.startswith(f"{name} is {parameters[name]!r}, ")]

    @rule(key=keys, wrong=st.just({}) | beyond_the_limits)
    def send_for_an_unknown_application(self, key: Key, wrong: dict[str, Any]) -> None:
        self.send_to("unknown", self.parameters_of(key) | wrong)

    def send_to(self, application: str, parameters: dict[str, Any]) -> None:
        expected = self.model.call(SEND, application, parameters, self.now)
        self.compare_call(SEND, application, parameters, expected, send)
        self.compare_texts()

    @rule(
        key=keys,
        code=st.none() | st.sampled_from(["012345", "111111", "00000", "01234567"]),
        allowed=st.integers(1, 5),
        minutes=st.none() | st.sampled_from([5, 60]),
    )
    def issue(self, key: Key, code: str | None, allowed: int, minutes: int | None) -> None:
        self.model.issue(key, code, self.now, minutes, allowed)
        application, destination, reference = key
        message = self.fake.issue(
            destination,
            application_id=application,
            reference_id=reference,
            code=code,
            validity_period=minutes,
            allowed_attempts=allowed,
        )
        assert message == self.fake.messages[-1]
        self.compare_texts()

    @rule(key=keys)
    def verify_the_right_code(self, key: Key) -> None:
        newest = (self.model.codes(key) or [None])[-1]
        if newest is None:
            with pytest.raises(LookupError):
                self.code_for(key)
        else:
            assert self.code_for(key) == newest
        self.verify(key, newest or "000000")

    def code_for(self, key: Key) -> str:
        application, destination, reference = key
        return self.fake.code_for(destination, application_id=application, reference_id=reference)

    @rule(key=keys, pick=st.integers(0, 10))
    def verify_an_earlier_code(self, key: Key, pick: int) -> None:
        codes = self.model.codes(key)[-2::-1] or ["000000"]
        self.verify(key, str(codes[pick % len(codes)]))

    @rule(key=keys, pick=st.integers(0, 10))
    def verify_a_code_of_any_key(self, key: Key, pick: int) -> None:
        codes = self.model.codes() or ["000000"]
        self.verify(key, str(codes[pick % len(codes)]))

    @rule(key=keys, times=st.integers(1, 3))
    @precondition(lambda self: self.model.texts())
    def verify_a_wrong_code(self, key: Key, times: int) -> None:
        wrong = self.fake.wrong_code()
        assert wrong not in [*self.model.codes(), *self.model.queue]
        for _ in range(times):
            self.verify(key, wrong)

    @rule(key=keys, otp=st.sampled_from(["", "12345", "abcdef", "0123456789"]))
    def verify_some_text(self, key: Key, otp: str) -> None:
        self.verify(key, otp)

    @rule(key=keys, wrong=st.sampled_from([{"DestinationIdentity": "15550100123"}, {"ReferenceId": "x" * 49}]))
    def verify_beyond_a_limit(self, key: Key, wrong: dict[str, Any]) -> None:
        self.verify(key, "000000", **wrong)

    @rule(key=keys)
    def verify_for_an_unknown_application(self, key: Key) -> None:
        self.verify(("unknown", *key[1:]), "000000")

    def verify(self, key: Key, otp: str, **wrong: Any) -> None:
        application, destination, reference = key
        parameters = {"DestinationIdentity": destination, "Otp": otp, "ReferenceId": reference, **wrong}
        expected = self.model.call(VERIFY, application, parameters, self.now)
        self.compare_call(
            VERIFY, application, parameters, expected, lambda client, **given: verify(client, otp, **given)
        )

    def parameters_of(self, key: Key) -> dict[str, Any]:
        return {
            "BrandName": "Example",
            "Channel": "SMS",
            "DestinationIdentity": key[1],
            "OriginationIdentity": ORIGINATION,
            "ReferenceId": key[2],
        }

    def compare_call(
        self,
        operation: str,
        application: str,
        parameters: dict[str, Any],
        expected: list[str],
        make: Callable[..., Any],
    ) -> None:
        assert self.outcome_of(make, ApplicationId=application, **parameters) == expected[-1]
        call = self.fake.calls[-1]
        assert (call.operation, call.application_id, call.parameters) == (operation, application, parameters)
        assert (call.destination, call.reference_id) == (parameters["DestinationIdentity"], parameters["ReferenceId"])
        assert [(attempt.number, attempt.outcome, attempt.status_code, attempt.at) for attempt in call.attempts] == [
            (number, name, STATUS_CODES.get(name, 200), self.now) for number, name in enumerate(expected, 1)
        ]
        assert all(isinstance(attempt.request_id, str) for attempt in call.attempts)
        last = call.attempts[-1]
        assert (call.outcome, call.status_code, call.request_id, call.at, call.source) == last[1:]

    def outcome_of(self, make: Callable[..., Any], **parameters: Any) -> str:
        """Return what a call gives the application, in the model's words."""
        try:
            answer = make(CLIENT, **parameters)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return "RawResponse" if code == "502" else code
        except (BotoCoreError, ValueError) as error:
            return type(error).__name__
        if isinstance(answer, bool):
            return "VALID" if answer else "INVALID"
        assert answer["ApplicationId"] == parameters["ApplicationId"]
        assert answer["RequestId"] == self.fake.calls[-1].request_id
        (result,) = answer["Result"].values()
        assert [*answer["Result"]] == [parameters["DestinationIdentity"]]
        if result["DeliveryStatus"] == "SUCCESSFUL":
            assert result["MessageId"] == self.fake.messages[-1].message_id
        return result["DeliveryStatus"]

    def compare_texts(self) -> None:
        """Compare the newest texts, and tell the model which codes were drawn for them."""
        texts, messages = self.model.texts(), self.fake.messages
        assert len(messages) == len(texts)
        for text, message in zip(texts, messages, strict=True):
            if text.code is None:
                assert message.code.isdecimal()
                assert message.code.isascii()
                assert message.code not in self.model.codes(text.key)
                assert len(message.code) == message.code_length == text.length
                text.code = message.code
            assert (message.application_id, message.destination, message.reference_id) == text.key
            assert (message.code, message.validity_period, message.allowed_attempts, message.sent_at) == (
                text.code,
                text.minutes,
                text.attempts,
                text.sent_at,
            )
            assert message.expires_at == text.sent_at + timedelta(minutes=text.minutes)

    # -- Time ----------------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0, 0.000001, 1, 59.999999, 60, 300, 899.999999, 900]))
    def wait(self, seconds: float) -> None:
        self.go_on(timedelta(seconds=seconds))

    # -- Faults --------------------------------------------------------------------------------------------------------

    @rule(
        target=ComparingMachine.handles,
        outcomes=outcomes_for(SEND),
        per=st.sampled_from(["call", "attempt"]),
        times=st.sampled_from([1, 1, 2, 3]),
        after=st.integers(0, 3),
        filters=filters,
    )
    def inject_into_sends(self, **arguments: Any) -> Any:
        return self.inject(operation=SEND, **arguments)

    @rule(
        target=ComparingMachine.handles,
        outcomes=outcomes_for(VERIFY),
        per=st.sampled_from(["call", "attempt"]),
        times=st.sampled_from([1, 1, 2]),
        after=st.integers(0, 3),
        filters=filters,
    )
    def inject_into_verifications(self, **arguments: Any) -> Any:
        return self.inject(operation=VERIFY, **arguments)

    # Standing ones would by and by answer everything: two at a time, so that their order matters.
    @rule(
        target=ComparingMachine.handles,
        data=st.data(),
        per=st.sampled_from(["call", "attempt"]),
        after=st.integers(0, 3),
    )
    @precondition(lambda self: sum(fault.times is None for fault in self.model.faults) < 2)
    def inject_for_ever(self, data: st.DataObject, per: str, after: int) -> Any:
        operation = data.draw(st.sampled_from([SEND, VERIFY]))
        outcomes = data.draw(outcomes_for(operation))
        return self.inject(outcomes, operation, per, None, after, data.draw(filters))

    @rule(
        target=ComparingMachine.quotas,
        count=st.integers(0, 3),
        per=spans,
        by=st.sampled_from(["destination", "origination", "application"]),
        outcome=st.sampled_from(["THROTTLED", "DUPLICATE", "TooManyRequestsException", "ForbiddenException"]),
    )
    @precondition(lambda self: len(self.model.quotas) < 2)
    def limit_rate(self, count: int, per: timedelta, by: str, outcome: str) -> Any:
        return self.limit(count, per, by, outcome, default="THROTTLED")

    @rule(codes=st.lists(st.sampled_from(["012345", "111111", "00000", "01234567"]), min_size=1, max_size=2))
    @precondition(lambda self: len(self.model.queue) < 3)
    def queue_codes(self, codes: list[str]) -> None:
        self.queue(codes)

    # -- The end -------------------------------------------------------------------------------------------------------

    @rule(attempts=st.integers(1, 5))
    @precondition(lambda self: self.is_worn())
    def leave_and_enter_again(self, attempts: int) -> None:
        if self.is_mistaken():
            expected = pytest.raises(ValueError, match="The queued code")
        elif self.model.queue or any(fault.left for fault in self.model.faults):
            expected = pytest.raises(AssertionError)
        else:
            expected = contextlib.nullcontext()
        with expected:
            self.mock.stop()
        self.enter(6, 15, attempts)

    # -- What holds after every step -----------------------------------------------------------------------------------

    @invariant()
    def what_would_be_accepted_agrees_with_the_model(self) -> None:
        for text, message in zip(self.model.texts()[-4:], self.fake.messages[-4:], strict=True):
            reason, _ = self.model.judge(text.key, str(text.code), self.now)
            assert service_of(self.fake).accepts(message) == (reason == "VALID")


def test_the_service_agrees_with_an_independent_model_at_every_step() -> None:
    compare(ServiceMachine)
