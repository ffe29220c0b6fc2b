"""By what two versions of a model are compared: the states that are added up of each task, and their metrics."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.interval import Floats, Interval
from driftwatch.statistics.binary import Costs, binary_metrics
from driftwatch.statistics.comparison import Arrays, Metrics, Yardstick
from driftwatch.statistics.multiclass import class_metrics, multiclass_metrics
from driftwatch.statistics.ranking import ranking_performance
from driftwatch.statistics.regression import regression_performance
from driftwatch.statistics.worth import worth_performance
from driftwatch.stream.outputs import Answers, OutputForm
from driftwatch.stream.schema import Task
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.multiclass import MulticlassState
from driftwatch.summaries.ranking import RankingOutcomes
from driftwatch.summaries.regression import RegressionGrid, RegressionOutcomes
from driftwatch.summaries.scores import ScoreGrid
from driftwatch.summaries.worth import WorthOutcomes

BINS = 256
"""Score bins of a binary model's contest: there may be many of them, and each holds two states."""
WORTH = "value_per_prediction"

_MAIN, _WORTH = "main.", "worth."


class Mergeable(Protocol):
    """A state that adds."""

    def merge(self, other: Self) -> Self:
        """Add two of them."""
        ...

    def arrays(self) -> dict[str, Any]:
        """It as named arrays."""
        ...


S = TypeVar("S", bound=Mergeable)


@dataclass(frozen=True, slots=True)
class Measure:
    """Counts answers as arrays that add, and says what they mean. nothing: the state of no answers."""

    count: Callable[[Answers], Arrays]
    yardstick: Yardstick
    nothing: Arrays

    def fits(self, arrays: Arrays) -> bool:
        """Whether arrays are of such a state."""
        shapes = {name: array.shape for name, array in arrays.items()}
        return shapes == {name: array.shape for name, array in self.nothing.items()}


def measure_of(form: OutputForm, grid: ScoreGrid, *, costs: Costs | None = None) -> Measure:
    """How models of this form are compared. grid: of a binary model's assessor; others need none."""
    match form.task:
        case Task.BINARY:
            return _binary(form, coarse(grid), costs)
        case Task.MULTICLASS:
            return _multiclass(form)
        case Task.REGRESSION:
            return _regression()
        case _:
            return _ranking()


def coarse(grid: ScoreGrid) -> ScoreGrid:
    """At most about BINS of a grid's bins, and its ends: where scores are dense in the reference, so are bins here."""
    places = np.linspace(0, grid.bins - 1, BINS).round().astype(np.int64)
    return ScoreGrid(grid.edges[np.unique(np.concatenate([places, [grid.bins - 2]]))])


def _binary(form: OutputForm, grid: ScoreGrid, costs: Costs | None) -> Measure:
    def metrics(state: BinaryState, worth: WorthOutcomes) -> Metrics:
        whole = _whole(binary_metrics(state, costs=costs))
        return whole if costs is not None else whole | _worth(worth)

    def rarest(state: BinaryState) -> Floats:
        least: Floats = state.labelled.sum(axis=(-3, -2)).min(axis=-1)
        return least

    return _measure(
        BinaryState.empty(grid),
        count=lambda answers: BinaryState.of(answers, form, grid=grid),
        restore=lambda arrays: BinaryState.from_arrays(grid, arrays),
        metrics=metrics,
        rarest=rarest,
    )


def _multiclass(form: OutputForm) -> Measure:
    def metrics(state: MulticlassState, worth: WorthOutcomes) -> Metrics:
        by_class = {
            (name, metric): Interval(*(part[..., place] for part in (found.value, found.lower, found.upper)))
            for metric, found in class_metrics(state).items()
            for place, name in enumerate(form.classes)
        }
        return _whole(multiclass_metrics(state)) | _worth(worth) | by_class

    def rarest(state: MulticlassState) -> Floats:
        labels = state.labelled.sum(axis=(-3, -2))[..., :-1]
        # A class that never comes is in no mean over classes.
        least: Floats = np.where(labels > 0, labels, np.inf).min(axis=-1)
        return least

    return _measure(
        MulticlassState.empty(form),
        count=lambda answers: MulticlassState.of(answers, form),
        restore=lambda arrays: MulticlassState.from_arrays(form, arrays),
        metrics=metrics,
        rarest=rarest,
    )


def _regression() -> Measure:
    # One stratum: nothing is corrected for labels that come late, since none is waited for any more.
    grid = RegressionGrid(())
    return _measure(
        RegressionOutcomes.empty(grid),
        count=lambda answers: RegressionOutcomes.of(answers, grid),
        restore=lambda arrays: RegressionOutcomes.from_arrays(grid, arrays),
        metrics=lambda state, worth: _whole(regression_performance(state)) | _worth(worth),
        rarest=lambda state: np.full(state.labelled.shape[:-1], np.inf),
    )


def _ranking() -> Measure:
    return _measure(
        RankingOutcomes.empty(),
        count=RankingOutcomes.of,
        restore=RankingOutcomes.from_arrays,
        metrics=lambda state, worth: _whole(ranking_performance(state)) | _worth(worth),
        rarest=lambda state: np.full(state.powers.shape[:-2], np.inf),
    )


def _measure(
    empty: S,
    *,
    count: Callable[[Answers], S],
    restore: Callable[[Arrays], S],
    metrics: Callable[[S, WorthOutcomes], Metrics],
    rarest: Callable[[S], Floats],
) -> Measure:
    """Put a task's state and the business value side by side, as arrays."""

    def split(arrays: Arrays) -> tuple[S, WorthOutcomes]:
        return restore(_under(_MAIN, arrays)), WorthOutcomes.from_arrays(_under(_WORTH, arrays))

    def joined(state: S, worth: WorthOutcomes) -> Arrays:
        return {_MAIN + name: array for name, array in state.arrays().items()} | {
            _WORTH + name: array for name, array in worth.arrays().items()
        }

    def merge(one: Arrays, other: Arrays) -> Arrays:
        (state, worth), (more, more_worth) = split(one), split(other)
        return joined(state.merge(more), worth.merge(more_worth))

    yardstick = Yardstick(
        merge=merge,
        metrics=lambda arrays: metrics(*split(arrays)),
        rarest=lambda arrays: rarest(split(arrays)[0]),
    )
    return Measure(
        count=lambda answers: joined(count(answers), WorthOutcomes.of(answers)),
        yardstick=yardstick,
        nothing=joined(empty, WorthOutcomes.empty()),
    )


def _under(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _whole(metrics: Mapping[str, Interval]) -> dict[tuple[str, str], Interval]:
    return {("", name): interval for name, interval in metrics.items()}


def _worth(worth: WorthOutcomes) -> dict[tuple[str, str], Interval]:
    return {("", WORTH): worth_performance(worth)[WORTH]}
