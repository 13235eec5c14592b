"""Credentials: none is looked up over the network for a client of a faked service, and other services' keep theirs."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import CredentialRetrievalError, InvalidConfigError
from helpers import send_status
from sink import KEYS, Gate, InThread

from pytest_pinpoint_otp import LostResponse, PinpointOTP, UnfakedCallError, mock_pinpoint_otp
from pytest_pinpoint_otp.transports.botocore.guard import let_through, turn_on
from pytest_pinpoint_otp.transports.botocore.patches import hold

ROLE = {
    "AccessKeyId": "role-key",
    "SecretAccessKey": "role-secret",
    "Token": "role-token",
    "Expiration": "2999-01-01T00:00:00Z",
    "Code": "Success",
}
CONFIG = """
[profile container]
role_arn = arn:aws:iam::123456789012:role/texts
credential_source = EcsContainer

[profile instance]
role_arn = arn:aws:iam::123456789012:role/texts
credential_source = Ec2InstanceMetadata

[profile chain]
role_arn = arn:aws:iam::123456789012:role/chained
source_profile = container

[profile mistaken]
role_arn = arn:aws:iam::123456789012:role/texts
credential_source = Nowhere
"""


class Metadata:
    """A loopback server that hands out a role's credentials, as a container's endpoint and EC2's do."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []


@pytest.fixture
def metadata() -> Iterator[Metadata]:
    """The metadata service of the machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_request(self) -> None:
            metadata.asked.append(self.path)
            body = json.dumps(ROLE) if self.path.endswith(("/role", "/container")) else "role"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args: Any) -> None:
            pass

    for method in ("GET", "PUT"):
        setattr(Handler, f"do_{method}", Handler.do_request)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    metadata = Metadata(f"http://127.0.0.1:{server.server_address[1]}")
    yield metadata
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with the profiles above, and nothing else."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    (tmp_path / "config").write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture(params=["container", "instance"])
def machine(request: pytest.FixtureRequest, metadata: Metadata, monkeypatch: pytest.MonkeyPatch) -> str:
    """A machine whose role is handed out by that service; the name is that of the profile, too."""
    if request.param == "container":
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{metadata.url}/container")
    else:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"{metadata.url}/")
    return request.param


def credentials_of(client: Any) -> Any:
    """Return what a client signs with."""
    return client._request_signer._credentials


def has_role(client: Any) -> bool:
    """Tell whether a client signs with the role's credentials."""
    credentials = credentials_of(client)
    return credentials is not None and credentials.access_key == "role-key"


def test_a_client_of_a_faked_service_asks_nobody(pinpoint_otp: PinpointOTP, machine: str, metadata: Metadata) -> None:
    client = boto3.Session().client("pinpoint")
    assert send_status(client) == "SUCCESSFUL"
    assert credentials_of(client) is None
    assert metadata.asked == []


def test_another_services_client_that_is_made_inside_the_fake_has_its_role(
    pinpoint_otp: PinpointOTP, machine: str
) -> None:
    assert has_role(boto3.Session().client("sqs"))


def test_a_session_has_its_role_after_a_client_of_a_faked_service_was_made(
    pinpoint_otp: PinpointOTP, machine: str
) -> None:
    boto3.Session().client("pinpoint")
    credentials = boto3.Session().get_credentials()
    assert credentials is not None
    assert credentials.access_key == "role-key"


def test_a_metadata_service_that_is_turned_off_is_not_asked(
    pinpoint_otp: PinpointOTP, metadata: Metadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"{metadata.url}/")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert credentials_of(boto3.Session().client("sqs")) is None
    assert metadata.asked == []


def test_another_services_client_has_its_role_after_one_of_a_faked_service(machine: str) -> None:
    session = boto3.Session()
    with mock_pinpoint_otp():
        session.client("pinpoint")
        assert has_role(session.client("sqs"))
    assert has_role(session.client("sqs"))


def test_a_session_that_made_a_faked_services_client_has_its_role_afterwards(machine: str) -> None:
    session = boto3.Session()
    with mock_pinpoint_otp():
        session.client("pinpoint")
    assert has_role(session.client("sqs"))
    assert has_role(session.client("pinpoint"))


def test_another_services_client_that_is_made_while_ours_is_has_its_role(
    pinpoint_otp: PinpointOTP, machine: str
) -> None:
    session, made = boto3.Session(), []
    session.events.register("creating-client-class.pinpoint", lambda **kwargs: made.append(session.client("sqs")))
    client = session.client("pinpoint")
    assert has_role(made[0])
    assert credentials_of(client) is None


