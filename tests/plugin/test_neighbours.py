"""Other people's pytest plugins and web frameworks: the same codes for the same test, and nothing left over.

Order, workers and reruns are in `test_runners`, endings that need no other plugin in `test_fixtures`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.endpoint import Endpoint
from suites import passes, run, run_apart, write

import pytest_pinpoint_otp.transports.active as reach

ROOT = Path(__file__).parents[2]

NOTING = """
    import pathlib

    import pytest
    from application import send
    from helpers import DESTINATION

    NOTES = pathlib.Path(__file__).with_name("notes.txt")

    @pytest.fixture
    def code(request, pinpoint_otp):
        # Of two texts, so that what is drawn later shows as well.
        send()
        send()
        codes = [message.code for message in pinpoint_otp.messages]
        with NOTES.open("a") as notes:
            notes.write(f"{request.node.name} {codes}\\n")
        return codes[-1]
"""

SUITE = """
    import unittest

    import pytest
    from application import verify

    def test_sign_up(code):
        assert verify(code)

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_with_a_parameter(code, number):
        assert verify(code)

    class TestLogin:
        def test_once(self, code):
            assert verify(code)

        def test_twice(self, code):
            assert verify(code)

    class LogOut(unittest.TestCase):
        @pytest.fixture(autouse=True)
        def texts(self, code):
            self.code = code

        def test_confirmed(self):
            assert verify(self.code)
"""
TESTS_IN_SUITE = 7


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """See that a run inside this process leaves neither a fake nor anything wrapped."""
    before = Endpoint.make_request
    yield
    assert reach.innermost is None
    assert Endpoint.make_request is before


def noted(pytester: pytest.Pytester) -> dict[str, set[str]]:
    """Return the codes that each test of the last run drew, and forget them."""
    notes = pytester.path / "notes.txt"
    codes: dict[str, set[str]] = {}
    for line in notes.read_text().splitlines():
        name, _, drawn = line.partition(" ")
        codes.setdefault(name, set()).add(drawn)
    notes.unlink()
    return codes


@pytest.fixture
def alone(pytester: pytest.Pytester) -> dict[str, set[str]]:
    """Write the suite, and return the codes that its tests draw one after the other, with no other plugin at work."""
    passes(run(pytester, conftest=NOTING, test_codes=SUITE), passed=TESTS_IN_SUITE)
    codes = noted(pytester)
    assert len(codes) == TESTS_IN_SUITE
    assert len(set.union(*codes.values())) == TESTS_IN_SUITE
    return codes


# -- Again and again ---------------------------------------------------------------------------------------------------


@pytest.mark.proof
def test_a_test_draws_the_same_codes_on_a_worker_that_replaces_a_crashed_one(
    pytester: pytest.Pytester, alone: dict[str, set[str]]
) -> None:
    pytest.importorskip("xdist")
    result = run_apart(
        pytester,
        "-n",
        "1",
        test_a_crash="""
            import os

            def test_crashes(pinpoint_otp):
                pinpoint_otp.inject("THROTTLED", times=None)
                os._exit(3)
        """,
    )
    passes(result, passed=TESTS_IN_SUITE, failed=1)
    assert noted(pytester) == alone


def test_a_test_draws_the_same_codes_alone_and_by_lf(pytester: pytest.Pytester, alone: dict[str, set[str]]) -> None:
    write(
        pytester,
        test_codes=SUITE
        + """
    def test_last(code):
        assert False
