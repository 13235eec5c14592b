"""The OTP service: an HTTP request in, an HTTP response out, and the order of the rules in between.

The rules themselves are in `apis`, `faults` and `codes`. How requests get here is the business of `transports`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pytest_pinpoint_otp.apis import APIS, OPERATIONS, read
from pytest_pinpoint_otp.apis.base import Operation, Reading, Refusal, SendOperation
from pytest_pinpoint_otp.apis.rest_json import Response
from pytest_pinpoint_otp.engine.argument_checks import counted
from pytest_pinpoint_otp.engine.attempts import AttemptWork, find_own_outcome, issue
from pytest_pinpoint_otp.engine.faults.injections import Drawing, Injection, Taken, find_misdirection
from pytest_pinpoint_otp.engine.faults.outcome_base import Failure, Outcome
from pytest_pinpoint_otp.engine.faults.parsing import OutcomeCallable, parse_outcome
from pytest_pinpoint_otp.engine.faults.plans import FailurePlan
from pytest_pinpoint_otp.engine.faults.transport_errors import LostResponse
from pytest_pinpoint_otp.engine.lock import lock
from pytest_pinpoint_otp.engine.records import Call, SentMessage
from pytest_pinpoint_otp.engine.report import traffic, unused
from pytest_pinpoint_otp.engine.service_state import State

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


class Service(State):
    """One in-memory OTP service.

    Callables of a test run outside of the lock, so they may use the fake and may block.

    Args:
        options: how it behaves.
    """

    # -- Requests --------------------------------------------------------------------------------------------------

    def respond(
        self,
        method: str,
        url: str,
        invocation_id: str | None,
        body: bytes | str | None,
        *,
        record_refusal: bool = True,
    ) -> Response | Failure:
        """Answer one request, or say which failure of the transport takes the answer's place.

        Args:
            method: the HTTP method.
            url: the URL, of any host and with any prefix before the API's own path.
            invocation_id: what AWS's SDKs send with every attempt of one call; None: another HTTP client made the
                request.
            body: the JSON document.
            record_refusal: whether a call that is refused is among the calls.

        Raises:
            Exception: a mistake of the test, such as a queued code of the wrong length.
        """
        request = read(method, url, body)
        if request is None:
            return self.refuse(f"{method} {url}", "the method and path of one of these, or another mock")
        operation, reading = request
        with lock:
            invocation_id = invocation_id or self.draw_ids()[0]
            call = self.journal.by_invocation_id.get(invocation_id)
            if call is not None and not _is_attempt_of(call, operation, reading):
                # The attempts of one call are alike: this request only carries the ID of another call.
                invocation_id, call = self.draw_ids()[0], None
            work = AttemptWork(self, operation, reading, invocation_id, call)
            asked = operation.accept(reading, self.terms, self.kept[operation.api.name])
            if isinstance(asked, Refusal):
                return self._refuse(work, asked, record=record_refusal)
            work.asked = asked
            place = self.recording.begin(operation.name, reading.destination, work.invocation_id)
            taken = self._take(work) if self.faults.injections else None
            if taken is None or not callable(taken.outcome):
                return self._answer(work, place, taken)
            # A callable that is called now may look for its call in the records.
            self.journal.write_call(work.call)
        return self._answer_by_callable(work, place, taken)

    def tell_apart(self, invocation_id: str) -> str:
        """Return the ID of a new call: the one that it carries or, if another call has that, one that is drawn."""
        with lock:
            return self.draw_ids()[0] if invocation_id in self.journal.by_invocation_id else invocation_id

    def refuse(self, what: str, instead: str) -> Response:
        """Answer a request that is for none of the faked operations, and keep no record of it.

        Args:
            what: what was asked for.
            instead: what could answer it.
        """
        with lock:
            request_id, _ = self.draw_ids()
        message = f"{what} is not faked: pytest-pinpoint-otp answers {', '.join(OPERATIONS)}. Use {instead}."
        # 501, because no retry mode of botocore retries it.
        return APIS[0].write_error("NotImplementedException", 501, message, request_id)

    def _refuse(self, work: AttemptWork, refusal: Refusal, *, record: bool) -> Response | Failure:
        work.begin()
        status_code = work.operation.api.errors[refusal.name]
        answer = work.write_error(refusal.name, status_code, refusal.message, refusal.members)
        if record:
            work.record(answer.label, answer.status_code, answer.error_message, "service")
        return answer.response

    def _take(self, work: AttemptWork, declined: set[Injection] | None = None) -> Taken | None:
        try:
            return self.faults.take(work.call, declined or ())
        except Exception as mistake:
            # Raised by a filter's own ==.
            self._note_mistake(work, mistake, "injection")
            raise

    def _answer_by_callable(self, work: AttemptWork, place: int, taken: Taken | None) -> Response | Failure:
        """Answer an attempt by a test's callable or, if that declines, by the next injection that is due."""
        declined: set[Injection] = set()
        while True:
            outcome = None
            if taken is not None and callable(taken.outcome):
                outcome = self._call(work, taken, taken.outcome)
            with lock:
                if taken is None or not callable(taken.outcome) or outcome is not None:
                    return self._answer(work, place, taken, outcome)
                taken.give_back()
                declined.add(taken.injection)
                taken = self._take(work, declined)

    def _call(self, work: AttemptWork, taken: Taken, function: OutcomeCallable) -> Outcome | None:
        """Call a test's callable, or what chaos draws from, for an outcome."""
        try:
            if isinstance(function, Drawing):
                with lock:
                    function = partial(function, number=self.recording.number(work.call))
            answer = _without_stop_iteration(function, work.call)
            if answer is None:
                return None
            outcome = parse_outcome(answer, work.operation.name)
            if callable(outcome):
                raise TypeError(f"{function!r} returned the callable {answer!r}; let it return an outcome or None.")
        except BaseException as error:
            with lock:
                taken.give_back()
                # The others, such as pytest.fail's, are not mistakes, and no application swallows them.
                if isinstance(error, Exception):
                    self._note_mistake(work, error, taken.source)
                    _advise_to_return(error, work.operation.name)
            raise
        return outcome

    def _answer(
        self, work: AttemptWork, place: int, taken: Taken | None, outcome: Outcome | None = None
    ) -> Response | Failure:
        """Carry out what is due for an attempt, note it, and return what goes back.

        Args:
            work: the attempt.
            place: which of its operation's attempts it is.
            taken: the injection's outcome; None: no injection answers.
            outcome: what a callable made of it, if it is one.
        """
        source, own = "service", None
        if taken is not None:
            source = taken.source
            outcome = outcome or _not_callable(taken.outcome)
        if taken is None or isinstance(outcome, LostResponse):
            own = find_own_outcome(self, work)
            if own is not None:
                work.own = own[0]
                if taken is None:
                    outcome, source = own
        work.begin()
        try:
            answer = work.carry_out() if outcome is None else outcome.carry_out(work)
        except Exception as mistake:
            if taken is not None:
                taken.give_back()
            self._note_mistake(work, mistake, source)
            raise
        if outcome is not None:
            if taken is not None:
                taken.keep(work.call, outcome)
            # What was lost was a refusal, so the plan repeats the loss alone: a fake without the quota would deliver.
            repeated = outcome.failure if isinstance(outcome, LostResponse) and own is not None else outcome
            self.recording.note(work.call, place, repeated, source)
        label, status_code, error_message, response = answer
        work.record(label, status_code, error_message, source)
        return response

    def _note_mistake(self, work: AttemptWork, mistake: Exception, source: str) -> None:
        """Keep a mistake of the test, and report it again at its end: the application may swallow it."""
        self.mistakes.append(mistake)
        where = f"It came up while the fake answered {work.operation.name} to {work.reading.destination}."
        if where not in getattr(mistake, "__notes__", ()):
            mistake.add_note(where)
        work.begin()
        work.record(type(mistake).__name__, None, str(mistake), source)

    # -- What a test arranges and reads ----------------------------------------------------------------------------

    def follow(self, plan: FailurePlan, *, optional: bool) -> list[Injection]:
        """Put the steps of a plan in force, in order, and return their handles.

        Args:
            plan: the plan.
            optional: whether its steps may be left unused.
        """
        return self.add([step.injection(optional=optional, source="plan") for step in plan.steps])

    def add(self, injections: list[Injection]) -> list[Injection]:
        """Put injections in force, in order, and return them."""
        with lock:
            for injection in injections:
                self.faults.add(injection)
        return injections

    def issue(
        self,
        application_id: str | None,
        destination: object,
        reference_id: object,
        code: str | None,
        given: Mapping[str, Any],
    ) -> SentMessage:
        """Issue an OTP without a call, its text appearing among the messages.

        Raises:
            TypeError: a parameter has the wrong type.
            ValueError: a parameter is refused, the application does not exist, or the code is of another type.
        """
        operation = sending_operation(application_id)
        with lock:
            kept = self.kept[operation.api.name]
            try:
                reading = operation.read_issue(application_id, destination, reference_id, given)
                asked = operation.accept(reading, self.terms, kept)
                if isinstance(asked, Refusal):
                    which = say_which_api(application_id)
                    raise (TypeError if asked.wrong_type else ValueError)(asked.message + which)
                return issue(self, operation, asked, code)
            except (TypeError, ValueError) as error:
                raise type(error)(f"issue: {error}") from None

    def add_configuration(self, configuration_id: str, **policy: Any) -> None:
        """Put a code configuration into every API that keeps them.

        Raises:
            TypeError: a value has the wrong type.
            ValueError: a value out of range.
        """
        with lock:
            for api in APIS:
                if api.has_configurations:
                    try:
                        api.add_configuration(self.kept[api.name], configuration_id, **policy)
                    except (TypeError, ValueError) as error:
                        said = f"add_code_configuration: {error}"
                        raise (TypeError if isinstance(error, TypeError) else ValueError)(said) from None

    def accepts(self, message: SentMessage) -> bool:
        """Tell whether the code of a message would be found valid now; uses nothing up."""
        return self.code_status(message) == "LIVE"

    def code_status(self, message: SentMessage) -> str:
        """Return what has become of the code of a message: LIVE, VERIFIED, EXPIRED, EXHAUSTED or SUPERSEDED."""
        with lock:
            return self.codes.status(message.key, message.code, self.clock.now())

    def traffic(self, width: int = 80, *, unused: bool = False) -> str:
        """Return what happened as text, at most so many columns wide; empty if nothing did.

        Args:
            width: columns of a line.
            unused: whether it ends with what is arranged and no call has used.
        """
        with lock:
            return traffic(self.journal, width, self._unused_words() if unused else ())

    def _unused_words(self) -> list[str]:
        """Return what no call has used, and what was made for ever for another API's calls than those that came."""
        calls = self.journal.calls
        standing = [(one, find_misdirection(one, calls)) for one in self.faults.standing_and_unused()]
        return [*self.unused().words(calls), *(f"{one!r}: used 0{why}" for one, why in standing if why)]

    def describe(self) -> str:
        """Return what the service holds, in a few words."""
        with lock:
            counts = {
                "message": len(self.journal.messages),
                "call": len(self.journal.calls),
                "verification": len(self.journal.verifications),
            }
            words = [counted(count, name) for name, count in counts.items()]
            arranged = len(self.unused().words())
        return ", ".join([*words, *([f"{arranged} arranged and unused"] if arranged else [])])

    def check_end(self) -> str | None:
        """Check what a test that ends cleanly must not leave behind.

        Returns:
            a message about what was arranged and not used; None: nothing, or ``assert_all_used`` is off.

        Raises:
            Exception: a mistake of the test that came up inside the application, which may have swallowed it.
        """
        if self.mistakes:
            raise self.mistakes[0]
        arranged = self.left_by_every_run().words(self.journal.calls) if self.options.assert_all_used else []
        return unused(arranged) if arranged else None

    def recorded_plan(self, source: str | None = None) -> FailurePlan:
        """Return the plan that reproduces what was done to calls; or, of that, only what this source decided."""
        with lock:
            return self.recording.plan(self.journal, source)


