"""How well a model is expected to do where no label has come: confidence-based performance estimation.

CBPE (as NannyML documents it): every row counts as positive with its calibrated chance and as negative with the rest,
and each metric is that of the expected counts. A row's chance is a matter of its score, so rows are gathered by score
first; with bins instead of scores the same functions give the streaming values.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from driftwatch.kernels.calibration import Curve
from driftwatch.kernels.influence import influences

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Predictions gathered by score bin × predicted class; all (…, bins + 1, 2), floats that add.

    rows: predictions. positives: expected positives among them, Σ p. spread: Σ p (1 - p). The last bin holds the
    rows without a score.
    """

    rows: Floats
    positives: Floats
    spread: Floats

    @property
    def joint(self) -> Floats:
        """(…, bins + 1, 2, 2) expected counts by bin × predicted class × label."""
        return np.stack([self.rows - self.positives, self.positives], axis=-1)


def gather(bins: Ints, predicted: Ints, chances: Floats, *, slots: int) -> Cells:
    """Gather rows: bins in [0, slots), predicted class in {0, 1}, chance of the positive class; all (rows,)."""
    cells = bins * 2 + predicted

    def added(weights: Floats) -> Floats:
        return np.bincount(cells, weights, minlength=2 * slots).reshape(slots, 2).astype(np.float64)

    return Cells(added(np.ones_like(chances)), added(chances), added(chances * (1 - chances)))


def gather_bins(predicted: Floats, chances: Floats) -> Cells:
    """Cells of binned predictions (…, bins + 1, 2) with one chance each (bins + 1, 2).

    Where no chance is known, half is as good as any and has the greatest error.
    """
    rows, p = predicted.astype(np.float64), np.where(np.isnan(chances), 0.5, chances)
    return Cells(rows, rows * p, rows * p * (1 - p))


def expected_binary(
    scores: Floats, predicted: Ints, chances: Floats, *, values: Floats | None = None
) -> dict[str, Floats]:
    """Expected metrics of rows, exact: scores, predicted class in {0, 1}, chance of the positive class; all (rows,).

    values: (2, 2) business value of a row by predicted class × label. Beside the metrics by name: tp, fp, fn, tn and
    `average_precision_by_row`, in which equal scores are taken one after the other, as NannyML does; the other one is
    what the usual average precision of the labels will be.
    """
    distinct, bins = np.unique(scores, return_inverse=True)
    cells = gather(bins, predicted, chances, slots=distinct.size + 1)
    metrics = {name: found.value for name, found in influences(cells.joint, values).items()}
    table = cells.joint.sum(axis=-3)
    metrics |= {"tn": table[0, 0], "fn": table[0, 1], "fp": table[1, 0], "tp": table[1, 1]}
    return metrics | {"average_precision_by_row": average_precision_by_row(cells)}


def average_precision_by_row(cells: Cells) -> Floats:
    """Average precision (…) of the expected counts if equal scores are taken one after the other.

    In a bin of m rows with chance p after n rows with h positives, Σ p (h + i p) / (n + i) over i = 1 … m.
    """
    rows = cells.rows[..., :-1, :].sum(axis=-1)[..., ::-1]
    positives = cells.positives[..., :-1, :].sum(axis=-1)[..., ::-1]
    chance = np.divide(positives, rows, out=np.zeros_like(rows), where=rows > 0)
    before, hits = rows.cumsum(axis=-1) - rows, positives.cumsum(axis=-1) - positives
    harmonic = digamma(before + rows + 1) - digamma(before + 1)
    gained = chance * (positives + (hits - before * chance) * harmonic)
    total: Floats = gained.sum(axis=-1) / positives.sum(axis=-1)
    return total


def class_chances(scores: Floats, curves: list[Curve]) -> Floats:
    """Chances (rows, classes) of scores (rows, classes): each class by its own curve, then made to sum to one."""
    chances = np.stack([curve.at(scores[:, k]) for k, curve in enumerate(curves)], axis=1)
    total = chances.sum(axis=1, keepdims=True)
    normal: Floats = np.divide(chances, total, out=np.full(chances.shape, 1 / len(curves)), where=total > 0)
    return normal


def expected_classes(scores: Floats, predicted: Ints, chances: Floats) -> dict[str, Floats]:
    """Expected metrics of a multiclass model, exact; precision to average precision are means over classes.

    scores, chances: (rows, classes). predicted: (rows,) in [0, classes).
    """
    each = [
        expected_binary(scores[:, k], (predicted == k).astype(np.int64), chances[:, k]) for k in range(scores.shape[1])
    ]
    names = ("precision", "recall", "f1", "specificity", "roc_auc", "average_precision")
    metrics = {name: np.asarray(np.nanmean([found[name] for found in each])) for name in names}
    hit = np.take_along_axis(chances, predicted[:, None], axis=1)
    return {"accuracy": np.asarray(hit.mean()), **metrics}


def expected_class_bins(predicted: Floats, chances: Floats) -> tuple[Floats, dict[str, Floats]]:
    """The same from histograms: expected confusion (…, classes, classes) predicted × label, and the metrics (…).

    predicted: (…, classes, classes, bins) rows by predicted class × class whose score it is × bin of that score.
    chances: (classes, bins) of each class at its own score.
    """
    raw = (predicted * chances).sum(axis=-1)
    rows = predicted[..., 0, :].sum(axis=-1)
    total = raw.sum(axis=-1)
    factor = np.divide(rows, total, out=np.zeros_like(total), where=total > 0)
    confusion = raw * factor[..., None]
    everyone = predicted.sum(axis=-3)
    own = np.moveaxis(np.diagonal(predicted, axis1=-3, axis2=-2), -1, -2)
    # What is predicted as the class, beside what is not: a binary problem of each class.
    shares = np.stack([everyone - own, own], axis=-1)
    joint = np.stack([shares * (1 - chances)[..., None], shares * chances[..., None]], axis=-1)
    joint = np.concatenate([joint, np.zeros_like(joint[..., :1, :, :])], axis=-3)
    found = influences(joint)
    metrics = {name: np.nanmean(found[name].value, axis=-1) for name in ("roc_auc", "average_precision")}
    return confusion, {**_macro(confusion), **metrics}


@np.errstate(divide="ignore", invalid="ignore")
def _macro(confusion: Floats) -> dict[str, Floats]:
    """Accuracy, and the mean over classes of the others, of (…, classes, classes) predicted × label."""
    hit = np.diagonal(confusion, axis1=-2, axis2=-1)
    predicted, labels = confusion.sum(axis=-1), confusion.sum(axis=-2)
    rows = predicted.sum(axis=-1, keepdims=True)
    each = {
        "precision": hit / predicted,
        "recall": hit / labels,
        "f1": 2 * hit / (predicted + labels),
        "specificity": (rows - predicted - labels + hit) / (rows - labels),
    }
    accuracy = hit.sum(axis=-1) / rows[..., 0]
    return {"accuracy": accuracy, **{name: np.nanmean(values, axis=-1) for name, values in each.items()}}
