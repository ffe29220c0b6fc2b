"""How the reference changes along its own rows: coarse counts of consecutive blocks, and what they say of dispersion.

Rows that are alike near each other, and seasons, make the blocks of a stable reference differ by more than chance.
The factor by which they do is what a test of a window has to be divided by (Rao and Scott 1981).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Self

import numpy as np

from driftwatch.stream.batch import Batch
from driftwatch.summaries.layout import BINS, FINITE, INVALID_SLOT, MISSING_SLOT, SLOTS, Floats, Ints, Layout
from driftwatch.summaries.profile import Profile, profiles
from driftwatch.summaries.segment_profiles import SegmentCounter

BLOCK_ROWS = 256
BLOCKS = 128
GROUPS = 32
COARSE = GROUPS + 2
"""Coarse slots of a numeric column: groups of bins, missing, invalid."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Counts of consecutive blocks of `length` rows, the last of which may be shorter.

    numeric: (blocks, columns, COARSE). categories: (blocks, layout.offsets[-1]).
    """

    length: int
    numeric: Ints
    categories: Ints

    def arrays(self) -> dict[str, Ints]:
        """The counts as named arrays, for whoever stores them."""
        return {"block_numeric": self.numeric, "block_categories": self.categories}

    @classmethod
    def from_arrays(cls, length: int, arrays: Mapping[str, Ints | Floats]) -> Self:
        """Return the inverse of `arrays`."""
        numeric, categories = arrays["block_numeric"], arrays["block_categories"]
        return cls(length, numeric.astype(np.int64, copy=False), categories.astype(np.int64, copy=False))


class BlockCounter:
    """Counts rows into a profile, consecutive blocks and segments at once; the result does not depend on the cutting.

    While there are more than BLOCKS blocks, neighbours are merged and the length doubles: memory is bounded.
    """

    def __init__(self, layout: Layout, segments: SegmentCounter | None = None) -> None:
        self.profile = Profile.empty(layout)
        self._layout = layout
        self._segments = segments
        self._groups = coarse_groups(layout)
        self._length = BLOCK_ROWS
        self._numeric = np.zeros((BLOCKS, len(layout.numeric), COARSE), dtype=np.int64)
        self._categories = np.zeros((BLOCKS, int(layout.offsets[-1])), dtype=np.int64)

    def add(self, batch: Batch) -> None:
        """Count the next rows."""
        if not batch.rows:
            return
        position = self.profile.rows
        while position + batch.rows > BLOCKS * self._length:
            self._double()
        places = (position + np.arange(batch.rows)) // self._length
        first, last = int(places[0]), int(places[-1])
        count = last - first + 1
        division = None if self._segments is None else self._segments.divide(batch, count=count)
        parts = profiles(batch, places - first, count=count, layout=self._layout, division=division)
        for block, part in enumerate(parts, start=first):
            self._numeric[block] += grouped(part.numeric.counts, self._groups)
            self._categories[block] += part.categories
        self.profile = reduce(Profile.merge, parts, self.profile)

    @property
    def blocks(self) -> Blocks:
        """The blocks so far."""
        used = -(-self.profile.rows // self._length)
        return Blocks(self._length, self._numeric[:used].copy(), self._categories[:used].copy())

    def _double(self) -> None:
        self._length *= 2
        for counts in (self._numeric, self._categories):
            counts[: BLOCKS // 2] = counts[0::2] + counts[1::2]
            counts[BLOCKS // 2 :] = 0


def coarse_groups(layout: Layout) -> Ints:
    """(columns, SLOTS) the coarse slot of each slot: neighbouring bins together, "under" and "over" with the outermost.

    A column with few bins keeps each of them.
    """
    bins = np.maximum(1, np.count_nonzero(np.diff(layout.edges, axis=1) > 0, axis=1))[:, None]
    place = np.clip(np.arange(FINITE) - 1, 0, BINS - 1)[None, :]
    place = np.minimum(place, bins - 1)
    groups = np.empty((bins.size, SLOTS), dtype=np.int64)
    groups[:, :FINITE] = np.where(bins > GROUPS, place * GROUPS // bins, place)
    groups[:, MISSING_SLOT], groups[:, INVALID_SLOT] = GROUPS, GROUPS + 1
    return groups


def dispersion(blocks: Blocks, layout: Layout) -> Floats:
    """(columns,) chi-square of blocks x slots over its degrees of freedom, numeric columns first.

    One where the rows are exchangeable; NaN where fewer than two blocks or two slots hold anything.
    """
    numeric = [blocks.numeric[:, column] for column in range(len(layout.numeric))]
    ends = pairwise(layout.offsets.tolist())
    return np.array([_factor(table) for table in (*numeric, *(blocks.categories[:, a:b] for a, b in ends))])


def _factor(table: Ints) -> float:
    table = table[:, table.sum(axis=0) > 0]
    rows, slots = table.sum(axis=1, dtype=np.float64), table.sum(axis=0, dtype=np.float64)
    freedom = (rows.size - 1) * (slots.size - 1)
    if freedom <= 0:
        return np.nan
    expected = rows[:, None] * slots / rows.sum()
    return float(((table - expected) ** 2 / expected).sum() / freedom)


def grouped(counts: Ints, groups: Ints) -> Ints:
    """Add up (columns, SLOTS) counts to (columns, COARSE)."""
    coarse = np.zeros((counts.shape[0], COARSE), dtype=np.int64)
    np.add.at(coarse, (np.arange(counts.shape[0])[:, None], groups), counts)
    return coarse
