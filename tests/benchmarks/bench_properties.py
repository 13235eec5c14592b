"""What a property costs beside the calls that it makes, and what drawing its requests does."""

from __future__ import annotations

from string import ascii_letters, digits
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from measuring import Action, Measure, Send

from pytest_pinpoint_otp import mock_pinpoint_otp
from pytest_pinpoint_otp.strategies import phone_numbers, reference_ids, send_parameters

EXAMPLES = 200

PLAIN = st.fixed_dictionaries(
    {
        "Channel": st.just("SMS"),
        "BrandName": st.text(max_size=20),
        "DestinationIdentity": phone_numbers(),
        "OriginationIdentity": st.text(f"{digits}{ascii_letters}-", min_size=1, max_size=11) | phone_numbers(),
        "ReferenceId": reference_ids(),
    },
    optional={
        "CodeLength": st.integers(5, 8),
        "ValidityPeriod": st.integers(5, 60),
        "AllowedAttempts": st.integers(1, 5),
        "Language": st.sampled_from(["de-DE", "en-US", "es-419", "fr-FR"]),
        "EntityId": st.text(),
        "TemplateId": st.text(),
    },
)
"""Parameters of a send as a test would draw them without `send_parameters`."""


def property_of(example: Send, strategy: st.SearchStrategy[Any] | None = None) -> Action:
    """Return a test of so many examples, the same in each run."""
    fixed = settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    return fixed(given(phone_numbers() if strategy is None else strategy)(example))


def test_a_property_beside_a_loop(measure: Measure, send: Send) -> None:
    def send_to(number: str) -> None:
        with mock_pinpoint_otp():
            send(DestinationIdentity=number)

    numbers = []

    def note(number: str) -> None:
        numbers.append(number)

    property_of(note)()
    assert len(numbers) == EXAMPLES

    def loop() -> None:
        for number in numbers:
            send_to(number)

    ratio = measure.ratio(property_of(send_to), loop, calls=1, warm_up=0, rounds=15)
    measure.check(f"A property of {EXAMPLES} examples with a send each, of those sends in a loop", ratio, 2.5)


def test_the_share_of_hypothesis(measure: Measure, send: Send) -> None:
    def send_to(number: str) -> None:
        with mock_pinpoint_otp():
            send(DestinationIdentity=number)

    ratio = measure.ratio(property_of(lambda number: None), property_of(send_to), calls=1, warm_up=0, rounds=15)
    measure.check("Hypothesis's own share of that property", ratio, 0.5)


def test_drawing_the_parameters_of_a_send(measure: Measure) -> None:
    def drawn(strategy: st.SearchStrategy[Any]) -> Action:
        return property_of(lambda parameters: None, strategy)

    ratio = measure.ratio(drawn(send_parameters()), drawn(PLAIN), calls=1, rounds=15)
    measure.check("Drawing `send_parameters()`, of a plain `fixed_dictionaries` of the same", ratio, 1.3)
