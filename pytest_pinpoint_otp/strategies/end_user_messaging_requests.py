"""Strategies for sends of AWS End User Messaging, valid and refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from string import ascii_letters, ascii_lowercase, digits
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from pytest_pinpoint_otp.apis.end_user_messaging.parameter_rules import (
    CODE_LENGTH,
    CODE_TYPES,
    MAX_ATTEMPTS,
    PLACEHOLDER,
    SEND,
    TEMPLATES,
    VALIDITY_PERIOD,
)
from pytest_pinpoint_otp.apis.end_user_messaging.verifications import find_route
from pytest_pinpoint_otp.apis.parameter_rules import Rule
from pytest_pinpoint_otp.strategies.phones import malformed_numbers, phone_numbers
from pytest_pinpoint_otp.strategies.values import (
    BOOLEANS,
    CHARACTERS,
    MOSTLY,
    as_strategy,
    check_fixed,
    check_names,
    members,
    numbers,
    numbers_above,
    texts,
)

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_CONFIGURATION: Final = "notifyCodeConfiguration"
_CHANNEL_PARAMETERS: Final = "overrideChannelParameters"

_Strategies = dict[str, st.SearchStrategy[Any]]

_WORD: Final = f"{digits}{ascii_letters}_-"
_VISIBLE: Final = st.characters(categories=("L", "M", "N", "P", "S"))
_REQUIRED: Final = [name for name, node in SEND.members.items() if node.required]


def _templates() -> st.SearchStrategy[str]:
    some = st.text(CHARACTERS, max_size=20)
    drawn = st.builds("{}{}{}".format, some, st.just(PLACEHOLDER), some)
    return st.just(PLACEHOLDER) | drawn | drawn.map(lambda text: text.ljust(6000, "0"))


def _pairs(keys: int, values: st.SearchStrategy[str], fewest: int, most: int) -> st.SearchStrategy[dict[str, str]]:
    """Return a strategy for so many pairs, whose keys have so many characters at most."""
    key = texts(1, keys, _VISIBLE)
    drawn = st.dictionaries(key, values, min_size=fewest, max_size=most)
    few = st.dictionaries(key, values, min_size=fewest, max_size=fewest)
    others = {f"{place}": "0" for place in range(most)}
    return few | drawn | drawn.map(lambda pairs: dict([*{**pairs, **others}.items()][:most]))


def _values_of_context() -> st.SearchStrategy[str]:
    word = texts(1, 800, _VISIBLE)
    return word | st.builds("{} {}".format, *[st.text(_VISIBLE, min_size=1, max_size=20)] * 2)


_LANGUAGE: Final = texts(2, 35, _VISIBLE, usual=["en-US", "de-DE", "pt-BR", "zh-TW"])
_VOICE: Final = texts(1, 64, digits + ascii_letters, usual=["Joanna", "Vicki"])

_TEMPLATES_OF: Final[Mapping[str, st.SearchStrategy[str]]] = {
    "text": _templates(),
    "voice": _templates(),
    "notify": texts(1, 256, _WORD),
    "whatsApp": texts(1, 512, f"{digits}{ascii_lowercase}_"),
}
"""What the template is, by the route that a send takes."""

_BESIDE_TEMPLATE: Final[Mapping[str, _Strategies]] = {
    "text": {"destinationCountryParameters": _pairs(64, texts(1, 64, _VISIBLE), 1, 10)},
    "voice": {
        "languageCode": _LANGUAGE,
        "voiceId": _VOICE,
        "voiceMessageBodyTextType": st.sampled_from(["TEXT", "SSML"]),
    },
    "notify": {"voiceId": _VOICE},
    "whatsApp": {},
}


@cache
def _parameters_of(route: str, *, needs_template: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for the parameters of one route."""
    template = {TEMPLATES[route]: _TEMPLATES_OF[route]}
    optional = _BESIDE_TEMPLATE[route]
    if route == "whatsApp":
        # The channel needs both, from the request or from a configuration.
        return members({**template, "languageCode": _LANGUAGE}, {})
    if needs_template:
        return members(template, optional)
    return members({}, {**template, **optional})


