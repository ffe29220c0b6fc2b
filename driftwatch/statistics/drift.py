"""The drift statistics of contract §6, and the readings of a window against a reference."""

from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.kernels import cumulative, distances, homogeneity, moments, transport
from driftwatch.kernels.estimate import Estimate
from driftwatch.statistics.distribution import Distribution, Spread
from driftwatch.statistics.pair import Grid, Pair, Side
from driftwatch.statistics.reading import Reading, Status
from driftwatch.statistics.registry import STATISTICS, Statistic, View, names_for, statistic
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import Profile

__all__ = ["FAMILY", "MINIMUM_ROWS", "STATISTIC_NAMES", "Baseline", "names_for"]

FAMILY = "drift"
MINIMUM_ROWS = 2
"""Fewer rows than this (present values, for statistics of values) have no distribution to speak of."""


@statistic("psi", of=View.CELLS, high=np.inf)
def psi(pair: Pair) -> Estimate:
    """Population stability index over deciles or categories."""
    return distances.psi(pair.cells)


@statistic("js", of=View.CELLS, high=1.0)
def js(pair: Pair) -> Estimate:
    """Jensen-Shannon distance, base 2, over deciles or categories."""
    return distances.js(pair.cells)


@statistic("kl", of=View.CELLS, high=np.inf)
def kl(pair: Pair) -> Estimate:
    """KL(current ‖ reference) in nats over deciles or categories."""
    return distances.kl(pair.cells)


@statistic("hellinger", of=View.CELLS, high=1.0)
def hellinger(pair: Pair) -> Estimate:
    """Hellinger distance over deciles or categories."""
    return distances.hellinger(pair.cells)


@statistic("tv", of=View.CELLS, high=1.0)
def tv(pair: Pair) -> Estimate:
    """Total variation distance over deciles or categories."""
    return distances.tv(pair.cells)


@statistic("ks", of=View.ORDERED, high=1.0)
def ks(pair: Pair) -> Estimate:
    """Kolmogorov-Smirnov statistic over all bins, rows without a value standing before the numbers."""
    return cumulative.kolmogorov_smirnov(pair.reference.ordered, pair.current.ordered, spread=pair.spread)


@statistic("wasserstein", of=View.VALUES, high=np.inf)
def wasserstein(pair: Pair) -> Estimate:
    """Wasserstein-1 distance of the values present, in the reference's standard deviations."""
    reference, current = pair.reference, pair.current
    return transport.wasserstein(
        reference.histogram, current.histogram, before=reference.moments, after=current.moments
    )


@statistic("mean_shift", of=View.VALUES, low=-np.inf, high=np.inf)
def mean_shift(pair: Pair) -> Estimate:
    """Change of the mean, in the reference's standard deviations."""
    return moments.mean_shift(pair.reference.moments, pair.current.moments)


@statistic("std_ratio", of=View.VALUES, neutral=1.0, high=np.inf)
def std_ratio(pair: Pair) -> Estimate:
    """Standard deviation over the reference's."""
    return moments.std_ratio(pair.reference.moments, pair.current.moments)


@statistic("chi2", of=View.CATEGORIES, high=np.inf)
def chi2(pair: Pair) -> Estimate:
    """Pearson's χ² of the two-row table."""
    return homogeneity.chi2(pair.categories)


@statistic("cramers_v", of=View.CATEGORIES, high=1.0)
def cramers_v(pair: Pair) -> Estimate:
    """Cramér's V of the two-row table."""
    return homogeneity.cramers_v(pair.categories)


@statistic("linf", of=View.CATEGORIES, high=1.0)
def linf(pair: Pair) -> Estimate:
    """Greatest change of one category's share."""
    return distances.linf(pair.categories)


STATISTIC_NAMES = tuple(STATISTICS)
"""Every statistic's name, in the order of readings."""

_STATUSES = (Status.OK, Status.DEGENERATE, Status.TOO_FEW, Status.NO_REFERENCE)
_OK, _DEGENERATE, _TOO_FEW, _NO_REFERENCE = range(4)
_ON_NUMBERS = frozenset({View.CELLS, View.ORDERED, View.VALUES})
_ON_WORDS = frozenset({View.CELLS, View.CATEGORIES})


