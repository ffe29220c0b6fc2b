"""Exact kernels against NannyML's realised performance on the car loan data, and the binned state against them."""

import csv

import numpy as np
import pyarrow.parquet as pq
import pytest

from driftwatch.kernels import confusion, scoring
from driftwatch.statistics.binary import binary_metrics
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.scores import ScoreGrid
from tests.benchmarks.intervals_classification import FORM, answers_of, of_matrix

pytestmark = pytest.mark.acceptance

CHUNK = 5000


@pytest.fixture(scope="module")
def loans(shared):
    """Scores, predictions and labels of the reference, then of the analysis rows."""
    reference = pq.read_table(shared / "data" / "nannyml_car_loan_reference.parquet")
    analysis = pq.read_table(shared / "data" / "nannyml_car_loan_analysis.parquet")
    targets = pq.read_table(shared / "data" / "nannyml_car_loan_analysis_targets.parquet")
    assert analysis["id"].to_pylist() == targets["id"].to_pylist()
    columns = [(reference["y_pred_proba"], analysis["y_pred_proba"]), (reference["y_pred"], analysis["y_pred"])]
    columns.append((reference["repaid"], targets["repaid"]))
    return [np.concatenate([side.to_numpy() for side in sides]) for sides in columns]


@pytest.fixture(scope="module")
def realised(shared):
    """One line a chunk, reference first."""
    with (shared / "oracles" / "nannyml" / "carloan_realized_chunk5000.csv").open() as lines:
        return list(csv.DictReader(lines))


def test_exact_kernels_are_nannymls(loans, realised):
    """Every metric of every chunk, to 1e-6."""
    assert len(realised) == loans[0].size // CHUNK
    for chunk, row in enumerate(realised):
        scores, said, labels = (column[chunk * CHUNK : (chunk + 1) * CHUNK] for column in loans)
        labels, said = labels.astype(int), said.astype(int)
        matrix = confusion.confusion(labels, said, classes=2)
        found = {
            "roc_auc": scoring.roc_auc(scores, labels),
            "average_precision": scoring.average_precision(scores, labels),
            "accuracy": confusion.accuracy(matrix),
            "f1": confusion.f1(matrix)[1],
            "precision": confusion.precision(matrix)[1],
            "recall": confusion.recall(matrix)[1],
            "specificity": confusion.specificity(matrix)[1],
            "true_positive": matrix[1, 1],
            "false_positive": matrix[0, 1],
            "false_negative": matrix[1, 0],
            "true_negative": matrix[0, 0],
        }
        for name, value in found.items():
            assert value == pytest.approx(float(row[f"{name}__value"]), abs=1e-6), (chunk, name)


def test_bins_of_the_reference_cost_little(loans):
    """AUC and average precision 5e-4, counts 1e-9; the table is printed (`pytest -s`)."""
    grid = ScoreGrid.of(np.quantile(loans[0][: 10 * CHUNK], np.arange(129) / 128))
    worst: dict[str, float] = {}
    for chunk in range(loans[0].size // CHUNK):
        scores, said, labels = (column[chunk * CHUNK : (chunk + 1) * CHUNK] for column in loans)
        labels = labels.astype(int)
        answers = answers_of(scores, labels)
        answers.outputs["prediction"] = said
        found = binary_metrics(BinaryState.of(answers, FORM, grid=grid))
        matrix = confusion.confusion(labels, said.astype(int), classes=2)
        exact = {
            **of_matrix(matrix),
            "roc_auc": scoring.roc_auc(scores, labels),
            "average_precision": scoring.average_precision(scores, labels),
            "ks_score": scoring.ks_score(scores, labels),
            "log_loss": scoring.log_loss(scores, labels),
            "brier": scoring.brier(scores, labels),
            "ece": scoring.ece(scores, labels),
        }
        for name, value in exact.items():
            worst[name] = max(worst.get(name, 0.0), abs(float(found[name].value) - value))
    print("\n" + "\n".join(f"{name:20} {error:.1e}" for name, error in worst.items()))
    for name, error in worst.items():
        assert error <= {"roc_auc": 5e-4, "average_precision": 5e-4, "ks_score": 5e-3}.get(name, 1e-9), name
