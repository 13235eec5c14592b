"""AWS End User Messaging: the operations on one-time codes of boto3's client ``endusermessaging``.

The rules come from botocore's model and the user guide; where they say nothing, a line says that the rule is our
assumption.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import unquote

from pytest_pinpoint_otp.apis.base import Api, Operation, Route, Terms
from pytest_pinpoint_otp.apis.end_user_messaging.configurations import (
    Create,
    Delete,
    Get,
    List,
    ListTags,
    OnOne,
    Tag,
    Untag,
    Update,
)
from pytest_pinpoint_otp.apis.end_user_messaging.parameter_rules import POLICY_NAMES, POLICY_RULES
from pytest_pinpoint_otp.apis.end_user_messaging.store import Store
from pytest_pinpoint_otp.apis.end_user_messaging.verifications import Send, Validate
from pytest_pinpoint_otp.apis.parameter_rules import find_refusal

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_PINPOINT_ARN: Final = re.compile("arn:[^:]*:mobiletargeting:")
"""Pinpoint has tags of its own under the same path."""


class EndUserMessaging(Api):
    """AWS End User Messaging, as far as one-time codes go."""

    name = "endusermessaging"
    endpoint_prefix = "end-user-messaging"
    errors: ClassVar[Mapping[str, int]] = {
        "ValidationException": 400,
        "AccessDeniedException": 403,
        "ResourceNotFoundException": 404,
        "ConflictException": 409,
        "ServiceQuotaExceededException": 400,
        "ThrottlingException": 429,
        "InternalServerException": 500,
    }
    """Source: botocore model; ValidationException's status: API reference."""
    usual_errors = ("ThrottlingException", "InternalServerException", "AccessDeniedException")
    has_configurations = True

    def __init__(self) -> None:
        one, tags = "notify-code-configurations/", "tags/"
        self._by_path: Final[Mapping[tuple[str, str], Operation]] = {
            ("POST", "notify-code-verifications/send"): Send(self, "SendNotifyCodeVerification"),
            ("POST", "notify-code-verifications/validate"): Validate(self, "ValidateNotifyCodeVerification"),
            ("POST", "notify-code-configurations"): Create(self, "CreateNotifyCodeConfiguration"),
            ("GET", "notify-code-configurations"): List(self, "ListNotifyCodeConfigurations"),
        }
        self._by_resource: Final[Mapping[tuple[str, str], OnOne]] = {
            ("GET", one): Get(self, "GetNotifyCodeConfiguration"),
            ("PUT", one): Update(self, "UpdateNotifyCodeConfiguration"),
            ("DELETE", one): Delete(self, "DeleteNotifyCodeConfiguration"),
            ("POST", tags): Tag(self, "TagResource"),
            ("DELETE", tags): Untag(self, "UntagResource"),
            ("GET", tags): ListTags(self, "ListTagsForResource"),
        }
        operations = (*self._by_path.values(), *self._by_resource.values())
        self.operations = {operation.name: operation for operation in operations}

    def route(self, method: str, path: str) -> Route | None:
        """Read ``.../v1/notify-code-...`` and ``.../v1/tags/{arn}`` (source: botocore model)."""
        # The last one: a prefix may have a version of its own.
        rest = path.rpartition("/v1/")[2]
        if operation := self._by_path.get((method, rest)):
            return Route(operation, {})
        resource, slash, quoted = rest.partition("/")
        named = unquote(quoted)
        found = self._by_resource.get((method, resource + slash))
        if found is None or not named or _PINPOINT_ARN.match(named):
            return None
        return Route(found, {found.named_by: named})

    def find_default_refusal(self, name: str, value: int, *, enforce: bool) -> str | None:
        return find_refusal(POLICY_RULES[POLICY_NAMES[name]], POLICY_NAMES[name], value, enforce=enforce)

    def new_state(self, terms: Terms) -> Store:
        return Store(terms.configurations, enforce=terms.enforce_limits)

    def add_configuration(self, state: Store, configuration_id: str, **policy: Any) -> None:
        state.add(configuration_id, {name: value for name, value in policy.items() if value is not None})
