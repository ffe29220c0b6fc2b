"""How often does a classifier's prediction match the truth: every metric that follows from counts.

Counts may be floats (weighted rows). A share of nothing is undefined and NaN, where scikit-learn by default says 0.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def share(part: Floats, whole: Floats) -> Floats:
    """Which share of the whole is the part: any shape, NaN where the whole is nothing."""
    undefined = np.full(np.broadcast(part, whole).shape, np.nan)
    parts: Floats = np.divide(part, whole, out=undefined, where=np.asarray(whole) > 0)
    return parts


def accuracy(matrix: Floats) -> Floats:
    """Which share of the rows is predicted right: matrix (…, K, K) of true × predicted class → (…)."""
    return share(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum(axis=(-2, -1)))


def precision(matrix: Floats) -> Floats:
    """Which share of the rows predicted as a class is of it: (…, K, K) → (…, K); NaN where none is predicted."""
    return share(_diagonal(matrix), matrix.sum(axis=-2))


def recall(matrix: Floats) -> Floats:
    """Which share of the rows of a class is predicted as it: (…, K, K) → (…, K); NaN where there is none."""
    return share(_diagonal(matrix), matrix.sum(axis=-1))


def f1(matrix: Floats) -> Floats:
    """How large is the harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN): (…, K, K) → (…, K).

    NaN where a class is neither predicted nor true; 0 where it is one of the two, but never both.
    """
    return share(2 * _diagonal(matrix), matrix.sum(axis=-2) + matrix.sum(axis=-1))


def specificity(matrix: Floats) -> Floats:
    """Which share of the rows of other classes is not predicted as this one: (…, K, K) → (…, K)."""
    others = matrix.sum(axis=(-2, -1))[..., None] - matrix.sum(axis=-1)
    wrong = matrix.sum(axis=-2) - _diagonal(matrix)
    return share(others - wrong, others)


def mcc(matrix: Floats) -> Floats:
    """How strongly are truth and prediction correlated: (…, K, K) → (…), from -1 to 1.

    Matthews' coefficient in the form for K classes of Gorodkin (2004, https://doi.org/10.1016/j.compbiolchem.2004.09.006).
    NaN where all rows are of one class, or predicted as one.
    """
    total = matrix.sum(axis=(-2, -1))
    true, predicted = matrix.sum(axis=-1), matrix.sum(axis=-2)
    both = np.trace(matrix, axis1=-2, axis2=-1) * total - (true * predicted).sum(axis=-1)
    spreads = [total**2 - (margin**2).sum(axis=-1) for margin in (true, predicted)]
    # Of weighted counts the difference of squares may leave a rounding error where nothing is spread.
    roots = [np.sqrt(np.where(spread > 1e-13 * total**2, spread, 0.0)) for spread in spreads]
    return np.clip(share(both, roots[0] * roots[1]), -1.0, 1.0)


def macro(of_classes: Floats) -> Floats:
    """How large is the mean over the classes that have a value: (…, K) → (…), NaN where none has one."""
    known = ~np.isnan(of_classes)
    return share(np.where(known, of_classes, 0.0).sum(axis=-1), known.sum(axis=-1).astype(np.float64))


def confusion(labels: NDArray[np.integer], predictions: NDArray[np.integer], *, classes: int) -> Floats:
    """How many rows are of each class and predicted as each: (rows,) codes 0…classes-1 → (classes, classes)."""
    flat = labels.astype(np.int64) * classes + predictions.astype(np.int64)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes).astype(np.float64)


def _diagonal(matrix: Floats) -> Floats:
    return np.diagonal(matrix, axis1=-2, axis2=-1)
