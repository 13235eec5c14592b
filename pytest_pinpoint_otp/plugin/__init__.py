"""The entry point for pytest: fixtures and hooks. What they do is in the modules beside this one.

Loaded at every start of pytest, so it imports nothing that a run without a fake does not need.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_pinpoint_otp.plugin.configuration import (
    add_options,
    is_left_out,
    marker_line,
    names_failures,
    read_configuration,
    run_of,
    tell_worker,
    wants_fake,
)

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from pytest_pinpoint_otp.fake import PinpointOTP
    from pytest_pinpoint_otp.server import PinpointOTPServer

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    # Many suites import their application in a conftest, and its clients are made then.
    _look_after_botocore(early_config)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", marker_line())
    run_of(config).options = read_configuration(config)
    if names_failures(config):
        from pytest_pinpoint_otp.plugin.failures import read_command_line

        failures = run_of(config).failures = read_command_line(config)
        config.pluginmanager.register(failures)
    # Again, because a conftest may have loaded this plugin after that hook.
    _look_after_botocore(config)
    _runs_under_way.append(config)


_runs_under_way: Final[list[pytest.Config]] = []
"""The innermost is the last: a test may run pytest itself."""


def _look_after_botocore(config: pytest.Config) -> None:
    """Block credential look-ups and stop OTP calls outside of tests too, if that is configured."""
    run = run_of(config)
    if run.looks_after_botocore or not (run.autouse or run.guarded):
        return
    from pytest_pinpoint_otp.transports.botocore.patches import hold

    run.looks_after_botocore = True
    config.add_cleanup(hold())
    if run.guarded:
        from pytest_pinpoint_otp.plugin.guard import GuardReport

        run.guard = GuardReport(config)
        config.pluginmanager.register(run.guard)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    tell_worker(node.workerinput)


def pytest_runtest_setup(item: pytest.Item) -> None:
    # Not tryfirst: conftests add markers in this hook, and pytest itself sets the test up at its end.
    run = run_of(item.config)
    if wants_fake(item):
        from pytest_pinpoint_otp.plugin.activation import prepare

        prepare(item)
    elif run.guard is not None and is_left_out(item):
        run.guard.let_through()


@pytest.fixture
def pinpoint_otp() -> Iterator[PinpointOTP]:
    """An OTP service in memory, which answers this test instead of AWS.

    Every boto3 and botocore client reaches it, without credentials or network. Read what was sent with ``code_for``
    and ``messages``, make calls fail with ``inject``, and move its clock with ``advance``.
    """
    from pytest_pinpoint_otp.plugin.activation import activated

    # Without the fixture ``request``: pytest makes it three times a test, which takes as long as entering the fake.
    session: Any = _runs_under_way[-1].pluginmanager.get_plugin("session")
    test = next(reversed(session._setupstate.stack))
    with activated(test) as fake:
        yield fake


@pytest.fixture
def pinpoint_otp_client(pinpoint_otp: PinpointOTP) -> Iterator[BaseClient]:
    """A boto3 ``pinpoint`` client that reaches ``pinpoint_otp``, for tests that need one of their own.

    It reads no credentials and no AWS configuration, and is a little faster than an application's client.
    """
    from pytest_pinpoint_otp.transports.botocore.client import make_client

    client = make_client()
    yield client
    client.close()


@pytest.fixture(scope="session")
def pinpoint_otp_server_address() -> tuple[str, int]:
    """The host and port of ``pinpoint_otp_server``: loopback, and any free port. Override it to choose others."""
    return "127.0.0.1", 0


@pytest.fixture(scope="session")
def pinpoint_otp_server(pinpoint_otp_server_address: tuple[str, int]) -> Iterator[PinpointOTPServer]:
    """The fake over HTTP, for an application in another process. The server starts once for the whole run.

    A test that names this fixture, or one that needs it, has a fresh fake, which the server serves during the test.
    Give the application ``env={**os.environ, **pinpoint_otp_server.environ}``.
    """
    from pytest_pinpoint_otp.server import serve_pinpoint_otp

    with serve_pinpoint_otp(*pinpoint_otp_server_address) as server:
        yield server


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    teardowns = run_of(item.config).teardowns
    if (teardown := teardowns.get(item)) is not None:
        teardown.note(report)
        if report.when == "teardown":
            del teardowns[item]
    elif report.failed and call.excinfo is not None and "botocore" in sys.modules:
        from pytest_pinpoint_otp.plugin.hint import hint

        report.sections.extend(hint(item, call.excinfo.value))
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    teardowns = run_of(session.config).teardowns
    if teardowns:
        from pytest_pinpoint_otp.mock import leave

        # After Ctrl-C in the teardown of a fixture, pytest does not tear down those around it.
        for teardown in teardowns.values():
            leave(teardown.fake)


def pytest_unconfigure(config: pytest.Config) -> None:
    _runs_under_way[:] = [one for one in _runs_under_way if one is not config]
    # If a test runs pytest itself, a client may outlive that run and its modules of this plugin.
    if (interception := sys.modules.get("pytest_pinpoint_otp.transports.botocore.interception")) is not None:
        interception.unregister_all()
