"""By how much more than independent rows the counts of consecutive rows vary."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Overdispersion:
    """By how much the counts of consecutive rows vary more than those of independent rows would (Rao and Scott 1981).

    location, scale, cells, path: (columns,) factors >= 1 on the variance of: the mean of normal scores; the mean of
    scale scores (squared normal scores); the cells of a chi-square; the cumulative shares (KS). Each multiplies
    1/n + 1/m of a window of m rows against a reference of n, the reference's own error included. Divide a chi-square
    by `cells` and n·D² of KS by `path`: both are meant for p-values below 0.01, where not the mean over the cells
    decides but the direction that varies most.
    freedom: (columns,) degrees of freedom of their estimate, inf where rows are known or found to be independent.
    Columns are numeric first; a categorical one has `cells` only, and location = scale = path = cells.
    """

    location: Floats
    scale: Floats
    cells: Floats
    path: Floats
    freedom: Floats

    @classmethod
    def none(cls, columns: int) -> Self:
        """Independent rows: all 1, freedom inf."""
        one = np.ones(columns)
        return cls(one, one, one, one, np.full(columns, np.inf))
