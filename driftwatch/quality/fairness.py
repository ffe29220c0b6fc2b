"""Measures how alike a window's protected groups are treated: each dimension, each class that a model predicts."""

from collections.abc import Iterator

import numpy as np

from driftwatch.statistics.fairness import BY_PREDICTIONS, GroupedRows, fairness_readings
from driftwatch.statistics.reading import Reading, Stage, Support
from driftwatch.stream.dimensions import NOBODY, OTHER, Dimension, Dimensions
from driftwatch.stream.outputs import GROUPS, LABELLED, Answers, OutputForm
from driftwatch.stream.schema import Task

MOST_CLASSES = 10
"""Classes of a multiclass model that are measured, each against the others."""


class Fairness:
    """Measures the windows of one model; says nothing where no dimension is protected or the task has no classes."""

    def __init__(self, form: OutputForm, dimensions: Dimensions) -> None:
        self._form = form
        first = len(dimensions.segments)
        self._protected = [(first + place, each) for place, each in enumerate(dimensions.protected)]

    def readings(self, answers: Answers, *, stage: Stage, coverage: float) -> tuple[Reading, ...]:
        """What can be said: of predictions at once, of labels when no more of them are waited for.

        Rows without a value, or with one that is too rare to be named, are no group: they are not compared.
        """
        found = []
        labelled = (answers.state == LABELLED) & (stage is Stage.FINAL)
        for place, dimension in self._protected:
            members, codes = _compared(dimension, answers.outputs[GROUPS][:, place])
            for column, rows in self._classes(dimension.name, codes, answers, labelled):
                support = Support(stage, coverage)
                readings = fairness_readings(column, members, rows, support)
                found += [each for each in readings if stage is Stage.FINAL or each.statistic in BY_PREDICTIONS]
        return tuple(found)

    def _classes(
        self, name: str, codes: np.ndarray, answers: Answers, labelled: np.ndarray
    ) -> Iterator[tuple[str, GroupedRows]]:
        """What readings call a dimension, and its rows: one for a binary model, one for each class of others."""
        weights = np.ones(answers.rows)
        said = answers.outputs
        if self._form.task is Task.BINARY:
            labels = np.where(labelled, answers.outcomes["label"], -1)
            yield name, GroupedRows(codes, said["prediction"], said["score"], labels, weights)
        elif self._form.task is Task.MULTICLASS:
            labels = np.where(labelled, answers.outcomes["label"], -1)
            for code, text in enumerate(self._form.classes[:MOST_CLASSES]):
                selected, true = (np.where(each < 0, -1, each == code) for each in (said["prediction"], labels))
                scores = said["scores"][:, code].astype(np.float64)
                yield f"{name}[{text}]", GroupedRows(codes, selected, scores, true, weights)


def _compared(dimension: Dimension, codes: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """The members that are groups, and the rows' codes among them."""
    members = dimension.members
    if not members[-1].endswith(f"={OTHER}"):
        return members, codes
    return members[:-1], np.where(codes == len(members) - 1, NOBODY, codes)
