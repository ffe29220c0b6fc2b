"""What is asked of whoever measures the models of one task."""

from collections.abc import Mapping
from typing import Protocol

from driftwatch.evaluation.report import Performance
from driftwatch.quality.learnt import Learnt
from driftwatch.statistics.reading import Stage
from driftwatch.stream.join.joined import Settled
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import Answers


class Assessor(Protocol):
    """Measures one model's performance, and learns from labels what to expect where there are none."""

    @property
    def learnt(self) -> Learnt:
        """What it must not forget."""

    def measure(self, recalled: Recalled, *, version: str, stage: Stage, now_ms: int) -> Performance:
        """What some window's labels and scores say.

        stage: INTERIM while more labels may come. now_ms: the greatest event time that has been seen.
        """

    def settle(self, settled: Settled, names: Mapping[int, str]) -> None:
        """Labels have come, in this order: for whoever watches the loss row by row. names: version codes → versions."""

    def learn(self, answers: Answers, *, version: str, end: int) -> None:
        """The last labels of a pane have come; end: of the window that it is the first pane of."""
