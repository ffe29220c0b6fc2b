"""When labels come: the share that has come by each lag, and by how much those that came early mislead.

Lags are counted in buckets that grow by a factor √2, from 1 s to 2 years; the first holds what is shorter, the last
what is longer. Inside a bucket lags are taken as uniform.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EDGES_MS = np.floor(1000 * 2.0 ** (np.arange(53) / 2))
BUCKETS = EDGES_MS.size + 1
_LEFTS = np.concatenate([[0.0], EDGES_MS])
_WIDTHS = np.diff(_LEFTS, append=EDGES_MS[-1] * 2)
LEAST_SHARE = 0.02
"""Share of a class that must have come by now for its labels to speak for those that have not."""
LEVEL = 1e-3
"""Probability of telling classes' delays apart when they are equal."""
POOLED = 50.0
"""Labels that the delays of all scores count for among those of one group of scores."""


def buckets_of(lags_ms: Ints) -> Ints:
    """The bucket in [0, BUCKETS) of each lag."""
    return np.searchsorted(EDGES_MS, lags_ms, side="right").astype(np.int64)


def delay_counts(groups: Ints, labels: Ints, delays_ms: Ints, *, count: int) -> Ints:
    """(count, 2, BUCKETS) labelled rows by score group × label × lag; all rows' arguments (rows,). Counts add."""
    cells = (groups * 2 + labels) * BUCKETS + buckets_of(delays_ms)
    return np.bincount(cells, minlength=count * 2 * BUCKETS).reshape(count, 2, BUCKETS).astype(np.int64)


def arrival_curve(labelled: Floats, waiting: Floats) -> Floats:
    """Share of rows (…, BUCKETS) whose label has come by the end of each bucket.

    labelled: (…, BUCKETS) rows by the lag of their label. waiting: (…, BUCKETS) rows without one by their age: they
    say nothing of longer lags (right censoring; actuarial form of Kaplan and Meier, 1958). NaN where no row is so old.
    """
    leaving = labelled + waiting
    at_risk = np.flip(np.flip(leaving, axis=-1).cumsum(axis=-1), axis=-1)
    exposed = at_risk - waiting / 2
    hazard = np.divide(labelled, exposed, out=np.zeros(exposed.shape), where=exposed > 0)
    share = 1 - np.cumprod(1 - np.minimum(hazard, 1.0), axis=-1)
    return np.where(at_risk > 0, share, np.nan)


def label_matters(counts: Floats) -> bool:
    """Whether, within score groups, positives' labels come at other lags than negatives' (homogeneity, χ²).

    counts: (groups, 2, BUCKETS) of matured windows.
    """
    by_group = counts.sum(axis=(1, 2), keepdims=True)
    expected = counts.sum(axis=2, keepdims=True) * counts.sum(axis=1, keepdims=True) / np.maximum(by_group, 1.0)
    # Cells of which hardly any row is expected have no χ² distribution.
    tested = np.broadcast_to(expected.min(axis=1, keepdims=True) >= 2, counts.shape)
    statistic = np.divide((counts - expected) ** 2, expected, out=np.zeros(counts.shape), where=tested).sum()
    freedom = int(tested[:, 0].sum())
    return freedom > 0 and bool(special.chdtrc(freedom, statistic) < LEVEL)


@dataclass(frozen=True, slots=True)
class PastDelays:
    """What the delays of matured windows say of labels that are still to come, by score group and label.

    matters: whether they depend on the label. seen: (2,) whether a label was ever seen. before, inside:
    (score groups, 2, BUCKETS) share of the labels that has come by the beginning of a bucket, and in it.
    """

    counts: Floats
    matters: bool
    seen: NDArray[np.bool_]
    before: Floats
    inside: Floats

    @classmethod
    def of(cls, counts: Floats) -> Self:
        """counts: (score groups, 2, BUCKETS); groups with few labels lean on all of them."""
        pooled = counts.sum(axis=0)
        seen = pooled.sum(axis=-1)
        leaning = counts + POOLED * (pooled / np.maximum(seen, 1.0)[:, None])
        inside = leaning / np.maximum(leaning.sum(axis=-1, keepdims=True), 1.0)
        return cls(counts, label_matters(counts), seen > 0, inside.cumsum(axis=-1) - inside, inside)


def arrived_by_label(delays: PastDelays, groups: Ints, ages_ms: Ints) -> Floats:
    """Mean share (score groups, 2) of each label's rows that has come, over a window's predictions.

    groups, ages_ms: (rows,) of all predictions; a group without any has all rows' ages. Where no label was ever seen,
    1. All 1 when delays do not depend on the label: then what has come is a fair sample of its score.
    """
    size = delays.before.shape[0]
    if not delays.matters or not ages_ms.size:
        return np.ones((size, 2))
    bucket = buckets_of(ages_ms)
    within = np.minimum(np.maximum((ages_ms - _LEFTS[bucket]) / _WIDTHS[bucket], 0.0), 1.0)
    cells = groups * BUCKETS + bucket
    ages = np.stack([np.bincount(cells, weights, minlength=size * BUCKETS) for weights in (None, within)])
    ages = ages.reshape(2, size, BUCKETS)
    ages[:, ~ages[0].any(axis=-1)] = ages.sum(axis=1, keepdims=True)
    come = (delays.before * ages[0][:, None] + delays.inside * ages[1][:, None]).sum(axis=-1)
    return np.where(delays.seen, come / ages[0].sum(axis=-1, keepdims=True), 1.0)


def arrival_errors(counts: Floats, shares: Floats) -> Floats:
    """Squared relative standard errors (score groups, 2) of `arrived_by_label`, which finitely many delays tell.

    counts: (score groups, 2, BUCKETS) delays of matured windows. shares: (score groups, 2). That of a share of
    n + POOLED rows; 0 where a share is 1, as where delays do not depend on the label.
    """
    rows = counts.sum(axis=-1) + POOLED
    errors: Floats = (1 - shares) / (np.maximum(shares, LEAST_SHARE) * rows)
    return errors
