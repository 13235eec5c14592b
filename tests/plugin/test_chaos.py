"""Chaos by the command line: what is drawn, what a failing test tells of it, and that this can be replayed."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import notify
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from helpers import DESTINATION, send, verify
from hypothesis import given, settings
from hypothesis import strategies as st
from suites import passes, run, run_apart, write

from pytest_pinpoint_otp import DeliveryStatus, FailurePlan, FailureStep, PinpointOTP, mock_pinpoint_otp
from pytest_pinpoint_otp.engine.faults.chaos import Chaos, failures_of
from pytest_pinpoint_otp.engine.faults.recording import Recording
from pytest_pinpoint_otp.engine.records import Call
from pytest_pinpoint_otp.fake import service_of

CLIENT = boto3.client(
    "pinpoint",
    region_name="us-east-1",
    aws_access_key_id="testing",
    aws_secret_access_key="testing",
    config=Config(retries={"mode": "standard", "total_max_attempts": 2}),
)

NOTING = """
    import pathlib

    import pytest
    from application import send, verify
    from botocore.exceptions import BotoCoreError, ClientError

    NOTES = pathlib.Path(__file__).with_name("notes.txt")

    def attempt(call, *arguments):
        try:
            return str(call(*arguments))
        except (BotoCoreError, ClientError) as error:
            return type(error).__name__

    def use():
        return [one for _ in range(4) for one in (attempt(send), attempt(verify, "000000"))]

    def note(request, seen):
        with NOTES.open("a") as notes:
            notes.write(f"{request.node.name.partition('@')[0]} {seen}\\n")

    UNDISTURBED = ["SUCCESSFUL", "False"] * 4
"""
"""A suite that writes down what its calls end in."""

SHAKEN = (
    NOTING
    + """
    def test_one(request, pinpoint_otp):
        note(request, use())

    @pytest.mark.pinpoint_otp
    def test_another(request):
        note(request, use())
"""
)

FAILING = (
    NOTING
    + """
    class TestIt:
        @pytest.mark.parametrize("name", ["it's [one] $HOME", "two"])
        def test_it(self, request, pinpoint_otp, name):
            seen = use()
            note(request, seen)
            assert seen == UNDISTURBED
