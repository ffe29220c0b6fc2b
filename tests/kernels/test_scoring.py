"""The exact kernels against scikit-learn."""

import numpy as np
import pytest

from driftwatch.kernels import confusion, scoring

oracle = pytest.importorskip("sklearn.metrics", reason="scikit-learn is an oracle, not a dependency")

SHAPES = {
    "continuous": lambda rng, rows: rng.beta(0.6, 2.0, rows),
    "ties": lambda rng, rows: rng.integers(0, 12, rows) / 11,
    "atoms at the ends": lambda rng, rows: np.clip(rng.normal(0.4, 0.5, rows), 0, 1),
    "extreme": lambda rng, rows: rng.choice([0.0, 1e-300, 1e-17, 0.5, 1 - 1e-16, 1.0], rows),
    "one value": lambda _, rows: np.full(rows, 0.3),
    "all but equal": lambda rng, rows: 0.5 + 1e-12 * rng.random(rows),
}


@pytest.fixture(params=[(shape, rows) for shape in SHAPES for rows in (7, 400)], ids=lambda p: f"{p[0]}, {p[1]} rows")
def drawn(request):
    """Scores and labels; both classes are there."""
    shape, rows = request.param
    rng = np.random.default_rng(rows)
    scores = SHAPES[shape](rng, rows)
    labels = (rng.random(rows) < 0.2 + 0.6 * scores).astype(np.int8)
    labels[:2] = 0, 1
    return scores, labels


def test_metrics_of_scores_are_scikit_learns(drawn):
    """AUC, average precision, log loss and Brier to 1e-12."""
    scores, labels = drawn
    assert scoring.roc_auc(scores, labels) == pytest.approx(oracle.roc_auc_score(labels, scores), abs=1e-12)
    expected = oracle.average_precision_score(labels, scores)
    assert scoring.average_precision(scores, labels) == pytest.approx(expected, abs=1e-12)
    assert scoring.log_loss(scores, labels) == pytest.approx(oracle.log_loss(labels, scores), rel=1e-12)
    assert scoring.brier(scores, labels) == pytest.approx(oracle.brier_score_loss(labels, scores), abs=1e-12)


def test_ks_is_the_greatest_gap_of_the_roc_curve(drawn):
    """Over all thresholds, in both directions."""
    scores, labels = drawn
    false, true, _ = oracle.roc_curve(labels, scores, drop_intermediate=False)
    assert scoring.ks_score(scores, labels) == pytest.approx(np.abs(true - false).max(), abs=1e-12)


def test_log_loss_clips_by_the_type_of_the_scores():
    """A certain score that is wrong costs -ln ε of float32, or of float64."""
    for kind, precision in ((np.float32, 1e-6), (np.float64, 1e-12)):
        scores, labels = np.array([0.0, 1.0, 0.5], dtype=kind), np.array([1, 0, 1])
        assert scoring.log_loss(scores, labels) == pytest.approx(oracle.log_loss(labels, scores), rel=precision)


def test_calibration_error_by_hand():
    """Bins are closed on the right, and 0 is in the first."""
    scores, labels = np.array([0.0, 0.1, 0.11, 0.95, 1.0]), np.array([0, 1, 0, 1, 1])
    assert scoring.ece(scores, labels) == pytest.approx((abs(1 - 0.1) + 0.11 + abs(2 - 1.95)) / 5)


def test_calibration_error_of_calibrated_scores_is_sampling_noise():
    """Of a million rows it is below a thousandth."""
    rng = np.random.default_rng(0)
    scores = rng.random(1_000_000)
    assert scoring.ece(scores, rng.random(scores.size) < scores) < 2e-3


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_alone_has_no_ranking(label):
    """AUC and KS are undefined, average precision without a positive row; losses are not."""
    scores, labels = np.array([0.2, 0.7]), np.full(2, label)
    assert np.isnan(scoring.roc_auc(scores, labels))
    assert np.isnan(scoring.ks_score(scores, labels))
    assert np.isnan(scoring.average_precision(scores, labels)) == (label == 0)
    assert scoring.log_loss(scores, labels) == pytest.approx(oracle.log_loss(labels, scores, labels=[0, 1]))


