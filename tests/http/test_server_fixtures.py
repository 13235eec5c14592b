"""The fixture pinpoint_otp_server: one server for the session, a fresh fake for each test."""

from __future__ import annotations

import pytest
from suites import passes, run, run_apart

CONFTEST = """
    import os
    import subprocess
    import sys

    import pytest

    class Application:
        def __init__(self, environ):
            self.process = subprocess.Popen(
                [sys.executable, "program.py"], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )

        def send(self, phone):
            print(phone, file=self.process.stdin, flush=True)
            return self.process.stdout.readline().strip()

    @pytest.fixture(scope="session")
    def application(pinpoint_otp_server):
        application = Application({**os.environ, **pinpoint_otp_server.environ})
        with application.process:
            yield application
            application.process.stdin.close()
"""

PROGRAM = """
    import sys

    import boto3
    import helpers

    client = boto3.client("pinpoint")
    for line in sys.stdin:
        print(helpers.send_status(client, DestinationIdentity=line.strip()), flush=True)
"""

POSTING = """
    import json
    import urllib.error
    import urllib.request

    import helpers

    def post(server, **parameters):
        document = helpers.send_request(**parameters)["SendOTPMessageRequestParameters"]
        request = urllib.request.Request(f"{server.url}/v1/apps/a/otp", json.dumps(document).encode())
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code
"""


def test_an_application_starts_once_and_each_test_sees_its_own_calls(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    tests = """
        import pytest

        @pytest.mark.parametrize("phone", ["+15550100123", "+15550100456"])
        def test_sends(application, pinpoint_otp, phone):
            assert application.send(phone) == "SUCCESSFUL"
            assert [call.destination for call in pinpoint_otp.calls] == [phone]
            assert pinpoint_otp.code_for(phone)

        def test_fails(application, pinpoint_otp):
            pinpoint_otp.inject("OPT_OUT")
            assert application.send("+15550100123") == "OPT_OUT"

        @pytest.mark.pinpoint_otp(code_length=8)
        def test_a_marker_holds(application):
            from pytest_pinpoint_otp import active_pinpoint_otp

            application.send("+15550100123")
            assert len(active_pinpoint_otp().code_for()) == 8
    """
    passes(run_apart(pytester, program=PROGRAM, test_served=tests), passed=4)


def test_a_test_that_names_the_server_alone_has_a_fresh_fake(pytester: pytest.Pytester) -> None:
    tests = """
        import pytest
        from posting import post
        from pytest_pinpoint_otp import active_pinpoint_otp

        @pytest.mark.parametrize("number", range(2))
        def test_sends(pinpoint_otp_server, number):
            assert post(pinpoint_otp_server) == 200
            assert len(active_pinpoint_otp().messages) == 1

        @pytest.fixture
        def sender(pinpoint_otp_server):
            return lambda: post(pinpoint_otp_server)

        def test_a_fixture_needs_it(sender):
            assert sender() == 200
            assert active_pinpoint_otp().code_for()

        @pytest.fixture(scope="module")
        def wider(pinpoint_otp_server):
            return post(pinpoint_otp_server)

        def test_a_wider_fixture_comes_before_the_fake(wider):
            assert wider == 501
            assert active_pinpoint_otp().calls == []
    """
    passes(run(pytester, posting=POSTING, test_served=tests), passed=4)


def test_what_goes_wrong_in_the_server_is_told_at_the_tests_end(pytester: pytest.Pytester) -> None:
    tests = """
        import pytest
        from posting import post

        def test_fails_in_a_callable(pinpoint_otp_server, pinpoint_otp):
            pinpoint_otp.inject(lambda call: pytest.fail("not this call"))
            assert post(pinpoint_otp_server) == 501

        def test_raises_in_a_callable(pinpoint_otp_server, pinpoint_otp):
            pinpoint_otp.inject(lambda call: 1 / 0)
            assert post(pinpoint_otp_server) == 501

        def test_leaves_an_injection_unused(pinpoint_otp_server, pinpoint_otp):
            pinpoint_otp.inject("OPT_OUT", destination="+15550100456")
            assert post(pinpoint_otp_server) == 200
    """
    result = run(pytester, posting=POSTING, test_served=tests)
    passes(result, passed=3, errors=3)
    result.stdout.fnmatch_lines(["*Failed: not this call*"])
    result.stdout.fnmatch_lines(["*ZeroDivisionError*"])
    result.stdout.fnmatch_lines(["*OPT_OUT*"])


def test_the_address_is_overridden_by_its_fixture(pytester: pytest.Pytester) -> None:
    tests = """
        import socket

        import pytest

        @pytest.fixture(scope="session")
        def pinpoint_otp_server_address():
            with socket.socket() as found:
                found.bind(("127.0.0.1", 0))
                return found.getsockname()

        def test_the_address(pinpoint_otp_server, pinpoint_otp_server_address):
            assert (pinpoint_otp_server.host, pinpoint_otp_server.port) == pinpoint_otp_server_address
    """
    passes(run(pytester, test_served=tests), passed=1)


@pytest.mark.proof
def test_each_worker_of_xdist_has_a_server_of_its_own(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    tests = """
        import pytest
        from posting import post

        @pytest.mark.parametrize("number", range(8))
        def test_sends(pinpoint_otp_server, pinpoint_otp, number):
            assert post(pinpoint_otp_server) == 200
            assert len(pinpoint_otp.messages) == 1
    """
    passes(run_apart(pytester, "-n", "2", posting=POSTING, test_served=tests), passed=8)


def test_a_run_without_the_server_imports_nothing_of_it(pytester: pytest.Pytester) -> None:
    tests = """
        import sys

        def test_it(pinpoint_otp):
            assert not {"h11", "pytest_pinpoint_otp.server"} & {*sys.modules}
    """
    passes(run_apart(pytester, test_it=tests), passed=1)
