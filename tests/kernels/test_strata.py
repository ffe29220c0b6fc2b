import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.kernels.extremes import extremes
from driftwatch.kernels.influence import influences
from driftwatch.kernels.strata import LEAST_LABELS, score_groups, stratify


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1), st.integers(1, 40))
def test_labels_stand_for_all_predictions(seed, share, bins):
    """In every stratum with a label the weights sum to its predictions; no other has a weight."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 60, (bins + 1, 2, 2)).astype(float)
    labelled = rng.binomial(labels.astype(int), share).astype(float)
    predicted = labels.sum(axis=-1)
    arrived = rng.uniform(0.1, 1, (bins + 1, 2))
    found = stratify(predicted, labelled, arrived)
    size = found.codes.max() + 1
    have = np.bincount(found.codes.ravel(), (labelled * found.weights).sum(axis=-1).ravel(), minlength=size)
    want = np.bincount(found.codes.ravel(), predicted.ravel(), minlength=size)
    known = np.bincount(found.codes.ravel(), labelled.sum(axis=-1).ravel(), minlength=size) > 0
    assert have[known] == pytest.approx(want[known])
    assert found.covered == pytest.approx(want[known].sum() / max(want.sum(), 1))


def test_strata_have_enough_labels():
    """Bins with few labels are merged with their neighbours."""
    rng = np.random.default_rng(0)
    predicted = rng.integers(0, 50, (101, 2)).astype(float)
    labelled = np.zeros((101, 2, 2))
    labelled[..., 0] = rng.binomial(predicted.astype(int), 0.1)
    found = stratify(predicted, labelled)
    labels = np.bincount(found.codes.ravel(), labelled.sum(axis=-1).ravel())
    assert labels[np.unique(found.codes)].min() >= LEAST_LABELS


def test_class_without_labels_is_not_covered():
    """No label of a predicted class says anything of it."""
    predicted = np.full((5, 2), 100.0)
    labelled = np.zeros((5, 2, 2))
    labelled[:, 0, 0] = 50
    assert stratify(predicted, labelled).covered == 0.5


def test_score_groups_are_even():
    """Groups hold about the same rows; rows without a score are in the last."""
    groups = score_groups(np.append(np.full(100, 10.0), 3), 5)
    assert np.bincount(groups[:-1]).tolist() == [20] * 5
    assert groups[-1] == 4


@pytest.mark.parametrize("seed", range(6))
def test_extremes_are_those_of_all_labellings(seed):
    """Bounds equal the least and the greatest value over all 2ⁿ labels of the missing rows."""
    rng = np.random.default_rng(seed)
    labelled = rng.integers(0, 4, (5, 2, 2)).astype(float)
    labelled[-1] = 0
    cells = [(int(b), int(c)) for b, c in zip(rng.integers(0, 4, 8), rng.integers(0, 2, 8), strict=True)]
    predicted = labelled.sum(axis=-1)
    for cell in cells:
        predicted[cell] += 1
    seen = []
    for labels in itertools.product((0, 1), repeat=8):
        table = labelled.copy()
        for cell, label in zip(cells, labels, strict=True):
            table[(*cell, label)] += 1
        seen.append(table)
    found = influences(np.stack(seen))
    for name, (low, high) in extremes(predicted, labelled).items():
        values = found[name].value
        slack = 0.01 if name == "roc_auc" else 1e-12
        assert low <= np.nanmin(values) + 1e-12, name
        assert high >= np.nanmax(values) - 1e-12, name
        assert low >= np.nanmin(values) - slack, name
        assert high <= np.nanmax(values) + slack, name
