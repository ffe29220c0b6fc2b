"""Quality checks that count: which share of the rows is missing, invalid, out of range or in no known category."""

import numpy as np

from driftwatch.kernels.interval import Interval
from driftwatch.kernels.score_bounds import share_interval
from driftwatch.statistics.checks import Checked, Flags
from driftwatch.summaries.layout import Floats, Ints

MINIMUM_EFFECT = 0.01
"""A share may be so much above the reference's before anyone is told, however sure it is."""

_ERRORS = 2.0
"""Sampling errors between the reference's share and the limit, beside those between a share and its own bound."""


def share(found: Ints, rows: int, *, before: Ints, reference_rows: int, strict: Flags) -> Checked:
    """Compare the share of rows that a check counted with the reference's.

    found, before: (columns,) rows counted in the window and in the reference. strict: where a constraint is declared:
    there one row is too much, whatever the reference.

    The limit is the upper bound of the reference's share and, above it, the minimum effect or twice the sampling
    error of such a window, whichever is more; it is certainly passed where the lower bound of the window's share is
    beyond it, which chance alone does once in 30 000 windows. `adjusted` is what the window has more than the
    reference.
    """
    window = bounds(found, rows)
    reference = bounds(before, reference_rows)
    usual = reference.upper
    chance = _ERRORS * np.sqrt(usual * (1 - usual) / max(1, rows))
    limit = np.where(strict, 0.0, np.minimum(1.0, usual + np.maximum(MINIMUM_EFFECT, chance)))
    adjusted: Floats = window.value - np.where(strict, 0.0, reference.value)
    beyond = np.where(strict, found > 0, window.lower > limit)
    return Checked(window.value, adjusted, window.lower, window.upper, limit, beyond)


def bounds(hits: Ints, rows: int | Ints | Floats) -> Interval:
    """Bound shares of rows, 95 %: Wilson's interval."""
    found = np.asarray(hits, dtype=np.float64)
    misses = rows - found
    return share_interval(found, misses, hit_spread=found, miss_spread=misses)
