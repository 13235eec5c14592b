"""What a property costs beside the calls that it makes."""

from __future__ import annotations

from hypothesis import Phase, given, settings
from measuring import Action, Measure, Send

from pytest_pinpoint_otp import mock_pinpoint_otp
from pytest_pinpoint_otp.strategies import phone_numbers

EXAMPLES = 200


def property_of(example: Send) -> Action:
    """Return a test of so many examples, the same in each run."""
    fixed = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    return fixed(given(phone_numbers())(example))


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
    measure.check(f"A property of {EXAMPLES} examples with a send each, of those sends in a loop", ratio, 4.5)


def test_the_share_of_hypothesis(measure: Measure, send: Send) -> None:
    def send_to(number: str) -> None:
        with mock_pinpoint_otp():
            send(DestinationIdentity=number)

    ratio = measure.ratio(property_of(lambda number: None), property_of(send_to), calls=1, warm_up=0, rounds=15)
    measure.check("Hypothesis's own share of that property", ratio, 0.75)
