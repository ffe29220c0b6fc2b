"""Simulated models of several classes: what their scores promise, and what their labels then show."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftwatch.quality.loss import LossWatch
from driftwatch.quality.multiclass import MulticlassAssessor
from driftwatch.statistics import estimation_multiclass
from driftwatch.statistics.concept import Terms
from driftwatch.statistics.reading import Reading, Stage
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import LABELLED, WAITING, Answers, OutputForm, blank
from driftwatch.stream.schema import Task

CLASSES, ROWS = 5, 500
FORM = OutputForm(Task.MULTICLASS, tuple("abcde"))
METRICS = ("accuracy", "precision", "recall", "f1", "specificity", "roc_auc", "average_precision")
GAPS = ("gap_accuracy", "gap_f1", "gap_roc_auc")


def assessor() -> MulticlassAssessor:
    return MulticlassAssessor(FORM, loss=LossWatch(Terms(run_length_rows=1e6)))


def answers_of(
    rng: np.random.Generator, rows: int, *, sharpness: float = 1.0, flipped: float = 0.0, state: int = LABELLED
) -> Answers:
    """Labels drawn from true chances; the scores are those to the power of `sharpness`, 1 being calibrated."""
    chances = rng.dirichlet(np.linspace(0.2, 0.6, CLASSES), rows)
    labels = (rng.random((rows, 1)) > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
    labels = np.where(rng.random(rows) < flipped, rng.integers(0, CLASSES, rows), labels)
    scores = np.maximum(chances, 1e-9) ** sharpness
    outputs, outcomes = blank(FORM.outputs, rows), blank(FORM.outcomes, rows)
    outputs["scores"] = scores / scores.sum(axis=1, keepdims=True)
    outputs["prediction"], outcomes["label"] = chances.argmax(axis=1), labels
    return Answers(outputs, outcomes, np.full(rows, state, np.uint8), np.zeros(rows, np.int64))


def readings(target: MulticlassAssessor, answers: Answers, stage: Stage = Stage.FINAL) -> tuple[Reading, ...]:
    recalled = Recalled(0, 0, 1.0, answers, np.zeros(answers.rows, np.int64))
    return target.measure(recalled, version="1", stage=stage, now_ms=0).readings


def by_family(found: tuple[Reading, ...], family: str) -> dict[str, Reading]:
    return {each.statistic: each for each in found if each.family == family and not each.column}


def simulated(sharpness: float, windows: int = 200) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each window, learnt anew from 2 000 labels: whether what came is inside the estimate; p-values of the gaps."""
    inside, p_values = np.zeros((windows, len(METRICS))), np.zeros((windows, len(GAPS)))
    for window in range(windows):
        rng = np.random.default_rng(window)
        target = assessor()
        target.learn(answers_of(rng, 2_000, sharpness=sharpness), version="1", end=1)
        found = readings(target, answers_of(rng, ROWS, sharpness=sharpness))
        estimated, final = by_family(found, "estimation"), by_family(found, "performance")
        inside[window] = [estimated[name].lower <= final[name].value <= estimated[name].upper for name in METRICS]
        p_values[window] = [by_family(found, "concept")[name].p_value for name in GAPS]
    return inside.mean(axis=0), p_values


@pytest.mark.parametrize("sharpness", [1.0, 0.4])
def test_what_came_is_inside_the_error_bars(sharpness: float) -> None:
    """Scores that are right, and too modest by far: the labels that are learnt from set them right."""
    inside, p_values = simulated(sharpness)
    assert inside[0] >= 0.93
    assert inside.min() >= 0.9
    assert (p_values < 0.05).mean(axis=0).max() <= 0.1, "a gap is seldom seen where there is none"


def test_flipped_labels_are_a_gap() -> None:
    """The scores promise what they did; the labels show less."""
    rng, target = np.random.default_rng(1), assessor()
    target.learn(answers_of(rng, 5_000), version="1", end=1)
    for flipped, parted in ((0.0, False), (0.25, True)):
        found = by_family(readings(target, answers_of(rng, 2_000, flipped=flipped)), "concept")
        for name in GAPS:
            assert (found[name].upper < 0 and found[name].p_value < 1e-3) is parted


def test_a_gap_is_what_the_labels_say_less_the_estimate() -> None:
    """Predictions of a class that is not known count as wrong on both sides, labels of one on that of the labels."""
    rng, target = np.random.default_rng(2), assessor()
    target.learn(answers_of(rng, 2_000), version="1", end=1)
    answers = answers_of(rng, ROWS)
    answers.outputs["prediction"][40:70] = CLASSES
    for unknown, names in ((0, ("accuracy", "f1", "roc_auc")), (50, ("accuracy", "f1"))):
        answers.outcomes["label"][:unknown] = CLASSES
        found = readings(target, answers)
        final, estimated, gaps = (by_family(found, family) for family in ("performance", "estimation", "concept"))
        for name in names:
            close = 1e-3 if name == "roc_auc" else 1e-12  # the one of the bins' scores, the other of the bins
            expected = final[name].value - estimated[name].value
            assert gaps[f"gap_{name}"].value == pytest.approx(expected, abs=close)


