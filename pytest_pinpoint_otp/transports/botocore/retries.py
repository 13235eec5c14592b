"""Retries of faked calls: none waits, uses up the quota of real calls, or slows its client down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from pytest_pinpoint_otp.apis import FAKED
from pytest_pinpoint_otp.transports.botocore.guard import SERVICE
from pytest_pinpoint_otp.transports.botocore.wrapping import Target

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


def _retries_at_once(context: Mapping[str, Any], operation_model: Any) -> bool:
    """Tell whether the last attempt of a call was for a fake that lets botocore retry at once."""
    service = context.get(SERVICE)
    if service is None or service.options.retry_backoff:
        return False
    return operation_model is None or (operation_model.service_model.service_name, operation_model.name) in FAKED


def _is_at_once(wait: Any, kwargs: Mapping[str, Any]) -> bool:
    """Tell whether legacy mode's handler should return 0 instead of this wait."""
    # An application that calls the handler itself may pass fewer arguments than botocore does.
    return bool(wait) and _retries_at_once(kwargs.get("request_dict", {}).get("context", {}), kwargs.get("operation"))


def _without_wait(original: Callable[..., Any]) -> Callable[..., Any]:
    """Legacy mode: the handler returns the seconds to wait, or None."""

    def call(handler: Any, *args: Any, **kwargs: Any) -> Any:
        wait = original(handler, *args, **kwargs)
        return 0 if _is_at_once(wait, kwargs) else wait

    return call


def _without_async_wait(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Legacy mode of aiobotocore, whose handler returns an awaitable of the same."""

    async def call(handler: Any, *args: Any, **kwargs: Any) -> Any:
        wait = await original(handler, *args, **kwargs)
        return 0 if _is_at_once(wait, kwargs) else wait

    return call


def _without_backoff(original: Callable[..., Any]) -> Callable[..., Any]:
    """Standard and adaptive mode: the seconds to wait."""

    def delay_amount(backoff: Any, context: Any) -> Any:
        return 0 if _retries_at_once(context.request_context, context.operation_model) else original(backoff, context)

    return delay_amount


def _without_quota(original: Callable[..., Any]) -> Callable[..., Any]:
    """Standard and adaptive mode: whether the client has retries left to spend."""

    def acquire_retry_quota(checker: Any, context: Any) -> Any:
        return (
            True if _retries_at_once(context.request_context, context.operation_model) else original(checker, context)
        )

    return acquire_retry_quota


def _without_throttling(original: Callable[..., Any]) -> Callable[..., Any]:
    """Adaptive mode: whether the client is to slow down."""

    def is_throttling_error(detector: Any, **kwargs: Any) -> Any:
        if _retries_at_once(kwargs["request_dict"]["context"], kwargs["operation"]):
            return False
        return original(detector, **kwargs)

    return is_throttling_error


TARGETS: Final = (
    Target("botocore.retryhandler", "RetryHandler", "__call__", _without_wait),
    Target("aiobotocore.retryhandler", "AioRetryHandler", "_call", _without_async_wait),
    Target("botocore.retries.standard", "ExponentialBackoff", "delay_amount", _without_backoff),
    Target("botocore.retries.standard", "RetryQuotaChecker", "acquire_retry_quota", _without_quota),
    Target("botocore.retries.standard", "ThrottlingErrorDetector", "is_throttling_error", _without_throttling),
)
