"""Orthonormal scores of ranks, and their sums by the short way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.kernels.rank_scores import SCORES, scores_of, summed, sums_of_cells


def samples(seed, cells, *, columns=60, rows=2_000, evenness=1.0):
    """Rows drawn and pooled (columns, cells), and groups."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(cells, evenness), columns)
    drawn = rng.multinomial(rows // 4, shares).astype(float)
    return drawn, drawn + rng.multinomial(rows, shares), rng.integers(1, 13, columns).astype(float)


@pytest.mark.parametrize("cells", [5, 12, 36])
def test_scores_are_orthonormal_over_the_pooled_rows(cells):
    """And orthogonal to 1; beyond the number of groups they are 0."""
    _, pooled, groups = samples(1, cells)
    scores, count = scores_of(pooled, groups)
    products = np.einsum("aij,ij,bij->iab", scores, pooled, scores)
    for column, left in enumerate(count.astype(int)):
        assert left <= min(groups[column], SCORES)
        own = np.diag(products[column])
        assert np.allclose(own[own > 0], 1)
        assert np.count_nonzero(own) == left
        assert np.abs(products[column] - np.diag(own)).max() < 1e-9
    assert np.abs(np.einsum("aij,ij->ai", scores, pooled)).max() < 1e-8


@given(st.integers(0, 2**32), st.sampled_from([2, 3, 5, 12, 36]), st.sampled_from([0.05, 0.3, 1.0, 20.0]))
def test_sums_of_powers_say_what_the_cells_say(seed, cells, evenness):
    """To rounding, whether the powers are far from each other or not; empty cells and columns included."""
    drawn, pooled, groups = samples(seed, cells, evenness=evenness)
    drawn[0] = pooled[0] = 0
    short = summed(drawn, pooled, groups)
    with np.errstate(all="ignore"):
        _, long = sums_of_cells(drawn, pooled, groups)
    np.testing.assert_array_equal(short.count, long.count)
    np.testing.assert_allclose(short.moved, long.moved, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(short.step, long.step, rtol=1e-9, atol=1e-15)
