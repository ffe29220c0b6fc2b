"""How good is a regression whose labels have not come: the errors that labelled rows with like predictions had.

The mean absolute and squared error of every prediction bin, from matured windows, are averaged over the bins as the
window's predictions fall into them. That follows a shift of the predictions, as long as the error given the prediction
stays what it was; where it does not, the realised metric leaves these bounds, which is concept drift.
"""

import numpy as np

from driftwatch.kernels.interval import Interval, Z
from driftwatch.kernels.mean_interval import skewed_point
from driftwatch.summaries.layout import Floats, Ints
from driftwatch.summaries.regression import AE, E2, E4, ONE, RegressionOutcomes


@np.errstate(all="ignore")
def estimated_regression(calibration: RegressionOutcomes, predicted: Floats) -> dict[str, Interval]:
    """Estimate mae, mse and rmse (…) of windows with `predicted` (…, P + 1) predictions per bin.

    calibration: one state (P + 1 strata, no leading axes) of labelled rows. The bounds hold the realised metric of the
    window in about 95 % of windows: they join (Zou and Donner, 2008) the bounds of the bins' means, by
    `kernels.mean_interval`, with the spread of the window's own rows, bent by its skewness (Cornish and Fisher, 1938).
    With some 25 labels a bin and heavy tails it is 90 %: calibrate on more. NaN where the window has no
    prediction or calibration no label. A bin with one label or none takes the moments of the nearest that has more.
    """
    source = _nearest(calibration.labelled)
    moments = calibration.products[source] / calibration.products[source, ONE, ONE][:, None, None]
    rows = calibration.labelled[source]
    # The last stratum has no prediction and so no error.
    counts = np.where(np.arange(predicted.shape[-1]) < predicted.shape[-1] - 1, predicted, 0.0)
    found = {
        "mae": _estimate(counts, rows, source=source, powers=_powers(moments, AE, E2)),
        "mse": _estimate(counts, rows, source=source, powers=_powers(moments, E2, E4)),
    }
    squared = found["mse"]
    return {**found, "rmse": Interval(np.sqrt(squared.value), np.sqrt(squared.lower), np.sqrt(squared.upper))}


def _powers(moments: Floats, quantity: int, square: int) -> tuple[Floats, Floats, Floats]:
    """Mean, second and third moment of a quantity, each (P + 1,)."""
    return moments[:, ONE, quantity], moments[:, ONE, square], moments[:, quantity, square]


def _nearest(labelled: Floats) -> Ints:
    """(P + 1,) the bin with at least two labels that is nearest to each; the lower one of two, itself where none."""
    places = np.arange(labelled.size)
    rich = np.flatnonzero(labelled >= 2)
    if not rich.size:
        return places
    nearest: Ints = rich[np.abs(places[:, None] - rich).argmin(axis=1)]
    return nearest


def _estimate(counts: Floats, rows: Floats, *, source: Ints, powers: tuple[Floats, Floats, Floats]) -> Interval:
    mean, second, third = powers
    spread = np.maximum(second - mean**2, 0.0) * rows / np.maximum(rows - 1, 1.0)
    lean = third - 3 * mean * second + 2 * mean**3
    total = counts.sum(axis=-1, keepdims=True)
    share = counts / total
    # Bins that borrow from one and the same bin share its error.
    borrowed = share @ (source[:, None] == np.arange(source.size))
    value = (share * mean).sum(axis=-1)
    variance = borrowed**2 * spread / rows
    error = np.sqrt(variance.sum(axis=-1))
    tilt = _ratio((borrowed**3 * lean / rows**2).sum(axis=-1), error**3)
    worth = 1 / (borrowed**2 / rows).sum(axis=-1)
    own = np.sqrt((share * spread / total).sum(axis=-1))
    bend = (Z * Z - 1) / 6 * _ratio((share * lean / total**2).sum(axis=-1), own**3)
    below = np.hypot(error * skewed_point(-tilt, worth), own * (Z - bend))
    above = np.hypot(error * skewed_point(tilt, worth), own * (Z + bend))
    return Interval(value, np.maximum(value - below, 0.0), value + above)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """A skewness in [-1, 1], 0 where nothing varies."""
    return np.where(whole > 0, np.clip(part / whole, -1.0, 1.0), 0.0)
