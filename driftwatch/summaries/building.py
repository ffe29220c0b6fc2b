"""How the layout is chosen from a survey of the reference: bins, centres and scales, vocabularies."""

from collections.abc import Sequence

import numpy as np

from driftwatch.stream.schema import Column
from driftwatch.summaries.layout import BINS, EDGES, Floats, Layout
from driftwatch.summaries.survey import NumericSurvey, order_statistics

VOCABULARY = 1000
"""At most so many categories are known; the rest is `other`."""


def build_layout(numeric: Sequence[Column], categorical: Sequence[Column], survey: NumericSurvey) -> Layout:
    """Make the layout; the survey's columns are `numeric`, in this order, and vocabularies are in `categorical`."""
    columns = len(numeric)
    edges, centre, scale = np.zeros((columns, EDGES)), np.zeros(columns), np.ones(columns)
    for column in range(columns):
        sample = survey.sample(column)
        if survey.maxima[column] < survey.minima[column]:
            continue
        inner = survey.distinct(column)
        edges[column] = column_edges(
            inner if inner is not None else inner_edges(sample),
            least=float(survey.minima[column]),
            greatest=float(survey.maxima[column]),
        )
        if sample.size:
            centre[column] = sample[(sample.size - 1) // 2]
            scale[column] = _spread(sample, float(centre[column]))
    return Layout(tuple(numeric), tuple(categorical), edges, centre, scale)


def column_edges(inner: Floats, *, least: float, greatest: float) -> Floats:
    """Complete inner edges to (EDGES,): one just below the least value, the greatest last and repeated as padding.

    inner: sorted; what does not lie between the least and the greatest is dropped, and all but BINS - 1 must be.
    A least value of -1.8e308 has no float below it and is counted as "under".
    """
    lowest = float(np.finfo(np.float64).min)
    below = lowest if least == lowest else np.nextafter(least, -np.inf)
    between = np.unique(inner[(inner >= least) & (inner < greatest)])
    edges = np.concatenate([[below], between[between > below], [greatest]])
    return np.concatenate([edges, np.full(EDGES - edges.size, greatest)])


def inner_edges(ordered: Floats) -> Floats:
    """At most BINS - 1 inner edges for sorted values that have more distinct ones than there are bins.

    They are quantiles. A value that takes two quantiles or more gets a bin of its own, closed by itself and opened by
    its predecessor, and the quantiles of the other values share what is left: an atom does not hide its neighbours.
    """
    values, counts = np.unique(order_statistics(ordered, BINS - 1), return_counts=True)
    heavy = values[counts > 1]
    before = np.searchsorted(ordered, heavy, side="left")
    predecessors = ordered[before[before > 0] - 1]
    rest = ordered[~np.isin(ordered, heavy)]
    own = np.union1d(heavy, predecessors)
    quantiles = order_statistics(rest, BINS - 1 - own.size) if rest.size else rest
    return np.union1d(own, quantiles)


def cut_points(ordered: Floats, ranges: int) -> Floats:
    """Inner edges, ascending, that cut sorted values into at most so many ranges of about equal frequency.

    At least one, and each range holds something, unless all values are equal.
    """
    if not ordered.size:
        return np.zeros(1)
    edges: Floats = np.unique(order_statistics(ordered, ranges - 1)) + 0.0
    inner: Floats = edges[edges < ordered[-1]]
    if inner.size:
        return inner
    # The greatest value takes nearly all: it is told apart from the others, if there are any.
    others = ordered[: np.searchsorted(ordered, ordered[-1])]
    last: Floats = (others[-1:] if others.size else ordered[-1:]) + 0.0
    return last


def _spread(sample: Floats, centre: float) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(np.std(sample - centre))
    return spread if np.isfinite(spread) and spread > 0 else 1.0
