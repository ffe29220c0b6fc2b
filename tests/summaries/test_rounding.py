"""Shares of rows become whole rows again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.summaries.rounding import rounded


@given(st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(any), max_size=6), st.integers(0, 10**6))
def test_rounding(columns: list[list[int]], rows: int) -> None:
    """Whole rows sum to what they should, empty cells stay empty, and no cumulative share is off by more than half."""
    shares = np.concatenate([np.zeros(0), *(np.array(column) / sum(column) for column in columns)])
    starts = np.cumsum([0, *map(len, columns)])[:-1].astype(np.int64)
    counts = rounded(shares, rows, starts=starts)
    for first, column in zip(starts, columns, strict=True):
        own = counts[first : first + len(column)]
        exact = np.cumsum(np.array(column) / sum(column)) * rows
        assert own.sum() == rows
        assert (np.abs(np.cumsum(own) - exact) <= 0.5 + 1e-6 * rows).all()
        assert (own[np.array(column) == 0] == 0).all()
