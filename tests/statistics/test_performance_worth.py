"""What predictions are worth: whose value counts, and intervals that hold."""

import numpy as np
import pytest

from driftwatch.statistics.worth import value_mean, worth_performance
from driftwatch.stream.outputs import LABELLED, WAITING, Answers, OutputForm
from driftwatch.stream.schema import Task
from driftwatch.summaries.worth import OUTCOME, PREDICTED, WorthOutcomes
from tests.benchmarks.intervals_regression import VALUES, held, value

NAN = np.nan


def of(said, came, state):
    form = OutputForm(Task.REGRESSION)
    outputs, outcomes = np.zeros(len(said), form.outputs), np.zeros(len(said), form.outcomes)
    outputs["value"], outcomes["value"] = said, came
    return WorthOutcomes.of(Answers(outputs, outcomes, np.array(state, np.uint8), np.zeros(len(said), np.int64)))


def test_a_labels_value_replaces_its_predictions():
    """A value of a label that has not come is none; a row without a value is left out."""
    got = of([1, 2, NAN, 4, NAN], [10, NAN, 30, 99, NAN], [LABELLED, LABELLED, LABELLED, WAITING, LABELLED])
    performance = worth_performance(got)
    assert performance["value_sum"].value == pytest.approx(10 + 2 + 30 + 4)
    assert performance["value_per_prediction"].value == pytest.approx(46 / 4)
    assert value_mean(got, side=PREDICTED).value == pytest.approx(7 / 3)
    assert value_mean(got, side=OUTCOME).value == pytest.approx(20)
    assert got.rows.tolist() == [5, 4]


def test_no_value_says_nothing():
    """No row has a value."""
    assert np.isnan(worth_performance(of([NAN], [NAN], [LABELLED]))["value_per_prediction"].value)


@pytest.mark.parametrize("kind", VALUES)
def test_intervals_hold(kind):
    """95 % intervals hold in 93 % to 98.5 % of 1 000 windows of 1 000 rows, far from zero and with heavy tails."""
    found = value(kind, 1000, windows=1000)["value_per_prediction"]
    share, _, _ = held(found, VALUES[kind][1])
    assert 0.93 <= share <= 0.985
