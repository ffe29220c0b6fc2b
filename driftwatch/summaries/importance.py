"""How much each column of the reference says of what the model answers: what to look at first."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from driftwatch.kernels.information import dependence
from driftwatch.stream.batch import Batch
from driftwatch.stream.schema import PREDICTION, SCORE, Task
from driftwatch.summaries.blocks import COARSE, coarse_groups, grouped
from driftwatch.summaries.layout import Floats, Ints, Layout
from driftwatch.summaries.profile import profiles
from driftwatch.summaries.survey import priorities

ROWS = 200_000
"""Rows from which it is learnt; of more, as many are drawn by the hash of their place."""
ANSWERS = 10
"""Groups of a numeric answer: quantiles of the reference."""
CLASSES = 32
"""Predictions that are told apart, the most frequent ones."""

_EVERY = np.uint64(np.iinfo(np.uint64).max)


class ImportanceCounter:
    """Counts the groups of every column by the model's answer: of a binary model its score, else its prediction.

    Where there is no such column it is the other one. Rows without an answer are not counted.
    """

    def __init__(self, layout: Layout, task: Task, *, rows: int) -> None:
        """Take the layout, and the number of rows to come."""
        self._layout = layout
        self._share = np.uint64(min(1.0, ROWS / max(1, rows)) * float(2**63)) * np.uint64(2) if rows > ROWS else _EVERY
        self._seen = 0
        self._groups = coarse_groups(layout)
        names = [column.name for column in layout.numeric], [column.name for column in layout.categorical]
        order = (SCORE, PREDICTION) if task is Task.BINARY else (PREDICTION, SCORE)
        self._answer = next((name for name in order if name in (*names[0], *names[1])), None)
        self._number = names[0].index(self._answer) if self._answer in names[0] else None
        self._class = names[1].index(self._answer) if self._answer in names[1] else None
        self._numeric: Ints = np.zeros((CLASSES, len(layout.numeric), COARSE), dtype=np.int64)
        self._categories: Ints = np.zeros((CLASSES, int(layout.offsets[-1])), dtype=np.int64)

    def add(self, batch: Batch) -> None:
        """Count more rows."""
        if self._answer is None or not batch.rows:
            return
        chosen = priorities(self._seen, batch.rows) <= self._share
        self._seen += batch.rows
        some = batch if chosen.all() else batch.where(chosen)
        for answer, part in enumerate(profiles(some, self._answers(some), count=CLASSES, layout=self._layout)):
            self._numeric[answer] += grouped(part.numeric.counts, self._groups)
            self._categories[answer] += part.categories

    @property
    def importance(self) -> Floats | None:
        """(columns,) in [0, 1], numeric first: the share of the answer's entropy that a column's group takes away.

        1 for the model's own outputs; None where it has none.
        """
        if self._answer is None:
            return None
        tables = [self._numeric[:, place].T for place in range(self._numeric.shape[1])]
        tables += [self._categories[:, a:b].T for a, b in pairwise(self._layout.offsets.tolist())]
        own = np.array([name in {SCORE, PREDICTION} for name in self._layout.names], dtype=np.bool_)
        return np.where(own, 1.0, np.array([dependence(table) for table in tables], dtype=np.float64))

    def _answers(self, batch: Batch) -> Ints:
        """(rows,) the group of each row's answer, -1 where it gave none."""
        if self._number is not None:
            values = batch.numeric[self._number]
            # The layout's bins hold about as many rows each, so that every few of them are a quantile.
            inner = np.unique(self._layout.edges[self._number])
            cuts = inner[np.linspace(0, inner.size - 1, ANSWERS + 1).astype(np.int64)[1:-1]]
            return np.where(np.isfinite(values), np.searchsorted(cuts, values), -1).astype(np.int64)
        assert self._class is not None
        codes = batch.categorical[self._class]
        known = len(self._layout.categorical[self._class].vocabulary)
        return np.where(codes <= known, np.minimum(codes, CLASSES - 1), -1).astype(np.int64)


def ranking(names: tuple[str, ...], learnt: Floats | None, given: Mapping[str, float]) -> dict[str, float]:
    """Say how important each column is, the most important first: as given, else as learnt, else 1.

    names: of the columns. learnt: (columns,) as `ImportanceCounter` has it. given: by a person, ≥ 0.
    """
    weights = np.ones(len(names)) if learnt is None else learnt
    found = {name: given.get(name, float(weight)) for name, weight in zip(names, weights, strict=True)}
    return dict(sorted(found.items(), key=lambda item: -item[1]))
