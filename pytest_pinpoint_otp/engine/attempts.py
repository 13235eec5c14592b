"""What the service does for one attempt: deliver a code, judge one, write an error, or change what an API keeps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pytest_pinpoint_otp.apis.base import (
    CodeRequest,
    DeliveryReport,
    Guess,
    Operation,
    Reading,
    Refusal,
    SendOperation,
    StoreOperation,
    VerifyOperation,
)
from pytest_pinpoint_otp.apis.rest_json import Response
from pytest_pinpoint_otp.engine.codes import VerificationReason, describe, fits, say_length
from pytest_pinpoint_otp.engine.faults.outcome_base import Answer, Outcome
from pytest_pinpoint_otp.engine.faults.outcomes import Delivery, DeliveryStatus
from pytest_pinpoint_otp.engine.faults.quotas import read_denial
from pytest_pinpoint_otp.engine.records import Attempt, Call, SentMessage, Verification, make
from pytest_pinpoint_otp.engine.service_state import State

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_SUCCESSFUL: Final = Delivery(DeliveryStatus.SUCCESSFUL).report()


class AttemptWork:
    """One attempt of a call. After `begin`, an outcome chooses how it is answered.

    Args:
        state: the state of the service.
        operation: the call's operation.
        reading: what the request says.
        invocation_id: the ID of the call that it belongs to.
        call: the call, as it was before the attempt; None: this is its first attempt.
    """

    __slots__ = (
        "_call",
        "_drawn",
        "_state",
        "asked",
        "invocation_id",
        "now",
        "operation",
        "own",
        "reading",
        "request_id",
    )

    def __init__(
        self, state: State, operation: Operation, reading: Reading, invocation_id: str, call: Call | None
    ) -> None:
        self._state = state
        self._call = call
        self.operation: Final = operation
        self.reading: Final = reading
        self.invocation_id: Final = invocation_id
        self.asked: CodeRequest | Guess | None = None
        """What the request asks for, once it is accepted."""
        self.own: Outcome | None = None
        """What the service itself ends the call in, such as the outcome of a quota; None: it carries the call out."""

    @property
    def call(self) -> Call:
        """The call, as it was before the attempt. Made only when it is read: most sends need none."""
        if self._call is None:
            said = self.reading
            self._call = Call(
                self.operation.name,
                said.application_id,
                said.destination,
                said.reference_id,
                said.parameters,
                self.invocation_id,
            )
        return self._call

    def begin(self) -> None:
        """Draw the attempt's IDs and read the clock, after any callable of the test, which may move it."""
        state = self._state
        self.request_id, self._drawn = state.draw_ids()
        self.now = state.clock.now()

    def record(self, outcome: str, status_code: int | None, error_message: str | None, source: str) -> None:
        """Record what the attempt ended in, and who decided that."""
        call, reading, now, request_id = self._call, self.reading, self.now, self.request_id
        earlier = () if call is None else call.attempts
        attempt = make(Attempt, (len(earlier) + 1, outcome, status_code, request_id, now, source))
        said = (
            self.operation.name,
            reading.application_id,
            reading.destination,
            reading.reference_id,
            reading.parameters,
            self.invocation_id,
            (*earlier, attempt),
            outcome,
            status_code,
            error_message,
            request_id,
            now,
            source,
        )
        self._state.journal.write_call(make(Call, said))

    def carry_out(self) -> Answer:
        """Do what the call asks for, as the service does without an injection."""
        if self.own is not None:
            return self.own.carry_out(self)
        if isinstance(self.operation, SendOperation):
            return self.deliver(_SUCCESSFUL)
        if isinstance(self.operation, VerifyOperation):
            return self._judge()
        assert isinstance(self.operation, StoreOperation)  # there are no others
        return self._store(self.operation)

    def deliver(self, report: DeliveryReport) -> Answer:
        """Answer a send. A delivery that succeeds issues a code; one that fails changes nothing."""
        operation, state = self.operation, self._state
        assert isinstance(operation, SendOperation)  # no other operation takes a delivery
        drawn = self._drawn
        message_id = report.message_id or operation.message_prefix + drawn
        if report.delivered:
            asked = self.asked
            assert isinstance(asked, CodeRequest)  # what a send asks for
            if state.misplaced_options:
                _check_options(state, operation)
            queue = state.codes.queue
            code = queue[0] if queue else None
            if code is not None:
                _check_queued(code, asked, operation)
            _deliver(state, operation, asked, code, self.now, self.request_id, message_id, drawn)
            if code is not None:
                queue.popleft()
            if state.faults.rate_limits:
                state.faults.rate_limits.count_delivery(self.call, self.now)
        response = operation.write_delivery(self.reading, report, message_id, drawn, self.request_id)
        return Answer(report.status, response.status_code, None, response)

    def give_verdict(self, valid: bool) -> Answer:
        """Answer a verification without judging its code."""
        assert isinstance(self.operation, VerifyOperation)  # no other operation takes a verdict
        response = self.operation.write_verdict(valid, self.request_id)
        return Answer("VALID" if valid else "INVALID", response.status_code, None, response)

    def write_error(
        self, name: str, status_code: int, message: str, members: Mapping[str, Any] | None = None
    ) -> Answer:
        """Answer an error of the API."""
        members = members or self.operation.find_error_members(name, self.reading)
        response = self.operation.api.write_error(name, status_code, message, self.request_id, members)
        return Answer(name, status_code, message, response)

    def _judge(self) -> Answer:
        """Answer a verification by the rules."""
        state = self._state
        assert isinstance(self.asked, Guess)  # what a verification asks for
        key, code = self.asked
        reason, attempts_left = state.codes.verify(key, code, self.now)
        valid = reason is VerificationReason.VALID
        state.journal.verifications.append(
            Verification(*key, code, valid, reason, attempts_left, self.now, self.request_id)
        )
        return self.give_verdict(valid)

    def _store(self, operation: StoreOperation) -> Answer:
        """Answer an operation that reads or changes what the API keeps."""
        kept = self._state.kept[operation.api.name]
        try:
            response: Response = operation.carry_out(self.reading, kept, self._drawn, self.now, self.request_id)
        except Refusal as refusal:
            status_code = operation.api.errors[refusal.name]
            return self.write_error(refusal.name, status_code, refusal.message, refusal.members)
        return Answer("OK", response.status_code, None, response)


