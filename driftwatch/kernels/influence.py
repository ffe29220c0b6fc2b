"""Binary metrics of weighted counts, and how each of them moves when one row is added.

All take a joint table (…, bins + 1, 2, 2) of floats: score bin × predicted class × label, where the last bin holds
the rows without a score, which count for the confusion matrix but not for the ranking.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_RATIOS: dict[str, tuple[list[list[float]], list[list[float]]]] = {
    # Numerator and denominator of each metric that is a ratio of two sums over [[tn, fn], [fp, tp]].
    "accuracy": ([[1, 0], [0, 1]], [[1, 1], [1, 1]]),
    "precision": ([[0, 0], [0, 1]], [[0, 0], [1, 1]]),
    "recall": ([[0, 0], [0, 1]], [[0, 1], [0, 1]]),
    "f1": ([[0, 0], [0, 2]], [[0, 1], [1, 2]]),
    "specificity": ([[1, 0], [0, 0]], [[1, 0], [1, 0]]),
}
_PARTS = np.array([*_RATIOS.values()], dtype=np.float64).swapaxes(0, 1)
_MCC, RANKED, _VALUE = "mcc", ("roc_auc", "average_precision"), "value_per_prediction"
_SIGNS = np.array([[1.0, -1.0], [-1.0, 1.0]])
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


@dataclass(frozen=True, slots=True)
class Influences:
    """Every metric at once, the C that are made of the confusion matrix first, then those of the scores' order.

    names: (metrics,). values: (metrics, …). counted: (C, …, 2, 2) derivatives by the count of a cell of the matrix,
    whatever its score; ranked: (metrics - C, …, bins, 2) by score and label, whatever the predicted class, and nothing
    for the rows without a score.
    """

    names: tuple[str, ...]
    values: Floats
    counted: Floats
    ranked: Floats

    @property
    def slopes(self) -> Floats:
        """(metrics, …, bins + 1, 2, 2) derivatives by the count of a cell."""
        first, leading = len(self.counted), self.counted.shape[1:-2]
        slopes = np.zeros((len(self.names), *leading, self.ranked.shape[-2] + 1, 2, 2))
        slopes[:first] = self.counted[..., None, :, :]
        slopes[first:, ..., :-1, :, :] = self.ranked[..., None, :]
        return slopes

    @property
    def turns(self) -> Floats:
        """(metrics, …, bins + 1, 2) by how much each moves when a row's label turns from negative to positive."""
        first, leading = len(self.counted), self.counted.shape[1:-2]
        turns = np.zeros((len(self.names), *leading, self.ranked.shape[-2] + 1, 2))
        turns[:first] = (self.counted[..., 1] - self.counted[..., 0])[..., None, :]
        turns[first:, ..., :-1, :] = (self.ranked[..., 1] - self.ranked[..., 0])[..., None]
        return turns

    def at_cells(self, cells: NDArray[np.int64]) -> Floats:
        """(metrics, cells) derivatives by some cells of one table, as they are in a raveled (bins + 1, 2, 2) array."""
        bins, flat = self.ranked.shape[-2], self.ranked.reshape(len(self.ranked), -1)
        scored = cells < 4 * bins
        places = np.where(scored, (cells >> 2) * 2 + (cells & 1), 0)
        return np.concatenate([self.counted.reshape(-1, 4)[:, cells & 3], flat[:, places] * scored])

    def first(self, count: int) -> Self:
        """Those of the first so many tables."""
        return replace(
            self, values=self.values[:, :count], counted=self.counted[:, :count], ranked=self.ranked[:, :count]
        )


def influences(joint: Floats, values: Floats | None = None) -> dict[str, Influence]:
    """Every metric of a joint table (…, bins + 1, 2, 2).

    values: (2, 2) business value of a row by predicted class × label; with it there is `value_per_prediction` too.
    """
    found = all_influences(joint, values)
    return {
        name: Influence(value, slope)
        for name, value, slope in zip(found.names, found.values, found.slopes, strict=True)
    }


