"""The grid of a model without a reference: its bins come of what is declared of its columns, not of data."""

from collections.abc import Sequence
from math import isfinite

import numpy as np

from driftwatch.stream.schema import Column
from driftwatch.summaries.building import column_edges
from driftwatch.summaries.layout import BINS, EDGES, Floats, Layout

_LEAST, _MOST = -9, 15
"""Powers of ten between which numbers without two bounds are told apart, by their distance from zero or the bound."""


def declared_layout(numeric: Sequence[Column], categorical: Sequence[Column]) -> Layout:
    """Lay even bins between two declared bounds, else bins that grow with the distance from the one bound or from zero.

    numeric: their bounds are `least` and `greatest`; a bound is an edge, so that what lies beyond it is counted
    exactly. What lies beyond the outermost edges is counted as under or over. The same declarations give the same
    edges to the bit, on every machine.
    """
    columns = len(numeric)
    edges, centre, scale = np.zeros((columns, EDGES)), np.zeros(columns), np.ones(columns)
    for place, column in enumerate(numeric):
        edges[place] = declared_edges(column.least, column.greatest)
        if isfinite(column.greatest - column.least):
            centre[place] = column.least + (column.greatest - column.least) / 2
            scale[place] = (column.greatest - column.least) / 2 or 1.0
    return Layout(tuple(numeric), tuple(categorical), edges, centre, scale)


def declared_edges(least: float, greatest: float) -> Floats:
    """(EDGES,) rising edges between two bounds, of which either may be infinite."""
    if isfinite(greatest - least):
        steps = np.arange(1, BINS) / BINS
        return column_edges(least + (greatest - least) * steps, least=least, greatest=greatest)
    if isfinite(least) and not isfinite(greatest):
        steps = least + _growing(BINS)
        return column_edges(steps[:-1], least=least, greatest=float(steps[-1]))
    if isfinite(greatest) and not isfinite(least):
        steps = greatest - _growing(BINS)[::-1]
        return column_edges(steps[1:], least=float(steps[0]), greatest=greatest)
    steps = _growing(BINS // 2)
    return np.concatenate([-steps[::-1], [0.0], steps])


def _growing(count: int) -> Floats:
    # Powers differ in their last bits from one machine to another; six digits of them do not.
    exponents = _LEAST + (_MOST - _LEAST) * np.arange(count) / (count - 1)
    return np.array([float(f"{10.0**exponent:.6g}") for exponent in exponents.tolist()])
