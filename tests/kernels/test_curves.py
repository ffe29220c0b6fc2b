"""AUC, average precision and KS from score bins: where nothing is lost, and how much otherwise."""

import numpy as np
import pytest

from driftwatch.kernels import scoring
from driftwatch.kernels.curves import Bins, auc_curve, gap_curve, precision_curve
from driftwatch.summaries.scores import ScoreGrid


def bins_of(scores, labels, edges, weights=None):
    """Rows over right-closed bins."""
    edges = np.asarray(edges, dtype=float)
    slots, widths = np.searchsorted(edges, scores), np.diff(edges, prepend=edges[0] - 1)
    place = (edges[slots] - scores) / widths[slots]
    weights = np.ones(scores.size) if weights is None else weights

    def summed(code, power):
        return np.bincount(slots, weights=weights * (labels == code) * place**power, minlength=edges.size)

    sums = [np.stack([summed(code, 1), summed(code, 2)], axis=-1) for code in (0, 1)]
    return Bins.of(summed(1, 0), summed(0, 0), positive_sums=sums[1], negative_sums=sums[0])


def rows(seed, count=1000):
    rng = np.random.default_rng(seed)
    scores = rng.beta(1.0, 3.0, count)
    return scores, (rng.random(count) < scores).astype(int)


def test_nothing_is_lost_where_a_bin_holds_one_score():
    """Tied scores are one bin: the binned values are the exact ones."""
    scores, labels = rows(0)
    scores = np.round(scores, 1)
    bins = bins_of(scores, labels, np.arange(11) / 10)
    assert auc_curve(bins).value == pytest.approx(scoring.roc_auc(scores, labels), abs=1e-12)
    assert precision_curve(bins).value == pytest.approx(scoring.average_precision(scores, labels), abs=1e-12)
    assert gap_curve(bins).value == pytest.approx(scoring.ks_score(scores, labels), abs=1e-12)


def test_nothing_is_lost_where_a_bin_holds_one_row_of_each_class():
    """Their places in the bin tell which has the greater score."""
    scores = np.array([0.11, 0.18, 0.24, 0.27, 0.5, 0.9])
    for labels in (np.array([0, 1, 1, 0, 0, 1]), np.array([1, 0, 0, 1, 1, 0])):
        bins = bins_of(scores, labels, np.arange(11) / 10)
        assert auc_curve(bins).value == pytest.approx(scoring.roc_auc(scores, labels), abs=1e-12)
        assert precision_curve(bins).value == pytest.approx(scoring.average_precision(scores, labels), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_a_coarse_grid_loses_little(seed):
    """Means and variances within ten wide bins leave errors below half a hundredth."""
    scores, labels = rows(seed)
    bins = bins_of(scores, labels, np.arange(11) / 10)
    assert auc_curve(bins).value == pytest.approx(scoring.roc_auc(scores, labels), abs=2e-3)
    assert precision_curve(bins).value == pytest.approx(scoring.average_precision(scores, labels), abs=5e-3)


def test_weights_stand_for_rows():
    """A row of weight 3 is three rows."""
    scores, labels = rows(1, 300)
    weights = np.random.default_rng(2).integers(1, 4, scores.size)
    scores = np.round(scores, 2)
    edges = ScoreGrid.of().edges
    few = bins_of(scores, labels, edges, weights.astype(float))
    many = bins_of(np.repeat(scores, weights), np.repeat(labels, weights), edges)
    for curve in (auc_curve, precision_curve, gap_curve):
        assert curve(few).value == pytest.approx(curve(many).value, abs=1e-12)


def influence(curve, scores, labels, place):
    """By how much one more row moves a metric, numerically."""
    step = 1e-4
    edges = ScoreGrid.of().edges
    base = np.ones(scores.size)
    moved = base.copy()
    moved[place] += step
    values = [curve(bins_of(scores, labels, edges, weights)).value for weights in (base, moved)]
    return (values[1] - values[0]) / step


@pytest.mark.parametrize("curve", [auc_curve, precision_curve])
def test_influences_are_derivatives(curve):
    """What a row of a bin moves is what the variance is made of."""
    scores, labels = rows(3, 400)
    scores = np.round(scores, 2)
    bins = bins_of(scores, labels, ScoreGrid.of().edges)
    found, slots = curve(bins), np.searchsorted(ScoreGrid.of().edges, scores)
    totals = bins.negatives.sum(), bins.positives.sum()
    for place in range(0, 400, 37):
        by = found.by_positive if labels[place] else found.by_negative
        total = totals[1] if curve is precision_curve else totals[labels[place]]
        expected = influence(curve, scores, labels, place) * total
        assert by[slots[place]] == pytest.approx(expected, abs=0.02 if curve is precision_curve else 1e-3)


def test_tied_rows_move_each_other():
    """Where all scores of a bin are one, the influence on average precision is the derivative by its counts."""
    counts = np.array([[40.0, 5.0], [30.0, 12.0], [9.0, 25.0]])
    edges = np.array([0.0, 0.3, 0.6])

    def found(counts):
        scores, labels = np.repeat(edges, 2), np.tile([0, 1], 3)
        return precision_curve(bins_of(scores, labels, edges, weights=counts.ravel()))

    exact = found(counts)
    for place, label in np.ndindex(counts.shape):
        more = counts.copy()
        more[place, label] += 1e-6
        slope = (found(more).value - exact.value) / 1e-6 * counts[:, 1].sum()
        by = exact.by_positive if label else exact.by_negative
        assert by[place] == pytest.approx(slope, abs=1e-4)


def test_empty_bins_have_no_value():
    """Nor has one class alone; average precision needs a positive row only."""
    nothing = np.zeros(3)
    sums = np.zeros((3, 2))
    for positives, negatives, known in ((0, 0, 0), (0, 1, 0), (1, 0, 1)):
        bins = Bins.of(nothing + positives, nothing + negatives, positive_sums=sums, negative_sums=sums)
        assert np.isnan(auc_curve(bins).value)
        assert np.isnan(precision_curve(bins).value) == (not known)
