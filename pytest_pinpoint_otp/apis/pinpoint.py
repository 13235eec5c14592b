"""Amazon Pinpoint's OTP API: ``SendOTPMessage`` and ``VerifyOTPMessage`` of boto3's client ``pinpoint``.

The rules come from the developer guide, the API reference and botocore's model; where they say nothing, a line below
says that the rule is our assumption.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from pytest_pinpoint_otp.apis.base import (
    Api,
    CodeRequest,
    DeliveryReport,
    Denial,
    Guess,
    Key,
    Operation,
    Reading,
    Refusal,
    Request,
    Route,
    SendOperation,
    Terms,
    VerifyOperation,
    policy_of,
    remembered,
)
from pytest_pinpoint_otp.apis.frozen_json import FrozenDict, freeze_dict
from pytest_pinpoint_otp.apis.parameter_rules import (
    E164,
    PHONE_NUMBER,
    ParameterError,
    ParameterTypeError,
    Rule,
    check_parameters,
    find_refusal,
    like,
    number,
    of_length,
    text,
)
from pytest_pinpoint_otp.apis.rest_json import Response, quote, read_parameters, write_answer, write_error

CODE_LENGTH: Final = range(5, 9)
VALIDITY_PERIOD: Final = range(5, 61)
ALLOWED_ATTEMPTS: Final = range(1, 6)
"""At most 5 (source: AWS guide); at least 1 is our assumption."""

DEFAULTS: Final = {"CodeLength": 6, "ValidityPeriod": 15, "AllowedAttempts": 3}
"""For requests that leave them out (source: API reference, apps-application-id-otp)."""

LANGUAGES: Final = frozenset(
    "de-DE en-GB en-US es-419 es-ES fr-CA fr-FR it-IT ja-JP ko-KR pt-BR zh-CN zh-TW".split()  # noqa: SIM905 - shorter
)

_REFERENCE: Final = text("1 to 48 characters", of_length(1, 48), required=True)

SEND_RULES: Final[Mapping[str, Rule]] = {
    "Channel": text("'SMS'", "SMS".__eq__, required=True),
    "BrandName": text("up to 20 characters", of_length(0, 20), required=True),
    "DestinationIdentity": PHONE_NUMBER,
    "OriginationIdentity": text(
        "a long code in E.164, a short code, or a sender ID of 1 to 11 letters, digits or hyphens",
        like(f"{E164}|[A-Za-z0-9-]{{1,11}}"),
        required=True,
    ),
    "ReferenceId": _REFERENCE,
    "CodeLength": number("5 to 8 digits", CODE_LENGTH, simulated=range(1, 65)),
    "ValidityPeriod": number("5 to 60 minutes", VALIDITY_PERIOD, simulated=range(1, 10_000_001)),
    "AllowedAttempts": number("1 to 5 attempts", ALLOWED_ATTEMPTS, simulated=range(1, 10_000_001)),
    "Language": text(f"one of {', '.join(sorted(LANGUAGES))}", LANGUAGES.__contains__),
    "EntityId": text("a string"),
    "TemplateId": text("a string"),
}
"""Source of each: AWS guide; the numbers that can be simulated are our own limit."""

VERIFY_RULES: Final[Mapping[str, Rule]] = {
    "DestinationIdentity": PHONE_NUMBER,
    "Otp": text("a string", required=True),
    "ReferenceId": _REFERENCE,
}


ISSUE_NAMES: Final = {
    "brand_name": "BrandName",
    "channel": "Channel",
    "origination_identity": "OriginationIdentity",
    "code_length": "CodeLength",
    "validity_period": "ValidityPeriod",
    "allowed_attempts": "AllowedAttempts",
    "language": "Language",
    "entity_id": "EntityId",
    "template_id": "TemplateId",
}
"""The parameters of a send besides destination and reference: Python's name, then AWS's."""


class _PinpointOperation(Operation):
    """What both operations share: an application in the path, and all parameters in the body."""

    rules: Mapping[str, Rule]
    keyword: str
    """boto3's keyword argument that carries the parameters, besides ``ApplicationId`` (source: botocore model)."""

    def read(self, request: Request) -> Reading:
        application_id = request.in_path["application-id"]
        if request.method != "POST":
            message = f"{self.name} takes POST, not {request.method}."
            return _unread(application_id, Refusal("MethodNotAllowedException", message))
        try:
            return _read(application_id, read_parameters(request.body))
        except ValueError as error:
            return _unread(application_id, Refusal("BadRequestException", str(error)))

    def check(self, reading: Reading, terms: Terms) -> Refusal | None:
        """Return why the API refuses a request; None: it does not."""
        refusal = reading.refusal
        if refusal is not None and refusal.name == "MethodNotAllowedException":
            return refusal
        application_id, known = reading.application_id, terms.applications
        if not application_id or (known is not None and application_id not in known):
            return Refusal("NotFoundException", _not_found(application_id, known))
        if refusal is not None:
            return refusal
        try:
            check_parameters(self.rules, reading.parameters, enforce=terms.enforce_limits, operation=self.name)
        except ParameterError as error:
            return Refusal("BadRequestException", str(error), wrong_type=isinstance(error, ParameterTypeError))
        return None

    def write_keywords(self, application_id: str | None, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return {"ApplicationId": application_id, self.keyword: parameters}


class Send(_PinpointOperation, SendOperation):
    """SendOTPMessage."""

    rules = SEND_RULES
    keyword = "SendOTPMessageRequestParameters"
    throttled = Denial("THROTTLED")
    opted_out = Denial("OPT_OUT")
    # Source: seen, for SendMessages, which answers in the same shape.
    unknown_origination = Denial(
        "PERMANENT_FAILURE",
        "The provided number does not exist or does not belong to the account",
    )
    origination_member = "OriginationIdentity"
    issue_names = ISSUE_NAMES

    def read_issue(
        self, application_id: str | None, destination: object, reference_id: object, given: Mapping[str, Any]
    ) -> Reading:
        parameters = {
            "Channel": "SMS",
            "BrandName": "Example",
            "OriginationIdentity": "+15550100999",
            **{self.issue_names[name]: value for name, value in given.items()},
            "DestinationIdentity": destination,
            "ReferenceId": reference_id,
        }
        return _read(application_id, parameters)

    @remembered
    def accept(self, reading: Reading, terms: Terms, state: Any) -> CodeRequest | Refusal:
        refusal = self.check(reading, terms)
        if refusal is not None:
            return refusal
        parameters = reading.parameters
        get = parameters.get
        policy = policy_of(
            "NUMERIC",
            # None of the three is ever 0.
            get("CodeLength") or terms.code_length or DEFAULTS["CodeLength"],
            get("ValidityPeriod") or terms.validity_period or DEFAULTS["ValidityPeriod"],
            get("AllowedAttempts") or terms.allowed_attempts or DEFAULTS["AllowedAttempts"],
        )
        brand_name = parameters["BrandName"]
        # By position: naming the fields costs as much again as the record.
        return CodeRequest(
            Key(reading.application_id, parameters["DestinationIdentity"], parameters["ReferenceId"]),
            policy,
            parameters["OriginationIdentity"],
            parameters["Channel"],
            # Source: AWS guide, in English; the text in other languages is not documented.
            ("This is your One Time Password: ", f" from {brand_name}"),
            brand_name,
            get("Language"),
            get("EntityId"),
            get("TemplateId"),
        )

    def write_delivery(
        self, reading: Reading, report: DeliveryReport, message_id: str, drawn: str, request_id: str
    ) -> Response:
        # As text, member by member: encoding nested dicts takes longer than issuing the code.
        status, _, status_code, status_message, given_id, updated_token, endpoint_id = report
        if status_message is None:
            # Source: AWS guide.
            status_message = f"MessageId: {message_id}"
        address = quote(reading.destination or "")
        id_member = "" if given_id == "" else f'"MessageId": {quote(message_id)}, '
        token_member = "" if updated_token is None else f', "UpdatedToken": {quote(updated_token)}'
        result = (
            f'"DeliveryStatus": "{status}", {id_member}"StatusCode": {status_code},'
            f' "StatusMessage": {quote(status_message)}{token_member}'
        )
        by_endpoint = ""
        if endpoint_id is not None:
            by_endpoint = f', "EndpointResult": {{{quote(endpoint_id)}: {{"Address": {address}, {result}}}}}'
        body = (
            f'{{"ApplicationId": {quote(reading.application_id or "")}, "RequestId": "{request_id}",'
            f' "Result": {{{address}: {{{result}}}}}{by_endpoint}}}'
        )
        return write_answer(body.encode(), request_id)


class Verify(_PinpointOperation, VerifyOperation):
    """VerifyOTPMessage."""

    rules = VERIFY_RULES
    keyword = "VerifyOTPMessageRequestParameters"

    @remembered
    def accept(self, reading: Reading, terms: Terms, state: Any) -> Guess | Refusal:
        refusal = self.check(reading, terms)
        if refusal is not None:
            return refusal
        parameters = reading.parameters
        key = Key(reading.application_id, parameters["DestinationIdentity"], parameters["ReferenceId"])
        return Guess(key, parameters["Otp"])

    def write_verdict(self, valid: bool, request_id: str) -> Response:
        return write_answer(b'{"Valid": true}' if valid else b'{"Valid": false}', request_id)


class Pinpoint(Api):
    """Amazon Pinpoint, as far as one-time passwords go."""

    name = "pinpoint"
    endpoint_prefix = "pinpoint"
    errors = {  # noqa: RUF012 - a ClassVar in Api
        "BadRequestException": 400,
        "ForbiddenException": 403,
        "NotFoundException": 404,
        "MethodNotAllowedException": 405,
        "PayloadTooLargeException": 413,
        "TooManyRequestsException": 429,
        "InternalServerErrorException": 500,
    }
    """Source: botocore model."""
    usual_errors = ("TooManyRequestsException", "InternalServerErrorException", "ForbiddenException")
    has_applications = True
    in_moto = frozenset(
        "CreateApp DeleteApp GetApp GetApps GetApplicationSettings UpdateApplicationSettings PutEventStream"  # noqa: SIM905
        " GetEventStream DeleteEventStream TagResource UntagResource ListTagsForResource".split()
    )
    """Source: moto 5.2, moto/pinpoint/responses.py."""

    def __init__(self) -> None:
        self._by_path: Final[Mapping[str, Operation]] = {
            "otp": Send(self, "SendOTPMessage"),
            "verify-otp": Verify(self, "VerifyOTPMessage"),
        }
        self.operations = {operation.name: operation for operation in self._by_path.values()}

    def route(self, method: str, path: str) -> Route | None:
        """Read ``.../v1/apps/{application-id}/otp`` or ``/verify-otp`` (source: botocore model)."""
        match path.rsplit("/", 4):
            case [_, "v1", "apps", application_id, last] if last in self._by_path:
                return Route(self._by_path[last], {"application-id": unquote(application_id)})
        return None

    def find_default_refusal(self, name: str, value: int, *, enforce: bool) -> str | None:
        return find_refusal(SEND_RULES[ISSUE_NAMES[name]], ISSUE_NAMES[name], value, enforce=enforce)

    def write_error(
        self, name: str, status_code: int, message: str, request_id: str, members: Mapping[str, Any] | None = None
    ) -> Response:
        return write_error(name, status_code, {"Message": message, "RequestID": request_id}, request_id)


def _read(application_id: str | None, parameters: dict[str, Any]) -> Reading:
    destination, reference_id = parameters.get("DestinationIdentity"), parameters.get("ReferenceId")
    return Reading(
        application_id,
        destination if isinstance(destination, str) else None,
        reference_id if isinstance(reference_id, str) else None,
        freeze_dict(parameters),
    )


def _unread(application_id: str | None, refusal: Refusal) -> Reading:
    return Reading(application_id, None, None, FrozenDict(), refusal)


def _not_found(application_id: str | None, known: frozenset[str] | None) -> str:
    if not application_id:
        return "The application ID is empty: give the ID of an application."
    names = ", ".join(sorted(map(repr, known or ()))) or "none"
    return f"Application {application_id!r} was not found; known applications: {names}."
