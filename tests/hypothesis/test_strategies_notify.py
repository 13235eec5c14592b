"""The strategies for AWS End User Messaging: what they draw is what it takes (or refuses), up to every limit."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import Any

import pytest
from botocore.validate import ParamValidator
from drawing import Drawing, draw, fail_with, find, several
from effort import THOROUGH, examples
from helpers import DESTINATION
from hypothesis import given, settings
from hypothesis import strategies as st
from notify import NEEDED, make_client

from pytest_pinpoint_otp import mock_pinpoint_otp
from pytest_pinpoint_otp.strategies import codes, invalid_notify_send_parameters, notify_send_parameters

pytestmark = NEEDED

REQUIRED = {"channel", "destinationIdentity", "originationIdentity"}
OPTIONAL = {
    "notifyCodeConfiguration",
    "overrideChannelParameters",
    "overrideCodeConfigurationParameters",
    "configurationSetName",
    "context",
    "referenceId",
}
SMALLEST = {
    "channel": "TEXT",
    "originationIdentity": "0",
    "destinationIdentity": "+12025550100",
    "overrideChannelParameters": {"text": {"inlineTemplateBody": "{{code}}"}},
}
SHORT = {"channel": "TEXT", "destinationIdentity": DESTINATION, "originationIdentity": "A"}
"""Where only the optional members matter."""
PLAIN = {**SHORT, "overrideChannelParameters": {"text": {"inlineTemplateBody": "{{code}}"}}}

ROUTES = {
    "text": {"channel": "TEXT", "originationIdentity": "A"},
    "voice": {"channel": "VOICE", "originationIdentity": "A"},
    "notify": {"channel": "VOICE", "originationIdentity": "nc-1"},
    "whatsApp": {"channel": "WHATSAPP"},
}
"""What takes each route."""
ONLY_TEMPLATES = {
    "destinationIdentity": DESTINATION,
    **dict.fromkeys(OPTIONAL - {"notifyCodeConfiguration", "overrideChannelParameters"}),
}
"""Where only the template and where it comes from matter."""


@pytest.fixture(scope="module")
def client() -> Any:
    """A client that does not retry."""
    return make_client(aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture(scope="module")
def shape(client: Any) -> Any:
    """botocore's model of a send."""
    return client.meta.service_model.operation_model("SendNotifyCodeVerification").input_shape


@pytest.fixture(scope="module")
def runs() -> list[list[dict[str, Any]]]:
    """Several runs of a user's test of a send."""
    return [draw(notify_send_parameters(), 100, run=run) for run in range(40 if THOROUGH else 5)]


