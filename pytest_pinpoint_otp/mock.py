"""`mock_pinpoint_otp`: a fake without a fixture, in pytest and outside of it; needs no pytest."""

from __future__ import annotations

import functools
import inspect
import sys
import unittest
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar, Unpack, cast

import pytest_pinpoint_otp.transports.active as active
from pytest_pinpoint_otp.engine.argument_checks import explain_arguments, kind
from pytest_pinpoint_otp.engine.options import Options, OptionValues, read_options
from pytest_pinpoint_otp.engine.service import Service
from pytest_pinpoint_otp.fake import PinpointOTP, service_of, use_service
from pytest_pinpoint_otp.transports.botocore.patches import hold

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.service_state import Snapshot

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_CLASS_OPTIONS: Final = "_pinpoint_otp_options"

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


class mock_pinpoint_otp:  # noqa: N801 - it is called like a function, as context managers of the field are
    """Let a fresh fake answer instead of AWS's OTP service, until it is left.

    Three ways::

        with mock_pinpoint_otp() as fake: ...          # context manager

        mock = mock_pinpoint_otp()                     # by hand
        fake = mock.start()
        mock.stop()

        @mock_pinpoint_otp()                           # decorator: functions, coroutine functions, unittest classes
        def test_sign_up(): ...                        # the fake is active_pinpoint_otp()

    The fake is process-wide: all threads and tasks reach it. Fakes nest: the innermost answers, and leaving one removes
    only that one. Records stay readable afterwards. If the block ends without an exception, the checks of the
    fixture's teardown are made: a mistake of the test, or an unused injection or queued code, is raised.

    On a unittest class, each test method has a fresh fake, around setUp, tearDown and cleanups. If the method passed,
    the same checks are made after its cleanups. Each of Hypothesis's examples in it begins with what setUp arranged.
    On a test of Hypothesis, each example has a fresh fake.

    Args:
        options: seed, applications, originations, configurations, code_length (characters), validity_period (minutes),
            allowed_attempts, enforce_limits, retry_backoff, assert_all_used. pytest's configuration is ignored.

    If tasks or threads overlap, each needs a ``mock_pinpoint_otp()`` of its own.

    Raises:
        TypeError: an unknown option or a wrong type; a decorated generator function, a class that is not a
            unittest.TestCase, or something that is not a function.
        ValueError: an option out of range.
    """

    @explain_arguments("Options go by keyword; to decorate a test, write @mock_pinpoint_otp(), with parentheses.")
    def __init__(self, **options: Unpack[OptionValues]) -> None:
        self._options = read_options(options, "mock_pinpoint_otp")
        self._entered: list[PinpointOTP] = []

    def start(self) -> PinpointOTP:
        """Enter a fresh fake and return it."""
        fake = _enter(self._options)
        self._entered.append(fake)
        return fake

    def stop(self) -> None:
        """Leave the fake that was started last.

        Raises:
            RuntimeError: none is started.
            AssertionError: an injection or a queued code was not used.
            Exception: a mistake of the test that came up inside the application.
        """
        self._leave(checked=True)

    def __enter__(self) -> PinpointOTP:
        return self.start()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._leave(checked=exc_type is None)

    def __call__(self, decorated: _Decorated) -> _Decorated:
        """Decorate a function, a coroutine function or a unittest class."""
        handle: Any = getattr(decorated, "hypothesis", None)
        if (example := getattr(handle, "inner_test", None)) is not None:
            # Above @given too, each example has a fresh fake.
            handle.inner_test = self(example)
            return decorated
        if not callable(decorated) or isinstance(decorated, (classmethod, staticmethod)):
            raise TypeError(
                f"mock_pinpoint_otp decorates functions, not {kind(decorated)}; below @classmethod or @staticmethod it"
                " decorates the function."
            )
        if isinstance(decorated, type):
            return cast(_Decorated, self._decorate_class(decorated))
        # By its name, because this works without pytest.
        if type(decorated).__name__ == "FixtureFunctionDefinition":
            raise TypeError(
                "mock_pinpoint_otp cannot decorate a fixture: enter `with mock_pinpoint_otp() as fake:` inside of it,"
                " around its yield."
            )
        # What a callable object returns is up to its __call__.
        function: Any = decorated.func if isinstance(decorated, functools.partial) else decorated
        function = function if inspect.isroutine(function) else function.__call__
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            name = getattr(function, "__qualname__", repr(decorated))
            raise TypeError(
                f"mock_pinpoint_otp cannot decorate the generator function {name}, which runs after its"
                " call has returned: use `with mock_pinpoint_otp() as fake:` inside of it."
            )
        # Since Python 3.12, an object may be marked as a coroutine function.
        if inspect.iscoroutinefunction(decorated) or inspect.iscoroutinefunction(function):
            return cast(_Decorated, self._decorate_coroutine_function(decorated))
        return cast(_Decorated, self._decorate_function(decorated))

    def _leave(self, *, checked: bool) -> None:
        if not self._entered:
            raise RuntimeError("This mock_pinpoint_otp is not started, so it cannot be stopped.")
        _leave(self._entered.pop(), checked=checked)

    def _decorate_function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _entry(self._options):
                return function(*args, **kwargs)

        return wrapper

    def _decorate_coroutine_function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _entry(self._options):
                return await function(*args, **kwargs)

        return wrapper

    def _decorate_class(self, cls: type) -> type:
        if not issubclass(cls, unittest.TestCase):
            raise TypeError(
                f"mock_pinpoint_otp decorates functions, coroutine functions and unittest.TestCase classes;"
                f" {cls.__name__} is none of these. For pytest's classes use @pytest.mark.pinpoint_otp."
            )
        decorated = hasattr(cls, _CLASS_OPTIONS)
        setattr(cls, _CLASS_OPTIONS, self._options)
        if decorated:
            # Its methods are wrapped already, maybe in a base class, and read the options of the class that runs.
            return cls
        # run() and debug() are the two ways to run a test, and both include setUp, tearDown and cleanups.
        for name, around in (("run", _around_run), ("debug", _around_debug)):
            # Not a plain function: moto's decorator on the same class would wrap that. It would then be entered outside
            # of each test method, and would no longer forget the data of the method before.
            setattr(cls, name, functools.partialmethod(around(getattr(cls, name))))
        return cls


