"""What is known of a multiclass classifier's answers: confusion counts, and score bins of each class against the rest.

Strata, by which rows may be reweighted, are predicted class × tenth of the greatest score. The score bins are not
kept by stratum (they would be K² times as many); a weighted state is counted from the answers with weights by stratum.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.kernels.scoring import ECE_EDGES, class_briers, class_log_losses
from driftwatch.stream.outputs import LABELLED, Answers, OutputForm
from driftwatch.summaries.scores import ScoreGrid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TENTHS = 10
"""Bins of the greatest score; slot TENTHS is for rows without scores."""
LOSSES = 6
"""Log loss l, l², l³, then the squared error b, b², b³."""


THINNED = 4
"""Every so many edges of a binary model's grid one is kept, so that a hundred classes fit into memory."""


@lru_cache(maxsize=1)
def class_grid() -> ScoreGrid:
    """The grid of every class's scores: that of a binary model without a reference, thinned; hundredths are kept."""
    edges = ScoreGrid.of().edges
    kept = np.isin(edges, np.arange(101) / 100) | (np.arange(edges.size) % THINNED == 0)
    kept[-2:] = True
    return ScoreGrid(edges[kept])


@dataclass(frozen=True, slots=True)
class MulticlassState:
    """Counts of one window, or of many at once along leading axes "…"; K classes, and code K for any other.

    Rows without a prediction are in no count. `predicted` counts rows; everything else weighs them.
    predicted: (…, K + 1, TENTHS + 1) all predictions by stratum: predicted class and tenth of the greatest score.
    labelled: (…, K + 1, TENTHS + 1, K + 1) those whose label has come, by stratum and label.
    scores: (…, K, bins, 2) of the labelled rows that have scores and a known label: by class, the bin of its score, and
        whether it is the label. places: (…, K, bins, 2, 2) sums of u and u² as in `BinaryState`.
    losses: (…, LOSSES) and confidence: (…, TENTHS, 3) of the same rows: sums of the loss's powers; by tenth of the
        greatest score c, with h whether its class is the label, sums of 1, c - h and (c - h)².
    """

    grid: ScoreGrid
    predicted: Ints
    labelled: Floats
    scores: Floats
    places: Floats
    losses: Floats
    confidence: Floats

    @classmethod
    def of(cls, answers: Answers, form: OutputForm, *, weights: Floats | None = None) -> Self:
        """Count some answers; weights (K + 1, TENTHS + 1) is how often each labelled row of a stratum counts, else 1.

        With the squares of the weights it gives the `spread` that the variance of a weighted estimate is made of.
        """
        cells = np.zeros(answers.rows, dtype=np.int64)
        several = cls.of_cells(answers, form, cells=cells, count=1, weights=None if weights is None else weights[None])
        return cls(several.grid, *(array[0] for array in several.arrays().values()))

    @classmethod
    def of_cells(
        cls, answers: Answers, form: OutputForm, *, cells: Ints, count: int, weights: Floats | None = None
    ) -> Self:
        """Count answers of `count` cells at once, their leading axis; cells: (rows,) 0…count-1, -1 for none."""
        classes, grid = len(form.classes), class_grid()
        said = answers.outputs["prediction"].astype(np.int64)
        labels = answers.outcomes["label"].astype(np.int64)
        scores = answers.outputs["scores"]
        tenths = _tenths(scores)
        counted = (cells >= 0) & (said >= 0)
        known = counted & (answers.state == LABELLED) & (labels >= 0)
        strata = (cells * (classes + 1) + said) * (TENTHS + 1) + tenths
        shape = (count, classes + 1, TENTHS + 1)
        predicted: Ints = np.bincount(strata[counted], minlength=int(np.prod(shape))).reshape(shape)
        weight: Floats = np.ones(answers.rows) if weights is None else weights.ravel()[np.where(known, strata, 0)]
        flat = strata * (classes + 1) + labels
        size = int(np.prod(shape)) * (classes + 1)
        labelled: Floats = np.zeros(size)
        labelled += np.bincount(flat[known], weights=weight[known], minlength=size)
        told = known & (tenths < TENTHS) & (labels < classes)
        parts = _Told(cells[told], scores[told], labels[told], tenths=tenths[told], weights=weight[told])
        return cls(
            grid,
            predicted,
            labelled.reshape(*shape, classes + 1),
            *parts.score_bins(grid, count=count, classes=classes),
            parts.losses(count),
            parts.confidence(count),
        )

    @classmethod
    def empty(cls, form: OutputForm) -> Self:
        """The identity of `merge`."""
        classes, grid = len(form.classes), class_grid()
        return cls(
            grid,
            predicted=np.zeros((classes + 1, TENTHS + 1), dtype=np.int64),
            labelled=np.zeros((classes + 1, TENTHS + 1, classes + 1)),
            scores=np.zeros((classes, grid.bins, 2)),
            places=np.zeros((classes, grid.bins, 2, 2)),
            losses=np.zeros(LOSSES),
            confidence=np.zeros((TENTHS, 3)),
        )

    def merge(self, other: Self) -> Self:
        """Add two states; StateError when they know different numbers of classes."""
        mine, others = self.arrays(), other.arrays()
        if self.labelled.shape[-3:] != other.labelled.shape[-3:]:
            raise StateError("states of different classes do not add")
        return type(self)(self.grid, *(mine[name] + others[name] for name in mine))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The state as named arrays, for whoever stores it."""
        return {
            "predicted": self.predicted,
            "labelled": self.labelled,
            "scores": self.scores,
            "places": self.places,
            "losses": self.losses,
            "confidence": self.confidence,
        }

    @classmethod
    def from_arrays(cls, form: OutputForm, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `arrays`; StateError when the arrays do not fit the classes."""
        empty = cls.empty(form).arrays()
        if any(arrays[name].shape[-blank.ndim :] != blank.shape for name, blank in empty.items()):
            raise StateError("stored arrays do not fit the classes")
        return cls(class_grid(), *(arrays[name].astype(blank.dtype, copy=False) for name, blank in empty.items()))


