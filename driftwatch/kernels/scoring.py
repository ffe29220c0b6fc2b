"""How good are the scores of a classifier: exact values, from the rows themselves.

scores: (rows,) in [0, 1], the probability of the positive class, none NaN; labels: (rows,) 0 or 1. Undefined is NaN.
All agree with scikit-learn to rounding, with the exceptions named there.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.integer]
Scores = NDArray[np.floating]

ECE_EDGES = np.arange(1, 11) / 10
"""Right ends of the ten bins of the calibration error; each holds its right end, the first 0 too."""


def roc_auc(scores: Scores, labels: Labels) -> float:
    """How likely is a positive row's score above a negative one's, ties counting half; NaN if all are of one class."""
    below, at = _steps(scores, labels)
    positives, negatives = at[1].sum(), at[0].sum()
    if not positives or not negatives:
        return float("nan")
    return float((at[1] * (below[0] + at[0] / 2)).sum() / (positives * negatives))


def average_precision(scores: Scores, labels: Labels) -> float:
    """How high is the precision on average over the positive rows, each at its own score as threshold.

    The sum over distinct scores of the step of recall times the precision there, without interpolation. NaN without
    a positive row (scikit-learn: 0).
    """
    below, at = _steps(scores, labels)
    positives = at[1].sum()
    if not positives:
        return float("nan")
    above = at.sum(axis=1, keepdims=True) - below
    return float((at[1] * above[1] / above.sum(axis=0)).sum() / positives)


def ks_score(scores: Scores, labels: Labels) -> float:
    """How far apart are the score distributions of both classes at most: the greatest |TPR - FPR| over thresholds."""
    below, at = _steps(scores, labels)
    totals = at.sum(axis=1, keepdims=True)
    if not totals.all():
        return float("nan")
    shares = below / totals
    return float(np.abs(shares[1] - shares[0]).max())


def log_loss(scores: Scores, labels: Labels) -> float:
    """How many nats does a row's label cost on average; NaN without rows (and a value where all are of one class)."""
    return _mean(log_losses(scores, labels))


def log_losses(scores: Scores, labels: Labels) -> Floats:
    """How many nats does each row's label cost, -ln of the probability given to it: (rows,).

    Probabilities are cut to [ε, 1 - ε], ε that of the scores' own type, as scikit-learn does.
    """
    epsilon = np.finfo(scores.dtype).eps
    kept = np.clip(scores, epsilon, 1 - epsilon).astype(np.float64)
    return -np.log(np.where(labels == 1, kept, 1 - kept))


def brier(scores: Scores, labels: Labels) -> float:
    """How large is the mean square of score minus label; NaN without rows."""
    return _mean((scores.astype(np.float64) - labels) ** 2)


def ece(scores: Scores, labels: Labels) -> float:
    """How far is the mean score from the share of positives, on average over ten bins of equal width.

    The expected calibration error Σ |Σ(label - score)| / rows over the bins (0, 0.1], (0.1, 0.2], …, the first with 0
    (Guo et al., 2017, https://arxiv.org/abs/1706.04599, of the positive class). NaN without rows.
    """
    if not scores.size:
        return float("nan")
    gaps = np.bincount(np.searchsorted(ECE_EDGES, scores), weights=labels - scores.astype(np.float64), minlength=10)
    return float(np.abs(gaps).sum() / scores.size)


def class_log_losses(scores: Scores, labels: Labels) -> Floats:
    """How many nats does each row's label cost: scores (rows, K), labels (rows,) 0…K-1 → (rows,).

    A row's scores are taken as they are, not made to sum to 1.
    """
    epsilon = np.finfo(scores.dtype).eps
    given = np.take_along_axis(scores, labels.astype(np.int64)[:, None], axis=1)[:, 0]
    return -np.log(np.clip(given, epsilon, 1 - epsilon).astype(np.float64))


def class_briers(scores: Scores, labels: Labels) -> Floats:
    """How large is each row's sum of squares of scores minus the truth, from 0 to 2: (rows, K), (rows,) → (rows,)."""
    truth = labels[:, None] == np.arange(scores.shape[1])
    errors: Floats = ((scores.astype(np.float64) - truth) ** 2).sum(axis=1)
    return errors


def _steps(scores: Scores, labels: Labels) -> tuple[Floats, Floats]:
    """Rows of class 0 and 1 below, and at, each distinct score: (2, distinct) and (2, distinct)."""
    distinct, place = np.unique(scores, return_inverse=True)
    positive = np.bincount(place[labels == 1], minlength=distinct.size)
    every = np.bincount(place, minlength=distinct.size)
    at = np.stack([every - positive, positive]).astype(np.float64)
    return np.cumsum(at, axis=1) - at, at


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")