def _around_run(run: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(run)
    def wrapper(test: unittest.TestCase, result: Any = None) -> Any:
        used = test.defaultTestResult() if result is None else result
        with (
            _around_test(test, checked=False) as (fake, examples_are_checked),
            # run() makes a result if none is given, and starts and stops it.
            _replaced(test, "defaultTestResult", lambda: used),
            nullcontext() if examples_are_checked else _checked_at_success(test, used, fake),
        ):
            return run(test, result)

    return wrapper


def _around_debug(debug: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(debug)
    def wrapper(test: unittest.TestCase) -> Any:
        with _around_test(test, checked=True):
            return debug(test)

    return wrapper


@contextmanager
def _around_test(test: unittest.TestCase, *, checked: bool) -> Iterator[tuple[PinpointOTP, bool]]:
    method = getattr(test, test.id().rpartition(".")[2], None)
    options: Options = getattr(test, _CLASS_OPTIONS)
    with _entry(options, checked=checked) as fake, isolated_examples(method, fake) as examples_are_checked:
        yield fake, examples_are_checked


def _checked_at_success(test: unittest.TestCase, result: Any, fake: PinpointOTP) -> AbstractContextManager[None]:
    """Check a fake when a test reports its success, which comes after its cleanups, and report a failure instead."""
    add_success = result.addSuccess

    def check(*args: Any, **kwargs: Any) -> None:
        # If all frames were hidden, pytest's summary would not show the message.
        __tracebackhide__ = False
        try:
            _check(fake)
        # pytest.fail raises a BaseException that is not an Exception, which would end unittest's whole run here.
        except BaseException as error:
            report = result.addFailure if isinstance(error, test.failureException) else result.addError
            report(test, sys.exc_info())
        else:
            add_success(*args, **kwargs)

    return _replaced(result, "addSuccess", check)


def active_pinpoint_otp() -> PinpointOTP:
    """Return the innermost active fake, for code that has no fixture.

    Raises:
        RuntimeError: no fake is active.
    """
    fake = active.innermost_fake
    if fake is None:
        raise RuntimeError(
            "No PinpointOTP is active: name the fixture pinpoint_otp, mark the test with"
            " @pytest.mark.pinpoint_otp, or enter mock_pinpoint_otp()."
        )
    return fake


_releases: Final[dict[PinpointOTP, Callable[[], None]]] = {}


def enter(fake: PinpointOTP) -> None:
    """Let a fake answer every OTP call of the process."""
    _releases[fake] = hold()
    active.activate(service_of(fake), fake)


def leave(fake: PinpointOTP) -> None:
    """Stop a fake from answering; a second call changes nothing."""
    active.deactivate(fake)
    if (release := _releases.pop(fake, None)) is not None:
        release()


# Not a context manager made of a generator: that would leave the fake when the mock is garbage-collected.
def _enter(options: Options) -> PinpointOTP:
    fake = PinpointOTP(options)
    enter(fake)
    return fake


def _leave(fake: PinpointOTP, *, checked: bool) -> None:
    leave(fake)
    if checked:
        _check(fake)


def _check(fake: PinpointOTP) -> None:
    if unused := service_of(fake).check_end():
        raise AssertionError(unused)


@contextmanager
def _entry(options: Options, *, checked: bool = True) -> Iterator[PinpointOTP]:
    fake = _enter(options)
    try:
        yield fake
    except BaseException:
        _leave(fake, checked=False)
        raise
    _leave(fake, checked=checked)


@contextmanager
def isolated_examples(test: Any, fake: PinpointOTP) -> Iterator[bool]:
    """Keep the examples of a test apart, if it is one of Hypothesis's, or runs a state machine of Hypothesis's.

    Args:
        test: the test function or method.
        fake: the fake around all examples.

    Yields:
        whether each example is checked at its end, as a whole test is.
    """
    # If Hypothesis is not imported, such an attribute is not its own.
    handle: Any = getattr(test, "hypothesis", None) if "hypothesis" in sys.modules else None
    inner = getattr(handle, "inner_test", None)
    examples = _Examples(fake)
    if inner is not None:
        with _replaced(handle, "inner_test", examples.each_of(inner)):
            yield True
    elif handle is None and getattr(test, "is_hypothesis_test", False):
        machine = sys.modules["hypothesis.stateful"].RuleBasedStateMachine
        with _replaced(machine, "__init__", examples.begun_by(machine.__init__)):
            yield False
    else:
        yield False


@contextmanager
def _replaced(owner: Any, name: str, replacement: object) -> Iterator[None]:
    original = getattr(owner, name)
    # An instance that was given its inherited method back would refer to itself. What has slots has only its own.
    is_own = name in getattr(owner, "__dict__", (name,))
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        if is_own:
            setattr(owner, name, original)
        else:
            delattr(owner, name)


class _Examples:
    """The examples of one test. Before each one, the fake goes back to its state before the first."""

    def __init__(self, fake: PinpointOTP) -> None:
        self._fake = fake
        self._beginning: Snapshot | None = None
        """Taken when the first example begins, after all fixtures, ``setUp`` included."""

    def _begin(self) -> None:
        if self._beginning is None:
            self._beginning = service_of(self._fake).save()
        else:
            use_service(self._fake, Service.from_snapshot(self._beginning))

    @contextmanager
    def _example(self) -> Iterator[None]:
        self._begin()
        yield
        # Only an example that passed gets here. It is checked as a test is at its end.
        _check(self._fake)

    def each_of(self, test: Callable[..., Any]) -> Callable[..., Any]:
        """Return a test whose every run is an example."""

        @functools.wraps(test)
        def function(*args: Any, **kwargs: Any) -> Any:
            with self._example():
                return test(*args, **kwargs)

        @functools.wraps(test)
        async def coroutine_function(*args: Any, **kwargs: Any) -> Any:
            with self._example():
                return await test(*args, **kwargs)

        return coroutine_function if inspect.iscoroutinefunction(test) else function

    def begun_by(self, start: Callable[..., None]) -> Callable[..., None]:
        """Return an initializer of state machines that begins an example each time."""

        @functools.wraps(start)
        def initialize(machine: Any) -> None:
            before = service_of(self._fake)
            mistakes, left = before.mistakes, before.left_by_every_run()
            self._begin()
            # Single runs are not checked: the end of the test reports the mistakes of all, and what none has used.
            now = service_of(self._fake)
            now.mistakes, now.left_before = mistakes, left
            start(machine)

        return initialize
