"""How far predictions are from labels: every metric of a regression, exactly, from the rows themselves.

All functions take arrays (..., rows) of one shape and return (...). A row with a number that is not finite is left
out; a metric of no rows is NaN. Errors are prediction minus label, so that a positive bias predicts too much.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVEL = 0.9
"""Nominal share of labels inside a prediction interval: its ends are then the quantiles 0.05 and 0.95."""


def mae(prediction: Floats, label: Floats) -> Floats:
    """Mean absolute error, in the label's unit, [0, ∞)."""
    return _mean(np.abs(_errors(prediction, label)))


def mse(prediction: Floats, label: Floats) -> Floats:
    """Mean squared error, in the label's unit squared, [0, ∞)."""
    return _mean(_errors(prediction, label) ** 2)


def rmse(prediction: Floats, label: Floats) -> Floats:
    """Root of the mean squared error, in the label's unit, [0, ∞)."""
    root: Floats = np.sqrt(mse(prediction, label))
    return root


def bias(prediction: Floats, label: Floats) -> Floats:
    """Mean of prediction minus label, in the label's unit, (-∞, ∞)."""
    return _mean(_errors(prediction, label))


@np.errstate(divide="ignore", invalid="ignore")
def mape(prediction: Floats, label: Floats) -> Floats:
    """Mean of |error| / |label|, a ratio and no percentage, [0, ∞); a label of zero is left out."""
    return _mean(np.abs(_errors(prediction, label)) / np.where(label == 0, np.nan, np.abs(label)))


@np.errstate(divide="ignore", invalid="ignore")
def smape(prediction: Floats, label: Floats) -> Floats:
    """Mean of 2 |error| / (|prediction| + |label|), in [0, 2]; where both are zero there is no error: 0."""
    errors = _errors(prediction, label)
    return _mean(np.where(errors == 0, 0.0, 2 * np.abs(errors) / (np.abs(prediction) + np.abs(label))))


@np.errstate(divide="ignore", invalid="ignore")
def wape(prediction: Floats, label: Floats) -> Floats:
    """Sum of |error| over sum of |label|, [0, ∞); NaN where all labels are zero."""
    errors = _errors(prediction, label)
    given = np.isfinite(errors)
    size = np.where(given, np.abs(label), 0.0).sum(axis=-1)
    ratio: Floats = np.where(given, np.abs(errors), 0.0).sum(axis=-1) / np.where(size > 0, size, np.nan)
    return ratio


@np.errstate(divide="ignore", invalid="ignore")
def r2(prediction: Floats, label: Floats) -> Floats:
    """Share of the labels' variance that the predictions explain, (-∞, 1]; NaN where all labels are equal."""
    errors = _errors(prediction, label)
    given = np.where(np.isfinite(errors), label, np.nan)
    apart = _mean((given - _mean(given)[..., None]) ** 2)
    value: Floats = 1 - _mean(errors**2) / np.where(apart > 0, apart, np.nan)
    return value


def pinball(prediction: Floats, label: Floats, *, quantile: float = 0.5) -> Floats:
    """Mean loss of a predicted quantile, in the label's unit, [0, ∞): too low costs quantile, too high 1 - quantile."""
    errors = _errors(prediction, label)
    return _mean(np.where(errors > 0, (1 - quantile) * errors, -quantile * errors))


def interval_pinball(label: Floats, low: Floats, high: Floats, *, level: float = LEVEL) -> Floats:
    """Mean of the losses of both ends of a central interval with this nominal level, in the label's unit, [0, ∞)."""
    tail = (1 - level) / 2
    given = np.isfinite(low) & np.isfinite(high)
    lower = pinball(np.where(given, low, np.nan), label, quantile=tail)
    upper = pinball(np.where(given, high, np.nan), label, quantile=1 - tail)
    return (lower + upper) / 2


@np.errstate(invalid="ignore")
def coverage(label: Floats, low: Floats, high: Floats) -> Floats:
    """Share of labels inside their interval, its ends included, in [0, 1]."""
    given = np.isfinite(label) & np.isfinite(low) & np.isfinite(high)
    return _mean(np.where(given, (low <= label) & (label <= high), np.nan))


def _errors(prediction: Floats, label: Floats) -> Floats:
    with np.errstate(invalid="ignore", over="ignore"):
        errors = np.asarray(prediction, dtype=np.float64) - label
    return np.where(np.isfinite(errors), errors, np.nan)


def _mean(values: Floats) -> Floats:
    """Mean over the last axis of what is not NaN."""
    given = ~np.isnan(values)
    rows = given.sum(axis=-1)
    mean: Floats = np.where(given, values, 0.0).sum(axis=-1) / np.where(rows > 0, rows, np.nan)
    return mean
