"""Are groups of people treated alike: how far apart a model's rates are over the members of a protected dimension.

The measures are fairlearn's (Bird et al., 2020), over all groups: no group is privileged. `calibration_difference` is
ours: by how much more often the positive class came than the scores promised, in the group where it is most against the
group where it is least.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.interval import Interval
from driftwatch.kernels.mean_interval import share_interval
from driftwatch.kernels.parity import Rates, difference_interval, ratio_interval
from driftwatch.kernels.score_bounds import mean_bounds
from driftwatch.statistics.between import Between
from driftwatch.statistics.reading import Reading, Status, Support

Floats = NDArray[np.float64]
Codes = NDArray[np.integer]

FAIRNESS = "fairness"
"""The family of these readings."""
PARITY, IMPACT = "statistical_parity_difference", "disparate_impact_ratio"
OPPORTUNITY, ODDS = "equal_opportunity_difference", "equalized_odds_difference"
CALIBRATION = "calibration_difference"

BY_PREDICTIONS = (PARITY, IMPACT)
BY_LABELS = (OPPORTUNITY, ODDS, CALIBRATION)
MEASURES = (*BY_PREDICTIONS, *BY_LABELS)

LEAST_ROWS = 30
"""Effective rows that a group needs to be compared, labelled ones where a measure rests on labels."""
LEAST_OF_LABEL = 10
"""Effective rows of the label a rate is taken over (positives, and negatives of the odds) that a group needs, too."""

MOST_APART = 0.1
"""Differences up to here are allowed."""
FOUR_FIFTHS = 0.8
"""A selection rate of four fifths of the highest is allowed (Uniform Guidelines on Employee Selection, EEOC, 1978)."""
ALLOWED: Mapping[str, tuple[float, float]] = {
    name: (FOUR_FIFTHS, math.inf) if name == IMPACT else (-math.inf, MOST_APART) for name in MEASURES
}
"""Measure → least and greatest value that is allowed."""


@dataclass(frozen=True, slots=True)
class GroupedRows:
    """Predictions by group, of one class against all others; all (rows,).

    codes: which group, -1 in none. selected: 1 predicted as the class, 0 as another, -1 unknown. scores: chance of the
    class, NaN without one. labels: 1 is of the class, 0 is not, -1 unknown. weights: as how many rows a labelled row
    counts, for those whose labels have not come.
    """

    codes: Codes
    selected: Codes
    scores: Floats
    labels: Codes
    weights: Floats


@dataclass(frozen=True, slots=True)
class _Side:
    """A rate of each group and whether the group has rows enough for it; see `Rates`, all (groups,)."""

    rates: Rates
    enough: NDArray[np.bool_]

    def of(self, kept: NDArray[np.bool_]) -> Rates:
        """The rates of some groups."""
        rates = self.rates
        unit = None if rates.unit is None else rates.unit[kept]
        return Rates(rates.value[kept], rates.lower[kept], rates.upper[kept], rates.rows[kept], unit)


def left_allowed(measure: str, lower: float, upper: float) -> bool:
    """Whether a measure is surely out of its allowed range: all of its interval is."""
    least, greatest = ALLOWED[measure]
    return upper < least or lower > greatest


def fairness_readings(column: str, members: Sequence[str], rows: GroupedRows, support: Support) -> tuple[Reading, ...]:
    """Every measure over the members of a protected dimension, those by labels last.

    column: the dimension's name, as readings have it. support: what the readings rest on. Members that have rows, but
    too few, are left out and named; with fewer than two members left the status is TOO_FEW, or NO_LABELS where there
    is no label at all. NaN where nobody is selected anywhere: DEGENERATE.
    """
    count = len(members)
    here = np.bincount(rows.codes[rows.codes >= 0], minlength=count) > 0
    by_label = bool(((rows.codes >= 0) & (rows.labels >= 0)).any())
    selection, true, false, calibration = _sides(rows, count)
    sides = {PARITY: (selection,), IMPACT: (selection,), OPPORTUNITY: (true,), ODDS: (true, false)}
    readings = []
    for measure in MEASURES:
        compared = _compare(measure, sides.get(measure, (calibration,)), members, here=here)
        reading = _reading(column, measure, compared, support=support)
        if measure in BY_LABELS and not by_label:
            reading = reading._replace(status=Status.NO_LABELS)
        readings.append(reading)
    return tuple(readings)


def share_rates(hits: Floats, rows: Floats) -> Rates:
    """Rates (…, groups) of hits among effective rows, with Wilson's bounds."""
    interval = share_interval(hits / rows, rows)
    return Rates(interval.value, interval.lower, interval.upper, rows)


