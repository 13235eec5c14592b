"""`mock_pinpoint_otp` and `active_pinpoint_otp`: the fake without a fixture, in pytest and outside of it."""

from __future__ import annotations

import asyncio
import functools
import inspect
import subprocess
import sys
import textwrap
import threading
import unittest
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from helpers import DESTINATION, OTHER_DESTINATION, send, send_status, verify
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from suites import passes, run

import pytest_pinpoint_otp.transports.active as active
from pytest_pinpoint_otp import PinpointOTP, active_pinpoint_otp, mock_pinpoint_otp
from pytest_pinpoint_otp.engine.options import Options
from pytest_pinpoint_otp.fake import service_of
from pytest_pinpoint_otp.mock import enter, leave

SESSION = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")
CLIENT = SESSION.client("pinpoint")


def active_or_none() -> PinpointOTP | None:
    try:
        return active_pinpoint_otp()
    except RuntimeError:
        return None


@pytest.fixture(autouse=True)
def _nothing_is_left_over() -> Iterator[None]:
    before = active_or_none()
    yield
    assert active_or_none() is before


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    # Only the plugins that a test names.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    return pytester


# -- Context manager, start and stop -----------------------------------------------------------------------------------


def test_as_a_context_manager_it_yields_the_fake() -> None:
    with mock_pinpoint_otp() as fake:
        assert isinstance(fake, PinpointOTP)
        assert active_pinpoint_otp() is fake
        assert send_status(CLIENT) == "SUCCESSFUL"
        assert verify(CLIENT, fake.code_for(DESTINATION))


def test_started_by_hand_it_returns_the_fake_until_it_is_stopped() -> None:
    mock = mock_pinpoint_otp()
    fake = mock.start()
    assert active_pinpoint_otp() is fake
    assert send_status(CLIENT) == "SUCCESSFUL"
    mock.stop()
    assert len(fake.messages) == 1


def test_each_entry_is_a_fresh_fake() -> None:
    mock = mock_pinpoint_otp()
    with mock as first:
        send(CLIENT)
    with mock as second:
        assert second is not first
        assert second.messages == []
        send(CLIENT)
        assert second.code_for() == first.code_for()


def test_records_stay_readable_after_exit() -> None:
    with mock_pinpoint_otp() as fake:
        send(CLIENT)
        verify(CLIENT, "000000")
    assert fake.code_for(DESTINATION) == fake.messages[0].code
    assert [call.operation for call in fake.calls] == ["SendOTPMessage", "VerifyOTPMessage"]
    assert len(fake.verifications) == 1
    fake.assert_sent(DESTINATION, times=1)


def test_stopping_what_is_not_started_is_refused() -> None:
    mock = mock_pinpoint_otp()
    with pytest.raises(RuntimeError, match="not started"):
        mock.stop()
    mock.start()
    mock.stop()
    with pytest.raises(RuntimeError, match="not started"):
        mock.stop()


def test_one_mock_may_be_entered_more_than_once() -> None:
    mock = mock_pinpoint_otp()
    with mock as outer:
        with mock as inner:
            assert active_pinpoint_otp() is inner
        assert active_pinpoint_otp() is outer


def test_options_reach_the_fake() -> None:
    with mock_pinpoint_otp(code_length=8, applications=["known"]) as fake:
        send(CLIENT, ApplicationId="known")
        assert len(fake.code_for()) == 8
        with pytest.raises(CLIENT.exceptions.NotFoundException):
            send(CLIENT)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"code_lenght": 6}, TypeError, "no option 'code_lenght'.*code_length"),
        ({"code_length": "6"}, TypeError, "code_length takes an int"),
        ({"code_length": 9}, ValueError, "code_length is refused"),
        ({"enabled": True}, TypeError, "no option 'enabled'"),
    ],
)
def test_a_wrong_option_is_refused_where_it_is_given(
    options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=f"mock_pinpoint_otp: .*{text}"):
        mock_pinpoint_otp(**options)


