"""Measures a regression: by its labels, and by what errors were at like predictions."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from driftwatch.evaluation.report import Performance
from driftwatch.quality.learnt import Learnt
from driftwatch.quality.lessons import LEAST_LABELS
from driftwatch.quality.loss import LossWatch
from driftwatch.quality.losses import prediction_errors
from driftwatch.quality.readings import arrivals, measured
from driftwatch.statistics.estimation_regression import estimated_regression
from driftwatch.statistics.reading import Reading, Stage, Status, Support
from driftwatch.statistics.regression import regression_performance
from driftwatch.statistics.worth import worth_performance
from driftwatch.stream.join.joined import Settled
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import Answers
from driftwatch.summaries.known_outcomes import Errors
from driftwatch.summaries.regression import RegressionGrid, RegressionOutcomes
from driftwatch.summaries.worth import WorthOutcomes


class RegressionAssessor:
    """The Assessor of regressions.

    reference: errors of the labelled reference. Without one the loss is not watched row by row: nothing says which
    error is a large one.
    """

    def __init__(self, grid: RegressionGrid, *, loss: LossWatch, reference: Errors | None = None) -> None:
        self.learnt = Learnt(loss)
        self._grid, self._reference = grid, reference
        self._known: dict[str, RegressionOutcomes] = {}

    def measure(self, recalled: Recalled, *, version: str, stage: Stage, now_ms: int) -> Performance:
        """What some window's labels and predictions say; see `Assessor`."""
        answers = recalled.answers
        state, worth = RegressionOutcomes.of(answers, self._grid), WorthOutcomes.of(answers)
        ages_ms = np.maximum(now_ms - recalled.times, 0)
        said = arrivals(answers, final=stage is Stage.FINAL, ages_ms=ages_ms, rate=recalled.rate)
        support, absent = Support(stage, said.coverage), Status.DEGENERATE if said.labelled else Status.NO_LABELS
        metrics, details = regression_performance(state), {}
        if stage is Stage.INTERIM and said.labelled:
            naive, metrics = metrics, regression_performance(state.post_stratified())
            details = {name: replace(support, naive=float(interval.value)) for name, interval in naive.items()}
        whole = metrics | {"value_per_prediction": worth_performance(worth)["value_per_prediction"]}
        realised = measured(whole, support, details=details, absent=absent)
        return Performance((*realised, *self._estimated(state, version), *self.learnt.loss.readings(version)), said)

    def settle(self, settled: Settled, names: Mapping[int, str]) -> None:
        """Show the watch over the loss how large the errors were."""
        if self._reference is not None:
            losses = prediction_errors(settled.outputs, settled.outcomes, scale=self._reference.scale)
            self.learnt.loss.see(settled, names, losses)

    def learn(self, answers: Answers, *, version: str, end: int) -> None:
        """Remember what errors were at which predictions."""
        state = RegressionOutcomes.of(answers, self._grid)
        if state.labelled.sum():
            self.learnt.lessons.learn(version, end, state.arrays())
            self._known.clear()  # another version may have had to make room

    def _estimated(self, state: RegressionOutcomes, version: str) -> tuple[Reading, ...]:
        known = self._knowledge(version)
        if known.labelled.sum() < LEAST_LABELS:
            return ()
        return measured(estimated_regression(known, state.predicted), Support(Stage.ESTIMATED))

    def _knowledge(self, version: str) -> RegressionOutcomes:
        """What past labels say of errors."""
        if version not in self._known:
            total = RegressionOutcomes.empty(self._grid)
            for arrays in self.learnt.lessons.all(version):
                total = total.merge(RegressionOutcomes.from_arrays(self._grid, arrays))
            if self._reference is not None:
                total = total.merge(_faded(self._reference.moments, by_rows=float(total.labelled.sum())))
            self._known[version] = total
        return self._known[version]


def _faded(reference: RegressionOutcomes, *, by_rows: float) -> RegressionOutcomes:
    """The reference's errors stand in for labels that have not come yet: each that comes takes the place of one."""
    share = max(0.0, 1.0 - by_rows / float(reference.labelled.sum()))
    return replace(
        reference,
        predicted=reference.predicted * share,
        labelled=reference.labelled * share,
        products=reference.products * share,
    )
