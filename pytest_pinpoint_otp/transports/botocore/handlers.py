"""The botocore event handlers: they carry a request of a client to the service, and its answer back.

Imported at the first activation of a fake only, because it needs botocore.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from io import BytesIO
from typing import Any, Final

from botocore.awsrequest import AWSResponse

from pytest_pinpoint_otp.apis.operations import OPERATIONS
from pytest_pinpoint_otp.apis.rest_json import Response
from pytest_pinpoint_otp.engine.faults.outcomes import TransportFailure
from pytest_pinpoint_otp.engine.service import Service

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_SIGNER_EVENT: Final = "choose-signer.pinpoint"
_SEND_EVENTS: Final = tuple(f"before-send.pinpoint.{operation}" for operation in OPERATIONS)
_LAST_EVENT: Final = "before-send"


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
        """The body as a stream; made when it is read, because only handlers of other people read it."""
        return BytesIO(self._content)


class Hooks:
    """The handlers, for the emitters of Pinpoint clients.

    Args:
        innermost: returns the service of the innermost active fake, or None.
    """

    def __init__(self, innermost: Callable[[], Service | None]) -> None:
        self._innermost = innermost

    def register(self, emitter: Any) -> None:
        """Put the handlers of OTP calls on a client's emitter; a second time changes nothing."""
        emitter.register(_SIGNER_EVENT, self.choose_signer, unique_id=f"pinpoint-otp.{_SIGNER_EVENT}")
        for event in _SEND_EVENTS:
            emitter.register(event, self.answer, unique_id=f"pinpoint-otp.{event}")

    def register_refusal(self, emitter: Any) -> None:
        """Put the handler of other operations there, once one is called: it would only cost OTP calls time."""
        # Last, so that another mock in the process may answer them.
        emitter.register_last(_LAST_EVENT, self.refuse, unique_id=f"pinpoint-otp.{_LAST_EVENT}")

    def unregister(self, emitter: Any) -> None:
        """Take the handlers off a client's emitter."""
        for event in (_SIGNER_EVENT, *_SEND_EVENTS, _LAST_EVENT):
            emitter.unregister(event, unique_id=f"pinpoint-otp.{event}")

    def choose_signer(self, **kwargs: Any) -> Any:
        """Let the request go unsigned, so that no credentials are needed or used."""
        # Looked up when called: a botocore imported earlier may have been replaced since (pytester does so).
        return sys.modules["botocore"].UNSIGNED if self._innermost() else None

    def answer(self, request: Any, **kwargs: Any) -> _Answer | None:
        """Answer an attempt of an OTP call, never sending it."""
        service = self._innermost()
        if service is None:
            return None
        response = service.respond(request.method, request.url, request.headers, request.body)
        if isinstance(response, TransportFailure):
            raise response.for_request(request.url)
        return _Answer(request.url, response)

    def refuse(self, request: Any, event_name: str, **kwargs: Any) -> _Answer | None:
        """Refuse an attempt of any other Pinpoint operation, never sending it."""
        if event_name in _SEND_EVENTS:
            return None
        service = self._innermost()
        return None if service is None else _Answer(request.url, service.refuse(event_name.rpartition(".")[2]))
