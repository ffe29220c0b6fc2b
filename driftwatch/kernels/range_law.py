"""How likely do independent normal numbers stay together: the law of their range, and of their greatest over least.

One formula serves both: the chance that max X ≤ slope · min X + reach. With slope 1 that is the studentised range's law
for unequal errors, with reach 0 the law of a ratio. Summed over which number is the least,
P = Σᵢ ∫ fᵢ(x) Πⱼ≠ᵢ [Fⱼ(slope x + reach) - Fⱼ(x)] dx, which is Hartley's (1942) for one common error.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

_POINTS = np.linspace(-4.5, 4.5, 35)
"""Where the integrand is taken, in errors from each number's centre; those of several lie between each other."""
_MOST_NODES = 150
"""Of many numbers the places together are more than are needed."""


@np.errstate(all="ignore")
def chance_within(centres: Floats, errors: Floats, *, slope: Floats, reach: Floats) -> Floats:
    """The chance (…) that max X ≤ slope · min X + reach, where X (…, numbers) are normal.

    centres, errors: (…, numbers), errors above 0. slope, reach: (…), the slope at least 1. To about a thousandth.
    """
    # With slope 1 they never are nearer together than 0.
    possible = (reach > 0) | (slope > 1)
    if possible.all():
        return _chance(centres, errors, slope=slope, reach=reach)
    chance = np.zeros(np.shape(possible))
    if possible.any():
        chance[possible] = _chance(centres[possible], errors[possible], slope=slope[possible], reach=reach[possible])
    return chance


def _chance(centres: Floats, errors: Floats, *, slope: Floats, reach: Floats) -> Floats:
    places = _nodes(centres, errors, slope=slope, reach=reach)
    ends = slope[..., None] * places + reach[..., None]
    scaled = (places[..., None] - centres[..., None, :]) / errors[..., None, :]
    beyond = (ends[..., None] - centres[..., None, :]) / errors[..., None, :]
    between = np.maximum(special.ndtr(beyond) - special.ndtr(scaled), 0.0)
    density = np.exp(-(scaled**2) / 2) / (errors[..., None, :] * np.sqrt(2 * np.pi))
    integrand = np.where(ends >= places, (density * _others(between)).sum(axis=-1), 0.0)
    chance: Floats = np.clip(np.trapezoid(integrand, places, axis=-1), 0.0, 1.0)
    return chance


def _nodes(centres: Floats, errors: Floats, *, slope: Floats, reach: Floats) -> Floats:
    """(…, nodes) ascending: dense where some number, or the end of the stretch above it, lies."""
    count = centres.shape[-1]
    shifts = (_POINTS[1] - _POINTS[0]) * np.arange(count)[:, None] / count
    low = centres[..., None] + errors[..., None] * (_POINTS + shifts)
    high = (low - reach[..., None, None]) / slope[..., None, None]
    places = np.concatenate([low, high], axis=-1).reshape(*centres.shape[:-1], -1)
    places.sort(axis=-1)
    if places.shape[-1] <= _MOST_NODES:
        return places
    return places[..., np.linspace(0, places.shape[-1] - 1, _MOST_NODES).astype(np.int64)]


def _others(factors: Floats) -> Floats:
    """Of each (…, numbers) the product of all the others."""
    before, after = np.ones_like(factors), np.ones_like(factors)
    for place in range(1, factors.shape[-1]):
        before[..., place] = before[..., place - 1] * factors[..., place - 1]
        after[..., -place - 1] = after[..., -place] * factors[..., -place]
    return before * after
