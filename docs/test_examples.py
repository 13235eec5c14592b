"""The example applications pass their own suites, each in its own project."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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
