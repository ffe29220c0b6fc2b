"""Threshold rules: which readings they look at, and what each of them says of a window."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from driftwatch.spec import Spec, announced, meant, mistake
from driftwatch.statistics.drift import STATISTIC_NAMES
from driftwatch.statistics.performance import AT_FIRST, METRICS
from driftwatch.statistics.reading import Reading, Stage, Status
from driftwatch.statistics.registry import STATISTICS

_LATER = (
    "energy", "cvm",
    "missing", "invalid", "out_of_range", "unseen", "constant", "volume", "freshness", "duplicates", "schema",
    "statistical_parity_difference", "disparate_impact_ratio", "equal_opportunity_difference",
    "equalized_odds_difference",
)  # fmt: skip
_ONE_OF = "write one of " + ", ".join(STATISTIC_NAMES)
_METRIC_OF = "write one of " + ", ".join(METRICS)


def _known(name: str) -> str:
    if name in METRICS:
        raise ValueError(f'"{name}" is a metric of performance; write metric = "{name}"')
    if name not in STATISTICS:
        raise ValueError(f'"{name}" is not known; {meant(name, list(STATISTIC_NAMES)) or _ONE_OF}')
    return name


def _measured(name: str) -> str:
    if name in STATISTICS:
        raise ValueError(f'"{name}" is a statistic of columns; write statistic = "{name}"')
    if name not in METRICS:
        raise ValueError(f'"{name}" is not known; {meant(name, list(METRICS)) or _METRIC_OF}')
    return name


class RuleSpec(Spec):
    """`[[models.rules]]`: fires when a statistic or a metric is above or below a threshold for so many windows.

    statistic: of drift, of columns. metric: of performance, of the whole model or of the classes in `columns`.
    columns: the columns it watches; all that have the statistic when left out.
    stage: which value of a metric is judged: the final one, when no more labels are waited for; the interim one, as
        soon as `min_coverage` of the labels have come; or the one estimated from the scores alone.
    judge: which of the reading's numbers is compared. "lower" with `above` asks that the *true* distance be beyond the
        threshold with 97.5 % confidence, so that small windows do not alarm by chance.
    for: consecutive windows beyond the threshold before it fires. keep_for: windows back inside before it resolves.
    min_rows: a smaller window says nothing: the alert stays as it is. Of a metric that rests on the window's labels,
        as many rows must have one.
    """

    name: str = Field(min_length=1)
    statistic: Annotated[str, announced(*_LATER, instead=_ONE_OF), AfterValidator(_known)] | None = None
    metric: Annotated[str, announced(*_LATER, instead=_METRIC_OF), AfterValidator(_measured)] | None = None
    stage: Annotated[Stage, Field(strict=False)] | None = None
    min_coverage: float = Field(default=0.5, ge=0, le=1)
    columns: tuple[str, ...] | None = Field(default=None, strict=False)
    above: float | None = None
    below: float | None = None
    judge: Literal["value", "adjusted", "lower", "upper"] = "value"
    for_: int = Field(default=1, alias="for", ge=1)
    keep_for: int = Field(default=0, ge=0)
    min_rows: int = Field(default=100, ge=1)
    severity: Literal["info", "warning", "critical"] = "warning"
    action: Literal["notify", "retrain", "rollback"] = "notify"

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if bool(self.statistic) == bool(self.metric):
            raise ValueError('give one thing to compare: a statistic, such as "psi", or a metric, such as "roc_auc"')
        if self.statistic and self.stage is not None:
            raise mistake("stage", "only metrics of performance have stages; leave it out")
        return self

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("give one threshold: above or below")
        if not math.isfinite(self.threshold):
            raise ValueError("the threshold must be a finite number")
        return self

    @model_validator(mode="after")
    def _can_fire(self) -> Self:
        bounds = METRICS[self.metric] if self.metric else STATISTICS[self.statistic or ""]
        if self.above is not None and self.above >= bounds.high:
            raise mistake("above", f"{self.of} is never above {bounds.high:g}, so this never fires; write a lower one")
        if self.below is not None and self.below <= bounds.low:
            raise mistake("below", f"{self.of} is never below {bounds.low:g}, so this never fires; write a higher one")
        return self

    @property
    def rests_on_labels(self) -> bool:
        """Whether it compares what the labels of the window itself say."""
        return self.metric is not None and self.stage is not Stage.ESTIMATED and self.metric not in AT_FIRST

    @property
    def of(self) -> str:
        """The name of what it compares."""
        return self.statistic or self.metric or ""

    @property
    def threshold(self) -> float:
        """The one threshold that was given."""
        return self.above if self.above is not None else self.below or 0.0


DEFAULT_RULES = (
    RuleSpec.model_validate({"name": "drift", "statistic": "psi", "above": 0.1, "judge": "lower", "min_rows": 200}),
    RuleSpec.model_validate({"name": "concept", "metric": "loss_change", "above": 0.0, "judge": "lower"}),
    RuleSpec.model_validate({"name": "gap", "metric": "gap_roc_auc", "below": -0.02, "judge": "upper"}),
)
"""What is watched when nothing is written, of what the model has: a column whose PSI is beyond 0.1 with 97.5 %
confidence; a loss that has left the level at which it began; an AUC that is 0.02 worse than the scores promised."""


def default_rules(task: str) -> tuple[RuleSpec, ...]:
    """Those of them that a model of this task has."""
    return tuple(rule for rule in DEFAULT_RULES if rule.metric is None or task in METRICS[rule.metric].tasks)


class Verdict(StrEnum):
    """What one window says to one rule and column."""

    BREACH = "breach"
    CLEAR = "clear"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One rule's verdict on one column of one window."""

    rule: RuleSpec
    reading: Reading
    verdict: Verdict