@dataclass(frozen=True, slots=True)
class _Told:
    """The labelled rows that have scores and a known label."""

    cells: Ints
    scores: NDArray[np.float32]
    labels: Ints
    tenths: Ints
    weights: Floats

    def score_bins(self, grid: ScoreGrid, *, count: int, classes: int) -> tuple[Floats, Floats]:
        """`scores` and `places` of a state."""
        counts = np.zeros((classes, count * grid.bins * 2))
        places = np.zeros((classes, count * grid.bins * 2, 2))
        for code in range(classes):
            scores = np.clip(self.scores[:, code].astype(np.float64), 0.0, 1.0)
            slots = grid.bins_of(scores)
            flat = (self.cells * grid.bins + slots) * 2 + (self.labels == code)
            way = (grid.edges[slots] - scores) / grid.widths[slots]
            counts[code] = np.bincount(flat, weights=self.weights, minlength=counts.shape[1])
            for power in (0, 1):
                sums = np.bincount(flat, weights=self.weights * way ** (power + 1), minlength=counts.shape[1])
                places[code, :, power] = sums
        shape = (classes, count, grid.bins, 2)
        return counts.reshape(shape).swapaxes(0, 1), places.reshape(*shape, 2).swapaxes(0, 1)

    def losses(self, count: int) -> Floats:
        """`losses` of a state."""
        out: Floats = np.zeros((count, LOSSES))
        for first, loss in enumerate(
            (class_log_losses(self.scores, self.labels), class_briers(self.scores, self.labels))
        ):
            for power in (1, 2, 3):
                sums = np.bincount(self.cells, weights=self.weights * loss**power, minlength=count)
                out[:, 3 * first + power - 1] = sums
        return out

    def confidence(self, count: int) -> Floats:
        """`confidence` of a state."""
        greatest = self.scores.max(axis=1, initial=0.0).astype(np.float64)
        gap = greatest - (self.scores.argmax(axis=1) == self.labels) if self.cells.size else greatest
        flat = self.cells * TENTHS + self.tenths
        out: Floats = np.zeros((count * TENTHS, 3))
        for power in range(3):
            out[:, power] = np.bincount(flat, weights=self.weights * gap**power, minlength=count * TENTHS)
        return out.reshape(count, TENTHS, 3)


def _tenths(scores: NDArray[np.float32]) -> Ints:
    """In which tenth each row's greatest score lies: (rows,); TENTHS where a score is missing."""
    if not scores.shape[1]:
        return np.full(scores.shape[0], TENTHS, dtype=np.int64)
    greatest = scores.max(axis=1).astype(np.float64)
    places = np.minimum(np.searchsorted(ECE_EDGES, greatest), TENTHS - 1)
    return np.where(np.isnan(scores).any(axis=1), TENTHS, places)
