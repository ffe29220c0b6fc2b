"""Between which bounds a metric of all rows lies, whatever the labels are that have not come.

Exact for the metrics of the confusion matrix. For the area under the ROC curve the best labels are positive above
some score and negative below it (any other pair could be swapped for the better); scores at which the labels turn are
tried at every bin and at eighths of a bin's missing rows, the worst in mirror image.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_PARTS = np.arange(9) / 8


@np.errstate(divide="ignore", invalid="ignore")
def extremes(predicted: Floats, labelled: Floats) -> dict[str, tuple[Floats, Floats]]:
    """Least and greatest value (…) of each metric; NaN where not defined.

    predicted: (…, bins + 1, 2) all rows by score bin × predicted class. labelled: (…, bins + 1, 2, 2) those with a
    label, by label too; the last bin holds the rows without a score.
    """
    missing = predicted - labelled.sum(axis=-1)
    table, left = labelled.sum(axis=-3), missing.sum(axis=-2)
    tn, fn, fp, tp = table[..., 0, 0], table[..., 0, 1], table[..., 1, 0], table[..., 1, 1]
    rest, extra = left[..., 0], left[..., 1]
    rows = tn + fn + fp + tp + rest + extra
    positive, negative = tp + extra, tn + rest
    return {
        "accuracy": ((tn + tp) / rows, (negative + positive) / rows),
        "precision": (tp / (tp + fp + extra), positive / (positive + fp)),
        "recall": (tp / (tp + fn + rest), positive / (positive + fn)),
        "specificity": (tn / (tn + fp + extra), negative / (negative + fp)),
        "f1": (2 * tp / (2 * tp + fp + extra + fn + rest), 2 * positive / (2 * positive + fp + fn)),
        "roc_auc": area_extremes(labelled[..., :-1, :, :].sum(axis=-2), missing[..., :-1, :].sum(axis=-1)),
    }


def area_extremes(by_label: Floats, missing: Floats) -> tuple[Floats, Floats]:
    """Least and greatest area under the ROC curve (…); by_label: (…, bins, 2), missing: (…, bins) rows."""
    greatest = _greatest_area(np.stack([by_label[..., ::-1, :], by_label]), np.stack([missing[..., ::-1], missing]))
    return 1 - greatest[0], greatest[1]


@np.errstate(divide="ignore", invalid="ignore")
def _greatest_area(by_label: Floats, missing: Floats) -> Floats:
    """Missing rows above bin t count as positive, those below as negative, of those in it a part as positive."""
    up_to = by_label.cumsum(axis=-2)
    totals, halves = up_to[..., -1:, :], up_to - by_label / 2
    positive = by_label[..., 1]
    beaten, beating = halves[..., 0], totals[..., 1] - halves[..., 1]
    through = missing.cumsum(axis=-1)
    below, above = through - missing, through[..., -1:] - through
    lost, won = missing * beating, missing * beaten
    among_labelled = (positive * beaten).sum(axis=-1, keepdims=True)
    sure = among_labelled + lost.cumsum(axis=-1) + won.sum(axis=-1, keepdims=True) - won.cumsum(axis=-1)
    # With a part p of t's rows above: (first + p · second + p (1 - p) m² / 2) of (positives + p m) (negatives - p m).
    first = sure + above * through
    second = won - lost + missing * (below - above)
    positives, negatives = totals[..., 1] + above, totals[..., 0] + through
    parts = _PARTS.reshape(-1, *(1,) * missing.ndim)
    moved = parts * missing
    pairs = first + parts * second + moved * (missing - moved) / 2
    every = (positives + moved) * (negatives - moved)
    greatest = np.where(every > 0, pairs / every, -np.inf).max(axis=(0, -1))
    return np.where(np.isfinite(greatest), greatest, np.nan)
