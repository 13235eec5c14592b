"""The entry point for Hypothesis: what ``st.from_type`` makes of a `FailurePlan`.

Hypothesis loads it in every project that has this package installed, so it imports no other module of the package.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def register() -> None:
    """Tell Hypothesis about `FailurePlan`, once that is imported.

    Called when Hypothesis is imported, and by the package where a test imports `FailurePlan` after that.
    """
    plans = sys.modules.get("pytest_pinpoint_otp.engine.faults.plans")
    if plans is not None:
        from hypothesis.strategies import register_type_strategy

        register_type_strategy(plans.FailurePlan, _draw_plans)


def _draw_plans(kind: type[Any]) -> SearchStrategy[Any]:
    from pytest_pinpoint_otp.strategies.failures import failure_plans

    return failure_plans()
