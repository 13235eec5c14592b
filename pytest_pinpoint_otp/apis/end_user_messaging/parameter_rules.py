"""What AWS End User Messaging takes: its limits, member by member.

botocore checks required members, types and minimums before it sends anything; maximums, patterns, enumerations and the
minimum of a map are left to the service, which is this. Source: botocore's model; where a rule comes from elsewhere, a
line says so. A test compares the rules with the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from pytest_pinpoint_otp.apis.parameter_rules import (
    ParameterError,
    ParameterTypeError,
    Rule,
    check_parameter,
    like,
    number,
    text,
)

CODE_TYPES: Final = ("NUMERIC", "ALPHA", "ALPHANUMERIC")
CODE_LENGTH: Final = range(4, 9)
VALIDITY_PERIOD: Final = range(1, 61)
MAX_ATTEMPTS: Final = range(1, 6)

DEFAULTS: Final[Mapping[str, Any]] = {
    "codeType": "NUMERIC",  # not documented: our assumption
    "codeLength": 6,
    "validityPeriodMinutes": 10,
    "maxAttempts": 3,
}
"""For what override, configuration and option leave out (source: AWS guide, create a notify code configuration)."""

PLACEHOLDER: Final = "{{code}}"
"""Where a template has the code (source: AWS's examples; the guide does not spell it)."""

TEMPLATES: Final[Mapping[str, str]] = {
    "text": "inlineTemplateBody",
    "voice": "inlineTemplateBody",
    "notify": "notifyTemplateId",
    "whatsApp": "whatsAppTemplateName",
}
"""The member that has the template or its name, by route."""


POLICY_NAMES: Final[Mapping[str, str]] = {
    "code_type": "codeType",
    "code_length": "codeLength",
    "validity_period": "validityPeriodMinutes",
    "allowed_attempts": "maxAttempts",
}
"""The members of a policy: this package's names, as in records and options, and AWS's."""


class Structure(NamedTuple):
    """What an object takes, by the names of its members."""

    members: Mapping[str, Node]
    required: bool = False


class Pairs(NamedTuple):
    """What an object with free names takes."""

    key: Rule
    value: Rule
    size: range
    required: bool = False


class Items(NamedTuple):
    """What an array takes."""

    item: Node
    size: range
    required: bool = False


Node = Rule | Structure | Pairs | Items


class Fault(NamedTuple):
    """Where a request is outside a rule."""

    path: str
    """A JSON pointer."""
    message: str
    wrong_type: bool = False
    """Whether the value has the wrong type."""


def find_faults(rules: Structure, parameters: Mapping[str, Any], *, enforce: bool) -> list[Fault]:
    """Return what is wrong with a request's parameters, in the order of the rules.

    Args:
        rules: the operation's.
        parameters: the request's; None counts as left out, and unknown members are ignored.
        enforce: whether the documented limits are checked; required members and types always are.
    """
    faults: list[Fault] = []
    _check_members(rules, parameters, (), enforce, faults)
    return faults


_Path = tuple[str, ...]
"""The names of the members that lead to a value. They become text only if something is wrong with it."""


def _check_members(rules: Structure, values: Mapping[str, Any], at: _Path, enforce: bool, faults: list[Fault]) -> None:
    get = values.get
    for name, node in rules.members.items():
        value = get(name)
        if value is None:
            if node.required:
                faults.append(Fault(point(*at, name), f"{_show(*at, name)} is missing."))
        # The common case takes no call, because this runs for each parameter of each request.
        elif type(node) is not Rule or (
            type(value) is not node.type or not (node.accepts if enforce else node.simulated)(value)
        ):
            _check_value(node, value, (*at, name), enforce, faults)


def _check_value(node: Node, value: Any, at: _Path, enforce: bool, faults: list[Fault]) -> None:
    if isinstance(node, Structure) and isinstance(value, dict):
        _check_members(node, value, at, enforce, faults)
    elif isinstance(node, Pairs) and isinstance(value, dict):
        _check_size(node, len(value), at, enforce, faults)
        for key, one in value.items():
            _check_value(node.key, key, (*at, key), enforce, faults)
            _check_value(node.value, one, (*at, key), enforce, faults)
    elif isinstance(node, Items) and isinstance(value, list):
        _check_size(node, len(value), at, enforce, faults)
        for index, item in enumerate(value):
            _check_value(node.item, item, (*at, str(index)), enforce, faults)
    elif isinstance(node, Rule):
        try:
            check_parameter(node, _show(*at), value, enforce=enforce)
        except ParameterError as error:
            faults.append(Fault(point(*at), str(error), isinstance(error, ParameterTypeError)))
    else:
        takes = "a list" if isinstance(node, Items) else "an object"
        faults.append(Fault(point(*at), f"{_show(*at)} is {value!r}, but takes {takes}.", wrong_type=True))


def _check_size(node: Pairs | Items, size: int, at: _Path, enforce: bool, faults: list[Fault]) -> None:
    if enforce and size not in node.size:
        accepted = f"{node.size.start} to {node.size.stop - 1}"
        faults.append(Fault(point(*at), f"{_show(*at)} has {size} members, but AWS accepts {accepted}."))


def keep(rules: Structure, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an accepted object that are known and not null."""
    kept: dict[str, Any] = {}
    for name, node in rules.members.items():
        value = given.get(name)
        if value is not None:
            kept[name] = keep(node, value) if isinstance(node, Structure) else value
    return kept


def point(*names: str) -> str:
    """Return the JSON pointer of a member."""
    return "".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in names)


def _show(*names: str) -> str:
    """Return the path of a member as messages show it: ``overrideChannelParameters.text``."""
    return ".".join(names)


def _word(characters: str, longest: int, limit: str, *, required: bool = False, shortest: int = 1) -> Rule:
    """Return a rule for a string of so many of these characters."""
    return text(f"{shortest} to {longest} {limit}", like(f"{characters}{{{shortest},{longest}}}"), required=required)


def _choice(*values: str, required: bool = False) -> Rule:
    return text(f"one of {', '.join(values)}", frozenset(values).__contains__, required=required)


def _clearable(rule: Rule) -> Rule:
    """Return a rule that takes an empty string too, which clears the member."""

    def accepts(value: str) -> object:
        return not value or rule.accepts(value)

    return rule._replace(accepts=accepts, limit=f"{rule.limit}, or '' to clear it")


def _is_template(value: str) -> bool:
    return len(value) <= 6000 and PLACEHOLDER in value


_CODE_TYPE: Final = _choice(*CODE_TYPES)
POLICY_RULES: Final[Mapping[str, Rule]] = {
    # Codes of another type cannot be drawn.
    "codeType": _CODE_TYPE._replace(simulated=_CODE_TYPE.accepts),
    "codeLength": number("4 to 8 characters", CODE_LENGTH, simulated=range(1, 65)),
    "validityPeriodMinutes": number("1 to 60 minutes", VALIDITY_PERIOD, simulated=range(1, 10_000_001)),
    "maxAttempts": number("1 to 5 attempts", MAX_ATTEMPTS, simulated=range(1, 10_000_001)),
}
"""The numbers that can be simulated are our own limit."""
_POLICY: Final = Structure(POLICY_RULES)

TEMPLATE: Final = text(f"1 to 6000 characters, with {PLACEHOLDER} for the code", _is_template)
# The service's own limit is narrower than the model's (source: AWS guide).
WHATSAPP_TEMPLATE: Final = _word("[a-z0-9_]", 512, "lower-case letters, digits or _")
_LANGUAGE: Final = _word(r"\S", 35, "characters without white space, such as en-US", shortest=2)
_VOICE: Final = _word("[A-Za-z0-9]", 64, "letters or digits")
_COUNTRY_KEY: Final = _word(r"\S", 64, "characters without white space")


def _channel_parameters(change: Callable[[Rule], Rule], fewest: int) -> Structure:
    """Return what channel parameters take.

    Args:
        change: turns the rule of a member into the one to use.
        fewest: the least number of country parameters.
    """
    template, language, voice = change(TEMPLATE), change(_LANGUAGE), change(_VOICE)
    countries = Pairs(_COUNTRY_KEY, _COUNTRY_KEY, range(fewest, 11))
    return Structure(
        {
            "text": Structure({"inlineTemplateBody": template, "destinationCountryParameters": countries}),
            "voice": Structure(
                {
                    "inlineTemplateBody": template,
                    "languageCode": language,
                    "voiceId": voice,
                    "voiceMessageBodyTextType": _choice("TEXT", "SSML"),
                }
            ),
            "notify": Structure(
                {
                    "notifyTemplateId": change(_word("[A-Za-z0-9_-]", 256, "letters, digits, _ or -")),
                    "voiceId": voice,
                }
            ),
            "whatsApp": Structure({"whatsAppTemplateName": change(WHATSAPP_TEMPLATE), "languageCode": language}),
        }
    )


def _unchanged(rule: Rule) -> Rule:
    return rule


CHANNEL_PARAMETERS: Final = _channel_parameters(_unchanged, fewest=1)
_CHANGED_CHANNEL_PARAMETERS: Final = _channel_parameters(_clearable, fewest=0)

_CHANNEL: Final = _choice("TEXT", "VOICE", "WHATSAPP", required=True)
DESTINATION: Final = _word('[!-"$-~]', 20, "printable ASCII characters other than space and #", required=True)
REFERENCE: Final = _word("[A-Za-z0-9_-]", 256, "letters, digits, _ or -")
_CONFIGURATION: Final = _word("[A-Za-z0-9_:/-]", 256, "letters, digits or _ : / -: an ID or an ARN")
CONFIGURATION_ID: Final = _word("[A-Za-z0-9_-]", 64, "letters, digits, _ or -", required=True)
CONFIGURATION_NAME: Final = text(
    "1 to 64 letters, digits, spaces, _ or -, not only spaces", like(r"(?=.*[^ ])[A-Za-z0-9_ -]{1,64}"), required=True
)

_TAG_KEY: Final = _word(".", 128, "characters", required=True)
_TAG: Final = Structure({"key": _TAG_KEY, "value": _word(".", 256, "characters", shortest=0, required=True)})
MOST_TAGS: Final = 50
"""Of one configuration, and of one request."""
_ARN: Final = text("20 to 256 characters of an ARN", like(r"(?=.{20,256}\Z)arn:[A-Za-z0-9_:/-]+"), required=True)
_BOOLEANS: Final = (True, False).__contains__
# More than fit into a request.
_ANY_COUNT: Final = 1_000_000

SEND: Final = Structure(
    {
        # The template of another channel is not known.
        "channel": _CHANNEL._replace(simulated=_CHANNEL.accepts),
        "destinationIdentity": DESTINATION,
        "originationIdentity": _word("[A-Za-z0-9_:/+-]", 256, "letters, digits or _ : / + -", required=True),
        "notifyCodeConfiguration": _CONFIGURATION,
        "overrideChannelParameters": CHANNEL_PARAMETERS,
        "overrideCodeConfigurationParameters": _POLICY,
        "configurationSetName": _word("[A-Za-z0-9_-]", 256, "letters, digits, _ or -"),
        "context": Pairs(
            _word(r"\S", 100, "characters without white space"),
            text("1 to 800 characters, without white space at either end", like(r"(?=[\s\S]{1,800}\Z)\S([\s\S]*\S)?")),
            range(6),
        ),
        "referenceId": REFERENCE,
    }
)
VALIDATE: Final = Structure(
    {
        "destinationIdentity": DESTINATION,
        "referenceId": REFERENCE,
        "code": _word("[A-Za-z0-9]", 8, "letters or digits", shortest=4, required=True),
    }
)
CREATE: Final = Structure(
    {
        "notifyCodeConfigurationName": CONFIGURATION_NAME,
        "codeConfigurationParameters": _POLICY,
        "channelParameters": CHANNEL_PARAMETERS,
        "deletionProtectionEnabled": Rule(bool, False, _BOOLEANS, "true or false", _BOOLEANS),
        "clientToken": _word("[!-~]", 128, "printable ASCII characters without space"),
        "tags": Items(_TAG, range(MOST_TAGS + 1)),
    }
)
ONE: Final = Structure({"notifyCodeConfigurationId": _CONFIGURATION._replace(required=True)})
"""For the operations on one configuration."""
UPDATE: Final = Structure(
    {
        **ONE.members,
        "notifyCodeConfigurationName": CONFIGURATION_NAME._replace(required=False),
        "codeConfigurationParameters": _POLICY,
        "channelParameters": _CHANGED_CHANNEL_PARAMETERS,
        "deletionProtectionEnabled": CREATE.members["deletionProtectionEnabled"],
    }
)
LIST: Final = Structure(
    {
        "maxResults": number("1 to 100", range(1, 101), simulated=range(1, _ANY_COUNT)),
        "nextToken": _word(".", 2048, "characters"),
    }
)
TAG: Final = Structure({"resourceArn": _ARN, "tags": Items(_TAG, range(1, MOST_TAGS + 1), required=True)})
UNTAG: Final = Structure({"resourceArn": _ARN, "tagKeys": Items(_TAG_KEY, range(1, _ANY_COUNT), required=True)})
TAGS: Final = Structure({"resourceArn": _ARN})