@np.errstate(divide="ignore", invalid="ignore")
def all_influences(joint: Floats, values: Floats | None = None) -> Influences:
    """The same in arrays, for whoever works on all metrics together."""
    table = joint.sum(axis=-3)
    by_label = joint[..., :-1, 0, :] + joint[..., :-1, 1, :]
    ratios, ratio_slopes = _ratios(table, values)
    correlation, correlation_slope = _correlation(table)
    (area, area_slope), (precision, precision_slope) = _area(by_label), _average_precision(by_label)
    return Influences(
        names=(*_RATIOS, *(() if values is None else (_VALUE,)), _MCC, *RANKED),
        values=np.stack([*ratios, correlation, area, precision]),
        counted=np.concatenate([ratio_slopes, correlation_slope[None]]),
        ranked=np.stack([area_slope, precision_slope]),
    )


def ranked_influences(by_label: Floats) -> dict[str, Influence]:
    """Of counts by score and label (…, bins, 2), the metrics of the scores' order alone; slopes (…, bins, 2)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            name: Influence(*found(by_label)) for name, found in zip(RANKED, (_area, _average_precision), strict=True)
        }


def _ratios(table: Floats, values: Floats | None) -> tuple[Floats, Floats]:
    """Ratios of two weighted sums of the confusion matrix (…, 2, 2): (metrics, …), slopes (metrics, …, 2, 2)."""
    above, below = _PARTS
    if values is not None:
        above, below = np.concatenate([above, values[None]]), np.concatenate([below, np.ones((1, 2, 2))])
    flat = table.reshape(*table.shape[:-2], 4)
    size = np.moveaxis(flat @ below.reshape(-1, 4).T, -1, 0)
    value = np.moveaxis(flat @ above.reshape(-1, 4).T, -1, 0) / size
    shape = (-1, *(1,) * (value.ndim - 1), 2, 2)
    slope = (above.reshape(shape) - value[..., None, None] * below.reshape(shape)) / size[..., None, None]
    return value, slope


def _correlation(table: Floats) -> tuple[Floats, Floats]:
    """Matthews correlation coefficient (1975) of confusion matrices (…, 2, 2), and its slope."""
    predicted, labels = table.sum(axis=-1), table.sum(axis=-2)
    scale = np.sqrt(predicted.prod(axis=-1) * labels.prod(axis=-1))
    value = (table[..., 0, 0] * table[..., 1, 1] - table[..., 0, 1] * table[..., 1, 0]) / scale
    partner = table[..., ::-1, ::-1] * _SIGNS
    margins = (1 / predicted[..., :, None] + 1 / labels[..., None, :]) / 2
    slope: Floats = partner / scale[..., None, None] - value[..., None, None] * margins
    return value, slope


def _area(by_label: Floats) -> tuple[Floats, Floats]:
    """Area under the ROC curve of counts (…, bins, 2), half for ties; its slope (…, bins, 2)."""
    below = by_label.cumsum(axis=-2)
    totals = below[..., -1:, :]
    shares = (below - by_label / 2) / totals
    value = (by_label[..., 1] * shares[..., 0]).sum(axis=-1) / totals[..., 0, 1]
    slope = np.empty(by_label.shape)
    slope[..., 0], slope[..., 1] = 1 - shares[..., 1], shares[..., 0]
    slope -= value[..., None, None]
    slope /= totals
    return value, slope


def _average_precision(by_label: Floats) -> tuple[Floats, Floats]:
    """Σ ΔRecall · precision over the bins from the top, as scikit-learn has it; its slope (…, bins, 2)."""
    positive = by_label[..., 1]
    falling = by_label[..., ::-1, :].cumsum(axis=-2)[..., ::-1, :]
    hits, taken = falling[..., 1], falling[..., 0] + falling[..., 1]
    positives = hits[..., :1]
    some = np.where(taken > 0, taken, 1.0)
    precision = hits / some
    value = (positive * precision).sum(axis=-1, keepdims=True) / positives
    # A row changes the precision at its own bin and at all bins below.
    step = positive / positives / some
    lost = (step * precision).cumsum(axis=-1)
    slope = np.empty(by_label.shape)
    slope[..., 0] = -lost
    slope[..., 1] = step.cumsum(axis=-1) - lost + (precision - value) / positives
    return value[..., 0], slope
