"""pytest's configuration: every option in every file, what wins, autouse, and mistakes in it."""

from __future__ import annotations

import pytest
from suites import passes, run, run_apart, write

import pytest_pinpoint_otp.transports.active as reach
from pytest_pinpoint_otp.engine.options import OPTION_NAMES

needs_native_toml = pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest 9 reads [tool.pytest]")

TESTS_OF_EVERY_OPTION = """
    import datetime
    import pytest
    from application import client, send
    from helpers import DESTINATION, LEFT_OUT

    def test_it(pinpoint_otp):
        assert send(ApplicationId="known one", BrandName="longer than twenty characters") == "SUCCESSFUL"
        message = pinpoint_otp.assert_sent(DESTINATION)
        assert (message.code_length, message.allowed_attempts) == (8, 2)
        assert message.expires_at - message.sent_at == datetime.timedelta(minutes=5)
        assert send(ApplicationId="two") == "SUCCESSFUL"
        with pytest.raises(client.exceptions.NotFoundException):
            send(ApplicationId="one")
        pinpoint_otp.queue_codes("01234567")

    def test_autouse():
        assert send(ApplicationId="two") == "SUCCESSFUL"
"""

INI = """
pinpoint_otp_autouse = true
pinpoint_otp_seed = 42
pinpoint_otp_applications = "known one" two
pinpoint_otp_code_length = 8
pinpoint_otp_validity_period = 5
pinpoint_otp_allowed_attempts = 2
pinpoint_otp_enforce_limits = false
pinpoint_otp_retry_backoff = false
pinpoint_otp_assert_all_used = no
"""
STRINGS_IN_TOML = """
pinpoint_otp_autouse = "true"
pinpoint_otp_seed = "42"
pinpoint_otp_applications = ["known one", "two"]
pinpoint_otp_code_length = "8"
pinpoint_otp_validity_period = "5"
pinpoint_otp_allowed_attempts = "2"
pinpoint_otp_enforce_limits = "false"
pinpoint_otp_retry_backoff = "false"
pinpoint_otp_assert_all_used = "false"
"""
TYPED_TOML = """
pinpoint_otp_autouse = true
pinpoint_otp_seed = "42"
pinpoint_otp_applications = ["known one", "two"]
pinpoint_otp_code_length = 8
pinpoint_otp_validity_period = 5
pinpoint_otp_allowed_attempts = 2
pinpoint_otp_enforce_limits = false
pinpoint_otp_retry_backoff = false
pinpoint_otp_assert_all_used = false
"""


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", f"[pytest]{INI}"),
        ("tox.ini", f"[pytest]{INI}"),
        ("pyproject.toml", f"[tool.pytest.ini_options]{STRINGS_IN_TOML}"),
        ("pyproject.toml", f"[tool.pytest.ini_options]{TYPED_TOML}"),
        pytest.param("pyproject.toml", f"[tool.pytest]\nstrict = true{TYPED_TOML}", marks=needs_native_toml),
        pytest.param("pytest.toml", f"[pytest]\nstrict = true{TYPED_TOML}", marks=needs_native_toml),
    ],
    ids=["pytest.ini", "tox.ini", "ini_options, strings", "ini_options, typed", "native", "pytest.toml"],
)
def test_every_option_may_stand_in(pytester: pytest.Pytester, file: str, text: str) -> None:
    (pytester.path / file).write_text(text, encoding="utf-8")
    result = run(pytester, "--strict-config", test_configured=TESTS_OF_EVERY_OPTION)
    passes(result, passed=2)
    result.stdout.fnmatch_lines([f"configfile: {file}"])


def test_every_option_has_a_place_in_the_configuration_and_in_the_help(pytester: pytest.Pytester) -> None:
    help_text = run(pytester, "--help").stdout.str()
    for name in ("autouse", *OPTION_NAMES):
        _, _, text = help_text.partition(f"pinpoint_otp_{name} (")
        assert len(text.splitlines()[1].strip()) > 20, f"{name} has no help"


