"""Chaos: failures drawn for a whole run, and replayed from the plan that a failing test shows."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from helpers import DESTINATION, send, send_status, verify
from suites import passes, run, run_apart, write

from pytest_pinpoint_otp import FailurePlan, FailureStep, PinpointOTP
from pytest_pinpoint_otp.chaos import Chaos, failures_of

SENDS = """
    from application import send

    def outcomes(fake, count=40):
        for number in range(count):
            try:
                send(ReferenceId=f"sign-up-{number}")
            except Exception:
                pass
        return [call.outcome for call in fake.calls]
"""
PRINTS = """
    from sends import outcomes

    def test_one(pinpoint_otp):
        print("one:", outcomes(pinpoint_otp))

    def test_two(pinpoint_otp):
        print("two:", outcomes(pinpoint_otp))
"""
FAILS = """
    import pytest
    from sends import outcomes

    @pytest.mark.parametrize("name", ["it's one"])
    def test_it(pinpoint_otp, name):
        assert outcomes(pinpoint_otp, 10) == ["SUCCESSFUL"] * 10
"""
CHAOS = "--pinpoint-otp-chaos"


def printed(result: pytest.RunResult, name: str) -> list[str]:
    """Return the outcomes that a test has printed."""
    (line,) = [line for line in result.outlines if line.removeprefix(".").startswith(f"{name}: ")]
    return re.findall(r"'(\w+)'", line)


def shaken(pytester: pytest.Pytester, *arguments: str) -> dict[str, list[str]]:
    """Run two tests of many sends each, and return their outcomes."""
    result = run(pytester, "-s", *arguments, sends=SENDS, test_it=PRINTS)
    passes(result, passed=2)
    return {name: printed(result, name) for name in ("one", "two")}


# -- Drawing -----------------------------------------------------------------------------------------------------------


def test_nothing_fails_by_default_and_the_header_says_nothing(pytester: pytest.Pytester) -> None:
    result = run(pytester, "-s", sends=SENDS, test_it=PRINTS)

    assert set(printed(result, "one")) == {"SUCCESSFUL"}
    result.stdout.no_fnmatch_line("pinpoint-otp:*")


def test_calls_fail_at_the_rate_that_is_given(pytester: pytest.Pytester) -> None:
    assert {*shaken(pytester, f"{CHAOS}=0")["one"]} == {"SUCCESSFUL"}
    assert "SUCCESSFUL" not in shaken(pytester, f"{CHAOS}=1")["one"]
    half = shaken(pytester, f"{CHAOS}=0.5")
    assert 5 < half["one"].count("SUCCESSFUL") < 35


def test_the_header_tells_of_chaos_and_of_a_replay(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("plan.json").write_text(FailurePlan().to_json(), encoding="utf-8")

    result = run(pytester, f"{CHAOS}=0.25", "--pinpoint-otp-chaos-seed=spring", sends=SENDS, test_it=PRINTS)
    result.stdout.fnmatch_lines(["pinpoint-otp: chaos at a rate of 0.25, seed 'spring'"])
    result = run(pytester, "--pinpoint-otp-replay=plan.json")
    result.stdout.fnmatch_lines(["pinpoint-otp: replays a failure plan"])


def test_the_same_seed_gives_the_same_failures_to_each_test_and_another_others(pytester: pytest.Pytester) -> None:
    first = shaken(pytester, f"{CHAOS}=0.5")

    assert first["one"] != first["two"]
    assert shaken(pytester, f"{CHAOS}=0.5") == first
    assert shaken(pytester, f"{CHAOS}=0.5", "--pinpoint-otp-chaos-seed=0") == first
    assert shaken(pytester, f"{CHAOS}=0.5", "--pinpoint-otp-chaos-seed=1")["one"] != first["one"]


def test_a_test_alone_has_the_failures_that_it_has_among_others(pytester: pytest.Pytester) -> None:
    among = shaken(pytester, f"{CHAOS}=0.5")

    result = run(pytester, "-s", f"{CHAOS}=0.5", "test_it.py::test_two")
    assert printed(result, "two") == among["two"]


def test_every_worker_of_xdist_draws_the_same_failures(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    tests = """
        import pytest
        from sends import outcomes

        @pytest.mark.xdist_group("group")
        @pytest.mark.parametrize("number", range(4))
        def test_it(pinpoint_otp, number):
            assert outcomes(pinpoint_otp, 10) == number
    """
    alone = run(pytester, f"{CHAOS}=0.5", sends=SENDS, test_it=tests)
    spread = run_apart(pytester, "-p", "xdist", "-n", "2", "--dist", "loadgroup", f"{CHAOS}=0.5")

    passes(alone, failed=4)
    passes(spread, failed=4)
    assert sorted(commands(spread)) == sorted(commands(alone))
    assert sorted(plans(spread)) == sorted(plans(alone))
    (header,) = [line for line in spread.outlines if line.startswith("pinpoint-otp:")]
    assert header == "pinpoint-otp: chaos at a rate of 0.5, seed '0'"


def test_a_marker_leaves_a_test_out(pytester: pytest.Pytester) -> None:
    tests = """
        import pytest
        from sends import outcomes

        @pytest.mark.pinpoint_otp(chaos=False)
        class TestCalm:
            def test_without(self, pinpoint_otp):
                assert set(outcomes(pinpoint_otp)) == {"SUCCESSFUL"}

            @pytest.mark.pinpoint_otp(chaos=True)
            def test_with(self, pinpoint_otp):
                assert "SUCCESSFUL" not in outcomes(pinpoint_otp)
    """

    passes(run(pytester, f"{CHAOS}=1", sends=SENDS, test_it=tests), passed=2)


@pytest.mark.parametrize("value", ["0", "None", "'no'"])
def test_a_marker_takes_true_or_false(pytester: pytest.Pytester, value: str) -> None:
    tests = f"""
        import pytest

        @pytest.mark.pinpoint_otp(chaos={value})
        def test_it():
            pass
    """
    result = run(pytester, test_it=tests)

    passes(result, errors=1)
    result.stdout.fnmatch_lines([f"@pytest.mark.pinpoint_otp: chaos takes True or False, not {value}."])


def test_a_reset_keeps_the_chaos_and_begins_it_anew(pytester: pytest.Pytester) -> None:
    tests = """
        from sends import outcomes

        def test_it(pinpoint_otp):
            first = outcomes(pinpoint_otp)
            pinpoint_otp.reset()
            assert outcomes(pinpoint_otp) == first
            assert len(set(first)) > 3
    """

    passes(run(pytester, f"{CHAOS}=0.5", sends=SENDS, test_it=tests), passed=1)


def test_what_the_test_arranges_itself_goes_before(pytester: pytest.Pytester) -> None:
    tests = """
        import pytest
        from application import send
        from pytest_pinpoint_otp import FailurePlan, FailureStep

        def test_an_injection(pinpoint_otp):
            pinpoint_otp.inject("SUCCESSFUL", times=3)
            pinpoint_otp.inject("DUPLICATE", times=None)
            assert [send() for _ in range(5)] == ["SUCCESSFUL"] * 3 + ["DUPLICATE"] * 2

        @pytest.mark.pinpoint_otp(plan=FailurePlan([FailureStep("SUCCESSFUL", times=3)]))
        def test_a_plan():
            assert [send() for _ in range(3)] == ["SUCCESSFUL"] * 3
    """

    passes(run(pytester, f"{CHAOS}=1", test_it=tests), passed=2)


def test_both_operations_are_shaken_and_a_call_fails_for_good(
    pinpoint_otp: PinpointOTP, pinpoint_otp_client: object
) -> None:
    Chaos(1, "seed")(pinpoint_otp)
    for _ in range(20):
        for action in (send, lambda client: verify(client, "123456")):
            try:
                action(pinpoint_otp_client)
            except Exception as error:
                assert type(error).__name__ != "AssertionError"

    drawn = {(call.operation, call.outcome) for call in pinpoint_otp.calls}
    assert {operation for operation, _ in drawn} == {"SendOTPMessage", "VerifyOTPMessage"}
    assert len(drawn) > 10
    assert not {outcome for _, outcome in drawn} & {"SUCCESSFUL", "VALID", "INVALID"}
    assert all(len({attempt.outcome for attempt in call.attempts}) == 1 for call in pinpoint_otp.calls)


@pytest.mark.parametrize(("operation", "delivers"), [("SendOTPMessage", True), ("VerifyOTPMessage", False)])
def test_failures_are_those_of_production(operation: str, delivers: bool) -> None:
    steps = [FailureStep(failure, operation) for failure in failures_of(operation)]

    assert ("THROTTLED" in [step.outcome.label for step in steps]) == delivers
    assert "SUCCESSFUL" not in [step.outcome.label for step in steps]
    assert len({repr(step) for step in steps}) == len(steps)


def test_chaos_tells_of_nothing_that_the_test_arranged(pinpoint_otp: PinpointOTP, pinpoint_otp_client: object) -> None:
    chaos = Chaos(0, "seed")
    chaos(pinpoint_otp)
    pinpoint_otp.inject("THROTTLED")

    assert send_status(pinpoint_otp_client) == "THROTTLED"
    assert chaos.plan(pinpoint_otp) == FailurePlan()
    assert pinpoint_otp.recorded_plan() == FailurePlan((FailureStep("THROTTLED"),))
    pinpoint_otp.assert_not_sent(DESTINATION)


# -- Replaying ---------------------------------------------------------------------------------------------------------


def plans(result: pytest.RunResult) -> list[str]:
    """Return the plans that failing tests have shown."""
    sections = re.findall(
        r"Pinpoint OTP chaos -+\n(\{.*?\n\})\n\nTo replay exactly this:\n", result.stdout.str(), re.DOTALL
    )
    return [json.dumps(json.loads(section)) for section in sections]


def commands(result: pytest.RunResult) -> list[str]:
    """Return the commands that failing tests have shown."""
    return re.findall(r"To replay exactly this:\n(.*)", result.stdout.str())


def replay(pytester: pytest.Pytester, result: pytest.RunResult) -> pytest.RunResult:
    """Run the command that a failing test has shown."""
    (command,) = commands(result)
    name, *arguments = shlex.split(command)
    assert name == "pytest"
    return run(pytester, *arguments)


def traffic(result: pytest.RunResult) -> list[str]:
    """Return the traffic under a failing test, without the times."""
    text = re.search(r"Pinpoint OTP traffic -+\n.*\n((?:[\d ].*\n)+)", result.stdout.str())
    assert text
    return [re.sub(r"^\d\d:\d\d:\d\d\.\d{3}", "", line) for line in text[1].splitlines()]


def test_a_failing_test_shows_its_plan_and_the_command_replays_exactly_it(pytester: pytest.Pytester) -> None:
    failed = run(pytester, f"{CHAOS}=0.4", sends=SENDS, test_it=FAILS)
    passes(failed, failed=1)
    replayed = replay(pytester, failed)

    passes(replayed, failed=1)
    assert traffic(replayed) == traffic(failed)
    assert plans(replayed) == []
    (plan,) = plans(failed)
    assert FailurePlan.from_json(plan).steps
    (command,) = commands(failed)
    file = Path(shlex.split(command)[-1].removeprefix("--pinpoint-otp-replay="))
    assert FailurePlan.from_json(file.read_bytes()) == FailurePlan.from_json(plan)


def test_a_replay_leaves_the_rest_of_the_test_as_it_was(pytester: pytest.Pytester) -> None:
    tests = """
        from datetime import timedelta
        from sends import outcomes

        def test_it(pinpoint_otp):
            pinpoint_otp.inject("DUPLICATE", after=2)
            pinpoint_otp.inject("InternalServerErrorException", per="attempt", after=5)
            pinpoint_otp.limit_rate(6, per=timedelta(hours=1))
            assert outcomes(pinpoint_otp, 12) == []
    """
    failed = run(pytester, f"{CHAOS}=0.3", sends=SENDS, test_it=tests)
    replayed = replay(pytester, failed)

    assert traffic(replayed) == traffic(failed)
    assert "THROTTLED" in "".join(traffic(failed))


def test_a_test_that_fails_without_a_failure_of_chaos_shows_no_plan(pytester: pytest.Pytester) -> None:
    result = run(pytester, f"{CHAOS}=0", sends=SENDS, test_it=FAILS.replace("==", "!="))

    passes(result, failed=1)
    result.stdout.no_fnmatch_line("*Pinpoint OTP chaos*")


def test_a_failing_test_of_a_replay_shows_no_plan(pytester: pytest.Pytester) -> None:
    plan = FailurePlan((FailureStep("THROTTLED"), FailureStep("OPT_OUT", after=50)))
    pytester.path.joinpath("plan.json").write_text(plan.to_json(), encoding="utf-8")

    result = run(pytester, "--pinpoint-otp-replay", "plan.json", sends=SENDS, test_it=FAILS)

    passes(result, failed=1)
    result.stdout.no_fnmatch_line("*Pinpoint OTP chaos*")
    result.stdout.fnmatch_lines(["*SendOTPMessage   +15550100123     THROTTLED"])


def test_a_replay_leaves_out_what_chaos_leaves_out(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("plan.json").write_text(FailurePlan((FailureStep("THROTTLED"),)).to_json(), encoding="utf-8")
    tests = """
        import pytest
        from application import send

        @pytest.mark.pinpoint_otp(chaos=False)
        def test_calm():
            assert send() == "SUCCESSFUL"

        @pytest.mark.pinpoint_otp
        def test_shaken():
            assert send() == "THROTTLED"

        def test_that_makes_no_call(pinpoint_otp):
            pass
    """

    passes(run(pytester, "--pinpoint-otp-replay=plan.json", test_it=tests), passed=3)


def test_the_command_works_from_the_folder_where_pytest_was_started(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(pytester, sends=SENDS)
    pytester.makeini("[pytest]")
    folder = pytester.mkdir("sub")
    pytester.makepyfile(**{"sub/test_it": f"class TestAll:\n{FAILS.replace('def test_it(', 'def test_it(self, ')}"})
    monkeypatch.chdir(folder)
    failed = run(pytester, f"{CHAOS}=0.4")

    (command,) = commands(failed)
    assert shlex.split(command)[1] == "test_it.py::TestAll::test_it[it's one]"
    assert traffic(replay(pytester, failed)) == traffic(failed)


def test_a_plan_is_kept_where_pytest_keeps_nothing(pytester: pytest.Pytester) -> None:
    failed = run(pytester, f"{CHAOS}=0.4", "-p", "no:cacheprovider", sends=SENDS, test_it=FAILS)

    assert traffic(replay(pytester, failed)) == traffic(failed)
    assert not pytester.path.joinpath(".pytest_cache").exists()


def test_a_mistake_of_the_test_under_chaos_is_shown_as_any(pytester: pytest.Pytester) -> None:
    tests = """
        from application import send

        def test_it(pinpoint_otp):
            pinpoint_otp.queue_codes("12345678")
            pinpoint_otp.inject("SUCCESSFUL")
            send()
    """
    result = run(pytester, f"{CHAOS}=0.4", test_it=tests)

    passes(result, failed=1)
    result.stdout.fnmatch_lines(["E *ValueError: The queued code '12345678' has 8 digits*"])


# -- Bad options -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([f"{CHAOS}=1.5"], "ERROR: --pinpoint-otp-chaos is 1.5, but takes a rate from 0 to 1."),
        ([f"{CHAOS}=-0.1"], "ERROR: --pinpoint-otp-chaos is -0.1, but takes a rate from 0 to 1."),
        ([f"{CHAOS}=nan"], "ERROR: --pinpoint-otp-chaos is nan, but takes a rate from 0 to 1."),
        ([f"{CHAOS}=often"], "*argument --pinpoint-otp-chaos: invalid float value: 'often'"),
        (
            [f"{CHAOS}=0.1", "--pinpoint-otp-replay=plan.json"],
            "ERROR: --pinpoint-otp-chaos draws failures and --pinpoint-otp-replay repeats them: choose one.",
        ),
        (["--pinpoint-otp-replay=none.json"], "ERROR: --pinpoint-otp-replay: *No such file or directory: *none.json'"),
        (["--pinpoint-otp-replay=."], "ERROR: --pinpoint-otp-replay: *"),
        (
            ["--pinpoint-otp-replay=bad.json"],
            "ERROR: --pinpoint-otp-replay: *bad.json: version is 2, but this package*",
        ),
        (["--pinpoint-otp-replay=text.json"], "ERROR: --pinpoint-otp-replay: *text.json: The failure plan is no JSON*"),
    ],
    ids=str,
)
def test_bad_options_are_errors_of_usage(pytester: pytest.Pytester, arguments: list[str], message: str) -> None:
    pytester.path.joinpath("bad.json").write_text('{"version": 2, "steps": []}', encoding="utf-8")
    pytester.path.joinpath("text.json").write_text("THROTTLED", encoding="utf-8")

    result = run(pytester, *arguments, test_it="def test_it(): pass")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
