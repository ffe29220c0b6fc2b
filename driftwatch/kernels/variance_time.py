"""From variance-time curves of blocks of 2, 4, 8 … rows to the variance of a mean over any number of rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from driftwatch.kernels.block_curves import CELLS, LOCATION, PATH, SCALE, Curves
from driftwatch.kernels.overdispersion import Overdispersion

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

CHANCE = 1e-3
"""Of each test for dependence, of three of a level, that it sees some where there is none."""
ENOUGH, FEWEST = 60.0, 10.0
"""Degrees of freedom of a level that serves well, and of the last one that is climbed to."""
GROWTH = 1.2
"""By more than this from level to level, and the dependence reaches further than the level."""
_SURE = 1.5
_EVEN = 4.0
"""6 / (excess kurtosis · pieces) of a sum over sessions whose lengths are about as uneven as uniform ones are."""


@dataclass(frozen=True, slots=True)
class VarianceTime:
    """What is known of the dependence of rows, and what it makes of sums of any length.

    rows: of the reference. numeric: so many of the dependent columns are, and come first. lengths: (levels,) doubling.
    dependent: (columns,) where rows depend on each other; all below is of these columns alone.
    values: (4, levels, columns) V(L), at least 1.
    sure: (4, levels, columns) what V(L) is at least. freedom: (levels, columns) of V(L), fewer where blocks are alike.
    top: (columns,) the level from which on V hardly grows, or the last that is known.
    """

    rows: int
    numeric: int
    lengths: Floats
    dependent: Flags
    values: Floats
    sure: Floats
    freedom: Floats
    top: Ints

    @classmethod
    def of(cls, curves: Curves, *, rows: int, numeric: int, lengths: Ints, block_freedom: Floats) -> "VarianceTime":
        """Find where rows depend on each other, and how far that reaches."""
        known = 4 * lengths <= rows
        long, free = lengths[known].astype(np.float64), np.maximum(block_freedom[known], 1.0)
        tested, of = curves.tested[:, known], curves.freedom[:, known]
        dependent = (tested > 1) & (special.chdtrc(of, of * tested) < CHANCE)
        values = np.maximum(curves.values[:, known], 1.0)
        growth = _growth(np.maximum(tested, 1.0))
        freedom = np.maximum(free[:, None] / _likeness(growth), 1.0)
        # The mean of the cells is known far better than the worst of them, which few blocks make look worse.
        sure = np.concatenate([tested, values[PATH:]])
        sure[PATH, :, numeric:] = tested[2, :, numeric:]
        sure = np.maximum(sure / (1 + _SURE * np.sqrt(2 / freedom)), 1.0)
        kept = dependent.any(axis=(0, 1))
        values, sure, freedom = values[..., kept], sure[..., kept], freedom[:, kept]
        top = _top(growth[:, kept], free)
        return cls(rows, int(kept[:numeric].sum()), long, kept, values, sure, freedom, top)

    def over(self, rows: int, reference_rows: int) -> Overdispersion:
        """Make the factors on 1 / reference_rows + 1 / rows."""
        none = Overdispersion.none(self.dependent.size)
        if not self.top.size or rows < 1:
            return none
        window, freedom = self._at(rows)
        own, own_freedom = self._at(reference_rows)
        weight = reference_rows / (rows + reference_rows)
        # A sum of few pieces of unequal length is not normal: a t with its kurtosis has 4 + 6 / excess.
        pieces = min(rows, reference_rows) / np.maximum(window[LOCATION], 1.0)
        squares = (SCALE, slice(self.numeric))
        window[squares] *= _skewness(rows, window[squares])
        own[squares] *= _skewness(reference_rows, own[squares])
        factors = weight * window + (1 - weight) * own
        freedom = 1 / (weight / freedom + (1 - weight) / own_freedom + 1 / (4 + _EVEN * pieces))
        all_factors, all_freedom = np.ones((4, self.dependent.size)), none.freedom
        all_factors[:, self.dependent] = np.maximum(factors, 1.0)
        all_freedom[self.dependent] = np.maximum(freedom, 1.0)
        return Overdispersion(
            all_factors[LOCATION], all_factors[SCALE], all_factors[CELLS], all_factors[PATH], all_freedom
        )

    def _at(self, rows: int) -> tuple[Floats, Floats]:
        """V(rows), (4, columns), and the degrees of freedom of its estimate, (columns,)."""
        every = np.arange(self.top.size)
        place = np.clip(np.log2(rows / self.lengths[0]), 0, self.top)
        low = np.floor(place).astype(np.int64)
        high = np.minimum(low + 1, self.top)
        below, above = self.values[:, low, every], self.values[:, high, every]
        found = below ** (1 - (place - low)) * above ** (place - low)
        # V(L) = V(∞) - b / L where dependence has an end: what a doubling adds halves each time.
        further = np.maximum(1 - self.lengths[self.top] / rows, 0.0)
        added = np.maximum(self.values[:, self.top, every] - self.values[:, np.maximum(self.top - 1, 0), every], 0.0)
        reached = found + further * added
        # What a shorter sum deviates by, a season, stays in a longer one; one over k times as many rows deviates by at
        # most k times as much.
        lengths = self.lengths[:, None]
        within = np.where(lengths <= rows, (self.sure - reached[:, None]) * lengths / rows, 0.0).max(axis=1)
        beyond = np.where(lengths > rows, self.sure * rows / lengths, 0.0).max(axis=1)
        reached = np.maximum(reached + np.maximum(within, 0.0), beyond)
        trust = (found[LOCATION] / reached[LOCATION]) ** 2
        return reached, np.maximum(self.freedom[low, every] * trust, 1.0)


def _skewness(rows: int, factor: Floats) -> Floats:
    """By how much a normal variance must be stretched to cover the mean of squares of so many rows in its upper tail.

    Cornish and Fisher's first term, z + g (z² - 1) / 6 at z = 5, with g² = 8 / rows, over that of independent rows.
    """
    stretched: Floats = ((1 + 0.8 * np.sqrt(8 * factor / rows)) / (1 + 0.8 * np.sqrt(8 / rows))) ** 2
    return stretched


def _growth(values: Floats) -> Floats:
    """(levels, columns) the greatest V(2L) / V(L) of a level, that of the last level from the one before."""
    if values.shape[1] < 2:
        return np.ones(values.shape[1:])
    ratios = (values[:, 1:] / values[:, :-1]).max(axis=0)
    return np.concatenate([ratios, ratios[-1:]])


def _likeness(growth: Floats) -> Floats:
    """By how much fewer degrees of freedom neighbouring blocks have whose sums correlate by growth - 1 (AR(1))."""
    square = np.clip(growth - 1, 0.0, 0.95) ** 2
    return (1 + square) / (1 - square)


def _top(growth: Floats, freedom: Floats) -> Ints:
    """(columns,) the last level of many blocks, or one of fewer where V still changed much on the way to it."""
    levels, columns = growth.shape
    first = int(np.flatnonzero(freedom >= ENOUGH).max(initial=0))
    top = np.full(columns, first)
    for level in range(first + 1, levels):
        # The growth from two levels below to the level below tells whether to climb.
        last = growth[max(level - 2, 0)]
        falls = (last < 1 - 2 / np.sqrt(freedom[level - 1])) | (growth[level - 1] < 1 - 2.5 / np.sqrt(freedom[level]))
        climbs = (top == level - 1) & ((last > GROWTH) | falls) & (freedom[level] >= FEWEST)
        top[climbs] = level
    return top
