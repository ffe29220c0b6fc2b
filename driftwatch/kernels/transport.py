"""How much mass times distance carries one distribution into another: Wasserstein-1 from binned sums."""

import numpy as np
from scipy import special

from driftwatch.kernels.distances import folded_excess
from driftwatch.kernels.estimate import Estimate, Flags, Floats
from driftwatch.kernels.histogram import Histogram, Moments
from driftwatch.kernels.interval import Z

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(3)
_AT, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2
_NULL_DEVIATION = 0.43
"""Standard deviation over mean of ∫|B| for a Brownian bridge B: √(7/60 - π/32) / (√(2π)/8)."""


_CHANCE_AT_MOST = 3.5
"""97.5 % point over mean of the Cramér-von Mises variable ∫B²: 0.58 / (1/6)."""


@np.errstate(all="ignore")
def wasserstein(reference: Histogram, current: Histogram, *, before: Moments, after: Moments) -> Estimate:
    """How large is the Wasserstein-1 distance ∫|F - G|, in units of the reference's standard deviation.

    before, after: the moments of reference and current. Range [0, ∞), 0 for no change.

    Error. The sum of a bin's values gives ∫(F - G) over it exactly, so a bin in which F - G keeps its sign is exact;
    it must keep it where F - G at the left edge is further from 0 than the bin's mass can bring it. In the other bins
    each distribution is taken as a power law with the bin's own mean, and the mean of |F - G| around it as that of
    Brownian bridges given their integral. Measured on pairs of real columns: relative error at most 1 %, or an
    absolute one at most 4e-4 standard deviations where the distance is itself of the size of sampling noise (1.5e-3 on
    simulated long tails, whose last bin is wide).

    Bounds: delta method (Sommerfeld and Munk, 2018, https://doi.org/10.1111/rssb.12236) and, where the difference is
    noise, the bridge's own mean and spread; they hold in 95 % of cases for one mode, in 86 % where far modes exchange
    mass. No closed p-value.
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
    likely, most, least = _biases(reference, current, middle=(left + right) / 2, widths=widths)
    unit = before.deviation
    value, adjusted = apart / unit, np.maximum(apart - likely, 0.0) / unit
    from_unit = adjusted**2 * (before.kurtosis - 1) / (4 * before.rows)
    half = Z * np.sqrt((error + (_NULL_DEVIATION * likely) ** 2) / unit**2 + from_unit)
    return Estimate(
        value=value,
        adjusted=adjusted,
        lower=np.maximum((apart - most) / unit - half, 0.0),
        upper=np.maximum((apart - least) / unit + half, 0.0),
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
    extra = np.zeros_like(left)
    where = np.nonzero(_may_cross(reference, current, left=left, widths=widths))
    width = widths[where]
    mean, variance = np.broadcast_to(left[where], (len(_AT), width.size)), np.zeros((len(_AT), width.size))
    for sample, direction in ((reference, 1.0), (current, -1.0)):
        mass = sample.shares[:, 1:-1][where]
        position = np.divide(sample.gaps[where], mass * width, out=np.full_like(width, 0.5), where=mass > 0)
        position = np.clip(position, 1e-9, 1 - 1e-9)
        power = (1 - position) / position
        reached = np.exp(power * np.log(_AT)[:, None])
        mean = mean + direction * mass * reached
        # Of the bridge's variance at t, what its known integral leaves open.
        known = power * (power + 2) * (reached * (1 - _AT)[:, None]) ** 2
        variance += mass / sample.rows[where[0]] * np.maximum(reached * (1 - reached) - known, 0.0)
    deviation = np.sqrt(np.maximum(variance, 1e-300))
    ratio = mean / deviation
    above = mean * special.ndtr(ratio) + deviation * np.exp(-ratio * ratio / 2) / np.sqrt(2 * np.pi)
    extra[where] = 2 * width * np.maximum(np.minimum(_WEIGHTS @ above, _WEIGHTS @ (above - mean)), 0.0)
    return extra


def _may_cross(reference: Histogram, current: Histogram, *, left: Floats, widths: Floats) -> Flags:
    """(columns, bins) True where F - G may change its sign inside a bin, given the bin's masses and means."""
    mass, other = reference.shares[:, 1:-1], current.shares[:, 1:-1]
    right = left + mass - other
    inverse = np.divide(1.0, widths, out=np.zeros_like(widths), where=widths > 0)
    # A power law leaves its chord by at most twice the difference of their integrals.
    bend = 2 * (np.abs(reference.gaps * inverse - mass / 2) + np.abs(current.gaps * inverse - other / 2))
    rows = np.maximum(reference.rows, 1.0)[:, None], np.maximum(current.rows, 1.0)[:, None]
    # Three deviations of the bridges given their integrals, whose variance is at most 0.15 of the mass over the rows.
    margin = bend + 3 * np.sqrt(0.15 * (mass / rows[0] + other / rows[1]))
    may = (np.maximum(left, right) + margin > 0) & (np.minimum(left, right) - margin < 0)
    # Monotony bounds it too.
    may &= (left < other) & (left > -mass) & ~(reference.atoms & current.atoms)
    # Equal mass and equal sum: the values are the same, and F - G stays what it was at the left edge.
    same = np.abs(reference.gaps - current.gaps) <= 1e-12 * widths * mass
    flags: Flags = may & ~(same & (np.abs(mass - other) <= 1e-12 * mass))
    return flags


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


def _biases(
    reference: Histogram, current: Histogram, *, middle: Floats, widths: Floats
) -> tuple[Floats, Floats, Floats]:
    """(columns,) ∫ of what noise adds to |F - G|: likely, at most, at least.

    The differences are shrunk by what noise explains of their squares: by its mean, by its 97.5 % point (Cramér-von
    Mises), not at all.
    """
    f = np.cumsum(reference.shares, axis=1)[:, :-2] + reference.shares[:, 1:-1] / 2
    g = np.cumsum(current.shares, axis=1)[:, :-2] + current.shares[:, 1:-1] / 2
    n, m = np.maximum(reference.rows, 1.0)[:, None], np.maximum(current.rows, 1.0)[:, None]
    variance = np.maximum(f * (1 - f) / n + g * (1 - g) / m, 0.0)
    deviation = np.sqrt(variance)
    weight = reference.shares[:, 1:-1] + current.shares[:, 1:-1]
    seen, noise = (weight * middle * middle).sum(axis=1), (weight * variance).sum(axis=1)
    explained = np.divide(noise, seen, out=np.ones_like(seen), where=seen > noise)

    def bias(times: float) -> Floats:
        kept = np.sqrt(1 - np.minimum(explained * times, 1.0))[:, None]
        added: Floats = (widths * folded_excess(middle * kept, deviation)).sum(axis=1)
        return added

    return bias(1.0), bias(_CHANCE_AT_MOST), bias(0.0)