def mean_rates(rows: Floats, first: Floats, second: Floats, *, third: Floats) -> Rates:
    """Means (…, groups) of numbers by their first three moments about zero, with bounds that follow their skewness."""
    variance = np.maximum(second - first**2, 0.0) * rows / np.maximum(rows - 1, 1.0)
    skew = third - 3 * first * second + 2 * first**3
    lower, upper = mean_bounds(first, second=variance, third=skew, rows=rows)
    return Rates(first, lower, upper, rows, unit=variance)


@np.errstate(all="ignore")
def _sides(rows: GroupedRows, count: int) -> tuple[_Side, _Side, _Side, _Side]:
    """Rates of selection, true positives and false positives, and labels above scores, of each group."""
    inside = rows.codes >= 0
    seen = inside & (rows.selected >= 0)
    told = seen & (rows.labels >= 0)
    scored = inside & (rows.labels >= 0) & np.isfinite(rows.scores)
    ones = np.ones(rows.codes.size)
    selection, _ = _share(rows, seen, count=count, weights=ones)
    true, positives = _share(rows, told & (rows.labels == 1), count=count, weights=rows.weights)
    false, negatives = _share(rows, told & (rows.labels == 0), count=count, weights=rows.weights)
    enough = positives + negatives >= LEAST_ROWS
    return (
        _Side(selection, selection.rows >= LEAST_ROWS),
        _Side(true, enough & (positives >= LEAST_OF_LABEL)),
        _Side(false, enough & (negatives >= LEAST_OF_LABEL)),
        _calibration(rows, scored, count=count),
    )


def _share(rows: GroupedRows, kept: NDArray[np.bool_], *, count: int, weights: Floats) -> tuple[Rates, Floats]:
    """The rate of selection among some rows, and how many effective ones there are, by group."""
    codes, weights = rows.codes[kept], weights[kept]
    total = np.bincount(codes, weights, minlength=count)
    effective = total**2 / np.bincount(codes, weights**2, minlength=count)
    hits = np.bincount(codes, weights * (rows.selected[kept] == 1), minlength=count)
    return share_rates(hits / total * effective, effective), np.nan_to_num(effective)


def _calibration(rows: GroupedRows, kept: NDArray[np.bool_], *, count: int) -> _Side:
    """Mean label minus mean score by group."""
    codes, weights = rows.codes[kept], rows.weights[kept]
    above = rows.labels[kept] - rows.scores[kept]
    total = np.bincount(codes, weights, minlength=count)
    effective = total**2 / np.bincount(codes, weights**2, minlength=count)
    first, second, third = (np.bincount(codes, weights * above**power, minlength=count) / total for power in (1, 2, 3))
    positives = np.bincount(codes, rows.labels[kept] == 1, minlength=count)
    enough = (np.nan_to_num(effective) >= LEAST_ROWS) & (positives >= LEAST_OF_LABEL)
    return _Side(mean_rates(effective, first, second, third=third), enough)


def _compare(
    measure: str, sides: Sequence[_Side], members: Sequence[str], *, here: NDArray[np.bool_]
) -> tuple[Interval | None, Between]:
    """A measure's interval, None where fewer than two groups can be compared, and the groups it is between."""
    kept = np.logical_and.reduce([side.enough for side in sides])
    left_out = tuple(members[place] for place in np.flatnonzero(here & ~kept).tolist())
    places = np.flatnonzero(kept).tolist()
    if len(places) < 2:
        return None, Between("", "", left_out)
    rates = [side.of(kept) for side in sides]
    interval = ratio_interval(rates[0]) if measure == IMPACT else difference_interval(*rates)
    widest = max(rates, key=lambda side: float(np.ptp(side.value))).value
    return interval, Between(members[places[widest.argmin()]], members[places[widest.argmax()]], left_out)


def _reading(column: str, measure: str, compared: tuple[Interval | None, Between], *, support: Support) -> Reading:
    interval, between = compared
    value, lower, upper, status = math.nan, math.nan, math.nan, Status.TOO_FEW
    if interval is not None:
        value, lower, upper = (float(part) for part in (interval.value, interval.lower, interval.upper))
        status = Status.OK if math.isfinite(value) else Status.DEGENERATE
    limit = next(bound for bound in ALLOWED[measure] if math.isfinite(bound))
    beyond = status is Status.OK and left_allowed(measure, lower, upper)
    return Reading(
        column, FAIRNESS, measure, value, math.nan, lower, upper, math.nan, status, support,
        limit=limit, beyond=beyond, between=between,
    )  # fmt: skip
