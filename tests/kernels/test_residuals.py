"""The metrics of a regression against scikit-learn and against their definitions, row by row."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.kernels import residuals


def drawn(seed, rows=400, *, loc=0.0, scale=1.0):
    rng = np.random.default_rng(seed)
    label = loc + scale * rng.normal(size=rows)
    prediction = label + scale * rng.standard_t(3, size=rows)
    width = scale * rng.exponential(size=rows)
    return prediction, label, prediction - width, prediction + width


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("loc", "scale"), [(0, 1), (1e9, 1), (0, 1e-9), (5, 1e6)])
def test_equals_scikit_learn(seed, loc, scale):
    """Every metric that scikit-learn has, at any scale."""
    oracle = pytest.importorskip("sklearn.metrics", reason="scikit-learn is an oracle, not a dependency")
    p, y, low, high = drawn(seed, loc=loc, scale=scale)
    expected = {
        residuals.mae(p, y): oracle.mean_absolute_error(y, p),
        residuals.mse(p, y): oracle.mean_squared_error(y, p),
        residuals.rmse(p, y): oracle.root_mean_squared_error(y, p),
        residuals.mape(p, y): oracle.mean_absolute_percentage_error(y, p),
        residuals.pinball(p, y, quantile=0.2): oracle.mean_pinball_loss(y, p, alpha=0.2),
        residuals.interval_pinball(y, low, high, level=0.8): (
            oracle.mean_pinball_loss(y, low, alpha=0.1) + oracle.mean_pinball_loss(y, high, alpha=0.9)
        )
        / 2,
    }
    for got, wanted in expected.items():
        assert got == pytest.approx(wanted, rel=1e-12)
    # Where labels are all alike but for a billionth, the sum of squares itself is known to 1e-9 only.
    assert residuals.r2(p, y) == pytest.approx(oracle.r2_score(y, p), rel=1e-12, abs=1e-12)


@given(st.lists(st.tuples(*[st.sampled_from([-2.0, -1.0, 0.0, 0.5, 3.0, math.nan])] * 4), max_size=8))
def test_equals_the_definitions(rows):
    """Row by row in plain Python, with values not given and zeros everywhere."""
    p, y, low, high = np.array(rows, dtype=float).reshape(-1, 4).T
    both = [(a, b) for a, b, _, _ in rows if not math.isnan(a + b)]

    def mean(values):
        values = list(values)
        return math.fsum(values) / len(values) if values else math.nan

    size = sum(abs(b) for _, b in both)
    expected = {
        "mae": mean(abs(a - b) for a, b in both),
        "mse": mean((a - b) ** 2 for a, b in both),
        "bias": mean(a - b for a, b in both),
        "mape": mean(abs(a - b) / abs(b) for a, b in both if b),
        "smape": mean(2 * abs(a - b) / (abs(a) + abs(b)) if a != b else 0.0 for a, b in both),
        "wape": sum(abs(a - b) for a, b in both) / size if size else math.nan,
    }
    for name, wanted in expected.items():
        assert getattr(residuals, name)(p, y) == pytest.approx(wanted, rel=1e-12, nan_ok=True), name
    inside = mean(float(c <= b <= d) for _, b, c, d in rows if not math.isnan(b + c + d))
    assert residuals.coverage(y, low, high) == pytest.approx(inside, nan_ok=True)


def test_r2_of_equal_labels_is_not_defined():
    """There is no variance to explain, however right the predictions are."""
    assert np.isnan(residuals.r2(np.array([1.0, 2.0]), np.array([3.0, 3.0])))


def test_windows_are_computed_together():
    """Leading axes are windows."""
    p, y, low, high = drawn(0)
    shape = (4, 5, 20)
    for name in ("mae", "mse", "rmse", "bias", "mape", "smape", "wape", "r2", "pinball"):
        metric = getattr(residuals, name)
        together = metric(p.reshape(shape), y.reshape(shape))
        assert together.shape == (4, 5)
        assert together[2, 3] == pytest.approx(metric(p.reshape(shape)[2, 3], y.reshape(shape)[2, 3]), rel=1e-14)
    assert residuals.coverage(y.reshape(shape), low.reshape(shape), high.reshape(shape)).shape == (4, 5)
