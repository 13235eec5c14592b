"""The OTP service: an HTTP request in, an HTTP response out, with everything that happens in between.

Here is the order of the rules; the rules themselves are in `limits`, `faults` and `engine`, the format in `wire`.
No botocore here: how requests get here is the business of `hooks`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from itertools import count
from typing import Any, Final

from pytest_pinpoint_otp.apis.limits import ParameterError, check_parameters
from pytest_pinpoint_otp.apis.operations import OPERATIONS, SEND
from pytest_pinpoint_otp.apis.rest_json import (
    Response,
    read_invocation_id,
    read_parameters,
    read_route,
    write_delivery,
    write_error,
    write_verification,
)
from pytest_pinpoint_otp.engine.clock import Clock
from pytest_pinpoint_otp.engine.codes import Engine, Key, VerificationReason
from pytest_pinpoint_otp.engine.faults.injections import Faults, Injection, Taken
from pytest_pinpoint_otp.engine.faults.outcomes import (
    Delivery,
    DeliveryStatus,
    ErrorResponse,
    LostResponse,
    Outcome,
    OutcomeCallable,
    RawResponse,
    TransportFailure,
    parse_outcome,
)
from pytest_pinpoint_otp.engine.faults.plans import Recording
from pytest_pinpoint_otp.engine.journal import Attempt, Call, Journal, SentMessage, Verification
from pytest_pinpoint_otp.engine.options import Options

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_SUCCESSFUL: Final = Delivery(DeliveryStatus.SUCCESSFUL)


_Answer = tuple[Attempt, str | None, Response | TransportFailure]
"""What one attempt came to: what the journal keeps of it, the error's message, and what goes back."""


