"""Records as JSON, and waiting for news of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from pytest_pinpoint_otp.engine.codes import ATTEMPTS_USED
from pytest_pinpoint_otp.engine.records import Attempt, Call, SentMessage, Verification

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.service import Service
    from pytest_pinpoint_otp.fake import PinpointOTP

_POLL_SECONDS: Final = 0.1
"""How often a waiting request looks for news. Codes expire, and calls of this process do not wake it."""


def failed_attempts(fake: PinpointOTP, message: SentMessage) -> int:
    """Return how many verifications of a text's key have used up an attempt since it was sent."""
    return sum(
        one.reason in ATTEMPTS_USED and one.at >= message.sent_at
        for one in fake.verifications
        if (one.application_id, one.destination, one.reference_id) == message.key
    )


def as_json(value: Any) -> Any:
    """Return a record, or what is in one, as JSON has it."""
    if isinstance(value, (SentMessage, Call, Attempt, Verification)):
        own = {"request": value.request} if isinstance(value, Call) else {}
        return {name: as_json(member) for name, member in {**value._asdict(), **own}.items()}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): as_json(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(member) for member in value]
    if isinstance(value, float) and not math.isfinite(value):
        # Python reads it in a request's body, but JSON does not have it.
        return str(value)
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


_SCHEMAS: Final[Mapping[str, Mapping[str, Any]]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "None": {"type": "null"},
    "datetime": {"type": "string", "format": "date-time"},
    "VerificationReason": {"type": "string"},
    "CodeType": {"type": "string"},
}


def schema_of(record: type[SentMessage | Call | Attempt | Verification]) -> dict[str, Any]:
    """Return the JSON schema of a record, from the types of its fields."""
    properties = properties_of(record)
    if record is Call:
        properties["request"] = {"type": "object"}
    return {"type": "object", "properties": properties, "required": list(properties)}


def properties_of(annotated: type) -> dict[str, dict[str, Any]]:
    """Return the JSON schemas of a record's or a TypedDict's members."""
    # TypedDicts keep annotations as forward references.
    kinds = {name: getattr(kind, "__forward_arg__", kind) for name, kind in annotated.__annotations__.items()}
    return {name: _schema(str(kind)) for name, kind in kinds.items()}


def _schema(annotation: str) -> dict[str, Any]:
    if annotation.startswith("tuple[Attempt"):
        return {"type": "array", "items": schema_of(Attempt)}
    kinds = [_SCHEMAS.get(kind) for kind in annotation.split(" | ")]
    if None in kinds:
        return {"type": ["object", "null"] if "None" in annotation else "object"}
    merged: dict[str, Any] = {}
    for kind in filter(None, kinds):
        merged = {**kind, **merged, "type": [*merged.get("type", []), kind["type"]]}
    return {**merged, "type": merged["type"] if len(merged["type"]) > 1 else merged["type"][0]}


class News:
    """Tells whether there is something new to show, by a tag of what there is."""

    def __init__(self) -> None:
        self._services: WeakKeyDictionary[Service, int] = WeakKeyDictionary()
        self._numbers = count(1)

    def tag(self, fake: PinpointOTP | None, service: Service | None) -> str:
        """Return a tag that changes whenever a text comes or a status changes."""
        if fake is None or service is None:
            return "none"
        if service not in self._services:
            self._services[service] = next(self._numbers)
        messages, now = fake.messages, fake.now()
        expired = sum(message.expires_at <= now for message in messages)
        return f"{self._services[service]}-{len(messages)}-{len(fake.verifications)}-{expired}"

    def wait(self, unless: str, tag: Callable[[], str], seconds: float, wait: Callable[[float], bool]) -> None:
        """Return when the tag has changed, when the seconds are over, or when client or server is gone."""
        for pause in pauses(seconds):
            if tag() != unless or not wait(pause):
                return


def pauses(seconds: float, each: float = _POLL_SECONDS) -> Iterator[float]:
    """Yield short pauses that make up so many seconds."""
    while seconds > 0:
        yield min(each, seconds)
        seconds -= each
