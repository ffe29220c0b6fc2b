"""Slow and obvious counterparts of the kernels, mostly scipy's, and profiles built from plain columns."""

from collections.abc import Sequence

import numpy as np
from scipy import stats
from scipy.spatial.distance import jensenshannon

from driftwatch.stream.batch import Batch
from driftwatch.stream.schema import Column, Kind
from driftwatch.summaries.building import build_layout
from driftwatch.summaries.layout import BINS, EDGES, Layout
from driftwatch.summaries.profile import Profile, profiles
from driftwatch.summaries.survey import NumericSurvey


def quantile_edges(values):
    """Right-closed bins: one per value up to 128 distinct ones, else whole quantiles; padded to EDGES."""
    finite = np.sort(values[np.isfinite(values)])
    distinct = np.unique(finite)
    if distinct.size > BINS:
        distinct = np.unique(finite[np.ceil(np.arange(1, BINS + 1) * finite.size / BINS).astype(int) - 1])
    edges = np.concatenate([[np.nextafter(finite[0], -np.inf)], distinct])
    return np.concatenate([edges, np.full(EDGES - edges.size, edges[-1])])


def layout_of(numeric: Sequence[np.ndarray], vocabularies: Sequence[Sequence[str]] = ()) -> Layout:
    """The product's own layout for columns of numbers and known categories."""
    survey = NumericSurvey(len(numeric))
    if len(numeric):
        survey.add(np.array(numeric, dtype=np.float64), first_row=0)
    return build_layout(
        [Column(f"n{place}", Kind.NUMERIC) for place in range(len(numeric))],
        [Column(f"c{place}", Kind.CATEGORICAL, tuple(words)) for place, words in enumerate(vocabularies)],
        survey,
    )


def profile_of(layout: Layout, numeric: Sequence[np.ndarray] = (), codes: Sequence[np.ndarray] = ()) -> Profile:
    """The profile of one cell that holds all rows."""
    batch = batch_of(layout, numeric, codes)
    return profiles(batch, np.zeros(batch.rows, dtype=np.int64), count=1, layout=layout)[0]


def batch_of(layout: Layout, numeric: Sequence[np.ndarray] = (), codes: Sequence[np.ndarray] = ()) -> Batch:
    """Plain columns as decode gives them."""
    rows = len(numeric[0]) if len(numeric) else len(codes[0])
    return Batch(
        partition="test",
        times=np.arange(rows, dtype=np.int64),
        ids=np.zeros(rows, dtype=np.uint64),
        versions=np.zeros(rows, dtype=np.int32),
        version_names=("",),
        numeric=np.array(numeric, dtype=np.float64).reshape(len(layout.numeric), rows),
        categorical=np.array(codes, dtype=np.int32).reshape(len(layout.categorical), rows),
    )


def half_counts(reference, current):
    """The shares of cells occupied on either side, half a count where one side is empty."""
    kept = (reference + current) > 0
    a, b = reference[kept].astype(float), current[kept].astype(float)
    a[a == 0], b[b == 0] = 0.5, 0.5
    return a / a.sum(), b / b.sum()


def psi(reference, current):
    """The population stability index, cell by cell."""
    return sum((q - p) * np.log(q / p) for p, q in zip(*half_counts(reference, current), strict=True))


def kl(reference, current):
    """What scipy says: the relative entropy of current to reference."""
    p, q = half_counts(reference, current)
    return stats.entropy(q, p)


def js(reference, current):
    """What scipy says: the Jensen-Shannon distance, base 2."""
    return jensenshannon(reference, current, base=2)


def hellinger(reference, current):
    """The Hellinger distance by the affinity √(pq)."""
    p, q = reference / reference.sum(), current / current.sum()
    return np.sqrt(max(0.0, 1 - np.sqrt(p * q).sum()))


def tv(reference, current):
    """The total variation distance as the greatest gain of any set of cells."""
    difference = current / current.sum() - reference / reference.sum()
    return difference[difference > 0].sum()


def linf(reference, current):
    """The greatest difference of shares."""
    return np.abs(current / current.sum() - reference / reference.sum()).max()


def chi2(reference, current):
    """What scipy says: χ² without correction: statistic and p-value."""
    table = np.array([reference, current])
    result = stats.chi2_contingency(table[:, table.sum(axis=0) > 0], correction=False)
    return result.statistic, result.pvalue


def cramers_v(reference, current):
    """What scipy says: Cramér's V."""
    table = np.array([reference, current])
    return stats.contingency.association(table[:, table.sum(axis=0) > 0], method="cramer", correction=False)


def ks(reference, current):
    """What scipy says: the two-sample statistic on slots written out as that many equal numbers."""
    slots = np.arange(len(reference))
    return stats.ks_2samp(np.repeat(slots, reference), np.repeat(slots, current), method="asymp").statistic
