"""`driftwatch replay` with labels on the car loan data: realised and estimated performance, and whether they part.

The tables are printed (`pytest -s`).
"""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from driftwatch.kernels import confusion, scoring
from tests.acceptance.test_replay import LOAN, replayed

pytestmark = pytest.mark.acceptance

CHUNK = 5000
SECOND_PART_MS = 14_000_000_000
"""After the 152 days that 25 000 rows take."""
ESTIMATES = ("roc_auc", "accuracy", "f1", "precision", "recall", "specificity", "average_precision")
CONFIG = LOAN.replace('ignore = ["id"]\n', "")
Tables = tuple[pa.Table, pa.Table, pa.Table]


@pytest.fixture(scope="module")
def tables(shared: Path) -> Tables:
    """Reference, analysis and its targets."""
    names = ("reference", "analysis", "analysis_targets")
    reference, analysis, targets = (
        pq.read_table(shared / "data" / f"nannyml_car_loan_{name}.parquet") for name in names
    )
    return reference, analysis, targets


def followed(folder: Path, tables: Tables) -> list[dict]:
    """The last word of every window, in order."""
    paths = [folder / name for name in ("reference.parquet", "predictions.parquet", "labels.parquet")]
    for path, table in zip(paths, tables, strict=True):
        pq.write_table(table, path)
    documents = replayed(folder, CONFIG, reference=paths[0], predictions=paths[1], labels=paths[2])
    last: dict[str, dict] = {}
    for document in documents:
        end = document["window"]["end"]
        # A revision need not say again what did not change.
        last[end] = {
            **last.get(end, {}),
            **document,
            "alerts": last.get(end, {}).get("alerts", []) + document["alerts"],
        }
    return [last[end] for end in sorted(last)]


def metrics(reports: Sequence[dict], family: str, name: str) -> np.ndarray:
    """One metric of the whole model in every window."""
    return np.array(
        [
            next(
                reading["value"]
                for reading in report["readings"]
                if (reading["family"], reading["column"], reading["statistic"]) == (family, "", name)
            )
            for report in reports
        ]
    )


def firing(reports: Sequence[dict]) -> list[set[str]]:
    """The rules that fire in every window."""
    return [{note["rule"] for note in report["alerts"] if note["state"] == "firing"} for report in reports]


def oracle(shared: Path, name: str) -> list[dict[str, str]]:
    """What NannyML found of the analysis chunks."""
    with (shared / "oracles" / "nannyml" / f"carloan_{name}_chunk{CHUNK}.csv").open() as lines:
        return list(csv.DictReader(lines))[10:]


