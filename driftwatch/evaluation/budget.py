"""How many false alarms a model may raise, and how much of that each test of each window gets (design D8).

The expected number of false alarms is the sum of the chances of all tests, whatever their dependence. So the budget of
one window close is shared out: half of it to drift, a quarter to the checks of data quality, a quarter to performance.
Of drift, half goes to abrupt and half to slow changes. All rows get one half of everything and their segments the
other, versions get equal parts; among columns it goes by importance, where that is given. A slow detector whose mean
run length is 1/share windows raises `share` false alarms a window.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, field_validator

from driftwatch.evaluation.rules import RuleSpec
from driftwatch.spec import Rate, Spec, meant, rate
from driftwatch.statistics.drift import STATISTIC_NAMES
from driftwatch.statistics.registry import STATISTICS

Floats = NDArray[np.float64]

NAME = "drift"
"""The rule by which the budgeted alerts are known. A rule of one's own of this name takes its place."""
EFFECT = "tv"
"""By what an effect is measured when nothing is written: the share of the rows that would have to move."""
LEAST_WEIGHT = 0.1
"""A column of no importance gets at least this part of the share of an average one."""

DRIFT, QUALITY, PERFORMANCE = 0.5, 0.25, 0.25
"""How the kinds of monitors share a budget."""
_USUAL_WINDOWS = 720
"""Hours of thirty days."""
_CHECKS = 6
"""Checks of a column that can fail by chance."""
_MEANS_SOMETHING = 0.5
"""However generous a budget is, no test fires at what happens more often than this."""
_NONE = "none"


def _rate(text: Any) -> Rate | None:
    return None if text == _NONE else rate(text)


class AlertingSpec(Spec):
    """`[models.alerting]`: alerts that nobody has to write thresholds for.

    budget: expected false alarms of the model, all columns, segments and versions together, such as "1 per 30d" or
        "1 per 1000 windows"; "none" switches these alerts off.
    min_effect: the smallest change that matters, of the total variation distance (0.05: one row in twenty would have to
        move), or by statistic: { psi = 0.1, wasserstein = 0.1 }. A column may have its own in [models.columns].
    """

    budget: Annotated[Rate | None, BeforeValidator(_rate)] = Rate(1.0, per_ms=30 * 86_400_000)
    min_effect: Annotated[float, Field(ge=0, allow_inf_nan=False)] | dict[str, float] = 0.05
    severity: Literal["info", "warning", "critical"] = "warning"
    action: Literal["notify", "retrain", "rollback"] = "notify"
    for_: int = Field(default=1, alias="for", ge=1)
    keep_for: int = Field(default=0, ge=0)

    def allowed(self, *, timed: bool) -> Rate | None:
        """The budget; without one, of windows counted in rows, which come at no fixed time, in windows."""
        if timed or self.budget is None or "budget" in self.model_fields_set:
            return self.budget
        return Rate(1.0, per_windows=_USUAL_WINDOWS)

    @field_validator("min_effect")
    @classmethod
    def _can_be(cls, given: float | dict[str, float]) -> float | dict[str, float]:
        for name, least in effects(given).items():
            if name not in STATISTIC_NAMES:
                words = meant(name, list(STATISTIC_NAMES)) or "write one of " + ", ".join(STATISTIC_NAMES)
                raise ValueError(f'"{name}" is no statistic of columns; {words}')
            if STATISTICS[name].neutral or STATISTICS[name].low:
                raise ValueError(f"{name} is no distance, it has two sides; choose another statistic")
            if not 0 <= least < STATISTICS[name].high:
                raise ValueError(f"{name} lies between 0 and {STATISTICS[name].high:g}; write a number in between")
        if not effects(given):
            raise ValueError("write a number, or at least one statistic")
        return given


def effects(given: float | Mapping[str, float]) -> dict[str, float]:
    """By statistic, the smallest change that matters."""
    return dict(given) if isinstance(given, Mapping) else {EFFECT: given}


class BudgetRule(RuleSpec):
    """The rule that no threshold belongs to: the evidence is judged by its share of the budget, and by an effect."""

    @property
    def rests_on_limit(self) -> bool:
        """The smallest effect that matters comes with each reading."""
        return True

    @property
    def budgeted(self) -> bool:
        """It has a share of the budget in place of a threshold."""
        return True


class BudgetMetricRule(RuleSpec):
    """A rule on a metric whose threshold has to be passed by more than chance: its share of the budget of chance."""

    @property
    def budgeted(self) -> bool:
        """It has a share of the budget beside its threshold."""
        return True


@dataclass(frozen=True, slots=True)
class Share:
    """What one cell's tests may use of the budget in one window: the chance of a false alarm, below 1.

    abrupt, slow: (columns,) in layout order. check: of each check of each column. metric: of the rule on performance.
    """

    abrupt: Floats
    slow: Floats
    check: float = _MEANS_SOMETHING
    metric: float = _MEANS_SOMETHING


@dataclass(frozen=True, slots=True)
class Budget:
    """What all tests of one window close may use together.

    chance: expected false alarms a window close. weights: (columns,) that add up to 1.
    """

    chance: float
    weights: Floats

    @classmethod
    def of(cls, given: Rate, *, slide_ms: int | None, importance: Sequence[float]) -> Self:
        """Share a budget out among the windows and columns.

        slide_ms: between two window closes; None where windows are counted in rows. Then the budget must be, too:
        ValueError. importance: (columns,) at least 0, in layout order.
        """
        if given.per_windows is not None:
            chance = given.count / given.per_windows
        elif slide_ms is None or given.per_ms is None:
            raise ValueError('windows counted in rows come at no fixed time; write it as "1 per 1000 windows"')
        else:
            chance = given.count * slide_ms / given.per_ms
        weights = np.asarray(importance, dtype=np.float64)
        mean = weights.mean() if weights.size and weights.sum() > 0 else 0.0
        weights = np.maximum(weights / mean, LEAST_WEIGHT) if mean else np.ones_like(weights)
        return cls(chance, weights / weights.sum() if weights.size else weights)

    def share(self, *, segments: int, versions: int, of_segment: bool) -> Share:
        """One cell's part, while so many versions have rows and each of them has so many segments."""
        part = self.chance / max(1, versions)
        if segments:
            part /= 2
        if of_segment:
            part /= max(1, segments)
        each = np.minimum(part * DRIFT / 2 * self.weights, _MEANS_SOMETHING)
        check = part * QUALITY / max(1, _CHECKS * self.weights.size)
        return Share(each, each, min(check, _MEANS_SOMETHING), min(part * PERFORMANCE, _MEANS_SOMETHING))
