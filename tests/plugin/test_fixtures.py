"""The fixtures: what they give, when the fake is active, and that nothing stays."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from helpers import send
from suites import ALONE, passes, run, run_apart, write

import pytest_pinpoint_otp.transports.active as reach
from pytest_pinpoint_otp import mock_pinpoint_otp

WAYS_TO_A_FAKE = {
    "named": ("def test_it(pinpoint_otp):", ()),
    "marked": ("@pytest.mark.pinpoint_otp\ndef test_it():", ()),
    "used": ('@pytest.mark.usefixtures("pinpoint_otp")\ndef test_it():', ()),
    "used by configuration": ("def test_it():", ("-o", "usefixtures=pinpoint_otp")),
    "named by another fixture": ("def test_it(user_of_the_fake):", ()),
    "activated by configuration": ("def test_it():", ("-o", "pinpoint_otp_autouse=true")),
}
every_way = pytest.mark.parametrize(("head", "arguments"), WAYS_TO_A_FAKE.values(), ids=WAYS_TO_A_FAKE)


def test_each_test_has_a_fresh_fake(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_sign_up="""
            import pytest
            from application import send

            @pytest.mark.parametrize("number", [1, 2])
            def test_it(pinpoint_otp, number):
                assert send() == "SUCCESSFUL"
                assert len(pinpoint_otp.messages) == 1
        """,
    )
    passes(result, passed=2)


def test_the_client_needs_neither_credentials_nor_a_region_nor_a_profile_that_exists(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    result = run(
        pytester,
        test_sign_up="""
            from helpers import DESTINATION, send_status, verify

            def test_it(pinpoint_otp_client, pinpoint_otp):
                assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
                assert verify(pinpoint_otp_client, pinpoint_otp.code_for(DESTINATION))
        """,
    )
    passes(result, passed=1)


def test_the_client_alone_brings_the_fake_with_it(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_sign_up="""
            from helpers import send_status
            from pytest_pinpoint_otp import active_pinpoint_otp

            def test_it(pinpoint_otp_client):
                assert send_status(pinpoint_otp_client) == "SUCCESSFUL"
                assert len(active_pinpoint_otp().messages) == 1
        """,
    )
    passes(result, passed=1)


def test_the_client_is_closed_after_the_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "-s",
        test_sign_up="""
            def test_it(pinpoint_otp_client):
                pinpoint_otp_client.close = lambda: print("good", "bye")
        """,
    )
    passes(result, passed=1)
    result.stdout.fnmatch_lines(["*good bye*"])


OUTER_FIXTURES = """
    import pytest
    from application import send
    from pytest_pinpoint_otp import active_pinpoint_otp

    fakes = []

    @pytest.fixture(autouse=True)
    def autouse_sender():
        fakes.append(active_pinpoint_otp())
        send(ReferenceId="set up, autouse")
        yield
        assert active_pinpoint_otp() is fakes[0]
        send(ReferenceId="torn down, autouse")

    @pytest.fixture
    def named_sender():
        send(ReferenceId="set up, named")
        yield
        assert active_pinpoint_otp() is fakes[0]
        send(ReferenceId="torn down, named")

    @pytest.fixture
    def user_of_the_fake(pinpoint_otp):
        return pinpoint_otp

    def pytest_sessionfinish():
        print("references:", [message.reference_id for message in fakes[0].messages])
"""


@every_way
def test_the_fake_is_active_before_every_other_function_scoped_fixture_and_until_after_all_of_them(
    pytester: pytest.Pytester, head: str, arguments: tuple[str, ...]
) -> None:
    head = (
        head.replace("(", "(named_sender, ", 1)
        if "\n" not in head
        else head.replace("test_it(", "test_it(named_sender")
    )
    result = run(
        pytester,
        "-s",
        *arguments,
        conftest=OUTER_FIXTURES,
        test_sign_up=f"import pytest\nfrom application import send\n{head}\n    send(ReferenceId='test')",
    )
    passes(result, passed=1)
    references = ["set up, autouse", "set up, named", "test", "torn down, named", "torn down, autouse"]
    result.stdout.fnmatch_lines([f"*references: {references!r}".replace("[", "[[]")])


def test_fixtures_that_other_plugins_add_in_their_hooks_keep_to_their_scopes(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        conftest=WIDER_FIXTURES.replace("8", "4")
        + """
    @pytest.fixture
    def late(pinpoint_otp):
        assert reach.innermost_fake is pinpoint_otp

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(item):
        item.fixturenames[:0] = ["of_session", "of_class"]
        item.fixturenames.append("late")
