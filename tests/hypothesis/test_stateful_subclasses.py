"""What subclasses of the machine do, and what a failure of one looks like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from effort import THOROUGH, examples
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from log_ins import OTHER, PHONE, Application, fixed, machine_of
from suites import passes, run

from pytest_pinpoint_otp import active_pinpoint_otp
from pytest_pinpoint_otp.stateful import PROPERTIES, OTPStateMachine, Requested, Typed

Start = Callable[..., Any]


@pytest.fixture
def start() -> Iterator[Start]:
    """A function that starts a machine, as a failing example that is pasted does."""
    started = []

    def start(machine: type[OTPStateMachine]) -> Any:
        state = machine()
        state.start(seed=0, leading_zeros=False)
        started.append(state)
        return state

    yield start
    for state in reversed(started):
        state.teardown()


# -- Subclasses --------------------------------------------------------------------------------------------------------


def test_the_fake_is_left_whatever_teardown_does(start: Start) -> None:
    class Machine(machine_of(Application)):  # type: ignore[misc]
        def teardown(self) -> None:
            self.application = None

    state = start(Machine)
    assert active_pinpoint_otp() is state.fake
    state.teardown()

    assert state.application is None
    with pytest.raises(RuntimeError):
        active_pinpoint_otp()


def test_the_fake_is_left_where_teardown_raises_and_where_super_is_called_first() -> None:
    class Machine(machine_of(Application)):  # type: ignore[misc]
        def teardown(self) -> None:
            super().teardown()
            assert active_pinpoint_otp() is self.fake
            raise OSError("disk full")

    state = Machine()
    state.start(seed=0, leading_zeros=False)
    with pytest.raises(OSError, match="disk full"):
        state.teardown()
    with pytest.raises(RuntimeError):
        active_pinpoint_otp()


@pytest.mark.parametrize("place", ["begin", "request_code", "property"])
def test_the_fake_is_left_where_an_example_fails_that_is_pasted_into_a_test(place: str) -> None:
    class Machine(machine_of(Application)):  # type: ignore[misc]
        def begin(self) -> None:
            super().begin()
            if place == "begin":
                raise OSError("disk full")

        def request_code(self, phone: str) -> bool:
            if place == "request_code":
                raise OSError("disk full")
            super().request_code(phone)
            return False

    state = Machine()
    with pytest.raises((OSError, AssertionError), match=r"disk full|sent_text_is_reported"):  # noqa: PT012 - as pasted
        state.start(seed=0, leading_zeros=False)
        state.request(PHONE)
        state.teardown()
    with pytest.raises(RuntimeError):
        active_pinpoint_otp()


def test_a_machine_goes_on_to_the_next_class_in_line() -> None:
    class Labelled:
        def __init_subclass__(cls, label: str = "", **kwargs: Any) -> None:
            super().__init_subclass__(**kwargs)
            cls.label = label

    class Machine(machine_of(Application), Labelled, label="log-ins"):  # type: ignore[misc]
        pass

    assert Machine.label == "log-ins"


def test_the_fake_is_left_where_begin_raises_in_a_run() -> None:
    class Machine(machine_of(Application)):  # type: ignore[misc]
        def begin(self) -> None:
            assert active_pinpoint_otp() is self.fake
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run_state_machine_as_test(Machine, settings=fixed)
    with pytest.raises(RuntimeError):
        active_pinpoint_otp()


def test_initializers_of_a_subclass_find_the_fake_and_the_application() -> None:
    seen = []

    class Machine(machine_of(Application)):  # type: ignore[misc]
        @initialize()
        def add_a_user(self) -> None:
            assert active_pinpoint_otp() is self.fake
            seen.append(self.application)

        @initialize()
        def zero_users(self) -> None:
            seen.append(self.application)

    run_state_machine_as_test(Machine, settings=settings(fixed, max_examples=examples(15), stateful_step_count=5))

    assert len(seen) >= 20


@pytest.mark.parametrize(
    ("attributes", "error", "message"),
    [
        ({"max_guesses": "5"}, TypeError, r"max_guesses takes an int \(wrong codes within guess_window, such as 10\)"),
        ({"max_guesses": -1}, ValueError, r"max_guesses is -1, but takes 0 or more"),
        ({"max_texts": 2.5}, TypeError, r"max_texts takes an int \(texts within text_window, such as 5; None: any\)"),
        ({"tolerated_errors": 0}, ValueError, r"tolerated_errors is 0, but takes 1 or more"),
        ({"guess_window": 3600}, TypeError, r"guess_window takes a timedelta, such as timedelta\(hours=1\), not 3600"),
        ({"text_window": "1h"}, TypeError, r"text_window takes a timedelta, such as timedelta\(hours=1\), not '1h'"),
        ({"phones": [12025550101]}, TypeError, r"phones takes phone numbers such as '\+12025550101', not 12025550101"),
        ({"phones": ["12025550101"]}, ValueError, r"phones: '12025550101' is not a phone number in E\.164"),
        (
            {"options": {"assert_all_used": True}},
            ValueError,
            r"options: assert_all_used is True, but .*: leave it out\.",
        ),
        ({"options": {"code_lenght": 8}}, TypeError, r"options: there is no option 'code_lenght'\. Did you mean"),
    ],
)
def test_an_attribute_of_the_wrong_kind_is_refused_where_it_is_written(
    attributes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=rf"^Machine\.{message}"):
        machine_of(Application, **attributes)


RULES = [name for name in dir(OTPStateMachine) if hasattr(getattr(OTPStateMachine, name), "hypothesis_stateful_rule")]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_left_out_by_its_name(name: str) -> None:
    machine = machine_of(Application, **{name: None})
    steps = 30 if THOROUGH else 10

    run_state_machine_as_test(machine, settings=settings(fixed, max_examples=examples(3), stateful_step_count=steps))


@pytest.mark.parametrize("name", RULES)
def test_a_method_in_the_place_of_a_rule_is_refused_where_it_is_written_unless_it_is_a_rule(name: str) -> None:
    told = rf"^Machine\.{name} takes the place of a rule and is not a rule: decorate it with @rule .*{name} = None"
    with pytest.raises(TypeError, match=told):
        machine_of(Application, **{name: lambda self: None})


def test_a_rule_may_be_overridden_by_another() -> None:
    taken = []

    class Machine(machine_of(Application)):  # type: ignore[misc]
        @rule(phone=st.just(OTHER), minutes=st.just(1))
        def opt_out(self, phone: str, minutes: int) -> None:
            super().opt_out(phone)
            taken.append(minutes)

    run_state_machine_as_test(Machine, settings=settings(fixed, max_examples=examples(10)))

    assert {*taken} == {1}


@pytest.mark.parametrize("name", ["failures", "sends", "operations", "fail", "is_live"])
def test_a_name_that_the_machine_needs_itself_is_refused_where_it_is_taken(name: str) -> None:
    refused = rf"^Machine\.{name} is what the machine itself needs: choose another name\."
    with pytest.raises(TypeError, match=refused):
        machine_of(Application, **{name: lambda self: []})

    def begin(self: Any) -> None:
        setattr(self, name, [])

    with pytest.raises(TypeError, match=refused):
        run_state_machine_as_test(machine_of(Application, begin=begin), settings=fixed)
    with pytest.raises(RuntimeError):
        active_pinpoint_otp()


def test_the_page_tells_all_rules_properties_and_attributes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "state-machine.md").read_text(encoding="utf-8")
    told = {name for line in page.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line)}

    assert {*RULES, *PROPERTIES} <= told
    attributes = {name for name, value in vars(OTPStateMachine).items() if not callable(value)} - {"tally"}
    assert {name for name in attributes if not name.startswith("_")} <= told


def test_a_property_is_a_method_and_can_be_left_out_at_times(start: Start) -> None:
    judged: list[Requested | Typed] = []

    class Machine(machine_of(Application)):  # type: ignore[misc]
        def failed_delivery_is_not_reported_as_sent(self, requested: Requested) -> str | None:
            judged.append(requested)
            return super().failed_delivery_is_not_reported_as_sent(requested) if requested.phone == PHONE else None

        def code_works_once(self, typed: Typed) -> str | None:
            judged.append(typed)
            return "it did not" if typed.code == "000000" else None

        def request_code(self, phone: str) -> bool:
            super().request_code(phone)
            return True

    state = start(Machine)
    state.opt_out(OTHER)
    state.opt_out(PHONE)
    state.request(OTHER)
    with pytest.raises(AssertionError, match=r"^failed_delivery_is_not_reported_as_sent: request_code"):
        state.request(PHONE)
    state = start(Machine)
    with pytest.raises(AssertionError, match=r"^code_works_once: it did not\."):
        state.type_code(PHONE, "000000")

    assert [type(one) for one in judged] == [Requested, Requested, Typed]
    assert [str(one) for one in judged] == [
        f"request_code({OTHER!r}) returned True",
        f"request_code({PHONE!r}) returned True",
        f"check_code({PHONE!r}, '000000') returned False",
    ]


def test_a_rule_of_ones_own_types_any_code_and_draws_texts(start: Start) -> None:
    typed = []

    class Machine(machine_of(Application)):  # type: ignore[misc]
        @rule(text=OTPStateMachine.texts)
        def type_code_by_voice(self, text: Any) -> None:
            typed.append(self.type_code(text.destination, text.code))

    run_state_machine_as_test(Machine, settings=settings(fixed, max_examples=10))
    assert {*typed} <= {True, False, None}
    assert typed

    state = start(Machine)
    text = state.request(PHONE)
    assert state.type_code(phone=PHONE, code=state.fake.wrong_code(PHONE)) is False
    assert state.type_code(text=text) is True
    assert state.type_code(text) is False
    assert state.type_code(OTHER, text.code) is False
    for arguments in [(), (PHONE,), (None, text.code)]:
        with pytest.raises(TypeError, match=r"type_code takes a text, or a phone and a code as str, not "):
            state.type_code(*arguments)


def test_a_phone_may_be_the_only_one(start: Start) -> None:
    phones = [PHONE]
    run_state_machine_as_test(machine_of(Application, phones=phones), settings=settings(fixed, max_examples=5))

    state = start(machine_of(Application, phones=phones))
    assert state.request_and_type_code(PHONE)


# -- Settings ----------------------------------------------------------------------------------------------------------


def test_the_explain_phase_is_off_unless_it_is_chosen() -> None:
    machine = machine_of(Application)
    test_case = machine.TestCase
    assert Phase.explain not in test_case.settings.phases
    assert {Phase.generate, Phase.shrink} <= {*test_case.settings.phases}

    test_case.settings = settings(phases=[Phase.explain, Phase.shrink, Phase.generate], deadline=timedelta(days=1))
    assert machine.TestCase.settings.deadline == timedelta(days=1)

    decorated = settings(max_examples=7)(machine_of(Application))
    assert decorated.TestCase.settings.max_examples == 7


def test_a_run_has_thirty_steps_unless_a_profile_says_otherwise() -> None:
    assert machine_of(Application).TestCase.settings.stateful_step_count == 30

    settings.register_profile("thorough", stateful_step_count=80)
    settings.load_profile("thorough")
    try:
        assert machine_of(Application).TestCase.settings.stateful_step_count == 80
    finally:
        settings.load_profile("everywhere the same")


def test_hypothesis_has_what_the_machine_takes_of_its_insides() -> None:
    # Without them it works, but initializers come in any order, and failures are shrunk less.
    state = machine_of(Application)()

    assert "_initialize_rules_to_run" in vars(state)
    assert hasattr(vars(state)["_rules_strategy"], "enabled_rules_strategy")


# -- A failure ---------------------------------------------------------------------------------------------------------


def test_a_failure_is_a_few_lines_that_name_texts_and_can_be_pasted(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "-p",
        "hypothesispytest",
        test_it="""
            import hypothesis
            from application import send, verify
            from pytest_pinpoint_otp.stateful import OTPStateMachine

            class Machine(OTPStateMachine):
                properties = ["refused_code_lets_nobody_in"]
                may_test_nothing = True
                guess_through_resends = log_in_while_others_guess = log_in_while_others_ask = None

                def begin(self):
                    self.used = set()

                def request_code(self, phone):
                    try:
                        return send(DestinationIdentity=phone) == "SUCCESSFUL"
                    except Exception:
                        return False

                def check_code(self, phone, code):
                    # Any code that was texted lets in, however old.
                    return code in [text.code for text in self.fake.inbox(phone)[:-1]]

            TestMachine = Machine.TestCase
            TestMachine.settings = hypothesis.settings(TestMachine.settings, derandomize=True, database=None)
        """,
    )

    passes(result, failed=1)
    told = result.stdout.str()
    steps = re.findall(r"^E +((?:text_\d+ = )?state\b.*)", told, re.MULTILINE)
    assert steps[0] == "state = Machine()"
    assert re.fullmatch(r"text_0 = state\.\w+\(.*\)", steps[2])
    assert "state.type_code(text=text_0)" in steps
    assert steps[-1] == "state.teardown()"
    assert len(steps) <= 7
    assert "pytest_pinpoint_otp/stateful" not in told
    assert "Explanation:" not in told
    assert "were always run" not in told


def test_what_was_printed_can_be_pasted(start: Start) -> None:
    state = start(machine_of(Application))
    text_0 = state.request(phone=PHONE)
    text_1 = state.request_and_type_code(phone=PHONE)
    state.type_code(text=text_0)
    state.type_malformed_code(text=text_1, form="blanks")

    assert [one.otp for one in state.fake.verifications] == [text_1.code, text_0.code, "      "]
