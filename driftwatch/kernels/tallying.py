"""Counts of the same rows by many further cells: what a value's bin is was found once, each cell only takes it.

Everything is added in place and value by value, so that the cost follows the rows and not the number of cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Counts = NDArray[np.int32]
Places = NDArray[np.signedinteger]

_ONE = np.int32(1)


@dataclass(frozen=True, slots=True)
class Tally:
    """What each of some cells holds, to be added to in place; as `binning.Binned`, and the categories beside it.

    counts: (cells, columns, E + 3). sums: (cells, columns, E + 3), the last two always 0.
    squares, minima, maxima: (cells, columns). categories: (cells, slots of all categorical columns).
    """

    counts: Counts
    sums: Floats
    squares: Floats
    minima: Floats
    maxima: Floats
    categories: Counts

    @classmethod
    def empty(cls, cells: int, *, columns: int, slots: int, categories: int) -> Self:
        """So many cells without a row."""
        return cls(
            counts=np.zeros((cells, columns, slots), dtype=np.int32),
            sums=np.zeros((cells, columns, slots)),
            squares=np.zeros((cells, columns)),
            minima=np.full((cells, columns), np.inf),
            maxima=np.full((cells, columns), -np.inf),
            categories=np.zeros((cells, categories), dtype=np.int32),
        )

    @property
    def size_bytes(self) -> int:
        """What its arrays take."""
        arrays = (self.counts, self.sums, self.squares, self.minima, self.maxima, self.categories)
        return sum(array.nbytes for array in arrays)

    def resized(self, cells: int) -> Self:
        """A copy with more cells, the new ones empty."""
        _, columns, slots = self.counts.shape
        new = type(self).empty(cells, columns=columns, slots=slots, categories=self.categories.shape[1])
        for name in ("counts", "sums", "squares", "minima", "maxima", "categories"):
            getattr(new, name)[: len(self.counts)] = getattr(self, name)
        return new

    def absorb(self, other: Self, places: Ints) -> None:
        """Add another tally's first cells to the cells at these places, each given once: (cells of other,)."""
        taken = slice(places.size)
        for name in ("counts", "sums", "squares", "categories"):
            getattr(self, name)[places] += getattr(other, name)[taken]
        self.minima[places] = np.minimum(self.minima[places], other.minima[taken])
        self.maxima[places] = np.maximum(self.maxima[places], other.maxima[taken])


@dataclass(frozen=True, slots=True)
class Division:
    """Further cells to count rows in, beside the one that each is counted in.

    members: (ways, rows) which of the tally's cells a row is counted in, for each way to divide rows; -1 for none.
    into: the tally of each cell that rows are divided within; None where they are not.
    """

    members: Places
    into: Sequence[Tally | None]


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows' values, looked at and ready to be counted; all (columns, rows), 0 or infinite where there is none.

    slot: the value's slot, those of the second column following those of the first. low: +inf, high: -inf where there
    is no number. z: in units of the column's scale, cut. squares: of z.
    """

    slot: Ints
    low: Floats
    high: Floats
    z: Floats
    squares: Floats

    def of(self, rows: Ints | slice) -> "Block":
        """Some of the rows."""
        parts = (self.slot, self.low, self.high, self.z, self.squares)
        if isinstance(rows, slice):
            return Block(*(part[:, rows] for part in parts))  # type: ignore[arg-type]
        return Block(*(part.take(rows, axis=1) for part in parts))  # type: ignore[arg-type]


def add_numbers(tally: Tally, members: Places, block: Block) -> None:
    """Count a block's rows in the tally's cells; members: (ways, rows) as in `Division`."""
    _, columns, slots = tally.counts.shape
    ladder = np.arange(columns)[:, None]
    for line in members:
        place, part = line.astype(np.int64), block
        if int(line.min(initial=0)) < 0:
            kept = np.flatnonzero(line >= 0)
            place, part = place[kept], block.of(kept)
        if not place.size:
            continue
        slot = (part.slot + place * (columns * slots)).reshape(-1)
        column = (ladder + place * columns).reshape(-1)
        np.add.at(tally.counts.reshape(-1), slot, _ONE)
        np.add.at(tally.sums.reshape(-1), slot, part.z.reshape(-1))
        np.add.at(tally.squares.reshape(-1), column, part.squares.reshape(-1))
        np.minimum.at(tally.minima.reshape(-1), column, part.low.reshape(-1))
        np.maximum.at(tally.maxima.reshape(-1), column, part.high.reshape(-1))


def add_codes(codes: NDArray[np.int32], cells: Ints, *, offsets: Ints, division: Division) -> None:
    """Count the slot codes of every categorical column; codes: (columns, rows), offsets: as in `category_counts`."""
    for cell, tally in enumerate(division.into):
        if tally is None:
            continue
        rows = np.flatnonzero(cells == cell)
        whole = rows.size == cells.size
        slots = (codes if whole else codes[:, rows]) + offsets[:-1, None]
        for line in division.members if whole else division.members[:, rows]:
            kept = np.flatnonzero(line >= 0)
            flat = slots[:, kept] + line[kept] * int(offsets[-1])
            np.add.at(tally.categories.reshape(-1), flat.reshape(-1), _ONE)
