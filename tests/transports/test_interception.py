"""Which requests reach the fake, and what of botocore, the client and the process stays as it was."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import os
import re
import socket
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore
import botocore.session
import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.endpoint import Endpoint
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ProfileNotFound,
)
from botocore.stub import Stubber
from botocore.utils import IMDSFetcher
from helpers import APPLICATION, DESTINATION, send, send_request, send_status, verify

from pytest_pinpoint_otp import PinpointOTP, mock_pinpoint_otp
from pytest_pinpoint_otp.apis import APIS

KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
SESSION = boto3.Session(**KEYS, region_name="us-east-1")
CLIENT = SESSION.client("pinpoint")
"""Older than every fake, as the clients of most applications are."""


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Refuse every connection and name look-up; a test that expects some clears the list."""
    attempted: list[Any] = []

    def refuse(*args: Any, **kwargs: Any) -> None:
        attempted.append(args)
        raise ConnectionRefusedError("no test opens a socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield attempted
    assert attempted == []


@pytest.fixture(autouse=True)
def bare_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process without credentials, configuration or a default session, as in a bare CI job."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.fixture
def old_bare_client(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client without credentials that is older than the fake."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = boto3.Session(region_name="us-east-1").client("pinpoint")
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    return client


def assert_served(fake: PinpointOTP, client: Any) -> None:
    """Send and verify through a client, and see both arrive."""
    assert send_status(client) == "SUCCESSFUL"
    assert verify(client, fake.code_for(DESTINATION))
    assert [call.operation for call in fake.calls] == ["SendOTPMessage", "VerifyOTPMessage"]


def answer_with(body: bytes, status_code: int = 200) -> AWSResponse:
    class Raw:
        def stream(self) -> Iterator[bytes]:
            yield body

    return AWSResponse("https://answered.example/", status_code, {"content-type": "application/json"}, Raw())


# -- Which clients reach the fake --------------------------------------------------------------------------------------


def test_a_client_made_at_import_time_reaches_the_fake() -> None:
    with mock_pinpoint_otp() as fake:
        assert_served(fake, CLIENT)


def test_a_client_made_in_a_constructor_with_explicit_keys_reaches_the_fake(pinpoint_otp: PinpointOTP) -> None:
    class Texts:
        def __init__(self) -> None:
            self.client = boto3.client("pinpoint", region_name="eu-west-1", aws_session_token="testing", **KEYS)

    assert_served(pinpoint_otp, Texts().client)


def test_clients_made_anew_in_each_call_reach_one_fake(pinpoint_otp: PinpointOTP) -> None:
    assert send_status(boto3.client("pinpoint", region_name="us-east-1")) == "SUCCESSFUL"
    assert verify(boto3.client("pinpoint", region_name="us-east-1"), pinpoint_otp.code_for(DESTINATION))


def test_a_client_of_a_raw_botocore_session_reaches_the_fake(pinpoint_otp: PinpointOTP) -> None:
    client = botocore.session.get_session().create_client("pinpoint", region_name="us-east-1")
    assert_served(pinpoint_otp, client)


def test_an_old_client_without_credentials_reaches_the_fake(old_bare_client: Any) -> None:
    with mock_pinpoint_otp() as fake:
        assert_served(fake, old_bare_client)


def test_one_client_reaches_one_fake_after_the_other() -> None:
    for _ in range(2):
        with mock_pinpoint_otp() as fake:
            assert_served(fake, CLIENT)


@pytest.mark.parametrize(
    "region",
    ["us-east-1", "eu-central-1", "ap-south-1", "us-gov-west-1", "cn-north-1", "us-iso-east-1", "xx-nowhere-9"],
)
def test_a_client_of_any_region_reaches_the_fake(pinpoint_otp: PinpointOTP, region: str) -> None:
    assert_served(pinpoint_otp, SESSION.client("pinpoint", region_name=region))


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:4566",
        "https://localhost:4566/",
        "http://127.0.0.1:9/a/prefix/of/its/own",
        "https://gateway.example/v1/apps/",
        "http://[::1]:4566",
    ],
)
def test_a_client_with_any_endpoint_url_reaches_the_fake(pinpoint_otp: PinpointOTP, url: str) -> None:
    assert_served(pinpoint_otp, SESSION.client("pinpoint", endpoint_url=url))


