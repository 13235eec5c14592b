"""The operations on code configurations and their tags."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl

from pytest_pinpoint_otp.apis.base import Reading, Refusal, Request, StoreOperation, Terms
from pytest_pinpoint_otp.apis.end_user_messaging.base import NotifyOperation, not_found, refuse, write_resource
from pytest_pinpoint_otp.apis.end_user_messaging.parameter_rules import (
    CREATE,
    LIST,
    MOST_TAGS,
    ONE,
    TAG,
    TAGS,
    UNTAG,
    UPDATE,
    Fault,
)
from pytest_pinpoint_otp.apis.end_user_messaging.store import REGION, Configuration, Store, read_id
from pytest_pinpoint_otp.apis.rest_json import Response, write_document

_REGION: Final = re.compile(r"https?://end-user-messaging(?:-fips)?\.([a-z0-9-]+)\.")
_PAGE: Final = re.compile("page-([1-9][0-9]{0,15})")
_PAGE_SIZE: Final = 100
"""Not documented: our assumption."""


class ConfigurationOperation(NotifyOperation, StoreOperation):
    """An operation on configurations."""

    def accept(self, reading: Reading, terms: Terms, state: Store) -> Refusal | None:
        refusal = self.check(reading, terms)
        return refusal or self.find_conflict(reading.parameters, state, enforce=terms.enforce_limits)

    @abstractmethod
    def find_conflict(self, parameters: Mapping[str, Any], state: Store, *, enforce: bool) -> Refusal | None:
        """Return why a request is refused although its members are within their rules; None: it is not."""


class Create(ConfigurationOperation):
    """CreateNotifyCodeConfiguration."""

    rules = CREATE
    has_body = True

    def read(self, request: Request) -> Reading:
        region = _REGION.match(request.url)
        return replace(super().read(request), region=region[1] if region else REGION)

    def find_conflict(self, parameters: Mapping[str, Any], state: Store, *, enforce: bool) -> Refusal | None:
        made, is_same = state.find_created(parameters)
        if made is None or is_same:
            return None
        message = "The client token has already made a configuration, by another request."
        return Refusal("ConflictException", message, write_resource(made.id))

    def carry_out(self, reading: Reading, state: Store, drawn: str, now: datetime, request_id: str) -> Response:
        made, _ = state.find_created(reading.parameters)
        if made is None:
            made = state.create(f"cc-{drawn}", reading.region or REGION, reading.parameters, now)
        return write_document({"notifyCodeConfiguration": made.write(now)}, request_id)


class OnOne(ConfigurationOperation):
    """An operation on one configuration."""

    rules = ONE
    named_by: ClassVar[str] = "notifyCodeConfigurationId"

    def find_conflict(self, parameters: Mapping[str, Any], state: Store, *, enforce: bool) -> Refusal | None:
        configuration = state.find(parameters[self.named_by])
        if configuration is None:
            return not_found(parameters[self.named_by])
        return self.find_conflict_with(configuration, parameters, enforce=enforce)

    def find_conflict_with(
        self, configuration: Configuration, parameters: Mapping[str, Any], *, enforce: bool
    ) -> Refusal | None:
        """Return why a request cannot be carried out on a configuration; None: it can."""
        return None

    def find_resource(self, error: str, parameters: Mapping[str, Any]) -> Mapping[str, str]:
        return write_resource(read_id(parameters[self.named_by]))

    def carry_out(self, reading: Reading, state: Store, drawn: str, now: datetime, request_id: str) -> Response:
        configuration = state.find(reading.parameters[self.named_by])
        if configuration is None:
            # Another thread has deleted it meanwhile.
            raise not_found(reading.parameters[self.named_by])
        return write_document(self.carry_out_on(configuration, reading.parameters, state, now), request_id)

    def carry_out_on(
        self, configuration: Configuration, parameters: Mapping[str, Any], state: Store, now: datetime
    ) -> dict[str, Any]:
        """Do what a request asks for, and return the answer's document."""
        return {"notifyCodeConfiguration": configuration.write(now)}


