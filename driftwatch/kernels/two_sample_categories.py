"""Has a categorical column changed: one p-value for each of many columns, from flat counts of cells without an order.

A likelihood ratio over the cells, where those with few rows count as one, for what is broad; the cell that stands out
most for one category that comes, goes or grows; the shares of missing and of invalid values.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.combination import Components, tail
from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.kernels.permutation import share_deviate
from driftwatch.kernels.two_sample import excess_mean, pooled_terms, share_test, trials

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WEIGHTS = {"groups": 0.5, "cell": 0.38, "missing": 0.08, "invalid": 0.04}
"""Shares of each test in the combination."""
LEAST_EXPECTED = 3.0
"""A cell that should have fewer rows in the smaller sample is joined with the others like it."""


@dataclass(frozen=True, slots=True)
class _Cells:
    """Two samples over ragged columns.

    offsets: (columns + 1,) where a column's cells begin; owner: (cells,) the column of each. drawn, pooled: (cells,)
    rows of the window, and of both. rows, total: (columns,) their sums.
    """

    offsets: Ints
    owner: Ints
    drawn: Floats
    pooled: Floats
    rows: Floats
    total: Floats

    @classmethod
    def of(cls, reference: Ints, current: Ints, offsets: Ints) -> Self:
        starts, sizes = offsets[:-1], np.diff(offsets)
        drawn, pooled = current.astype(np.float64), (reference + current).astype(np.float64)
        owner = np.repeat(np.arange(starts.size), sizes)
        return cls(offsets, owner, drawn, pooled, np.add.reduceat(drawn, starts), np.add.reduceat(pooled, starts))

    def sums(self, values: Floats) -> Floats:
        """(columns,) of values (cells,)."""
        added: Floats = np.add.reduceat(values, self.offsets[:-1])
        return added


@np.errstate(all="ignore")
def categorical_components(
    reference: Ints, current: Ints, offsets: Ints, *, factors: Overdispersion
) -> Components:  # fmt: skip
    """Test columns whose cells have no order.

    reference, current: (cells,) flat counts, the last two cells of each column missing and invalid. offsets:
    (columns + 1,) where each column's cells begin; every column has at least three.
    """
    if offsets.size == 1:
        return Components({"groups": np.zeros(0)}, {"groups": np.zeros(0)})
    cells = _Cells.of(reference, current, offsets)
    occupied = cells.sums((cells.pooled > 0).astype(np.float64))
    testable = (occupied > 1) & (cells.rows > 0) & (cells.total > cells.rows)
    values = {"groups": _groups_test(cells, factors), "cell": _cell_test(cells, factors, occupied=occupied)}
    # Of two cells both tests say the same, and the second one says it exactly.
    weights = {name: np.where(testable & ((occupied > 2) | (name == "cell")), WEIGHTS[name], 0.0) for name in values}
    for name, back in (("missing", 2), ("invalid", 1)):
        place = offsets[1:] - back
        values[name], weights[name] = share_test(
            reference[place] + current[place], current[place], rows=cells.rows, total=cells.total, factors=factors
        )
        weights[name] *= WEIGHTS[name]
    return Components({name: np.where(weights[name] > 0, value, 1.0) for name, value in values.items()}, weights)


@np.errstate(all="ignore")
def _groups_test(cells: _Cells, factors: Overdispersion) -> Floats:
    """(columns,) chance of the likelihood ratio over the cells that have rows enough, and one of all others."""
    rows, total = cells.rows, cells.total
    smaller = np.minimum(rows, total - rows) / total
    share = smaller[cells.owner]
    alone = cells.pooled * share >= LEAST_EXPECTED
    drawn, pooled = np.where(alone, cells.drawn, 0.0), np.where(alone, cells.pooled, 0.0)
    left = np.maximum(total - cells.sums(pooled), 0.0)
    terms = cells.sums(pooled_terms(drawn, pooled)) + pooled_terms(rows - cells.sums(drawn), left)
    degrees = np.maximum(cells.sums(alone.astype(np.float64)) + (left > 0) - 1.0, 0.0)
    excess = cells.sums(np.where(alone, excess_mean(cells.pooled, share), 0.0))
    excess += np.where(left * smaller >= LEAST_EXPECTED, excess_mean(left, smaller), 0.0)
    ratio = 2 * (terms - pooled_terms(rows, total)) / (1 + excess / np.maximum(degrees, 1.0))
    return tail(ratio, degrees, mean=factors.cells, greatest=factors.cells, freedom=factors.freedom)


@np.errstate(all="ignore")
def _cell_test(cells: _Cells, factors: Overdispersion, *, occupied: Floats) -> Floats:
    """(columns,) chance of the cell that stands out most, times the number of cells."""
    total = cells.total[cells.owner]
    excess = np.maximum(np.abs(cells.drawn - cells.pooled * (cells.rows / cells.total)[cells.owner]) - 0.5, 0.0)
    apart = np.where(cells.pooled > 0, excess**2 / (cells.pooled * (total - cells.pooled)), -1.0)
    # A column of one occupied cell is not tested; its NaN must not hide the others'.
    apart = np.nan_to_num(apart, nan=0.0, posinf=0.0)
    most = np.flatnonzero(apart == np.maximum.reduceat(apart, cells.offsets[:-1])[cells.owner])
    first = most[np.searchsorted(cells.owner[most], np.arange(cells.rows.size))]
    deviate = share_deviate(cells.drawn[first], cells.pooled[first], drawn=cells.rows, total=cells.total)
    chance = tail(deviate**2, 1.0, mean=factors.cells, greatest=factors.cells, freedom=factors.freedom)
    return np.minimum(chance * trials(occupied.astype(np.int64)), 1.0)
