"""A machine that drives a client of AWS End User Messaging, and compares all that it sees with a model."""

# ruff: noqa: D102 - the rules of the machine are named as sentences

from __future__ import annotations

from datetime import timedelta
from typing import Any

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from helpers import ORIGINATION
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from machine import FAILURES, ComparingMachine, compare, destinations, spans
from model import Only
from notify import NEEDED, make_client
from notify_model import (
    CREATE,
    DELETE,
    FAILED_DELIVERIES,
    GET,
    KINDS,
    LIST,
    OPERATIONS,
    SEND,
    STATUS_CODES,
    TAG,
    TAGS,
    TRIES,
    UNTAG,
    UPDATE,
    VALIDATE,
    Event,
    Known,
    Model,
    Sent,
    configuration_of,
    key_of,
    refused,
)

from pytest_pinpoint_otp import mock_pinpoint_otp
from pytest_pinpoint_otp.fake import service_of

pytestmark = NEEDED

ARN = "arn:aws:end-user-messaging:us-east-1:123456789012:notify-code-configuration/"

ERRORS = [name for name in STATUS_CODES if name.endswith("Exception")]
# Few keys, of which one is the likeliest, so that much happens to each.
references = st.sampled_from(["sign-up", "sign-up", "log-in", None])
originations = st.sampled_from([ORIGINATION, ORIGINATION, "nc-1"])
channels = st.sampled_from(["TEXT", "TEXT", "VOICE", "WHATSAPP"])
keys = st.tuples(destinations, references)
picks = st.integers(0, 5)
filters = st.one_of(
    st.just((None, None, None)), st.tuples(st.none(), st.none() | destinations, st.sampled_from([None, "sign-up"]))
)
policies = st.fixed_dictionaries(
    {},
    optional={
        "codeType": st.sampled_from([*KINDS]),
        "codeLength": st.sampled_from([6, 6, 4, 8]),
        "validityPeriodMinutes": st.sampled_from([10, 1, 60]),
        "maxAttempts": st.sampled_from([5, 1, 2]),
    },
)
templates = st.sampled_from(["Code {{code}}", "{{code}}{{code}}", "{{code}} for {code}"])
overrides = st.fixed_dictionaries(
    {},
    optional={
        "text": st.fixed_dictionaries({"inlineTemplateBody": templates}),
        "voice": st.fixed_dictionaries({}, optional={"inlineTemplateBody": templates, "voiceId": st.just("Amy")}),
        "notify": st.just({"notifyTemplateId": "t"}),
        "whatsApp": st.just({"whatsAppTemplateName": "t", "languageCode": "en"}),
    },
)
cleared = st.fixed_dictionaries(
    {},
    optional={
        "text": st.sampled_from([{"inlineTemplateBody": ""}, {"destinationCountryParameters": {}}]),
        "voice": st.just({"inlineTemplateBody": "", "voiceId": ""}),
        "whatsApp": st.just({"whatsAppTemplateName": "", "languageCode": ""}),
    },
)
tags = st.lists(
    st.fixed_dictionaries({"key": st.sampled_from(["a", "A", "b c"]), "value": st.sampled_from(["", "1"])}),
    min_size=1,
    max_size=3,
)
wrong_sends = st.sampled_from(
    [
        {"channel": "SMS"},
        {"destinationIdentity": "15550100123"},
        {"referenceId": "sign+up"},
        {"referenceId": "x" * 257},
        {"overrideCodeConfigurationParameters": {"codeLength": 9, "maxAttempts": 6}},
        {"overrideCodeConfigurationParameters": {"codeType": "DIGITS", "validityPeriodMinutes": 61}},
        {"overrideChannelParameters": {"text": {"inlineTemplateBody": "no code"}}},
    ]
)
codes = st.sampled_from(["0123", "012345", "ABCDEF", "A1B2C3D4"])


