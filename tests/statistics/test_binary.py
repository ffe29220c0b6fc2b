"""A binary classifier's metrics from the binned state: their values, their bounds, and weights."""

import numpy as np
import pytest

from driftwatch.kernels import confusion, scoring
from driftwatch.statistics.binary import Costs, baseline_accuracy, binary_metrics
from driftwatch.stream.outputs import WAITING
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.scores import ScoreGrid
from tests.benchmarks.intervals_classification import COSTS, FORM, Model, answers_of, coverage, of_matrix

COUNTED = {"accuracy", "precision", "recall", "f1", "specificity", "mcc", "ctr", "value_per_prediction"}

SHAPES = {
    "even": lambda rng, rows: rng.beta(2, 2, rows),
    "at both ends": lambda rng, rows: rng.beta(0.5, 0.5, rows),
    "2 % near 0": lambda rng, rows: rng.beta(0.1, 4.9, rows),
    "2 % at 0": lambda rng, rows: rng.beta(0.006, 0.294, rows),
    "near 1": lambda rng, rows: 1 - rng.beta(0.2, 9, rows),
    "between 0.49 and 0.51": lambda rng, rows: 0.49 + 0.02 * rng.random(rows),
    "two decimals": lambda rng, rows: np.round(rng.beta(0.5, 4, rows), 2),
}


def exact(scores, labels, threshold=0.5):
    """Every metric from the rows themselves."""
    matrix = confusion.confusion(labels, (scores >= threshold).astype(int), classes=2)
    return {
        **of_matrix(matrix),
        "ctr": labels.mean(),
        "value_per_prediction": (matrix * COSTS.matrix).sum() / labels.size,
        "roc_auc": scoring.roc_auc(scores, labels),
        "average_precision": scoring.average_precision(scores, labels),
        "ks_score": scoring.ks_score(scores, labels),
        "log_loss": scoring.log_loss(scores, labels),
        "brier": scoring.brier(scores, labels),
        "ece": scoring.ece(scores, labels),
    }


def state_of(scores, labels, grid=None):
    return BinaryState.of(answers_of(scores, labels), FORM, grid=grid or ScoreGrid.of())


def drawn(shape, seed, rows=5000):
    """Scores of a shape, and labels that follow them."""
    rng = np.random.default_rng(seed)
    scores = SHAPES[shape](rng, rows)
    likely = (scores - 0.49) / 0.02 if "0.49" in shape else scores
    return scores, (rng.random(rows) < likely).astype(np.int8)


@pytest.mark.parametrize("drifted", [False, True], ids=["as the reference", "away from it"])
@pytest.mark.parametrize("shape", SHAPES)
def test_bins_cost_less_than_is_said(shape, drifted):
    """AUC and average precision 5e-4, KS a bin's share, all others rounding; also far away from the reference."""
    reference = SHAPES["between 0.49 and 0.51" if drifted else shape](np.random.default_rng(99), 50_000)
    grid = ScoreGrid.of(np.quantile(reference, np.arange(129) / 128))
    for seed in range(4):
        scores, labels = drawn(shape, seed)
        state = state_of(scores, labels, grid)
        found, expected = binary_metrics(state, costs=COSTS), exact(scores, labels)
        fullest = max(state.labelled.sum(axis=1)[:, label].max() / (labels == label).sum() for label in (0, 1))
        limits = {"roc_auc": 5e-4, "average_precision": 5e-4, "ks_score": fullest}
        assert set(found) == set(expected)
        for name, interval in found.items():
            assert float(interval.value) == pytest.approx(expected[name], abs=limits.get(name, 1e-9), nan_ok=True), name


def test_bounds_hold_the_value_and_keep_to_the_range():
    """Whatever the shape and however few rows."""
    for shape in SHAPES:
        for rows in (1, 2, 5, 30):
            for seed in range(20):
                found = binary_metrics(state_of(*drawn(shape, seed, rows)), costs=COSTS)
                for name, interval in found.items():
                    value, lower, upper = float(interval.value), float(interval.lower), float(interval.upper)
                    if np.isnan(value):
                        assert np.isnan(lower), (name, shape, rows)
                        assert np.isnan(upper), (name, shape, rows)
                        continue
                    assert lower - 1e-9 <= value <= upper + 1e-9, (name, shape, rows, seed)
                    low = {"mcc": -1, "value_per_prediction": -5}.get(name, 0)
                    high = {"value_per_prediction": 4, "log_loss": np.inf}.get(name, 1)
                    assert low <= lower <= upper <= high, (name, shape, rows, seed, lower, upper)


