"""The lock of every service and of the stack of active fakes: one, so that a fork can wait for it."""

from __future__ import annotations

import os
import sys
import threading
from typing import Final

lock: Final = threading.RLock()

if sys.platform != "win32":  # pragma: no branch - nothing forks there
    # A child forked while another thread holds the lock would wait for that thread for ever.
    os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
