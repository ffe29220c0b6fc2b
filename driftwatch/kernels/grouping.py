"""Which neighbouring bins are taken together, so that groups hold about equal shares of the reference."""

import numpy as np

from driftwatch.kernels.estimate import Flags, Ints


def quantile_groups(counts: Ints, groups: int) -> Flags:
    """Say where a new group begins.

    counts: (columns, slots) of the reference, in the order of the values; the first and the last slot hold what lies
    beyond the bins. Result: (columns, slots), True at the first slot of every group, hence at slot 0. Each of the
    groups - 1 cuts is put at the slot border whose cumulative share is nearest to its quantile, the lower one of two
    equally near. Cuts that fall together (ties) count once, and a cut that would leave a group without reference rows
    at either end is not made.

    So there are at most `groups` groups, and what lies beyond the bins joins the outermost ones; but where such a group
    is one bin with more than 1.5 shares (ties: a constant column, a flag, many zeros), what lies beyond it is nothing
    like it and is a group of its own, which the reference leaves empty.
    """
    cumulative = np.cumsum(counts, axis=1)
    total = cumulative[:, -1:]
    begins = np.zeros(counts.shape, dtype=np.bool_)
    rows = np.arange(len(counts))
    for group in range(1, groups):
        border = np.argmin(np.abs(cumulative * groups - total * group), axis=1)
        share = cumulative[rows, border]
        made = (share > 0) & (share < total[:, 0])
        begins[rows[made], border[made] + 1] = True
    begins[:, 0] = True
    last = counts.shape[1] - 1 - _first(counts[:, ::-1])
    _part(begins, counts, groups, at=_first(counts), after=0)
    _part(begins, counts, groups, at=last, after=1)
    return begins


def _part(begins: Flags, counts: Ints, groups: int, *, at: Ints, after: int) -> None:
    """Begin a group before (or after) slot `at` (columns,) where it alone fills its group, with over 1.5 shares."""
    rows = np.arange(len(counts))
    number = np.cumsum(begins, axis=1)
    mass = np.where(number == number[rows, at][:, None], counts, 0).sum(axis=1)
    tied = (mass == counts[rows, at]) & (mass * groups > 1.5 * counts.sum(axis=1))
    tied &= at + after < counts.shape[1]
    begins[rows[tied], at[tied] + after] = True


def _first(counts: Ints) -> Ints:
    """(columns,) the first slot that holds something."""
    first: Ints = np.argmax(counts > 0, axis=1)
    return first
