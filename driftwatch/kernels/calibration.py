"""How probable the positive class really is at each score, learned from rows whose labels have come.

Isotonic regression (Barlow et al., 1972; Zadrozny and Elkan, 2002): the chances that rise with the score and are
closest to the labels in least squares. Between the scores that were seen a chance is interpolated linearly, beyond
them it stays constant, as scikit-learn's IsotonicRegression(out_of_bounds="clip") has it.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Curve:
    """Chances at some scores. scores: (knots,) ascending. chances: (knots,) in [0, 1], never falling."""

    scores: Floats
    chances: Floats

    def at(self, scores: Floats) -> Floats:
        """The chance of the positive class at each score, of the scores' shape; a NaN stays one."""
        chances: Floats = np.interp(scores, self.scores, self.chances)
        return chances


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known of the label in every cell (bin, predicted class); the last bin holds the rows without a score.

    chances: (bins + 1, 2) chance of the positive class. blocks: (bins + 1, 2) which block a cell belongs to; all
    cells of a block have one chance in common, and so its error. variances: (blocks,) squared standard error of it.
    """

    chances: Floats
    blocks: Ints
    variances: Floats

    def some(self, slots: Ints) -> Self:
        """What is known of some slots of the bins: slots (n,) in [0, bins]."""
        return replace(self, chances=self.chances[slots], blocks=self.blocks[slots])


def isotonic(means: Floats, weights: Floats) -> tuple[Floats, Ints]:
    """Values (bins,) that never fall and are closest to the means (bins,); and the block of each, from 0 on.

    weights: (bins,) above 0. Adjacent bins that violate the order are pooled, from left to right. In a loop of our own,
    because scipy has it among its optimisers, whose import takes 24 MB of memory that a sidecar has better use for.
    """
    firsts: list[int] = []
    pools: list[tuple[float, float]] = []
    for first, (mean, weight) in enumerate(zip(means.tolist(), weights.tolist(), strict=True)):
        begin, pool, mass = first, mean, weight
        while pools and pools[-1][0] >= pool:
            before, rows = pools.pop()
            begin = firsts.pop()
            pool, mass = (before * rows + pool * mass) / (rows + mass), rows + mass
        firsts.append(begin)
        pools.append((pool, mass))
    sizes = np.diff([*firsts, means.size])
    blocks = np.repeat(np.arange(len(firsts)), sizes)
    return np.array([pool for pool, _ in pools], dtype=np.float64)[blocks], blocks


def calibrate_rows(scores: Floats, labels: Floats, weights: Floats | None = None) -> Curve:
    """Learn the curve from rows: scores, labels in {0, 1} and weights above 0, all (rows,)."""
    knots, inverse = np.unique(scores, return_inverse=True)
    mass = np.bincount(inverse, weights, minlength=knots.size).astype(np.float64)
    positive = np.bincount(inverse, labels if weights is None else labels * weights, minlength=knots.size)
    chances, _ = isotonic(positive / mass, mass)
    return Curve(knots, chances)


def calibrate_bins(labelled: Floats, middles: Floats) -> Calibration:
    """Learn the chances from labelled counts (bins + 1, 2, 2): bin × predicted class × label.

    A bin's chance does not depend on the predicted class, which is made of the score; a row without a score has
    nothing but its class. middles: (bins,) a score inside each bin, ascending; a bin without labels gets its chance
    by interpolation over these. Cells of which nothing can be said have NaN. The error of a block of n labelled rows
    is that of a share (s + 1/2) / (n + 1), so that a block of one label only is not certain.
    """
    by_label = labelled[:-1].sum(axis=1).astype(np.float64)
    mass = by_label.sum(axis=1)
    known = mass > 0
    fitted, own = isotonic(by_label[known, 1] / mass[known], mass[known])
    chances = np.full(labelled.shape[:2], np.nan)
    blocks = np.zeros(labelled.shape[:2], np.int64)
    if known.any():
        chances[:-1] = np.interp(middles, middles[known], fitted)[:, None]
        seen = middles[known]
        nearest = np.searchsorted((seen[1:] + seen[:-1]) / 2, middles)
        blocks[:-1] = own[nearest][:, None]
    count = int(own.max(initial=-1)) + 1
    alone = labelled[-1].astype(np.float64)
    chances[-1] = np.divide(alone[:, 1], alone.sum(axis=1), out=np.full(2, np.nan), where=alone.sum(axis=1) > 0)
    blocks[-1] = count + np.arange(2)
    sizes, sums = np.zeros(count + 2), np.zeros(count + 2)
    sizes[:count] = np.bincount(own, mass[known], minlength=count)
    sums[:count] = np.bincount(own, by_label[known, 1], minlength=count)
    sizes[count:], sums[count:] = alone.sum(axis=1), alone[:, 1]
    share = (sums + 0.5) / (sizes + 1)
    return Calibration(chances, blocks, share * (1 - share) / np.maximum(sizes, 1.0))


@dataclass(frozen=True, slots=True)
class Reliability:
    """Scores against what came of them in ten equal bins; all (…, 10), NaN where there is no row.

    rows: labelled rows. scores: their mean score. shares: share of positives.
    """

    rows: Floats
    scores: Floats
    shares: Floats


@np.errstate(invalid="ignore")
def reliability(by_label: Floats, score_sums: Floats, tenths: Ints) -> Reliability:
    """Gather bins into tenths of the score: counts (…, bins, 2) by label, sums of scores (…, bins).

    tenths: (bins,) in which each bin lies: 0…9.
    """
    gather = (tenths[:, None] == np.arange(10)).astype(np.float64)
    rows, positives = by_label.sum(axis=-1) @ gather, by_label[..., 1] @ gather
    return Reliability(rows, score_sums @ gather / rows, positives / rows)
