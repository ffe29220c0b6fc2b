"""Counts what a reference's own labels say, in one pass and in bounded memory."""

import numpy as np

from driftwatch.quality.grids import prediction_grid, score_grid
from driftwatch.quality.losses import prediction_errors, wrong_classes
from driftwatch.quality.slice_sample import SliceSample
from driftwatch.stream.batch import Batch
from driftwatch.stream.dimensions import Dimension
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.schema import Task
from driftwatch.stream.tabled import Marked
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.class_scores import class_counts
from driftwatch.summaries.known_outcomes import PARTS, ClassParts, Errors, KnownOutcomes, ScoreParts
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.multiclass import class_grid
from driftwatch.summaries.regression import RegressionOutcomes


class OutcomeCounter:
    """Sees the labelled rows of a table, chunk by chunk.

    rows: of the whole table, which its parts are cut by. scale: of a regression's bounded loss.
    """

    def __init__(self, form: OutputForm, layout: Layout, *, rows: int, scale: float = 1.0) -> None:
        self._form, self._table_rows, self._scale = form, max(1, rows), scale
        self._rows = self._refused = 0
        self._losses = 0.0
        self._grid = score_grid(layout)
        self._parts = np.zeros((PARTS, self._grid.bins + 1, 2, 2), dtype=np.int64)
        self._sample = SliceSample(layout, self._grid)
        self._class_grid = class_grid()
        classes = len(form.classes) if form.task is Task.MULTICLASS else 0
        self._class_parts = np.zeros((PARTS, classes, 2, self._class_grid.bins, 2), dtype=np.int32)
        self._moments = RegressionOutcomes.empty(prediction_grid(layout))

    def add(self, marked: Marked, batch: Batch, *, first_row: int) -> None:
        """Count some rows; batch: all rows of their chunk. first_row: of the chunk, in the whole table."""
        answers, form = marked.answers, self._form
        self._refused += marked.refused
        if form.task is Task.REGRESSION:
            losses = prediction_errors(answers.outputs, answers.outcomes, scale=self._scale)
            self._moments = self._moments.merge(RegressionOutcomes.of(answers, self._moments.grid))
        else:
            losses = wrong_classes(answers.outputs, answers.outcomes)
        if form.task is Task.BINARY:
            cells = (first_row + marked.places) * PARTS // self._table_rows
            counted = BinaryState.of_cells(answers, form, grid=self._grid, cells=cells, count=PARTS)
            self._parts += counted.labelled.astype(np.int64)
            self._sample.add(marked, batch, first_row=first_row)
        if form.task is Task.MULTICLASS:
            cells = (first_row + marked.places) * PARTS // self._table_rows
            self._class_parts += class_counts(answers, self._class_grid, cells=cells, count=PARTS)
        self._rows += int(np.count_nonzero(~np.isnan(losses)))
        self._losses += float(np.nansum(losses))

    def counted(self) -> tuple[KnownOutcomes, tuple[Dimension, ...]]:
        """What was counted, and the slices that estimates are to be weighed by; none for a model that is not binary."""
        form = self._form
        slices, known = self._sample.chosen(self._parts.sum(axis=0).astype(np.float64))
        outcomes = KnownOutcomes(
            rows=self._rows,
            losses=self._losses,
            refused=self._refused,
            classes=form.classes,
            threshold=form.threshold,
            scores=ScoreParts(self._grid, self._parts.copy()) if form.task is Task.BINARY else None,
            class_scores=ClassParts(self._class_grid, self._class_parts.copy()) if self._class_parts.any() else None,
            errors=Errors(self._moments, self._scale) if form.task is Task.REGRESSION else None,
            slices=known,
        )
        return outcomes, slices
