"""The code configurations of one fake, with their tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pytest_pinpoint_otp.apis.end_user_messaging.parameter_rules import (
    CONFIGURATION_ID,
    CONFIGURATION_NAME,
    PLACEHOLDER,
    POLICY_NAMES,
    POLICY_RULES,
    TEMPLATE,
    UPDATE,
    WHATSAPP_TEMPLATE,
    keep,
)
from pytest_pinpoint_otp.apis.parameter_rules import ParameterTypeError, Rule, check_parameter, text

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
"""The region if no request names one."""
RESOURCE_TYPE: Final = "notify-code-configuration"
"""What errors call a configuration (not documented: what ARNs call it)."""

_ARN: Final = re.compile(f"arn:[^:]*:end-user-messaging:[^:]*:[^:]*:{RESOURCE_TYPE}/(.+)")


def read_id(id_or_arn: str) -> str:
    """Return the ID of a configuration: regions and accounts do not tell configurations apart (our assumption)."""
    arn = _ARN.fullmatch(id_or_arn)
    return arn[1] if arn else id_or_arn


@dataclass
class Configuration:
    """A code configuration. Its parameters hold only what was given."""

    id: str
    name: str
    region: str = REGION
    code_parameters: dict[str, Any] = field(default_factory=dict)
    channel_parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_protected: bool = False
    template_texts: dict[str, str] = field(default_factory=dict)
    """The texts of WhatsApp templates by name, if the test gives them. AWS does not know them."""
    tags: dict[str, str] = field(default_factory=dict)
    number: int = 0
    """Its place in the order of creation."""
    created_at: datetime | None = None
    """None: the test added it, and no call has read it yet."""
    updated_at: datetime | None = None

    @property
    def arn(self) -> str:
        """The Amazon Resource Name."""
        return f"arn:aws:end-user-messaging:{self.region}:{ACCOUNT}:{RESOURCE_TYPE}/{self.id}"

    def update(self, parameters: Mapping[str, Any], now: datetime) -> None:
        """Change what a request gives; an empty value clears a member of a channel."""
        given = keep(UPDATE, parameters)
        self.name = given.get("notifyCodeConfigurationName", self.name)
        self.is_protected = given.get("deletionProtectionEnabled", self.is_protected)
        self.code_parameters |= given.get("codeConfigurationParameters", {})
        for channel, members in given.get("channelParameters", {}).items():
            merged = self.channel_parameters.pop(channel, {}) | members
            kept = {name: value for name, value in merged.items() if value}
            if kept:
                self.channel_parameters[channel] = kept
        self.created_at, self.updated_at = self.created_at or now, now

    def tag(self, tags: Iterable[Mapping[str, str]]) -> None:
        """Add tags, in place of earlier ones of their keys."""
        self.tags |= {tag["key"]: tag["value"] for tag in tags}

    def write(self, now: datetime) -> dict[str, Any]:
        """Return it as answers have it."""
        self.created_at = self.created_at or now
        self.updated_at = self.updated_at or self.created_at
        document: dict[str, Any] = {
            "notifyCodeConfigurationId": self.id,
            "notifyCodeConfigurationArn": self.arn,
            "notifyCodeConfigurationName": self.name,
            "deletionProtectionEnabled": self.is_protected,
            "createdAt": self.created_at.timestamp(),
            "updatedAt": self.updated_at.timestamp(),
        }
        if self.code_parameters:
            document["codeConfigurationParameters"] = self.code_parameters
        if self.channel_parameters:
            document["channelParameters"] = self.channel_parameters
        return document


def _is_whatsapp_template(value: str) -> object:
    return TEMPLATE.accepts(value) or WHATSAPP_TEMPLATE.accepts(value)


ADDED_RULES: Final[Mapping[str, Rule]] = {
    "name": CONFIGURATION_NAME,
    **{name: POLICY_RULES[aws] for name, aws in POLICY_NAMES.items()},
    "text": TEMPLATE,
    "voice": TEMPLATE,
    "whatsapp": text(
        f"the name of a template, of lower-case letters, digits and _, or its text, with {PLACEHOLDER} for the code",
        _is_whatsapp_template,
    ),
}
"""The rules for a configuration that a test adds."""


class Store:
    """What one fake keeps of this API.

    Args:
        listed: the configurations that exist by option; None: any, until the first one is created or added.
        enforce: whether what a test adds is checked against the documented limits.
    """

    def __init__(self, listed: Iterable[str] | None, *, enforce: bool) -> None:
        self.accepts_unknown = listed is None
        """Whether a send may name a configuration that is not here."""
        self._enforce: Final = enforce
        self._by_id: dict[str, Configuration] = {}
        self._by_token: dict[str, tuple[dict[str, Any], Configuration]] = {}
        self._numbers = 0
        for one in sorted(map(read_id, listed or ())):
            self._put(Configuration(one, one))

    def find(self, id_or_arn: str) -> Configuration | None:
        """Return a configuration; None: there is none of this ID."""
        return self._by_id.get(read_id(id_or_arn))

    def find_created(self, parameters: Mapping[str, Any]) -> tuple[Configuration | None, bool]:
        """Return what an earlier request with the same client token made, and whether the two requests are the same."""
        request = {name: value for name, value in parameters.items() if name != "clientToken"}
        earlier, made = self._by_token.get(parameters.get("clientToken") or "", (None, None))
        # A token is free again after what it made was deleted (our assumption).
        if made is None or self._by_id.get(made.id) is not made:
            return None, True
        return made, earlier == request

    def create(self, configuration_id: str, region: str, parameters: Mapping[str, Any], now: datetime) -> Configuration:
        """Make a configuration as a request says."""
        made = Configuration(configuration_id, parameters["notifyCodeConfigurationName"], region)
        made.update(parameters, now)
        made.tag(parameters.get("tags") or [])
        self._put(made)
        if token := parameters.get("clientToken"):
            request = {name: value for name, value in parameters.items() if name != "clientToken"}
            self._by_token[token] = (request, made)
        return made

    def add(self, configuration_id: str, given: Mapping[str, Any]) -> None:
        """Add a configuration as the console would. It replaces one with the same ID.

        Args:
            configuration_id: the ID.
            given: what `ADDED_RULES` names, without what is left out.

        Raises:
            TypeError: a value has the wrong type.
            ValueError: a value outside a limit.
        """
        self._check("configuration_id", CONFIGURATION_ID, configuration_id)
        for name, value in given.items():
            self._check(name, ADDED_RULES[name], value)
        added = Configuration(configuration_id, given.get("name", configuration_id))
        added.code_parameters = {aws: given[name] for name, aws in POLICY_NAMES.items() if name in given}
        for channel in ("text", "voice"):
            if channel in given:
                added.channel_parameters[channel] = {"inlineTemplateBody": given[channel]}
        if (whatsapp := given.get("whatsapp")) is not None:
            template = whatsapp
            if PLACEHOLDER in whatsapp:
                # The template is at Meta. With its text given, any name will do.
                template = "verification_code"
                added.template_texts[template] = whatsapp
            added.channel_parameters["whatsApp"] = {"whatsAppTemplateName": template, "languageCode": "en"}
        self._put(added)

    def _check(self, name: str, rule: Rule, value: object) -> None:
        try:
            check_parameter(rule, name, value, enforce=self._enforce)
        except ParameterTypeError as error:
            raise TypeError(str(error)) from None

    def remove(self, configuration: Configuration) -> None:
        """Remove a configuration."""
        del self._by_id[configuration.id]

    def list_after(self, number: int, count: int) -> tuple[list[Configuration], int | None]:
        """Return configurations in the order of creation, and the number to go on after; None: there are no more.

        Args:
            number: the number of the last one before them.
            count: how many at most.
        """
        left = [one for one in self._by_id.values() if one.number > number]
        return left[:count], left[count - 1].number if len(left) > count else None

    def _put(self, configuration: Configuration) -> None:
        self._by_id.pop(configuration.id, None)
        self._numbers += 1
        configuration.number = self._numbers
        self._by_id[configuration.id] = configuration
        # From now on the test knows which ones exist: a call that names another is a mistake.
        self.accepts_unknown = False