def test_it_ignores_pytests_configuration(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\npinpoint_otp_code_length = 8\npinpoint_otp_seed = other\n")
    pytester.makepyfile(
        """
        from pytest_pinpoint_otp import mock_pinpoint_otp

        def test_code():
            with mock_pinpoint_otp() as fake:
                print("code:", fake.issue("+15550100123", application_id="a", reference_id="r").code)
        """
    )
    result = pytester.runpytest("-s", "-p", "pytest_pinpoint_otp.plugin")
    with mock_pinpoint_otp() as fake:
        code = fake.issue("+15550100123", application_id="a", reference_id="r").code
    result.stdout.fnmatch_lines([f"*code: {code}*"])


# -- Nesting -----------------------------------------------------------------------------------------------------------


def test_the_innermost_answers() -> None:
    with mock_pinpoint_otp() as outer:
        send(CLIENT)
        with mock_pinpoint_otp(code_length=8) as inner:
            send(CLIENT)
            assert active_pinpoint_otp() is inner
        send(CLIENT)
        assert active_pinpoint_otp() is outer
    assert len(outer.messages) == 2
    assert len(inner.messages) == 1
    assert inner.messages[0].code_length == 8


def test_it_nests_inside_the_fixtures_fake(pinpoint_otp: PinpointOTP) -> None:
    with mock_pinpoint_otp() as inner:
        send(CLIENT)
        assert active_pinpoint_otp() is inner
    assert active_pinpoint_otp() is pinpoint_otp
    assert pinpoint_otp.calls == []


def test_leaving_out_of_order_removes_that_one_only() -> None:
    first, second, third = mock_pinpoint_otp(), mock_pinpoint_otp(), mock_pinpoint_otp()
    fakes = [mock.start() for mock in (first, second, third)]
    second.stop()
    assert active_pinpoint_otp() is fakes[2]
    third.stop()
    assert active_pinpoint_otp() is fakes[0]
    send(CLIENT)
    first.stop()
    assert [len(fake.messages) for fake in fakes] == [1, 0, 0]


def test_the_outermost_may_leave_first() -> None:
    outer, inner = mock_pinpoint_otp(), mock_pinpoint_otp()
    outer.start()
    fake = inner.start()
    outer.stop()
    assert send_status(CLIENT) == "SUCCESSFUL"
    assert len(fake.messages) == 1
    inner.stop()


def test_a_fake_that_is_reset_while_it_is_left_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def taken_by_another_thread_before() -> Iterator[None]:
        monkeypatch.undo()
        fake.reset()
        with active.lock:
            yield

    mock = mock_pinpoint_otp()
    fake = mock.start()
    monkeypatch.setattr(active, "lock", taken_by_another_thread_before())
    mock.stop()
    assert active_or_none() is None


# -- The end -----------------------------------------------------------------------------------------------------------


def test_an_unused_injection_is_an_error_at_a_clean_end() -> None:
    with pytest.raises(AssertionError, match=r"inject\('THROTTLED'.*used 0, 1 left"), mock_pinpoint_otp() as fake:
        fake.inject("THROTTLED")


def test_an_unused_queued_code_is_an_error_at_a_clean_end() -> None:
    mock = mock_pinpoint_otp()
    mock.start().queue_codes("012345")
    with pytest.raises(AssertionError, match=r"queue_codes\('012345'\)"):
        mock.stop()


def test_what_is_optional_cancelled_or_reset_may_stay_unused() -> None:
    with mock_pinpoint_otp() as fake:
        fake.inject("THROTTLED", optional=True)
        fake.inject("THROTTLED").cancel()
        fake.inject("THROTTLED", times=None)
    with mock_pinpoint_otp() as fake:
        fake.inject("THROTTLED")
        fake.queue_codes("012345")
        fake.reset()
    with mock_pinpoint_otp(assert_all_used=False) as fake:
        fake.inject("THROTTLED")
        fake.queue_codes("012345")


def test_a_mistake_that_the_application_swallowed_is_raised_again_at_a_clean_end() -> None:
    mock = mock_pinpoint_otp()
    mock.start().queue_codes("01234567")
    with pytest.raises(ValueError, match="has 8 digits") as swallowed:
        send(CLIENT)
    with pytest.raises(ValueError, match="has 8 digits") as raised:
        mock.stop()
    assert raised.value is swallowed.value
    assert raised.value.__notes__ == [f"It came up while the fake answered SendOTPMessage to {DESTINATION}."]


def test_what_was_arranged_in_vain_is_told_at_the_test_s_own_line(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it="""
        from pytest_pinpoint_otp import mock_pinpoint_otp

        def test_within():
            with mock_pinpoint_otp() as fake:
                fake.inject("THROTTLED")

        @mock_pinpoint_otp(code_length=6)
        def test_decorated():
            from pytest_pinpoint_otp import active_pinpoint_otp
            active_pinpoint_otp().inject("THROTTLED")
        """,
    )

    passes(result, failed=2)
    result.stdout.no_fnmatch_line("*mock.py*")


def fail_inside(error: BaseException) -> None:
    with mock_pinpoint_otp() as fake:
        fake.inject("THROTTLED")
        fake.queue_codes("01234567")
        raise error


def test_an_exception_passes_through_unchanged_and_without_a_second_verdict() -> None:
    error = KeyError("the test's own")
    with pytest.raises(KeyError) as raised:
        fail_inside(error)
    assert raised.value is error
    assert raised.value.__context__ is None
    assert raised.value.__cause__ is None
    assert not hasattr(raised.value, "__notes__")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration, asyncio.CancelledError])
