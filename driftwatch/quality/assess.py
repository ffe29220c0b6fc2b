"""What is asked of whoever measures the models of one task."""

from typing import Protocol

from driftwatch.evaluation.report import Performance
from driftwatch.statistics.reading import Stage
from driftwatch.stream.joined import Joined
from driftwatch.stream.outputs import Answers


class Assessor(Protocol):
    """Measures one model's performance, and learns from labels what to expect where there are none."""

    def measure(self, answers: Answers, *, version: str, stage: Stage, age_ms: int, rate: float) -> Performance:
        """What some window's labels and scores say.

        stage: INTERIM while more labels may come. age_ms: how long ago, in event time, the window ended.
        rate: the share of its predictions that is remembered.
        """

    def settle(self, joined: Joined) -> None:
        """Labels have come, in this order: for whoever watches the loss row by row."""

    def learn(self, answers: Answers, *, version: str, end: int) -> None:
        """The last labels of a pane have come; end: of the window that it is the first pane of."""

    def changes(self) -> dict[str, bytes | None]:
        """What was learnt, in chunks by name."""

    def saved(self) -> None:
        """The changes have been written."""

    def resume(self, chunks: dict[str, bytes]) -> None:
        """Go on from what was written; StateError when it cannot be read."""
