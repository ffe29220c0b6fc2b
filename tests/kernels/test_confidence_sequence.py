"""Bounds that hold at all times at once: their shape, their parts, and what they promise."""

import numpy as np
import pytest

from driftwatch.kernels.confidence_sequence import ALPHA, OPTIMUM, POWER_POINT, difference, harmonic, reach
from driftwatch.kernels.interval import Interval, Z
from driftwatch.kernels.mean_interval import share_interval


def interval(value, lower, upper):
    return Interval(*(np.asarray(part, dtype=float) for part in (value, lower, upper)))


def test_bounds_are_nearest_at_the_optimum():
    """No number of rows has a shorter reach in standard errors, and the constants in the docstring hold."""
    rows = np.geomspace(OPTIMUM / 1000, OPTIMUM * 1000, 601)
    far = reach(rows)
    assert rows[far.argmin()] == pytest.approx(OPTIMUM, rel=0.05)
    assert far.min() == pytest.approx(3.03, abs=0.01)
    assert reach(np.array([OPTIMUM / 10, OPTIMUM * 100])) / far.min() == pytest.approx([1.26, 1.18], abs=0.01)
    assert np.isinf(reach(np.zeros(1)))


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_reach_is_robbins_boundary(alpha):
    """√((V + r) log((V + r) / r α²)) / √V for one r and all V, V being rows of variance 1."""
    rows = np.array([10.0, 300.0, 20_000.0])
    far = reach(rows, alpha=alpha, optimum=300.0)
    x = far[1] ** 2 - 1  # at the optimum (1 + 1/x) x = x + 1
    unit = 300.0 / x
    assert far == pytest.approx(np.sqrt((rows + unit) * np.log((rows + unit) / (unit * alpha**2)) / rows), rel=1e-9)


def test_two_shares_have_newcombes_interval():
    """His own example (1998, table II, a): 56/70 and 48/80 differ by 0.2, from 0.0524 to 0.3339, by method 10."""
    one, other = (share_interval(np.array(hits / rows), np.array(float(rows))) for hits, rows in ((48, 80), (56, 70)))
    rows = harmonic(np.array(80.0), np.array(70.0))
    found, far = difference(one, other, rows=rows), float(reach(rows))
    assert found.value == pytest.approx(0.2)
    assert found.value - (found.value - found.lower) / far * Z == pytest.approx(0.0524, abs=1e-4)
    assert found.value + (found.upper - found.value) / far * Z == pytest.approx(0.3339, abs=1e-4)


def test_a_difference_swaps_its_sign_with_its_sides():
    """Nothing but the direction depends on who is the champion."""
    one, other = interval(0.7, 0.6, 0.75), interval(0.9, 0.8, 0.95)
    rows = np.array(500.0)
    forth, back = difference(one, other, rows=rows), difference(other, one, rows=rows)
    assert (forth.value, forth.lower, forth.upper) == pytest.approx((-back.value, -back.upper, -back.lower))
    assert forth.seen == pytest.approx(back.seen)


def test_what_could_have_been_seen_is_seen_in_four_of_five():
    """A true difference of `seen` is outside the bounds at this look with 80 % probability."""
    rng = np.random.default_rng(1)
    rows, error = np.array(1000.0), 0.01
    half = Z * error / np.sqrt(2)
    seen = difference(interval(0, -half, half), interval(0, -half, half), rows=rows).seen
    assert seen == pytest.approx((float(reach(rows)) + POWER_POINT) * error)
    estimates = seen + error * rng.normal(size=20_000)
    assert (estimates - reach(rows) * error > 0).mean() == pytest.approx(0.8, abs=0.01)


def test_what_is_unknown_stays_unknown():
    """NaN of either, and no rows at all."""
    unknown, known = interval(np.nan, np.nan, np.nan), interval(0.5, 0.4, 0.6)
    assert np.isnan(difference(unknown, known, rows=np.array(100.0)).lower)
    nothing = difference(known, known, rows=harmonic(np.array(0.0), np.array(10.0)))
    assert (nothing.lower, nothing.upper) == (-np.inf, np.inf)
    assert harmonic(np.array([0.0, 10.0, 5.0]), np.array([0.0, 10.0, 20.0])).tolist() == [0.0, 5.0, 4.0]


def test_a_motion_without_drift_hardly_ever_leaves():
    """4 000 walks of means of 10 to 20 000 rows, looked at after every 10: at most 5 % ever, and not far fewer."""
    rng = np.random.default_rng(3)
    steps, looks = 10, 2000
    rows = steps * np.arange(1.0, looks + 1)
    far = reach(rows)
    walks = np.sqrt(steps) * rng.normal(size=(4000, looks)).cumsum(axis=1) / np.sqrt(rows)
    ever = (np.abs(walks) > far).any(axis=1).mean()
    assert 0.02 < ever <= ALPHA
