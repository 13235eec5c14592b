"""What pytest reports about OTP calls that the guard stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Any, Final

import pytest

from pytest_pinpoint_otp.engine.report import printable
from pytest_pinpoint_otp.plugin.configuration import wants_fake
from pytest_pinpoint_otp.transports.botocore.exceptions import causes_of
from pytest_pinpoint_otp.transports.botocore.guard import UnfakedCall, UnfakedCallError, let_through, take, turn_on
from pytest_pinpoint_otp.transports.botocore.wrapping import look_again

_OUTSIDE: Final = "pinpoint_otp_unfaked_calls"
"""The key under which a worker of pytest-xdist reports to its controller."""
_WITHOUT_A_FAKE: Final = (
    "The test has no fake: name the fixture pinpoint_otp in it, or mark it with @pytest.mark.pinpoint_otp."
)
_WAYS_OUT: Final = (
    "Wider fixtures, setUpClass and the import of modules need mock_pinpoint_otp() themselves. A thread must not"
    " outlive its test. @pytest.mark.pinpoint_otp(enabled=False) lets the calls of a test through."
)


class GuardReport:
    """Turns the guard on, and reports the calls that it stops, since applications swallow its exception.

    It is a pytest plugin of its own, which is registered only if the guard is configured.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._let_through: Final = ExitStack()
        self._reported: Final[set[UnfakedCall]] = set()
        """The calls whose errors are in the reports on the test."""
        self._outside: Final[Counter[str]] = Counter()
        config.add_cleanup(turn_on())

    def let_through(self) -> None:
        """Let OTP calls leave the process until the end of the test."""
        self._let_through.enter_context(let_through())

    # -- During a test ---------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Keep calls that came since the last test, from a thread that outlived it, apart from those of this test."""
        # Nothing else notices what the last test has reloaded, if this test has no fake.
        look_again()
        self._outside.update(map(_description, take()))
        self._reported.clear()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """Note the calls whose errors failed the test."""
        if call.excinfo is not None:
            self._reported.update(_calls_in(call.excinfo.value))
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        """Fail if calls were stopped during the test that no report on it shows."""
        try:
            yield
        except BaseException as error:
            self._reported.update(_calls_in(error))
            if unreported := self._take_unreported(item):
                error.add_note(unreported)
            raise
        finally:
            self._let_through.close()
        if unreported := self._take_unreported(item):
            pytest.fail(unreported, pytrace=False)

    def _take_unreported(self, item: pytest.Item) -> str | None:
        calls = [call for call in take() if call not in self._reported]
        if not calls:
            return None
        heading = "OTP calls were made while no fake was active. The guard stopped them:"
        ways_out = _WAYS_OUT if wants_fake(item) else f"{_WITHOUT_A_FAKE} {_WAYS_OUT}"
        return "\n".join([heading, *_listed(Counter(map(_description, calls))), ways_out])

    # -- Outside any test ------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Let the run fail if calls were stopped outside any test."""
        result = yield
        # After all other hooks, and before the wrappers that write the summary or end a worker.
        self._let_through.close()
        self._outside.update(map(_description, take()))
        if self._outside and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if (output := getattr(session.config, "workeroutput", None)) is not None:
            output[_OUTSIDE] = dict(self._outside)
        return result

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of pytest-xdist has reported."""
        told: dict[str, int] = getattr(node, "workeroutput", {}).get(_OUTSIDE, {})
        self._outside.update({f"{call} ({node.gateway.id})": times for call, times in told.items()})

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Report the calls that were stopped outside any test."""
        if self._outside:
            terminalreporter.section("Pinpoint OTP calls outside any test", red=True, bold=True)
            heading = "OTP calls were made outside any test while no fake was active. The guard stopped them:"
            for line in (heading, *_listed(self._outside), _WAYS_OUT):
                terminalreporter.line(line)


def _calls_in(error: BaseException) -> Iterator[UnfakedCall]:
    """Yield the calls of the guard's errors among an exception and its causes."""
    yield from (cause.call for cause in causes_of(error) if isinstance(cause, UnfakedCallError))


def _description(call: UnfakedCall) -> str:
    return printable(call.operation if call.destination is None else f"{call.operation} to {call.destination}")


def _listed(calls: Counter[str]) -> list[str]:
    return [f"  {call}" + (f", {times} times" if times > 1 else "") for call, times in calls.items()]
