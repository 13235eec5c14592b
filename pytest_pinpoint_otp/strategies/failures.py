"""Strategies for what calls may end in: outcomes and failure plans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from pytest_pinpoint_otp.apis import OPERATIONS
from pytest_pinpoint_otp.engine.argument_checks import check_int, check_str, kind
from pytest_pinpoint_otp.engine.faults.outcomes import VERDICTS, Delivery, DeliveryStatus, ErrorResponse, RawResponse
from pytest_pinpoint_otp.engine.faults.parsing import PER, read_operation
from pytest_pinpoint_otp.engine.faults.plans import FailurePlan, FailureStep
from pytest_pinpoint_otp.engine.faults.transport_errors import DRAWN_BY_CHAOS, LostResponse, find_transport_exception
from pytest_pinpoint_otp.strategies.values import CHARACTERS, as_strategy

if TYPE_CHECKING:
    from pytest_pinpoint_otp.apis.names import OperationName

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


_Strategies = Mapping[str, st.SearchStrategy[Any]]
Filter = str | st.SearchStrategy[Any] | None


def outcomes(operation: OperationName = "SendOTPMessage") -> st.SearchStrategy[Any]:
    """Outcomes that ``inject`` takes: errors, transport failures, lost and raw answers, all equally likely. An
    operation that sends also has deliveries, and one that verifies has forced verdicts.

    A few of the raw answers are bytes that are not UTF-8. For these, botocore itself raises UnicodeDecodeError, as it
    does when a real answer arrives damaged.

    Args:
        operation: a faked operation, as AWS or as boto3 spells it.

    Shrinks to a plain delivery status or error.

    Raises:
        ValueError: no such operation.
    """
    return _outcomes(_kinds(read_operation("outcomes", operation), failing=False))


@st.composite
def _outcomes(draw: st.DrawFn, kinds: Sequence[st.SearchStrategy[Any]]) -> Any:
    # Far more numbers than kinds: Hypothesis draws nothing twice, and would soon have drawn all of the kinds with few
    # values.
    return draw(kinds[draw(st.integers(0, 100 * len(kinds) - 1)) % len(kinds)])


def _kinds(name: str, *, failing: bool) -> list[st.SearchStrategy[Any]]:
    """Return the strategies for the kinds of outcomes that an operation has, first those without further members.

    Not kept: they hold classes of botocore, which pytester replaces.

    Args:
        name: the operation.
        failing: whether to leave out those that are no failure.
    """
    operation = OPERATIONS[name]
    # Names, because Hypothesis prints an enum's member as nothing that can be pasted.
    statuses = st.sampled_from([str(one) for one in DeliveryStatus if not (failing and Delivery(one).delivered)])
    errors = st.sampled_from(sorted(operation.api.errors))
    others = [
        st.sampled_from([*filter(None, map(find_transport_exception, DRAWN_BY_CHAOS))]),
        st.builds(LostResponse, st.sampled_from([None, "ConnectionClosedError"])),
        st.builds(RawResponse, st.sampled_from([200, 403, 502, 503]), body=_BODIES),
    ]
    if operation.verifies:
        others.append(st.sampled_from([one for one in VERDICTS if not (failing and one == "VALID")]))
    plain = [st.builds(Delivery, statuses), st.builds(ErrorResponse, errors)]
    detailed = [_deliveries(statuses), st.builds(ErrorResponse, errors, message=_TEXT)]
    first = 0 if operation.sends else 1
    return [*plain[first:], *others, *detailed[first:], *others]


@st.composite
def _deliveries(draw: st.DrawFn, statuses: st.SearchStrategy[str]) -> Delivery:
    # One draw for all members: Hypothesis varies what has many draws so often that other kinds would hardly come.
    status, names = draw(statuses), draw(_GIVEN)
    members: dict[str, Any] = {name: draw(_OF_DELIVERY[name]) for name in names}
    return Delivery(status, **members)


_TEXT: Final = st.text(CHARACTERS)
_OF_DELIVERY: Final = {
    "status_message": _TEXT,
    # An empty one leaves the member out of the answer.
    "message_id": _TEXT,
    "updated_token": _TEXT,
    "endpoint_id": st.text(CHARACTERS, min_size=1),
}
_GIVEN: Final = st.sampled_from([*([name] for name in _OF_DELIVERY), [*_OF_DELIVERY]])

_PAGES: Final = st.sampled_from(
    [b"", b"{}", b"[]", b"null", b'{"', b"<html><body><h1>502 Bad Gateway</h1></body></html>", b"upstream timed out"]
)
_WRITTEN: Final = st.text(CHARACTERS).map(str.encode)
_BODIES: Final = st.one_of(_PAGES, _PAGES, _PAGES, _WRITTEN, _WRITTEN, st.binary(max_size=64))
"""What proxies answer, any texts, and sometimes any bytes, most of which are not UTF-8."""


def failure_plans(
    *,
    max_steps: int = 5,
    operations: Iterable[OperationName] | None = None,
    destination: Filter = None,
    reference_id: Filter = None,
    application_id: Filter = None,
) -> st.SearchStrategy[FailurePlan]:
    """Failure plans: a ``FailurePlan`` whose steps each make something fail, per call or per attempt.

    Args:
        max_steps: how many steps a plan has at most.
        operations: the operations that steps are for. None: every faked one, and mostly those that send and verify.
        destination: the destination of each step: a value, or a strategy that draws values and None. None means any, as
            with the next two.
        reference_id: the reference of each step.
        application_id: the application of each step.

    Shrinks to the empty plan, or to one step whose members have their defaults.

    Raises:
        TypeError: ``max_steps`` is not an int, ``operations`` is not a list, or a filter is not a str.
        ValueError: ``max_steps`` is negative, or there is no such operation.
    """
    check_int("failure_plans: max_steps", max_steps, 0)
    names = _read_operations(operations)
    # Most of the others only keep what a flow begins with.
    often = [name for name in names if OPERATIONS[name].sends or OPERATIONS[name].verifies]
    operation = st.sampled_from(often or names) | st.sampled_from(names)
    given = {"destination": destination, "reference_id": reference_id, "application_id": application_id}
    # Made now: the first time, botocore is imported, and that is no part of drawing.
    outcomes_of = {name: _outcomes(_kinds(name, failing=True)) for name in names}
    steps = _steps(
        operation, outcomes_of, {name: _read_filter(name, value) for name, value in given.items() if value is not None}
    )
    # A needless step shrinks to None, which changes nothing. The simplest step would make another call fail.
    slots = st.lists(st.one_of(st.none(), steps, steps, steps), max_size=max_steps)
    return slots.map(lambda made: FailurePlan(tuple(step for step in made if step is not None)))


def _read_operations(given: Iterable[str] | None) -> list[str]:
    if given is None:
        return list(OPERATIONS)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"failure_plans: operations takes a list of names, not {kind(given)}.")
    names = [read_operation("failure_plans", name) for name in given]
    if not names:
        raise ValueError("failure_plans: operations is empty: name at least one, or leave it out.")
    return names


def _read_filter(name: str, value: str | st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    if not isinstance(value, st.SearchStrategy):
        check_str(f"failure_plans: {name}", value, "a str, or a strategy for it")
    return as_strategy(value)


@st.composite
def _steps(
    draw: st.DrawFn, operations: st.SearchStrategy[str], outcomes_of: _Strategies, filters: _Strategies
) -> FailureStep:
    operation = draw(operations)
    return FailureStep(
        draw(outcomes_of[operation]),
        operation,
        per=draw(_PER),
        after=draw(_AFTER),
        times=draw(_TIMES),
        **{name: draw(strategy) for name, strategy in filters.items()},
    )


_PER: Final = st.sampled_from(PER)
_AFTER: Final = st.integers(0, 3)
_TIMES: Final = st.sampled_from((1, 2, 3, None))
