"""How small a change would a window still have shown: the least total variation found with some power."""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from driftwatch.kernels.overdispersion import Overdispersion

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@np.errstate(all="ignore")
def detectable_shift(
    rows: tuple[Floats, Floats], *, level: Floats | float, greatest_share: Floats, factors: Overdispersion, power: float
) -> Floats:  # fmt: skip
    """Least total variation (columns,) that a shift of all values makes and that a location score finds.

    rows: of the reference and of the window, (columns,) each. level: that the test works at, two-sided. greatest_share:
    (columns,) of the most frequent value. An approximation: a shift by Δ standard deviations of a normal column has
    a score of mean Δ and total variation 2 Φ(Δ / 2) - 1; where one value has a share a above 1/2, it is 2 √(a (1 - a))
    of that. 1 where no shift is sure to be found.
    """
    needed = _quantile(level / 2, factors.freedom) + special.ndtri(power)
    apart = needed * np.sqrt(factors.location / _effective(rows))
    return _fair(_leverage(greatest_share) * (2 * special.ndtr(apart / 2) - 1))


@np.errstate(all="ignore")
def detectable_move(
    rows: tuple[Floats, Floats],
    degrees: Floats,
    *,
    level: Floats | float,
    greatest_share: Floats,
    factors: Overdispersion,
    power: float,
) -> Floats:
    """Least total variation (columns,) of rows that move between two halves of the cells and that χ² finds.

    degrees: (columns,) cells - 1; the rest as in `detectable_shift`. An approximation: a share a of the rows that grows
    by δ at the cost of all others has non-centrality δ² / (a (1 - a)) · n m / (n + m), least for a = 1/2 or, where one
    cell is greater, for that one; so no change of this size that is spread as evenly as possible is harder to find.
    """
    noncentral = _noncentrality(degrees, np.broadcast_to(level, degrees.shape), freedom=factors.freedom, power=power)
    return _fair(_leverage(greatest_share) / 2 * np.sqrt(noncentral * factors.cells / _effective(rows)))


def _noncentrality(degrees: Floats, level: Floats, *, freedom: Floats, power: float) -> Floats:
    """(columns,) non-centrality that has the power; each kind of column once, as most columns are of a few kinds."""
    kinds, kind = np.unique(np.stack([degrees, level, freedom], axis=1), axis=0, return_inverse=True)
    of, at, estimated = kinds.T
    known = np.isinf(estimated)
    critical = np.where(known, special.chdtri(of, at), of * special.fdtri(of, np.where(known, 1.0, estimated), 1 - at))
    needed: Floats = special.chndtrinc(critical, of, 1 - power)[kind.reshape(-1)]
    return needed


def _effective(rows: tuple[Floats, Floats]) -> Floats:
    reference, current = rows
    return reference * current / (reference + current)


def _leverage(share: Floats) -> Floats:
    """(columns,) 2 √(a (1 - a)) of the part that can change most quietly."""
    part = np.maximum(share, 0.5)
    quiet: Floats = 2 * np.sqrt(part * (1 - part))
    return quiet


def _quantile(tail: Floats | float, freedom: Floats) -> Floats:
    """(columns,) the deviate with such a tail, Student's where a factor is estimated."""
    known = np.isinf(freedom)
    quantile: Floats = -np.where(known, special.ndtri(tail), special.stdtrit(np.where(known, 1.0, freedom), tail))
    return quantile


def _fair(variation: Floats) -> Floats:
    """(columns,) at most 1, which is also what stands where nothing is found."""
    return np.where(np.isfinite(variation), np.clip(variation, 0.0, 1.0), 1.0)
