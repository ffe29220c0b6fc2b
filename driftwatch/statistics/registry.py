"""The closed list of drift statistics, filled when `driftwatch.statistics.drift` is imported."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from driftwatch.kernels.estimate import Estimate
from driftwatch.statistics.pair import Pair

Function = Callable[[Pair], Estimate]


class View(StrEnum):
    """What a statistic looks at, hence which columns have it and what it needs."""

    CELLS = "cells"
    """Every column, over groups or categories; missing and invalid are cells like the others."""
    ORDERED = "ordered"
    """Numeric columns over all bins, rows without a value standing before the numbers."""
    VALUES = "values"
    """The values present in numeric columns; they must be enough, and the reference's must differ."""
    CATEGORIES = "categories"
    """Categorical and boolean columns."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """One entry: `function` gives one value per column of its view, in [low, high]; `neutral` means no change."""

    name: str
    of: View
    neutral: float
    low: float
    high: float
    function: Function


STATISTICS: dict[str, Statistic] = {}
"""All statistics by name, in the order in which readings are given."""


def statistic(
    name: str, *, of: View, high: float, neutral: float = 0.0, low: float = 0.0
) -> Callable[[Function], Function]:
    """Enter a function under a name; two equal names are a mistake that shows at import."""

    def enter(function: Function) -> Function:
        if name in STATISTICS:
            raise ValueError(f"two statistics are named {name}")
        STATISTICS[name] = Statistic(name, of, neutral, low, high, function)
        return function

    return enter


def names_for(kind: str) -> tuple[str, ...]:
    """Which statistics a column of this kind (numeric, categorical or boolean) has, in the order of its readings."""
    numeric = {View.CELLS, View.ORDERED, View.VALUES}
    views = numeric if kind == "numeric" else {View.CELLS, View.CATEGORIES}
    return tuple(entry.name for entry in STATISTICS.values() if entry.of in views)
