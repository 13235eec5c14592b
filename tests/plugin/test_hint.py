"""A failing test without a fake: where an OTP call made it fail, it says so, and what to do."""

from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError
from suites import passes, run

WITHOUT = "SendOTPMessage was called while no fake of pytest-pinpoint-otp was active."
HINT = f"{WITHOUT} Three ways out:"
BARE = """
    import boto3
    import botocore.session
    import helpers
    from botocore.config import Config

    session = boto3.Session(botocore_session=botocore.session.Session())
    config = Config(retries={"total_max_attempts": 1})
    client = session.client("pinpoint", region_name="us-east-1", endpoint_url="http://127.0.0.1:9", config=config)

    def send():
        return helpers.send_status(client)
"""


def give_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients find credentials, so that it is the network that they miss."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.mark.parametrize("credentials", [False, True], ids=["no credentials", "no network"])
@pytest.mark.parametrize("place", ["call", "setup", "wrapped", "beneath the method"])
def test_a_test_that_fails_by_a_real_call_shows_what_is_missing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, credentials: bool, place: str
) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "none")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
    if credentials:
        give_keys(monkeypatch)
    tests = {
        "call": "def test_it():\n    send()",
        "setup": "@pytest.fixture\ndef sent():\n    send()\n\ndef test_it(sent):\n    pass",
        "wrapped": "def test_it():\n    try:\n        send()\n    except Exception:\n        raise OSError",
        # As those do that instrument botocore.
        "beneath the method": "def test_it():\n    client._make_api_call('SendOTPMessage', send_request())",
    }
    imports = "import pytest\nfrom bare import client, send\nfrom helpers import send_request"
    result = run(pytester, bare=BARE, test_it=f"{imports}\n\n{tests[place]}")
    passes(result, **({"errors": 1} if place == "setup" else {"failed": 1}))
    result.stdout.fnmatch_lines(
        [HINT, "*fixture pinpoint_otp*@pytest.mark.pinpoint_otp*", "*mock_pinpoint_otp*", "*pinpoint_otp_autouse*"]
    )


@pytest.mark.parametrize("name", ["send", "_make_api_call"])
def test_methods_of_the_application_are_not_taken_for_botocores(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    give_keys(monkeypatch)
    tests = f"""
        from bare import client

        class Sender:
            def {name}(self, operation_name):
                return client.list_templates()

        def test_it():
            Sender().{name}("SendOTPMessage")
    """
    result = run(pytester, bare=BARE, test_it=tests)
    passes(result, failed=1)
    result.stdout.no_fnmatch_line(HINT)


def test_a_test_that_fails_by_the_guard_shows_it_too(pytester: pytest.Pytester) -> None:
    tests = "from application import send\ndef test_it():\n    send()"
    result = run(pytester, "-o", "pinpoint_otp_guard=true", test_it=tests)
    passes(result, failed=1)
    result.stdout.fnmatch_lines([HINT])


WIDER = """
    import pytest
    from bare import send

    @pytest.fixture(scope="module")
    def signed_up():
        send()
    {mark}
    def test_it({fixtures}):
        pass
"""


@pytest.mark.parametrize("guard", ["true", "false"])
@pytest.mark.parametrize(
    ("autouse", "mark", "fixtures"),
    [
        ("true", "", "signed_up"),
        ("false", "@pytest.mark.pinpoint_otp", "signed_up"),
        ("false", "", "signed_up, pinpoint_otp"),
    ],
)
def test_a_fixture_that_is_wider_than_the_fake_of_its_test_is_told_to_enter_one(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, autouse: str, mark: str, fixtures: str, guard: str
) -> None:
    give_keys(monkeypatch)
    options = ("-o", f"pinpoint_otp_autouse={autouse}", "-o", f"pinpoint_otp_guard={guard}")
    result = run(pytester, *options, bare=BARE, test_it=WIDER.format(mark=mark, fixtures=fixtures))
    passes(result, errors=1)
    result.stdout.fnmatch_lines(
        [
            f"{WITHOUT} The test has one, but only after setUpClass and the fixtures of a wider scope. Two ways out:",
            "- Enter mock_pinpoint_otp() there.",
            "- Give the fixture function scope, and the test's fake answers it.",
        ]
    )
    result.stdout.no_fnmatch_line("*pinpoint_otp_autouse*")


@pytest.mark.parametrize("autouse", ["true", "false"])
def test_a_test_that_a_marker_leaves_out_is_told_so(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, autouse: str
) -> None:
    give_keys(monkeypatch)
    tests = """
        import pytest
        from bare import send

        pytestmark = pytest.mark.pinpoint_otp(enabled=False)

        def test_it():
            send()
    """
    result = run(pytester, "-o", f"pinpoint_otp_autouse={autouse}", bare=BARE, test_it=tests)
    passes(result, failed=1)
    result.stdout.fnmatch_lines(
        [
            f"{WITHOUT} A marker of the test says enabled=False, so the call was a real one.",
            "Remove it, or mark the test itself with @pytest.mark.pinpoint_otp: the nearest marker wins.",
        ]
    )
    result.stdout.no_fnmatch_line("*pinpoint_otp_autouse*")


@pytest.mark.parametrize(
    "test",
    [
        "def test_it():\n    assert False",
        "def test_it(pinpoint_otp):\n    pinpoint_otp.inject('ForbiddenException')\n    send()",
        "def test_it():\n    with mock_pinpoint_otp() as it:\n        it.inject('ForbiddenException')\n        send()",
        "def test_it():\n    client.list_templates()",
    ],
    ids=["another error", "a fake", "a fake of its own", "another operation"],
)
def test_a_test_that_fails_for_another_reason_shows_no_hint(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, test: str
) -> None:
    def refuse(session: object, request: object) -> None:
        raise EndpointConnectionError(endpoint_url=request)

    imports = "from application import client, send\nfrom pytest_pinpoint_otp import mock_pinpoint_otp\n"
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", refuse)
    # A real call that is retried would really wait.
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    result = run(pytester, test_it=f"{imports}\n{test}")
    passes(result, failed=1)
    result.stdout.no_fnmatch_line(f"*{WITHOUT}*")
