"""What the server serves: the inbox's page, the JSON API, LocalStack's endpoint, and for all the rest the fake AWS."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import unquote, urlsplit

import pytest_pinpoint_otp.transports.active as active
from pytest_pinpoint_otp.apis import route
from pytest_pinpoint_otp.apis.rest_json import Response, read_invocation_id
from pytest_pinpoint_otp.engine.lock import lock
from pytest_pinpoint_otp.transports.http.access import find_refusal
from pytest_pinpoint_otp.transports.http.answers import NO_FAKE, write_error, write_json
from pytest_pinpoint_otp.transports.http.connection import Answer, Request, Reset
from pytest_pinpoint_otp.transports.http.control import PREFIX, Control
from pytest_pinpoint_otp.transports.http.inbox import FILES
from pytest_pinpoint_otp.transports.http.records import failed_attempts

_READ_TIMEOUT: Final = "ReadTimeoutError"
_LOCALSTACK: Final = "/_aws/pinpoint/"

_SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
"""Methods that must change nothing."""


class Router:
    """Answers every request of the server.

    Args:
        hold: seconds of silence where a call ends in a read timeout.
        allowed_hosts: hosts that are served besides those that no public site can have.
    """

    def __init__(self, hold: float, allowed_hosts: Collection[str]) -> None:
        self._hold = hold
        self._allowed_hosts = allowed_hosts
        self._control = Control()

    def answer(self, request: Request) -> Answer | Reset:
        """Answer one request."""
        refusal = find_refusal(request.headers, request.target, self._allowed_hosts)
        if refusal is not None:
            return write_error(403, "PermissionError", refusal)
        target = _own_part(request.target)
        path, _, query = target.partition("?")
        if path.startswith(PREFIX) or path in FILES:
            if path in FILES:
                return _answer_file(path, request.method)
            return self._control.answer(unquote(path.removeprefix(PREFIX)), query, request)
        if path.startswith(_LOCALSTACK):
            return _answer_localstack(path.removeprefix(_LOCALSTACK), request.method)
        return self._answer_aws(request, f"http://{request.headers['host']}{target}")

    def _answer_aws(self, request: Request, url: str) -> Answer | Reset:
        service = active.innermost
        if service is None:
            return _unanswered(NO_FAKE)
        method = request.method
        # Any site's page can cause a GET. If the operation takes POST, such a request must leave no record.
        takes_post = method in _SAFE_METHODS and route(method, url) == route("POST", url)
        try:
            response = service.respond(
                method, url, read_invocation_id(request.headers), request.body, record_refusal=not takes_post
            )
        except BaseException as mistake:
            if not isinstance(mistake, Exception):
                # Such as pytest.fail's. This thread cannot raise it in the test, so the end of the test does.
                with lock:
                    service.mistakes.append(mistake)  # type: ignore[arg-type]  # raised like the others
            return _unanswered(f"The test's own code raised {type(mistake).__name__}: {mistake}")
        if not isinstance(response, Response):
            return Reset(self._hold if response.label == _READ_TIMEOUT else 0.0)
        return Answer(response.status_code, response.headers, response.body)


def _own_part(target: str) -> str:
    """Return path and query of a target, which may be in absolute form."""
    if target.startswith("/"):
        return target
    parts = urlsplit(target)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _unanswered(message: str) -> Answer:
    """Answer as AWS would, with a status that no SDK retries."""
    answer = write_json(501, {"message": message, "Message": message})
    return answer._replace(headers={**answer.headers, "x-amzn-errortype": "NotImplementedException"})


def _answer_file(path: str, method: str) -> Answer:
    if method not in ("GET", "HEAD"):
        return write_error(405, "MethodNotAllowed", f"{path} takes GET, not {method}.", {"allow": "GET"})
    return FILES[path]


def _answer_localstack(rest: str, method: str) -> Answer:
    """Answer as LocalStack does: the newest text of an application and a reference."""
    if method not in ("GET", "HEAD"):
        return write_error(405, "MethodNotAllowed", f"{_LOCALSTACK} takes GET, not {method}.", {"allow": "GET"})
    fake = active.innermost_fake
    if fake is None:
        return write_error(503, "NoFakeError", NO_FAKE)
    application_id, _, reference_id = (unquote(part) for part in rest.partition("/"))
    found = fake.inbox(application_id=application_id, reference_id=reference_id)
    if not found:
        message = f"No text was sent for application {application_id!r} and reference {reference_id!r}."
        return write_error(404, "LookupError", message)
    newest = found[-1]
    document = {
        "AllowedAttempts": newest.allowed_attempts,
        "BrandName": newest.brand_name,
        "CodeLength": newest.code_length,
        "DestinationIdentity": newest.destination,
        "OriginationIdentity": newest.origination,
        "ReferenceId": newest.reference_id,
        "ValidityPeriod": newest.validity_period,
        "Attempts": failed_attempts(fake, newest),
        "ApplicationId": newest.application_id,
        "CreatedTimestamp": newest.sent_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "Code": newest.code,
    }
    return write_json(200, document)
