"""moto and the fake in one test: which of them answers, in whatever order they are entered and left."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import unittest
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import FunctionType
from typing import Any

import boto3
import pytest
from botocore.endpoint import Endpoint
from botocore.exceptions import ClientError
from helpers import DESTINATION, send, send_status, verify
from suites import passes, run

from pytest_pinpoint_otp import PinpointOTP, active_pinpoint_otp, mock_pinpoint_otp
from pytest_pinpoint_otp.apis.pinpoint import Pinpoint

moto = pytest.importorskip("moto")
mock_aws = moto.mock_aws

from moto.core.botocore_stubber import BotocoreStubber  # noqa: E402
from moto.core.models import botocore_stubber  # noqa: E402
from moto.pinpoint.responses import PinpointResponse  # noqa: E402

REGION = "eu-west-1"
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": REGION}
CLIENT = boto3.client("pinpoint", **KEYS)
"""Older than every mock, as the clients of most applications are."""


@pytest.fixture(autouse=True)
def forgotten_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.fixture
def processed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the requests that moto has worked on."""
    paths: list[str] = []
    process_request = BotocoreStubber.process_request

    def note(stubber: Any, request: Any) -> Any:
        paths.append(request.url.partition(".com")[2])
        return process_request(stubber, request)

    monkeypatch.setattr(BotocoreStubber, "process_request", note)
    return paths


def assert_each_answers_its_own(fake: PinpointOTP, client: Any = CLIENT) -> None:
    """See OTP served by the fake and everything else by moto, Pinpoint's other operations included."""
    before = len(fake.calls)
    assert send_status(client) == "SUCCESSFUL"
    assert verify(client, fake.code_for(DESTINATION))
    assert len(client.get_apps()["ApplicationsResponse"]["Item"]) == 0
    created = client.create_app(CreateApplicationRequest={"Name": "sign-up"})["ApplicationResponse"]
    assert [app["Id"] for app in client.get_apps()["ApplicationsResponse"]["Item"]] == [created["Id"]]
    with pytest.raises(client.exceptions.NotFoundException, match="Application not found"):
        client.get_app(ApplicationId="unknown")
    assert send_status(client, ApplicationId=created["Id"]) == "SUCCESSFUL"
    assert_moto_answers()
    assert [call.operation for call in fake.calls[before:]] == ["SendOTPMessage", "VerifyOTPMessage", "SendOTPMessage"]


def assert_moto_answers() -> None:
    """See two other services answered by moto, which starts empty."""
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    assert dynamodb.list_tables()["TableNames"] == []
    dynamodb.create_table(
        TableName="challenges",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "phone", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "phone", "KeyType": "HASH"}],
    )
    dynamodb.put_item(TableName="challenges", Item={"phone": {"S": DESTINATION}, "tries": {"N": "1"}})
    found = dynamodb.get_item(TableName="challenges", Key={"phone": {"S": DESTINATION}})["Item"]
    assert found == {"phone": {"S": DESTINATION}, "tries": {"N": "1"}}
    sns = boto3.client("sns", region_name=REGION)
    assert sns.list_topics()["Topics"] == []
    assert sns.create_topic(Name="texts")["TopicArn"].endswith(":texts")


def assert_refused(client: Any = CLIENT) -> None:
    """See that no mock answers Pinpoint's other operations, and that the fake refuses them."""
    with pytest.raises(ClientError, match="GetApps is not faked") as raised:
        client.get_apps()
    assert raised.value.response["Error"]["Code"] == "NotImplementedException"


# -- Nesting -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def test_moto_as_a_fixture_inside_the_fixture(aws: None, pinpoint_otp: PinpointOTP) -> None:
    assert_each_answers_its_own(pinpoint_otp)


def test_moto_as_a_wider_fixture_around_the_fixture(pytester: pytest.Pytester) -> None:
    pytester.syspathinsert(Path(__file__).parent)
    result = run(
        pytester,
        test_sign_up="""
            import pytest
            from moto import mock_aws
            from test_moto import assert_each_answers_its_own

            @pytest.fixture(scope="module", autouse=True)
            def aws():
                with mock_aws():
                    yield

            def test_sign_up(pinpoint_otp):
                assert_each_answers_its_own(pinpoint_otp)
        """,
    )
    passes(result, passed=1)


def test_moto_inside_the_fake_as_context_managers() -> None:
    with mock_pinpoint_otp() as fake, mock_aws():
        assert_each_answers_its_own(fake)


def test_moto_around_the_fake_as_context_managers() -> None:
    with mock_aws(), mock_pinpoint_otp() as fake:
        assert_each_answers_its_own(fake)


@mock_pinpoint_otp()
@mock_aws
def test_moto_inside_the_fake_as_decorators() -> None:
    assert_each_answers_its_own(active_pinpoint_otp())


