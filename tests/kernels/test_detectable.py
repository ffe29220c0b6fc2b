"""The least change a window would have shown: what is said of it, against windows that changed by so much."""

import numpy as np
import pytest
from scipy import special

from driftwatch.kernels.detectable import detectable_move, detectable_shift
from driftwatch.kernels.overdispersion import Overdispersion

NONE = Overdispersion.none(1)
EVEN = np.array([0.05])


def rows(n: float, m: float) -> tuple[np.ndarray, np.ndarray]:
    return np.array([n]), np.array([m])


def shift(
    n: float, m: float, *, level: float = 1e-3, share: np.ndarray = EVEN, factors: Overdispersion = NONE
) -> float:
    return float(detectable_shift(rows(n, m), level=level, greatest_share=share, factors=factors, power=0.8)[0])


def move(n: float, m: float, *, degrees: float = 4.0, level: float = 1e-3, factors: Overdispersion = NONE) -> float:
    of = rows(n, m), np.array([degrees])
    return float(detectable_move(*of, level=level, greatest_share=EVEN, factors=factors, power=0.8)[0])


def test_more_rows_and_a_laxer_level_show_less() -> None:
    """Four times the rows on both sides show half the change; a level further out needs more."""
    for least in (shift, move):
        assert least(4_000, 4_000) == pytest.approx(least(1_000, 1_000) / 2, rel=0.02)
        assert least(1_000, 1_000, level=1e-7) > least(1_000, 1_000) > least(1_000, 1_000, level=0.05)


def test_rows_that_hang_together_show_less() -> None:
    """A factor of four is a quarter of the rows, and one that is but estimated is worth fewer still."""
    four = np.full(1, 4.0)
    known = Overdispersion(four, four, four, four, np.array([np.inf]))
    guessed = Overdispersion(four, four, four, four, np.array([8.0]))
    for least in (shift, move):
        assert least(4_000, 4_000, factors=known) == pytest.approx(least(1_000, 1_000), rel=0.02)
        assert least(4_000, 4_000, factors=guessed) > least(4_000, 4_000, factors=known)


def test_a_score_finds_a_shift_where_cells_would_not() -> None:
    """That is why there are several tests."""
    assert shift(10_000, 500) < move(10_000, 500, degrees=11.0)


def test_what_cannot_be_found_is_all() -> None:
    """No rows, or a column of one cell."""
    assert shift(1_000, 0) == move(1_000, 0) == move(1_000, 1_000, degrees=0.0) == 1.0


@pytest.mark.parametrize(("n", "m"), [(10_000, 300), (10_000, 2_000), (1_000, 5_000)])
def test_a_shift_of_such_size_is_found_as_often_as_said(n: int, m: int) -> None:
    """A score test of normal values that moved by what is said finds four of five."""
    level = 1e-4
    variation = shift(n, m, level=level)
    apart = 2 * special.ndtri((variation + 1) / 2)
    dice = np.random.default_rng(3)
    deviates = dice.normal(apart, np.sqrt(1 / n + 1 / m), 20_000) / np.sqrt(1 / n + 1 / m)
    assert (special.ndtr(-deviates) * 2 <= level).mean() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(("n", "m"), [(10_000, 300), (10_000, 2_000), (1_000, 5_000)])
def test_a_move_of_such_size_is_found_as_often_as_said(n: int, m: int) -> None:
    """Half of eight equal cells lose what the others win."""
    level, degrees = 1e-4, 7
    variation = move(n, m, degrees=degrees, level=level)
    even = np.full(8, 1 / 8)
    moved = even + np.repeat([1, -1], 4) * variation / 4
    dice = np.random.default_rng(4)
    reference, current = dice.multinomial(n, even, 10_000), dice.multinomial(m, moved, 10_000)
    pooled = reference + current
    chi2 = ((current / m - reference / n) ** 2 / pooled).sum(axis=1) * n * m
    assert (special.chdtrc(degrees, chi2) <= level).mean() == pytest.approx(0.8, abs=0.06)
