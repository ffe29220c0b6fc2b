"""How good is a binary classifier: every metric with its 95 % bounds, from the binned state of its answers.

A state may hold many windows along leading axes "…", and counts that are floats because rows were weighted. The
variance of a weighted estimate is made of its `spread`, the same state reweighted by the squares of the weights: that
of independent rows, which is a little too large where the weights were made to fit known totals.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels import confusion
from driftwatch.kernels.curves import Bins
from driftwatch.kernels.interval import Interval
from driftwatch.kernels.score_bounds import (
    absolute_interval,
    correlation_bounds,
    f1_interval,
    mean_bounds,
    share_interval,
)
from driftwatch.statistics.separation import separation_metrics
from driftwatch.summaries.binary import BRIER, LOSS, PLACE, BinaryState
from driftwatch.summaries.scores import ScoreBins, ScoreGrid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_NOTHING = 1e-100
"""Second moments below this have no skewness that could be computed."""
_SHARES = {
    # The cells that are hits, and those that are misses: true and false negatives and positives as (label, prediction).
    "accuracy": ((0, 3), (1, 2)),
    "precision": ((3,), (1,)),
    "recall": ((3,), (2,)),
    "f1": ((3,), (1, 2)),
    "specificity": ((0,), (1,)),
    "ctr": ((2, 3), (0, 1)),
}
_HITS, _MISSES = (
    np.array([[float(cell in cells[side]) for cells in _SHARES.values()] for cell in range(4)]) for side in (0, 1)
)
SPARSE = 20.0
"""Rows of a reliability bin at which the variance seen there is believed half, that of calibrated scores half."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a prediction is worth, by what became of it, in any unit."""

    tp: float
    fp: float
    fn: float
    tn: float

    @property
    def matrix(self) -> Floats:
        """(2, 2) by label and predicted class."""
        return np.array([[self.tn, self.fp], [self.fn, self.tp]])


def binary_metrics(
    state: BinaryState, *, spread: BinaryState | None = None, costs: Costs | None = None
) -> dict[str, Interval]:
    """All metrics of the contract by name, each (…); NaN where undefined.

    Metrics of predictions rest on all labelled rows, metrics of scores on those that have one. value_per_prediction is
    given where costs are. AUC and average precision differ from the rows' own by at most 5e-4 in windows of 5 000 rows
    (average precision by 1e-3 where only 20 rows are positive), ks_score by at most the share of a class in its fullest
    bin, all others by rounding. Scores packed far more closely than the grid, far from the reference's, cost more.
    """
    spread = spread or state
    return _metrics((_matrix(state.labelled), _matrix(spread.labelled)), _Scored.of(state, spread), costs)


def reweighted_metrics(state: BinaryState, weights: Floats, costs: Costs | None = None) -> dict[str, Interval]:
    """The same of one window as it is, and with labelled rows that count several times: each (2,).

    weights: (bins + 1, 2, 2) by score bin, predicted class and label.
    """
    labelled = state.labelled.astype(np.float64)
    counts, squares = (np.stack([labelled, labelled * power]) for power in (weights, weights**2))
    return _metrics((_matrix(counts), _matrix(squares)), _Scored.weighed(state, weights), costs)


def _metrics(matrices: tuple[Floats, Floats], scored: "_Scored", costs: Costs | None) -> dict[str, Interval]:
    found = confusion_metrics(*matrices)
    if costs is not None:
        found["value_per_prediction"] = worth_interval(*matrices, costs=costs.matrix)
    found |= separation_metrics(
        scored.bins, positive_spread=scored.row_spread[..., 1], negative_spread=scored.row_spread[..., 0]
    )
    return found | _loss_intervals(scored) | {"ece": _ece_interval(scored)}


def baseline_accuracy(state: BinaryState) -> Floats:
    """What accuracy the best constant prediction has: the share of the greater class (…), NaN without labels."""
    labels: Floats = _matrix(state.labelled).sum(axis=-1)
    return confusion.share(labels.max(axis=-1), labels.sum(axis=-1))


def confusion_metrics(counts: Floats, squares: Floats) -> dict[str, Interval]:
    """Metrics of (…, 2, 2) rows by label and predicted class, and of their sums of squared weights."""
    hits, misses, hit_spread, miss_spread = (
        side.reshape(*side.shape[:-2], 4) @ cells for side in (counts, squares) for cells in (_HITS, _MISSES)
    )
    found = share_interval(hits, misses, hit_spread=hit_spread, miss_spread=miss_spread)
    shares = {
        name: Interval(found.value[..., place], found.lower[..., place], found.upper[..., place])
        for place, name in enumerate(_SHARES)
    }
    return shares | {"f1": f1_interval(shares["f1"]), "mcc": mcc_interval(counts, squares)}


