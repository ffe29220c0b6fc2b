import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from driftwatch.kernels.calibration import calibrate_bins, calibrate_rows, reliability


def sample(seed, rows=4000, decimals=2):
    rng = np.random.default_rng(seed)
    scores = rng.random(rows).round(decimals)
    return scores, (rng.random(rows) < scores**2).astype(float)


@pytest.mark.parametrize("seed", range(5))
def test_curve_is_scikit_learns(seed):
    """Chances at seen, unseen and far-off scores equal those of scikit-learn's isotonic regression."""
    scores, labels = sample(seed)
    at = np.linspace(-0.2, 1.2, 1001)
    oracle = IsotonicRegression(out_of_bounds="clip").fit(scores, labels).predict(at)
    assert np.abs(calibrate_rows(scores, labels).at(at) - oracle).max() < 1e-12


def test_weights_count_as_repeated_rows():
    """A row of weight two is two rows."""
    scores, labels = sample(1, rows=300)
    weights = np.random.default_rng(2).integers(1, 4, 300)
    repeated = calibrate_rows(np.repeat(scores, weights), np.repeat(labels, weights))
    assert np.abs(calibrate_rows(scores, labels, weights.astype(float)).chances - repeated.chances).max() < 1e-12


def binned(scores, labels, bins=50):
    slots = np.minimum((scores * bins).astype(int), bins - 1)
    labelled = np.zeros((bins + 1, 2, 2))
    np.add.at(labelled, (slots, (scores >= 0.5).astype(int), labels.astype(int)), 1)
    return slots, labelled, (np.arange(bins) + 0.5) / bins


def test_bins_equal_rows_that_sit_in_their_middles():
    """Binned calibration is the exact one of scores moved to the middles of their bins."""
    scores, labels = sample(3, decimals=9)
    slots, labelled, middles = binned(scores, labels)
    curve = calibrate_rows(middles[slots], labels)
    found = calibrate_bins(labelled, middles)
    assert np.abs(found.chances[:-1, 0] - curve.at(middles)).max() < 1e-12
    assert np.isnan(found.chances[-1]).all(), "no row without a score was labelled"


def test_bin_without_labels_lies_between_its_neighbours():
    """What was not seen is interpolated."""
    labelled = np.zeros((4, 2, 2))
    labelled[0, 0], labelled[2, 1] = (80, 20), (20, 80)
    found = calibrate_bins(labelled, np.array([0.0, 0.5, 1.0]))
    assert found.chances[:3, 0] == pytest.approx([0.2, 0.5, 0.8])


def test_rows_without_a_score_are_judged_by_their_class():
    """Without a score the chance is that of the predicted class."""
    labelled = np.zeros((3, 2, 2))
    labelled[0, 0], labelled[-1, 0], labelled[-1, 1] = (5, 5), (90, 10), (30, 70)
    assert calibrate_bins(labelled, np.array([0.2, 0.8])).chances[-1] == pytest.approx([0.1, 0.7])


def test_error_bar_covers_the_fitted_mean():
    """The blocks' standard errors are those that the mean chance over a population really has."""
    errors, claimed = [], []
    truth = (np.arange(50) + 0.5) / 50
    for seed in range(300):
        rng = np.random.default_rng(seed)
        scores = rng.random(2000)
        _, labelled, middles = binned(scores, (rng.random(2000) < scores).astype(float))
        found = calibrate_bins(labelled, middles)
        errors.append(found.chances[:-1, 0].mean() - truth.mean())
        mass = np.bincount(found.blocks[:-1, 0], minlength=found.variances.size) / 50
        claimed.append((mass**2 * found.variances).sum())
    assert np.sqrt(np.mean(claimed)) == pytest.approx(np.std(errors), rel=0.15)


def test_reliability_is_exact_in_tenths():
    """Rows, mean scores and shares of tenths equal those computed from rows; of a tenth without rows there are none."""
    scores, labels = sample(5, decimals=9)
    scores = np.where(scores > 0.9, 0.85, scores)
    slots, labelled, middles = binned(scores, labels, bins=40)
    found = reliability(labelled[:-1].sum(axis=1), np.bincount(slots, scores, minlength=40), (middles * 10).astype(int))
    tenths = np.minimum((scores * 10).astype(int), 9)
    rows = np.bincount(tenths, minlength=10)[:9]
    assert found.rows.tolist() == [*rows, 0]
    assert found.scores[:9] == pytest.approx(np.bincount(tenths, scores) / rows, abs=1e-12)
    assert found.shares[:9] == pytest.approx(np.bincount(tenths, labels) / rows, abs=1e-12)
    assert np.isnan([found.scores[9], found.shares[9]]).all()
