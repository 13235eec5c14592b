"""Where botocore's calls are met: at their beginning and at each attempt, before anything is signed, and at the socket.

Three places, so that no call leaves even if something takes one or two of them away while a fake is active. A call that
is answered never gets as far as the socket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

import pytest_pinpoint_otp.transports.active as active
from pytest_pinpoint_otp.apis import APIS, FAKED
from pytest_pinpoint_otp.engine.lock import lock
from pytest_pinpoint_otp.engine.records import Unsent
from pytest_pinpoint_otp.transports.botocore.guard import SERVICE, check_may_leave
from pytest_pinpoint_otp.transports.botocore.wrapping import Target, calls_under_way, end_call, notice_imports

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_registered: WeakKeyDictionary[Any, set[tuple[str, str]]] = WeakKeyDictionary()
"""The operations whose handlers each emitter has. They do nothing while no fake is active. They stay, because each
change of an emitter makes its next events slow."""


def _making_session(original: Callable[..., Any]) -> Callable[..., Any]:
    def init(session: Any, *args: Any, **kwargs: Any) -> None:
        # Every client needs one first: aiobotocore's too, which may have been imported since the fake was entered.
        notice_imports(type(session))
        original(session, *args, **kwargs)

    return init


def _beginning(original: Callable[..., Any]) -> Callable[..., Any]:
    def send_request(endpoint: Any, request_dict: Any, operation_model: Any) -> Any:
        service_name = _SERVICE_NAMES.get(getattr(endpoint, "_endpoint_prefix", ""))
        if service_name is None:
            return original(endpoint, request_dict, operation_model)
        notice_imports()
        calls_under_way.append(None)
        try:
            _meet(endpoint, request_dict, service_name, operation_model.name)
            return original(endpoint, request_dict, operation_model)
        finally:
            end_call()

    return send_request


def _beginning_async(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def send_request(endpoint: Any, request_dict: Any, operation_model: Any) -> Any:
        service_name = _SERVICE_NAMES.get(getattr(endpoint, "_endpoint_prefix", ""))
        if service_name is None:
            return await original(endpoint, request_dict, operation_model)
        calls_under_way.append(None)
        try:
            _meet(endpoint, request_dict, service_name, operation_model.name)
            return await original(endpoint, request_dict, operation_model)
        finally:
            end_call()

    return send_request


def _attempting(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_request(endpoint: Any, params: Any, operation_model: Any = None) -> Any:
        service_name = _SERVICE_NAMES.get(getattr(endpoint, "_endpoint_prefix", ""))
        if service_name is None or operation_model is None:
            return original(endpoint, params, operation_model)
        _meet(endpoint, params, service_name, operation_model.name)
        return _with_context(original(endpoint, params, operation_model), params)

    return create_request


def _attempting_async(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def create_request(endpoint: Any, params: Any, operation_model: Any = None) -> Any:
        service_name = _SERVICE_NAMES.get(getattr(endpoint, "_endpoint_prefix", ""))
        if service_name is None or operation_model is None:
            return await original(endpoint, params, operation_model)
        _meet(endpoint, params, service_name, operation_model.name)
        return _with_context(await original(endpoint, params, operation_model), params)

    return create_request


def _sending(original: Callable[..., Any]) -> Callable[..., Any]:
    def send(endpoint: Any, request: Any) -> Any:
        answer = _answer_at_socket(endpoint, request)
        return original(endpoint, request) if answer is None else answer

    return send


def _sending_async(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def send(endpoint: Any, request: Any) -> Any:
        answer = _answer_at_socket(endpoint, request)
        return await original(endpoint, request) if answer is None else answer

    return send


def _answer_at_socket(endpoint: Any, request: Any) -> Any:
    service_name = _SERVICE_NAMES.get(getattr(endpoint, "_endpoint_prefix", ""))
    if service_name is None:
        return None
    import pytest_pinpoint_otp.transports.botocore.handlers as handlers

    return handlers.answer_at_socket(request, service_name)


_SERVICE_NAMES: Final = {api.endpoint_prefix: api.name for api in APIS}
"""botocore's names of the faked services by endpoint prefix, which is all that an endpoint knows. No other service
shares these prefixes."""


def _meet(endpoint: Any, request_dict: Any, service_name: str, operation: str) -> None:
    """Prepare an attempt for the innermost fake. If there is none, check whether the attempt may leave."""
    context, service = request_dict["context"], active.innermost
    if service is None:
        check_may_leave(context, service_name, operation, request_dict.get("body"))
    elif context.get(SERVICE) is service:
        # Met at the beginning of the call.
        return
    context[SERVICE] = service
    # Even if it may leave: a fake may be entered before it does.
    if (service_name, operation) not in _registered.get(endpoint._event_emitter, ()):
        _register(endpoint._event_emitter, service_name, operation)


def _with_context(request: Any, request_dict: Any) -> Any:
    # Newer versions of botocore hand the context on themselves.
    if getattr(request, "context", None) is None:
        request.context = request_dict["context"]
    return request


def _register(emitter: Any, service_name: str, operation: str) -> None:
    import pytest_pinpoint_otp.transports.botocore.handlers as handlers

    with lock:
        handlers.register(emitter, service_name, operation)
        # Last: other threads read this without the lock, and would go on without the handlers.
        _registered.setdefault(emitter, set()).add((service_name, operation))


def unregister_all() -> None:
    """Take the handlers off every client that has them."""
    with lock:
        for emitter, operations in list(_registered.items()):
            import pytest_pinpoint_otp.transports.botocore.handlers as handlers

            for service_name, operation in operations:
                handlers.unregister(emitter, service_name, operation)
        _registered.clear()


def _preparing(original: Callable[..., Any]) -> Callable[..., Any]:
    def serialize_to_request(decorator: Any, parameters: Any, operation_model: Any) -> Any:
        service = active.innermost
        if service is None:
            return original(decorator, parameters, operation_model)
        service_name = _SERVICE_NAMES.get(operation_model.metadata.get("endpointPrefix", ""))
        if (service_name, operation_model.name) not in FAKED:
            return original(decorator, parameters, operation_model)
        try:
            request = original(decorator, parameters, operation_model)
        except Exception as error:
            with lock:
                service.journal.unsent.append(Unsent(operation_model.name, str(error)))
            raise
        with lock:
            service.journal.prepared += 1
        return request

    return serialize_to_request


TARGETS: Final = (
    Target("botocore.session", "Session", "__init__", _making_session),
    Target("botocore.endpoint", "Endpoint", "_send_request", _beginning),
    Target("botocore.endpoint", "Endpoint", "create_request", _attempting),
    Target("botocore.endpoint", "Endpoint", "_send", _sending),
    Target("aiobotocore.endpoint", "AioEndpoint", "_send_request", _beginning_async),
    Target("aiobotocore.endpoint", "AioEndpoint", "create_request", _attempting_async),
    Target("aiobotocore.endpoint", "AioEndpoint", "_send", _sending_async),
    Target("botocore.validate", "ParamValidationDecorator", "serialize_to_request", _preparing),
)
