"""What is wrapped in botocore while anything holds it, and put back after that: see the modules of the targets."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Final

import pytest_pinpoint_otp.transports.botocore.credentials as credentials
import pytest_pinpoint_otp.transports.botocore.interception as interception
import pytest_pinpoint_otp.transports.botocore.moto as moto
import pytest_pinpoint_otp.transports.botocore.retries as retries
from pytest_pinpoint_otp.transports.botocore.wrapping import hold as hold_wrapped


def hold() -> Callable[[], None]:
    """Wrap botocore until the returned function is called, and import it first if needed.

    Returns:
        a function that releases the hold; a second call changes nothing.
    """
    if not sys.modules.keys() >= _NEEDED:
        # Imported now, not with the plugin.
        for name in _NEEDED:
            importlib.import_module(name)
    return hold_wrapped(TARGETS)


TARGETS: Final = (*interception.TARGETS, *retries.TARGETS, *credentials.TARGETS, *moto.TARGETS)
_NEEDED: Final = frozenset(target.module for target in TARGETS if target.module.partition(".")[0] == "botocore")
