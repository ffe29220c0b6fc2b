"""How good a model of several classes is expected to be at each of them, against the rest, where no label has come.

As in `estimation_multiclass`, of whose rows and chances these metrics are made. A row is of class k with its chance p
or it is not, so the variance of luck is Σ p (1 - p) at the square of what the label's turning to k adds. The chance
moves with what is calibrated of k itself, and with that of the predicted class, which takes from all others; that it
moves with those of the other classes, too, which share with it what is left, is of second order and left out.
"""

import numpy as np

from driftwatch.kernels import confusion
from driftwatch.kernels.class_calibration import ClassCalibration
from driftwatch.kernels.influence import RANKED, ranked_influences
from driftwatch.kernels.interval import Floats
from driftwatch.statistics.estimation import Estimated
from driftwatch.statistics.estimation_multiclass import Counts, Part, ScoredRows, count_rows, part_of, slots_of

COUNTED = {
    "precision": confusion.precision,
    "recall": confusion.recall,
    "f1": confusion.f1,
    "specificity": confusion.specificity,
}
"""Metrics of (label, prediction) counts, of each class."""


def estimate_classes(rows: ScoredRows, calibration: ClassCalibration) -> dict[str, Estimated]:
    """Metrics of each class by what matured labels say of its scores, each (K,); nothing of no rows."""
    if not rows.said.size:
        return {}
    classes, _, bins = calibration.chances.shape
    counts = Counts.empty(classes, bins)
    for chunk in rows.chunks():
        part = part_of(rows, chunk, calibration)
        count_rows(counts, part.rows.bins, part.rows.said, chances=part.shares.chances)
    turns = _counted_turns(counts.matrix)
    ranked = ranked_influences(counts.by_label)
    values = {name: metric(counts.matrix)[:-1] for name, metric in COUNTED.items()}
    values |= {name: found.value for name, found in ranked.items()}
    errors = {name: _Errors(calibration) for name in values}
    for chunk in rows.chunks():
        part = part_of(rows, chunk, calibration)
        predicted = (part.rows.said[:, None] == np.arange(classes)).astype(np.int64)
        slots = slots_of(part.rows.bins, bins)
        for name, error in errors.items():
            if name in RANKED:
                slope = ranked[name].slope
                error.add(part, np.nan_to_num(slope[..., 1] - slope[..., 0]).ravel()[slots])
            else:
                error.add(part, turns[name][np.arange(classes), predicted])
    return {
        name: Estimated(value, np.sqrt(errors[name].luck), np.sqrt(errors[name].variance), low=0.0, high=1.0)
        for name, value in values.items()
    }


class _Errors:
    """Sums of one metric's errors, over rows. luck: (K,) variance of the labels' luck."""

    def __init__(self, calibration: ClassCalibration) -> None:
        self._calibration = calibration
        classes, size = calibration.chances.shape[0], calibration.variances.size
        self.luck = np.zeros(classes)
        self._own, self._taken = np.zeros(size), np.zeros((classes, size))

    def add(self, part: Part, turn: Floats) -> None:
        """Some rows; turn: (rows, K) what it adds to a class's metric that the row is of the class."""
        chances, rest = part.shares.chances, part.shares.rest
        self.luck += np.einsum("ij,ij,ij->j", chances * (1 - chances), turn, turn)
        blocks = self._calibration.blocks.ravel()[part.cells]
        size, classes = self._own.size, turn.shape[1]
        own = turn * (1 - rest) * part.shares.scale
        self._own += np.bincount(blocks.ravel(), own.ravel(), minlength=size)
        known = np.flatnonzero(part.rows.said < classes)
        said = blocks[known, part.rows.said[known]][:, None] + np.arange(classes) * size
        taken = np.bincount(said.ravel(), (rest * turn)[known].ravel(), minlength=self._taken.size)
        self._taken += taken.reshape(classes, size)

    @property
    def variance(self) -> Floats:
        """(K,) of the calibrated chances' errors."""
        classes, variances = len(self.luck), self._calibration.variances
        owners = np.zeros(variances.size, dtype=np.int64)
        blocks = self._calibration.blocks
        owners[blocks.ravel()] = np.repeat(np.arange(classes), blocks[0].size)
        found: Floats = np.bincount(owners, self._own**2 * variances, minlength=classes) + self._taken**2 @ variances
        return found


@np.errstate(all="ignore")
def _counted_turns(matrix: Floats) -> dict[str, Floats]:
    """What a row's turning to a class adds to the class's metric, where it is not and where it is predicted: (K, 2).

    At counts with a little more in every cell, so that one of thin counts is not infinite.
    """
    full = matrix + 4 / matrix.size
    total, labels, said = full.sum(), full.sum(axis=1)[:-1], full.sum(axis=0)[:-1]
    hits = np.diagonal(full)[:-1]
    recall, specific = hits / labels, (total - labels - said + hits) / (total - labels)
    zero, f1 = np.zeros(labels.size), 2 * hits / (labels + said)
    sides = {
        "precision": (zero, 1 / said),
        "recall": (-recall / labels, (1 - recall) / labels),
        "f1": (-f1 / (labels + said), (2 - f1) / (labels + said)),
        "specificity": ((specific - 1) / (total - labels), specific / (total - labels)),
    }
    return {name: np.stack(turns, axis=1) for name, turns in sides.items()}