@cache
def _channels(route: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for the channel parameters of a send: those of its route, and others that it ignores."""
    others = {other: _parameters_of(other, needs_template=False) for other in TEMPLATES if other != route}
    return members({route: _parameters_of(route, needs_template=True)}, others)


def notify_send_parameters(**fixed: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Parameters of SendNotifyCodeVerification: a complete dict of boto3's keyword arguments.

    Every optional member is sometimes left out, and every documented limit can be reached. Each send has what its route
    needs: a template, or the name of a configuration that may have one. If the fake knows its configurations, it
    accepts only those: fix ``notifyCodeConfiguration`` then.

    Args:
        fixed: members by AWS's name, such as ``channel``, each with its value or a strategy for it. None leaves an
            optional member out.

    Shrinks to the required members and a template, with short values.

    Raises:
        TypeError: no such member.
        ValueError: a required member is left out, or both the configuration and the template.
    """
    check_fixed("notify_send_parameters", fixed, SEND.members, _REQUIRED)
    without_channels = fixed.get(_CHANNEL_PARAMETERS, "drawn") is None
    if without_channels and fixed.setdefault(_CONFIGURATION, _CONFIGURATIONS) is None:
        raise ValueError(
            f"notify_send_parameters: {_CONFIGURATION} and {_CHANNEL_PARAMETERS} cannot both be left out: one of them"
            " has the template."
        )
    return _sends(fixed)


@st.composite
def _sends(draw: st.DrawFn, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Draw the parameters of a valid send. Those that decide the route come first, because others depend on it."""

    def take(**strategies: st.SearchStrategy[Any]) -> dict[str, Any]:
        """Draw members, those that are fixed as they are fixed."""
        given = {name: fixed.get(name, strategy) for name, strategy in strategies.items()}
        return {name: draw(as_strategy(value)) for name, value in given.items() if value is not None}

    parameters = take(channel=_CHANNELS, originationIdentity=_ORIGINATIONS)
    parameters |= take(destinationIdentity=_PHONES if parameters["channel"] != "WHATSAPP" else _ADDRESSES)
    route = find_route(parameters)
    parameters |= take(overrideChannelParameters=_channels(route))
    if _CONFIGURATION in fixed or draw(BOOLEANS):
        parameters |= take(notifyCodeConfiguration=_CONFIGURATIONS)
    if _CONFIGURATION in parameters and _CHANNEL_PARAMETERS not in fixed:
        # The configuration may have the template. After that was drawn: shrinking has nothing to put in its place then.
        _leave_out(draw(_LEFT_OUT), parameters, route)
    for name, strategy in _OPTIONAL.items():
        if name in fixed or draw(MOSTLY):
            parameters |= take(**{name: strategy})
    return parameters


_LEFT_OUT: Final = st.sampled_from(["nothing", "everything", "template", "nothing"])


def _leave_out(what: str, parameters: dict[str, Any], route: str) -> None:
    """Leave out of a send what its configuration may have."""
    channels = parameters[_CHANNEL_PARAMETERS]
    if what == "everything":
        del parameters[_CHANNEL_PARAMETERS]
    elif what == "template" and route == "whatsApp":
        del channels[route]
    elif what == "template":
        del channels[route][TEMPLATES[route]]


# One half is of WhatsApp, which alone has addresses that are not phone numbers.
_CHANNELS: Final = st.sampled_from(["TEXT", "VOICE", "WHATSAPP", "WHATSAPP"])
_PHONES: Final = phone_numbers()
_ADDRESSES: Final = texts(1, 20, st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"))
"""Of WhatsApp."""
_CONFIGURATIONS: Final = texts(1, 256, f"{_WORD}:/")
_OF_NOTIFY: Final = texts(1, 253, _WORD).map("nc-{}".format)
_ORIGINATIONS: Final = texts(1, 256, f"{_WORD}:/+") | _PHONES | _OF_NOTIFY
"""Sender IDs, ARNs, phone numbers and Notify configurations."""

_POLICY: Final[_Strategies] = {
    "codeType": st.sampled_from(CODE_TYPES),
    "codeLength": numbers(CODE_LENGTH),
    "validityPeriodMinutes": numbers(VALIDITY_PERIOD),
    "maxAttempts": numbers(MAX_ATTEMPTS),
}

_OPTIONAL: Final[_Strategies] = {
    "overrideCodeConfigurationParameters": members({}, _POLICY),
    "configurationSetName": texts(1, 256, _WORD),
    "context": _pairs(100, _values_of_context(), 0, 5),
    "referenceId": texts(1, 256, _WORD),
}
"""The members that have nothing to do with the others."""


class _Violation(NamedTuple):
    """A member that is given a value outside its limit."""

    path: tuple[str, ...]
    values: st.SearchStrategy[Any]
    fixed: Mapping[str, Any] = MappingProxyType({})
    """What the request must be for nothing else to be wrong with it."""

    @property
    def name(self) -> str:
        """The member's name, wherever it is."""
        return self.path[-1]


def invalid_notify_send_parameters(*names: str) -> st.SearchStrategy[tuple[dict[str, Any], str]]:
    """Parameters of SendNotifyCodeVerification that AWS refuses: a tuple of the dict and the name of the member at
    fault, such as ``codeLength``, at whatever depth it is.

    Exactly one member is outside its documented limits. botocore's own validation accepts all of them.

    Args:
        names: the members that may be at fault, such as ``"codeLength"``; by default any that has a limit.

    Shrinks to the required members, a template and the smallest violation.

    Raises:
        ValueError: no member of that name has a limit.
    """
    check_names("invalid_notify_send_parameters", names, {violation.name for violation in _VIOLATIONS})
    wanted = [violation for violation in _VIOLATIONS if not names or violation.name in names]
    return st.sampled_from(wanted).flatmap(
        lambda violation: st.tuples(notify_send_parameters(**violation.fixed), violation.values).map(
            lambda drawn: (_put(drawn[0], violation.path, drawn[1]), violation.name)
        )
    )


def _put(parameters: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return parameters with another value at a path."""
    name, *rest = path
    return {**parameters, name: _put(parameters.get(name, {}), tuple(rest), value) if rest else value}


def _refused(
    path: tuple[str, ...], longest: int, *tried: str, fixed: Mapping[str, Any] = MappingProxyType({})
) -> _Violation:
    """Return the violation of a text: these values, one character too many, and any others that are refused."""
    node: Any = SEND
    for name in path:
        node = node.members[name]
    rule: Rule = node
    drawn = st.sampled_from(tried) | st.text(CHARACTERS, min_size=2, max_size=20) | st.just("0" * (longest + 1))
    return _Violation(path, drawn.filter(lambda value: not rule.accepts(value)), fixed)


def _of_channel(channel: str, member: str, longest: int, *tried: str) -> _Violation:
    return _refused(("overrideChannelParameters", channel, member), longest, *tried)


def _bad_pairs(keys: int, values: int, fewest: int, most: int) -> st.SearchStrategy[dict[str, str]]:
    """Return a strategy for pairs of which there are too few or too many, or one is outside its limit."""
    counts = [count for count in (fewest - 1, most + 1) if count >= 0]
    by_count = st.sampled_from([{f"{place}": "0" for place in range(count)} for count in counts])
    of_keys = st.sampled_from([{"a b": "0"}, {"0" * (keys + 1): "0"}])
    of_values = st.sampled_from([{"0": "a "}, {"0": "0" * (values + 1)}])
    return by_count | of_keys | of_values


_VIOLATIONS: Final[list[_Violation]] = [
    _refused(("channel",), 8, "SMS", "text", "PIGEON", fixed={"channel": "TEXT"}),
    _refused(("destinationIdentity",), 20, "+1 555 0100", "#15550100"),
    # WhatsApp has other addresses, and an empty one is refused by botocore.
    _Violation(
        ("destinationIdentity",), malformed_numbers().filter(bool), {"channel": st.sampled_from(["TEXT", "VOICE"])}
    ),
    _refused(("originationIdentity",), 256, "a b", "a.b", fixed={"originationIdentity": "A"}),
    _refused(("notifyCodeConfiguration",), 256, "a b", "a.b"),
    _refused(("configurationSetName",), 256, "a b", "arn:aws"),
    _refused(("referenceId",), 256, "a b", "+15550100123", "sign-up:1", "a.b"),
    _Violation(("context",), _bad_pairs(100, 800, 0, 5)),
    _refused(("overrideCodeConfigurationParameters", "codeType"), 12, "DIGITS", "numeric"),
    _Violation(("overrideCodeConfigurationParameters", "codeLength"), numbers_above(CODE_LENGTH)),
    _Violation(("overrideCodeConfigurationParameters", "validityPeriodMinutes"), numbers_above(VALIDITY_PERIOD)),
    _Violation(("overrideCodeConfigurationParameters", "maxAttempts"), numbers_above(MAX_ATTEMPTS)),
    # Nothing has a template.
    _Violation(("overrideChannelParameters",), st.just({}), {"notifyCodeConfiguration": None}),
    _of_channel("text", "inlineTemplateBody", 6000, "Your code: {{otp}}", " ", f"{PLACEHOLDER}{'0' * 6000}"),
    _Violation(("overrideChannelParameters", "text", "destinationCountryParameters"), _bad_pairs(64, 64, 1, 10)),
    _of_channel("voice", "inlineTemplateBody", 6000, "Your code: {{otp}}", " ", f"{PLACEHOLDER}{'0' * 6000}"),
    _of_channel("voice", "languageCode", 35, "en US"),
    _of_channel("voice", "voiceId", 64, "Joanna-2"),
    _of_channel("voice", "voiceMessageBodyTextType", 4, "HTML", "text"),
    _of_channel("notify", "notifyTemplateId", 256, "a b", "a.b"),
    _of_channel("notify", "voiceId", 64, "Joanna-2"),
    _of_channel("whatsApp", "whatsAppTemplateName", 512, "Sign-Up", "sign up"),
    _of_channel("whatsApp", "languageCode", 35, "en US"),
]
