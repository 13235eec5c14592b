"""Strategies for what calls may end in: outcomes and failure plans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from pytest_pinpoint_otp.apis import OPERATIONS
from pytest_pinpoint_otp.engine.checks import check_int, kind
from pytest_pinpoint_otp.engine.faults.outcomes import VERDICTS, Delivery, DeliveryStatus, ErrorResponse, RawResponse
from pytest_pinpoint_otp.engine.faults.plans import FailurePlan, FailureStep
from pytest_pinpoint_otp.engine.faults.reading import PER, read_operation
from pytest_pinpoint_otp.engine.faults.transport_errors import DRAWN_BY_CHAOS, LostResponse, find_transport_exception
from pytest_pinpoint_otp.strategies.values import CHARACTERS

if TYPE_CHECKING:
    from pytest_pinpoint_otp.apis.names import OperationName

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


def outcomes(operation: OperationName = "SendOTPMessage") -> st.SearchStrategy[Any]:
    """Outcomes that ``inject`` takes: errors, transport failures, lost and raw answers; of an operation that sends,
    deliveries as well, and of one that verifies, forced verdicts.

    Args:
        operation: a faked operation, as AWS or as boto3 spells it.

    Shrinks to a delivery status or error without further members.

    Raises:
        ValueError: no such operation.
    """
    return _outcomes(read_operation("outcomes", operation))


def _outcomes(name: str) -> st.SearchStrategy[Any]:
    operation = OPERATIONS[name]
    plain = [
        *([Delivery(status) for status in DeliveryStatus] if operation.sends else ()),
        *map(ErrorResponse, operation.api.errors),
        *filter(None, map(find_transport_exception, DRAWN_BY_CHAOS)),
        LostResponse(),
        *(VERDICTS if operation.verifies else ()),
    ]
    message = st.none() | st.text(CHARACTERS)
    deliveries = st.builds(
        Delivery,
        # Names, because Hypothesis prints an enum's member as nothing that can be pasted.
        st.sampled_from([str(status) for status in DeliveryStatus]),
        status_message=message,
        updated_token=message,
        endpoint_id=st.none() | st.text(CHARACTERS, min_size=1),
        message_id=message,
    )
    errors = st.builds(ErrorResponse, st.sampled_from(sorted(operation.api.errors)), message=message)
    raw = st.builds(RawResponse, st.sampled_from([200, 403, 502, 503]), body=st.binary(max_size=64))
    # The plain ones are a single draw, so that Hypothesis shrinks to them.
    kinds = [st.sampled_from(plain), errors, raw]
    return st.one_of([*kinds, deliveries] if operation.sends else kinds)


def failure_plans(
    *, max_steps: int = 5, operations: Iterable[OperationName] | None = None
) -> st.SearchStrategy[FailurePlan]:
    """Failure plans: a ``FailurePlan`` of steps, per call and per attempt.

    Args:
        max_steps: how many steps at most.
        operations: the operations that steps are for. None: all that are faked, those that send and verify most often.

    Shrinks to the empty plan, then to one step with its members at their defaults.

    Raises:
        TypeError: ``max_steps`` is not an int, or ``operations`` is not a list.
        ValueError: ``max_steps`` is negative, or there is no such operation.
    """
    check_int("failure_plans: max_steps", max_steps, 0)
    steps = {name: _steps(name) for name in _read_operations(operations)}
    # Most of the others only keep what a flow begins with.
    often = [name for name in steps if OPERATIONS[name].sends or OPERATIONS[name].verifies]
    named = st.sampled_from(often or list(steps)) | st.sampled_from(list(steps))
    step = named.flatmap(steps.__getitem__)
    return st.lists(step, max_size=max_steps).map(lambda made: FailurePlan(tuple(made)))


def _read_operations(given: Iterable[str] | None) -> list[str]:
    if given is None:
        return list(OPERATIONS)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"failure_plans: operations takes a list of names, not {kind(given)}.")
    names = [read_operation("failure_plans", name) for name in given]
    if not names:
        raise ValueError("failure_plans: operations is empty: name at least one, or leave it out.")
    return names


def _steps(operation: str) -> st.SearchStrategy[FailureStep]:
    return st.builds(
        FailureStep,
        _outcomes(operation),
        st.just(operation),
        per=st.sampled_from(PER),
        after=st.integers(0, 3),
        times=st.sampled_from((1, 2, 3, None)),
    )