def judge(
    rules: Iterable[RuleSpec], readings: Sequence[Reading], *, rows: int, labelled: int = 0
) -> list[Judgement]:  # fmt: skip
    """Put every rule to every reading that it watches; labelled: of the window's rows, those whose label has come."""
    by_statistic: dict[str, list[Reading]] = {}
    for reading in readings:
        by_statistic.setdefault(reading.statistic, []).append(reading)
    return [
        Judgement(rule, reading, _verdict(rule, reading, labelled if rule.rests_on_labels else rows))
        for rule in rules
        for reading in by_statistic.get(rule.of, ())
        if watches(rule, reading)
    ]


def watches(rule: RuleSpec, reading: Reading) -> bool:
    """Whether a reading is what a rule compares."""
    if rule.of != reading.statistic:
        return False
    if not rule.metric:
        return reading.support is None and (rule.columns is None or reading.column in rule.columns)
    stage = rule.stage or Stage.FINAL
    return (
        reading.support is not None
        and (reading.support.stage is Stage.ESTIMATED) == (stage is Stage.ESTIMATED)
        and reading.column in (rule.columns or ("",))
    )


def thresholds(rules: Iterable[RuleSpec], columns: Mapping[str, Collection[str]]) -> dict[tuple[str, str], float]:
    """The threshold that each (column, statistic) meets first; columns: name → its statistics."""
    tightest: dict[tuple[str, str], float] = {}
    for rule in rules:
        watched = rule.columns or (("",) if rule.metric else None)
        for column, statistics in columns.items():
            if rule.of not in statistics or (watched is not None and column not in watched):
                continue
            key = (column, rule.of)
            first = min if rule.above is not None else max
            tightest[key] = first(tightest.get(key, rule.threshold), rule.threshold)
    return tightest


def _verdict(rule: RuleSpec, reading: Reading, rows: int) -> Verdict:
    compared: float = getattr(reading, rule.judge)
    if reading.status is not Status.OK or rows < rule.min_rows or math.isnan(compared):
        return Verdict.UNKNOWN
    beyond = compared > rule.threshold if rule.above is not None else compared < rule.threshold
    return Verdict.BREACH if beyond else Verdict.CLEAR
