"""One closed window of one cell: readings, verdicts, alerts, report."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from driftwatch.evaluation.alerts import Alerts, Cell, Transition, begun, notes, standing, step
from driftwatch.evaluation.baselines import SegmentBaselines, Standard
from driftwatch.evaluation.budgeted import Budgeted, Looked
from driftwatch.evaluation.decision import Decision
from driftwatch.evaluation.report import Performance, Report, Window
from driftwatch.evaluation.rules import Judgement, RuleSpec, Standing, Verdict, explained, judge, thresholds
from driftwatch.evaluation.verdicts import verdicts
from driftwatch.statistics.condition import Condition
from driftwatch.statistics.drift import FAMILY as DRIFT
from driftwatch.statistics.drift import Baseline
from driftwatch.statistics.reading import Reading, Stage
from driftwatch.statistics.slow import SlowState
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import Profile

Recalled = tuple[Report, list[Transition]]


@dataclass(frozen=True, slots=True)
class Look:
    """All that is known of a window when it is looked at: first as it closes, then as late rows and labels come.

    revision: 1 at the first look. profile: None once the rows have been let go. decided: the rules on metrics
    that have spoken of this window already. stream: what there is to say of the model's stream, of all its versions.
    reference: what all of the window's rows are compared with, when that is not the reference that was built.
    apart: no row of the window is in an earlier one that the detector of slow change has seen. versions: that have rows
    in the window.
    """

    cell: Cell
    window: Window
    revision: int
    profile: Profile | None
    performance: Performance | None = None
    decided: frozenset[str] = frozenset()
    stream: tuple[Reading, ...] = ()
    reference: Profile | None = None
    apart: bool = True
    versions: int = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a look; `decided` is for the window's next one, `slow` for the cell's next window.

    verdicts: of each rule that spoke.
    """

    report: Report
    alerts: Alerts
    transitions: list[Transition]
    decided: frozenset[str]
    slow: SlowState | None = None
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Said:
    """A report with what its budgeted rule goes by."""

    report: Report
    decision: Decision | None = None
    slow: SlowState | None = None


@dataclass(frozen=True, slots=True)
class _Bench:
    """The rules that sit over a segment, and the thresholds that its values meet first."""

    rules: Mapping[str, RuleSpec]
    thresholds: Mapping[tuple[str, str], float]


