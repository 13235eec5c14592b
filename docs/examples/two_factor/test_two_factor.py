"""The suite of the example application: challenges in moto's DynamoDB, codes from the plugin's OTP service."""

import pytest
from botocore.exceptions import EndpointConnectionError
from two_factor import Login, begin, finish, resend

from pytest_pinpoint_otp import LostResponse

USER, PHONE = "somebody", "+15550100123"


def test_the_code_from_the_text_logs_the_user_in(pinpoint_otp, table):
    challenge = begin(USER, PHONE)
    assert table.get_item(Key={"id": challenge})["Item"]["user"] == USER

    assert finish(challenge, pinpoint_otp.code_for(PHONE)) == Login.DONE
    assert table.scan()["Count"] == 0


def test_a_challenge_is_what_ties_its_code_to_it(pinpoint_otp):
    first, second = begin(USER, PHONE), begin(USER, PHONE)

    assert finish(second, pinpoint_otp.code_for(PHONE, reference_id=first)) == Login.WRONG_CODE
    assert finish(second, pinpoint_otp.code_for(PHONE, reference_id=second)) == Login.DONE
    assert finish(first, pinpoint_otp.code_for(PHONE, reference_id=first)) == Login.DONE


def test_a_challenge_that_was_met_is_over(pinpoint_otp):
    challenge = begin(USER, PHONE)
    code = pinpoint_otp.code_for(PHONE)
    finish(challenge, code)

    assert finish(challenge, code) == Login.BEGIN_AGAIN
    pinpoint_otp.assert_called("VerifyOTPMessage", times=1)


def test_an_unknown_challenge_asks_aws_nothing(pinpoint_otp):
    assert finish("made-up", "123456") == Login.BEGIN_AGAIN
    assert not resend("made-up")
    pinpoint_otp.assert_not_called()


def test_an_expired_challenge_that_is_still_in_the_table_asks_aws_nothing(pinpoint_otp, table):
    table.put_item(Item={"id": "old", "user": USER, "phone": PHONE, "expires": 1})

    assert finish("old", "123456") == Login.BEGIN_AGAIN
    assert not resend("old")
    pinpoint_otp.assert_not_called()


def test_a_typing_mistake_keeps_the_challenge(pinpoint_otp):
    challenge = begin(USER, PHONE)

    assert finish(challenge, pinpoint_otp.wrong_code(PHONE)) == Login.WRONG_CODE
    assert finish(challenge, pinpoint_otp.code_for(PHONE)) == Login.DONE


def test_a_resend_revives_a_challenge_after_too_many_attempts(pinpoint_otp):
    challenge = begin(USER, PHONE)
    for _ in range(3):
        finish(challenge, pinpoint_otp.wrong_code(PHONE))
    assert finish(challenge, pinpoint_otp.code_for(PHONE)) == Login.WRONG_CODE

    assert resend(challenge)
    assert finish(challenge, pinpoint_otp.code_for(PHONE)) == Login.DONE


def test_a_code_that_aws_has_let_expire_is_refused(pinpoint_otp):
    challenge = begin(USER, PHONE)
    pinpoint_otp.advance(minutes=5)

    assert finish(challenge, pinpoint_otp.code_for(PHONE)) == Login.WRONG_CODE


@pytest.mark.parametrize("outcome", ["THROTTLED", "PERMANENT_FAILURE", "ForbiddenException", EndpointConnectionError])
def test_a_text_that_was_not_sent_leaves_no_challenge(pinpoint_otp, table, outcome):
    pinpoint_otp.inject(outcome)

    assert begin(USER, PHONE) is None
    assert table.scan()["Count"] == 0


def test_a_number_that_has_opted_out_gets_no_challenge(pinpoint_otp, table):
    pinpoint_otp.opt_out(PHONE)

    assert begin(USER, PHONE) is None
    assert table.scan()["Count"] == 0


def test_a_lost_answer_while_sending_sends_one_text_only(pinpoint_otp):
    pinpoint_otp.inject(LostResponse())

    assert begin(USER, PHONE) is None
    pinpoint_otp.assert_sent(PHONE, times=1)


def test_a_lost_answer_while_checking_is_not_taken_for_a_wrong_code(pinpoint_otp):
    challenge = begin(USER, PHONE)
    pinpoint_otp.inject(LostResponse(), operation="VerifyOTPMessage")

    assert finish(challenge, pinpoint_otp.code_for(PHONE)) == Login.UNKNOWN
    assert pinpoint_otp.verifications[-1].valid

    assert resend(challenge)
    assert finish(challenge, pinpoint_otp.code_for(PHONE)) == Login.DONE
