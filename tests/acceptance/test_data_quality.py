"""`driftwatch replay` on data with known faults: missing values, new categories, sentinels, a unit, a frozen sensor."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from driftwatch.statistics.checks import CHECKS
from tests.acceptance.test_replay import ADULT, LOAN, replayed

pytestmark = pytest.mark.acceptance

AIR = """
[[models]]
name = "air"
task = "none"
reference = "model.reference"
window = { rows = 720 }
ignore = ["Date", "Time"]
"""

BIKE = """
[[models]]
name = "bike"
task = "none"
reference = "model.reference"
window = { rows = 720 }
ignore = ["instant", "dteday", "yr"]
"""


def checks(report: dict) -> dict[tuple[str, str], dict]:
    """A report's quality readings by column and check."""
    return {(each["column"], each["statistic"]): each for each in report["readings"] if each["family"] == "quality"}


def firing(report: dict) -> set[tuple[str, str]]:
    """The rules and columns of the alerts that fire."""
    return {(note["rule"], note["column"]) for note in report["alerts"] if note["state"] == "firing"}


@pytest.fixture(scope="module")
def loan(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """The car loan data with its data quality spoilt, replayed once."""
    data = shared / "data"
    return replayed(
        tmp_path_factory.mktemp("loan"), LOAN,
        reference=data / "nannyml_car_loan_dq_reference.parquet",
        predictions=data / "nannyml_car_loan_dq_analysis.parquet",
    )  # fmt: skip


def test_missing_values_fire_where_they_are(loan: list[dict]) -> None:
    """Both columns that lose values from row 25 000 on, from there on and not before; no other column does."""
    assert len(loan) == 10
    told = [{column for rule, column in firing(report) if rule == "missing"} for report in loan]
    assert told == [set()] * 5 + [{"salary_range", "driver_tenure"}] * 5
    for report in loan[5:]:
        for column in ("salary_range", "driver_tenure"):
            reading = checks(report)[column, "missing"]
            assert 0.2 < reading["value"] < 0.24
            assert 0.1 < reading["threshold"] < reading["lower"]


def test_new_categories_are_told_apart_by_size(loan: list[dict]) -> None:
    """Less than one row in a hundred is shown, about two are told of."""
    shares = [checks(report)["size_of_downpayment", "unseen"]["value"] for report in loan]
    assert all(0.005 < share <= 0.0105 for share in shares[:5])
    assert all(0.0175 < share <= 0.0225 for share in shares[5:])
    told = [("unseen", "size_of_downpayment") in firing(report) for report in loan]
    assert told == [False] * 5 + [True] * 5


def test_drift_beside_missing_values_is_explained_by_them(loan: list[dict]) -> None:
    """It is shown with the check's name and not alarmed; drift of columns that are well is."""
    for report in loan[5:]:
        marks = {each["column"]: each.get("explained_by") for each in report["readings"] if each["family"] == "drift"}
        assert (marks["salary_range"], marks["car_value"]) == ("missing", None)
        drifting = {column for rule, column in firing(report) if rule == "drift"}
        assert "car_value" in drifting
        assert not drifting & {"salary_range", "driver_tenure"}


@pytest.mark.parametrize("polluted", [True, False])
def test_a_sentinel_is_found_in_the_first_window(shared: Path, tmp_path: Path, *, polluted: bool) -> None:
    """-200 in every sensor column, whether the reference holds it too or was cleaned of it."""
    table = pq.read_table(shared / "data" / "air_quality_uci.parquet")
    sensors = [name for name in table.column_names if name not in {"Date", "Time"}]
    later = table.slice(720)
    if not polluted:
        for place, name in enumerate(later.column_names):
            if name in sensors:
                column = later[name].cast(pa.float64())
                cleaned = pc.if_else(pc.equal(column, -200.0), pa.scalar(None, pa.float64()), column)
                later = later.set_column(place, name, cleaned)
    pq.write_table(later, tmp_path / "reference.parquet")
    pq.write_table(table.slice(0, 720), tmp_path / "first.parquet")

    (report,) = replayed(
        tmp_path, AIR, reference=tmp_path / "reference.parquet", predictions=tmp_path / "first.parquet"
    )  # fmt: skip

    found = checks(report)
    for name in sensors:
        share = pc.mean(pc.equal(table.slice(0, 720)[name], -200).cast(pa.float64())).as_py()
        reading = found[name, "sentinel"]
        assert (reading["at"], reading["status"]) == (-200.0, "ok")
        assert reading["value"] == pytest.approx(share, abs=0.002), name
        assert ("sentinel", name) in firing(report)


def test_declared_sentinels_are_missing(shared: Path, tmp_path: Path) -> None:
    """In the reference and in windows: then there is nothing to find, and what is missing is compared with the past."""
    table = pq.read_table(shared / "data" / "air_quality_uci.parquet").select(["T", "RH", "CO(GT)"])
    pq.write_table(table, tmp_path / "reference.parquet")
    pq.write_table(table.slice(0, 720), tmp_path / "first.parquet")
    declared = "".join(f'\n"{name}" = {{ sentinels = [-200], min = -50 }}' for name in table.column_names)
    (report,) = replayed(
        tmp_path, AIR.replace('ignore = ["Date", "Time"]', f"[models.columns]{declared}"),
        reference=tmp_path / "reference.parquet", predictions=tmp_path / "first.parquet",
    )  # fmt: skip
    found = checks(report)
    assert "sentinel" not in {check for _, check in found}
    assert found["T", "missing"]["value"] == pytest.approx(0.0306, abs=1e-3)
    assert {found[name, "out_of_range"]["value"] for name in table.column_names} == {0.0}
    assert firing(report) <= {("drift", name) for name in table.column_names}


def test_a_unit_and_a_frozen_sensor_are_named(shared: Path, tmp_path: Path) -> None:
    """From the second half of the second year on the temperature is told in hundredths and the wind stands still."""
    table = pq.read_table(shared / "data" / "bike_sharing_hour.parquet")
    year = 8_640
    current = table.slice(year, 12 * 720)
    broken = np.arange(current.num_rows) >= 6 * 720
    for name, faulty in (("temp", lambda values: values * 100), ("windspeed", lambda values: values * 0 + 0.2239)):
        values = current[name].to_numpy()
        at = current.column_names.index(name)
        current = current.set_column(at, name, pa.array(np.where(broken, faulty(values), values)))
    pq.write_table(table.slice(0, year), tmp_path / "reference.parquet")
    pq.write_table(current, tmp_path / "current.parquet")

    reports = replayed(
        tmp_path, BIKE, reference=tmp_path / "reference.parquet", predictions=tmp_path / "current.parquet"
    )  # fmt: skip

    assert len(reports) == 12
    for number, report in enumerate(reports):
        told = {(rule, column) for rule, column in firing(report) if rule in {"unit_change", "constant", "sentinel"}}
        assert told == ({("unit_change", "temp"), ("constant", "windspeed")} if number >= 6 else set()), number
        if number >= 6:
            assert checks(report)["temp", "unit_change"]["value"] == 100.0
            assert checks(report)["windspeed", "constant"]["at"] == 0.2239
            marks = {
                each["column"]: each.get("explained_by") for each in report["readings"] if each["family"] == "drift"
            }
            assert (marks["temp"], marks["windspeed"]) == ("unit_change", "constant")
    begun = [{column for rule, column in firing(report) if rule == "drift"} for report in reports]
    assert not (begun[6] - begun[5]) & {"temp", "windspeed"}


def test_two_halves_of_one_population_are_well(shared: Path, tmp_path: Path) -> None:
    """No check fires in windows of any size, and no reading is beyond its limit."""
    table = pq.read_table(shared / "data" / "adult.parquet")
    for part in ("train", "test"):
        pq.write_table(table.filter(pc.equal(table["split"], part)), tmp_path / f"{part}.parquet")
    for rows in (5_000, 500):
        reports = replayed(
            tmp_path, ADULT.replace("rows = 5000", f"rows = {rows}"),
            reference=tmp_path / "train.parquet", predictions=tmp_path / "test.parquet",
        )  # fmt: skip
        assert [report["alerts"] for report in reports] == [[]] * len(reports)
        assert {name for report in reports for _, name in checks(report)} <= set(CHECKS)
