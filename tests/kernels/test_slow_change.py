"""Bets on counts against a null with a tolerance: fair at its boundary, order-free, and with a run length."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.kernels import slow_change
from driftwatch.kernels.slow_change import BETS, GREATEST, POWERS, Null, Scored, Watch, evidence, log_bets, watch_on

LEVELS = (np.arange(16) + 0.5) / 16
SHARES = st.floats(0.01, 0.99)


def null_of(mean, *, rows=1e4, low=None, high=None, tolerance=0.0, learns=False, smooth=0):
    """One column with one score."""
    cell = np.array([[mean]], dtype=np.float64)
    return Null(
        smooth=smooth,
        mean=cell,
        variance=cell * (1 - cell) / (3 if smooth else 1),
        rows=np.full((1, 1), rows),
        low=cell if low is None else np.full((1, 1), low),
        high=cell if high is None else np.full((1, 1), high),
        tolerance=np.full((1, 1), tolerance),
        weights=np.ones((1, 1)),
        learns=learns,
    )


def hits_of(hits, rows):
    return Scored(rows, np.zeros((POWERS, 1, 0)), np.array([[float(hits)]]))


def levels_of(counts):
    """Rows of one smooth score, by level."""
    powers = [float(counts @ (LEVELS - 0.5) ** power) for power in range(1, POWERS + 1)]
    return Scored(int(counts.sum()), np.array(powers)[:, None, None], np.zeros((1, 0)))


@given(SHARES, st.integers(1, 40), st.floats(0, 0.2), st.sampled_from([1e2, 1e4, 1e6]))
def test_a_bet_on_a_share_is_fair_at_the_boundary(share, rows, tolerance, known):
    """The expectation of E over the binomial law is at most 1 where the mean is at the edge of what is tolerated."""
    null = null_of(share, rows=known, tolerance=tolerance)
    factor = np.ones((1, 1))
    wins = np.stack([log_bets(hits_of(k, rows), null, np.zeros((2, 1, 1)), factor=factor) for k in range(rows + 1)])
    for direction, edge in enumerate([min(1.0, share + tolerance), max(0.0, share - tolerance)]):
        law = _binomial(rows, edge)
        assert (np.einsum("k,kb->b", law, np.exp(wins[:, direction, :, 0, 0])) <= 1 + 1e-9).all()


def _binomial(rows, share):
    law = np.array([1.0])
    for _ in range(rows):
        law = np.convolve(law, [1 - share, share])
    return law


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 3), st.floats(0.001, 5), st.floats(-0.3, 0.3))
def test_a_bet_on_a_smooth_score_is_fair_at_the_boundary(seed, spread, slope, beyond):
    """The series of the logarithm stays below it: a row's expectation is at most 1 for any law with its mean."""
    law = np.random.default_rng(seed).dirichlet(np.full(LEVELS.size, spread))
    most = np.clip(law @ LEVELS + np.abs(beyond), 0, 1)
    least = np.clip(law @ LEVELS - np.abs(beyond), 0, 1)
    each = np.stack([smooth_bet(np.eye(LEVELS.size)[k], slope, most, least) for k in range(LEVELS.size)])
    assert (law @ np.exp(each) <= 1 + 1e-12).all()


@given(st.lists(st.integers(0, 50), min_size=LEVELS.size, max_size=LEVELS.size))
def test_a_window_is_worth_what_its_rows_are(counts):
    """The order of rows does not matter, only how many there are at each level."""
    each = np.stack([smooth_bet(np.eye(LEVELS.size)[k], 0.4, 0.55, 0.45) for k in range(LEVELS.size)])
    whole = smooth_bet(np.array(counts, dtype=np.float64), 0.4, 0.55, 0.45)
    np.testing.assert_allclose(whole, np.array(counts) @ each, rtol=1e-9, atol=1e-9)


def smooth_bet(counts, slope, most, least):
    """Log E of a rise above `most` and of a fall below `least`."""
    highs = np.array([most, 1 - least])[:, None, None, None]
    return slow_change._smooth(levels_of(counts), np.full((2, 1, 1, 1), slope), highs).ravel()


