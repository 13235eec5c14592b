"""Hypothesis's examples under a fake that a marker or the configuration activates: each has a fresh one."""

from __future__ import annotations

import ast
import re
import shlex

import hypothesis.strategies  # noqa: F401 - as suites.py does, so that each run need not import it anew
import pytest
from suites import ALONE, passes, run, write

BEGIN = """
    import unittest

    import pytest
    from application import send, verify
    from helpers import DESTINATION
    from hypothesis import HealthCheck, assume, given, settings
    from hypothesis import strategies as st
    from pytest_pinpoint_otp import FailurePlan, FailureStep, active_pinpoint_otp

    few = settings(max_examples=8, deadline=None, derandomize=True)
    counts = st.integers(0, 3)
    examples = []

    def send_to_fresh(count):
        fake = active_pinpoint_otp()
        assert fake.messages == fake.calls == []
        for _ in range(count):
            send()
        assert [message.destination for message in fake.messages] == [DESTINATION] * count
        examples.append((count, [message.code for message in fake.messages]))
"""

MARKED = (
    BEGIN
    + """
    @pytest.mark.pinpoint_otp
    @few
    @given(counts)
    def test_it(count):
        send_to_fresh(count)

    def test_afterwards():
        counts = [count for count, _ in examples]
        assert len(set(counts)) > 1
        codes = max((codes for _, codes in examples), key=len)
        assert len(codes) == 3
        assert all(drawn == codes[:count] for count, drawn in examples)
"""
)


AROUND = "@pytest.fixture(autouse=True)\n    def around(pinpoint_otp):\n        yield\n\n    "


@pytest.mark.parametrize(
    ("activation", "arguments"),
    [
        ("@pytest.mark.pinpoint_otp", ()),
        ("", ("-o", "pinpoint_otp_autouse=true")),
        ('@pytest.mark.usefixtures("pinpoint_otp")', ()),
        (f"{AROUND}@pytest.mark.pinpoint_otp", ()),
    ],
    ids=["marker", "autouse", "usefixtures", "beside an autouse fixture that names it"],
)
def test_each_example_has_a_fresh_fake_with_the_same_codes(
    pytester: pytest.Pytester, activation: str, arguments: tuple[str, ...]
) -> None:
    suite = MARKED.replace("@pytest.mark.pinpoint_otp", activation)
    passes(run(pytester, *arguments, test_it=suite), passed=2)


def test_everything_that_an_example_arranges_ends_with_it(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it=BEGIN
        + """
    @pytest.mark.pinpoint_otp
    @few
    @given(counts)
    def test_it(count):
        fake = active_pinpoint_otp()
        before = fake.now()
        assert send() == "SUCCESSFUL"
        fake.inject("THROTTLED", times=None)
        fake.opt_out(DESTINATION)
        fake.advance(days=1 + count)
        assert send() == "THROTTLED"
        examples.append(before)

    def test_afterwards():
        assert len(examples) > 2
        assert (max(examples) - min(examples)).days == 0
""",
    )

    passes(result, passed=2)


def test_a_plan_of_the_marker_is_followed_in_each_example(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it=BEGIN
        + """
    @pytest.mark.pinpoint_otp(plan=FailurePlan([FailureStep("THROTTLED")]))
    @few
    @given(counts)
    def test_it(count):
        assert send() == "THROTTLED"
        assert send() == "SUCCESSFUL"
""",
    )

    passes(result, passed=1)


