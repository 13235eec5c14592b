"""`PinpointOTP`: what a test holds in its hands, to arrange outcomes, move the clock and see what happened."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, Final

import pytest_pinpoint_otp.engine.report as report
import pytest_pinpoint_otp.engine.waiting as waiting
import pytest_pinpoint_otp.transports.active as active
from pytest_pinpoint_otp.apis.limits import ParameterError, ParameterTypeError, check_parameter, plain
from pytest_pinpoint_otp.apis.operations import OPERATIONS, SEND, WIRE_NAMES
from pytest_pinpoint_otp.engine.checks import did_you_mean, kind
from pytest_pinpoint_otp.engine.clock import read_duration
from pytest_pinpoint_otp.engine.codes import Key
from pytest_pinpoint_otp.engine.faults.injections import Injection
from pytest_pinpoint_otp.engine.faults.outcomes import DeliveryStatus
from pytest_pinpoint_otp.engine.faults.plans import FailurePlan
from pytest_pinpoint_otp.engine.faults.quotas import RateLimit
from pytest_pinpoint_otp.engine.journal import Call, Journal, SentMessage, Verification, check_fields, select
from pytest_pinpoint_otp.engine.lock import lock
from pytest_pinpoint_otp.engine.options import Options
from pytest_pinpoint_otp.engine.service import Service

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_ISSUE_DEFAULTS: Final = {"channel": "SMS", "brand_name": "Example", "origination_identity": "+15550100999"}


class PinpointOTP:
    """An in-memory Amazon Pinpoint OTP service, while it is active in place of the real one.

    The fixture ``pinpoint_otp`` yields one for each test; ``mock_pinpoint_otp`` gives one without pytest. Use these
    rather than the class itself, which is public for annotations.

    Methods that select messages take the destination first, those that select calls the operation; both then take any
    field of the record by keyword, compared with ``==`` (``unittest.mock.ANY`` works). An unknown field raises
    TypeError. Safe to use from any thread.
    """

    def __init__(self, options: Options, arrange: Callable[[PinpointOTP], object] | None = None) -> None:
        self._options: Final = options
        self._arrange: Final = arrange
        self._start()

    # -- What happened ---------------------------------------------------------------------------------------------

    @property
    def messages(self) -> list[SentMessage]:
        """The texts that reached a handset, oldest first, as a new list."""
        with lock:
            return list(self._service.journal.messages)

    @property
    def calls(self) -> list[Call]:
        """The calls that the application made, oldest first, as a new list. botocore's retries are attempts of one."""
        with lock:
            return self._service.journal.calls

    @property
    def verifications(self) -> list[Verification]:
        """The codes that were judged, oldest first, as a new list. A call that ended in an error judged none."""
        with lock:
            return list(self._service.journal.verifications)

    def inbox(self, destination: object = None, **fields: object) -> list[SentMessage]:
        """Return the messages that match, oldest first; all of them where nothing is selected.

        Raises:
            TypeError: an unknown field.
        """
        return self._matching_messages(_selection(SentMessage, destination, fields))

    def code_for(self, destination: object = None, **fields: object) -> str:
        """Return the code of the newest message that matches: the one that the user would type in.

        Raises:
            LookupError: no message matches. It tells what was sent, which calls failed and how, and which never left
                botocore.
            TypeError: an unknown field.
        """
        return self._newest_message(destination, fields).code

    def wrong_code(self, destination: object = None, **fields: object) -> str:
        """Return a code that is wrong for the newest message that matches: of the same length, the same every time,
        none that was issued or queued, and none that will be drawn.

        Raises:
            LookupError: no message matches, or every code of that length was issued or is queued.
            TypeError: an unknown field.
        """
        with lock:
            return self._service.engine.wrong_code(self._newest_message(destination, fields).code)

    def assert_sent(self, destination: object = None, *, times: int | None = None, **fields: object) -> SentMessage:
        """Assert that a matching message was sent, exactly ``times`` times where given, and return the newest.

        Raises:
            AssertionError: it was not. Shows the near misses.
            TypeError: an unknown field, or ``times`` is no int.
            ValueError: ``times`` is less than 1: use `assert_not_sent`.
        """
        _check_times("assert_sent", times, "assert_not_sent")
        selection = _selection(SentMessage, destination, fields)
        found = self._matching_messages(selection)
        if not found or times not in (None, len(found)):
            raise AssertionError(report.missing("message", selection, times, found, self.messages, self._journal))
        return found[-1]

    def assert_not_sent(self, destination: object = None, **fields: object) -> None:
        """Assert that no matching message was sent; without a selection, none at all.

        Raises:
            AssertionError: one was. Shows which.
            TypeError: an unknown field.
        """
        selection = _selection(SentMessage, destination, fields)
        found = self._matching_messages(selection)
        if found:
            raise AssertionError(report.unexpected("message", selection, found))

    def assert_called(self, operation: object = SEND, *, times: int | None = None, **fields: object) -> Call:
        """Assert that the application made a matching call, exactly ``times`` times where given, and return the newest.

        Every call counts, however it ended; botocore's retries are attempts of one call.

        Raises:
            AssertionError: it did not. Shows the near misses.
            TypeError: an unknown field, an operation that is no str, or ``times`` is no int.
            ValueError: no such operation, or ``times`` is less than 1: use `assert_not_called`.
        """
        _check_times("assert_called", times, "assert_not_called")
        selection = _call_selection("assert_called", operation, fields)
        calls = self.calls
        found = list(select(calls, selection))
        if not found or times not in (None, len(found)):
            raise AssertionError(report.missing("call", selection, times, found, calls, self._journal))
        return found[-1]

    def assert_not_called(self, operation: object = None, **fields: object) -> None:
        """Assert that the application made no matching call; without a selection, none at all.

        Raises:
            AssertionError: it did. Shows which.
            TypeError: an unknown field, or an operation that is no str.
            ValueError: no such operation.
        """
        selection = _call_selection("assert_not_called", operation, fields)
        found = list(select(self.calls, selection))
        if found:
            raise AssertionError(report.unexpected("call", selection, found))

    def wait_for_message(self, destination: object = None, *, timeout: float = 5.0, **fields: object) -> SentMessage:
        """Wait for a text that the application sends from another thread or a task queue, and return it.

        At once, and the newest, where one matches already.

        Args:
            destination: whom the text is for; ``fields`` select further, as everywhere.
            timeout: seconds of real time, even where the clock is frozen.

        Raises:
            TimeoutError: no message matched in time. Tells what was sent meanwhile.
            TypeError: an unknown field, or a timeout that is no number.
            ValueError: a negative timeout.
        """
        selection, journal, before = self._begin_wait("wait_for_message", destination, fields, timeout)
        message = waiting.wait(journal, lock, selection, timeout)
        if message is None:
            raise TimeoutError(report.timed_out(selection, timeout, journal, before))
        return message

    async def async_wait_for_message(
        self, destination: object = None, *, timeout: float = 5.0, **fields: object
    ) -> SentMessage:
        """Wait for a text that the application sends from another task, of asyncio or trio.

        Takes, returns and raises what `wait_for_message` does, which would not let the other task run.
        """
        selection, journal, before = self._begin_wait("async_wait_for_message", destination, fields, timeout)
        message = await waiting.async_wait(journal, lock, selection, timeout)
        if message is None:
            raise TimeoutError(report.timed_out(selection, timeout, journal, before))
        return message

    # -- What is to happen -----------------------------------------------------------------------------------------

    def inject(
        self,
        *outcomes: object,
        operation: str = SEND,
        per: str = "call",
        times: int | None = 1,
        after: int = 0,
        optional: bool = False,
        destination: object = None,
        reference_id: object = None,
        application_id: object = None,
    ) -> Injection:
        """Let the next matching calls end in these outcomes, in turn.

        Args:
            outcomes: each a `DeliveryStatus`, a `Delivery`, an `ErrorResponse`, a `LostResponse`, a `RawResponse`, the
                plain name of a status or of a modelled error, a modelled exception class (``client.exceptions.X``), a
                botocore transport exception (class or instance), or a callable that takes the `Call` and returns one
                of these, or None to leave the call to the next injection.
            operation: ``SendOTPMessage`` or ``VerifyOTPMessage``; the latter has no deliveries.
            per: ``"call"``: every attempt of a call gets the same outcome, so the application sees it however often
                botocore retries. ``"attempt"``: outcomes, ``times`` and ``after`` count HTTP requests, so that
                botocore's own retry may hide them.
            times: how often the whole sequence is given; None: for ever.
            after: how many matching calls pass first, whoever answers those.
            optional: whether it may be left unused.
            destination: only calls for this ``DestinationIdentity``; the filters compare with ``==``.
            reference_id: only calls with this ``ReferenceId``.
            application_id: only calls for this application.

        A refused call gets no outcome and is not counted. Finite injections answer first, oldest first; then standing
        ones, newest first; then quotas; then opt-outs; then the service.

        Raises:
            TypeError: no outcome, or an argument of the wrong type.
            ValueError: an unknown name or operation, a delivery for VerifyOTPMessage, or a count out of range.
        """
        injection = Injection(
            *outcomes,
            operation=operation,
            per=per,
            times=times,
            after=after,
            optional=optional,
            filters={"destination": destination, "reference_id": reference_id, "application_id": application_id},
            lock=lock,
        )
        with lock:
            self._service.faults.add(injection)
        return injection

    def follow(self, plan: FailurePlan, *, optional: bool = False) -> list[Injection]:
        """Carry out a failure plan: each step becomes an injection, in order.

        Args:
            plan: the plan, made by hand, read from a file, or returned by `recorded_plan`.
            optional: whether its steps may be left unused.

        Returns:
            the handles, in the order of the steps.

        Raises:
            TypeError: no `FailurePlan`.
        """
        if not isinstance(plan, FailurePlan):
            raise TypeError(f"follow takes a FailurePlan, not {kind(plan)}; FailurePlan.from_json reads one.")
        injections = [step.injection(optional=optional, lock=lock) for step in plan.steps]
        with lock:
            for injection in injections:
                self._service.faults.add(injection)
        return injections

    def recorded_plan(self) -> FailurePlan:
        """Return the plan that reproduces what this fake did to its calls so far.

        A fresh fake that follows it, with the same seed and the same calls, gives the same outcomes: injections,
        quotas and opt-outs all become steps. What a test's own mistakes raised is left out.
        """
        return self._recorded_plan()

    def limit_rate(
        self, count: int, *, per: timedelta, by: str = "destination", outcome: object = DeliveryStatus.THROTTLED
    ) -> RateLimit:
        """Set a quota of the service's own: sends beyond it end in ``outcome``, until the handle is cancelled.

        A sliding window on the fake's clock, over the deliveries by calls from now on; what `issue` arranges does not
        count. Asked after injections and before opt-outs.

        Args:
            count: deliveries allowed within ``per``, 0 or more.
            per: the duration of the window.
            by: what the quota is for each of: ``"destination"``, ``"origination"`` or ``"application"``.
            outcome: a failed delivery or an error, in any form that `inject` takes.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: an argument out of range, or an unknown name.
        """
        limit = RateLimit(count, per=per, by=by, outcome=outcome)
        with lock:
            self._service.faults.rate_limits.append(limit)
        return limit

    def opt_out(self, number: str) -> None:
        """Let every send to this number end in OPT_OUT from now on. Verifications go on as ever.

        Raises:
            TypeError: the number is no str.
            ValueError: the number is not in E.164.
        """
        number = self._check_number("opt_out", number)
        with lock:
            self._service.faults.opted_out.add(number)

    def opt_in(self, number: str) -> None:
        """Take a number's opt-out back; without one, nothing changes.

        Raises:
            TypeError: the number is no str.
            ValueError: the number is not in E.164.
        """
        number = self._check_number("opt_in", number)
        with lock:
            self._service.faults.opted_out.discard(number)

    def queue_codes(self, *codes: str) -> None:
        """Set the codes of the next delivered sends, in turn, whatever their key.

        A code whose length is not the send's ``CodeLength`` is a mistake that shows at the send, and again at the end
        of the test.

        Raises:
            TypeError: no code, or a code that is no str.
            ValueError: a code that has other characters than digits, or a length that AWS does not accept.
        """
        if not codes:
            raise TypeError("queue_codes: give at least one code, such as queue_codes('012345').")
        for code in codes:
            self._check_code("queue_codes", code)
        with lock:
            self._service.engine.queue.extend(map(plain, codes))

    def issue(
        self, destination: str, *, application_id: str, reference_id: str, code: str | None = None, **parameters: Any
    ) -> SentMessage:
        """Issue a live OTP without a call, to arrange a test; its text appears in ``messages``.

        Neither injections nor opt-outs nor queued codes touch it.

        Args:
            destination: ``DestinationIdentity``.
            application_id: the application.
            reference_id: ``ReferenceId``.
            code: the code; by default one is drawn. Its length is the ``code_length``, unless that is given too.
            parameters: any other parameter of SendOTPMessage in snake_case: brand_name, channel,
                origination_identity, code_length (digits), validity_period (minutes), allowed_attempts, language,
                entity_id, template_id. None leaves one to its default.

        Raises:
            TypeError: an unknown parameter, or a value of the wrong type.
            ValueError: a parameter that is missing or outside AWS's limits, an application that does not exist, or a
                code that is not of ``code_length`` digits.
        """
        if not isinstance(application_id, str):
            raise TypeError(f"issue: application_id takes a str, not {kind(application_id)}.")
        for name in parameters:
            if name not in WIRE_NAMES:
                raise TypeError(f"issue: there is no parameter {name!r}.{did_you_mean(name, WIRE_NAMES)}")
        given = {name: plain(value) for name, value in parameters.items() if value is not None}
        if code is not None:
            self._check_code("issue", code)
            if given.setdefault("code_length", len(code)) != len(code):
                raise ValueError(f"issue: the code {code!r} has {len(code)} digits, not {given['code_length']!r}.")
        request = {WIRE_NAMES[name]: value for name, value in (_ISSUE_DEFAULTS | given).items()}
        request |= {"DestinationIdentity": plain(destination), "ReferenceId": plain(reference_id)}
        try:
            return self._service.arrange(plain(application_id), request, plain(code))
        except ParameterTypeError as error:
            raise TypeError(f"issue: {error}") from None
        except ValueError as error:
            raise ValueError(f"issue: {error}") from None

    # -- Time ------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the service's time (aware, in UTC): the process's wall clock plus what was advanced.

        freezegun and time-machine move it by themselves. An application that takes a clock can be given this method.
        """
        return self._service.clock.now()

    def advance(
        self,
        by: timedelta | None = None,
        *,
        days: float | None = None,
        hours: float | None = None,
        minutes: float | None = None,
        seconds: float | None = None,
    ) -> None:
        """Move the service's clock ahead; the process's own clock stays.

        Args:
            by: how far; or give any of ``days``, ``hours``, ``minutes`` and ``seconds`` instead.

        Raises:
            TypeError: no duration, two forms of it, or one that is no number.
            ValueError: the clock would go back, or beyond the year 9999.
        """
        ahead = read_duration(by, {"days": days, "hours": hours, "minutes": minutes, "seconds": seconds})
        with lock:
            try:
                self._service.clock.advance(ahead)
            except OverflowError:
                raise ValueError(f"advance: {ahead!r} from now is beyond the year 9999.") from None

    def reset(self) -> None:
        """Start afresh, as entered: with seed, clock, queue, opt-outs, injections and records as at the beginning."""
        with lock:
            self._service.faults.cancel()
            listeners = self._journal.listeners
            before = self._service
            self._start()
            active.replace(before, self._service)
            # Whoever waits for a message goes on waiting, for one that comes from now on.
            self._journal.listeners = listeners

    # -- Inside the package ----------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._service = Service(self._options, lock)
        if self._arrange is not None:
            self._arrange(self)

    def _recorded_plan(self, only: Collection[Injection] | None = None) -> FailurePlan:
        with lock:
            return self._service.recording.plan(self._journal, only)

    @property
    def _journal(self) -> Journal:
        return self._service.journal

    def _traffic(self) -> str:
        """Return what happened as text, for the section under a failing test; empty where nothing did."""
        with lock:
            return report.traffic(self._journal)

    def _check_end(self) -> str | None:
        """Check what the clean end of a test has to answer for.

        Returns:
            what was arranged and not used, in words; None where that is nothing, or of no interest.

        Raises:
            Exception: a mistake of the test that came up inside the application, which may have swallowed it.
        """
        with lock:
            mistakes = self._service.mistakes
            unused = self._service.unused() if self._options.assert_all_used else []
        if mistakes:
            raise mistakes[0]
        return report.unused(unused) if unused else None

    def _newest_message(self, destination: object, fields: dict[str, object]) -> SentMessage:
        selection = _selection(SentMessage, destination, fields)
        message = self._journal.newest_message(selection)
        if message is None:
            raise LookupError(report.missing("message", selection, None, [], self.messages, self._journal))
        return message

    def _accepts(self, message: SentMessage) -> bool:
        """Tell whether the service would accept the code of a message now."""
        key = Key(message.application_id, message.destination, message.reference_id)
        with lock:
            return self._service.engine.accepts(key, message.code, self.now())

    def _begin_wait(
        self, where: str, destination: object, fields: dict[str, object], timeout: object
    ) -> tuple[dict[str, object], Journal, int]:
        """Return what is waited for, in which journal, and how many messages that has before."""
        selection = _selection(SentMessage, destination, fields)
        waiting.check_timeout(where, timeout)
        journal = self._journal
        return selection, journal, len(journal.messages)

    def _matching_messages(self, selection: dict[str, object]) -> list[SentMessage]:
        with lock:
            candidates = list(self._journal.messages_to(selection.get("destination")))
        return list(select(candidates, selection))

    def _check_number(self, where: str, number: object) -> str:
        if not isinstance(number, str):
            raise TypeError(f"{where} takes a phone number as str, not {kind(number)}.")
        try:
            check_parameter(SEND, "DestinationIdentity", plain(number), enforce=self._options.enforce_limits)
        except ParameterError:
            raise ValueError(
                f"{where}: {number!r} is no phone number in E.164: a +, a country code and a number, such as"
                " '+15550100123'."
            ) from None
        return str(plain(number))

    def _check_code(self, where: str, code: object) -> None:
        if not isinstance(code, str):
            raise TypeError(f"{where} takes codes as str, since a code may start with a zero, not {kind(code)}.")
        if not (code.isascii() and code.isdigit()):
            raise ValueError(f"{where}: the code {code!r} is not made of the digits 0 to 9.")
        try:
            check_parameter(SEND, "CodeLength", len(code), enforce=self._options.enforce_limits)
        except ParameterError as error:
            raise ValueError(f"{where}: the code {code!r} has {len(code)} digits: {error}") from None


def service_of(fake: PinpointOTP) -> Service:
    """Return the service behind a fake."""
    return fake._service


def _selection(
    record: type[SentMessage] | type[Call], destination: object, fields: dict[str, object]
) -> dict[str, object]:
    selection = fields if destination is None else {"destination": destination, **fields}
    check_fields(record, selection)
    return selection


def _call_selection(where: str, operation: object, fields: dict[str, object]) -> dict[str, object]:
    if isinstance(operation, str) and plain(operation) not in OPERATIONS:
        raise ValueError(
            f"{where}: operation {operation!r} is not faked.{did_you_mean(operation, OPERATIONS)}"
            " A destination is given by keyword here: destination='+15550100123'."
        )
    if operation is not None and not isinstance(operation, str) and type(operation).__module__ == "builtins":
        raise TypeError(f"{where}: operation takes a str, not {kind(operation)}.")
    check_fields(Call, fields)
    return fields if operation is None else {"operation": operation, **fields}


def _check_times(where: str, times: object, otherwise: str) -> None:
    if times is None:
        return
    if not isinstance(times, int) or isinstance(times, bool):
        raise TypeError(f"{where}: times takes an int, not {kind(times)}.")
    if times < 1:
        raise ValueError(f"{where}: times is {times}, but takes 1 or more; for none at all use {otherwise}().")