def test_a_gap_is_of_labelled_rows_only() -> None:
    """The estimate is of all rows; what is compared is not."""
    rng, target = np.random.default_rng(3), assessor()
    target.learn(answers_of(rng, 2_000), version="1", end=1)
    answers = answers_of(rng, ROWS)
    answers.state[ROWS // 2 :] = WAITING
    half = slice(ROWS // 2)
    alone = Answers(answers.outputs[half], answers.outcomes[half], answers.state[half], answers.delays_ms[half])
    whole, part = readings(target, answers), readings(target, alone)
    assert by_family(whole, "estimation")["accuracy"] != by_family(part, "estimation")["accuracy"]
    for name in GAPS:
        assert by_family(whole, "concept")[name].value == pytest.approx(by_family(part, "concept")[name].value)


def test_without_labels_there_is_no_estimate() -> None:
    """From a hundred on there is one, of each version by itself; a gap there is only at the end."""
    rng, target = np.random.default_rng(4), assessor()
    window = answers_of(rng, ROWS, state=WAITING)
    target.learn(window, version="1", end=1)
    target.learn(answers_of(rng, 99), version="1", end=2)
    target.learn(answers_of(rng, 500), version="2", end=2)
    assert by_family(readings(target, window, Stage.INTERIM), "estimation") == {}
    target.learn(answers_of(rng, 1), version="1", end=3)
    assert tuple(by_family(readings(target, window, Stage.INTERIM), "estimation")) == METRICS
    assert by_family(readings(target, answers_of(rng, ROWS), Stage.INTERIM), "concept") == {}


def test_rows_without_all_scores_are_left_out() -> None:
    """They neither teach nor are they estimated; a window of nothing else has no estimate."""
    rng, target, other = np.random.default_rng(5), assessor(), assessor()
    taught, window = answers_of(rng, 2_000), answers_of(rng, ROWS)
    other.learn(taught, version="1", end=1)
    holes = answers_of(rng, 300)
    holes.outputs["scores"][:, 1] = np.nan
    target.learn(taught, version="1", end=1)
    target.learn(holes, version="1", end=2)
    both = Answers(
        outputs=np.concatenate([holes.outputs, window.outputs]),
        outcomes=np.concatenate([holes.outcomes, window.outcomes]),
        state=np.concatenate([holes.state, window.state]),
        delays_ms=np.concatenate([holes.delays_ms, window.delays_ms]),
    )
    assert by_family(readings(target, both), "estimation") == by_family(readings(other, window), "estimation")
    assert by_family(readings(target, holes), "estimation") == {}


def test_a_resumed_assessor_knows_what_was_learnt() -> None:
    """Chunks that were saved say it all."""
    rng, target, other = np.random.default_rng(6), assessor(), assessor()
    for end in range(3):
        target.learn(answers_of(rng, 200), version="1", end=end)
    other.learnt.resume({name: chunk for name, chunk in target.learnt.changes().items() if chunk is not None})
    window = answers_of(rng, ROWS)
    assert by_family(readings(other, window), "estimation") == by_family(readings(target, window), "estimation")


def test_many_rows_are_worked_on_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said does not depend on how many at a time."""
    rng, target = np.random.default_rng(7), assessor()
    target.learn(answers_of(rng, 2_000), version="1", end=1)
    window = answers_of(rng, ROWS)
    whole = by_family(readings(target, window), "estimation")
    monkeypatch.setattr(estimation_multiclass, "CHUNK_CELLS", 7 * CLASSES)
    for name, reading in by_family(readings(target, window), "estimation").items():
        numbers = [(each.value, each.lower, each.upper) for each in (reading, whole[name])]
        assert numbers[0] == pytest.approx(numbers[1], abs=1e-9)


def test_a_class_that_is_never_predicted() -> None:
    """It has a recall of nothing and no precision; the estimate is as finite as the labels' own."""
    rng, target = np.random.default_rng(8), assessor()
    taught, window = answers_of(rng, 2_000), answers_of(rng, ROWS)
    for answers in (taught, window):
        answers.outputs["prediction"][answers.outputs["prediction"] == 0] = 1
    target.learn(taught, version="1", end=1)
    found = readings(target, window)
    for name, reading in by_family(found, "estimation").items():
        assert reading.lower <= by_family(found, "performance")[name].value <= reading.upper