class Service:
    """One in-memory OTP service.

    Args:
        options: how it behaves.
        lock: what guards its state. Callables of a test run outside of it, so they may use the fake and may block.
    """

    def __init__(self, options: Options, lock: threading.RLock) -> None:
        self.options: Final = options
        self.lock: Final = lock
        self.clock: Final = Clock()
        self.engine: Final = Engine(str(options.seed))
        self.faults: Final = Faults()
        self.journal: Final = Journal()
        self.recording: Final = Recording()
        self.mistakes: Final[list[Exception]] = []
        """Errors of the test that came up inside the application, which may have swallowed them."""
        self._request_ids, self._message_ids = _id_prefixes(str(options.seed))
        self._numbers = count(1)

    def respond(
        self, method: str, url: str, headers: Mapping[str, Any], body: bytes | str | None
    ) -> Response | TransportFailure:
        """Answer one request, or say which failure of the transport takes the answer's place.

        Args:
            method: the HTTP method.
            url: the URL, of any host and with any prefix before ``/v1/apps``.
            headers: the request's headers; ``amz-sdk-invocation-id`` tells which attempts are of one call.
            body: the JSON document.

        Raises:
            Exception: a mistake of the test, such as a queued code of the wrong length.
        """
        routed = read_route(url)
        if routed is None:
            return self.refuse(f"{method} {url}")
        operation, application_id = routed
        with self.lock:
            call, refusal = self._receive(operation, application_id, method, headers, body)
            if refusal is not None:
                return self._answer(call, refusal)
            attempt = self.recording.begin(call)
            taken = self.faults.take(call)
            if taken is None:
                return self._answer_by_itself(call, attempt)
            # A callable that is asked now may look for its call in the records.
            self.journal.write_call(call)
        return self._answer_by_injection(call, attempt, taken)

    def refuse(self, what: str) -> Response:
        """Answer a request that is for none of the faked operations, and keep no record of it."""
        with self.lock:
            request_id, _ = self._draw_ids()
        message = (
            f"{what} is not faked: pytest-pinpoint-otp answers {' and '.join(OPERATIONS)} only."
            " Fake the others with moto or botocore's Stubber."
        )
        # 501, because no retry mode of botocore retries it.
        return write_error("NotImplementedException", 501, message, request_id)

    def arrange(self, application_id: str, parameters: Mapping[str, Any], code: str | None) -> SentMessage:
        """Issue an OTP without a call, its text appearing among the messages.

        Raises:
            ParameterError: a parameter is refused.
            ValueError: the application does not exist.
        """
        with self.lock:
            if not self._knows(application_id):
                raise ValueError(self._not_found(application_id))
            check_parameters(SEND, parameters, enforce=self.options.enforce_limits)
            request_id, message_id = self._draw_ids()
            return self._send_text(application_id, parameters, code, self.clock.now(), request_id, message_id)

    def unused(self) -> list[str]:
        """Return what a test has arranged and no call has used: finite injections and queued codes, in words."""
        unused = [
            f"{injection!r}: used {injection.used}, {injection.remaining} left" for injection in self.faults.unused()
        ]
        if self.engine.queue:
            unused.append(f"queue_codes({', '.join(map(repr, self.engine.queue))})")
        return unused

    def _receive(
        self, operation: str, application_id: str, method: str, headers: Mapping[str, Any], body: bytes | str | None
    ) -> tuple[Call, ErrorResponse | None]:
        """Return the call that a request belongs to, and say why it is refused, if it is."""
        parameters, malformed = read_parameters(body)
        invocation_id = read_invocation_id(headers) or self._draw_ids()[0]
        call = self.journal.call(invocation_id)
        if call is not None and (*call[:2], call.parameters) != (operation, application_id, parameters):
            # botocore's attempts of one call are alike: this request only says the ID of another one.
            invocation_id, call = self._draw_ids()[0], None
        if call is None:
            destination, reference_id = parameters.get("DestinationIdentity"), parameters.get("ReferenceId")
            call = Call(
                operation,
                application_id,
                destination if isinstance(destination, str) else None,
                reference_id if isinstance(reference_id, str) else None,
                parameters,
                invocation_id,
            )
        if method != "POST":
            return call, ErrorResponse("MethodNotAllowedException", f"{operation} takes POST, not {method}.")
        if not self._knows(application_id):
            return call, ErrorResponse("NotFoundException", self._not_found(application_id))
        if malformed:
            return call, ErrorResponse("BadRequestException", malformed)
        try:
            check_parameters(operation, parameters, enforce=self.options.enforce_limits)
        except ParameterError as error:
            return call, ErrorResponse("BadRequestException", str(error))
        return call, None

    def _answer_by_injection(self, call: Call, attempt: int, taken: Taken) -> Response | TransportFailure:
        """Answer a call by the injection that is due, or where its callable declines, by the next one that is."""
        declined: set[Injection] = set()
        while True:
            given = taken.outcome
            outcome = self._ask(call, taken, given) if callable(given) else given
            with self.lock:
                if outcome is not None:
                    return self._answer_as_taken(call, attempt, taken, outcome)
                self.faults.settle(call, taken, None)
                declined.add(taken.injection)
                another = self.faults.take(call, declined)
                if another is None:
                    return self._answer_by_itself(call, attempt)
                taken = another

    def _answer_as_taken(self, call: Call, attempt: int, taken: Taken, outcome: Outcome) -> Response | TransportFailure:
        """Answer a call by an outcome of an injection, which is used unless that is a mistake of the test."""
        repeated = self._as_repeated(call, outcome)
        try:
            response = self._answer(call, outcome)
        except Exception:
            self.faults.settle(call, taken, None)
            raise
        self.faults.settle(call, taken, outcome)
        self.recording.note(call, attempt, repeated, taken.injection)
        return response

    def _answer_by_itself(self, call: Call, attempt: int) -> Response | TransportFailure:
        """Answer a call that no injection answers."""
        own = self._own_outcome(call)
        if own is not None:
            self.recording.note(call, attempt, own, None)
        return self._answer(call, own)

    def _ask(self, call: Call, taken: Taken, ask: OutcomeCallable) -> Outcome | None:
        """Ask a test's callable for an outcome."""
        try:
            # A copy, so that a callable that changes the parameters does not change what was checked.
            answer = _without_stop_iteration(ask, call._replace(parameters=dict(call.parameters)))
            if answer is None:
                return None
            outcome = parse_outcome(answer, call.operation)
            if callable(outcome):
                raise TypeError(f"{ask!r} returned the callable {answer!r}, but takes an outcome or None to return.")
        except BaseException as error:
            with self.lock:
                self.faults.settle(call, taken, None)
                # The others, such as pytest.fail's, are no mistakes, and no application swallows them.
                if isinstance(error, Exception):
                    self._note_mistake(call, error)
            raise
        return outcome

    def _answer(self, call: Call, outcome: Outcome | None) -> Response | TransportFailure:
        """Carry out an outcome (None: the rules of OTP alone), note the attempt, and return what goes back."""
        try:
            attempt, error_message, response = self._carry_out(call, outcome)
        except Exception as mistake:
            self._note_mistake(call, mistake)
            raise
        self.journal.write_call(call.answered(attempt, error_message))
        return response

    def _as_repeated(self, call: Call, outcome: Outcome) -> Outcome:
        """Return what repeats an outcome of a call in a fake without the quotas and opt-outs of this one."""
        if isinstance(outcome, LostResponse) and self._own_outcome(call) is not None:
            # Nothing was delivered, so there must be nothing delivered then.
            return outcome.failure
        return outcome

    def _own_outcome(self, call: Call) -> Delivery | ErrorResponse | None:
        """Return what the service itself has against a call; None: nothing."""
        return self.faults.of_service(call, self.clock.now) if call.operation == SEND else None

    def _carry_out(self, call: Call, outcome: Outcome | None) -> _Answer:
        if outcome is None:
            return self._deliver(call, _SUCCESSFUL) if call.operation == SEND else self._judge(call)
        if isinstance(outcome, Delivery):
            return self._deliver(call, outcome)
        if isinstance(outcome, LostResponse):
            failure = outcome.failure
            attempt, _, _ = self._carry_out(call, self._own_outcome(call))
            return attempt._replace(outcome=failure.label, status_code=None), failure.text, failure
        request_id, _ = self._draw_ids()
        now = self.clock.now()
        number = len(call.attempts) + 1
        if isinstance(outcome, TransportFailure):
            return Attempt(number, outcome.label, None, request_id, now), outcome.text, outcome
        if isinstance(outcome, RawResponse):
            raw = Response(outcome.status_code, outcome.headers, outcome.content)
            return Attempt(number, outcome.label, raw.status_code, request_id, now), None, raw
        response = write_error(outcome.name, outcome.http_status, outcome.text, request_id)
        return Attempt(number, outcome.label, outcome.http_status, request_id, now), outcome.text, response

    def _deliver(self, call: Call, delivery: Delivery) -> _Answer:
        """Answer a send: with a code on its way where the delivery succeeds, and nothing changed where it fails."""
        parameters = call.parameters
        request_id, message_id = self._draw_ids()
        now = self.clock.now()
        if delivery.delivered:
            queue = self.engine.queue
            code = self._next_code(call) if queue else None
            self._send_text(call.application_id, parameters, code, now, request_id, message_id)
            if queue:
                queue.popleft()
            self.faults.count_delivery(call, now)
        response = write_delivery(
            delivery, call.application_id, parameters["DestinationIdentity"], request_id, message_id
        )
        return Attempt(len(call.attempts) + 1, delivery.label, 200, request_id, now), None, response

    def _next_code(self, call: Call) -> str:
        """Return the first code of the queue, which must be as long as the send asks for."""
        code = self.engine.queue[0]
        code_length = call.parameters.get("CodeLength") or self.options.code_length
        if len(code) != code_length:
            raise ValueError(
                f"The queued code {code!r} has {len(code)} digits, but this SendOTPMessage to"
                f" {call.destination} asks for {code_length}: queue a code of that length, or change CodeLength."
            )
        return code

    def _send_text(
        self,
        application_id: str,
        parameters: Mapping[str, Any],
        code: str | None,
        now: datetime,
        request_id: str,
        message_id: str,
    ) -> SentMessage:
        """Issue a code and let its text reach the handset."""
        options, brand_name = self.options, parameters["BrandName"]
        key = Key(application_id, parameters["DestinationIdentity"], parameters["ReferenceId"])
        # None of the three is ever 0.
        validity_period = parameters.get("ValidityPeriod") or options.validity_period
        allowed_attempts = parameters.get("AllowedAttempts") or options.allowed_attempts
        otp = self.engine.issue(
            key,
            code=code,
            code_length=parameters.get("CodeLength") or options.code_length,
            validity_period=validity_period,
            allowed_attempts=allowed_attempts,
            now=now,
        )
        # By position: naming the fields costs as much again as the record.
        message = SentMessage(
            application_id,
            key.destination,
            parameters["OriginationIdentity"],
            key.reference_id,
            brand_name,
            parameters["Channel"],
            parameters.get("Language"),
            parameters.get("EntityId"),
            parameters.get("TemplateId"),
            otp.code,
            f"This is your One Time Password: {otp.code} from {brand_name}",  # source: AWS guide
            len(otp.code),
            validity_period,
            allowed_attempts,
            now,
            otp.expires_at,
            message_id,
            request_id,
        )
        self.journal.write_message(message)
        return message

    def _judge(self, call: Call) -> _Answer:
        """Answer a verification."""
        parameters = call.parameters
        request_id, _ = self._draw_ids()
        now = self.clock.now()
        key = Key(call.application_id, parameters["DestinationIdentity"], parameters["ReferenceId"])
        reason, attempts_left = self.engine.verify(key, parameters["Otp"], now)
        valid = reason is VerificationReason.VALID
        self.journal.verifications.append(
            Verification(*key, parameters["Otp"], valid, reason, attempts_left, now, request_id)
        )
        response = write_verification(valid, request_id)
        attempt = Attempt(len(call.attempts) + 1, "VALID" if valid else "INVALID", 200, request_id, now)
        return attempt, None, response

    def _note_mistake(self, call: Call, mistake: Exception) -> None:
        """Keep a mistake of the test, to be told again at its end: the application may swallow it."""
        self.mistakes.append(mistake)
        where = f"It came up while the fake answered {call.operation} to {call.destination}."
        if where not in getattr(mistake, "__notes__", ()):
            mistake.add_note(where)
        request_id, _ = self._draw_ids()
        attempt = Attempt(len(call.attempts) + 1, type(mistake).__name__, None, request_id, self.clock.now())
        self.journal.write_call(call.answered(attempt, str(mistake)))

    def _knows(self, application_id: str) -> bool:
        return self.options.applications is None or application_id in self.options.applications

    def _not_found(self, application_id: str) -> str:
        known = ", ".join(sorted(map(repr, self.options.applications or ()))) or "none"
        return f"Application {application_id!r} was not found; known applications: {known}."

    def _draw_ids(self) -> tuple[str, str]:
        """Return the next request ID and message ID."""
        number = f"{next(self._numbers):012x}"
        return self._request_ids + number, self._message_ids + number


def _without_stop_iteration(ask: OutcomeCallable, call: Call) -> object:
    """Ask a test's callable, whose StopIteration would become another exception on its way through generators."""
    try:
        return ask(call)
    except StopIteration as end:
        raise RuntimeError(
            f"{ask!r} raised StopIteration: what it takes its outcomes from has run out. Let it return None, which"
            " leaves the call to others, or give inject(...) as many times."
        ) from end


def _id_prefixes(seed: str) -> list[str]:
    """Return what the request IDs and the message IDs of a seed begin with: version 4 UUIDs without their last part."""
    digits = blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=18, person=b"otp-ids").hexdigest()
    return [f"{one[:8]}-{one[8:12]}-4{one[12:15]}-a{one[15:]}-" for one in (digits[:18], digits[18:])]