""",
        test_sign_up="""
            import pytest
            import pytest_pinpoint_otp.transports.active as active

            @pytest.mark.pinpoint_otp
            def test_it():
                assert active.innermost is not None
        """,
    )
    passes(result, passed=1)


SCREENSHOT = """
    import pytest

    @pytest.fixture
    def driver():
        return "driver"

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(item, call):
        outcome = yield
        if call.when == "call":
            # A common recipe, where an autouse fixture asks for it.
            driver = item.funcargs["request"].getfixturevalue("driver")
            outcome.get_result().sections.append(("screenshot", driver))

    @pytest.fixture(autouse=True)
    def around(request):
        yield
"""


def test_the_request_of_a_test_is_at_hand_for_other_plugins_in_every_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        conftest=SCREENSHOT,
        test_it="""
            import pytest

            def test_without():
                assert False

            @pytest.mark.pinpoint_otp
            def test_with():
                assert False
        """,
    )
    passes(result, failed=2)
    assert result.stdout.str().count("- screenshot -") == 2


NOTING_ALL = """
    import pathlib

    import pytest

    def pytest_runtest_teardown(item):
        with pathlib.Path(__file__).with_name("seen.txt").open("a") as seen:
            attributes = sorted(name for name in vars(item) if name != "_instance")
            print(item.nodeid, item.fixturenames, sorted(item.funcargs), attributes, file=seen)
"""


def test_nothing_of_a_test_without_the_fake_is_other_than_without_the_plugin(pytester: pytest.Pytester) -> None:
    write(
        pytester,
        conftest=NOTING_ALL,
        test_it="""
            import unittest

            import pytest

            @pytest.fixture(autouse=True)
            def around(tmp_path):
                yield

            def test_function(request, monkeypatch):
                pass

            @pytest.mark.parametrize("number", [1, 2])
            def test_parameter(number):
                '''
                >>> 1 + 1
                2
                '''

            class TestMethods:
                def setup_method(self):
                    pass

                def test_method(self):
                    pass

            class Unit(unittest.TestCase):
                def test_unit(self):
                    pass
        """,
    )
    seen = pytester.path / "seen.txt"
    passes(run_apart(pytester, "--doctest-modules", "-p", "no:pinpoint_otp"), passed=6)
    without = seen.read_text()
    seen.unlink()
    passes(run_apart(pytester, "--doctest-modules"), passed=6)
    assert seen.read_text() == without
    assert "'request'" in without


def test_a_test_that_has_run_pytest_by_itself_gets_its_own_fake(
    pytester: pytest.Pytester, request: pytest.FixtureRequest
) -> None:
    client = boto3.client("pinpoint", region_name="us-east-1")
    passes(run(pytester, test_it="def test_inner(pinpoint_otp): pass"), passed=1)
    # Only now, when the inner run has set up a test of its own.
    fake = request.getfixturevalue("pinpoint_otp")
    send(client)
    with mock_pinpoint_otp(seed=f"{Path(__file__).name}::{request.node.name}") as same:
        send(client)
    assert fake.code_for() == same.code_for()


def test_a_plugin_that_is_brought_in_at_collection_works(pytester: pytest.Pytester) -> None:
    result = run_apart(
        pytester,
        "-p",
        "no:pinpoint_otp",
        conftest="""
            def pytest_collection(session):
                session.config.pluginmanager.import_plugin("pytest_pinpoint_otp.plugin")
        """,
        test_it="""
            from application import send

            def test_it(pinpoint_otp):
                assert send() == "SUCCESSFUL"
        """,
    )
    passes(result, passed=1)


def test_parameters_of_one_test_do_not_share_what_activation_changes(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it="""
            import pytest

            marked = pytest.mark.pinpoint_otp

            @pytest.mark.parametrize("on", [pytest.param(True, marks=marked), False, pytest.param(True, marks=marked)])
            def test_it(on, request):
                assert ("pinpoint_otp" in request.fixturenames) is on
        """,
    )
    passes(result, passed=3)


def test_setup_method_and_setup_function_are_inside_the_fake(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_sign_up="""
            from application import send
            from pytest_pinpoint_otp import active_pinpoint_otp

            def setup_function():
                send()

            def teardown_function():
                active_pinpoint_otp().assert_sent(times=1)

            def test_function(pinpoint_otp):
                pinpoint_otp.assert_sent(times=1)

            class TestMethods:
                def setup_method(self):
                    send()

                def teardown_method(self):
                    active_pinpoint_otp().assert_sent(times=1)

                def test_method(self, pinpoint_otp):
                    pinpoint_otp.assert_sent(times=1)
        """,
    )
    passes(result, passed=2)


WIDER_FIXTURES = """
    import pytest
    import pytest_pinpoint_otp.transports.active as reach

    seen = []

    def noting(scope):
        @pytest.fixture(scope=scope)
        def noting():
            seen.append((scope, "set up", reach.innermost))
            yield
            seen.append((scope, "torn down", reach.innermost))
        return noting

    of_class, of_module, of_package, of_session = map(noting, ["class", "module", "package", "session"])

    def pytest_unconfigure():
        assert len(seen) == 8
        assert all(fake is None for _, _, fake in seen), seen
        print("all eight outside")
