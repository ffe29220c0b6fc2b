"""Bets against a bounded mean: what they are by definition, and that the promised run length holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftwatch.kernels.evidence import BETS, RATIOS, bet, mean_bounds

LOSSES = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=60)


def walked(losses, low=0.1, high=0.3):
    """Bets on the rows of one cell from the beginning."""
    beginning = {"products": np.ones((1, 2, BETS)), "starts": np.zeros((1, 2, BETS))}
    return bet(np.array([losses]), low=np.array([low]), high=np.array([high]), **beginning)


@given(LOSSES, st.floats(0, 0.5), st.floats(0.5, 1))
def test_paths_are_the_recursion(losses, low, high):
    """Products, starts and evidence are R ← E · (R + 1) row by row, for a rise and, mirrored, for a fall."""
    paths = walked(losses, low, high)
    gain, states = RATIOS - 1, np.zeros((2, BETS))
    for row, loss in enumerate(losses, start=1):
        states[0] = (1 + gain * loss) / (1 + gain * high) * (states[0] + 1)
        states[1] = (1 + gain * (1 - loss)) / (1 + gain * (1 - low)) * (states[1] + 1)
        np.testing.assert_allclose((paths.products * paths.starts)[:, :, row, 0], states, rtol=1e-9)
        np.testing.assert_allclose(paths.evidence[:, row, 0], states.mean(axis=1), rtol=1e-9)


@given(LOSSES, st.data())
def test_cutting_changes_no_bit(losses, data):
    """Going on from any row gives the same bits as never having stopped, alone or among many cells."""
    cut = data.draw(st.integers(0, len(losses) - 1))
    cells = data.draw(st.sampled_from([1, 100]))
    whole = walked(losses)
    state = {name: getattr(whole, name)[:, :, cut].transpose(2, 0, 1) for name in ("products", "starts")}
    state = {name: np.repeat(value, cells, axis=0) for name, value in state.items()}
    rest = np.tile(losses[cut:], (cells, 1))
    later = bet(rest, low=np.full(cells, 0.1), high=np.full(cells, 0.3), **state)
    for name in ("products", "starts"):
        expected = getattr(whole, name)[:, :, cut:]
        np.testing.assert_array_equal(getattr(later, name), np.broadcast_to(expected, (*expected.shape[:3], cells)))


def test_cells_without_more_rows_stand_still():
    """NaN behind a cell's last row leaves its products as they are."""
    both = np.array([[1.0, 0.0, 1.0], [1.0, np.nan, np.nan]])
    beginning = {"products": np.ones((2, 2, BETS)), "starts": np.zeros((2, 2, BETS))}
    paths = bet(both, low=np.full(2, 0.1), high=np.full(2, 0.3), **beginning)
    alone = walked([1.0])
    np.testing.assert_array_equal(paths.products[:, :, 3, 1], alone.products[:, :, 1, 0])
    np.testing.assert_array_equal(paths.evidence[:, 1, 1], alone.evidence[:, 1, 0])


@pytest.mark.parametrize("mean", [0.02, 0.2, 0.5])
def test_a_bet_is_fair_at_the_bound(mean):
    """The expectation of every factor is 1 where the mean is the bound, for any two-point distribution."""
    for one, other in ((0.0, 1.0), (0.0, min(1.0, 3 * mean)), (mean / 2, 0.9)):
        weight = (mean - one) / (other - one)
        factors = [walked([x], mean, mean).products[:, :, 1, 0] for x in (one, other)]
        np.testing.assert_allclose((1 - weight) * factors[0] + weight * factors[1], 1.0, rtol=1e-12)


@pytest.mark.parametrize(("mean", "bound"), [(0.02, 0.02), (0.2, 0.2), (0.5, 0.5), (0.2, 0.21)])
def test_run_length_is_at_least_the_threshold(mean, bound):
    """Rows until either side's evidence passes 2 · A are A or more in the mean, where the mean is at its bound."""
    promised, cells, rows = 300.0, 400, 4000
    losses = (np.random.default_rng(5).random((cells, rows)) < mean).astype(float)
    state = {"products": np.ones((cells, 2, BETS)), "starts": np.zeros((cells, 2, BETS))}
    paths = bet(losses, low=np.full(cells, mean), high=np.full(cells, bound), **state)
    beyond = (paths.evidence >= 2 * promised).any(axis=0)
    first = np.where(beyond.any(axis=0), beyond.argmax(axis=0), rows)
    error = first.std() / np.sqrt(cells)
    # At 0.5 the bound is nearly reached. Runs that outlast the simulation count with its length, less than theirs.
    assert first.mean() + 3 * error > promised


@given(st.integers(1, 5000), st.floats(0, 1), st.floats(1e-4, 0.2))
def test_bounds_hold_the_exact_ones(rows, share, risk):
    """Bounds are never inside those of Clopper and Pearson, which are exact for 0/1 losses, and hold the mean."""
    hits = round(share * rows)
    low, high = mean_bounds(np.array([hits / rows]), np.array([rows]), risk=np.array([risk]))
    exact_low = stats.beta.ppf(risk, hits, rows - hits + 1) if hits else 0.0
    exact_high = stats.beta.ppf(1 - risk, hits + 1, rows - hits) if hits < rows else 1.0
    assert 0 <= low[0] <= exact_low + 1e-9
    assert exact_high - 1e-9 <= high[0] <= 1
