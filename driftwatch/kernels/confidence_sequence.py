"""Do two estimates differ, watched for as long as one likes: intervals that hold at all times at once.

Both estimates are cumulative means, or smooth functions of means, so that the difference times its rows is a Brownian
motion in the limit. Robbins' normal mixture (1970) is the boundary that such a motion ever crosses with a probability
of `alpha`. For means it is a confidence sequence in Howard, Ramdas, McAuliffe and Sekhon (2021,
https://arxiv.org/abs/1810.08240), and with estimated variances, asymptotically, in Waudby-Smith, Arbour, Sinha, Kennedy
and Ramdas (2021, https://arxiv.org/abs/2103.06476).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.interval import Interval, Z

Floats = NDArray[np.float64]

ALPHA = 0.05
OPTIMUM = 1_000.0
"""Rows at which bounds are as near as they can be: 2 000 of each, as 1 / rows adds up. A tenth of that costs 26 % of
width, a hundred times as many 18 %."""
POWER_POINT = 0.8416212335729143
"""Standard errors by which a difference must lie beyond a bound for that to be seen in 80 % of cases."""

_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """Challenger minus champion. value, lower, upper: one shape; NaN where either has no value.

    seen: the least true difference that would be outside its bounds by now with 80 % probability.
    """

    value: Floats
    lower: Floats
    upper: Floats
    seen: Floats


def difference(champion: Interval, challenger: Interval, *, rows: Floats, alpha: float = ALPHA) -> Difference:
    """Bound the true difference of two independent estimates, at all times at once.

    champion, challenger: with their 95 % bounds, from which the errors on either side are recovered (MOVER: Newcombe,
    1998; Zou and Donner, 2008, https://doi.org/10.1002/sim.3095), so that what bends an interval bends this one.
    rows: see `harmonic`. Estimates that err together, as those of the same events do, differ less than this allows for.
    """
    value = challenger.value - champion.value
    with np.errstate(invalid="ignore"):
        down = np.hypot(challenger.value - challenger.lower, champion.upper - champion.value) / Z
        up = np.hypot(challenger.upper - challenger.value, champion.value - champion.lower) / Z
        far = reach(rows, alpha=alpha)
        return Difference(value, value - far * down, value + far * up, (far + POWER_POINT) * np.maximum(down, up))


def harmonic(one: Floats, other: Floats) -> Floats:
    """How many rows a difference rests on: 1 / (1 / one + 1 / other), 0 where either has none."""
    both = one + other
    rows: Floats = np.divide(one * other, both, out=np.zeros(np.shape(both)), where=both > 0)
    return rows


def reach(rows: Floats, *, alpha: float = ALPHA, optimum: float = OPTIMUM) -> Floats:
    """How many standard errors the bounds are away: √((1 + 1/x) log((1 + x) / α²)), x being the rows in a unit.

    It is 3.03 at `optimum` rows and grows towards both sides: slowly with more, fast with less. Infinite without rows.
    """
    x = np.asarray(rows) * (_narrowest(alpha) / optimum)
    with np.errstate(divide="ignore"):
        far: Floats = np.sqrt((1 + 1 / x) * np.log((1 + x) / alpha**2))
    return far


def _narrowest(alpha: float) -> float:
    """The x at which the bounds are nearest: where x = log((1 + x) / α²)."""
    x = 1.0
    for _ in range(_ROUNDS):
        x = float(np.log((1 + x) / alpha**2))
    return x
