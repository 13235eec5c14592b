"""The names in the package's types are those that it knows: what an editor offers is accepted, and nothing is left out.

What type checkers make of them is compared by ``compare.py``, in ``nox -s types``.
"""

from __future__ import annotations

import inspect
from typing import Any, get_args

import botocore.session
import pytest

import pytest_pinpoint_otp
from pytest_pinpoint_otp import Call, DeliveryStatus, SentMessage
from pytest_pinpoint_otp.apis import APIS, ERRORS, OPERATIONS
from pytest_pinpoint_otp.apis.names import ErrorName, OperationName
from pytest_pinpoint_otp.engine.arguments import CodeType, IssueParameters
from pytest_pinpoint_otp.engine.codes import ALPHABETS
from pytest_pinpoint_otp.engine.faults.parsing import DeliveryName, TransportName, parse_outcome
from pytest_pinpoint_otp.engine.faults.transport_errors import transport_exception_names
from pytest_pinpoint_otp.engine.options import OPTION_NAMES, OptionValues
from pytest_pinpoint_otp.engine.records import CallFields, MessageFields


def names_of_boto3(api: str) -> dict[str, str]:
    """Return the names that boto3 gives to the operations of a client; none where botocore does not have it."""
    session = botocore.session.Session()
    if api not in session.get_available_services():
        return {}
    client = session.create_client(
        api, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    return {name: method for method, name in client.meta.method_to_api_mapping.items()}


def test_operations_are_those_of_every_api_as_aws_and_as_boto3_spell_them() -> None:
    names = get_args(OperationName)

    assert len(names) == len({*names})
    assert {name for name in names if name[0].isupper()} == {*OPERATIONS}
    assert len(names) == 2 * len(OPERATIONS)
    for api in APIS:
        spelled = names_of_boto3(api.name)
        assert all(spelled[name] in names for name in api.operations if spelled)


def test_errors_are_those_of_every_api() -> None:
    assert sorted(get_args(ErrorName)) == sorted(ERRORS)


def test_statuses_are_those_of_the_enum() -> None:
    assert list(get_args(DeliveryName)) == list(DeliveryStatus)


def test_transport_exceptions_are_those_of_botocore_that_a_name_can_stand_for() -> None:
    def stands(name: str) -> bool:
        try:
            return parse_outcome(name, None) is not None
        except (TypeError, ValueError):
            return False

    assert sorted(get_args(TransportName)) == sorted(filter(stands, transport_exception_names()))


def test_types_of_codes_are_those_that_can_be_drawn() -> None:
    assert list(get_args(CodeType)) == list(ALPHABETS)


@pytest.mark.parametrize(
    ("offered", "known"),
    [
        (OptionValues, {*OPTION_NAMES}),
        (MessageFields, {*SentMessage._fields} - {"destination"}),
        (CallFields, {*Call._fields, "request"} - {"operation"}),
        (IssueParameters, {name for api in APIS for name in api.sending.issue_names}),
    ],
)
def test_keywords_are_those_that_are_accepted(offered: Any, known: set[str]) -> None:
    assert {*offered.__annotations__} == known


def signatures() -> list[Any]:
    """Return the signatures of everything public, methods included."""
    public = [getattr(pytest_pinpoint_otp, name) for name in pytest_pinpoint_otp.__all__]
    classes = [one for one in public if isinstance(one, type)]
    methods = [method for one in classes for method in vars(one).values() if inspect.isfunction(method)]
    return [inspect.signature(one) for one in [*methods, *filter(inspect.isfunction, public)]]


def test_no_signature_has_a_parameter_that_nobody_is_to_give() -> None:
    given = {name for signature in signatures() for name in signature.parameters}

    assert {"destination", "per", "options"} <= given
    assert "misplaced" not in given
