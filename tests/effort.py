"""How much the tests draw: enough to notice a mistake in the ordinary run, ten times as much in ``nox -s proof``."""

from __future__ import annotations

import os
from typing import Final

ASKED: Final = int(os.environ.get("PINPOINT_OTP_PROOF", "0"))
"""How many steps and requests are asked for; 0: as many as belong to the ordinary run."""

STEPS: Final = ASKED or 1_000
"""How many steps of the service are compared with those of the model."""
REQUESTS: Final = ASKED or 1_000
"""How many arbitrary requests the service is asked."""
FRESH: Final = ASKED > 10_000
"""Whether every run draws its own; a shorter one is there to be repeated."""
THOROUGH: Final = ASKED >= 10_000


def examples(count: int) -> int:
    """Return how many examples Hypothesis draws where the ordinary run draws this many."""
    return 10 * count if THOROUGH else count