def test_the_command_line_wins_over_the_file(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\npinpoint_otp_code_length = 8")
    tests = """
        from application import send

        def test_it(pinpoint_otp):
            send()
            assert pinpoint_otp.messages[0].code_length == 5
    """
    passes(run(pytester, "-o", "pinpoint_otp_code_length=5", test_configured=tests), passed=1)


def test_unset_options_keep_their_defaults(pytester: pytest.Pytester) -> None:
    tests = """
        import pytest
        from application import client, send
        import pytest_pinpoint_otp.transports.active as reach

        def test_it(pinpoint_otp):
            assert send(ApplicationId="any") == "SUCCESSFUL"
            (message,) = pinpoint_otp.messages
            assert (message.code_length, message.validity_period, message.allowed_attempts) == (6, 15, 3)
            with pytest.raises(client.exceptions.BadRequestException):
                send(BrandName="longer than twenty characters")

        def test_no_autouse():
            assert reach.innermost is None

        def test_all_is_to_be_used(pinpoint_otp):
            pinpoint_otp.queue_codes("012345")
    """
    passes(run(pytester, test_configured=tests), passed=3, errors=1)


def test_an_empty_list_of_applications_differs_from_an_unset_one(pytester: pytest.Pytester) -> None:
    tests = """
        import pytest
        from application import client, send

        def test_it(pinpoint_otp):
            with pytest.raises(client.exceptions.NotFoundException, match="known applications: none"):
                send()
    """
    passes(run(pytester, "-o", "pinpoint_otp_applications=", test_configured=tests), passed=1)


def test_false_and_zero_are_values(pytester: pytest.Pytester) -> None:
    tests = """
        from application import send

        def test_it(pinpoint_otp):
            assert send(BrandName="longer than twenty characters") == "SUCCESSFUL"
    """
    passes(run(pytester, "-o", "pinpoint_otp_enforce_limits=0", test_configured=tests), passed=1)
    refused = run(pytester, "-o", "pinpoint_otp_enforce_limits=0", "-o", "pinpoint_otp_allowed_attempts=0")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["*pinpoint_otp_allowed_attempts*AllowedAttempts is 0, which cannot be simulated*"])


def test_configured_limits_are_those_that_configured_values_are_held_against(pytester: pytest.Pytester) -> None:
    tests = """
        from application import send

        def test_it(pinpoint_otp):
            send()
            assert pinpoint_otp.messages[0].code_length == 10
    """
    options = ("-o", "pinpoint_otp_code_length=10", "-o", "pinpoint_otp_enforce_limits=false")
    passes(run(pytester, *options, test_configured=tests), passed=1)


MISTAKES = [
    ("code_length=abc", "'abc'"),
    ("code_length=6.5", "'6.5'"),
    ("code_length=", "''"),
    ("code_length=9", "CodeLength is 9, but AWS accepts 5 to 8 digits."),
    ("validity_period=61", "ValidityPeriod is 61, but AWS accepts 5 to 60 minutes."),
    ("allowed_attempts=0", "AllowedAttempts is 0, but AWS accepts 1 to 5 attempts."),
    ("enforce_limits=perhaps", "'perhaps'"),
    ("assert_all_used=2", "'2'"),
    ("retry_backoff=maybe", "'maybe'"),
    ("autouse=si", "'si'"),
    ('applications="open', "quotation"),
]


def assert_usage_error(result: pytest.RunResult, name: str, shown: str) -> None:
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in result.errlines if line.startswith("ERROR: ")]
    assert f"pinpoint_otp_{name}" in line
    assert shown in line
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


