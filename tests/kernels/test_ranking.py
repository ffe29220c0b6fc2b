"""The metrics of a ranking against scikit-learn and against a brute-force oracle, query by query."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.kernels.ranking import ranks


def oracle(items, judged, *, places=10):
    """One query's ndcg, mrr, map and hit rate, item by item."""
    relevant = {item: worth for item, worth in judged.items() if item and worth > 0}
    if not relevant:
        return (math.nan,) * 4
    seen, hits, precision, gain, first = set(), 0, 0.0, 0.0, 0.0
    for place, item in enumerate(items[:places], start=1):
        if item in relevant and item not in seen:
            hits += 1
            precision += hits / place
            gain += relevant[item] / math.log2(place + 1)
            first = first or 1 / place
        seen.add(item)
    best = sorted(relevant.values(), reverse=True)[:places]
    ideal = sum(worth / math.log2(place + 1) for place, worth in enumerate(best, start=1))
    return gain / ideal, first, precision / min(len(relevant), places), float(hits > 0)


def arrays(queries, places=10, most=64):
    items = np.zeros((len(queries), places), dtype=np.uint64)
    judged, relevance = np.zeros((len(queries), most), dtype=np.uint64), np.zeros((len(queries), most), np.float32)
    for row, (shown, labels) in enumerate(queries):
        items[row, : len(shown)] = shown
        judged[row, : len(labels)] = list(labels)
        relevance[row, : len(labels)] = list(labels.values())
    return items, judged, relevance


QUERIES = st.lists(
    st.tuples(
        st.lists(st.integers(1, 15), max_size=10),
        st.dictionaries(st.integers(1, 15), st.sampled_from([-1.0, 0.0, 0.5, 1.0, 3.0]), max_size=12),
    ),
    max_size=6,
)


@given(QUERIES)
def test_equals_the_definitions(queries):
    """Repeated items, empty lists, irrelevant and negative judgements included."""
    got = ranks(*arrays(queries))
    expected = np.array([oracle(shown, labels) for shown, labels in queries]).reshape(-1, 4).T
    np.testing.assert_allclose(np.stack([got.ndcg, got.mrr, got.map, got.hit_rate]), expected, rtol=1e-12)


def test_equals_scikit_learn():
    """ndcg@10 is ndcg_score; with every relevant item shown, map is the average precision of the labels' ranks."""
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is an oracle, not a dependency")
    rng = np.random.default_rng(0)
    relevance = rng.integers(0, 5, (300, 30)) * (rng.random((300, 30)) < 0.3)
    relevance = relevance[relevance.any(axis=1)]
    scores = rng.random(relevance.shape)
    items = np.argsort(-scores, axis=1)[:, :10].astype(np.uint64) + 1
    judged = np.broadcast_to(np.arange(1, 31, dtype=np.uint64), relevance.shape)
    got = ranks(items, judged, relevance.astype(np.float32))
    expected = [metrics.ndcg_score([y], [s], k=10) for y, s in zip(relevance, scores, strict=True)]
    np.testing.assert_allclose(got.ndcg, expected, rtol=1e-12, atol=1e-15)
    few, places = relevance[:, :10], np.argsort(-scores[:, :10], axis=1).astype(np.uint64) + 1
    kept = few.any(axis=1)
    got = ranks(places[kept], judged[kept, :10], few[kept].astype(np.float32))
    expected = [
        metrics.label_ranking_average_precision_score([y > 0], [s])
        for y, s in zip(few[kept], scores[kept, :10], strict=True)
    ]
    np.testing.assert_allclose(got.map, expected, rtol=1e-12)


def test_a_query_without_relevant_items_is_left_out_and_an_empty_list_is_not():
    """Nothing could be found in the first; nothing was found in the second."""
    got = ranks(*arrays([([1, 2], {1: 0.0}), ([], {1: 1.0})]))
    assert np.isnan([got.ndcg[0], got.mrr[0], got.map[0], got.hit_rate[0]]).all()
    assert [got.ndcg[1], got.mrr[1], got.map[1], got.hit_rate[1]] == [0, 0, 0, 0]
