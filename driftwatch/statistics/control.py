"""What is said of a golden set: how many of its answers are not what is known."""

import math

from driftwatch.statistics.reading import Reading, Status

FAMILY = "control"
CHANGED = "control_changed"
"""The statistic, which rules on golden sets name."""


def control_reading(name: str, changed: int, limit: float) -> Reading:
    """How many answers of the set `name` have changed; more than `limit` are beyond it. A count: it has no bounds."""
    nan = math.nan
    return Reading(
        name, FAMILY, CHANGED, float(changed), nan, nan, nan, nan, Status.OK, limit=limit, beyond=changed > limit
    )