def test_even_an_exception_that_ends_more_than_the_test_passes_through(error: type[BaseException]) -> None:
    instance = error()
    with pytest.raises(error) as raised:
        fail_inside(instance)
    assert raised.value is instance


def test_an_error_that_a_test_expects_inside_the_block_is_no_error_of_the_block() -> None:
    with mock_pinpoint_otp() as fake:
        fake.inject("ForbiddenException")
        with pytest.raises(ClientError):
            send(CLIENT)


def test_after_an_error_at_the_end_the_fake_is_gone_and_the_mock_can_start_again() -> None:
    mock = mock_pinpoint_otp()
    mock.start().inject("THROTTLED")
    with pytest.raises(AssertionError):
        mock.stop()
    with pytest.raises(RuntimeError):
        active_pinpoint_otp()
    with mock:
        assert send_status(CLIENT) == "SUCCESSFUL"


# -- As a decorator ----------------------------------------------------------------------------------------------------


def test_a_decorated_function_has_a_fresh_fake_in_each_call() -> None:
    @mock_pinpoint_otp(code_length=8)
    def sign_up(destination: str, *, reference_id: str) -> PinpointOTP:
        """Sign up."""
        send(CLIENT, DestinationIdentity=destination, ReferenceId=reference_id)
        return active_pinpoint_otp()

    first, second = sign_up(DESTINATION, reference_id="a"), sign_up(OTHER_DESTINATION, reference_id="b")
    assert first is not second
    assert [message.destination for message in first.messages] == [DESTINATION]
    assert [message.reference_id for message in second.messages] == ["b"]
    assert len(second.code_for()) == 8


def test_a_decorated_function_keeps_its_name_and_signature() -> None:
    @mock_pinpoint_otp()
    def sign_up(destination: str) -> None:
        """Sign up."""

    assert sign_up.__name__ == "sign_up"
    assert sign_up.__doc__ == "Sign up."
    assert list(inspect.signature(sign_up).parameters) == ["destination"]


