"""A second, independent account of AWS End User Messaging's codes, to compare the package with: a log, and questions.

Written from AWS's documents and the plugin's contract alone; it imports nothing of the package. What happened to
configurations is a log too, which is read from its beginning whenever somebody wants to know what there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from string import ascii_letters, ascii_uppercase, digits
from typing import Any

from model import LOST, MISTAKE, Fault, Judged, Quota, Text, take

SEND, VALIDATE = "SendNotifyCodeVerification", "ValidateNotifyCodeVerification"
CREATE, GET, UPDATE, DELETE, LIST = (
    "CreateNotifyCodeConfiguration",
    "GetNotifyCodeConfiguration",
    "UpdateNotifyCodeConfiguration",
    "DeleteNotifyCodeConfiguration",
    "ListNotifyCodeConfigurations",
)
TAG, UNTAG, TAGS = "TagResource", "UntagResource", "ListTagsForResource"
OPERATIONS = (SEND, VALIDATE, CREATE, GET, UPDATE, DELETE, LIST, TAG, UNTAG, TAGS)

STATUS_CODES = {
    "ValidationException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ConflictException": 409,
    "ServiceQuotaExceededException": 400,
    "ThrottlingException": 429,
    "InternalServerException": 500,
    "RawResponse": 502,
    "ConnectTimeoutError": None,
    LOST: None,
    MISTAKE: None,
}
"""The HTTP status of an attempt that came to this; 200 of any other."""
RETRIED = {"ThrottlingException", "InternalServerException", "RawResponse", "ConnectTimeoutError", LOST}
"""What botocore's standard retry mode tries again."""
TRIES = 3
FAILED_DELIVERIES = {"THROTTLED", "TEMPORARY_FAILURE", "PERMANENT_FAILURE", "UNKNOWN_FAILURE", "OPT_OUT", "DUPLICATE"}
KINDS = {"NUMERIC": set(digits), "ALPHA": set(ascii_uppercase), "ALPHANUMERIC": set(digits + ascii_uppercase)}
ASSUMED = "Your verification code is {{code}}."

NAME_CHARACTERS = set(ascii_letters + digits + "-_")
Parameters = Mapping[str, Any]


@dataclass
class Sent(Text):
    """A text, with what this API has beside."""

    kind: str = "NUMERIC"
    template: str = ASSUMED


@dataclass(frozen=True)
class Event:
    """What was done to a configuration."""

    what: str
    configuration: str | None
    """None where the answer that would have told was lost."""
    said: Parameters
    at: datetime
    token: str | None = None


@dataclass
class Known:
    """What a configuration is, read off the log."""

    name: str
    created_at: datetime | None
    """None where a test has added it."""
    updated_at: datetime | None
    policy: dict[str, Any] = field(default_factory=dict)
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    protected: bool = False


def refused(operation: str, said: Parameters) -> set[str]:
    """Return the JSON pointers of what the service refuses, as far as it can be told from the request alone."""
    wrong = set()
    flat = dict(_flatten(said, ""))
    for pointer, value in flat.items():
        last = pointer.rpartition("/")[2]
        if last == "maxAttempts" and value not in range(1, 6):
            wrong.add(pointer)
        if last == "codeLength" and value not in range(4, 9):
            wrong.add(pointer)
        if last == "validityPeriodMinutes" and value not in range(1, 61):
            wrong.add(pointer)
        if last == "codeType" and value not in KINDS:
            wrong.add(pointer)
        if last == "channel" and value not in ("TEXT", "VOICE", "WHATSAPP"):
            wrong.add(pointer)
        if last == "referenceId" and (set(value) - NAME_CHARACTERS or not 1 <= len(value) <= 256):
            wrong.add(pointer)
        if last == "code" and (set(value) - set(ascii_letters + digits) or not 4 <= len(value) <= 8):
            wrong.add(pointer)
        if last == "inlineTemplateBody" and ("{{code}}" not in value or len(value) > 6000):
            may_be_empty = operation == UPDATE and value == ""
            wrong |= set() if may_be_empty else {pointer}
        if last == "notifyCodeConfigurationName" and (
            set(value) - NAME_CHARACTERS - {" "} or not value.strip() or len(value) > 64
        ):
            wrong.add(pointer)
    if operation == SEND and not wrong and said["channel"] != "WHATSAPP":
        number = said["destinationIdentity"]
        if not (number[:1] == "+" and number[1:].isdecimal() and number[1] != "0" and 3 <= len(number) <= 16):
            wrong.add("/destinationIdentity")
    if operation == LIST and said.get("nextToken") == "made-up":
        wrong.add("/nextToken")
    return wrong


