"""How good is a multiclass classifier: metrics of each class against the rest, their means, and those of all classes.

Undefined values are NaN, and a mean over classes is over those that have one. Labels or predictions of a class that is
not known (code K) count as wrong; rows whose label is not known have no log loss, squared error or score of the truth.
"""

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels import confusion
from driftwatch.kernels.curves import Bins
from driftwatch.kernels.interval import Interval
from driftwatch.kernels.score_bounds import absolute_interval, mean_bounds, share_interval
from driftwatch.statistics.binary import SPARSE, confusion_metrics, mcc_interval, worth_interval
from driftwatch.statistics.separation import separation_metrics
from driftwatch.summaries.multiclass import MulticlassState

Floats = NDArray[np.float64]

_BY_CLASS = ("precision", "recall", "f1", "specificity")


def class_metrics(state: MulticlassState, *, spread: MulticlassState | None = None) -> dict[str, Interval]:
    """Bound the metrics of each class against the rest: each (…, K)."""
    spread = spread or state
    counts, squares = (_against_rest(_matrix(side))[..., :-1, :, :] for side in (state, spread))
    found = confusion_metrics(counts, squares)
    metrics = {name: found[name] for name in _BY_CLASS}
    return metrics | separation_metrics(
        _bins(state), positive_spread=spread.scores[..., 1], negative_spread=spread.scores[..., 0]
    )


def multiclass_metrics(
    state: MulticlassState, *, spread: MulticlassState | None = None, costs: Floats | None = None
) -> dict[str, Interval]:
    """Bound the metrics of all classes together: each (…). costs: (K + 1, K + 1) worth by label and prediction.

    accuracy, mcc, log_loss, brier (0 to 2), ece (of the predicted class's score, ten bins); the others are means over
    classes ("macro"), of which precision, recall, F1 and specificity are bounded by multinomial moments.
    """
    spread = spread or state
    counts, squares = _matrix(state), _matrix(spread)
    sides = [(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum(axis=(-2, -1))) for matrix in (counts, squares)]
    (hits, total), (hit_spread, all_spread) = sides
    found = {
        "accuracy": share_interval(hits, total - hits, hit_spread=hit_spread, miss_spread=all_spread - hit_spread),
        "mcc": mcc_interval(counts, squares),
        "log_loss": _loss_interval(state, spread, first=0),
        "brier": _loss_interval(state, spread, first=3),
        "ece": _ece_interval(state, spread),
    }
    if costs is not None:
        found["value_per_prediction"] = worth_interval(counts, squares, costs=costs)
    return found | _macro_confusion(counts, squares) | _macro_scores(state, spread)


def baseline_accuracy(state: MulticlassState) -> Floats:
    """What accuracy the best constant prediction has: the share of the most frequent label (…)."""
    labels: Floats = _matrix(state).sum(axis=-1)
    return confusion.share(labels.max(axis=-1), labels.sum(axis=-1))


@np.errstate(all="ignore")
def _macro_confusion(counts: Floats, squares: Floats) -> dict[str, Interval]:
    """Bound means over classes by the delta method, at counts with four more rows spread evenly over all cells."""
    full = counts + 4 / counts.shape[-1] ** 2
    total = full.sum(axis=(-2, -1))
    rows = counts.sum(axis=(-2, -1)) ** 2 / squares.sum(axis=(-2, -1))
    found = {}
    for name, (metric, influence_of) in MACRO.items():
        of_classes = metric(counts)
        of_classes[..., -1] = np.nan  # what is not known is no class
        known = ~np.isnan(of_classes)
        weights = known / np.maximum(known.sum(axis=-1), 1)[..., None]
        influence = total[..., None, None] * influence_of(full, metric(full), weights)
        value = confusion.macro(of_classes)
        second, third = ((full * influence**power).sum(axis=(-2, -1)) / total for power in (2, 3))
        lower, upper = mean_bounds(value, second=second, third=third, rows=rows)
        found[name] = Interval(value, np.maximum(lower, 0.0), np.minimum(upper, 1.0))
    return found


def _macro_scores(state: MulticlassState, spread: MulticlassState) -> dict[str, Interval]:
    """Means over classes and of their bounds: wide, as if all classes erred together."""
    of_classes = separation_metrics(
        _bins(state), positive_spread=spread.scores[..., 1], negative_spread=spread.scores[..., 0]
    )
    return {
        name: Interval(*(confusion.macro(side) for side in (interval.value, interval.lower, interval.upper)))
        for name, interval in of_classes.items()
    }


