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
        kept = answers.state == LABELLED
        outcomes = answers.outcomes[kept]
        judged = ranks(answers.outputs["items"][kept], outcomes["items"], outcomes["relevance"])
        metrics = np.stack([judged.ndcg, judged.mrr, judged.map, judged.hit_rate])
        return cls(
            predicted=np.asarray(float(answers.rows)),
            labelled=np.asarray(float(np.count_nonzero(kept))),
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


def power_sums(values: Floats) -> Floats:
    """(…, POWERS) sums of values⁰ … values³ over the last axis (…, rows), NaN left out."""
    given = ~np.isnan(values)
    known = np.where(given, values, 0.0)
    square = known * known
    return np.stack([part.sum(axis=-1) for part in (given.astype(np.float64), known, square, square * known)], axis=-1)
