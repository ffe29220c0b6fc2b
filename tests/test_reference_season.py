"""A reference by season slots from the data file to the alerts: what comes every week is no drift, what does not is."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from driftwatch.cli.app import app
from driftwatch.config import ModelSpec
from driftwatch.daemon.referencing import build_reference
from driftwatch.errors import DataError
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.reference import Reference

HOUR_MS = 3_600_000
MONDAY = 1_704_067_200_000
WEEK = 168
SEASON = '{ season = "1w", slots = 168, file = "model.reference" }'

CONFIG = """
[[models]]
name = "m"
task = "none"
reference = REFERENCE
window = { size = "3h", max_future = "36500d" }

[[models.rules]]
name = "drift"
statistic = "psi"
above = 0.1
judge = "lower"
min_rows = 100
"""


def week(seed: int, *, first: int, hours: int, change: float = 0.0) -> pa.Table:
    """Amounts that follow the hour, a channel that follows the day, traffic that follows both; `still` follows none.

    change: by how much `amount` is moved from the second half on.
    """
    rng = np.random.default_rng(seed)
    each = np.arange(first, first + hours)
    hour, day = each % 24, each // 24 % 7
    rows = rng.poisson(60 * (1.2 + np.sin(2 * np.pi * (hour - 8) / 24)) * np.where(day < 5, 1.0, 0.5))
    of = np.repeat(np.arange(hours), rows)
    times = MONDAY + each[of] * HOUR_MS + rng.integers(0, HOUR_MS, of.size)
    moved = change * (of >= hours // 2)
    amount = rng.normal(size=of.size) + 1.5 * np.sin(2 * np.pi * hour[of] / 24) + moved
    channel = np.where(rng.random(of.size) < np.where(day[of] < 5, 0.2, 0.7), "web", "shop")
    order = np.argsort(times)
    table = {"amount": amount, "channel": channel, "still": rng.exponential(size=of.size)}
    columns = {name: values[order] for name, values in table.items()}
    return pa.table({**columns, "time": pa.array(times[order], pa.timestamp("ms", tz="UTC"))})


def drifting(folder: Path, config: str, table: pa.Table) -> list[tuple[int, set[str]]]:
    """Each window's number, and the columns whose drift fires there."""
    (folder / "c.toml").write_text(config)
    pq.write_table(table, folder / "p.parquet")
    out, file = folder / "r.jsonl", str(folder / "c.toml")
    steps = (
        ["reference", "build", str(folder / "a.parquet"), "--config", file, "--model", "m",
         "-o", str(folder / "model.reference")],
        ["replay", "--config", file, "--predictions", str(folder / "p.parquet"), "--report", str(out)],
    )  # fmt: skip
    for step in steps:
        result = CliRunner().invoke(app, step)
        assert result.exit_code == 0, result.output
    reports = [json.loads(line) for line in out.read_text().splitlines()]
    return [
        (number, {note["column"] for note in report["alerts"] if note["state"] == "firing" and note["rule"] == "drift"})
        for number, report in enumerate(reports)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight weeks to build a reference of."""
    folder = tmp_path_factory.mktemp("season")
    pq.write_table(week(1, first=0, hours=8 * WEEK), folder / "a.parquet")
    return folder


def test_a_week_like_the_others_is_no_drift(folder: Path) -> None:
    """Two weeks against the whole alarm by day and by night; against the same hours of the week never."""
    table = week(2, first=10 * WEEK, hours=2 * WEEK)
    plain = drifting(folder, CONFIG.replace("REFERENCE", '"model.reference"'), table)
    assert sum("amount" in columns for _, columns in plain) > 50
    assert sum("channel" in columns for _, columns in plain) > 15
    seasonal = drifting(folder, CONFIG.replace("REFERENCE", SEASON), table)
    assert len(seasonal) == len(plain) == 2 * WEEK // 3
    assert {column for _, columns in seasonal for column in columns} == set()


def test_a_change_inside_the_season_is_found(folder: Path) -> None:
    """Half a standard deviation from the second week on, in every window with rows enough, and in no other column."""
    table = week(3, first=10 * WEEK, hours=2 * WEEK, change=0.7)
    found = drifting(folder, CONFIG.replace("REFERENCE", SEASON), table)
    assert all(not columns for number, columns in found if number < WEEK // 3)
    after = [columns for number, columns in found if number >= WEEK // 3]
    assert sum("amount" in columns for columns in after) > 0.7 * len(after)
    assert set().union(*after) == {"amount"}


def test_with_a_budget_the_season_lets_small_changes_be_seen(folder: Path) -> None:
    """A budget takes hours that differ for noise and is blind to 0.3 deviations; against their like they are seen."""
    budgeted = CONFIG[: CONFIG.index("[[models.rules]]")]
    table = week(4, first=10 * WEEK, hours=2 * WEEK, change=0.3)
    plain = drifting(folder, budgeted.replace("REFERENCE", '"model.reference"'), table)
    seasonal = drifting(folder, budgeted.replace("REFERENCE", SEASON), table)
    assert all(not columns for _, columns in plain)
    seen = [number for number, columns in seasonal if columns]
    assert min(seen) >= WEEK // 3
    assert len(seen) > 15
    assert {column for _, columns in seasonal for column in columns} == {"amount"}


def spec(**reference: object) -> ModelSpec:
    return ModelSpec.model_validate({"name": "m", "task": "none", "reference": {"file": "x", **reference}})


def build(path: Path, model: ModelSpec) -> Reference:
    return build_reference([str(path)], model, now_ms=5, progress=lambda *_: None)


def test_the_file_keeps_the_season(folder: Path) -> None:
    """Beside segments as without."""
    reference = build(folder / "a.parquet", spec(season="1w", slots=168))
    again = Reference.from_bytes(reference.to_bytes())
    assert again.season is not None
    assert int(again.season.rows.sum()) == reference.rows
    divided = build(
        folder / "a.parquet",
        ModelSpec.model_validate(
            {"name": "m", "task": "none", "segments": ["channel"],
             "reference": {"file": "x", "season": "1w", "slots": 168}}
        ),
    )  # fmt: skip
    assert divided.season is not None
    np.testing.assert_array_equal(divided.season.counts, again.season.counts)
    whole = Profile.empty(divided.layout)
    for part in divided.segments:
        whole = whole.merge(part)
    np.testing.assert_array_equal(whole.numeric.counts, reference.profile.numeric.counts)


def test_show(tmp_path: Path) -> None:
    """A person is told how the rows lie in the season."""
    pq.write_table(week(4, first=0, hours=WEEK), tmp_path / "a.parquet")
    (tmp_path / "m.reference").write_bytes(build(tmp_path / "a.parquet", spec(season="1y", slots=12)).to_bytes())
    result = CliRunner().invoke(app, ["reference", "show", str(tmp_path / "m.reference")])
    assert "season       12 months, of 0 to " in result.output


def test_a_season_needs_times(tmp_path: Path) -> None:
    """Rows without a time are in no hour of the week: one line says so."""
    pq.write_table(pa.table({"amount": np.arange(50.0)}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match='the data has no column "time", and rows without a time are in no season'):
        build(tmp_path / "a.parquet", spec(season="1w", slots=168))
