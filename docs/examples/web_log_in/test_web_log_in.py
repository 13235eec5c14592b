"""The suite of the example application: the page by HTTP, the code from the fake."""

import re
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import pytest

from pytest_pinpoint_otp import LostResponse

PHONE = "+15550100123"

# Without the proxy that the environment may name.
browser = build_opener(ProxyHandler({}))


def post(url, **fields):
    """Send a form, and return status and page."""
    try:
        with browser.open(url, urlencode(fields).encode()) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def ask_for_code(shop):
    """Do the first step, and return the hidden fields of the second one."""
    status, page = post(f"{shop}/code", phone=PHONE)
    assert status == 200
    return dict(re.findall(r'name="(\w+)" type="hidden" value="([^"]*)"', page))


def test_the_code_from_the_text_lets_the_user_in(shop, pinpoint_otp):
    hidden = ask_for_code(shop)

    status, page = post(f"{shop}/log-in", **hidden, code=pinpoint_otp.code_for(PHONE))

    assert status == 200
    assert "Welcome!" in page


def test_a_wrong_code_lets_nobody_in(shop, pinpoint_otp):
    hidden = ask_for_code(shop)

    assert post(f"{shop}/log-in", **hidden, code=pinpoint_otp.wrong_code(PHONE))[0] == 403


def test_a_code_is_for_its_own_log_in(shop, pinpoint_otp):
    first = ask_for_code(shop)
    ask_for_code(shop)

    assert post(f"{shop}/log-in", **first, code=pinpoint_otp.code_for(PHONE))[0] == 403


def test_a_code_expires(shop, pinpoint_otp):
    hidden = ask_for_code(shop)
    pinpoint_otp.advance(minutes=15)

    assert post(f"{shop}/log-in", **hidden, code=pinpoint_otp.code_for(PHONE))[0] == 403


@pytest.mark.parametrize("outcome", ["OPT_OUT", "TooManyRequestsException", "ReadTimeoutError"])
def test_a_code_that_was_not_sent_is_told(shop, pinpoint_otp, outcome):
    pinpoint_otp.inject(outcome)

    status, page = post(f"{shop}/code", phone=PHONE)

    assert status == 502
    assert "could not text you a code" in page


def test_a_lost_answer_is_not_taken_for_a_wrong_code(shop, pinpoint_otp):
    hidden = ask_for_code(shop)
    pinpoint_otp.inject(LostResponse(), operation="VerifyOTPMessage")

    assert post(f"{shop}/log-in", **hidden, code=pinpoint_otp.code_for(PHONE))[0] == 502
    assert pinpoint_otp.verifications[-1].valid


def test_an_endpoint_that_is_down_is_told(shop, pinpoint_otp_server, pinpoint_otp):
    pinpoint_otp_server.stop()
    try:
        assert post(f"{shop}/code", phone=PHONE)[0] == 502
    finally:
        pinpoint_otp_server.start()
    pinpoint_otp.assert_not_called()
