"""What is known of a binary classifier's answers: counts and sums over score bins, which add."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.kernels.scoring import log_losses
from driftwatch.stream.outputs import LABELLED, Answers, OutputForm
from driftwatch.summaries.scores import ScoreBins, ScoreGrid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Counts = NDArray[np.float64] | NDArray[np.int64]

PLACE, LOSS, BRIER = slice(0, 2), slice(2, 5), slice(5, 8)
"""Where a state's `sums` hold the powers of each quantity, the first power first."""
SUMS = 8


@dataclass(frozen=True, slots=True)
class BinaryState:
    """Counts of one window, or of many at once along leading axes "…"; counts are floats once reweighted.

    Slot `bins` of the grid holds the rows that have a prediction but no score; rows that have neither are in no count.
    predicted: (…, bins + 1, 2) all predictions by score bin and predicted class.
    labelled: (…, bins + 1, 2, 2) those whose label has come, by score bin, predicted class and label.
    sums: (…, bins + 1, 2, 2, SUMS) of the labelled: u and u², where u = (right edge - score) / width of the bin lies in
        [0, 1); then the log loss l, l², l³; then the squared error b, b², b³. 0 in the slot without a score.
    """

    grid: ScoreGrid | ScoreBins
    predicted: Counts
    labelled: Counts
    sums: Floats

    @classmethod
    def of(cls, answers: Answers, form: OutputForm, *, grid: ScoreGrid) -> Self:
        """Count some answers."""
        return cls.of_cells(answers, form, grid=grid, cells=np.zeros(answers.rows, dtype=np.int64), count=1).at(0)

    @classmethod
    def of_cells(cls, answers: Answers, form: OutputForm, *, grid: ScoreGrid, cells: Ints, count: int) -> Self:
        """Count answers of `count` cells at once, their leading axis; cells: (rows,) 0…count-1, -1 for none."""
        rows = _Rows.of(answers, form)
        return cls(grid, *rows.counts(grid, grid.bins_of(rows.scores), cells=cells, count=count))

    @classmethod
    def filled(cls, answers: Answers, form: OutputForm, *, grid: ScoreGrid, slots: Ints) -> Self:
        """Count some answers over the bins that hold any of them, which are few in a small window.

        slots: (rows,) what `grid.bins_of` says of their scores.
        """
        bins, places = grid.filled(slots)
        cells = np.zeros(answers.rows, dtype=np.int64)
        return cls(bins, *_Rows.of(answers, form).counts(bins, places, cells=cells, count=1)).at(0)

    @classmethod
    def empty(cls, grid: ScoreGrid) -> Self:
        """The identity of `merge`."""
        shape = (grid.bins + 1, 2)
        counts = np.zeros(shape, dtype=np.int64), np.zeros((*shape, 2), dtype=np.int64)
        return cls(grid, *counts, np.zeros((*shape, 2, SUMS)))

    def merge(self, other: Self) -> Self:
        """Add two states; StateError when they were counted over different grids."""
        if self.grid is not other.grid and not np.array_equal(self.grid.edges, other.grid.edges):
            raise StateError("states of different score grids do not add")
        return type(self)(
            self.grid, self.predicted + other.predicted, self.labelled + other.labelled, self.sums + other.sums
        )

    def at(self, place: int) -> Self:
        """One of many along the first axis."""
        return replace(self, predicted=self.predicted[place], labelled=self.labelled[place], sums=self.sums[place])

    def reweighted(self, weights: Floats) -> Self:
        """Count every labelled row `weights` times: (…, bins + 1, 2), by score bin and predicted class.

        `state.reweighted(weights**2)` is the `spread` that the variance of a weighted estimate is made of.
        """
        return replace(self, labelled=self.labelled * weights[..., None], sums=self.sums * weights[..., None, None])

    def arrays(self) -> dict[str, Counts]:
        """The state as named arrays, for whoever stores it."""
        return {"predicted": self.predicted, "labelled": self.labelled, "sums": self.sums}

    @classmethod
    def from_arrays(cls, grid: ScoreGrid, arrays: Mapping[str, Counts]) -> Self:
        """The inverse of `arrays`; StateError when the arrays do not fit the grid."""
        state = cls(grid, arrays["predicted"], arrays["labelled"], arrays["sums"].astype(np.float64, copy=False))
        if state.labelled.shape[-3:] != (grid.bins + 1, 2, 2) or state.sums.shape != (*state.labelled.shape, SUMS):
            raise StateError("stored arrays do not fit the score grid")
        return state


@dataclass(frozen=True, slots=True)
class _Rows:
    """Answers as they are counted; all (rows,). said: predicted class. labels: meaningful where it is `known`.

    scored: whether there is a score.
    """

    scores: Floats
    scored: NDArray[np.bool_]
    said: Ints
    labels: Ints
    known: NDArray[np.bool_]

    @classmethod
    def of(cls, answers: Answers, form: OutputForm) -> Self:
        """Read them."""
        scores = answers.outputs["score"].astype(np.float64)
        scored = ~np.isnan(scores)
        said = answers.outputs["prediction"].astype(np.int64)
        said = np.where((said < 0) & scored, scores >= form.threshold, said)
        labels = answers.outcomes["label"].astype(np.int64)
        return cls(scores, scored, said, labels, (answers.state == LABELLED) & (labels >= 0))

    def counts(self, grid: ScoreGrid | ScoreBins, slots: Ints, *, cells: Ints, count: int) -> tuple[Ints, Ints, Floats]:
        """The three arrays of a state; slots: (rows,) slot of the grid that each row is counted in."""
        counted = (cells >= 0) & (self.said >= 0)
        flat = (cells * (grid.bins + 1) + slots) * 2 + self.said
        shape = (count, grid.bins + 1, 2)
        size = 2 * count * (grid.bins + 1)
        predicted: Ints = np.bincount(flat[counted], minlength=size).reshape(shape)
        known = np.flatnonzero(counted & self.known)
        flat, told = flat[known] * 2 + self.labels[known], self.scored[known]
        labelled: Ints = np.bincount(flat, minlength=2 * size).reshape(*shape, 2)
        if not told.all():
            known, flat = known[told], flat[told]
        powers = _powers(self.scores[known], self.labels[known], grid=grid, slots=slots[known])
        sums: Floats = np.empty((2 * size, SUMS))
        for place, power in enumerate(powers):
            sums[:, place] = np.bincount(flat, weights=power, minlength=2 * size)
        return predicted, labelled, sums.reshape(*shape, 2, SUMS)


def _powers(scores: Floats, labels: Ints, *, grid: ScoreGrid | ScoreBins, slots: Ints) -> list[Floats]:
    """What every scored row adds to `sums`."""
    place = (grid.edges[slots] - scores) / grid.widths[slots]
    loss, error = log_losses(scores, labels), (labels - scores) ** 2
    squares = loss * loss, error * error
    return [place, place * place, loss, squares[0], squares[0] * loss, error, squares[1], squares[1] * error]
