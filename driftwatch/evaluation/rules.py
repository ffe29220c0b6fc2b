"""Threshold rules: which readings they look at, and what each of them says of a window."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from driftwatch.spec import Spec, announced, meant, mistake
from driftwatch.statistics.checks import CHECKS, well
from driftwatch.statistics.comparison import NOT_COMPARED
from driftwatch.statistics.control import CHANGED
from driftwatch.statistics.drift import STATISTIC_NAMES
from driftwatch.statistics.fairness import MEASURES
from driftwatch.statistics.performance import AT_FIRST, METRICS
from driftwatch.statistics.reading import Reading, Stage, Status
from driftwatch.statistics.registry import STATISTICS

_LATER = ("energy", "cvm")
_OF_COLUMNS = (*STATISTIC_NAMES, *CHECKS, CHANGED)
_ONE_OF = "write one of " + ", ".join(_OF_COLUMNS)
_METRIC_OF = "write one of " + ", ".join(METRICS)


def _known(name: str) -> str:
    if name in METRICS:
        raise ValueError(f'"{name}" is a metric of performance; write metric = "{name}"')
    if name not in _OF_COLUMNS:
        raise ValueError(f'"{name}" is not known; {meant(name, list(_OF_COLUMNS)) or _ONE_OF}')
    return name


def _measured(name: str) -> str:
    if name in _OF_COLUMNS:
        raise ValueError(f'"{name}" is a statistic of columns; write statistic = "{name}"')
    if name not in METRICS:
        raise ValueError(f'"{name}" is not known; {meant(name, list(METRICS)) or _METRIC_OF}')
    return name


class RuleSpec(Spec):
    """`[[models.rules]]`: fires when a statistic or a metric is above or below a threshold for so many windows.

    statistic: of columns: of drift, or a check of data quality. "control_changed" is of golden sets: it fires as soon
        as more answers have changed than `above`, 0 when left out, and ends when no more are; `columns` are then sets.
        Sets have no windows, so that nothing else may be given that is about windows.
    metric: of performance, of the whole model or of the classes in `columns`.
    columns: the columns it watches; all that have the statistic when left out. Of fairness, protected ones. A measure
        of fairness without `above` and `below` is judged by what is allowed: 0.1 apart, a ratio of four fifths.
    segments: whether it watches segments beside all rows, or the names of those that it watches, "" for all rows.
    stage: which value of a metric is judged: the final one, when no more labels are waited for; the interim one, as
        soon as `min_coverage` of the labels have come; or the one estimated from the scores alone.
    versus: "champion" compares a version's metric with the champion's: the difference, in place of the value. Without
        `above` and `below` it fires for a version that is ruled to be worse, until it is gone. `min_rows` are then
        those of the whole contest.
    judge: which of the reading's numbers is compared. "lower" with `above` asks that the *true* distance be beyond the
        threshold with 97.5 % confidence, so that small windows do not alarm by chance. It is "value" when left out,
        of a check the bound that is sure. A check may leave out `above` and `below` too: then it is judged by its own
        limit, which comes of the reference and of the constraints in [models.columns].
    for: consecutive windows beyond the threshold before it fires. keep_for: windows back inside before it resolves.
    min_rows: a smaller window says nothing: the alert stays as it is. Of a metric that rests on the window's labels,
        as many rows must have one. Checks of the stream speak of every window: to be empty is what they are about.
    """

    name: str = Field(min_length=1)
    statistic: Annotated[str, announced(*_LATER, instead=_ONE_OF), AfterValidator(_known)] | None = None
    metric: Annotated[str, announced(*_LATER, instead=_METRIC_OF), AfterValidator(_measured)] | None = None
    stage: Annotated[Stage, Field(strict=False)] | None = None
    versus: Literal["champion"] | None = None
    min_coverage: float = Field(default=0.5, ge=0, le=1)
    columns: tuple[str, ...] | None = Field(default=None, strict=False)
    segments: Annotated[tuple[str, ...], Field(strict=False)] | bool = True
    above: float | None = None
    below: float | None = None
    judge: Literal["value", "adjusted", "lower", "upper"] = "value"
    for_: int = Field(default=1, alias="for", ge=1)
    keep_for: int = Field(default=0, ge=0)
    min_rows: int = Field(default=100, ge=1)
    severity: Literal["info", "warning", "critical"] = "warning"
    action: Literal["notify", "retrain", "rollback"] = "notify"

    @model_validator(mode="before")
    @classmethod
    def _surely(cls, table: Any) -> Any:
        if not isinstance(table, dict) or "judge" in table:
            return table
        if table.get("statistic") == CHANGED:
            return {"above": 0.0, **table}
        own = str(table.get("statistic")) in CHECKS or str(table.get("metric")) in MEASURES
        if not own and table.get("versus") is None:
            return table
        return {**table, "judge": "upper" if "below" in table else "lower"}

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if bool(self.statistic) == bool(self.metric):
            raise ValueError('give one thing to compare: a statistic, such as "psi", or a metric, such as "roc_auc"')
        if self.statistic and self.stage is not None:
            raise mistake("stage", "only metrics of performance have stages; leave it out")
        if self.metric in MEASURES and self.stage is Stage.ESTIMATED:
            raise mistake("stage", "fairness is measured, never estimated; leave it out")
        return self

    @model_validator(mode="after")
    def _without_windows(self) -> Self:
        if self.of_control:
            for key in ("below", "judge", "for", "keep_for", "min_rows", "segments"):
                if f"{key}_" in self.model_fields_set or key in self.model_fields_set:
                    raise mistake(key, "golden sets have no windows, their changed answers are counted; leave it out")
        return self

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        if self.versus is None:
            return self
        if self.metric is None or self.metric in NOT_COMPARED or self.metric in MEASURES:
            raise mistake("versus", f"versions are not compared by {self.of}; choose another metric, such as roc_auc")
        if self.stage not in {None, Stage.FINAL}:
            raise mistake("stage", "versions are compared when no more labels are waited for; leave it out")
        if self.rests_on_limit and METRICS[self.metric].rises is None:
            raise mistake("versus", f"neither side of {self.of} is the better one; give above or below")
        return self

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if self.rests_on_limit:
            return self
        if (self.above is None) == (self.below is None):
            raise ValueError("give one threshold: above or below")
        if not math.isfinite(self.threshold):
            raise ValueError("the threshold must be a finite number")
        return self

    @model_validator(mode="after")
    def _can_fire(self) -> Self:
        if self.versus is not None or self.of_control:
            return self
        bounds = METRICS.get(self.of) or STATISTICS.get(self.of) or CHECKS[self.of]
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
    def of_control(self) -> bool:
        """Whether it watches golden sets, and no windows."""
        return self.statistic == CHANGED

    @property
    def budgeted(self) -> bool:
        """Whether it has a share of the budget of false alarms, see `budget`."""
        return False

    @property
    def rests_on_limit(self) -> bool:
        """Whether the reading itself says what is beyond: a check's limit, what is fair, the ruling on a version."""
        own = self.statistic in CHECKS or self.versus is not None or self.metric in MEASURES
        return own and self.above is None and self.below is None

    def covers(self, segment: str) -> bool:
        """Whether it watches a segment, "" for all rows."""
        return (not segment or self.segments) if isinstance(self.segments, bool) else segment in self.segments

    @property
    def of(self) -> str:
        """The name of what it compares."""
        return self.statistic or self.metric or ""

    @property
    def threshold(self) -> float:
        """The one threshold that was given; NaN where each reading brings its own."""
        given = self.above if self.above is not None else self.below or 0.0
        return math.nan if self.rests_on_limit else given


