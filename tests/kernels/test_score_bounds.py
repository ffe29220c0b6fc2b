import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from driftwatch.kernels.interval import Z
from driftwatch.kernels.score_bounds import auc_interval

RARER_ROWS_HALF = 4.0


def hanley(theta, positives, negatives):
    """Hanley and McNeil's variance with both classes' mean size."""
    size = (positives + negatives) / 2 - 1
    bracket = 1 + size * (1 - theta) / (2 - theta) + size * theta / (1 + theta)
    return theta * (1 - theta) * bracket / (positives * negatives)


def oracle(value, variance, positives, negatives):
    """Both ends by Brent's method."""
    near = (value * positives * negatives + 0.5) / (positives * negatives + 1)
    rarer = min(positives, negatives)
    ratio = (rarer * variance / hanley(near, positives, negatives) + RARER_ROWS_HALF) / (rarer + RARER_ROWS_HALF)

    def excess(theta):
        return (value - theta) ** 2 - Z * Z * ratio * hanley(theta, positives, negatives)

    # At 0 and 1 the variance is none, which makes them roots, too.
    lower = 0.0 if value == 0 else optimize.brentq(excess, 0.0, min(value, 1 - 1e-12), xtol=1e-14)
    upper = 1.0 if value == 1 else optimize.brentq(excess, max(value, 1e-12), 1.0, xtol=1e-14)
    return lower, upper


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0.001, 0.999)),
    st.floats(0, 3),
    st.integers(1, 100_000),
    st.integers(1, 100_000),
)
def test_bounds_of_an_auc_solve_their_equation(value, ratio, positives, negatives):
    """Newton's method finds what Brent's does, whatever the rows and the variance."""
    variance = ratio * float(hanley(np.clip(value, 0.01, 0.99), positives, negatives))
    found = auc_interval(
        *map(np.float64, (value, variance)), positives=np.float64(positives), negatives=np.float64(negatives)
    )
    assert (float(found.lower), float(found.upper)) == pytest.approx(
        oracle(value, variance, positives, negatives), abs=1e-12
    )


def test_many_at_once_and_classes_without_rows():
    """Any shape; NaN where a class has no row."""
    values, rows = np.array([[0.5, 0.8], [0.9, np.nan]]), np.array([[10.0, 20.0], [30.0, 0.0]])
    found = auc_interval(values, np.full((2, 2), 1e-3), positives=rows, negatives=np.full((2, 2), 50.0))
    assert found.lower.shape == (2, 2)
    assert np.isnan([found.value[1, 1], found.lower[1, 1], found.upper[1, 1]]).all()
    assert float(found.upper[1, 0]) == pytest.approx(oracle(0.9, 1e-3, 30.0, 50.0)[1], abs=1e-12)
