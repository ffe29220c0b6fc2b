"""Quality checks that count: which share of the rows is missing, invalid, out of range or in no known category."""

import numpy as np
from scipy import special

from driftwatch.kernels.interval import Interval, Z
from driftwatch.kernels.score_bounds import share_interval
from driftwatch.statistics.checks import CHANCE, Checked, Flags
from driftwatch.summaries.layout import Floats, Ints

MINIMUM_EFFECT = 0.01
"""A share may be so much above the reference's before anyone is told, however sure it is."""


def share(
    found: Ints, rows: int, *, before: Ints, reference_rows: int, strict: Flags, chance: float = CHANCE
) -> Checked:
    """Compare the share of rows that a check counted with the reference's.

    found, before: (columns,) rows counted in the window and in the reference. strict: where a constraint is declared:
    there one row is too much, whatever the reference. chance: of windows in which nothing has changed, how many may
    be beyond.

    The limit is the upper bound of the reference's share and, above it, the minimum effect or so many sampling errors
    of such a window that the chance is kept, whichever is more; it is certainly passed where the lower bound of the
    window's share is beyond it. `adjusted` is what the window has more than the reference.
    """
    window = bounds(found, rows)
    reference = bounds(before, reference_rows)
    usual = reference.upper
    # Beside those between a share and its own bound.
    errors = max(0.0, -float(special.ndtri(chance)) - Z)
    spread = errors * np.sqrt(usual * (1 - usual) / max(1, rows))
    limit = np.where(strict, 0.0, np.minimum(1.0, usual + np.maximum(MINIMUM_EFFECT, spread)))
    adjusted: Floats = window.value - np.where(strict, 0.0, reference.value)
    beyond = np.where(strict, found > 0, window.lower > limit)
    return Checked(window.value, adjusted, window.lower, window.upper, limit, beyond)


def bounds(hits: Ints, rows: int | Ints | Floats) -> Interval:
    """Bound shares of rows, 95 %: Wilson's interval."""
    found = np.asarray(hits, dtype=np.float64)
    misses = rows - found
    return share_interval(found, misses, hit_spread=found, miss_spread=misses)