Standing = tuple[str, str]
"""The rule and the column of an alert that is pending or firing."""


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
    rules: Iterable[RuleSpec], readings: Sequence[Reading], *, rows: int, labelled: int = 0,
    standing: Collection[Standing] = frozenset(),
) -> list[Judgement]:  # fmt: skip
    """Put every rule to every reading that it watches; labelled: of the window's rows, those whose label has come.

    standing: alerts that have begun. Rules on checks speak of breaches, and of these, for there are many columns and
    hardly ever anything to say.
    """
    by_statistic: dict[str, list[Reading]] = {}
    for reading in readings:
        by_statistic.setdefault(reading.statistic, []).append(reading)
    judgements = []
    for rule in rules:
        counted = labelled if rule.rests_on_labels else rows
        found: Iterable[Reading] = by_statistic.get(rule.of, ())
        if rule.of in CHECKS:
            begun = {column for name, column in standing if name == rule.name}
            # Thousands of readings, of which hardly one is beyond: nothing is called for those that are well.
            limited = rule.rests_on_limit
            found = [
                reading
                for reading in found
                if (reading.beyond if limited else _is_beyond(rule, reading)) or reading.column in begun
            ]
            judgements += _cleared(rule, begun - {reading.column for reading in found}, by_statistic, rows=rows)
        judgements += [Judgement(rule, each, _verdict(rule, each, counted)) for each in found if watches(rule, each)]
    return judgements


