"""Binned samples of many columns with the sum of the values in every slot, and the moments that follow from them."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from driftwatch.kernels.estimate import Flags, Floats, Ints


@dataclass(frozen=True, slots=True)
class Histogram:
    """Shares and sums over slots: under (-∞, e₀], bins (eⱼ₋₁, eⱼ], over (e_last, ∞).

    rows: (columns,) values counted. shares: (columns, slots) of those rows. parts: (columns, slots) sum of the values
    of a slot over all rows. edges: (columns, slots - 1). gaps: (columns, bins) mass times its mean distance from the
    bin's right edge. atoms: (columns, bins) True where a bin holds nothing, or only its right edge's value.
    """

    rows: Floats
    shares: Floats
    parts: Floats
    edges: Floats
    gaps: Floats
    atoms: Flags

    @classmethod
    @np.errstate(all="ignore")
    def of(cls, counts: Ints, sums: Floats, edges: Floats) -> Self:
        """Prepare counts (columns, slots) and sums of values (columns, slots) over edges (columns, slots - 1)."""
        rows = counts.sum(axis=1).astype(np.float64)
        inverse = 1 / np.maximum(rows, 1.0)[:, None]
        shares, parts = counts * inverse, sums * inverse
        mass, right, width = shares[:, 1:-1], edges[:, 1:], np.diff(edges, axis=1)
        # Rounding may put a mean outside its bin.
        gaps = np.clip(mass * right - parts[:, 1:-1], 0.0, mass * width)
        atoms = gaps <= mass * (1e-6 * width + 1e-12 * np.abs(right))
        return cls(rows, shares, parts, edges, np.where(atoms, 0.0, gaps), atoms)


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean, standard deviation (with rows - 1), skewness and kurtosis (3 for a normal); all (columns,).

    Mean and deviation are exact. The higher two are made of the slots' means, each slot given the spread that its
    mean allows, so that all together have the exact variance.
    """

    rows: Floats
    mean: Floats
    deviation: Floats
    skewness: Floats
    kurtosis: Floats

    @classmethod
    @np.errstate(all="ignore")
    def of(cls, histogram: Histogram, squares: Floats, *, least: Floats, greatest: Floats) -> Self:
        """Make them of a histogram, the sum of squares and the extreme values; all (columns,)."""
        rows, shares = histogram.rows, histogram.shares
        mean = histogram.parts.sum(axis=1)
        second = squares / np.maximum(rows, 1.0)
        # A constant column has no spread, whatever rounding leaves of the difference.
        variance = np.where(least < greatest, np.maximum(second - mean**2, 0.0), 0.0)
        filled = shares > 0
        middle = np.divide(histogram.parts, shares, out=np.zeros_like(shares), where=filled) - mean[:, None]
        between = (shares * middle * middle).sum(axis=1)
        room = _room(histogram, least, greatest)
        most = (shares * room).sum(axis=1)
        used = np.divide(np.maximum(variance - between, 0.0), most, out=np.zeros_like(most), where=most > 0)
        within = room * np.minimum(used, 1.0)[:, None]
        # Products: numpy's general power is twenty times slower.
        square = middle * middle
        third = (shares * middle * (square + 3 * within)).sum(axis=1)
        fourth = (shares * (square * square + 6 * square * within + 3 * within * within)).sum(axis=1)
        positive = variance > 0
        return cls(
            rows=rows,
            mean=mean,
            deviation=np.sqrt(variance * rows / np.maximum(rows - 1, 1.0)),
            skewness=np.divide(third, variance**1.5, out=np.zeros_like(third), where=positive),
            kurtosis=np.divide(fourth, variance**2, out=np.ones_like(fourth), where=positive),
        )


def _room(histogram: Histogram, least: Floats, greatest: Floats) -> Floats:
    """(columns, slots) the greatest variance that a slot's values can have around their mean: (b - mean)(mean - a)."""
    shares, edges = histogram.shares, histogram.edges
    low = np.concatenate([np.minimum(least, edges[:, 0])[:, None], edges], axis=1)
    high = np.concatenate([edges, np.maximum(greatest, edges[:, -1])[:, None]], axis=1)
    filled = shares > 0
    middle = np.divide(histogram.parts, shares, out=np.zeros_like(shares), where=filled)
    room = np.maximum((high - middle) * (middle - low), 0.0)
    room[:, 1:-1][histogram.atoms] = 0.0
    return np.where(filled, room, 0.0)
