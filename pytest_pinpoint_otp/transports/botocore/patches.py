"""What is wrapped in botocore while anybody holds it, and put back after the last: see the modules of the targets."""

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
    """Wrap botocore for as long as anybody holds it; the first to hold imports it.

    Returns:
        what releases it; a second call of that changes nothing.
    """
    if not sys.modules.keys() >= _NEEDED:
        # Imported now, not with the plugin.
        for name in _NEEDED:
            importlib.import_module(name)
    return hold_wrapped(TARGETS)


TARGETS: Final = (*interception.TARGETS, *retries.TARGETS, *credentials.TARGETS, *moto.TARGETS)
_NEEDED: Final = frozenset(target.module for target in TARGETS if target.module.partition(".")[0] == "botocore")
