"""Everything the service knows about a set of rows: one profile per cell, and two profiles add."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from driftwatch.errors import StateError
from driftwatch.kernels.binning import Scales, bin_counts, category_counts
from driftwatch.kernels.tallying import Division, add_codes
from driftwatch.stream.batch import Batch, Codes
from driftwatch.summaries.layout import Floats, Ints, Layout
from driftwatch.summaries.numeric import Numeric

NEVER_FIRST, NEVER_LAST = np.iinfo(np.int64).max, np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Profile:
    """Counts and sums over a layout.

    first_ms, last_ms: least and greatest event time among the rows; NEVER_FIRST and NEVER_LAST while there are none.
    categories: (layout.offsets[-1],) counts of all categorical slots, column after column.
    """

    fingerprint: str
    rows: int
    first_ms: int
    last_ms: int
    numeric: Numeric
    categories: Ints

    @classmethod
    def empty(cls, layout: Layout) -> Self:
        """The identity of `merge`."""
        zeros = np.zeros(int(layout.offsets[-1]), dtype=np.int64)
        return cls(layout.fingerprint, 0, NEVER_FIRST, NEVER_LAST, Numeric.empty(layout), zeros)

    def merge(self, other: Self) -> Self:
        """Add two profiles; StateError when they were counted over different layouts."""
        if self.fingerprint != other.fingerprint:
            raise StateError(f"profiles of layouts {self.fingerprint} and {other.fingerprint} do not add")
        return type(self)(
            fingerprint=self.fingerprint,
            rows=self.rows + other.rows,
            first_ms=min(self.first_ms, other.first_ms),
            last_ms=max(self.last_ms, other.last_ms),
            numeric=self.numeric.merge(other.numeric),
            categories=self.categories + other.categories,
        )

    def arrays(self) -> dict[str, Ints | Floats]:
        """The profile as named arrays, for whoever stores it."""
        scalars = np.array([self.rows, self.first_ms, self.last_ms], dtype=np.int64)
        return {"scalars": scalars, "categories": self.categories, **self.numeric.arrays()}

    @classmethod
    def from_arrays(cls, layout: Layout, arrays: Mapping[str, Ints | Floats]) -> Self:
        """The inverse of `arrays`; StateError when the arrays do not fit the layout."""
        rows, first_ms, last_ms = (int(scalar) for scalar in arrays["scalars"])
        numeric = Numeric.from_arrays(arrays)
        categories = arrays["categories"].astype(np.int64, copy=False)
        expected = cls.empty(layout)
        if categories.shape != expected.categories.shape or numeric.counts.shape != expected.numeric.counts.shape:
            raise StateError(f"stored arrays do not fit layout {layout.fingerprint}")
        return cls(layout.fingerprint, rows, first_ms, last_ms, numeric, categories)


def cells_of(panes: Ints, versions: Codes, *, count: int) -> tuple[list[tuple[int, int]], Ints]:
    """Name each pane and version of some rows, and give each row its cell, (rows,)."""
    if count == 1 and panes[0] == panes[-1] and (panes == panes[0]).all():
        return [(int(panes[0]), 0)], np.zeros(len(panes), dtype=np.int64)
    starts, place = np.unique(panes, return_inverse=True)
    cells, row_cells = np.unique(place * count + versions, return_inverse=True)
    return [(int(starts[cell // count]), int(cell % count)) for cell in cells], row_cells.astype(np.int64)


def profiles(
    batch: Batch, cells: Ints, *, count: int, layout: Layout, division: Division | None = None
) -> list[Profile]:  # fmt: skip
    """Count a batch into `count` cells at once.

    cells: (rows,) the cell of each row, 0…count-1, or -1 for a row that is not counted.
    division: tallies that the values and categories of the same rows are added to in place.
    """
    scales = Scales(layout.edges, layout.centre, layout.scale)
    binned = bin_counts(batch.numeric, cells, count=count, scales=scales, division=division)
    categories = category_counts(batch.categorical, cells, count=count, offsets=layout.offsets)
    if division is not None:
        add_codes(batch.categorical, cells, offsets=layout.offsets, division=division)
    rows = np.bincount(cells[cells >= 0], minlength=count)
    first = np.full(count, NEVER_FIRST, dtype=np.int64)
    last = np.full(count, NEVER_LAST, dtype=np.int64)
    kept = cells >= 0
    np.minimum.at(first, cells[kept], batch.times[kept])
    np.maximum.at(last, cells[kept], batch.times[kept])
    return [
        Profile(
            fingerprint=layout.fingerprint,
            rows=int(rows[cell]),
            first_ms=int(first[cell]),
            last_ms=int(last[cell]),
            numeric=Numeric(
                counts=binned.counts[cell],
                sums=binned.sums[cell],
                squares=binned.squares[cell],
                minima=binned.minima[cell],
                maxima=binned.maxima[cell],
            ),
            categories=categories[cell],
        )
        for cell in range(count)
    ]