SHAKEN = (
    BEGIN
    + """
    import pathlib
    import threading

    from hypothesis import Phase
    from hypothesis.stateful import RuleBasedStateMachine, rule

    few = settings(few, phases=[Phase.generate, Phase.shrink])
    firsts = []

    def first():
        "Note what the first call of an example ends in, and return it."
        if active_pinpoint_otp().calls:
            return "SUCCESSFUL"
        try:
            firsts.append(send())
        except Exception as error:
            firsts.append(type(error).__name__)
        return firsts[-1]

    def first_of_a_thread():
        thread = threading.Thread(target=first)
        thread.start()
        thread.join()
        return firsts[-1]

    class TestArguments:
        @pytest.mark.pinpoint_otp
        @few
        @given(st.integers())
        def test_it(self, number):
            assert first() in ALLOWED

    class TestThread:
        @pytest.mark.pinpoint_otp
        @few
        @given(st.integers())
        def test_it(self, number):
            assert first_of_a_thread() in ALLOWED

    class TestChoices:
        @pytest.mark.pinpoint_otp
        @few
        @given(st.data())
        def test_it(self, data):
            data.draw(st.integers())
            assert first() in ALLOWED
            data.draw(st.integers())

    class Machine(RuleBasedStateMachine):
        @rule(number=st.integers())
        def use(self, number):
            assert first() in ALLOWED

    TestMachine = pytest.mark.pinpoint_otp(Machine.TestCase)
    TestMachine.settings = few

    def test_afterwards():
        pathlib.Path("firsts.txt").write_text(repr(firsts))
"""
)


@pytest.mark.parametrize("how", ["TestArguments", "TestThread", "TestChoices", "TestMachine"])
def test_chaos_draws_for_each_example_by_what_was_chosen_for_it(pytester: pytest.Pytester, how: str) -> None:
    def firsts() -> list[str]:
        passes(run(pytester, "--pinpoint-otp-chaos=0.5", "-k", f"{how} or afterwards"), passed=2, deselected=3)
        return ast.literal_eval((pytester.path / "firsts.txt").read_text())  # type: ignore[no-any-return]

    write(pytester, test_it=f"{SHAKEN}    ALLOWED = type('Any', (), {{'__contains__': lambda *_: True}})()\n")
    drawn = firsts()

    assert len(drawn) > 4
    assert len(set(drawn)) > 2
    assert firsts() == drawn


@pytest.mark.parametrize(
    "how",
    [
        "TestArguments",
        "TestMachine",
        *(pytest.param(one, marks=pytest.mark.proof) for one in ("TestThread", "TestChoices")),
    ],
)
def test_an_example_that_chaos_fails_does_so_again_and_is_replayed(pytester: pytest.Pytester, how: str) -> None:
    result = run(
        pytester,
        *("--pinpoint-otp-chaos=0.5", "-k", how),
        test_it=f"{SHAKEN}    ALLOWED = ['SUCCESSFUL']\n",
    )

    passes(result, failed=1, deselected=4)
    result.stdout.no_fnmatch_line("*Flaky*")
    lines = result.outlines
    command = shlex.split(lines[lines.index("To replay exactly this:") + 1])
    replayed = run(pytester, *command[1:])
    passes(replayed, failed=1)
    # Every example meets the same there, so that the smallest is found.
    assert re.search(r"(number=|Draw 1: )0\b", replayed.stdout.str())


def test_chaos_draws_alike_for_the_examples_that_are_given(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "--pinpoint-otp-chaos=0.5",
        test_it=BEGIN
        + """
    import contextlib

    from hypothesis import Phase, example

    @pytest.mark.pinpoint_otp
    @settings(few, phases=[Phase.explicit])
    @given(st.integers())
    @example(1)
    @example(2)
    def test_it(number):
        for _ in range(8):
            with contextlib.suppress(Exception):
                send()
        examples.append([call.outcome for call in active_pinpoint_otp().calls])

    def test_afterwards():
        assert len(examples) == 2
        assert examples[0] == examples[1]
        assert len({*examples[0]}) > 1
""",
    )

    passes(result, passed=2)


def test_chaos_draws_alike_in_every_run_of_a_state_machine_for_the_threads_of_the_application(
    pytester: pytest.Pytester,
) -> None:
    result = run(
        pytester,
        "--pinpoint-otp-chaos=0.5",
        test_it=BEGIN
        + """
    import contextlib
    import threading

    from hypothesis.stateful import RuleBasedStateMachine, rule

    def send_often():
        for _ in range(8):
            with contextlib.suppress(Exception):
                send()
        examples.append(tuple(call.outcome for call in active_pinpoint_otp().calls))

    class Machine(RuleBasedStateMachine):
        @rule(number=st.integers())
        def use(self, number):
            if not active_pinpoint_otp().calls:
                thread = threading.Thread(target=send_often)
                thread.start()
                thread.join()

    TestMachine = pytest.mark.pinpoint_otp(Machine.TestCase)
    TestMachine.settings = few

    def test_afterwards():
        assert len(examples) > 1
        assert len({*examples}) == 1
        assert len({*examples[0]}) > 1
""",
    )

    passes(result, passed=2)


