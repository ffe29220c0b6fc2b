"""A column whose values are all told in another unit: cents for euros, seconds for hours, Fahrenheit for Celsius."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from driftwatch.statistics.checks import Checked, Flags
from driftwatch.summaries.layout import FINITE, Floats, Ints, Layout
from driftwatch.summaries.profile import Profile


@dataclass(frozen=True, slots=True)
class _Unit:
    """new = factor * old + offset, and how exactly windows have to agree with it.

    spread: of deviations, as a ratio. middle: of means, in deviations. ends: of extremes, as a share of the range.
    rare: how much nearer a window has to be to it than to another unit. exact: the extremes have to reach as far too.
    A factor of a hundred is told from any season's drift; one near 2 only where nearly everything agrees.
    """

    factor: float
    offset: float = 0.0
    spread: float = 4.0
    middle: float = 2.0
    ends: float = 0.6
    rare: float = 1.0
    exact: bool = False


def _near(factor: float, offset: float) -> _Unit:
    return _Unit(factor, offset, spread=1.03, middle=0.03, ends=0.05, rare=8.0, exact=True)


_UNITS = (
    *(_Unit(factor, spread=1.6, middle=1.0, ends=0.25) for factor in (10.0, 0.1)),
    *(_Unit(factor) for many in (100.0, 1000.0) for factor in (many, 1 / many)),
    *(
        _Unit(factor, spread=1.04, middle=0.05, ends=0.25, rare=8.0)
        for many in (60.0, 3600.0)
        for factor in (many, 1 / many)
    ),
    *(_near(factor, 0.0) for close in (0.45359237, 1.609344) for factor in (close, 1 / close)),
    _near(1.8, 32.0),
    _near(1 / 1.8, -32 / 1.8),
)
_FEWEST = 30
"""Fewer values than this have no spread to speak of."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What a side's values look like, (columns,) each, in the column's own unit.

    edges, counts: (columns, EDGES) and (columns, slots), of the layout.
    """

    rows: Floats
    mean: Floats
    deviation: Floats
    least: Floats
    greatest: Floats
    edges: Floats
    counts: Ints

    @classmethod
    @np.errstate(all="ignore")
    def of(cls, profile: Profile, layout: Layout) -> Self:
        """From sums of z = (x - centre) / scale and of its squares."""
        numeric = profile.numeric
        counts = numeric.counts[:, :FINITE]
        rows = counts.sum(axis=1)
        mean = numeric.sums.sum(axis=1) / rows
        variance = np.where(numeric.minima < numeric.maxima, np.maximum(numeric.squares / rows - mean**2, 0.0), 0.0)
        return cls(
            rows=rows.astype(np.float64),
            mean=layout.centre + layout.scale * mean,
            deviation=layout.scale * np.sqrt(variance),
            least=numeric.minima,
            greatest=numeric.maxima,
            edges=layout.edges,
            counts=counts,
        )

    def below(self, column: int) -> Floats:
        """(EDGES,) share of a column's values up to each edge."""
        shares: Floats = np.cumsum(self.counts[column])[:-1] / self.rows[column]
        return shares


@np.errstate(all="ignore")
def unit_change(reference: Extent, current: Extent, *, where: Flags) -> Checked:
    """By which factor a window's numbers have all been multiplied; 1 where by none that is a change of unit.

    Mean, standard deviation, least and greatest value have to agree with one factor (and offset) each: taken back to
    the old unit they must look like the reference, and their distribution function must be nearer to it than it is as
    it stands. Of several factors the nearest counts. `at` is the offset.
    where: (columns,) the columns that can be judged.
    """
    columns = current.mean.size
    factor, offset, best = np.ones(columns), np.full(columns, np.nan), np.full(columns, np.inf)
    enough = where & (current.rows >= _FEWEST) & (reference.rows >= _FEWEST) & (current.deviation > 0)
    enough &= reference.deviation > 0
    for unit in _UNITS:
        fits, apart = _fit(unit, reference, current)
        nearer = enough & fits & (apart < best)
        for column in np.flatnonzero(nearer):
            nearer[column] = _is_alike(unit, reference, current, int(column))
        best = np.where(nearer, apart, best)
        factor = np.where(nearer, unit.factor, factor)
        offset = np.where(nearer, unit.offset or np.nan, offset)
    one = np.ones(columns)
    return Checked(factor, np.full(columns, np.nan), factor, factor, one, factor != 1, offset.tolist())


def _fit(unit: _Unit, reference: Extent, current: Extent) -> tuple[Flags, Floats]:
    """Whether the window, taken back to the old unit, looks like the reference, and how far it is from that."""

    def back(values: Floats) -> Floats:
        old: Floats = (values - unit.offset) / unit.factor
        return old

    spread = np.abs(np.log(current.deviation / unit.factor / reference.deviation))
    middle = np.abs(back(current.mean) - reference.mean) / reference.deviation
    room = unit.ends * (reference.greatest - reference.least)
    least, greatest = back(current.least), back(current.greatest)
    ends = (greatest <= reference.greatest + room) & (least >= reference.least - room)
    if unit.exact:
        ends &= (greatest >= reference.greatest - room) & (least <= reference.least + room)
    fits = (spread <= np.log(unit.spread)) & (middle <= unit.middle) & ends
    return fits, unit.rare * (spread + middle)


def _is_alike(unit: _Unit, reference: Extent, current: Extent, column: int) -> bool:
    """Whether the distribution function is nearer to the reference's, at all edges, when it is taken back."""
    edges, usual, found = reference.edges[column], reference.below(column), current.below(column)
    marks, first = np.unique(edges, return_index=True)
    # Of an edge that is repeated as padding the last one has all that lies below it.
    rising = np.append(usual[first[1:] - 1], usual[-1])
    expected = np.interp((edges - unit.offset) / unit.factor, marks, rising, left=0.0)
    apart = float(np.abs(found - expected).max())
    as_it_stands = float(np.abs(found - usual).max())
    return apart <= as_it_stands / 2
