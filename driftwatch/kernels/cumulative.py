"""How far are two cumulative distributions apart at their farthest point."""

import numpy as np
from scipy import special

from driftwatch.kernels.estimate import Estimate, Flags, Ints
from driftwatch.kernels.interval import CONFIDENCE

MEAN_SQUARE = np.pi**2 / 12
"""Mean of the square of Kolmogorov's variable."""


def kolmogorov_smirnov(reference: Ints, current: Ints, *, spread: Flags) -> Estimate:
    """How large is the Kolmogorov-Smirnov statistic, sup |F - G| over slot borders.

    reference, current: (columns, slots) counts in the order of the values; rows without a value may be counted in
    slots before them, and shares are of all rows. spread: (columns, slots) True for slots of more than one value.

    Range [0, 1], 0 for no change. Never above the exact value, and below it by at most the greatest over bins of the
    smaller of the two shares (inside a bin one of F and G must move alone): at most the reference's fullest bin, and
    0 for slots of one value. That bound is added to `upper`. Bounds: sampling error of at most 1.36 √(1/n + 1/m)
    (Dvoretzky-Kiefer-Wolfowitz with Massart's constant). p-value: Kolmogorov's limit, too large with ties.
    """
    n = np.maximum(reference.sum(axis=1), 1.0)
    m = np.maximum(current.sum(axis=1), 1.0)
    p, q = reference / n[:, None], current / m[:, None]
    value = np.minimum(np.abs(np.cumsum(p - q, axis=1)).max(axis=1), 1.0)
    rate = 1 / n + 1 / m
    half = np.sqrt(np.log(2 / (1 - CONFIDENCE)) / 2 * rate)
    inside = np.where(spread, np.minimum(p, q), 0.0).max(axis=1)
    return Estimate(
        value=value,
        adjusted=np.sqrt(np.maximum(value**2 - MEAN_SQUARE * rate, 0.0)),
        lower=np.maximum(value - half, 0.0),
        upper=np.minimum(value + inside + half, 1.0),
        p_value=special.kolmogorov(value / np.sqrt(rate)),
    )