@np.errstate(all="ignore")
def mcc_interval(counts: Floats, squares: Floats) -> Interval:
    """Bound Matthews' coefficient of (…, K, K) rows by label and predicted class.

    Delta method on Fisher's scale, at counts with four more rows spread evenly, as Agresti does for shares.
    """
    more = 4 / counts.shape[-1] ** 2
    full = counts + more
    value, centre = confusion.mcc(np.stack([counts, full]))
    influence, total = _mcc_influence(full), full.sum(axis=(-2, -1))
    deviation = np.sqrt(((squares + more) * influence**2).sum(axis=(-2, -1))) / total
    lower, upper = correlation_bounds(centre, deviation)
    lower, upper = np.minimum(lower, value), np.maximum(upper, value)
    return Interval(value, np.where(np.isnan(value), np.nan, lower), np.where(np.isnan(value), np.nan, upper))


def _mcc_influence(counts: Floats) -> Floats:
    """(…, K, K) how much a row of a cell moves Matthews' coefficient, times the number of rows; no margin may be 0."""
    total = counts.sum(axis=(-2, -1))[..., None, None]
    true, predicted = counts.sum(axis=-1)[..., :, None], counts.sum(axis=-2)[..., None, :]
    right = np.trace(counts, axis1=-2, axis2=-1)[..., None, None]
    products = np.swapaxes(true, -2, -1) * predicted
    both = right * total - products.sum(axis=-1)[..., None]
    of_true = total**2 - (true**2).sum(axis=-2)[..., None]
    of_predicted = total**2 - (predicted**2).sum(axis=-1)[..., None]
    root = np.sqrt(of_true * of_predicted)
    rise = np.eye(counts.shape[-1]) * total + right - np.swapaxes(predicted, -2, -1) - np.swapaxes(true, -2, -1)
    fall = (total - true) / of_true + (total - predicted) / of_predicted
    influence: Floats = total * (rise / root - both / root * fall)
    return influence


@np.errstate(all="ignore")
def worth_interval(counts: Floats, squares: Floats, *, costs: Floats) -> Interval:
    """Bound the mean worth of a row: counts (…, K, K) by label and predicted class, costs (K, K).

    Multinomial moments, with one more row in every cell: what is rare and dear may not have been seen yet.
    """
    total = counts.sum(axis=(-2, -1))
    value = confusion.share((counts * costs).sum(axis=(-2, -1)), total)
    rows = total**2 / squares.sum(axis=(-2, -1))
    apart = costs - value[..., None, None]
    shares = counts / total[..., None, None] + 1 / rows[..., None, None]
    second, third = ((shares * apart**power).sum(axis=(-2, -1)) for power in (2, 3))
    lower, upper = mean_bounds(value, second=second, third=third, rows=rows)
    return Interval(value, np.maximum(lower, costs.min()), np.minimum(upper, costs.max()))


@dataclass(frozen=True, slots=True)
class _Scored:
    """Labelled rows that have a score, by score bin and label.

    rows, row_spread: (…, bins, 2) and sums, sum_spread: (…, bins, 2, SUMS) of the state and of its spread.
    means: (…, bins) mean scores. tenths: (bins, 10) 1 where a bin is part of a bin of the calibration error.
    """

    rows: Floats
    row_spread: Floats
    sums: Floats
    sum_spread: Floats
    means: Floats
    tenths: Floats

    @classmethod
    def of(cls, state: BinaryState, spread: BinaryState) -> Self:
        parts: list[Floats] = []
        for side in (state,) if spread is state else (state, spread):
            parts.append((side.labelled[..., :-1, 0, :] + side.labelled[..., :-1, 1, :]).astype(np.float64))
            parts.append(side.sums[..., :-1, 0, :, :] + side.sums[..., :-1, 1, :, :])
        return cls._made(parts, state.grid)

    @classmethod
    def weighed(cls, state: BinaryState, weights: Floats) -> Self:
        """One window as it is, and with rows that count several times: weights (bins + 1, 2, 2)."""
        parts: list[Floats] = []
        for power in (weights[:-1], weights[:-1] ** 2):
            for array, factor in ((state.labelled[:-1], power), (state.sums[:-1], power[..., None])):
                both = np.empty((2, len(array), *array.shape[2:]))
                both[0] = array[:, 0] + array[:, 1]
                np.multiply(array[:, 0], factor[:, 0], out=both[1])
                both[1] += array[:, 1] * factor[:, 1]
                parts.append(both)
        return cls._made(parts, state.grid)

    @classmethod
    def _made(cls, parts: list[Floats], grid: ScoreGrid | ScoreBins) -> Self:
        rows, sums = parts[:2]
        places = sums[..., 0, PLACE.start] + sums[..., 1, PLACE.start]
        total = rows[..., 0] + rows[..., 1]
        means = grid.edges - grid.widths * (places / np.where(total > 0, total, 1.0))
        tenths = (grid.tenths[:, None] == np.arange(10)).astype(np.float64)
        return cls(rows, parts[-2], sums, parts[-1], means, tenths)

    @property
    def bins(self) -> Bins:
        places = self.sums[..., PLACE]
        return Bins.of(
            self.rows[..., 1], self.rows[..., 0], positive_sums=places[..., 1, :], negative_sums=places[..., 0, :]
        )


