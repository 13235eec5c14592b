"""What a test gives to arrange codes: numbers, codes and parameters, checked where they are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from pytest_pinpoint_otp.apis.parameter_rules import PHONE_NUMBER
from pytest_pinpoint_otp.engine.argument_checks import check_str, did_you_mean, kind, plain
from pytest_pinpoint_otp.engine.codes import ALPHABETS, say_length
from pytest_pinpoint_otp.engine.options import find_refusals
from pytest_pinpoint_otp.engine.service import say_which_api, sending_operation

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

CodeType = Literal["NUMERIC", "ALPHA", "ALPHANUMERIC"]


class IssueParameters(TypedDict, total=False):
    """The parameters of `issue` besides destination, application, reference and code."""

    brand_name: str | None
    channel: str | None
    origination_identity: str | None
    code_length: int | None
    validity_period: int | None
    allowed_attempts: int | None
    language: str | None
    entity_id: str | None
    template_id: str | None
    code_type: CodeType | None
    configuration: str | None
    context: Mapping[str, str] | None
    text: str | None


class ConfigurationParameters(TypedDict, total=False):
    """What `add_code_configuration` takes besides the configuration's ID."""

    name: str | None
    code_type: CodeType | None
    code_length: int | None
    validity_period: int | None
    allowed_attempts: int | None
    text: str | None
    voice: str | None
    whatsapp: str | None


def read_phone_number(where: str, number: object, *, enforce: bool) -> str:
    """Return a phone number as a plain str; ``where`` begins a message.

    Raises:
        TypeError: it is not a str.
        ValueError: limits are enforced, and it is not in E.164.
    """
    check_str(where, number, "a phone number as str")
    number = str(plain(number))
    if enforce and not PHONE_NUMBER.accepts(number):
        raise ValueError(
            f"{where}: {number!r} is not a phone number in E.164: a +, a country code and a number, such as"
            " '+15550100123'."
        )
    return number


def check_code(where: str, code: object, *, enforce: bool, code_type: str | None = None) -> None:
    """Check that some API sends such a code; ``where`` begins a message.

    Raises:
        TypeError: it is not a str.
        ValueError: it has other characters, or another length.
    """
    check_str(where, code, "codes as str, since a code may start with a zero")
    code = str(plain(code))
    numeric = code_type == "NUMERIC"
    alphabet = ALPHABETS["NUMERIC" if numeric else "ALPHANUMERIC"]
    if not code or not set(code) <= set(alphabet):
        letters = "" if numeric else ", or of those and capital letters"
        raise ValueError(f"{where}: the code {code!r} is not made of the digits 0 to 9{letters}.")
    refusals = find_refusals("code_length", len(code), enforce=enforce)
    if refusals:
        raise ValueError(f"{where}: the code {code!r} has {say_length(code)}. {refusals}")


def read_codes(codes: Sequence[object], *, enforce: bool) -> list[str]:
    """Return the codes that `queue_codes` is given, as plain strs.

    Raises:
        TypeError: no code, or a code that is not a str.
        ValueError: a code that no API sends.
    """
    if not codes:
        raise TypeError("queue_codes: give at least one code, such as queue_codes('012345').")
    for code in codes:
        if isinstance(code, (list, tuple)):
            shown = ", ".join(map(repr, code))
            raise TypeError(f"{kind(code)} is not a code. Give several codes as arguments: queue_codes({shown}).")
        check_code("queue_codes", code, enforce=enforce)
    return [str(plain(code)) for code in codes]


def check_text(what: str, value: object) -> None:
    """Check that an argument is a str that is not empty.

    Raises:
        TypeError: it is not a str.
        ValueError: it is empty.
    """
    check_str(what, value)
    if not value:
        raise ValueError(f"{what} is empty.")


def read_policy(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `add_code_configuration` is given besides the ID, as plain values.

    Raises:
        TypeError: an unknown parameter.
    """
    known = ConfigurationParameters.__annotations__
    for name in given:
        if name not in known:
            raise TypeError(f"add_code_configuration: there is no parameter {name!r}.{did_you_mean(name, known)}")
    return {name: plain(value) for name, value in given.items()}


def read_issue(application_id: object, given: Mapping[str, Any], code: object, *, enforce: bool) -> dict[str, Any]:
    """Return what `issue` is given besides destination, application, reference and code, checked by name and code.

    Raises:
        TypeError: an unknown parameter, or a value of the wrong type.
        ValueError: a code that no API sends, or that has another length than is given.
    """
    if application_id is not None:
        check_str("issue: application_id", application_id)
    application_id = None if application_id is None else str(application_id)
    known = sending_operation(application_id).issue_names
    for name in given:
        if name not in known:
            hint = f"{_find_home(name, application_id) or did_you_mean(name, known)}{say_which_api(application_id)}"
            raise TypeError(f"issue: there is no parameter {name!r}.{hint}")
    issued = {name: plain(value) for name, value in given.items() if value is not None}
    if code is not None:
        check_code("issue", code, enforce=enforce, code_type="NUMERIC" if "code_type" not in known else None)
        code = str(plain(code))
        if issued.setdefault("code_length", len(code)) != len(code):
            raise ValueError(f"issue: the code {code!r} has {say_length(code)}, not {issued['code_length']!r}.")
    return issued


def _find_home(name: str, application_id: str | None) -> str:
    """Return what to say of a parameter that only codes without an application have; empty for any other."""
    without = sending_operation(None)
    if application_id is None or name not in without.issue_names:
        return ""
    return f" It is for codes of {without.api.name}: leave application_id out."
