"""A budget of false alarms, and what each test gets of it."""

import numpy as np
import pytest
from pydantic import ValidationError

from driftwatch.evaluation.budget import AlertingSpec, Budget, effects
from driftwatch.spec import Rate, rate

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 per 30d", Rate(1.0, per_ms=30 * 24 * HOUR_MS)),
        ("2 per 7d", Rate(2.0, per_ms=7 * 24 * HOUR_MS)),
        ("0.5 per 1d12h", Rate(0.5, per_ms=36 * HOUR_MS)),
        ("1 per 1000 windows", Rate(1.0, per_windows=1_000)),
        ("3 per 1 window", Rate(3.0, per_windows=1)),
    ],
)
def test_a_rate_is_written_in_words(text: str, expected: Rate) -> None:
    """So many per time, or per number of windows."""
    assert rate(text) == expected


@pytest.mark.parametrize("text", ["", "1", "1 per", "per 30d", "1 per 30", "-1 per 30d", "0 per 30d", "1 per 0d", 1])
def test_no_rate(text: object) -> None:
    """Anything else says what to write."""
    with pytest.raises(ValueError, match=r"write|zero"):
        rate(text)


def test_expected_alarms_add_up_to_the_budget() -> None:
    """All tests of all columns, cells and versions in all windows of the period together: 2 in 7 days."""
    budget = Budget.of(rate("2 per 7d"), slide_ms=HOUR_MS, importance=[0.3, 0.0, 0.1, 0.6])
    cells = [budget.share(segments=5, versions=3, of_segment=number > 0) for _ in range(3) for number in range(6)]
    each_window = sum(float(cell.abrupt.sum() + cell.slow.sum()) + 4 * 6 * cell.check + cell.metric for cell in cells)
    assert each_window * 7 * 24 == pytest.approx(2.0)


def test_without_segments_all_goes_to_all_rows() -> None:
    """Nothing is kept back for cells that are not there."""
    budget = Budget.of(rate("1 per 10 windows"), slide_ms=None, importance=[1.0, 1.0])
    assert budget.share(segments=0, versions=1, of_segment=False).abrupt.tolist() == pytest.approx([0.0125, 0.0125])


def test_importance_moves_shares_and_starves_nobody() -> None:
    """A column gets in proportion to its importance, and one of none a tenth of the mean."""
    budget = Budget.of(rate("1 per 100 windows"), slide_ms=None, importance=[3.0, 1.0, 0.0])
    assert (budget.weights[0] / budget.weights[1], budget.weights.sum()) == (pytest.approx(3.0), pytest.approx(1.0))
    assert budget.weights[2] / budget.weights[1] == pytest.approx(0.1 / 0.75)
    assert Budget.of(rate("1 per 1d"), slide_ms=1, importance=[0.0, 0.0]).weights.tolist() == [0.5, 0.5]
    assert Budget.of(rate("1 per 1d"), slide_ms=1, importance=[]).weights.shape == (0,)


def test_a_generous_budget_still_means_something() -> None:
    """However many alarms are allowed, no test fires at what happens every other time."""
    share = Budget.of(rate("1000 per 1 window"), slide_ms=None, importance=[1.0]).share(
        segments=0, versions=1, of_segment=False
    )
    assert np.all(share.abrupt == 0.5)


def test_windows_of_rows_need_a_budget_of_windows() -> None:
    """They come at no fixed time."""
    with pytest.raises(ValueError, match="per 1000 windows"):
        Budget.of(rate("1 per 30d"), slide_ms=None, importance=[1.0])


def test_the_spec() -> None:
    """What is written, and what it is when nothing is."""
    spec = AlertingSpec.model_validate({"budget": "2 per 7d", "min_effect": {"psi": 0.1, "ks": 0.05}})
    assert spec.budget == rate("2 per 7d")
    assert effects(spec.min_effect) == {"psi": 0.1, "ks": 0.05}
    assert effects(AlertingSpec().min_effect) == {"tv": 0.05}
    assert AlertingSpec().budget == rate("1 per 30d")
    assert AlertingSpec.model_validate({"budget": "none"}).budget is None


@pytest.mark.parametrize(
    ("min_effect", "words"),
    [
        ({"pis": 0.1}, 'did you mean "psi"'),
        ({"std_ratio": 0.1}, "two sides"),
        ({"ks": 1.5}, "between 0 and 1"),
        (1.0, "between 0 and 1"),
        ({}, "at least one"),
    ],
)
def test_an_effect_has_to_be_one(min_effect: object, words: str) -> None:
    """A distance, and a number that it can reach."""
    with pytest.raises(ValidationError, match=words):
        AlertingSpec.model_validate({"min_effect": min_effect})
