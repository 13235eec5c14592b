"""The section "Pinpoint OTP traffic" under a failing test: when it is there, and what it tells."""

from __future__ import annotations

import re

import pytest
from suites import passes, run, run_apart

TITLE = "Pinpoint OTP traffic"
IMPORTS = """
import pytest
from application import client, send, verify
from helpers import DESTINATION, OTHER_DESTINATION, REFERENCE
"""
MOMENT = re.compile(r"\d\d:\d\d:\d\d\.\d{3}")


def sections(result: pytest.RunResult) -> list[list[str]]:
    """Return the lines of each traffic section, with every time as TIME and every day as DAY."""
    found: list[list[str]] = []
    current: list[str] | None = None
    for line in result.outlines:
        if TITLE in line:
            current = []
            found.append(current)
        elif line.startswith(("--", "==", "__")):
            current = None
        elif current is not None:
            current.append(re.sub(r"^\d{4}-\d\d-\d\d", "DAY", MOMENT.sub("TIME", line)))
    return found


def traffic_of(pytester: pytest.Pytester, *lines: str) -> list[str]:
    """Return the section under a test of these lines, which fails at its end."""
    test = "\n".join(["def test_it(pinpoint_otp):", *(f"    {line}" for line in lines), "    assert False"])
    result = run(pytester, test_traffic=f"{IMPORTS}\n{test}")
    passes(result, failed=1)
    (section,) = sections(result)
    assert all(len(line) <= 80 for line in section)
    return section


def test_a_failing_test_shows_what_was_sent_and_verified(pytester: pytest.Pytester) -> None:
    section = traffic_of(
        pytester,
        "pinpoint_otp.queue_codes('012345')",
        "send()",
        "verify('999999')",
        "verify('012345')",
        "verify('012345', ReferenceId='another')",
    )
    assert section == [
        "DAY (UTC)",
        "TIME SendOTPMessage   +15550100123 SUCCESSFUL (service)",
        "             reference sign-up, code 012345",
        "TIME VerifyOTPMessage +15550100123 INVALID (service): WRONG_CODE",
        "             reference sign-up, otp 999999, attempts left: 2",
        "TIME VerifyOTPMessage +15550100123 VALID (service)",
        "             reference sign-up, otp 012345, attempts left: 2",
        "TIME VerifyOTPMessage +15550100123 INVALID (service): NEVER_SENT",
        "             reference another, otp 012345, but the newest text has reference_id",
        "             'sign-up'",
    ]


def test_a_failing_test_shows_what_it_has_arranged_and_no_call_has_used(pytester: pytest.Pytester) -> None:
    section = traffic_of(pytester, "pinpoint_otp.inject('THROTTLED', destination='15550100123')", "send()")
    assert section[3:] == [
        "not used     inject('THROTTLED', operation='SendOTPMessage',",
        "             destination='15550100123'): used 0, 1 left",
    ]


def test_times_are_those_of_the_fakes_clock(pytester: pytest.Pytester) -> None:
    freezegun = pytest.importorskip("freezegun")
    with freezegun.freeze_time("2030-01-31 23:59:58.5"):
        result = run(
            pytester,
            test_traffic=f"""
{IMPORTS}
def test_it(pinpoint_otp):
    send()
    pinpoint_otp.advance(seconds=2)
    send(DestinationIdentity=OTHER_DESTINATION)
    assert False
""",
        )
    lines = result.outlines
    start = next(number for number, line in enumerate(lines) if TITLE in line)
    assert lines[start + 1] == "2030-01-31 (UTC)"
    assert lines[start + 2].startswith("23:59:58.500 SendOTPMessage +15550100123 ")
    assert lines[start + 4] == "2030-02-01 (UTC)"
    assert lines[start + 5].startswith("00:00:00.500 SendOTPMessage +15550100456 ")


def test_entries_are_in_the_order_in_which_they_began_at_the_time_of_their_first_attempt(
    pytester: pytest.Pytester,
) -> None:
    freezegun = pytest.importorskip("freezegun")
    with freezegun.freeze_time("2030-01-01 12:00:00"):
        result = run(
            pytester,
            test_traffic=f"""
{IMPORTS}
def issue(pinpoint_otp, reference):
    pinpoint_otp.issue(DESTINATION, application_id="a", reference_id=reference)

def fail_first(call, pinpoint_otp):
    if not call.attempts:
        return "InternalServerErrorException"
    pinpoint_otp.advance(minutes=1)
    issue(pinpoint_otp, "between")
    pinpoint_otp.advance(minutes=1)

def test_it(pinpoint_otp):
    issue(pinpoint_otp, "before")
    pinpoint_otp.advance(minutes=1)
    pinpoint_otp.inject(lambda call: fail_first(call, pinpoint_otp), per="attempt", times=2, optional=True)
    send(ReferenceId="called")
    pinpoint_otp.advance(minutes=1)
    send(ReferenceId="after")
    assert False
""",
        )
    lines = result.outlines
    start = next(number for number, line in enumerate(lines) if TITLE in line)
    entries = re.findall(r"^(\d\d:\d\d)\S* (\w+).*\n *reference (\w+)", "\n".join(lines[start:]), re.MULTILINE)
    assert entries == [
        ("12:00", "issue", "before"),
        ("12:01", "SendOTPMessage", "called"),
        ("12:02", "issue", "between"),
        ("12:04", "SendOTPMessage", "after"),
    ]


