"""When labels come: the share that has come by each lag, and by how much those that came early mislead.

Lags are counted in buckets that grow by a factor √2, from 1 s to 2 years; the first holds what is shorter, the last
what is longer. Inside a bucket lags are taken as uniform.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EDGES_MS = np.floor(1000 * 2.0 ** (np.arange(53) / 2))
BUCKETS = EDGES_MS.size + 1
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


def arrived_share(counts: Floats, ages_ms: Ints) -> Floats:
    """Of the labels that will come, the share (…, rows) that has come by each age (rows,); counts: (…, BUCKETS)."""
    rights = np.concatenate([EDGES_MS, EDGES_MS[-1:] * 2])
    lefts = np.concatenate([[0.0], EDGES_MS])
    bucket = buckets_of(ages_ms)
    within = np.clip((ages_ms - lefts[bucket]) / (rights - lefts)[bucket], 0.0, 1.0)
    total = counts.sum(axis=-1, keepdims=True)
    shares = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    before = shares.cumsum(axis=-1) - shares
    arrived: Floats = before[..., bucket] + shares[..., bucket] * within
    return arrived


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


def arrived_by_label(counts: Floats, groups: Ints, ages_ms: Ints) -> Floats:
    """Mean share (score groups, 2) of each label's rows that has come, over a window's predictions.

    counts: (score groups, 2, BUCKETS) delays of matured windows. groups, ages_ms: (rows,) of all predictions.
    Groups with few labels lean on all of them; where no label was ever seen, 1. All 1 when delays do not depend on
    the label: then what has come is a fair sample of its score.
    """
    size = counts.shape[0]
    if not label_matters(counts):
        return np.ones((size, 2))
    pooled = counts.sum(axis=0)
    prior = pooled / np.maximum(pooled.sum(axis=-1, keepdims=True), 1.0)
    by_age = np.zeros((size, 2))
    for group in range(size):
        ages = ages_ms[groups == group]
        shares = arrived_share(counts[group] + POOLED * prior, ages if ages.size else ages_ms)
        by_age[group] = shares.mean(axis=-1) if shares.size else 1.0
    return np.where(pooled.sum(axis=-1) > 0, by_age, 1.0)


def arrival_errors(counts: Floats, shares: Floats) -> Floats:
    """Squared relative standard errors (score groups, 2) of `arrived_by_label`, which finitely many delays tell.

    counts: (score groups, 2, BUCKETS) delays of matured windows. shares: (score groups, 2). That of a share of
    n + POOLED rows; 0 where a share is 1, as where delays do not depend on the label.
    """
    rows = counts.sum(axis=-1) + POOLED
    errors: Floats = (1 - shares) / (np.maximum(shares, LEAST_SHARE) * rows)
    return errors
