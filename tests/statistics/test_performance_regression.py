"""What a regression's outcomes say: equal to the rows' own metrics, with intervals that hold, corrected for arrival."""

from itertools import pairwise

import numpy as np
import pytest

from driftwatch.kernels import residuals
from driftwatch.statistics.regression import regression_performance
from driftwatch.stream.outputs import CANCELLED, LABELLED, WAITING, Answers, OutputForm
from driftwatch.stream.schema import Task
from driftwatch.summaries.regression import RegressionGrid, RegressionOutcomes
from tests.benchmarks.intervals_regression import MODELS, held, regression, truth

FORM = OutputForm(Task.REGRESSION)
GRID = RegressionGrid.from_reference(np.linspace(-3, 3, 129))


def answers(prediction, label, *, state=None, half=None):
    rows = len(prediction)
    outputs, outcomes = np.zeros(rows, FORM.outputs), np.zeros(rows, FORM.outcomes)
    outputs["prediction"], outcomes["label"] = prediction, label
    outputs["low"] = outputs["high"] = np.nan
    if half is not None:
        outputs["low"], outputs["high"] = prediction - half, prediction + half
    state = np.full(rows, LABELLED, dtype=np.uint8) if state is None else state.astype(np.uint8)
    return Answers(outputs, outcomes, state, np.zeros(rows, dtype=np.int64))


SCALES = [(0.0, 1.0), (1e9, 1.0), (0.0, 1e-9), (-50.0, 1e-3), (1e-9, 1e12)]


@pytest.mark.parametrize("grid", [GRID, RegressionGrid.without_reference()])
@pytest.mark.parametrize(("loc", "scale"), SCALES)
def test_streamed_values_are_the_exact_ones(grid, loc, scale):
    """To 1e-9, at any scale, merged from uneven parts, with rows that have no label, prediction or interval."""
    rng = np.random.default_rng(1)
    rows = 3000
    label = loc + scale * rng.normal(size=rows)
    prediction = label + scale * rng.standard_t(3, size=rows)
    half = np.where(rng.random(rows) < 0.3, np.nan, scale * rng.exponential(size=rows))
    prediction[:50], label[50:100] = np.nan, np.nan
    label[100:110] = 0.0
    state = rng.choice([WAITING, LABELLED, CANCELLED], rows, p=[0.2, 0.7, 0.1])
    whole = answers(prediction, label, state=state, half=half)
    cuts = [0, 1, 17, 1000, rows]
    merged = RegressionOutcomes.empty(grid)
    for first, last in pairwise(cuts):
        part = slice(first, last)
        merged = merged.merge(
            RegressionOutcomes.of(
                Answers(whole.outputs[part], whole.outcomes[part], whole.state[part], whole.delays_ms[part]), grid
            )
        )
    got = regression_performance(merged)
    kept = state == LABELLED
    p, y, h = prediction[kept], label[kept], half[kept]
    low, high = np.where(np.isnan(p), np.nan, p - h), p + h
    expected = {name: getattr(residuals, name)(p, y) for name in ("mae", "mse", "rmse", "mape", "smape", "wape", "r2")}
    known = np.where(np.isnan(p), np.nan, y)
    expected["pinball"] = residuals.interval_pinball(known, low, high)
    expected["coverage"] = residuals.coverage(known, low, high)
    for name, value in expected.items():
        assert got[name].value == pytest.approx(value, rel=1e-9), name
    # A mean of errors of both signs is as good as its terms.
    assert got["bias"].value == pytest.approx(residuals.bias(p, y), abs=1e-9 * residuals.mae(p, y))
    assert set(got) == {*expected, "bias"}
    for name, interval in got.items():
        assert interval.lower <= interval.value <= interval.upper, name


def test_without_intervals_pinball_is_that_of_the_median():
    """Half the mean absolute error; and there is no coverage."""
    got = regression_performance(RegressionOutcomes.of(answers(np.array([1.0, 2, 4]), np.array([1.0, 1, 1])), GRID))
    assert got["pinball"].value == pytest.approx(got["mae"].value / 2)
    assert np.isnan(got["coverage"].value)


