"""A model's Quality, made from what its configuration and the grid of its reference say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.quality.binary import BinaryAssessor
from driftwatch.quality.loss import LossWatch
from driftwatch.quality.multiclass import MulticlassAssessor
from driftwatch.quality.quality import Quality
from driftwatch.quality.ranking import RankingAssessor
from driftwatch.quality.regression import RegressionAssessor
from driftwatch.statistics.binary import Costs
from driftwatch.statistics.concept import Terms
from driftwatch.statistics.performance import metrics_of
from driftwatch.stream.frontier import Frontier
from driftwatch.stream.labels import LabelJoin
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.schema import PREDICTION, SCORE, Task
from driftwatch.stream.windows import Windows
from driftwatch.summaries.layout import Floats, Layout
from driftwatch.summaries.regression import RegressionGrid
from driftwatch.summaries.scores import ScoreGrid

if TYPE_CHECKING:
    from driftwatch.quality.assess import Assessor

WAITING_SHARE = 4
"""Labels that may wait for their prediction: one for so many predictions that may wait for a label."""
RUN_LENGTH_ROWS = 1_000_000.0
"""Labels from one false alarm of the watch over a version's loss to the next, on average and at least."""


@dataclass(frozen=True, slots=True)
class QualityTerms:
    """capacity: predictions that are remembered. wait_ms: how long labels are waited for. costs: of a binary model."""

    capacity: int
    wait_ms: int
    costs: Costs | None = None


def make_quality(form: OutputForm, layout: Layout, windows: Windows, terms: QualityTerms) -> Quality | None:
    """A new Quality; None for a model without a task, or one that is to remember nothing."""
    if form.task is Task.NONE or not terms.capacity:
        return None
    join = LabelJoin(form, capacity=terms.capacity, waiting_capacity=max(1, terms.capacity // WAITING_SHARE))
    frontier = Frontier(idle_after_ms=windows.spec.idle_after)
    assessor = make_assessor(form, layout, costs=terms.costs)
    return Quality(join, assessor, windows=windows, wait_ms=terms.wait_ms, frontier=frontier)


def make_assessor(form: OutputForm, layout: Layout, *, costs: Costs | None = None) -> "Assessor":
    """Whoever measures models of this task."""
    loss = LossWatch(Terms(run_length_rows=RUN_LENGTH_ROWS))
    match form.task:
        case Task.BINARY:
            return BinaryAssessor(form, ScoreGrid.of(_edges(layout, SCORE)), loss=loss, costs=costs)
        case Task.MULTICLASS:
            return MulticlassAssessor(form, loss=loss)
        case Task.REGRESSION:
            edges = _edges(layout, PREDICTION)
            grid = RegressionGrid.without_reference() if edges is None else RegressionGrid.from_reference(edges)
            return RegressionAssessor(grid, loss=loss)
        case _:
            return RankingAssessor(loss=loss)


def row_bytes(form: OutputForm) -> int:
    """About what a remembered prediction takes: its output and outcome, and 30 bytes to find and place it."""
    return int(form.outputs.itemsize + form.outcomes.itemsize) + 30


def metrics_by_class(form: OutputForm) -> Mapping[str, tuple[str, ...]]:
    """Class name, or "" for the whole model → the metrics of performance that reports may hold."""
    whole = metrics_of(form.task)
    classes = form.classes if form.task is Task.MULTICLASS else ()
    return {"": whole} | dict.fromkeys(classes, whole)


def _edges(layout: Layout, name: str) -> Floats | None:
    places = [place for place, column in enumerate(layout.numeric) if column.name == name]
    return np.asarray(layout.edges[places[0]]) if places else None
