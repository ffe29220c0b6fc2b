"""Exact CBPE against NannyML 0.13.1 on the car loan data, chunks of 5 000 rows."""

import csv

import numpy as np
import pyarrow.parquet as pq
import pytest

from driftwatch.kernels.calibration import calibrate_rows
from driftwatch.kernels.expected import expected_binary

pytestmark = pytest.mark.acceptance

NAMES = {
    "true_positive": "tp",
    "true_negative": "tn",
    "false_positive": "fp",
    "false_negative": "fn",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "f1": "f1",
    "roc_auc": "roc_auc",
    "average_precision": "average_precision_by_row",
}


@pytest.fixture(scope="module")
def chunks(shared):
    tables = [pq.read_table(shared / f"data/nannyml_car_loan_{part}.parquet") for part in ("reference", "analysis")]
    scores, predicted = (
        np.concatenate([table[name].to_numpy() for table in tables]) for name in ("y_pred_proba", "y_pred")
    )
    curve = calibrate_rows(tables[0]["y_pred_proba"].to_numpy(), tables[0]["repaid"].to_numpy())
    with (shared / "oracles/nannyml/carloan_cbpe_chunk5000.csv").open() as file:
        oracle = list(csv.DictReader(file))
    values = np.array([[5.0, -10.0], [-5.0, 10.0]])
    return [
        (row, expected_binary(scores[k:][:5000], predicted[k:][:5000], curve.at(scores[k:][:5000]), values=values))
        for k, row in zip(range(0, 100_000, 5000), oracle, strict=True)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_estimate(chunks, name):
    """Every metric of every chunk to 1e-6 of its size."""
    for oracle, found in chunks:
        assert float(found[NAMES[name]]) == pytest.approx(float(oracle[f"{name}__value"]), rel=1e-6)


def test_business_value(chunks):
    """NannyML's fits 10, -5, -10 and 5 for tp, fp, fn and tn, each as a share of those predicted the same."""
    for oracle, found in chunks:
        tp, fp, fn, tn = (float(found[name]) for name in ("tp", "fp", "fn", "tn"))
        value = (10 * tp - 5 * fp) / (tp + fp) + (5 * tn - 10 * fn) / (tn + fn)
        assert value == pytest.approx(float(oracle["business_value__value"]), rel=1e-6)
        total = 10 * tp - 5 * fp - 10 * fn + 5 * tn
        assert float(found["value_per_prediction"]) == pytest.approx(total / 5000, rel=1e-12)
