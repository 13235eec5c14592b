"""The JSON API: PinpointOTP's own methods, for tests in other languages."""

from __future__ import annotations

import re
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from active import served_fake
from helpers import APPLICATION, DESTINATION, OTHER_DESTINATION, REFERENCE, send_request, verify_request
from talking import PATIENCE, Reply, connected, get, post, read_reply, request

from pytest_pinpoint_otp import DeliveryStatus, FailurePlan, PinpointOTP, PinpointOTPServer, SentMessage
from pytest_pinpoint_otp.transports.http.commands import COMMANDS, kinds_of

ISSUE = {"destination": DESTINATION, "application_id": APPLICATION, "reference_id": REFERENCE}


def send(server: PinpointOTPServer, **parameters: Any) -> Reply:
    """Send as an SDK in another process does."""
    document = send_request(**parameters)["SendOTPMessageRequestParameters"]
    return request(server, "POST", f"/v1/apps/{APPLICATION}/otp", document)


def verify(server: PinpointOTPServer, code: str, **parameters: Any) -> bool:
    document = verify_request(code, **parameters)["VerifyOTPMessageRequestParameters"]
    return request(server, "POST", f"/v1/apps/{APPLICATION}/verify-otp", document).json["Valid"]


def statuses(server: PinpointOTPServer) -> list[str]:
    """Return the status of every text's code, oldest first."""
    return [message["status"] for message in get(server, "messages").json["messages"]]


def told(reply: Reply) -> tuple[int, str, str]:
    """Return an error's status, kind and message."""
    return reply.status, reply.json["error"], reply.json["message"]


# -- What happened ---------------------------------------------------------------------------------------------------


def test_messages_have_every_field_and_a_status(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    send(server)
    (message,) = fake.messages
    reply = get(server, "messages")
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    expected = {
        **message._asdict(),
        "sent_at": message.sent_at.isoformat(),
        "expires_at": message.expires_at.isoformat(),
    }
    assert reply.json["messages"] == [{**expected, "status": "LIVE"}]


def test_messages_are_selected_by_any_field(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    send(server)
    send(server, DestinationIdentity=OTHER_DESTINATION, CodeLength=8)
    for query in (f"destination={OTHER_DESTINATION}", "destination=%2B15550100456", "code_length=8&channel=SMS"):
        (message,) = get(server, f"messages?{query}").json["messages"]
        assert message["destination"] == OTHER_DESTINATION


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("destinatio=1", "messages: there is no argument 'destinatio'. Did you mean 'destination'?"),
        ("code_length=many", "'many' is not a number."),
        ("channel=SMS&channel=SMS", "The argument 'channel' is given twice."),
        ("unless=1&wait=long", "'long' is not a number."),
        ("unless=1&wait=-1", "messages: wait is -1.0, but takes seconds from 0 to 60."),
        ("unless=1&wait=nan", "messages: wait is nan, but takes seconds from 0 to 60."),
    ],
)
def test_a_query_that_says_nothing_is_refused(
    server: PinpointOTPServer, fake: PinpointOTP, query: str, text: str
) -> None:
    status, _, message = told(get(server, f"messages?{query}"))
    assert (status, message) == (400, text)