@dataclass(frozen=True, slots=True)
class Baseline:
    """A reference made ready to be compared with, once per model and segment. spread: None where none is shown.

    groups: how many the divergences have. shown: those over which it is shown how rows spread, when they are others.
    """

    layout: Layout
    reference: Side
    spread: Spread | None
    groups: int = 10
    shown: Grid | None = None

    @classmethod
    def of(cls, layout: Layout, reference: Profile, *, groups: int = 10, shown: bool = True) -> Self:
        """Group the reference's bins into `groups` of about equal mass, for the divergences.

        shown: whether to say how rows spread over the groups, which takes time and room for every column.
        """
        if reference.fingerprint != layout.fingerprint:
            raise StateError(f"the reference was counted over layout {reference.fingerprint}, not {layout.fingerprint}")
        side = Side(Grid.of(layout, reference, groups=groups), reference)
        return cls(layout, side, Spread.of(layout, side) if shown else None, groups)

    def against(self, reference: Profile) -> Self:
        """The same with another reference over the same layout, grouped by its own quantiles.

        How rows spread is shown over the groups that it was shown over before: their names are those of series.
        """
        shown = self.shown or self.reference.grid
        spread = None if self.spread is None else self.spread.against(Side(shown, reference))
        side = Side(Grid.of(self.layout, reference, groups=self.groups), reference)
        return replace(self, reference=side, spread=spread, shown=shown)

    @property
    def rows(self) -> int:
        """Rows of the reference."""
        return self.reference.profile.rows

    @property
    def statistics(self) -> dict[str, tuple[str, ...]]:
        """Every column with the names of its statistics, in the order of its readings."""
        numeric = dict.fromkeys((column.name for column in self.layout.numeric), names_for("numeric"))
        return numeric | dict.fromkeys((column.name for column in self.layout.categorical), names_for("categorical"))

    def distributions(self, current: Profile) -> tuple[Distribution, ...]:
        """How a window's rows spread over each column's groups, beside the reference's; nothing where none is shown."""
        grid = self.shown or self.reference.grid
        return () if self.spread is None else self.spread.distributions(Side(grid, current))

    def readings(self, current: Profile) -> tuple[Reading, ...]:
        """Every statistic of every column: columns in layout order, statistics in registry order.

        StateError when the profile was counted over another layout. Nothing else is raised: what cannot be computed
        is NaN with the reason as its status, and spoils no other column.
        """
        if current.fingerprint != self.layout.fingerprint:
            raise StateError(f"a window of layout {current.fingerprint} does not fit layout {self.layout.fingerprint}")
        pair = Pair(self.reference, Side(self.reference.grid, current))
        names, split = self.layout.names, len(self.layout.numeric)
        numeric: list[list[Reading]] = []
        categorical: list[list[Reading]] = []
        with np.errstate(all="ignore"):
            for entry in STATISTICS.values():
                on_numbers, on_words = entry.of in _ON_NUMBERS, entry.of in _ON_WORDS
                first, last = 0 if on_numbers else split, len(names) if on_words else split
                made = _readings(entry, pair, names=names[first:last])
                if on_numbers:
                    numeric.append(made[:split])
                if on_words:
                    categorical.append(made[split - first :])
        # zip(*...) turns one list per statistic into one tuple per column.
        return tuple(chain(*zip(*numeric, strict=True), *zip(*categorical, strict=True)))


def _readings(entry: Statistic, pair: Pair, *, names: tuple[str, ...]) -> list[Reading]:
    estimate = entry.function(pair)
    status = _status(entry.of, pair, columns=len(names))
    status = np.where((status == _OK) & ~np.isfinite(estimate.value), _DEGENERATE, status)
    usable = status == _OK
    parts = np.array([estimate.value, estimate.adjusted, estimate.lower, estimate.upper, estimate.p_value])
    shown = np.where(usable & np.isfinite(parts), parts, np.nan).tolist()
    statuses = [_STATUSES[code] for code in status.tolist()]
    return list(map(Reading, names, repeat(FAMILY), repeat(entry.name), *shown, statuses))


def _status(view: View, pair: Pair, *, columns: int) -> NDArray[np.int64]:
    """(columns,) why a value is missing, as a place in _STATUSES."""
    if pair.reference.profile.rows == 0:
        return np.full(columns, _NO_REFERENCE)
    if view is not View.VALUES:
        return np.full(columns, _TOO_FEW if pair.current.profile.rows < MINIMUM_ROWS else _OK)
    before, after = pair.reference.moments, pair.current.moments
    flat = (before.rows < MINIMUM_ROWS) | ~(before.deviation > 0)
    return np.where(after.rows < MINIMUM_ROWS, _TOO_FEW, np.where(flat, _DEGENERATE, _OK))
