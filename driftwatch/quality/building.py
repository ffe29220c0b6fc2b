"""A model's Quality, made from what its configuration and the grid of its reference say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.kernels.calibration import calibrate_bins
from driftwatch.quality.binary import BinaryAssessor
from driftwatch.quality.contest import Contests
from driftwatch.quality.grids import prediction_grid, score_grid
from driftwatch.quality.loss import LossWatch
from driftwatch.quality.multiclass import MulticlassAssessor
from driftwatch.quality.quality import Quality
from driftwatch.quality.ranking import RankingAssessor
from driftwatch.quality.regression import RegressionAssessor
from driftwatch.quality.slicing import Slicing
from driftwatch.quality.yardsticks import measure_of
from driftwatch.statistics.binary import Costs
from driftwatch.statistics.concept import Terms
from driftwatch.statistics.performance import metrics_of
from driftwatch.stream.dimensions import UNDIVIDED, Dimensions
from driftwatch.stream.frontier import Frontier
from driftwatch.stream.join.labels import LabelJoin
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.schema import Task
from driftwatch.stream.windows import Windows
from driftwatch.summaries.known_outcomes import KnownOutcomes
from driftwatch.summaries.layout import Layout

if TYPE_CHECKING:
    from driftwatch.quality.assess import Assessor

WAITING_SHARE = 4
"""Labels that may wait for their prediction: one for so many predictions that may wait for a label."""
RUN_LENGTH_ROWS = 1_000_000.0
"""Labels from one false alarm of the watch over the loss of a version or segment to the next, on average at least."""


@dataclass(frozen=True, slots=True)
class QualityTerms:
    """capacity: predictions that are remembered. wait_ms: how long labels are waited for. costs: of a binary model.

    known: what the reference's own labels say, if it has any. dimensions: that divide the rows; as many as the form of
    outputs has groups. champion: the version that others are compared with; else the one that was seen first.
    """

    capacity: int
    wait_ms: int
    costs: Costs | None = None
    known: KnownOutcomes | None = None
    dimensions: Dimensions = UNDIVIDED
    champion: str | None = None


def make_quality(form: OutputForm, layout: Layout, windows: Windows, terms: QualityTerms) -> Quality | None:
    """A new Quality; None for a model without a task, or one that is to remember nothing."""
    if form.groups != len(terms.dimensions.all):
        raise ValueError(f"outputs have {form.groups} groups, but rows {len(terms.dimensions.all)} dimensions")
    if form.task is Task.NONE or not terms.capacity:
        return None
    join = LabelJoin(form, capacity=terms.capacity, waiting_capacity=max(1, terms.capacity // WAITING_SHARE))
    frontier = Frontier(idle_after_ms=windows.spec.idle_after)
    assessor = make_assessor(form, layout, costs=terms.costs, known=terms.known, dimensions=terms.dimensions)
    measure = measure_of(form, score_grid(layout), costs=terms.costs)
    assessor.learnt.contests = Contests(measure, dimensions=terms.dimensions, champion=terms.champion)
    return Quality(
        join, assessor, windows=windows, wait_ms=terms.wait_ms, frontier=frontier, dimensions=terms.dimensions
    )  # fmt: skip


def make_assessor(
    form: OutputForm, layout: Layout, *, costs: Costs | None = None, known: KnownOutcomes | None = None,
    dimensions: Dimensions = UNDIVIDED,
) -> "Assessor":  # fmt: skip
    """Whoever measures models of this task. known: what the reference's own labels say, if it has any."""
    first_level = (0, 0.0) if known is None else (known.rows, known.losses)
    loss = LossWatch(Terms(run_length_rows=RUN_LENGTH_ROWS), reference=first_level, dimensions=dimensions)
    match form.task:
        case Task.BINARY:
            scores = None if known is None or not known.rows else known.scores
            grid = score_grid(layout) if scores is None else scores.grid
            parts = None if scores is None else scores.counts
            slices, first = None if known is None else known.slices, len(dimensions.all) - len(dimensions.slices)
            slicing = None
            if slices is not None and scores is not None and dimensions.slices:
                base = calibrate_bins(scores.counts.sum(axis=0).astype(np.float64), grid.middles)
                slicing = Slicing(slices, first=first, base=base)
            return BinaryAssessor(form, grid, loss=loss, costs=costs, reference=parts, slicing=slicing)
        case Task.MULTICLASS:
            classes = None if known is None or not known.rows else known.class_scores
            return MulticlassAssessor(form, loss=loss, reference=classes)
        case Task.REGRESSION:
            errors = None if known is None or not known.rows else known.errors
            bins = prediction_grid(layout) if errors is None else errors.moments.grid
            return RegressionAssessor(bins, loss=loss, reference=errors)
        case _:
            return RankingAssessor(loss=loss)


def row_bytes(form: OutputForm) -> int:
    """About what a remembered prediction takes: its output and outcome, and 30 bytes to find and place it.

    Groups take half of what they do outside of memory.
    """
    return int(form.outputs.itemsize + form.outcomes.itemsize) - form.groups + 30


def metrics_by_class(form: OutputForm) -> Mapping[str, tuple[str, ...]]:
    """Class name, or "" for the whole model → the metrics of performance that reports may hold."""
    whole = metrics_of(form.task)
    classes = form.classes if form.task is Task.MULTICLASS else ()
    return {"": whole} | dict.fromkeys(classes, whole)
