"""What is wrapped in botocore while anybody holds it, and put back after the last: see the modules of the targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest_pinpoint_otp.transports.botocore.credentials as credentials
import pytest_pinpoint_otp.transports.botocore.holding as holding
import pytest_pinpoint_otp.transports.botocore.interception as interception
import pytest_pinpoint_otp.transports.botocore.neighbours as neighbours
import pytest_pinpoint_otp.transports.botocore.retries as retries
from pytest_pinpoint_otp.engine.lock import lock
from pytest_pinpoint_otp.transports.botocore.wrapping import put_on

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True


def hold() -> Callable[[], None]:
    """Wrap botocore for as long as anybody holds it; the first to hold imports it.

    Returns:
        what releases it; a second call of that changes nothing.
    """
    # Imported now, not with the plugin.
    import botocore.credentials
    import botocore.endpoint
    import botocore.retries.standard
    import botocore.retryhandler
    import botocore.session
    import botocore.utils
    import botocore.validate  # noqa: F401

    with lock:
        release = holding.hold()
        put_on(TARGETS)
    return release


TARGETS: Final = (*interception.TARGETS, *retries.TARGETS, *credentials.TARGETS, *neighbours.TARGETS)
