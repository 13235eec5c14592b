"""The guard: calls outside any fake are stopped and reported, wherever they are made."""

from __future__ import annotations

import os
import textwrap

import pytest
from suites import passes, run, run_apart, write

GUARDED = ("-o", "pinpoint_otp_guard=true")
AUTOUSE = ("-o", "pinpoint_otp_autouse=true")
TOLD = "*OTP calls were made while no fake was active. The guard stopped them:"
NO_FAKE = "The test has no fake: name the fixture pinpoint_otp in it, or mark it with @pytest.mark.pinpoint_otp."
OUTSIDE = "*OTP calls were made outside any test while no fake was active. The guard stopped them:"

SINK = """
    import botocore.httpsession
    import pytest
    from application import send

    left = []

    def note(session, request):
        left.append(request.url)
        raise ConnectionRefusedError

    botocore.httpsession.URLLib3Session.send, original = note, botocore.httpsession.URLLib3Session.send

    def swallowed(**parameters):
        # As applications do: the user sees a message, and nobody an exception.
        try:
            return send(**parameters)
        except Exception:
            return None

    def pytest_unconfigure():
        botocore.httpsession.URLLib3Session.send = original
        print("left:", len(left))
"""


def guarded(
    pytester: pytest.Pytester, tests: str, *arguments: str, more: str = "", left: int = 0, **outcomes: int
) -> pytest.RunResult:
    """Run tests with the guard on, and see how many requests have left the process."""
    write(pytester, conftest=SINK + more)
    pytester.makepyfile(test_guarded=tests)
    result = run(pytester, "-s", *(arguments or GUARDED))
    result.assert_outcomes(**outcomes)
    result.stdout.fnmatch_lines([f"*left: {left}"])
    return result


WIDER = {
    "a session fixture": """
        @pytest.fixture(scope="session", autouse=True)
        def wider():
            swallowed()
    """,
    "a module fixture's teardown": """
        @pytest.fixture(scope="module", autouse=True)
        def wider():
            yield
            swallowed()
    """,
    "setup_module": """
        def setup_module():
            swallowed()
    """,
    "teardown_module": """
        def teardown_module():
            swallowed()
    """,
    "setUpClass": """
        class Case(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                swallowed()

            def test_it(self):
                pass
    """,
}


