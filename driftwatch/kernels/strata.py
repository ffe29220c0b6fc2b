"""Labels that came first, weighted so that they stand for all predictions of their window.

Post-stratification by score and predicted class, and inverse-probability-of-arrival weights by label within a
stratum: if a share A₁ of the positives and A₀ of the negatives of a stratum has come, each positive counts for 1/A₁
and each negative for 1/A₀, and together for all of the stratum's predictions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.arrival import LEAST_SHARE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_LABELS = 20
"""Labelled rows of a stratum, or it is merged with its neighbour."""
MOST_STRATA = 20
"""Strata of one predicted class."""


@dataclass(frozen=True, slots=True)
class Strata:
    """Which labels stand for which predictions.

    codes: (bins + 1, 2) stratum of each cell (score bin, predicted class). weights: (bins + 1, 2, 2) by how many
    predictions each labelled row counts for, by label. covered: share of the predictions that some label stands for;
    the others are in a predicted class of which no label has come. least_arrived: the least share of a label's rows
    that has come; below LEAST_SHARE the weights cannot make up for what is missing.
    """

    codes: Ints
    weights: Floats
    covered: float
    least_arrived: float


def score_groups(rows: Floats, count: int) -> Ints:
    """Groups (bins + 1,) of about equally many rows; rows: (bins + 1,). Rows without a score are in the last one."""
    before = rows.cumsum() - rows / 2
    groups = np.minimum(before * count / max(float(rows.sum()), 1.0), count - 1).astype(np.int64)
    groups[-1] = count - 1
    return groups


def stratify(predicted: Floats, labelled: Floats, arrived: Floats | None = None) -> Strata:
    """Weigh labelled rows (bins + 1, 2, 2) for all predictions (bins + 1, 2), both by score bin × predicted class.

    arrived: (bins + 1, 2) share of the rows of each label that has come, by score bin; None when it does not depend
    on the label.
    """
    share = np.ones((predicted.shape[0], 2)) if arrived is None else arrived
    codes = np.zeros(predicted.shape, np.int64)
    for c in range(2):
        codes[:, c] = _merged(predicted[:, c], labelled[:, c].sum(axis=-1)) * 2 + c
    size = int(codes.max()) + 1
    inverse = 1 / np.maximum(share, LEAST_SHARE)[:, None, :]
    raw = np.bincount(codes.ravel(), (labelled * inverse).sum(axis=-1).ravel(), minlength=size)
    rows = np.bincount(codes.ravel(), predicted.ravel(), minlength=size)
    scale = np.divide(rows, raw, out=np.zeros(size), where=raw > 0)
    weights = np.broadcast_to(scale[codes][..., None] * inverse, labelled.shape)
    filled = predicted.sum(axis=-1) > 0
    return Strata(
        codes=codes,
        weights=weights,
        covered=float(rows[raw > 0].sum() / max(rows.sum(), 1.0)),
        least_arrived=float(share[filled].min(initial=1.0)),
    )


def _merged(predicted: Floats, labelled: Floats) -> Ints:
    """Strata (bins + 1,) of consecutive bins, from 0 on: each with enough predictions and enough labels."""
    rows, labels = predicted.cumsum(), labelled.cumsum()
    least, last = rows[-1] / MOST_STRATA, int(np.flatnonzero(predicted)[-1:].sum())
    starts = [0]
    while rows[-1] > 0:
        before = (rows[starts[-1] - 1], labels[starts[-1] - 1]) if starts[-1] else (0.0, 0.0)
        end = max(rows.searchsorted(before[0] + least), labels.searchsorted(before[1] + LEAST_LABELS))
        if end > last:
            break
        starts.append(int(end) + 1)
    left = labels[-1] - (labels[starts[-1] - 1] if starts[-1] else 0.0)
    if len(starts) > 1 and left < LEAST_LABELS:
        # What is left over is too little to stand alone.
        starts.pop()
    codes = np.zeros(predicted.size + 1, np.int64)
    codes[starts[1:]] = 1
    return codes[:-1].cumsum()
