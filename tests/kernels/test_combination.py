"""Laws of single statistics where rows hang together, and the combination of several."""

import numpy as np
import pytest
from scipy import special, stats

from driftwatch.kernels.combination import Components, tail

ONE, KNOWN = np.ones(1), np.array([np.inf])


def combined(**chances: float) -> float:
    values = {name: np.array([chance]) for name, chance in chances.items()}
    return float(Components(values, dict.fromkeys(values, ONE)).combined()[0])


def test_independent_rows_have_the_chi_square_law() -> None:
    """With factors of 1 nothing is bent, far out too."""
    statistic = np.array([3.0, 30.0, 90.0])
    one, known = np.ones(3), np.full(3, np.inf)
    for degrees in (1.0, 11.0):
        told = tail(statistic, degrees, mean=one, greatest=one, freedom=known)
        assert told == pytest.approx(stats.chi2.sf(statistic, degrees), rel=1e-9)


@pytest.mark.parametrize("freedom", [8, 30])
def test_an_estimated_factor_keeps_the_level(freedom: int) -> None:
    """A factor that was itself estimated with few degrees of freedom costs what Fisher's F says it costs."""
    dice = np.random.default_rng(5)
    count, degrees = 200_000, 5
    statistic = 3 * dice.chisquare(degrees, count)
    factor = 3 * dice.chisquare(freedom, count) / freedom
    told = tail(statistic, degrees, mean=factor, greatest=factor, freedom=np.full(count, float(freedom)))
    for level in (0.01, 0.001):
        assert abs((told <= level).sum() - level * count) < 4 * np.sqrt(level * count)


def test_unequal_factors_are_bounded_by_the_greatest() -> None:
    """A form with one great factor and many small ones is never called rarer than it is, beyond 1 in 100."""
    dice = np.random.default_rng(6)
    factors = np.array([19.0, 9.5, 6.4, 4.8, 3, 2, 1.5, 1, 1, 1, 1])
    statistic = dice.chisquare(1, (200_000, factors.size)) @ factors
    one = np.ones(statistic.size)
    told = tail(statistic, factors.size, mean=factors.mean() * one, greatest=factors.max() * one, freedom=one * np.inf)
    for level in (0.01, 0.001):
        assert (told <= level).mean() <= level


def test_without_degrees_there_is_no_evidence() -> None:
    """A column of one cell has nothing to tell."""
    assert tail(np.zeros(1), np.zeros(1), mean=ONE, greatest=ONE, freedom=KNOWN).tolist() == [1.0]


def test_combining_costs_no_more_than_counting_the_tests() -> None:
    """One test that is sure is worth its share, and certainty of the others takes nothing away."""
    one = combined(a=1e-8, b=1.0, c=1.0, d=1.0)
    assert 3.9e-8 < one < 4.5e-8
    assert combined(a=1e-8, b=1e-8, c=1e-8, d=1e-8) < one / 3.5


def test_combination_falls_with_each_component() -> None:
    """More evidence in one test is never less in all."""
    grid = [combined(a=a, b=0.3) for a in (1.0, 0.9, 0.5, 0.1, 1e-3, 1e-9, 1e-40, 0.0)]
    assert grid == sorted(grid, reverse=True)
    assert 0 <= grid[-1] < 1e-200 < grid[0] <= 1


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.99])
def test_combination_keeps_the_level_whatever_hangs_together(correlation: float) -> None:
    """Tests of the same rows are dependent."""
    dice = np.random.default_rng(7)
    count = 300_000
    shared = dice.normal(size=count) * np.sqrt(correlation)
    chances = {
        str(test): 2 * special.ndtr(-np.abs(shared + np.sqrt(1 - correlation) * dice.normal(size=count)))
        for test in range(4)
    }
    told = Components(chances, {name: np.ones(count) for name in chances}).combined()
    for level in (0.01, 0.001):
        assert (told <= level).sum() <= stats.binom.ppf(0.99, count, level)
        assert (told <= level).mean() > 0.7 * level


def test_nothing_tested_is_no_evidence() -> None:
    """Without weight there is no p-value but 1."""
    assert Components({"a": np.zeros(1)}, {"a": np.zeros(1)}).combined().tolist() == [1.0]
