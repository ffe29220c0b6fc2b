import numpy as np
import pytest

from driftwatch.kernels.calibration import Curve
from driftwatch.kernels.expected import (
    average_precision_by_row,
    class_chances,
    expected_binary,
    expected_class_bins,
    expected_classes,
    gather,
)


def rows_of(seed, rows=400, levels=20):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, rows) / levels
    chances = np.linspace(0.05, 0.9, levels)[(scores * levels).astype(int)]
    return scores, (scores > 0.4).astype(np.int64), chances


def test_average_precision_by_row_is_the_sum_over_sorted_rows():
    """The closed form equals the plain sum over rows from the highest score down."""
    scores, predicted, chances = rows_of(0)
    falling = np.sort(chances)[::-1]
    precision = np.cumsum(falling) / np.arange(1, falling.size + 1)
    found = expected_binary(scores, predicted, chances)["average_precision_by_row"]
    assert float(found) == pytest.approx((precision * falling).sum() / falling.sum(), abs=1e-12)


def test_leading_axes():
    """Many windows at once equal one after the other."""
    cells = [gather((s * 20).astype(np.int64), c, p, slots=21) for s, c, p in map(rows_of, range(3))]
    stacked = type(cells[0])(*(np.stack([getattr(c, n) for c in cells]) for n in ("rows", "positives", "spread")))
    alone = [float(average_precision_by_row(c)) for c in cells]
    assert average_precision_by_row(stacked) == pytest.approx(alone, abs=1e-14)


def classes_of(seed, rows=20_000, classes=3):
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.full(classes, 0.7), rows).round(2)
    return scores, scores.argmax(axis=1), [Curve(np.array([0.0, 1.0]), np.array([0.05, 0.9]))] * classes


def test_class_chances_sum_to_one():
    """Each class has its own calibration, all together one row."""
    scores, _, curves = classes_of(0)
    assert class_chances(scores, curves).sum(axis=1) == pytest.approx(1)


def test_classes_expect_what_drawn_labels_show():
    """Expected multiclass metrics are those of labels drawn from the chances, up to luck."""
    scores, predicted, curves = classes_of(1)
    chances = class_chances(scores, curves)
    found = expected_classes(scores, predicted, chances)
    draw = np.random.default_rng(2).random((predicted.size, 1))
    labels = (chances.cumsum(axis=1) < draw).sum(axis=1)
    shown = expected_classes(scores, predicted, np.eye(3)[labels])
    for name, value in found.items():
        assert float(value) == pytest.approx(float(shown[name]), abs=0.012), name


def test_class_bins_are_near_the_rows():
    """Histograms of scores give the same as rows, but for the normalisation, which is by predicted class."""
    scores, predicted, curves = classes_of(3)
    histogram = np.zeros((3, 3, 101))
    for k in range(3):
        np.add.at(histogram, (predicted, k, (scores[:, k] * 100).round().astype(int)), 1)
    chances = np.stack([curve.at(np.arange(101) / 100) for curve in curves])
    confusion, found = expected_class_bins(histogram, chances)
    assert confusion.sum(axis=1) == pytest.approx(np.bincount(predicted))
    exact = expected_classes(scores, predicted, class_chances(scores, curves))
    for name in ("accuracy", "precision", "recall", "f1", "specificity", "roc_auc", "average_precision"):
        assert float(found[name]) == pytest.approx(float(exact[name]), abs=0.01), name
