"""The socket changes nothing: for any request the server answers what the service does in process."""

from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import notify
from active import served_fake
from helpers import APPLICATION, DESTINATION, send_request, verify_request
from hypothesis import given
from hypothesis import strategies as st
from talking import PATIENCE

from pytest_pinpoint_otp import ErrorResponse, PinpointOTP, PinpointOTPServer, RawResponse
from pytest_pinpoint_otp.apis import route
from pytest_pinpoint_otp.apis.rest_json import Response
from pytest_pinpoint_otp.fake import service_of

SEND = send_request()["SendOTPMessageRequestParameters"]
VERIFY = verify_request("123456")["VerifyOTPMessageRequestParameters"]

paths = st.sampled_from(
    [
        f"/v1/apps/{APPLICATION}/otp",
        f"/v1/apps/{APPLICATION}/otp?x=%2B1",
        f"/prefix/v1/apps/{APPLICATION}/verify-otp",
        "/v1/apps/a%2Fb%20%C3%BC/otp",
        "/v1/apps/unknown/otp",
        "/v1/apps//otp",
        "/v1/apps",
        "/v2/somewhere/else",
        "/v1/notify-code-verifications/send",
        "/v1/notify-code-verifications/validate",
        "/v1/notify-code-configurations/unknown",
    ]
)
documents = st.one_of(
    st.builds(lambda name, value: {**SEND, name: value}, st.sampled_from(sorted(SEND)), st.text() | st.none()),
    st.builds(lambda code: {**VERIFY, "Otp": code}, st.text("0123456789", min_size=5, max_size=8)),
    st.builds(
        lambda name, value: {**notify.send_request(), name: value},
        st.sampled_from(sorted(notify.send_request())),
        st.text(),
    ),
    st.builds(notify.validate_request, st.text("0123456789", min_size=4, max_size=8)),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)),
).map(lambda document: json.dumps(document).encode())
bodies = documents | st.binary(max_size=200)
values = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, blacklist_characters="\x7f", categories=["L", "N", "P"])
)
outcomes = st.one_of(
    st.sampled_from(["THROTTLED", "OPT_OUT", "TooManyRequestsException"]),
    st.builds(ErrorResponse, st.just("TeapotException"), st.text(), st.integers(400, 599)),
    st.builds(
        RawResponse,
        st.integers(200, 599).filter(lambda status: status not in (204, 304)),
        st.binary(max_size=200) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace")),
        st.dictionaries(st.sampled_from(["x-one", "content-type", "x-amzn-requestid", "retry-after"]), values),
    ),
)
requests = st.tuples(
    st.sampled_from(["POST", "GET", "PUT", "DELETE", "PATCH", "OPTIONS", "post"]),
    paths,
    bodies,
    st.none() | st.sampled_from(["a", "b"]),
)


@given(st.lists(st.tuples(requests, st.none() | outcomes), min_size=1, max_size=6))
def test_the_socket_and_the_service_give_the_same_answers(server: PinpointOTPServer, steps: list[Any]) -> None:
    options: dict[str, Any] = {"seed": "the same", "applications": [APPLICATION, "a/b ü"]}
    with served_fake(**options) as twin:
        pass
    with served_fake(**options) as fake, closing(HTTPConnection(server.host, server.port, timeout=PATIENCE)) as client:
        for (method, path, body, invocation_id), outcome in steps:
            if outcome is not None:
                for one in (fake, twin):
                    one.inject(outcome)
            headers = {} if invocation_id is None else {"amz-sdk-invocation-id": invocation_id}
            client.request(method, path, body, headers)
            answer = client.getresponse()
            got = (answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
            url = f"{server.url}{path}"
            # The server keeps no record of what a page of any site could send.
            record = method not in ("GET", "OPTIONS") or route(method, url) != route("POST", url)
            response = service_of(twin).respond(method, url, invocation_id, body, record_refusal=record)
            assert isinstance(response, Response)
            assert got == (
                response.status_code,
                {**response.headers, "content-length": str(len(response.body))},
                response.body,
            )
        assert traces(fake) == traces(twin)


def traces(fake: PinpointOTP) -> list[Any]:
    """Return what a fake has recorded, but for the times."""
    calls = [(call.operation, call.parameters, [one.outcome for one in call.attempts]) for call in fake.calls]
    return [calls, [message.code for message in fake.messages if message.destination == DESTINATION]]
