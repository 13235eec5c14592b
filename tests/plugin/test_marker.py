"""The marker `pinpoint_otp`: activation, options on every level, and mistakes in it."""

from __future__ import annotations

import textwrap

import pytest
from suites import passes, run, write

LENGTH = """
    import pytest
    from application import send
    import pytest_pinpoint_otp.transports.active as reach

    def code_length(reference="sign-up"):
        send(ReferenceId=reference)
        return len(reach.innermost_fake.code_for(reference_id=reference))
"""


def marked_suite(pytester: pytest.Pytester, tests: str, *arguments: str, **outcomes: int) -> pytest.RunResult:
    """Run tests that ask `code_length()`: how long a code is where the request does not say."""
    write(pytester, lengths=LENGTH)
    header = "import pytest\nfrom lengths import code_length, reach\n\n"
    pytester.makepyfile(test_marked=header + textwrap.dedent(tests))
    result = run(pytester, *arguments)
    passes(result, **outcomes)
    return result


def test_a_marker_activates_the_fake_with_its_options(pytester: pytest.Pytester) -> None:
    marked_suite(
        pytester,
        """
        @pytest.mark.pinpoint_otp
        def test_bare():
            assert code_length() == 6

        @pytest.mark.pinpoint_otp(code_length=8)
        def test_with_an_option():
            assert code_length() == 8

        def test_without_a_marker():
            assert reach.innermost is None
        """,
        passed=3,
    )


def test_a_marker_gives_options_to_a_test_that_names_the_fixture(pytester: pytest.Pytester) -> None:
    marked_suite(
        pytester,
        """
        @pytest.mark.pinpoint_otp(code_length=8)
        def test_it(pinpoint_otp):
            assert reach.innermost_fake is pinpoint_otp
            assert code_length() == 8
        """,
        passed=1,
    )


def test_every_option_may_stand_in_a_marker(pytester: pytest.Pytester) -> None:
    marked_suite(
        pytester,
        """
        import datetime
        import botocore.exceptions
        from application import client, send
        from helpers import APPLICATION, DESTINATION

        options = dict(
            seed=7,
            applications=[APPLICATION],
            code_length=8,
            validity_period=5,
            allowed_attempts=2,
            enforce_limits=False,
            retry_backoff=False,
            assert_all_used=False,
            enabled=True,
        )

        @pytest.mark.pinpoint_otp(**options)
        def test_it(pinpoint_otp):
            assert send(BrandName="longer than twenty characters") == "SUCCESSFUL"
            message = pinpoint_otp.assert_sent(DESTINATION)
            assert (message.code_length, message.allowed_attempts) == (8, 2)
            assert message.expires_at - message.sent_at == datetime.timedelta(minutes=5)
            with pytest.raises(client.exceptions.NotFoundException):
                send(ApplicationId="another")
            pinpoint_otp.queue_codes("01234567")
        """,
        passed=1,
    )


def test_a_marker_on_a_module_or_a_class_holds_for_all_tests_in_it(pytester: pytest.Pytester) -> None:
    marked_suite(
        pytester,
        """
        pytestmark = pytest.mark.pinpoint_otp(code_length=5)

        def test_of_the_module():
            assert code_length() == 5

        @pytest.mark.pinpoint_otp(code_length=7)
        class TestMarked:
            def test_of_the_class(self):
                assert code_length() == 7

            class TestNested:
                def test_of_the_nested_class(self):
                    assert code_length() == 7
        """,
        passed=3,
    )


def test_a_marker_on_one_parameter_leaves_its_siblings_alone(pytester: pytest.Pytester) -> None:
    marked_suite(
        pytester,
        """
        @pytest.mark.parametrize("marked", [False, pytest.param(True, marks=pytest.mark.pinpoint_otp), False])
        def test_it(marked):
            assert (reach.innermost is not None) is marked
        """,
        passed=3,
    )


