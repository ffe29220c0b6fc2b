"""Has a column changed: one p-value for each of many columns, from counts of a reference and of a window.

No single test is good at everything, so a few that each are near the best at something are combined, each with a law
that holds far out: a location score (normal scores of pooled mid-ranks) for shifts; four orthogonal scores together for
changes of spread and shape; a likelihood ratio over about 12 groups for anything broad; the cell that stands out most
for spikes, frozen values and bumps in a tail; the shares of missing and of invalid values. What is grouped how
depends on the pooled counts alone, so that it tells nothing about which rows are the window's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from driftwatch.kernels.combination import Components, tail
from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.kernels.permutation import score_evidence, share_deviate
from driftwatch.kernels.rank_scores import SCORES, summed, sums_of_cells

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GROUPS = 12
_PARTS = 3
"""Finer groups in each group, for scores and for the cell that stands out."""
FINE = GROUPS * _PARTS
_NO_DOUBT = 1e-40
_BLOCK = 125
"""Columns that are joined at a time."""
_LEAST_EXPECTED = 5.0
"""Rows that each group should have in the smaller sample, or there are fewer groups."""
_FAR = special.chdtri(np.arange(SCORES + 1), 0.02)
"""By degrees of freedom: the statistic from which on a score's first-order law is replaced by its saddlepoint."""

NUMERIC_WEIGHTS = {
    "location": 0.48, "shape": 0.18, "groups": 0.26, "cell": 0.08, "missing": 0.06, "invalid": 0.03,
}  # fmt: skip
"""Shares of each test in the combination: those that keep the largest loss to any single test least."""


@dataclass(frozen=True, slots=True)
class _Grouped:
    """Two samples over a few ordered groups a column.

    drawn, pooled: (columns, FINE) rows of the window, and of both. rows, total: (columns,) their sums. groups:
    (columns,) how many groups there are rows for.
    """

    drawn: Floats
    pooled: Floats
    rows: Floats
    total: Floats
    groups: Floats

    @property
    def mean(self) -> Floats:
        return self.rows / self.total


def numeric_components(reference: Ints, current: Ints, factors: Overdispersion) -> Components:
    """Test ordered columns; reference, current: (columns, cells + 2), the last two of them missing and invalid."""
    grouped = _grouped(reference[:, :-2], current[:, :-2])
    special_pooled, special_drawn = reference[:, -2:] + current[:, -2:], current[:, -2:]
    rows, total = grouped.rows + special_drawn.sum(axis=1), grouped.total + special_pooled.sum(axis=1)
    testable = (grouped.rows >= 1) & (grouped.total > grouped.rows) & ((grouped.pooled > 0).sum(axis=1) > 1)
    groups = _groups_test(grouped, factors)
    # Where the groups leave no doubt it is not worth while to know how much less the scores leave.
    sure = groups < _NO_DOUBT
    location, shape = (
        np.where(sure, np.maximum(chance, groups), chance) for chance in _score_tests(grouped, factors, refined=~sure)
    )
    values = {
        "location": location,
        "shape": shape,
        "groups": groups,
        "cell": _cell_test(grouped, factors),
    }
    # Of two cells all tests say the same, and the last one says it exactly.
    several = (grouped.pooled > 0).sum(axis=1) > 2
    weights = {name: np.where(testable & (several | (name == "cell")), NUMERIC_WEIGHTS[name], 0.0) for name in values}
    for cell, name in enumerate(("missing", "invalid")):
        values[name], weights[name] = share_test(
            special_pooled[:, cell], special_drawn[:, cell], rows=rows, total=total, factors=factors
        )
        weights[name] *= NUMERIC_WEIGHTS[name]
    return Components({name: np.where(weights[name] > 0, value, 1.0) for name, value in values.items()}, weights)


