"""What a statistic says of one column, and why it sometimes says nothing."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import repeat
from typing import Any, NamedTuple

from driftwatch.statistics.between import Between
from driftwatch.statistics.contrast import Contrast


class Status(StrEnum):
    """Whether a value could be computed; a value is NaN exactly when this is not OK."""

    OK = "ok"
    TOO_FEW = "too_few"
    NO_REFERENCE = "no_reference"
    DEGENERATE = "degenerate"
    NO_LABELS = "no_labels"


class Stage(StrEnum):
    """How far a window's labels have come when its performance is given."""

    INTERIM = "interim"
    """Some labels may still come: the value is corrected for which of them come first."""
    FINAL = "final"
    """No more labels are waited for."""
    ESTIMATED = "estimated"
    """From the scores alone."""


@dataclass(frozen=True, slots=True)
class Support:
    """What a performance value rests on.

    coverage: share of the predictions whose label has come. naive: the value over those labels alone.
    worst, best: what the metric would be if all missing labels were as bad, or as good, as they can be.
    baseline: the same metric of the best constant prediction. NaN where it has none.
    """

    stage: Stage
    coverage: float = math.nan
    naive: float = math.nan
    worst: float = math.nan
    best: float = math.nan
    baseline: float = math.nan


class Reading(NamedTuple):
    """One statistic of one column in one window; NaN stands for "not defined for this statistic".

    A tuple, as a window close makes tens of thousands of them: a frozen data class takes five times as long.

    value: the plug-in estimate by the standard formula. adjusted: the same, corrected for sampling bias.
    lower, upper: bounds of the true value. p_value: probability of a value as far out if nothing had changed.
    column: of performance, the class whose value it is, "" for all of them. support: of performance only.
    limit: of a quality check, the bound that the reference and the declared constraints set. beyond: the true value
    is beyond it, with 97.5 % confidence. at: of a quality check, the value that it is about, such as a sentinel.
    contrast: of a comparison of versions only: value is then a difference from another version's, limit 0, and what is
    ruled worse is beyond it.
    between: of a measure of fairness only, the groups it is between.
    mde: of the effect that a budget goes by, the least one that the window would have shown in four cases of five.
    """

    column: str
    family: str
    statistic: str
    value: float
    adjusted: float
    lower: float
    upper: float
    p_value: float
    status: Status
    support: Support | None = None
    limit: float = math.nan
    beyond: bool = False
    at: float | str = math.nan
    contrast: Contrast | None = None
    between: Between | None = None
    mde: float = math.nan


def readings_of(fields: Iterable[Iterable[Any]]) -> list[Reading]:
    """Make readings of all of their fields, in order, each field of all of them.

    What the class itself does when it is called, at a third of the time: a window close makes tens of thousands.
    """
    return list(map(tuple.__new__, repeat(Reading), zip(*fields, strict=False)))
