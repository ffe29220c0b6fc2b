"""From several statistics of one column to one p-value: their laws where rows hang together, and their combination."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

CAP = 0.9
"""A component without any evidence counts as this p-value: one that is exactly 1, as whole counts have it, would be
evidence against everything the others found."""
_SPARE = (0.95, 1.0)
"""Factor and what is taken off the mean of cotangents: beyond 1 in 100 the true level is 0.9 to 1 of the nominal one,
where without them it is up to 1.05 of it, for the cap and for what the single laws leave."""


@np.errstate(all="ignore")
def tail(statistic: Floats, degrees: Floats | float, *, mean: Floats, greatest: Floats, freedom: Floats) -> Floats:
    """How likely is a quadratic form at least so large: F, or χ² where the factors are known.

    statistic: (columns,) that would be χ² of `degrees` if rows were independent. mean, greatest: (columns,) factors on
    the variance of its directions, the mean one and the greatest. freedom: (columns,) of their estimate, inf if known.
    Of all forms with these factors the one whose whole variance lies in as few directions as the greatest factor
    allows has the heaviest tail, a multiple of χ² with degrees · mean / greatest; with equal factors it is exact.
    The estimate of a factor is taken for a multiple of χ² of `freedom`, so that the ratio is Fisher's F (t² for one
    degree). Where degrees are 0 the chance is 1.
    """
    top = np.maximum(greatest, mean)
    spread = degrees * mean / top
    # Rounding may leave a statistic of nothing just below 0.
    scaled = np.maximum(statistic, 0.0) / top
    estimated = np.isfinite(freedom)
    single = bool(np.all(spread == 1))
    # The normal law's own function is several times as fast.
    chance: Floats = special.erfc(np.sqrt(scaled / 2)) if single else special.chdtrc(spread, scaled)
    if estimated.any():
        chance = np.where(estimated, special.fdtrc(spread, freedom, scaled / spread), chance)
    return np.where(spread > 0, chance, 1.0)


@dataclass(frozen=True, slots=True)
class Components:
    """Several tests of each column. p_values: name → (columns,); weights: name → (columns,), 0 where not tested."""

    p_values: dict[str, Floats]
    weights: dict[str, Floats]

    def combined(self) -> Floats:
        """One p-value a column, (columns,): the Cauchy combination of Liu and Xie (2020), without evidence against.

        Σ weight · cot(π p) is Cauchy in its tail whatever hangs together how (https://doi.org/10.1080/01621459.2018.1554485).
        1 where nothing could be tested.
        """
        weights = np.stack(list(self.weights.values()))
        chances = np.clip(np.stack(list(self.p_values.values())), 1e-300, CAP)
        total = weights.sum(axis=0)
        mean = (weights / np.tan(np.pi * chances)).sum(axis=0) / np.where(total > 0, total, 1.0)
        factor, less = _SPARE
        # The arc tangent of the inverse keeps what 1/2 - arctan(mean) / π would round to 0.
        combined = np.arctan2(1.0, factor * mean - less) / np.pi
        return np.where(total > 0, combined, 1.0)
