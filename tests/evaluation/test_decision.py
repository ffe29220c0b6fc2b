"""Evidence beyond its share, and an effect that matters: only both together are a breach."""

import math
from typing import Any

import numpy as np
import pytest

from driftwatch.evaluation.budget import BudgetRule, Share
from driftwatch.evaluation.decision import Decision, Effects
from driftwatch.evaluation.rules import Verdict
from driftwatch.statistics.evidence import Evidence
from driftwatch.statistics.reading import Reading, Status

RULE = BudgetRule.model_validate({"name": "drift", "statistic": "tv"})
SURE, UNSURE, SMALL, LITTLE = (0.09, 0.2), (0.02, 0.12), (0.0, 0.03), (0.0, 0.3)
"""Lower and upper bounds of an effect of which 0.05 matters."""


def effect(bounds: tuple[float, float], *, column: str = "amount", statistic: str = "tv") -> Reading:
    """A reading with these bounds; its corrected value lies in the middle, or at 0 where the lower bound does."""
    lower, upper = bounds
    adjusted = (lower + upper) / 2 if lower else 0.0
    return Reading(column, "drift", statistic, upper, adjusted, lower, upper, math.nan, Status.OK)


def decide(
    bounds: tuple[float, float], *, p_value: float = 0.5, slow: float = 0.0, detectable: float = 0.01, **least: float
) -> Decision:
    """What is decided of one column whose share of either kind is one in a thousand."""
    evidence = Evidence(np.array([p_value]), np.array([slow]), np.array([detectable]))
    share = Share(np.array([1e-3]), np.array([1e-3]))
    readings = [effect(bounds, statistic=name) for name in least or ("tv",)]
    limits = {name: np.array([value]) for name, value in (least or {"tv": 0.05}).items()}
    return Decision.of(["amount"], evidence, share, Effects.of(readings, ["amount"], limits))


@pytest.mark.parametrize(
    ("bounds", "evidence", "verdict"),
    [
        (SURE, {"p_value": 1e-4}, Verdict.BREACH),
        (SURE, {"p_value": 1e-2}, Verdict.UNKNOWN),
        (UNSURE, {"p_value": 1e-9}, Verdict.UNKNOWN),
        (SMALL, {"p_value": 1e-9}, Verdict.CLEAR),
        (SMALL, {"p_value": 0.5}, Verdict.CLEAR),
        (UNSURE, {"slow": 1e3}, Verdict.BREACH),
        (SMALL, {"slow": 2e3}, Verdict.CLEAR),
        (SMALL, {"slow": 9e2}, Verdict.CLEAR),
        (SURE, {"p_value": math.nan, "slow": math.nan}, Verdict.UNKNOWN),
        (LITTLE, {"p_value": 0.5, "detectable": 0.2}, Verdict.CLEAR),
        (LITTLE, {"p_value": 0.01, "detectable": 0.2}, Verdict.UNKNOWN),
        (LITTLE, {"p_value": 0.5, "detectable": 0.04}, Verdict.UNKNOWN),
        (SURE, {"p_value": 1e-4, "detectable": 0.2}, Verdict.BREACH),
    ],
)
def test_what_is_said(bounds: tuple[float, float], evidence: dict[str, Any], verdict: Verdict) -> None:
    """The table of the module, row after row."""
    (judgement,) = decide(bounds, **evidence).judgements(RULE, standing={"amount"})
    assert judgement.verdict is verdict


def test_of_columns_that_are_well_nothing_is_said() -> None:
    """Only breaches and alerts that stand are judged: there may be thousands of columns."""
    assert decide(SMALL).judgements(RULE, standing=()) == []
    assert decide(SURE, p_value=1e-9).judgements(RULE, standing=())[0].verdict is Verdict.BREACH


def test_the_effect_is_shown_with_what_matters() -> None:
    """A person reads how far the column has moved, beside how little would have mattered."""
    (judgement,) = decide(SURE, p_value=1e-9).judgements(RULE, standing=())
    shown = judgement.reading
    assert (shown.statistic, shown.lower, shown.limit) == ("tv", 0.09, 0.05)


def test_any_of_several_effects_counts_and_the_farthest_is_shown() -> None:
    """One that is sure is enough to fire; to clear, all of them have to be small."""
    decision = decide(SURE, p_value=1e-9, tv=0.5, psi=0.05)
    assert decision.judgements(RULE, standing=())[0].reading.statistic == "psi"
    decision = decide(SMALL, tv=0.5, psi=0.001)
    assert decision.judgements(RULE, standing={"amount"})[0].verdict is Verdict.UNKNOWN


def test_a_window_that_could_not_have_seen_it_says_so() -> None:
    """Too few rows for what matters: the evidence has no value then, but what was found is told."""
    abrupt, slow = decide(LITTLE, p_value=0.2, slow=0.1, detectable=0.2).readings()
    assert (abrupt.status, abrupt.p_value) == (Status.TOO_FEW, 0.2)
    assert math.isnan(abrupt.value)
    assert (slow.status, slow.value, slow.limit) == (Status.OK, pytest.approx(-1), pytest.approx(3))
    abrupt, _ = decide(SURE, p_value=1e-4, detectable=0.2).readings()
    assert (abrupt.status, abrupt.value, abrupt.limit, abrupt.beyond) == (Status.OK, pytest.approx(4), 3, True)


def test_what_could_not_be_tested_has_no_value() -> None:
    """NaN exactly where the status is not OK; a p-value of 0 is as far as numbers go."""
    abrupt, slow = decide(SMALL, p_value=math.nan, slow=math.nan).readings()
    assert {abrupt.status, slow.status} == {Status.TOO_FEW}
    assert decide(SURE, p_value=0.0).readings()[0].value == 300


def test_one_column_spoils_no_other() -> None:
    """A column without an effect or evidence is passed over."""
    evidence = Evidence(np.array([math.nan, 1e-9]), np.array([math.nan, 0.0]), np.array([math.nan, 0.01]))
    share = Share(np.full(2, 1e-3), np.full(2, 1e-3))
    effects = Effects.of([effect(SURE)], ["broken", "amount"], {"tv": np.full(2, 0.05)})
    decision = Decision.of(["broken", "amount"], evidence, share, effects)
    told = decision.judgements(RULE, standing={"broken"})
    assert [(each.reading.column, each.verdict) for each in told] == [("amount", Verdict.BREACH)]