def test_another_services_client_that_another_thread_makes_meanwhile_has_its_role(
    pinpoint_otp: PinpointOTP, machine: str
) -> None:
    session, made = boto3.Session(), []

    def make(**kwargs: Any) -> None:
        made.append(InThread(lambda: has_role(boto3.Session().client("sqs"))).join().result)

    session.events.register("creating-client-class.pinpoint", make)
    session.client("pinpoint")
    assert made == [True]


def test_a_profile_that_names_a_credential_source_makes_a_client(
    pinpoint_otp: PinpointOTP, machine: str, metadata: Metadata
) -> None:
    client = boto3.Session(profile_name=machine).client("pinpoint")
    assert send_status(client) == "SUCCESSFUL"
    assert metadata.asked == []


@pytest.mark.parametrize("profile", ["container", "chain"])
def test_a_profile_that_names_a_credential_source_serves_other_services_afterwards(
    metadata: Metadata, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{metadata.url}/container")
    session = boto3.Session(profile_name=profile)
    with mock_pinpoint_otp():
        assert credentials_of(session.client("pinpoint")) is None
        assert credentials_of(session.client("pinpoint")) is None
        assert metadata.asked == []
        assert credentials_of(session.client("sqs")).method == "assume-role"
    assert credentials_of(session.client("pinpoint")).method == "assume-role"
    assert len(metadata.asked) == 1


def test_a_mistaken_profile_fails_the_making_of_a_client_as_without_the_fake(pinpoint_otp: PinpointOTP) -> None:
    with pytest.raises(InvalidConfigError):
        boto3.Session(profile_name="mistaken").client("pinpoint")


def test_a_profile_that_finds_no_source_fails_another_services_client_as_without_the_fake(
    pinpoint_otp: PinpointOTP,
) -> None:
    with pytest.raises(CredentialRetrievalError):
        boto3.Session(profile_name="container").client("sqs")


def test_keys_in_a_file_or_the_environment_are_left_to_the_client(
    pinpoint_otp: PinpointOTP, machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert credentials_of(boto3.Session().client("pinpoint")).access_key == "of-the-environment"


def test_where_the_plugin_guards_a_client_asks_nobody_unless_it_is_let_through(
    machine: str, metadata: Metadata
) -> None:
    release, turn_off = hold(), turn_on()
    try:
        assert credentials_of(boto3.Session().client("pinpoint")) is None
        assert metadata.asked == []
        assert has_role(boto3.Session().client("sqs"))
        with let_through():
            assert has_role(boto3.Session().client("pinpoint"))
            with mock_pinpoint_otp():
                assert credentials_of(boto3.Session().client("pinpoint")) is None
    finally:
        turn_off()
        release()
    assert has_role(boto3.Session().client("pinpoint"))


def test_a_call_that_outlives_its_fake_keeps_nobody_from_a_role(machine: str) -> None:
    gate, mock = Gate(), mock_pinpoint_otp()

    def lose(call: object) -> LostResponse:
        gate.pass_through()
        return LostResponse()

    mock.start().inject(lose, per="attempt")
    client = boto3.Session(**KEYS).client("pinpoint")
    sending = InThread(lambda: send_status(client))
    gate.wait_until_reached()
    mock.stop()
    assert has_role(boto3.Session().client("pinpoint"))
    gate.open()
    assert type(sending.join().error) is UnfakedCallError


# -- aiobotocore -------------------------------------------------------------------------------------------------------


async def make_async(session: Any, service: str) -> Any:
    """Return the credentials of a client that was made."""
    async with session.create_client(service) as client:
        return credentials_of(client)


def test_an_async_client_of_another_service_has_its_role(machine: str, metadata: Metadata) -> None:
    session = pytest.importorskip("aiobotocore.session").get_session()

    async def make_clients() -> None:
        with mock_pinpoint_otp():
            assert await make_async(session, "pinpoint") is None
            assert metadata.asked == []
            assert (await (await make_async(session, "sqs")).get_frozen_credentials()).access_key == "role-key"
        assert (await (await make_async(session, "pinpoint")).get_frozen_credentials()).access_key == "role-key"

    asyncio.run(make_clients())


@pytest.mark.parametrize("profile", ["container", "chain"])
def test_an_async_profile_that_names_a_credential_source_serves_other_services_afterwards(
    metadata: Metadata, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{metadata.url}/container")
    session = pytest.importorskip("aiobotocore.session").AioSession(profile=profile)

    async def make_clients() -> None:
        with mock_pinpoint_otp():
            assert await make_async(session, "pinpoint") is None
            assert metadata.asked == []
            assert (await make_async(session, "sqs")).method == "assume-role"
        assert (await make_async(session, "pinpoint")).method == "assume-role"

    asyncio.run(make_clients())
