"""`driftwatch replay` on data whose drift is known: the car loan data marks it, and train against test is silent."""

import json
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from driftwatch.cli.app import app

pytestmark = pytest.mark.acceptance

DRIFTING = ("car_value", "salary_range", "repaid_loan_on_prev_car", "loan_length", "score")
STILL = ("size_of_downpayment", "debt_to_income_ratio", "driver_tenure")

LOAN = """
[[models]]
name = "loan"
task = "binary"
reference = "model.reference"
window = { rows = 5000 }
ignore = ["id"]

[models.fields]
score = "y_pred_proba"
prediction = "y_pred"
time = "timestamp"
label = "repaid"
"""

ADULT = """
[[models]]
name = "adult"
task = "none"
reference = "model.reference"
window = { rows = 5000 }
ignore = ["split"]
"""


def replayed(
    folder: Path, config: str, *, reference: Path, predictions: Path, labels: Path | None = None
) -> list[dict]:
    """Build the reference and replay, both through the command line; the report file's documents."""
    file, out = folder / "driftwatch.toml", folder / "report.jsonl"
    file.write_text(config)
    name = config.split('name = "')[1].split('"', maxsplit=1)[0]
    made = str(folder / "model.reference")
    steps = (
        ["reference", "build", str(reference), "--config", str(file), "--model", name, "-o", made],
        ["replay", "--config", str(file), "--predictions", str(predictions), "--report", str(out)],
    )  # fmt: skip
    if labels is not None:
        steps[1].extend(["--labels", str(labels)])
    for step in steps:
        result = CliRunner().invoke(app, step)
        assert result.exit_code == 0, result.output
    return [json.loads(line) for line in out.read_text().splitlines()]


@pytest.fixture(scope="module")
def loan(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """The car loan data, replayed once."""
    data = shared / "data"
    return replayed(
        tmp_path_factory.mktemp("loan"), LOAN,
        reference=data / "nannyml_car_loan_reference.parquet",
        predictions=data / "nannyml_car_loan_analysis.parquet",
    )  # fmt: skip


def test_car_loan_drift_is_marked(loan: list[dict]) -> None:
    """PSI and JS of the columns that drift from row 25 000 on are twice all values before; no other column fires."""
    assert [report["window"]["rows"] for report in loan] == [5000] * 10
    values = [{(r["column"], r["statistic"]): r["value"] for r in report["readings"]} for report in loan]
    for column in DRIFTING:
        for statistic in ("psi", "js"):
            series = [window[column, statistic] for window in values]
            assert min(series[5:]) >= 2 * max(series[:5]), (column, statistic, series)
    firing = [{note["column"] for note in report["alerts"] if note["state"] == "firing"} for report in loan]
    assert firing == [set()] * 5 + [set(DRIFTING)] * 5
    assert not set(STILL) & set().union(*firing)


def test_adult_train_against_test_is_silent(shared: Path, tmp_path: Path) -> None:
    """Two halves of the same population: the default rules say nothing."""
    table = pq.read_table(shared / "data" / "adult.parquet")
    for part in ("train", "test"):
        pq.write_table(table.filter(pc.equal(table["split"], part)), tmp_path / f"{part}.parquet")
    reports = replayed(
        tmp_path, ADULT, reference=tmp_path / "train.parquet", predictions=tmp_path / "test.parquet"
    )  # fmt: skip

    assert sum(report["window"]["rows"] for report in reports) == 16_281
    assert [report["alerts"] for report in reports] == [[]] * len(reports)


def test_the_report_is_what_the_contract_says(loan: list[dict]) -> None:
    """Every line has the contract's keys and types; what is not defined is null, and only then."""
    for report in loan:
        assert set(report) == {
            "model", "version", "segment", "window", "revision", "reference", "readings", "alerts", "labels",
            "drifting",
        }  # fmt: skip
        assert set(report["window"]) == {"start", "end", "rows", "stage"}
        assert set(report["reference"]) == {"fingerprint", "rows"}
        for reading in report["readings"]:
            numbers = {"value", "adjusted", "lower", "upper", "p_value", "threshold"}
            more = {"estimation": {"stage"}, "drift": {"mde"}}.get(reading["family"], set())
            assert set(reading) == {"column", "family", "statistic", "status"} | numbers | more
            assert (reading["value"] is not None) == (reading["status"] == "ok")
            if reading["lower"] is not None:
                assert reading["lower"] <= reading["upper"]
        for note in report["alerts"]:
            assert set(note) == {"id", "rule", "column", "state", "severity", "reason"}


def test_the_evidence_stands_beside_the_effects(loan: list[dict]) -> None:
    """Of every column: the effect by what matters, what could be seen, and the evidence by its share of the budget."""
    for number, report in enumerate(loan):
        drift = {(r["column"], r["statistic"]): r for r in report["readings"] if r["family"] == "drift"}
        columns = {column for column, _ in drift}
        assert columns > {*DRIFTING, *STILL}
        for column in columns:
            effect, abrupt, slow = (drift[column, name] for name in ("tv", "abrupt", "slow"))
            assert effect["threshold"] == 0.05
            assert 0 < effect["mde"] < 0.15
            assert abrupt["threshold"] == slow["threshold"] > 3
            assert (abrupt["value"] > abrupt["threshold"]) == (column in DRIFTING and number >= 5)


def test_the_report_lists_the_columns_that_drift(loan: list[dict]) -> None:
    """All true ones, and before them none; the prediction may follow the score that it is made of."""
    listed = [set(report["drifting"]["bh"]) for report in loan]
    assert listed[:5] == [set()] * 5
    assert [columns - {"prediction"} for columns in listed[5:]] == [set(DRIFTING)] * 5
    assert [set(report["drifting"]["e_bh"]) for report in loan] == [set()] * 5 + [set(DRIFTING)] * 5
    assert {report["drifting"]["false_discovery_rate"] for report in loan} == {0.05}
