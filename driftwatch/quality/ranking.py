"""Measures a ranking: how high the items stand that turned out to be relevant."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from driftwatch.evaluation.report import Performance
from driftwatch.kernels.arrival import Ints, PastDelays, arrival_errors, arrived_by_label, delay_counts
from driftwatch.quality.learnt import Learnt
from driftwatch.quality.loss import LossWatch
from driftwatch.quality.readings import arrivals, measured
from driftwatch.statistics.ranking import corrected_ranking, ranking_performance
from driftwatch.statistics.reading import Stage, Status, Support
from driftwatch.statistics.worth import worth_performance
from driftwatch.stream.join.joined import Settled
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import LABELLED, Answers
from driftwatch.summaries.ranking import HIT_RATE, RankingOutcomes, judged_metrics
from driftwatch.summaries.worth import WorthOutcomes

DELAYS = "delays"
"""Name of the delays in a lesson: (1, 2, BUCKETS), of queries without and with a hit."""


class RankingAssessor:
    """The Assessor of rankings.

    A ranking has no score that could tell which queries are judged early. But clicks come at once, and that nobody
    clicked is known when the wait is over: so what is learnt is how late hits are judged, and how late the others.
    """

    def __init__(self, *, loss: LossWatch) -> None:
        self.learnt = Learnt(loss)
        self._known: dict[str, PastDelays | None] = {}

    def measure(self, recalled: Recalled, *, version: str, stage: Stage, now_ms: int) -> Performance:
        """What some window's labels say; see `Assessor`."""
        answers, worth = recalled.answers, WorthOutcomes.of(recalled.answers)
        ages_ms = np.maximum(now_ms - recalled.times, 0)
        said = arrivals(answers, final=stage is Stage.FINAL, ages_ms=ages_ms, rate=recalled.rate)
        support, absent = Support(stage, said.coverage), Status.DEGENERATE if said.labelled else Status.NO_LABELS
        metrics, details = ranking_performance(RankingOutcomes.of(answers)), {}
        if stage is Stage.INTERIM and said.labelled:
            naive, metrics = metrics, ranking_performance(self._corrected(answers, version, ages_ms=ages_ms))
            details = {name: replace(support, naive=float(interval.value)) for name, interval in naive.items()}
        whole = metrics | worth_performance(worth)
        return Performance(measured(whole, support, details=details, absent=absent), said)

    def settle(self, settled: Settled, names: Mapping[int, str]) -> None:
        """Rankings have no loss of a row that is watched: their metrics swing from query to query."""

    def learn(self, answers: Answers, *, version: str, end: int) -> None:
        """Remember how late hits were judged, and how late the others."""
        hits = judged_metrics(answers)[HIT_RATE]
        told = ~np.isnan(hits)
        if told.any():
            delays_ms, groups = answers.delays_ms[answers.state == LABELLED][told], np.zeros(told.sum(), np.int64)
            counts = delay_counts(groups, hits[told].astype(np.int64), delays_ms, count=1)
            self.learnt.lessons.learn(version, end, {DELAYS: counts})
            self._known.clear()  # another version may have had to make room

    def _corrected(self, answers: Answers, version: str, *, ages_ms: Ints) -> RankingOutcomes:
        """What has been judged so far, weighted for what has not."""
        if version not in self._known:
            counts = self.learnt.lessons.total(version, DELAYS)
            self._known[version] = None if counts is None else PastDelays.of(counts.astype(np.float64))
        delays = self._known[version]
        if delays is None:
            return RankingOutcomes.of(answers)
        shares = arrived_by_label(delays, np.zeros(answers.rows, np.int64), ages_ms)
        errors = arrival_errors(delays.counts, shares)
        return corrected_ranking(RankingOutcomes.by_hit(answers), shares[0], errors[0])
