"""What the end of a test with the fake has to answer for, and which tests get no second verdict."""

from __future__ import annotations

import pytest
from suites import passes, run

UNUSED = "*The test arranged something that no call used:"


def ending(pytester: pytest.Pytester, test: str, *arguments: str, **outcomes: int) -> pytest.RunResult:
    """Run one test, whose body has the fake as `pinpoint_otp`, the client as `client`, and `send` and `verify`."""
    header = """
import pytest
from application import client, send, verify
from helpers import DESTINATION
"""
    result = run(pytester, *arguments, test_ending=f"{header}\n{test}")
    passes(result, **outcomes)
    return result


def body(*lines: str, before: str = "") -> str:
    """Return a test of these lines."""
    return "\n".join([before, "def test_it(pinpoint_otp):", *(f"    {line}" for line in lines)])


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (["pinpoint_otp.inject('THROTTLED')"], "inject('THROTTLED', *): used 0, 1 left"),
        (["pinpoint_otp.inject('THROTTLED', times=2)", "send()"], "inject('THROTTLED', *times=2): used 1, 1 left"),
        (["pinpoint_otp.inject('THROTTLED', after=1)", "send()"], "inject('THROTTLED', *after=1): used 0, 1 left"),
        (["pinpoint_otp.inject(lambda call: None)", "send()"], "inject(*: used 0, 1 left"),
        (["pinpoint_otp.queue_codes('012345')"], "queue_codes('012345')"),
        (["pinpoint_otp.queue_codes('012345', '543210')", "send()"], "queue_codes('543210')"),
    ],
    ids=["injection", "injection used in part", "after", "callable that declines", "queued code", "queue used in part"],
)
def test_a_test_that_passed_ends_in_an_error_where_it_has_arranged_in_vain(
    pytester: pytest.Pytester, lines: list[str], shown: str
) -> None:
    result = ending(pytester, body(*lines), passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_it*", UNUSED, f"*{shown}", "*assert_all_used=False."])
    # Nor the code that found it.
    for line in ("*Traceback*", "> *", "*.py:*: Failed"):
        result.stdout.no_fnmatch_line(line)


def test_all_that_is_unused_is_listed(pytester: pytest.Pytester) -> None:
    lines = ["pinpoint_otp.inject('THROTTLED')", "pinpoint_otp.queue_codes('012345')"]
    lines.append("pinpoint_otp.inject('ForbiddenException', operation='VerifyOTPMessage')")
    result = ending(pytester, body(*lines), passed=1, errors=1)
    result.stdout.fnmatch_lines([UNUSED, "*inject('THROTTLED'*", "*inject('ForbiddenException'*", "*queue_codes(*"])


@pytest.mark.parametrize(
    "lines",
    [
        ["pinpoint_otp.inject('THROTTLED')", "send()"],
        ["pinpoint_otp.queue_codes('012345')", "send()"],
        ["pinpoint_otp.inject('THROTTLED', optional=True)"],
        ["pinpoint_otp.inject('THROTTLED').cancel()"],
        ["pinpoint_otp.inject('THROTTLED', times=None)"],
        ["with pinpoint_otp.inject('THROTTLED', times=2):", "    send()"],
        ["pinpoint_otp.inject('THROTTLED')", "pinpoint_otp.queue_codes('012345')", "pinpoint_otp.reset()"],
        ["pinpoint_otp.opt_out(DESTINATION)"],
    ],
    ids=["used", "queue used", "optional", "cancelled", "standing", "left as a context manager", "reset", "opt-out"],
)
def test_a_test_passes_where_nothing_was_arranged_in_vain(pytester: pytest.Pytester, lines: list[str]) -> None:
    ending(pytester, body(*lines), passed=1)


def test_a_marker_says_that_not_all_is_to_be_used(pytester: pytest.Pytester) -> None:
    marker = "@pytest.mark.pinpoint_otp(assert_all_used=False)"
    lines = ["pinpoint_otp.inject('THROTTLED')", "pinpoint_otp.queue_codes('012345')"]
    ending(pytester, body(*lines, before=marker), passed=1)


def test_the_configuration_says_that_not_all_is_to_be_used(pytester: pytest.Pytester) -> None:
    ending(pytester, body("pinpoint_otp.queue_codes('012345')"), "-o", "pinpoint_otp_assert_all_used=0", passed=1)


MISTAKES = {
    "something unused": ["pinpoint_otp.inject('THROTTLED')"],
    "a swallowed mistake": [
        "pinpoint_otp.queue_codes('01234567')",
        "try:",
        "    send()",
        "except Exception:",
        "    pass",
    ],
}
every_mistake = pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)


