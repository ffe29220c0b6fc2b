"""A model without a reference, one of whose columns is unique, through the public door and over a restart."""

import json

import pytest

from driftwatch.daemon.state import state_hash, verify
from tests.scenarios.probe import WAIT_SECONDS, Probe, post_all, running

START_MS = 1_767_571_200_000
MODEL = """
[[models]]
name = "shop"
task = "none"
window = { size = "10m", lateness = "1m", idle_after = "1h" }

[models.columns]
order = { unique = true }
price = { kind = "numeric", min = 0, nullable = false }
state = { kind = "categorical", allowed = ["open", "paid"] }
"""


def event(number: int, **changed: object) -> bytes:
    """One every three seconds; 200 of them are a window."""
    features = {"order": f"A{number}", "price": number % 70, "state": ("open", "paid")[number % 2], "shoe": 43}
    document = {"model": "shop", "version": "1", "id": str(number), "time": START_MS + 3_000 * number}
    return json.dumps({**document, "features": {**features, **changed}}).encode()


def stream() -> list[bytes]:
    """Three windows; in the second an order comes twice, a price is missing and a state unheard of."""
    changed = {250: {"order": "A249"}, 260: {"price": None}, 270: {"state": "lost"}, 450: {"order": "A0"}}
    return [event(number, **changed.get(number, {})) for number in range(600)]


@pytest.fixture
def configured(tmp_path):
    """Write a configuration whose state has this name."""

    def write(state: str):
        path = tmp_path / f"{state}.toml"
        text = f'[server]\nlisten = "127.0.0.1:0"\n[state]\npath = "{state}"\ncheckpoint = "200ms"\n'
        path.write_text(f'{text}[[sources]]\ntype = "http"\n{MODEL}', encoding="utf-8")
        return path

    return write


def told(probe: Probe) -> list[tuple]:
    """Every report as the API gives it: when, and which checks of which columns fail, with their values."""
    return sorted(
        (report["window"]["start"], report["window"]["rows"], report["reference"]["rows"],
         [(each["column"], each["statistic"], each["value"]) for each in report["readings"]
          if each["status"] == "ok" and each["value"]])
        for report in probe.listing("reports")
    )  # fmt: skip


EXPECTED = [
    ("2026-01-05T00:00:00Z", 200, 0, []),
    ("2026-01-05T00:10:00Z", 200, 0, [
        ("price", "missing", 0.005), ("state", "invalid", 0.005), ("order", "duplicates", 0.005),
    ]),
    ("2026-01-05T00:20:00Z", 200, 0, []),
]  # fmt: skip


def test_it_is_watched_by_what_it_declares(configured) -> None:
    """Reports, alerts, series, the API and the page know it, and drift is said of nothing."""
    with running(configured("whole")) as (service, probe):
        probe.post(b"\n".join(stream()))
        probe.wait_counted(600)
        assert service.finish(timeout_seconds=WAIT_SECONDS)
        assert told(probe) == EXPECTED
        alerts = {(each["rule"], each["column"], each["state"]) for each in probe.listing("alerts")}
        assert alerts == {(*key, "resolved") for key in (
            ("missing", "price"), ("invalid", "state"), ("duplicates", "order"),
        )}  # fmt: skip
        metrics = probe.metrics()
        assert metrics.values("quality_value", column="order", check="duplicates")[0][1] == 0.0
        assert metrics.values("drift_value") == []
        assert metrics.total("window_rows", model="shop") == 200
        (model,) = probe.listing("models")
        assert model["reference"]["rows"] == 0
        assert model["reference"]["created"] is None
        assert {column["name"]: column["kind"] for column in model["columns"]} == {
            "price": "numeric", "state": "categorical",
        }  # fmt: skip
        status = probe.get("/api/v1/status").json()["items"][0]["events"]
        assert status["unique"] == {"shop": {"values": 0, "sampling_rate": 1.0}}
        assert (status["unknown_keys"], status["appeared"]) == (600, {"shop": ["features.shoe"]})
        assert "shop" in probe.get("/").text


def test_a_restart_changes_nothing(configured, tmp_path) -> None:
    """Stopped between two events of one order, it knows the first one, and the state is whole and the same."""
    lines = stream()
    parts = [b"\n".join(part) for part in (lines[:250], lines[250:255], lines[255:])]
    with running(configured("whole")) as (service, probe):
        post_all(probe, parts)
        probe.wait_counted(600)
        service.finish(timeout_seconds=WAIT_SECONDS)
    path = configured("parts")
    for part, counted in zip(parts, (250, 255), strict=False):
        with running(path) as (_, probe):
            probe.post(part)
            probe.wait_counted(counted)
    assert ": good: " in verify(tmp_path / "parts")
    with running(path) as (service, probe):
        probe.post(parts[2])
        probe.wait_counted(600)
        service.finish(timeout_seconds=WAIT_SECONDS)
        assert told(probe) == EXPECTED
    assert state_hash(tmp_path / "parts") == state_hash(tmp_path / "whole")
