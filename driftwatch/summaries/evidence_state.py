"""What a concept monitor remembers of each cell (a version and segment): its loss's level and the bets against it.

Nothing here adds: rows of one cell come in one order, that in which their labels matured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.evidence import BETS
from driftwatch.summaries.layout import Ints

FIRST_ROWS = 128
"""Rows of a level after which its bounds are first known; they are drawn closer whenever its rows have doubled."""

CELL = np.dtype(
    [
        ("rows", "<i8"),
        ("level_rows", "<i8"),
        ("level_total", "<f8"),
        ("level_mean", "<f8"),
        ("reference_rows", "<i8"),
        ("reference_total", "<f8"),
        ("bounds", "<i8"),
        ("next_bounds", "<i8"),
        ("low", "<f8"),
        ("high", "<f8"),
        ("accepted_low", "<f8"),
        ("accepted_mean", "<f8"),
        ("accepted_high", "<f8"),
        ("changes", "<i8"),
        ("direction", "i1"),
        ("alarm_row", "<i8"),
        ("alarm_ms", "<i8"),
        ("changed_row", "<i8"),
        ("changed_ms", "<i8"),
        ("before", "<f8"),
        ("after", "<f8"),
        ("products", "<f8", (2, BETS)),
        ("starts", "<f8", (2, BETS)),
        ("lowest", "<f8", (2, BETS)),
        ("lowest_rows", "<i8", (2, BETS)),
        ("lowest_total", "<f8", (2, BETS)),
        ("lowest_ms", "<i8", (2, BETS)),
    ]
)
"""One cell.

rows: ever seen. level_rows, level_total: number of rows and sum of their losses since the present level began;
reference_*: what the labelled reference adds to the first level. level_mean: as of the last bounds, or of the alarm.
low, high: where the level's true mean lies, [0, 1] until known; bounds: how often they were computed; next_bounds: at
which level_rows they will be again. accepted_*: mean and bounds of the first level when it was left, NaN before.
changes: alarms so far; direction (1 rise, -1 fall, 0 none), alarm_*, changed_*, before, after: of the last one.
products, starts: see kernels.evidence. lowest: the least product since the level began, on the scale of `products`;
lowest_*: level_rows, level_total and time there, where the bet would best have begun.
"""

_BYTES = np.dtype((np.void, CELL.itemsize))
_UNKNOWN = ("level_mean", "accepted_low", "accepted_mean", "accepted_high", "before", "after")


@dataclass(frozen=True, slots=True)
class LossLevels:
    """cells: (cells,) records of type CELL, never written to."""

    cells: NDArray[Any]

    @classmethod
    def empty(cls, cells: int) -> Self:
        """Cells that have seen nothing and know nothing of their level."""
        fresh = np.zeros(cells, dtype=CELL)
        fresh["high"], fresh["products"], fresh["lowest"] = 1.0, 1.0, 1.0
        for name in _UNKNOWN:
            fresh[name] = np.nan
        fresh["next_bounds"] = FIRST_ROWS
        return cls(fresh)

    @property
    def size(self) -> int:
        """Number of cells."""
        return int(self.cells.size)

    def extended(self, more: Self) -> Self:
        """These cells and, behind them, new ones: those of a new version or segment."""
        return type(self)(np.concatenate((self.cells, more.cells)))

    def taken(self, places: Ints) -> Self:
        """Only the cells at `places`."""
        return type(self)(raw(self.cells)[places].view(CELL))

    def replaced(self, places: Ints, records: NDArray[Any]) -> Self:
        """These cells with `records` at `places`."""
        cells = raw(self.cells).copy()
        cells[places] = raw(records)
        return type(self)(cells.view(CELL))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """One array a field, (cells, …), for whoever stores them."""
        return {name: np.ascontiguousarray(self.cells[name]) for name in CELL.names or ()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the inverse of `arrays`."""
        cells = np.zeros(arrays["rows"].shape, dtype=CELL)
        for name in CELL.names or ():
            cells[name] = arrays[name]
        return cls(cells)


def raw(cells: NDArray[Any]) -> NDArray[Any]:
    """Show records as so many bytes each, which numpy moves several times as fast as their fields."""
    return cells.view(_BYTES)
