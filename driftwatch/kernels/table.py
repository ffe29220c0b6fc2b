"""Two samples counted over the same cells, for many columns at once."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

from driftwatch.kernels.estimate import Floats, Ints


@dataclass(frozen=True, slots=True)
class Table:
    """Reference and current counts of ragged columns in one flat vector of cells, and the shares made of them.

    starts, sizes: (columns,) where a column's cells begin and how many they are; every column has at least one.
    n, m: (columns,) rows of the reference and of the current sample, at least 1 so that shares of nothing are 0.
    p, q: (cells,) shares, 0 where there are no rows. smooth_p, smooth_q: the same where a cell that is empty on one
        side only was given half a count and the shares sum to one again, so that ratios and logarithms are finite;
        cells empty on both sides are left out of everything.
    ratio: (cells,) smooth_q / smooth_p, 1 in cells empty on both sides. log_ratio: (cells,) its logarithm.
    freedom: (columns,) occupied cells - 1. chi2: (columns,) Pearson's statistic of the two-row table.
    p_value: (columns,) of the χ² distribution, fair from about five expected rows a cell; 1 with a single cell.
    """

    starts: Ints
    sizes: Ints
    n: Floats
    m: Floats
    p: Floats
    q: Floats
    smooth_p: Floats
    smooth_q: Floats
    ratio: Floats
    log_ratio: Floats
    freedom: Floats
    chi2: Floats
    p_value: Floats

    @classmethod
    def of(cls, reference: Ints, current: Ints, offsets: Ints) -> Self:
        """Compare flat counts (cells,); offsets: (columns + 1,) where each column's cells begin and the last ends."""
        starts, sizes = offsets[:-1], np.diff(offsets)
        either = reference + current
        occupied = either > 0
        a = reference + 0.5 * (occupied & (reference == 0))
        b = current + 0.5 * (occupied & (current == 0))
        n = np.maximum(_sum(reference, starts), 1.0)
        m = np.maximum(_sum(current, starts), 1.0)
        p, q = reference / np.repeat(n, sizes), current / np.repeat(m, sizes)
        smooth_p = a / np.repeat(np.maximum(_sum(a, starts), 0.5), sizes)
        smooth_q = b / np.repeat(np.maximum(_sum(b, starts), 0.5), sizes)
        ratio = np.divide(smooth_q, smooth_p, out=np.ones_like(p), where=occupied)
        freedom = np.maximum(_sum(occupied, starts) - 1.0, 0.0)
        chi2 = n * m * _sum((q - p) ** 2 / np.maximum(either, 1), starts)
        return cls(
            starts=starts,
            sizes=sizes,
            n=n,
            m=m,
            p=p,
            q=q,
            smooth_p=smooth_p,
            smooth_q=smooth_q,
            ratio=ratio,
            log_ratio=np.log(ratio),
            freedom=freedom,
            chi2=chi2,
            p_value=np.where(freedom > 0, special.gammaincc(np.maximum(freedom, 1.0) / 2, chi2 / 2), 1.0),
        )

    def total(self, cells: Floats) -> Floats:
        """(columns,) sums of a (cells,) array."""
        return _sum(cells, self.starts)

    def greatest(self, cells: Floats) -> Floats:
        """(columns,) greatest of a (cells,) array."""
        return np.maximum.reduceat(cells, self.starts) if self.starts.size else np.zeros(0)

    def spread(self, columns: Floats) -> Floats:
        """(cells,) a (columns,) array repeated over the cells of each column."""
        return np.repeat(columns, self.sizes)

    def delta_variance(self, by_p: Floats, by_q: Floats) -> Floats:
        """(columns,) variance of a function of both shares with these (cells,) derivatives, by the delta method."""
        from_p = self.total(self.smooth_p * by_p**2) - self.total(self.smooth_p * by_p) ** 2
        from_q = self.total(self.smooth_q * by_q**2) - self.total(self.smooth_q * by_q) ** 2
        return np.maximum(from_p, 0.0) / self.n + np.maximum(from_q, 0.0) / self.m

    @property
    def rate(self) -> Floats:
        """(columns,) 1/n + 1/m."""
        return 1 / self.n + 1 / self.m


def _sum(cells: NDArray[Any], starts: Ints) -> Floats:
    # `reduceat` refuses an empty list of starts.
    return np.add.reduceat(cells, starts).astype(np.float64) if starts.size else np.zeros(0)