"""


@every_way
def test_wider_fixtures_are_outside_the_fake_even_where_a_test_with_a_fake_is_the_first_to_ask_for_them(
    pytester: pytest.Pytester, head: str, arguments: tuple[str, ...]
) -> None:
    wider = "of_class, of_module, of_package, of_session"
    head = head.replace("(", f"({wider}, ", 1) if "\n" not in head else head.replace("test_it(", f"test_it({wider}")
    user = "@pytest.fixture\ndef user_of_the_fake(pinpoint_otp): pass\n"
    body = "    assert reach.innermost is not None"
    result = run(
        pytester,
        "-s",
        *arguments,
        conftest=WIDER_FIXTURES,
        test_sign_up=f"import pytest\nimport pytest_pinpoint_otp.transports.active as reach\n{user}{head}\n{body}",
    )
    passes(result, passed=1)
    result.stdout.fnmatch_lines(["*all eight outside"])


def test_setup_class_and_setup_module_are_outside_the_fake(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_sign_up="""
            import pytest_pinpoint_otp.transports.active as reach

            def setup_module():
                assert reach.innermost is None

            def teardown_module():
                assert reach.innermost is None

            class TestMethods:
                @classmethod
                def setup_class(cls):
                    assert reach.innermost is None

                @classmethod
                def teardown_class(cls):
                    assert reach.innermost is None

                def test_method(self, pinpoint_otp):
                    assert reach.innermost_fake is pinpoint_otp
        """,
    )
    passes(result, passed=1)


def test_a_wider_fixture_may_enter_a_fake_of_its_own_which_the_test_does_not_see(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        conftest="""
            import pytest
            from application import send
            from pytest_pinpoint_otp import active_pinpoint_otp, mock_pinpoint_otp

            @pytest.fixture(scope="session")
            def account():
                with mock_pinpoint_otp() as fake:
                    send()
                    yield fake
                    assert active_pinpoint_otp() is fake
                    fake.assert_sent(times=1)
        """,
        test_sign_up="""
            from application import send

            def test_it(account, pinpoint_otp):
                pinpoint_otp.assert_not_called()
                send(ReferenceId="test")
                pinpoint_otp.assert_sent(times=1, reference_id="test")

            def test_without_a_fake_of_its_own(account):
                assert account.inbox(reference_id="test") == []
        """,
    )
    passes(result, passed=2)


def test_a_fixture_of_the_same_name_in_a_conftest_extends_the_plugins(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        conftest="""
            import pytest

            @pytest.fixture
            def pinpoint_otp(pinpoint_otp):
                pinpoint_otp.opt_out("+15550100199")
                return pinpoint_otp
        """,
        test_sign_up="""
            import pytest
            from application import send

            def test_named(pinpoint_otp):
                assert send(DestinationIdentity="+15550100199") == "OPT_OUT"
                assert send() == "SUCCESSFUL"

            @pytest.mark.pinpoint_otp
            def test_marked():
                assert send(DestinationIdentity="+15550100199") == "OPT_OUT"
        """,
    )
    passes(result, passed=2)


def test_a_fixture_of_the_same_name_may_replace_the_plugins_for_a_whole_session(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        conftest="""
            import pytest
            from pytest_pinpoint_otp import mock_pinpoint_otp

            @pytest.fixture(scope="session")
            def pinpoint_otp():
                with mock_pinpoint_otp(code_length=8) as fake:
                    yield fake
        """,
        test_sign_up="""
            import pytest
            from application import send

            @pytest.mark.parametrize("sent", [1, 2])
            def test_it(pinpoint_otp, sent):
                send()
                assert pinpoint_otp.assert_sent(times=sent).code_length == 8
        """,
    )
    passes(result, passed=2)


def test_a_test_may_ask_for_the_fake_on_its_way(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_sign_up="""
            from application import send
            import pytest_pinpoint_otp.transports.active as reach

            def test_it(request):
                assert reach.innermost is None
                pinpoint_otp = request.getfixturevalue("pinpoint_otp")
                send()
                pinpoint_otp.assert_sent(times=1)

            def test_unused(request):
                request.getfixturevalue("pinpoint_otp").queue_codes("012345")

            def test_after():
                assert reach.innermost is None
        """,
    )
    passes(result, passed=3, errors=1)


def test_a_test_without_the_fake_has_none(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_sign_up="""
            import pytest
            from pytest_pinpoint_otp import active_pinpoint_otp

            def test_with(pinpoint_otp):
                assert active_pinpoint_otp() is pinpoint_otp

            def test_without():
                with pytest.raises(RuntimeError, match="name the fixture pinpoint_otp"):
                    active_pinpoint_otp()
        """,
    )
    passes(result, passed=2)


LEAVING_BADLY = {
    "fails": "def test_it(pinpoint_otp):\n    assert False",
    "is interrupted": "def test_it(pinpoint_otp):\n    raise KeyboardInterrupt",
    "exits": "def test_it(pinpoint_otp):\n    pytest.exit('enough')",
    "is skipped": "def test_it(pinpoint_otp):\n    pytest.skip('not today')",
    "fails in a set-up": "def test_it(pinpoint_otp, broken):\n    pass",
    "fails in a teardown": "def test_it(pinpoint_otp, brittle):\n    pass",
    "is interrupted in a set-up": "def test_it(pinpoint_otp, interrupted):\n    pass",
    "is interrupted in a teardown": "def test_it(pinpoint_otp, interrupted_late):\n    pass",
    "has a bad marker": "@pytest.mark.pinpoint_otp(sead=1)\ndef test_it():\n    pass",
}


@pytest.mark.parametrize("arguments", [(), ("-x",)], ids=["whole", "-x"])
@pytest.mark.parametrize("test", LEAVING_BADLY.values(), ids=LEAVING_BADLY)
def test_nothing_is_left_active_after_a_test_that(
    pytester: pytest.Pytester, test: str, arguments: tuple[str, ...]
) -> None:
    from botocore.endpoint import Endpoint

    before = Endpoint.make_request
    assert reach.innermost is None
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture
        def broken():
            raise RuntimeError("broken")

        @pytest.fixture
        def brittle():
            yield
            raise RuntimeError("brittle")

        @pytest.fixture
        def interrupted():
            raise KeyboardInterrupt

        @pytest.fixture
        def interrupted_late():
            yield
            raise KeyboardInterrupt
        """
    )
    pytester.makepyfile(f"import pytest\n{test}\n\ndef test_last(): pass")
    pytester.runpytest_inprocess(*ALONE, *arguments, no_reraise_ctrlc=True)
    assert reach.innermost is None
    assert Endpoint.make_request is before