"""
)


def notes(pytester: pytest.Pytester, folder: str = ".") -> dict[str, str]:
    """Return what each test has noted since the last time."""
    file = pytester.path / folder / "notes.txt"
    lines = file.read_text().splitlines()
    file.unlink()
    noted = dict(line.rsplit(" [", 1) for line in lines)
    assert len(noted) == len(lines)
    return noted


def commands(result: pytest.RunResult) -> list[list[str]]:
    """Return the commands that a run prints, split as a shell does."""
    lines = result.outlines
    return [shlex.split(lines[at + 1]) for at, line in enumerate(lines) if line == "To replay exactly this:"]


# -- What is drawn -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["SendOTPMessage", "VerifyOTPMessage"])
def test_every_failure_that_is_drawn_can_be_kept_in_a_file(operation: str) -> None:
    plan = FailurePlan(tuple(FailureStep(one, operation) for kind in failures_of(operation).values() for one in kind))

    assert FailurePlan.from_json(plan.to_json()) == plan


def test_a_send_may_meet_every_failure_of_its_delivery_and_a_verification_none() -> None:
    assert failures_of("SendOTPMessage")["delivery"] == [one for one in DeliveryStatus if one != "SUCCESSFUL"]
    assert failures_of("VerifyOTPMessage")["delivery"] == []


@pytest.mark.parametrize(
    ("operation", "retried"),
    [
        ("SendOTPMessage", {"TooManyRequestsException", "InternalServerErrorException"}),
        ("SendNotifyCodeVerification", {"ThrottlingException", "InternalServerException"}),
    ],
)
def test_an_attempt_may_meet_every_usual_error_that_botocore_retries(operation: str, retried: set[str]) -> None:
    errors = {*failures_of(operation)["errors"]}
    assert errors.intersection(failures_of(operation)["transient"]) == retried


TRANSIENT = [
    pytest.param(operation, failure, marks=marks)
    for operation, marks in (("SendOTPMessage", ()), ("SendNotifyCodeVerification", notify.NEEDED))
    for failure in failures_of(operation)["transient"]
]


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize(("operation", "failure"), TRANSIENT)
def test_a_retry_hides_each_transient_failure_in_each_mode(operation: str, failure: object, mode: str) -> None:
    config = Config(retries={"mode": mode, "total_max_attempts": 2})
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    with mock_pinpoint_otp() as fake:
        fake.inject(failure, operation=operation, per="attempt")
        if operation == "SendOTPMessage":
            send(boto3.client("pinpoint", region_name="us-east-1", config=config, **keys))
        else:
            notify.send(notify.make_client(config=config, **keys))

    assert [one.outcome for one in fake.calls[0].attempts] == [failure, "SUCCESSFUL"]


def call_both(destination: str = DESTINATION) -> None:
    for call in (send, lambda client, **key: verify(client, "000000", **key)):
        with contextlib.suppress(BotoCoreError, ClientError):
            call(CLIENT, DestinationIdentity=destination)


def seen(fake: PinpointOTP, destination: str = DESTINATION) -> list[list[str]]:
    return [[one.outcome for one in call.attempts] for call in fake.calls if call.destination == destination]


def use(fake: PinpointOTP, count: int) -> list[list[str]]:
    for _ in range(count):
        call_both()
    return seen(fake)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(rate=st.sampled_from([0.1, 0.5, 1.0]), seed=st.text(max_size=5), quota=st.booleans())
def test_the_plan_of_what_was_drawn_repeats_it_beside_what_the_test_arranges(
    rate: float, seed: str, quota: bool
) -> None:
    def arrange(fake: PinpointOTP) -> None:
        fake.inject("OPT_OUT", after=2)
        fake.inject("InternalServerErrorException", per="attempt", times=3, operation="VerifyOTPMessage")
        if quota:
            fake.opt_out("+15550100123")

    with mock_pinpoint_otp() as fake:
        service_of(fake).add(Chaos(rate, seed).injections())
        arrange(fake)
        shaken = use(fake, 5)
    with mock_pinpoint_otp() as again:
        again.follow(service_of(fake).recorded_plan("chaos"))
        arrange(again)
        assert use(again, 5) == shaken


PHONES = [f"+1555010012{number}" for number in range(4)]


@settings(max_examples=8, deadline=None, derandomize=True)
@given(turns=st.permutations([phone for phone in PHONES for _ in range(4)]))
def test_the_same_is_drawn_for_each_destination_in_whatever_order_they_come(turns: list[str]) -> None:
    drawn = []
    for order in (turns, sorted(turns)):
        with mock_pinpoint_otp() as fake:
            service_of(fake).add(Chaos(0.5, "0").injections())
            for phone in order:
                call_both(phone)
        drawn.append({phone: seen(fake, phone) for phone in PHONES})

    assert drawn[0] == drawn[1]
    assert len({repr(one) for one in drawn[0].values()}) == len(PHONES)


def test_a_call_is_told_its_number_without_a_look_at_all_calls_before_it() -> None:
    looked_at = 0

    class InvocationID(str):
        __slots__ = ()

        def __hash__(self) -> int:
            nonlocal looked_at
            looked_at += 1
            return super().__hash__()

    recording, numbers, cost = Recording(), [], []
    for number in range(500):
        call = Call("SendOTPMessage", None, DESTINATION, None, {}, InvocationID(f"call-{number}"))
        for _ in range(2):
            recording.begin(call.operation, call.destination, call.invocation_id)
            before = looked_at
            numbers.append(recording.number(call))
            cost.append(looked_at - before)

    assert numbers == [number // 2 for number in range(1000)]
    assert max(cost) <= 3


def test_the_same_is_drawn_for_each_of_four_threads_every_time() -> None:
    together = threading.Barrier(len(PHONES))

    def use_often(phone: str) -> None:
        for _ in range(5):
            together.wait(30)
            call_both(phone)

    drawn = []
    for first in range(4):
        with mock_pinpoint_otp() as fake, ThreadPoolExecutor(len(PHONES)) as pool:
            service_of(fake).add(Chaos(0.5, "0").injections())
            list(pool.map(use_often, PHONES[first:] + PHONES[:first]))
        drawn.append({phone: seen(fake, phone) for phone in PHONES})

    assert all(one == drawn[0] for one in drawn)


def test_what_a_test_arranges_for_one_call_changes_nothing_for_the_others() -> None:
    drawn = []
    for arranged in ([], ["DUPLICATE"]):
        with mock_pinpoint_otp() as fake:
            service_of(fake).add(Chaos(0.5, "0").injections())
            for outcome in arranged:
                fake.inject(outcome, after=2)
            drawn.append(use(fake, 10))

    assert drawn[1][4] == ["DUPLICATE"] != drawn[0][4]
    assert drawn[1][:4] + drawn[1][5:] == drawn[0][:4] + drawn[0][5:]


def test_an_example_is_told_apart_by_what_was_chosen_before_its_first_call() -> None:
    def use_with(*choices: Sequence[object] | None) -> list[list[str]]:
        """Let each round of calls be made with other choices, of which the first are those at the example's begin."""
        chosen = iter(choices)
        now = [next(chosen)]
        with mock_pinpoint_otp() as fake:
            service_of(fake).add(Chaos(0.5, "0", choices=lambda: now[0]).injections())
            for now[0] in chosen:
                use(fake, 5)
        return seen(fake)

    drawn = use_with((), (1,), (1,))

    assert use_with((), (1,), (1, 2)) == drawn != use_with((), (2,), (2,))
    # A thread of the application sees no choices.
    assert use_with((), None) == use_with((), ()) != drawn[:10]
    assert use_with(None, None) != use_with((), ())


