"""Chances of several classes, learned from labelled counts."""

import numpy as np
import pytest

from driftwatch.kernels.class_calibration import calibrate_classes, shares_of

MIDDLES = np.array([0.1, 0.5, 0.9])


def test_each_side_has_its_own_curve():
    """Of the rows that are predicted as the class more are of it than of the others with that score."""
    counts = np.zeros((2, 2, 3, 2), dtype=np.int64)
    counts[0, 0], counts[0, 1] = [[9, 1], [6, 4], [0, 0]], [[0, 0], [4, 6], [1, 9]]
    counts[1, 0] = [[5, 5], [5, 5], [5, 5]]
    found = calibrate_classes(counts, MIDDLES)
    assert found.chances[0] == pytest.approx(np.array([[0.1, 0.4, 0.4], [0.6, 0.6, 0.9]]))
    assert found.chances[1] == pytest.approx(np.full((2, 3), 0.5)), "never predicted: what is known of the others"
    assert found.blocks[0].tolist() == [[0, 1, 1], [2, 2, 3]]
    share = 6.5 / 11
    assert found.variances[[1, 2]] == pytest.approx([4.5 / 11 / 10, share * (1 - share) / 10])


def test_the_predicted_class_keeps_its_chance():
    """The others share the rest in proportion to theirs, or alike where none has any; no class need be predicted."""
    raw = np.array([[0.6, 0.1, 0.1], [0.7, 0.0, 0.0], [0.2, 0.2, 0.4]])
    predicted = np.array([[True, False, False], [True, False, False], [False, False, False]])
    found = shares_of(raw, predicted)
    assert found.chances == pytest.approx(np.array([[0.6, 0.2, 0.2], [0.7, 0.15, 0.15], [0.25, 0.25, 0.5]]))


def test_how_far_a_chance_moves_with_a_calibrated_one():
    """Against finite differences: by `scale` what is added less its mean over those that are not predicted."""
    rng = np.random.default_rng(0)
    raw, added = rng.uniform(0.05, 0.3, (1, 4)), rng.normal(size=(1, 4))
    predicted = np.array([[False, True, False, False]])
    found = shares_of(raw, predicted)
    slope = (added - (found.rest * added).sum()) * found.scale
    for place in range(4):
        step = 1e-6 * np.eye(4)[[place]]
        sides = [(shares_of(raw + sign * step, predicted).chances * added).sum() for sign in (1, -1)]
        assert slope[0, place] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-5)
