"""What is wrapped in botocore while a fake is active, and put back after the last one: every Pinpoint client gets the
hooks, no retry of a faked call waits, and nobody asks for credentials over the network.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakSet

from pytest_pinpoint_otp.apis.operations import OPERATIONS
from pytest_pinpoint_otp.engine.journal import Unsent
from pytest_pinpoint_otp.engine.lock import lock
from pytest_pinpoint_otp.transports.active import innermost

if TYPE_CHECKING:
    from pytest_pinpoint_otp.transports.botocore.handlers import Hooks

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_OTP_EVENTS: Final = frozenset(f"before-send.pinpoint.{operation}" for operation in OPERATIONS)

_holders: set[object] = set()
"""Who holds botocore wrapped: each entered fake, for one."""
_wrapped: tuple[_Wrapping, ...] = ()
_awaited: Mapping[str, _Neighbour] = {}
"""Whom to wrap as soon as they are imported, by the module that brings them."""
_emitters: WeakSet[Any] = WeakSet()


def hold() -> Callable[[], None]:
    """Wrap botocore for as long as anybody holds it; the first to hold imports it.

    Returns:
        what releases it; a second call of that changes nothing.
    """
    global _awaited, _wrapped
    holder = object()
    with lock:
        if not _holders:
            _wrapped = _botocore_wrappings()
            for wrapping in _wrapped:
                wrapping.put_on()
            _awaited = _NEIGHBOURS
        _wrap_neighbours()
        _holders.add(holder)
    return functools.partial(_release, holder)


def _release(holder: object) -> None:
    global _awaited
    with lock:
        if holder not in _holders:
            return
        _holders.remove(holder)
        if not _holders:
            for wrapping in reversed(_wrapped):
                wrapping.take_off()
            _awaited = {}
            for emitter in list(_emitters):
                _hooks().unregister(emitter)
            _emitters.clear()


class _Neighbour(NamedTuple):
    """A method of another package's class, which is wrapped once the package is imported."""

    owner: str
    name: str
    wrap: Callable[[Callable[..., Any]], Callable[..., Any]]


