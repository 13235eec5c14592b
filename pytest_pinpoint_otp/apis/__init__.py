"""What AWS documents about each API that is faked, as code; this is the registry. Imports no other layer."""

from __future__ import annotations

import re
from itertools import chain
from typing import Final

from pytest_pinpoint_otp.apis.base import Api, Operation, Reading, Request, Route, forget, remembered
from pytest_pinpoint_otp.apis.end_user_messaging import EndUserMessaging
from pytest_pinpoint_otp.apis.pinpoint import Pinpoint

APIS: Final[tuple[Api, ...]] = (Pinpoint(), EndUserMessaging())
"""The first one is the default: see `DEFAULT_OPERATION`."""

OPERATIONS: Final = dict(chain.from_iterable(api.operations.items() for api in APIS))
"""Every operation that is faked, by its name; no two APIs share one."""

ERRORS: Final = dict(chain.from_iterable(api.errors.items() for api in APIS))
"""Every modelled error, with its HTTP status; APIs that share a name agree on it."""

DEFAULT_OPERATION: Final = APIS[0].sending.name
"""The operation of an outcome if none is given."""

SERVICES: Final = frozenset(api.name for api in APIS)
"""botocore's names of the clients whose calls are faked."""

FAKED: Final = frozenset((api.name, operation) for api in APIS for operation in api.operations)
"""botocore's names of client and operation of each call that is faked."""

_LONG: Final = 16 * 1024
"""Bytes of a body that is longer than those of most applications."""

_BOTO3_NAMES: Final = {
    re.sub("(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower(): name for name in OPERATIONS
}


def canonical_name(operation: object) -> object:
    """Return an operation's name as AWS spells it, if it is given in boto3's spelling; anything else as it is."""
    return _BOTO3_NAMES.get(operation, operation) if isinstance(operation, str) else operation


@remembered
def route(method: str, url: str) -> Route | None:
    """Return which operation an HTTP request is for; None: none that is faked."""
    path = url.partition("?")[0]
    return next(filter(None, (api.route(method, path) for api in APIS)), None)


@remembered
def read(method: str, url: str, body: bytes | str | None) -> tuple[Operation, Reading] | None:
    """Return which operation an HTTP request is for, and what it says; None: none that is faked."""
    if body is not None and len(body) > _LONG:
        # A hundred such requests would take much memory, so only the last one is remembered.
        forget()
    found = route(method, url)
    return None if found is None else (found.operation, found.operation.read(Request(method, url, found.in_path, body)))