@every_mistake
def test_a_test_that_failed_gets_no_second_verdict(pytester: pytest.Pytester, mistake: list[str]) -> None:
    ending(pytester, body(*mistake, "assert False"), failed=1)


@every_mistake
def test_a_test_that_was_skipped_gets_no_second_verdict(pytester: pytest.Pytester, mistake: list[str]) -> None:
    ending(pytester, body(*mistake, "pytest.skip('not today')"), skipped=1)


@every_mistake
@pytest.mark.parametrize(
    ("before", "last"),
    [("@pytest.mark.xfail(strict=True)", "assert False"), ("", "pytest.xfail('known')")],
    ids=["marked", "imperative"],
)
def test_a_test_that_xfailed_gets_no_second_verdict(
    pytester: pytest.Pytester, mistake: list[str], before: str, last: str
) -> None:
    ending(pytester, body(*mistake, last, before=before), xfailed=1)


@every_mistake
def test_a_test_that_failed_by_passing_gets_no_second_verdict(pytester: pytest.Pytester, mistake: list[str]) -> None:
    ending(pytester, body(*mistake, before="@pytest.mark.xfail(strict=True)"), failed=1)


@every_mistake
def test_a_test_whose_set_up_failed_gets_no_second_verdict(pytester: pytest.Pytester, mistake: list[str]) -> None:
    lines = "\n".join(f"    {line}" for line in mistake)
    fixture = f"@pytest.fixture\ndef arranged(pinpoint_otp):\n{lines}\n    raise RuntimeError\n"
    ending(pytester, f"{fixture}\ndef test_it(arranged): pass", errors=1).stdout.no_fnmatch_line(UNUSED)


@every_mistake
@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest 9 has subtests")
def test_a_test_with_a_failed_subtest_gets_no_second_verdict(pytester: pytest.Pytester, mistake: list[str]) -> None:
    subtests = ["with subtests.test('first'):", "    assert False", "with subtests.test('second'):", "    pass"]
    test = body(*mistake, *subtests).replace("(pinpoint_otp)", "(pinpoint_otp, subtests)")
    result = run(pytester, test_ending=f"from application import send\n{test}")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes().get("errors", 0) == 0
    result.stdout.fnmatch_lines(["*contains 1 failed subtest*"])


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest 9 has subtests")
def test_a_test_whose_subtests_passed_or_were_skipped_is_checked(pytester: pytest.Pytester) -> None:
    subtests = ["with subtests.test('first'):", "    pytest.skip()", "with subtests.test('second'):", "    pass"]
    test = body("pinpoint_otp.queue_codes('012345')", *subtests).replace("(pinpoint_otp)", "(pinpoint_otp, subtests)")
    result = run(pytester, test_ending=f"import pytest\n{test}")
    assert result.parseoutcomes()["errors"] == 1
    result.stdout.fnmatch_lines([UNUSED])


def test_what_a_fixture_arranges_is_checked_too(pytester: pytest.Pytester) -> None:
    fixture = "@pytest.fixture\ndef arranged(pinpoint_otp):\n    pinpoint_otp.queue_codes('012345')\n"
    ending(pytester, f"{fixture}\ndef test_it(arranged): pass", passed=1, errors=1).stdout.fnmatch_lines([UNUSED])


def test_a_fixtures_teardown_may_still_use_what_was_arranged(pytester: pytest.Pytester) -> None:
    fixture = (
        "@pytest.fixture\ndef late(pinpoint_otp):\n    pinpoint_otp.queue_codes('012345')\n    yield\n    send()\n"
    )
    ending(pytester, f"{fixture}\ndef test_it(late): pass", passed=1)