def test_no_rows_have_no_metric():
    """Everything is NaN, and nothing warns."""
    scores, labels = np.empty(0), np.empty(0, dtype=int)
    for metric in (
        scoring.roc_auc,
        scoring.average_precision,
        scoring.ks_score,
        scoring.log_loss,
        scoring.brier,
        scoring.ece,
    ):
        assert np.isnan(metric(scores, labels)), metric


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("rows", [6, 300])
def test_metrics_of_predictions_are_scikit_learns(classes, rows):
    """Also where a class is never predicted, or never there; undefined shares are NaN in both."""
    rng = np.random.default_rng(classes * rows)
    for _ in range(20):
        labels, predictions = rng.integers(0, classes, (2, rows))
        predictions = np.where(rng.random(rows) < 0.4, labels, predictions % max(2, classes - 1))
        matrix, codes = confusion.confusion(labels, predictions, classes=classes), list(range(classes))
        assert (matrix == oracle.confusion_matrix(labels, predictions, labels=codes)).all()
        assert confusion.accuracy(matrix) == pytest.approx(oracle.accuracy_score(labels, predictions), abs=1e-12)
        for ours, theirs in (
            (confusion.precision, oracle.precision_score),
            (confusion.recall, oracle.recall_score),
            (confusion.f1, oracle.f1_score),
        ):
            options = {"labels": codes, "zero_division": np.nan}
            expected = theirs(labels, predictions, average=None, **options)
            np.testing.assert_allclose(ours(matrix), expected, atol=1e-12)
            means = theirs(labels, predictions, average="macro", **options)
            assert confusion.macro(ours(matrix)) == pytest.approx(means, abs=1e-12)
        if np.unique(labels).size > 1 < np.unique(predictions).size:
            assert confusion.mcc(matrix) == pytest.approx(oracle.matthews_corrcoef(labels, predictions), abs=1e-12)


def test_specificity_is_the_recall_of_the_other_classes():
    """Of each class against the rest."""
    labels, predictions = np.random.default_rng(0).integers(0, 3, (2, 200))
    found = confusion.specificity(confusion.confusion(labels, predictions, classes=3))
    expected = [oracle.recall_score(labels != code, predictions != code) for code in range(3)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_correlation_is_undefined_where_nothing_varies():
    """All labels, or all predictions, of one class: NaN, also when counts are weighted."""
    for matrix in ([[3, 4], [0, 0]], [[3, 0], [4, 0]], [[0.1, 0.7], [0.0, 0.0]]):
        assert np.isnan(confusion.mcc(np.array(matrix, dtype=float)))
    assert confusion.mcc(np.array([[1e9, 0.0], [0.0, 1.0]])) == pytest.approx(1.0)


def test_class_losses_are_scikit_learns():
    """Log loss of several classes, clipped by type, and the Brier score from 0 to 2."""
    rng = np.random.default_rng(4)
    for kind, precision in ((np.float64, 1e-12), (np.float32, 1e-6)):
        scores = rng.dirichlet(np.full(4, 0.4), 200).astype(kind)
        scores[0], labels = [1, 0, 0, 0], rng.integers(0, 4, 200)
        labels[0] = 1
        if kind is np.float64:
            expected = oracle.log_loss(labels, scores, labels=range(4))
            assert scoring.class_log_losses(scores, labels).mean() == pytest.approx(expected, rel=precision)
        assert scoring.class_log_losses(scores, labels)[0] == pytest.approx(-np.log(np.finfo(kind).eps))
        truth = np.eye(4)[labels]
        assert scoring.class_briers(scores, labels).mean() == pytest.approx(((scores - truth) ** 2).sum(axis=1).mean())
