"""Has a column changed all at once: one p-value per column of one window against the reference."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from driftwatch.kernels.combination import Components
from driftwatch.kernels.detectable import detectable_move, detectable_shift
from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.kernels.two_sample import GROUPS, NUMERIC_WEIGHTS, numeric_components
from driftwatch.kernels.two_sample_categories import LEAST_EXPECTED, WEIGHTS, categorical_components
from driftwatch.summaries.layout import FINITE, Floats, Layout
from driftwatch.summaries.profile import Profile

LEAST_ROWS = 2
POWER = 0.8
_STEP = 0.05
_KEPT = 8

FactorsOf = Callable[[int], Overdispersion]
"""Rows of a window → factors of all columns in layout order."""


@dataclass(frozen=True)
class Abrupt:
    """What depends on the reference alone. over: None where rows are independent."""

    layout: Layout
    reference: Profile
    over: FactorsOf | None = None
    _known: dict[tuple[int, bytes, float], Floats] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, layout: Layout, reference: Profile, over: FactorsOf | None = None) -> Self:
        """Take a reference that was counted over the layout."""
        return cls(layout, reference, over)

    def p_values(self, current: Profile) -> Floats:
        """(columns,) in layout order, in [0, 1]: how likely are differences like these if nothing has changed.

        NaN where nothing can be tested: the reference or the window has fewer than two rows.
        """
        tested = self.components(current)
        if tested is None:
            return np.full(len(self.layout.names), np.nan)
        return np.concatenate([components.combined() for components in tested])

    def components(self, current: Profile) -> tuple[Components, Components] | None:
        """The single tests, of numeric and of categorical columns; None where nothing can be tested."""
        if min(self.reference.rows, current.rows) < LEAST_ROWS:
            return None
        factors = self._factors(current.rows)
        numeric = len(self.layout.numeric)
        numbers = numeric_components(
            self.reference.numeric.counts, current.numeric.counts, _of(factors, slice(numeric))
        )
        categories = categorical_components(
            self.reference.categories,
            current.categories,
            self.layout.offsets,
            factors=_of(factors, slice(numeric, None)),
        )
        return numbers, categories

    def detectable(self, rows: int, *, level: Floats | float, power: float = POWER) -> Floats:
        """(columns,) the least total variation that a window of about so many rows would have shown at such a level.

        Of a shift of all values, for numbers; of rows that move from half of the categories to the other half, for
        words. An approximation, good to about a fifth; 1 where nothing would be sure to be shown. Rows are rounded down
        by a twentieth at most, and what was found for them is kept: the windows of a stream have about as many.
        """
        if min(self.reference.rows, rows) < LEAST_ROWS:
            return np.ones(len(self.layout.names))
        rows = _rounded(rows)
        asked = rows, np.asarray(level, dtype=np.float64).tobytes(), power
        if asked not in self._known:
            if len(self._known) >= _KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[asked] = self._detectable(rows, level, power=power)
        return self._known[asked]

    @np.errstate(invalid="ignore", divide="ignore")
    def _detectable(self, rows: int, level: Floats | float, *, power: float) -> Floats:
        factors = self._factors(rows)
        levels = np.broadcast_to(np.asarray(level, dtype=np.float64), (len(self.layout.names),))
        numeric = len(self.layout.numeric)
        return np.concatenate(
            [
                self._detectable_numbers(rows, levels[:numeric], _of(factors, slice(numeric)), power=power),
                self._detectable_words(rows, levels[numeric:], _of(factors, slice(numeric, None)), power=power),
            ]
        )

    def _detectable_numbers(self, rows: int, levels: Floats, factors: Overdispersion, *, power: float) -> Floats:
        finite = self.reference.numeric.counts[:, :FINITE]
        valid = finite.sum(axis=1).astype(np.float64)
        sides = (valid, valid / self.reference.rows * rows)
        share = finite.max(axis=1, initial=0) / valid
        weights = {name: NUMERIC_WEIGHTS[name] for name in ("location", "shape", "groups", "cell")}
        whole = sum(weights.values())
        degrees = np.minimum((finite > 0).sum(axis=1), GROUPS) - 1.0
        shift = detectable_shift(
            sides, level=levels * weights["location"] / whole, greatest_share=share, factors=factors, power=power
        )
        move = detectable_move(
            sides, degrees, level=levels * weights["groups"] / whole, greatest_share=share, factors=factors, power=power
        )
        return np.minimum(shift, move)

    def _detectable_words(self, rows: int, levels: Floats, factors: Overdispersion, *, power: float) -> Floats:
        counts, starts = self.reference.categories, self.layout.offsets[:-1]
        if not starts.size:
            return np.zeros(0)
        n = float(self.reference.rows)
        sides = (np.full(starts.size, n), np.full(starts.size, float(rows)))
        whole = WEIGHTS["groups"] + WEIGHTS["cell"]
        thick = counts * min(1.0, rows / n) >= LEAST_EXPECTED
        thin = np.add.reduceat(np.where(thick, 0, counts), starts) > 0
        return detectable_move(
            sides,
            np.add.reduceat(thick.astype(np.float64), starts) + thin - 1,
            level=levels * WEIGHTS["groups"] / whole,
            greatest_share=np.maximum.reduceat(counts, starts) / n,
            factors=factors,
            power=power,
        )

    def _factors(self, rows: int) -> Overdispersion:
        return Overdispersion.none(len(self.layout.names)) if self.over is None else self.over(rows)


def _rounded(rows: int) -> int:
    """The next lower number of a grid whose steps are a twentieth; all below forty are on it."""
    if rows < 2 / _STEP:
        return rows
    return math.ceil((1 + _STEP) ** math.floor(math.log(rows, 1 + _STEP) + 1e-9) - 1e-6)


def _of(factors: Overdispersion, some: slice) -> Overdispersion:
    """The factors of some columns."""
    return replace(
        factors,
        location=factors.location[some],
        scale=factors.scale[some],
        cells=factors.cells[some],
        path=factors.path[some],
        freedom=factors.freedom[some],
    )
