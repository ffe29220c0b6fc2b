"""What is declared of columns beside their reference: bounds of their numbers, and shares of their categories."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from driftwatch.statistics.checks import Checked, Flags
from driftwatch.statistics.shares import bounds
from driftwatch.summaries.layout import EDGES, FINITE, Floats, Ints, Layout
from driftwatch.summaries.profile import Profile

_ROUNDING = 1e-6


@dataclass(frozen=True)
class Bounds:
    """The bounds that are declared; where: (numeric columns,) those that have any."""

    layout: Layout
    least: Floats
    greatest: Floats
    where: Flags

    @classmethod
    def of(cls, layout: Layout) -> Self:
        """Take them from the columns."""
        least = np.array([column.least for column in layout.numeric])
        greatest = np.array([column.greatest for column in layout.numeric])
        return cls(layout, least, greatest, np.isfinite(least) | np.isfinite(greatest))

    def outside(self, profile: Profile) -> Ints:
        """(numeric columns,) values that must be out of their bounds: none exactly when none is, and never too many.

        Slots beyond a bound are counted whole. Of the slot that a bound divides there must be at least so many rows
        beyond it as its mean says (Markov's inequality), and one where the extreme is.
        """
        found = np.zeros(self.where.size, dtype=np.int64)
        numeric, layout = profile.numeric, self.layout
        for place in np.flatnonzero(self.where).tolist():
            counts = numeric.counts[place, :FINITE]
            values = layout.centre[place] * counts + layout.scale[place] * numeric.sums[place]
            low, high = float(numeric.minima[place]), float(numeric.maxima[place])
            edges = layout.edges[place]
            unit = float(np.abs(layout.centre[place]) + layout.scale[place])
            found[place] = _above(counts, values, edges, bound=self.greatest[place], extreme=high, unit=unit)
            # Below is above in a mirror; the edges belong to the slot on their left, so that they move by a hair.
            mirrored = -np.nextafter(edges, np.inf)[::-1]
            found[place] += _above(
                counts[::-1], -values[::-1], mirrored, bound=-self.least[place], extreme=-low, unit=unit
            )
        return found


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared of a layout's columns.

    never_null, named: (columns,) where a value must always be there, and where it must be allowed or of a pattern.
    listed: (categorical columns,) where what is allowed is written down. shares: whether any column expects shares of
    its categories.
    """

    bounds: Bounds
    never_null: Flags
    named: Flags
    listed: Flags
    shares: bool

    @classmethod
    def of(cls, layout: Layout) -> Self:
        """Take it from the columns."""
        columns = (*layout.numeric, *layout.categorical)
        return cls(
            Bounds.of(layout),
            np.array([not column.nullable for column in columns], dtype=np.bool_),
            np.array([bool(column.allowed or column.pattern) for column in columns], dtype=np.bool_),
            np.array([bool(column.allowed) for column in layout.categorical], dtype=np.bool_),
            any(column.shares for column in layout.categorical),
        )

    def suffices(self, check: str, *, kinds: bool) -> Flags | None:
        """Where a check needs no reference, (columns that have it,); None where every column's needs one.

        kinds: the columns' kinds are declared, too, so that it is known of every value whether it is valid.
        """
        return {
            "missing": self.never_null,
            "invalid": self.named | kinds,
            "out_of_range": self.bounds.where,
            "unseen": self.listed,
        }.get(check)


def _above(counts: Ints, values: Floats, edges: Floats, *, bound: float, extreme: float, unit: float) -> int:
    """Rows above a bound; values: (slots,) sums, edges: (EDGES,) rising, each of the slot on its left."""
    if not extreme > bound:
        return 0
    divided = int(np.searchsorted(edges, bound, side="left"))
    whole = int(counts[divided + 1 :].sum())
    right = extreme if divided == EDGES else min(extreme, float(edges[divided]))
    excess = float(values[divided]) - bound * float(counts[divided])
    part = 0
    # Sums are exact to a part in 1e-15 of the column's own unit; what is no more than rounding says nothing.
    if right > bound and excess > _ROUNDING * float(counts[divided]) * (unit + abs(bound)):
        rows = excess / (right - bound)
        part = int(rows - _ROUNDING * (rows + 1))
    return max(1, whole + min(part, int(counts[divided])))


def shares(layout: Layout, profile: Profile) -> tuple[list[int], Checked]:
    """Expectations on shares of categories: the places of the columns that have some, and what they say.

    Of a column with several the one that is most surely not met is shown: `at` is its category, the limit its nearest
    bound; it is not met where the whole interval of the share is outside.
    """
    places, rows = [], []
    split = len(layout.numeric)
    for number, column in enumerate(layout.categorical):
        if not column.shares:
            continue
        start, stop = int(layout.offsets[number]), int(layout.offsets[number + 1])
        counts = profile.categories[start : stop - 2]
        found = [_met(column.vocabulary, counts, expected) for expected in column.shares]
        places.append(split + number)
        rows.append(max(found))
    apart, value, lower, upper, limit = np.array([row[:5] for row in rows]).reshape(-1, 5).T
    nothing = np.full(len(rows), np.nan)
    return places, Checked(value, nothing, lower, upper, limit, apart > 0, [row[5] for row in rows])


def _met(
    vocabulary: tuple[str, ...], counts: Ints, expected: tuple[str, float, float]
) -> tuple[float, float, float, float, float, str]:
    """How far a share is surely outside what is expected; the share, its bounds, the nearest limit, its category."""
    category, low, high = expected
    hits = counts[vocabulary.index(category)] if category in vocabulary else 0
    share = bounds(np.array([hits]), int(counts.sum()))
    value, lower, upper = float(share.value[0]), float(share.lower[0]), float(share.upper[0])
    limit = high if value > (low + high) / 2 else low
    return max(lower - high, low - upper), value, lower, upper, limit, category
