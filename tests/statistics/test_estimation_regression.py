"""What a regression's error will be before labels come: it follows the predictions, and its bounds hold."""

import numpy as np
import pytest

from driftwatch.kernels import residuals
from driftwatch.statistics.estimation_regression import estimated_regression
from driftwatch.summaries.regression import RegressionGrid, RegressionOutcomes
from tests.benchmarks.intervals_regression import MODELS, binned, estimation

GRID = RegressionGrid(tuple(np.linspace(-3, 3, 25)))


def drawn(rng, rows, *, shift=0.0, factor=1.0):
    """Errors grow with the prediction."""
    p = shift + rng.normal(size=rows)
    return p, p + factor * np.exp(p / 2) * rng.normal(size=rows)


def predicted(p):
    return np.bincount(GRID.places(p), minlength=GRID.strata).astype(float)


def test_the_estimate_follows_a_shift_of_the_predictions():
    """Much closer than the error of the calibration rows, in all three metrics."""
    rng = np.random.default_rng(0)
    before, after = drawn(rng, 50_000), drawn(rng, 50_000, shift=1.0)
    got = estimated_regression(binned(*before, grid=GRID), predicted(after[0]))
    for name in ("mae", "mse", "rmse"):
        metric = getattr(residuals, name)
        old, new = metric(*before), metric(*after)
        assert abs(got[name].value - new) < abs(old - new) / 10
        assert got[name].lower <= new <= got[name].upper


def test_errors_that_grow_leave_the_bounds():
    """Concept drift: the same predictions, labels half as far off again."""
    rng = np.random.default_rng(1)
    calibration = binned(*drawn(rng, 20_000), grid=GRID)
    p, y = drawn(rng, 2000, factor=1.5)
    assert residuals.mae(p, y) > estimated_regression(calibration, predicted(p))["mae"].upper


def test_bins_without_labels_take_the_nearest():
    """Predictions where calibration has none are estimated from its edge, with its error."""
    rng = np.random.default_rng(2)
    p, y = drawn(rng, 5000)
    calibration = binned(p[p < 0], y[p < 0], grid=GRID)
    far = predicted(np.full(100, 2.9))
    got = estimated_regression(calibration, far)["mae"]
    edge = np.flatnonzero(calibration.labelled >= 2)[-1]
    near = (GRID.places(p) == edge) & (p < 0)
    assert got.value == pytest.approx(residuals.mae(p[near], y[near]))


def test_nothing_to_go_by_is_no_estimate():
    """Without labels to calibrate with, or without predictions."""
    state = binned(*drawn(np.random.default_rng(3), 100), grid=GRID)
    for got in (
        estimated_regression(RegressionOutcomes.empty(GRID), predicted(np.zeros(5))),
        estimated_regression(state, np.zeros(GRID.strata)),
    ):
        assert all(np.isnan(part.value) for part in got.values())


def test_windows_are_estimated_together():
    """Leading axes of the counts are windows."""
    rng = np.random.default_rng(4)
    state = binned(*drawn(rng, 1000), grid=GRID)
    windows = [predicted(drawn(rng, 200)[0]) for _ in range(3)]
    together = estimated_regression(state, np.stack(windows))["rmse"]
    alone = [estimated_regression(state, window)["rmse"] for window in windows]
    np.testing.assert_allclose(together.upper, [part.upper for part in alone], rtol=1e-12)


@pytest.mark.parametrize("model", [MODELS[0], MODELS[2]], ids=lambda model: model.name)
def test_bounds_hold_the_realised_metric(model):
    """In 92 % to 98 % of 200 windows, each with a calibration of its own."""
    for name, share in estimation(model, 2000, 500, windows=200).items():
        assert 0.92 <= share <= 0.985, name