@pytest.fixture(scope="module")
def drawn(runs: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Many parameters of a send."""
    return [parameters for run in runs for parameters in run]


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Return the members of parameters by their path; pairs whose names are free are one."""
    if not isinstance(value, dict) or path.endswith(("context", "destinationCountryParameters")):
        return {path: value}
    inner = {f"{path}.{name}".strip("."): one for name, one in value.items()}
    return {deeper: leaf for name, one in inner.items() for deeper, leaf in {name: one, **leaves(one, name)}.items()}


# -- What is accepted --------------------------------------------------------------------------------------------------


def test_drawn_parameters_satisfy_botocore_and_the_service(client: Any, shape: Any) -> None:
    @several
    @given(notify_send_parameters())
    def check(parameters: dict[str, Any]) -> None:
        assert not ParamValidator().validate(parameters, shape).has_errors()
        key = {name: parameters[name] for name in ("destinationIdentity", "referenceId") if name in parameters}
        with mock_pinpoint_otp() as fake:
            client.send_notify_code_verification(**parameters)
            message = fake.assert_sent(parameters["destinationIdentity"])
            assert client.validate_notify_code_verification(code=message.code, **key)["status"] == "VALID"

    check()


def test_every_member_of_botocores_model_is_there_and_every_optional_one_is_not(
    drawn: list[dict[str, Any]], shape: Any
) -> None:
    def members(shape: Any, path: str = "") -> set[str]:
        found = set()
        for name, member in shape.members.items():
            found |= {f"{path}{name}"}
            found |= members(member, f"{path}{name}.") if member.type_name == "structure" else set()
        return found

    there = [leaves(parameters).keys() for parameters in drawn]
    assert set().union(*there) == members(shape)
    assert set.intersection(*map(set, there)) == REQUIRED


POLICY = "overrideCodeConfigurationParameters"
CHANNELS = "overrideChannelParameters"


@pytest.mark.parametrize(
    ("path", "ends"),
    [
        (f"{POLICY}.codeLength", (4, 8)),
        (f"{POLICY}.validityPeriodMinutes", (1, 60)),
        (f"{POLICY}.maxAttempts", (1, 5)),
        (f"{POLICY}.codeType", ("NUMERIC", "ALPHA", "ALPHANUMERIC")),
        ("originationIdentity", (1, 256)),
        ("destinationIdentity", (1, 20)),
        ("notifyCodeConfiguration", (1, 256)),
        ("configurationSetName", (1, 256)),
        ("referenceId", (1, 256)),
        ("context", (0, 5)),
        (f"{CHANNELS}.text.inlineTemplateBody", (8, 6000)),
        (f"{CHANNELS}.text.destinationCountryParameters", (1, 10)),
        (f"{CHANNELS}.voice.inlineTemplateBody", (8, 6000)),
        (f"{CHANNELS}.voice.languageCode", (2, 35)),
        (f"{CHANNELS}.voice.voiceId", (1, 64)),
        (f"{CHANNELS}.notify.notifyTemplateId", (1, 256)),
        (f"{CHANNELS}.notify.voiceId", (1, 64)),
        (f"{CHANNELS}.whatsApp.whatsAppTemplateName", (1, 512)),
        (f"{CHANNELS}.whatsApp.languageCode", (2, 35)),
    ],
)
def test_every_boundary_is_drawn_in_nearly_every_run(
    runs: list[list[dict[str, Any]]], path: str, ends: tuple[Any, ...]
) -> None:
    def values(run: list[dict[str, Any]]) -> set[Any]:
        """Return what a run has for the member: numbers and choices themselves, of anything else the length."""
        found = [leaves(parameters)[path] for parameters in run if path in leaves(parameters)]
        return {value if isinstance(value, int) or path.endswith("codeType") else len(value) for value in found}

    reached = Counter(end for run in runs for end in values(run))
    # Hypothesis draws some runs' members more alike than others'.
    assert all(reached[end] >= 0.9 * len(runs) - 0.5 for end in ends)


@pytest.mark.parametrize("length", [1, 100, 800])
def test_the_context_reaches_its_limits(runs: list[list[dict[str, Any]]], length: int) -> None:
    def lengths(run: list[dict[str, Any]]) -> set[int]:
        return {len(text) for parameters in run for pair in parameters.get("context", {}).items() for text in pair}

    # In 19 of 20 runs; of five, one may miss it.
    assert sum(length in lengths(run) for run in runs) >= len(runs) - max(1, len(runs) // 20)


@pytest.mark.parametrize("run", range(20 if THOROUGH else 1))
def test_a_failing_send_has_no_member_that_does_not_matter(run: int) -> None:
    failing = fail_with(
        notify_send_parameters(), lambda drawn: leaves(drawn).get(f"{POLICY}.validityPeriodMinutes", 10) > 30, run
    )

    assert failing == {**SMALLEST, POLICY: {"validityPeriodMinutes": 31}}


@pytest.mark.parametrize("route", ROUTES)
def test_a_send_without_a_configuration_has_the_template_of_its_route(route: str) -> None:
    strategy = notify_send_parameters(**ROUTES[route], notifyCodeConfiguration=None)

    assert {*find(strategy)["overrideChannelParameters"]} == {route}
    assert all(route in parameters["overrideChannelParameters"] for parameters in draw(strategy, 20))


@pytest.mark.parametrize("route", ROUTES)
def test_a_send_with_a_configuration_has_the_template_or_leaves_it_to_that(route: str) -> None:
    templates = {"notify": "notifyTemplateId", "whatsApp": "whatsAppTemplateName"}
    template = templates.get(route, "inlineTemplateBody")
    left_out: Counter[str] = Counter()
    strategy = notify_send_parameters(**ROUTES[route], **ONLY_TEMPLATES, notifyCodeConfiguration="cc-1")
    for parameters in draw(strategy, 60):
        channels = parameters.get("overrideChannelParameters")
        if channels is None:
            left_out["everything"] += 1
        elif route not in channels:
            left_out["the route"] += 1
        else:
            left_out["nothing" if template in channels[route] else "the template"] += 1

    assert left_out.keys() == {"everything", "nothing", "the route" if route == "whatsApp" else "the template"}
    assert left_out["nothing"] > left_out.total() / 4


def test_every_route_is_taken_and_shrinks_to_the_members_that_it_needs() -> None:
    assert find(notify_send_parameters()) == SMALLEST
    assert find(notify_send_parameters(), lambda drawn: drawn["channel"] == "WHATSAPP") == {
        "channel": "WHATSAPP",
        "originationIdentity": "0",
        "destinationIdentity": "0",
        "overrideChannelParameters": {"whatsApp": {"whatsAppTemplateName": "0", "languageCode": "en-US"}},
    }


def test_sends_are_from_notify_configurations_too(drawn: list[dict[str, Any]]) -> None:
    assert any(parameters["originationIdentity"].startswith("nc-") for parameters in drawn)


def test_an_address_of_whatsapp_has_any_characters_that_the_service_accepts() -> None:
    addresses = notify_send_parameters(
        **ROUTES["whatsApp"], **dict.fromkeys(OPTIONAL - {"notifyCodeConfiguration"}), originationIdentity="A"
    )

    def characters(drawn: list[dict[str, Any]]) -> set[str]:
        return {*"".join(parameters["destinationIdentity"] for parameters in drawn)}

    some = {*'!"+09AZaz~'}
    drawn = characters(Drawing(addresses, 400).until(lambda drawn: characters(drawn) > some))
    assert drawn > some
    assert not drawn & {*"# \x7f"}


def test_members_can_be_fixed_by_value_or_strategy_or_left_out() -> None:
    fixed = notify_send_parameters(
        channel=st.sampled_from(["TEXT", "VOICE"]), notifyCodeConfiguration="cc-1", referenceId="log-in", context=None
    )
    for parameters in draw(fixed, 30):
        assert parameters["channel"] in ("TEXT", "VOICE")
        assert parameters["destinationIdentity"][0] == "+"
        assert (parameters["notifyCodeConfiguration"], parameters["referenceId"]) == ("cc-1", "log-in")
        assert "context" not in parameters


@pytest.mark.parametrize(("left_out", "there"), [(0, 1), (1, 0)])
def test_what_has_the_template_is_there_where_the_other_is_left_out(left_out: int, there: int) -> None:
    either = ("notifyCodeConfiguration", "overrideChannelParameters")
    for parameters in draw(notify_send_parameters(**{either[left_out]: None}), 20):
        assert either[left_out] not in parameters
        assert either[there] in parameters


@pytest.mark.parametrize(
    ("fixed", "error", "message"),
    [
        ({"chanel": "TEXT"}, TypeError, "there is no member 'chanel'. Did you mean 'channel'?"),
        ({"channel": None}, ValueError, "channel is required, so it cannot be left out."),
        (
            {"notifyCodeConfiguration": None, "overrideChannelParameters": None},
            ValueError,
            "notifyCodeConfiguration and overrideChannelParameters cannot both be left out",
        ),
    ],
)
def test_a_member_that_cannot_be_fixed_is_refused(fixed: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(f"notify_send_parameters: {message}")):
        notify_send_parameters(**fixed)


@several
@given(code_type=st.sampled_from(["NUMERIC", "ALPHA", "ALPHANUMERIC"]), data=st.data())
def test_a_code_is_one_that_the_service_can_send_and_judge(code_type: Any, data: st.DataObject) -> None:
    code = data.draw(codes(code_type=code_type))
    with mock_pinpoint_otp() as fake:
        issued = fake.issue(DESTINATION, reference_id=None, code=code, code_type=code_type)

    assert issued.code == code


# -- What is refused ---------------------------------------------------------------------------------------------------


def test_invalid_parameters_have_one_violation_which_the_service_names(client: Any, shape: Any) -> None:
    @settings(several, max_examples=examples(120))
    @given(invalid_notify_send_parameters())
    def check(invalid: tuple[dict[str, Any], str]) -> None:
        parameters, name = invalid
        assert not ParamValidator().validate(parameters, shape).has_errors()
        with mock_pinpoint_otp() as fake:
            with pytest.raises(client.exceptions.ValidationException, match=name) as caught:
                client.send_notify_code_verification(**parameters)
            fake.assert_not_sent()
            (field,) = caught.value.response["fieldList"]
            assert name in field["path"].split("/")
            # With that one member made valid, or left out, nothing is wrong any more.
            client.send_notify_code_verification(**cure(parameters, name))

    check()


VALID = {
    **SHORT,
    "notifyCodeConfiguration": "cc-1",
    "inlineTemplateBody": "{{code}}",
    "notifyTemplateId": "sign-up",
    "whatsAppTemplateName": "sign_up",
    "languageCode": "en-US",
}


def cure(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    """Return parameters with a member made valid wherever it is."""
    if name == "overrideChannelParameters":
        return {**parameters, **PLAIN}
    cured = {key: VALID.get(key) if key == name else value for key, value in parameters.items()}
    return {
        key: cure(value, name) if isinstance(value, dict) else value
        for key, value in cured.items()
        if value is not None
    }


LIMITED = {
    *REQUIRED,
    *OPTIONAL - {"overrideCodeConfigurationParameters"},
    *("codeType", "codeLength", "validityPeriodMinutes", "maxAttempts"),
    *("inlineTemplateBody", "destinationCountryParameters", "languageCode", "voiceId", "voiceMessageBodyTextType"),
    *("notifyTemplateId", "whatsAppTemplateName"),
}


@cache
def at_fault(name: Any) -> Drawing:
    """Return requests in which this member is at fault, each with its name."""
    return Drawing(invalid_notify_send_parameters(name), 50)


@pytest.mark.parametrize("name", sorted(LIMITED))
def test_every_member_that_has_a_limit_can_be_at_fault(client: Any, name: str) -> None:
    for parameters, violated in at_fault(name).until(bool):
        assert violated == name
        with mock_pinpoint_otp(), pytest.raises(client.exceptions.ValidationException, match=name):
            client.send_notify_code_verification(**parameters)


def test_any_member_that_has_a_limit_is_at_fault() -> None:
    def are_enough(drawn: list[tuple[Any, str]]) -> bool:
        return len({name for _, name in drawn}) > 0.7 * len(LIMITED)

    assert are_enough(Drawing(invalid_notify_send_parameters(), 200).until(are_enough))
    assert {name for _, name in draw(invalid_notify_send_parameters("codeLength", "context"), 30)} == {
        "codeLength",
        "context",
    }


def test_a_member_without_a_limit_cannot_be_at_fault() -> None:
    with pytest.raises(
        ValueError, match=r"invalid_notify_send_parameters: a name is 'chanel'\. Did you mean 'channel'"
    ):
        invalid_notify_send_parameters("chanel")


@pytest.mark.parametrize(
    ("name", "fewest"),
    [("codeLength", 9), ("validityPeriodMinutes", 61), ("maxAttempts", 6)],
)
def test_a_number_just_beyond_its_limit_is_drawn(name: str, fewest: int) -> None:
    def find_fewest(drawn: list[tuple[Any, str]]) -> int:
        return min(parameters[POLICY][name] for parameters, _ in drawn)

    assert find_fewest(at_fault(name).until(lambda drawn: find_fewest(drawn) == fewest, at_least=50)) == fewest


@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("channel", 9),
        ("destinationIdentity", 21),
        ("originationIdentity", 257),
        ("notifyCodeConfiguration", 257),
        ("configurationSetName", 257),
        ("referenceId", 257),
        (f"{POLICY}.codeType", 13),
        (f"{CHANNELS}.text.inlineTemplateBody", 6001),
        (f"{CHANNELS}.text.inlineTemplateBody", 6008),
        (f"{CHANNELS}.voice.inlineTemplateBody", 6001),
        (f"{CHANNELS}.voice.inlineTemplateBody", 6008),
        (f"{CHANNELS}.voice.languageCode", 36),
        (f"{CHANNELS}.voice.voiceId", 65),
        (f"{CHANNELS}.voice.voiceMessageBodyTextType", 5),
        (f"{CHANNELS}.notify.notifyTemplateId", 257),
        (f"{CHANNELS}.notify.voiceId", 65),
        (f"{CHANNELS}.whatsApp.whatsAppTemplateName", 513),
        (f"{CHANNELS}.whatsApp.languageCode", 36),
    ],
)
def test_a_text_of_one_character_too_many_is_drawn(path: str, length: int) -> None:
    def is_reached(drawn: list[tuple[Any, str]]) -> bool:
        return length in [len(leaves(parameters).get(path, "")) for parameters, _ in drawn]

    assert is_reached(at_fault(path.rpartition(".")[2]).until(is_reached))


@pytest.mark.parametrize(
    ("path", "counts", "keys", "values"),
    [("context", {6}, 101, 801), (f"{CHANNELS}.text.destinationCountryParameters", {0, 11}, 65, 65)],
)
def test_pairs_are_just_too_few_too_many_or_too_long(path: str, counts: set[int], keys: int, values: int) -> None:
    def limits(drawn: list[tuple[Any, str]]) -> tuple[set[int], int, int]:
        """Return how many pairs are drawn, and the lengths of the longest key and the longest value."""
        pairs = [leaves(parameters)[path] for parameters, _ in drawn]
        every = [pair for one in pairs for pair in one.items()]
        return {*map(len, pairs)}, max(len(key) for key, _ in every), max(len(value) for _, value in every)

    beyond = (counts | {1}, keys, values)
    requests = at_fault(path.rpartition(".")[2])
    assert limits(requests.until(lambda drawn: limits(drawn) == beyond, at_least=50)) == beyond


def test_a_number_of_one_digit_is_drawn() -> None:
    def is_reached(drawn: list[tuple[Any, str]]) -> bool:
        return any(re.fullmatch(r"\+[1-9]", parameters["destinationIdentity"]) for parameters, _ in drawn)

    # One of many things that can be wrong with a number.
    assert is_reached(Drawing(invalid_notify_send_parameters("destinationIdentity"), 200).until(is_reached))


def test_the_smallest_violation_is_of_the_required_members_and_a_template() -> None:
    assert find(invalid_notify_send_parameters()) == ({**SMALLEST, "channel": "SMS"}, "channel")


@several
@given(notify_send_parameters() | invalid_notify_send_parameters() | codes(code_type="ALPHA"))
def test_a_value_can_be_pasted_from_its_repr(value: Any) -> None:
    assert eval(repr(value), {}) == value
