"""The rows of a reference by slot of a season, without what is empty: 168 hours of the week would take it 168 times.

A cell without rows takes a bit, one with rows its count and, in a bin of numbers, their mean: of a numeric column 120
bytes a slot at 20 rows and 670 with every bin filled, where whole profiles take 2 kB. Means are rounded to 7 digits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.stream.season import Season
from driftwatch.summaries.layout import FINITE, SLOTS, Floats, Ints, Layout
from driftwatch.summaries.segmented import Segmented

_GREATEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class SeasonProfiles:
    """What each slot of a season holds.

    rows: (slots,). filled: (slots, bytes) a bit for each cell that holds rows: the slots of numeric columns, one column
    after the other, then those of categorical ones. counts: of the filled cells, slot after slot. means: (filled finite
    slots of numbers,) of z. squares: (slots, numeric columns) sums of z².
    """

    season: Season
    layout: Layout
    rows: Ints
    filled: NDArray[np.uint8]
    counts: NDArray[np.integer]
    means: NDArray[np.float32]
    squares: Floats

    @classmethod
    def of(cls, season: Season, counted: Segmented, *, first: int = 0) -> Self:
        """Take the slots out of what was counted, where they are the segments from `first` on."""
        layout, slots = counted.layout, season.slots
        cells = _cells(layout)
        filled = np.zeros((slots, -(-cells // 8)), dtype=np.uint8)
        rows = np.zeros(slots, dtype=np.int64)
        squares = np.zeros((slots, len(layout.numeric)))
        counts, means = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
        for slot in range(slots):
            profile = counted.profile(first + slot)
            numeric = profile.numeric
            flat = np.concatenate([numeric.counts.ravel(), profile.categories])
            filled[slot] = np.packbits(flat > 0)
            rows[slot], squares[slot] = profile.rows, numeric.squares
            counts.append(flat[flat > 0])
            held = numeric.counts[:, :FINITE]
            mean = numeric.sums[held > 0] / held[held > 0]
            means.append(np.clip(mean, -_GREATEST, _GREATEST).astype(np.float32))
        return cls(season, layout, rows, filled, _narrow(np.concatenate(counts)), np.concatenate(means), squares)

    @property
    def size_bytes(self) -> int:
        """What its arrays take."""
        arrays = (self.rows, self.filled, self.counts, self.means, self.squares)
        return sum(array.nbytes for array in arrays)

    def starts(self) -> tuple[Ints, Ints]:
        """(slots + 1,) where each slot's counts begin, and where its means do."""
        cells, numbers = _cells(self.layout), len(self.layout.numeric) * SLOTS
        counts, means = [0], [0]
        for bits in self.filled:
            held = np.unpackbits(bits, count=cells).astype(np.bool_)
            counts.append(counts[-1] + int(np.count_nonzero(held)))
            finite = held[:numbers].reshape(-1, SLOTS)[:, :FINITE]
            means.append(means[-1] + int(np.count_nonzero(finite)))
        return np.array(counts, dtype=np.int64), np.array(means, dtype=np.int64)

    def slot(self, slot: int, starts: tuple[Ints, Ints]) -> tuple[Ints, Floats]:
        """What a slot holds: (cells,) counts, numeric columns first, and (columns, FINITE) sums of z."""
        cells, columns = _cells(self.layout), len(self.layout.numeric)
        (first, stop), (low, high) = (each[slot : slot + 2].tolist() for each in starts)
        flat = np.zeros(cells, dtype=np.int64)
        flat[np.unpackbits(self.filled[slot], count=cells).astype(np.bool_)] = self.counts[first:stop]
        held = flat[: columns * SLOTS].reshape(columns, SLOTS)[:, :FINITE]
        sums = np.zeros((columns, FINITE))
        sums[held > 0] = self.means[low:high] * held[held > 0]
        return flat, sums

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything as named arrays, for whoever stores it."""
        return {
            "season": np.array([self.season.period_ms, self.season.slots], dtype=np.int64),
            "season_rows": self.rows,
            "season_filled": self.filled,
            "season_counts": self.counts.astype(np.int64),
            "season_means": self.means,
            "season_squares": self.squares,
        }

    @classmethod
    def from_arrays(cls, layout: Layout, arrays: Mapping[str, NDArray[Any]]) -> Self | None:
        """Return the inverse of `arrays`, None where they are not there; StateError when they do not fit."""
        if "season" not in arrays:
            return None
        period_ms, slots = arrays["season"].tolist()
        found = cls(
            season=Season(period_ms, slots),
            layout=layout,
            rows=arrays["season_rows"].astype(np.int64),
            filled=arrays["season_filled"].astype(np.uint8),
            counts=_narrow(arrays["season_counts"].astype(np.int64)),
            means=arrays["season_means"].astype(np.float32),
            squares=arrays["season_squares"].astype(np.float64),
        )
        shapes = (found.rows.shape, found.filled.shape, found.squares.shape)
        if shapes != ((slots,), (slots, -(-_cells(layout) // 8)), (slots, len(layout.numeric))):
            raise StateError("the stored season does not fit the layout")
        counts, means = found.starts()
        if (counts[-1], means[-1]) != (found.counts.size, found.means.size):
            raise StateError("the stored season does not hold as many counts as it says")
        return found


def _narrow(counts: Ints) -> NDArray[np.integer]:
    return counts.astype(np.min_scalar_type(int(counts.max(initial=0))))


def _cells(layout: Layout) -> int:
    return len(layout.numeric) * SLOTS + int(layout.offsets[-1])