@pytest.mark.parametrize("factor", [1.0, 7.0])
def test_a_tempered_bet_is_fair_in_the_limit(factor):
    """With sums of rows that vary `factor` times as much, the tempered expectation is at most 1 plus its error."""
    rng = np.random.default_rng(4)
    rows, share = 4000, 0.4
    null, one = null_of(share), np.full((20_000, 1), factor)
    cells = ("mean", "variance", "rows", "low", "high", "tolerance", "weights")
    null = replace(null, **{name: np.repeat(getattr(null, name), 20_000, axis=0) for name in cells})
    hits = rows * share + np.sqrt(factor * rows * share * (1 - share)) * rng.standard_normal(20_000)
    many = Scored(rows, np.zeros((POWERS, hits.size, 0)), hits[:, None])
    wins = log_bets(many, null, np.zeros((2, 20_000, 1)), factor=one) / factor
    gained = np.exp(wins[..., 0])
    error = gained.std(axis=-1) / np.sqrt(hits.size)
    assert (gained.mean(axis=-1) <= 1 + 4 * error + 0.01).all()


@pytest.mark.parametrize("learns", [False, True])
def test_run_length_is_at_least_the_threshold(learns):
    """Windows until the evidence reaches A are A or more in the mean, over references of 1 000 rows."""
    promised, columns, windows, known, rows = 50.0, 400, 400, 1000, 300
    rng = np.random.default_rng(7)
    truth = rng.beta(400, 600, columns)
    mean = rng.binomial(known, truth)[:, None] / known
    reach = 4 * np.sqrt(0.24 / known)
    parts = (mean, mean * (1 - mean), np.full_like(mean, known), mean - reach, mean + reach)
    null = Null(0, *parts, tolerance=np.zeros_like(mean), weights=np.ones_like(mean), learns=learns)
    watch, first = Watch.empty(columns, 1), np.full(columns, float(windows))
    for window in range(windows):
        hits = rng.binomial(rows, truth)[:, None].astype(np.float64)
        watch = watch_on(watch, Scored(rows, np.zeros((POWERS, columns, 0)), hits), null, factor=np.ones_like(mean))
        first = np.where(evidence(watch, null) >= promised, np.minimum(first, window + 1), first)
    # Runs that outlast the simulation count with its length, less than theirs.
    assert first.mean() + 3 * first.std() / np.sqrt(columns) > promised


def test_windows_without_rows_change_nothing():
    """There is nothing to bet on, so the state stays bit by bit."""
    watch = Watch(np.full((2, BETS, 1, 1), 3.0), np.full((2, 1, 1), 5.0))
    assert watch_on(watch, hits_of(0, 0), null_of(0.3), factor=np.ones((1, 1))) is watch


def test_evidence_is_cut_and_comes_down_again():
    """Overwhelming evidence stays finite, and goes when the change has gone."""
    null, one, watch = null_of(0.3, rows=1e8), np.ones((1, 1)), Watch.empty(1, 1)
    for _ in range(300):
        watch = watch_on(watch, hits_of(100_000, 100_000), null, factor=one)
    assert evidence(watch, null)[0] == pytest.approx(GREATEST / 2, rel=1e-6)
    for _ in range(300):
        watch = watch_on(watch, hits_of(30_000, 100_000), null, factor=one)
    assert evidence(watch, null)[0] < 10


def test_what_has_changed_is_not_learnt():
    """Windows that speak loudly for a change leave the centre where it was."""
    null, one, watch = null_of(0.3, low=0.25, high=0.35, learns=True), np.ones((1, 1)), Watch.empty(1, 1)
    watch = watch_on(watch, hits_of(310, 1000), null, factor=one)
    learnt = watch.learnt
    assert learnt[:, 0, 0].tolist() == [310, 1000]
    watch = watch_on(watch, hits_of(800, 1000), null, factor=one)
    np.testing.assert_array_equal(watch.learnt, learnt)