def test_an_example_after_a_reset_in_another_prints_what_chaos_did_to_it(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        *("--pinpoint-otp-chaos=1", "--pinpoint-otp-chaos-kinds=delivery"),
        test_it=BEGIN
        + """
    @pytest.mark.pinpoint_otp
    @few
    @given(st.integers(0, 9))
    def test_it(number):
        if number == 0:
            active_pinpoint_otp().reset()
        else:
            assert send() == "SUCCESSFUL"
""",
    )

    passes(result, failed=1)
    result.stdout.fnmatch_lines(['*{"outcome": "*", "destination": "+15550100123"}', "To replay exactly this:"])


def test_an_example_that_leaves_something_unused_fails_and_is_shrunk(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it=BEGIN
        + """
    @pytest.mark.pinpoint_otp
    @settings(few, max_examples=50)
    @given(st.integers(0, 100))
    def test_it(count):
        active_pinpoint_otp().inject("THROTTLED", times=min(count, 7) + 1)
        for _ in range(7):
            send()
""",
    )

    passes(result, failed=1)
    result.stdout.fnmatch_lines(["*AssertionError: *", "*inject('THROTTLED'*used 7, 1 left*", "*count=7,*"])


def test_what_a_later_example_would_have_hidden_is_told(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it=BEGIN
        + """
    @pytest.mark.pinpoint_otp
    @few
    @given(counts)
    def test_it(count):
        if not examples:
            active_pinpoint_otp().queue_codes("123456")
        examples.append(count)
""",
    )

    # Only the first example is wrong, so Hypothesis calls it flaky; it is not passed over.
    passes(result, failed=1)
    result.stdout.fnmatch_lines(["*queue_codes('123456')*"])


def test_a_mistake_that_the_application_swallows_fails_its_example(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it=BEGIN
        + """
    @pytest.mark.pinpoint_otp
    @few
    @given(counts)
    def test_it(count):
        if count == 2:
            active_pinpoint_otp().queue_codes("12345678")
        try:
            send()
        except ValueError:
            pass
""",
    )

    passes(result, failed=1)
    result.stdout.fnmatch_lines(["*ValueError: The queued code '12345678' has 8 digits*", "*count=2,*"])


@pytest.mark.parametrize("base", ["pinpoint_otp", ""])
def test_an_override_of_the_fixture_may_yield_nothing(pytester: pytest.Pytester, base: str) -> None:
    result = run(
        pytester,
        test_it=BEGIN
        + f"""
    @pytest.fixture
    def pinpoint_otp({base}):
        yield

    @pytest.mark.pinpoint_otp
    @few
    @given(counts)
    def test_it(count):
        if "{base}":
            assert active_pinpoint_otp().messages == []
            send()
""",
    )

    passes(result, passed=1)


def test_an_example_may_leave_things_unused_where_the_marker_says_so(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it=BEGIN
        + """
    @pytest.mark.pinpoint_otp(assert_all_used=False)
    @few
    @given(counts)
    def test_it(count):
        active_pinpoint_otp().inject("THROTTLED")
""",
    )

    passes(result, passed=1)


def test_assume_leaves_an_example_out_whatever_it_has_arranged(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it=BEGIN
        + """
    @pytest.mark.pinpoint_otp
    @few
    @given(counts)
    def test_it(count):
        active_pinpoint_otp().inject("THROTTLED")
        assume(count != 1)
        assert send() == "THROTTLED"
        examples.append(count)

    def test_afterwards():
        assert {0, 2, 3} <= set(examples)
        assert 1 not in examples
""",
    )

    passes(result, passed=2)


def test_a_failing_example_has_its_own_traffic_alone_under_it(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it=BEGIN
        + """
    @pytest.mark.pinpoint_otp
    @few
    @given(counts)
    def test_it(count):
        for _ in range(count):
            assert send(ReferenceId=f"of-{count}") != "SUCCESSFUL" or count < 2
""",
    )

    passes(result, failed=1)
    result.stdout.fnmatch_lines(["*Pinpoint OTP traffic*", "*of-2*"])
    result.stdout.no_fnmatch_line("*of-1*")
    result.stdout.no_fnmatch_line("*of-3*")


