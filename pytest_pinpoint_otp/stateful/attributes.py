"""The class attributes of a machine, checked where they are written."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from pytest_pinpoint_otp.apis import APIS
from pytest_pinpoint_otp.engine.argument_checks import check_bool, check_int, did_you_mean, find_near, kind
from pytest_pinpoint_otp.engine.arguments import read_phone_number
from pytest_pinpoint_otp.engine.options import read_options

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

PHONES: Final = ("+12025550101", "+12025550102")
"""Of 555-0100 to 555-0199 in an area code, which the North American Numbering Plan keeps for fiction, and which
validators accept. The phonenumbers library refuses those that Ofcom keeps for mobile phones."""

APIS_BY_NAME: Final = {api.name: api for api in APIS}
"""The APIs that a machine can drive an application of."""


_LIMITS: Final = ("max_guesses", "guess_window", "max_texts", "text_window", "tolerated_errors", "may_test_nothing")
"""Attributes whose misspelling is refused. Not ``phones``: a subclass may well have a ``phone`` of its own."""


def check_attributes(machine: Any, properties: Collection[str], rules: Collection[str]) -> None:
    """Check the class attributes and methods of a machine.

    Args:
        machine: the class.
        properties: the names of the properties that there are.
        rules: the names of the rules that there are.

    Raises:
        TypeError: an attribute of the wrong type, or a method in a rule's place that is not a rule.
        ValueError: an unknown name, or a number out of range.
    """
    name = machine.__name__
    if isinstance(machine.properties, str) or not isinstance(machine.properties, Collection):
        raise TypeError(f"{name}.properties takes a list of names, not {kind(machine.properties)}.")
    for one in machine.properties:
        if one not in properties:
            raise ValueError(f"{name}.properties: there is no {one!r}.{did_you_mean(one, properties)}")
    if isinstance(machine.phones, str) or not isinstance(machine.phones, Sequence) or not machine.phones:
        raise TypeError(f"{name}.phones takes a list of phone numbers, not {kind(machine.phones)}.")
    for phone in machine.phones:
        if not isinstance(phone, str):
            raise TypeError(f"{name}.phones takes phone numbers such as {PHONES[0]!r}, not {kind(phone)}.")
    if not isinstance(machine.api, str) or machine.api not in APIS_BY_NAME:
        raise ValueError(f"{name}.api: {machine.api!r} is not faked.{did_you_mean(machine.api, APIS_BY_NAME)}")
    check_int(f"{name}.max_guesses", machine.max_guesses, 0, meaning="wrong codes within guess_window, such as 10")
    if machine.max_texts is not None:
        check_int(f"{name}.max_texts", machine.max_texts, 1, meaning="texts within text_window, such as 5; None: any")
    check_int(f"{name}.tolerated_errors", machine.tolerated_errors, 1, meaning="errors that lock nobody out, such as 5")
    check_bool(f"{name}.may_test_nothing", machine.may_test_nothing)
    for window in ("guess_window", "text_window"):
        value = getattr(machine, window)
        if not isinstance(value, timedelta):
            raise TypeError(f"{name}.{window} takes a timedelta, such as timedelta(hours=1), not {kind(value)}.")
    if not isinstance(machine.options, Mapping):
        raise TypeError(f"{name}.options takes a dict of options by name, not {kind(machine.options)}.")
    read_options(machine.options, f"{name}.options")
    for phone in machine.phones:
        read_phone_number(f"{name}.phones", phone, enforce=machine.options.get("enforce_limits") is not False)
    if machine.options.get("assert_all_used"):
        raise ValueError(
            f"{name}.options: assert_all_used is True, but a run may leave unused what its rules arrange for a call"
            " that does not come: leave it out."
        )
    _check_names(machine, rules)
    _check_methods(machine, properties, rules)


def _check_names(machine: Any, rules: Collection[str]) -> None:
    """Refuse a name that is probably a misspelt one, which would keep its default without a word."""
    for name, value in vars(machine).items():
        # A rule is left out by None.
        near = find_near(name, [*_LIMITS, *(rules if value is None else ())], likeness=0.85)
        if near is not None and not hasattr(super(machine, machine), name):
            raise ValueError(f"{machine.__name__}.{name}: there is no such attribute. Did you mean {near!r}?")


def _check_methods(machine: Any, properties: Collection[str], rules: Collection[str]) -> None:
    name = machine.__name__
    for method in ("begin", "request_code", "check_code"):
        if inspect.iscoroutinefunction(getattr(machine, method)):
            raise TypeError(
                f"{name}.{method} is a coroutine function, but the machine does not await: use asyncio.run."
            )
    if not hasattr(machine.start, "hypothesis_stateful_initialize_rule"):
        raise TypeError(f"{name}.start takes the place of the machine's own, which starts the fake: override begin.")
    for one in properties:
        if not callable(value := getattr(machine, one)):
            raise TypeError(
                f"{name}.{one} takes a method, not {kind(value)}. Leave its name out of properties instead."
            )
    for one in rules:
        value = getattr(machine, one)
        # Hypothesis would silently take no step with it.
        if value is not None and not hasattr(value, "hypothesis_stateful_rule"):
            raise TypeError(
                f"{name}.{one} takes the place of a rule and is not a rule: decorate it with @rule of"
                f" hypothesis.stateful, or set {one} = None to leave the rule out."
            )