def _flatten(said: Parameters, before: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in said.items():
        found += _flatten(value, f"{before}/{name}") if isinstance(value, dict) else [(f"{before}/{name}", value)]
    return found


@dataclass
class Model:
    """The log of one fake, and what was arranged for it."""

    defaults: Mapping[str, int | None]
    log: list[Sent | Judged] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    quotas: list[Quota] = field(default_factory=list)
    queue: list[str] = field(default_factory=list)
    opted_out: set[str] = field(default_factory=set)
    calls: list[list[str]] = field(default_factory=list)

    def call(self, operation: str, said: Parameters, now: datetime) -> list[str]:
        """Say what each attempt of a call comes to."""
        attempts: list[str] = []
        self.calls.append(attempts)
        key = key_of(said)
        kept = None
        while not attempts or (attempts[-1] in RETRIED and len(attempts) < TRIES):
            refusal = self.refusal(operation, said)
            if refusal is not None:
                attempts.append(refusal)
                break
            number = len(attempts)
            seeing = [fault for fault in self.faults if fault.sees(operation, key, len(self.calls), number)]  # type: ignore[arg-type]
            used_before = [fault.used for fault in seeing]
            outcome, kept = (kept, kept) if kept else take(seeing, key)  # type: ignore[arg-type]
            if outcome in (None, LOST, "SUCCESSFUL"):
                own = self.work(operation, said, now, unhindered=outcome == "SUCCESSFUL")
                outcome = LOST if outcome == LOST and own != MISTAKE else own
                if own == MISTAKE:
                    for fault, used in zip(seeing, used_before, strict=True):
                        fault.used = used
            attempts.append(outcome)
        return attempts

    # -- Refusals ------------------------------------------------------------------------------------------------------

    def refusal(self, operation: str, said: Parameters) -> str | None:
        """Name the error of a request that is refused before anything else."""
        if refused(operation, said):
            return "ValidationException"
        if operation == SEND:
            return self.refusal_of_send(said)
        if operation == CREATE:
            earlier = self.made_by(said.get("clientToken"))
            return "ConflictException" if earlier is not None and earlier.said != without_token(said) else None
        if operation in (VALIDATE, LIST):
            return None
        known = self.known().get(configuration_of(said) or "")
        if known is None:
            return "ResourceNotFoundException"
        if operation == DELETE and known.protected:
            return "ConflictException"
        if operation == TAG and len(known.tags | {tag["key"]: "" for tag in said["tags"]}) > 50:
            return "ServiceQuotaExceededException"
        return None

    def refusal_of_send(self, said: Parameters) -> str | None:
        """Name the error of a send whose members are right."""
        named = said.get("notifyCodeConfiguration")
        channels, _ = self.rendering(said)
        if named is None and template_of(channels) is None:
            return "ValidationException"
        if named is not None and self.events and configuration_of(said) not in self.known():
            return "ResourceNotFoundException"
        return None

    # -- Work ----------------------------------------------------------------------------------------------------------

    def work(self, operation: str, said: Parameters, now: datetime, *, unhindered: bool) -> str:
        """Do what the service does by itself, and say what that comes to."""
        if operation == VALIDATE:
            key = key_of(said)
            reason, left = self.judge(key, said["code"], now)
            self.log.append(Judged(key, said["code"], reason, left, now))  # type: ignore[arg-type]
            return "VALID" if reason == "VALID" else "INVALID"
        if operation == SEND:
            return self.deliver(said, now, unhindered=unhindered)
        if operation == CREATE:
            if self.made_by(said.get("clientToken")) is None:
                self.events.append(Event("create", None, without_token(said), now, said.get("clientToken")))
        elif operation in (UPDATE, DELETE, TAG, UNTAG):
            self.events.append(Event(operation, configuration_of(said), said, now))
        return "OK"

    def deliver(self, said: Parameters, now: datetime, *, unhindered: bool) -> str:
        """Send a text, unless something is in its way."""
        key, sender = key_of(said), said["originationIdentity"]
        if not unhindered:
            for quota in self.quotas:
                if self.is_over(quota, key, sender, now):
                    return quota.outcome
            if key[1] in self.opted_out:
                return "ConflictException"
        policy = self.policy(said)
        kind, length = policy["codeType"], policy["codeLength"]
        code = None
        if self.queue:
            if len(self.queue[0]) != length or set(self.queue[0]) - KINDS[kind]:
                return MISTAKE
            code = self.queue.pop(0)
        _, template = self.rendering(said)
        minutes, attempts = policy["validityPeriodMinutes"], policy["maxAttempts"]
        self.log.append(Sent(key, code, length, now, minutes, attempts, sender, kind, template))  # type: ignore[arg-type]
        return "SUCCESSFUL"

    def policy(self, said: Parameters) -> dict[str, Any]:
        """Return each member of a policy from the first that has it."""
        known = self.known().get(configuration_of(said) or "")
        policy = {"codeType": "NUMERIC", "codeLength": 6, "validityPeriodMinutes": 10, "maxAttempts": 3}
        policy |= {name: value for name, value in self.defaults.items() if value is not None}
        policy |= known.policy if known is not None else {}
        policy |= said.get("overrideCodeConfigurationParameters", {})
        return policy

    def rendering(self, said: Parameters) -> tuple[dict[str, Any], str]:
        """Return what a send has to make its text from, and the text's template."""
        known = self.known().get(configuration_of(said) or "")
        route = "voice" if said["channel"] == "VOICE" else "text"
        if said["originationIdentity"].startswith("nc-"):
            route = "notify"
        if said["channel"] == "WHATSAPP":
            route = "whatsApp"
        stored = known.channels.get(route, {}) if known is not None else {}
        channel = stored | said.get("overrideChannelParameters", {}).get(route, {})
        return channel, channel.get("inlineTemplateBody", ASSUMED)

    def is_over(self, quota: Quota, key: Any, sender: str, now: datetime) -> bool:
        """Tell whether a quota has no room for one more delivery."""
        within = [
            entry
            for entry in self.log[quota.since :]
            if isinstance(entry, Sent)
            and entry.origination is not None
            and now - quota.per < entry.sent_at
            and (entry.key[1] == key[1] if quota.by == "destination" else entry.origination == sender)
        ]
        return len(within) >= quota.count

    def judge(self, key: Any, code: str, now: datetime) -> tuple[str, int | None]:
        """Give the first reason that holds, and the attempts left after it."""
        of_key = [entry for entry in self.log if entry.key == key]
        sent = [place for place, entry in enumerate(of_key) if isinstance(entry, Sent)]
        if not sent:
            return "NEVER_SENT", None
        newest = of_key[sent[-1]]
        assert isinstance(newest, Sent)
        since = [entry.reason for entry in of_key[sent[-1] + 1 :] if isinstance(entry, Judged)]
        left = newest.attempts - since.count("WRONG_CODE") - since.count("SUPERSEDED")
        if "VALID" in since:
            return "ALREADY_VERIFIED", left
        if left == 0:
            return "ATTEMPTS_EXHAUSTED", 0
        if now >= newest.sent_at + timedelta(minutes=newest.minutes):
            return "EXPIRED", left
        if code == newest.code:
            return "VALID", left
        earlier = [of_key[place] for place in sent[:-1]]
        return (
            "SUPERSEDED" if code in [text.code for text in earlier if isinstance(text, Sent)] else "WRONG_CODE"
        ), left - 1

    # -- Configurations ------------------------------------------------------------------------------------------------

    def known(self) -> dict[str, Known]:
        """Read which configurations there are, in the order of creation."""
        found: dict[str, Known] = {}
        for event in self.events:
            name = event.configuration or "?"
            if event.what in ("create", "add"):
                at = event.at if event.what == "create" else None
                found.pop(name, None)
                found[name] = Known(event.said["notifyCodeConfigurationName"], at, at)
            elif event.what == DELETE:
                del found[name]
                continue
            one, said = found[name], event.said
            if event.what == UNTAG:
                one.tags = {key: value for key, value in one.tags.items() if key not in said["tagKeys"]}
            elif event.what in ("create", "add", TAG):
                for tag in said.get("tags", []):
                    one.tags[tag["key"]] = tag["value"]
            if event.what in ("create", "add", UPDATE):
                one.policy = {**one.policy, **said.get("codeConfigurationParameters", {})}
                for channel, members in said.get("channelParameters", {}).items():
                    one.channels[channel] = one.channels.get(channel, {}) | members
                one.channels = {
                    channel: {member: value for member, value in members.items() if value not in ("", {})}
                    for channel, members in one.channels.items()
                }
                one.channels = {channel: members for channel, members in one.channels.items() if members}
                one.name = said.get("notifyCodeConfigurationName", one.name)
                one.protected = said.get("deletionProtectionEnabled", one.protected)
            if event.what == UPDATE:
                one.updated_at = event.at
        return found

    def made_by(self, token: str | None) -> Event | None:
        """Return the event by which a token has made a configuration that is still there."""
        made = [event for event in self.events if event.what == "create" and token and event.token == token]
        return made[-1] if made and made[-1].configuration in self.known() else None

    def learn(self, configuration: str) -> None:
        """Take note of the ID of the configuration that was made last."""
        for place, event in enumerate(self.events):
            if event.configuration is None:
                self.events[place] = Event(event.what, configuration, event.said, event.at, event.token)

    def texts(self, key: Any = None) -> list[Sent]:
        """Return the texts that were sent, for one key or for all."""
        return [entry for entry in self.log if isinstance(entry, Sent) and key in (None, entry.key)]

    def codes(self, key: Any = None) -> list[str]:
        """Return the codes that were sent and are known, for one key or for all."""
        return [text.code for text in self.texts(key) if text.code is not None]

    def judged(self) -> list[Judged]:
        """Return the validations that were judged."""
        return [entry for entry in self.log if isinstance(entry, Judged)]


def key_of(said: Parameters) -> tuple[None, str | None, str | None]:
    """Return what a code is for."""
    return (None, said.get("destinationIdentity"), said.get("referenceId"))


def template_of(channel: Parameters) -> object:
    """Return a route's template, or what names it."""
    names = ("inlineTemplateBody", "notifyTemplateId", "whatsAppTemplateName")
    return next((channel[name] for name in names if name in channel), None)


def configuration_of(said: Parameters) -> str | None:
    """Return the ID of the configuration that a request is about."""
    for name in ("notifyCodeConfiguration", "notifyCodeConfigurationId", "resourceArn"):
        if name in said:
            return str(said[name]).rpartition("/")[2]
    return None


def without_token(said: Parameters) -> Parameters:
    """Return what a request says, whatever its token is."""
    return {name: value for name, value in said.items() if name != "clientToken"}
