"""How good a model of several classes is expected to be where no label has come, and how far that may be off.

Every row counts as each class with its calibrated chance (CBPE); each metric is that of the expected counts. As in
`estimation`, the error has two parts, the luck of these rows' labels and the error of the chances, which the metric's
derivative carries to it. With p the chances of a row, and a what a label of each class adds to the metric, the variance
of luck is Σ rows Σ p (a - ā)², where ā is Σ p a; and a calibrated chance moves the metric by a less the mean of a over
the classes that are not predicted, scaled as the chance is. AUC and average precision come from the bins of the scores,
as means over classes, each against the rest.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels import confusion
from driftwatch.kernels.class_calibration import ClassCalibration, Shares, shares_of
from driftwatch.kernels.influence import RANKED, Influence, ranked_influences
from driftwatch.kernels.interval import Floats
from driftwatch.statistics.estimation import Estimated
from driftwatch.statistics.multiclass import MACRO

Ints = NDArray[np.int64]

METRICS = ("accuracy", *MACRO, *RANKED)
"""All metrics that are estimated."""
CHUNK_CELLS = 1 << 19
"""Rows × classes that are worked on at once."""


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Predictions of K classes, all of whose scores are known.

    bins: (rows, K) bin of each class's score. said: (rows,) predicted class, K for one that is not known.
    """

    bins: NDArray[np.uint16]
    said: Ints

    def chunks(self) -> Iterator[slice]:
        """Some rows at a time."""
        step = max(1, CHUNK_CELLS // max(1, self.bins.shape[1]))
        for first in range(0, self.said.size, step):
            yield slice(first, first + step)


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of rows by their chances.

    matrix: (K + 1, K + 1) by label and prediction. by_label: (K, bins, 2) by the bin of each class's score, and whether
    the class is the label.
    """

    matrix: Floats
    by_label: Floats

    @classmethod
    def empty(cls, classes: int, bins: int) -> Self:
        """None yet."""
        return cls(np.zeros((classes + 1, classes + 1)), np.zeros((classes, bins, 2)))


def estimate_multiclass(
    rows: ScoredRows, calibration: ClassCalibration, names: Collection[str] = METRICS
) -> dict[str, Estimated]:
    """Metrics of some rows by what matured labels say of each class's scores; nothing of no rows."""
    if not rows.said.size:
        return {}
    classes, _, bins = calibration.chances.shape
    counts = Counts.empty(classes, bins)
    chunks = list(rows.chunks())
    parts = [part_of(rows, chunk, calibration) for chunk in chunks[:1]]
    for part in parts if len(chunks) == 1 else (part_of(rows, chunk, calibration) for chunk in chunks):
        count_rows(counts, part.rows.bins, part.rows.said, chances=part.shares.chances)
    tables = _tables(counts.matrix)
    turns = {name: _turn(found) for name, found in ranked_influences(counts.by_label).items()}
    luck = dict.fromkeys(names, 0.0)
    pulls = {name: np.zeros(calibration.variances.size) for name in luck}
    for part in parts if len(chunks) == 1 else (part_of(rows, chunk, calibration) for chunk in chunks):
        shares, said, slots = part.shares, part.rows.said, slots_of(part.rows.bins, bins)
        blocks = calibration.blocks.ravel()[part.cells.ravel()]
        for name in luck:
            added = tables[name].T[said, :-1] if name in tables else turns[name].ravel()[slots]
            moved = (added - _mean(shares.rest, added)) * shares.scale
            luck[name] += float(np.einsum("ij,ij,ij->", shares.chances, added, added))
            luck[name] -= float((_mean(shares.chances, added) ** 2).sum())
            pulls[name] += np.bincount(blocks, moved.ravel(), minlength=pulls[name].size)
    values = _values(counts)
    return {
        name: Estimated(
            np.asarray(values[name]),
            np.sqrt(np.maximum(luck[name], 0.0)),
            np.sqrt((pulls[name] ** 2 * calibration.variances).sum()),
            low=0.0,
            high=1.0,
        )
        for name in luck
    }


def realised_multiclass(rows: ScoredRows, labels: Ints, *, bins: int) -> dict[str, Floats]:
    """The same metrics by labels (rows,), K for a class that is not known, which is no class's."""
    classes = rows.bins.shape[1]
    counts = Counts.empty(classes, bins)
    for chunk in rows.chunks():
        given = (labels[chunk, None] == np.arange(classes)).astype(np.float64)
        count_rows(counts, rows.bins[chunk], rows.said[chunk], chances=given)
    return _values(counts)


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows, their chances, and where in a raveled (K, 2, bins) array each class's side and bin is: (rows, K)."""

    rows: ScoredRows
    cells: Ints
    shares: Shares


def part_of(rows: ScoredRows, chunk: slice, calibration: ClassCalibration) -> Part:
    """Look up the chances of some rows."""
    some = ScoredRows(rows.bins[chunk], rows.said[chunk])
    classes, _, count = calibration.chances.shape
    predicted = some.said[:, None] == np.arange(classes)
    cells = slots_of(some.bins, 2 * count) + predicted * count
    return Part(some, cells, shares_of(calibration.chances.ravel()[cells], predicted))


def _mean(chances: Floats, added: Floats) -> Floats:
    """(rows, 1) what a label adds on average."""
    mean: Floats = np.einsum("ij,ij->i", chances, added)[:, None]
    return mean


def slots_of(bins: NDArray[np.uint16], count: int) -> Ints:
    """Where in a raveled (K, count) array each score's bin is: (rows, K)."""
    slots: Ints = bins + np.arange(bins.shape[1]) * count
    return slots


def count_rows(counts: Counts, bins: NDArray[np.uint16], said: Ints, *, chances: Floats) -> None:
    """Add some rows to the counts; chances (rows, K), where what a row lacks of one is of a class that is not known."""
    classes, slots = counts.by_label.shape[:2]
    flat = slots_of(bins, slots).ravel()
    rows = np.bincount(flat, minlength=classes * slots).reshape(classes, slots)
    hits = np.bincount(flat, chances.ravel(), minlength=classes * slots).reshape(classes, slots)
    counts.by_label[..., 0] += rows - hits
    counts.by_label[..., 1] += hits
    by_class = chances.T @ np.eye(classes + 1)[said]
    counts.matrix[:-1] += by_class
    counts.matrix[-1] += np.bincount(said, minlength=classes + 1) - by_class.sum(axis=0)


def _values(counts: Counts) -> dict[str, Floats]:
    """Every metric of counted rows; means are over the classes that have a value."""
    values = {"accuracy": confusion.accuracy(counts.matrix)}
    for name, (metric, _) in MACRO.items():
        values[name] = confusion.macro(metric(counts.matrix)[:-1])
    return values | {name: confusion.macro(found.value) for name, found in ranked_influences(counts.by_label).items()}


@np.errstate(all="ignore")
def _tables(matrix: Floats) -> dict[str, Floats]:
    """What a row more of each label and prediction adds to a metric, (K + 1, K + 1); of thin counts somewhat less."""
    full = matrix + 4 / matrix.size
    tables = {"accuracy": np.eye(len(matrix)) / matrix.sum()}
    for name, (metric, influence_of) in MACRO.items():
        known = ~np.isnan(metric(matrix))
        known[-1] = False
        tables[name] = influence_of(full, metric(full), known / np.maximum(known.sum(), 1))
    return tables


def _turn(found: Influence) -> Floats:
    """What a row more of a class, at each bin of its score, adds to the mean over classes: (K, bins)."""
    known = ~np.isnan(found.value)
    weights = known / max(int(known.sum()), 1)
    turn: Floats = np.nan_to_num(found.slope[..., 1] - found.slope[..., 0]) * weights[:, None]
    return turn