def test_an_attempt_after_the_first_meets_no_failure_of_its_own() -> None:
    chaos = Chaos(1, "0")
    with mock_pinpoint_otp() as fake:
        service_of(fake).add(chaos.injections())
        fake.inject("InternalServerErrorException", per="attempt")
        send(CLIENT)

    assert [attempt.outcome for attempt in fake.calls[0].attempts] == ["InternalServerErrorException", "SUCCESSFUL"]
    # Nor does the retry hide one of chaos's.
    assert chaos.counts["hidden"] == 0


def test_the_rate_is_that_of_the_calls_that_fail_and_of_the_first_attempts_of_the_others() -> None:
    chaos = Chaos(0.25, "0")
    with mock_pinpoint_otp() as fake:
        service_of(fake).add(chaos.injections())
        drawn = use(fake, 200)

    answered = [outcomes[-1] in ("SUCCESSFUL", "INVALID") for outcomes in drawn]
    retried = [len(outcomes) == 2 and one for outcomes, one in zip(drawn, answered, strict=True)]
    # Four standard deviations of 400 calls, and of the 300 that are left, to each side.
    assert 65 < answered.count(False) < 135
    assert 45 < retried.count(True) < 105
    assert chaos.counts == {
        "calls": 400,
        "failed": answered.count(False) + retried.count(True),
        "hidden": retried.count(True),
    }


def test_an_attempts_failure_counts_as_hidden_only_if_the_client_makes_another_attempt() -> None:
    impatient = boto3.client("pinpoint", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}))
    chaos = Chaos(1, "0", ["transient"])
    with mock_pinpoint_otp() as fake:
        service_of(fake).add(chaos.injections())
        for client in (CLIENT, CLIENT, impatient):
            with contextlib.suppress(BotoCoreError, ClientError):
                send(client)

    assert [len(call.attempts) for call in fake.calls] == [2, 2, 1]
    assert chaos.counts == {"calls": 3, "failed": 3, "hidden": 2}


# -- Options -----------------------------------------------------------------------------------------------------------


def test_nothing_is_drawn_or_told_by_default(pytester: pytest.Pytester) -> None:
    result = run(pytester, test_it=FAILING)

    passes(result, passed=2)
    result.stdout.no_fnmatch_line("pinpoint-otp: *")


@pytest.mark.parametrize("replay", [[], ["--pinpoint-otp-replay=plan.json"]], ids=["alone", "replay"])
@pytest.mark.parametrize(("name", "value"), [("seed", "1"), ("kinds", "lost")])
def test_an_option_of_chaos_without_a_rate_is_a_usage_error(
    pytester: pytest.Pytester, name: str, value: str, replay: list[str]
) -> None:
    (pytester.path / "plan.json").write_text(FailurePlan().to_json())
    result = run(pytester, f"--pinpoint-otp-chaos-{name}={value}", *replay, test_it=FAILING)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            f"ERROR: --pinpoint-otp-chaos-{name} is '{value}', but nothing is drawn without a rate: give"
            " --pinpoint-otp-chaos=RATE as well."
        ]
    )


