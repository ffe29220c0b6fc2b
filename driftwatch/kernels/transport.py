"""How much mass times distance carries one distribution into another: Wasserstein-1 from binned sums."""

import numpy as np
from scipy import special

from driftwatch.kernels.distances import folded_excess
from driftwatch.kernels.estimate import Estimate, Floats, Z
from driftwatch.kernels.histogram import Histogram, Moments

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)
_AT, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2
_NULL_DEVIATION = 0.43
"""Standard deviation over mean of ∫|B| for a Brownian bridge B: √(7/60 - π/32) / (√(2π)/8)."""


@np.errstate(all="ignore")
def wasserstein(reference: Histogram, current: Histogram, *, before: Moments, after: Moments) -> Estimate:
    """How large is the Wasserstein-1 distance ∫|F - G|, in units of the reference's standard deviation.

    before, after: the moments of reference and current. Range [0, ∞), 0 for no change.

    Error. The sum of a bin's values gives ∫(F - G) over it exactly, so a bin in which F - G keeps its sign is exact;
    it must keep it where F - G at the left edge is further from 0 than the bin's mass can bring it. In the other bins
    each distribution is taken as a power law with the bin's own mean, and the mean of |F - G| around it as that of
    Brownian bridges given their integral. Measured on pairs of real columns: relative error at most 1 %, or an
    absolute one at most 4e-4 standard deviations where the distance is itself of the size of sampling noise.

    Bounds: delta method (Sommerfeld and Munk, 2018, https://doi.org/10.1111/rssb.12236) and, where the difference is
    noise, the bridge's own mean and spread. No closed p-value.
    """
    widths = np.diff(reference.edges, axis=1)
    steps = np.cumsum(reference.shares - current.shares, axis=1)
    left, right = steps[:, :-2], steps[:, 1:-1]
    inside = left * widths + reference.gaps - current.gaps
    crossing = _crossing(reference, current, left=left, widths=widths)
    low, high = _tails(reference, current)
    apart = np.abs(low) + np.abs(high) + (np.abs(inside) + crossing).sum(axis=1)
    sign = np.divide(inside, np.abs(inside) + crossing, out=np.zeros_like(inside), where=inside != 0)
    signs = np.concatenate([np.sign(low)[:, None], sign, np.sign(high)[:, None]], axis=1)
    error = _variance(reference, signs, before) + _variance(current, signs, after)
    bias = _bias(reference, current, middle=(left + right) / 2, widths=widths)
    unit = before.deviation
    value, adjusted = apart / unit, np.maximum(apart - bias, 0.0) / unit
    from_unit = adjusted**2 * (before.kurtosis - 1) / (4 * before.rows)
    half = Z * np.sqrt((error + (_NULL_DEVIATION * bias) ** 2) / unit**2 + from_unit)
    return Estimate(
        value=value,
        adjusted=adjusted,
        lower=np.maximum(adjusted - half, 0.0),
        upper=adjusted + half,
        p_value=np.full_like(value, np.nan),
    )


def _tails(reference: Histogram, current: Histogram) -> tuple[Floats, Floats]:
    """(columns,) ∫(F - G) below the first edge and above the last; exact, as the reference lies on one side of both."""
    shares, parts = reference.shares - current.shares, reference.parts - current.parts
    low = shares[:, 0] * reference.edges[:, 0] - parts[:, 0]
    high = shares[:, -1] * reference.edges[:, -1] - parts[:, -1]
    return low, high


