"""How well do scores part two classes, from counts in score bins instead of rows: AUC, average precision, KS.

Bins are in the order of their scores; all arrays are (…, bins) and counts may be floats. Within a bin the two classes
are taken as normal with their own means and variances there, so that little is lost by not knowing the rows: nothing
where a bin holds one value, or one row of each class.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

_NODES = 4
"""Points at which precision is taken between the first and the last positive row of a bin."""
_WAYS = (np.arange(_NODES) + 0.5) / _NODES
_STEEPEST = 60.0
"""Greatest power: beyond it no negative row of the bin counts as ahead of a positive one."""
_ALIKE, _LEVEL = 1e-9, 1e-13
"""Mean places within a bin, in units of its width, nearer than this are one; variances below this are rounding."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Two classes over score bins.

    positives, negatives: (…, bins) rows. ahead: (…, bins) how likely a positive row of the bin has a greater score than
    a negative one of it, ties counting half. level: (…, bins) whether its positive rows have one score.
    tied: (…, bins) whether all its rows have.
    """

    positives: Floats
    negatives: Floats
    ahead: Floats
    level: NDArray[np.bool_]
    tied: NDArray[np.bool_]

    @classmethod
    @np.errstate(invalid="ignore", divide="ignore")
    def of(cls, positives: Floats, negatives: Floats, *, positive_sums: Floats, negative_sums: Floats) -> Self:
        """Make them of rows and sums (…, bins, 2) of u and u², u being the way from the right edge in bin widths."""
        p_mean, n_mean = positive_sums[..., 0] / positives, negative_sums[..., 0] / negatives
        p_variance = positive_sums[..., 1] / positives - p_mean**2
        n_variance = negative_sums[..., 1] / negatives - n_mean**2
        apart = n_mean - p_mean
        apart = np.where(np.abs(apart) > _ALIKE, apart, 0.0)
        p_level, n_level = p_variance < _LEVEL, n_variance < _LEVEL
        spread = np.where(p_level, 0.0, p_variance) + np.where(n_level, 0.0, n_variance)
        ahead = np.where(spread > 0, special.ndtr(apart / np.sqrt(spread)), (1 + np.sign(apart)) / 2)
        both = (positives > 0) & (negatives > 0)
        tied = both & p_level & n_level & (apart == 0)
        return cls(positives, negatives, np.where(both, ahead, 0.5), p_level, tied)


@dataclass(frozen=True, slots=True)
class Curve:
    """A value (…) and how much a row of each bin moves it, times the number of rows of its class: (…, bins)."""

    value: Floats
    by_positive: Floats
    by_negative: Floats


@dataclass(frozen=True, slots=True)
class Gap:
    """The greatest distance (…) of two distribution functions, and the bins below its place: (…, bins)."""

    value: Floats
    below: NDArray[np.bool_]


@np.errstate(invalid="ignore", divide="ignore")
def auc_curve(bins: Bins) -> Curve:
    """How likely is a positive row's score above a negative one's; `by_…` are DeLong's placements less the value.

    DeLong, DeLong and Clarke-Pearson (1988, https://doi.org/10.2307/2531595). NaN without rows of both classes.
    """
    positives, negatives = bins.positives, bins.negatives
    p_total, n_total = positives.sum(axis=-1)[..., None], negatives.sum(axis=-1)[..., None]
    below = np.cumsum(negatives, axis=-1) - negatives
    above = p_total - np.cumsum(positives, axis=-1)
    p_place = (below + negatives * bins.ahead) / n_total
    n_place = (above + positives * bins.ahead) / p_total
    value = (positives * p_place).sum(axis=-1) / p_total[..., 0]
    return Curve(value, p_place - value[..., None], n_place - value[..., None])


@np.errstate(invalid="ignore", divide="ignore", over="ignore")
def precision_curve(bins: Bins, *, unit: Floats | float = 1.0) -> Curve:
    """How high is the precision on average over the positive rows, each at its own score as threshold.

    Between the rows of a bin, a share u^θ of its negatives comes before the share u of its positives, where θ is such
    that positives are ahead as often as they are, scaled so that the mean over the nodes is 1 / (θ + 1). NaN without a
    positive row. `by_…` are influence functions.
    unit: (…) what a positive row counts, where rows are weighted.
    """
    positives, negatives, total = bins.positives, bins.negatives, bins.positives.sum(axis=-1)
    one = np.asarray(unit)[..., None]
    true, false = _above(positives), _above(negatives)
    power = np.minimum(bins.ahead / np.maximum(1 - bins.ahead, 1e-9), _STEEPEST)
    way = _WAYS.reshape(-1, *(1,) * positives.ndim)
    few = np.minimum(np.ceil(positives / one * way - _ALIKE) * one, positives)
    passed = np.where(positives > _NODES * one, one / 2 + positives * way, few)
    hits = true + np.where(bins.level, positives, passed)
    ways = np.exp(np.log(way) * power)
    excess = 1 / ((power + 1) * ways.mean(axis=0))
    before = np.where(bins.level, 1 - bins.ahead, ways * excess)
    misses = false + negatives * np.where(bins.tied, 1.0, before)
    every = np.maximum(hits + misses, 1e-100)
    share = hits / every
    squared = positives / every
    value = positives * share.mean(axis=0)
    losses = (squared * share).mean(axis=0)
    gains = (squared * misses / every).mean(axis=0)
    mean = value.sum(axis=-1) / total
    own = share.mean(axis=0) * (positives > 0)
    # A row moves the precision at all positive rows below it: those of lower bins, and half of its own, or all of them
    # where their scores are one.
    above = np.where(bins.tied, 0.0, 0.5)
    by_positive = own - mean[..., None] + np.cumsum(gains, axis=-1) - gains * above
    by_negative = -(np.cumsum(losses, axis=-1) - losses * above)
    return Curve(mean, by_positive, by_negative)


@np.errstate(invalid="ignore", divide="ignore")
def precision_excess(bins: Bins, *, unit: Floats | float = 1.0) -> Floats:
    """How much does it lift the average precision (…) that a positive row counts at its own threshold; about."""
    one = np.asarray(unit)
    true = _above(bins.positives) + (bins.positives + one[..., None]) / 2
    false = _above(bins.negatives) + bins.negatives * (1 - bins.ahead)
    lifts = bins.positives * false / (true + false) ** 2
    excess: Floats = one * lifts.sum(axis=-1) / bins.positives.sum(axis=-1)
    return excess


@np.errstate(invalid="ignore", divide="ignore")
def gap_curve(bins: Bins) -> Gap:
    """How far apart are the two classes' score distributions at most, and where."""
    shares = [np.cumsum(rows, axis=-1) / rows.sum(axis=-1)[..., None] for rows in (bins.positives, bins.negatives)]
    gaps = np.abs(shares[1] - shares[0])
    # Distributions that nowhere differ differ least at the end: empty bins before the first row must decide nothing.
    place = np.where(gaps.max(axis=-1) > 0, gaps.argmax(axis=-1), gaps.shape[-1] - 1)[..., None]
    value: Floats = np.take_along_axis(gaps, place, axis=-1)[..., 0]
    return Gap(value, np.arange(gaps.shape[-1]) <= place)


def _above(counts: Floats) -> Floats:
    """(…, bins) counts of all later bins."""
    later: Floats = counts.sum(axis=-1)[..., None] - np.cumsum(counts, axis=-1)
    return later
