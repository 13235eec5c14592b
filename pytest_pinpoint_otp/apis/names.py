"""The names of every API as types, for editors and type checkers. A test compares them with the APIs."""

from __future__ import annotations

from typing import Literal

OperationName = Literal[
    "SendOTPMessage",
    "VerifyOTPMessage",
    "send_otp_message",
    "verify_otp_message",
    "CreateNotifyCodeConfiguration",
    "DeleteNotifyCodeConfiguration",
    "GetNotifyCodeConfiguration",
    "ListNotifyCodeConfigurations",
    "ListTagsForResource",
    "SendNotifyCodeVerification",
    "TagResource",
    "UntagResource",
    "UpdateNotifyCodeConfiguration",
    "ValidateNotifyCodeVerification",
    "create_notify_code_configuration",
    "delete_notify_code_configuration",
    "get_notify_code_configuration",
    "list_notify_code_configurations",
    "list_tags_for_resource",
    "send_notify_code_verification",
    "tag_resource",
    "untag_resource",
    "update_notify_code_configuration",
    "validate_notify_code_verification",
]
"""Operations that are faked, as AWS and as boto3 spell them."""

ErrorName = Literal[
    "AccessDeniedException",
    "BadRequestException",
    "ConflictException",
    "ForbiddenException",
    "InternalServerErrorException",
    "InternalServerException",
    "MethodNotAllowedException",
    "NotFoundException",
    "PayloadTooLargeException",
    "ResourceNotFoundException",
    "ServiceQuotaExceededException",
    "ThrottlingException",
    "TooManyRequestsException",
    "ValidationException",
]
"""Errors that the operations model."""