def test_a_decorated_test_function_may_take_fixtures(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from pytest_pinpoint_otp import active_pinpoint_otp, mock_pinpoint_otp

        @pytest.mark.parametrize("number", [1, 2])
        @mock_pinpoint_otp()
        def test_fake(tmp_path, number):
            assert tmp_path.exists()
            assert active_pinpoint_otp().messages == []
        """
    )
    pytester.runpytest().assert_outcomes(passed=2)


def test_a_decorated_function_is_checked_at_its_end() -> None:
    @mock_pinpoint_otp()
    def arrange_in_vain() -> None:
        active_pinpoint_otp().inject("THROTTLED")

    with pytest.raises(AssertionError, match="no call used"):
        arrange_in_vain()


def test_an_exception_passes_through_a_decorated_function() -> None:
    @mock_pinpoint_otp()
    def fail() -> None:
        active_pinpoint_otp().inject("THROTTLED")
        raise KeyError("the test's own")

    with pytest.raises(KeyError, match="the test's own"):
        fail()


def test_a_decorated_coroutine_function_has_the_fake_while_it_runs() -> None:
    @mock_pinpoint_otp()
    async def sign_up(destination: str) -> PinpointOTP:
        await asyncio.sleep(0)
        await asyncio.to_thread(send, CLIENT, DestinationIdentity=destination)
        return active_pinpoint_otp()

    assert inspect.iscoroutinefunction(sign_up)
    coroutine = sign_up(DESTINATION)
    with pytest.raises(RuntimeError):
        active_pinpoint_otp()
    fake = asyncio.run(coroutine)
    assert fake.assert_sent().destination == DESTINATION


def test_an_exception_passes_through_a_decorated_coroutine_function() -> None:
    @mock_pinpoint_otp()
    async def fail() -> None:
        active_pinpoint_otp().inject("THROTTLED")
        raise KeyError("the test's own")

    with pytest.raises(KeyError, match="the test's own"):
        asyncio.run(fail())


def test_overlapping_tasks_each_leave_their_own_fake_only() -> None:
    entered: list[PinpointOTP] = []

    @mock_pinpoint_otp()
    async def overlap(turns: int) -> None:
        entered.append(active_pinpoint_otp())
        for _ in range(turns):
            await asyncio.sleep(0)

    async def main() -> None:
        with mock_pinpoint_otp() as outer:
            await asyncio.gather(overlap(5), overlap(1), overlap(3))
            assert active_pinpoint_otp() is outer

    asyncio.run(main())
    assert len(set(map(id, entered))) == 3


def test_a_decorated_function_may_call_itself() -> None:
    fakes: list[PinpointOTP] = []

    @mock_pinpoint_otp()
    def descend(depth: int) -> None:
        fake = active_pinpoint_otp()
        fakes.append(fake)
        if depth:
            descend(depth - 1)
        assert active_pinpoint_otp() is fake

    descend(4)
    assert len(set(map(id, fakes))) == 5


def test_one_decorator_may_serve_many_functions_and_threads() -> None:
    decorate = mock_pinpoint_otp()
    together = threading.Barrier(8)

    @decorate
    def inside() -> None:
        together.wait(30)
        active_pinpoint_otp()
        together.wait(30)

    @decorate
    def inside_as_well() -> None:
        inside.__wrapped__()

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(function) for function in [inside, inside_as_well] * 4]:
            done.result()


def generator_function() -> Iterator[None]:
    yield


async def async_generator_function() -> AsyncIterator[None]:
    yield


class Generator:
    """What is called like a generator function."""

    def __call__(self) -> Iterator[None]:
        """Yield."""
        yield


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (generator_function, "generator_function"),
        (async_generator_function, "async_generator_function"),
        (functools.partial(generator_function), "generator_function"),
        (Generator(), "Generator.__call__"),
    ],
)
def test_a_generator_function_is_refused(function: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f"generator function {name}.*with mock_pinpoint_otp"):
        mock_pinpoint_otp()(function)


class Coroutine:
    """What is called like a coroutine function."""

    async def __call__(self) -> PinpointOTP:
        """Return the fake."""
        await asyncio.sleep(0)
        return active_pinpoint_otp()


@pytest.mark.parametrize("decorated", [Coroutine(), functools.partial(Coroutine.__call__, None)])
def test_an_object_that_is_called_like_a_coroutine_function_has_the_fake_while_it_runs(decorated: Any) -> None:
    assert isinstance(asyncio.run(mock_pinpoint_otp()(decorated)()), PinpointOTP)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="inspect.markcoroutinefunction is of Python 3.12")
def test_an_object_that_is_marked_as_a_coroutine_function_has_the_fake_while_it_runs() -> None:
    class Marked:
        def __call__(self) -> Any:
            return Coroutine()()

    marked = inspect.markcoroutinefunction(Marked())
    assert isinstance(asyncio.run(mock_pinpoint_otp()(marked)()), PinpointOTP)


def test_an_object_that_can_be_called_has_the_fake_meanwhile() -> None:
    class Object:
        def __call__(self) -> PinpointOTP:
            return active_pinpoint_otp()

    assert isinstance(mock_pinpoint_otp()(Object())(), PinpointOTP)


@pytest.mark.parametrize("decorated", [5, classmethod(print), staticmethod(print)])
def test_what_is_no_function_is_refused(decorated: Any) -> None:
    with pytest.raises(TypeError, match=r"mock_pinpoint_otp decorates functions, not .*below @classmethod"):
        mock_pinpoint_otp()(decorated)


def test_a_fixture_is_not_decorated() -> None:
    with pytest.raises(
        TypeError, match=r"^mock_pinpoint_otp cannot decorate a fixture: enter `with mock_pinpoint_otp\("
    ):

        @mock_pinpoint_otp()
        @pytest.fixture
        def sent() -> None:
            raise AssertionError


def test_without_parentheses_it_says_that_they_are_missing() -> None:
    def test_something() -> None: ...

    with pytest.raises(TypeError, match=r"Options go by keyword.* write @mock_pinpoint_otp\(\)"):
        mock_pinpoint_otp(test_something)


def test_above_given_each_example_has_a_fresh_fake(pinpoint_otp_client: Any) -> None:
    fakes = []

    @mock_pinpoint_otp(code_length=8)
    @settings(max_examples=5, deadline=None, database=None)
    @given(number=st.integers())
    def property_of_a_send(number: int) -> None:
        fake = active_pinpoint_otp()
        send(pinpoint_otp_client)
        assert [len(message.code) for message in fake.messages] == [8]
        fakes.append(fake)

    property_of_a_send()

    assert len({id(fake) for fake in fakes}) == len(fakes) >= 2


def test_in_a_decorated_unittest_class_each_example_begins_with_what_set_up_arranged(pinpoint_otp_client: Any) -> None:
    seen = []

    @mock_pinpoint_otp()
    class SignUp(unittest.TestCase):
        def setUp(self) -> None:
            active_pinpoint_otp().queue_codes("012345")
            send(pinpoint_otp_client, ReferenceId="set up")

        @settings(max_examples=5, deadline=None, database=None)
        @given(number=st.integers())
        def test_each(self, number: int) -> None:
            send(pinpoint_otp_client, ReferenceId="example")
            seen.append([message.reference_id for message in active_pinpoint_otp().messages])

    before = SignUp.test_each.hypothesis.inner_test  # type: ignore[attr-defined]
    result = unittest.TestResult()
    SignUp("test_each").run(result)
    assert result.wasSuccessful()
    assert len(seen) > 1
    assert all(references == ["set up", "example"] for references in seen)
    assert SignUp.test_each.hypothesis.inner_test is before  # type: ignore[attr-defined]


def test_each_run_of_a_state_machine_in_a_decorated_unittest_class_begins_afresh(pinpoint_otp_client: Any) -> None:
    seen = []

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            seen.append(len(active_pinpoint_otp().calls))

        @rule()
        def call(self) -> None:
            send(pinpoint_otp_client)

    @mock_pinpoint_otp()
    class TestMachine(Machine.TestCase):  # type: ignore[name-defined]
        settings = settings(max_examples=5, stateful_step_count=3, deadline=None, database=None)

    result = unittest.TestResult()
    TestMachine("runTest").run(result)
    assert result.wasSuccessful()
    assert len(seen) > 1
    assert set(seen) == {0}


def test_above_given_each_example_is_checked() -> None:
    @mock_pinpoint_otp()
    @settings(max_examples=5, deadline=None, database=None)
    @given(number=st.integers())
    def property_of_nothing(number: int) -> None:
        active_pinpoint_otp().inject("THROTTLED")

    with pytest.raises(AssertionError, match="inject\\('THROTTLED'"):
        property_of_nothing()


def test_a_class_that_is_no_unittest_class_is_refused() -> None:
    class TestSignUp:
        pass

    with pytest.raises(TypeError, match=r"TestSignUp is none of these.*@pytest\.mark\.pinpoint_otp"):
        mock_pinpoint_otp()(TestSignUp)


# -- unittest classes --------------------------------------------------------------------------------------------------

UNITTEST = """
    import unittest
    import boto3
    from pytest_pinpoint_otp import active_pinpoint_otp, mock_pinpoint_otp
    from helpers import send, verify

    CLIENT = boto3.client("pinpoint", "us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")
    FAKES = []


    @mock_pinpoint_otp(code_length=8)
    class SignUpTest(unittest.TestCase):
        def setUp(self):
            self.fake = active_pinpoint_otp()
            self.assertNotIn(self.fake, FAKES)
            FAKES.append(self.fake)
            self.addCleanup(self.clean_up)
            send(CLIENT)

        def tearDown(self):
            self.assertIs(active_pinpoint_otp(), self.fake)
            send(CLIENT)

        def clean_up(self):
            self.assertIs(active_pinpoint_otp(), self.fake)
            send(CLIENT)
            self.assertEqual(len(self.fake.messages), 3)

        def test_a_code_has_the_length_of_the_option(self):
            self.assertEqual(len(self.fake.code_for()), 8)
            self.assertTrue(verify(CLIENT, self.fake.code_for()))

        def test_each_method_has_a_fresh_fake(self):
            self.assertEqual(len(self.fake.messages), 1)

        def test_what_a_cleanup_uses_is_used(self):
            self.fake.queue_codes("01234567", "12345678")

        def test_sub_tests_share_the_fake(self):
            for number in range(2):
                with self.subTest(number=number):
                    self.assertIs(active_pinpoint_otp(), self.fake)

        @unittest.expectedFailure
        def test_that_fails_as_expected(self):
            self.fake.inject("THROTTLED", destination="+15550100456")
            self.fail("as expected")

        @unittest.skip("on purpose")
        def test_that_is_skipped(self):
            self.fail("never run")


    @mock_pinpoint_otp()
    class AsyncSignUpTest(unittest.IsolatedAsyncioTestCase):
        async def asyncSetUp(self):
            self.fake = active_pinpoint_otp()

        async def asyncTearDown(self):
            self.assertIs(active_pinpoint_otp(), self.fake)

        async def test_a_coroutine_method_has_the_fake(self):
            self.assertIs(active_pinpoint_otp(), self.fake)
            send(CLIENT)
            self.assertEqual(len(self.fake.messages), 1)


    class DerivedTest(SignUpTest):
        def test_a_derived_class_has_the_fake_too(self):
            self.assertIs(active_pinpoint_otp(), self.fake)


    class LaterTest(unittest.TestCase):
        def test_nothing_is_left_over(self):
            with self.assertRaises(RuntimeError):
                active_pinpoint_otp()
"""


@pytest.fixture
def unittest_file(pytester: pytest.Pytester) -> Path:
    return pytester.makepyfile(test_sign_up=UNITTEST)


def test_a_decorated_unittest_class_runs_under_unittest(pytester: pytest.Pytester, unittest_file: Path) -> None:
    result = pytester.run(sys.executable, "-W", "error", "-m", "unittest", "-v", unittest_file.name)
    assert result.ret == 0
    # Not how many it ran: some versions of Python leave out those that were skipped. And not what stands before "ok":
    # on a busy machine asyncio says there that a task took long.
    assert sum(line.split()[-1:] == ["ok"] for line in result.errlines) == 11
    assert "OK (skipped=2, expected failures=2)" in result.stderr.str()


def test_a_decorated_unittest_class_runs_under_pytest(pytester: pytest.Pytester, unittest_file: Path) -> None:
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=11, skipped=2, xfailed=2)


def test_a_decorated_test_that_skips_leaves_no_fake_behind() -> None:
    @mock_pinpoint_otp()
    def skips() -> None:
        active_pinpoint_otp().inject("THROTTLED")
        # No Exception: pytest's outcomes are BaseExceptions.
        pytest.skip("on purpose")

    with pytest.raises(pytest.skip.Exception, match="on purpose"):
        skips()
    with pytest.raises(RuntimeError, match="No PinpointOTP is active"):
        active_pinpoint_otp()


def test_a_unittest_method_that_fails_leaves_no_fake_behind() -> None:
    @mock_pinpoint_otp()
    class SignUpTest(unittest.TestCase):
        def test_sign_up(self) -> None:
            active_pinpoint_otp().inject("THROTTLED")
            self.fail("on purpose")

    result = unittest.TestResult()
    SignUpTest("test_sign_up").run(result)
    assert [text.strip().splitlines()[-1] for _, text in result.failures] == ["AssertionError: on purpose"]
    assert result.errors == []


def unused(fake: PinpointOTP) -> None:
    fake.inject("THROTTLED")


def swallowed(fake: PinpointOTP) -> None:
    fake.queue_codes("12345678")
    with suppress(ValueError):
        send(CLIENT)


@pytest.mark.parametrize(("leave", "told"), [(unused, "that no call used"), (swallowed, "12345678")])
def test_a_unittest_method_that_passed_is_checked_at_its_end(leave: Callable[[PinpointOTP], None], told: str) -> None:
    @mock_pinpoint_otp()
    class SignUpTest(unittest.TestCase):
        def test_sign_up(self) -> None:
            leave(active_pinpoint_otp())

    result = unittest.TestResult()
    SignUpTest("test_sign_up").run(result)
    [(_, text)] = result.failures + result.errors
    assert told in text
    with pytest.raises((AssertionError, ValueError), match=told):
        SignUpTest("test_sign_up").debug()


def test_a_unittest_method_leaves_nothing_on_its_test() -> None:
    @mock_pinpoint_otp()
    class SignUpTest(unittest.TestCase):
        def test_it(self) -> None:
            pass

    test = SignUpTest("test_it")
    before = vars(test).keys() - {"_outcome"}
    test.run()
    assert vars(test).keys() - {"_outcome"} == before


def test_a_unittest_method_that_used_everything_is_reported_as_a_success() -> None:
    succeeded: list[unittest.TestCase] = []

    class Result(unittest.TestResult):
        def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
            succeeded.append(test)

    @mock_pinpoint_otp()
    class SignUpTest(unittest.TestCase):
        def test_sign_up(self) -> None:
            send(CLIENT)

    result = Result()
    test = SignUpTest("test_sign_up")
    test.run(result)
    assert succeeded == [test]
    # The result is the caller's, and goes on to other tests.
    assert "addSuccess" not in vars(result)


def test_a_unittest_method_that_skips_itself_is_not_checked() -> None:
    @mock_pinpoint_otp()
    class SignUpTest(unittest.TestCase):
        def test_sign_up(self) -> None:
            unused(active_pinpoint_otp())
            self.skipTest("on purpose")

    result = unittest.TestResult()
    SignUpTest("test_sign_up").run(result)
    assert len(result.skipped) == 1
    assert result.wasSuccessful()


def test_a_unittest_method_that_cleans_up_early_is_checked_at_its_end_only() -> None:
    @mock_pinpoint_otp()
    class SignUpTest(unittest.TestCase):
        def tearDown(self) -> None:
            self.doCleanups()

        def test_what_is_used_later(self) -> None:
            unused(active_pinpoint_otp())
            self.doCleanups()
            send(CLIENT)

        def test_that_fails(self) -> None:
            unused(active_pinpoint_otp())
            self.fail("on purpose")

    result = unittest.TestResult()
    SignUpTest("test_what_is_used_later").run(result)
    assert result.wasSuccessful()
    SignUpTest("test_that_fails").run(result)
    assert [text.strip().splitlines()[-1] for _, text in result.failures] == ["AssertionError: on purpose"]
    assert result.errors == []


def test_a_unittest_method_that_makes_its_own_result_is_checked() -> None:
    made: list[unittest.TestResult] = []

    @mock_pinpoint_otp()
    class SignUpTest(unittest.TestCase):
        def defaultTestResult(self) -> unittest.TestResult:  # noqa: N802 - the name is unittest's
            made.append(unittest.TestResult())
            return made[-1]

        def test_sign_up(self) -> None:
            unused(active_pinpoint_otp())

    SignUpTest("test_sign_up").run()
    [result] = made
    [(_, text)] = result.failures
    assert "that no call used" in text


def test_a_mistake_that_is_not_an_exception_does_not_end_the_run_of_unittest() -> None:
    @mock_pinpoint_otp()
    class SignUpTest(unittest.TestCase):
        def test_sign_up(self) -> None:
            service_of(active_pinpoint_otp()).mistakes.append(pytest.fail.Exception("on purpose"))  # type: ignore[arg-type]

    result = unittest.TestResult()
    SignUpTest("test_sign_up").run(result)
    [(_, text)] = result.errors
    assert "on purpose" in text


def test_pytests_summary_shows_what_a_unittest_method_left_unused(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it="""
import unittest
from pytest_pinpoint_otp import active_pinpoint_otp, mock_pinpoint_otp

@mock_pinpoint_otp()
class SignUpTest(unittest.TestCase):
    def test_sign_up(self):
        active_pinpoint_otp().inject("THROTTLED")
""",
    )
    passes(result, failed=1)
    result.stdout.fnmatch_lines(["FAILED *::test_sign_up - AssertionError: The test *"])


def test_in_a_decorated_unittest_class_each_example_is_checked() -> None:
    @mock_pinpoint_otp()
    class SignUp(unittest.TestCase):
        @settings(max_examples=2, deadline=None, database=None)
        @given(number=st.integers())
        def test_each(self, number: int) -> None:
            unused(active_pinpoint_otp())

    result = unittest.TestResult()
    SignUp("test_each").run(result)
    [(_, text)] = result.failures
    assert "that no call used" in text


def test_a_unittest_method_may_be_debugged() -> None:
    seen: list[PinpointOTP] = []

    @mock_pinpoint_otp()
    class SignUpTest(unittest.TestCase):
        def test_sign_up(self) -> None:
            seen.append(active_pinpoint_otp())

        def tearDown(self) -> None:
            assert active_pinpoint_otp() is seen[0]

    SignUpTest("test_sign_up").debug()
    assert len(seen) == 1


def test_an_undecorated_base_class_has_no_fake() -> None:
    seen: list[object] = []

    class Base(unittest.TestCase):
        def test_sign_up(self) -> None:
            try:
                seen.append(active_pinpoint_otp())
            except RuntimeError:
                seen.append(None)

    @mock_pinpoint_otp()
    class Derived(Base):
        pass

    Base("test_sign_up").run(unittest.TestResult())
    Derived("test_sign_up").run(unittest.TestResult())
    assert seen[0] is None
    assert isinstance(seen[1], PinpointOTP)


def test_the_options_of_a_derived_class_win_over_its_bases() -> None:
    lengths: list[int] = []

    @mock_pinpoint_otp(code_length=5)
    class Base(unittest.TestCase):
        def test_sign_up(self) -> None:
            send(CLIENT)
            lengths.append(len(active_pinpoint_otp().code_for()))

    @mock_pinpoint_otp(code_length=8)
    class Derived(Base):
        pass

    for cls in (Base, Derived):
        cls("test_sign_up").debug()
    assert lengths == [5, 8]


# -- Process-wide ------------------------------------------------------------------------------------------------------


def test_threads_see_the_fake() -> None:
    with mock_pinpoint_otp() as fake, ThreadPoolExecutor(4) as pool:
        numbers = [f"+155501001{number:02}" for number in range(20)]
        list(pool.map(lambda number: send(CLIENT, DestinationIdentity=number), numbers))
        assert pool.submit(active_pinpoint_otp).result() is fake
    assert sorted(message.destination for message in fake.messages) == numbers


def test_tasks_see_the_fake() -> None:
    async def task() -> PinpointOTP:
        await asyncio.sleep(0)
        return active_pinpoint_otp()

    async def main() -> list[PinpointOTP]:
        early = asyncio.create_task(task())
        with mock_pinpoint_otp() as fake:
            found = [await early, await asyncio.create_task(task())]
        return [fake, *found]

    fake, *found = asyncio.run(main())
    assert all(one is fake for one in found)


def test_a_fake_entered_in_a_thread_is_the_processs() -> None:
    mock = mock_pinpoint_otp()
    with ThreadPoolExecutor(1) as pool:
        fake = pool.submit(mock.start).result()
    assert active_pinpoint_otp() is fake
    send(CLIENT)
    mock.stop()
    assert len(fake.messages) == 1


def test_without_a_fake_active_pinpoint_otp_says_how_to_get_one() -> None:
    with pytest.raises(RuntimeError, match=r"name the fixture pinpoint_otp.*enter mock_pinpoint_otp"):
        active_pinpoint_otp()


def test_active_pinpoint_otp_is_the_fixtures_fake(pinpoint_otp: PinpointOTP) -> None:
    assert active_pinpoint_otp() is pinpoint_otp


# -- Without pytest ----------------------------------------------------------------------------------------------------


def run_python(source: str) -> str:
    """Run source in an interpreter of its own and return what it printed."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(source)],
        env={"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": "", "SYSTEMROOT": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_it_works_in_a_process_that_has_not_imported_pytest() -> None:
    printed = run_python(
        """
        import sys
        import boto3
        from pytest_pinpoint_otp import mock_pinpoint_otp
        from helpers import send, verify

        with mock_pinpoint_otp() as fake:
            client = boto3.client("pinpoint", region_name="us-east-1")
            send(client)
            print(verify(client, fake.code_for()))
        print("pytest" in sys.modules, "_pytest" in sys.modules, "hypothesis" in sys.modules)
        """
    )
    assert printed.split() == ["True", "False", "False", "False"]


@pytest.mark.parametrize(
    "statement",
    [
        "import pytest_pinpoint_otp",
        "import pytest_pinpoint_otp.plugin",
        "from pytest_pinpoint_otp import *",
        "import pytest_pinpoint_otp; mock = pytest_pinpoint_otp.mock_pinpoint_otp(code_length=8)",
    ],
)
def test_importing_the_package_imports_neither_botocore_nor_hypothesis(statement: str) -> None:
    heavy = ("botocore", "boto3", "hypothesis", "aiobotocore", "moto")
    assert run_python(f"{statement}\nimport sys\nprint([name for name in {heavy} if name in sys.modules])") == "[]"


def test_a_fake_that_has_left_may_be_left_again() -> None:
    fake = PinpointOTP(Options())
    with mock_pinpoint_otp() as outer:
        enter(fake)
        assert active_pinpoint_otp() is fake
        leave(fake)
        leave(fake)
        assert active_pinpoint_otp() is outer
        assert send_status(CLIENT) == "SUCCESSFUL"
    assert len(outer.calls) == 1
