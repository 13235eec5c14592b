"""The entry point for Hypothesis, as Hypothesis finds it: in the metadata of an installed distribution."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = """
from hypothesis import HealthCheck, given, settings, strategies as st

drawn = []

# The table of characters is made here for the first time.
@settings(max_examples=20, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=...)
def note(plan: FailurePlan):
    drawn.append(plan)

note()
assert {*map(type, drawn)} == {FailurePlan}, drawn
assert len({*drawn}) > 5
st.from_type(FailurePlan).validate()
"""
HYPOTHESIS_FIRST = "import hypothesis\nfrom pytest_pinpoint_otp import FailurePlan"
PLANS_FIRST = "from pytest_pinpoint_otp import FailurePlan\nimport hypothesis"


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str], None]:
    """Run code in a fresh interpreter, where this package is installed as its pyproject.toml says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    metadata = tmp_path / "installed_for_the_test-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: installed-for-the-test\nVersion: 1\n")
    points = [f"{name} = {target}" for name, target in project["entry-points"]["hypothesis"].items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[hypothesis]", *points]))

    def run(code: str) -> None:
        (tmp_path / "check.py").write_text(code)
        path = os.pathsep.join([str(ROOT), str(tmp_path)])
        subprocess.run(
            [sys.executable, "-W", "error", "check.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            check=True,
        )

    return run


@pytest.mark.parametrize("module", ["strategies", "stateful"])
def test_without_hypothesis_the_extra_is_named(module: str) -> None:
    code = f"import sys; sys.modules['hypothesis'] = None; import pytest_pinpoint_otp.{module}"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    advice = f'pytest_pinpoint_otp.{module} needs it: pip install "pytest-pinpoint-otp[hypothesis]".'
    assert result.stderr.splitlines()[-1] == advice


@pytest.mark.parametrize("imports", [HYPOTHESIS_FIRST, PLANS_FIRST], ids=["hypothesis first", "plans first"])
def test_failure_plans_are_drawn_by_their_type(run: Callable[[str], None], imports: str) -> None:
    run(f"{imports}\n{CHECK}")


def test_hypothesis_alone_loads_nothing_but_the_entry_point(run: Callable[[str], None]) -> None:
    run(
        "import sys, hypothesis\n"
        "loaded = {name for name in sys.modules if name.startswith(('pytest_pinpoint_otp', 'boto'))}\n"
        "assert loaded == {'pytest_pinpoint_otp', 'pytest_pinpoint_otp.hypothesis_entry'}, loaded\n"
    )
