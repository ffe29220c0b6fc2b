"""Columns for the benchmarks of alarms: counts as the service would have them, drawn without drawing rows."""

import numpy as np

from driftwatch.kernels.combination import Components
from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.kernels.two_sample import numeric_components
from driftwatch.kernels.two_sample_categories import categorical_components
from driftwatch.summaries.layout import BINS, FINITE, MISSING_SLOT, SLOTS

FIVE = np.array([0.35, 0.25, 0.2, 0.12, 0.08])
ZIPF = 1 / np.arange(1, 51) / (1 / np.arange(1, 51)).sum()


def reference_bins(rng: np.random.Generator, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges (columns, BINS + 1), as quantiles of the truth, and counts (SLOTS,) of references of continuous columns.

    The layout's edges are the reference's order statistics at fixed ranks, so its counts are fixed, and what lies
    between two of them has the law of as many uniform spacings: exact for any continuous distribution.
    """
    ranks = np.concatenate([[0], np.ceil(np.arange(1, BINS) * rows / BINS).astype(int), [rows]])
    counts = np.diff(ranks)
    spacings = np.concatenate([[1], counts, [1]]).astype(float)
    # The first edge lies just below the least value: of the first bin's spacings one is "under".
    spacings[1] -= 1
    parts = np.maximum(rng.gamma(spacings, size=(columns, spacings.size)), 1e-300)
    shares = parts / parts.sum(axis=1, keepdims=True)
    counted = np.zeros(SLOTS, dtype=np.int64)
    counted[1 : BINS + 1] = counts
    return np.minimum(shares.cumsum(axis=1)[:, :-1], 1.0), counted


def windows(rng: np.random.Generator, edges: np.ndarray, rows: int) -> np.ndarray:
    """(columns, SLOTS) counts of windows from the distribution that the edges are quantiles of."""
    shares = np.maximum(np.diff(edges, axis=1, prepend=0.0, append=1.0), 0.0)
    counts = np.zeros((len(edges), SLOTS), dtype=np.int64)
    counts[:, :FINITE] = rng.multinomial(rows, shares / shares.sum(axis=1, keepdims=True))
    return counts


def continuous(rng: np.random.Generator, n: int, m: int, *, columns: int) -> Components:
    """A reference of its own for each window."""
    edges, counts = reference_bins(rng, n, columns)
    reference = np.broadcast_to(counts, (columns, SLOTS))
    return numeric_components(reference, windows(rng, edges, m), Overdispersion.none(columns))


def discrete(rng: np.random.Generator, shares: np.ndarray, n: int, m: int, *, columns: int) -> Components:
    """Numbers of few values, which have a bin each, and 1 % of missing values."""
    sides = []
    for rows in (n, m):
        counts = np.zeros((columns, SLOTS), dtype=np.int64)
        drawn = rng.multinomial(rows, np.append(0.99 * shares, 0.01), size=columns)
        counts[:, 1 : shares.size + 1], counts[:, MISSING_SLOT] = drawn[:, :-1], drawn[:, -1]
        sides.append(counts)
    return numeric_components(*sides, Overdispersion.none(columns))


def categorical(rng: np.random.Generator, shares: np.ndarray, n: int, m: int, *, columns: int) -> Components:
    """Words: the vocabulary is all there is."""
    reference, current = (words(rng, shares, rows, columns=columns) for rows in (n, m))
    return tested_words(reference, current)


def words(rng: np.random.Generator, shares: np.ndarray, rows: int, *, columns: int) -> np.ndarray:
    """(columns, categories + 3) counts; other, missing and invalid stay empty."""
    return rng.multinomial(rows, np.concatenate([shares, np.zeros(3)]), size=columns)


def tested_words(reference: np.ndarray, current: np.ndarray) -> Components:
    """Test (columns, cells) of words."""
    columns, cells = current.shape
    offsets = np.arange(columns + 1) * cells
    return categorical_components(reference.ravel(), current.ravel(), offsets, factors=Overdispersion.none(columns))
