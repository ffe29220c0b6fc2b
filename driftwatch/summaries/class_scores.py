"""What labels say of the scores of several classes: counts that add, from which the scores are calibrated."""

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.outputs import LABELLED, Answers
from driftwatch.summaries.scores import ScoreGrid

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def usable(answers: Answers) -> Mask:
    """(rows,) which say a class and have the scores of all."""
    known: Mask = (answers.outputs["prediction"] >= 0) & ~np.isnan(answers.outputs["scores"]).any(axis=1)
    return known


def class_bins(answers: Answers, chosen: Mask, grid: ScoreGrid) -> NDArray[np.uint16]:
    """(chosen rows, K) in which bin each class's score lies."""
    scores = answers.outputs["scores"][chosen]
    bins = np.empty(scores.shape, dtype=np.uint16)
    for code in range(scores.shape[1]):
        bins[:, code] = grid.bins_of(np.clip(scores[:, code].astype(np.float64), 0.0, 1.0))
    return bins


def class_counts(answers: Answers, grid: ScoreGrid, *, cells: Ints | None = None, count: int = 1) -> NDArray[np.int32]:
    """Labelled rows by class, if it is predicted, its score's bin, and if it is the label: (count, K, 2, bins, 2).

    Of labels of known classes only. cells: (rows,) 0…count-1, which of the counts a row is in; all in one without it.
    """
    classes, bins = answers.outputs["scores"].shape[1], grid.bins
    labels = answers.outcomes["label"].astype(np.int64)
    taught = usable(answers) & (answers.state == LABELLED) & (labels >= 0) & (labels < classes)
    said, labels, slots = answers.outputs["prediction"][taught], labels[taught], class_bins(answers, taught, grid)
    first = 0 if cells is None else cells[taught] * 2
    counts = [
        np.bincount(
            ((first + (said == code)) * bins + slots[:, code]) * 2 + (labels == code), minlength=count * 4 * bins
        )
        for code in range(classes)
    ]
    by_class = np.array(counts, dtype=np.int32).reshape(classes, count, 2, bins, 2)
    return np.ascontiguousarray(by_class.swapaxes(0, 1))
