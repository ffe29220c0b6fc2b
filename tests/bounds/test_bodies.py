"""What one body may hold, and what a model may be told of: at the limit, and one beyond it."""

import json

import pytest

from tests.scenarios import events
from tests.scenarios.fixtures import configure, reference
from tests.scenarios.probe import running

__all__ = ["configure", "reference"]


@pytest.fixture
def small(configure):
    """A configuration with small limits."""
    path = configure()
    text = path.read_text().replace("[server]\n", "[server]\nmax_events = 10\nmax_values = 60\n")
    path.write_text(text.replace('task = "binary"\n', 'task = "binary"\nmax_versions = 2\n'), encoding="utf-8")
    return path


def forms(count: int) -> dict[str, bytes]:
    """As many events in every form of a body."""
    columns = {"id": [f"c{row}" for row in range(count)], "time": [events.START] * count}
    return {
        "lines": b"\n".join([b"{}"] * count),
        "array": b"[" + b",".join([b"{}"] * count) + b"]",
        "array with NaN": b"[" + b",".join([b"NaN"] * count) + b"]",
        "columns": json.dumps({"model": events.MODEL, "columns": columns}).encode(),
    }


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error", {}).get("code", "")


def test_events_are_bounded(small):
    """In every form; a body beyond the limit is refused as a whole, and nothing of it counted."""
    with running(small) as (_, probe):
        for count, outcome in ((10, (200, "")), (11, (413, "too_many_events"))):
            for form, body in forms(count).items():
                assert code(probe.request("/v1/predictions", body)) == outcome, form
        metrics = probe.wait_counted(40)
        assert sum(metrics.results().values()) == 40
        assert metrics.total("http_refused_total", reason="too_many_events") == 4


def test_values_are_bounded(small):
    """Commas and lines are counted before anything is made of them."""
    with running(small) as (_, probe):
        for count, outcome in ((61, (200, "")), (62, (413, "too_many_values"))):
            body = b'{"model": "fraud", "x": [' + b",".join([b"1"] * (count - 1)) + b"]}"
            assert body.count(b",") == count - 1
            assert code(probe.request("/v1/predictions", body)) == outcome
        assert probe.metrics().total("http_refused_total", reason="too_many_values") == 1


def test_versions_are_bounded(small):
    """Those beyond the limit are counted together."""
    with running(small) as (service, probe):
        for version in ("1", "2", "3", "4"):
            event = {"model": events.MODEL, "id": version, "version": version, "time": events.START}
            probe.post(json.dumps(event).encode())
        probe.wait_counted(4)
        assert service.finish(timeout_seconds=30)
        windows = {labels["version"]: rows for labels, rows in probe.metrics().values("window_rows")}

    assert windows == {"1": 1, "2": 1, "_other": 2}


def test_ids_that_are_forgotten_are_told(small):
    """The status says how many were given up."""
    with running(small) as (_, probe):
        probe.post(json.dumps({"model": events.MODEL, "id": "a", "time": events.START}).encode())
        probe.wait_counted(1)
        status = probe.listing("status")[0]

    assert status["events"]["ids_forgotten"] == {"fraud": 0}
    assert status["idempotency_keys"] == {"forgotten": 0}
