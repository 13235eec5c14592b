"""The suite of the application. It does not know which of AWS's services sends the codes."""

import threading
from datetime import timedelta

import pytest

PHONE = "+15550100123"


def test_the_code_of_the_text_lets_in(sign_in, pinpoint_otp):
    assert sign_in.send_code(PHONE) == sign_in.Sending.SENT
    assert sign_in.check_code(PHONE, pinpoint_otp.code_for(PHONE))


def test_the_text_names_the_shop(sign_in, pinpoint_otp):
    sign_in.send_code(PHONE)
    (message,) = pinpoint_otp.messages
    assert "Example Shop" in message.body
    assert message.code in message.body


def test_a_code_may_be_typed_in_groups(sign_in, pinpoint_otp):
    sign_in.send_code(PHONE)
    code = pinpoint_otp.code_for(PHONE)
    assert sign_in.check_code(PHONE, f"{code[:3]} {code[3:]} ")


def test_a_wrong_code_does_not_let_in(sign_in, pinpoint_otp):
    sign_in.send_code(PHONE)
    assert not sign_in.check_code(PHONE, pinpoint_otp.wrong_code(PHONE))


@pytest.mark.parametrize("typed", ["", "abc", "12-34-56", "1234567890"])
def test_what_cannot_be_a_code_does_not_let_in(sign_in, pinpoint_otp, typed):
    sign_in.send_code(PHONE)
    assert not sign_in.check_code(PHONE, typed)


def test_three_wrong_codes_lock_the_right_one(sign_in, pinpoint_otp):
    sign_in.send_code(PHONE)
    for _ in range(3):
        assert not sign_in.check_code(PHONE, pinpoint_otp.wrong_code(PHONE))
    assert not sign_in.check_code(PHONE, pinpoint_otp.code_for(PHONE))


def test_a_code_lets_in_for_a_quarter_of_an_hour(sign_in, pinpoint_otp):
    sign_in.send_code(PHONE)
    pinpoint_otp.advance(minutes=14)
    assert sign_in.check_code(PHONE, pinpoint_otp.code_for(PHONE))

    sign_in.send_code(PHONE)
    pinpoint_otp.advance(minutes=15)
    assert not sign_in.check_code(PHONE, pinpoint_otp.code_for(PHONE))


def test_a_new_code_replaces_the_earlier_one(sign_in, pinpoint_otp):
    sign_in.send_code(PHONE)
    first = pinpoint_otp.code_for(PHONE)
    sign_in.send_code(PHONE)
    assert not sign_in.check_code(PHONE, first)
    assert sign_in.check_code(PHONE, pinpoint_otp.code_for(PHONE))


def test_a_code_works_once(sign_in, pinpoint_otp):
    sign_in.send_code(PHONE)
    code = pinpoint_otp.code_for(PHONE)
    assert sign_in.check_code(PHONE, code)
    assert not sign_in.check_code(PHONE, code)


def test_a_code_may_be_sent_by_a_thread(sign_in, pinpoint_otp):
    thread = threading.Thread(target=sign_in.send_code, args=[PHONE])
    thread.start()
    message = pinpoint_otp.wait_for_message(PHONE, timeout=10)
    thread.join()
    assert sign_in.check_code(PHONE, message.code)


def test_a_number_that_has_opted_out_needs_another(sign_in, pinpoint_otp):
    pinpoint_otp.opt_out(PHONE)
    assert sign_in.send_code(PHONE) == sign_in.Sending.OTHER_NUMBER
    assert not pinpoint_otp.messages


def test_a_throttled_text_asks_for_patience(sign_in, pinpoint_otp):
    pinpoint_otp.limit_rate(1, per=timedelta(minutes=1))
    assert sign_in.send_code(PHONE) == sign_in.Sending.SENT
    assert sign_in.send_code(PHONE) == sign_in.Sending.TRY_LATER
    pinpoint_otp.assert_sent(PHONE, times=1)
