"""One window's way from profile to report: alerts move once, later revisions only renew the numbers."""

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from driftwatch.evaluation.alerts import Alerts, Cell, State
from driftwatch.evaluation.evaluate import Evaluator, Look
from driftwatch.evaluation.report import Arrivals, Performance
from driftwatch.statistics.distribution import Distribution
from driftwatch.statistics.reading import Reading, Stage, Status, Support
from tests.evaluation.readings import reading, rule, window

CELL = Cell("fraud", "7", "")


class FakeBaseline:
    """A baseline whose readings are the "profile" itself."""

    rows = 40
    layout = SimpleNamespace(fingerprint="abc")
    statistics = {"amount": ("psi", "js")}  # noqa: RUF012 - read only

    def readings(self, profile: Any) -> tuple[Reading, ...]:
        return profile.readings

    def distributions(self, profile: Any) -> tuple[Distribution, ...]:
        return profile.distributions


def profile(value: float) -> Any:
    return SimpleNamespace(readings=(reading(value),), distributions=())


def evaluator(*rules: Any) -> Evaluator:
    return Evaluator(FakeBaseline(), rules or [rule(above=0.2)])


def look(value: float | None, at: int = 0, **beside: Any) -> Look:
    given: dict[str, Any] = {"revision": 1, "window": window(at), **beside}
    return Look(CELL, profile=None if value is None else profile(value), **given)


def performance(*readings: Reading, labelled: int = 1_000) -> Performance:
    return Performance(readings, Arrivals(1_000, labelled, 1_000 - labelled, expired=0, cancelled=0))


def accuracy(value: float, stage: Stage) -> Reading:
    nan = math.nan
    return Reading("", "performance", "accuracy", value, nan, value, value, nan, Status.OK, Support(stage))


def test_first_report() -> None:
    """The first report judges the window, moves the alerts and shows them."""
    finding = evaluator().evaluate(look(0.5), Alerts())
    report = finding.report
    assert (report.model, report.version, report.revision, report.follows) == ("fraud", "7", 1, False)
    assert (report.fingerprint, report.reference_rows) == ("abc", 40)
    assert report.thresholds == {("amount", "psi"): 0.2}
    assert [one.state for one in finding.transitions] == [State.FIRING]
    assert [(note.id, note.state) for note in report.alerts] == [(finding.transitions[0].alert_id, "firing")]
    assert len(finding.alerts.episodes) == 1


def test_resolving_report_shows_what_it_ended() -> None:
    """The window that ends an alert still names it."""
    begun = evaluator().evaluate(look(0.5), Alerts()).alerts
    finding = evaluator().evaluate(look(0.0, 1), begun)
    assert [one.state for one in finding.transitions] == [State.RESOLVED]
    assert [note.state for note in finding.report.alerts] == ["resolved"]
    assert finding.alerts.episodes == {}


def test_revision_moves_no_alert() -> None:
    """Late rows change the numbers of a report that was made; nobody is told twice."""
    begun = evaluator().evaluate(look(0.5), Alerts()).alerts
    finding = evaluator().evaluate(look(0.0, revision=2), begun)
    assert finding.report.revision == 2
    assert finding.report.readings[0].value == 0.0
    assert finding.transitions == []
    assert [note.state for note in finding.report.alerts] == ["firing"]


def test_recall() -> None:
    """After a restart the last report is made again, and the alerts that stand beside it."""
    begun = evaluator().evaluate(look(0.5), Alerts())
    report, stand = evaluator().recall(look(0.5, revision=3), begun.alerts)
    assert report.revision == 3
    assert [(one.alert_id, one.state) for one in stand] == [(begun.transitions[0].alert_id, State.FIRING)]


@pytest.mark.parametrize(
    ("stage", "speaks"),
    [
        (None, [False, False, False, True, False]),
        ("final", [False, False, False, True, False]),
        ("interim", [False, True, False, False, False]),
        ("estimated", [True, False, False, False, False]),
    ],
)
def test_a_rule_on_a_metric_speaks_once_a_window(stage: str | None, speaks: list[bool]) -> None:
    """Estimated: as the window closes. Interim: once enough labels have come. Final: when no more are waited for."""
    watched = rule(metric="accuracy", below=0.9, **({"stage": stage} if stage else {}), min_coverage=0.5)
    judged = evaluator(watched)
    given = [(100, "interim"), (600, "interim"), (700, "interim"), (800, "final"), (800, "final")]
    alerts, decided, spoke = Alerts(), frozenset[str](), []
    for place, (labelled, of_window) in enumerate(given):
        said = performance(accuracy(0.5, Stage(of_window)), accuracy(0.5, Stage.ESTIMATED), labelled=labelled)
        finding = judged.evaluate(
            look(
                0.0 if place == 0 else None,
                window=replace(window(0), stage=of_window),
                revision=place + 1,
                performance=said,
                decided=decided,
            ),
            alerts,
        )
        spoke.append(bool(finding.transitions))
        decided = finding.decided
        assert finding.report.follows == (place > 0)
    assert spoke == speaks


def test_too_few_labels_decide_nothing() -> None:
    """A rule that had too few labels at one look is asked again at the next one, until it has spoken once."""
    terms = {"metric": "accuracy", "below": 0.9, "stage": "interim", "min_coverage": 0, "min_rows": 500}
    judge = evaluator(rule(name="right", **terms))
    few, many = (performance(accuracy(0.5, Stage.INTERIM), labelled=count) for count in (499, 500))
    first = judge.evaluate(look(0.0, performance=few), Alerts())
    assert (first.transitions, first.decided) == ([], frozenset())
    second = judge.evaluate(look(0.0, performance=many, revision=2, decided=first.decided), first.alerts)
    assert ([step.state for step in second.transitions], second.decided) == ([State.FIRING], {"right"})
    third = judge.evaluate(look(0.0, performance=many, revision=3, decided=second.decided), second.alerts)
    assert third.transitions == []


def test_a_report_that_follows_shows_only_the_alerts_that_its_labels_moved() -> None:
    """How others stand by then says nothing of this window."""
    judged = evaluator(rule(above=0.2), rule(name="good", metric="accuracy", below=0.9))
    begun = judged.evaluate(look(0.5), Alerts())
    said = performance(accuracy(0.5, Stage.FINAL))
    final = replace(window(0), stage="final")
    finding = judged.evaluate(look(None, window=final, revision=2, performance=said), begun.alerts)
    assert [note.rule for note in begun.report.alerts] == ["drift"]
    assert [(note.rule, note.state) for note in finding.report.alerts] == [("good", "firing")]
    again = judged.evaluate(
        look(0.5, window=final, revision=3, performance=said, decided=finding.decided), finding.alerts
    )
    assert [note.rule for note in again.report.alerts] == ["drift", "good"]
