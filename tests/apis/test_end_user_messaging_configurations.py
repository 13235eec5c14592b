"""Code configurations of AWS End User Messaging, and their tags."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError
from helpers import DESTINATION, LEFT_OUT
from notify import NEEDED, create, make_client, send

from pytest_pinpoint_otp import PinpointOTP, mock_pinpoint_otp

pytestmark = NEEDED

POLICY = {"codeType": "ALPHA", "codeLength": 5}
CHANNELS = {
    "text": {"inlineTemplateBody": "Text {{code}}", "destinationCountryParameters": {"IN_ENTITY_ID": "1"}},
    "voice": {"inlineTemplateBody": "Voice {{code}}", "voiceId": "Amy", "voiceMessageBodyTextType": "TEXT"},
}


@pytest.fixture
def client(pinpoint_otp: PinpointOTP) -> Any:
    return make_client()


def error(call: Any, **arguments: Any) -> dict[str, Any]:
    """Return the answer of a call that is refused."""
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    return raised.value.response


def get(client: Any, configuration_id: str) -> dict[str, Any]:
    """Return a configuration."""
    answer = client.get_notify_code_configuration(notifyCodeConfigurationId=configuration_id)
    return answer["notifyCodeConfiguration"]


def update(client: Any, configuration_id: str, **given: Any) -> dict[str, Any]:
    """Update a configuration and return it."""
    answer = client.update_notify_code_configuration(notifyCodeConfigurationId=configuration_id, **given)
    return answer["notifyCodeConfiguration"]


def names(client: Any, **given: Any) -> list[str]:
    """Return the names on a page of the list."""
    page = client.list_notify_code_configurations(**given)
    return [one["notifyCodeConfigurationName"] for one in page["notifyCodeConfigurations"]]


# -- Create and get ------------------------------------------------------------------------------------------------


def test_a_configuration_is_created_and_found_by_id_and_by_arn(client: Any) -> None:
    made = create(client, codeConfigurationParameters=POLICY, channelParameters=CHANNELS)
    configuration_id, arn = made["notifyCodeConfigurationId"], made["notifyCodeConfigurationArn"]
    assert re.fullmatch("cc-[0-9a-v]{40}", configuration_id)
    assert arn == f"arn:aws:end-user-messaging:us-east-1:123456789012:notify-code-configuration/{configuration_id}"
    assert made["codeConfigurationParameters"] == POLICY
    assert made["channelParameters"] == CHANNELS
    assert (made["notifyCodeConfigurationName"], made["deletionProtectionEnabled"]) == ("Log-in", False)
    assert get(client, configuration_id) == get(client, arn) == made


def test_a_configuration_has_nothing_that_was_left_out(client: Any) -> None:
    made = create(client, channelParameters={"text": {}}, codeConfigurationParameters={})
    assert made.keys() == {
        "notifyCodeConfigurationId",
        "notifyCodeConfigurationArn",
        "notifyCodeConfigurationName",
        "deletionProtectionEnabled",
        "createdAt",
        "updatedAt",
    }


def test_the_times_are_the_fakes(client: Any, pinpoint_otp: PinpointOTP) -> None:
    with time_machine.travel(datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), tick=False):
        made = create(client)
        assert made["createdAt"] == made["updatedAt"] == pinpoint_otp.now()
        pinpoint_otp.advance(hours=1)
        changed = update(client, made["notifyCodeConfigurationId"])
    assert changed["createdAt"] == made["createdAt"]
    assert changed["updatedAt"] - made["updatedAt"] == timedelta(hours=1)


def test_an_arn_has_the_clients_region(pinpoint_otp: PinpointOTP) -> None:
    for region in ("eu-west-1", "ap-southeast-2"):
        assert create(make_client(region))["notifyCodeConfigurationArn"].split(":")[3] == region
    elsewhere = make_client("eu-west-1", endpoint_url="http://localhost:4599")
    assert create(elsewhere)["notifyCodeConfigurationArn"].split(":")[3] == "us-east-1"


def test_an_arn_of_any_region_and_account_finds_a_configuration(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.add_code_configuration("cc-1")
    arn = "arn:aws:end-user-messaging:eu-west-1:111122223333:notify-code-configuration/cc-1"
    assert get(client, arn)["notifyCodeConfigurationId"] == "cc-1"
    send(client, notifyCodeConfiguration=arn)
    assert pinpoint_otp.messages[-1].configuration == "cc-1"


def test_the_same_token_and_request_make_one_configuration(client: Any) -> None:
    first = create(client, clientToken="token", codeConfigurationParameters=POLICY)
    assert create(client, clientToken="token", codeConfigurationParameters=POLICY) == first
    assert create(client, clientToken="Token", codeConfigurationParameters=POLICY) != first
    assert len(names(client)) == 2


def test_the_same_token_with_another_request_is_a_conflict(client: Any) -> None:
    made = create(client, clientToken="token")
    answer = error(client.create_notify_code_configuration, notifyCodeConfigurationName="Other", clientToken="token")
    assert answer["Error"]["Code"] == "ConflictException"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert answer["resourceId"] == made["notifyCodeConfigurationId"]
    assert answer["resourceType"] == "notify-code-configuration"


def test_a_token_is_free_after_its_configuration_was_deleted(client: Any) -> None:
    first = create(client, clientToken="token")
    client.delete_notify_code_configuration(notifyCodeConfigurationId=first["notifyCodeConfigurationId"])
    assert create(client, "Other", clientToken="token")["notifyCodeConfigurationName"] == "Other"


def test_two_configurations_may_have_one_name(client: Any) -> None:
    assert create(client)["notifyCodeConfigurationId"] != create(client)["notifyCodeConfigurationId"]


def test_create_takes_no_empty_values(client: Any) -> None:
    answer = error(
        client.create_notify_code_configuration,
        notifyCodeConfigurationName="Log-in",
        channelParameters={"text": {"destinationCountryParameters": {}}},
    )
    assert [field["path"] for field in answer["fieldList"]] == ["/channelParameters/text/destinationCountryParameters"]


# -- Update --------------------------------------------------------------------------------------------------------


def test_an_update_keeps_what_it_leaves_out(client: Any) -> None:
    made = create(client, codeConfigurationParameters=POLICY, channelParameters=CHANNELS)
    changed = update(
        client,
        made["notifyCodeConfigurationArn"],
        notifyCodeConfigurationName="Other",
        codeConfigurationParameters={"codeLength": 8, "maxAttempts": 1},
        channelParameters={"text": {"inlineTemplateBody": "New {{code}}"}},
        deletionProtectionEnabled=True,
    )
    assert changed["notifyCodeConfigurationName"] == "Other"
    assert changed["codeConfigurationParameters"] == {"codeType": "ALPHA", "codeLength": 8, "maxAttempts": 1}
    assert changed["channelParameters"] == {
        "text": {**CHANNELS["text"], "inlineTemplateBody": "New {{code}}"},
        "voice": CHANNELS["voice"],
    }
    assert changed["deletionProtectionEnabled"] is True
    assert get(client, made["notifyCodeConfigurationId"]) == changed


def test_an_empty_value_clears_a_member_and_the_last_one_its_channel(client: Any) -> None:
    made = create(client, channelParameters=CHANNELS)
    configuration_id = made["notifyCodeConfigurationId"]
    changed = update(client, configuration_id, channelParameters={"text": {"inlineTemplateBody": ""}})
    assert changed["channelParameters"]["text"] == {"destinationCountryParameters": {"IN_ENTITY_ID": "1"}}
    changed = update(client, configuration_id, channelParameters={"text": {"destinationCountryParameters": {}}})
    assert changed["channelParameters"] == {"voice": CHANNELS["voice"]}


def test_an_update_takes_a_map_as_a_whole(client: Any) -> None:
    made = create(client, channelParameters=CHANNELS)
    changed = update(
        client,
        made["notifyCodeConfigurationId"],
        channelParameters={"text": {"destinationCountryParameters": {"IN_TEMPLATE_ID": "2"}}},
    )
    assert changed["channelParameters"]["text"]["destinationCountryParameters"] == {"IN_TEMPLATE_ID": "2"}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (
            {"channelParameters": {"voice": {"voiceMessageBodyTextType": ""}}},
            "/channelParameters/voice/voiceMessageBodyTextType",
        ),
        ({"channelParameters": {"voice": {"languageCode": "e"}}}, "/channelParameters/voice/languageCode"),
        ({"channelParameters": {"text": {"inlineTemplateBody": " "}}}, "/channelParameters/text/inlineTemplateBody"),
        ({"codeConfigurationParameters": {"codeType": ""}}, "/codeConfigurationParameters/codeType"),
    ],
)
def test_what_cannot_be_cleared_is_refused(client: Any, given: dict[str, Any], path: str) -> None:
    made = create(client, channelParameters=CHANNELS)
    answer = error(
        client.update_notify_code_configuration,
        notifyCodeConfigurationId=made["notifyCodeConfigurationId"],
        **given,
    )
    assert [field["path"] for field in answer["fieldList"]] == [path]
    assert get(client, made["notifyCodeConfigurationId"]) == made


# -- Delete --------------------------------------------------------------------------------------------------------


def test_a_deleted_configuration_is_gone(client: Any) -> None:
    configuration_id = create(client)["notifyCodeConfigurationId"]
    answer = client.delete_notify_code_configuration(notifyCodeConfigurationId=configuration_id)
    assert answer.keys() == {"ResponseMetadata"}
    for call in (client.get_notify_code_configuration, client.delete_notify_code_configuration):
        told = error(call, notifyCodeConfigurationId=configuration_id)
        assert told["Error"]["Code"] == "ResourceNotFoundException"
        assert told["ResponseMetadata"]["HTTPStatusCode"] == 404
        assert (told["resourceId"], told["resourceType"]) == (configuration_id, "notify-code-configuration")
    told = error(send, client=client, notifyCodeConfiguration=configuration_id)
    assert told["resourceId"] == configuration_id


def test_protection_forbids_to_delete_until_it_is_off(client: Any) -> None:
    configuration_id = create(client, deletionProtectionEnabled=True)["notifyCodeConfigurationId"]
    told = error(client.delete_notify_code_configuration, notifyCodeConfigurationId=configuration_id)
    assert told["Error"]["Code"] == "ConflictException"
    assert (told["resourceId"], told["resourceType"]) == (configuration_id, "notify-code-configuration")
    update(client, configuration_id, deletionProtectionEnabled=False)
    client.delete_notify_code_configuration(notifyCodeConfigurationId=configuration_id)
    assert names(client) == []


def test_a_code_outlives_its_configuration(client: Any, pinpoint_otp: PinpointOTP) -> None:
    configuration_id = create(client, channelParameters=CHANNELS)["notifyCodeConfigurationId"]
    send(client, notifyCodeConfiguration=configuration_id, overrideChannelParameters=LEFT_OUT, referenceId=LEFT_OUT)
    client.delete_notify_code_configuration(notifyCodeConfigurationId=configuration_id)
    code = pinpoint_otp.code_for(DESTINATION)
    answer = client.validate_notify_code_verification(destinationIdentity=DESTINATION, code=code)
    assert answer["status"] == "VALID"


# -- List ----------------------------------------------------------------------------------------------------------


def test_the_list_is_in_the_order_of_creation_and_comes_in_pages(client: Any) -> None:
    made = [create(client, f"n{number}") for number in range(5)]
    first = client.list_notify_code_configurations(maxResults=2)
    assert first["notifyCodeConfigurations"] == made[:2]
    second = client.list_notify_code_configurations(maxResults=2, nextToken=first["nextToken"])
    assert second["notifyCodeConfigurations"] == made[2:4]
    last = client.list_notify_code_configurations(maxResults=2, nextToken=second["nextToken"])
    assert last["notifyCodeConfigurations"] == made[4:]
    assert "nextToken" not in last
    assert "nextToken" not in client.list_notify_code_configurations(maxResults=5)

    paginator = client.get_paginator("list_notify_code_configurations")
    pages = list(paginator.paginate(PaginationConfig={"PageSize": 3}))
    assert [len(page["notifyCodeConfigurations"]) for page in pages] == [3, 2]


def test_a_page_has_a_hundred_unless_asked_otherwise(client: Any) -> None:
    for number in range(101):
        create(client, f"n{number}")
    page = client.list_notify_code_configurations()
    assert len(page["notifyCodeConfigurations"]) == 100
    assert names(client, nextToken=page["nextToken"]) == ["n100"]


def test_what_is_deleted_between_pages_hides_nothing(client: Any) -> None:
    made = [create(client, f"n{number}") for number in range(4)]
    page = client.list_notify_code_configurations(maxResults=2)
    for one in made[:3]:
        client.delete_notify_code_configuration(notifyCodeConfigurationId=one["notifyCodeConfigurationId"])
    assert names(client, nextToken=page["nextToken"]) == ["n3"]


def test_a_token_that_no_answer_gave_is_refused(client: Any) -> None:
    answer = error(client.list_notify_code_configurations, nextToken="made-up")
    assert answer["Error"]["Code"] == "ValidationException"
    assert answer["fieldList"] == [
        {"path": "/nextToken", "message": "nextToken is 'made-up', but takes what an earlier answer gave."}
    ]


# -- Tags ----------------------------------------------------------------------------------------------------------


def tags(client: Any, arn: str) -> dict[str, str]:
    """Return the tags of a configuration."""
    return {tag["key"]: tag["value"] for tag in client.list_tags_for_resource(resourceArn=arn)["tags"]}


def test_tags_are_added_overwritten_and_removed(client: Any) -> None:
    arn = create(client, tags=[{"key": "team", "value": "access"}])["notifyCodeConfigurationArn"]
    client.tag_resource(
        resourceArn=arn,
        tags=[{"key": "team", "value": ""}, {"key": "Team", "value": "a b"}, {"key": "a&b=c", "value": "+"}],
    )
    assert tags(client, arn) == {"team": "", "Team": "a b", "a&b=c": "+"}
    client.untag_resource(resourceArn=arn, tagKeys=["team", "a&b=c", "never there"])
    assert tags(client, arn) == {"Team": "a b"}


def test_fifty_tags_are_the_quota(client: Any) -> None:
    arn = create(client, tags=[{"key": f"k{number}", "value": ""} for number in range(49)])[
        "notifyCodeConfigurationArn"
    ]
    client.tag_resource(resourceArn=arn, tags=[{"key": "k0", "value": "again"}, {"key": "k49", "value": ""}])
    told = error(client.tag_resource, resourceArn=arn, tags=[{"key": "k50", "value": ""}])
    assert told["Error"]["Code"] == "ServiceQuotaExceededException"
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert len(tags(client, arn)) == 50


@pytest.mark.pinpoint_otp(enforce_limits=False)
def test_without_limits_there_may_be_more_tags(client: Any) -> None:
    arn = create(client, tags=[{"key": f"k{number}", "value": ""} for number in range(51)])[
        "notifyCodeConfigurationArn"
    ]
    client.tag_resource(resourceArn=arn, tags=[{"key": "k51", "value": ""}])
    assert len(tags(client, arn)) == 52


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:end-user-messaging:us-east-1:123456789012:notify-code-configuration/cc-unknown",
        "arn:aws:end-user-messaging:us-east-1:123456789012:brand-profile/bp-1",
    ],
)
def test_what_does_not_exist_has_no_tags(client: Any, arn: str) -> None:
    create(client)
    for call, given in (
        (client.list_tags_for_resource, {}),
        (client.tag_resource, {"tags": [{"key": "a", "value": "b"}]}),
        (client.untag_resource, {"tagKeys": ["a"]}),
    ):
        told = error(call, resourceArn=arn, **given)
        assert told["Error"]["Code"] == "ResourceNotFoundException"
        assert told["resourceId"] == arn.removeprefix(
            "arn:aws:end-user-messaging:us-east-1:123456789012:notify-code-configuration/"
        )


def test_a_resource_has_an_arn(client: Any) -> None:
    told = error(client.list_tags_for_resource, resourceArn="cc-12345678901234567")
    assert told["fieldList"][0]["path"] == "/resourceArn"


# -- Which configurations exist ------------------------------------------------------------------------------------


def test_any_configuration_exists_for_a_send_until_one_is_made(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client, notifyCodeConfiguration="cc-unknown")
    assert error(get, client=client, configuration_id="cc-unknown")["Error"]["Code"] == "ResourceNotFoundException"
    create(client)
    told = error(send, client=client, notifyCodeConfiguration="cc-unknown")
    assert told["Error"]["Code"] == "ResourceNotFoundException"
    assert (told["resourceId"], told["resourceType"]) == ("cc-unknown", "notify-code-configuration")
    assert len(pinpoint_otp.messages) == 1


@pytest.mark.pinpoint_otp(configurations=["cc-2", "cc-1"])
def test_the_option_says_which_exist(client: Any, pinpoint_otp: PinpointOTP) -> None:
    send(client, notifyCodeConfiguration="cc-1")
    assert error(send, client=client, notifyCodeConfiguration="cc-3")["resourceId"] == "cc-3"
    assert names(client) == ["cc-1", "cc-2"]
    assert get(client, "cc-1")["createdAt"] == get(client, "cc-1")["updatedAt"]
    client.delete_notify_code_configuration(notifyCodeConfigurationId="cc-1")
    assert error(send, client=client, notifyCodeConfiguration="cc-1")["resourceId"] == "cc-1"
    pinpoint_otp.add_code_configuration("cc-3")
    send(client, notifyCodeConfiguration="cc-3")


def test_without_any_configuration_none_exists() -> None:
    with mock_pinpoint_otp(configurations=[]):
        assert error(send, client=make_client(), notifyCodeConfiguration="cc-1")["resourceId"] == "cc-1"


# -- Added by a test -----------------------------------------------------------------------------------------------


def test_a_test_adds_a_configuration_as_the_console_would(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.add_code_configuration(
        "cc-1",
        name="Log-in",
        code_type="ALPHANUMERIC",
        code_length=8,
        validity_period=1,
        allowed_attempts=1,
        text="Text {{code}}",
        voice="Voice {{code}}",
        whatsapp="log_in",
    )
    made = get(client, "cc-1")
    assert made["notifyCodeConfigurationName"] == "Log-in"
    assert made["codeConfigurationParameters"] == {
        "codeType": "ALPHANUMERIC",
        "codeLength": 8,
        "validityPeriodMinutes": 1,
        "maxAttempts": 1,
    }
    assert made["channelParameters"] == {
        "text": {"inlineTemplateBody": "Text {{code}}"},
        "voice": {"inlineTemplateBody": "Voice {{code}}"},
        "whatsApp": {"whatsAppTemplateName": "log_in", "languageCode": "en"},
    }
    bodies = []
    for channel in ("TEXT", "VOICE", "WHATSAPP"):
        send(client, channel=channel, notifyCodeConfiguration="cc-1", overrideChannelParameters=LEFT_OUT)
        message = pinpoint_otp.messages[-1]
        assert re.fullmatch("[0-9A-Z]{8}", message.code)
        assert (message.validity_period, message.allowed_attempts) == (1, 1)
        bodies.append(message.body.replace(message.code, "*"))
    assert bodies == ["Text *", "Voice *", "Your verification code is *."]


def test_the_text_of_a_whatsapp_template_is_what_the_test_says(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.add_code_configuration("cc-1", whatsapp="*{{code}}* is your code")
    request = {"channel": "WHATSAPP", "notifyCodeConfiguration": "cc-1"}
    send(client, **request, overrideChannelParameters=LEFT_OUT)
    other = {"whatsApp": {"whatsAppTemplateName": "other"}}
    send(client, **request, overrideChannelParameters=other)
    first, second = pinpoint_otp.messages
    assert first.body == f"*{first.code}* is your code"
    assert second.body == f"Your verification code is {second.code}."
    assert get(client, "cc-1")["channelParameters"]["whatsApp"]["languageCode"] == "en"


def test_a_later_configuration_of_the_same_id_replaces_the_earlier(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.add_code_configuration("cc-1", code_length=8)
    pinpoint_otp.add_code_configuration("cc-1")
    assert "codeConfigurationParameters" not in get(client, "cc-1")
    pinpoint_otp.add_code_configuration("cc-2")
    pinpoint_otp.add_code_configuration("cc-1")
    assert names(client) == ["cc-2", "cc-1"]


@pytest.mark.parametrize(
    ("given", "raised", "told"),
    [
        ({"code_length": 9}, ValueError, "code_length is 9, but AWS accepts 4 to 8 characters"),
        ({"code_length": "6"}, TypeError, "code_length is '6', but takes an integer"),
        ({"code_type": "DIGITS"}, ValueError, "code_type is 'DIGITS', but AWS accepts one of NUMERIC, ALPHA"),
        ({"validity_period": 61}, ValueError, "validity_period is 61, but AWS accepts 1 to 60 minutes"),
        ({"allowed_attempts": 0}, ValueError, "allowed_attempts is 0, but AWS accepts 1 to 5 attempts"),
        ({"name": "  "}, ValueError, "name is '  ', but AWS accepts 1 to 64"),
        ({"text": "no code"}, ValueError, "text is 'no code', but AWS accepts 1 to 6000 characters, with {{code}}"),
        ({"voice": 1}, TypeError, "voice is 1, but takes a string"),
        ({"whatsapp": "Log in"}, ValueError, "whatsapp is 'Log in', but AWS accepts the name of a template"),
    ],
)
def test_a_configuration_that_aws_would_not_have_is_not_added(
    pinpoint_otp: PinpointOTP, given: dict[str, Any], raised: type[Exception], told: str
) -> None:
    with pytest.raises(raised, match=f"^add_code_configuration: {re.escape(told)}"):
        pinpoint_otp.add_code_configuration("cc-1", **given)


def test_an_id_has_64_characters_at_most(pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.add_code_configuration("c" * 64)
    with pytest.raises(ValueError, match="1 to 64 letters"):
        pinpoint_otp.add_code_configuration("c" * 65)


def test_an_id_that_no_configuration_has_is_not_added(pinpoint_otp: PinpointOTP) -> None:
    with pytest.raises(ValueError, match="configuration_id is 'cc 1'"):
        pinpoint_otp.add_code_configuration("cc 1")


@pytest.mark.pinpoint_otp(enforce_limits=False)
def test_without_limits_a_test_adds_what_can_be_simulated(client: Any, pinpoint_otp: PinpointOTP) -> None:
    pinpoint_otp.add_code_configuration("cc 1", code_length=20, text="no code")
    send(client, notifyCodeConfiguration="cc 1", overrideChannelParameters=LEFT_OUT)
    (message,) = pinpoint_otp.messages
    assert (len(message.code), message.body) == (20, "no code")
    with pytest.raises(ValueError, match="cannot be simulated"):
        pinpoint_otp.add_code_configuration("cc-2", code_type="EMOJI")


def test_the_same_send_depends_on_the_configurations_there_are(pinpoint_otp: PinpointOTP, client: Any) -> None:
    def send_by_it() -> tuple[int, str]:
        send(client, notifyCodeConfiguration="login")
        return pinpoint_otp.messages[-1].code_length, pinpoint_otp.messages[-1].configuration or ""

    assert send_by_it() == (6, "login")
    pinpoint_otp.add_code_configuration("another")
    assert error(send_by_it)["Error"]["Code"] == "ResourceNotFoundException"
    pinpoint_otp.add_code_configuration("login", code_length=8)
    assert send_by_it() == (8, "login")
    update(client, "login", codeConfigurationParameters={"codeLength": 4})
    assert send_by_it() == (4, "login")
    client.delete_notify_code_configuration(notifyCodeConfigurationId="login")
    assert error(send_by_it)["Error"]["Code"] == "ResourceNotFoundException"