def test_an_endpoint_url_from_the_environment_changes_nothing(
    pinpoint_otp: PinpointOTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:4566")
    assert_served(pinpoint_otp, boto3.Session(**KEYS, region_name="us-east-1").client("pinpoint"))


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(Config(use_fips_endpoint=True), id="fips"),
        pytest.param(Config(use_dualstack_endpoint=True), id="dualstack"),
        pytest.param(Config(use_fips_endpoint=True, use_dualstack_endpoint=True), id="fips-dualstack"),
        pytest.param(Config(retries={"mode": "legacy"}), id="legacy"),
        pytest.param(Config(retries={"mode": "standard"}), id="standard"),
        pytest.param(Config(retries={"mode": "adaptive"}), id="adaptive"),
        pytest.param(Config(retries={"total_max_attempts": 1}), id="no-retries"),
        pytest.param(Config(signature_version="v4"), id="v4"),
        pytest.param(Config(signature_version="bearer"), id="bearer"),
        pytest.param(Config(signature_version=botocore.UNSIGNED), id="unsigned"),
        pytest.param(Config(proxies={"https": "http://proxy.example:3128"}), id="proxy"),
        pytest.param(Config(user_agent_extra="application/1"), id="user-agent"),
        pytest.param(Config(parameter_validation=False), id="no-validation"),
    ],
)
def test_a_client_of_any_configuration_reaches_the_fake(pinpoint_otp: PinpointOTP, config: Config) -> None:
    assert_served(pinpoint_otp, SESSION.client("pinpoint", region_name="us-gov-west-1", config=config))


def test_every_character_of_an_application_id_arrives(pinpoint_otp: PinpointOTP) -> None:
    send(CLIENT, ApplicationId="a/ü b?c%2F")
    assert pinpoint_otp.assert_sent().application_id == "a/ü b?c%2F"


# -- Credentials -------------------------------------------------------------------------------------------------------


def test_no_credentials_are_needed_and_the_metadata_service_is_never_asked(
    pinpoint_otp: PinpointOTP, connections: list[Any]
) -> None:
    assert_served(pinpoint_otp, boto3.Session(region_name="us-east-1").client("pinpoint"))
    assert connections == []


def test_a_container_is_never_asked_for_credentials_while_a_fake_is_active_only(
    monkeypatch: pytest.MonkeyPatch, connections: list[Any]
) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/credentials")
    with mock_pinpoint_otp() as fake:
        assert_served(fake, boto3.Session(region_name="us-east-1").client("pinpoint"))
        assert connections == []
    monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
    with pytest.raises(CredentialRetrievalError):
        boto3.Session(region_name="us-east-1").client("pinpoint")
    assert connections
    connections.clear()


def test_a_session_made_under_a_fake_finds_credentials_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.Session(region_name="us-east-1")
    with mock_pinpoint_otp():
        session.client("pinpoint")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "found-later")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    assert session.get_credentials().access_key == "found-later"


def test_a_profile_that_assumes_a_role_is_not_resolved(
    pinpoint_otp: PinpointOTP, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile roles]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/texts\nsource_profile = keys\n"
        "[profile keys]\naws_access_key_id = testing\naws_secret_access_key = testing\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "roles")
    assert_served(pinpoint_otp, boto3.client("pinpoint"))


def test_a_shared_profile_that_broke_later_does_not_disturb_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    with mock_pinpoint_otp() as fake:
        assert_served(fake, CLIENT)


def test_a_missing_profile_fails_the_making_of_a_client_as_without_the_fake(
    pinpoint_otp: PinpointOTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    with pytest.raises(ProfileNotFound):
        boto3.client("pinpoint", region_name="us-east-1")


def test_the_fixtures_client_reads_no_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("neither sections nor keys")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(broken))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(broken))
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    client = request.getfixturevalue("pinpoint_otp_client")
    assert_served(request.getfixturevalue("pinpoint_otp"), client)
    assert client.meta.region_name == "us-east-1"


def test_a_request_leaves_unsigned_whatever_keys_the_client_has(pinpoint_otp: PinpointOTP) -> None:
    requests: list[Any] = []
    client = boto3.client("pinpoint", region_name="us-east-1", aws_session_token="testing", **KEYS)
    client.meta.events.register("before-send", lambda request, **kwargs: requests.append(request))
    send(client)
    verify(client, "000000")
    with pytest.raises(ClientError):
        client.get_apps()
    assert len(requests) == 3
    for request in requests:
        sent = {name.lower() for name in request.headers}
        assert sent.isdisjoint({"authorization", "x-amz-date", "x-amz-security-token"})
        assert "X-Amz-Signature" not in request.url


