"""The budgeted alerts of the default rules on data whose drift is known: all of it is told, and nothing else."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.acceptance.test_replay import ADULT, DRIFTING, LOAN, replayed
from tests.acceptance.test_seasons import MONTHS, WEEK, years

__all__ = ["years"]

pytestmark = pytest.mark.acceptance

BUDGET = """
[models.alerting]
budget = "1 per 720 windows"
"""

ELEC = """
[[models]]
name = "elec2"
task = "none"
reference = "model.reference"
window = { WINDOW }
ignore = ["date"]

[models.fields]
time = "timestamp"
"""
BEGIN = {"vicprice", "vicdemand", "transfer"}
"""Columns of elec2 that are constant before row 17 424."""

BIKE = """
[[models]]
name = "bike"
task = "none"
reference = REFERENCE
window = { size = "SIZE", max_future = "36500d" }
ignore = ["instant", "dteday", "yr"]
"""
CALENDAR = {"season", "mnth", "hr", "weekday", "workingday", "holiday"}

GROWN = ("casual", "registered", "cnt")

Cells = Counter[tuple[str, int]]


def fired(reports: list[dict]) -> set[tuple[str, int]]:
    """Every column and window in which the budgeted rule fires."""
    return {
        (note["column"], window)
        for window, report in enumerate(reports)
        for note in report["alerts"]
        if (note["rule"], note["state"]) == ("drift", "firing")
    }


def watched(folder: Path, config: str, *, reference: pa.Table, current: pa.Table) -> set[tuple[str, int]]:
    """What fires when one table is the reference of the other."""
    paths = folder / "before.parquet", folder / "after.parquet"
    for path, table in zip(paths, (reference, current), strict=True):
        pq.write_table(table, path)
    return fired(replayed(folder, config, reference=paths[0], predictions=paths[1]))


def halves(table: pa.Table) -> Iterable[tuple[pa.Table, pa.Table]]:
    """The first half and the second; every other row and the rest."""
    rows = table.num_rows
    yield table.slice(0, rows // 2), table.slice(rows // 2)
    yield table.take(list(range(0, rows, 2))), table.take(list(range(1, rows, 2)))


def test_all_cells_of_the_car_loan_that_drift_and_no_other(shared: Path, tmp_path: Path) -> None:
    """25 cells of 90 drift: five columns in the last five of ten windows. All of them fire, and none of the 65."""
    data = shared / "data"
    reports = replayed(
        tmp_path, LOAN + BUDGET,
        reference=data / "nannyml_car_loan_reference.parquet",
        predictions=data / "nannyml_car_loan_analysis.parquet",
    )  # fmt: skip
    watched = {each["column"] for each in reports[0]["readings"] if each["family"] == "drift"}
    assert (len(watched), len(reports)) == (9, 10)
    assert fired(reports) == {(column, window) for column in DRIFTING for window in range(5, 10)}


@pytest.mark.parametrize("rows", [1000, 5000])
def test_halves_of_the_car_loan_reference_are_silent(shared: Path, tmp_path: Path, rows: int) -> None:
    """Rows of one population, in time and in turn."""
    table = pq.read_table(shared / "data" / "nannyml_car_loan_reference.parquet")
    config = LOAN.replace("rows = 5000", f"rows = {rows}") + BUDGET
    for before, after in halves(table):
        assert watched(tmp_path, config, reference=before, current=after) == set()


@pytest.mark.parametrize("rows", [1000, 5000])
def test_adult_is_silent(shared: Path, tmp_path: Path, rows: int) -> None:
    """Train against test, and halves of train: rows of one population."""
    table = pq.read_table(shared / "data" / "adult.parquet")
    train, test = (table.filter(pc.equal(table["split"], part)) for part in ("train", "test"))
    config = ADULT.replace("rows = 5000", f"rows = {rows}") + BUDGET
    for before, after in ((train, test), *halves(train)):
        assert watched(tmp_path, config, reference=before, current=after) == set()


@pytest.mark.parametrize(
    ("window", "budget", "changes"), [("rows = 1000", BUDGET, (17_424 - 8_000) // 1_000), ('size = "1d"', "", 197)]
)
def test_what_begins_to_vary_is_told_at_once(
    shared: Path, tmp_path: Path, window: str, budget: str, changes: int
) -> None:
    """Three columns of elec2 are constant before row 17 424: they fire in the window that has it, and none before."""
    table = pq.read_table(shared / "data" / "elec2.parquet")
    table = table.set_column(0, "timestamp", table["timestamp"].cast(pa.timestamp("ms", "UTC")))
    config = ELEC.replace("WINDOW", window) + budget
    found = watched(tmp_path, config, reference=table.slice(0, 8_000), current=table.slice(8_000, 12_000))
    assert {column for column, at in found if at == changes} == BEGIN
    assert {column for column, at in found if at < changes} == set()


def bike(years: Path, reference: str, size: str) -> Counter[str]:
    """In how many windows of 2012 each column fires."""
    config = BIKE.replace("REFERENCE", reference).replace("SIZE", size)
    reports = replayed(years, config, reference=years / "0.parquet", predictions=years / "1.parquet")
    return Counter(column for column, _ in fired(reports))


def test_growth_remains_when_the_season_is_known(years: Path) -> None:
    """Quarters of 2012 against the same months of 2011: more riders in all, and never the calendar.

    One year does not tell how months differ from year to year; what else fires is the weather, well within the budget
    of 15 false alarms.
    """
    found = bike(years, MONTHS, "91d")
    assert {column: found[column] for column in GROWN} == {"casual": 5, "registered": 5, "cnt": 5}
    assert not CALENDAR & set(found)
    assert sum(count for column, count in found.items() if column not in GROWN) <= 2


def test_the_hour_of_the_week_explains_the_week(years: Path) -> None:
    """Days of 2012 against the same hours of the week: nothing fires but growth, and holidays as what they are.

    A day is like its neighbours, so that it says little of the year; taken as independent hours, each is a change.
    """
    found = bike(years, WEEK, "1d")
    assert set(found) <= {*GROWN, "holiday", "workingday"}
    assert max(found["holiday"], found["workingday"]) <= 12


def test_weeks_tell_growth_from_their_months(years: Path) -> None:
    """Weeks of 2012 against the same month of 2011: growth in nearly all, never the calendar or the temperature."""
    found = bike(years, MONTHS, "7d")
    assert min(found["cnt"], found["registered"]) >= 45
    assert found["casual"] >= 35
    assert not (CALENDAR | {"temp", "atemp"}) & set(found)
