"""How far apart are the rates of several groups: the greatest minus the least, or the least over the greatest.

The greatest of several rates that are truly equal is above the least by luck alone, so that neither the plug-in value
nor the usual interval around it will do. The two ends of the interval of the true spread θ are found apart:

* the far end (more unequal): θ is possible as long as one pair of groups may be so far apart. The bound is the largest
  of all pairs' bounds, made of the rates' own as in Newcombe (1998, method 10) and Donner and Zou (2012, ratios).
  That is an intersection-union test, which needs no correction for the number of pairs.
* the near end (more equal): θ is possible as long as rates spread by θ would come out as far apart as these did. Rates
  under θ are the closest that θ allows (as Miettinen and Nurminen, 1985, have it for two groups), groups that cannot be
  told from the greatest or the least count as it, and the law of the spread is that of independent normal numbers.

The near end takes what the far end leaves of the 5 %: where no spread is, no interval fails at its far end. For two
groups, equal rates, and rates that are all told apart, coverage is 95 % by theory; in between it was found by
simulation (tests/benchmarks/fairness.py) to be 93 to 98 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.interval import Interval, Z
from driftwatch.kernels.range_law import chance_within

Floats = NDArray[np.float64]

_RISK, _RISK_OF_MANY = 0.05, 0.045
"""What both ends together may fail; of more than two groups a little less, for what is not known of those between."""
_ALIKE = 1.5
"""Groups within so many errors of the greatest, or of the least, count as it when there are more than two."""
_STEPS, _ROUNDS = 12, 2
"""The near end is looked for on so many values, so many times, each time between two of them."""
_HALVINGS = 16
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Rates:
    """A number of each group. All (…, groups), at least two of them.

    value: the estimate. lower, upper: its own 95 % bounds. rows: effective rows it is the mean of. unit: variance of a
    row; None where rows are zeros and ones.
    """

    value: Floats
    lower: Floats
    upper: Floats
    rows: Floats
    unit: Floats | None = None

    def ascending(self) -> "Rates":
        """The same with the least group first; of equal ones the smaller."""
        order = np.lexsort((self.rows, self.value), axis=-1)

        def moved(values: Floats) -> Floats:
            return np.take_along_axis(values, order, axis=-1)

        unit = None if self.unit is None else moved(self.unit)
        return Rates(moved(self.value), moved(self.lower), moved(self.upper), moved(self.rows), unit)

    def errors(self, values: Floats) -> Floats:
        """Standard errors if these (…, steps, groups) were the true values, never 0."""
        rows = self.rows[..., None, :]
        if self.unit is not None:
            spread: Floats = np.sqrt(np.maximum(self.unit, _TINY)[..., None, :] / rows)
            return np.broadcast_to(spread, values.shape)
        rates = np.clip(values, 0.5 / rows, 1 - 0.5 / rows)
        errors: Floats = np.sqrt(rates * (1 - rates) / rows)
        return errors


@np.errstate(all="ignore")
def difference_interval(*sides: Rates) -> Interval:
    """Bound the greatest minus the least rate (…); of several sides, which are independent, the greatest of these."""
    values = [side.value.max(axis=-1) - side.value.min(axis=-1) for side in sides]
    value: Floats = np.max(values, axis=0)
    far: Floats = np.max([_farthest(side) for side in sides], axis=0)
    near = _near_end(sides, value, ratio=False)
    return Interval(value, np.minimum(near, value), np.maximum(far, value))


@np.errstate(all="ignore")
def ratio_interval(rates: Rates) -> Interval:
    """Bound the least over the greatest rate (…), in [0, 1]; NaN where all rates are 0."""
    value = rates.value.min(axis=-1) / rates.value.max(axis=-1)
    one, two = rates.value[..., None, :], rates.value[..., :, None]
    low, high = rates.lower[..., None, :], rates.upper[..., :, None]
    # Donner and Zou's lower bound of one / two, from the lower bound of the one and the upper bound of the other.
    both = one * two
    root = np.sqrt(np.maximum(both**2 - low * high * (2 * one - low) * (2 * two - high), 0.0))
    far = _apart((both - root) / (high * (2 * two - high)), np.inf).min(axis=(-2, -1))
    near = _near_end((rates,), value, ratio=True)
    known = np.isfinite(value)
    return Interval(
        value,
        np.where(known, np.clip(far, 0.0, value), np.nan),
        np.where(known, np.clip(near, value, 1.0), np.nan),
    )


def _farthest(rates: Rates) -> Floats:
    """The largest upper bound of a difference of two groups (…)."""
    above = (rates.upper - rates.value)[..., :, None]
    below = (rates.value - rates.lower)[..., None, :]
    pairs = rates.value[..., :, None] - rates.value[..., None, :] + np.sqrt(above**2 + below**2)
    farthest: Floats = _apart(pairs, -np.inf).max(axis=(-2, -1))
    return farthest


def _apart(pairs: Floats, filler: float) -> Floats:
    """Pairs (…, groups, groups) with the filler where a group meets itself."""
    return np.where(np.eye(pairs.shape[-1], dtype=np.bool_), filler, pairs)


def _near_end(sides: Sequence[Rates], value: Floats, *, ratio: bool) -> Floats:
    """The θ (…) nearest to equality that could have come out as far apart as `value`."""
    equal, found = np.full(value.shape, 1.0 if ratio else 0.0), value
    shares = np.linspace(0.0, 1.0, _STEPS)
    for _ in range(_ROUNDS):
        tried = equal[..., None] + (found - equal)[..., None] * shares
        excess = _excess(sides, tried, value, ratio=ratio)
        first = np.where((excess >= 0).any(axis=-1), (excess >= 0).argmax(axis=-1), _STEPS - 1)[..., None]
        before = np.maximum(first - 1, 0)
        equal, found = (np.take_along_axis(tried, place, axis=-1)[..., 0] for place in (before, first))
    ends = [np.take_along_axis(excess, place, axis=-1)[..., 0] for place in (before, first)]
    share = np.where(ends[1] > ends[0], np.clip(-ends[0] / (ends[1] - ends[0]), 0.0, 1.0), 1.0)
    near: Floats = equal + (found - equal) * share
    return near


def _excess(sides: Sequence[Rates], tried: Floats, value: Floats, *, ratio: bool) -> Floats:
    """By how much the chance of coming out as far apart is above what may be failed, at each θ tried: (…, steps)."""
    slope = 1 / np.maximum(tried, _TINY) if ratio else np.ones_like(tried)
    gap = np.zeros_like(tried) if ratio else tried
    below, beyond = np.ones_like(tried), np.ones_like(tried)
    for side in map(Rates.ascending, sides):
        rates = _closest(side, slope[..., None], gap[..., None])
        errors = side.errors(rates)
        reach = side.value[..., -1:] - slope * side.value[..., :1]
        reach = reach if ratio else np.broadcast_to(value[..., None], tried.shape)
        below *= chance_within(rates, errors, slope=slope, reach=reach)
        # The far end fails where even the greatest and the least come out so near each other.
        missed = gap - Z * np.hypot(errors[..., -1], slope * errors[..., 0])
        beyond *= chance_within(rates, errors, slope=slope, reach=missed)
    risk = _RISK if sides[0].value.shape[-1] == 2 else _RISK_OF_MANY
    return (1 - below) - np.maximum(risk - beyond, 0.0)


def _closest(side: Rates, slope: Floats, gap: Floats) -> Floats:
    """The most likely rates (…, steps, groups) among those whose greatest is at most slope · least + gap."""
    rates, rows = side.value[..., None, :], side.rows[..., None, :]
    unit = None if side.unit is None else np.maximum(side.unit, _TINY)[..., None, :]

    def pull(end: Floats) -> Floats:
        weights = 1 / np.maximum(end * (1 - end), _TINY) if unit is None else 1 / unit
        return rows * weights * (rates - end)

    low = np.broadcast_to(rates.min(axis=-1, keepdims=True), slope.shape)
    high = np.maximum((rates.max(axis=-1, keepdims=True) - gap) / slope, low)
    for _ in range(_HALVINGS):
        least = (low + high) / 2
        most = slope * least + gap
        under, over = np.minimum(pull(least), 0.0), np.maximum(pull(most), 0.0)
        rises = (under + slope * over).sum(axis=-1, keepdims=True) > 0
        low, high = np.where(rises, least, low), np.where(rises, high, least)
    least = (low + high) / 2
    most = slope * least + gap
    closest = np.clip(rates, least, most)
    if rates.shape[-1] == 2:
        return closest
    reach = _ALIKE * side.errors(closest)
    to_least, to_most = closest - least, most - closest
    alike = np.where(to_least < np.minimum(reach, to_most), least, closest)
    return np.where(to_most <= np.minimum(reach, to_least), most, alike)