def test_a_test_is_checked_however_it_came_to_its_fake(pytester: pytest.Pytester) -> None:
    test = """
from pytest_pinpoint_otp import active_pinpoint_otp

@pytest.mark.pinpoint_otp
def test_marked():
    active_pinpoint_otp().queue_codes('012345')

def test_activated_by_configuration():
    active_pinpoint_otp().queue_codes('012345')
"""
    ending(pytester, test, "-o", "pinpoint_otp_autouse=true", passed=2, errors=2)


def test_an_error_at_one_tests_end_leaves_the_next_alone(pytester: pytest.Pytester) -> None:
    test = body("pinpoint_otp.queue_codes('012345')") + "\n\ndef test_next(pinpoint_otp):\n    send()\n"
    ending(pytester, test, passed=2, errors=1)


SWALLOWED = """
def application():
    try:
        return send()
    except Exception:
        return None
"""


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (
            ["pinpoint_otp.queue_codes('01234567')", "assert application() is None"],
            "ValueError: The queued code '01234567' has 8 digits, but this SendOTPMessage to*",
        ),
        (
            ["pinpoint_otp.inject(lambda call: 1 / 0)", "assert application() is None"],
            "ZeroDivisionError: division by zero",
        ),
        (
            ["pinpoint_otp.inject(lambda call: 'THROTTELD')", "assert application() is None"],
            "ValueError: *'THROTTELD'*Did you mean 'THROTTLED'*",
        ),
        (
            ["pinpoint_otp.inject(lambda call: 7)", "assert application() is None"],
            "TypeError: *7*",
        ),
    ],
    ids=["queued code of the wrong length", "callable that raises", "misspelt outcome", "outcome of a wrong type"],
)
def test_a_mistake_that_the_application_swallows_is_shown_at_the_end(
    pytester: pytest.Pytester, lines: list[str], shown: str
) -> None:
    result = ending(pytester, SWALLOWED + body(*lines), passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_it*", f"E  *{shown}"])
    result.stdout.no_fnmatch_line(UNUSED)


MATCHER = """
class Matcher:
    def __eq__(self, other):
        raise LookupError(f"no idea about {other}")
"""


@pytest.mark.parametrize("filtered", ["destination", "reference_id", "application_id"])
@pytest.mark.parametrize("times", ["1", "None"])
def test_a_filters_matcher_that_raises_is_told_in_the_application_and_again_at_the_end(
    pytester: pytest.Pytester, filtered: str, times: str
) -> None:
    lines = [f"pinpoint_otp.inject('THROTTLED', {filtered}=Matcher(), times={times})", "assert application() is None"]
    result = ending(pytester, MATCHER + SWALLOWED + body(*lines), passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_it*", "E *LookupError: no idea about *"])
    result.stdout.fnmatch_lines(["E *It came up while the fake answered SendOTPMessage to +15550100123."])


def test_a_mistake_is_shown_at_the_end_even_where_not_all_is_to_be_used(pytester: pytest.Pytester) -> None:
    marker = "@pytest.mark.pinpoint_otp(assert_all_used=False)"
    test = SWALLOWED + body("pinpoint_otp.queue_codes('01234567')", "application()", before=marker)
    ending(pytester, test, passed=1, errors=1)


def test_a_mistake_that_reset_has_forgotten_is_not_shown(pytester: pytest.Pytester) -> None:
    lines = ["pinpoint_otp.queue_codes('01234567')", "application()", "pinpoint_otp.reset()"]
    ending(pytester, SWALLOWED + body(*lines), passed=1)


def test_a_mistake_that_the_application_lets_through_fails_the_test_once(pytester: pytest.Pytester) -> None:
    result = ending(pytester, body("pinpoint_otp.queue_codes('01234567')", "send()"), failed=1)
    result.stdout.fnmatch_lines(["E  *ValueError: The queued code '01234567' has 8 digits*"])
