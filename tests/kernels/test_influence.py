import numpy as np
import pytest
from sklearn import metrics

from driftwatch.kernels.influence import influences

VALUES = np.array([[1.0, -20.0], [-5.0, 10.0]])


def joint_of(seed, bins=12, rows=500):
    rng = np.random.default_rng(seed)
    slots = rng.integers(0, bins, rows)
    labels = (rng.random(rows) < slots / bins).astype(int)
    predicted = (slots + rng.normal(0, 2, rows) > bins / 2).astype(int)
    joint = np.zeros((bins + 1, 2, 2))
    np.add.at(joint, (slots, predicted, labels), 1)
    return joint, slots, predicted, labels


ORACLES = {
    "accuracy": lambda *r: metrics.accuracy_score(r[2], r[1]),
    "precision": lambda *r: metrics.precision_score(r[2], r[1]),
    "recall": lambda *r: metrics.recall_score(r[2], r[1]),
    "f1": lambda *r: metrics.f1_score(r[2], r[1]),
    "specificity": lambda *r: metrics.recall_score(r[2], r[1], pos_label=0),
    "mcc": lambda *r: metrics.matthews_corrcoef(r[2], r[1]),
    "roc_auc": lambda *r: metrics.roc_auc_score(r[2], r[0]),
    "average_precision": lambda *r: metrics.average_precision_score(r[2], r[0]),
    "value_per_prediction": lambda *r: VALUES[r[1], r[2]].mean(),
}


@pytest.mark.parametrize("name", ORACLES)
def test_value_is_scikit_learns(name):
    """Metrics of a joint table equal scikit-learn's of the rows."""
    for seed in range(5):
        joint, *rows = joint_of(seed)
        assert float(influences(joint, VALUES)[name].value) == pytest.approx(ORACLES[name](*rows), abs=1e-12)


@pytest.mark.parametrize("name", ORACLES)
def test_slope_is_the_derivative(name):
    """Slopes equal differences of the metric, in every cell."""
    joint, *_ = joint_of(7)
    slope, step = influences(joint, VALUES)[name].slope, 1e-4
    for cell in np.ndindex(joint.shape):
        up, down = joint.copy(), joint.copy()
        up[cell] += step
        down[cell] -= step
        rise = influences(up, VALUES)[name].value - influences(down, VALUES)[name].value
        if cell[0] == 12 and name in {"roc_auc", "average_precision"}:
            assert slope[cell] == 0, "no score, no rank"
        else:
            assert slope[cell] == pytest.approx(rise / (2 * step), abs=1e-7)


def test_many_tables_at_once():
    """Leading axes are computed together as they are alone."""
    tables = np.stack([joint_of(seed)[0] for seed in range(4)])
    together = influences(tables)
    for k, table in enumerate(tables):
        for name, alone in influences(table).items():
            assert together[name].value[k] == pytest.approx(float(alone.value), abs=1e-14)
            assert together[name].slope[k] == pytest.approx(alone.slope, abs=1e-14)
