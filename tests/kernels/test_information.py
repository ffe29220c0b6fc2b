"""Mutual information: scikit-learn's, and what correcting its bias is good for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import mutual_info_score

from driftwatch.kernels.information import corrected_information, dependence, entropy, mutual_information

TABLES = arrays(np.int64, st.tuples(st.integers(1, 12), st.integers(1, 8)), elements=st.integers(0, 50))


@given(TABLES)
def test_it_is_that_of_scikit_learn(table):
    """Plugged in, in nats, whatever groups are empty."""
    if table.sum():
        assert mutual_information(table) == pytest.approx(mutual_info_score(None, None, contingency=table), abs=1e-12)


@given(TABLES)
def test_dependence_is_a_share(table):
    """Between nothing and all, and the same whatever the order of groups and answers."""
    share = dependence(table)
    assert 0.0 <= share <= 1.0
    assert dependence(table[::-1, ::-1]) == pytest.approx(share, abs=1e-12)
    groups, answers, pairs = (np.count_nonzero(part) for part in (table.sum(axis=1), table.sum(axis=0), table))
    if pairs >= groups + answers - 1:  # else what is corrected is not the look of relations that chance makes
        assert dependence(3 * table) >= share - 1e-12  # more rows, the same shares: less to correct


def test_extremes():
    """A group that says all, one that says nothing, and no rows at all."""
    assert dependence(np.diag([10, 20, 30])) == pytest.approx(1.0)
    assert dependence(np.full((4, 3), 1000)) == 0.0
    assert dependence(np.zeros((4, 3), dtype=np.int64)) == 0.0
    assert dependence(np.array([[5], [6]])) == 0.0  # where there is one answer, nothing is open
    assert entropy(np.array([1, 1, 1, 1])) == pytest.approx(np.log(4))
    assert entropy(np.zeros(0)) == 0.0


def test_columns_of_many_groups_do_not_look_important():
    """34 groups that have nothing to do with 10 answers: of the bias of 5 000 rows, 0.03 nats, hardly any is left."""
    rng = np.random.default_rng(5)
    plain, corrected = [], []
    for _ in range(200):
        table = np.zeros((34, 10), dtype=np.int64)
        np.add.at(table, (rng.integers(0, 34, 5000), rng.integers(0, 10, 5000)), 1)
        plain.append(mutual_information(table))
        corrected.append(corrected_information(table))
    assert np.mean(plain) > 0.025
    assert abs(np.mean(corrected)) < 0.1 * np.mean(plain)


def test_the_true_value_is_met_better():
    """Of a relation that is known: the corrected estimate is nearer than the plain one, on average over samples."""
    rng = np.random.default_rng(6)
    joint = rng.dirichlet(np.full(60, 0.7)).reshape(12, 5)
    truth = mutual_information(joint)
    samples = rng.multinomial(400, joint.ravel(), size=300).reshape(-1, 12, 5)
    plain = np.mean([mutual_information(table) for table in samples]) - truth
    corrected = np.mean([corrected_information(table) for table in samples]) - truth
    assert abs(corrected) < abs(plain) / 2
