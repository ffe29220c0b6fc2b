"""A column that shows one value only: a frozen sensor, a default that nobody changes any more."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from driftwatch.statistics.checks import Checked
from driftwatch.statistics.shares import bounds
from driftwatch.summaries.blocks import COARSE, GROUPS, Blocks
from driftwatch.summaries.layout import FINITE, Floats, Ints, Layout
from driftwatch.summaries.profile import Profile

_REST = 3
"""A categorical column's slots that are no value of its own: other, missing, invalid."""


@dataclass(frozen=True)
class Steady:
    """How constant a reference is, (columns,), numeric first.

    share: of its rows with a value, those with the most frequent one. alone: whether that is its only one.
    run_rows: the longest stretch of its own rows over which a column was constant, and two blocks more; 0 when none.
    """

    layout: Layout
    share: Floats
    run_rows: Ints

    @classmethod
    def of(cls, layout: Layout, reference: Profile, blocks: Blocks | None) -> Self:
        """Learn it from the reference's counts and, where there are any, from those of its consecutive blocks."""
        most, present = _most(layout, reference)
        share = np.divide(most, present, out=np.ones(most.size), where=present > 0)
        alone = np.where(reference.numeric.minima < reference.numeric.maxima, 0.999, 1.0)
        share[: len(layout.numeric)] = np.minimum(share[: len(layout.numeric)], alone)
        runs = np.zeros(most.size, dtype=np.int64) if blocks is None else _runs(layout, blocks)
        return cls(layout, share, runs)

    def check(self, current: Profile) -> Checked:
        """Whether a window has one value only, as 1 or 0; its lower bound is that of the share of rows at that value.

        The limit is half-way between the reference's most frequent value's share and one: a column that shows the same
        value in 97 % of its rows does so in many a window. It is one, which nothing exceeds, where the reference has
        one value only, and for windows as short as the reference's own constant stretches. `adjusted` is what the
        window has more than the reference: -1 where a constant column has begun to vary.
        """
        most, present = _most(self.layout, current)
        numeric = current.numeric
        split = len(self.layout.numeric)
        single = (most == present) & (present > 1)
        single[:split] = (numeric.minima == numeric.maxima) & (present[:split] > 1)
        usual = (self.share >= 1) | (present <= self.run_rows)
        limit = np.where(usual, 1.0, (1 + self.share) / 2)
        lower = np.where(single, bounds(present, present).lower, 0.0)
        value = single.astype(np.float64)
        before = (self.share >= 1).astype(np.float64)
        return Checked(value, value - before, lower, value, limit, lower > limit, self._at(current, single.tolist()))

    def _at(self, current: Profile, single: list[bool]) -> list[float | str]:
        split, offsets = len(self.layout.numeric), self.layout.offsets.tolist()
        at: list[float | str] = [float("nan")] * len(single)
        for place in (place for place, constant in enumerate(single) if constant):
            if place < split:
                at[place] = float(current.numeric.minima[place])
            else:
                start = offsets[place - split]
                words = self.layout.categorical[place - split].vocabulary
                at[place] = words[int(current.categories[start : start + len(words)].argmax())]
        return at


def _most(layout: Layout, profile: Profile) -> tuple[Ints, Ints]:
    """Rows at the most frequent known value, and rows with a value, (columns,)."""
    counts = profile.numeric.counts[:, :FINITE]
    known, present = _by_category(layout, profile.categories[None, :])
    most, held = np.concatenate([counts.max(axis=1), known[0]]), np.concatenate([counts.sum(axis=1), present[0]])
    return most, held


def _by_category(layout: Layout, categories: Ints) -> tuple[Ints, Ints]:
    """The same of categorical columns; categories: (profiles, slots) → (profiles, columns)."""
    starts = layout.offsets[:-1]
    if not starts.size:
        none = np.zeros((len(categories), 0), dtype=np.int64)
        return none, none
    ends = layout.offsets[1:]
    valued = categories.copy()
    valued[:, ends - 1] = valued[:, ends - 2] = 0
    present: Ints = np.add.reduceat(valued, starts, axis=1)
    valued[:, ends - _REST] = 0
    return np.maximum.reduceat(valued, starts, axis=1), present


def _runs(layout: Layout, blocks: Blocks) -> Ints:
    """(columns,) rows of the longest stretch of constant blocks and two more; 0 when there is none.

    Of numbers that share coarse slots nothing is known.
    """
    counts = blocks.numeric[:, :, : COARSE - 2]
    few = np.count_nonzero(np.diff(layout.edges, axis=1) > 0, axis=1) <= GROUPS
    numeric = (counts.max(axis=2, initial=0) == counts.sum(axis=2)) & few
    known, present = _by_category(layout, blocks.categories)
    constant = np.concatenate([numeric, known == present], axis=1)
    run = longest = np.zeros(constant.shape[1], dtype=np.int64)
    for block in constant:
        run = (run + 1) * block
        longest = np.maximum(longest, run)
    return np.where(longest > 0, (longest + 2) * blocks.length, 0)