def test_a_parameters_options_win_over_its_functions(pytester: pytest.Pytester) -> None:
    marked_suite(
        pytester,
        """
        longer = pytest.mark.pinpoint_otp(code_length=8)

        @pytest.mark.pinpoint_otp(code_length=5)
        @pytest.mark.parametrize("length", [5, pytest.param(8, marks=longer)])
        def test_it(length):
            assert code_length() == length

        @pytest.mark.parametrize("length", [5, pytest.param(8, marks=longer)])
        @pytest.mark.pinpoint_otp(code_length=5)
        def test_in_the_other_order(length):
            assert code_length() == length
        """,
        passed=4,
    )


def test_a_derived_class_wins_over_its_base(pytester: pytest.Pytester) -> None:
    marked_suite(
        pytester,
        """
        @pytest.mark.pinpoint_otp(code_length=5, allowed_attempts=1)
        class Base:
            def test_it(self, pinpoint_otp):
                assert code_length() == self.length
                assert pinpoint_otp.messages[0].allowed_attempts == 1

        class TestInherits(Base):
            length = 5

        @pytest.mark.pinpoint_otp(code_length=8)
        class TestOverrides(Base):
            length = 8
        """,
        passed=2,
    )


def test_the_innermost_of_several_markers_on_a_function_wins_as_everywhere_in_pytest(pytester: pytest.Pytester) -> None:
    marked_suite(
        pytester,
        """
        @pytest.mark.pinpoint_otp(code_length=5)
        @pytest.mark.pinpoint_otp(code_length=8)
        def test_it(request):
            assert request.node.get_closest_marker("pinpoint_otp").kwargs == {"code_length": 8}
            assert code_length() == 8
        """,
        passed=1,
    )


def test_the_narrower_marker_wins_option_by_option(pytester: pytest.Pytester) -> None:
    marked_suite(
        pytester,
        """
        pytestmark = pytest.mark.pinpoint_otp(code_length=5, validity_period=5, allowed_attempts=1)

        @pytest.mark.pinpoint_otp(validity_period=6, allowed_attempts=2)
        class TestMarked:
            @pytest.mark.pinpoint_otp(allowed_attempts=3)
            def test_it(self, pinpoint_otp):
                assert code_length() == 5
                (message,) = pinpoint_otp.messages
                assert (message.validity_period, message.allowed_attempts) == (6, 3)
        """,
        passed=1,
    )


@pytest.mark.parametrize("wider", ["configuration", "a marker that a conftest adds"])
def test_a_tests_own_marker_wins_option_by_option_over(pytester: pytest.Pytester, wider: str) -> None:
    configured = ("-o", "pinpoint_otp_code_length=5", "-o", "pinpoint_otp_allowed_attempts=1")
    if wider != "configuration":
        configured = ()
        pytester.makeconftest(
            """
            import pytest

            def pytest_collection_modifyitems(items):
                for item in items:
                    item.add_marker(pytest.mark.pinpoint_otp(code_length=5, allowed_attempts=1))
            """
        )
    marked_suite(
        pytester,
        """
        @pytest.mark.pinpoint_otp(code_length=8)
        def test_it(pinpoint_otp):
            assert code_length() == 8
            assert pinpoint_otp.messages[0].allowed_attempts == 1
        """,
        *configured,
        passed=1,
    )


def test_none_in_a_marker_takes_back_the_configured_applications(pytester: pytest.Pytester) -> None:
    marked_suite(
        pytester,
        """
        from application import send

        @pytest.mark.pinpoint_otp(applications=None)
        def test_it():
            assert send(ApplicationId="any") == "SUCCESSFUL"
        """,
        *("-o", "pinpoint_otp_applications=known"),
        passed=1,
    )


