"""The suite of the example application: a user signs up, and everything that may go wrong on the way."""

import pytest
from sign_up import Sending, check_code, send_code

PHONE = "+15550100123"


def test_the_code_from_the_text_signs_the_user_up(pinpoint_otp):
    assert send_code(PHONE) == Sending.SENT

    assert check_code(PHONE, pinpoint_otp.code_for(PHONE))


def test_the_text_names_the_brand(pinpoint_otp):
    send_code(PHONE)

    message = pinpoint_otp.assert_sent(PHONE, times=1, brand_name="Example Shop")
    assert message.body == f"This is your One Time Password: {message.code} from Example Shop"


def test_a_resend_replaces_the_earlier_code(pinpoint_otp):
    send_code(PHONE)
    first = pinpoint_otp.code_for(PHONE)
    send_code(PHONE)
    second = pinpoint_otp.code_for(PHONE)

    assert not check_code(PHONE, first)
    assert check_code(PHONE, second)


def test_a_code_is_good_for_one_sign_up(pinpoint_otp):
    send_code(PHONE)
    code = pinpoint_otp.code_for(PHONE)

    assert check_code(PHONE, code)
    assert not check_code(PHONE, code)


def test_the_code_of_another_phone_is_refused(pinpoint_otp):
    send_code(PHONE)
    send_code("+15550100124")

    assert not check_code(PHONE, pinpoint_otp.code_for("+15550100124"))


def test_after_too_many_attempts_the_right_code_is_refused_too(pinpoint_otp):
    send_code(PHONE)
    for _ in range(3):
        assert not check_code(PHONE, pinpoint_otp.wrong_code(PHONE))

    assert not check_code(PHONE, pinpoint_otp.code_for(PHONE))
    assert pinpoint_otp.verifications[-1].reason == "ATTEMPTS_EXHAUSTED"


def test_two_typing_mistakes_are_forgiven(pinpoint_otp):
    send_code(PHONE)
    for _ in range(2):
        assert not check_code(PHONE, pinpoint_otp.wrong_code(PHONE))

    assert check_code(PHONE, pinpoint_otp.code_for(PHONE))


def test_a_code_expires_after_ten_minutes(pinpoint_otp):
    send_code(PHONE)
    pinpoint_otp.advance(minutes=10)

    assert not check_code(PHONE, pinpoint_otp.code_for(PHONE))


def test_a_code_that_is_nearly_ten_minutes_old_is_accepted(pinpoint_otp):
    send_code(PHONE)
    pinpoint_otp.advance(minutes=9)

    assert check_code(PHONE, pinpoint_otp.code_for(PHONE))


@pytest.mark.parametrize("status", ["THROTTLED", "TEMPORARY_FAILURE", "UNKNOWN_FAILURE", "DUPLICATE"])
def test_a_delivery_that_may_work_later_asks_for_patience(pinpoint_otp, status):
    pinpoint_otp.inject(status)

    assert send_code(PHONE) == Sending.TRY_LATER
    pinpoint_otp.assert_not_sent(PHONE)


def test_after_a_throttled_delivery_the_next_one_works(pinpoint_otp):
    pinpoint_otp.inject("THROTTLED")

    assert send_code(PHONE) == Sending.TRY_LATER
    assert send_code(PHONE) == Sending.SENT
    assert check_code(PHONE, pinpoint_otp.code_for(PHONE))


def test_a_number_that_does_not_exist_asks_for_another_one(pinpoint_otp):
    pinpoint_otp.inject("PERMANENT_FAILURE")

    assert send_code(PHONE) == Sending.OTHER_NUMBER


def test_a_number_that_has_opted_out_asks_for_another_one(pinpoint_otp):
    pinpoint_otp.opt_out(PHONE)

    assert send_code(PHONE) == Sending.OTHER_NUMBER
    assert send_code("+15550100124") == Sending.SENT


@pytest.mark.parametrize(
    "error", ["BadRequestException", "ForbiddenException", "TooManyRequestsException", "InternalServerErrorException"]
)
def test_a_service_error_while_sending_asks_for_patience(pinpoint_otp, error):
    pinpoint_otp.inject(error)

    assert send_code(PHONE) == Sending.TRY_LATER


def test_a_service_error_while_checking_leaves_the_code_alive(pinpoint_otp):
    send_code(PHONE)
    pinpoint_otp.inject("InternalServerErrorException", operation="VerifyOTPMessage")

    assert not check_code(PHONE, pinpoint_otp.code_for(PHONE))
    assert check_code(PHONE, pinpoint_otp.code_for(PHONE))


def test_a_single_server_error_is_hidden_by_boto3s_retry(pinpoint_otp):
    pinpoint_otp.inject("InternalServerErrorException", per="attempt")

    assert send_code(PHONE) == Sending.SENT
    assert len(pinpoint_otp.assert_called(times=1).attempts) == 2