@pytest.mark.parametrize("arguments", [GUARDED, AUTOUSE], ids=["guard", "autouse"])
@pytest.mark.parametrize("wider", WIDER.values(), ids=WIDER)
def test_a_call_from_this_is_an_error_at_the_teardown_of_its_test(
    pytester: pytest.Pytester, wider: str, arguments: tuple[str, ...]
) -> None:
    imports = "\n        import unittest\n        import pytest\n        from conftest import swallowed\n"
    test = "" if "test_it" in wider else "\n        def test_it():\n            pass\n"
    result = guarded(pytester, f"{imports}{wider}{test}", *arguments, passed=1, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*ERROR at teardown of *test_it*", TOLD, "  SendOTPMessage to +15550100123"])
    result.stdout.no_fnmatch_line(OUTSIDE)
    told_to_name_it = NO_FAKE in result.stdout.str()
    assert told_to_name_it == (arguments == GUARDED)


def test_a_call_of_a_test_without_a_fake_is_told_once_for_each_destination(pytester: pytest.Pytester) -> None:
    result = guarded(
        pytester,
        """
        import pytest
        from conftest import swallowed

        def test_it():
            swallowed()
            swallowed()
            swallowed(DestinationIdentity="+15550100456")

        def test_without_calls():
            pass

        def test_with_a_fake(pinpoint_otp):
            assert swallowed() == "SUCCESSFUL"
        """,
        passed=3,
        errors=1,
    )
    result.stdout.fnmatch_lines(
        [
            TOLD,
            "  SendOTPMessage to +15550100123, 2 times",
            "  SendOTPMessage to +15550100456",
            f"{NO_FAKE} *mock_pinpoint_otp*",
        ]
    )


FAILING = {
    "lets it through": "send()",
    "raises another from it": "try:\n    send()\nexcept Exception as error:\n    raise LookupError from error",
    "raises another after it": "try:\n    send()\nexcept Exception:\n    raise LookupError",
    "raises a group of it": "try:\n    send()\nexcept Exception as error:\n    raise ExceptionGroup('', [error])",
}


@pytest.mark.parametrize("body", FAILING.values(), ids=FAILING)
@pytest.mark.parametrize("place", ["test", "fixture", "teardown"])
def test_a_call_is_not_told_again_where_its_error_failed_a_test_that(
    pytester: pytest.Pytester, body: str, place: str
) -> None:
    lines = "".join(f"{line}\n                " for line in body.splitlines())
    outcomes = {"test": {"failed": 1}, "fixture": {"errors": 1}, "teardown": {"passed": 1, "errors": 1}}[place]
    result = guarded(
        pytester,
        f"""
        import pytest
        from application import send

        def failing(place):
            if place == "{place}":
                {lines}

        @pytest.fixture
        def around():
            failing("fixture")
            yield
            failing("teardown")

        def test_it(around):
            failing("test")
        """,
        **outcomes,
    )
    result.stdout.no_fnmatch_line(TOLD)
    result.stdout.fnmatch_lines(["*UnfakedCallError: SendOTPMessage*"])
    # Older versions of pytest show a group as Python does, with every frame.
    if "ExceptionGroup" not in body or pytest.version_tuple >= (9,):
        assert "pytest_pinpoint_otp/" not in result.stdout.str().replace(os.sep, "/")


def test_a_call_is_told_though_the_same_failed_the_test_before(pytester: pytest.Pytester) -> None:
    tests = """
        from application import send
        from conftest import swallowed

        def test_fails():
            send()

        def test_swallows():
            swallowed()
    """
    result = guarded(pytester, tests, failed=1, passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_swallows*", TOLD])


def test_another_call_is_told_beside_the_error_that_failed_the_test(pytester: pytest.Pytester) -> None:
    result = guarded(
        pytester,
        """
        from application import send
        from conftest import swallowed

        def test_it():
            swallowed(DestinationIdentity="+15550100456")
            send()
        """,
        failed=1,
        errors=1,
    )
    result.stdout.fnmatch_lines([TOLD, "  SendOTPMessage to +15550100456"])
    result.stdout.no_fnmatch_line("  SendOTPMessage to +15550100123")


def test_a_call_is_told_beside_another_error_at_the_teardown(pytester: pytest.Pytester) -> None:
    result = guarded(
        pytester,
        """
        import pytest
        from conftest import swallowed

        @pytest.fixture
        def around():
            yield
            swallowed()
            raise LookupError("another")

        def test_it(around):
            pass
        """,
        passed=1,
        errors=1,
    )
    result.stdout.fnmatch_lines(["E *LookupError: another", "E *OTP calls were made while no fake was active*"])


def test_a_skipped_test_hides_no_call_and_an_expected_failure_covers_the_teardown_too(
    pytester: pytest.Pytester,
) -> None:
    guarded(
        pytester,
        """
        import pytest
        from application import send
        from conftest import swallowed

        def test_skipped():
            swallowed()
            pytest.skip("not today")

        @pytest.mark.xfail
        def test_fails_as_expected():
            swallowed()
            assert False

        @pytest.mark.xfail
        def test_fails_by_the_guard():
            send()
        """,
        skipped=1,
        # As pytest counts them: one for the call, and one for its teardown.
        xfailed=3,
        errors=1,
    )


def test_a_test_that_is_marked_enabled_false_makes_real_calls(pytester: pytest.Pytester) -> None:
    result = guarded(
        pytester,
        """
        import pytest
        from conftest import swallowed

        @pytest.fixture
        def around():
            swallowed()
            yield
            swallowed()

        @pytest.mark.pinpoint_otp(enabled=False)
        def test_left_out(around):
            swallowed()

        def test_after():
            swallowed()
        """,
        # Each of three calls is tried as often as botocore retries.
        "-o",
        "pinpoint_otp_guard=true",
        passed=2,
        errors=1,
        left=3,
    )
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_after*"])


def test_a_test_without_a_fake_makes_real_calls_where_the_guard_is_off(pytester: pytest.Pytester) -> None:
    tests = "from conftest import swallowed\ndef setup_module():\n    swallowed()\ndef test_it():\n    pass"
    arguments = (*AUTOUSE, "-o", "pinpoint_otp_guard=false")
    guarded(pytester, tests, *arguments, passed=1, left=1)


def test_what_a_test_has_reloaded_is_guarded_from_the_next_test_on(pytester: pytest.Pytester) -> None:
    result = run_apart(
        pytester,
        *GUARDED,
        test_reloading="""
        import importlib
        import botocore.args, botocore.client, botocore.endpoint, botocore.session
        import helpers
        import pytest
        from pytest_pinpoint_otp import UnfakedCallError

        session = botocore.session.Session()

        def test_reloading():
            for module in (botocore.endpoint, botocore.args, botocore.client):
                importlib.reload(module)

        @pytest.mark.xfail(raises=UnfakedCallError, strict=True)
        def test_calling():
            client = session.create_client("pinpoint", region_name="us-east-1", endpoint_url="http://127.0.0.1:9")
            helpers.send(client)
        """,
    )
    result.assert_outcomes(passed=1, xfailed=1)


def test_a_thread_that_outlives_its_test_makes_the_run_fail(pytester: pytest.Pytester) -> None:
    result = guarded(
        pytester,
        """
        import threading
        import conftest

        def test_starts_a_thread(pinpoint_otp):
            def straggle():
                conftest.over.wait(10)
                conftest.swallowed()

            conftest.straggler = threading.Thread(target=straggle)
            conftest.straggler.start()

        def test_after():
            pass
        """,
        more="""
    import threading

    over = threading.Event()

    def pytest_runtest_logfinish(nodeid):
        over.set()
        straggler.join(10)
""",
        passed=2,
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*Pinpoint OTP calls outside any test*", OUTSIDE, "  SendOTPMessage to +15550100123"])


@pytest.mark.parametrize("hook", ["collection_finish(session)", "sessionfinish(session)"])
def test_a_call_of_a_conftest_outside_any_test_makes_the_run_fail(pytester: pytest.Pytester, hook: str) -> None:
    more = f"\n    def pytest_{hook}:\n        swallowed()\n"
    result = guarded(pytester, "def test_it(): pass", more=more, passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([OUTSIDE, "  SendOTPMessage to +15550100123"])


@pytest.mark.parametrize("tests", ["", "def test_it(): pass\n"], ids=["no tests", "one test"])
def test_a_call_at_import_makes_the_run_fail_even_where_no_test_is_collected(
    pytester: pytest.Pytester, tests: str
) -> None:
    result = guarded(pytester, f"from conftest import swallowed\nswallowed()\n{tests}", passed=bool(tests))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([OUTSIDE, "  SendOTPMessage to +15550100123", "*import of modules*"])


def test_a_call_by_the_first_conftest_is_stopped(pytester: pytest.Pytester) -> None:
    result = guarded(pytester, "def test_it(): pass", more="\n    swallowed()\n", passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([OUTSIDE])


def test_a_plugin_that_a_conftest_brings_in_guards_what_comes_after_it(pytester: pytest.Pytester) -> None:
    write(pytester, conftest=f'pytest_plugins = ["pytest_pinpoint_otp.plugin"]\n{textwrap.dedent(SINK)}')
    pytester.makepyfile(test_guarded="from conftest import swallowed\nswallowed()\n\ndef test_it(): pass")
    result = run_apart(pytester, "-p", "no:pinpoint_otp", *GUARDED)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([OUTSIDE, "left: 0"])


def test_the_exit_status_of_a_run_that_went_wrong_by_itself_is_kept(pytester: pytest.Pytester) -> None:
    more = "\n    def pytest_collection_finish(session):\n        swallowed()\n"
    result = guarded(pytester, "import pytest\ndef test_it():\n    pytest.exit()", more=more)
    assert result.ret == pytest.ExitCode.INTERRUPTED


def test_calls_outside_any_test_are_told_by_the_workers_of_xdist_too(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    write(pytester, conftest=SINK)
    tests = "from conftest import swallowed\nswallowed()\n\ndef test_it(): pass\n\ndef test_other(): swallowed()"
    pytester.makepyfile(test_guarded=tests)
    result = run_apart(pytester, "-n2", *GUARDED)
    passes(result, passed=2, errors=1)
    result.stdout.fnmatch_lines([OUTSIDE])
    for worker in ("gw0", "gw1"):
        result.stdout.fnmatch_lines([f"  SendOTPMessage to +15550100123 ({worker})"])


@pytest.mark.proof
def test_workers_without_such_calls_tell_nothing(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    result = run_apart(pytester, "-n1", *GUARDED, test_guarded="def test_it(): pass")
    passes(result, passed=1)
    result.stdout.no_fnmatch_line(OUTSIDE)


def test_interrupted_tests_leave_the_guard_as_it_was(pytester: pytest.Pytester) -> None:
    import pytest_pinpoint_otp.transports.botocore.guard as guard

    tests = """
        import pytest

        @pytest.fixture
        def interrupted():
            raise KeyboardInterrupt

        @pytest.mark.pinpoint_otp(enabled=False)
        def test_it(interrupted):
            pass
    """
    write(pytester, test_guarded=tests)
    pytester.runpytest_inprocess(*GUARDED, "-p", "no:asyncio", no_reraise_ctrlc=True)
    assert not guard.lets_through()
    assert not guard.stops_calls()


def test_the_guard_is_configured_as_a_bool(pytester: pytest.Pytester) -> None:
    result = run(pytester, "-o", "pinpoint_otp_guard=perhaps", test_it="def test_it(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: pytest's configuration, pinpoint_otp_guard: *perhaps*"])
