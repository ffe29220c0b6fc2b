"""From shares to whole rows: what is pooled of several profiles becomes one of counts, for tests that count rows."""

import numpy as np

from driftwatch.summaries.layout import FINITE, SLOTS, Floats, Ints, Layout


def rounded(shares: Floats, rows: int, *, starts: Ints) -> Ints:
    """(cells,) whole rows of each column that sum to `rows`: no cumulative share is off by more than half a row.

    shares: (cells,) columns one after the other, each summing to 1. starts: (columns,) where each begins.
    """
    sizes = np.diff(np.append(starts, shares.size))
    cumulative = np.cumsum(shares)
    before = np.repeat(np.concatenate([[0.0], cumulative])[starts], sizes)
    edges = np.rint((cumulative - before) * rows).astype(np.int64)
    edges[np.cumsum(sizes) - 1] = rows
    counts: Ints = np.diff(edges, prepend=0)
    counts[starts] = edges[starts]
    return counts


def column_starts(layout: Layout) -> Ints:
    """(columns,) where each column begins among its cells, numeric columns first."""
    columns = len(layout.numeric)
    return np.concatenate([np.arange(columns) * SLOTS, columns * SLOTS + layout.offsets[:-1]]).astype(np.int64)


def moments(counts: Ints, means: Floats, excess: Floats) -> tuple[Floats, Floats]:
    """Sums and squares of z, (columns, FINITE) and (columns,), that whole counts of rows with these means have.

    means: (columns, FINITE) of z. excess: (columns,) the mean square around them.
    """
    held = counts[:, :FINITE]
    sums = held * means
    return sums, (sums * means).sum(axis=1) + excess * held.sum(axis=1)
