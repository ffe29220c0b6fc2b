"""The mergeable state of all numeric columns of one cell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from driftwatch.summaries.layout import FINITE, SLOTS, Floats, Ints, Layout


@dataclass(frozen=True, slots=True)
class Numeric:
    """Counts and sums over the layout's bins.

    counts: (columns, SLOTS) under, bins, over, missing, invalid.
    sums: (columns, FINITE) sum of z = (x - centre) / scale of the values in each finite slot.
    squares: (columns,) sum of z².
    minima, maxima: (columns,) of the values themselves; +inf and -inf while there are none.
    """

    counts: Ints
    sums: Floats
    squares: Floats
    minima: Floats
    maxima: Floats

    @classmethod
    def empty(cls, layout: Layout) -> Self:
        """The identity of `merge`."""
        columns = len(layout.numeric)
        return cls(
            counts=np.zeros((columns, SLOTS), dtype=np.int64),
            sums=np.zeros((columns, FINITE)),
            squares=np.zeros(columns),
            minima=np.full(columns, np.inf),
            maxima=np.full(columns, -np.inf),
        )

    def merge(self, other: Self) -> Self:
        """Add two states of the same layout."""
        return type(self)(
            counts=self.counts + other.counts,
            sums=self.sums + other.sums,
            squares=self.squares + other.squares,
            minima=np.minimum(self.minima, other.minima),
            maxima=np.maximum(self.maxima, other.maxima),
        )

    def arrays(self) -> dict[str, Ints | Floats]:
        """The state as named arrays, for whoever stores it."""
        return {
            "counts": self.counts,
            "sums": self.sums,
            "squares": self.squares,
            "minima": self.minima,
            "maxima": self.maxima,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Ints | Floats]) -> Self:
        """The inverse of `arrays`."""
        return cls(
            counts=arrays["counts"].astype(np.int64, copy=False),
            sums=arrays["sums"].astype(np.float64, copy=False),
            squares=arrays["squares"].astype(np.float64, copy=False),
            minima=arrays["minima"].astype(np.float64, copy=False),
            maxima=arrays["maxima"].astype(np.float64, copy=False),
        )
