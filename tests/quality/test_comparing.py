"""Versions compared by a monitor: from windows whose labels have come to reports, alerts and series."""

from collections.abc import Iterator

import numpy as np
import pytest
from pydantic import ValidationError

from driftwatch.daemon.snapshot import encode, resume
from driftwatch.evaluation.evaluate import Evaluator
from driftwatch.evaluation.recollect import recollected
from driftwatch.evaluation.report import Report
from driftwatch.evaluation.rules import RuleSpec
from driftwatch.quality.building import metrics_by_class
from driftwatch.sinks.board import Board
from driftwatch.sinks.catalogue import Metric
from driftwatch.sinks.comparison_series import comparison_samples
from driftwatch.statistics import comparison
from driftwatch.statistics.contrast import Ruling
from tests import monitors
from tests.labelled import FORM, Arrival, Prediction, Verdict, monitor, play, quality_of
from tests.monitors import TUMBLING, Row

BEATEN = RuleSpec.model_validate({"name": "beaten", "metric": "accuracy", "versus": "champion", "min_rows": 1})
BEHIND = RuleSpec.model_validate({"name": "behind", "metric": "accuracy", "versus": "champion", "below": -0.1})


@pytest.fixture(autouse=True)
def few(monkeypatch) -> None:
    """Windows of these tests are small."""
    monkeypatch.setattr(comparison, "LEAST_ROWS", 40)
    monkeypatch.setattr(comparison, "LEAST_EVENTS", 10)


def stream(start: int, stop: int, *, versions: tuple[str, ...] = ("6", "7")) -> Iterator[Arrival]:
    """Three predictions of each version at a time; 6 is right in nine of ten cases, the others in six."""
    rng = np.random.default_rng(start)
    for first in range(start, stop, 5):
        rows, labels = [], []
        for time in range(first, first + 5):
            for version in versions * 3:
                event, label = int(rng.integers(1, 2**60)), int(rng.random() < 0.5)
                right = rng.random() < (0.9 if version == "6" else 0.6)
                rows.append(Prediction(Row("p", time, version, 1, 0), event, 8 if label == right else 2))
                labels.append(Verdict("l", time, event, label))
        yield from rows
        yield from labels


def judged(*rules: RuleSpec):
    """A monitor with rules of its own."""
    target = monitor(TUMBLING, real=True)
    baseline = monitors._EVALUATOR._baseline
    target.evaluator = Evaluator(baseline, rules, metrics=metrics_by_class(FORM))
    return target


def compared(report: Report, name: str = "accuracy"):
    """The reading of a comparison; None where there is none."""
    found = [each for each in report.readings if (each.family, each.statistic) == ("comparison", name)]
    return found[0] if found else None


def of(reports: list[Report], version: str) -> list[Report]:
    return [each for each in reports if each.version == version]


def test_final_windows_say_how_a_version_does_beside_the_champion():
    """Rows add up window by window; the champion's own reports say nothing, nor do interim ones."""
    reports = play(monitor(TUMBLING, real=True), stream(0, 120)).reports
    assert all(compared(each) is None for each in of(reports, "6"))
    told = [(each.window.end_ms, compared(each)) for each in of(reports, "7") if each.window.stage == "final"]
    assert [found.contrast.rows for _, found in told] == [3 * end for end, _ in told]
    assert all(compared(each) is None for each in reports if each.window.stage != "final")
    last = told[-1][1]
    assert (last.contrast.versus, last.contrast.ruling, last.beyond) == ("6", Ruling.WORSE, True)
    assert -0.5 < last.lower < -0.3 + 0.1 < last.upper + 0.2
    assert 40 <= last.contrast.decided_rows < last.contrast.rows


def test_all_windows_that_end_together_are_added_in_order():
    """When the input ends before any label is waited for no longer, reports say how it stood after each window."""
    target = monitor(TUMBLING, real=True, wait_ms=10_000)
    play(target, stream(0, 100))
    told = [compared(each).contrast.rows for each in of(target.finish().reports, "7")]
    assert told == [30 * window for window in range(1, 11)]