def _of_precision(counts: Floats, shares: Floats, weights: Floats) -> Floats:
    """How much a row of a cell (label, prediction) moves the weighted mean of precisions: (…, K + 1, K + 1)."""
    moved: Floats = (np.eye(shares.shape[-1]) - shares[..., None, :]) * (weights / counts.sum(axis=-2))[..., None, :]
    return moved


def _of_recall(counts: Floats, shares: Floats, weights: Floats) -> Floats:
    moved: Floats = (np.eye(shares.shape[-1]) - shares[..., :, None]) * (weights / counts.sum(axis=-1))[..., :, None]
    return moved


def _of_f1(counts: Floats, shares: Floats, weights: Floats) -> Floats:
    scale = weights / (counts.sum(axis=-1) + counts.sum(axis=-2))
    lost = shares * scale
    moved: Floats = 2 * np.eye(shares.shape[-1]) * scale[..., :, None] - lost[..., :, None] - lost[..., None, :]
    return moved


def _of_specificity(counts: Floats, shares: Floats, weights: Floats) -> Floats:
    scale = weights / (counts.sum(axis=(-2, -1))[..., None] - counts.sum(axis=-1))
    gained = (1 - shares) * scale
    missed = (1 - np.eye(shares.shape[-1])) * scale[..., None, :]
    moved: Floats = gained.sum(axis=-1)[..., None, None] - gained[..., :, None] - missed
    return moved


MACRO = {
    "precision": (confusion.precision, _of_precision),
    "recall": (confusion.recall, _of_recall),
    "f1": (confusion.f1, _of_f1),
    "specificity": (confusion.specificity, _of_specificity),
}
"""Means over classes of (label, prediction) counts: each class's value, and how a row of each cell moves the mean."""


@np.errstate(all="ignore")
def _loss_interval(state: MulticlassState, spread: MulticlassState, *, first: int) -> Interval:
    """Bound a mean loss by its first three moments, widened where few rows make up its skewness."""
    total, kept = (side.confidence[..., 0].sum(axis=-1) for side in (state, spread))
    value = confusion.share(state.losses[..., first], total)
    rows = total**2 / kept
    mean, square, cube = np.moveaxis(spread.losses[..., first : first + 3] / kept[..., None], -1, 0)
    second = np.maximum(square - 2 * value * mean + value**2, 0.0)
    third = cube - 3 * value * square + 3 * value**2 * mean - value**3
    widened = 1 + np.minimum(np.where(second > 1e-100, third**2 / second**3 / rows, 0.0), 0.25) + 2 / rows
    lower, upper = mean_bounds(value, second=second * widened, third=third * widened, rows=rows)
    return Interval(value, np.maximum(lower, 0.0), np.minimum(upper, 2.0) if first else upper)


@np.errstate(all="ignore")
def _ece_interval(state: MulticlassState, spread: MulticlassState) -> Interval:
    """Bound the calibration error; a bin of few rows takes its variance from its scores, too."""
    held = state.confidence[..., 0]
    total = held.sum(axis=-1)[..., None]
    gaps = state.confidence[..., 1] / total
    middles = (np.arange(held.shape[-1]) + 0.5) / held.shape[-1]
    kept = spread.confidence[..., 0]
    seen = np.maximum(spread.confidence[..., 2] / total**2 - gaps**2 * kept.sum(axis=-1)[..., None] / total**2, 0.0)
    calibrated = kept * middles * (1 - middles) / total**2
    return absolute_interval(gaps, (seen * held + calibrated * SPARSE) / (held + SPARSE))


def _matrix(state: MulticlassState) -> Floats:
    """(…, K + 1, K + 1) labelled rows by label and predicted class."""
    matrix: Floats = np.swapaxes(state.labelled.sum(axis=-2), -2, -1)
    return matrix


def _against_rest(matrix: Floats) -> Floats:
    """(…, K, 2, 2) rows by whether they are of each class, and are predicted as it."""
    both = np.diagonal(matrix, axis1=-2, axis2=-1)
    true, predicted = matrix.sum(axis=-1), matrix.sum(axis=-2)
    neither = matrix.sum(axis=(-2, -1))[..., None] - true - predicted + both
    cells: Floats = np.stack([neither, predicted - both, true - both, both], axis=-1)
    return cells.reshape(*both.shape, 2, 2)


def _bins(state: MulticlassState) -> Bins:
    rows, places = state.scores, state.places
    return Bins.of(rows[..., 1], rows[..., 0], positive_sums=places[..., 1, :], negative_sums=places[..., 0, :])