def test_nothing_and_a_single_row_say_so():
    """No row: no value. One row: a value that could be anything."""
    nothing = regression_performance(RegressionOutcomes.empty(GRID))
    assert all(np.isnan([part.value, part.lower, part.upper]).all() for part in nothing.values())
    one = regression_performance(RegressionOutcomes.of(answers(np.array([1.0]), np.array([3.0])), GRID))
    assert (one["mae"].value, one["mae"].lower, one["mae"].upper) == (2, 0, np.inf)
    assert np.isnan(one["r2"].value)


def test_numbers_of_any_size_break_nothing():
    """One absurd label takes its own metrics along, and no interval turns around."""
    p, y = np.random.default_rng(0).normal(size=(2, 100))
    y[3], p[4] = 1e300, -1e-300
    for name, got in regression_performance(RegressionOutcomes.of(answers(p, y), GRID)).items():
        if name != "coverage":
            assert got.lower <= got.value <= got.upper, name


def test_perfect_predictions_have_no_error():
    """All errors are zero; the metrics say so."""
    y = np.random.default_rng(0).normal(size=50)
    got = regression_performance(RegressionOutcomes.of(answers(y, y), GRID))
    assert (got["mae"].value, got["rmse"].upper, got["r2"].value, got["bias"].value) == (0, 0, 1, 0)


LIGHT = {
    "normal": ("mae", "mse", "rmse", "mape", "smape", "wape", "r2", "bias", "pinball", "coverage"),
    "heteroscedastic": ("mae", "mse", "smape", "wape", "r2", "bias", "coverage"),
    "Laplace": ("mae", "mse", "mape", "wape", "r2", "bias", "pinball"),
    "lognormal labels": ("mae", "mse", "smape", "wape", "r2"),
    "t(3) errors": ("mae", "mse", "rmse", "wape", "r2", "bias", "coverage"),
}


@pytest.mark.parametrize("model", [model for model in MODELS if model.name in LIGHT], ids=lambda model: model.name)
def test_intervals_hold(model):
    """95 % intervals hold in 92.5 % to 99 % of 1 000 windows of 200 rows; the table of all is a benchmark."""
    found, true = regression(model, 200, windows=1000), truth(model, parts=1)
    for metric in LIGHT[model.name]:
        share, _, _ = held(found[metric], true[metric])
        assert 0.925 <= share <= 0.99, (metric, share)


def test_correction_for_labels_that_depend_on_the_prediction():
    """Large predictions err more and are labelled later: post-stratified values are right, and their bounds hold."""
    rng = np.random.default_rng(2)
    naive, corrected, inside = [], [], []
    for _ in range(150):
        p = rng.normal(size=1000)
        y = p + np.exp(p / 2) * rng.normal(size=p.size)
        came = rng.random(p.size) < np.where(p > 0, 0.2, 0.8)
        outcomes = RegressionOutcomes.of(answers(p, y, state=np.where(came, LABELLED, WAITING)), GRID)
        naive.append(regression_performance(outcomes)["mae"].value)
        got = regression_performance(outcomes.post_stratified())["mae"]
        corrected.append(got.value)
        inside.append(got.lower <= TRUE_MAE <= got.upper)
    assert abs(np.mean(corrected) - TRUE_MAE) < abs(np.mean(naive) - TRUE_MAE) / 10
    assert 0.92 <= np.mean(inside) <= 0.98


TRUE_MAE = float(np.sqrt(2 / np.pi) * np.exp(1 / 8))


def test_equal_weights_change_nothing_but_the_size():
    """A stratum's weight is what one row of it stands for."""
    rng = np.random.default_rng(4)
    y = rng.normal(size=500)
    outcomes = RegressionOutcomes.of(answers(y + rng.normal(size=500), y), GRID)
    once, twice = (regression_performance(outcomes.reweighted(np.full(GRID.strata, weight))) for weight in (1.0, 2.0))
    for name, got in once.items():
        np.testing.assert_allclose(twice[name].value, got.value, rtol=1e-12)
    # Twice as many predictions with as many labels: the predictions are better known, the errors are not.
    assert 0.5 < (twice["mae"].upper - twice["mae"].lower) / (once["mae"].upper - once["mae"].lower) <= 1.1


def test_grid_from_a_reference_has_about_twenty_bins():
    """Bins are closed on the right; what is no number stands apart; a constant column has one edge."""
    assert GRID.strata == 23
    assert GRID.places(np.array([-4.0, -3.0, 3.0, 3.1, np.nan])).tolist() == [0, 0, 20, 21, 22]
    assert RegressionGrid.from_reference(np.full(129, 7.0)).edges == (7.0,)
