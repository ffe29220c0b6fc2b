"""Bounds of means and shares: their limits, their direction, and their degenerate ends."""

import numpy as np
import pytest
from scipy import stats

from driftwatch.kernels.interval import Z
from driftwatch.kernels.mean_interval import Pair, ratio_interval, share_interval, skewed_point


def pair_of(x, v):
    """Moments of rows (rows,)."""
    rows, error = len(x), np.cov(x, v) / len(x)
    names = {"xx": x * x, "xv": x * v, "vv": v * v, "xxx": x**3, "xxv": x * x * v, "xvv": x * v * v, "vvv": v**3}
    return Pair(
        rows=np.array(float(rows)), x=x.mean(), v=v.mean(), error_xx=error[0, 0], error_xv=error[0, 1],
        error_vv=error[1, 1], **{name: values.mean() for name, values in names.items()},
    )  # fmt: skip


def test_a_symmetric_sample_has_students_interval():
    """Nothing is skewed, so nothing is bent."""
    x = np.concatenate([np.arange(1.0, 30.0), -np.arange(1.0, 30.0)]) + 5
    got = ratio_interval(pair_of(x, np.ones_like(x)))
    lower, upper = stats.t.interval(0.95, x.size - 1, loc=x.mean(), scale=stats.sem(x))
    assert (got.value, got.lower, got.upper) == pytest.approx((5, lower, upper), rel=1e-4)


def test_a_ratio_has_fiellers_interval():
    """Bounds are where the studentised mean of x - θ v reaches its points; both sides are checked there."""
    rng = np.random.default_rng(3)
    v = 10 + rng.normal(size=400)
    x = 3 * v + rng.normal(size=400)
    got = ratio_interval(pair_of(x, v))
    for bound, sign in ((got.lower, 1), (got.upper, -1)):
        d = x - bound * v
        assert sign * d.mean() / stats.sem(d) == pytest.approx(1.97, abs=0.1)


def test_a_tail_draws_out_its_own_side():
    """The longer side is the tail's, and mirroring the sample mirrors the interval."""
    x = np.exp(1.5 * np.random.default_rng(0).normal(size=300))
    one = np.ones_like(x)
    got, mirrored = ratio_interval(pair_of(x, one)), ratio_interval(pair_of(-x, one))
    assert got.upper - got.value > 1.5 * (got.value - got.lower)
    assert (mirrored.lower, mirrored.upper) == pytest.approx((-got.upper, -got.lower))


def test_a_denominator_that_may_be_zero_bounds_nothing():
    """Fieller's interval is then the whole line."""
    v = np.array([0.0] * 50 + [1.0])
    got = ratio_interval(pair_of(np.linspace(0, 1, 51), v))
    assert np.isfinite(got.value)
    assert (got.lower, got.upper) == (-np.inf, np.inf)


@pytest.mark.parametrize("rows", [30.0, 200.0, 5000.0])
def test_points_are_longer_on_the_tails_side(rows):
    """From the normal point on: longer towards a tail, shorter away from it, never absurd."""
    tilt = np.linspace(0.001, 1, 1000)
    towards, away = skewed_point(tilt, np.full(tilt.shape, rows)), skewed_point(-tilt, np.full(tilt.shape, rows))
    assert skewed_point(np.array(0.0), np.array(rows)) == pytest.approx(Z, rel=1e-4)
    assert (towards > Z).all()
    assert (towards < 30).all()
    assert (np.diff(away) < 0).all()
    assert ((away > 1) & (away < Z)).all()


@pytest.mark.parametrize(("hits", "rows"), [(0, 20), (20, 20), (1, 500), (499, 500), (40, 100)])
def test_a_share_near_its_ends_is_never_narrower_than_wilson(hits, rows):
    """Wilson's interval, or Clopper and Pearson's end within three rows of 0 or 1."""
    got = share_interval(np.array(hits / rows), np.array(float(rows)))
    wilson = stats.binomtest(hits, rows).proportion_ci(method="wilson")
    exact = stats.binomtest(hits, rows).proportion_ci(method="exact")
    near_zero, near_one = hits <= 3, rows - hits <= 3
    assert got.lower == pytest.approx(min(wilson.low, exact.low) if near_zero else wilson.low, abs=1e-9)
    assert got.upper == pytest.approx(max(wilson.high, exact.high) if near_one else wilson.high, abs=1e-9)
