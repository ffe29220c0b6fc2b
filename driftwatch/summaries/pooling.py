r"""What a window in some slots of a season is to be compared with: their own rows, filled up where these are few.

A slot's shares are pulled towards those of its neighbours and of all rows, as a Dirichlet prior does: its own n rows
count n, what it is filled up with counts f, which is larger the less slots differ beyond chance.

    shares = (n own + f fill) / (n + f)     f = greater of 1 / (v + 1 / m), for the neighbours and for the whole
    v: how much a slot differs from what m other rows say, beyond the sampling of both, as a share of the variance
       inside slots: by moments, from the reference itself, by column, and two standard errors more, for caution

v is 1 / the precision of a Dirichlet-multinomial (Mosimann 1962), by the moments of Weir and Cockerham (1984): of the
shares of coarse groups and of the mean rank, whichever says more. A slot with many rows stands alone; one without any
is the fill, and counts for no more rows than knowing it is worth. Of slots together: see `seasonal`.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.summaries.blocks import COARSE, GROUPS, coarse_groups, grouped
from driftwatch.summaries.layout import SLOTS, Floats, Ints
from driftwatch.summaries.rounding import column_starts
from driftwatch.summaries.season_profiles import SeasonProfiles

_CAUTION = 2.0
"""Standard errors by which slots may differ more than they seem to."""
_SLIGHT = 1e-12
_FEWEST = 2
"""One difference has no spread."""


@dataclass(frozen=True, slots=True)
class Fill:
    """By how much each slot is filled up, and from where; (slots, columns), columns in layout order.

    rows: f, how many rows the fill is worth. near: the share of it that comes from the neighbours.
    certain: (columns,) has one value only in every slot, as the hour has in hours: few rows say it as well as many.
    """

    rows: Floats
    near: Floats
    certain: NDArray[np.bool_]

    @classmethod
    def of(cls, parts: SeasonProfiles, starts: tuple[Ints, Ints]) -> Self:
        """Learn it from the reference's slots."""
        layout, rows = parts.layout, parts.rows.astype(np.float64)
        views, certain = _views(parts, starts)
        beside = parts.season.neighbours()
        near_rows, rest = rows[beside].sum(axis=1), rows.sum() - rows
        near, far = np.zeros(len(layout.names)), np.zeros(len(layout.names))
        for counts, scores, columns in views:
            around = np.zeros_like(counts)
            for line in beside.T:
                around += counts[line]
            others = counts.sum(axis=0) - counts
            near[columns] = _beyond_chance(counts, around, rows, scores=scores, other_rows=near_rows)
            far[columns] = _beyond_chance(counts, others, rows, scores=scores, other_rows=rest)
        with np.errstate(divide="ignore"):
            close, wide = 1 / (near + 1 / near_rows[:, None]), 1 / (far + 1 / rest[:, None])
        both = close + wide
        share = np.divide(close, both, out=np.zeros_like(both), where=both > 0)
        return cls(np.maximum(close, wide), share, certain)


_View = tuple[Floats, Floats | None, slice]


def _views(parts: SeasonProfiles, starts: tuple[Ints, Ints]) -> tuple[list[_View], NDArray[np.bool_]]:
    """Counts of slots x columns x groups, the scores of the groups, and which columns these are; `Fill.certain`."""
    layout, slots, columns = parts.layout, parts.season.slots, len(parts.layout.numeric)
    groups, numbers = coarse_groups(layout), columns * SLOTS
    coarse = np.zeros((slots, columns, COARSE))
    words = np.zeros((slots, int(layout.offsets[-1])))
    certain = np.ones(len(layout.names), dtype=np.bool_)
    begins = column_starts(layout)
    for slot in range(slots):
        flat, _ = parts.slot(slot, starts)
        coarse[slot] = grouped(flat[:numbers].reshape(columns, SLOTS), groups)
        words[slot] = flat[numbers:]
        if begins.size:
            certain &= np.add.reduceat(flat > 0, begins, dtype=np.int64) <= 1
    views: list[_View] = [(coarse, _ranks(coarse.sum(axis=0)), slice(0, columns))]
    ends = zip(layout.offsets[:-1].tolist(), layout.offsets[1:].tolist(), strict=True)
    single = (slice(columns + place, columns + place + 1) for place in range(len(layout.categorical)))
    views += [(words[:, None, a:b], None, place) for (a, b), place in zip(ends, single, strict=True)]
    return views, certain


def _ranks(counts: Floats) -> Floats:
    """(columns, COARSE) the mean rank of each group as a share; rows without a number stand in the middle."""
    held = counts[:, :GROUPS]
    total = np.maximum(held.sum(axis=1, keepdims=True), 1.0)
    ranks = np.full(counts.shape, 0.5)
    ranks[:, :GROUPS] = (np.cumsum(held, axis=1) - held / 2) / total
    return ranks


def _beyond_chance(
    own: Floats, other: Floats, rows: Floats, *, scores: Floats | None, other_rows: Floats
) -> Floats:  # fmt: skip
    """(columns,) v, and _CAUTION standard errors more; infinite where there is nothing to learn it from.

    own, other: (slots, columns, groups) counts of slots and of what they are compared with. rows, other_rows: (slots,).
    """
    usable = (rows > 1) & (other_rows > 1)
    if np.count_nonzero(usable) < _FEWEST:
        return np.full(own.shape[1], np.inf)
    n, m = rows[usable][:, None], other_rows[usable][:, None]
    before, after = own[usable] / n[..., None], other[usable] / m[..., None]
    within, beyond = 1 - (before**2).sum(axis=2), ((before - after) ** 2).sum(axis=2)
    around = 1 - (after**2).sum(axis=2)
    found = _ratio(beyond, within, around, n=n, m=m)
    if scores is None:
        return found
    mean, mean_after = (before * scores).sum(axis=2), (after * scores).sum(axis=2)
    within, around = (before * scores**2).sum(axis=2) - mean**2, (after * scores**2).sum(axis=2) - mean_after**2
    return np.maximum(found, _ratio((mean - mean_after) ** 2, within, around, n=n, m=m))


def _ratio(squares: Floats, within: Floats, around: Floats, *, n: Floats, m: Floats) -> Floats:
    """(columns,) squared differences beyond the sampling of both sides, over the variance inside slots."""
    weights = 1 / (1 / n + 1 / m)
    inside = within * n / (n - 1)
    beyond = squares - inside / n - around / m
    total = weights.sum()
    variance = (n * inside).sum(axis=0) / n.sum()
    mean = (weights * beyond).sum(axis=0) / total
    error = np.sqrt((weights**2 * (beyond - mean) ** 2).sum(axis=0)) / total
    upper = np.maximum(mean, 0.0) + _CAUTION * error
    # A column that is constant inside slots and between them limits nothing; one that is so inside only is not filled.
    nothing = np.where(upper > _SLIGHT, np.inf, 0.0)
    ratio: Floats = np.divide(upper, variance, out=nothing, where=variance > _SLIGHT)
    return ratio
