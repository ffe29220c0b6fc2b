"""One closed window of one cell: readings, verdicts, alerts, report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from driftwatch.evaluation.alerts import Alerts, Cell, Transition, begun, notes, standing, step
from driftwatch.evaluation.baselines import SegmentBaselines
from driftwatch.evaluation.report import Performance, Report, Window
from driftwatch.evaluation.rules import Judgement, RuleSpec, Verdict, explained, judge, thresholds
from driftwatch.statistics.condition import Condition
from driftwatch.statistics.drift import FAMILY as DRIFT
from driftwatch.statistics.drift import Baseline
from driftwatch.statistics.reading import Reading, Stage
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import Profile

Recalled = tuple[Report, list[Transition]]


@dataclass(frozen=True, slots=True)
class Look:
    """All that is known of a window when it is looked at: first as it closes, then as late rows and labels come.

    revision: 1 at the first look. profile: None once the rows have been let go. decided: the rules on metrics
    that have spoken of this window already. stream: what there is to say of the model's stream, of all its versions.
    reference: what all of the window's rows are compared with, when that is not the reference that was built.
    """

    cell: Cell
    window: Window
    revision: int
    profile: Profile | None
    performance: Performance | None = None
    decided: frozenset[str] = frozenset()
    stream: tuple[Reading, ...] = ()
    reference: Profile | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a look; `decided` is for the window's next one."""

    report: Report
    alerts: Alerts
    transitions: list[Transition]
    decided: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Bench:
    """The rules that sit over a segment, and the thresholds that its values meet first."""

    rules: Mapping[str, RuleSpec]
    thresholds: Mapping[tuple[str, str], float]


class Evaluator:
    """Judges windows against one reference by one set of rules; keeps nothing but what it was built from.

    metrics: class name, or "" for the whole model → the metrics of performance that it has.
    segments: what each segment is compared with, where there are some. condition: tells whether the data is well; where
    a check fails that explains a column's drift, rules on that drift say nothing of the window.
    """

    def __init__(
        self, baseline: Baseline, rules: Sequence[RuleSpec], *, metrics: Mapping[str, Sequence[str]] | None = None,
        segments: SegmentBaselines | None = None, condition: Condition | None = None,
    ) -> None:  # fmt: skip
        self._baseline = baseline
        self._segments = segments
        self._condition = condition
        self._rules = {rule.name: rule for rule in rules if not rule.of_control}
        self._metrics = metrics or {}
        self._benches: dict[str | tuple[str, ...], _Bench] = {}
        self._nearer: Baseline | None = None

    @property
    def layout(self) -> Layout:
        """The grid over which windows have to be counted."""
        return self._baseline.layout

    def evaluate(self, look: Look, alerts: Alerts) -> Finding:
        """Report a window. Each rule moves its alerts once a window, at the first look that has what it judges."""
        report = self._report(look)
        due = [rule for rule in self._bench(look.cell.segment).rules.values() if _due(rule, look)]
        labelled = 0 if look.performance is None else look.performance.arrivals.labelled
        judgements = judge(
            due, report.readings, rows=look.window.rows, labelled=labelled, standing=begun(alerts, look.cell)
        )
        judgements = [_unless_explained(judgement, report) for judgement in judgements]
        alerts, transitions = step(alerts, judgements, cell=look.cell, window=look.window)
        noted = notes(alerts, transitions, self._shown(look, due), cell=look.cell)
        decided = look.decided | {
            each.rule.name for each in judgements if each.rule.rests_on_labels and each.verdict is not Verdict.UNKNOWN
        }
        return Finding(replace(report, alerts=noted), alerts, transitions, decided)

    def _shown(self, look: Look, due: Sequence[RuleSpec]) -> dict[str, RuleSpec]:
        """The rules whose alerts a report shows: those that have judged this window, and not others of days later."""
        whole = () if look.profile is None else self._bench(look.cell.segment).rules.values()
        judged = (rule for rule in whole if not rule.rests_on_labels or rule.name in look.decided)
        return {rule.name: rule for rule in (*judged, *due)}

    def recall(self, look: Look, alerts: Alerts) -> Recalled:
        """A report as it stood, and the alerts that stand beside it: nothing moves."""
        rules = self._bench(look.cell.segment).rules
        report = replace(self._report(look), alerts=notes(alerts, (), rules, cell=look.cell))
        return report, standing(alerts, report, rules)

    def _bench(self, segment: str) -> "_Bench":
        """The rules that watch a segment; segments that the same rules watch share one."""
        if segment not in self._benches:
            rules = {name: rule for name, rule in self._rules.items() if rule.covers(segment)}
            names = tuple(rules)
            if names not in self._benches:
                of_columns = [rule for rule in rules.values() if rule.statistic]
                measured = [rule for rule in rules.values() if rule.metric]
                checks = self._condition.checks if self._condition else {}
                self._benches[names] = _Bench(
                    rules,
                    thresholds(of_columns, self._baseline.statistics)
                    | thresholds(of_columns, checks)
                    | thresholds(measured, self._metrics),
                )
            self._benches[segment] = self._benches[names]
        return self._benches[segment]

    def _report(self, look: Look) -> Report:
        baseline, profile, performance = self._baseline, look.profile, look.performance
        bench = self._bench(look.cell.segment)
        if self._segments is not None and look.cell.segment:
            baseline = self._segments.of(look.cell.segment)
        elif look.reference is not None:
            baseline = self._against(look.reference)
        checked = () if profile is None else self._checked(profile, baseline)
        of_columns = () if profile is None else (*baseline.readings(profile), *checked)
        of_rows = (*of_columns, *look.stream)
        return Report(
            model=look.cell.model,
            version=look.cell.version,
            segment=look.cell.segment,
            window=look.window,
            revision=look.revision,
            fingerprint=baseline.layout.fingerprint,
            reference_rows=baseline.rows,
            readings=of_rows if performance is None else (*of_rows, *performance.readings),
            thresholds=bench.thresholds,
            explained=explained(bench.rules.values(), checked, rows=look.window.rows),
            distributions=() if profile is None else baseline.distributions(profile),
            arrivals=None if performance is None else performance.arrivals,
            follows=profile is None,
        )

    def _against(self, reference: Profile) -> Baseline:
        """The baseline of another reference, kept while that is the same object: versions and late looks share it."""
        if self._nearer is None or self._nearer.reference.profile is not reference:
            self._nearer = self._baseline.against(reference)
        return self._nearer

    def _checked(self, profile: Profile, baseline: Baseline) -> tuple[Reading, ...]:
        condition = self._condition
        if condition is None:
            return ()
        if baseline is not self._baseline:
            condition = condition.against(baseline.reference.profile)
        return condition.readings(profile)


def _unless_explained(judgement: Judgement, report: Report) -> Judgement:
    """Nothing is said of drift that a failed check explains: its alert neither rises nor ends by it."""
    if judgement.reading.family == DRIFT and judgement.reading.column in report.explained:
        return replace(judgement, verdict=Verdict.UNKNOWN)
    return judgement


def _due(rule: RuleSpec, look: Look) -> bool:
    """Whether a rule speaks of a window at this look."""
    if not rule.rests_on_labels:
        return look.revision == 1
    if look.performance is None or rule.name in look.decided:
        return False
    covered = look.performance.arrivals.coverage >= rule.min_coverage
    return look.window.stage == Stage.FINAL or (rule.stage is Stage.INTERIM and covered)
