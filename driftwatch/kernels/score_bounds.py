"""How far can a classifier's metric be from what is true: 95 % bounds from counts, rates and moments.

Every function is vectorised over any leading axes and takes floats. "rows" are effective rows, (Σw)² / Σw² where rows
are weighted. Coverage was found by simulation (tests/benchmarks/intervals_classification.py): above 93 % everywhere,
and at most 97 % from 100 rows of the rarer class on, unless a function says otherwise.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from driftwatch.kernels.distances import folded_excess
from driftwatch.kernels.interval import Interval, Z

Floats = NDArray[np.float64]

_CONTINUITY = 0.25
"""Rows by which hits are moved outwards: Wilson's own coverage sinks to 83 % at rates near 0 or 1, this one to 94 %."""
_NOTHING = 1e-200
"""Second moments below this are rounding, or so small that their powers would be."""
_STEPS = 100
"""More steps than Newton's method takes here, which are about ten."""
_NEAR = 1e-15
"""A step so short is the last one."""
_FEW = 4.0
"""Rows of the rarer class at which a variance is believed half, and what theory says without it half."""


@np.errstate(all="ignore")
def share_interval(hits: Floats, misses: Floats, *, hit_spread: Floats, miss_spread: Floats) -> Interval:
    """Bound a share: Wilson's interval (1927), hits moved outwards by a quarter of a row.

    hits, misses: weighted rows; hit_spread, miss_spread: their sums of squared weights (equal to them without weights),
    of which the effective number of rows is made. NaN where there are no rows.
    """
    total = hits + misses
    value = np.where(total > 0, hits / total, np.nan)
    near = (hits + 0.5) / (total + 1)
    unit = value * (1 - near) ** 2 + (1 - value) * near**2
    rows = unit * total**2 / (hit_spread * (1 - near) ** 2 + miss_spread * near**2)
    return Interval(value, *_wilson(value, rows, moved=_CONTINUITY))


def f1_interval(share: Interval) -> Interval:
    """Bound F1 from the bounds of TP / (TP + FP + FN): a share s, of which it is 2 s / (1 + s)."""
    value, lower, upper = (2 * bound / (1 + bound) for bound in (share.value, share.lower, share.upper))
    return Interval(value, lower, upper)


