"""What a reference keeps of the labels of several classes, and what is estimated by it before any label has come."""

import numpy as np
import pytest

from driftwatch.errors import StateError
from driftwatch.stream.outputs import LABELLED, WAITING, Answers, OutputForm, blank
from driftwatch.stream.schema import Task
from driftwatch.summaries.class_scores import class_counts
from driftwatch.summaries.known_outcomes import PARTS, KnownOutcomes
from tests.test_reference_outcomes import assessor_of, build, table, values, window

CLASSES, ROWS = ("a", "b", "c"), 3_000


def rows_of(rows=ROWS, *, seed=0, learnt=True):
    """Scores of three classes and labels drawn from them; of a model that has not learnt they are of anything."""
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet([0.5, 0.7, 0.9], rows)
    chances = scores if learnt else np.full(scores.shape, 1 / 3)
    labels = (rng.random((rows, 1)) > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return scores, labels


def written(path, scores, labels):
    """As a table."""
    names = np.array(CLASSES)
    columns = {f"scores.{name}": scores[:, place] for place, name in enumerate(CLASSES)}
    return table(path, prediction=names[scores.argmax(axis=1)], label=names[labels], **columns)


def answers_of(scores, labels, *, state=LABELLED):
    """As the join gives them back."""
    form = OutputForm(Task.MULTICLASS, CLASSES)
    outputs, outcomes = blank(form.outputs, len(labels)), blank(form.outcomes, len(labels))
    outputs["scores"], outputs["prediction"], outcomes["label"] = scores, scores.argmax(axis=1), labels
    return Answers(outputs, outcomes, np.full(len(labels), state, np.uint8), np.zeros(len(labels), np.int64))


def waiting(seed):
    """A window of which no label has come."""
    answers = answers_of(*rows_of(1_000, seed=seed), state=WAITING)
    columns = {"scores": answers.outputs["scores"], "prediction": answers.outputs["prediction"]}
    columns["label"] = answers.outcomes["label"]
    return window(OutputForm(Task.MULTICLASS, CLASSES), columns, labelled=False)


def test_every_label_is_counted_in_its_part(tmp_path):
    """Ten consecutive parts of the rows; read back from the file as they were counted."""
    scores, labels = rows_of()
    known = build(written(tmp_path / "a.parquet", scores, labels), task=Task.MULTICLASS, classes=list(CLASSES)).outcomes
    assert known.classes == CLASSES
    for part in range(PARTS):
        some = np.flatnonzero(np.arange(ROWS) * PARTS // ROWS == part)
        counted = class_counts(answers_of(scores[some], labels[some]), known.class_scores.grid)
        np.testing.assert_array_equal(known.class_scores.counts[part], counted[0])


def test_before_the_first_label_the_references_calibrate(tmp_path):
    """The estimate of scores that are right is that of the rows; of scores that say nothing, a third."""
    for learnt, least, most in ((True, 0.6, 0.9), (False, 0.3, 0.37)):
        path = written(tmp_path / f"{learnt}.parquet", *rows_of(learnt=learnt))
        assessor, _ = assessor_of(build(path, task=Task.MULTICLASS, classes=list(CLASSES)), task=Task.MULTICLASS)
        assert least < values(assessor, waiting(1))["estimation", "accuracy"].value < most


def test_the_reference_fades_as_labels_come(tmp_path):
    """Each part drops out, the oldest first, when there are newer labels in its place."""
    path = written(tmp_path / "a.parquet", *rows_of())
    assessor, _ = assessor_of(build(path, task=Task.MULTICLASS, classes=list(CLASSES)), task=Task.MULTICLASS)
    found = []
    for end in range(6):
        found.append(values(assessor, waiting(1))["estimation", "accuracy"].value)
        assessor.learn(answers_of(*rows_of(10_000, seed=end, learnt=False)), version="", end=end)
    assert found[0] > 0.6
    assert (np.diff(found) < 0).all()
    assert found[-1] == pytest.approx(1 / 3, abs=0.02)


def test_a_reference_of_an_older_release_has_no_scores(tmp_path):
    """It loads, and nothing is estimated before labels have come."""
    reference = build(written(tmp_path / "a.parquet", *rows_of()), task=Task.MULTICLASS, classes=list(CLASSES))
    old = KnownOutcomes.from_parts(reference.outcomes.meta(), {})
    assert old.class_scores is None
    assert (old.rows, old.classes) == (ROWS, CLASSES)


def test_counts_of_other_classes_are_refused(tmp_path):
    """They would be read as those of the wrong ones."""
    known = build(written(tmp_path / "a.parquet", *rows_of()), task=Task.MULTICLASS, classes=list(CLASSES)).outcomes
    meta = known.meta() | {"classes": ["a", "b"]}
    with pytest.raises(StateError, match="do not fit its classes"):
        KnownOutcomes.from_parts(meta, known.arrays())