METHODS = """
    class TestIt:
        @few
        @given(count=counts)
        def test_it(self, count):
            send_to_fresh(count)

    class Unit(unittest.TestCase):
        @few
        @given(counts)
        def test_it(self, count):
            assert self._testMethodName == "test_it"
            send_to_fresh(count)

    @pytest.mark.parametrize("number", [1, 2])
    @few
    @given(count=counts)
    def test_it(number, count):
        send_to_fresh(count + number)
"""


def test_methods_and_parameters_have_it_alike(pytester: pytest.Pytester) -> None:
    result = run(pytester, test_it=f"{BEGIN}\n    pytestmark = pytest.mark.pinpoint_otp\n{METHODS}")

    passes(result, passed=4)


def test_hypothesis_has_the_test_back_afterwards(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it=BEGIN
        + """
    @pytest.mark.pinpoint_otp
    @pytest.mark.parametrize("number", [1, 2])
    @few
    @given(count=counts)
    def test_it(number, count):
        examples.append(test_it.hypothesis.inner_test)
        assert number == 1

    original = test_it.hypothesis.inner_test

    def test_afterwards():
        assert original not in examples
        assert len(set(examples)) == 2
        assert test_it.hypothesis.inner_test is original
""",
    )

    passes(result, passed=2, failed=1)


def test_other_tests_and_those_without_the_fake_are_left_alone(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it=BEGIN
        + """
    @few
    @given(counts)
    def test_without(count):
        examples.append(test_without.hypothesis.inner_test)

    original = test_without.hypothesis.inner_test

    @pytest.mark.pinpoint_otp
    def test_of_no_examples():
        assert set(examples) == {original}
        send()
        assert len(active_pinpoint_otp().messages) == 1
""",
    )

    passes(result, passed=2)


NAMED = (
    BEGIN
    + """
    @few
    @given(count=counts)
    def test_it(pinpoint_otp, count):
        examples.append(len(pinpoint_otp.messages))
        send()

    def test_afterwards():
        assert set(examples) <= {0}
"""
)


def test_a_test_that_names_the_fixture_has_hypothesis_own_health_check(pytester: pytest.Pytester) -> None:
    write(pytester, test_it=NAMED)
    place = ALONE.index("no:hypothesispytest")
    result = pytester.runpytest(*ALONE[: place - 1], *ALONE[place + 1 :], "-p", "no:anyio")

    passes(result, passed=1, failed=1)
    result.stdout.fnmatch_lines(["*FailedHealthCheck*'pinpoint_otp'*"])


def test_a_test_that_names_the_fixture_and_says_that_it_knows_has_it_alike(pytester: pytest.Pytester) -> None:
    knowing = "@settings(few, suppress_health_check=[HealthCheck.function_scoped_fixture])"
    result = run(pytester, test_it=NAMED.replace("@few", knowing))

    passes(result, passed=2)


def test_examples_that_are_coroutines_have_it_alike(pytester: pytest.Pytester) -> None:
    pytest.importorskip("anyio")
    suite = MARKED.replace("    @few", "    @pytest.mark.anyio\n    @few").replace("def test_it", "async def test_it")
    result = run(
        pytester,
        "-p",
        "anyio",
        conftest="""
            import pytest

            @pytest.fixture(scope="session")
            def anyio_backend():
                return "asyncio"
        """,
        test_it=suite
        + """
    @pytest.mark.anyio
    @pytest.mark.pinpoint_otp
    @few
    @given(counts)
    async def test_unused(count):
        active_pinpoint_otp().inject("THROTTLED")
""",
    )

    passes(result, passed=2, failed=1)
    result.stdout.fnmatch_lines(["*AssertionError: *", "*inject('THROTTLED'*used 0, 1 left*"])


