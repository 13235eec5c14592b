"""The names of every API as types, for editors and type checkers. A test compares them with the APIs."""

from __future__ import annotations

from typing import Literal

OperationName = Literal[
    "SendOTPMessage",
    "VerifyOTPMessage",
    "send_otp_message",
    "verify_otp_message",
]
"""Operations that are faked, as AWS and as boto3 spell them."""

ErrorName = Literal[
    "BadRequestException",
    "ForbiddenException",
    "InternalServerErrorException",
    "MethodNotAllowedException",
    "NotFoundException",
    "PayloadTooLargeException",
    "TooManyRequestsException",
]
"""Errors that the operations model."""
