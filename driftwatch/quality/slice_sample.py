"""Which columns a reference's labels make slices of: those whose groups say more of the label than the score does.

Labelled rows are sampled while they are counted, by a hash of their place in the table, so that the sample is the same
however the table is cut. When all are seen, and so the chance of the positive class at each score, every column is
divided into groups and put to a test; what those that pass say is kept as evidence (see `kernels.slicing`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.calibration import calibrate_bins
from driftwatch.kernels.slicing import LEVEL, choose, doubt, saving
from driftwatch.stream.batch import Batch, Codes, Floats, Ints
from driftwatch.stream.dimensions import ByCategory, ByRange, Dimension
from driftwatch.stream.schema import PREDICTION, SCORE
from driftwatch.stream.tabled import Marked
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.scores import ScoreGrid
from driftwatch.summaries.slices import KnownSlices, SliceEvidence
from driftwatch.summaries.survey import priorities

SAMPLE_ROWS, SAMPLE_CELLS = 50_000, 2_000_000
"""Rows of the sample, fewer of a wide table, so that memory is bounded."""
LEAST_ROWS = 2_000
"""Labelled rows without which no column is put to a test."""
MOST_SLICES = 3
"""Each is a byte of every prediction that waits for its label."""
LEAST_SAVING = 0.005
"""Nats a row that slices must add to what the score says. With many rows the least effect is significant, and using it
costs more than it gives: at 0.002 (the car loan reference, judged on chunks of its own) estimates by slices erred by
.0038 in accuracy and those without by .0035; at 0.027 (a simulated reference) slices take away
most of the error."""
RANGES, VALUES = 10, 15
"""Ranges of a numeric column; most frequent values of another, all others being one group more."""

_FINALISTS = 8
"""Columns that pass alone and are put to the test beside each other."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Some rows. priorities: (rows,) smaller ones stay.

    numeric, categorical: (columns, rows) as in `Batch`. cells: (rows, 3) score bin, predicted class, label.
    """

    priorities: NDArray[np.uint64]
    numeric: Floats
    categorical: Codes
    cells: Ints

    def at(self, which: "NDArray[np.bool_] | Ints") -> "Sampled":
        """Some of them."""
        return Sampled(self.priorities[which], self.numeric[:, which], self.categorical[:, which], self.cells[which])

    def beside(self, other: "Sampled") -> "Sampled":
        """Both."""
        return Sampled(
            np.concatenate([self.priorities, other.priorities]),
            np.concatenate([self.numeric, other.numeric], axis=1),
            np.concatenate([self.categorical, other.categorical], axis=1),
            np.concatenate([self.cells, other.cells]),
        )


class SliceSample:
    """A fair sample of the labelled rows of a binary model's reference."""

    def __init__(self, layout: Layout, grid: ScoreGrid) -> None:
        self._layout, self._grid = layout, grid
        columns = len(layout.numeric), len(layout.categorical)
        self.most_rows = min(SAMPLE_ROWS, SAMPLE_CELLS // max(1, sum(columns)))
        none = np.zeros(0, dtype=np.uint64)
        empty = np.zeros((columns[0], 0)), np.zeros((columns[1], 0), dtype=np.int32)
        self.sampled = Sampled(none, *empty, np.zeros((0, 3), dtype=np.int64))

    def add(self, marked: Marked, batch: Batch, *, first_row: int) -> None:
        """See the labelled rows of a chunk; batch: all of its rows. first_row: of the chunk, in the whole table."""
        outputs, labels = marked.answers.outputs, marked.answers.outcomes["label"]
        ranks = priorities(first_row, int(marked.places.max(initial=-1)) + 1)[marked.places]
        held = self.sampled.priorities
        full = held.size >= self.most_rows
        some = np.flatnonzero(
            (outputs["prediction"] >= 0) & (labels >= 0) & ((ranks < held.max()) if full else np.True_)
        )
        places = marked.batch_places[some]
        cells = self._grid.bins_of(outputs["score"][some]), outputs["prediction"][some], labels[some]
        new = Sampled(
            ranks[some],
            batch.numeric[:, places],
            batch.categorical[:, places],
            np.stack(cells, axis=1).astype(np.int64),
        )
        rows = self.sampled.beside(new)
        if rows.priorities.size > self.most_rows:
            rows = rows.at(np.argpartition(rows.priorities, self.most_rows)[: self.most_rows])
        self.sampled = rows

    def merge(self, other: "SliceSample") -> None:
        """Take in the sample of other rows of the table."""
        rows = self.sampled.beside(other.sampled)
        self.sampled = rows.at(np.argsort(rows.priorities)[: self.most_rows])

    def chosen(self, labelled: Floats) -> tuple[tuple[Dimension, ...], KnownSlices | None]:
        """The columns whose groups say most, the best first, and what they say; maybe none.

        labelled: (bins + 1, 2, 2) all labelled rows by score bin × predicted class × label.
        """
        rows = self.sampled.at(np.argsort(self.sampled.priorities))
        chances = calibrate_bins(labelled, self._grid.middles).chances[rows.cells[:, 0], rows.cells[:, 1]]
        rows, chances = rows.at(~np.isnan(chances)), chances[~np.isnan(chances)]
        if chances.size < LEAST_ROWS:
            return (), None
        labels = rows.cells[:, 2].astype(np.float64)
        ways = self._ways(rows)
        codes = [way.codes(rows.numeric, rows.categorical).astype(np.uint8)[:, None] for way in ways]
        alone = [SliceEvidence.of(each, chances, labels) for each in codes]
        doubts = np.array([doubt(each.response, each.information) for each in alone])
        passed = [place for place in np.argsort(doubts, kind="stable") if doubts[place] <= LEVEL / len(ways)]
        passed = passed[:_FINALISTS]
        if not passed:
            return (), None
        together = SliceEvidence.of(np.hstack([codes[place] for place in passed]), chances, labels)
        among = choose(together.response, together.information, most=MOST_SLICES)
        if saving(together.response, together.information, among) < LEAST_SAVING * chances.size:
            return (), None
        best = [passed[place] for place in among]
        evidence = SliceEvidence.converged(np.hstack([codes[place] for place in best]), chances, labels)
        return tuple(ways[place] for place in best), KnownSlices(evidence, chances.size)

    def _ways(self, rows: Sampled) -> list[Dimension]:
        """Every column that has at least two groups, divided."""
        found: list[Dimension] = []
        for place, column in enumerate(self._layout.numeric):
            edges = _edges(rows.numeric[place])
            if column.name not in {SCORE, PREDICTION} and edges:
                found.append(ByRange(column.name, place, edges))
        for place, column in enumerate(self._layout.categorical):
            counts = np.bincount(rows.categorical[place], minlength=len(column.vocabulary))
            kept = np.argsort(-counts[: len(column.vocabulary)], kind="stable")[:VALUES]
            if column.name != PREDICTION and np.count_nonzero(counts) > 1:
                names = [column.vocabulary[code] for code in sorted(kept.tolist())]
                found.append(ByCategory.of(column.name, place, column.vocabulary, kept=names))
        return found


def _edges(values: Floats) -> tuple[float, ...]:
    """Quantiles of the numbers among some values, each once and below the greatest, so that every range has rows."""
    numbers = np.sort(values[np.isfinite(values)])
    if not numbers.size:
        return ()
    edges = np.unique(numbers[numbers.size * np.arange(1, RANGES) // RANGES])
    return tuple(edges[edges < numbers[-1]].tolist())
