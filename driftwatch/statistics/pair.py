"""Reference and current profile side by side, as the arrays that kernels take."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.binning import Z_LIMIT
from driftwatch.kernels.grouping import quantile_groups
from driftwatch.kernels.histogram import Histogram, Moments
from driftwatch.kernels.table import Table
from driftwatch.summaries.layout import FINITE, INVALID_SLOT, MISSING_SLOT, SLOTS, Floats, Ints, Layout
from driftwatch.summaries.profile import Profile


@dataclass(frozen=True)
class Grid:
    """What does not change while a reference is watched.

    edges: (numeric columns, EDGES) in units of z, as the sums are. starts: where each group begins in the flat numeric
    counts; missing and invalid are groups of their own. offsets: (columns + 1,) where each column's cells begin, the
    numeric columns' groups first, then the categorical slots. numeric: number of numeric columns.
    """

    edges: Floats
    starts: Ints
    offsets: Ints
    numeric: int
    centre: Floats
    scale: Floats

    @classmethod
    @np.errstate(all="ignore")
    def of(cls, layout: Layout, reference: Profile, *, groups: int) -> Self:
        """Group the reference's bins; edges beyond the range of numbers become infinite and spoil only themselves."""
        columns = len(layout.numeric)
        counts = reference.numeric.counts
        begins = np.ones((columns, SLOTS), dtype=np.bool_)
        begins[:, :FINITE] = quantile_groups(counts[:, :FINITE], groups)
        sizes = np.concatenate([begins.sum(axis=1), np.diff(layout.offsets)])
        return cls(
            edges=(layout.edges - layout.centre[:, None]) / layout.scale[:, None],
            starts=np.flatnonzero(begins),
            offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            numeric=columns,
            centre=layout.centre,
            scale=layout.scale,
        )


@dataclass(frozen=True)
class Side:
    """One profile's arrays, each made when a statistic first asks for it."""

    grid: Grid
    profile: Profile

    @cached_property
    def cells(self) -> Ints:
        """(cells,) counts of groups and categories of all columns."""
        flat = self.profile.numeric.counts.ravel()
        groups = np.add.reduceat(flat, self.grid.starts) if self.grid.starts.size else flat
        return np.concatenate([groups, self.profile.categories])

    @cached_property
    def ordered(self) -> Ints:
        """(numeric columns, SLOTS) counts with missing and invalid before the numbers."""
        return self.profile.numeric.counts[:, [MISSING_SLOT, INVALID_SLOT, *range(FINITE)]]

    @cached_property
    def histogram(self) -> Histogram:
        """The values present, in units of z; sums of values that were cut at Z_LIMIT say nothing and are NaN."""
        numeric = self.profile.numeric
        least, greatest = self._extremes
        cut = (least < -Z_LIMIT) | (greatest > Z_LIMIT)
        sums = np.where(cut[:, None], np.nan, numeric.sums)
        return Histogram.of(numeric.counts[:, :FINITE], sums, self.grid.edges)

    @cached_property
    def moments(self) -> Moments:
        """Moments of the values present, in units of z."""
        least, greatest = self._extremes
        return Moments.of(self.histogram, self.profile.numeric.squares, least=least, greatest=greatest)

    @cached_property
    def _extremes(self) -> tuple[Floats, Floats]:
        numeric, grid = self.profile.numeric, self.grid
        with np.errstate(all="ignore"):
            return (numeric.minima - grid.centre) / grid.scale, (numeric.maxima - grid.centre) / grid.scale


@dataclass(frozen=True)
class Pair:
    """What a statistic is given."""

    reference: Side
    current: Side

    @cached_property
    def cells(self) -> Table:
        """Groups and categories of all columns, numeric columns first."""
        return Table.of(self.reference.cells, self.current.cells, self.reference.grid.offsets)

    @cached_property
    def categories(self) -> Table:
        """The cells of the categorical columns alone."""
        grid = self.reference.grid
        offsets = grid.offsets[grid.numeric :]
        first = int(offsets[0])
        return Table.of(self.reference.cells[first:], self.current.cells[first:], offsets - first)

    @cached_property
    def spread(self) -> NDArray[np.bool_]:
        """(numeric columns, SLOTS) of `ordered`: slots in which values of one side or both differ."""
        spread = np.ones(self.current.ordered.shape, dtype=np.bool_)
        spread[:, :2] = False
        spread[:, 3:-1] = ~(self.reference.histogram.atoms & self.current.histogram.atoms)
        return spread