""",
    )
    passes(run(pytester), passed=TESTS_IN_SUITE, failed=1)
    whole = noted(pytester)
    assert whole.items() > alone.items()
    passes(run(pytester, "--lf"), failed=1)
    assert noted(pytester) == {"test_last": whole["test_last"]}
    passes(run(pytester, "-k", "twice"), passed=1, deselected=TESTS_IN_SUITE)
    assert noted(pytester) == {"test_twice": alone["test_twice"]}


def test_x_ends_the_run_with_nothing_left_and_the_next_run_draws_the_same_codes(
    pytester: pytest.Pytester, alone: dict[str, set[str]]
) -> None:
    result = run(
        pytester,
        "-x",
        test_a_failure="""
            def test_fails(code, pinpoint_otp):
                pinpoint_otp.inject("THROTTLED", times=None)
                assert False
        """,
    )
    passes(result, failed=1)
    assert noted(pytester).keys() == {"test_fails"}
    passes(run(pytester, "test_codes.py"), passed=TESTS_IN_SUITE)
    assert noted(pytester) == alone


def test_a_rerun_is_held_to_what_it_arranged_itself(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pytest_rerunfailures")
    result = run(
        pytester,
        "--reruns",
        "1",
        test_flaky="""
            runs = []

            def test_arranges_in_vain_and_fails_first(pinpoint_otp):
                runs.append(None)
                if len(runs) == 1:
                    pinpoint_otp.inject("THROTTLED")
                    assert False

            def test_arranges_in_vain_at_last(pinpoint_otp):
                runs.append(None)
                pinpoint_otp.inject("OPT_OUT")
                assert len(runs) > 3
        """,
    )
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["errors"]) == (2, 1)
    result.stdout.fnmatch_lines(["*inject('OPT_OUT', *: used 0, 1 left*"])
    result.stdout.no_fnmatch_line("*inject('THROTTLED'*used 0*")


@pytest.mark.parametrize("scope", ["function", "session"])
def test_each_repetition_has_a_fresh_fake_and_the_same_codes_in_every_run(
    pytester: pytest.Pytester, scope: str
) -> None:
    pytest.importorskip("pytest_repeat")
    suite = """
        import pytest
        from application import verify

        @pytest.mark.parametrize("number", [1, 2])
        def test_sign_up(code, number, pinpoint_otp):
            assert len(pinpoint_otp.calls) == 2
            assert verify(code)
    """
    runs = []
    for _ in range(2):
        passes(run(pytester, "--count=3", f"--repeat-scope={scope}", conftest=NOTING, test_codes=suite), passed=6)
        runs.append(noted(pytester))
    assert runs[0] == runs[1]
    assert len(runs[0]) == 6


# -- Endings -----------------------------------------------------------------------------------------------------------

HANGING = {
    "waits for a text": "pinpoint_otp.wait_for_message(DESTINATION, timeout=60)",
    "asks a callable": "pinpoint_otp.inject(lambda call: threading.Event().wait(60)); send()",
    "joins a thread": "threading.Event().wait(60)",
}


@pytest.mark.skipif(sys.platform == "win32", reason="the signal method needs SIGALRM")
@pytest.mark.parametrize("statement", HANGING.values(), ids=HANGING)
def test_nothing_is_left_over_after_a_timeout_by_signal_while_a_test(pytester: pytest.Pytester, statement: str) -> None:
    pytest.importorskip("pytest_timeout")
    result = run(
        pytester,
        "-p",
        "timeout",
        "--timeout-method=signal",
        # Its threads of other runs in this process would fill pytest-timeout's report.
        "-p",
        "no:rerunfailures",
        test_hanging=f"""
            import threading

            import pytest
            from application import send, verify
            from helpers import DESTINATION
            import pytest_pinpoint_otp.transports.active as reach

            def test_passes(pinpoint_otp):
                send()

            @pytest.mark.timeout(0.5, func_only=True)
            def test_hangs(pinpoint_otp):
                send(DestinationIdentity="+15550100456")
                {statement}

            def test_is_without_a_fake():
                assert reach.innermost is None

            def test_has_a_fresh_fake(pinpoint_otp):
                assert pinpoint_otp.calls == []
                assert send() == "SUCCESSFUL"
                assert verify(pinpoint_otp.wait_for_message(DESTINATION).code)
        """,
    )
    passes(result, passed=3, failed=1)
    result.stdout.fnmatch_lines(["*Timeout*>0.5s*", "*Pinpoint OTP traffic*", "*SendOTPMessage*+15550100456*"])


def test_a_timeout_by_thread_ends_one_worker_and_the_others_tests_draw_the_same_codes(
    pytester: pytest.Pytester, alone: dict[str, set[str]]
) -> None:
    pytest.importorskip("pytest_timeout")
    pytest.importorskip("xdist")
    result = run_apart(
        pytester,
        "-n1",
        "--timeout-method=thread",
        test_a_hanging="""
            import threading

            import pytest

            @pytest.mark.timeout(0.5, func_only=True)
            def test_hangs(pinpoint_otp):
                pinpoint_otp.wait_for_message(timeout=60)
        """,
    )
    passes(result, passed=TESTS_IN_SUITE, failed=1)
    result.stdout.fnmatch_lines(["*worker 'gw0' crashed while running*test_hangs*"])
    assert noted(pytester) == alone


def test_nothing_is_left_over_after_expected_failures_and_subtests_of_unittest(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_endings="""
            import unittest

            import pytest
            from application import send
            import pytest_pinpoint_otp.transports.active as reach

            @pytest.mark.xfail(raises=ZeroDivisionError)
            def test_expected(pinpoint_otp):
                pinpoint_otp.inject("THROTTLED")
                1 / 0

            @pytest.mark.pinpoint_otp
            class Endings(unittest.TestCase):
                @unittest.expectedFailure
                def test_expected(self):
                    send()
                    assert False

                def test_skipped(self):
                    send()
                    self.skipTest("not today")

                def test_failed(self):
                    send()
                    assert False

            def test_last():
                assert reach.innermost is None
        """,
    )
    passes(result, passed=1, failed=1, skipped=1, xfailed=2)


def test_the_fake_is_at_hand_in_pdb_and_gone_after_it(pytester: pytest.Pytester) -> None:
    result = run_apart(
        pytester,
        "--pdb",
        "--pdbcls=looking:Looking",
        looking="""
            from pytest_pinpoint_otp import active_pinpoint_otp

            class Looking:
                quitting = False

                def __init__(self, *args, **kwargs):
                    pass

                def reset(self):
                    pass

                def interaction(self, frame, traceback):
                    print("seen in pdb:", [call.outcome for call in active_pinpoint_otp().calls])
        """,
        test_sign_up="""
            import unittest

            import pytest
            from application import send
            import pytest_pinpoint_otp.transports.active as reach
            from pytest_pinpoint_otp import active_pinpoint_otp

            def test_fails(pinpoint_otp):
                send()
                assert False

            @pytest.mark.pinpoint_otp
            class SignUp(unittest.TestCase):
                def test_fails(self):
                    active_pinpoint_otp().opt_out("+15550100123")
                    send()
                    assert False

            def test_last():
                assert reach.innermost is None
        """,
    )
    passes(result, passed=1, failed=2)
    seen = [line for line in result.outlines if line.startswith("seen in pdb:")]
    assert seen == ["seen in pdb: ['SUCCESSFUL']", "seen in pdb: ['OPT_OUT']"]


# -- unittest and web frameworks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("configured", [True, False], ids=["by-configuration", "by-fixture"])
def test_a_unittest_class_has_the_fake_by_an_autouse_fixture(pytester: pytest.Pytester, configured: bool) -> None:
    if configured:
        pytester.makeini("[pytest]\npinpoint_otp_autouse = true")
    else:
        pytester.makeconftest(
            """
            import pytest

            @pytest.fixture(autouse=True)
            def texts(pinpoint_otp):
                pass
            """
        )
    result = run(
        pytester,
        test_sign_up="""
            import unittest

            from application import send, verify
            from helpers import DESTINATION
            from pytest_pinpoint_otp import active_pinpoint_otp

            class SignUp(unittest.TestCase):
                def setUp(self):
                    self.assertEqual(send(), "SUCCESSFUL")
                    self.addCleanup(self.send_once_more, 3)

                def tearDown(self):
                    self.send_once_more(2)

                def send_once_more(self, count):
                    send()
                    active_pinpoint_otp().assert_sent(times=count)

                def test_the_code_is_right(self):
                    self.assertTrue(verify(active_pinpoint_otp().code_for(DESTINATION)))

                def test_another_code_is_wrong(self):
                    self.assertFalse(verify(active_pinpoint_otp().wrong_code(DESTINATION)))

            class AsyncSignUp(unittest.IsolatedAsyncioTestCase):
                async def test_the_code_is_right(self):
                    send()
                    self.assertTrue(verify(active_pinpoint_otp().code_for(DESTINATION)))
        """,
    )
    passes(result, passed=3)


def test_a_view_of_flask_sends_and_verifies(pytester: pytest.Pytester) -> None:
    pytest.importorskip("flask")
    result = run(
        pytester,
        web="""
            import application
            from flask import Flask, request

            app = Flask(__name__)

            @app.post("/codes")
            def send():
                return {"status": application.send(DestinationIdentity=request.json["phone"])}

            @app.post("/checks")
            def check():
                valid = application.verify(request.json["code"], DestinationIdentity=request.json["phone"])
                return {"valid": valid}, 200 if valid else 403
        """,
        test_web="""
            import pytest
            from helpers import DESTINATION
            from web import app

            @pytest.fixture
            def client():
                return app.test_client()

            def test_sign_up(client, pinpoint_otp):
                assert client.post("/codes", json={"phone": DESTINATION}).json == {"status": "SUCCESSFUL"}
                wrong = {"phone": DESTINATION, "code": pinpoint_otp.wrong_code(DESTINATION)}
                assert client.post("/checks", json=wrong).status_code == 403
                right = {"phone": DESTINATION, "code": pinpoint_otp.code_for(DESTINATION)}
                assert client.post("/checks", json=right).json == {"valid": True}

            def test_an_error_of_the_service_becomes_an_error_of_the_view(client, pinpoint_otp):
                pinpoint_otp.inject("InternalServerErrorException")
                assert client.post("/codes", json={"phone": DESTINATION}).status_code == 500
        """,
    )
    passes(result, passed=2)


def test_a_view_of_django_sends_and_verifies(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pytest_django")
    pytester.makeini("[pytest]\nDJANGO_SETTINGS_MODULE = settings")
    result = run_apart(
        pytester,
        settings="""
            SECRET_KEY = "only for tests"
            ROOT_URLCONF = "urls"
            ALLOWED_HOSTS = ["testserver"]
            DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
            INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
        """,
        urls="""
            import application
            from django.http import JsonResponse
            from django.urls import path

            def send(request):
                return JsonResponse({"status": application.send(DestinationIdentity=request.POST["phone"])})

            def check(request):
                valid = application.verify(request.POST["code"], DestinationIdentity=request.POST["phone"])
                return JsonResponse({"valid": valid}, status=200 if valid else 403)

            urlpatterns = [path("codes", send), path("checks", check)]
        """,
        test_web="""
            import pytest
            from django.contrib.auth.models import User
            from django.test import TestCase
            from helpers import DESTINATION
            import pytest_pinpoint_otp.transports.active as reach
            from pytest_pinpoint_otp import active_pinpoint_otp, mock_pinpoint_otp

            def sign_up(client, fake):
                assert client.post("/codes", {"phone": DESTINATION}).json() == {"status": "SUCCESSFUL"}
                wrong = {"phone": DESTINATION, "code": fake.wrong_code(DESTINATION)}
                assert client.post("/checks", wrong).status_code == 403
                right = {"phone": DESTINATION, "code": fake.code_for(DESTINATION)}
                assert client.post("/checks", right).json() == {"valid": True}

            def test_by_fixture(client, pinpoint_otp):
                sign_up(client, pinpoint_otp)

            @pytest.mark.django_db
            def test_beside_a_database(client, pinpoint_otp):
                User.objects.create_user("somebody")
                sign_up(client, pinpoint_otp)

            @pytest.mark.pinpoint_otp
            class ByMarker(TestCase):
                def test_sign_up(self):
                    User.objects.create_user("somebody")
                    sign_up(self.client, active_pinpoint_otp())

            @mock_pinpoint_otp()
            class ByDecorator(TestCase):
                def test_sign_up(self):
                    User.objects.create_user("somebody")
                    sign_up(self.client, active_pinpoint_otp())

            def test_nothing_is_left_over():
                assert reach.innermost is None
        """,
    )
    passes(result, passed=5)


CALLING_SETTINGS = """
    from application import send

    SECRET_KEY = "only for tests"
    SELF_TEST = send()
"""


def test_django_settings_that_call_aws_are_stopped_by_the_guard(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pytest_django")
    pytester.makeini("[pytest]\nDJANGO_SETTINGS_MODULE = settings\npinpoint_otp_guard = true")

    result = run_apart(pytester, settings=CALLING_SETTINGS, test_web="def test_nothing(): pass")

    assert result.ret == 1
    result.stderr.fnmatch_lines(["*UnfakedCallError: SendOTPMessage to * The call did not leave the process.*"])


def test_django_settings_that_call_aws_are_loaded_as_the_page_says(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pytest_django")
    page = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"```\w+\n# (\S+)\n(.*?)```", page, re.DOTALL))
    pytester.makepyprojecttoml(shown["pyproject.toml"])

    result = run_apart(
        pytester,
        settings=CALLING_SETTINGS,
        settings_for_tests=shown["settings_for_tests.py"],
        test_web="""
            def test_the_call_was_answered_by_another_fake(settings, pinpoint_otp):
                assert settings.SELF_TEST == "SUCCESSFUL"
                pinpoint_otp.assert_not_called()
        """,
    )

    passes(result, passed=1)
