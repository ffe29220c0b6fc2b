"""The rule that nobody writes: what its detectors see, what a test may use of the budget, what is shown."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from driftwatch.evaluation.alerts import Alerts, Cell, State
from driftwatch.evaluation.budget import BudgetRule
from driftwatch.evaluation.budgeted import Budgeted, Looked
from driftwatch.evaluation.defaults import default_rules
from driftwatch.evaluation.evaluate import Evaluator, Look
from driftwatch.evaluation.report import Arrivals, Performance, Report, Window
from driftwatch.monitor import Monitor
from driftwatch.statistics.drift import Baseline
from driftwatch.statistics.reading import Reading, Stage, Status, Support
from driftwatch.statistics.slow import SlowState
from driftwatch.summaries.profile import Profile
from tests.budgets import budgeted
from tests.monitors import LAYOUT, SLIDING, TUMBLING, Row, alarming, batch_of, detectors_held, play
from tests.strategies import profile_of

ROWS = 160
"""Of a window."""
CELL = Cell("fraud", "1", "")


def rows(count: int, *, moved: int = 0) -> Profile:
    """Rows as those of the reference, but so many have the greatest amount."""
    amounts = [7 if row < moved else row % 8 for row in range(count)]
    return profile_of(batch_of([Row("a", 0, "1", amount, row % 2) for row, amount in enumerate(amounts)]), LAYOUT)


REFERENCE = rows(4_000)
BASELINE = Baseline.of(LAYOUT, REFERENCE)
RULE = budgeted(LAYOUT, REFERENCE)
CALM, SMALL, GREAT = rows(ROWS), rows(ROWS, moved=24), rows(ROWS, moved=120)


def decided(looked: Looked, rule: Budgeted = RULE) -> Any:
    """The decision on a window of all rows, and how the detector stands."""
    return rule.decide(looked, BASELINE.readings(looked.profile), rule.witness)


def numbers(state: SlowState) -> list[bytes]:
    """What is kept of the number, comparable."""
    return [array.tobytes() for name, array in state.arrays().items() if not name.startswith("words")]


def words(state: SlowState) -> list[bytes]:
    """What is kept of the word, comparable."""
    return [array.tobytes() for name, array in state.arrays().items() if name.startswith("words")]


def test_a_detector_does_not_see_a_column_that_a_check_explains() -> None:
    """What the check has to say is no evidence of drift; the other columns go on."""
    _, before = decided(Looked(CALM, None))
    _, seen = decided(Looked(SMALL, before))
    _, held = decided(Looked(SMALL, before, explained={"amount"}))
    assert numbers(held) == numbers(before) != numbers(seen)
    assert words(held) == words(seen) != words(before)


def test_a_look_that_does_not_advance_moves_no_detector() -> None:
    """As of a window whose rows, or some of them, have been seen."""
    _, before = decided(Looked(CALM, None))
    _, after = decided(Looked(GREAT, before, advances=False))
    assert after is before


@pytest.mark.parametrize(("form", "size"), [(TUMBLING, 10), (SLIDING, 20)])
def test_detectors_see_each_row_once(form: Any, size: int) -> None:
    """Windows that slide share rows: of these every fourth one is seen here, which has none of the last one seen."""
    monitor, seen, known = alarming(form), [], {}
    ends: list[int] = []
    for time in range(0, 150, 2):
        ends += [report.window.end_ms for report in whole(play(monitor, [Row("a", time, "1", time % 8, 0)]).reports)]
        now = detectors_held(monitor)
        if now != known:
            seen.append(ends[-1])
            known = now
    assert (len(seen) < len(ends)) == (form is SLIDING)
    assert seen == [end for end in ends if end % size == 0]


def whole(reports: Sequence[Report]) -> list[Report]:
    """Those of all rows."""
    return [report for report in reports if not report.segment]


def test_late_rows_move_no_detector() -> None:
    """They raise the revision of a report; evidence is of the first look."""
    monitor = alarming(TUMBLING)
    play(monitor, [Row("a", time, "1", 1, 0) for time in range(0, 24, 2)])
    before = detectors_held(monitor)
    late = whole(play(monitor, [Row("a", 9, "1", 7, 1), Row("a", 32, "1", 1, 0)]).reports)
    assert [(report.window.end_ms, report.revision) for report in late] == [(10, 2), (20, 1)]
    assert monitor.recall()
    assert detectors_held(monitor) != before
    assert detectors_held(monitor) == detectors_held(without_late_rows())


def without_late_rows() -> Monitor:
    """The same windows as they were first looked at."""
    monitor = alarming(TUMBLING)
    play(monitor, [Row("a", time, "1", 1, 0) for time in (*range(0, 24, 2), 32)])
    return monitor


def test_a_share_depends_on_versions_and_segments() -> None:
    """Half for all rows where there are segments, the other half for these in equal parts; versions share all of it."""
    chance = 1 / 720
    assert RULE.share("", 1).abrupt == pytest.approx([chance / 8] * 2)
    assert RULE.share("", 2).slow == pytest.approx([chance / 16] * 2)
    divided = replace(RULE, segments=5)
    assert divided.share("", 1).abrupt == pytest.approx([chance / 16] * 2)
    assert divided.share("country=DE", 2).abrupt == pytest.approx([chance / 160] * 2)


def test_more_versions_need_more_evidence() -> None:
    """The limits of the evidence are those of the share, and so is what a window could have shown."""
    one, two = (decided(Looked(CALM, None, versions=versions))[0] for versions in (1, 2))
    for first, second in zip(one.readings(), two.readings(), strict=True):
        assert second.limit == pytest.approx(first.limit + math.log10(2))
    assert (two.evidence.detectable >= one.evidence.detectable).all()


def played(rule: Budgeted, profiles: Sequence[Profile]) -> list[tuple[int, State]]:
    """Which windows moved the alerts of the number, and whereto."""
    judge = Evaluator(BASELINE, (), budgeted=rule)
    alerts, slow, moves = Alerts(), None, []
    for place, profile in enumerate(profiles):
        window = Window(place * 3_600_000, (place + 1) * 3_600_000, profile.rows)
        finding = judge.evaluate(Look(CELL, window, 1, profile), alerts, slow)
        alerts, slow = finding.alerts, finding.slow
        moves += [(place, step.state) for step in finding.transitions if step.column == "amount"]
    return moves


def test_a_small_change_is_told_once_it_has_lasted() -> None:
    """No window alone shows it; all together do, once; and its end is told."""
    assert played(RULE, [SMALL]) == []
    (began, state), *rest = played(RULE, [SMALL] * 60 + [rows(4_000)] * 3)
    assert (state, rest) == (State.FIRING, [(60, State.RESOLVED)])
    assert 5 < began < 60


def test_a_small_change_can_be_held_for_some_windows() -> None:
    """The evidence lasts until the alert fires."""
    held = BudgetRule.model_validate({"name": "drift", "statistic": "tv", "for": 3})
    ((began, first), (fired, second)) = played(replace(RULE, rule=held), [SMALL] * 60)
    assert (first, second) == (State.PENDING, State.FIRING)
    assert fired == began + 2


def test_a_great_change_is_told_at_once() -> None:
    """One window is enough, and one to see its end."""
    assert played(RULE, [CALM, GREAT, rows(4_000)]) == [(1, State.FIRING), (2, State.RESOLVED)]


(GAP,) = (rule for rule in default_rules("binary") if rule.name == "gap")


def gap_look(p_value: float, *, upper: float = -0.03) -> Look:
    """The last look at a window: an AUC that is less than the scores promised."""
    nan = math.nan
    found = Reading(
        "", "performance", "gap_roc_auc", -0.05, nan, -0.09, upper, p_value, Status.OK, Support(Stage.FINAL)
    )  # fmt: skip
    said = Performance((found,), Arrivals(ROWS, ROWS, 0, expired=0, cancelled=0))
    return Look(CELL, Window(0, 3_600_000, ROWS, stage=Stage.FINAL), 1, CALM, said)


@pytest.mark.parametrize(
    ("p_value", "segments", "fires"),
    [(3e-4, 0, True), (4e-4, 0, False), (1e-4, 0, True), (1e-4, 3, True), (3e-4, 3, False), (math.nan, 0, False)],
)
def test_a_gap_fires_when_chance_alone_hardly_makes_it(p_value: float, segments: int, *, fires: bool) -> None:
    """Its share of one in 720 windows is a quarter, of which segments have half."""
    rule = replace(RULE, segments=segments)
    finding = Evaluator(BASELINE, [GAP], budgeted=rule).evaluate(gap_look(p_value), Alerts())
    assert [step.state for step in finding.transitions] == [State.FIRING] * fires
    assert ("gap" in finding.decided) == fires


def test_a_gap_that_may_be_chance_ends_no_alert() -> None:
    """It says nothing either way; one that is small ends it, whatever its p-value."""
    judge = Evaluator(BASELINE, [GAP], budgeted=RULE)
    fired = judge.evaluate(gap_look(1e-6), Alerts()).alerts
    assert judge.evaluate(gap_look(0.01), fired).transitions == []
    ended = judge.evaluate(gap_look(0.5, upper=0.01), fired)
    assert [step.state for step in ended.transitions] == [State.RESOLVED]


def test_without_a_budget_a_gap_needs_its_threshold_alone() -> None:
    """As it always did."""
    finding = Evaluator(BASELINE, [GAP]).evaluate(gap_look(0.01), Alerts())
    assert [step.state for step in finding.transitions] == [State.FIRING]


def test_what_matters_is_shown_beside_the_effect() -> None:
    """With the least that the window would have shown; of a statistic that is no effect, neither."""
    decision, _ = decided(Looked(CALM, None))
    shown = RULE.shown(decision, BASELINE.readings(CALM))
    by_name = {(each.column, each.statistic): each for each in shown}
    assert by_name["amount", "tv"].limit == 0.05
    assert by_name["amount", "tv"].mde == decision.evidence.detectable[0]
    assert np.isnan(by_name["amount", "psi"].limit)
    assert {name for _, name in by_name} >= {"abrupt", "slow"}
