"""Bounds of a reference's own error: exact for shares, held by simulation for means, careful with estimated factors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftwatch.kernels.reference_error import FACTOR_RISK, cautious, mean_bounds, share_bounds


@given(st.integers(0, 300), st.integers(1, 300), st.floats(1e-9, 0.4))
def test_bounds_of_a_share_are_exact(hits, rows, risk):
    """At the bound, the binomial chance of so few or so many hits is the risk; without room for one it is 0 or 1."""
    hits = min(hits, rows)
    low, high = share_bounds(np.array([float(hits)]), np.array([float(rows)]), np.array([risk]))
    assert low[0] == 0 if hits == 0 else stats.binom.sf(hits - 1, rows, low[0]) == pytest.approx(risk, rel=1e-6)
    assert high[0] == 1 if hits == rows else stats.binom.cdf(hits, rows, high[0]) == pytest.approx(risk, rel=1e-6)


@pytest.mark.parametrize("rows", [20, 1000])
def test_bounds_of_a_mean_hold_the_truth(rows):
    """The means of uniform variables, as ranks are, are beyond a bound no more often than they may."""
    rng, risk = np.random.default_rng(3), 0.005
    means = np.concatenate([rng.random((2000, rows)).mean(axis=1) for _ in range(10)])
    low, high = mean_bounds(means, np.full_like(means, 1 / 12), np.full_like(means, rows), risk=np.array(risk))
    allowed = stats.binom.ppf(0.999, means.size, risk)
    assert (low > 0.5).sum() <= allowed
    assert (high < 0.5).sum() <= allowed


def test_nothing_is_known_without_rows():
    """No reference bounds nothing."""
    nothing = np.zeros(1)
    for low, high in (
        share_bounds(nothing, nothing, np.array([0.01])),
        mean_bounds(nothing + 0.5, nothing + 0.1, nothing, risk=np.array([0.01])),
    ):
        assert (low[0], high[0]) == (0, 1)


@pytest.mark.parametrize("freedom", [3.0, 9.0, 100.0])
def test_an_estimated_factor_is_seldom_exceeded(freedom):
    """The truth is above the factor that is used as often as is said; a known one is used as it is."""
    estimates = 5 * np.random.default_rng(1).chisquare(freedom, 100_000) / freedom
    used = cautious(estimates, np.full_like(estimates, freedom))
    assert (used < 5).mean() == pytest.approx(FACTOR_RISK, rel=0.15)
    assert cautious(np.array([5.0, 5.0]), np.array([np.inf, 9.0])).tolist()[0] == 5.0
