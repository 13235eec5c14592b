"""What the plugin costs a run that does not use it: no import, no change, no trace when it is switched off."""

from __future__ import annotations

import pytest
from suites import passes, run, run_apart

LIGHT = {"pytest_pinpoint_otp", "pytest_pinpoint_otp.plugin", "pytest_pinpoint_otp.plugin.configuration"}

LOADED = """
    import sys

    def pytest_unconfigure():
        names = {name for name in sys.modules if name.partition(".")[0] in %r}
        print("loaded:", *sorted(names))
"""


def loaded(pytester: pytest.Pytester, tests: str, *arguments: str) -> set[str]:
    """Run tests in a process of their own and return which modules of interest it has loaded at its end."""
    conftest = LOADED % (("pytest_pinpoint_otp", "botocore", "boto3", "hypothesis", "aiobotocore", "moto"),)
    pytester.makeconftest(conftest)
    pytester.makepyfile(tests)
    result = run_apart(pytester, "-s", *arguments)
    passes(result, passed=1)
    (line,) = [line for line in result.outlines if line.startswith("loaded:")]
    return set(line.split()[1:])


@pytest.mark.parametrize(
    "arguments",
    [(), ("-W", "error"), ("--strict-markers", "--strict-config")],
    ids=["plain", "-W error", "strict"],
)
def test_a_run_that_does_not_use_the_fake_imports_the_plugin_alone(
    pytester: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    assert loaded(pytester, "def test_it(): pass", *arguments) == LIGHT


def test_a_failing_run_that_does_not_use_the_fake_imports_no_more(pytester: pytest.Pytester) -> None:
    tests = "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_fails(): assert False\ndef test_it(): pass"
    pytester.makeconftest(LOADED % (("pytest_pinpoint_otp", "botocore", "boto3", "hypothesis"),))
    pytester.makepyfile(tests)
    result = run_apart(pytester, "-s")
    passes(result, passed=1, xfailed=1)
    result.stdout.fnmatch_lines([" ".join(["loaded:", *sorted(LIGHT)])])


def test_configured_options_are_checked_without_botocore(pytester: pytest.Pytester) -> None:
    names = loaded(pytester, "def test_it(): pass", "-o", "pinpoint_otp_code_length=8")
    assert not {name for name in names if not name.startswith("pytest_pinpoint_otp")}
    assert names.isdisjoint(
        {f"pytest_pinpoint_otp.{heavy}" for heavy in ("fake", "engine.service", "engine.codes", "transports")}
    )


def test_the_first_use_of_the_fake_imports_botocore_and_no_hypothesis(pytester: pytest.Pytester) -> None:
    names = loaded(pytester, "def test_it(pinpoint_otp): pass")
    assert "botocore" in names
    assert "hypothesis" not in names
    assert "boto3" not in names


def test_switched_off_the_plugin_is_neither_imported_nor_known(pytester: pytest.Pytester) -> None:
    assert loaded(pytester, "def test_it(): pass", "-p", "no:pinpoint_otp") == set()
    pytester.makepyfile(
        "import pytest\n@pytest.mark.pinpoint_otp\ndef test_it(): pass\ndef test_named(pinpoint_otp): pass"
    )
    off = ("-p", "no:pinpoint_otp")
    result = run_apart(pytester, *off, "--strict-markers")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*'pinpoint_otp' not found in `markers` configuration option*"])
    named = run_apart(pytester, *off, "-k", "named")
    named.stdout.fnmatch_lines(["*fixture 'pinpoint_otp' not found*"])
    for listing in ("--markers", "--fixtures", "--help"):
        run_apart(pytester, *off, listing).stdout.no_fnmatch_line("*pinpoint_otp*")


def test_the_names_that_users_import_are_all_there(pytester: pytest.Pytester) -> None:
    import pytest_pinpoint_otp

    for name in pytest_pinpoint_otp.__all__:
        assert getattr(pytest_pinpoint_otp, name).__name__ == name
    assert set(pytest_pinpoint_otp.__all__) <= set(dir(pytest_pinpoint_otp))


def test_a_name_that_is_not_there_is_an_attribute_error_as_of_any_module() -> None:
    import pytest_pinpoint_otp

    with pytest.raises(AttributeError, match="module 'pytest_pinpoint_otp' has no attribute 'PinpointOtp'"):
        _ = pytest_pinpoint_otp.PinpointOtp


def test_importing_the_package_imports_none_of_its_modules(pytester: pytest.Pytester) -> None:
    result = pytester.runpython_c(
        "import sys, pytest_pinpoint_otp as package\n"
        "assert 'PinpointOTP' in dir(package)\n"
        "print(sorted(name for name in sys.modules if name.partition('.')[0] in ('pytest_pinpoint_otp', 'botocore')))\n"
    )
    assert result.ret == 0, result.stderr.str()
    assert result.outlines == ["['pytest_pinpoint_otp']"]


def test_the_list_of_fixtures_tells_what_they_are_for(pytester: pytest.Pytester) -> None:
    text = run(pytester, "--fixtures").stdout.str()
    _, _, ours = text.partition("fixtures defined from pytest_pinpoint_otp.plugin")
    assert "pinpoint_otp -- " in ours
    assert "pinpoint_otp_client -- " in ours
    assert "An OTP service in memory, which answers this test instead of AWS." in ours
    assert "A boto3 ``pinpoint`` client that reaches ``pinpoint_otp``" in ours
    assert "_pinpoint_otp_activation" not in ours
    verbose = run(pytester, "--fixtures", "-v").stdout.str()
    for word in ("code_for", "messages", "inject", "advance"):
        assert word in verbose


@pytest.mark.parametrize("apart", [False, True], ids=["in this process", "in a process of its own"])
def test_the_plugin_runs_where_warnings_are_errors_and_everything_is_strict(
    pytester: pytest.Pytester, apart: bool
) -> None:
    strict = "strict = true\n" if pytest.version_tuple >= (9,) else ""
    pytester.makeini(f"[pytest]\n{strict}filterwarnings = error\naddopts = --strict-markers --strict-config")
    result = (run_apart if apart else run)(
        pytester,
        test_strict="""
            import pytest
            from application import send, verify

            @pytest.mark.pinpoint_otp(code_length=8)
            def test_marked(pinpoint_otp):
                assert send() == "SUCCESSFUL"
                assert verify(pinpoint_otp.code_for())

            def test_client(pinpoint_otp_client):
                pass
        """,
    )
    passes(result, passed=2)