def outcomes_for(operation: str) -> st.SearchStrategy[Any]:
    """Return a strategy for an injection's outcomes, as the model writes them."""
    own = {SEND: [*FAILED_DELIVERIES, "SUCCESSFUL"], VALIDATE: ["VALID", "INVALID"]}.get(operation, [])
    names = st.sampled_from(sorted(ERRORS + FAILURES + own))
    if operation not in (SEND, VALIDATE):
        return st.lists(names, min_size=1, max_size=3)
    return st.lists(st.one_of(names, names, names, st.builds(Only, destinations, names)), min_size=1, max_size=3)


def present(**said: Any) -> dict[str, Any]:
    """Return a request without what is left out."""
    return {name: value for name, value in said.items() if value not in (None, {})}


class NotifyMachine(ComparingMachine):
    """Sends, validations, configurations, tags, time and faults, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: dict[str, Any] = {}

    @initialize(
        code_length=st.sampled_from([None, None, 4, 8]),
        minutes=st.sampled_from([None, 1, 60]),
        attempts=st.sampled_from([None, 1, 5]),
    )
    def enter(self, code_length: int | None, minutes: int | None, attempts: int | None) -> None:
        self.defaults = {"codeLength": code_length, "validityPeriodMinutes": minutes, "maxAttempts": attempts}
        self.mock = mock_pinpoint_otp(code_length=code_length, validity_period=minutes, allowed_attempts=attempts)
        self.fake = self.mock.start()
        config = Config(retries={"mode": "standard", "total_max_attempts": TRIES})
        self.client = make_client(config=config)
        self.begin()

    def make_model(self) -> Model:
        return Model(self.defaults)

    # -- Sends and validations -------------------------------------------------------------------------------------

    @rule(
        key=keys,
        channel=channels,
        origination=originations,
        configuration=st.sampled_from([None, None, "cc-1", "cc-2", "cc-unknown"]),
        policy=policies,
        override=overrides,
    )
    def send(
        self,
        key: tuple[str, str | None],
        channel: str,
        origination: str,
        configuration: str | None,
        policy: dict[str, Any],
        override: dict[str, Any],
    ) -> None:
        said = present(
            channel=channel,
            destinationIdentity=key[0],
            referenceId=key[1],
            originationIdentity=origination,
            notifyCodeConfiguration=configuration,
            overrideCodeConfigurationParameters=policy,
            overrideChannelParameters=override,
        )
        self.send_as(said)

    @rule(key=keys, times=st.integers(1, 3))
    def send_a_text(self, key: tuple[str, str | None], times: int) -> None:
        for _ in range(times):
            self.send_as(self.a_send(key))

    @rule(key=keys, wrong=wrong_sends)
    def send_beyond_a_limit(self, key: tuple[str, str | None], wrong: dict[str, Any]) -> None:
        said = self.a_send(key) | wrong
        self.send_as(said)
        assert {field["path"] for field in self.answer["fieldList"]} == refused(SEND, said)

    @rule(key=keys, pick=picks)
    def send_by_a_created_configuration(self, key: tuple[str, str | None], pick: int) -> None:
        self.send_as(self.a_send(key) | {"notifyCodeConfiguration": self.a_configuration(pick)})

    def a_send(self, key: tuple[str, str | None]) -> dict[str, Any]:
        return present(
            channel="TEXT",
            destinationIdentity=key[0],
            referenceId=key[1],
            originationIdentity=ORIGINATION,
            overrideChannelParameters={"text": {"inlineTemplateBody": "Your code: {{code}}"}},
        )

    def send_as(self, said: dict[str, Any]) -> None:
        self.call(SEND, said)
        self.compare_texts()

    @rule(key=keys, code=st.none() | codes, attempts=st.integers(1, 5))
    def issue(self, key: tuple[str, str | None], code: str | None, attempts: int) -> None:
        kind = next(name for name in ("NUMERIC", "ALPHA", "ALPHANUMERIC") if set(code or "1") <= KINDS[name])
        said = self.a_send(key)
        policy = self.model.policy(said)
        length = policy["codeLength"] if code is None else len(code)
        minutes = policy["validityPeriodMinutes"]
        where = (None, *key)
        self.model.log.append(Sent(where, code, length, self.now, minutes, attempts, None, kind))  # type: ignore[arg-type]
        given = {} if kind == "NUMERIC" else {"code_type": kind}
        self.fake.issue(key[0], reference_id=key[1], code=code, allowed_attempts=attempts, **given)
        self.compare_texts()

    @rule(key=keys)
    def validate_the_right_code(self, key: tuple[str, str | None]) -> None:
        self.validate(key, (self.model.codes((None, *key)) or ["000000"])[-1])

    @rule(key=keys, pick=picks)
    def validate_a_code_of_any_key(self, key: tuple[str, str | None], pick: int) -> None:
        sent = self.model.codes() or ["000000"]
        self.validate(key, sent[pick % len(sent)])

    @rule(key=keys, times=st.integers(1, 3))
    @precondition(lambda self: self.model.texts())
    def validate_a_wrong_code(self, key: tuple[str, str | None], times: int) -> None:
        wrong = self.fake.wrong_code()
        newest = self.model.texts()[-1]
        assert wrong not in [*self.model.codes(), *self.model.queue]
        assert (len(wrong), set(wrong) <= KINDS[newest.kind]) == (newest.length, True)
        for _ in range(times):
            self.validate(key, wrong)

    @rule(key=keys, code=st.sampled_from(["abcdef", "123456789", "12 456", "12-456", "\uff11\uff12\uff13\uff14"]))
    def validate_some_text(self, key: tuple[str, str | None], code: str) -> None:
        self.validate(key, code)

    def validate(self, key: tuple[str, str | None], code: str) -> None:
        self.call(VALIDATE, present(destinationIdentity=key[0], referenceId=key[1], code=code))

    # -- Configurations --------------------------------------------------------------------------------------------

    @rule(
        name=st.sampled_from(["Log-in", "Sign up", "*", " "]),
        policy=policies,
        override=overrides,
        protected=st.sampled_from([None, None, True]),
        token=st.sampled_from(["a", "b", "c", "d"]),
        tags=st.none() | tags,
    )
    @precondition(lambda self: len(self.model.known()) < 8)
    def create(self, name: str, policy: Any, override: Any, protected: bool | None, token: str, tags: Any) -> None:
        said = present(
            notifyCodeConfigurationName=name,
            codeConfigurationParameters=policy,
            channelParameters=override,
            deletionProtectionEnabled=protected,
            clientToken=token,
            tags=tags,
        )
        made = self.model.made_by(token)
        outcome = self.call(CREATE, said)
        store = service_of(self.fake).kept["endusermessaging"]
        listed, _ = store.list_after(0, 1000)
        if listed:
            self.model.learn(listed[-1].id)
        if outcome == "OK":
            known = self.model.known()
            expected = made.configuration if made is not None else [*known][-1]
            self.compare_configuration(self.answer["notifyCodeConfiguration"], str(expected), known)

    @rule(which=st.sampled_from(["cc-1", "cc-2"]), policy=policies, text=st.none() | templates)
    def add_a_configuration(self, which: str, policy: dict[str, Any], text: str | None) -> None:
        names = {
            "codeType": "code_type",
            "codeLength": "code_length",
            "validityPeriodMinutes": "validity_period",
            "maxAttempts": "allowed_attempts",
        }
        self.fake.add_code_configuration(which, text=text, **{names[name]: value for name, value in policy.items()})
        said = present(
            notifyCodeConfigurationName=which,
            codeConfigurationParameters=policy,
            channelParameters=present(text=present(inlineTemplateBody=text)),
        )
        self.model.events.append(Event("add", which, said, self.now))

    @rule(pick=picks, by_arn=st.booleans())
    def get(self, pick: int, by_arn: bool) -> None:
        said = self.naming(pick, by_arn=by_arn)
        if self.call(GET, said) == "OK":
            self.compare_answer(said)

    @rule(
        pick=picks,
        name=st.sampled_from([None, "Other", " "]),
        policy=policies,
        change=overrides | cleared,
        protected=st.sampled_from([None, True, False]),
    )
    def update(self, pick: int, name: str | None, policy: Any, change: Any, protected: bool | None) -> None:
        given = present(
            notifyCodeConfigurationName=name,
            codeConfigurationParameters=policy,
            channelParameters=change,
            deletionProtectionEnabled=protected,
        )
        said = self.naming(pick) | given
        if self.call(UPDATE, said) == "OK":
            self.compare_answer(said)

    @rule(pick=picks)
    def delete(self, pick: int) -> None:
        self.call(DELETE, self.naming(pick))

    @rule(size=st.sampled_from([1, 2, 100]))
    def list_all(self, size: int) -> None:
        known, seen, token = self.model.known(), [], None
        for _ in range(len(known) + 1):
            if self.call(LIST, present(maxResults=size, nextToken=token)) != "OK":
                return
            seen += self.answer["notifyCodeConfigurations"]
            token = self.answer.get("nextToken")
            if token is None:
                break
            assert len(self.answer["notifyCodeConfigurations"]) == size
        assert [one["notifyCodeConfigurationId"] for one in seen] == [*known]
        for one in seen:
            self.compare_configuration(one, one["notifyCodeConfigurationId"], known)

    @rule()
    def list_by_a_token_that_is_made_up(self) -> None:
        self.call(LIST, {"nextToken": "made-up"})

    @rule(pick=picks, tags=tags)
    def tag(self, pick: int, tags: Any) -> None:
        self.call(TAG, self.naming_arn(pick) | {"tags": tags})

    @rule(pick=picks, keys=st.lists(st.sampled_from(["a", "b c", "never"]), min_size=1, max_size=2))
    def untag(self, pick: int, keys: list[str]) -> None:
        self.call(UNTAG, self.naming_arn(pick) | {"tagKeys": keys})

    @rule(pick=picks)
    def list_tags(self, pick: int) -> None:
        said = self.naming_arn(pick)
        if self.call(TAGS, said) == "OK":
            known = self.model.known()[str(configuration_of(said))]
            assert {tag["key"]: tag["value"] for tag in self.answer["tags"]} == known.tags

    def a_configuration(self, pick: int) -> str:
        """Return the ID of one that there is or was, or of one that there never was."""
        ever = list(dict.fromkeys(str(event.configuration) for event in self.model.events))
        return [*ever[-4:], "cc-unknown"][pick % (len(ever[-4:]) + 1)]

    def naming(self, pick: int, *, by_arn: bool = False) -> dict[str, Any]:
        return {"notifyCodeConfigurationId": by_arn * ARN + self.a_configuration(pick)}

    def naming_arn(self, pick: int) -> dict[str, Any]:
        return {"resourceArn": ARN + self.a_configuration(pick)}

    def compare_answer(self, said: dict[str, Any]) -> None:
        known = self.model.known()
        self.compare_configuration(self.answer["notifyCodeConfiguration"], str(configuration_of(said)), known)

    def compare_configuration(self, seen: dict[str, Any], configuration: str, known: dict[str, Known]) -> None:
        expected = known[configuration]
        assert seen["notifyCodeConfigurationId"] == configuration
        assert seen["notifyCodeConfigurationArn"] == ARN + configuration
        assert seen["notifyCodeConfigurationName"] == expected.name
        assert seen["deletionProtectionEnabled"] == expected.protected
        assert seen.get("codeConfigurationParameters", {}) == expected.policy
        assert seen.get("channelParameters", {}) == expected.channels
        # One that the test has added begins with the first look at it.
        if expected.created_at is not None:
            times = (expected.created_at, expected.updated_at)
            assert (seen["createdAt"], seen["updatedAt"]) == times

    # -- What every call comes to ----------------------------------------------------------------------------------

    def call(self, operation: str, said: dict[str, Any]) -> str:
        """Make a call, compare what it comes to with the model, and return that."""
        expected = self.model.call(operation, said, self.now)
        assert self.outcome_of(operation, said) in (expected[-1], "OK" if expected[-1] in FAILED_DELIVERIES else None)
        call = self.fake.calls[-1]
        assert (call.operation, call.application_id, call.parameters) == (operation, None, said)
        assert (None, call.destination, call.reference_id) == key_of(said)
        assert [(attempt.number, attempt.outcome, attempt.status_code, attempt.at) for attempt in call.attempts] == [
            (number, name, STATUS_CODES.get(name, 200), self.now) for number, name in enumerate(expected, 1)
        ]
        return expected[-1]

    def outcome_of(self, operation: str, said: dict[str, Any]) -> str:
        """Return what a call gives the application, in the model's words."""
        try:
            self.answer = getattr(self.client, METHODS[operation])(**said)
        except ClientError as error:
            self.answer = error.response
            code = error.response["Error"]["Code"]
            return "RawResponse" if code == "502" else code
        except (BotoCoreError, ValueError) as error:
            self.answer = {}
            return type(error).__name__
        if operation == VALIDATE:
            return self.answer["status"]
        if operation == SEND:
            assert self.answer.keys() == {"verificationId", "messageId", "ResponseMetadata"}
            last = self.fake.calls[-1].outcome
            if last == "SUCCESSFUL":
                assert self.answer["messageId"] == self.fake.messages[-1].message_id
                assert self.answer["verificationId"] == self.fake.messages[-1].verification_id
                return last
        return "OK"

    def compare_texts(self) -> None:
        """Compare the newest texts, and tell the model which codes were drawn for them."""
        texts, messages = self.model.texts(), self.fake.messages
        assert len(messages) == len(texts)
        for text, message in zip(texts, messages, strict=True):
            if text.code is None:
                assert set(message.code) <= KINDS[text.kind]
                assert message.code not in self.model.codes(text.key)
                assert len(message.code) == message.code_length == text.length
                text.code = message.code
                if text.origination is not None:
                    assert message.body == text.template.replace("{{code}}", message.code)
            assert (message.application_id, message.destination, message.reference_id) == text.key
            assert (message.code, message.code_type, message.validity_period, message.allowed_attempts) == (
                text.code,
                text.kind,
                text.minutes,
                text.attempts,
            )
            assert (message.sent_at, message.api) == (text.sent_at, "endusermessaging")

    # -- Time ------------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0, 0.000001, 1, 60, 600]))
    def wait(self, seconds: float) -> None:
        self.go_on(timedelta(seconds=seconds))

    # -- Faults ----------------------------------------------------------------------------------------------------

    @rule(
        target=ComparingMachine.handles,
        data=st.data(),
        operation=st.sampled_from([*OPERATIONS, SEND, SEND, VALIDATE]),
        per=st.sampled_from(["call", "attempt"]),
        times=st.sampled_from([1, 1, 2]),
        after=st.integers(0, 2),
    )
    def inject_into(self, data: st.DataObject, operation: str, per: str, times: int | None, after: int) -> Any:
        where = data.draw(filters) if operation in (SEND, VALIDATE) else (None, None, None)
        return self.inject(data.draw(outcomes_for(operation)), operation, per, times, after, where)

    @rule(
        target=ComparingMachine.quotas,
        count=st.integers(0, 3),
        per=spans,
        by=st.sampled_from(["destination", "origination"]),
        outcome=st.sampled_from([None, "ServiceQuotaExceededException", "THROTTLED"]),
    )
    @precondition(lambda self: len(self.model.quotas) < 2)
    def limit_rate(self, count: int, per: timedelta, by: str, outcome: str | None) -> Any:
        return self.limit(count, per, by, outcome, default="ThrottlingException")

    @rule(given=st.lists(codes, min_size=1, max_size=2))
    @precondition(lambda self: len(self.model.queue) < 3)
    def queue_codes(self, given: list[str]) -> None:
        self.queue(given)


METHODS = {operation: xform_name(operation) for operation in OPERATIONS}
"""The client's methods."""


def test_the_service_agrees_with_an_independent_model_at_every_step() -> None:
    compare(NotifyMachine)
