"""The mergeable state of a ranking's performance: power sums of every query's metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from driftwatch.kernels.ranking import ranks
from driftwatch.stream.outputs import LABELLED, Answers
from driftwatch.summaries.layout import Floats

NDCG, MRR, MAP, HIT_RATE = range(4)
METRICS, POWERS = 4, 4


@dataclass(frozen=True, slots=True)
class RankingOutcomes:
    """Power sums over the queries that have a relevant item; every array may have leading axes (…) of cells.

    predicted: (…) all queries. labelled: (…) those whose label has come. powers: (…, METRICS, POWERS) sums of
    metric⁰ (the queries counted), metric¹, metric² and metric³.
    """

    predicted: Floats
    labelled: Floats
    powers: Floats

    @classmethod
    def empty(cls) -> Self:
        """The identity of `merge`."""
        return cls(np.zeros(()), np.zeros(()), np.zeros((METRICS, POWERS)))

    @classmethod
    def of(cls, answers: Answers) -> Self:
        """Judge the queries whose label has come."""
        return cls._made(answers, judged_metrics(answers))

    @classmethod
    def by_hit(cls, answers: Answers) -> Self:
        """The same in two cells: queries whose relevant items are not shown, and those of which one is."""
        metrics = judged_metrics(answers)
        cells = [cls._made(answers, np.where(metrics[HIT_RATE] == hit, metrics, np.nan)) for hit in (0, 1)]
        return cls(*(np.stack([cell.arrays()[name] for cell in cells]) for name in cells[0].arrays()))

    @classmethod
    def _made(cls, answers: Answers, metrics: Floats) -> Self:
        return cls(
            predicted=np.asarray(float(answers.rows)),
            labelled=np.asarray(float(metrics.shape[1])),
            powers=power_sums(metrics),
        )

    def merge(self, other: Self) -> Self:
        """Add two states, cell by cell."""
        return type(self)(
            predicted=self.predicted + other.predicted,
            labelled=self.labelled + other.labelled,
            powers=self.powers + other.powers,
        )

    def arrays(self) -> dict[str, Floats]:
        """The state as named arrays, for whoever stores it."""
        return {"predicted": self.predicted, "labelled": self.labelled, "powers": self.powers}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats]) -> Self:
        """The inverse of `arrays`."""
        return cls(**{name: arrays[name] for name in ("predicted", "labelled", "powers")})


def judged_metrics(answers: Answers) -> Floats:
    """(METRICS, judged queries), NaN of those without a relevant item."""
    kept = answers.state == LABELLED
    outcomes = answers.outcomes[kept]
    judged = ranks(answers.outputs["items"][kept], outcomes["items"], outcomes["relevance"])
    return np.stack([judged.ndcg, judged.mrr, judged.map, judged.hit_rate])


def power_sums(values: Floats) -> Floats:
    """(…, POWERS) sums of values⁰ … values³ over the last axis (…, rows), NaN left out."""
    given = ~np.isnan(values)
    known = np.where(given, values, 0.0)
    square = known * known
    return np.stack([part.sum(axis=-1) for part in (given.astype(np.float64), known, square, square * known)], axis=-1)
