"""What many OTPs in one fake cost: time that does not grow with them, and memory."""

from __future__ import annotations

import gc
import itertools
import tracemalloc

from measuring import Measure, Send

from pytest_pinpoint_otp import PinpointOTP, mock_pinpoint_otp

FEW, MANY = 1_000, 30_000


def fill(fake: PinpointOTP, count: int) -> None:
    """Bring the number of live OTPs to this."""
    for number in range(len(fake.messages), count):
        fake.issue(f"+1555{number:07}", application_id="a1b2c3d4", reference_id="sign-up")


def test_a_send_among_many_otps(measure: Measure, send: Send) -> None:
    numbers = itertools.count()

    def send_anew() -> None:
        send(ReferenceId=f"send-{next(numbers)}")

    with mock_pinpoint_otp() as many:
        fill(many, MANY)
        few = mock_pinpoint_otp()

        def enter_few() -> None:
            fill(few.start(), FEW)
            send_anew()

        def leave_few() -> None:
            few.stop()
            send_anew()

        ratio = measure.ratio(send_anew, send_anew, before_subject=leave_few, before_reference=enter_few, rounds=50)
    measure.check(f"A send among {MANY:,} OTPs alive, of one among {FEW:,}", ratio, 1.2)


def test_code_for_among_many_otps(measure: Measure) -> None:
    with mock_pinpoint_otp() as many:
        fill(many, MANY)
    with mock_pinpoint_otp() as few:
        fill(few, FEW)
    ratio = measure.ratio(lambda: many.code_for("+15550000000"), lambda: few.code_for("+15550000000"))
    measure.check(f"`code_for` the oldest of {MANY:,} OTPs, of the oldest of {FEW:,}", ratio, 1.2)


def test_a_resend_beside_a_first_send(measure: Measure, send: Send) -> None:
    numbers = itertools.count()

    def first_send() -> None:
        send(ReferenceId=f"send-{next(numbers)}")

    with mock_pinpoint_otp() as fake:
        ratio = measure.ratio(send, first_send)
        assert len(fake.inbox(reference_id="sign-up")) >= 1000
    measure.check("Each of 1,000 resends of one key, of a first send", ratio, 1.05)


def test_memory_of_an_otp_with_its_records(measure: Measure, send: Send) -> None:
    count = 5_000
    arguments = [
        {"DestinationIdentity": f"+1555{number:07}", "ReferenceId": f"sign-up-{number}"} for number in range(count)
    ]
    taken = []

    def send_all() -> None:
        with mock_pinpoint_otp():
            send()
            gc.collect()
            tracemalloc.start()
            for given in arguments:
                send(**given)
            gc.collect()
            taken.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.stop()

    measure.seconds(send_all, rounds=1)
    measure.check("Memory of an OTP with its records", max(taken) / count / 1024, 2.5, " KiB")
