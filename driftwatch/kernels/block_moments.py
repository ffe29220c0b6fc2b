"""Second moments of the counts of consecutive rows: sums over blocks of the products of their group counts.

Everything is a whole number below 2^53 and so exact in floats: the order in which blocks are added does not matter.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Groups = NDArray[np.uint8]

GROUPS = 12
"""Ten of values, then missing, then invalid."""
VALUE_GROUPS = 10
MISSING_GROUP, INVALID_GROUP = VALUE_GROUPS, VALUE_GROUPS + 1
PAIRS = GROUPS * (GROUPS + 1) // 2
LEAST = 4
"""Rows of the smallest blocks of which counts are made; pairs of rows are counted as pairs."""

_UPPER = np.triu_indices(GROUPS)


def packed(moments: Floats) -> Floats:
    """Keep the upper triangle of symmetric (..., GROUPS, GROUPS) as (..., PAIRS)."""
    triangle: Floats = moments[..., _UPPER[0], _UPPER[1]]
    return triangle


def unpacked(triangle: Floats) -> Floats:
    """Return the inverse of `packed`."""
    moments = np.empty((*triangle.shape[:-1], GROUPS, GROUPS))
    moments[..., _UPPER[0], _UPPER[1]] = triangle
    moments[..., _UPPER[1], _UPPER[0]] = triangle
    return moments


def block_counts(groups: Groups) -> Floats:
    """Count the groups, below GROUPS, of blocks of rows (..., blocks, length): (..., blocks, GROUPS)."""
    shape = groups.shape[:-1]
    blocks = int(np.prod(shape))
    index = np.arange(0, blocks * GROUPS, GROUPS).reshape(*shape, 1) + groups
    counts: Floats = np.bincount(index.ravel(), minlength=blocks * GROUPS).reshape(*shape, GROUPS).astype(np.float64)
    return counts


def moments_of(counts: Floats) -> Floats:
    """Sum products over blocks: counts (..., blocks, GROUPS) to (..., GROUPS, GROUPS)."""
    products: Floats = np.matmul(np.swapaxes(counts, -1, -2), counts)
    return products


def merged(counts: Floats) -> Floats:
    """Add each block to its successor: (..., blocks, GROUPS) to (..., blocks - 1, GROUPS), overlapping by half."""
    return counts[..., :-1, :] + counts[..., 1:, :]


def run_moments(runs: Groups, *, levels: int) -> tuple[list[Floats], list[int]]:
    """Moments within runs of consecutive rows (runs, rows): of blocks of 2, 4 … 2^levels rows, and how many there are.

    Blocks of 4 lie side by side; all others overlap their neighbours by half.
    """
    count, rows = runs.shape
    pairs = runs[:, :-1].astype(np.int64) * GROUPS + runs[:, 1:]
    joint = np.bincount(pairs.ravel(), minlength=GROUPS * GROUPS).reshape(GROUPS, GROUPS).astype(np.float64)
    # A pair (a, b) has counts e_a + e_b, whose product with itself is aa + bb + ab + ba.
    moments = [joint + joint.T + np.diag(joint.sum(axis=0) + joint.sum(axis=1))]
    found = [pairs.size]
    blocks = block_counts(runs[:, : rows // LEAST * LEAST].reshape(count, rows // LEAST, LEAST))
    for level in range(2, levels + 1):
        of = blocks if level == 2 else merged(blocks)
        moments.append(moments_of(of.reshape(-1, GROUPS)))
        found.append(of.shape[0] * of.shape[1])
        blocks = of if level == 2 else of[:, ::2]
    return moments, found
