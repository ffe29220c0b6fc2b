"""The false discovery rate: which tests count as findings."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from driftwatch.kernels.discovery import by_e_values, by_p_values, e_values_of


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("tests", [1, 7, 200])
def test_as_scipy_adjusts(tests: int, rate: float) -> None:
    """Found is exactly what has an adjusted p-value of at most the rate."""
    p_values = np.random.default_rng(tests).beta(0.3, 2.0, tests)
    assert np.array_equal(by_p_values(p_values, rate=rate), false_discovery_control(p_values) <= rate)


def test_what_is_no_test_is_not_counted() -> None:
    """A column that could not be tested neither is a finding nor makes the others fewer."""
    p_values = np.array([0.04, np.nan, 0.02, np.nan])
    assert by_p_values(p_values, rate=0.05).tolist() == [True, False, True, False]
    assert not by_p_values(np.array([np.nan]), rate=0.05).any()
    assert by_p_values(np.array([]), rate=0.05).shape == (0,)


def test_e_values_need_tests_over_rate() -> None:
    """The only finding among ten needs e ≥ 10 / rate; two findings need half of that each."""
    alone, pair = np.ones(10), np.ones(10)
    alone[3], pair[3:5] = 200.0, 100.0
    assert by_e_values(alone, rate=0.05).tolist() == (np.arange(10) == 3).tolist()
    assert by_e_values(pair, rate=0.05).sum() == 2
    assert not by_e_values(alone - 1, rate=0.05).any()
    assert by_e_values(np.array([np.inf, 0.0, np.nan]), rate=0.05).tolist() == [True, False, False]


def test_false_findings_stay_within_the_rate() -> None:
    """Half of 40 tests are null: the mean share of false findings is at most rate / 2 and its error."""
    random = np.random.default_rng(0)
    shares = []
    for _ in range(2_000):
        p_values = random.uniform(size=40)
        p_values[:20] *= 1e-3
        found = by_p_values(p_values, rate=0.2)
        shares.append(found[20:].sum() / max(1, found.sum()))
    assert np.mean(shares) == pytest.approx(0.1, abs=0.01)


def test_p_values_as_e_values() -> None:
    """Their mean over uniform p is 1, they fall with p, and a NaN stays one."""
    p = (np.arange(2_000_000) + 0.5) / 2_000_000
    e = e_values_of(p)
    # What lies below the grid's first point is missing: ∫ from 0 to p of it is 1 / |ln p| at most.
    assert 1 - 1 / np.log(2_000_000) - 0.01 < e.mean() < 1
    assert np.all(np.diff(e[:-1]) <= 0)
    assert e[-1] == pytest.approx(0.5, abs=1e-3)
    assert np.isnan(e_values_of(np.array([np.nan]))).all()
    assert np.isfinite(e_values_of(np.array([0.0, 1.0]))).all()