class _Wrapping:
    """A method of a botocore class, and what takes its place."""

    def __init__(self, owner: type, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        self._owner = owner
        self._name = name
        self._wrap = wrap
        self._original: Any = None
        self._replacement: Any = None

    def put_on(self) -> None:
        current = vars(self._owner)[self._name]
        # The replacement is still there where somebody has put back what they found while a fake was active.
        if current is not self._original and current is not self._replacement:
            self._original = current
            self._replacement = functools.wraps(current)(self._wrap(current))
        setattr(self._owner, self._name, self._replacement)

    def take_off(self) -> None:
        # Somebody else may have wrapped the method since, and must not lose it.
        if vars(self._owner)[self._name] is self._replacement:
            setattr(self._owner, self._name, self._original)


def _botocore_wrappings() -> tuple[_Wrapping, ...]:
    # Imported at the first activation, not with the plugin; and anew at each, because pytester replaces modules: for
    # the same reason none is taken from its package, which may hold a replaced one still.
    import botocore.endpoint as endpoint

    return _wrappings_of(endpoint)


@functools.lru_cache(maxsize=1)
def _wrappings_of(endpoint: ModuleType) -> tuple[_Wrapping, ...]:
    import botocore.credentials as credentials
    import botocore.retries.standard as standard
    import botocore.retryhandler as retryhandler
    import botocore.utils as utils
    import botocore.validate as validate

    return (
        _Wrapping(endpoint.Endpoint, "make_request", _hooking),
        _Wrapping(validate.ParamValidationDecorator, "serialize_to_request", _noting_unsent),
        _Wrapping(utils.IMDSFetcher, "_assert_enabled", _while_active(_no_metadata)),
        _Wrapping(credentials.ContainerProvider, "load", _while_active(_no_container)),
        _Wrapping(retryhandler.RetryHandler, "__call__", _without_wait),
        _Wrapping(standard.ExponentialBackoff, "delay_amount", _without_backoff),
        _Wrapping(standard.RetryQuotaChecker, "acquire_retry_quota", _without_quota),
        _Wrapping(standard.ThrottlingErrorDetector, "is_throttling_error", _without_throttling),
    )


def _wrap_neighbours() -> None:
    """Wrap what other packages bring along, once they are imported, and never import them."""
    global _awaited, _wrapped
    with lock:
        not_yet = {}
        for module, neighbour in _awaited.items():
            owner = getattr(sys.modules.get(module), neighbour.owner, None)
            if owner is None:
                not_yet[module] = neighbour
            else:
                wrapping = _neighbour_wrapping(owner, neighbour.name, neighbour.wrap)
                wrapping.put_on()
                _wrapped = (*_wrapped, wrapping)
        _awaited = not_yet


_neighbour_wrapping = functools.cache(_Wrapping)


def _hooks() -> Hooks:
    from pytest_pinpoint_otp.transports.botocore.handlers import Hooks

    return _hooks_of(Hooks)


@functools.lru_cache(maxsize=1)
def _hooks_of(handlers: type[Hooks]) -> Hooks:
    return handlers(innermost)


def _hooking(original: Callable[..., Any]) -> Callable[..., Any]:
    """Every client of botocore and aiobotocore, old or new, passes here before it signs, with its own emitter."""

    def make_request(endpoint: Any, operation_model: Any, request_dict: Any) -> Any:
        if innermost() and operation_model.service_model.service_name == "pinpoint":
            if not sys.modules.keys().isdisjoint(_awaited):
                _wrap_neighbours()
            emitter = endpoint._event_emitter
            if emitter not in _emitters or operation_model.name not in OPERATIONS:
                _register(emitter, operation_model.name)
        return original(endpoint, operation_model, request_dict)

    return make_request


def _register(emitter: Any, operation: str) -> None:
    with lock:
        if _holders:
            _hooks().register(emitter)
            _emitters.add(emitter)
            if operation not in OPERATIONS:
                _hooks().register_refusal(emitter)


def _noting_unsent(original: Callable[..., Any]) -> Callable[..., Any]:
    def serialize_to_request(decorator: Any, parameters: Any, operation_model: Any) -> Any:
        try:
            return original(decorator, parameters, operation_model)
        except Exception as error:
            service = innermost()
            if service is not None and _is_faked(operation_model):
                service.journal.unsent.append(Unsent(operation_model.name, str(error)))
            raise

    return serialize_to_request


def _is_faked(operation_model: Any) -> bool:
    return operation_model.name in OPERATIONS and operation_model.service_model.service_name == "pinpoint"


def _retries_at_once(operation_model: Any) -> bool:
    service = innermost()
    return service is not None and not service.options.retry_backoff and _is_faked(operation_model)


def _without_wait(original: Callable[..., Any]) -> Callable[..., Any]:
    """Legacy mode: the handler returns the seconds to wait, or None."""

    def call(handler: Any, *args: Any, **kwargs: Any) -> Any:
        wait = original(handler, *args, **kwargs)
        return 0 if wait and _retries_at_once(kwargs["operation"]) else wait

    return call


def _without_async_wait(original: Callable[..., Any]) -> Callable[..., Any]:
    """Legacy mode of aiobotocore, whose handler returns an awaitable of the same."""

    async def call(handler: Any, *args: Any, **kwargs: Any) -> Any:
        wait = await original(handler, *args, **kwargs)
        return 0 if wait and _retries_at_once(kwargs["operation"]) else wait

    return call


def _sparing_otp_calls(original: Callable[..., Any]) -> Callable[..., Any]:
    """The handler of moto runs after ours: it would cost as much again, and raises for a service not whitelisted."""

    def call(stubber: Any, event_name: str, **kwargs: Any) -> Any:
        return None if innermost() and event_name in _OTP_EVENTS else original(stubber, event_name=event_name, **kwargs)

    return call


def _without_backoff(original: Callable[..., Any]) -> Callable[..., Any]:
    """Standard and adaptive mode: the seconds to wait."""

    def delay_amount(backoff: Any, context: Any) -> Any:
        return 0 if _retries_at_once(context.operation_model) else original(backoff, context)

    return delay_amount


def _without_quota(original: Callable[..., Any]) -> Callable[..., Any]:
    """Standard and adaptive mode: whether the client has retries left to spend."""

    def acquire_retry_quota(checker: Any, context: Any) -> Any:
        return True if _retries_at_once(context.operation_model) else original(checker, context)

    return acquire_retry_quota


def _without_throttling(original: Callable[..., Any]) -> Callable[..., Any]:
    """Adaptive mode: whether the client is to slow down."""

    def is_throttling_error(detector: Any, **kwargs: Any) -> Any:
        return False if _retries_at_once(kwargs["operation"]) else original(detector, **kwargs)

    return is_throttling_error


def _while_active(
    instead: Callable[[Callable[..., Any]], Callable[..., Any]],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let what takes a method's place do so only while a fake is active."""

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        replacement = instead(original)

        def method(owner: Any) -> Any:
            return (replacement if innermost() else original)(owner)

        return method

    return wrap


def _without_async_container(original: Callable[..., Any]) -> Callable[..., Any]:
    async def load(provider: Any) -> Any:
        return None if innermost() else await original(provider)

    return load


def _no_metadata(original: Callable[..., Any]) -> Callable[..., Any]:
    """The look-up of credentials from the EC2 metadata service ends as it does where there is none."""

    def assert_enabled(fetcher: Any) -> None:
        raise fetcher._RETRIES_EXCEEDED_ERROR_CLS()

    return assert_enabled


def _no_container(original: Callable[..., Any]) -> Callable[..., Any]:
    """The look-up of credentials from a container's endpoint, over the network as well, finds none."""
    return lambda provider: None


_NEIGHBOURS: Final[Mapping[str, _Neighbour]] = {
    "aiobotocore.credentials": _Neighbour("AioContainerProvider", "load", _without_async_container),
    "aiobotocore.retryhandler": _Neighbour("AioRetryHandler", "_call", _without_async_wait),
    "moto.core.botocore_stubber": _Neighbour("BotocoreStubber", "__call__", _sparing_otp_calls),
}


def turn_off_credential_look_ups() -> Callable[[], None]:
    """Keep every client of the process from asking for credentials over the network, fake or none.

    Returns:
        a function that ends this.
    """
    import botocore.credentials as credentials
    import botocore.utils as utils

    wrappings = (
        _Wrapping(utils.IMDSFetcher, "_assert_enabled", _no_metadata),
        _Wrapping(credentials.ContainerProvider, "load", _no_container),
    )
    for wrapping in wrappings:
        wrapping.put_on()

    def end() -> None:
        for wrapping in wrappings:
            wrapping.take_off()

    return end