@np.errstate(all="ignore")
def mean_bounds(value: Floats, *, second: Floats, third: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Bound a mean or a smooth function of means, by a score interval that follows its skewness.

    second, third: central moments of a row's influence. The variance at a true value θ is taken as
    second + (third / second) (θ - value), as if the rows' distribution were tilted exponentially, and
    (θ - value)² = Z² variance / rows is solved for θ. For a share that is Wilson's interval to first order.
    """
    bend = np.where(second > _NOTHING, Z * Z * third / second / rows, 0.0) / 2
    half = np.sqrt(bend**2 + Z * Z * second / rows)
    return value + bend - half, value + bend + half


@np.errstate(all="ignore")
def correlation_bounds(value: Floats, deviation: Floats) -> tuple[Floats, Floats]:
    """Bound a coefficient in [-1, 1] from its standard error: normal on Fisher's scale, the inverse tanh."""
    centre = np.arctanh(value)
    half = Z * deviation / (1 - value**2)
    return np.tanh(centre - half), np.tanh(centre + half)


@np.errstate(all="ignore")
def auc_interval(value: Floats, variance: Floats, *, positives: Floats, negatives: Floats) -> Interval:
    """Bound an AUC: all θ with (θ - value)² ≤ Z² r V(θ).

    V is Hanley and McNeil's variance with both classes' mean size (1982; Newcombe, 2006, method 5) and r the ratio of
    DeLong's `variance` to it at the value, drawn towards 1 where a class has few rows. Above 97 % coverage where it has
    fewer than 20 and the AUC is high. positives, negatives: rows; NaN where one is 0.
    """
    pairs = positives * negatives
    near = (value * pairs + 0.5) / (pairs + 1)
    rarer = np.minimum(positives, negatives)
    ratio = (rarer * variance / _hanley(near, positives, negatives) + _FEW) / (rarer + _FEW)

    scale = Z * Z * ratio / pairs
    parts = np.broadcast_arrays(value, scale, (positives + negatives) / 2 - 1, pairs > 0)
    bounds = [_hanley_bounds(*numbers) for numbers in zip(*(part.ravel().tolist() for part in parts), strict=True)]
    lower, upper = np.array(bounds, dtype=np.float64).reshape(-1, 2).T
    return Interval(np.where(pairs > 0, value, np.nan), lower.reshape(parts[0].shape), upper.reshape(parts[0].shape))


@np.errstate(all="ignore")
def precision_interval(value: Floats, variance: Floats, *, positives: Floats, excess: Floats) -> Interval:
    """Bound an average precision: Wilson's interval for as many rows as its variance speaks of.

    variance: of its influence function, widened by 1.2 / √positives (the curvature that a first-order variance leaves
    out; found by simulation) and drawn towards that of a share where positives are few. excess: by how much a positive
    row's being counted at its own threshold lifts the value; the interval lies around the value without it.
    """
    centre = np.clip(value - excess, 0.3 * value, 1.0)
    unit = np.maximum(centre * (1 - centre), 1e-3)
    ratio = (positives**2 * variance * (1 + 1.2 / np.sqrt(positives)) / unit + _FEW - 1) / (positives + _FEW - 1)
    student = special.stdtrit(positives + _FEW - 1, special.ndtr(Z)) / Z
    lower, upper = _wilson(centre, positives / ratio / student**2, moved=0.0)
    lower, upper = np.minimum(lower, value), np.maximum(upper, value)
    return Interval(*(np.where(positives > 0, bound, np.nan) for bound in (value, lower, upper)))


@np.errstate(all="ignore")
def gap_interval(value: Floats, shares: tuple[Floats, Floats], *, rows: tuple[Floats, Floats]) -> Interval:
    """Bound the greatest distance between two distribution functions, which the plug-in overstates.

    shares: of both classes' rows below the place of the greatest distance; rows: of both classes. Newcombe's interval
    (1998, method 10) of a difference of shares there, less the bias of a maximum, h^(-1/6) standard errors with h the
    harmonic rows (the cube-root asymptotics of an argmax; factor by simulation); the upper bound is moved by a quarter
    of that only, so that coverage is 95 to 99 %, more below 20 rows of a class.
    """
    both = np.stack(shares)
    both = np.where(shares[0] > shares[1], 1 - both, both)
    (low_down, high_down), (low_up, high_up) = _wilson(both, np.stack(rows), moved=_CONTINUITY)
    low, high = both
    down = np.hypot(high - high_down, low_up - low)
    up = np.hypot(high_up - high, low - low_down)
    harmonic = rows[0] * rows[1] / (rows[0] + rows[1])
    bias = harmonic ** (-1 / 6) * down / Z
    lower = np.maximum(value - bias - down, 0.0)
    upper = np.minimum(np.maximum(value - bias / 4 + np.maximum(up, down * _CONTINUITY), value), 1.0)
    known = harmonic > 0
    return Interval(*(np.where(known, bound, np.nan) for bound in (value, lower, upper)))


@np.errstate(all="ignore")
def absolute_interval(gaps: Floats, variances: Floats) -> Interval:
    """Bound Σ |true gap| over the last axis, which Σ |gap| overstates: the calibration error.

    gaps, variances: (…, bins). As for the total variation distance (`distances.tv`): the bias is that of the absolute
    value of a normal. Covers 97 to 100 %: bounds of a sum of absolute values are wide where most true gaps are 0.
    """
    value = np.abs(gaps).sum(axis=-1)
    half = Z * np.sqrt(variances.sum(axis=-1))
    deviations = np.sqrt(variances)
    held = variances > 0
    explained = np.where(held, gaps**2 / variances, 0.0).sum(axis=-1)
    freedom = held.sum(axis=-1)
    chance = freedom + Z * np.sqrt(2 * freedom)
    kept = np.sqrt(1 - np.minimum(np.where(explained > 0, chance / explained, 1.0), 1.0))
    drawn = np.stack([gaps * kept[..., None], gaps])
    excess = folded_excess(drawn, np.broadcast_to(deviations, drawn.shape)).sum(axis=-1)
    lower, upper = value - excess[0] - half, value - excess[1] + half
    return Interval(value, np.maximum(lower, 0.0), np.minimum(np.maximum(upper, value), 1.0))


def _wilson(value: Floats, rows: Floats, *, moved: float) -> Floats:
    """Wilson's bounds (2, …) of a share of so many rows, from hits moved outwards; 0 without hits, 1 without misses."""
    step = np.minimum(moved / rows, 1.0)
    shares = np.minimum(np.maximum(np.stack([value - step, value + step]), 0.0), 1.0)
    unit = Z * Z / rows
    half = Z * np.sqrt((shares * (1 - shares) + unit / 4) / rows)
    bounds: Floats = shares + unit / 2
    bounds[0] -= half[0]
    bounds[1] += half[1]
    bounds /= 1 + unit
    bounds[0] = np.where(value <= 0, 0.0, bounds[0])
    bounds[1] = np.where(value >= 1, 1.0, bounds[1])
    return bounds


def _hanley(theta: Floats, positives: Floats, negatives: Floats) -> Floats:
    mean = (positives + negatives) / 2 - 1
    bracket = 1 + mean * ((1 - theta) / (2 - theta) + theta / (1 + theta))
    variance: Floats = theta * (1 - theta) / (positives * negatives) * bracket
    return variance


def _hanley_bounds(value: float, scale: float, mean: float, known: bool) -> tuple[float, float]:  # noqa: FBT001
    """Both θ with (value - θ)² = scale · θ (1 - θ) (1 + mean · ((1 - θ) / (2 - θ) + θ / (1 + θ)))."""
    if not known:
        return math.nan, math.nan
    return _hanley_bound(value, scale, mean, end=0.0), _hanley_bound(value, scale, mean, end=1.0)


def _hanley_bound(value: float, scale: float, mean: float, *, end: float) -> float:
    """The θ between the value and one end of [0, 1], by Newton's method from there, halving where that leaves.

    Number by number: arrays of one number take ten times as long.
    """
    outer, inner, theta, before = end, value, end, 1.0
    for _ in range(_STEPS):
        bracket = 1 + mean * (2 - 1 / (2 - theta) - 1 / (1 + theta))
        product, apart = theta * (1 - theta), value - theta
        excess = apart * apart - scale * product * bracket
        if excess > 0:
            outer = theta
        else:
            inner = theta
        bend = product * mean * (1 / (1 + theta) ** 2 - 1 / (2 - theta) ** 2)
        slope = -2 * apart - scale * ((1 - 2 * theta) * bracket + bend)
        step = excess / slope if slope else math.inf
        if not min(outer, inner) <= theta - step <= max(outer, inner) or abs(step) > 0.6 * before:
            step = theta - (outer + inner) / 2
        theta, before = theta - step, abs(step)
        if before < _NEAR:
            break
    return theta
