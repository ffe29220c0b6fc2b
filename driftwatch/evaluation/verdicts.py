"""What one look at a window says to each rule as a whole, whichever its columns: for who follows an incident."""

from collections.abc import Iterable, Sequence

from driftwatch.evaluation.decision import Decision
from driftwatch.evaluation.report import Report
from driftwatch.evaluation.rules import Judgement, RuleSpec, Verdict
from driftwatch.statistics.checks import CHECKS
from driftwatch.statistics.reading import Status


def verdicts(
    rules: Iterable[RuleSpec], judgements: Sequence[Judgement], report: Report, *, decision: Decision | None
) -> dict[str, Verdict]:
    """By rule: a breach where any column is beyond, clear where some are judged and none is, else unknown.

    rules: those that speak at this look. Rules on checks and on evidence tell of breaches and of standing alerts alone:
    of these the report, or the decision, says whether the window was judged at all.
    """
    found: dict[str, Verdict] = {}
    for judgement in judgements:
        name, verdict = judgement.rule.name, judgement.verdict
        if verdict is Verdict.BREACH or (verdict is Verdict.CLEAR and name not in found):
            found[name] = verdict
    return {
        rule.name: found.get(rule.name) or (Verdict.CLEAR if _is_judged(rule, report, decision) else Verdict.UNKNOWN)
        for rule in rules
    }


def _is_judged(rule: RuleSpec, report: Report, decision: Decision | None) -> bool:
    if rule.budgeted and rule.statistic:
        return decision is not None and bool(decision.clear.any())
    if rule.of not in CHECKS or (report.window.rows < rule.min_rows and not CHECKS[rule.of].of_stream):
        return False
    return any(
        reading.statistic == rule.of and reading.status is Status.OK
        for reading in report.readings
        if rule.columns is None or reading.column in rule.columns
    )
