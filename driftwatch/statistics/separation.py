"""How well do scores part two classes: AUC, average precision and KS with their bounds, from rows in score bins."""

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.confusion import share
from driftwatch.kernels.curves import Bins, auc_curve, gap_curve, precision_curve, precision_excess
from driftwatch.kernels.interval import Interval
from driftwatch.kernels.score_bounds import auc_interval, gap_interval, precision_interval

Floats = NDArray[np.float64]


@np.errstate(all="ignore")
def separation_metrics(bins: Bins, *, positive_spread: Floats, negative_spread: Floats) -> dict[str, Interval]:
    """Bound roc_auc, average_precision and ks_score of bins (…, bins): each (…), NaN where a class has no row.

    positive_spread, negative_spread: (…, bins) sums of squared weights, the rows themselves where none is weighted.
    Average precision needs a positive row only.
    """
    totals = bins.positives.sum(axis=-1), bins.negatives.sum(axis=-1)
    rows = tuple(
        np.nan_to_num(share(total**2, spread.sum(axis=-1)))
        for total, spread in zip(totals, (positive_spread, negative_spread), strict=True)
    )
    unit = share(positive_spread.sum(axis=-1), totals[0])
    auc, precision, gap = auc_curve(bins), precision_curve(bins, unit=unit), gap_curve(bins)
    # DeLong's variances have one row less below the line.
    variances = [
        (spread * influence**2).sum(axis=-1) / total**2 * count / np.maximum(count - 1, 1.0)
        for spread, influence, total, count in zip(
            (positive_spread, negative_spread), (auc.by_positive, auc.by_negative), totals, rows, strict=True
        )
    ]
    moved = positive_spread * precision.by_positive**2 + negative_spread * precision.by_negative**2
    below = tuple(
        share((counts * gap.below).sum(axis=-1), total)
        for counts, total in zip((bins.positives, bins.negatives), totals, strict=True)
    )
    return {
        "roc_auc": auc_interval(auc.value, variances[0] + variances[1], positives=rows[0], negatives=rows[1]),
        "average_precision": precision_interval(
            precision.value,
            moved.sum(axis=-1) / totals[0] ** 2,
            positives=rows[0],
            excess=precision_excess(bins, unit=unit),
        ),
        "ks_score": gap_interval(gap.value, (below[0], below[1]), rows=(rows[0], rows[1])),
    }