def test_enabled_false_leaves_a_test_out_of_autouse(pytester: pytest.Pytester) -> None:
    marked_suite(
        pytester,
        """
        def test_autouse():
            assert reach.innermost is not None

        @pytest.mark.pinpoint_otp(enabled=False)
        def test_left_out():
            assert reach.innermost is None

        @pytest.mark.pinpoint_otp(enabled=False)
        class TestLeftOut:
            def test_left_out(self):
                assert reach.innermost is None

            @pytest.mark.pinpoint_otp(enabled=False, code_length=8)
            def test_left_out_whatever_its_other_options(self):
                assert reach.innermost is None

            @pytest.mark.pinpoint_otp(enabled=True)
            def test_taken_in_again(self):
                assert code_length() == 6

        @pytest.mark.parametrize("taken", [True, pytest.param(False, marks=pytest.mark.pinpoint_otp(enabled=False))])
        def test_one_parameter(taken):
            assert (reach.innermost is not None) is taken
        """,
        *("-o", "pinpoint_otp_autouse=true"),
        passed=7,
    )


@pytest.mark.parametrize("arguments", [(), ("-o", "pinpoint_otp_autouse=true")], ids=["by marker", "autouse"])
def test_any_marker_turns_on_again_what_a_wider_one_turned_off(
    pytester: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    marked_suite(
        pytester,
        """
        pytestmark = pytest.mark.pinpoint_otp(enabled=False)

        def test_off():
            assert reach.innermost is None

        @pytest.mark.pinpoint_otp
        def test_on():
            assert code_length() == 6

        @pytest.mark.pinpoint_otp(enabled=False, code_length=8)
        class TestOff:
            def test_off(self):
                assert reach.innermost is None

            @pytest.mark.pinpoint_otp(validity_period=5)
            def test_on(self):
                assert code_length() == 8

            @pytest.mark.parametrize("on", [False, pytest.param(True, marks=pytest.mark.pinpoint_otp)])
            def test_one_parameter(self, on):
                assert (reach.innermost is not None) is on

            @pytest.mark.pinpoint_otp
            class TestOn:
                def test_on(self):
                    assert code_length() == 8
        """,
        *arguments,
        passed=7,
    )


def test_of_several_markers_on_a_class_the_nearest_wins_and_a_base_class_is_wider(pytester: pytest.Pytester) -> None:
    marked_suite(
        pytester,
        """
        @pytest.mark.pinpoint_otp(code_length=5, allowed_attempts=1)
        @pytest.mark.pinpoint_otp(code_length=8)
        class TestStacked:
            def test_it(self, pinpoint_otp):
                assert code_length() == 8
                assert pinpoint_otp.messages[0].allowed_attempts == 1

        @pytest.mark.pinpoint_otp(enabled=False)
        @pytest.mark.pinpoint_otp(code_length=7)
        class TestDerived(TestStacked):
            def test_it(self):
                assert code_length() == 7

        class TestListed(TestStacked):
            pytestmark = [pytest.mark.pinpoint_otp(code_length=7), pytest.mark.pinpoint_otp(code_length=6)]

            def test_it(self, pinpoint_otp):
                assert code_length() == 7
                assert pinpoint_otp.messages[0].allowed_attempts == 1

        class TestSingle(TestStacked):
            pytestmark = pytest.mark.pinpoint_otp(code_length=7)

            def test_it(self):
                assert code_length() == 7
        """,
        passed=4,
    )


def test_a_marker_that_a_conftest_adds_to_a_class_is_wider_than_the_classes_own(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for cls in {item.parent for item in items}:
                cls.add_marker(pytest.mark.pinpoint_otp(code_length=5, allowed_attempts=1))
        """
    )
    marked_suite(
        pytester,
        """
        @pytest.mark.pinpoint_otp(code_length=8)
        class TestIt:
            def test_it(self, pinpoint_otp):
                assert code_length() == 8
                assert pinpoint_otp.messages[0].allowed_attempts == 1
        """,
        passed=1,
    )


def test_naming_the_fixture_wins_over_enabled_false(pytester: pytest.Pytester) -> None:
    marked_suite(
        pytester,
        """
        @pytest.mark.pinpoint_otp(enabled=False, code_length=8)
        def test_it(pinpoint_otp):
            assert code_length() == 8
        """,
        passed=1,
    )


MISTAKES = [
    ("(code_lenght=5)", "there is no option 'code_lenght'. Did you mean 'code_length'?"),
    # Told even where the marker leaves the test out.
    ("(enabled=False, code_lenght=8)", "there is no option 'code_lenght'. Did you mean 'code_length'?"),
    ("(enabeld=False)", "there is no option 'enabeld'. Did you mean 'enabled'?"),
    ("(5)", "takes keywords only, not 5."),
    ("(code_length='5')", "code_length takes an int, not '5' (str)."),
    ("(code_length=True)", "code_length takes an int, not True (bool)."),
    ("(code_length=6.0)", "code_length takes an int, not 6.0 (float)."),
    ("(assert_all_used=0)", "assert_all_used takes True or False, not 0 (int)."),
    ("(enabled='no')", "enabled takes True or False, not 'no'."),
    ("(applications='one')", "applications takes application IDs in a list, set or tuple"),
    ("(seed=1.5)", "seed takes a str or an int, not 1.5 (float)."),
    ("(code_length=9)", "CodeLength is 9, but AWS accepts 5 to 8 digits."),
    (
        "(allowed_attempts=0, enforce_limits=False)",
        "AllowedAttempts is 0, which cannot be simulated; AWS accepts 1 to 5 attempts.",
    ),
]


@pytest.mark.parametrize("fixture", ["", "pinpoint_otp"], ids=["marked", "named"])
def test_a_mistake_is_an_error_at_the_tests_set_up(pytester: pytest.Pytester, fixture: str) -> None:
    tests = [
        f"""
        @pytest.mark.pinpoint_otp{arguments}
        def test_{number}({fixture}):
            raise AssertionError("not reached")

        def test_after_{number}():
            assert reach.innermost is None
        """
        for number, (arguments, _) in enumerate(MISTAKES)
    ]
    result = marked_suite(pytester, "".join(tests), passed=len(MISTAKES), errors=len(MISTAKES))
    told = [line for line in result.outlines if line.startswith("@")]
    for line, (_, message) in zip(told, MISTAKES, strict=True):
        assert line.startswith("@pytest.mark.pinpoint_otp")
        assert message in line
    result.stdout.no_fnmatch_line("*During handling*")
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_mistake_in_a_wider_marker_is_told_too(pytester: pytest.Pytester) -> None:
    result = marked_suite(
        pytester,
        """
        pytestmark = pytest.mark.pinpoint_otp(sead=5)

        @pytest.mark.pinpoint_otp(code_length=5)
        def test_it():
            raise AssertionError("not reached")
        """,
        errors=1,
    )
    result.stdout.fnmatch_lines(["*there is no option 'sead'. Did you mean 'seed'?"])


def test_a_marker_that_a_conftest_adds_at_set_up_activates_the_fake(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest

        def pytest_runtest_setup(item):
            if "eight" in item.name:
                item.add_marker(pytest.mark.pinpoint_otp(code_length=8))
        """
    )
    marked_suite(
        pytester,
        """
        def test_eight():
            assert code_length() == 8

        def test_without():
            assert reach.innermost is None
        """,
        passed=2,
    )


def test_the_list_of_markers_tells_what_the_marker_takes(pytester: pytest.Pytester) -> None:
    from pytest_pinpoint_otp.engine.options import OPTION_NAMES

    result = run(pytester, "--markers")
    (line,) = [line for line in result.outlines if line.startswith("@pytest.mark.pinpoint_otp(")]
    for name in (*OPTION_NAMES, "enabled"):
        assert name in line
    assert "send_otp_message" in line
    assert "narrower" in line
    assert "pinpoint_otp_autouse" in line


def test_the_marker_is_known_where_markers_have_to_be(pytester: pytest.Pytester) -> None:
    marked_suite(
        pytester,
        "@pytest.mark.pinpoint_otp\ndef test_it():\n    assert code_length() == 6\n",
        "--strict-markers",
        passed=1,
    )
