"""Rules on data quality: judged by the check's own limit, and what they explain is not called drift."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from driftwatch.evaluation.alerts import Alerts, Cell, State
from driftwatch.evaluation.defaults import default_rules
from driftwatch.evaluation.evaluate import Evaluator, Finding, Look
from driftwatch.evaluation.rules import RuleSpec, judge
from driftwatch.statistics.checks import well
from driftwatch.statistics.condition import Condition
from driftwatch.statistics.drift import Baseline
from driftwatch.stream.batch import MISSING
from tests import oracles
from tests.budgets import budgeted
from tests.evaluation.readings import window

CELL = Cell("fraud", "7", "")
RNG = np.random.default_rng(11)
USUAL = [RNG.normal(40, 10, 4_000), RNG.normal(size=4_000)]
LAYOUT = oracles.layout_of(USUAL)
REFERENCE = oracles.profile_of(LAYOUT, USUAL)
CONDITION = Condition.of(LAYOUT, REFERENCE)


def evaluator(rules: Sequence[RuleSpec] = default_rules("none")) -> Evaluator:
    """Two columns, n0 and n1, whose drift is watched by a budget."""
    budget = budgeted(LAYOUT, REFERENCE)
    return Evaluator(Baseline.of(LAYOUT, REFERENCE), rules, condition=CONDITION, budgeted=budget)


def look(first: np.ndarray, second: np.ndarray, at: int = 0, **beside: Any) -> Look:
    profile = oracles.profile_of(LAYOUT, [first, second])
    return Look(CELL, **{"window": window(at, profile.rows), "revision": 1, "profile": profile} | beside)


def fresh(*, missing: float = 0.0, code: float = 0.0, shift: float = 0.0) -> list[np.ndarray]:
    """A window of both columns; of the first some rows are missing, or a code, or all are shifted."""
    first, second = RNG.normal(40 + shift, 10, 1_000), RNG.normal(size=1_000)
    first[: round(missing * 1_000)] = MISSING
    first[round((1 - code) * 1_000) :] = 999.0
    return [first, second]


def moved(finding: Finding) -> list[tuple[str, str, State]]:
    return [(step.rule, step.column, step.state) for step in finding.transitions]


def test_a_well_window_moves_nothing() -> None:
    """Nothing is wrong, so nothing is told."""
    assert moved(evaluator().evaluate(look(*fresh()), Alerts())) == []


def test_a_check_fires_and_ends() -> None:
    """By its own limit, which the report and the step name; also of checks that leave out what is well."""
    judged = evaluator()
    broken = judged.evaluate(look(*fresh(missing=0.2, code=0.1)), Alerts())
    assert {name for name, _, _ in moved(broken)} == {"missing", "sentinel", "out_of_range"}
    found = {each["statistic"]: each for each in broken.report.document()["readings"] if each["family"] == "quality"}
    assert found["sentinel"]["at"] == 999.0
    assert found["sentinel"]["threshold"] == 0.01
    assert {step.threshold for step in broken.transitions if step.rule == "sentinel"} == {0.01}
    mended = judged.evaluate(look(*fresh(), at=1), broken.alerts)
    assert {(name, state) for name, _, state in moved(mended)} == {
        ("missing", State.RESOLVED), ("sentinel", State.RESOLVED), ("out_of_range", State.RESOLVED),
    }  # fmt: skip
    json.loads(mended.report.line())


def test_what_a_check_explains_is_not_called_drift() -> None:
    """The column's drift is shown, marked with the check, and not judged; another column's is."""
    judged = evaluator()
    first, second = fresh(missing=0.5)
    finding = judged.evaluate(look(first, second + 2), Alerts())
    assert [step for step in moved(finding) if step[0] != "out_of_range"] == [
        ("drift", "n1", State.FIRING), ("missing", "n0", State.FIRING),
    ]  # fmt: skip
    marked = {
        (each["column"], each.get("explained_by"))
        for each in finding.report.document()["readings"]
        if each["family"] == "drift"
    }
    assert marked == {("n0", "missing"), ("n1", None)}


def test_drift_that_fires_already_stays() -> None:
    """A check that fails while drift is firing does not end it, and the next healthy window does."""
    judged = evaluator()
    drifted = judged.evaluate(look(*fresh(shift=15)), Alerts())
    assert ("drift", "n0", State.FIRING) in moved(drifted)
    broken = judged.evaluate(look(*fresh(missing=0.6), at=1), drifted.alerts)
    assert not [step for step in moved(broken) if step[0] == "drift"]
    healed = judged.evaluate(look(*fresh(), at=2), broken.alerts)
    assert ("drift", "n0", State.RESOLVED) in moved(healed)


def test_values_beyond_the_range_are_drift() -> None:
    """That values have left the reference's range explains no drift away."""
    finding = evaluator().evaluate(look(*fresh(shift=30)), Alerts())
    assert {("drift", "n0", State.FIRING), ("out_of_range", "n0", State.FIRING)} <= set(moved(finding))


