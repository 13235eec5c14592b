"""What the service does for one attempt: deliver a code, judge one, write an error, or change what an API keeps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from pytest_pinpoint_otp.apis.base import (
    CodeRequest,
    Operation,
    Reading,
    Refusal,
    SendOperation,
    StoreOperation,
    VerifyOperation,
)
from pytest_pinpoint_otp.apis.rest_json import Response
from pytest_pinpoint_otp.engine.codes import OTP, VerificationReason, describe, fits
from pytest_pinpoint_otp.engine.faults.outcome_base import Answer, Deliverable, Outcome
from pytest_pinpoint_otp.engine.faults.outcomes import Delivery, DeliveryStatus
from pytest_pinpoint_otp.engine.faults.quotas import read_denial
from pytest_pinpoint_otp.engine.frozen import freeze_dict
from pytest_pinpoint_otp.engine.records import Call, SentMessage, Verification
from pytest_pinpoint_otp.engine.state import State

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_SUCCESSFUL: Final = Delivery(DeliveryStatus.SUCCESSFUL)


class Stamp(NamedTuple):
    """When a code is issued, and under which IDs."""

    now: datetime
    request_id: str
    message_id: str
    verification_id: str | None


class AttemptWork:
    """What can be done for one attempt of a call; an outcome says what is.

    Args:
        state: the state of the service.
        call: the call, as it was before the attempt.
        operation: its operation.
        reading: what the request says.
        own: what the service itself has against the call, such as a quota; None: nothing.
    """

    def __init__(
        self, state: State, call: Call, operation: Operation, reading: Reading, own: Outcome | None = None
    ) -> None:
        self._state = state
        self._call = call
        self._operation = operation
        self._reading = reading
        self._own = own
        self.request_id, self._drawn = state.draw_ids()
        self.now: Final = state.clock.now()

    def carry_out(self) -> Answer:
        """Do what the call asks for, as the service does without an injection."""
        if self._own is not None:
            return self._own.carry_out(self)
        if isinstance(self._operation, SendOperation):
            return self.deliver(_SUCCESSFUL)
        if isinstance(self._operation, VerifyOperation):
            return self._judge(self._operation)
        assert isinstance(self._operation, StoreOperation)  # there are no others
        return self._store(self._operation)

    def deliver(self, delivery: Deliverable) -> Answer:
        """Answer a send: with a code on its way where the delivery succeeds, and nothing changed where it fails."""
        operation, state = self._operation, self._state
        assert isinstance(operation, SendOperation)  # no other operation takes a delivery
        message_id, verification_id = operation.write_ids(self._drawn)
        report = delivery.report(message_id, verification_id)
        if delivery.delivered:
            queue = state.codes.queue
            stamp = Stamp(self.now, self.request_id, report.message_id or message_id, verification_id)
            issue(state, operation, self._reading, queue[0] if queue else None, stamp)
            if queue:
                queue.popleft()
            state.faults.count_delivery(self._call, self.now)
        response = operation.write_delivery(self._reading, report, self.request_id)
        return Answer(delivery.label, response.status_code, None, response)

    def give_verdict(self, valid: bool) -> Answer:
        """Answer a verification without judging its code."""
        assert isinstance(self._operation, VerifyOperation)  # no other operation takes a verdict
        response = self._operation.write_verdict(valid, self.request_id)
        return Answer("VALID" if valid else "INVALID", response.status_code, None, response)

    def write_error(
        self, name: str, status_code: int, message: str, members: Mapping[str, Any] | None = None
    ) -> Answer:
        """Answer an error of the API."""
        members = members or self._operation.find_error_members(name, self._reading)
        response = self._operation.api.write_error(name, status_code, message, self.request_id, members)
        return Answer(name, status_code, message, response)

    def _judge(self, operation: VerifyOperation) -> Answer:
        """Answer a verification by the rules."""
        state = self._state
        key, code = operation.read_guess(self._reading)
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
            response: Response = operation.carry_out(self._reading, kept, self._drawn, self.now, self.request_id)
        except Refusal as refusal:
            status_code = operation.api.errors[refusal.name]
            return self.write_error(refusal.name, status_code, refusal.message, refusal.members)
        return Answer("OK", response.status_code, None, response)


def find_own_outcome(state: State, call: Call, operation: Operation) -> tuple[Outcome, str] | None:
    """Return what the service itself has against a call, and who decides that; None: nothing."""
    known = state.options.originations
    if not operation.sends or not (state.faults.rate_limits or state.faults.opted_out or known is not None):
        return None
    assert isinstance(operation, SendOperation)  # no other sends
    found = state.faults.of_service(call, operation, state.clock.now)
    if found is None and known is not None and call.origination not in known:
        found = read_denial(operation.unknown_origination), "service"
    return found


def issue(
    state: State,
    operation: SendOperation,
    reading: Reading,
    code: str | None,
    stamp: Stamp | None = None,
) -> SentMessage:
    """Issue a code and let its text reach the handset.

    Args:
        state: the state of the service.
        operation: what the code is issued by.
        reading: what the request says.
        code: the code; None: one is drawn.
        stamp: the attempt's; None: no call is made, and the test gives the code.

    Raises:
        ValueError: the code is not of the kind that the request asks for, or an option is not for this API.
    """
    asked = operation.request_code(reading, state.options, state.kept[operation.api.name])
    misplaced = state.misplaced_options.get(operation.api.name)
    if misplaced is not None:
        raise ValueError(misplaced)
    if code is not None and not fits(code, asked.policy):
        if stamp is None:
            raise ValueError(f"the code {code!r} is not of {describe(asked.policy)}.")
        characters = "digits" if code.isdigit() else "characters"
        raise ValueError(
            f"The queued code {code!r} has {len(code)} {characters}, but this {operation.name} to"
            f" {asked.key.destination} asks for {describe(asked.policy)}: queue a code of that kind, or change what the"
            " application asks for."
        )
    if stamp is None:
        request_id, drawn = state.draw_ids()
        stamp = Stamp(state.clock.now(), request_id, *operation.write_ids(drawn))
    otp = state.codes.issue(asked.key, asked.policy, code=code, now=stamp.now)
    message = _write_message(asked, operation, otp, stamp)
    state.journal.write_message(message)
    return message


def _write_message(asked: CodeRequest, operation: SendOperation, otp: OTP, stamp: Stamp) -> SentMessage:
    code = otp.code
    application_id, destination, reference_id = asked.key
    _, _, validity_period, allowed_attempts = asked.policy
    now, request_id, message_id, verification_id = stamp
    # By position: naming the fields costs as much again as the record.
    return SentMessage(
        application_id,
        destination,
        asked.origination,
        reference_id,
        asked.brand_name,
        asked.channel,
        asked.language,
        asked.entity_id,
        asked.template_id,
        code,
        operation.write_text(asked, code),
        len(code),
        validity_period,
        allowed_attempts,
        now,
        otp.expires_at,
        message_id,
        request_id,
        operation.api.name,
        verification_id,
        asked.configuration,
        asked.code_type,
        None if asked.context is None else freeze_dict(asked.context),
    )