@np.errstate(all="ignore")
def _loss_intervals(scored: _Scored) -> dict[str, Interval]:
    """Bound the mean losses by their first three moments, to which one row of each class is added.

    The added rows lose what calibrated scores would expect: a window of few positive rows may have seen none that costs
    much. Few rows that make up the skewness also make the variance uncertain, so that it is widened by that. All is
    (2, …): of the log loss, and of the squared error.
    """
    total, kept = scored.rows.sum(axis=(-2, -1)), scored.row_spread.sum(axis=(-2, -1))
    value = confusion.share(_powers(scored.sums)[0], total)
    rows = total**2 / kept
    second, third = _central(value, _powers(scored.sum_spread) / kept)
    widened = 1 + np.minimum(np.where(second > _NOTHING, third**2 / second**3 / rows, 0.0), 0.25)
    more = _central(value[:, None], _expected_losses(scored))
    second, third = (moment + added.sum(axis=1) / rows for moment, added in zip((second, third), more, strict=True))
    lower, upper = mean_bounds(value, second=second * widened, third=third * widened, rows=rows)
    lower = np.maximum(lower, 0.0)
    return {
        "log_loss": Interval(value[0], lower[0], upper[0]),
        "brier": Interval(value[1], lower[1], np.minimum(upper[1], 1.0)),
    }


def _powers(sums: Floats) -> Floats:
    """(3, 2, …) sums of the losses, of their squares and cubes, from (…, bins, 2, SUMS)."""
    flat = sums[..., LOSS.start : BRIER.stop].sum(axis=(-3, -2))
    return np.moveaxis(flat.reshape(*flat.shape[:-1], 2, 3), (-1, -2), (0, 1))


def _central(around: Floats, moments: Floats) -> tuple[Floats, Floats]:
    """Second and third moments around a value from the first three around 0, (3, …)."""
    first, square, cube = moments
    second = square - 2 * around * first + around**2
    third = cube - 3 * around * square + 3 * around**2 * first - around**3
    return np.maximum(second, 0.0), third


def _expected_losses(scored: _Scored) -> Floats:
    """The first three moments of the losses of negative and positive rows if scores were calibrated: (3, 2, 2, …)."""
    scores = np.clip(scored.means, np.finfo(np.float64).eps, 1 - np.finfo(np.float64).eps)
    likely = np.stack([1 - scores, scores])
    weight = scored.rows.sum(axis=-1) * likely
    loss = np.stack([-np.log(likely), (1 - likely) ** 2])
    square = loss * loss
    sums = (weight * np.stack([loss, square, square * loss])).sum(axis=-1)
    return confusion.share(sums, np.broadcast_to(weight.sum(axis=-1), sums.shape))


@np.errstate(all="ignore")
def _ece_interval(scored: _Scored) -> Interval:
    """Bound the calibration error over ten bins; a bin of few rows takes its variance from its scores, too."""
    rows, kept, means = scored.rows.sum(axis=-1), scored.row_spread.sum(axis=-1), scored.means
    total = rows.sum(axis=-1)[..., None]
    gaps = (scored.rows[..., 1] - rows * means) @ scored.tenths / total
    held = rows @ scored.tenths
    errors = scored.sum_spread[..., BRIER.start].sum(axis=-1) @ scored.tenths / total**2
    seen = np.maximum(errors - gaps**2 * (kept.sum(axis=-1)[..., None] / total**2), 0.0)
    calibrated = (kept * means * (1 - means)) @ scored.tenths / total**2
    return absolute_interval(gaps, (seen * held + calibrated * SPARSE) / (held + SPARSE))


def _matrix(labelled: Floats | Ints) -> Floats:
    """(…, 2, 2) labelled rows by label and predicted class."""
    matrix: Floats = np.swapaxes(labelled.sum(axis=-3), -2, -1).astype(np.float64)
    return matrix
