"""What the machines share that compare the service with a model: time, quotas, opt-outs, the end, and every step."""

# ruff: noqa: D102 - the rules of the machine are named as sentences

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from botocore.exceptions import ConnectTimeoutError
from effort import FRESH, STEPS
from helpers import DESTINATION, OTHER_DESTINATION
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from model import LOST, MISTAKE, Fault, Only, Quota

from pytest_pinpoint_otp import LostResponse, RawResponse

STEPS_OF_AN_EXAMPLE = 50
START = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

FAILURES = ["RawResponse", "ConnectTimeoutError", LOST, LOST]
GIVEN = {"RawResponse": RawResponse(502), "ConnectTimeoutError": ConnectTimeoutError, LOST: LostResponse()}
"""Those outcomes that are not given by their names."""

# Few keys, of which one is the likeliest, so that much happens to each.
destinations = st.sampled_from([DESTINATION, DESTINATION, OTHER_DESTINATION])
spans = st.sampled_from([timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=15)])


def as_given(outcome: str | Only) -> Any:
    """Return an outcome as a test gives it."""
    if isinstance(outcome, Only):
        return lambda call: as_given(outcome.outcome) if call.destination == outcome.destination else None
    return GIVEN.get(outcome, outcome)


class ComparingMachine(RuleBasedStateMachine):
    """Drives a client, and compares all that it sees, and all that is recorded, with a model."""

    handles = Bundle("handles")
    quotas = Bundle("quotas")
    steps_done = 0
    """In all examples."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = -1
        self.travel = time_machine.travel(START, tick=False)
        self.travel.start()
        self.mock: Any = None
        self.fake: Any = None

    def make_model(self) -> Any:
        raise NotImplementedError

    def begin(self) -> None:
        self.model = self.make_model()
        self.now = START
        self.pairs: list[tuple[Any, Fault]] = []

    def teardown(self) -> None:
        type(self).steps_done += self.steps
        try:
            # What is due at the end is the business of a rule; here it would hide an earlier failure.
            with contextlib.suppress(AssertionError, ValueError):
                self.mock.stop()
        finally:
            self.travel.stop()

    # -- Time ----------------------------------------------------------------------------------------------------------

    @rule(microseconds=st.sampled_from([-1, 0, 1]))
    def go_to_the_end_of_a_validity_period(self, microseconds: int) -> None:
        ends = [message.expires_at for message in self.fake.messages if message.expires_at > self.now]
        if ends:
            self.go_on(min(ends) - self.now + timedelta(microseconds=microseconds))

    def go_on(self, duration: timedelta) -> None:
        self.fake.advance(duration)
        self.now += duration
        assert self.fake.now() == self.now

    # -- Faults --------------------------------------------------------------------------------------------------------

    def inject(
        self,
        outcomes: list[str | Only],
        operation: str,
        per: str,
        times: int | None,
        after: int,
        filters: tuple[str | None, str | None, str | None],
    ) -> Any:
        injection = self.fake.inject(
            *map(as_given, outcomes),
            operation=operation,
            per=per,
            times=times,
            after=after,
            **dict(zip(("application_id", "destination", "reference_id"), filters, strict=True)),
        )
        fault = Fault(outcomes, operation, per, times, after, filters)
        self.model.faults.append(fault)
        self.pairs.append((injection, fault))
        return injection, fault

    @rule(handle=consumes(handles))
    def cancel(self, handle: tuple[Any, Fault]) -> None:
        injection, cancelled = handle
        injection.cancel()
        assert injection.remaining == 0
        self.model.faults = [fault for fault in self.model.faults if fault is not cancelled]
        self.pairs = [pair for pair in self.pairs if pair[1] is not cancelled]

    def limit(self, count: int, per: timedelta, by: str, outcome: str | None, default: str) -> Any:
        limit = self.fake.limit_rate(count, per=per, by=by, outcome=outcome)
        quota = Quota(count, per, by, outcome or default, since=len(self.model.log))
        self.model.quotas.append(quota)
        return limit, quota

    @rule(handle=consumes(quotas))
    def lift_a_quota(self, handle: tuple[Any, Quota]) -> None:
        limit, lifted = handle
        limit.cancel()
        self.model.quotas = [quota for quota in self.model.quotas if quota is not lifted]

    @rule(number=destinations)
    def opt_out(self, number: str) -> None:
        self.fake.opt_out(number)
        self.model.opted_out.add(number)

    @rule(number=destinations)
    def opt_in(self, number: str) -> None:
        self.fake.opt_in(number)
        self.model.opted_out.discard(number)

    def queue(self, codes: list[str]) -> None:
        self.fake.queue_codes(*codes)
        self.model.queue += codes

    # -- The end -------------------------------------------------------------------------------------------------------

    @rule()
    @precondition(lambda self: self.is_worn())
    def reset(self) -> None:
        self.fake.reset()
        assert all(injection.remaining == 0 for injection, _ in self.pairs)
        self.begin()

    def is_worn(self) -> bool:
        """Tell whether a lot has happened, or a mistake, so that little new may come of it."""
        return len(self.model.calls) > 20 or self.is_mistaken()

    def is_mistaken(self) -> bool:
        return any(MISTAKE in attempts for attempts in self.model.calls)

    # -- What holds after every step -----------------------------------------------------------------------------------

    @invariant()
    def a_step_is_done(self) -> None:
        self.steps += 1

    @invariant()
    def the_records_agree_with_the_model(self) -> None:
        assert [[attempt.outcome for attempt in call.attempts] for call in self.fake.calls] == self.model.calls
        assert [message.code for message in self.fake.messages] == self.model.codes()
        assert [
            (one.application_id, one.destination, one.reference_id, one.otp, one.reason, one.attempts_left, one.at)
            for one in self.fake.verifications
        ] == [(*one.key, one.otp, one.reason, one.attempts_left, one.at) for one in self.model.judged()]
        assert all(one.valid == (one.reason == "VALID") for one in self.fake.verifications)

    @invariant()
    def the_handles_agree_with_the_model(self) -> None:
        for injection, fault in self.pairs:
            assert (injection.used, injection.remaining) == (fault.used, fault.left)

    @invariant()
    def no_id_repeats(self) -> None:
        ids = [attempt.request_id for call in self.fake.calls for attempt in call.attempts]
        ids += [message.message_id for message in self.fake.messages]
        assert len(ids) == len(set(ids))


def compare(machine: type[ComparingMachine]) -> None:
    """Take the steps that are asked for."""
    machine.steps_done = 0
    run_state_machine_as_test(
        machine,
        settings=settings(
            # Half as many again: Hypothesis ends some examples early.
            max_examples=STEPS * 3 // 2 // STEPS_OF_AN_EXAMPLE + 1,
            stateful_step_count=STEPS_OF_AN_EXAMPLE,
            derandomize=not FRESH,
            database=None,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
    assert machine.steps_done >= STEPS
