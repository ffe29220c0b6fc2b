"""Counts consecutive rows on all scales at once: blocks of 2, 4, 8 … rows, each level made of the one below."""

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.block_moments import (
    GROUPS,
    INVALID_GROUP,
    MISSING_GROUP,
    Groups,
    block_counts,
    moments_of,
    packed,
    run_moments,
)
from driftwatch.stream.batch import Batch
from driftwatch.summaries.coarsening import category_groups
from driftwatch.summaries.layout import Floats, Layout
from driftwatch.summaries.pyramid import Pyramid
from driftwatch.summaries.pyramid_ladder import Ladder

RUN_LEVELS, TOP_LEVELS = 9, 20
RUN = 1 << (RUN_LEVELS + 1)
"""Rows that small blocks are counted within."""
RUNS = 128
"""So many runs, evenly spread over the table, are looked at in small blocks: more would say the same once more."""


class PyramidCounter:
    """Counts rows into a pyramid; the result does not depend on the cutting, and memory is bounded.

    cuts: (numeric columns, VALUE_GROUPS - 1), see `coarsening.cuts_of`. rows: how many the table has, about.
    """

    def __init__(self, layout: Layout, cuts: Floats, *, rows: int) -> None:
        self._groups = RowGroups(layout, cuts)
        self._numeric, self._columns = len(layout.numeric), len(layout.names)
        self._stride = stride_of(rows)
        self._pending: Groups = np.empty((self._columns, 0), dtype=np.uint8)
        self._runs = 0
        self._counts = np.zeros((self._columns, GROUPS))
        self._moments = np.zeros((RUN_LEVELS, self._columns, GROUPS, GROUPS))
        self._blocks = np.zeros(RUN_LEVELS, dtype=np.int64)
        self._ladder = Ladder(moments_of, levels=TOP_LEVELS - RUN_LEVELS)

    def add(self, batch: Batch) -> None:
        """Count the next rows."""
        groups = np.concatenate([self._pending, self._groups.of(batch)], axis=1)
        count = groups.shape[1] // RUN
        self._pending = groups[:, count * RUN :].copy()
        if not count:
            return
        runs = groups[:, : count * RUN].reshape(self._columns, count, RUN)
        chosen = np.flatnonzero((self._runs + np.arange(count)) % self._stride == 0)
        moments, blocks = self._looked_into(runs[:, chosen])
        self._moments += moments
        self._blocks += blocks
        self._runs += count
        halves = groups[:, : count * RUN].reshape(self._columns, 2 * count, RUN // 2)
        counts = np.array([block_counts(column) for column in halves]).reshape(self._columns, 2 * count, GROUPS)
        self._counts += counts.sum(axis=1)
        self._ladder.add(counts)

    @property
    def pyramid(self) -> Pyramid:
        """The pyramid of the rows so far."""
        rest = self._pending[:, None, :]
        moments, blocks = self._moments, self._blocks
        if self._runs % self._stride == 0:
            more, so_many = self._looked_into(rest)
            moments, blocks = moments + more, blocks + so_many
        moments = np.concatenate([moments, self._ladder.sums(np.zeros_like(moments[0]))])
        blocks = np.concatenate([blocks, self._ladder.blocks])
        counts = self._counts + np.array([block_counts(column)[0] for column in rest]).reshape(self._columns, GROUPS)
        rows = self._runs * RUN + self._pending.shape[1]
        known = blocks > 1
        lengths = 2 ** np.arange(1, TOP_LEVELS + 1)
        return Pyramid(rows, self._numeric, counts, lengths[known], blocks[known], packed(moments[known]))

    def _looked_into(self, runs: Groups) -> tuple[Floats, NDArray[np.int64]]:
        """Moments (RUN_LEVELS, columns, GROUPS, GROUPS) of the small blocks within (columns, runs, rows)."""
        moments = np.zeros((RUN_LEVELS, self._columns, GROUPS, GROUPS))
        blocks = np.zeros(RUN_LEVELS, dtype=np.int64)
        if not runs.size:
            return moments, blocks
        for place, column in enumerate(runs):
            moments[:, place], blocks[:] = run_moments(column, levels=RUN_LEVELS)
        return moments, blocks


class RowGroups:
    """Tells the group of each value and category of the rows of a layout; cuts: see `PyramidCounter`."""

    def __init__(self, layout: Layout, cuts: Floats) -> None:
        self._cuts = cuts
        self._folds = [category_groups(int(width)) for width in np.diff(layout.offsets)]

    def of(self, batch: Batch) -> Groups:
        """(columns, rows), numeric columns first."""
        groups = np.zeros((len(self._cuts) + len(self._folds), batch.rows), dtype=np.uint8)
        for place, (values, cuts) in enumerate(zip(batch.numeric, self._cuts, strict=True)):
            line = groups[place]
            for cut in cuts[np.isfinite(cuts)]:
                line += values > cut
            line[np.isnan(values)] = MISSING_GROUP
            line[np.isposinf(values)] = INVALID_GROUP
        for place, fold in enumerate(self._folds, start=len(self._cuts)):
            groups[place] = fold[batch.categorical[place - len(self._cuts)]]
        return groups


def stride_of(rows: int) -> int:
    """Every which run is looked into, where the table has about so many rows."""
    return max(1, -(-rows // (RUN * RUNS)))
