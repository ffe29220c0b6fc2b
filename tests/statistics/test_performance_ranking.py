"""What the outcomes of rankings say: the means of the queries' metrics, with intervals that hold."""

import numpy as np
import pytest

from driftwatch.kernels.ranking import ranks
from driftwatch.statistics.ranking import ranking_performance
from driftwatch.stream.outputs import LABELLED, Answers, OutputForm
from driftwatch.stream.schema import Task
from driftwatch.summaries.ranking import RankingOutcomes
from tests.benchmarks.intervals_regression import RANKINGS, held, ranking


def test_values_are_the_means_of_the_labelled_queries():
    """Waiting queries and those without relevant items are left out."""
    rng = np.random.default_rng(0)
    form, rows = OutputForm(Task.RANKING), 500
    outputs, outcomes = np.zeros(rows, form.outputs), np.zeros(rows, form.outcomes)
    outputs["items"] = rng.permuted(np.tile(np.arange(1, 41, dtype=np.uint64), (rows, 1)), axis=1)[:, :10]
    outcomes["items"][:, :20] = np.arange(1, 21)
    outcomes["relevance"][:, :20] = rng.integers(0, 4, (rows, 20)) * (rng.random((rows, 1)) < 0.8)
    state = rng.integers(0, 3, rows).astype(np.uint8)
    answers = Answers(outputs, outcomes, state, np.zeros(rows, dtype=np.int64))
    got = ranking_performance(RankingOutcomes.of(answers))
    kept = state == LABELLED
    exact = ranks(outputs["items"][kept], outcomes["items"][kept], outcomes["relevance"][kept])
    for name, interval in got.items():
        assert interval.value == pytest.approx(np.nanmean(getattr(exact, name)), rel=1e-12)
        assert 0 <= interval.lower < interval.value < interval.upper <= 1


def test_no_query_says_nothing():
    """Every metric is undefined."""
    got = ranking_performance(RankingOutcomes.empty())
    assert set(got) == {"ndcg", "mrr", "map", "hit_rate"}
    assert all(np.isnan([part.value, part.lower, part.upper]).all() for part in got.values())


@pytest.mark.parametrize("kind", RANKINGS)
def test_intervals_hold(kind):
    """95 % intervals hold in 92.5 % of 1 000 windows of 200 queries, or in more where hits are rare or certain."""
    found, true = ranking(kind, 200, windows=1000)
    for metric, interval in found.items():
        share, _, _ = held(interval, true[metric])
        assert 0.925 <= share <= 0.995, metric