@pytest.mark.parametrize(("setting", "shown"), MISTAKES, ids=[setting for setting, _ in MISTAKES])
def test_a_wrong_value_is_a_usage_error_that_names_option_and_value(
    pytester: pytest.Pytester, setting: str, shown: str
) -> None:
    result = run(pytester, "-o", f"pinpoint_otp_{setting}", test_configured="def test_it(): pass")
    assert_usage_error(result, setting.partition("=")[0], shown)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("autouze", "pinpoint_otp_autouse"),
        ("applicationz", "pinpoint_otp_applications"),
        ("guardian", "pinpoint_otp_guard"),
    ],
)
def test_an_unknown_option_is_a_usage_error_that_names_the_nearest(
    pytester: pytest.Pytester, name: str, meant: str
) -> None:
    pytester.makeini(f"[pytest]\npinpoint_otp_{name} = true")
    result = run(pytester, test_configured="def test_it(): pass")
    assert_usage_error(result, name, f"Did you mean {meant!r}?")


def test_an_option_of_somebody_else_may_begin_alike(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\npinpoint_otp_bucket = x")
    pytester.makeconftest("def pytest_addoption(parser): parser.addini('pinpoint_otp_bucket', 'a bucket')")
    run(pytester, test_configured="def test_it(): pass").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("setting", "advice"),
    [
        ("guard=maybe", "Give true or false."),
        ("retry_backoff=maybe", "Give true or false."),
        ("code_length=ten", "Give a whole number."),
    ],
)
def test_a_usage_error_says_what_to_give_instead(pytester: pytest.Pytester, setting: str, advice: str) -> None:
    result = run(pytester, "-o", f"pinpoint_otp_{setting}", test_configured="def test_it(): pass")
    result.stderr.fnmatch_lines([f"*pinpoint_otp_{setting.replace('=', ': *')}'. {advice}"])


@needs_native_toml
@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ('code_length = "6"', "'6'"),
        ("code_length = 6.0", "6.0"),
        ("code_length = true", "True"),
        ("seed = 42", "42"),
        ('applications = "one"', "'one'"),
        ("applications = [1]", "1"),
        ('enforce_limits = "false"', "'false'"),
        ("autouse = 1", "1"),
        ("code_length = 9", "CodeLength is 9"),
    ],
)
def test_a_wrong_type_in_native_toml_is_a_usage_error(pytester: pytest.Pytester, setting: str, shown: str) -> None:
    (pytester.path / "pytest.toml").write_text(f"[pytest]\npinpoint_otp_{setting}\n", encoding="utf-8")
    assert_usage_error(run(pytester, test_configured="def test_it(): pass"), setting.partition(" ")[0], shown)


def test_a_usage_error_ends_a_process_of_its_own_with_status_4(pytester: pytest.Pytester) -> None:
    result = run_apart(pytester, "-o", "pinpoint_otp_code_length=9", test_configured="def test_it(): pass")
    assert result.ret == 4
    assert_usage_error(result, "code_length", "9")


def test_a_misspelt_option_is_refused_under_strict_config(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\npinpoint_otp_code_lenght = 5")
    result = run(pytester, "--strict-config", test_configured="def test_it(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*pinpoint_otp_code_lenght*"])


def test_autouse_takes_in_functions_methods_doctests_and_unittests(pytester: pytest.Pytester) -> None:
    write(
        pytester,
        test_configured="""
            import unittest
            from application import send
            from pytest_pinpoint_otp import active_pinpoint_otp

            def sent():
                '''
                >>> sent()
                1
                '''
                send()
                return len(active_pinpoint_otp().messages)

            def test_function():
                assert sent() == 1

            class TestMethods:
                def test_method(self):
                    assert sent() == 1

            class Case(unittest.TestCase):
                def setUp(self):
                    send()

                def test_case(self):
                    self.assertEqual(sent(), 2)

                def tearDown(self):
                    self.assertEqual(sent(), 3)

            class AsyncCase(unittest.IsolatedAsyncioTestCase):
                async def asyncSetUp(self):
                    send()

                async def test_case(self):
                    self.assertEqual(sent(), 2)
        """,
    )
    pytester.maketxtfile(test_text=">>> from test_configured import sent\n>>> sent()\n1\n>>> sent()\n2\n")
    result = run(pytester, "--doctest-modules", "-o", "pinpoint_otp_autouse=true")
    passes(result, passed=6)