def test_the_environment_and_the_default_session_are_untouched() -> None:
    before = dict(os.environ)
    with mock_pinpoint_otp():
        assert dict(os.environ) == before
        assert boto3.DEFAULT_SESSION is None
        send(boto3.client("pinpoint", region_name="us-east-1"))
        assert dict(os.environ) == before
    assert dict(os.environ) == before


# -- Other operations and other services -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("get_apps", {}),
        ("get_app", {"ApplicationId": APPLICATION}),
        ("phone_number_validate", {"NumberValidateRequest": {"PhoneNumber": DESTINATION}}),
        ("send_messages", {"ApplicationId": APPLICATION, "MessageRequest": {"MessageConfiguration": {}}}),
    ],
)
@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_another_pinpoint_operation_is_refused_at_once_and_told_what_is_faked(
    pinpoint_otp: PinpointOTP, method: str, arguments: dict[str, Any], mode: str
) -> None:
    client = SESSION.client("pinpoint", config=Config(retries={"mode": mode}))
    with pytest.raises(ClientError) as raised:
        getattr(client, method)(**arguments)
    answer = raised.value.response
    assert answer["Error"]["Code"] == "NotImplementedException"
    assert client.meta.method_to_api_mapping[method] in answer["Error"]["Message"]
    assert "pytest-pinpoint-otp answers SendOTPMessage, VerifyOTPMessage" in answer["Error"]["Message"]
    in_moto = method in ("get_apps", "get_app")
    assert answer["Error"]["Message"].endswith(
        "Use moto or botocore's Stubber." if in_moto else "Use botocore's Stubber: moto does not have it either."
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert answer["ResponseMetadata"]["RetryAttempts"] == 0
    assert answer["ResponseMetadata"]["RequestId"]
    assert pinpoint_otp.calls == []


def test_another_mock_in_the_process_may_answer_other_pinpoint_operations(pinpoint_otp: PinpointOTP) -> None:
    session = boto3.Session(region_name="us-east-1")

    def answer(request: Any, **kwargs: Any) -> AWSResponse:
        return answer_with(b'{"Item": [{"Id": "of-another-mock", "Arn": "arn", "Name": "name"}]}')

    session.events.register("before-send", answer)
    client = session.client("pinpoint")
    assert client.get_apps()["ApplicationsResponse"]["Item"][0]["Id"] == "of-another-mock"
    assert_served(pinpoint_otp, client)


@pytest.mark.parametrize(
    ("service", "method", "arguments", "body"),
    [
        ("lambda", "list_functions", {}, b'{"Functions": []}'),
        ("dynamodb", "list_tables", {}, b'{"TableNames": []}'),
        ("pinpoint-sms-voice-v2", "describe_pools", {}, b'{"Pools": []}'),
        ("pinpoint-email", "list_dedicated_ip_pools", {}, b'{"DedicatedIpPools": []}'),
    ],
)
def test_another_service_is_signed_sent_and_answered_as_ever(
    pinpoint_otp: PinpointOTP, service: str, method: str, arguments: dict[str, Any], body: bytes
) -> None:
    client = SESSION.client(service)
    requests: list[Any] = []

    def answer(request: Any, **kwargs: Any) -> AWSResponse:
        requests.append(request)
        return answer_with(body)

    client.meta.events.register("before-send", answer)
    send(CLIENT)
    assert getattr(client, method)(**arguments)["ResponseMetadata"]["HTTPStatusCode"] == 200
    (request,) = requests
    assert "AWS4-HMAC-SHA256" in str(request.headers["Authorization"])


def test_another_service_opens_its_own_connections(pinpoint_otp: PinpointOTP, connections: list[Any]) -> None:
    client = SESSION.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(EndpointConnectionError):
        client.list_tables()
    assert len(connections) > 0
    connections.clear()


def test_what_botocore_stops_of_another_operation_or_service_is_no_concern_of_the_fake(
    pinpoint_otp: PinpointOTP,
) -> None:
    with pytest.raises(ParamValidationError):
        CLIENT.get_app(Unknown="x")
    with pytest.raises(ParamValidationError):
        SESSION.client("dynamodb").list_tables(Unknown="x")
    with pytest.raises(LookupError) as raised:
        pinpoint_otp.code_for(DESTINATION)
    assert "Unknown" not in str(raised.value)


# -- The client stays the application's own ----------------------------------------------------------------------------


def test_other_handlers_on_the_client_still_run(pinpoint_otp: PinpointOTP) -> None:
    client = SESSION.client("pinpoint")
    ran: list[str] = []
    names = [
        "provide-client-params",
        "before-parameter-build",
        "before-call",
        "request-created",
        "choose-signer",
        "before-send",
        "response-received",
        "needs-retry",
        "after-call",
    ]
    for name in names:
        client.meta.events.register(f"{name}.pinpoint.SendOTPMessage", lambda name=name, **kwargs: ran.append(name))
    assert_served(pinpoint_otp, client)
    assert ran == names


def test_a_handler_that_answers_a_call_itself_keeps_it_from_the_fake(pinpoint_otp: PinpointOTP) -> None:
    client = SESSION.client("pinpoint")
    client.meta.events.register(
        "before-send.pinpoint.VerifyOTPMessage", lambda **kwargs: answer_with(b'{"Valid": true}')
    )
    assert verify(client, "000000")


def test_a_handler_may_change_the_request_before_it_arrives(pinpoint_otp: PinpointOTP) -> None:
    client = SESSION.client("pinpoint")

    def rename(params: dict[str, Any], **kwargs: Any) -> None:
        params["SendOTPMessageRequestParameters"]["BrandName"] = "Renamed"

    client.meta.events.register("provide-client-params.pinpoint.SendOTPMessage", rename)
    send(client)
    assert pinpoint_otp.assert_sent().brand_name == "Renamed"


def test_a_stubbed_client_keeps_its_stub(pinpoint_otp: PinpointOTP) -> None:
    client = SESSION.client("pinpoint")
    with Stubber(client) as stubber:
        stubber.add_response("send_otp_message", {"MessageResponse": {"ApplicationId": "stubbed"}}, send_request())
        stubber.add_client_error("verify_otp_message", "ForbiddenException")
        assert send(client) == {"ApplicationId": "stubbed"}
        with pytest.raises(client.exceptions.ForbiddenException):
            verify(client, "000000")
        stubber.assert_no_pending_responses()
    assert pinpoint_otp.calls == []
    assert_served(pinpoint_otp, client)


def http_response_of_a_send(client: Any) -> Any:
    """Send, and return the HTTP response that botocore hands to event handlers."""
    responses: list[Any] = []
    client.meta.events.register("after-call", lambda http_response, **kwargs: responses.append(http_response))
    send(client)
    return responses[0]


def test_a_handler_finds_the_headers_of_an_answer_in_any_case(pinpoint_otp: PinpointOTP) -> None:
    headers = http_response_of_a_send(SESSION.client("pinpoint")).headers
    request_id = pinpoint_otp.calls[0].request_id
    for name in ("x-amzn-requestid", "x-amzn-RequestId", "X-Amzn-RequestId"):
        assert headers[name] == headers.get(name) == request_id
        assert name in headers
    for name in ("retry-after", "Retry-After", 429):
        assert name not in headers
    assert headers.get("Retry-After", "none") == "none"
    for name in ("retry-after", "Retry-After"):
        with pytest.raises(KeyError):
            headers[name]


def test_a_handler_changes_the_headers_of_an_answer_in_any_case(pinpoint_otp: PinpointOTP) -> None:
    headers = http_response_of_a_send(SESSION.client("pinpoint")).headers
    headers["X-Trace"] = "1"
    assert ("X-Trace" in headers, headers["x-trace"], headers.get("X-TRACE")) == (True, "1", "1")
    headers.update({"X-TRACE": "2"})
    assert headers.setdefault("x-Trace", "3") == "2"
    assert headers.copy()["X-Trace"] == "2"
    assert headers.pop("X-Trace") == "2"
    del headers["Content-Type"]
    assert list(headers) == ["x-amzn-requestid"]


def test_a_handler_may_read_or_await_the_body_of_an_answer(pinpoint_otp: PinpointOTP) -> None:
    response = http_response_of_a_send(SESSION.client("pinpoint"))

    async def body() -> bytes:
        return await response.content

    assert asyncio.run(body()) == response.content == response.text.encode()
    assert APPLICATION in response.text


def handlers_of(client: Any) -> list[Any]:
    """Return the handlers that a client's emitter calls for what the fake hooks into."""
    arguments = {"request": AWSRequest("POST", "https://answered.example/").prepare(), "context": {}}
    arguments |= {"signing_name": "mobiletargeting", "region_name": "us-east-1", "signature_version": "v4"}
    events = [
        f"{event}.pinpoint.{operation}"
        for event in ("choose-signer", "before-send")
        for operation in ("SendOTPMessage", "VerifyOTPMessage", "GetApps")
    ]
    return [handler for event in events for handler, _ in client.meta.events.emit(event, **arguments)]


def test_a_client_gets_each_handler_once_however_many_fakes_it_meets() -> None:
    client = SESSION.client("pinpoint")
    before = handlers_of(client)
    for _ in range(2):
        with mock_pinpoint_otp():
            send(client)
            with mock_pinpoint_otp():
                send(client)
        # The signer for three operations, and the answer for the one that was called.
        assert len(handlers_of(client)) == len(before) + 4
    for _ in range(2):
        with mock_pinpoint_otp(), pytest.raises(ClientError, match="is not faked"):
            client.get_apps()
        # The refusal for three.
        assert len(handlers_of(client)) == len(before) + 7


def test_the_handlers_of_a_client_do_nothing_without_a_fake(connections: list[Any]) -> None:
    client = SESSION.client("pinpoint", config=Config(retries={"total_max_attempts": 1}))
    requests: list[Any] = []
    client.meta.events.register_first("before-send", lambda request, **kwargs: requests.append(request))
    for call in (lambda: send(client), client.get_apps):
        with pytest.raises(EndpointConnectionError):
            call()
        with mock_pinpoint_otp(), contextlib.suppress(ClientError):
            call()
        with pytest.raises(EndpointConnectionError):
            call()
        before, within, after = requests[-3:]
        assert before.headers.keys() == after.headers.keys() > within.headers.keys()
    connections.clear()


def test_a_client_that_has_made_no_call_has_no_handlers(pinpoint_otp: PinpointOTP) -> None:
    client = SESSION.client("pinpoint")
    before = handlers_of(client)
    send(CLIENT)
    assert handlers_of(client) == before


def test_a_fake_keeps_no_client_alive() -> None:
    with mock_pinpoint_otp():
        client = SESSION.client("pinpoint")
        send(client)
        emitter = weakref.ref(client.meta.events)
        del client
        gc.collect()
        assert emitter() is None


# -- With no fake active, nothing differs ------------------------------------------------------------------------------


def attributes_of_botocore() -> dict[tuple[str, str, str], Any]:
    """Return every attribute of every class of botocore and of every module of it."""
    found: dict[tuple[str, str, str], Any] = {}
    for module_name, module in list(sys.modules.items()):
        if module_name.partition(".")[0] not in ("botocore", "boto3") or module is None:
            continue
        for name, value in vars(module).items():
            found[module_name, "", name] = value
            if isinstance(value, type):
                found |= {(module_name, name, attribute): held for attribute, held in vars(value).items()}
    return found


def changed(before: dict[tuple[str, str, str], Any]) -> set[tuple[str, str, str]]:
    after = attributes_of_botocore()
    return {key for key in before.keys() | after.keys() if before.get(key) is not after.get(key)}


def test_every_attribute_of_botocore_is_as_it_was_after_the_last_fake() -> None:
    with mock_pinpoint_otp():
        send(CLIENT)
    before = attributes_of_botocore()
    outer = mock_pinpoint_otp()
    outer.start()
    with mock_pinpoint_otp():
        send(CLIENT)
    while_active = {(owner, name) for _, owner, name in changed(before)}
    outer.stop()
    assert {("Endpoint", "_send_request"), ("Endpoint", "create_request")} <= while_active
    assert changed(before) == set()


def test_a_wrapped_method_still_tells_its_own_name_and_signature(pinpoint_otp: PinpointOTP) -> None:
    assert Endpoint.create_request.__qualname__ == "Endpoint.create_request"
    assert Endpoint.create_request.__doc__ == Endpoint.create_request.__wrapped__.__doc__


def test_without_a_fake_a_client_without_credentials_says_so(old_bare_client: Any) -> None:
    with pytest.raises(NoCredentialsError):
        send(old_bare_client)
    with mock_pinpoint_otp():
        send(old_bare_client)
    with pytest.raises(NoCredentialsError):
        send(old_bare_client)


def test_without_a_fake_a_client_signs_and_connects(connections: list[Any]) -> None:
    client = SESSION.client("pinpoint", config=Config(retries={"total_max_attempts": 1}))
    requests: list[Any] = []
    client.meta.events.register("before-send", lambda request, **kwargs: requests.append(request))
    with mock_pinpoint_otp():
        send(client)
    with pytest.raises(EndpointConnectionError):
        send(client)
    assert "Authorization" not in requests[0].headers
    assert "AWS4-HMAC-SHA256" in str(requests[1].headers["Authorization"])
    assert len(connections) > 0
    connections.clear()


METHODS = ("make_request", "_send_request", "create_request")
"""What each call passes in botocore's endpoint, and others may wrap."""


def counting(original: Any, calls: list[str]) -> Any:
    def method(endpoint: Any, *args: Any) -> Any:
        calls.append(original.__name__)
        return original(endpoint, *args)

    method.__name__ = original.__name__
    return method


@pytest.mark.parametrize("name", METHODS)
def test_what_wrapped_a_method_before_is_called_and_back_afterwards(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    calls: list[str] = []
    wrapper = counting(getattr(Endpoint, name), calls)
    monkeypatch.setattr(Endpoint, name, wrapper)
    with mock_pinpoint_otp():
        send(CLIENT)
    assert calls == [name]
    assert getattr(Endpoint, name) is wrapper


@pytest.mark.parametrize("name", METHODS)
def test_what_wrapped_a_method_in_between_is_not_lost(name: str) -> None:
    original = getattr(Endpoint, name)
    calls: list[str] = []
    with mock_pinpoint_otp():
        wrapper = counting(getattr(Endpoint, name), calls)
        setattr(Endpoint, name, wrapper)
    try:
        assert getattr(Endpoint, name) is wrapper
        with mock_pinpoint_otp() as fake:
            assert_served(fake, CLIENT)
        assert getattr(Endpoint, name) is wrapper
        assert calls == [name] * 2
    finally:
        setattr(Endpoint, name, original)


@pytest.mark.parametrize("name", METHODS)
def test_a_patch_that_ends_after_the_fake_leaves_nothing_of_it_for_the_next(name: str) -> None:
    original = getattr(Endpoint, name)
    patch = pytest.MonkeyPatch()
    with mock_pinpoint_otp():
        patch.setattr(Endpoint, name, counting(getattr(Endpoint, name), []))
    patch.undo()  # puts back what it found, which the fake had put there
    with mock_pinpoint_otp() as fake:
        assert_served(fake, CLIENT)
    assert getattr(Endpoint, name) is original


def test_a_patch_that_ends_after_the_fake_does_not_keep_credentials_away_for_good(
    connections: list[Any],
) -> None:
    original = IMDSFetcher._assert_enabled
    patch = pytest.MonkeyPatch()
    with mock_pinpoint_otp():
        patch.setattr(IMDSFetcher, "_assert_enabled", lambda fetcher: None)
    patch.undo()
    try:
        boto3.Session(region_name="us-east-1").client("pinpoint")
        assert len(connections) > 0
    finally:
        IMDSFetcher._assert_enabled = original
        connections.clear()


def test_the_client_of_the_fixture_reads_nothing_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": "::bad",
        "AWS_MAX_ATTEMPTS": "none",
        "AWS_PROFILE": "missing",
        "AWS_RETRY_MODE": "bogus",
        "AWS_USE_FIPS_ENDPOINT": "true",
    }.items():
        monkeypatch.setenv(name, value)
    import pytest_pinpoint_otp.transports.botocore.client as client

    # The session is made once in a process, so this is about a new one.
    client.unconfigured_session.cache_clear()
    made = request.getfixturevalue("pinpoint_otp_client")

    assert send_status(made) == "SUCCESSFUL"
    assert made.meta.endpoint_url == "https://pinpoint.us-east-1.amazonaws.com"


def test_no_other_service_shares_an_endpoint_prefix_with_a_faked_one() -> None:
    faked = {api.endpoint_prefix: api.name for api in APIS}
    sharing = set()
    for path in Path(botocore.__path__[0], "data").glob("*/*/service-2.json*"):
        with (gzip.open if path.suffix == ".gz" else open)(path) as file:
            # The metadata come first.
            found = re.search(rb'"endpointPrefix"\s*:\s*"([^"]+)"', file.read(10_000))
        if found is not None and found[1].decode() in faked:
            sharing.add((found[1].decode(), path.parts[-3]))
    assert sharing <= {*faked.items()}
    assert ("pinpoint", "pinpoint") in sharing
