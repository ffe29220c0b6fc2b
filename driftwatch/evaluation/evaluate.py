"""One closed window of one cell: readings, verdicts, alerts, report."""

from collections.abc import Sequence
from dataclasses import replace

from driftwatch.evaluation.alerts import Alerts, Cell, Transition, notes, standing, step
from driftwatch.evaluation.report import Report, Window
from driftwatch.evaluation.rules import RuleSpec, judge, thresholds
from driftwatch.statistics.drift import Baseline
from driftwatch.summaries.profile import Profile

Recalled = tuple[Report, list[Transition]]


class Evaluator:
    """Judges windows against one reference by one set of rules; keeps nothing but what it was built from."""

    def __init__(self, baseline: Baseline, rules: Sequence[RuleSpec]) -> None:
        self._baseline = baseline
        self._rules = {rule.name: rule for rule in rules}
        self._thresholds = thresholds(rules, baseline.statistics)

    def evaluate(
        self, profile: Profile, alerts: Alerts, *, cell: Cell, window: Window
    ) -> tuple[Report, Alerts, list[Transition]]:
        """A window's first report: the alerts move."""
        report = self._report(profile, cell=cell, window=window, revision=1)
        judgements = judge(self._rules.values(), report.readings, rows=window.rows)
        alerts, transitions = step(alerts, judgements, cell=cell, window=window)
        noted = notes(alerts, transitions, self._rules, cell=cell)
        return replace(report, alerts=noted), alerts, transitions

    def revise(self, profile: Profile, alerts: Alerts, *, cell: Cell, window: Window, revision: int) -> Report:
        """A window's later report, after late rows: the numbers move, the alerts have been told already."""
        report = self._report(profile, cell=cell, window=window, revision=revision)
        return replace(report, alerts=notes(alerts, (), self._rules, cell=cell))

    def recall(self, profile: Profile, alerts: Alerts, *, cell: Cell, window: Window, revision: int) -> Recalled:
        """A report as it stood, and the alerts that stand beside it: nothing moves."""
        report = self.revise(profile, alerts, cell=cell, window=window, revision=revision)
        return report, standing(alerts, report, self._rules)

    def _report(self, profile: Profile, *, cell: Cell, window: Window, revision: int) -> Report:
        return Report(
            model=cell.model,
            version=cell.version,
            segment=cell.segment,
            window=window,
            revision=revision,
            fingerprint=profile.fingerprint,
            reference_rows=self._baseline.rows,
            readings=self._baseline.readings(profile),
            thresholds=self._thresholds,
            distributions=self._baseline.distributions(profile),
        )