def test_each_run_of_a_state_machine_has_a_fresh_fake_by_marker_and_by_autouse(pytester: pytest.Pytester) -> None:
    machine = """
        import pytest
        from application import send
        from hypothesis import settings
        from hypothesis.stateful import RuleBasedStateMachine, rule
        from pytest_pinpoint_otp import active_pinpoint_otp

        runs = []

        class Machine(RuleBasedStateMachine):
            def __init__(self):
                super().__init__()
                runs.append(active_pinpoint_otp())
                assert active_pinpoint_otp().messages == []

            @rule()
            def send_a_text(self):
                send()

        before = RuleBasedStateMachine.__init__
        MARK
        class TestMachine(Machine.TestCase):
            settings = settings(max_examples=5, stateful_step_count=5, deadline=None, database=None)

        def test_afterwards():
            assert len(runs) > 1
            assert len({id(fake) for fake in runs}) == 1
            assert RuleBasedStateMachine.__init__ is before
    """
    passes(run(pytester, test_it=machine.replace("MARK", "@pytest.mark.pinpoint_otp")), passed=2)
    result = run(pytester, "-o", "pinpoint_otp_autouse=true", test_it=machine.replace("        MARK\n", ""))
    passes(result, passed=2)


ARRANGED = """
    @pytest.fixture(autouse=True)
    def arranged(pinpoint_otp):
        pinpoint_otp.opt_out("+15550100456")
        pinpoint_otp.queue_codes("012345")
        pinpoint_otp.inject("THROTTLED", per="call", after=1)
        pinpoint_otp.issue(DESTINATION, application_id="app", reference_id="arranged", code="543210")
        pinpoint_otp.advance(minutes=1)
        send(ReferenceId="of the fixture", DestinationIdentity="+15550100456")

    def use():
        fake = active_pinpoint_otp()
        assert [call.reference_id for call in fake.calls] == ["of the fixture"]
        assert [message.code for message in fake.messages] == ["543210"]
        examples.append(fake.now())
        assert send() == "THROTTLED"
        assert send() == "SUCCESSFUL"
        assert fake.code_for() == "012345"
        assert send(DestinationIdentity="+15550100456") == "OPT_OUT"
        assert verify("543210", ApplicationId="app", ReferenceId="arranged")
        # What no other example may see.
        fake.opt_in("+15550100456")
        fake.opt_out(DESTINATION)
        fake.inject("ForbiddenException", times=None)
        fake.advance(days=1)
"""

AFTERWARDS = """
    def test_afterwards():
        assert len(examples) > 2
        assert (max(examples) - min(examples)).days == 0
"""

EXAMPLES = {
    "marked": """
    @pytest.mark.pinpoint_otp
    @few
    @given(counts)
    def test_it(count):
        use()
""",
    "named": """
    @settings(few, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(count=counts)
    def test_it(pinpoint_otp, count):
        assert active_pinpoint_otp() is pinpoint_otp
        use()
""",
    "method": """
    class TestIt:
        @few
        @given(count=counts)
        def test_it(self, count):
            use()
""",
    "unittest": """
    class Unit(unittest.TestCase):
        def setUp(self):
            active_pinpoint_otp().issue(DESTINATION, application_id="app", reference_id="set up", code="111111")

        @few
        @given(counts)
        def test_it(self, count):
            fake = active_pinpoint_otp()
            assert fake.messages.pop().code == "111111"
            assert verify("111111", ApplicationId="app", ReferenceId="set up")
            examples.append(fake.now())
            assert send() == "THROTTLED"
            assert send() == "SUCCESSFUL"
            fake.advance(days=1)
""",
    "state machine": """
    class Machine(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            use()

        @rule()
        def send_a_text(self):
            active_pinpoint_otp().issue("+15550100999", application_id="app", reference_id="of a rule")

    class TestMachine(Machine.TestCase):
        settings = settings(few, max_examples=5, stateful_step_count=3)
""",
}


@pytest.mark.parametrize("test", EXAMPLES.values(), ids=EXAMPLES)
def test_each_example_begins_with_what_fixtures_arranged_and_knows_nothing_of_the_others(
    pytester: pytest.Pytester, test: str
) -> None:
    begin = BEGIN.replace(
        "import strategies as st\n", "import strategies as st\n    from hypothesis.stateful import *\n"
    )
    result = run(pytester, test_it=f"{begin}{ARRANGED}{test}{AFTERWARDS}")

    # The last test has the fixture too, and uses nothing of what that arranges.
    passes(result, passed=2, errors=1)