def share_test(
    pooled: Ints, drawn: Ints, *, rows: Floats, total: Floats, factors: Overdispersion
) -> tuple[Floats, Floats]:
    """Has the share of one cell changed: (columns,) the chance, and 1 where the cell and the others hold anything."""
    if not pooled.any():
        return np.ones_like(total), np.zeros_like(total)
    deviate = share_deviate(drawn.astype(np.float64), pooled.astype(np.float64), drawn=rows, total=total)
    chance = tail(deviate**2, 1.0, mean=factors.cells, greatest=factors.cells, freedom=factors.freedom)
    return chance, ((pooled > 0) & (pooled < total) & (rows > 0) & (rows < total)).astype(np.float64)


def _grouped(reference: Ints, current: Ints) -> _Grouped:
    """Join cells until there are rows enough; columns in blocks, as fresh memory of all would cost more than sums."""
    columns = len(reference)
    drawn, pooled, groups = np.empty((columns, FINE)), np.empty((columns, FINE)), np.empty(columns)
    for start in range(0, columns, _BLOCK):
        some = slice(start, start + _BLOCK)
        drawn[some], pooled[some], groups[some] = _joined(reference[some], current[some])
    return _Grouped(drawn, pooled, rows=drawn.sum(axis=1), total=pooled.sum(axis=1), groups=groups)


def _joined(reference: Ints, current: Ints) -> tuple[Floats, Floats, Floats]:
    """Rows drawn and pooled (columns, FINE), and groups; a cell of more than a group's rows takes no room of others."""
    # Counts as they are would be made floats again, slowly, by each sum below.
    window = current.astype(np.float64)
    both = window + reference
    total, rows = both.sum(axis=1), window.sum(axis=1)
    room = np.minimum(both, (total / GROUPS)[:, None])
    place = room.cumsum(axis=1)
    whole = np.maximum(place[:, -1], 1.0)
    least = np.minimum(rows, total - rows) / np.maximum(total, 1.0)
    groups = np.clip(np.floor(whole * least / _LEAST_EXPECTED), 1, GROUPS)
    room *= 0.5
    place -= room
    place *= (groups * _PARTS / whole)[:, None]
    cell = place.astype(np.int64)
    np.minimum(cell, FINE - 1, out=cell)
    cell += np.arange(len(both))[:, None] * FINE
    return _counted(cell.ravel(), window), _counted(cell.ravel(), both), groups


def _counted(cell: Ints, rows: Floats) -> Floats:
    """Rows (columns, FINE) of each cell."""
    size = rows.shape[0] * FINE
    return np.bincount(cell, rows.ravel(), minlength=size).astype(np.float64, copy=False).reshape(-1, FINE)