def sending_operation(application_id: str | None) -> SendOperation:
    """Return the operation that `issue` stands in for. If an application is given, its API has applications."""
    api = next(one for one in APIS if one.has_applications == (application_id is not None))
    return api.sending


def say_which_api(application_id: str | None) -> str:
    """Return the end of an error of `issue`, for those who left out the application by mistake."""
    if application_id is not None:
        return ""
    return f" (Without application_id, the code is for {sending_operation(None).api.name}.)"


def _is_attempt_of(call: Call, operation: Operation, reading: Reading) -> bool:
    said = (operation.name, reading.application_id, reading.parameters)
    return said == (call.operation, call.application_id, call.parameters)


def _not_callable(outcome: Outcome | OutcomeCallable) -> Outcome:
    assert isinstance(outcome, Outcome)  # a callable has been called before
    return outcome


def _advise_to_return(error: Exception, operation: str) -> None:
    """Add advice to an exception that has the name of an outcome: a mock's ``side_effect`` would raise it."""
    name = type(error).__name__
    try:
        parse_outcome(name, operation)
    except ValueError:
        return
    advice = f"If the call is to end in this, let the callable return {name!r} instead of raising it."
    if advice not in error.__notes__:
        error.add_note(advice)


def _without_stop_iteration(function: OutcomeCallable, call: Call) -> object:
    """Call a test's callable. A StopIteration of its own would become another exception inside of generators."""
    try:
        return function(call)
    except StopIteration as end:
        raise RuntimeError(
            f"{function!r} raised StopIteration: what it takes its outcomes from has run out. Let it return None, which"
            " leaves the call to others, or give inject(...) as many times."
        ) from end
