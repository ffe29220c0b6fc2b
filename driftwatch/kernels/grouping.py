"""Which neighbouring bins are taken together, so that groups hold about equal shares of the reference."""

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.estimate import Ints

Flags = NDArray[np.bool_]


def quantile_groups(counts: Ints, groups: int) -> Flags:
    """Say where a new group begins.

    counts: (columns, slots) of the reference, in the order of the values. Result: (columns, slots), True at the first
    slot of every group, hence at slot 0. Each of the groups - 1 cuts is put at the slot border whose cumulative share
    is nearest to its quantile, the lower one of two equally near. Cuts that fall together (ties) count once, and a
    cut that would leave a group without reference rows at either end is not made: there are at most `groups` groups,
    and slots beyond the reference's range join the outermost ones.
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
    return begins
