"""Codes and IDs come from the seed: the same for the same test wherever and however it runs, others for another."""

from __future__ import annotations

import json
from typing import Any

import pytest
import suites
from helpers import DESTINATION, OTHER_DESTINATION, send, verify

from pytest_pinpoint_otp import mock_pinpoint_otp

SUITE = """
import json
import pytest
from helpers import send, verify


def draw(fake, client, name):
    send(client)
    verify(client, "1")
    (message,) = fake.messages
    with open("drawn.jsonl", "a") as file:
        ids = [message.code, message.message_id, *(call.request_id for call in fake.calls)]
        file.write(json.dumps([name, ids]) + "\\n")


def test_one(pinpoint_otp, pinpoint_otp_client):
    draw(pinpoint_otp, pinpoint_otp_client, "one")


def test_two(pinpoint_otp, pinpoint_otp_client):
    draw(pinpoint_otp, pinpoint_otp_client, "two")


@pytest.mark.parametrize("number", ["first", "second"])
def test_each(pinpoint_otp, pinpoint_otp_client, number):
    draw(pinpoint_otp, pinpoint_otp_client, number)


class TestGroup:
    def test_one(self, pinpoint_otp, pinpoint_otp_client):
        draw(pinpoint_otp, pinpoint_otp_client, "in a class")


@pytest.mark.pinpoint_otp(seed="marked")
def test_marked(pinpoint_otp, pinpoint_otp_client):
    draw(pinpoint_otp, pinpoint_otp_client, "marked")


@pytest.mark.pinpoint_otp(seed="marked")
def test_marked_alike(pinpoint_otp, pinpoint_otp_client):
    draw(pinpoint_otp, pinpoint_otp_client, "marked alike")
"""


def in_a_fresh_fake(client: Any, **options: Any) -> tuple[list[str], list[str]]:
    """Make some calls and return the codes and the IDs that were drawn for them."""
    with mock_pinpoint_otp(**options) as fake:
        for destination in (DESTINATION, OTHER_DESTINATION, DESTINATION):
            send(client, DestinationIdentity=destination)
            verify(client, "1")
    ids = [call.request_id or "" for call in fake.calls] + [message.message_id for message in fake.messages]
    return [message.code for message in fake.messages], ids


def run(pytester: pytest.Pytester, *arguments: str) -> dict[str, list[str]]:
    """Run the suite and return what each of its tests drew."""
    drawn = pytester.path / "drawn.jsonl"
    drawn.unlink(missing_ok=True)
    assert suites.run(pytester, *arguments).ret == 0
    return dict(map(json.loads, drawn.read_text().splitlines()))


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    suites.write(pytester, test_suite=SUITE)
    return pytester


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


def test_every_test_draws_its_own_by_name_class_and_parameters(suite: pytest.Pytester) -> None:
    drawn = run(suite)

    assert len(drawn) == 7
    different = [tuple(ids) for name, ids in drawn.items() if name != "marked alike"]
    assert len({ids[0] for ids in different}) == 6
    assert len({one for ids in different for one in ids[1:]}) == 18


def test_a_test_draws_the_same_alone_and_in_another_order(suite: pytest.Pytester) -> None:
    drawn = run(suite)

    assert run(suite, "test_suite.py::test_two") == {"two": drawn["two"]}
    assert run(suite, "test_suite.py::test_each[second]", "test_suite.py::test_one") == {
        "second": drawn["second"],
        "one": drawn["one"],
    }


def test_a_test_draws_the_same_in_another_folder_and_from_another_folder(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = run(suite)

    folder = suite.mkdir("folder")
    (suite.path / "test_suite.py").rename(folder / "test_suite.py")
    assert run(suite, "folder") == drawn
    monkeypatch.chdir(folder)
    assert suites.run(suite).ret == 0
    assert dict(map(json.loads, (folder / "drawn.jsonl").read_text().splitlines())) == drawn


def test_a_configured_seed_is_mixed_in_and_a_marker_s_replaces_it(suite: pytest.Pytester) -> None:
    drawn = run(suite)
    suite.makeini("[pytest]\npinpoint_otp_seed = release-2\n")
    configured = run(suite)

    assert run(suite) == configured
    assert configured["marked"] == configured["marked alike"] == drawn["marked"]
    unmarked = ["one", "two", "first", "second", "in a class"]
    assert len({tuple(ids) for which in (drawn, configured) for ids in map(which.get, unmarked)}) == 10
