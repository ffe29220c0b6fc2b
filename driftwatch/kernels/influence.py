"""Binary metrics of weighted counts, and how each of them moves when one row is added.

All take a joint table (…, bins + 1, 2, 2) of floats: score bin × predicted class × label, where the last bin holds
the rows without a score, which count for the confusion matrix but not for the ranking.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Numerator and denominator of each metric that is a ratio of two sums over [[tn, fn], [fp, tp]].
_RATIOS: dict[str, tuple[list[list[float]], list[list[float]]]] = {
    "accuracy": ([[1, 0], [0, 1]], [[1, 1], [1, 1]]),
    "precision": ([[0, 0], [0, 1]], [[0, 0], [1, 1]]),
    "recall": ([[0, 0], [0, 1]], [[0, 1], [0, 1]]),
    "f1": ([[0, 0], [0, 2]], [[0, 1], [1, 2]]),
    "specificity": ([[1, 0], [0, 0]], [[1, 0], [1, 0]]),
}
BOUNDED_BELOW = {"mcc": -1.0, "value_per_prediction": -np.inf}
"""Least values of the metrics that can be negative."""


@dataclass(frozen=True, slots=True)
class Influence:
    """A metric and its derivative by every count.

    value: (…), NaN where not defined. slope: (…, bins + 1, 2, 2) derivative by the count of a cell.
    """

    value: Floats
    slope: Floats

    @property
    def turn(self) -> Floats:
        """(…, bins + 1, 2) by how much the metric moves when a row's label turns from negative to positive."""
        return self.slope[..., 1] - self.slope[..., 0]


@np.errstate(divide="ignore", invalid="ignore")
def influences(joint: Floats, values: Floats | None = None) -> dict[str, Influence]:
    """Every metric of a joint table (…, bins + 1, 2, 2).

    values: (2, 2) business value of a row by predicted class × label; with it there is `value_per_prediction` too.
    """
    table = joint.sum(axis=-3)
    ratios = {name: (np.array(above, float), np.array(below, float)) for name, (above, below) in _RATIOS.items()}
    if values is not None:
        ratios["value_per_prediction"] = (np.asarray(values, np.float64), np.ones((2, 2)))
    found = {name: _ratio(table, *parts, shape=joint.shape) for name, parts in ratios.items()}
    found["mcc"] = _correlation(table, joint.shape)
    by_label = joint[..., :-1, :, :].sum(axis=-2)
    found["roc_auc"] = _spread(*_area(by_label))
    found["average_precision"] = _spread(*_average_precision(by_label))
    return found


def _ratio(table: Floats, above: Floats, below: Floats, *, shape: tuple[int, ...]) -> Influence:
    """A ratio of two weighted sums of the confusion matrix (…, 2, 2)."""
    size = (table * below).sum(axis=(-2, -1))
    value = (table * above).sum(axis=(-2, -1)) / size
    slope = (above - value[..., None, None] * below) / size[..., None, None]
    return Influence(value, np.broadcast_to(slope[..., None, :, :], shape))


def _correlation(table: Floats, shape: tuple[int, ...]) -> Influence:
    """Matthews correlation coefficient (1975)."""
    predicted, labels = table.sum(axis=-1), table.sum(axis=-2)
    scale = np.sqrt(predicted.prod(axis=-1) * labels.prod(axis=-1))
    value = (table[..., 0, 0] * table[..., 1, 1] - table[..., 0, 1] * table[..., 1, 0]) / scale
    partner = table[..., ::-1, ::-1] * np.array([[1.0, -1.0], [-1.0, 1.0]])
    margins = (1 / predicted[..., :, None] + 1 / labels[..., None, :]) / 2
    slope = partner / scale[..., None, None] - value[..., None, None] * margins
    return Influence(value, np.broadcast_to(slope[..., None, :, :], shape))


def _area(by_label: Floats) -> tuple[Floats, Floats]:
    """Area under the ROC curve of counts (…, bins, 2), half for ties; its slope (…, bins, 2)."""
    negative, positive = by_label[..., 0], by_label[..., 1]
    negatives, positives = negative.sum(axis=-1, keepdims=True), positive.sum(axis=-1, keepdims=True)
    beaten = (negative.cumsum(axis=-1) - negative / 2) / negatives
    value = (positive * beaten).sum(axis=-1, keepdims=True) / positives
    beating = 1 - (positive.cumsum(axis=-1) - positive / 2) / positives
    slope = np.stack([(beating - value) / negatives, (beaten - value) / positives], axis=-1)
    return value[..., 0], slope


def _average_precision(by_label: Floats) -> tuple[Floats, Floats]:
    """Σ ΔRecall · precision over the bins from the top, as scikit-learn has it; its slope (…, bins, 2)."""
    falling = by_label[..., ::-1, :]
    positive = falling[..., 1]
    hits, taken = positive.cumsum(axis=-1), falling.sum(axis=-1).cumsum(axis=-1)
    positives = positive.sum(axis=-1, keepdims=True)
    precision = np.divide(hits, taken, out=np.zeros_like(hits), where=taken > 0)
    value = (positive * precision).sum(axis=-1, keepdims=True) / positives
    # A row changes the precision at its own bin and at all bins below.
    step = np.divide(positive / positives, taken, out=np.zeros_like(hits), where=taken > 0)
    by_positive = _onward(step * (1 - precision)) + (precision - value) / positives
    slope = np.stack([-_onward(step * precision), by_positive], axis=-1)
    return value[..., 0], slope[..., ::-1, :]


def _onward(steps: Floats) -> Floats:
    """Sums over the last axis from each place to the end."""
    return np.flip(np.flip(steps, axis=-1).cumsum(axis=-1), axis=-1)


def _spread(value: Floats, slope: Floats) -> Influence:
    """A ranking's slope (…, bins, 2) for both predicted classes, and nothing for the rows without a score."""
    full = np.concatenate([slope, np.zeros_like(slope[..., :1, :])], axis=-2)
    return Influence(value, np.repeat(full[..., None, :], 2, axis=-2))