def exact(scores: np.ndarray, said: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Every metric from the rows themselves; scikit-learn and NannyML agree with these kernels."""
    matrix = confusion.confusion(labels, said, classes=2)
    counted: dict[str, Callable] = {
        "accuracy": confusion.accuracy,
        "precision": lambda table: confusion.precision(table)[1],
        "recall": lambda table: confusion.recall(table)[1],
        "specificity": lambda table: confusion.specificity(table)[1],
        "f1": lambda table: confusion.f1(table)[1],
        "mcc": confusion.mcc,
    }
    scored = ("roc_auc", "average_precision", "ks_score", "log_loss", "brier", "ece")
    return {name: float(found(matrix)) for name, found in counted.items()} | {
        name: float(getattr(scoring, name)(scores, labels)) for name in scored
    }


@pytest.fixture(scope="module")
def loan(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """The car loan data as it is, replayed once."""
    return followed(tmp_path_factory.mktemp("loan"), tables)


def test_realised_performance_is_nannymls(shared: Path, loan: list[dict]) -> None:
    """Every metric of every analysis chunk to 1e-6."""
    realised = oracle(shared, "realized")
    assert [report["labels"]["labelled"] for report in loan] == [CHUNK] * len(realised)
    for name in ESTIMATES:
        expected = np.array([float(row[f"{name}__value"]) for row in realised])
        np.testing.assert_allclose(metrics(loan, "performance", name), expected, rtol=0, atol=1e-6, err_msg=name)


def spread(tables: Tables) -> Tables:
    """The same with scores of 53 bits instead of two decimals, so that bins hold many of them."""
    rng = np.random.default_rng(0)
    result = []
    for table in tables[:2]:
        scores = table["y_pred_proba"].to_numpy()
        moved = np.abs(scores + rng.uniform(-0.005, 0.005, scores.size))
        moved = np.where(moved > 1, 2 - moved, moved)
        result.append(table.set_column(table.column_names.index("y_pred_proba"), "y_pred_proba", pa.array(moved)))
    return result[0], result[1], tables[2]


@pytest.mark.parametrize("change", [lambda tables: tables, spread], ids=["two decimals", "spread"])
def test_streaming_values_are_the_exact_ones(
    tables: Tables, tmp_path: Path, change: Callable[[Tables], Tables]
) -> None:
    """What bins cost: AUC and average precision at most 5e-4, what is counted 1e-9."""
    tables = change(tables)
    reports = followed(tmp_path, tables)
    columns = (tables[1]["y_pred_proba"], tables[1]["y_pred"], tables[2]["repaid"])
    scores, said, labels = (column.to_numpy() for column in columns)
    chunks = [
        exact(scores[k:][:CHUNK], said[k:][:CHUNK].astype(int), labels[k:][:CHUNK].astype(int))
        for k in range(0, scores.size, CHUNK)
    ]
    print("\n| metric | largest error |\n|---|---|")
    for name in chunks[0]:
        error = np.abs(metrics(reports, "performance", name) - [chunk[name] for chunk in chunks]).max()
        print(f"| {name} | {error:.1e} |")
        assert error <= (5e-4 if name in {"roc_auc", "average_precision", "ks_score"} else 1e-9), name


def test_estimates_err_no_more_than_nannymls(shared: Path, loan: list[dict]) -> None:
    """Mean absolute error over the analysis chunks: AUC, accuracy, F1 and the other metrics of NannyML."""
    realised, estimated = oracle(shared, "realized"), oracle(shared, "cbpe")
    errors: dict[str, tuple[float, float]] = {}
    print("\n| metric | driftwatch | NannyML |\n|---|---|---|")
    for name in ESTIMATES:
        real = np.array([float(row[f"{name}__value"]) for row in realised])
        theirs = np.abs([float(row[f"{name}__value"]) for row in estimated] - real).mean()
        ours = np.abs(metrics(loan, "estimation", name) - real).mean()
        print(f"| {name} | {ours:.5f} | {theirs:.5f} |")
        errors[name] = ours, theirs
    assert not {name: found for name, found in errors.items() if found[0] > found[1]}


def test_estimates_come_without_any_label(shared: Path, tables: Tables, tmp_path: Path) -> None:
    """A model that never has a label is estimated from the first window on, and nothing else is said of it."""
    paths = [tmp_path / name for name in ("reference.parquet", "predictions.parquet")]
    for path, table in zip(paths, tables, strict=False):
        pq.write_table(table, path)
    reports = replayed(tmp_path, CONFIG, reference=paths[0], predictions=paths[1])
    families = {reading["family"] for report in reports for reading in report["readings"]}
    assert families == {"drift", "quality", "estimation"}
    assert [report["labels"]["waiting"] for report in reports] == [CHUNK] * 10
    realised = oracle(shared, "realized")
    for name, most in (("roc_auc", 0.003), ("accuracy", 0.005), ("f1", 0.005)):
        real = np.array([float(row[f"{name}__value"]) for row in realised])
        assert np.abs(metrics(reports, "estimation", name) - real).mean() < most


def twice(tables: Tables, *, flipped: float) -> Tables:
    """The rows before the covariates drift, and then the same again, of whose labels a share is turned round."""
    reference, analysis, targets = (
        table.slice(0, count) for table, count in zip(tables, (50_000, 25_000, 25_000), strict=True)
    )
    times = pc.strptime(pc.utf8_slice_codeunits(analysis["timestamp"], 0, 19), format="%Y-%m-%d %H:%M:%S", unit="ms")
    later = pc.add(times, pa.scalar(SECOND_PART_MS, pa.duration("ms")))
    stamped = analysis.set_column(analysis.column_names.index("timestamp"), "timestamp", times)
    again = analysis.set_column(analysis.column_names.index("timestamp"), "timestamp", later)
    again = again.set_column(0, "id", pc.add(analysis["id"], 1_000_000))
    turned = np.random.default_rng(0).random(targets.num_rows) < flipped
    labels = np.where(turned, 1 - targets["repaid"].to_numpy(), targets["repaid"].to_numpy())
    second = pa.table({"id": pc.add(targets["id"], 1_000_000), "repaid": labels}, schema=targets.schema)
    return reference, pa.concat_tables([stamped, again]), pa.concat_tables([targets, second])


def test_flipped_labels_are_concept_drift(tables: Tables, tmp_path: Path) -> None:
    """30 % of the labels turned round from row 25 000 on: the gap and the loss alarm, no column does."""
    reports = followed(tmp_path, twice(tables, flipped=0.3))
    rules = firing(reports)
    print("\n| window | gap in AUC | change of the loss | firing |\n|---|---|---|---|")
    for place, (gap, change) in enumerate(
        zip(metrics(reports, "concept", "gap_roc_auc"), metrics(reports, "concept", "loss_change"), strict=True)
    ):
        print(f"| {place} | {gap:.4f} | {change:.4f} | {', '.join(sorted(rules[place]))} |")
    assert rules[:5] == [set()] * 5
    assert "gap" in rules[5]
    assert "concept" in set().union(*rules[5:7])
    assert "drift" not in set().union(*rules)


def test_covariate_shift_alone_is_no_gap(loan: list[dict]) -> None:
    """From row 25 000 on the inputs drift: columns alarm, and the scores still promise what the labels say."""
    rules = firing(loan)
    assert [("drift" in names) for names in rules] == [False] * 5 + [True] * 5
    assert "gap" not in set().union(*rules)
