"""Fixtures of the benchmarks, and the table that is printed at the end."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import distributions, version

import measuring
import pytest
from pytest_benchmark.fixture import BenchmarkFixture


def pytest_configure(config: pytest.Config) -> None:
    config.stash[measuring.rows] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section("a table of docs/benchmarks.md")
    installed = {distribution.name for distribution in distributions()}
    names = [name for name in ("botocore", "aiobotocore", "pytest", "moto") if name in installed]
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    terminalreporter.line(f"Python {platform.python_version()}, {versions}")
    terminalreporter.line("")
    for row in (("What", "At most", "Measured"), ("---", "---", "---"), *config.stash[measuring.rows]):
        terminalreporter.line(f"| {' | '.join(row)} |")


@pytest.fixture
def measure(benchmark: BenchmarkFixture, request: pytest.FixtureRequest) -> measuring.Measure:
    """What measures, and adds to the table."""
    return measuring.Measure(benchmark, request.config)


@pytest.fixture
def turns() -> Iterator[measuring.Turns]:
    """A fake to enter and leave by turns."""
    turns = measuring.Turns()
    yield turns
    turns.leave()


@pytest.fixture(scope="session")
def send() -> measuring.Send:
    """A send by an application's client."""
    return measuring.sends(measuring.client())