def test_a_marked_unittest_class_has_the_fake_and_others_have_not(pytester: pytest.Pytester) -> None:
    tests = """
        import unittest
        import pytest
        from application import send
        import pytest_pinpoint_otp.transports.active as reach
        from pytest_pinpoint_otp import active_pinpoint_otp

        @pytest.mark.pinpoint_otp(code_length=8)
        class Marked(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                assert reach.innermost is None

            def setUp(self):
                send()

            def test_case(self):
                self.assertEqual(len(active_pinpoint_otp().code_for()), 8)

            @pytest.mark.pinpoint_otp(code_length=5)
            def test_narrower(self):
                self.assertEqual(len(active_pinpoint_otp().code_for()), 5)

            def test_unused(self):
                active_pinpoint_otp().queue_codes("01234567")

            @unittest.expectedFailure
            def test_expected_failure(self):
                active_pinpoint_otp().queue_codes("01234567")
                self.fail()

            @unittest.skip("not today")
            def test_skipped(self):
                self.fail()

            def test_skips_itself(self):
                active_pinpoint_otp().queue_codes("01234567")
                self.skipTest("not today")

        class Unmarked(unittest.TestCase):
            def test_case(self):
                self.assertIsNone(reach.innermost)
    """
    passes(run(pytester, test_configured=tests), passed=4, errors=1, xfailed=1, skipped=2)


@pytest.mark.parametrize("importer", ["test_configured", "conftest"])
def test_with_autouse_no_client_asks_the_metadata_service_whoever_imports_the_application(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, importer: str
) -> None:
    from botocore.utils import IMDSFetcher

    before = IMDSFetcher._assert_enabled
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(
        bare_application="""
        import boto3
        import botocore.httpsession
        import botocore.session
        import pytest_pinpoint_otp.transports.active as reach

        def refuse(session, request):
            raise AssertionError(f"{request.url} was asked")

        # As in a bare CI job: no credentials anywhere, and a client at import time.
        original, botocore.httpsession.URLLib3Session.send = botocore.httpsession.URLLib3Session.send, refuse
        try:
            assert reach.innermost is None
            session = boto3.Session(botocore_session=botocore.session.Session())
            client = session.client("pinpoint", region_name="us-east-1")
        finally:
            botocore.httpsession.URLLib3Session.send = original
        """
    )
    pytester.makepyfile(
        test_configured="""
        import helpers
        from bare_application import client

        def test_it():
            assert helpers.send_status(client) == "SUCCESSFUL"
        """,
    )
    if importer == "conftest":
        pytester.makeconftest("import bare_application")
    passes(run(pytester, "-o", "pinpoint_otp_autouse=true"), passed=1)
    assert IMDSFetcher._assert_enabled is before


def test_with_autouse_no_container_is_asked_for_credentials(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.credentials import ContainerProvider

    before = ContainerProvider.load
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    # Nobody listens there: botocore would raise CredentialRetrievalError, after retries.
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/credentials")
    result = run(
        pytester,
        "-o",
        "pinpoint_otp_autouse=true",
        test_configured="""
            import boto3
            import botocore.session
            import helpers

            session = boto3.Session(botocore_session=botocore.session.Session())
            client = session.client("pinpoint", region_name="us-east-1")

            def test_it():
                assert helpers.send_status(client) == "SUCCESSFUL"
        """,
    )
    passes(result, passed=1)
    assert ContainerProvider.load is before


def test_without_autouse_the_look_up_is_botocores_own(pytester: pytest.Pytester) -> None:
    from botocore.utils import IMDSFetcher

    tests = """
        from botocore.utils import IMDSFetcher

        original = IMDSFetcher._assert_enabled
        assert original.__module__ == "botocore.utils" and not hasattr(original, "__wrapped__")

        def test_with(pinpoint_otp):
            assert IMDSFetcher._assert_enabled is not original

        def test_without():
            assert IMDSFetcher._assert_enabled is original
    """
    assert not hasattr(IMDSFetcher._assert_enabled, "__wrapped__")
    passes(run(pytester, test_configured=tests), passed=2)
    assert reach.innermost is None