def test_the_header_tells_the_rate_and_the_seed(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--pinpoint-otp-chaos=0.5", "--pinpoint-otp-chaos-seed=night 7", test_it="")

    result.stdout.fnmatch_lines(["pinpoint-otp: chaos at a rate of 0.5, seed 'night 7'"])


def test_the_header_tells_the_kinds_that_are_chosen(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--pinpoint-otp-chaos=1", "--pinpoint-otp-chaos-kinds=lost, network", test_it="")

    result.stdout.fnmatch_lines(["pinpoint-otp: chaos at a rate of 1.0, seed '0', of lost, network"])


@pytest.mark.parametrize(
    ("kinds", "refused"), [("transient,delivry", "delivry"), ("", ""), ("lost,", ""), ("Errors", "Errors")]
)
def test_an_unknown_kind_is_a_usage_error(pytester: pytest.Pytester, kinds: str, refused: str) -> None:
    result = run(pytester, "--pinpoint-otp-chaos=1", f"--pinpoint-otp-chaos-kinds={kinds}", test_it=SHAKEN)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            f"ERROR: --pinpoint-otp-chaos-kinds: '{refused}' is not a kind of failures."
            " Choose from transient, delivery, errors, network, lost."
        ]
    )


EACH_KIND = """
    import pytest
    from application import send, verify
    from botocore.exceptions import BotoCoreError, ClientError

    def attempt(call, *arguments):
        try:
            call(*arguments)
        except (BotoCoreError, ClientError):
            pass

    @pytest.mark.parametrize("number", range(8))
    def test_it(number, pinpoint_otp):
        attempt(send)
        attempt(verify, "000000")
        sent, verified = ([one.outcome for one in call.attempts] for call in pinpoint_otp.calls)
"""


@pytest.mark.parametrize(
    ("kind", "asserted"),
    [
        ("transient", "len(sent) == len(verified) == 2 and sent[1] == 'SUCCESSFUL' and verified[1] == 'INVALID'"),
        ("delivery", "len(sent) == 1 and sent[0] != 'SUCCESSFUL' and verified == ['INVALID']"),
        ("errors", "all(one.endswith('Exception') for one in sent + verified)"),
        ("network", "all(one.endswith('Error') for one in sent + verified) and not pinpoint_otp.messages"),
        ("lost", "{*sent, *verified} == {'ReadTimeoutError'} and len(pinpoint_otp.messages) == len(sent)"),
        ("errors,lost", "all(one.endswith('Exception') or one == 'ReadTimeoutError' for one in sent + verified)"),
    ],
)
def test_a_kind_that_is_chosen_is_the_only_one_that_is_drawn(
    pytester: pytest.Pytester, kind: str, asserted: str
) -> None:
    suite = f"{EACH_KIND}        assert {asserted}\n"

    passes(run(pytester, "--pinpoint-otp-chaos=1", f"--pinpoint-otp-chaos-kinds={kind}", test_it=suite), passed=8)


def test_the_header_tells_of_a_replay(pytester: pytest.Pytester) -> None:
    (pytester.path / "plan.json").write_text(FailurePlan().to_json())
    result = run(pytester, "--pinpoint-otp-replay=plan.json", test_it="")

    result.stdout.fnmatch_lines(["pinpoint-otp: replays the failure plan plan.json, without chaos"])


def test_at_a_rate_of_0_nothing_fails_and_at_1_everything(pytester: pytest.Pytester) -> None:
    passes(run(pytester, "--pinpoint-otp-chaos=0", test_it=SHAKEN), passed=2)
    calm = notes(pytester)
    passes(run(pytester, "--pinpoint-otp-chaos=1"), passed=2)
    shaken = notes(pytester)

    assert calm == dict.fromkeys(["test_one", "test_another"], ", ".join(["'SUCCESSFUL', 'False'"] * 4) + "]")
    assert all("SUCCESSFUL" not in seen and "'False'" not in seen for seen in shaken.values())


@pytest.mark.parametrize("rate", ["-0.1", "1.5", "nan"])
def test_a_rate_out_of_range_is_a_usage_error(pytester: pytest.Pytester, rate: str) -> None:
    result = run(pytester, f"--pinpoint-otp-chaos={rate}", test_it=SHAKEN)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --pinpoint-otp-chaos is {rate}, but takes a rate from 0 to 1."])