def test_failed_deliveries_and_errors_are_shown_with_their_reason(pytester: pytest.Pytester) -> None:
    section = traffic_of(
        pytester,
        "pinpoint_otp.inject('THROTTLED', 'ForbiddenException')",
        "send()",
        "with pytest.raises(client.exceptions.ForbiddenException):",
        "    send()",
        "with pytest.raises(client.exceptions.BadRequestException):",
        "    send(CodeLength=9)",
    )
    assert section == [
        "DAY (UTC)",
        "TIME SendOTPMessage +15550100123 THROTTLED (injection)",
        "             reference sign-up",
        "TIME SendOTPMessage +15550100123 ForbiddenException (injection):",
        "             Injected by pytest-pinpoint-otp.",
        "             reference sign-up",
        "TIME SendOTPMessage +15550100123 BadRequestException (service):",
        "             CodeLength is 9, but AWS accepts 5 to 8 digits.",
        "             reference sign-up",
    ]


def test_the_attempts_of_a_call_are_one_entry(pytester: pytest.Pytester) -> None:
    section = traffic_of(
        pytester,
        "from botocore.exceptions import ReadTimeoutError",
        "pinpoint_otp.queue_codes('012345')",
        "pinpoint_otp.inject('InternalServerErrorException', ReadTimeoutError, per='attempt')",
        "send()",
        "pinpoint_otp.inject('InternalServerErrorException')",
        "with pytest.raises(client.exceptions.InternalServerErrorException):",
        "    send()",
    )
    assert section[1:5] == [
        "TIME SendOTPMessage +15550100123 SUCCESSFUL (service)",
        "             reference sign-up, attempts: InternalServerErrorException",
        "             (injection), ReadTimeoutError (injection), SUCCESSFUL (service),",
        "             code 012345",
    ]
    # 5 attempts in botocore's legacy mode, 3 in its others.
    assert re.fullmatch(r"TIME SendOTPMessage InternalServerErrorException x[35] \(injection\):", section[5])
    assert section[-1] == "             to +15550100123, reference sign-up"


def test_arranged_messages_and_calls_that_botocore_stopped_are_shown(pytester: pytest.Pytester) -> None:
    section = traffic_of(
        pytester,
        "pinpoint_otp.issue(DESTINATION, application_id='app', reference_id='arranged', code='012345')",
        "from botocore.exceptions import ParamValidationError",
        "with pytest.raises(ParamValidationError):",
        "    send(Language=None)",
    )
    assert section[:5] == [
        "DAY (UTC)",
        "TIME issue +15550100123 arranged by the test",
        "             reference arranged, code 012345",
        "not sent     SendOTPMessage",
        "             stopped by botocore: Parameter validation failed: Invalid type for",
    ]
    assert "Language" in " ".join(section[5:])


def test_a_call_without_destination_and_reference_is_shown_without_them(pytester: pytest.Pytester) -> None:
    section = traffic_of(
        pytester,
        "import boto3",
        "from botocore.config import Config",
        "from helpers import LEFT_OUT, send as plain_send",
        "config = Config(parameter_validation=False)",
        "client = boto3.client('pinpoint', region_name='us-east-1', config=config)",
        "with pytest.raises(client.exceptions.BadRequestException):",
        "    plain_send(client, DestinationIdentity=LEFT_OUT, ReferenceId=LEFT_OUT)",
    )
    assert section[1].startswith("TIME SendOTPMessage - BadRequestException (service): DestinationIdentity")
    assert "reference" not in " ".join(section)


def test_no_line_is_wider_than_80_columns_whatever_the_application_sends(pytester: pytest.Pytester) -> None:
    section = traffic_of(
        pytester,
        "for parameters in (",
        "    {'ReferenceId': 'r' * 48}, {'ReferenceId': 'r' * 500}, {'ReferenceId': 'one\\ntwo\\tthree'},",
        "    {'BrandName': 'b ' * 100}, {'DestinationIdentity': '5' * 200}, {'DestinationIdentity': 'a\\nb'},",
        "):",
        "    try:",
        "        send(**parameters)",
        "    except client.exceptions.BadRequestException:",
        "        pass",
        "verify('9' * 300)",
    )
    assert len([line for line in section if line.startswith("TIME")]) == 7


