"""A multiclass model's metrics from its state: their values and their bounds."""

import numpy as np
import pytest

from driftwatch.kernels import scoring
from driftwatch.statistics.multiclass import baseline_accuracy, class_metrics, multiclass_metrics
from driftwatch.stream.outputs import LABELLED, Answers, OutputForm
from driftwatch.stream.schema import Task
from driftwatch.summaries.multiclass import MulticlassState

FORM = OutputForm(Task.MULTICLASS, ("a", "b", "c", "d"))
CLASSES = len(FORM.classes)
COSTS = np.eye(CLASSES + 1) * 2 - 1


def answers_of(seed, rows):
    """Calibrated scores of four classes, one of them rare."""
    rng = np.random.default_rng(seed)
    scores = np.exp(rng.normal(size=(rows, CLASSES)) * 1.5 + [1.0, 0.5, 0.0, -1.5])
    scores /= scores.sum(axis=1, keepdims=True)
    outputs, outcomes = np.zeros(rows, dtype=FORM.outputs), np.zeros(rows, dtype=FORM.outcomes)
    outputs["scores"], outputs["prediction"] = scores, scores.argmax(axis=1)
    outcomes["label"] = np.minimum((scores.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1), CLASSES - 1)
    return Answers(
        outputs=outputs,
        outcomes=outcomes,
        state=np.full(rows, LABELLED, dtype=np.uint8),
        delays_ms=np.zeros(rows, dtype=np.int64),
    )


@pytest.mark.parametrize("rows", [40, 3000])
def test_values_are_scikit_learns(rows):
    """Counts and losses to rounding; AUC and average precision 5e-4 at 3 000 rows."""
    oracle = pytest.importorskip("sklearn.metrics", reason="scikit-learn is an oracle, not a dependency")
    answers = answers_of(1, rows)
    labels, said = answers.outcomes["label"].astype(int), answers.outputs["prediction"].astype(int)
    scores = answers.outputs["scores"]
    state = MulticlassState.of(answers, FORM)
    found, of_classes = multiclass_metrics(state, costs=COSTS), class_metrics(state)
    options = {"labels": list(range(CLASSES)), "zero_division": np.nan}
    expected = {
        "accuracy": oracle.accuracy_score(labels, said),
        "mcc": oracle.matthews_corrcoef(labels, said),
        "precision": oracle.precision_score(labels, said, average="macro", **options),
        "recall": oracle.recall_score(labels, said, average="macro", **options),
        "f1": oracle.f1_score(labels, said, average="macro", **options),
        "log_loss": scoring.class_log_losses(scores, labels).mean(),
        "brier": scoring.class_briers(scores, labels).mean(),
        "value_per_prediction": 2 * oracle.accuracy_score(labels, said) - 1,
    }
    for name, value in expected.items():
        assert float(found[name].value) == pytest.approx(value, rel=1e-9), name
    for name in ("precision", "recall", "f1"):
        value = getattr(oracle, f"{name}_score")(labels, said, average=None, **options)
        np.testing.assert_allclose(of_classes[name].value, value, rtol=1e-9, err_msg=name)
    limit = 5e-4 if rows > 1000 else 1e-2
    for name, metric in (("roc_auc", scoring.roc_auc), ("average_precision", scoring.average_precision)):
        exact = [metric(scores[:, code].astype(float), labels == code) for code in range(CLASSES)]
        np.testing.assert_allclose(of_classes[name].value, exact, atol=limit, err_msg=name)
        assert float(found[name].value) == pytest.approx(np.nanmean(exact), abs=limit)


def test_bounds_hold_the_truth_as_often_as_said():
    """93 % or more, of each class and of all, less three standard deviations of so many windows."""
    windows, rows = 300, 300
    truth = MulticlassState.of(answers_of(0, 400_000), FORM)
    state = MulticlassState.of_cells(
        answers_of(2, windows * rows), FORM, cells=np.repeat(np.arange(windows), rows), count=windows
    )
    for metrics in (multiclass_metrics, class_metrics):
        true, found = metrics(truth), metrics(state)
        for name, interval in found.items():
            value = true[name].value if name != "ece" else 0.0
            held = (interval.lower <= value) & (value <= interval.upper) | np.isnan(interval.value)
            assert (held.mean(axis=0) > 0.93 - 3 * np.sqrt(0.93 * 0.07 / windows)).all(), (name, held.mean(axis=0))


def test_a_class_that_is_not_there_leaves_the_mean():
    """Undefined metrics of a class are NaN; the mean is over the others."""
    answers = answers_of(3, 500)
    gone = (answers.outcomes["label"] != 3) & (answers.outputs["prediction"] != 3)
    some = Answers(answers.outputs[gone], answers.outcomes[gone], answers.state[gone], answers.delays_ms[gone])
    state = MulticlassState.of(some, FORM)
    found, of_classes = multiclass_metrics(state), class_metrics(state)
    for name in ("recall", "f1", "roc_auc", "average_precision"):
        assert np.isnan(of_classes[name].value).tolist() == [False, False, False, True], name
        assert float(found[name].value) == pytest.approx(np.nanmean(of_classes[name].value)), name
        assert found[name].lower <= found[name].value <= found[name].upper


def test_unknown_classes_count_as_wrong():
    """A label or prediction that no one knows is an error, and has no loss."""
    answers = answers_of(4, 100)
    answers.outcomes["label"][:10] = CLASSES
    state = MulticlassState.of(answers, FORM)
    right = (answers.outcomes["label"] == answers.outputs["prediction"]).mean()
    assert float(multiclass_metrics(state)["accuracy"].value) == pytest.approx(right)
    assert state.confidence[:, 0].sum() == 90


def test_few_rows_have_bounds_around_their_values():
    """Or NaN throughout; no row has no metric."""
    for rows in (0, 1, 2, 7):
        state = MulticlassState.of(answers_of(rows, rows), FORM)
        for metrics in (multiclass_metrics, class_metrics):
            for name, interval in metrics(state).items():
                known = ~np.isnan(interval.value)
                assert (np.isnan(interval.lower) == ~known).all(), (name, rows)
                assert (interval.lower[known] <= interval.value[known] + 1e-9).all(), (name, rows)
                assert (interval.value[known] <= interval.upper[known] + 1e-9).all(), (name, rows)
                assert known.any() or rows < 7, name


def test_the_baseline_is_the_share_of_the_most_frequent_class():
    """Of labels."""
    answers = answers_of(5, 200)
    expected = np.bincount(answers.outcomes["label"]).max() / 200
    assert float(baseline_accuracy(MulticlassState.of(answers, FORM))) == pytest.approx(expected)
