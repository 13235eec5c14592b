"""The two operations that are faked, by their names in botocore's model, and the members of their requests."""

from __future__ import annotations

from typing import Final

SEND: Final = "SendOTPMessage"
VERIFY: Final = "VerifyOTPMessage"
OPERATIONS: Final = (SEND, VERIFY)

OPERATION_BY_PATH: Final = {"otp": SEND, "verify-otp": VERIFY}
"""The last segment of ``/v1/apps/{application-id}/otp`` and of its sibling (source: botocore model)."""

REQUEST_MEMBER: Final = {SEND: "SendOTPMessageRequestParameters", VERIFY: "VerifyOTPMessageRequestParameters"}
"""boto3's keyword argument that carries the parameters, beside ``ApplicationId`` (source: botocore model)."""

WIRE_NAMES: Final = {
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
"""SendOTPMessage's parameters beside destination and reference: Python's name, then AWS's."""