def test_a_failing_set_up_and_a_failing_teardown_show_it_too(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_traffic=f"""
{IMPORTS}
@pytest.fixture
def broken(pinpoint_otp):
    send(ReferenceId="set up")
    raise RuntimeError

@pytest.fixture
def brittle(pinpoint_otp):
    yield
    send(ReferenceId="torn down")
    raise RuntimeError

def test_set_up(broken):
    pass

def test_teardown(brittle):
    send(ReferenceId="test")

def test_unused(pinpoint_otp):
    send(ReferenceId="used")
    pinpoint_otp.queue_codes("012345")
""",
    )
    passes(result, passed=2, errors=3)
    references = [re.findall(r"reference ([\w ]+),", "\n".join(section)) for section in sections(result)]
    assert references == [["set up"], ["test", "torn down"], ["used"]]
    # The error of the third says it itself.
    assert "not used" not in result.stdout.str()


def test_it_is_shown_for_a_test_that_fails_and_for_no_other(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "-rA",
        test_traffic=f"""
{IMPORTS}
def test_fails_without_traffic(pinpoint_otp):
    assert False

def test_fails_without_the_fake():
    assert False

def test_passes(pinpoint_otp):
    send()

def test_is_skipped(pinpoint_otp):
    send()
    pytest.skip()

@pytest.mark.xfail
def test_xfails(pinpoint_otp):
    send()
    assert False

@pytest.mark.pinpoint_otp
def test_fails_with_traffic():
    send()
    assert False
""",
    )
    passes(result, failed=3, passed=1, skipped=1, xfailed=1)
    # Once in the failure itself, and no more for -rA, which repeats what passes.
    assert len(sections(result)) == 1


def test_a_failing_subtest_shows_it(pytester: pytest.Pytester) -> None:
    if pytest.version_tuple < (9,):
        pytest.skip("pytest 9 has subtests")
    result = run(
        pytester,
        test_traffic=f"""
{IMPORTS}
def test_it(pinpoint_otp, subtests):
    with subtests.test("first"):
        send()
        assert False
""",
    )
    assert sections(result)


def test_a_failing_unittest_and_a_failing_doctest_show_it(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "--doctest-modules",
        "-o",
        "pinpoint_otp_autouse=true",
        test_traffic=f"""
{IMPORTS}
import unittest

class Case(unittest.TestCase):
    def test_case(self):
        send(ReferenceId="unittest")
        self.fail()

def sent():
    '''
    >>> send(ReferenceId="doctest")
    'THROTTLED'
    '''
""",
    )
    passes(result, failed=2)
    references = [re.findall(r"reference (\w+),", "\n".join(section)) for section in sections(result)]
    assert sorted(references) == [["doctest"], ["unittest"]]


@pytest.mark.parametrize("workers", [(), pytest.param(("-n1",), marks=pytest.mark.proof)], ids=["alone", "xdist"])
def test_no_text_of_the_test_breaks_the_terminal_or_the_channel_of_a_worker(
    pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    pytest.importorskip("xdist")
    result = run_apart(
        pytester,
        *workers,
        test_traffic=f"""
{IMPORTS}
from pytest_pinpoint_otp import ErrorResponse

def test_it(pinpoint_otp):
    pinpoint_otp.inject(ErrorResponse("ForbiddenException", "lone \\ud800, null \\0, red \\x1b[31m, bidi \\u202e."))
    with pytest.raises(client.exceptions.ForbiddenException):
        send(ReferenceId="ref")
    assert False
""",
    )
    passes(result, failed=1)
    shown = " ".join(sections(result)[0])
    assert r"lone \ud800, null \x00, red \x1b[31m, bidi \u202e." in " ".join(shown.split())


@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["alone", "xdist"])
def test_its_lines_are_as_wide_as_the_terminal(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    pytest.importorskip("xdist")
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    # It stands for a terminal, which a worker does not have.
    no_terminal = "import os\nif 'PYTEST_XDIST_WORKER' in os.environ:\n    del os.environ['COLUMNS']"
    test = "def test_it(pinpoint_otp):\n    try:\n        send(CodeLength=9)\n    finally:\n        assert False"
    result = run_apart(pytester, *workers, conftest=no_terminal, test_traffic=f"{IMPORTS}\n{test}")
    passes(result, failed=1)
    (section,) = sections(result)
    why = "BadRequestException (service): CodeLength is 9, but AWS accepts 5 to 8 digits."
    assert section[1] == f"TIME SendOTPMessage +15550100123 {why}"


@pytest.mark.parametrize(("columns", "width"), [("20", 80), ("0", 80), ("39", 80), ("40", 40), ("120", 120)])
def test_a_width_that_no_terminal_has_is_not_used(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, columns: str, width: int
) -> None:
    from pytest_pinpoint_otp.plugin.configuration import terminal_width

    monkeypatch.setenv("COLUMNS", columns)
    assert terminal_width(pytester.parseconfig()) == width


def test_it_comes_back_from_the_workers_of_xdist(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    result = run_apart(
        pytester, "-n2", test_traffic=f"{IMPORTS}\ndef test_it(pinpoint_otp):\n    send()\n    assert False"
    )
    passes(result, failed=1)
    (section,) = sections(result)
    assert section[1] == "TIME SendOTPMessage +15550100123 SUCCESSFUL (service)"
