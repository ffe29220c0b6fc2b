"""How much one division of rows says of another: mutual information of tables, corrected for its bias."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def entropy(counts: Ints | Floats) -> float:
    """Entropy in nats of the shares of counts (groups,), ≥ 0, plugged in; 0 where there are none."""
    total = counts.sum()
    if not total:
        return 0.0
    shares = counts[counts > 0] / total
    return float(max(0.0, -(shares * np.log(shares)).sum()))


def mutual_information(table: Ints | Floats) -> float:
    """Mutual information in nats of rows and columns of counts (groups, answers), ≥ 0, plugged in."""
    joint = entropy(table.ravel())
    return max(0.0, entropy(table.sum(axis=1)) + entropy(table.sum(axis=0)) - joint)


def corrected_information(table: Ints | Floats) -> float:
    """Mutual information with each entropy corrected for its bias, in nats; it may be below 0.

    An entropy of m groups that occur in n rows is too small by (m - 1) / 2n (Miller 1955), so that independent
    divisions of many groups look related.
    """
    total = table.sum()
    if not total:
        return 0.0
    groups, answers, pairs = (np.count_nonzero(part) for part in (table.sum(axis=1), table.sum(axis=0), table))
    return mutual_information(table) + float(groups + answers - pairs - 1) / (2 * float(total))


def dependence(table: Ints | Floats) -> float:
    """Share in [0, 1] of what the columns (answers) leave open that the rows (groups) say; 0 where nothing is open."""
    answers = table.sum(axis=0)
    total = answers.sum()
    open_to = entropy(answers)
    if not open_to:
        return 0.0
    corrected = open_to + (np.count_nonzero(answers) - 1) / (2 * float(total))
    return float(np.clip(corrected_information(table) / corrected, 0.0, 1.0))
