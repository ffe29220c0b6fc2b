"""Which columns keep their series when these are short: of equal severity the most important ones."""

from dataclasses import replace

import pytest

from driftwatch.evaluation.alerts import Reason, State
from driftwatch.sinks.board import Board
from driftwatch.sinks.drift_series import DriftColumns
from driftwatch.sinks.quality_series import quality_samples
from driftwatch.statistics.checks import FAMILY
from tests.sinks.pictures import reading, report, step

WEIGHTS = {"fraud": {"amount": 0.1, "age": 0.5, "country": 0.3, "delay": 0.0}}
THRESHOLDS = {(name, "psi"): 0.1 for name in WEIGHTS["fraud"]}


def shown(values, *steps):
    """A board with the PSI of some columns."""
    board = Board()
    board.publish(reports=[report(*values, thresholds=THRESHOLDS)], transitions=steps)
    return board.picture


@pytest.mark.parametrize(
    ("importance", "order"),
    [(WEIGHTS, ["delay", "amount", "age", "country"]), ({}, ["delay", "amount", "country", "age"])],
)
def test_what_fires_comes_first_then_what_is_beyond_then_the_important(importance, order):
    """Importance decides where nothing else is known to matter more; without it nearness to the threshold does."""
    psi = {"age": 0.01, "country": 0.05, "amount": 0.3, "delay": 0.02}
    picture = shown(
        [reading(name, "psi", value) for name, value in psi.items()],
        step(State.FIRING, Reason.CROSSED, column="delay"),
    )
    assert [column.name for _, column in DriftColumns(importance).ranked(picture)] == order


def test_a_golden_set_that_is_called_like_a_column_is_no_column():
    """Its alert says nothing of the column's drift."""
    picture = shown(
        [reading("amount", "psi", 0.01)], replace(step(State.FIRING, Reason.CROSSED), statistic="control_changed")
    )
    assert [state for state, _ in DriftColumns().ranked(picture)] == [0]


def test_checks_of_important_columns_come_first():
    """Those that have failed and those that have not are two orders; without importance it is that of the layout."""
    checks = [
        reading(name, "missing", 0.5)._replace(family=FAMILY, beyond=name in {"amount", "age"})
        for name in ("amount", "country", "age", "delay")
    ]
    picture = shown(checks)

    def order(**options):
        groups = quality_samples(picture, **options)
        return [key[3] for group in groups for values in group.values() for key in values]

    assert order(failed=True, importance=WEIGHTS) == ["age", "amount"]
    assert order(failed=False, importance=WEIGHTS) == ["country", "delay"]
    assert order(failed=True) == ["amount", "age"]