@mock_aws
@mock_pinpoint_otp()
def test_moto_around_the_fake_as_decorators() -> None:
    assert_each_answers_its_own(active_pinpoint_otp())


@mock_aws
def test_moto_as_a_decorator_inside_the_fixture(pinpoint_otp: PinpointOTP) -> None:
    assert_each_answers_its_own(pinpoint_otp)


def test_moto_inside_a_fake_inside_moto_inside_a_fake(pinpoint_otp: PinpointOTP) -> None:
    with mock_aws(), mock_pinpoint_otp() as inner, mock_aws():
        assert_each_answers_its_own(inner)
    assert pinpoint_otp.calls == []


@pytest.mark.parametrize("decorators", [[mock_aws, mock_pinpoint_otp()], [mock_pinpoint_otp(), mock_aws]])
def test_both_as_decorators_of_a_unittest_class_begin_afresh_in_each_method(decorators: list[Any]) -> None:
    class SignUp(unittest.TestCase):
        def test_once(self) -> None:
            assert_each_answers_its_own(active_pinpoint_otp())

        def test_and_again(self) -> None:
            assert_each_answers_its_own(active_pinpoint_otp())

    for decorate in decorators:
        decorate(SignUp)
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(SignUp).run(result)
    assert result.testsRun == 2
    assert result.errors + result.failures == []


# -- Which client ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moto_first", [True, False])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: boto3.client("pinpoint", region_name=REGION), id="default-session"),
        pytest.param(lambda: boto3.Session(**KEYS).client("pinpoint"), id="own-session"),
        pytest.param(lambda: boto3.client("pinpoint", region_name="us-gov-west-1"), id="gov"),
    ],
)
def test_a_client_made_under_both_reaches_both(make: Callable[[], Any], moto_first: bool) -> None:
    fake = mock_pinpoint_otp()
    mocks: list[AbstractContextManager[Any]] = [mock_aws(), fake] if moto_first else [fake, mock_aws()]
    with ExitStack() as stack:
        for mock in mocks:
            stack.enter_context(mock)
        assert_each_answers_its_own(active_pinpoint_otp(), make())


def test_a_client_that_the_fake_has_served_before_reaches_moto_later(pinpoint_otp: PinpointOTP) -> None:
    client = boto3.client("pinpoint", **KEYS)
    send(client)
    with mock_aws():
        assert_each_answers_its_own(pinpoint_otp, client)


def test_a_client_that_moto_has_served_before_reaches_the_fake_later() -> None:
    client = boto3.client("pinpoint", **KEYS)
    with mock_aws():
        client.get_apps()
        with mock_pinpoint_otp() as fake:
            assert_each_answers_its_own(fake, client)


def test_an_injected_fault_shows_under_moto_and_leaves_moto_alone(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.inject("TooManyRequestsException")
    with mock_aws():
        CLIENT.get_apps()
        with pytest.raises(CLIENT.exceptions.TooManyRequestsException):
            send(CLIENT)
        assert_each_answers_its_own(pinpoint_otp)


def test_an_application_imported_under_moto_finds_both_afresh_in_each_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        test_sign_up="""
            import boto3
            import pytest
            from helpers import DESTINATION
            from moto import mock_aws

            @pytest.fixture
            def application(monkeypatch):
                with mock_aws():
                    boto3.client("dynamodb", region_name="us-east-1").create_table(
                        TableName="challenges", BillingMode="PAY_PER_REQUEST",
                        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                    )
                    import application
                    yield application

            @pytest.mark.parametrize("number", [1, 2])
            def test_sign_up(application, pinpoint_otp, number):
                table = boto3.resource("dynamodb", region_name="us-east-1").Table("challenges")
                assert table.scan()["Count"] == 0
                assert application.send() == "SUCCESSFUL"
                table.put_item(Item={"id": DESTINATION})
                assert application.verify(pinpoint_otp.code_for(DESTINATION))
                assert len(pinpoint_otp.calls) == 2
        """,
    )
    passes(result, passed=2)


# -- moto's own handler ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moto_first", [True, False])
def test_motos_handler_does_not_run_for_otp_calls(processed: list[str], moto_first: bool) -> None:
    with ExitStack() as stack:
        for mock in [mock_aws(), mock_pinpoint_otp()][:: 1 if moto_first else -1]:
            stack.enter_context(mock)
        send(CLIENT)
        verify(CLIENT, "000000")
        assert processed == []
        CLIENT.get_apps()
        assert processed == ["/v1/apps"]


def test_motos_handler_does_not_run_for_the_attempts_of_a_retried_call(
    pinpoint_otp: PinpointOTP, processed: list[str]
) -> None:
    pinpoint_otp.inject("InternalServerErrorException", per="attempt")
    with mock_aws():
        assert send_status(CLIENT) == "SUCCESSFUL"
    assert len(pinpoint_otp.assert_called().attempts) == 2
    assert processed == []


