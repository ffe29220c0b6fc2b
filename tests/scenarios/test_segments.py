"""Segments through the public door: reports, alerts and series of each, drift in one alone, and values without end."""

import json
from pathlib import Path

import numpy as np
import pytest

from driftwatch.config import load
from driftwatch.daemon.referencing import build_reference, save_reference
from tests.scenarios import world
from tests.scenarios.events import HOUR, MODEL, START
from tests.scenarios.probe import WAIT_SECONDS, Probe, post_all, running

ROWS, HOURS, DRIFTED = 1_000, 5, 3
SEGMENTS = ("channel=shop", "channel=web", "channel=_other", "old")
FORM = """
segments = ["channel", { name = "old", where = "age > 60" }]

[[models.rules]]
name = "drift"
statistic = "psi"
above = 0.25
judge = "lower"
columns = ["amount"]
min_rows = 50

[[models.rules]]
name = "outside"
statistic = "psi"
above = 0.25
judge = "lower"
columns = ["amount"]
min_rows = 50
segments = false
"""


def event(rng: np.random.Generator, row: int, *, channel: str = "", factor: float = 1.0) -> bytes:
    """One prediction of every tenth row from the web, `factor` as large as amounts used to be."""
    name = channel or ("web" if row % 10 == 0 else "shop")
    features = {"amount": round(float(rng.lognormal(0, 0.5)) * factor, 6), "channel": name, "age": row % 80}
    document = {
        "model": MODEL, "version": "1", "id": f"e{row}", "time": START + row * HOUR // ROWS, "score": 0.5,
        "features": features,
    }  # fmt: skip
    return json.dumps(document).encode()


def stream() -> list[bytes]:
    """Five hours; in the fourth one the web's amounts are five times what they were."""
    rng = np.random.default_rng(2)
    return [
        event(rng, row, factor=5.0 if row // ROWS == DRIFTED and row % 10 == 0 else 1.0) for row in range(ROWS * HOURS)
    ]


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration with segments, and a reference built by it."""
    folder = tmp_path_factory.mktemp("segments")
    path = folder / "fraud.reference"
    model = world.MODEL.replace('slide = "30m", ', "").format(reference=path)
    config = folder / "state.toml"
    config.write_text(
        f'[server]\nlisten = "127.0.0.1:0"\n[state]\npath = "state"\ncheckpoint = "200ms"\n{world.HTTP}{model}{FORM}',
        encoding="utf-8",
    )
    rng = np.random.default_rng(1)
    data = folder / "reference.jsonl"
    data.write_bytes(b"\n".join(event(rng, row - 4_000) for row in range(4_000)))
    reference = build_reference([str(data)], load(config).models[0], now_ms=START, progress=lambda *_: None)
    save_reference(reference, path)
    return config


def of_segment(probe: Probe, what: str, segment: str) -> list[dict]:
    """The items of a listing of one segment."""
    answer = probe.get(f"/api/v1/{what}?limit=1000&segment={segment.replace('=', '%3D')}")
    return answer.raise_for_status().json()["items"]


def test_drift_in_one_segment_alarms_there_alone(configured: Path, tmp_path: Path) -> None:
    """Each segment has its own reports, alerts and series, over a restart too; all rows together see nothing."""
    config = tmp_path / "state.toml"
    config.write_text(configured.read_text(encoding="utf-8"), encoding="utf-8")
    lines = stream()
    half = ROWS * 3 + 300
    with running(config) as (_, probe):
        post_all(probe, [b"\n".join(lines[:half])])
        probe.wait_counted(half)
    with running(config) as (service, probe):
        shown = probe.metrics().values("window_rows")
        assert {labels["segment"] for labels, _ in shown} == {"", *SEGMENTS} - {"channel=_other"}
        post_all(probe, [b"\n".join(lines[half:])])
        probe.wait_counted(len(lines) - half)
        assert service.finish(timeout_seconds=WAIT_SECONDS)
        reports = {name: of_segment(probe, "reports", name) for name in ("", *SEGMENTS)}
        alerts = probe.listing("alerts")
    assert [report["window"]["rows"] for report in reports[""]] == [ROWS] * HOURS
    assert [report["window"]["rows"] for report in reports["channel=web"]] == [ROWS // 10] * HOURS
    assert [report["window"]["rows"] for report in reports["channel=shop"]] == [ROWS * 9 // 10] * HOURS
    assert reports["channel=_other"] == []
    assert [report["reference"]["rows"] for report in reports["channel=web"]] == [400] * HOURS
    starts = [report["window"]["start"] for report in reports["channel=web"] if report["alerts"]]
    assert sorted(starts) == [reports[""][1]["window"]["start"], reports[""][0]["window"]["start"]], "fires, resolves"
    assert {(alert["rule"], alert["segment"], alert["column"]) for alert in alerts} == {
        ("drift", "channel=web", "amount")
    }


def test_values_without_end_make_no_segments(configured: Path, tmp_path: Path) -> None:
    """Who may write events can not fill the memory: what the reference does not know is one segment."""
    config = tmp_path / "state.toml"
    config.write_text(configured.read_text(encoding="utf-8"), encoding="utf-8")
    rng = np.random.default_rng(3)
    count = 20_000
    lines = [
        event(rng, row * ROWS // count, channel=f"attack {row}").replace(b'"e', b'"%d-' % row) for row in range(count)
    ]
    with running(config) as (service, probe):
        post_all(probe, [b"\n".join(lines[start : start + 2_000]) for start in range(0, count, 2_000)])
        probe.wait_counted(count)
        monitor = service.engine.monitors[MODEL]
        opened, packed = monitor.segments.size_bytes
        assert service.finish(timeout_seconds=WAIT_SECONDS)
        assert [each["window"]["rows"] for each in of_segment(probe, "reports", "channel=_other")] == [count]
        named = {report["segment"] for report in probe.listing("reports")}
    assert opened + packed < 100_000
    assert named == {"", "channel=_other", "old"}
