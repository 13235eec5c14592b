"""What a test pays that makes one send: with the fixture, and with what others use in its place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from measuring import BLOCKED, Measure, difference

# The client is made once, at import, as applications do.
SUITE = """
import os

import pytest
from measuring import RESPONSE, client as connect, request

client = connect()

{fixture}

@pytest.mark.parametrize("number", range(int(os.environ["TESTS"])))
def test_sign_up({name}, number):
    {send}
"""
SEND = "client.send_otp_message(**request())"

# By name: the fixture, its source, and what a test does.
SUITES = {
    "empty": (
        "nothing",
        """
@pytest.fixture
def nothing():
    yield
""",
        "pass",
    ),
    "pinpoint_otp": ("pinpoint_otp", "", SEND),
    # Botocore's own part of the call: no fake that lets botocore do its work takes less.
    "constant": (
        "nothing",
        """
from measuring import answer_by_constant

answer_by_constant(client, signed=False)

@pytest.fixture
def nothing():
    yield
""",
        SEND,
    ),
    "stubber": (
        "stubber",
        """
from botocore.stub import Stubber

@pytest.fixture
def stubber():
    with Stubber(client) as stubber:
        stubber.add_response("send_otp_message", RESPONSE)
        yield stubber
        stubber.assert_no_pending_responses()
""",
        SEND,
    ),
    "magic_mock": (
        "mocked",
        """
from unittest.mock import patch

@pytest.fixture
def mocked():
    with patch(f"{__name__}.client") as mocked:
        mocked.send_otp_message.return_value = RESPONSE
        yield mocked
""",
        SEND,
    ),
    "moto": (
        "moto_client",
        """
from moto import mock_aws

@pytest.fixture
def moto_client():
    with mock_aws():
        yield connect()
""",
        # moto has no send; none of its Pinpoint calls does less.
        "moto_client.get_apps()",
    ),
}

# The runs take turns within one process. The clock begins after collection: this is about tests, not the start.
TAKE_TURNS = f"""
import json, os, sys, time, pytest

class Clock:
    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self):
        start = time.process_time()
        result = yield
        self.seconds = time.process_time() - start
        return result

def seconds(suite):
    clock = Clock()
    assert pytest.main(["-q", *{BLOCKED!r}, "test_" + suite + ".py"], plugins=[clock]) == 0
    return clock.seconds / int(os.environ["TESTS"])

rounds, *suites = sys.argv[1:]
times = [[seconds(suite) for suite in suites] for _ in range(1 + int(rounds))]
with open("times.json", "w") as file:
    json.dump(times[1:], file)
"""

Pay = Callable[..., dict[str, float]]


@pytest.fixture
def pay(tmp_path: Path, measure: Measure) -> Pay:
    """A function that runs suites in turns, and returns the seconds that a test of each takes beyond an empty one."""
    for suite, (name, fixture, send) in SUITES.items():
        source = SUITE.format(name=name, fixture=fixture, send=send)
        (tmp_path / f"test_{suite}.py").write_text(source, encoding="utf-8")

    def pay(*suites: str, tests: int, rounds: int) -> dict[str, float]:
        path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "TESTS": str(tests), "PYTHONPATH": path}
        command = [sys.executable, "-c", TAKE_TURNS, str(rounds), "empty", *suites]

        def run() -> None:
            subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)

        measure.seconds(run, rounds=1)
        times = json.loads((tmp_path / "times.json").read_bytes())
        return {
            suite: difference([(one[place], one[0]) for one in times]) for place, suite in enumerate(suites, start=1)
        }

    return pay


def test_a_test_with_one_send(measure: Measure, pay: Pay) -> None:
    shown = {"pinpoint_otp": "`pinpoint_otp`", "stubber": "a Stubber", "magic_mock": "a MagicMock"}
    paid = pay(*shown, "constant", tests=200, rounds=30)
    for suite, what in shown.items():
        measure.show(f"What a test with one send pays for {what}", paid[suite] * 1e6, " us")
    measure.show("What it pays where a constant handler answers, unsigned", paid["constant"] * 1e6, " us")
    what = "What a test with one send pays for `pinpoint_otp`, of what it pays for a Stubber"
    measure.check(what, paid["pinpoint_otp"] / paid["stubber"], 1.8, goal=1.3)


def test_a_test_with_moto(measure: Measure, pay: Pay) -> None:
    pytest.importorskip("moto")
    paid = pay("moto", tests=10, rounds=5)
    measure.show("What a test with moto's cheapest Pinpoint call pays for moto", paid["moto"] * 1e6, " us")
