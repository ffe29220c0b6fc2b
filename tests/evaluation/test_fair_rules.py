import pytest

from driftwatch.evaluation.defaults import FAIR_RULES, default_rules
from driftwatch.evaluation.rules import RuleSpec, Verdict, judge
from driftwatch.statistics.between import Between
from driftwatch.statistics.fairness import FAIRNESS, IMPACT, MEASURES, PARITY
from driftwatch.statistics.reading import Reading, Stage, Status, Support

NAN = float("nan")


def reading(measure, lower, upper, *, column="gender", beyond=False):
    support, limit = Support(Stage.FINAL, 1.0), 0.8 if measure == IMPACT else 0.1
    between = Between("gender=F", "gender=M")
    return Reading(column, FAIRNESS, measure, (lower + upper) / 2, NAN, lower, upper, NAN, Status.OK, support,
                   limit=limit, beyond=beyond, between=between)  # fmt: skip


def verdicts(rules, *readings):
    return [each.verdict for each in judge(rules, readings, rows=5_000, labelled=5_000)]


def test_by_default_an_interval_must_leave_what_is_allowed():
    """The reading says so itself."""
    rules = [rule for rule in FAIR_RULES if rule.of == IMPACT]
    assert verdicts(rules, reading(IMPACT, 0.5, 0.7, beyond=True)) == [Verdict.BREACH]
    assert verdicts(rules, reading(IMPACT, 0.5, 0.9)) == [Verdict.CLEAR]


def test_a_threshold_of_ones_own_is_met_by_the_nearer_bound():
    """Above by the lower bound, below by the upper one, unless it is said otherwise."""
    above = RuleSpec.model_validate({"name": "fair", "metric": PARITY, "above": 0.2})
    assert verdicts([above], reading(PARITY, 0.19, 0.5)) == [Verdict.CLEAR]
    assert verdicts([above], reading(PARITY, 0.21, 0.5)) == [Verdict.BREACH]
    below = RuleSpec.model_validate({"name": "fair", "metric": IMPACT, "below": 0.9})
    assert verdicts([below], reading(IMPACT, 0.5, 0.91)) == [Verdict.CLEAR]


@pytest.mark.parametrize(("columns", "watched"), [(None, 2), (("gender",), 2), (("gender[yes]",), 1), (("race",), 0)])
def test_columns_are_protected_dimensions(columns, watched):
    """All of them when left out; a class of one by its full name."""
    rule = RuleSpec.model_validate({"name": "fair", "metric": PARITY, "columns": columns})
    both = [reading(PARITY, 0.0, 0.1, column=f"gender[{name}]") for name in ("no", "yes")]
    assert len(verdicts([rule], *both)) == watched


def test_protecting_somebody_adds_the_rules():
    """One for each measure, where the model predicts classes."""
    added = {rule.of for rule in default_rules("binary", protected=True)} - {
        rule.of for rule in default_rules("binary")
    }
    assert added == set(MEASURES)
    assert default_rules("regression", protected=True) == default_rules("regression")