def test_a_restart_changes_no_comparison():
    """Every reading is the same as without one, and what a board shows after it, too."""
    one, other = monitor(TUMBLING, real=True), monitor(TUMBLING, real=True)
    for target in (one, other):
        play(target, stream(0, 120))
    snapshot = encode(other)
    again = monitor(TUMBLING, real=True)
    resume(again, snapshot.core, {name: chunk for name, chunk in snapshot.panes.items() if chunk is not None})
    before, after = (play(target, stream(120, 170)).reports for target in (one, again))
    assert [repr(compared(each)) for each in before] == [repr(compared(each)) for each in after]
    assert any(compared(each) is not None for each in before)
    shown = [compared(report) for report, _ in again.recall() if report.version == "7"]
    assert [each is None or each.contrast.versus for each in shown] == [True]


def test_contests_go_with_their_versions():
    """When nothing of version 6 is remembered any more, nor is what 7 was compared with."""
    target = monitor(TUMBLING, real=True)
    play(target, stream(0, 100))
    contests = quality_of(target).assessor.learnt.contests
    assert contests.readings("7")
    play(target, stream(100, 180, versions=("7",)))
    assert not contests.readings("7")
    assert None in quality_of(target).assessor.learnt.changes().values()


def test_a_rule_fires_for_the_version_that_is_beaten():
    """Once it is ruled; a rule with a threshold asks for as much, surely."""
    target = judged(BEATEN, BEHIND)
    outcome = play(target, stream(0, 120))
    told = {(each.rule, each.version, each.state.value) for each in outcome.transitions}
    assert told == {("beaten", "7", "firing"), ("behind", "7", "firing")}


def test_a_plain_rule_does_not_look_at_comparisons():
    """An accuracy below 0.3 is none; a difference is no accuracy."""
    plain = RuleSpec.model_validate({"name": "low", "metric": "accuracy", "below": 0.3, "min_rows": 1})
    assert play(judged(plain), stream(0, 120)).transitions == []


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"metric": "ece", "versus": "champion"}, "not compared by ece"),
        ({"metric": "gap_roc_auc", "versus": "champion", "below": 0.0}, "not compared by gap_roc_auc"),
        ({"statistic": "psi", "versus": "champion"}, "not compared by psi"),
        ({"metric": "bias", "versus": "champion"}, "neither side of bias"),
        ({"metric": "roc_auc", "versus": "champion", "stage": "interim"}, "no more labels"),
        ({"metric": "roc_auc", "versus": "6"}, "champion"),
        ({"metric": "roc_auc"}, "one threshold"),
    ],
)
def test_rules_that_cannot_be(terms, said):
    """Each is told in a line."""
    with pytest.raises(ValidationError, match=said):
        RuleSpec.model_validate({"name": "any", **terms})


def test_what_is_reported_is_recollected():
    """The document says beside whom, the verdict, the rows; a report made of it says the same."""
    reports = of(play(monitor(TUMBLING, real=True), stream(0, 120)).reports, "7")
    report = [each for each in reports if each.window.stage == "final"][-1]
    document = report.document()
    said = next(each for each in document["readings"] if each["family"] == "comparison")
    assert (said["statistic"], said["versus"], said["verdict"], said["threshold"]) == ("accuracy", "6", "worse", 0.0)
    assert said["rows"] == said["versus_rows"] > said["decided_rows"] == said["decided_versus_rows"]
    assert said["mde"] > 0
    again = recollected(document)
    assert repr(compared(again)) == repr(compared(report))


def test_series_of_comparisons():
    """Value, bounds and ruling of each metric, by version and champion."""
    board = Board()
    board.publish(reports=play(monitor(TUMBLING, real=True), stream(0, 120)).reports)
    (samples,) = comparison_samples(board.picture)
    key = ("fraud", "7", "", "6", "accuracy")
    assert samples[Metric.COMPARISON_STATE][key] == -1
    lower, value, upper = (
        samples[metric][key] for metric in (Metric.COMPARISON_LOWER, Metric.COMPARISON_VALUE, Metric.COMPARISON_UPPER)
    )
    assert lower < value < upper < 0