def test_a_rate_that_is_no_number_is_a_usage_error(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--pinpoint-otp-chaos=often", test_it=SHAKEN)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*argument --pinpoint-otp-chaos: invalid float value: 'often'"])


def test_a_file_that_does_not_exist_is_a_usage_error(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--pinpoint-otp-replay=none.json", test_it=SHAKEN)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --pinpoint-otp-replay: *none.json*"])


def test_a_file_that_holds_no_plan_is_a_usage_error(pytester: pytest.Pytester) -> None:
    (pytester.path / "bad.json").write_text('{"version": 1, "steps": [{"outcome": "THROTLED"}]}')
    result = run(pytester, "--pinpoint-otp-replay=bad.json", test_it=SHAKEN)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --pinpoint-otp-replay: *bad.json: steps[[]0].outcome: 'THROTLED' is neither *"]
    )


def test_a_replay_takes_the_place_of_chaos(pytester: pytest.Pytester) -> None:
    (pytester.path / "plan.json").write_text(FailurePlan().to_json())
    result = run(pytester, "--pinpoint-otp-replay=plan.json", "--pinpoint-otp-chaos=1", test_it=SHAKEN)

    passes(result, passed=2)
    result.stdout.fnmatch_lines(["pinpoint-otp: replays the failure plan plan.json, without chaos"])
    assert set(notes(pytester).values()) == {", ".join(["'SUCCESSFUL', 'False'"] * 4) + "]"}


# -- Seeds -------------------------------------------------------------------------------------------------------------


def test_the_same_seed_draws_the_same_for_a_test_whatever_runs_beside_it(pytester: pytest.Pytester) -> None:
    chaos = ("--pinpoint-otp-chaos=0.5", "--pinpoint-otp-chaos-seed=a")
    passes(run(pytester, *chaos, test_it=SHAKEN), passed=2)
    first = notes(pytester)
    passes(run(pytester, *chaos, "test_it.py::test_another", "test_it.py::test_one"), passed=2)
    second = notes(pytester)
    passes(run(pytester, *chaos, "-k", "another"), passed=1)
    alone = notes(pytester)

    assert second == first
    assert alone == {"test_another": first["test_another"]}
    assert first["test_one"] != first["test_another"]


def test_another_seed_draws_other_failures(pytester: pytest.Pytester) -> None:
    run(pytester, "--pinpoint-otp-chaos=0.5", test_it=SHAKEN)
    by_default = notes(pytester)
    run(pytester, "--pinpoint-otp-chaos=0.5", "--pinpoint-otp-chaos-seed=0")
    same = notes(pytester)
    run(pytester, "--pinpoint-otp-chaos=0.5", "--pinpoint-otp-chaos-seed=1")
    other = notes(pytester)

    assert by_default == same
    assert all(other[name] != seen for name, seen in same.items())


