"""Codes and IDs come from the seed. That each test has its own, however it runs: tests/plugin/test_runners.py."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import DESTINATION, OTHER_DESTINATION, send, verify

from pytest_pinpoint_otp import mock_pinpoint_otp


def in_a_fresh_fake(client: Any, **options: Any) -> tuple[list[str], list[str]]:
    """Make some calls and return the codes and the IDs that were drawn for them."""
    with mock_pinpoint_otp(**options) as fake:
        for destination in (DESTINATION, OTHER_DESTINATION, DESTINATION):
            send(client, DestinationIdentity=destination)
            verify(client, "1")
    ids = [call.request_id or "" for call in fake.calls] + [message.message_id for message in fake.messages]
    return [message.code for message in fake.messages], ids


def test_outside_pytest_the_seed_is_fixed(pinpoint_otp_client: Any) -> None:
    assert in_a_fresh_fake(pinpoint_otp_client) == in_a_fresh_fake(pinpoint_otp_client)


@pytest.mark.parametrize("seed", ["a seed", "", "\ud800", 7, -1])
def test_the_same_seed_draws_the_same(pinpoint_otp_client: Any, seed: str | int) -> None:
    first, second = (in_a_fresh_fake(pinpoint_otp_client, seed=seed) for _ in range(2))

    assert first == second


def test_another_seed_draws_others(pinpoint_otp_client: Any) -> None:
    drawn = [in_a_fresh_fake(pinpoint_otp_client, seed=seed) for seed in ("a", "b", "c", 1, 2)]

    assert len({code for codes, _ in drawn for code in codes}) == 15
    assert len({one for _, ids in drawn for one in ids}) == 5 * 9


def test_what_other_keys_do_leaves_the_codes_of_a_key_alone(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp() as fake:
        send(pinpoint_otp_client)
        alone = fake.code_for(DESTINATION)
        fake.reset()
        for number in range(5):
            send(pinpoint_otp_client, ReferenceId=f"reference-{number}")
        send(pinpoint_otp_client)

        assert fake.code_for(DESTINATION) == alone


def test_a_new_code_never_equals_an_earlier_one_of_its_key(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp(enforce_limits=False, code_length=2, assert_all_used=False) as fake:
        fake.queue_codes("07", "42")
        for _ in range(100):
            send(pinpoint_otp_client)

        assert {message.code for message in fake.messages} == {f"{number:02}" for number in range(100)}


def test_a_code_that_is_queued_in_between_changes_nothing_about_that(pinpoint_otp_client: Any) -> None:
    with mock_pinpoint_otp(enforce_limits=False, code_length=1) as fake:
        for _ in range(5):
            send(pinpoint_otp_client)
        fake.queue_codes(fake.messages[0].code)
        for _ in range(6):
            send(pinpoint_otp_client)

        drawn = [message.code for message in (*fake.messages[:5], *fake.messages[6:])]
        assert sorted(drawn) == list("0123456789")
