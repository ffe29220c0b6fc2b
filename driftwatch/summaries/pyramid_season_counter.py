"""Counts consecutive rows on all scales beside what their season expects of them; it has to be known beforehand."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.block_moments import GROUPS, LEAST, VALUE_GROUPS, block_counts, merged, moments_of, packed
from driftwatch.stream.batch import Batch
from driftwatch.summaries.coarsening import category_groups
from driftwatch.summaries.layout import FINITE, SLOTS, Floats, Ints
from driftwatch.summaries.pyramid_counter import RUN, RUN_LEVELS, TOP_LEVELS, RowGroups, stride_of
from driftwatch.summaries.pyramid_ladder import Ladder
from driftwatch.summaries.pyramid_season import SeasonPyramid
from driftwatch.summaries.season_profiles import SeasonProfiles

_CELLS = 1 << 22
"""So many cells of blocks and slots are held at a time."""


@dataclass(frozen=True, slots=True)
class _Small:
    """Of blocks of 4 … RUN / 2 rows: moments (levels, 2, columns, GROUPS, GROUPS); spent, blocks: (levels,) sums."""

    moments: Floats
    spent: Floats
    blocks: Ints

    def plus(self, other: "_Small") -> "_Small":
        return _Small(self.moments + other.moments, self.spent + other.spent, self.blocks + other.blocks)


class SeasonPyramidCounter:
    """Counts rows into a pyramid of what a season leaves; the cutting matters no more than rounding does.

    cuts: as of `PyramidCounter`. parts: what the same rows hold by slot. rows: how many the table has, about.
    """

    def __init__(self, parts: SeasonProfiles, cuts: Floats, *, rows: int) -> None:
        layout = parts.layout
        self._groups, self._season = RowGroups(layout, cuts), parts.season
        self._numeric, self._columns = len(layout.numeric), len(layout.names)
        self._expected = _shares(parts, cuts)
        self._held = np.maximum(parts.rows, 1).astype(np.float64)
        self._stride = stride_of(rows)
        self._at_once = max(1, _CELLS // (parts.season.slots * RUN // LEAST))
        self._pending = (np.empty((self._columns, 0), dtype=np.uint8), np.empty(0, dtype=np.int64))
        self._runs = 0
        self._small = self._none()
        levels = TOP_LEVELS - RUN_LEVELS
        self._ladder, self._mixes = Ladder(moments_of, levels=levels), Ladder(self._part_of_held, levels=levels)

    def add(self, batch: Batch) -> None:
        """Count the next rows."""
        groups = np.concatenate([self._pending[0], self._groups.of(batch)], axis=1)
        slots = np.concatenate([self._pending[1], self._season.slot_of(batch.times)])
        count = slots.size // RUN
        whole = count * RUN
        self._pending = groups[:, whole:].copy(), slots[whole:].copy()
        for start in range(0, count, self._at_once):
            some = min(self._at_once, count - start)
            part = slice(start * RUN, (start + some) * RUN)
            self._add_runs(groups[:, part].reshape(self._columns, some, RUN), slots[part].reshape(some, RUN))

    @property
    def pyramid(self) -> SeasonPyramid:
        """What is left of the rows so far."""
        groups, slots = self._pending
        small = self._small
        if self._runs % self._stride == 0:
            small = small.plus(self._looked_into(groups[:, None], slots[None]))
        moments = np.concatenate([small.moments, self._ladder.sums(np.zeros_like(small.moments[0]))])
        spent = np.concatenate([small.spent, self._mixes.sums(np.zeros(()))])
        blocks = np.concatenate([small.blocks, self._ladder.blocks])
        known = blocks > 1
        lengths = LEAST * 2 ** np.arange(blocks.size)[known]
        moments, blocks = moments[known], blocks[known]
        left, expected = packed(moments[:, 0]), packed(moments[:, 1])
        return SeasonPyramid(self._numeric, lengths, blocks, left, expected, spent[known] / (blocks * lengths))

    def _add_runs(self, groups: NDArray[np.uint8], slots: Ints) -> None:
        """Take runs of rows, groups (columns, runs, RUN) and slots (runs, RUN)."""
        runs = len(slots)
        chosen = np.flatnonzero((self._runs + np.arange(runs)) % self._stride == 0)
        self._runs += runs
        if chosen.size:
            self._small = self._small.plus(self._looked_into(groups[:, chosen], slots[chosen]))
        mixes = self._mixed(slots.reshape(2 * runs, RUN // 2))
        halves = groups.reshape(self._columns, 2 * runs, RUN // 2)
        self._mixes.add(mixes)
        self._ladder.add(
            np.stack([self._apart(column, mixes, place) for place, column in enumerate(halves)], axis=1)
            if len(halves)
            else np.zeros((2, 0, 2 * runs, GROUPS))
        )

    def _looked_into(self, groups: NDArray[np.uint8], slots: Ints) -> "_Small":
        """Of the small blocks within runs: LEAST rows side by side, longer ones overlapping by half."""
        rows = slots.shape[1] // LEAST * LEAST
        small, found = (len(slots), rows // LEAST, LEAST), self._none()
        mixes = self._mixed(slots[:, :rows].reshape(small))
        for level, of in enumerate(_levels(mixes)):
            found.spent[level] = self._part_of_held(of)
            found.blocks[level] = of.shape[0] * of.shape[1]
        for place, column in enumerate(groups[..., :rows]):
            for level, of in enumerate(_levels(self._apart(column.reshape(small), mixes, place))):
                found.moments[level, :, place] = moments_of(of.reshape(2, of.shape[1] * of.shape[2], GROUPS))
        return found

    def _none(self) -> "_Small":
        # The first level of blocks is that of four rows.
        levels = RUN_LEVELS - 1
        shape = levels, 2, self._columns, GROUPS, GROUPS
        return _Small(np.zeros(shape), np.zeros(levels), np.zeros(levels, dtype=np.int64))

    def _mixed(self, slots: Ints) -> Floats:
        """(..., blocks, slots) how many rows of each block are in each slot."""
        count, shape = self._held.size, slots.shape[:-1]
        blocks = int(np.prod(shape))
        index = np.arange(0, blocks * count, count).reshape(*shape, 1) + slots
        counts = np.bincount(index.ravel(), minlength=blocks * count)
        return counts.reshape(*shape, count).astype(np.float64)

    def _apart(self, column: NDArray[np.uint8], mixes: Floats, place: int) -> Floats:
        """(2, ..., blocks, GROUPS) what a column's counts leave beside their season's expectation, and that itself."""
        expected = mixes @ self._expected[place]
        return np.stack([block_counts(column) - expected, expected])

    def _part_of_held(self, mixes: Floats) -> Floats:
        """() the sum over blocks and slots of rows² / rows held: the variance that goes into the expectation."""
        flat = mixes.reshape(-1, self._held.size)
        return np.asarray(np.einsum("bs,bs,s->", flat, flat, 1 / self._held))


def season_pyramid(batches: Iterable[Batch], parts: SeasonProfiles, cuts: Floats, *, rows: int) -> SeasonPyramid:
    """Count all rows, once more; see `SeasonPyramidCounter`."""
    counter = SeasonPyramidCounter(parts, cuts, rows=rows)
    for batch in batches:
        counter.add(batch)
    return counter.pyramid


def _levels(blocks: Floats) -> list[Floats]:
    """(..., blocks, cells) of each small level, from those of LEAST rows."""
    levels = [blocks]
    for _ in range(RUN_LEVELS - 2):
        of = merged(blocks)
        levels.append(of)
        blocks = of[..., ::2, :]
    return levels


def _shares(parts: SeasonProfiles, cuts: Floats) -> Floats:
    """(columns, slots, GROUPS) of the rows of each slot, in the groups that rows are put in."""
    layout, slots, starts = parts.layout, parts.season.slots, parts.starts()
    numbers = len(layout.numeric)
    # Of the slots of numbers the first lies below all bins, the last above; then come missing and invalid.
    upper = np.concatenate([layout.edges, np.full((numbers, 1), np.inf)], axis=1)[:, :FINITE]
    groups = np.empty((numbers, SLOTS), dtype=np.int64)
    groups[:, :FINITE] = (upper[:, :, None] > cuts[:, None, :]).sum(axis=2)
    groups[:, FINITE:] = [VALUE_GROUPS, VALUE_GROUPS + 1]
    folds = [category_groups(int(width)).astype(np.int64) for width in np.diff(layout.offsets)]
    flat = np.concatenate([groups.ravel(), *folds])
    owner = np.repeat(np.arange(len(layout.names)), [SLOTS] * numbers + [fold.size for fold in folds])
    cell, shares = owner * GROUPS + flat, np.zeros((slots, len(layout.names) * GROUPS))
    for slot in range(slots):
        counts, _ = parts.slot(slot, starts)
        shares[slot] = np.bincount(cell, counts, minlength=shares.shape[1])
    shares /= np.maximum(parts.rows, 1)[:, None]
    return np.ascontiguousarray(shares.reshape(slots, -1, GROUPS).transpose(1, 0, 2))