def test_a_failed_test_runs_alone_with_lf_and_leaves_nothing_active(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_sign_up="""
            import pytest_pinpoint_otp.transports.active as reach

            def test_passes(pinpoint_otp):
                pass

            def test_fails(pinpoint_otp):
                assert False

            def test_after():
                assert reach.innermost is None
        """,
    )
    passes(result, passed=2, failed=1)
    passes(run(pytester, "--lf"), failed=1)
    assert reach.innermost is None


def test_nothing_of_the_fake_is_kept_after_its_test(pytester: pytest.Pytester) -> None:
    # Not in this process, where pytester keeps what it has seen.
    result = run_apart(
        pytester,
        conftest="""
            import gc
            import weakref

            import pytest

            fakes = []
            items = []

            @pytest.fixture(autouse=True)
            def noted(pinpoint_otp):
                fakes.append(weakref.ref(pinpoint_otp))

            def pytest_collection_finish(session):
                items.extend(session.items)

            def pytest_sessionfinish():
                gc.collect()
                assert len(items) == len(fakes) == 2
                assert [fake() for fake in fakes] == [None, None]
                print("nothing kept")
        """,
        test_sign_up="""
            import pytest
            from application import send

            def test_passes():
                send()

            def test_skips():
                pytest.skip()
        """,
    )
    passes(result, passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*nothing kept*"])


def test_all_of_it_works_in_a_process_of_its_own(pytester: pytest.Pytester) -> None:
    result = run_apart(
        pytester,
        "-W",
        "error",
        test_sign_up="""
            import pytest
            from application import send, verify
            from helpers import DESTINATION

            def test_named(pinpoint_otp):
                send()
                assert verify(pinpoint_otp.code_for(DESTINATION))

            @pytest.mark.pinpoint_otp
            def test_marked():
                assert send() == "SUCCESSFUL"

            def test_unused(pinpoint_otp):
                pinpoint_otp.inject("THROTTLED")
        """,
    )
    passes(result, passed=3, errors=1)


@pytest.mark.parametrize("name", ["pinpoint_otp", "pinpoint_otp_server"])
def test_a_projects_own_fixture_of_the_same_name_is_left_alone(pytester: pytest.Pytester, name: str) -> None:
    result = run(
        pytester,
        test_it=f"""
            import pytest
            import pytest_pinpoint_otp.transports.active as active

            order = []

            @pytest.fixture(autouse=True)
            def environment():
                order.append("environment")

            @pytest.fixture
            def {name}():
                order.append("own")
                return "own"

            def test_it(request, {name}):
                assert {name} == "own"
                assert order == ["environment", "own"]
                names = request.node.fixturenames
                # Autouse fixtures of other plugins may stand beside these.
                assert names.index("environment") < names.index("{name}") == len(names) - 1
                assert active.innermost is None
        """,
    )
    passes(result, passed=1)


def test_a_fixture_that_adds_to_the_plugins_is_set_up_first_too(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_it="""
            import pytest
            from application import send

            @pytest.fixture(autouse=True)
            def sent():
                return send()

            @pytest.fixture
            def pinpoint_otp(pinpoint_otp):
                pinpoint_otp.inject("OPT_OUT")
                return pinpoint_otp

            def test_it(sent, pinpoint_otp):
                assert sent == "OPT_OUT"
        """,
    )
    passes(result, passed=1)


@pytest.mark.parametrize("enabled", ["-o", ""], ids=["autouse", "marker"])
def test_a_projects_own_wider_fixture_of_the_same_name_keeps_its_value(pytester: pytest.Pytester, enabled: str) -> None:
    options = ["-o", "pinpoint_otp_autouse=true"] if enabled else []
    marker = "" if enabled else "@pytest.mark.pinpoint_otp"
    result = run(
        pytester,
        *options,
        test_it=f"""
            import pytest

            @pytest.fixture(scope="module")
            def pinpoint_otp():
                return "own"

            {marker}
            def test_it(pinpoint_otp):
                assert pinpoint_otp == "own"
        """,
    )
    passes(result, passed=1)
