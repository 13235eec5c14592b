"""What the operations of AWS End User Messaging have in common: how a request is read, and how it is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from pytest_pinpoint_otp.apis.base import Operation, Reading, Refusal, Request, Terms, remembered
from pytest_pinpoint_otp.apis.end_user_messaging.parameter_rules import Fault, Structure, find_faults
from pytest_pinpoint_otp.apis.end_user_messaging.store import RESOURCE_TYPE, read_id
from pytest_pinpoint_otp.apis.frozen_json import FrozenDict, freeze_dict
from pytest_pinpoint_otp.apis.rest_json import read_parameters

_OF_RESOURCES: Final = ("ResourceNotFoundException", "ConflictException")


class NotifyOperation(Operation):
    """All ten: parameters are in the body, or in path and query; ValidationException refuses what is outside a rule."""

    rules: ClassVar[Structure]
    has_body: ClassVar[bool] = False
    """Whether parameters are in the body; otherwise they are in the query."""

    def read(self, request: Request) -> Reading:
        try:
            given = read_parameters(request.body) if self.has_body else self.read_query(request.url.partition("?")[2])
        except ValueError as error:
            return Reading(None, None, None, FrozenDict(), refuse([Fault("", str(error))]))
        return read({**given, **request.in_path} if request.in_path else given)

    def read_query(self, query: str) -> dict[str, Any]:
        """Return the parameters in a query."""
        return {}

    @remembered
    def check(self, reading: Reading, terms: Terms) -> Refusal | None:
        """Return why a member of a request is refused; None: all of them are within their rules."""
        if reading.refusal is not None:
            return reading.refusal
        faults = find_faults(self.rules, reading.parameters, enforce=terms.enforce_limits)
        return refuse(faults) if faults else None

    def find_error_members(self, name: str, reading: Reading) -> Mapping[str, Any]:
        if name == "ValidationException":
            return {"fieldList": []}
        return self.find_resource(name, reading.parameters) if name in _OF_RESOURCES else {}

    def find_resource(self, error: str, parameters: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the members of an error that say which resource it is about: its ID and its type."""
        return {}


def read(parameters: dict[str, Any]) -> Reading:
    """Return what a request says."""
    destination, reference_id = parameters.get("destinationIdentity"), parameters.get("referenceId")
    return Reading(
        None,
        destination if isinstance(destination, str) else None,
        reference_id if isinstance(reference_id, str) else None,
        freeze_dict(parameters),
    )


def refuse(faults: Sequence[Fault]) -> Refusal:
    """Return the refusal of a request that is outside a rule."""
    fields = [{"path": fault.path, "message": fault.message} for fault in faults]
    return Refusal(
        "ValidationException",
        " ".join(fault.message for fault in faults),
        {"fieldList": fields},
        wrong_type=any(fault.wrong_type for fault in faults),
    )


def not_found(id_or_arn: str) -> Refusal:
    """Return the refusal of a request for a configuration that does not exist."""
    message = f"The configuration {id_or_arn!r} was not found."
    return Refusal("ResourceNotFoundException", message, write_resource(read_id(id_or_arn)))


def write_resource(resource_id: str, resource_type: str = RESOURCE_TYPE) -> dict[str, str]:
    """Return the members of an error that is about a resource."""
    return {"resourceId": resource_id, "resourceType": resource_type}
