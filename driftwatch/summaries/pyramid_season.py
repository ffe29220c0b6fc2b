"""What the rows of a reference say of how much windows vary beside their season: blocks of 4, 8, 16 … rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.kernels.block_curves import Apart, Curves, block_freedom
from driftwatch.kernels.block_moments import GROUPS, PAIRS, unpacked
from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.kernels.variance_time import VarianceTime
from driftwatch.summaries.layout import Floats, Ints, Layout

MOST_SPENT = 0.35
"""Blocks that make more of what their slots expect of them say too little of how far they may leave it."""


@dataclass(frozen=True)
class SeasonPyramid:
    """Sums of products, over blocks of each length, of counts less what their season's slots expect, and of that.

    numeric: how many of the columns are; they come first. lengths, blocks: (levels,) as of a pyramid. left, expected:
    (levels, columns, PAIRS), see `block_moments.packed`. spent: (levels,) the part of a block's variance that is not
    left, as its own rows made what is expected of them: with one period of a season, all of a whole slot's.
    """

    numeric: int
    lengths: Ints
    blocks: Ints
    left: Floats
    expected: Floats
    spent: Floats
    _known: dict[int, VarianceTime] = field(default_factory=dict, repr=False, compare=False)

    def over(self, rows: int, reference_rows: int, *, counts: Floats) -> Overdispersion:
        """By how much a window varies more than independent rows of its slots would; see `Pyramid.over_season`.

        counts: (columns, GROUPS) of all rows of the reference.
        """
        level = int(np.searchsorted(self.lengths[self.used], rows, side="right")) - 1
        if level not in self._known:
            self._known[level] = self._beside(max(level, 0), counts)
        return self._known[level].over(rows, reference_rows)

    @property
    def used(self) -> NDArray[np.bool_]:
        """(levels,) where blocks say enough of how far they leave what is expected of them."""
        return self.spent <= MOST_SPENT

    def _beside(self, level: int, counts: Floats) -> VarianceTime:
        """What is known of windows that are about as long as the blocks of a level.

        The tests suppose rows that are drawn from the mixture of all slots of a window, so that is what the variance
        of blocks of any length is held against: over a day there is more of it than over an hour.
        """
        lengths, blocks = self.lengths[self.used], self.blocks[self.used]
        spread = _within(unpacked(self.expected[self.used][level : level + 1]), lengths[level], blocks[level])
        curves = Curves.of(
            counts, self.left[self.used], blocks=(lengths, blocks), numeric=self.numeric,
            apart=Apart(spread, self.spent[self.used]),
        )  # fmt: skip
        rows = int(counts[:1].sum())
        free = block_freedom(lengths, blocks)
        return VarianceTime.of(curves, rows=rows, numeric=self.numeric, lengths=lengths, block_freedom=free)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The pyramid as named arrays, for whoever stores it."""
        return {
            "pyramid_season": np.stack([self.lengths, self.blocks]), "pyramid_season_spent": self.spent,
            "pyramid_season_left": self.left, "pyramid_season_expected": self.expected,
        }  # fmt: skip

    @classmethod
    def from_arrays(cls, layout: Layout, arrays: Mapping[str, NDArray[Any]]) -> Self | None:
        """Return the inverse of `arrays`, None where they are not there; StateError when they do not fit."""
        if "pyramid_season" not in arrays:
            return None
        levels, spent = arrays["pyramid_season"], arrays["pyramid_season_spent"]
        left, expected = arrays["pyramid_season_left"], arrays["pyramid_season_expected"]
        shape = (levels.shape[1], len(layout.names), PAIRS)
        if (left.shape, expected.shape, spent.shape) != (shape, shape, shape[:1]):
            raise StateError(f"the stored pyramid beside the season is not one of {shape[1]} columns")
        return cls(len(layout.numeric), levels[0], levels[1], left, expected, spent)


def _within(expected: Floats, length: int, blocks: int) -> Floats:
    """(…, GROUPS, GROUPS) the covariance of a row that is drawn from the expectation of a block, on average."""
    products = expected / (float(blocks) * length**2)
    own: Floats = products.sum(axis=-1)[..., None] * np.eye(GROUPS) - products
    return own