class Get(OnOne):
    """GetNotifyCodeConfiguration."""


class Update(OnOne):
    """UpdateNotifyCodeConfiguration."""

    rules = UPDATE
    has_body = True

    def carry_out_on(
        self, configuration: Configuration, parameters: Mapping[str, Any], state: Store, now: datetime
    ) -> dict[str, Any]:
        configuration.update(parameters, now)
        return super().carry_out_on(configuration, parameters, state, now)


class Delete(OnOne):
    """DeleteNotifyCodeConfiguration."""

    def find_conflict_with(
        self, configuration: Configuration, parameters: Mapping[str, Any], *, enforce: bool
    ) -> Refusal | None:
        if not configuration.is_protected:
            return None
        # That it is refused is documented; the error's name is our assumption.
        message = "Deletion protection is enabled: turn it off before you delete the configuration."
        return Refusal("ConflictException", message, write_resource(configuration.id))

    def carry_out_on(
        self, configuration: Configuration, parameters: Mapping[str, Any], state: Store, now: datetime
    ) -> dict[str, Any]:
        state.remove(configuration)
        return {}


class List(ConfigurationOperation):
    """ListNotifyCodeConfigurations."""

    rules = LIST

    def read_query(self, query: str) -> dict[str, Any]:
        parameters: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True))
        most = parameters.get("maxResults", "")
        # Anything else stays a string, which the rule refuses.
        return {**parameters, "maxResults": int(most)} if re.fullmatch("-?[0-9]{1,9}", most) else parameters

    def find_conflict(self, parameters: Mapping[str, Any], state: Store, *, enforce: bool) -> Refusal | None:
        token = parameters.get("nextToken")
        if token is None or _PAGE.fullmatch(token):
            return None
        return refuse([Fault("/nextToken", f"nextToken is {token!r}, but takes what an earlier answer gave.")])

    def carry_out(self, reading: Reading, state: Store, drawn: str, now: datetime, request_id: str) -> Response:
        parameters = reading.parameters
        page = _PAGE.fullmatch(parameters.get("nextToken") or "")
        shown, last = state.list_after(int(page[1]) if page else 0, parameters.get("maxResults") or _PAGE_SIZE)
        document: dict[str, Any] = {"notifyCodeConfigurations": [one.write(now) for one in shown]}
        if last is not None:
            document["nextToken"] = f"page-{last}"
        return write_document(document, request_id)


class Tag(OnOne):
    """TagResource."""

    rules = TAG
    has_body = True
    named_by = "resourceArn"

    def find_conflict_with(
        self, configuration: Configuration, parameters: Mapping[str, Any], *, enforce: bool
    ) -> Refusal | None:
        count = len(configuration.tags.keys() | {tag["key"] for tag in parameters["tags"]})
        if not enforce or count <= MOST_TAGS:
            return None
        return Refusal("ServiceQuotaExceededException", f"It would have {count} tags, but AWS accepts {MOST_TAGS}.")

    def carry_out_on(
        self, configuration: Configuration, parameters: Mapping[str, Any], state: Store, now: datetime
    ) -> dict[str, Any]:
        configuration.tag(parameters["tags"])
        return {}


class Untag(OnOne):
    """UntagResource."""

    rules = UNTAG
    named_by = "resourceArn"

    def read_query(self, query: str) -> dict[str, Any]:
        keys = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == "tagKeys"]
        return {"tagKeys": keys} if keys else {}

    def carry_out_on(
        self, configuration: Configuration, parameters: Mapping[str, Any], state: Store, now: datetime
    ) -> dict[str, Any]:
        for key in parameters["tagKeys"]:
            configuration.tags.pop(key, None)
        return {}


class ListTags(OnOne):
    """ListTagsForResource."""

    rules = TAGS
    named_by = "resourceArn"

    def carry_out_on(
        self, configuration: Configuration, parameters: Mapping[str, Any], state: Store, now: datetime
    ) -> dict[str, Any]:
        return {"tags": [{"key": key, "value": value} for key, value in configuration.tags.items()]}
