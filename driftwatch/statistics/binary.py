"""How good is a binary classifier: every metric with its 95 % bounds, from the binned state of its answers.

A state may hold many windows along leading axes "…", and counts that are floats because rows were weighted. The
variance of a weighted estimate is made of its `spread`, the same state reweighted by the squares of the weights: that
of independent rows, which is a little too large where the weights were made to fit known totals.
"""

import math
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
from driftwatch.statistics.reading import Status
from driftwatch.statistics.separation import separation_metrics
from driftwatch.summaries.binary import BRIER, LOSS, PLACE, BinaryState

Floats = NDArray[np.float64]

_NOTHING = 1e-100
"""Second moments below this have no skewness that could be computed."""
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
    counts, squares = _matrix(state), _matrix(spread)
    found = confusion_metrics(counts, squares)
    if costs is not None:
        found["value_per_prediction"] = worth_interval(counts, squares, costs=costs.matrix)
    scored = _Scored.of(state, spread)
    found |= separation_metrics(
        scored.bins, positive_spread=scored.row_spread[..., 1], negative_spread=scored.row_spread[..., 0]
    )
    found["log_loss"] = _loss_interval(scored, powers=LOSS)
    found["brier"] = _loss_interval(scored, powers=BRIER)
    found["ece"] = _ece_interval(scored)
    return found


def baseline_accuracy(state: BinaryState) -> Floats:
    """What accuracy the best constant prediction has: the share of the greater class (…), NaN without labels."""
    labels: Floats = _matrix(state).sum(axis=-1)
    return confusion.share(labels.max(axis=-1), labels.sum(axis=-1))


def status_of(value: float, *, labelled: float) -> Status:
    """Why a metric of so many labelled rows has this value, or none."""
    if labelled <= 0:
        return Status.NO_LABELS
    return Status.DEGENERATE if math.isnan(value) else Status.OK


def confusion_metrics(counts: Floats, squares: Floats) -> dict[str, Interval]:
    """Metrics of (…, 2, 2) rows by label and predicted class, and of their sums of squared weights."""

    def share(hits: list[tuple[int, int]], misses: list[tuple[int, int]]) -> Interval:
        sums = [sum((side[..., row, column] for row, column in cells), np.zeros(side.shape[:-2]))
                for side in (counts, squares) for cells in (hits, misses)]  # fmt: skip
        return share_interval(sums[0], sums[1], hit_spread=sums[2], miss_spread=sums[3])

    tn, fp, fn, tp = (0, 0), (0, 1), (1, 0), (1, 1)
    return {
        "accuracy": share([tn, tp], [fp, fn]),
        "precision": share([tp], [fp]),
        "recall": share([tp], [fn]),
        "f1": f1_interval(share([tp], [fp, fn])),
        "specificity": share([tn], [fp]),
        "mcc": mcc_interval(counts, squares),
        "ctr": share([fn, tp], [tn, fp]),
    }


@np.errstate(all="ignore")
def mcc_interval(counts: Floats, squares: Floats) -> Interval:
    """Bound Matthews' coefficient of (…, K, K) rows by label and predicted class.

    Delta method on Fisher's scale, at counts with four more rows spread evenly, as Agresti does for shares.
    """
    value = confusion.mcc(counts)
    more = 4 / counts.shape[-1] ** 2
    influence, centre = _mcc_influence(counts + more), confusion.mcc(counts + more)
    total = (counts + more).sum(axis=(-2, -1))
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
    """Labelled rows that have a score, by score bin and label; bins that are empty in all windows are left out.

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
        grid, every = state.grid, tuple(range(state.labelled.ndim - 3))
        filled = np.asarray(state.labelled.any(axis=(*every, -2, -1)))[:-1]
        filled[0] |= not filled.any()
        held = np.flatnonzero(filled)
        parts = []
        for side in (state,) if spread is state else (state, spread):
            parts.append(side.labelled[..., held, :, :].sum(axis=-2).astype(np.float64))
            kept = side.sums[..., held, :, :, :]
            parts.append(kept[..., 0, :, :] + kept[..., 1, :, :])
        rows, sums = parts[:2]
        places = confusion.share(sums[..., PLACE.start].sum(axis=-1), rows.sum(axis=-1))
        means = grid.edges[held] - grid.widths[held] * np.nan_to_num(places)
        tenths = (grid.tenths[held][:, None] == np.arange(10)).astype(np.float64)
        return cls(rows, parts[-2], sums, parts[-1], means, tenths)

    @property
    def bins(self) -> Bins:
        places = self.sums[..., PLACE]
        return Bins.of(
            self.rows[..., 1], self.rows[..., 0], positive_sums=places[..., 1, :], negative_sums=places[..., 0, :]
        )


@np.errstate(all="ignore")
def _loss_interval(scored: _Scored, *, powers: slice) -> Interval:
    """Bound a mean loss by its first three moments, to which one row of each class is added.

    The added rows lose what calibrated scores would expect: a window of few positive rows may have seen none that costs
    much. Few rows that make up the skewness also make the variance uncertain, so that it is widened by that.
    """
    total, kept = scored.rows.sum(axis=(-2, -1)), scored.row_spread.sum(axis=(-2, -1))
    value = confusion.share(scored.sums[..., powers.start].sum(axis=(-2, -1)), total)
    rows = total**2 / kept
    first, square, cube = np.moveaxis(scored.sum_spread[..., powers].sum(axis=(-3, -2)) / kept[..., None], -1, 0)
    second, third = _central(value, first, square, cube=cube)
    widened = 1 + np.minimum(np.where(second > _NOTHING, third**2 / second**3 / rows, 0.0), 0.25)
    for expected in _expected_losses(scored, powers=powers):
        more = _central(value, *expected[:2], cube=expected[2])
        second, third = second + more[0] / rows, third + more[1] / rows
    lower, upper = mean_bounds(value, second=second * widened, third=third * widened, rows=rows)
    return Interval(value, np.maximum(lower, 0.0), np.minimum(upper, 1.0) if powers == BRIER else upper)


def _central(around: Floats, first: Floats, square: Floats, *, cube: Floats) -> tuple[Floats, Floats]:
    """Second and third moments around a value from those around 0."""
    second = square - 2 * around * first + around**2
    third = cube - 3 * around * square + 3 * around**2 * first - around**3
    return np.maximum(second, 0.0), third


def _expected_losses(scored: _Scored, *, powers: slice) -> list[list[Floats]]:
    """The first three moments of the loss of a positive, and of a negative, row if the scores were calibrated."""
    rows = scored.rows.sum(axis=-1)
    scores = np.clip(scored.means, np.finfo(np.float64).eps, 1 - np.finfo(np.float64).eps)
    moments = []
    for likely in (scores, 1 - scores):
        loss = (1 - likely) ** 2 if powers == BRIER else -np.log(likely)
        weight = rows * likely
        total = weight.sum(axis=-1)
        powered = (loss, loss * loss, loss * loss * loss)
        moments.append([confusion.share((weight * power).sum(axis=-1), total) for power in powered])
    return moments


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


def _matrix(state: BinaryState) -> Floats:
    """(…, 2, 2) labelled rows by label and predicted class."""
    matrix: Floats = np.swapaxes(state.labelled.sum(axis=-3), -2, -1).astype(np.float64)
    return matrix
