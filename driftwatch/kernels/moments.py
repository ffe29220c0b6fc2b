"""How far have the mean and the spread moved, in units of the reference's standard deviation."""

import numpy as np
from scipy import special

from driftwatch.kernels.estimate import Estimate
from driftwatch.kernels.histogram import Moments
from driftwatch.kernels.interval import Z


@np.errstate(all="ignore")
def mean_shift(reference: Moments, current: Moments) -> Estimate:
    """How many reference standard deviations has the mean moved: Glass's Δ.

    Range (-∞, ∞), 0 for no change, exact. `adjusted` is Hedges' correction for small references (1981). Bounds: Welch's
    normal interval with, beside it, the sampling error of the reference's deviation. p-value: Welch's z.
    """
    n, m, unit = reference.rows, current.rows, reference.deviation
    value = (current.mean - reference.mean) / unit
    welch = reference.deviation**2 / n + current.deviation**2 / m
    from_unit = value**2 * (reference.kurtosis - 1) / (4 * n) + value * reference.skewness / n
    error = np.sqrt(np.maximum(welch / unit**2 + from_unit, 0.0))
    adjusted = value * (1 - 3 / (4 * np.maximum(n - 1, 1.0) - 1))
    apart = np.abs(current.mean - reference.mean) / np.sqrt(welch)
    return Estimate(
        value=value,
        adjusted=adjusted,
        lower=adjusted - Z * error,
        upper=adjusted + Z * error,
        p_value=2 * special.ndtr(-apart),
    )


@np.errstate(all="ignore")
def std_ratio(reference: Moments, current: Moments) -> Estimate:
    """How large is the current standard deviation over the reference's.

    Range [0, ∞), 1 for no change, exact. Bounds and p-value: normal on the logarithm, whose variance is
    (kurtosis - 1) / (4 rows) of each side; not defined where the current values are all equal.
    """
    value = current.deviation / reference.deviation
    from_reference = (reference.kurtosis - 1) / (4 * reference.rows)
    from_current = (current.kurtosis - 1) / (4 * current.rows)
    error = np.sqrt(np.maximum(from_reference + from_current, 0.0))
    logarithm = np.log(np.where(value > 0, value, np.nan))
    adjusted = value * (1 + from_current / 2) / (1 + 1.5 * from_reference)
    apart = np.divide(np.abs(logarithm), error, out=np.where(logarithm == 0, 0.0, np.inf), where=error > 0)
    return Estimate(
        value=value,
        adjusted=adjusted,
        lower=np.exp(logarithm - Z * error),
        upper=np.exp(logarithm + Z * error),
        p_value=2 * special.ndtr(-np.where(np.isnan(logarithm), np.nan, apart)),
    )
