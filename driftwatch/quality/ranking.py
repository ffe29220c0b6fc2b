"""Measures a ranking: how high the items stand that turned out to be relevant."""

from collections.abc import Mapping

import numpy as np

from driftwatch.evaluation.report import Performance
from driftwatch.quality.learnt import Learnt
from driftwatch.quality.loss import LossWatch
from driftwatch.quality.readings import arrivals, measured
from driftwatch.statistics.ranking import ranking_performance
from driftwatch.statistics.reading import Stage, Status, Support
from driftwatch.statistics.worth import worth_performance
from driftwatch.stream.join.joined import Settled
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import Answers
from driftwatch.summaries.ranking import RankingOutcomes
from driftwatch.summaries.worth import WorthOutcomes


class RankingAssessor:
    """The Assessor of rankings. Which queries get a judgement early is not corrected for: a ranking has no score."""

    def __init__(self, *, loss: LossWatch) -> None:
        self.learnt = Learnt(loss)

    def measure(self, recalled: Recalled, *, version: str, stage: Stage, now_ms: int) -> Performance:
        """What some window's labels say; see `Assessor`."""
        del version
        state, worth = RankingOutcomes.of(recalled.answers), WorthOutcomes.of(recalled.answers)
        ages_ms = np.maximum(now_ms - recalled.times, 0)
        said = arrivals(recalled.answers, final=stage is Stage.FINAL, ages_ms=ages_ms, rate=recalled.rate)
        absent = Status.DEGENERATE if said.labelled else Status.NO_LABELS
        metrics = ranking_performance(state) | worth_performance(worth)
        return Performance(measured(metrics, Support(stage, said.coverage), absent=absent), said)

    def settle(self, settled: Settled, names: Mapping[int, str]) -> None:
        """Rankings have no loss of a row that is watched: their metrics swing from query to query."""

    def learn(self, answers: Answers, *, version: str, end: int) -> None:
        """Nothing is estimated of rankings."""
