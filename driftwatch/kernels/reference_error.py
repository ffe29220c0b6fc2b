"""How far a reference's own shares and means can be from the truth, at a small risk.

All windows are compared with the same reference, so its error does not average out over windows: what accumulates
evidence must give way to it from the outset.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

FACTOR_RISK = 0.01
"""How likely a factor of over-dispersion, estimated with few degrees of freedom, is beyond the one that is used."""


def share_bounds(hits: Floats, rows: Floats, risk: Floats) -> tuple[Floats, Floats]:
    """Where can the true share lie, each bound being wrong with a probability of at most `risk`.

    hits, rows, risk: (...) counts, effective ones (divided by an over-dispersion) where rows depend on each other.
    Clopper and Pearson (1934): exact for independent rows; asymptotic in effective counts. (0, 1) without rows.
    """
    hits, rows = np.broadcast_arrays(hits, rows)
    misses = np.maximum(rows - hits, 0.0)
    low = np.where(hits > 0, special.betaincinv(np.maximum(hits, 1e-9), misses + 1, risk), 0.0)
    high = np.where(misses > 0, special.betainccinv(hits + 1, np.maximum(misses, 1e-9), risk), 1.0)
    return np.where(rows > 0, low, 0.0), np.where(rows > 0, high, 1.0)


def mean_bounds(mean: Floats, variance: Floats, rows: Floats, *, risk: Floats) -> tuple[Floats, Floats]:
    """Where can the true mean of scores in [0, 1] lie, each bound being wrong with a probability of about `risk`.

    mean, variance, rows, risk: (...), rows effective as above. Bernstein's bound z σ / √n + z² / (6 n), with the
    normal quantile in the place of √(2 log(1 / risk)): asymptotic. Ranks of numbers without ties are the means of
    uniform variables, whose tails are lighter than the normal's. (0, 1) without rows.
    """
    quantile = -special.ndtri(risk)
    rows = np.maximum(rows, 1e-9)
    reach = quantile * np.sqrt(variance / rows) + quantile**2 / (6 * rows)
    return np.maximum(mean - reach, 0.0), np.minimum(mean + reach, 1.0)


def cautious(factor: Floats, freedom: Floats) -> Floats:
    """Which factor of over-dispersion is exceeded by the true one with a probability of at most FACTOR_RISK.

    factor: (…, columns) estimated, at least 1. freedom: (columns,) degrees of freedom of the estimate, which is taken
    to be a scaled χ²; where they are infinite the factor is the truth.
    """
    if np.isinf(freedom).all():
        return np.maximum(factor, 1.0)
    different, place = np.unique(np.clip(freedom, 1e-3, 1e9), return_inverse=True)
    # The quantile of χ² over its mean; few degrees of freedom differ, and this is slow.
    least = np.maximum(special.gammaincinv(different / 2, FACTOR_RISK) * 2 / different, 1e-9)[place]
    return np.maximum(np.where(np.isinf(freedom), factor, factor / least), 1.0)
