"""Is one of two versions that are live at once the better one: what is added up of each, and what the difference says.

Rows are weighed window by window so that both versions stand for the same mix of windows: a row of one counts by the
share that the other has of their rows, so that both add up to one · other / (one + other) in each window (overlap
weights: Li, Morgan and Zaslavsky, 2018, https://doi.org/10.1080/01621459.2016.1260466). Where traffic moves from one
version to the other while times get harder, plain sums would compare bad times with good ones. A window without rows
of both counts for nothing, and with constant shares all rows count alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.confidence_sequence import Difference, difference, harmonic
from driftwatch.kernels.interval import Interval
from driftwatch.statistics.contrast import Ruling
from driftwatch.statistics.performance import METRICS

Floats = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]
"""A state that adds, by name; what is called centre is no sum."""
Metrics = Mapping[tuple[str, str], Interval]
"""(Class, or "" for all, and name of a metric) → its values and 95 % bounds."""

FAMILY = "comparison"
LEAST_ROWS = 100
"""Effective rows of either version without which nothing is said: the bounds are those of large samples."""
LEAST_EVENTS = 100
"""Effective rows of the rarest class of either version without which nothing is said by what rests on them.

With 30 such rows of a challenger that gets one a window, AUC parted versions alike a little too often.
"""
OF_EVENTS = frozenset({"precision", "recall", "f1", "mcc", "roc_auc", "average_precision"})
"""Metrics that few rows of one class make."""
LEFT_OUT = frozenset({"ece", "ks_score"})
"""Metrics that are overstated by an amount that depends on the rows, so that unequal traffic alone parts them."""
NOT_COMPARED = LEFT_OUT | {"gap_accuracy", "gap_f1", "gap_roc_auc", "loss_change"}
"""Metrics of which no contest has a reading."""
CENTRE = "centre"


@dataclass(frozen=True, slots=True)
class Side:
    """One version's part in a contest. rows: counted. weight, square: sums of their weights and of the squares.

    arrays: the state of the weighed rows.
    """

    rows: int
    weight: float
    square: float
    arrays: Arrays

    @property
    def effective(self) -> float:
        """How many rows of equal weight would say as much (Kish, 1965)."""
        return self.weight**2 / self.square if self.square else 0.0

    def standing_for_rows(self) -> Arrays:
        """The state as if of so many rows of equal weight, which is what intervals expect."""
        return weighed(self.arrays, self.weight / self.square if self.square else 0.0)


@dataclass(frozen=True, slots=True)
class Yardstick:
    """How the states of one task are added and what they say; states may have leading axes (…) of cells.

    rarest: effective rows (…) of the rarest class, infinite where there are no classes.
    """

    merge: Callable[[Arrays, Arrays], Arrays]
    metrics: Callable[[Arrays], Metrics]
    rarest: Callable[[Arrays], Floats]


def shared(one: float, other: float) -> tuple[float, float]:
    """What a row of each version counts in a window with so many rows of one and of the other."""
    both = one + other
    return (other / both, one / both) if one and other else (0.0, 0.0)


def side_of(arrays: Arrays, rows: int, *, weight: float) -> Side:
    """One window of one version; arrays: the state of its rows as they are."""
    return Side(rows, weight * rows, weight**2 * rows, weighed(arrays, weight))


def added(one: Side, other: Side, yardstick: Yardstick) -> Side:
    """Two parts of the same version's side."""
    return Side(
        one.rows + other.rows,
        one.weight + other.weight,
        one.square + other.square,
        yardstick.merge(one.arrays, other.arrays),
    )


def weighed(arrays: Arrays, weight: float) -> Arrays:
    """Count every row of a state so many times."""
    return {
        name: array if name.rpartition(".")[2] == CENTRE else np.asarray(array * weight)
        for name, array in arrays.items()
    }


def differences(pairs: Sequence[tuple[Side, Side]], yardstick: Yardstick) -> dict[tuple[str, str], Difference]:
    """By how much the second of each pair is above the first: each (pairs,), NaN where there are too few rows."""
    sides = [side for part in (0, 1) for side in (pair[part] for pair in pairs)]
    states = [side.standing_for_rows() for side in sides]
    stacked = {name: np.stack([state[name] for state in states]) for name in states[0]}
    effective = np.array([side.effective for side in sides]).reshape(2, -1)
    rarest = yardstick.rarest(stacked).reshape(2, -1)
    enough = np.asarray((effective >= LEAST_ROWS).all(axis=0))
    eventful = np.asarray((rarest >= LEAST_EVENTS).all(axis=0)) & enough
    rows = harmonic(effective[0], effective[1])
    return {
        key: _where(eventful if key[1] in OF_EVENTS else enough, difference(*_halves(interval), rows=rows))
        for key, interval in yardstick.metrics(stacked).items()
        if key[1] not in LEFT_OUT
    }


def ruling_of(metric: str, lower: float, upper: float) -> Ruling:
    """Which way a difference between these bounds goes; none where a metric has no better side, as bias."""
    rises = METRICS[metric].rises
    if rises is None or not (lower > 0 or upper < 0):
        return Ruling.UNDECIDED
    return Ruling.BETTER if (lower > 0) == rises else Ruling.WORSE


def _halves(interval: Interval) -> tuple[Interval, Interval]:
    parts = [np.split(part, 2) for part in (interval.value, interval.lower, interval.upper)]
    return Interval(*(part[0] for part in parts)), Interval(*(part[1] for part in parts))


def _where(enough: NDArray[np.bool_], said: Difference) -> Difference:
    return Difference(*(np.where(enough, part, np.nan) for part in (said.value, said.lower, said.upper, said.seen)))