def explained(rules: Iterable[RuleSpec], readings: Sequence[Reading], *, rows: int) -> dict[str, str]:
    """Columns whose drift is not judged in this window, because a check fails that explains it: column → check."""
    checks = [rule for rule in rules if rule.of in CHECKS and CHECKS[rule.of].explains]
    failed = [each for each in judge(checks, readings, rows=rows) if each.verdict is Verdict.BREACH]
    return {each.reading.column: each.reading.statistic for each in reversed(failed)}


def watches(rule: RuleSpec, reading: Reading) -> bool:
    """Whether a reading is what a rule compares."""
    if rule.of != reading.statistic:
        return False
    if not rule.metric:
        return reading.support is None and (rule.columns is None or reading.column in rule.columns)
    if rule.versus is not None:
        return reading.contrast is not None and reading.column in (rule.columns or ("",))
    if rule.metric in MEASURES:
        # Of a model of several classes a dimension stands once for each: gender[yes].
        return rule.columns is None or not {reading.column, reading.column.partition("[")[0]}.isdisjoint(rule.columns)
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
        if rule.versus:
            continue
        watched = rule.columns or (("",) if rule.metric else None)
        for column, statistics in columns.items():
            if rule.rests_on_limit or rule.of not in statistics or (watched is not None and column not in watched):
                continue
            key = (column, rule.of)
            first = min if rule.above is not None else max
            tightest[key] = first(tightest.get(key, rule.threshold), rule.threshold)
    return tightest


def _verdict(rule: RuleSpec, reading: Reading, rows: int) -> Verdict:
    compared: float = reading.value if rule.rests_on_limit else getattr(reading, rule.judge)
    rows = rows if reading.contrast is None else reading.contrast.rows
    small = rows < rule.min_rows and not (rule.of in CHECKS and CHECKS[rule.of].of_stream)
    if reading.status is not Status.OK or small or math.isnan(compared):
        return Verdict.UNKNOWN
    return Verdict.BREACH if _is_beyond(rule, reading) else Verdict.CLEAR


def _is_beyond(rule: RuleSpec, reading: Reading) -> bool:
    if rule.rests_on_limit:
        return reading.beyond
    compared: float = getattr(reading, rule.judge)
    return compared > rule.threshold if rule.above is not None else compared < rule.threshold


def _cleared(
    rule: RuleSpec, columns: Collection[str], by_statistic: Mapping[str, Sequence[Reading]], *, rows: int
) -> list[Judgement]:
    """Of a column that a check has nothing to say of there is no reading of it, but others where it was looked at."""
    if not columns or rows < rule.min_rows:
        return []
    looked_at = {each.column for each in by_statistic.get("missing", ()) if each.status is Status.OK}
    return [Judgement(rule, well(column, rule.of), Verdict.CLEAR) for column in sorted(looked_at.intersection(columns))]
