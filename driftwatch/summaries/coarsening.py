"""Into which few groups the values of a column are put, where they are counted block by block."""

import numpy as np

from driftwatch.kernels.block_moments import INVALID_GROUP, MISSING_GROUP, VALUE_GROUPS, Groups
from driftwatch.summaries.layout import Floats, Ints, Layout

MARKS = np.array([0.02, 0.07, 0.16, 0.31, 0.5, 0.69, 0.84, 0.93, 0.98])
"""Where numbers are cut into groups: narrow in the tails, so that they tell spread from place."""

EXCERPT = 8192
"""Rows that are enough to choose the cuts by."""


def cuts_of(layout: Layout, excerpt: Floats) -> Floats:
    """(numeric columns, VALUE_GROUPS - 1) edges at which numbers are cut into groups, padded with infinity.

    excerpt: (columns, rows) some values of the table; a column with few bins keeps each as a group.
    """
    cuts = np.full((len(layout.numeric), VALUE_GROUPS - 1), np.inf)
    for place, (edges, values) in enumerate(zip(layout.edges, excerpt, strict=True)):
        inner = np.unique(edges[1:-1][edges[1:-1] < edges[-1]])
        if inner.size > cuts.shape[1]:
            finite = np.sort(values[np.isfinite(values)])
            if finite.size:
                # The edge nearest to each mark, by the share of values up to it.
                share = np.searchsorted(finite, inner, side="right") / finite.size
                inner = np.unique(inner[np.abs(share[:, None] - MARKS).argmin(axis=0)])
            else:
                inner = inner[:: -(-inner.size // cuts.shape[1])]
        cuts[place, : inner.size] = inner
    return cuts


def category_groups(width: int) -> Groups:
    """(width,) the group of each slot of a categorical column: the frequent ones stand alone, the rest is dealt out."""
    known = np.arange(width - 3)
    groups = known if known.size < VALUE_GROUPS else np.where(known < 7, known, 7 + known % 2)
    return np.concatenate([groups, [VALUE_GROUPS - 1, MISSING_GROUP, INVALID_GROUP]]).astype(np.uint8)


def value_groups(counts: Ints) -> Ints:
    """(slots,) the group of each slot of numbers, cut at about the same shares as `cuts_of` cuts."""
    filled = np.count_nonzero(counts)
    if filled <= VALUE_GROUPS:
        groups: Ints = np.clip(np.cumsum(counts > 0) - 1, 0, VALUE_GROUPS - 1)
        return groups
    middle = (np.cumsum(counts) - counts / 2) / counts.sum()
    found: Ints = np.searchsorted(MARKS, middle).astype(np.int64)
    return found