class Evaluator:
    """Judges windows against one reference by one set of rules; keeps nothing but what it was built from.

    metrics: class name, or "" for the whole model → the metrics of performance that it has.
    segments: what each segment is compared with, where there are some. condition: tells whether the data is well; where
    a check fails that explains a column's drift, rules on that drift say nothing of the window. budgeted: the rule that
    judges every column by a share of the budget.
    """

    def __init__(
        self, baseline: Baseline, rules: Sequence[RuleSpec], *, metrics: Mapping[str, Sequence[str]] | None = None,
        segments: SegmentBaselines | None = None, condition: Condition | None = None,
        budgeted: Budgeted | None = None,
    ) -> None:  # fmt: skip
        self._baseline = baseline
        self._budgeted = budgeted
        self._segments = segments
        self._condition = condition
        own = () if budgeted is None else (budgeted.rule,)
        self._rules = {rule.name: rule for rule in (*own, *rules) if not rule.of_control}
        self._metrics = metrics or {}
        self._benches: dict[str | tuple[str, ...], _Bench] = {}
        self._nearer: Standard | None = None

    @property
    def layout(self) -> Layout:
        """The grid over which windows have to be counted."""
        return self._baseline.layout

    def evaluate(self, look: Look, alerts: Alerts, slow: SlowState | None = None) -> Finding:
        """Report a window. Each rule moves its alerts once a window, at the first look that has what it judges.

        slow: how the cell's detector of slow change stands; None at first.
        """
        said = self._say(look, slow)
        report = said.report
        due = [rule for rule in self._bench(look.cell.segment).rules.values() if _due(rule, look)]
        judgements = self._judge(look, due, said, standing=begun(alerts, look.cell))
        alerts, transitions = step(alerts, judgements, cell=look.cell, window=look.window)
        noted = notes(alerts, transitions, self._shown(look, due), cell=look.cell)
        decided = look.decided | {
            each.rule.name for each in judgements if each.rule.rests_on_labels and each.verdict is not Verdict.UNKNOWN
        }
        spoke = verdicts(due, judgements, report, decision=said.decision)
        return Finding(replace(report, alerts=noted), alerts, transitions, decided, said.slow, spoke)

    def _judge(
        self, look: Look, due: Sequence[RuleSpec], said: _Said, *, standing: Collection[Standing]
    ) -> list[Judgement]:
        report, decision = said.report, said.decision
        of_evidence = [rule for rule in due if rule.budgeted and rule.statistic]
        judgements: list[Judgement] = []
        if decision is not None:
            for rule in of_evidence:
                columns = {column for name, column in standing if name == rule.name}
                judgements += decision.judgements(rule, standing=columns)
        judgements += judge(
            [rule for rule in due if rule not in of_evidence], report.readings, rows=look.window.rows,
            labelled=0 if look.performance is None else look.performance.arrivals.labelled, standing=standing,
        )  # fmt: skip
        return [_unless_explained(self._unless_chance(judgement, look), report) for judgement in judgements]

    def _unless_chance(self, judgement: Judgement, look: Look) -> Judgement:
        """A metric beyond its threshold says nothing where chance brings it there more often than the budget allows."""
        if self._budgeted is None or not (judgement.rule.budgeted and judgement.rule.metric):
            return judgement
        allowed = judgement.reading.p_value <= self._budgeted.share(look.cell.segment, look.versions).metric
        surely = allowed or judgement.verdict is not Verdict.BREACH
        return judgement if surely else replace(judgement, verdict=Verdict.UNKNOWN)

    def _shown(self, look: Look, due: Sequence[RuleSpec]) -> dict[str, RuleSpec]:
        """The rules whose alerts a report shows: those that have judged this window, and not others of days later."""
        whole = () if look.profile is None else self._bench(look.cell.segment).rules.values()
        judged = (rule for rule in whole if not rule.rests_on_labels or rule.name in look.decided)
        return {rule.name: rule for rule in (*judged, *due)}

    def recall(self, look: Look, alerts: Alerts, slow: SlowState | None = None) -> Recalled:
        """A report as it stood, and the alerts that stand beside it: nothing moves."""
        rules = self._bench(look.cell.segment).rules
        report = replace(self._say(look, slow, again=True).report, alerts=notes(alerts, (), rules, cell=look.cell))
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

    def _say(self, look: Look, before: SlowState | None, *, again: bool = False) -> _Said:
        profile, performance = look.profile, look.performance
        bench, standard = self._bench(look.cell.segment), self._standard(look)
        baseline = standard.baseline
        checked = () if profile is None else self._checked(look, profile, baseline)
        told = explained(bench.rules.values(), checked, rows=look.window.rows)
        drift: Sequence[Reading] = () if profile is None else baseline.readings(profile)
        decision = slow = drifting = None
        if self._budgeted is not None and standard.witness is not None and profile is not None:
            looked = Looked(
                profile, before, look.cell.segment, versions=look.versions,
                advances=look.apart and look.revision == 1 and not again, explained=told,
            )  # fmt: skip
            decision, slow = self._budgeted.decide(looked, drift, standard.witness)
            drift, drifting = self._budgeted.shown(decision, drift), self._budgeted.drifting(decision)
        of_rows = (*drift, *checked, *look.stream)
        report = Report(
            model=look.cell.model,
            version=look.cell.version,
            segment=look.cell.segment,
            window=look.window,
            revision=look.revision,
            fingerprint=baseline.layout.fingerprint,
            reference_rows=baseline.rows,
            readings=of_rows if performance is None else (*of_rows, *performance.readings),
            thresholds=bench.thresholds,
            explained=told,
            distributions=() if profile is None else baseline.distributions(profile),
            arrivals=None if performance is None else performance.arrivals,
            follows=profile is None,
            drifting=drifting,
        )
        return _Said(report, decision, slow)

    def _standard(self, look: Look) -> Standard:
        """What the rows of a window are compared with."""
        if self._segments is not None and look.cell.segment:
            return self._segments.of(look.cell.segment)
        if look.reference is not None:
            return self._against(look.reference)
        return Standard(self._baseline, None if self._budgeted is None else self._budgeted.witness)

    def _against(self, reference: Profile) -> Standard:
        """What is made of another reference, kept while that is the same object: versions and late looks share it."""
        if self._nearer is None or self._nearer.baseline.reference.profile is not reference:
            witness = None if self._budgeted is None else self._budgeted.of_window(reference)
            self._nearer = Standard(self._baseline.against(reference), witness)
        return self._nearer

    def _checked(self, look: Look, profile: Profile, baseline: Baseline) -> tuple[Reading, ...]:
        condition = self._condition
        if condition is None:
            return ()
        if baseline is not self._baseline:
            condition = condition.against(baseline.reference.profile)
        if self._budgeted is None:
            return condition.readings(profile)
        return condition.readings(profile, chance=self._budgeted.share(look.cell.segment, look.versions).check)


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