def test_without_rules_on_checks_nothing_is_explained() -> None:
    """Drift is silenced only by an alert that says what is wrong instead."""
    finding = evaluator([]).evaluate(look(*fresh(missing=0.5)), Alerts())
    assert moved(finding) == [("drift", "n0", State.FIRING)]
    assert finding.report.explained == {}


def test_late_rows_keep_the_mark() -> None:
    """A later revision moves nothing and says again what explains the drift."""
    judged = evaluator()
    first = judged.evaluate(look(*fresh(missing=0.5)), Alerts())
    second = judged.evaluate(look(*fresh(missing=0.5), revision=2), first.alerts)
    assert (moved(second), second.report.explained) == ([], {"n0": "missing"})


def test_recalled_after_a_restart() -> None:
    """An alert of a check that has nothing to say of the latest window is still shown beside it."""
    judged = evaluator()
    broken = judged.evaluate(look(*fresh(code=0.1)), Alerts())
    _, stand = judged.recall(look(*fresh(), at=1), broken.alerts)
    assert {(step.rule, step.column) for step in stand} == {("sentinel", "n0"), ("out_of_range", "n0")}


@pytest.mark.parametrize(
    ("written", "share", "fires"),
    [
        ({"above": 0.3}, 0.25, False),
        ({"above": 0.3}, 0.35, True),
        ({"above": 0.3, "judge": "value"}, 0.31, True),
        ({"above": 0.3}, 0.31, False),
        ({"below": 0.5}, 0.31, True),
        ({"above": 0.3, "columns": ["n1"]}, 0.9, False),
        ({"min_rows": 5_000}, 0.9, False),
    ],
)
def test_a_threshold_of_ones_own(written: dict, share: float, *, fires: bool) -> None:
    """Instead of the limit a rule may have its own threshold, judged by the bound that is sure."""
    rule = RuleSpec.model_validate({"name": "gaps", "statistic": "missing", "columns": ["n0"], **written})
    finding = evaluator([rule]).evaluate(look(*fresh(missing=share)), Alerts())
    assert any(step.rule == rule.name for step in finding.transitions) is fires


def test_too_few_rows_end_no_alert() -> None:
    """A small window says nothing of an alert, also of a check that leaves out what is well."""
    rule = RuleSpec.model_validate({"name": "codes", "statistic": "sentinel", "min_rows": 100})
    readings = CONDITION.readings(oracles.profile_of(LAYOUT, fresh()))
    standing = frozenset({("codes", "n0"), ("codes", "gone")})
    assert judge([rule], readings, rows=99, standing=standing) == []
    (cleared,) = judge([rule], readings, rows=100, standing=standing)
    assert (repr(cleared.reading), cleared.verdict) == (repr(well("n0", "sentinel")), "clear")
