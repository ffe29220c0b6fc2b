"""Bike sharing, an hour a row over two years: what the calendar explains is no drift, what growth does remains."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.acceptance.test_replay import replayed

pytestmark = pytest.mark.acceptance

CONFIG = """
[[models]]
name = "bike"
task = "none"
reference = REFERENCE
window = { size = "SIZE", max_future = "36500d" }
ignore = ["instant", "dteday", "yr"]

[[models.rules]]
name = "drift"
statistic = "psi"
above = 0.1
judge = "lower"
min_rows = 100
"""
FILE = '"model.reference"'
WEEK = '{ season = "1w", slots = 168, file = "model.reference" }'
MONTHS = '{ season = "1y", slots = 12, file = "model.reference" }'


@pytest.fixture(scope="module")
def years(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2011 to compare with, 2012 to watch."""
    folder = tmp_path_factory.mktemp("bike")
    table = pq.read_table(shared / "data" / "bike_sharing_hour.parquet")
    days = [datetime.strptime(day, "%d/%m/%y").replace(tzinfo=UTC) for day in table["dteday"].to_pylist()]
    times = [day.replace(hour=hour) for day, hour in zip(days, table["hr"].to_pylist(), strict=True)]
    table = table.append_column("time", pa.array(times, pa.timestamp("ms", tz="UTC")))
    for year in (0, 1):
        pq.write_table(table.filter(pc.equal(table["yr"], year)), folder / f"{year}.parquet")
    return folder


def watched(years: Path, reference: str, size: str) -> list[dict]:
    """The reports of 2012."""
    config = CONFIG.replace("REFERENCE", reference).replace("SIZE", size)
    return replayed(years, config, reference=years / "0.parquet", predictions=years / "1.parquet")


def alarms(reports: list[dict]) -> Counter[str]:
    """In how many windows each column's drift fires."""
    notes = [note for report in reports for note in report["alerts"]]
    return Counter(note["column"] for note in notes if (note["rule"], note["state"]) == ("drift", "firing"))


def beyond(reports: list[dict]) -> Counter[str]:
    """In how many windows each column's PSI, less what chance adds to it, is beyond 0.1."""
    readings = [each for report in reports for each in report["readings"] if each["statistic"] == "psi"]
    return Counter(each["column"] for each in readings if (each["adjusted"] or 0) > 0.1)


def test_days_by_the_hour_of_the_week(years: Path) -> None:
    """Every day differs from the whole in its weekday; from its like only on holidays, in what makes a working day."""
    plain, seasonal = (beyond(watched(years, reference, "1d")) for reference in (FILE, WEEK))
    assert (plain["weekday"], plain["workingday"]) == (365, 365)
    assert (seasonal["weekday"], seasonal["hr"]) == (0, 0)
    assert seasonal["workingday"] <= 12


def test_quarters_by_the_month(years: Path) -> None:
    """Against the year each quarter drifts in all that seasons move; against its months, growth and the weather."""
    plain, seasonal = (alarms(watched(years, reference, "91d")) for reference in (FILE, MONTHS))
    assert (plain["season"], plain["mnth"], plain["temp"], plain["atemp"]) == (5, 5, 5, 5)
    assert (seasonal["season"], seasonal["mnth"]) == (0, 0)
    assert sum(seasonal.values()) < 0.6 * sum(plain.values())
    assert seasonal["temp"] <= 3, "the spring of 2012 was the warmest there was"
    assert seasonal["registered"] == 5, "two thirds more riders than the year before"
