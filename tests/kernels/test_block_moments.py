"""Sums of products of the counts of consecutive rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.kernels.block_moments import GROUPS, packed, run_moments, unpacked


def naive(runs, length, step):
    """Moments of the blocks of one length that begin at every step, one by one."""
    total, found = np.zeros((GROUPS, GROUPS)), 0
    for run in runs:
        for start in range(0, len(run) - length + 1, step):
            counts = np.bincount(run[start : start + length], minlength=GROUPS)
            total += np.outer(counts, counts)
            found += 1
    return total, found


@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(0, 140))
def test_moments_are_those_of_every_block_on_its_own(seed, runs, rows):
    """Pairs at every row, blocks of four side by side, longer ones in steps of half their length, as far as whole."""
    groups = np.random.default_rng(seed).integers(0, GROUPS, (runs, rows)).astype(np.uint8)
    moments, blocks = run_moments(groups, levels=6)
    for level, (found, count) in enumerate(zip(moments, blocks, strict=True), start=1):
        length = 2**level
        of = groups if level == 1 else groups[:, : rows // 4 * 4]
        expected, so_many = naive(of, length, 1 if level == 1 else 4 if level == 2 else length // 2)
        assert count == so_many
        np.testing.assert_array_equal(found, expected)


def test_packing_keeps_the_upper_triangle():
    """And unpacking is its inverse for what is symmetric."""
    square = np.random.default_rng(1).normal(size=(2, 3, GROUPS, GROUPS))
    square = square + np.swapaxes(square, -1, -2)
    np.testing.assert_array_equal(unpacked(packed(square)), square)
    assert packed(square).shape == (2, 3, GROUPS * (GROUPS + 1) // 2)
