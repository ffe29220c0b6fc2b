"""Measures a multiclass classifier: by its labels, together and each class against the rest, and by scores alone."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from driftwatch.evaluation.report import Performance
from driftwatch.kernels.class_calibration import ClassCalibration
from driftwatch.kernels.interval import Floats, Interval
from driftwatch.quality.class_expectation import COUNTS, ClassExpectation
from driftwatch.quality.learnt import Learnt
from driftwatch.quality.loss import LossWatch
from driftwatch.quality.losses import wrong_classes
from driftwatch.quality.readings import arrivals, measured, worth
from driftwatch.statistics.multiclass import baseline_accuracy, class_metrics, multiclass_metrics
from driftwatch.statistics.reading import Reading, Stage, Status, Support
from driftwatch.stream.join.joined import Settled
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import Answers, OutputForm
from driftwatch.summaries.known_outcomes import ClassParts
from driftwatch.summaries.multiclass import MulticlassState


class MulticlassAssessor:
    """The Assessor of multiclass classifiers; reference: the labels of its reference, if it has any."""

    def __init__(self, form: OutputForm, *, loss: LossWatch, reference: ClassParts | None = None) -> None:
        self.learnt = Learnt(loss)
        self._form = form
        self._expectation = ClassExpectation(form.classes, reference)
        self._known: dict[str, ClassCalibration | None] = {}

    def measure(self, recalled: Recalled, *, version: str, stage: Stage, now_ms: int) -> Performance:
        """What some window's labels say; see `Assessor`."""
        answers = recalled.answers
        state = MulticlassState.of(answers, self._form)
        ages_ms = np.maximum(now_ms - recalled.times, 0)
        said = arrivals(answers, final=stage is Stage.FINAL, ages_ms=ages_ms, rate=recalled.rate)
        support, absent = Support(stage, said.coverage), Status.DEGENERATE if said.labelled else Status.NO_LABELS
        whole, classes = multiclass_metrics(state), class_metrics(state)
        naive = dict(whole)
        if stage is Stage.INTERIM and said.labelled:
            weights = _weights(state)
            weighed, spread = (MulticlassState.of(answers, self._form, weights=each) for each in (weights, weights**2))
            whole, classes = multiclass_metrics(weighed, spread=spread), class_metrics(weighed, spread=spread)
        baseline = float(baseline_accuracy(state))
        details = {
            name: replace(
                support,
                naive=float(interval.value) if stage is Stage.INTERIM else np.nan,
                baseline=baseline if name == "accuracy" else np.nan,
            )
            for name, interval in naive.items()
        }
        readings = measured(whole | worth(answers), support, details=details, absent=absent)
        readings = (
            *readings,
            *self._by_class(classes, support, absent),
            *self._expectation.readings(answers, self._calibration(version), final=stage is Stage.FINAL),
            *self.learnt.loss.readings(version),
        )
        return Performance(readings, said)

    def settle(self, settled: Settled, names: Mapping[int, str]) -> None:
        """Show the watch over the loss which predictions were wrong."""
        self.learnt.loss.see(settled, names, wrong_classes(settled.outputs, settled.outcomes))

    def learn(self, answers: Answers, *, version: str, end: int) -> None:
        """Calibrate each class's scores by a pane's labels."""
        counts = self._expectation.lesson(answers)
        if counts.any():
            self.learnt.lessons.learn(version, end, {COUNTS: counts})
            self._known.clear()  # another version may have had to make room

    def _calibration(self, version: str) -> ClassCalibration | None:
        if version not in self._known:
            self._known[version] = self._expectation.learnt(self.learnt.lessons, version)
        return self._known[version]

    def _by_class(self, classes: Mapping[str, Interval], support: Support, absent: Status) -> tuple[Reading, ...]:
        return tuple(
            reading
            for place, name in enumerate(self._form.classes)
            for reading in measured(
                {metric: interval.at(place) for metric, interval in classes.items()},
                support,
                absent=absent,
                column=name,
            )
        )


def _weights(state: MulticlassState) -> Floats:
    """How many predictions each label of a stratum stands for; strata without labels are left out."""
    labelled = state.labelled.sum(axis=-1).astype(np.float64)
    weights: Floats = np.divide(state.predicted, labelled, out=np.zeros(labelled.shape), where=labelled > 0)
    return weights