@np.errstate(all="ignore")
def _score_tests(grouped: _Grouped, factors: Overdispersion, *, refined: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """(columns,) chances of the location score alone, and of all scores together; to first order where not refined."""
    mean = grouped.mean
    sums = summed(grouped.drawn, grouped.pooled, grouped.groups)
    degrees = sums.count
    squares = sums.beyond_lattice**2 / (mean * (1 - mean) * grouped.total / np.maximum(grouped.total - 1, 1.0))
    tests = (1, np.minimum(degrees, 1.0)), (SCORES, degrees)
    found = [squares[:count].sum(axis=0) for count, _ in tests]
    beyond = [refined & (each > _FAR[free.astype(np.int64)]) for each, (_, free) in zip(found, tests, strict=True)]
    far = np.flatnonzero(beyond[0] | beyond[1])
    if far.size:
        pooled = grouped.pooled[far]
        scores, sums = sums_of_cells(grouped.drawn[far], pooled, grouped.groups[far])
        moved = sums.beyond_lattice.T
        for statistic, those, (count, _) in zip(found, beyond, tests, strict=True):
            at = np.flatnonzero(those[far])
            if at.size:
                statistic[far[at]] = score_evidence(
                    scores[:count, at], pooled[at], moved[at, :count], mean=mean[far[at]]
                )
    others = np.maximum(factors.cells, np.minimum(factors.location, factors.scale))
    every = (factors.location + factors.scale + 2 * others) / 4
    greatest = np.maximum(np.maximum(factors.location, factors.scale), factors.cells)
    return (
        tail(
            found[0],
            np.minimum(degrees, 1.0),
            mean=factors.location,
            greatest=factors.location,
            freedom=factors.freedom,
        ),
        tail(found[1], degrees, mean=every, greatest=greatest, freedom=factors.freedom),
    )


@np.errstate(all="ignore")
def excess_mean(pooled: Floats, share: Floats) -> Floats:
    """By how much the mean of a cell's part of G² exceeds that of χ²: of the order of 1 / rows.

    pooled: rows of each cell in both samples, at least 3 expected in the smaller one. share: of the smaller sample in
    all rows. Beyond Williams's (1976) first-order term two more, fitted to Poisson counts of mean 3 and more, to 0.006.
    """
    inverse = 1 / (pooled * share)
    first = (inverse + (1 / (1 - share) - 1) / pooled) / 6
    excess: Floats = first + inverse**2 / 6 + 0.7 * inverse**3
    return excess


def pooled_terms(drawn: Floats, pooled: Floats) -> Floats:
    """What each cell adds to half of G², but for what depends on the margins; of the margins, what to take off."""
    return _own_log(drawn) + _own_log(pooled - drawn) - _own_log(pooled)


def _own_log(count: Floats) -> Floats:
    """Count · ln count of whole numbers, 0 for 0."""
    logarithm: Floats = count * np.log(np.maximum(count, 1.0))
    return logarithm


@np.errstate(all="ignore")
def _groups_test(grouped: _Grouped, factors: Overdispersion) -> Floats:
    """(columns,) chance of the likelihood ratio over the groups.

    Its rate far out is that of the exact law, where Pearson's statistic has too heavy a tail.
    """
    drawn, pooled = _coarse(grouped.drawn), _coarse(grouped.pooled)
    ratio = 2 * (pooled_terms(drawn, pooled).sum(axis=1) - pooled_terms(grouped.rows, grouped.total))
    occupied = pooled > 0
    degrees = occupied.sum(axis=1) - 1.0
    smaller = np.minimum(grouped.mean, 1 - grouped.mean)[:, None]
    # A cell that is thinner than groups should be stands for what was left when all others had enough.
    excess = excess_mean(np.maximum(pooled, 3 / smaller), smaller)
    mean = 1 + np.where(occupied, excess, 0.0).sum(axis=1) / np.maximum(degrees, 1.0)
    return tail(ratio / mean, degrees, mean=factors.cells, greatest=factors.cells, freedom=factors.freedom)


def _coarse(counts: Floats) -> Floats:
    """(columns, GROUPS) of (columns, FINE); `sum` over an axis of so few would take ten times as long."""
    coarse = counts[:, ::_PARTS].copy()
    for part in range(1, _PARTS):
        coarse += counts[:, part::_PARTS]
    return coarse


@np.errstate(all="ignore")
def _cell_test(grouped: _Grouped, factors: Overdispersion) -> Floats:
    """(columns,) chance of the cell that stands out most, times the number of cells."""
    drawn, pooled, mean = grouped.drawn, grouped.pooled, grouped.mean[:, None]
    apart = np.maximum(np.abs(drawn - pooled * mean) - 0.5, 0.0) ** 2 / (pooled * (grouped.total[:, None] - pooled))
    most = np.argmax(np.where(pooled > 0, apart, -1.0), axis=1)[:, None]
    deviate = share_deviate(
        np.take_along_axis(drawn, most, axis=1)[:, 0],
        np.take_along_axis(pooled, most, axis=1)[:, 0],
        drawn=grouped.rows,
        total=grouped.total,
    )
    # Rows that hang together fill a cell in bursts: it is well that the factor of cells is that of the worst direction.
    chance = tail(deviate**2, 1.0, mean=factors.cells, greatest=factors.cells, freedom=factors.freedom)
    return np.minimum(chance * trials((pooled > 0).sum(axis=1)), 1.0)


def trials(cells: Ints) -> Floats:
    """How many tests a search among so many cells is: of two cells one says what the other does."""
    return np.where(cells > 2, cells, 1).astype(np.float64)
