"""The botocore event handlers: they carry a request of a client to the service, and its answer back.

Imported at the first faked call only, because it needs botocore.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, MutableMapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from botocore.awsrequest import AWSResponse

import pytest_pinpoint_otp.transports.active as active
from pytest_pinpoint_otp.apis import APIS, FAKED, route
from pytest_pinpoint_otp.apis.rest_json import Response, read_invocation_id
from pytest_pinpoint_otp.transports.botocore.guard import SERVICE, check_may_leave

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.service import Service

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_ANY_REQUEST: Final = "before-send"
_CALL: Final = "pinpoint_otp_call"
"""The key in botocore's context of a call for the ID by which services know the call."""


class _Headers(dict[str, str]):
    """Headers with names in lower case, found in any case, as in botocore's slower HeadersDict."""

    def __missing__(self, name: str) -> str:
        lower = name.lower()
        if lower == name:
            raise KeyError(name)
        return self[lower]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    # Other handlers may change them.

    def __setitem__(self, name: str, value: str) -> None:
        super().__setitem__(name.lower(), value)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name.lower())

    def copy(self) -> _Headers:
        return _Headers(self)

    # dict's own would not use the methods above.
    pop, setdefault, update = MutableMapping.pop, MutableMapping.setdefault, MutableMapping.update


class _Body(bytes):
    """A body that can be awaited too: aiobotocore awaits ``response.content``."""

    def __await__(self) -> Generator[Any, Any, bytes]:
        return self
        yield


class _Answer(AWSResponse):
    """An HTTP response that came from the service instead of a socket."""

    def __init__(self, url: str, response: Response) -> None:
        # Not AWSResponse's: building its headers and streaming its body would cost more than the service's work.
        self.url = url
        self.status_code = response.status_code
        self.headers = _Headers(response.headers)  # type: ignore[assignment]  # of the same behaviour
        self._content = _Body(response.body)

    @property
    def raw(self) -> BytesIO:
        """The body as a stream; made when it is read, because only other handlers read it."""
        return BytesIO(self._content)


def register(emitter: Any, service_name: str, operation: str) -> None:
    """Put the handlers of one operation on a client's emitter; a second time changes nothing."""
    signer = f"choose-signer.{service_name}"
    emitter.register(signer, choose_signer, unique_id=_unique_id(signer))
    if (service_name, operation) in FAKED:
        event = f"{_ANY_REQUEST}.{service_name}.{operation}"
        emitter.register(event, answer, unique_id=_unique_id(event))
    else:
        # Last, so that another mock in the process may answer it.
        emitter.register_last(_ANY_REQUEST, refuse, unique_id=_unique_id(_ANY_REQUEST))


def unregister(emitter: Any, service_name: str, operation: str) -> None:
    """Take the handlers of one operation off a client's emitter."""
    for event in (f"choose-signer.{service_name}", f"{_ANY_REQUEST}.{service_name}.{operation}", _ANY_REQUEST):
        emitter.unregister(event, unique_id=_unique_id(event))


def _unique_id(event: str) -> str:
    return f"pytest-pinpoint-otp.{event}"


def choose_signer(context: MutableMapping[str, Any], event_name: str, **kwargs: Any) -> Any:
    """Let the request of a faked call go unsigned, so that no credentials are needed or used."""
    # A presigned URL is made outside of any call, and is signed as usual.
    if context.get(SERVICE) is None:
        return None
    if active.innermost is None:
        # Older versions of botocore do not hand the context on, so a later handler would not know of an earlier fake.
        _, service_name, operation = event_name.split(".")
        check_may_leave(context, service_name, operation, None)
    # Looked up when called: a botocore imported earlier may have been replaced since (pytester does so).
    if isinstance(context.get("client_config"), sys.modules["botocore.config"].Config):
        return sys.modules["botocore"].UNSIGNED
    # A copy of botocore knows only its own UNSIGNED, which its own handler returns for this.
    context["auth_type"] = "none"
    return None


def answer(request: Any, event_name: str, **kwargs: Any) -> _Answer | None:
    """Answer an attempt of a faked operation, never sending it."""
    context = getattr(request, "context", None) or {}
    body = request.body
    service = active.innermost
    if service is None:
        _let_leave(context, event_name, body)
        return None
    context[SERVICE] = service
    if not isinstance(body, bytes):
        body = _read_body(body)
    invocation_id = context.get(_CALL) or _identify_call(context, service, request.headers)
    response = service.respond(request.method, request.url, invocation_id, body)
    if not isinstance(response, Response):
        raise response.for_request(request.url)
    return _Answer(request.url, response)


def refuse(request: Any, event_name: str, **kwargs: Any) -> _Answer | None:
    """Refuse an attempt of any other operation of a faked service, never sending it."""
    _, service_name, operation = event_name.split(".")
    if (service_name, operation) in FAKED:
        return None
    context = getattr(request, "context", None) or {}
    service = active.innermost
    if service is None:
        _let_leave(context, event_name, request.body)
        return None
    context[SERVICE] = service
    in_moto = any(operation in api.in_moto for api in APIS if api.name == service_name)
    instead = "moto or botocore's Stubber" if in_moto else "botocore's Stubber: moto does not have it either"
    return _Answer(request.url, service.refuse(operation, instead))


def answer_at_socket(request: Any, service_name: str) -> _Answer | None:
    """Answer an attempt that is about to be sent because the handlers did not get it; None: it may leave."""
    found = route(request.method, request.url)
    operation = request.method if found is None else found.operation.name
    return answer(request, f"{_ANY_REQUEST}.{service_name}.{operation}")


def _let_leave(context: MutableMapping[str, Any], event_name: str, body: object) -> None:
    _, service_name, operation = event_name.split(".")
    check_may_leave(context, service_name, operation, body)


def _identify_call(context: MutableMapping[str, Any], service: Service, headers: Any) -> str | None:
    """Return an ID that no other call has, and keep it for the later attempts of this one."""
    # botocore writes the header from this. Reading the header takes four times as long.
    invocation_id: str | None = (context.get("retries") or {}).get("invocation-id")
    if invocation_id is None:
        return read_invocation_id(headers)
    # If a test has patched uuid.uuid4, botocore gives all calls the same ID.
    context[_CALL] = invocation_id = service.tell_apart(invocation_id)
    return invocation_id


def _read_body(body: Any) -> bytes | None:
    """Return a request's body, from any form that botocore can send."""
    if body is None:
        return None
    if hasattr(body, "read"):
        start = body.tell()
        content = body.read()
        # A retry sends it again.
        body.seek(start)
        body = content
    # Never a str: remembered requests are compared with it, and with -bb Python refuses to compare str with bytes.
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
