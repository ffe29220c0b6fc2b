"""An Assessor that says one number of a window: the others are pure, tested elsewhere, and take most of the time."""

from collections.abc import Mapping

import numpy as np

from driftwatch.evaluation.report import Performance
from driftwatch.kernels.interval import Interval
from driftwatch.quality.learnt import Learnt
from driftwatch.quality.loss import LossWatch
from driftwatch.quality.readings import arrivals, measured
from driftwatch.statistics.concept import Terms
from driftwatch.statistics.reading import Stage, Status, Support
from driftwatch.stream.join.joined import Settled
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import LABELLED, Answers


class QuickAssessor:
    """Accuracy of a binary classifier, and as its estimate the accuracy of all panes that were learnt from."""

    def __init__(self) -> None:
        self.learnt = Learnt(LossWatch(Terms(run_length_rows=1_000.0)))

    def measure(self, recalled: Recalled, *, version: str, stage: Stage, now_ms: int) -> Performance:
        """What some window's labels and scores say; see `Assessor`."""
        ages_ms = np.maximum(now_ms - recalled.times, 0)
        said = arrivals(recalled.answers, final=stage is Stage.FINAL, ages_ms=ages_ms, rate=recalled.rate)
        right, rows = _right(recalled.answers)
        value = np.array(right / rows if rows else np.nan)
        found = measured({"accuracy": Interval(value, value, value)}, Support(stage, said.coverage), absent=_ABSENT)
        taught = self.learnt.lessons.total(version, "right")
        if taught is not None:
            value = np.array(taught[0] / taught[1])
            found += measured({"accuracy": Interval(value, value, value)}, Support(Stage.ESTIMATED), absent=_ABSENT)
        return Performance(found, said)

    def settle(self, settled: Settled, names: Mapping[int, str]) -> None:
        """Show the watch over the loss which predictions were wrong."""
        wrong = settled.outputs["prediction"] != settled.outcomes["label"]
        self.learnt.loss.see(settled, names, wrong.astype(np.float64))

    def learn(self, answers: Answers, *, version: str, end: int) -> None:
        """Keep how many were right."""
        right, rows = _right(answers)
        if rows:
            self.learnt.lessons.learn(version, end, {"right": np.array([right, rows])})


_ABSENT = Status.NO_LABELS


def _right(answers: Answers) -> tuple[int, int]:
    known = answers.state == LABELLED
    right = answers.outputs["prediction"][known] == answers.outcomes["label"][known]
    return int(np.count_nonzero(right)), int(right.size)