SHORT = [(Model(0.5, 0.75), 200), (Model(0.1, 0.85, 0.5), 1000), (Model(0.02, 0.97), 1000)]
WINDOWS = 250


@pytest.mark.parametrize(("model", "rows"), SHORT, ids=lambda part: getattr(part, "name", str(part)))
def test_bounds_hold_the_truth_as_often_as_said(model, rows):
    """93 % or more, less three standard deviations of a simulation of this length."""
    for name, held in coverage(model, rows, windows=WINDOWS).items():
        assert held.coverage > 0.93 - 3 * np.sqrt(0.93 * 0.07 / WINDOWS), (name, held)


def test_bounds_of_weighted_rows_hold_the_truth():
    """Labels that come twice as often at high scores, weighted back: the bounds are as wide as they should be."""
    model, rng, missed = Model(0.5, 0.75), np.random.default_rng(0), {}
    truth, grid = model.truth(), model.grid
    for _ in range(150):
        scores, labels = model.rows(rng, 1500)
        answers = answers_of(scores, labels, threshold=model.threshold)
        arrival = np.where(scores > 0.5, 0.8, 0.3)
        answers.state[rng.random(scores.size) > arrival] = WAITING
        state = BinaryState.of(answers, FORM, grid=grid)
        upper = np.append(grid.edges > 0.5, False)
        weights = np.where(upper, 1 / 0.8, 1 / 0.3)[:, None] * np.ones(2)
        found = binary_metrics(state.reweighted(weights), spread=state.reweighted(weights**2), costs=COSTS)
        for name, interval in found.items():
            out = not interval.lower - 1e-12 <= truth[name] <= interval.upper + 1e-12
            missed[name] = missed.get(name, 0) + out
    assert max(missed.values()) <= 17, missed  # 7.5 expected; P(more than 17) < 0.1 %


def test_weights_of_one_are_no_weights():
    """And doubling all weights changes no value and no bound."""
    state = state_of(*drawn("even", 0, 300))
    plain = binary_metrics(state, costs=COSTS)
    for factor in (1.0, 2.0):
        weights = np.full(state.predicted.shape, factor)
        found = binary_metrics(state.reweighted(weights), spread=state.reweighted(weights**2), costs=COSTS)
        for name, interval in found.items():
            assert float(interval.value) == pytest.approx(float(plain[name].value), rel=1e-9), name
            # Half rows are added to weighted counts, so that bounds of weighted rows differ a little.
            assert float(interval.lower) == pytest.approx(float(plain[name].lower), rel=0.02, abs=0.01), name
            assert float(interval.upper) == pytest.approx(float(plain[name].upper), rel=0.02, abs=0.01), name


def test_many_windows_at_once_are_each_alone():
    """Leading axes change nothing."""
    model = Model(0.1, 0.85, 0.5)
    state = model.windows(np.random.default_rng(0), 50, 6)
    together = binary_metrics(state, costs=COSTS)
    for window in range(6):
        alone = BinaryState(state.grid, state.predicted[window], state.labelled[window], state.sums[window])
        for name, interval in binary_metrics(alone, costs=COSTS).items():
            np.testing.assert_allclose(together[name].value[window], interval.value, err_msg=name)
            np.testing.assert_allclose(together[name].upper[window], interval.upper, err_msg=name)


def test_predictions_without_scores_have_their_metrics():
    """Accuracy and the like; those of scores are undefined."""
    answers = answers_of(np.array([0.1, 0.9, 0.8]), np.array([0, 1, 0]))
    answers.outputs["score"] = np.nan
    found = binary_metrics(BinaryState.of(answers, FORM, grid=ScoreGrid.of()), costs=COSTS)
    assert float(found["accuracy"].value) == pytest.approx(2 / 3)
    assert {name for name, interval in found.items() if not np.isnan(interval.value)} == COUNTED


def test_no_labels_have_no_metrics():
    """All NaN."""
    found = binary_metrics(BinaryState.empty(ScoreGrid.of()), costs=Costs(1, 1, 1, 1))
    assert all(np.isnan(interval.value) and np.isnan(interval.lower) for interval in found.values())


def test_the_baseline_is_the_share_of_the_greater_class():
    """Of labels, whatever is predicted."""
    assert baseline_accuracy(state_of(np.array([0.9, 0.9, 0.1, 0.2]), np.array([0, 1, 0, 0]))) == 0.75
    assert np.isnan(baseline_accuracy(BinaryState.empty(ScoreGrid.of())))
