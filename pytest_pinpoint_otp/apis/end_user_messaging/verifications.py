"""The operations on one-time codes: SendNotifyCodeVerification and ValidateNotifyCodeVerification."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from pytest_pinpoint_otp.apis.base import (
    CodeRequest,
    DeliveryReport,
    Denial,
    Guess,
    Key,
    Policy,
    Reading,
    Refusal,
    SendOperation,
    Terms,
    VerifyOperation,
    policy_of,
    remembered,
)
from pytest_pinpoint_otp.apis.end_user_messaging.base import NotifyOperation, not_found, read, refuse, write_resource
from pytest_pinpoint_otp.apis.end_user_messaging.parameter_rules import (
    DEFAULTS,
    PLACEHOLDER,
    POLICY_NAMES,
    SEND,
    TEMPLATES,
    VALIDATE,
    Fault,
)
from pytest_pinpoint_otp.apis.end_user_messaging.store import Configuration, Store, read_id
from pytest_pinpoint_otp.apis.parameter_rules import PHONE_NUMBER, ParameterError, check_parameter
from pytest_pinpoint_otp.apis.rest_json import Response, quote, write_answer

DEFAULT_TEXT: Final = f"Your verification code is {PLACEHOLDER}."
"""The text of a template that is not known here (our assumption)."""

_NOTIFY_CONFIGURATION: Final = re.compile("(?:arn:.+[:/])?nc-.+")
"""An origination that is a Notify configuration (our assumption; it is documented that its IDs begin with nc-)."""

_ISSUED: Final[Mapping[str, dict[str, str]]] = {
    "text": {"inlineTemplateBody": DEFAULT_TEXT},
    "voice": {"inlineTemplateBody": DEFAULT_TEXT},
    "notify": {"notifyTemplateId": "verification-code"},
    "whatsApp": {"whatsAppTemplateName": "verification_code", "languageCode": "en"},
}
"""The channel parameters that `issue` sends, by route."""


class Send(NotifyOperation, SendOperation):
    """SendNotifyCodeVerification."""

    rules = SEND
    has_body = True
    tells_delivery = False
    throttled = Denial("ThrottlingException", "Rate exceeded.")
    # Not documented. AWS's older SMS API answers so, and this API's errors have the same names.
    opted_out = Denial("ConflictException", "The destination identity has opted out.")
    unknown_origination = Denial(
        "ResourceNotFoundException",
        "The origination identity does not exist or does not belong to the account.",
    )
    origination_member = "originationIdentity"
    # Source: AWS's examples.
    message_prefix = "sms-"
    verification_prefix = "ver-"
    issue_names: ClassVar[Mapping[str, str]] = {
        "channel": "channel",
        "origination_identity": "originationIdentity",
        "configuration": "notifyCodeConfiguration",
        "context": "context",
        "text": "overrideChannelParameters",
        **dict.fromkeys(POLICY_NAMES, "overrideCodeConfigurationParameters"),
    }

    def read_issue(
        self, application_id: str | None, destination: object, reference_id: object, given: Mapping[str, Any]
    ) -> Reading:
        given = {name: value for name, value in given.items() if value is not None}
        parameters: dict[str, Any] = {
            "channel": given.get("channel", "TEXT"),
            "originationIdentity": given.get("origination_identity", "+15550100999"),
            "destinationIdentity": destination,
            "referenceId": reference_id,
            "notifyCodeConfiguration": given.get("configuration"),
            "context": given.get("context"),
            "overrideCodeConfigurationParameters": {
                aws: given[name] for name, aws in POLICY_NAMES.items() if name in given
            },
        }
        route = find_route(parameters)
        template: dict[str, Any] = {}
        if "text" in given:
            template = {**_ISSUED[route], TEMPLATES[route]: given["text"]}
        elif "configuration" not in given:
            template = _ISSUED[route]
        parameters["overrideChannelParameters"] = {route: template}
        parameters = {name: value for name, value in parameters.items() if value is not None}
        return read(parameters)

    def accept(self, reading: Reading, terms: Terms, state: Store) -> CodeRequest | Refusal:
        refusal = self.check(reading, terms)
        if refusal is not None:
            return refusal
        named = reading.parameters.get("notifyCodeConfiguration")
        configuration = None if named is None else state.find(named)
        if configuration is None:
            return self._accept_by_itself(reading, terms, state.accepts_unknown)
        return self._accept(reading, terms, configuration)

    @remembered
    def _accept_by_itself(self, reading: Reading, terms: Terms, accepts_unknown: bool) -> CodeRequest | Refusal:
        """Accept a request that names no configuration, or an unknown one if those are accepted."""
        named = reading.parameters.get("notifyCodeConfiguration")
        asked = self._accept(reading, terms, None)
        if named is None or accepts_unknown or isinstance(asked, Refusal):
            return asked
        return not_found(named)

    def _accept(self, reading: Reading, terms: Terms, configuration: Configuration | None) -> CodeRequest | Refusal:
        parameters = reading.parameters
        rendering = _find_rendering(parameters, configuration)
        if terms.enforce_limits:
            faults = [*_find_wrong_address(parameters), *rendering.find_missing()]
            if faults:
                return refuse(faults)
        named = parameters.get("notifyCodeConfiguration")
        policy = _read_policy(parameters, configuration, terms)
        return CodeRequest(
            Key(None, parameters["destinationIdentity"], parameters.get("referenceId")),
            policy,
            parameters["originationIdentity"],
            parameters["channel"],
            tuple(rendering.text.split(PLACEHOLDER)),
            language=rendering.channel.get("languageCode"),
            configuration=None if named is None else read_id(named),
            code_type=policy.code_type,
            context=parameters.get("context"),
        )

    def find_resource(self, error: str, parameters: Mapping[str, Any]) -> Mapping[str, str]:
        # What was not found is the origination: for a configuration, not_found says so. A conflict is an opt-out.
        of = "destination" if error == "ConflictException" else "origination"
        return write_resource(parameters[f"{of}Identity"], f"{of}-identity")

    def write_delivery(
        self, reading: Reading, report: DeliveryReport, message_id: str, drawn: str, request_id: str
    ) -> Response:
        # The answer says nothing about the delivery: a later failure is an event of the configuration set.
        id_member = "" if report.message_id == "" else f', "messageId": {quote(message_id)}'
        body = f'{{"verificationId": "{self.verification_prefix}{drawn}"{id_member}}}'
        return write_answer(body.encode(), request_id)


class Validate(NotifyOperation, VerifyOperation):
    """ValidateNotifyCodeVerification."""

    rules = VALIDATE
    has_body = True

    def accept(self, reading: Reading, terms: Terms, state: Store) -> Guess | Refusal:
        refusal = self.check(reading, terms)
        if refusal is not None:
            return refusal
        parameters = reading.parameters
        key = Key(None, parameters["destinationIdentity"], parameters.get("referenceId"))
        return Guess(key, parameters["code"])

    def write_verdict(self, valid: bool, request_id: str) -> Response:
        return write_answer(b'{"status": "VALID"}' if valid else b'{"status": "INVALID"}', request_id)


class _Rendering(NamedTuple):
    """What the text of a send is made from."""

    route: str
    """Which channel parameters are used."""
    channel: Mapping[str, Any]
    """The configuration's parameters, each replaced by the request's if that has it."""
    configuration: Configuration | None
    is_unknown: bool
    """Whether the request names a configuration that is not here."""

    @property
    def text(self) -> str:
        """The template's text, as far as it is known here."""
        template = self.channel.get(TEMPLATES[self.route])
        if template is None or self.route == "notify":
            return DEFAULT_TEXT
        if self.route != "whatsApp":
            return str(template)
        texts = self.configuration.template_texts if self.configuration is not None else {}
        return texts.get(template, DEFAULT_TEXT)

    def find_missing(self) -> Iterator[Fault]:
        """Yield what the route needs and neither the request nor its configuration can have."""
        template = TEMPLATES[self.route]
        path = f"/overrideChannelParameters/{self.route}"
        shown = f"overrideChannelParameters.{self.route}"
        if template not in self.channel:
            if self.configuration is None and not self.is_unknown:
                message = f"{shown}.{template} is missing: a send without notifyCodeConfiguration needs it."
                yield Fault(f"{path}/{template}", message)
        # An unknown configuration may have the language.
        elif self.route == "whatsApp" and "languageCode" not in self.channel and not self.is_unknown:
            message = f"{shown}.languageCode is missing: the channel WHATSAPP needs it."
            yield Fault(f"{path}/languageCode", message)


