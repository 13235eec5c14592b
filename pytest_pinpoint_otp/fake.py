"""`PinpointOTP`: what a test uses to arrange outcomes, move the clock and see what happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest_pinpoint_otp.engine.waiting as waiting
import pytest_pinpoint_otp.transports.active as active
from pytest_pinpoint_otp.engine.argument_checks import check_bool, explain_arguments, kind, plain
from pytest_pinpoint_otp.engine.arguments import check_text, read_codes, read_issue, read_phone_number, read_policy
from pytest_pinpoint_otp.engine.clock import read_duration
from pytest_pinpoint_otp.engine.expectations import check_times, expect, expect_none, matching_messages, newest_message
from pytest_pinpoint_otp.engine.faults.injections import Injection
from pytest_pinpoint_otp.engine.faults.plans import FailurePlan
from pytest_pinpoint_otp.engine.faults.quotas import RateLimit, read_refusal
from pytest_pinpoint_otp.engine.journal import Journal, select, select_calls, select_messages
from pytest_pinpoint_otp.engine.lock import lock
from pytest_pinpoint_otp.engine.options import Options
from pytest_pinpoint_otp.engine.records import Call, SentMessage, Verification
from pytest_pinpoint_otp.engine.service import Service

if TYPE_CHECKING:
    from typing import Literal, Unpack

    from pytest_pinpoint_otp.apis.names import OperationName
    from pytest_pinpoint_otp.engine.arguments import ConfigurationParameters, IssueParameters
    from pytest_pinpoint_otp.engine.clock import DurationParts
    from pytest_pinpoint_otp.engine.faults.parsing import OutcomeLike, Refused
    from pytest_pinpoint_otp.engine.records import CallFields, MessageFields

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


class PinpointOTP:
    """An OTP service in memory. While it is active, it answers instead of AWS.

    The fixture ``pinpoint_otp`` yields one for each test; ``mock_pinpoint_otp`` gives one without pytest. Use these
    rather than the class itself, which is public for annotations.

    Methods that select messages take the destination first, and those that select calls take the operation first. Both
    also take any field of the record by keyword, compared with ``==`` (``unittest.mock.ANY`` works). An unknown field
    is a TypeError. It is safe to use from any thread.
    """

    @explain_arguments("Use the fixture pinpoint_otp, or mock_pinpoint_otp(), which takes options.")
    def __init__(self, options: Options, arrange: Callable[[PinpointOTP], object] | None = None) -> None:
        self._options: Final = options
        self._arrange: Final = arrange
        self._service = Service(options)
        if arrange is not None:
            arrange(self)

    def __repr__(self) -> str:
        return f"<PinpointOTP at {self.now():%Y-%m-%d %H:%M:%S} UTC: {self._service.describe()}>"

    # -- What happened ---------------------------------------------------------------------------------------------

    @property
    def messages(self) -> list[SentMessage]:
        """The texts that reached a handset, oldest first, as a new list."""
        with lock:
            return list(self._service.journal.messages)

    @property
    def calls(self) -> list[Call]:
        """The calls of the application, oldest first, as a new list. botocore's retries are attempts of one call."""
        with lock:
            return self._service.journal.calls

    @property
    def verifications(self) -> list[Verification]:
        """The codes that were judged, oldest first, as a new list. A call that ended in an error judged none."""
        with lock:
            return list(self._service.journal.verifications)

    def inbox(self, destination: object = None, **fields: Unpack[MessageFields]) -> list[SentMessage]:
        """Return the messages that match, oldest first; without a selection, all of them.

        Raises:
            TypeError: an unknown field.
        """
        return matching_messages(self._journal, select_messages(destination, fields))

    def code_for(self, destination: object = None, **fields: Unpack[MessageFields]) -> str:
        """Return the code of the newest message that matches: the one that the user would type in.

        Raises:
            LookupError: no message matches. The error shows what was sent, and what failed or never left botocore.
            TypeError: an unknown field.
        """
        return newest_message(self._journal, select_messages(destination, fields)).code

    def wrong_code(self, destination: object = None, **fields: Unpack[MessageFields]) -> str:
        """Return a code that is wrong for the newest message that matches. It has the same length, is the same every
        time, and is never one that was issued, is queued or will be drawn.

        Raises:
            LookupError: no message matches, or every code of that length was issued or is queued.
            TypeError: an unknown field.
        """
        with lock:
            message = newest_message(self._journal, select_messages(destination, fields))
            return self._service.codes.wrong_code(message.code, message.code_type or "NUMERIC")

    def assert_sent(
        self, destination: object = None, *, times: int | None = None, **fields: Unpack[MessageFields]
    ) -> SentMessage:
        """Assert that a matching message was sent, exactly ``times`` times if that is given, and return the newest.

        Raises:
            AssertionError: it was not. The error shows near misses.
            TypeError: an unknown field, or ``times`` is not an int.
            ValueError: ``times`` is less than 1: use `assert_not_sent`.
        """
        check_times("assert_sent", times, "assert_not_sent")
        selection = select_messages(destination, fields)
        found = matching_messages(self._journal, selection)
        return expect("message", selection, times, found, self.messages, self._journal)

    def assert_not_sent(self, destination: object = None, **fields: Unpack[MessageFields]) -> None:
        """Assert that no matching message was sent; without a selection, none at all.

        Raises:
            AssertionError: one was. The error shows which.
            TypeError: an unknown field.
        """
        selection = select_messages(destination, fields)
        expect_none("message", selection, matching_messages(self._journal, selection))

    def assert_called(
        self,
        operation: OperationName = "SendOTPMessage",
        *,
        times: int | None = None,
        **fields: Unpack[CallFields],
    ) -> Call:
        """Assert that the application made a matching call, exactly ``times`` times if given, and return the newest.

        Every call counts, however it ended. botocore's retries are attempts of the same call.

        Raises:
            AssertionError: it did not. The error shows near misses.
            TypeError: an unknown field, or an argument of the wrong type.
            ValueError: no such operation, or ``times`` is less than 1: use `assert_not_called`.
        """
        check_times("assert_called", times, "assert_not_called")
        selection = select_calls("assert_called", operation, fields)
        calls = self.calls
        return expect("call", selection, times, list(select(calls, selection)), calls, self._journal)

    def assert_not_called(self, operation: OperationName | None = None, **fields: Unpack[CallFields]) -> None:
        """Assert that the application made no matching call; without a selection, none at all.

        Raises:
            AssertionError: it did. The error shows which call.
            TypeError: an unknown field, or an operation that is not a str.
            ValueError: no such operation.
        """
        selection = select_calls("assert_not_called", operation, fields)
        expect_none("call", selection, list(select(self.calls, selection)))

    @explain_arguments("Give the seconds by keyword: timeout=5.")
    def wait_for_message(
        self, destination: object = None, *, timeout: float = 5.0, **fields: Unpack[MessageFields]
    ) -> SentMessage:
        """Wait for a text that the application sends from another thread or a task queue, and return it.

        If one matches already, return the newest at once.

        Args:
            destination: the number that the text goes to; ``fields`` select further, as in `inbox`.
            timeout: seconds of real time, even if the clock is frozen.

        Raises:
            TimeoutError: no message matched in time. The error says what was sent meanwhile.
            TypeError: an unknown field, or a timeout that is not a number.
            ValueError: a negative timeout.
        """
        selection = select_messages(destination, fields)
        return waiting.wait(self._journal, selection, timeout, "wait_for_message")

    async def async_wait_for_message(
        self, destination: object = None, *, timeout: float = 5.0, **fields: Unpack[MessageFields]
    ) -> SentMessage:
        """Wait for a text that the application sends from another task, of asyncio or trio.

        Takes, returns and raises what `wait_for_message` does.
        """
        selection = select_messages(destination, fields)
        return await waiting.async_wait(self._journal, selection, timeout, "async_wait_for_message")

    # -- What is to happen -----------------------------------------------------------------------------------------

    @explain_arguments()
    def inject(
        self,
        *outcomes: OutcomeLike,
        operation: OperationName = "SendOTPMessage",
        per: Literal["call", "attempt"] = "call",
        times: int | None = 1,
        after: int = 0,
        optional: bool = False,
        destination: object = None,
        reference_id: object = None,
        application_id: object = None,
    ) -> Injection:
        """Make the next matching calls end in these outcomes, in order.

        Args:
            outcomes: each a `DeliveryStatus`, a `Delivery`, an `ErrorResponse`, a `LostResponse`, a `RawResponse`, the
                plain name of a status, of a modelled error or of a botocore transport exception, a modelled exception
                class (``client.exceptions.X``), a botocore transport exception (class or instance), or a callable that
                takes the `Call` and returns one of these, or None to leave the call to the next injection. An operation
                that verifies has no deliveries, but takes ``"VALID"`` or ``"INVALID"``: a verdict that judges no code
                and uses nothing up.
            operation: the operation, as AWS or as boto3 spells it.
            per: ``"call"``: every attempt of a call gets the same outcome, so the application sees it however often
                botocore retries. ``"attempt"``: outcomes, ``times`` and ``after`` count HTTP requests, and
                botocore's retry may hide a failure.
            times: how many times the whole sequence is given; None: for ever.
            after: how many matching calls pass first, whatever answers them.
            optional: whether it may stay unused.
            destination: only calls for this destination; the filters compare with ``==``.
            reference_id: only calls with this reference.
            application_id: only calls for this application.

        A refused call gets no outcome and is not counted. Finite injections answer first, oldest first; then standing
        ones, newest first; then quotas; then opt-outs; then the service.

        Raises:
            TypeError: no outcome, or an argument of the wrong type.
            ValueError: an unknown name, an outcome that the operation does not have, or a count out of range.
        """
        injection = Injection(
            *outcomes,
            operation=operation,
            per=per,
            times=times,
            after=after,
            optional=optional,
            filters={"destination": destination, "reference_id": reference_id, "application_id": application_id},
        )
        self._service.add([injection])
        return injection

    def follow(self, plan: FailurePlan, *, optional: bool = False) -> list[Injection]:
        """Carry out a failure plan: each step becomes an injection, in order.

        Args:
            plan: the plan, made by hand, read from a file, or returned by `recorded_plan`.
            optional: whether its steps may stay unused.

        Returns:
            the handles, in the order of the steps.

        Raises:
            TypeError: not a `FailurePlan`.
        """
        if not isinstance(plan, FailurePlan):
            makers = "FailurePlan(steps) makes one, FailurePlan.from_file reads one"
            raise TypeError(f"follow takes a FailurePlan, not {kind(plan)}; {makers}.")
        check_bool("follow: optional", optional)
        return self._service.follow(plan, optional=optional)

    def recorded_plan(self) -> FailurePlan:
        """Return the plan that reproduces what this fake did to its calls so far.

        A fresh fake that follows it, with the same seed and the same calls, gives the same outcomes: injections,
        quotas and opt-outs all become steps. Errors that come from mistakes of the test are left out.
        """
        return self._service.recorded_plan()

    def limit_rate(
        self,
        count: int,
        *,
        per: timedelta,
        by: Literal["destination", "origination", "application"] = "destination",
        outcome: Refused | None = None,
    ) -> RateLimit:
        """Give the service a quota: sends beyond it end in ``outcome``, until the handle is cancelled.

        The window slides with the fake's clock. It counts the deliveries by calls from now on, but not what `issue`
        arranges. Injections come before quotas, and opt-outs after them.

        Args:
            count: deliveries allowed within ``per``, 0 or more.
            per: the duration of the window.
            by: what has a quota of its own: each ``"destination"``, ``"origination"`` or ``"application"``.
            outcome: a failed delivery or an error, in any form that `inject` takes; None: THROTTLED, or
                ThrottlingException if the API has that.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: an argument out of range, or an unknown name.
        """
        limit = RateLimit(count, per=per, by=by, outcome=outcome)
        with lock:
            self._service.faults.rate_limits.append(limit)
        return limit

    @explain_arguments()
    def opt_out(self, number: str, *, outcome: Refused | None = None) -> None:
        """Make every send to this number fail from now on. Verifications are not affected.

        Args:
            number: the phone number, in E.164.
            outcome: what such a send ends in: a failed delivery or an error, in any form that `inject` takes. None:
                OPT_OUT, or ConflictException if the API reports no delivery status. AWS has been seen to answer
                PERMANENT_FAILURE instead.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: the number is not in E.164, the outcome is SUCCESSFUL, or an unknown name.
        """
        number = read_phone_number("opt_out", number, enforce=self._options.enforce_limits)
        refusal = None if outcome is None else read_refusal(outcome, "opt_out")
        with lock:
            self._service.faults.opted_out[number] = refusal

    @explain_arguments()
    def opt_in(self, number: str) -> None:
        """Undo the opt-out of a number; without one, nothing changes.

        Raises:
            TypeError: the number is not a str.
            ValueError: the number is not in E.164.
        """
        number = read_phone_number("opt_in", number, enforce=self._options.enforce_limits)
        with lock:
            self._service.faults.opted_out.pop(number, None)

    def queue_codes(self, *codes: str) -> None:
        """Set the codes of the next delivered sends, in order, whoever they are for.

        If a code does not have the length and type that its send asks for, that is an error at the send, and again at
        the end of the test.

        Raises:
            TypeError: no code, or a code that is not a str.
            ValueError: a code that no API sends: with other characters than digits and capital letters, or of a wrong
                length.
        """
        queued = read_codes(codes, enforce=self._options.enforce_limits)
        with lock:
            self._service.codes.queue.extend(queued)

    @explain_arguments()
    def issue(
        self,
        destination: str,
        *,
        application_id: str | None = None,
        reference_id: str | None,
        code: str | None = None,
        **parameters: Unpack[IssueParameters],
    ) -> SentMessage:
        """Issue a live OTP without a call, to arrange a test. Its text appears in ``messages``.

        Injections, opt-outs and queued codes do not affect it.

        Args:
            destination: the number that the code is for.
            application_id: the application; None: the code is of the API without applications, End User Messaging.
            reference_id: the reference. None leaves it out, if the API allows that.
            code: the code; by default one is drawn. Its length is the ``code_length``, unless that is given too.
            parameters: any other parameter of a send that the API has, in snake_case, such as code_length (characters),
                validity_period (minutes) and brand_name. None means the default.

        Raises:
            TypeError: an unknown parameter, or a value of the wrong type.
            ValueError: a parameter that is missing or outside AWS's limits, or a code of another length or type.
            LookupError: the number has had every code of that length for this reference.
        """
        issued = read_issue(application_id, parameters, code, enforce=self._options.enforce_limits)
        return self._service.issue(plain(application_id), plain(destination), plain(reference_id), plain(code), issued)

    @explain_arguments()
    def add_code_configuration(self, configuration_id: str, **policy: Unpack[ConfigurationParameters]) -> None:
        """Add a notify code configuration of End User Messaging, as if it had been made in the console.

        It replaces one with the same ID. From then on, a send that names an unknown configuration is refused.

        Args:
            configuration_id: its ID, such as ``cc-sign-up``.
            policy: ``name`` (by default the ID), ``code_type`` (NUMERIC, ALPHA or ALPHANUMERIC), ``code_length``
                (characters), ``validity_period`` (minutes), ``allowed_attempts``, and the templates of the channels
                with ``{{code}}`` where the code goes: ``text``, ``voice``, and ``whatsapp`` (a template's name). None
                means the API's default.

        Raises:
            TypeError: an unknown parameter, or a value of the wrong type.
            ValueError: a value outside AWS's limits.
        """
        check_text("add_code_configuration: configuration_id", configuration_id)
        self._service.add_configuration(plain(configuration_id), **read_policy(policy))

    # -- Time ------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the service's time (aware, in UTC): the process's wall clock plus what was advanced.

        freezegun and time-machine move it too. Give this method to an application that takes a clock.
        """
        return self._service.clock.now()

    def advance(self, by: timedelta | None = None, **parts: Unpack[DurationParts]) -> None:
        """Move the service's clock ahead; the process's own clock stays.

        Args:
            by: how far; or give numbers as ``weeks``, ``days``, ``hours``, ``minutes`` and ``seconds`` instead.

        Raises:
            TypeError: no duration, two forms of it, or one that is not a number.
            ValueError: the clock would go back, or beyond the year 9999.
        """
        ahead = read_duration(by, parts)
        with lock:
            self._service.clock.advance(ahead)

    def reset(self) -> None:
        """Put the fake back into its first state: seed, clock, queued codes, opt-outs, injections and records."""
        with lock:
            self._service.faults.cancel()
            use_service(self, self._service.afresh())
        if self._arrange is not None:
            self._arrange(self)

    # -- Inside the package ----------------------------------------------------------------------------------------

    @property
    def _journal(self) -> Journal:
        return self._service.journal


def service_of(fake: PinpointOTP) -> Service:
    """Return the service that a fake stands for now."""
    return fake._service


def use_service(fake: PinpointOTP, service: Service) -> None:
    """Give a fake another service, on the stack of active fakes too."""
    with lock:
        active.replace(fake._service, service)
        fake._service = service