def _crossing(reference: Histogram, current: Histogram, *, left: Floats, widths: Floats) -> Floats:
    """(columns, bins) how much ∫|F - G| is expected above |∫(F - G)|: twice the smaller of the two signs' areas."""
    mass, other = reference.shares[:, 1:-1], current.shares[:, 1:-1]
    may = (left < other) & (left > -mass) & ~(reference.atoms & current.atoms)
    # Equal mass and equal sum: the values are the same, and F - G stays what it was at the left edge.
    same = np.abs(reference.gaps - current.gaps) <= 1e-12 * widths * mass
    may &= ~(same & (np.abs(mass - other) <= 1e-12 * mass))
    extra = np.zeros_like(left)
    if not may.any():
        return extra
    columns = np.nonzero(may)[0]
    here, variance = left[may], 0.0
    mean = np.broadcast_to(here, (len(_AT), here.size))
    for sample, direction in ((reference, 1.0), (current, -1.0)):
        weight, width = sample.shares[:, 1:-1][may], widths[may]
        position = np.divide(sample.gaps[may], weight * width, out=np.full_like(weight, 0.5), where=weight > 0)
        power = (1 - np.clip(position, 1e-9, 1 - 1e-9)) / np.clip(position, 1e-9, 1 - 1e-9)
        reached = np.exp(power * np.log(_AT)[:, None])
        mean = mean + direction * weight * reached
        known = power * (power + 2) * (reached * (1 - _AT)[:, None]) ** 2
        variance = variance + weight / sample.rows[columns] * np.maximum(reached * (1 - reached) - known, 0.0)
    deviation = np.sqrt(np.maximum(variance, 1e-300))
    ratio = mean / deviation
    above = mean * special.ndtr(ratio) + deviation * np.exp(-ratio * ratio / 2) / np.sqrt(2 * np.pi)
    extra[may] = 2 * np.maximum(np.minimum(_WEIGHTS @ above, _WEIGHTS @ (above - mean)), 0.0) * widths[may]
    return extra


def _variance(sample: Histogram, signs: Floats, moments: Moments) -> Floats:
    """(columns,) variance that a sample's rows give to the distance: that of ∫ sign(F - G) up to a row's value."""
    edges, shares = sample.edges, sample.shares
    widths = np.diff(edges, axis=1)
    reached = np.concatenate([np.zeros((len(edges), 1)), np.cumsum(signs[:, 1:-1] * widths, axis=1)], axis=1)
    place = np.zeros_like(shares)
    filled = shares > 0
    middle = np.divide(sample.parts, shares, out=np.zeros_like(shares), where=filled)
    place[:, 0] = signs[:, 0] * (middle[:, 0] - edges[:, 0])
    place[:, 1:] = reached + signs[:, 1:] * (middle[:, 1:] - edges)
    place[~filled] = 0.0
    between = (shares * place**2).sum(axis=1) - (shares * place).sum(axis=1) ** 2
    spread = (shares * (middle - moments.mean[:, None]) ** 2).sum(axis=1)
    within = np.maximum(moments.deviation**2 - spread, 0.0)
    variance: Floats = (np.maximum(between, 0.0) + within) / np.maximum(sample.rows, 1.0)
    return variance


def _bias(reference: Histogram, current: Histogram, *, middle: Floats, widths: Floats) -> Floats:
    """(columns,) ∫ of what noise adds to |F - G|, at differences shrunk by what noise explains of their squares."""
    f = np.cumsum(reference.shares, axis=1)[:, :-2] + reference.shares[:, 1:-1] / 2
    g = np.cumsum(current.shares, axis=1)[:, :-2] + current.shares[:, 1:-1] / 2
    n, m = np.maximum(reference.rows, 1.0)[:, None], np.maximum(current.rows, 1.0)[:, None]
    variance = np.maximum(f * (1 - f) / n + g * (1 - g) / m, 0.0)
    weight = reference.shares[:, 1:-1] + current.shares[:, 1:-1]
    seen, noise = (weight * middle**2).sum(axis=1), (weight * variance).sum(axis=1)
    explained = np.divide(noise, seen, out=np.ones_like(seen), where=seen > noise)
    shrunk = np.abs(middle) * np.sqrt(1 - explained)[:, None]
    bias: Floats = (widths * folded_excess(shrunk, np.sqrt(variance))).sum(axis=1)
    return bias