def find_own_outcome(state: State, work: AttemptWork) -> tuple[Outcome, str] | None:
    """Return the outcome by which the service itself refuses a send, and who decided it; None: it does not."""
    known, operation = state.options.originations, work.operation
    if not operation.sends or not (state.faults.rate_limits or state.faults.opted_out or known is not None):
        return None
    assert isinstance(operation, SendOperation)  # no other sends
    found = state.faults.of_service(work.call, operation, state.clock.now)
    if found is None and known is not None and work.call.origination not in known:
        found = read_denial(operation.unknown_origination), "service"
    return found


def issue(state: State, operation: SendOperation, asked: CodeRequest, code: str | None) -> SentMessage:
    """Issue a code without a call, and let its text reach the handset.

    Args:
        state: the state of the service.
        operation: what the code is issued by.
        asked: what its request would ask for.
        code: the code; None: one is drawn.

    Raises:
        ValueError: the code is not of the kind that the request asks for, or an option is not for this API.
    """
    _check_options(state, operation)
    if code is not None and not fits(code, asked.policy):
        raise ValueError(
            f"the code {code!r} does not consist of {describe(asked.policy)}: give the code_type that it has, such as"
            " 'ALPHANUMERIC'."
        )
    request_id, drawn = state.draw_ids()
    message_id = operation.message_prefix + drawn
    return _deliver(state, operation, asked, code, state.clock.now(), request_id, message_id, drawn)


def _check_options(state: State, operation: Operation) -> None:
    """Refuse to issue a code by options that the operation's API does not accept."""
    misplaced = state.misplaced_options.get(operation.api.name)
    if misplaced is not None:
        raise ValueError(misplaced)


def _check_queued(code: str, asked: CodeRequest, operation: Operation) -> None:
    """Refuse a code that a test has queued, and that is not of the kind that a send asks for."""
    if not fits(code, asked.policy):
        raise ValueError(
            f"The queued code {code!r} has {say_length(code)}, but this {operation.name} to"
            f" {asked.key.destination} asks for {describe(asked.policy)}: queue a code of that kind, or change what the"
            " application asks for."
        )


def _deliver(
    state: State,
    operation: SendOperation,
    asked: CodeRequest,
    code: str | None,
    now: datetime,
    request_id: str,
    message_id: str,
    drawn: str,
) -> SentMessage:
    """Issue a code, drawn if it is None, and let its text reach the handset."""
    key, policy, prefix = asked.key, asked.policy, operation.verification_prefix
    otp = state.codes.issue(key, policy, code=code, now=now)
    code = otp.code
    said = (
        key.application_id,
        key.destination,
        asked.origination,
        key.reference_id,
        asked.brand_name,
        asked.channel,
        asked.language,
        asked.entity_id,
        asked.template_id,
        code,
        code.join(asked.text),
        len(code),
        policy.validity_period,
        policy.allowed_attempts,
        now,
        otp.expires_at,
        message_id,
        request_id,
        operation.api.name,
        None if prefix is None else prefix + drawn,
        asked.configuration,
        asked.code_type,
        asked.context,
    )
    message = make(SentMessage, said)
    state.journal.write_message(message)
    return message
