"""`PinpointOTP`: what a test holds in its hands, to arrange outcomes, move the clock and see what happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest_pinpoint_otp.engine.waiting as waiting
import pytest_pinpoint_otp.transports.active as active
from pytest_pinpoint_otp.engine.argument_checks import check_bool, explain_arguments, kind, plain
from pytest_pinpoint_otp.engine.arguments import check_number, check_text, read_codes, read_issue, read_policy
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
    """An in-memory OTP service, while it is active in place of AWS's.

    The fixture ``pinpoint_otp`` yields one for each test; ``mock_pinpoint_otp`` gives one without pytest. Use these
    rather than the class itself, which is public for annotations.

    Methods that select messages take the destination first, those that select calls the operation; both then take any
    field of the record by keyword, compared with ``==`` (``unittest.mock.ANY`` works). An unknown field raises
    TypeError. Safe to use from any thread.
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
        """The calls that the application made, oldest first, as a new list. botocore's retries are attempts of one."""
        with lock:
            return self._service.journal.calls

    @property
    def verifications(self) -> list[Verification]:
        """The codes that were judged, oldest first, as a new list. A call that ended in an error judged none."""
        with lock:
            return list(self._service.journal.verifications)

    def inbox(self, destination: object = None, **fields: Unpack[MessageFields]) -> list[SentMessage]:
        """Return the messages that match, oldest first; all of them where nothing is selected.

        Raises:
            TypeError: an unknown field.
        """
        return matching_messages(self._journal, select_messages(destination, fields))

    def code_for(self, destination: object = None, **fields: Unpack[MessageFields]) -> str:
        """Return the code of the newest message that matches: the one that the user would type in.

        Raises:
            LookupError: no message matches. It tells what was sent, and which calls failed or never left botocore.
            TypeError: an unknown field.
        """
        return newest_message(self._journal, select_messages(destination, fields)).code

    def wrong_code(self, destination: object = None, **fields: Unpack[MessageFields]) -> str:
        """Return a code that is wrong for the newest message that matches: of the same length, the same every time,
        none that was issued or queued, and none that will be drawn.

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
        """Assert that a matching message was sent, exactly ``times`` times where given, and return the newest.

        Raises:
            AssertionError: it was not. Shows the near misses.
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
            AssertionError: one was. Shows which.
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
        """Assert that the application made a matching call, exactly ``times`` times where given, and return the newest.

        Every call counts, however it ended; botocore's retries are attempts of one call.

        Raises:
            AssertionError: it did not. Shows the near misses.
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
            AssertionError: it did. Shows which.
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

        At once, and the newest, where one matches already.

        Args:
            destination: whom the text is for; ``fields`` select further, as everywhere.
            timeout: seconds of real time, even where the clock is frozen.

        Raises:
            TimeoutError: no message matched in time. Tells what was sent meanwhile.
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
        """Let the next matching calls end in these outcomes, in turn.

        Args:
            outcomes: each a `DeliveryStatus`, a `Delivery`, an `ErrorResponse`, a `LostResponse`, a `RawResponse`, the
                plain name of a status, of a modelled error or of a botocore transport exception, a modelled exception
                class (``client.exceptions.X``), a botocore transport exception (class or instance), or a callable that
                takes the `Call` and returns one of these, or None to leave the call to the next injection. For an
                operation that verifies, also ``"VALID"`` or ``"INVALID"``: a verdict that judges no code and uses
                nothing up; it has no deliveries.
            operation: the operation, as AWS or as boto3 spells it.
            per: ``"call"``: every attempt of a call gets the same outcome, so the application sees it however often
                botocore retries. ``"attempt"``: outcomes, ``times`` and ``after`` count HTTP requests, so that
                botocore's own retry may hide them.
            times: how often the whole sequence is given; None: for ever.
            after: how many matching calls pass first, whoever answers those.
            optional: whether it may be left unused.
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
            optional: whether its steps may be left unused.

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
        quotas and opt-outs all become steps. What a test's own mistakes raised is left out.
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
        """Set a quota of the service's own: sends beyond it end in ``outcome``, until the handle is cancelled.

        A sliding window on the fake's clock, over the deliveries by calls from now on; what `issue` arranges does not
        count. Injections come before quotas, and opt-outs after them.

        Args:
            count: deliveries allowed within ``per``, 0 or more.
            per: the duration of the window.
            by: what the quota is for each of: ``"destination"``, ``"origination"`` or ``"application"``.
            outcome: a failed delivery or an error, in any form that `inject` takes; None: THROTTLED, or
                ThrottlingException where the API has that.

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
        """Let every send to this number fail from now on. Verifications go on.

        Args:
            number: the phone number, in E.164.
            outcome: what such a send ends in: a failed delivery or an error, in any form that `inject` takes. None:
                OPT_OUT, or ConflictException where the API tells no delivery status. AWS has been seen to answer
                PERMANENT_FAILURE instead.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: the number is not in E.164, the outcome is SUCCESSFUL, or an unknown name.
        """
        number = check_number("opt_out", number, enforce=self._options.enforce_limits)
        refusal = None if outcome is None else read_refusal(outcome, "opt_out")
        with lock:
            self._service.faults.opted_out[number] = refusal

    @explain_arguments()
    def opt_in(self, number: str) -> None:
        """Take a number's opt-out back; without one, nothing changes.

        Raises:
            TypeError: the number is not a str.
            ValueError: the number is not in E.164.
        """
        number = check_number("opt_in", number, enforce=self._options.enforce_limits)
        with lock:
            self._service.faults.opted_out.pop(number, None)

    def queue_codes(self, *codes: str) -> None:
        """Set the codes of the next delivered sends, in turn, whatever their key.

        A code that is not of the length and type that the send asks for is a mistake that shows at the send, and again
        at the end of the test.

        Raises:
            TypeError: no code, or a code that is not a str.
            ValueError: a code that no API sends: of other characters than digits and capital letters, or of another
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
        """Issue a live OTP without a call, to arrange a test; its text appears in ``messages``.

        Neither injections nor opt-outs nor queued codes touch it.

        Args:
            destination: whom the code is for.
            application_id: the application; None: the code is of the API without applications, End User Messaging.
            reference_id: the reference; None where the API lets it be left out.
            code: the code; by default one is drawn. Its length is the ``code_length``, unless that is given too.
            parameters: any other parameter of a send that the API has, in snake_case, such as code_length (characters),
                validity_period (minutes) and brand_name. None leaves one to its default.

        Raises:
            TypeError: an unknown parameter, or a value of the wrong type.
            ValueError: a parameter that is missing or outside AWS's limits, or a code of another length or type.
        """
        issued = read_issue(application_id, parameters, code, enforce=self._options.enforce_limits)
        return self._service.issue(plain(application_id), plain(destination), plain(reference_id), plain(code), issued)

    @explain_arguments()
    def add_code_configuration(self, configuration_id: str, **policy: Unpack[ConfigurationParameters]) -> None:
        """Add a notify code configuration of End User Messaging, as the console would.

        It replaces one of the same ID. From then on, a send by a configuration that nobody has made is refused.

        Args:
            configuration_id: its ID, such as ``cc-sign-up``.
            policy: ``name`` (by default the ID), ``code_type`` (NUMERIC, ALPHA or ALPHANUMERIC), ``code_length``
                (characters), ``validity_period`` (minutes), ``allowed_attempts``, and the templates of the channels
                with ``{{code}}`` where the code goes: ``text``, ``voice``, and ``whatsapp`` (a template's name). None
                leaves one to the API's default.

        Raises:
            TypeError: an unknown parameter, or a value of the wrong type.
            ValueError: a value outside AWS's limits.
        """
        check_text("add_code_configuration: configuration_id", configuration_id)
        self._service.add_configuration(plain(configuration_id), **read_policy(policy))

    # -- Time ------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the service's time (aware, in UTC): the process's wall clock plus what was advanced.

        freezegun and time-machine move it by themselves. An application that takes a clock can be given this method.
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
        """Start afresh, as entered: with seed, clock, queue, opt-outs, injections and records as at the beginning."""
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
    """Put a service in the place of a fake's own, on the stack of active ones too."""
    with lock:
        active.replace(fake._service, service)
        fake._service = service
