"""Prints what measuring one window costs, by task, stage and rows.

`python -m tests.benchmarks.measure [rounds]`. Models have learnt from eight windows of 5 000 labels and a reference of
50 000, and seven labels of ten have come, the sooner the surer the score: what a running service finds. Times are
the least of as many rounds, in milliseconds of one core: the median on a machine that does nothing else.
"""

import sys
import time
from collections.abc import Iterator

import numpy as np

from driftwatch.quality.binary import BinaryAssessor
from driftwatch.quality.loss import LossWatch
from driftwatch.quality.multiclass import MulticlassAssessor
from driftwatch.quality.regression import RegressionAssessor
from driftwatch.statistics.concept import Terms
from driftwatch.statistics.reading import Stage
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import LABELLED, WAITING, Answers, OutputForm, blank
from driftwatch.stream.schema import Task
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.known_outcomes import PARTS
from driftwatch.summaries.regression import RegressionGrid
from driftwatch.summaries.scores import ScoreGrid

SIZES = (200, 1_000, 5_000, 50_000)
TASKS = (Task.BINARY, Task.MULTICLASS, Task.REGRESSION)
CLASSES, DAY_MS, LESSONS = 5, 86_400_000, 8


def form_of(task: Task) -> OutputForm:
    """Outputs of a model of this task."""
    names = {Task.BINARY: ("no", "yes"), Task.MULTICLASS: tuple(f"class {code}" for code in range(CLASSES))}
    return OutputForm(task, names.get(task, ()))


def recalled(rng: np.random.Generator, task: Task, rows: int, *, coverage: float = 1.0) -> Recalled:
    """A window of one day; labels of a share of the rows have come."""
    form = form_of(task)
    outputs, outcomes = blank(form.outputs, rows), blank(form.outcomes, rows)
    strength = rng.beta(0.7, 1.3, rows)
    match task:
        case Task.BINARY:
            outputs["score"], outputs["prediction"] = strength, strength >= 0.5
            truth = (rng.random(rows) < 0.05 + 0.85 * strength**1.3).astype(np.int8)
        case Task.MULTICLASS:
            scores = rng.dirichlet(np.full(CLASSES, 0.6), rows)
            outputs["scores"], outputs["prediction"] = scores, scores.argmax(axis=1)
            truth = (rng.random((rows, 1)) > scores.cumsum(axis=1)).sum(axis=1).clip(0, CLASSES - 1)
        case _:
            outputs["prediction"] = 100 * strength
            truth = 100 * strength + rng.normal(0, 5 + 10 * strength, rows)
    came = rng.random(rows) < coverage * (0.7 + 0.6 * strength)
    outcomes["label"] = np.where(came, truth, outcomes["label"])
    state = np.where(came, LABELLED, WAITING).astype(np.uint8)
    delays_ms = np.where(came, rng.exponential((1 + strength) * DAY_MS), 0).astype(np.int64)
    times = np.sort(rng.integers(0, DAY_MS, rows))
    return Recalled(0, 0, 1.0, Answers(outputs, outcomes, state, delays_ms), times)


def assessor_of(rng: np.random.Generator, task: Task) -> BinaryAssessor | MulticlassAssessor | RegressionAssessor:
    """Whoever measures this task, with all that it knows after eight windows."""
    form, loss = form_of(task), LossWatch(Terms(run_length_rows=1e6))
    known = recalled(rng, task, 50_000).answers
    match task:
        case Task.BINARY:
            grid = ScoreGrid.of(np.quantile(known.outputs["score"], np.linspace(0, 1, 129)))
            cells = np.arange(known.rows) * PARTS // known.rows
            parts = BinaryState.of_cells(known, form, grid=grid, cells=cells, count=PARTS).labelled
            assessor: BinaryAssessor | MulticlassAssessor | RegressionAssessor = BinaryAssessor(
                form, grid, loss=loss, reference=parts.astype(np.int64)
            )
        case Task.MULTICLASS:
            assessor = MulticlassAssessor(form, loss=loss)
        case _:
            edges = np.quantile(known.outputs["prediction"], np.linspace(0, 1, 129))
            assessor = RegressionAssessor(RegressionGrid.from_reference(edges), loss=loss)
    for end in range(LESSONS):
        assessor.learn(recalled(rng, task, 5_000).answers, version="1", end=end)
    return assessor


def milliseconds(task: Task, stage: Stage, *, rounds: int) -> list[float]:
    """The least time of measuring a window of each size, once what has been learnt is known."""
    rng = np.random.default_rng(1)
    assessor, found = assessor_of(rng, task), []
    for rows in SIZES:
        window = recalled(rng, task, rows, coverage=1.0 if stage is Stage.FINAL else 0.7)
        took = []
        for _ in range(rounds + 1):
            begun = time.process_time()
            assessor.measure(window, version="1", stage=stage, now_ms=2 * DAY_MS)
            took.append(1000 * (time.process_time() - begun))
        found.append(min(took))
    return found


def lines(rounds: int) -> Iterator[str]:
    """The table."""
    yield "| task | stage | " + " | ".join(f"{rows:,} rows".replace(",", " ") for rows in SIZES) + " |"
    yield "|---|---|" + "---|" * len(SIZES)
    for task in TASKS:
        for stage in (Stage.FINAL, Stage.INTERIM):
            cells = " | ".join(f"{took:.2f}" for took in milliseconds(task, stage, rounds=rounds))
            yield f"| {task} | {stage} | {cells} |"


def main() -> None:
    """Measure, and print."""
    for line in lines(int(sys.argv[1]) if len(sys.argv) > 1 else 20):
        print(line)


if __name__ == "__main__":
    main()