def test_a_codes_status_follows_its_life(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    for reference in ("verified", "exhausted", "superseded", "superseded", "expired"):
        send(server, ReferenceId=reference, ValidityPeriod=5 if reference == "expired" else 60)
    assert verify(server, fake.code_for(reference_id="verified"), ReferenceId="verified")
    for _ in range(3):
        assert not verify(server, fake.wrong_code(reference_id="exhausted"), ReferenceId="exhausted")
    fake.advance(minutes=5)
    assert statuses(server) == ["VERIFIED", "EXHAUSTED", "SUPERSEDED", "LIVE", "EXPIRED"]
    fake.advance(minutes=55)
    assert statuses(server) == ["VERIFIED", "EXHAUSTED", "SUPERSEDED", "EXPIRED", "EXPIRED"]


def test_calls_and_verifications_have_every_field(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    send(server)
    verify(server, "123456")
    call, _ = get(server, "calls").json["calls"]
    assert call["request"] == send_request()
    assert call["attempts"][0]["outcome"] == call["outcome"] == "SUCCESSFUL"
    assert [one["outcome"] for one in get(server, "calls?operation=VerifyOTPMessage").json["calls"]] == ["INVALID"]
    (verification,) = get(server, "verifications").json["verifications"]
    assert verification["reason"] == fake.verifications[0].reason
    assert verification["attempts_left"] == 2


def test_calls_are_selected_by_boto3s_name_of_an_operation_too(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    send(server)
    verify(server, "123456")
    (call,) = get(server, "calls?operation=verify_otp_message").json["calls"]
    assert call["operation"] == "VerifyOTPMessage"


def test_calls_of_an_operation_that_is_not_faked_are_a_mistake(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    status, error, message = told(get(server, "calls?operation=SendOTPMesage"))
    assert (status, error) == (400, "ValueError")
    assert "Did you mean 'SendOTPMessage'?" in message


def test_a_parameter_that_json_cannot_hold_is_shown_as_text(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    body = b'{"ValidityPeriod": NaN, "Language": ["x", 1.5, null, "\\ud800"]}'
    request(server, "POST", f"/v1/apps/{APPLICATION}/otp", body)
    (call,) = get(server, "calls").json["calls"]
    assert call["parameters"] == {"ValidityPeriod": "nan", "Language": ["x", 1.5, None, "\ud800"]}


def test_what_was_not_used_is_told(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    assert get(server, "unused").json == {"unused": []}
    post(server, "queue_codes", codes=["012345"])
    (unused,) = get(server, "unused").json["unused"]
    assert "012345" in unused


# -- Waiting ---------------------------------------------------------------------------------------------------------


def news(server: PinpointOTPServer, unless: str, wait: float = PATIENCE) -> dict[str, Any]:
    document: dict[str, Any] = get(server, f"messages?unless={unless}&wait={wait}").json
    return document


def test_a_new_text_is_news(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    tag = get(server, "messages").json["tag"]
    timer = threading.Timer(0.05, send, [server])
    timer.start()
    after = news(server, tag)
    timer.join()
    assert len(after["messages"]) == 1
    assert after["tag"] != tag


def test_without_news_the_answer_comes_in_the_end(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    tag = get(server, "messages").json["tag"]
    begun = time.monotonic()
    assert news(server, tag, wait=0.25) == {"tag": tag, "messages": []}
    assert time.monotonic() - begun > 0.2
    assert get(server, f"messages?unless={tag}").json["tag"] == tag


@pytest.mark.parametrize("change", ["verify", "advance", "reset"])
def test_whatever_changes_a_status_is_news(server: PinpointOTPServer, fake: PinpointOTP, change: str) -> None:
    send(server)
    tag = get(server, "messages").json["tag"]
    {
        "verify": lambda: verify(server, "1"),
        "advance": lambda: fake.advance(hours=1),
        "reset": fake.reset,
    }[change]()
    assert news(server, tag)["tag"] != tag


@time_machine.travel("2030-01-02T03:04:05+00:00", tick=False)
def test_the_moment_in_which_a_code_expires_is_news(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    send(server, ValidityPeriod=5)
    tag = get(server, "messages").json["tag"]
    fake.advance(minutes=5)
    assert statuses(server) == ["EXPIRED"]
    assert get(server, "messages").json["tag"] != tag


def test_another_tests_fake_is_news(server: PinpointOTPServer) -> None:
    with served_fake():
        tag = get(server, "messages").json["tag"]
    assert told(get(server, f"messages?unless={tag}&wait=20"))[:2] == (503, "NoFakeError")
    with served_fake():
        assert news(server, tag)["tag"] != tag


def test_the_next_fake_is_waited_for(server: PinpointOTPServer) -> None:
    assert get(server, "messages?unless=none&wait=0.05").status == 503
    with connected(server.port) as client:
        client.sendall(b"GET /_otp/messages?unless=none&wait=20 HTTP/1.1\r\nHost: a\r\n\r\n")
        with served_fake():
            assert read_reply(client).json["messages"] == []


def test_a_text_is_waited_for(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    timer = threading.Timer(0.05, send, [server])
    timer.start()
    message = post(server, "wait_for_message", destination=DESTINATION, timeout=PATIENCE).json
    timer.join()
    assert message["code"] == fake.code_for(DESTINATION)
    assert post(server, "wait_for_message").json == message


def test_a_text_that_does_not_come_is_told_with_what_came_instead(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    send(server, DestinationIdentity=OTHER_DESTINATION)
    status, error, message = told(post(server, "wait_for_message", destination=DESTINATION, timeout=0.01))
    assert (status, error) == (408, "TimeoutError")
    assert message.startswith("Waited 0.01 seconds. No text ")
    assert OTHER_DESTINATION in message


def test_a_text_that_is_found_is_returned_though_the_fake_is_reset_meanwhile(
    server: PinpointOTPServer, fake: PinpointOTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = PinpointOTP.inbox

    def look_before_a_reset(self: PinpointOTP, *args: Any, **fields: Any) -> list[SentMessage]:
        found = original(self, *args, **fields)
        fake.reset()
        return found

    code = fake.issue(**ISSUE).code
    monkeypatch.setattr(PinpointOTP, "inbox", look_before_a_reset)
    assert post(server, "wait_for_message").json["code"] == code


def test_a_text_that_comes_as_its_wait_ends_is_returned(
    server: PinpointOTPServer, fake: PinpointOTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = PinpointOTP.code_for

    def look_after_a_text(self: PinpointOTP, *args: Any, **fields: Any) -> str:
        fake.issue(**ISSUE)
        return original(self, *args, **fields)

    monkeypatch.setattr(PinpointOTP, "code_for", look_after_a_text)
    assert post(server, "wait_for_message", timeout=0).json["destination"] == DESTINATION


def test_who_waits_for_a_text_does_not_hold_up_the_end(fake: PinpointOTP, server: PinpointOTPServer) -> None:
    with connected(server.port) as client:
        body = b'{"timeout": 60}'
        client.sendall(b"POST /_otp/wait_for_message HTTP/1.1\r\nHost: a\r\nContent-Length: 15\r\n\r\n" + body)
        get(server, "health")
        server.stop()
        server.start()
        assert client.recv(1) == b""


# -- What is to happen -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "ends_in"),
    [
        ("THROTTLED", (200, "THROTTLED")),
        ("TooManyRequestsException", (429, "TooManyRequestsException")),
        ({"delivery": {"status": "OPT_OUT", "status_code": 499}}, (200, "OPT_OUT")),
        ({"error": {"name": "Teapot", "status_code": 418}}, (418, "Teapot")),
        ({"raw_response": {"status_code": 502, "body": "<html>"}}, (502, "RawResponse")),
    ],
)
def test_an_outcome_is_written_as_in_a_plans_file(
    server: PinpointOTPServer, fake: PinpointOTP, outcome: object, ends_in: tuple[int, str]
) -> None:
    handle = post(server, "inject", outcomes=[outcome], times=2, destination=DESTINATION).json
    assert handle["injection"].startswith("inject(")
    assert (handle["used"], handle["remaining"]) == (0, 2)
    assert send(server).status == ends_in[0]
    assert fake.calls[0].outcome == ends_in[1]
    assert send(server, DestinationIdentity=OTHER_DESTINATION).status == 200


@pytest.mark.parametrize("outcome", [{"exception": "ReadTimeoutError"}, {"lost_response": "ConnectTimeoutError"}])
def test_a_transport_fault_resets_the_connection(server: PinpointOTPServer, fake: PinpointOTP, outcome: object) -> None:
    post(server, "inject", outcomes=[outcome])
    with pytest.raises(ConnectionError):
        send(server)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({}, "TypeError", "inject: the argument 'outcomes' is missing."),
        ({"phone": "x"}, "TypeError", "inject: there is no argument 'phone'. Did you mean 'destination'?"),
        ({"outcome": "x"}, "TypeError", "inject: there is no argument 'outcome'. Did you mean 'outcomes'?"),
        ({"outcomes": "THROTTLED"}, "TypeError", 'inject: outcomes takes a list, not "THROTTLED".'),
        ({"outcomes": []}, "TypeError", "inject: give at least one outcome"),
        ({"outcomes": ["OPT_OUT", "THROTTLD"]}, "ValueError", "Did you mean 'THROTTLED'?"),
        ({"outcomes": ["SlowDown"]}, "ValueError", 'use {"error": {"name": ..., "status_code": ...}}.'),
        ({"outcomes": ["OPT_OUT", 1]}, "ValueError", "inject: outcomes[1] is 1"),
        ({"outcomes": [{"error": {"nam": "x"}}]}, "ValueError", "inject: outcomes[0].error has no member 'nam'"),
        ({"outcomes": ["THROTTLED"], "per": "day"}, "ValueError", "'day'"),
        ({"outcomes": ["THROTTLED"], "times": 0}, "ValueError", "inject: times is 0"),
        ({"outcomes": ["THROTTLED"], "operation": "SendOTPMessag"}, "ValueError", "Did you mean 'SendOTPMessage'?"),
        (
            {"outcomes": ["THROTTLED"], "destination": 1},
            "TypeError",
            "inject: destination takes a string or null, not 1.",
        ),
        ({"outcomes": ["THROTTLED"], "times": True}, "TypeError", "inject: times takes an integer or null, not true."),
    ],
)
def test_a_wrong_injection_is_refused_as_helpfully_as_in_python(
    server: PinpointOTPServer, fake: PinpointOTP, arguments: dict[str, Any], error: str, text: str
) -> None:
    status, name, message = told(post(server, "inject", **arguments))
    assert (status, name) == (400, error)
    assert text in message


def test_a_plan_goes_out_and_in_again(server: PinpointOTPServer) -> None:
    with served_fake() as fake:
        fake.inject("THROTTLED")
        send(server)
        plan = get(server, "plan").json
    assert FailurePlan.from_json(str(plan).replace("'", '"')) == fake.recorded_plan()
    with served_fake() as other:
        (handle,) = post(server, "follow", plan=plan, optional=True).json["injections"]
        assert handle["remaining"] == 1
        send(server)
    assert other.calls[0].outcome == "THROTTLED"


def test_a_plan_may_have_a_timeline_and_notes(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    steps = [{"timeline": ["THROTTLED", None, "OPT_OUT"], "note": "as logged"}, {"outcome": "DUPLICATE", "note": ""}]
    handles = post(server, "follow", plan={"version": 1, "steps": steps}, optional=True).json["injections"]

    assert [handle["injection"] for handle in handles] == [
        "inject(Delivery('THROTTLED'), operation='SendOTPMessage', per='attempt')",
        "inject(Delivery('OPT_OUT'), operation='SendOTPMessage', per='attempt', after=2)",
        "inject(Delivery('DUPLICATE'), operation='SendOTPMessage')",
    ]


def test_a_plan_that_is_none_is_refused(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    status, error, message = told(post(server, "follow", plan={"version": 1, "steps": [{}]}))
    assert (status, error) == (400, "ValueError")
    assert "steps[0]" in message


@pytest.mark.parametrize("per", [60, {"minutes": 1}])
def test_a_quota_is_set(server: PinpointOTPServer, fake: PinpointOTP, per: object) -> None:
    outcome = {"error": {"name": "TooManyRequestsException"}}
    assert post(server, "limit_rate", count=1, per=per, by="application", outcome=outcome).json == {}
    assert [send(server).status for _ in range(2)] == [200, 429]
    fake.advance(timedelta(minutes=1))
    assert send(server).status == 200


@pytest.mark.parametrize(
    ("per", "error", "text"),
    [
        ("60", "TypeError", "limit_rate: per takes seconds, or an object such as {'minutes': 5}, not '60' (str)."),
        ({"minutes": True}, "TypeError", "limit_rate: per takes seconds"),
        ({"minute": 1}, "TypeError", "limit_rate: per has no member 'minute'. Did you mean 'minutes'?"),
        (1e300, "ValueError", "limit_rate: per is 1e+300, which is too long"),
        (0, "ValueError", "per"),
    ],
)
def test_a_window_that_is_none_is_refused(
    server: PinpointOTPServer, fake: PinpointOTP, per: object, error: str, text: str
) -> None:
    status, name, message = told(post(server, "limit_rate", count=1, per=per))
    assert (status, name) == (400, error)
    assert text in message


def test_a_number_opts_out_and_in_again(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    assert post(server, "opt_out", number=DESTINATION).json == {}
    send(server)
    assert post(server, "opt_in", number=DESTINATION).json == {}
    send(server)
    assert [call.outcome for call in fake.calls] == [DeliveryStatus.OPT_OUT, DeliveryStatus.SUCCESSFUL]
    assert told(post(server, "opt_out", number="0155"))[:2] == (400, "ValueError")
    _, _, message = told(post(server, "opt_out", number=DESTINATION, outcome="OPTOUT"))
    assert message.startswith("outcome: 'OPTOUT' is neither a delivery status nor")
    assert message.endswith(
        """Did you mean 'OPT_OUT'? For any other error use {"error": {"name": ..., "status_code": ...}}."""
    )


def test_codes_are_queued(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    assert post(server, "queue_codes", codes=["012345", "543210"]).json == {}
    send(server)
    assert fake.code_for(DESTINATION) == "012345"
    fake.reset()
    assert told(post(server, "queue_codes", codes="012345"))[2] == 'queue_codes: codes takes a list, not "012345".'


def test_a_code_is_issued(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    message = post(server, "issue", **ISSUE, code="01234567", brand_name="Shop", validity_period=None).json
    assert message["code"] == "01234567"
    assert fake.assert_sent(DESTINATION).brand_name == "Shop"
    assert told(post(server, "issue", **ISSUE, code="x"))[:2] == (400, "ValueError")


def test_a_code_is_issued_with_a_context(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    context = {"screen": "sign-up"}
    message = post(server, "issue", destination=DESTINATION, reference_id=None, context=context).json
    assert message["context"] == context == fake.assert_sent(DESTINATION).context


def test_a_configuration_of_end_user_messaging_is_added_and_used(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    template = "{{code}} opens the shop."
    given = {"configuration_id": "cc-shop", "code_length": 8, "code_type": "ALPHA", "text": template}
    assert post(server, "add_code_configuration", **given).json == {}
    document = {
        "channel": "TEXT",
        "destinationIdentity": DESTINATION,
        "originationIdentity": "+15550100999",
        "notifyCodeConfiguration": "cc-shop",
    }
    assert request(server, "POST", "/v1/notify-code-verifications/send", document).status == 200
    (message,) = get(server, "messages?api=endusermessaging").json["messages"]
    assert message["body"] == f"{message['code']} opens the shop."
    assert (message["status"], message["application_id"], message["reference_id"]) == ("LIVE", None, None)
    verdict = {"destinationIdentity": DESTINATION, "code": message["code"]}
    assert request(server, "POST", "/v1/notify-code-verifications/validate", verdict).json == {"status": "VALID"}
    assert statuses(server) == ["VERIFIED"]


def test_the_clock_is_advanced(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    before = fake.now()
    now = post(server, "advance", minutes=5).json["now"]
    assert fake.now() - before >= timedelta(minutes=5)
    assert now <= fake.now().isoformat()
    assert told(post(server, "advance", minutes=-1))[:2] == (400, "ValueError")
    assert told(post(server, "advance"))[:2] == (400, "TypeError")


def test_all_starts_afresh(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    send(server)
    assert post(server, "reset").json == {}
    assert fake.messages == []


# -- What is asserted ------------------------------------------------------------------------------------------------


def test_codes_right_and_wrong_are_told(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    send(server)
    code = post(server, "code_for", destination=DESTINATION, reference_id=REFERENCE).json["code"]
    assert code == fake.code_for(DESTINATION)
    assert post(server, "wrong_code").json["code"] == fake.wrong_code(DESTINATION) != code
    status, error, message = told(post(server, "code_for", destination=OTHER_DESTINATION))
    assert (status, error) == (404, "LookupError")
    assert DESTINATION in message


def test_what_was_sent_is_asserted(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    assert post(server, "assert_not_sent").json == {}
    assert told(post(server, "assert_sent"))[:2] == (409, "AssertionError")
    send(server)
    assert post(server, "assert_sent", destination=DESTINATION, times=1).json["code"] == fake.code_for(DESTINATION)
    status, error, message = told(post(server, "assert_not_sent", destination=DESTINATION))
    assert (status, error) == (409, "AssertionError")
    assert DESTINATION in message


def test_what_was_called_is_asserted(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    assert post(server, "assert_not_called").json == {}
    send(server)
    assert post(server, "assert_called").json["outcome"] == "SUCCESSFUL"
    assert told(post(server, "assert_called", operation="VerifyOTPMessage"))[0] == 409
    assert told(post(server, "assert_not_called", operation="SendOTPMessage"))[0] == 409
    assert told(post(server, "assert_called", operation="Send"))[:2] == (400, "ValueError")


# -- What every command has in common --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_without_a_fake_every_command_says_so(server: PinpointOTPServer, name: str) -> None:
    command = COMMANDS[name]
    examples: dict[str, Any] = {"plan": {"version": 1, "steps": []}, "count": 1, "per": 1, "outcomes": [], "codes": []}
    given = {argument: examples.get(argument, "+15550100123") for argument in command.required}
    reply = get(server, name) if command.method == "GET" else post(server, name, **given)
    if name == "health":
        assert reply.json == {"status": "ok", "active": False}
    else:
        assert told(reply)[:2] == (503, "NoFakeError")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_one_method(server: PinpointOTPServer, fake: PinpointOTP, name: str) -> None:
    takes = COMMANDS[name].method
    for method in {"GET", "POST", "PUT", "DELETE", "OPTIONS"} - {takes}:
        reply = request(server, method, f"/_otp/{name}")
        assert reply.status == 405
        assert reply.headers["allow"] == takes
        assert reply.json["message"] == f"/_otp/{name} takes {takes}, not {method}."
    if takes == "GET":
        assert request(server, "HEAD", f"/_otp/{name}").status == 200


EXAMPLES: dict[str, Any] = {
    "string": DESTINATION,
    "integer": 1,
    "number": 1,
    "boolean": True,
    "array": ["123456"],
    "object": {"version": 1, "steps": []},
}
"""A value of each type."""


@pytest.mark.parametrize("name", sorted(name for name, command in COMMANDS.items() if command.method == "POST"))
def test_every_argument_is_one_of_what_a_command_calls(server: PinpointOTPServer, fake: PinpointOTP, name: str) -> None:
    arguments = COMMANDS[name].arguments
    examples = {argument: EXAMPLES[next(iter(kinds_of(schema)), "string")] for argument, schema in arguments.items()}
    for argument in arguments:
        given = {one: examples[one] for one in (*COMMANDS[name].required, argument)}
        given |= {"timeout": 0} if "timeout" in arguments else {}
        message = post(server, name, **given).json.get("message", "")
        assert not re.search(r"unexpected keyword|multiple values|positional", message), message


def test_the_longest_wait_may_be_asked_for_and_is_only_for_a_tag(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    reply = request(server, "GET", "/_otp/messages?wait=60")

    assert (reply.status, reply.json["messages"]) == (200, [])
    assert told(request(server, "GET", "/_otp/messages?wait=61"))[0] == 400


def test_nothing_that_is_got_changes_anything(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    send(server)
    before = (fake.messages, fake.calls, fake.verifications)
    for name, command in COMMANDS.items():
        get(server, name)
        assert request(server, "GET", f"/_otp/{name}").status == (200 if command.method == "GET" else 405)
    for path in ("/", "/_otp/", "/_otp/openapi.json", "/_otp/inbox.js", "/favicon.ico", "/_aws/pinpoint/a/b"):
        request(server, "GET", path)
    assert (fake.messages, fake.calls, fake.verifications) == before


def test_a_command_that_there_is_not_is_told_with_the_nearest(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    message = "There is no /_otp/mesages. Did you mean 'messages'?"
    assert told(get(server, "mesages")) == (404, "LookupError", message)


@pytest.mark.parametrize(
    ("body", "error", "text"),
    [
        (b"{", "ValueError", "reset: the request body is not a JSON document: "),
        (b"\xff", "ValueError", "reset: the request body is not a JSON document: "),
        (b"[" * 100_000, "ValueError", "reset: the request body is not a JSON document: "),
        (b'{"a": NaN}', "ValueError", "NaN is not JSON"),
        (b'{"a": 1, "b": 1, "a": 2}', "ValueError", "the member 'a' is there twice"),
        (b"[]", "TypeError", "reset: the request body takes an object of arguments, not [] (list)."),
        (b'{"self": 1}', "TypeError", "reset: there is no argument 'self'."),
    ],
)
def test_a_body_that_is_no_object_of_arguments_is_refused(
    server: PinpointOTPServer, fake: PinpointOTP, body: bytes, error: str, text: str
) -> None:
    status, name, message = told(request(server, "POST", "/_otp/reset", body))
    assert (status, name) == (400, error)
    assert text in message


def test_a_body_may_be_left_out(server: PinpointOTPServer, fake: PinpointOTP) -> None:
    for body in (None, b"", b" \n", b"{}"):
        assert request(server, "POST", "/_otp/reset", body).status == 200


def test_what_nobody_foresaw_is_told_too(
    server: PinpointOTPServer, fake: PinpointOTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PinpointOTP, "reset", lambda fake: 1 / 0)
    assert told(post(server, "reset")) == (500, "ZeroDivisionError", "division by zero")
