import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from driftwatch.kernels.grouping import quantile_groups


def begins(counts, groups):
    return "".join("|" if new else "." for new in quantile_groups(np.array([counts]), groups)[0])


@pytest.mark.parametrize(
    ("counts", "groups", "expected"),
    [
        ([0, 1, 1, 1, 1, 0], 2, "|..|.."),
        ([0, 1, 1, 1, 1, 0], 4, "|.|||."),
        ([0, 9, 1, 0], 10, "|||."),
        ([0, 9, 1, 0], 5, "|||."),
        ([0, 5, 5, 5, 0], 10, "|||||"),
        ([0, 10, 0, 0], 10, "|||."),
        ([0, 0, 0, 0], 10, "|..."),
        ([0, 1, 1, 1, 0], 1, "|...."),
        ([0, 3, 0, 0, 3, 0], 2, "|.|..."),
        ([5, 1, 1, 0], 2, "||.."),
    ],
)
def test_table(counts, groups, expected):
    """A bar stands where a group begins; what lies beyond joins the outermost groups, but not heavy single values."""
    assert begins(counts, groups) == expected


@given(counts=arrays(np.int64, (3, 20), elements=st.integers(0, 50)), groups=st.integers(1, 30))
def test_every_group_has_reference_rows(counts, groups):
    """There are at most so many groups with reference rows; without are at most the two beyond it."""
    new = quantile_groups(counts, groups)

    for row, flags in zip(counts, new, strict=True):
        sizes = np.add.reduceat(row, np.flatnonzero(flags))
        assert np.count_nonzero(sizes) <= groups
        assert np.all(sizes[1:-1] > 0)


def test_deciles_of_even_bins():
    """128 equal bins give ten groups that differ by one bin at most."""
    counts = np.concatenate([[0], np.full(128, 7), [0]])[None]
    sizes = np.diff([*np.flatnonzero(quantile_groups(counts, 10)[0]), 130])

    assert len(sizes) == 10
    assert set(sizes) <= {12, 13, 14}
