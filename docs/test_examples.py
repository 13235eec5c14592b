"""The example applications pass their own suites, each in its own project."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

# Each is a process of its own, and README's first command runs `sign_up` as a user would.
pytestmark = pytest.mark.proof

TRANSIENT = ["--pinpoint-otp-chaos=1", "--pinpoint-otp-chaos-kinds=transient"]
EXAMPLES = sorted(path.parent for path in Path(__file__).parent.glob("examples/*/pyproject.toml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_application_passes_its_suite(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, example: Path
) -> None:
    shutil.copytree(example, pytester.path, dirs_exist_ok=True)
    # It has the mode of the example's folder now, and the checkout may be one that nobody can write to.
    pytester.path.chmod(0o700)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    result = pytester.runpytest_subprocess("-p", "pinpoint_otp")

    assert result.ret == pytest.ExitCode.OK


@pytest.mark.parametrize(
    ("example", "chaos", "failed"),
    [
        ("sign_up", ["--pinpoint-otp-chaos=0.3"], 7),
        ("sign_up", TRANSIENT, 0),
        ("two_factor", TRANSIENT, 7),
    ],
    ids=["at a rate of 0.3", "with retries", "without retries"],
)
def test_chaos_fails_as_many_tests_of_an_example_as_the_page_says(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, example: str, chaos: list[str], failed: int
) -> None:
    shutil.copytree(Path(__file__).parent / "examples" / example, pytester.path, dirs_exist_ok=True)
    pytester.path.chmod(0o700)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    result = pytester.runpytest_subprocess("-p", "pinpoint_otp", *chaos)

    assert result.parseoutcomes().get("failed", 0) == failed
