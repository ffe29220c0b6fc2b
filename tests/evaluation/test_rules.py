"""What a rule watches, and what it says of a window."""

import math

import pytest

from driftwatch.evaluation.defaults import default_rules
from driftwatch.evaluation.rules import Verdict, judge, thresholds
from driftwatch.statistics.checks import CHECKS
from driftwatch.statistics.reading import Status
from tests.evaluation.readings import reading, rule

BREACH, CLEAR, UNKNOWN = Verdict.BREACH, Verdict.CLEAR, Verdict.UNKNOWN


def verdict(written: dict, found=None, *, rows: int = 1000) -> Verdict:
    (judgement,) = judge([rule(**written)], [found or reading(0.2)], rows=rows)
    return judgement.verdict


@pytest.mark.parametrize(
    ("written", "value", "expected"),
    [
        ({"above": 0.1}, 0.100001, BREACH),
        ({"above": 0.1}, 0.1, CLEAR),
        ({"above": 0.1}, -5.0, CLEAR),
        ({"above": 0}, 1e-300, BREACH),
        ({"below": 0.1}, 0.099999, BREACH),
        ({"below": 0.1}, 0.1, CLEAR),
        ({"below": 0}, -1e-300, BREACH),
        ({"below": -1}, -0.5, CLEAR),
        ({"above": 1}, math.inf, BREACH),
        ({"above": 1}, math.nan, UNKNOWN),
    ],
)
def test_threshold(written: dict, value: float, expected: Verdict) -> None:
    """A value on the threshold is not beyond it."""
    found = reading(value, statistic="mean_shift")
    assert verdict({"statistic": "mean_shift"} | written, found) is expected


@pytest.mark.parametrize(
    ("part", "expected"), [("value", BREACH), ("adjusted", CLEAR), ("lower", CLEAR), ("upper", BREACH)]
)
def test_judged_part(part: str, expected: Verdict) -> None:
    """A rule compares the part of the reading that it names."""
    found = reading(0.3, adjusted=0.09, lower=0.05, upper=0.4)
    assert verdict({"judge": part}, found) is expected


def test_part_that_is_not_defined() -> None:
    """A statistic without an interval says nothing to a rule that judges the interval."""
    assert verdict({"judge": "lower"}, reading(0.9)) is UNKNOWN


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.OK])
def test_status(status: Status) -> None:
    """What could not be computed says nothing, whatever number stands there."""
    assert verdict({}, reading(0.9, status=status)) is UNKNOWN


@pytest.mark.parametrize(("rows", "expected"), [(199, UNKNOWN), (200, BREACH)])
def test_min_rows(rows: int, expected: Verdict) -> None:
    """A window of fewer rows than `min_rows` says nothing."""
    assert verdict({"min_rows": 200}, rows=rows) is expected


def test_columns_and_statistics() -> None:
    """A rule looks at its statistic in its columns, in all that have it when none are named."""
    found = [reading(0.2, column="a"), reading(0.2, column="b"), reading(0.9, column="a", statistic="js")]
    rules = [rule(name="all"), rule(name="one", columns=["b"]), rule(name="none", columns=["z"])]
    assert [(j.rule.name, j.reading.column) for j in judge(rules, found, rows=1000)] == [
        ("all", "a"),
        ("all", "b"),
        ("one", "b"),
    ]


def test_tightest_threshold() -> None:
    """A report shows for each column and statistic the threshold that is met first."""
    rules = [
        rule(name="a", above=0.3),
        rule(name="b", above=0.2, columns=["amount"]),
        rule(name="c", statistic="std_ratio", below=0.5),
        rule(name="d", statistic="std_ratio", below=0.7),
    ]
    columns = {"amount": ("psi", "std_ratio"), "country": ("psi",)}
    assert thresholds(rules, columns) == {
        ("amount", "psi"): 0.2,
        ("country", "psi"): 0.3,
        ("amount", "std_ratio"): 0.7,
    }


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"above": 0.1, "below": 0.2}, "give one threshold: above or below"),
        ({"above": None}, "give one threshold: above or below"),
        ({"above": math.nan}, "the threshold must be a finite number"),
        ({"below": -math.inf}, "the threshold must be a finite number"),
        ({"above": "0.1"}, "valid number"),
        ({"above": True}, "valid number"),
        ({"for": 0}, "greater than or equal to 1"),
        ({"for": 1.5}, "valid integer"),
        ({"keep_for": -1}, "greater than or equal to 0"),
        ({"min_rows": 0}, "greater than or equal to 1"),
        ({"name": ""}, "at least 1 character"),
        ({"judge": "guess"}, "'value', 'adjusted', 'lower' or 'upper'"),
        ({"severity": "bad"}, "'info', 'warning' or 'critical'"),
        ({"action": "reboot"}, "'notify', 'retrain' or 'rollback'"),
        ({"statistic": "pis"}, "pis"),
        ({"statistic": "roc_auc"}, "roc_auc"),
        ({"statistic": "js", "above": 1.0}, "js is never above 1, so this never fires"),
        ({"below": 0.0}, "psi is never below 0, so this never fires"),
        ({"columns": "amount"}, "valid tuple"),
    ],
)
def test_rule_refuses(written: dict, message: str) -> None:
    """A rule that could never be meant is refused where it is written."""
    with pytest.raises(ValueError, match=message):
        rule(**written)


def test_written_names() -> None:
    """`for` is written so, a list of columns is taken, an integer is a threshold."""
    made = rule(**{"for": 3, "columns": ["a", "b"], "above": 1})
    assert (made.for_, made.columns, made.threshold) == (3, ("a", "b"), 1.0)
    with pytest.raises(ValueError, match="for_"):
        rule(for_=3)


def test_default_rules_are_rules() -> None:
    """What is watched when nothing is written, beside the drift that the budget watches: every check."""
    checks = default_rules("none")
    assert [(one.name, one.statistic, one.rests_on_limit) for one in checks] == [(name, name, True) for name in CHECKS]
    for task in ("binary", "multiclass"):
        assert [one.name for one in default_rules(task)] == ["concept", "gap", *CHECKS]
    assert [one.name for one in default_rules("regression")] == ["concept", *CHECKS]
    assert [one.name for one in default_rules("binary") if one.budgeted] == ["gap"]
