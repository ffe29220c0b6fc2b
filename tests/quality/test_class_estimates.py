"""What scores promise of each of several classes, and what the labels then show."""

import numpy as np
import pytest

from driftwatch.kernels.class_calibration import calibrate_classes
from driftwatch.kernels.confusion import f1, precision, recall, specificity
from driftwatch.statistics import estimation_multiclass
from driftwatch.statistics.estimation_classes import estimate_classes
from driftwatch.statistics.estimation_multiclass import METRICS, ScoredRows, estimate_multiclass, realised_multiclass
from driftwatch.statistics.reading import Stage
from driftwatch.summaries.class_scores import class_bins, class_counts, usable
from driftwatch.summaries.multiclass import class_grid
from tests.quality.test_multiclass_estimates import CLASSES, FORM, answers_of, assessor, readings

OF_CLASS = METRICS[1:]


def by_class(found, family):
    return {(each.column, each.statistic): each for each in found if each.family == family and each.column}


def learnt(rng, rows=2_000):
    return calibrate_classes(class_counts(answers_of(rng, rows), class_grid())[0], class_grid().middles)


def scored(answers):
    rows = usable(answers)
    return ScoredRows(class_bins(answers, rows, class_grid()), answers.outputs["prediction"][rows].astype(np.int64))


def test_what_came_is_inside_the_error_bars():
    """Of every class and metric, the frequent and the rare ones."""
    inside: dict[tuple[str, str], list[bool]] = {}
    for seed in range(100):
        rng, target = np.random.default_rng(seed), assessor()
        target.learn(answers_of(rng, 2_000), version="1", end=1)
        found = readings(target, answers_of(rng, 500))
        final = by_class(found, "performance")
        for name, estimate in by_class(found, "estimation").items():
            inside.setdefault(name, []).append(estimate.lower <= final[name].value <= estimate.upper)
    shares = {name: np.mean(hits) for name, hits in inside.items()}
    assert set(shares) == {(name, metric) for name in FORM.classes for metric in OF_CLASS}
    assert min(shares.values()) >= 0.85
    assert np.mean(list(shares.values())) >= 0.925


def test_means_over_classes_are_those_of_the_model():
    """The estimates of all classes together are the means of what is estimated of each."""
    rng = np.random.default_rng(1)
    calibration, rows = learnt(rng), scored(answers_of(rng, 800))
    whole, each = estimate_multiclass(rows, calibration), estimate_classes(rows, calibration)
    for name in OF_CLASS:
        assert float(whole[name].value) == pytest.approx(each[name].value.mean(), abs=1e-12)


def test_error_of_luck_is_that_of_drawn_labels():
    """Labels drawn from the chances move a class's metrics by as much as is said."""
    rng = np.random.default_rng(2)
    calibration, rows = learnt(rng, 20_000), scored(answers_of(rng, 2_000))
    part = estimation_multiclass.part_of(rows, slice(None), calibration)
    limits, drawn = part.shares.chances.cumsum(axis=1), []
    for _ in range(300):
        labels = (rng.random((len(limits), 1)) > limits).sum(axis=1).clip(0, CLASSES - 1)
        matrix = np.zeros((CLASSES, CLASSES))
        np.add.at(matrix, (labels, rows.said), 1)
        drawn.append([metric(matrix) for metric in (precision, recall, f1, specificity)])
    found = estimate_classes(rows, calibration)
    for place, name in enumerate(("precision", "recall", "f1", "specificity")):
        own = np.array([each[place] for each in drawn])
        assert own.mean(axis=0) == pytest.approx(found[name].value, abs=0.02)
        assert own.std(axis=0) == pytest.approx(found[name].sampling, rel=0.15)


def test_many_rows_are_worked_on_in_parts(monkeypatch):
    """What is said does not depend on how many at a time."""
    rng = np.random.default_rng(3)
    calibration, rows = learnt(rng), scored(answers_of(rng, 500))
    whole = estimate_classes(rows, calibration)
    monkeypatch.setattr(estimation_multiclass, "CHUNK_CELLS", 7 * CLASSES)
    for name, each in estimate_classes(rows, calibration).items():
        assert each.value == pytest.approx(whole[name].value, abs=1e-12)
        assert each.deviation == pytest.approx(whole[name].deviation, abs=1e-12)


def test_a_class_that_is_never_predicted_has_no_precision():
    """It has a recall of nothing; a window without usable rows has no estimate at all."""
    rng, target = np.random.default_rng(4), assessor()
    taught, window = answers_of(rng, 2_000), answers_of(rng, 500)
    for answers in (taught, window):
        answers.outputs["prediction"][answers.outputs["prediction"] == 0] = 1
    target.learn(taught, version="1", end=1)
    found = by_class(readings(target, window, Stage.INTERIM), "estimation")
    assert np.isnan(found["a", "precision"].value)
    assert found["a", "recall"].value == 0
    window.outputs["prediction"] = -1
    assert by_class(readings(target, window), "estimation") == {}


def test_realised_values_have_no_classes():
    """Labels of their own are what `realised_multiclass` is of; its means stay what they were."""
    rng = np.random.default_rng(5)
    answers = answers_of(rng, 500)
    rows, labels = scored(answers), answers.outcomes["label"].astype(np.int64)
    matrix = np.zeros((CLASSES, CLASSES))
    np.add.at(matrix, (labels, rows.said), 1)
    found = realised_multiclass(rows, labels, bins=class_grid().bins)
    assert float(found["recall"]) == pytest.approx(recall(matrix).mean())