def _find_rendering(parameters: Mapping[str, Any], configuration: Configuration | None) -> _Rendering:
    named = parameters.get("notifyCodeConfiguration")
    route = find_route(parameters)
    stored = configuration.channel_parameters.get(route, {}) if configuration is not None else {}
    override = (parameters.get("overrideChannelParameters") or {}).get(route) or {}
    channel = stored | {name: value for name, value in override.items() if value is not None}
    return _Rendering(route, channel, configuration, named is not None and configuration is None)


def find_route(parameters: Mapping[str, Any]) -> str:
    """Return which channel parameters a send uses: ``text``, ``voice``, ``notify`` or ``whatsApp``."""
    if parameters["channel"] == "WHATSAPP":
        return "whatsApp"
    if _NOTIFY_CONFIGURATION.fullmatch(str(parameters["originationIdentity"])):
        return "notify"
    return "voice" if parameters["channel"] == "VOICE" else "text"


def _find_wrong_address(parameters: Mapping[str, Any]) -> Iterator[Fault]:
    if parameters["channel"] != "WHATSAPP":
        try:
            check_parameter(PHONE_NUMBER, "destinationIdentity", parameters["destinationIdentity"], enforce=True)
        except ParameterError as error:
            yield Fault("/destinationIdentity", str(error))


def _read_policy(parameters: Mapping[str, Any], configuration: Configuration | None, terms: Terms) -> Policy:
    """Return each member from the first that has it: override, configuration, option, default."""
    override = parameters.get("overrideCodeConfigurationParameters") or {}
    stored = configuration.code_parameters if configuration is not None else {}

    def read(name: str, option: int | None = None) -> Any:
        # No number is ever 0.
        return override.get(name) or stored.get(name) or option or DEFAULTS[name]

    return policy_of(
        read("codeType"),
        read("codeLength", terms.code_length),
        read("validityPeriodMinutes", terms.validity_period),
        read("maxAttempts", terms.allowed_attempts),
    )
