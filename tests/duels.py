"""Two versions' rows of a window, drawn for any task, as the join recalls them."""

import numpy as np

from driftwatch.quality.yardsticks import Measure, measure_of
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import CUTOFF, GROUPS, LABELLED, WAITING, Answers, OutputForm, blank
from driftwatch.stream.schema import Task
from driftwatch.summaries.scores import ScoreGrid

FORMS = {
    Task.BINARY: OutputForm(Task.BINARY, ("no", "yes")),
    Task.MULTICLASS: OutputForm(Task.MULTICLASS, ("a", "b", "c")),
    Task.REGRESSION: OutputForm(Task.REGRESSION),
    Task.RANKING: OutputForm(Task.RANKING),
}
MEASURES: dict[Task, Measure] = {task: measure_of(form, ScoreGrid.of()) for task, form in FORMS.items()}


def answers(task: Task, seed: int, rows: int, *, noise: float = 0.0, form: OutputForm | None = None) -> Answers:
    """Labelled answers, of a model that is the worse the more noise there is."""
    rng = np.random.default_rng(seed)
    form = form or FORMS[task]
    outputs, outcomes = blank(form.outputs, rows), blank(form.outcomes, rows)
    outputs["value"] = rng.lognormal(size=rows)
    _DRAW[task](rng, outputs, outcomes, noise)
    if form.groups:
        outputs[GROUPS] = rng.integers(0, 2, (rows, form.groups))
    return Answers(outputs, outcomes, np.full(rows, LABELLED, np.uint8), np.zeros(rows, np.int64))


def recalled(said: Answers, version: int = 0) -> Recalled:
    """A window of them."""
    return Recalled(0, version, 1.0, said, np.zeros(said.rows, dtype=np.int64))


def waiting(said: Answers) -> Answers:
    """The same without a label."""
    return Answers(said.outputs, said.outcomes, np.full(said.rows, WAITING, np.uint8), said.delays_ms)


def together(*parts: Answers) -> Answers:
    """Several, one after the other."""
    return Answers(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Answers.__dataclass_fields__)
    )  # fmt: skip


def _binary(rng, outputs, outcomes, noise):
    likely = rng.beta(1, 2, len(outputs))
    outputs["score"] = np.clip(likely + noise * rng.normal(size=len(outputs)), 0.001, 0.999)
    outputs["prediction"] = outputs["score"] >= 0.5
    outcomes["label"] = rng.random(len(outputs)) < likely


def _multiclass(rng, outputs, outcomes, noise):
    likely = rng.dirichlet((1, 1, 2), len(outputs))
    said = likely + noise * rng.random(likely.shape)
    outputs["scores"] = said / said.sum(axis=1, keepdims=True)
    outputs["prediction"] = outputs["scores"].argmax(axis=1)
    outcomes["label"] = (rng.random((len(outputs), 1)) > likely.cumsum(axis=1)).sum(axis=1)


def _regression(rng, outputs, outcomes, noise):
    label = 20 + 5 * rng.normal(size=len(outputs))
    outputs["prediction"] = label + (1 + noise) * rng.normal(size=len(outputs))
    outputs["low"], outputs["high"] = outputs["prediction"] - 1.6, outputs["prediction"] + 1.6
    outcomes["label"] = label


def _ranking(rng, outputs, outcomes, noise):
    shown = np.arange(1, CUTOFF + 1)
    outputs["items"] = shown
    place = rng.geometric(0.4 / (1 + noise), len(outputs))
    outcomes["items"][:, 0], outcomes["relevance"][:, 0] = np.minimum(place, CUTOFF + 1), 1.0


_DRAW = {
    Task.BINARY: _binary,
    Task.MULTICLASS: _multiclass,
    Task.REGRESSION: _regression,
    Task.RANKING: _ranking,
}
