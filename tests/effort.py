"""How much the proofs of the engine do: in the ordinary run always the same, on demand more and each time otherwise."""

from __future__ import annotations

import os
from typing import Final

ASKED: Final = int(os.environ.get("PINPOINT_OTP_PROOF", "0"))
"""How many steps and requests are asked for; 0: as many as belong to the ordinary run."""

STEPS: Final = ASKED or 10_000
REQUESTS: Final = ASKED or 4_000
FRESH: Final = ASKED > 10_000
"""Whether every run draws its own; a shorter one is there to be repeated."""