@pytest.mark.proof
def test_workers_of_xdist_draw_the_same_and_their_commands_replay_it(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    passes(run(pytester, "--pinpoint-otp-chaos=1", test_it=FAILING), failed=2)
    here = notes(pytester)
    result = run_apart(pytester, "--pinpoint-otp-chaos=1", "-n2", "--dist=loadgroup")
    passes(result, failed=2)

    assert notes(pytester) == here
    result.stdout.fnmatch_lines(["pinpoint-otp: chaos at a rate of 1.0, seed '0'"])
    for command in commands(result):
        passes(run(pytester, *command[1:]), failed=1)
    assert notes(pytester) == here


def test_a_command_holds_what_its_run_was_configured_by(pytester: pytest.Pytester) -> None:
    pytester.makefile(".ini", other="[pytest]\npinpoint_otp_code_length = 8\n")
    pytester.makepyfile(helping="import pytest\n\n@pytest.fixture\ndef help(): pass\n")
    pytester.syspathinsert()
    result = run(
        pytester,
        *("-c", "other.ini", "-p", "helping", "-o", "pinpoint_otp_autouse=true", "--pinpoint-otp-chaos=1"),
        test_it="""
            from application import send
            from pytest_pinpoint_otp import active_pinpoint_otp

            def test_it(help):
                assert len(active_pinpoint_otp().issue("+15550100123", application_id="a", reference_id="b").code) == 8
                assert send() == "SUCCESSFUL"
        """,
    )
    passes(result, failed=1)

    (command,) = commands(result)
    replayed = pytester.runpytest(*command[1:])
    passes(replayed, failed=1)
    assert "assert len(" not in "".join(line for line in replayed.outlines if line.startswith(">"))


# -- A failing test ----------------------------------------------------------------------------------------------------


def test_a_failing_test_prints_its_plan_and_the_command_that_replays_exactly_it(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--pinpoint-otp-chaos=0.5", test_it=FAILING)
    passes(result, failed=2)
    first = notes(pytester)

    text = result.stdout.str()
    plans = re.findall(r"^-+ Pinpoint OTP chaos -+\n(.*?)\n\nTo replay", text, re.MULTILINE | re.DOTALL)
    printed = commands(result)
    assert len(plans) == len(printed) == 2
    for plan, (program, *_, test, replay) in zip(plans, printed, strict=True):
        name, _, file = replay.partition("=")
        assert (program, name) == ("pytest", "--pinpoint-otp-replay")
        assert not Path(file).is_absolute()
        assert FailurePlan.from_json(plan) == FailurePlan.from_json(Path(file).read_bytes())
        passes(run(pytester, test, replay), failed=1)
        (noted,) = notes(pytester).items()
        assert noted in first.items()
        del first[noted[0]]
    assert first == {}


@pytest.mark.parametrize("disabled", [[], ["-p", "no:cacheprovider"]], ids=["cache", "no cache"])
def test_the_command_works_in_the_folder_where_pytest_was_started(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, disabled: list[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    write(pytester, test_it=FAILING)
    pytester.syspathinsert()
    folder = pytester.mkdir("folder of it")
    (pytester.path / "test_it.py").rename(folder / "test_it.py")
    (pytester.path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.chdir(folder)
    result = run(pytester, *disabled, "--pinpoint-otp-chaos=1", "-k", "two")
    passes(result, failed=1, deselected=1)
    first = notes(pytester, "folder of it")

    (command,) = commands(result)
    assert str(pytester.path if not disabled else tmp_path) in command[-1]
    passes(run(pytester, *command[1:]), failed=1)
    assert notes(pytester, "folder of it") == first


def test_a_replay_gives_the_failures_that_were_drawn_and_leaves_the_tests_own_to_the_test(
    pytester: pytest.Pytester,
) -> None:
    suite = f"""{NOTING}
    def test_it(request, pinpoint_otp):
        pinpoint_otp.inject("OPT_OUT")
        pinpoint_otp.inject("DUPLICATE", after=2)
        seen = use()
        note(request, seen)
        assert False
    """
    result = run(pytester, "--pinpoint-otp-chaos=0.5", test_it=suite)
    passes(result, failed=1)
    first = notes(pytester)
    (command,) = commands(result)
    written = Path(command[-1].partition("=")[2]).read_text()

    assert first["test_it"].startswith("'OPT_OUT'")
    assert "'DUPLICATE'" in first["test_it"]
    assert json.loads(written)["steps"]
    passes(run(pytester, *command[1:]), failed=1)
    assert notes(pytester) == first


def test_a_replay_prints_no_plan_and_may_leave_steps_unused(pytester: pytest.Pytester) -> None:
    (pytester.path / "plan.json").write_text(FailurePlan((FailureStep("THROTTLED", times=9),)).to_json())
    result = run(
        pytester,
        "--pinpoint-otp-replay=plan.json",
        test_it="""
            from application import send

            def test_unused(pinpoint_otp):
                pass

            def test_it(pinpoint_otp):
                assert send() == "SUCCESSFUL"
        """,
    )

    passes(result, passed=1, failed=1)
    result.stdout.no_fnmatch_line("*Pinpoint OTP chaos*")


def test_a_failing_test_whose_calls_were_spared_prints_no_plan(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "--pinpoint-otp-chaos=0",
        test_it="""
            from application import send

            def test_it(pinpoint_otp):
                assert send() == "THROTTLED"
        """,
    )

    passes(result, failed=1)
    result.stdout.fnmatch_lines(["*Pinpoint OTP traffic*"])
    result.stdout.no_fnmatch_line("*Pinpoint OTP chaos*")


def test_a_test_that_passes_prints_no_plan(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--pinpoint-otp-chaos=1", "-rA", test_it=SHAKEN)

    passes(result, passed=2)
    result.stdout.no_fnmatch_line("*Pinpoint OTP chaos*")


# -- One test ----------------------------------------------------------------------------------------------------------

LEFT_ALONE = (
    NOTING
    + """
    @pytest.mark.pinpoint_otp(chaos=False)
    class TestIt:
        def test_left_alone(self):
            assert use() == UNDISTURBED

        @pytest.mark.pinpoint_otp(chaos=True)
        def test_shaken(self):
            assert use() != UNDISTURBED
"""
)


def test_a_marker_leaves_a_test_out_of_chaos(pytester: pytest.Pytester) -> None:
    passes(run(pytester, "--pinpoint-otp-chaos=1", test_it=LEFT_ALONE), passed=2)


def test_a_marker_leaves_a_test_out_of_a_replay(pytester: pytest.Pytester) -> None:
    (pytester.path / "plan.json").write_text(FailurePlan((FailureStep("THROTTLED"),)).to_json())

    passes(run(pytester, "--pinpoint-otp-replay=plan.json", test_it=LEFT_ALONE), passed=2)


@pytest.mark.parametrize("value", ["'no'", "0", "None"])
def test_anything_but_true_or_false_in_the_marker_is_an_error_of_the_test(
    pytester: pytest.Pytester, value: str
) -> None:
    result = run(pytester, test_it=LEFT_ALONE.replace("chaos=True", f"chaos={value}"))

    passes(result, passed=1, errors=1)
    result.stdout.fnmatch_lines([f"@pytest.mark.pinpoint_otp: chaos takes True or False, not {value}."])


@pytest.mark.parametrize("plan", ["FailurePlan([FailureStep('DUPLICATE')])", "'plan.json'"])
def test_chaos_leaves_alone_a_test_whose_marker_says_what_fails(pytester: pytest.Pytester, plan: str) -> None:
    (pytester.path / "plan.json").write_text(FailurePlan((FailureStep("DUPLICATE"),)).to_json())
    suite = f"""{NOTING}
    from pytest_pinpoint_otp import FailurePlan, FailureStep

    @pytest.mark.pinpoint_otp(plan={plan})
    class TestIt:
        def test_left_alone(self):
            assert use() == ["DUPLICATE", *UNDISTURBED[1:]]

        @pytest.mark.pinpoint_otp(plan=FailurePlan())
        def test_without_a_plan_of_its_own(self):
            assert use() != UNDISTURBED
    """
    passes(run(pytester, "--pinpoint-otp-chaos=1", test_it=suite), passed=2)


# -- Summary -----------------------------------------------------------------------------------------------------------

COUNTED = """
    import pytest
    from application import send, verify
    from botocore.exceptions import BotoCoreError, ClientError

    def attempt(count):
        for _ in range(count):
            try:
                send()
            except (BotoCoreError, ClientError):
                pass

    def test_one(pinpoint_otp):
        attempt(1)

    def test_two(pinpoint_otp):
        attempt(2)
        pinpoint_otp.reset()
        attempt(1)

    def test_without_calls(pinpoint_otp):
        pass

    @pytest.mark.pinpoint_otp(chaos=False)
    def test_left_alone():
        attempt(3)
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_the_summary_tells_how_many_calls_of_how_many_tests_were_failed(
    pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    pytest.importorskip("xdist")
    result = (run_apart if workers else run)(pytester, *workers, "--pinpoint-otp-chaos=1", test_it=COUNTED)

    passes(result, passed=4)
    result.stdout.fnmatch_lines(["pinpoint-otp: chaos failed 4 calls of 2 tests"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["1", "-k", "one"], "1 call of 1 test"),
        (["1", "--pinpoint-otp-chaos-kinds=transient"], "4 calls of 2 tests, 4 of them hidden by a retry"),
        (["0", "-k", "one"], "none of 1 call: choose a higher rate, other kinds or another seed"),
        (["0", "-k", "two"], "none of 3 calls: choose a higher rate, other kinds or another seed"),
        (["1", "-k", "without or left_alone"], "nothing: no test that it reaches made an OTP call"),
    ],
    ids=["one", "transient", "spared", "several spared", "no call"],
)
def test_the_summary_counts_in_plain_english(pytester: pytest.Pytester, arguments: list[str], told: str) -> None:
    rate, *others = arguments
    result = run(pytester, f"--pinpoint-otp-chaos={rate}", *others, test_it=COUNTED)

    result.stdout.fnmatch_lines([f"pinpoint-otp: chaos failed {told}"])


def test_the_summary_of_a_replay_counts_nothing(pytester: pytest.Pytester) -> None:
    (pytester.path / "plan.json").write_text(FailurePlan((FailureStep("THROTTLED"),)).to_json())
    result = run(pytester, "--pinpoint-otp-replay=plan.json", test_it=COUNTED)

    passes(result, passed=4)
    result.stdout.no_fnmatch_line("*chaos failed*")


# -- Where a plan is kept ----------------------------------------------------------------------------------------------


@pytest.fixture
def unwritable(pytester: pytest.Pytester) -> None:
    """Put a file where the folder of plans would be in pytest's cache; permissions would not stop a superuser."""
    folder = pytester.path / ".pytest_cache" / "d"
    folder.mkdir(parents=True)
    (folder / "pinpoint-otp").write_text("")


@pytest.mark.usefixtures("unwritable")
@pytest.mark.parametrize("workers", [(), pytest.param(("-n1",), marks=pytest.mark.proof)], ids=["alone", "xdist"])
def test_a_plan_that_the_cache_cannot_hold_goes_to_the_temporary_folder(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, workers: tuple[str, ...]
) -> None:
    pytest.importorskip("xdist")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    result = (run_apart if workers else run)(pytester, *workers, "--pinpoint-otp-chaos=1", test_it=FAILING)

    passes(result, failed=2)
    first = notes(pytester)
    printed = commands(result)
    assert len(printed) == 2
    for command in printed:
        assert Path(command[-1].partition("=")[2]).is_relative_to(tmp_path)
        passes(run(pytester, *command[1:]), failed=1)
    assert notes(pytester) == first


@pytest.mark.usefixtures("unwritable")
def test_a_plan_that_can_be_kept_nowhere_is_printed_all_the_same(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**kwargs: str) -> None:
        # As an operating system in German says it, beyond ASCII.
        raise OSError(28, "Auf dem Gerät fehlt Speicherplatz")

    monkeypatch.setattr("pytest_pinpoint_otp.plugin.failures.tempfile.mkdtemp", refuse)
    result = run(pytester, "--pinpoint-otp-chaos=1", "-k", "two", test_it=FAILING)

    passes(result, failed=1, deselected=1)
    result.stdout.fnmatch_lines(
        [
            '  "version": 1,',
            "To replay exactly this, save it in a file for --pinpoint-otp-replay*Gerät fehlt Speicherplatz.",
        ]
    )


def test_a_test_without_the_fake_is_left_alone(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "--pinpoint-otp-chaos=1",
        test_it="""
            from application import send
            from pytest_pinpoint_otp import mock_pinpoint_otp

            def test_it():
                with mock_pinpoint_otp():
                    assert send() == "SUCCESSFUL"
        """,
    )

    passes(result, passed=1)


def test_a_reset_draws_the_same_failures_again(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "--pinpoint-otp-chaos=0.5",
        test_it=NOTING
        + """
    def test_it(pinpoint_otp):
        first = use()
        pinpoint_otp.reset()
        assert first == use() != UNDISTURBED
""",
    )

    passes(result, passed=1)


def test_the_plan_after_a_reset_is_of_what_was_drawn_since(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "--pinpoint-otp-chaos=1",
        test_it=NOTING
        + """
    def test_it(pinpoint_otp):
        use()
        pinpoint_otp.reset()
        attempt(send)
        assert False
""",
    )

    passes(result, failed=1)
    (command,) = commands(result)
    (step,) = FailurePlan.from_json(Path(command[-1].partition("=")[2]).read_bytes()).steps
    assert (step.operation, step.after, step.times) == ("SendOTPMessage", 0, 1)


def test_a_mistake_of_the_test_under_chaos_is_shown_as_any(pytester: pytest.Pytester) -> None:
    tests = """
        from application import send

        def test_it(pinpoint_otp):
            pinpoint_otp.queue_codes("12345678")
            pinpoint_otp.inject("SUCCESSFUL")
            send()
    """
    result = run(pytester, "--pinpoint-otp-chaos=1", test_it=tests)

    passes(result, failed=1)
    result.stdout.fnmatch_lines(["E *ValueError: The queued code '12345678' has 8 digits*"])