def test_a_mistake_in_any_run_of_a_state_machine_is_told_at_its_end(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it=BEGIN
        + """
    from hypothesis.stateful import RuleBasedStateMachine, rule

    class Machine(RuleBasedStateMachine):
        @rule()
        def make_a_mistake_in_the_first_run(self):
            examples.append(self)
            if examples[0] is self:
                active_pinpoint_otp().inject(lambda call: 1 / 0, optional=True)
                with pytest.raises(ZeroDivisionError):
                    send()

    TestMachine = pytest.mark.pinpoint_otp(Machine.TestCase)
    TestMachine.settings = few

    def test_afterwards():
        assert len(set(map(id, examples))) > 1
""",
    )

    passes(result, passed=2, errors=1)
    result.stdout.fnmatch_lines(["E *ZeroDivisionError: division by zero"])


OF_SOME_RUNS = """
    from hypothesis.stateful import RuleBasedStateMachine, rule

    @pytest.fixture(autouse=True)
    def arranged(pinpoint_otp):
        pinpoint_otp.inject("THROTTLED")
        pinpoint_otp.queue_codes("012345")

    class Machine(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            examples.append(self)

        @rule()
        def use_in_some_runs(self):
            if examples.index(self) in RUNS:
                send()
                send()
            BESIDES

    TestMachine = pytest.mark.pinpoint_otp(Machine.TestCase)
    TestMachine.settings = settings(few, max_examples=5, stateful_step_count=5)
"""


BESIDES = {
    "nothing else": "pass",
    "an injection of a rule": "active_pinpoint_otp().inject('OPT_OUT', destination='+15550100456')",
    "a reset": "active_pinpoint_otp().reset()",
    "an injection after a reset": "active_pinpoint_otp().reset(); active_pinpoint_otp().inject('OPT_OUT')",
}


@pytest.mark.parametrize(
    ("runs", "besides"),
    [
        pytest.param(
            runs, code, id=f"{runs} {besides}", marks=[pytest.mark.proof] if runs != "[1, 3]" and code != "pass" else []
        )
        for runs in ("[0]", "[1, 3]", "[4]")
        for besides, code in BESIDES.items()
    ],
)
def test_what_one_run_of_a_state_machine_used_is_no_error_of_another(
    pytester: pytest.Pytester, runs: str, besides: str
) -> None:
    suite = BEGIN + OF_SOME_RUNS.replace("RUNS", runs).replace("BESIDES", besides)

    passes(run(pytester, test_it=suite), passed=1)


def test_what_no_run_of_a_state_machine_used_is_an_error(pytester: pytest.Pytester) -> None:
    result = run(pytester, test_it=BEGIN + OF_SOME_RUNS.replace("RUNS", "[]").replace("BESIDES", "pass"))

    passes(result, passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*The test arranged something that no call used:*",
            "*inject('THROTTLED', operation='SendOTPMessage'): used 0, 1 left",
            "*queue_codes('012345')",
        ]
    )


def test_a_handle_of_a_fixture_goes_back_with_each_example(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it=BEGIN
        + """
    from datetime import timedelta

    @pytest.fixture(autouse=True)
    def handles(pinpoint_otp):
        examples[:] = [pinpoint_otp.inject("THROTTLED", times=None), pinpoint_otp.limit_rate(1, per=timedelta(hours=1))]

    @pytest.mark.pinpoint_otp
    @few
    @given(counts)
    def test_it(count):
        injection, limit = examples
        assert injection.used == 0
        assert send() == "THROTTLED"
        assert injection.used == 1
        injection.cancel()
        assert [send(), send()] == ["SUCCESSFUL", "THROTTLED"]
        limit.cancel()
        assert send() == "SUCCESSFUL"
""",
    )

    passes(result, passed=1)


def test_each_example_of_a_decorated_class_is_checked(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it=BEGIN
        + """
    from pytest_pinpoint_otp import mock_pinpoint_otp

    @mock_pinpoint_otp()
    class Unit(unittest.TestCase):
        @few
        @given(counts)
        def test_it(self, count):
            active_pinpoint_otp().inject("THROTTLED")
""",
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*inject('THROTTLED', operation='SendOTPMessage'): used 0, 1 left"])