@pytest.mark.parametrize("moto_first", [True, False])
def test_a_service_whitelist_without_pinpoint_does_not_stop_otp_calls(moto_first: bool) -> None:
    narrow = mock_aws(config={"core": {"service_whitelist": ["dynamodb", "sns"]}})
    with ExitStack() as stack:
        for mock in [narrow, mock_pinpoint_otp()][:: 1 if moto_first else -1]:
            stack.enter_context(mock)
        assert send_status(CLIENT) == "SUCCESSFUL"
        assert verify(CLIENT, active_pinpoint_otp().code_for(DESTINATION))
        assert_moto_answers()


def test_moto_is_spared_where_it_is_imported_after_the_clients_first_call() -> None:
    script = """
        import boto3
        import helpers
        from pytest_pinpoint_otp import mock_pinpoint_otp

        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        client = boto3.client("pinpoint", region_name="us-east-1", **keys)
        with mock_pinpoint_otp():
            helpers.send(client)
            import moto
            import moto.core

            with moto.mock_aws(config={"core": {"service_whitelist": ["dynamodb"]}}):
                moto.core.patch_client(client)
                print(helpers.send_status(client))
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "SUCCESSFUL\n"


def test_a_service_whitelist_without_pinpoint_still_stops_its_other_operations(pinpoint_otp: PinpointOTP) -> None:
    from moto.core.exceptions import ServiceNotWhitelisted

    with mock_aws(config={"core": {"service_whitelist": ["dynamodb"]}}), pytest.raises(ServiceNotWhitelisted):
        CLIENT.get_apps()


def test_a_handler_of_the_application_runs_beside_both(pinpoint_otp: PinpointOTP) -> None:
    client = boto3.client("pinpoint", **KEYS)
    ran: list[str] = []
    client.meta.events.register("before-send", lambda event_name, **kwargs: ran.append(event_name))
    with mock_aws():
        send(client)
        client.get_apps()
    assert ran == ["before-send.pinpoint.SendOTPMessage", "before-send.pinpoint.GetApps"]


def test_the_refusal_recommends_moto_for_what_moto_has_and_for_nothing_else() -> None:
    has = {name for name, value in vars(PinpointResponse).items() if isinstance(value, FunctionType) and name[0] != "_"}
    operations = CLIENT.meta.method_to_api_mapping
    assert Pinpoint.in_moto == {operations[name] for name in has}


# -- Leaving -----------------------------------------------------------------------------------------------------------


def test_after_moto_the_fake_refuses_other_operations_again(pinpoint_otp: PinpointOTP) -> None:
    assert_refused()
    with mock_aws():
        CLIENT.get_apps()
    assert_refused()
    assert send_status(CLIENT) == "SUCCESSFUL"


def test_after_the_fake_moto_answers_otp_calls_as_it_does_without_one(processed: list[str]) -> None:
    with mock_aws():
        with mock_pinpoint_otp():
            send(CLIENT)
        with pytest.raises(ClientError, match="404"):
            send(CLIENT)
        assert processed == ["/v1/apps/a1b2c3d4/otp"]
        assert_moto_answers()


@pytest.mark.parametrize("entered", ["moto first", "fake first"])
@pytest.mark.parametrize("left", ["moto first", "fake first"])
@pytest.mark.parametrize("keys", [True, False], ids=["keys", "no-keys"])
def test_all_is_as_it_was_after_both_in_any_order_of_leaving(
    monkeypatch: pytest.MonkeyPatch, entered: str, left: str, keys: bool
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if keys:
            monkeypatch.setenv(name, "the-application's-own")
        else:
            monkeypatch.delenv(name, raising=False)
    session = boto3.Session(**KEYS)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    before = (dict(os.environ), vars(BotocoreStubber).copy(), Endpoint.make_request, boto3.DEFAULT_SESSION)
    aws, otp = mock_aws(), mock_pinpoint_otp()
    for mock in [aws, otp][:: 1 if entered == "moto first" else -1]:
        mock.start()
    assert_each_answers_its_own(active_pinpoint_otp())
    for mock in [aws, otp][:: 1 if left == "moto first" else -1]:
        mock.stop()
    assert (dict(os.environ), vars(BotocoreStubber).copy(), Endpoint.make_request, boto3.DEFAULT_SESSION) == before
    assert not botocore_stubber.enabled
    # Neither answers any more: a handler of the test's own is the last before the network.
    client = session.client("pinpoint")
    reached: list[str] = []

    def reach_the_network(event_name: str, **kwargs: Any) -> None:
        reached.append(event_name)
        raise ConnectionRefusedError

    client.meta.events.register_last("before-send", reach_the_network)
    for call in (lambda: send(client), client.get_apps):
        with pytest.raises(ConnectionRefusedError):
            call()
    assert reached == ["before-send.pinpoint.SendOTPMessage", "before-send.pinpoint.GetApps"]
