"""AWS's documented limits on the parameters of the two calls, and the shape that botocore's model asks for.

The rules come from the developer guide and the botocore model; where neither says anything, a line below says that
the rule is our assumption. Whether a value is known to the service (an application ID, say) is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from pytest_pinpoint_otp.apis.operations import SEND, VERIFY

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

CODE_LENGTH: Final = range(5, 9)
VALIDITY_PERIOD: Final = range(5, 61)
ALLOWED_ATTEMPTS: Final = range(1, 6)
"""At most 5 (source: AWS guide); at least 1 is our assumption."""

LANGUAGES: Final = frozenset(
    [
        "de-DE",
        "en-GB",
        "en-US",
        "es-419",
        "es-ES",
        "fr-CA",
        "fr-FR",
        "it-IT",
        "ja-JP",
        "ko-KR",
        "pt-BR",
        "zh-CN",
        "zh-TW",
    ]
)
_E164: Final = r"\+[1-9][0-9]{1,14}"
_SENDER_ID: Final = "[A-Za-z0-9-]{1,11}"


class ParameterError(ValueError):
    """A parameter is missing, has the wrong type, or is outside a documented limit. The message names all three."""


class ParameterTypeError(ParameterError):
    """A parameter has the wrong type."""


class _Rule(NamedTuple):
    type: type
    required: bool
    accepts: Callable[[Any], object]
    """The documented limit, asked when limits are enforced."""
    limit: str
    simulated: Callable[[Any], object]
    """What can be simulated at all, asked where limits are not enforced."""


def plain(value: Any) -> Any:
    """Return a str or an int as one of these types alone, where a test gives a member of an enum, say.

    The hash of such a member is not that of its value, so nothing of an OTP would be found by it.
    """
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _anything(value: object) -> bool:
    return True


def _text(limit: str, accepts: Callable[[str], object] = _anything, *, required: bool = False) -> _Rule:
    return _Rule(str, required, accepts, limit, _anything)


def _like(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern).fullmatch


def _of_length(shortest: int, longest: int) -> Callable[[str], object]:
    return lambda text: shortest <= len(text) <= longest


def _number(limit: str, accepted: range, simulated: range) -> _Rule:
    return _Rule(int, False, accepted.__contains__, limit, simulated.__contains__)


_DESTINATION = _text("a phone number in E.164, such as '+15550100123'", _like(_E164), required=True)
_REFERENCE = _text("1 to 48 characters", _of_length(1, 48), required=True)

RULES: Final[Mapping[str, Mapping[str, _Rule]]] = {
    SEND: {
        "Channel": _text("'SMS'", "SMS".__eq__, required=True),
        "BrandName": _text("up to 20 characters", _of_length(0, 20), required=True),
        "DestinationIdentity": _DESTINATION,
        "OriginationIdentity": _text(
            "a long code in E.164, a short code, or a sender ID of 1 to 11 letters, digits or hyphens",
            _like(f"{_E164}|{_SENDER_ID}"),
            required=True,
        ),
        "ReferenceId": _REFERENCE,
        "CodeLength": _number("5 to 8 digits", CODE_LENGTH, simulated=range(1, 65)),
        "ValidityPeriod": _number("5 to 60 minutes", VALIDITY_PERIOD, simulated=range(1, 10_000_001)),
        "AllowedAttempts": _number("1 to 5 attempts", ALLOWED_ATTEMPTS, simulated=range(1, 10_000_001)),
        "Language": _text(f"one of {', '.join(sorted(LANGUAGES))}", LANGUAGES.__contains__),
        "EntityId": _text("a string"),
        "TemplateId": _text("a string"),
    },
    VERIFY: {
        "DestinationIdentity": _DESTINATION,
        "Otp": _text("a string", required=True),
        "ReferenceId": _REFERENCE,
    },
}


_REQUIRED: Final = {operation: sum(rule.required for rule in rules.values()) for operation, rules in RULES.items()}
"""How many members each operation needs."""


def check_parameters(operation: str, parameters: Mapping[str, Any], *, enforce: bool) -> None:
    """Check the parameters of one request, by AWS's names.

    Args:
        operation: ``SendOTPMessage`` or ``VerifyOTPMessage``.
        parameters: the request's parameters; None counts as left out, and unknown members are ignored.
        enforce: whether the documented limits are asked; required members and types always are.

    Raises:
        ParameterError: naming the first parameter that is refused, its value and the limit.
    """
    rules = RULES[operation]
    required = 0
    for name, value in parameters.items():
        if value is None or name not in rules:
            continue
        kind, is_required, accepts, _, simulated = rules[name]
        # What `check_parameter` asks, without a call for each parameter of each request.
        if type(value) is not kind or not (accepts if enforce else simulated)(value):
            break
        required += is_required
    else:
        if required == _REQUIRED[operation]:
            return
    raise next(filter(None, [_find_fault(operation, name, parameters.get(name), enforce) for name in rules]))


def check_parameter(operation: str, name: str, value: object, *, enforce: bool) -> None:
    """Check one parameter's value, as `check_parameters` does with each."""
    refusal = _find_refusal(name, value, RULES[operation][name], enforce)
    if refusal is not None:
        raise refusal


def _find_fault(operation: str, name: str, value: object, enforce: bool) -> ParameterError | None:
    rule = RULES[operation][name]
    if value is not None:
        return _find_refusal(name, value, rule, enforce)
    return ParameterError(f"{name} is missing: {operation} needs {rule.limit}.") if rule.required else None


def _find_refusal(name: str, value: object, rule: _Rule, enforce: bool) -> ParameterError | None:
    if type(value) is rule.type and (rule.accepts if enforce else rule.simulated)(value):
        return None
    if type(value) is not rule.type:
        takes = _TYPE_NAMES[rule.type]
        limit = "" if takes == rule.limit else f": {rule.limit}"
        return ParameterTypeError(f"{name} is {value!r}, but takes {takes}{limit}.")
    if enforce:
        return ParameterError(f"{name} is {value!r}, but AWS accepts {rule.limit}.")
    return ParameterError(f"{name} is {value!r}, which cannot be simulated; AWS accepts {rule.limit}.")


_TYPE_NAMES = {str: "a string", int: "an integer"}
