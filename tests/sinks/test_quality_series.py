"""Data quality in a scrape: one series a column and check, the failed ones first."""

from driftwatch.statistics.checks import FAMILY
from tests.sinks.pictures import reading, report
from tests.sinks.test_performance_series import published
from tests.sinks.test_prometheus import scrape

CELL = ("fraud", "7", "")
DRIFT = reading("amount", "psi", 0.3)


def check(column: str, name: str, value: float, *, beyond: bool = False):
    """One quality reading."""
    return reading(column, name, value, lower=value, upper=value)._replace(family=FAMILY, beyond=beyond)


def test_every_check_has_its_value():
    """A check that could not be made has no series."""
    shown = scrape(published(report(
        DRIFT, check("amount", "missing", 0.25), check("amount", "unit_change", 100.0, beyond=True),
        check("age", "missing", 0.0), check("age", "invalid", float("nan")),
    )))  # fmt: skip
    assert {key: value for key, value in shown.items() if key[0] == "quality_value"} == {
        ("quality_value", (*CELL, "amount", "missing")): 0.25,
        ("quality_value", (*CELL, "amount", "unit_change")): 100.0,
        ("quality_value", (*CELL, "age", "missing")): 0.0,
    }


def test_what_has_failed_comes_before_drift_and_what_is_well_after_it():
    """Columns give way to columns of which a check has failed when series are short."""
    board = published(report(DRIFT, check("amount", "missing", 0.0), check("broken", "missing", 0.9, beyond=True)))
    whole = scrape(board)
    short = scrape(board, max_series=len(whole) - 1)
    assert ("quality_value", (*CELL, "broken", "missing")) in short
    assert ("drift_value", (*CELL, "amount", "psi")) in short
    assert ("quality_value", (*CELL, "amount", "missing")) not in short
    shorter = scrape(board, max_series=len(whole) - 4)
    assert ("quality_value", (*CELL, "broken", "missing")) in shorter
    assert ("drift_value", (*CELL, "amount", "psi")) not in shorter
