"""The service put together: what keeps it from starting, what it says of itself, and disks that fill up."""

import json
import threading
from pathlib import Path

import pytest

from driftwatch.config import load
from driftwatch.daemon.running import run_until_stopped
from driftwatch.daemon.service import Service
from driftwatch.errors import ConfigError, StateError
from driftwatch.monitor import Monitor
from driftwatch.sources.files import FilesSource
from tests.scenarios import events, world
from tests.scenarios.journal import assert_same, last_words
from tests.scenarios.probe import NOW_MS, WAIT_SECONDS, Probe, post_all, running


def rewritten(path: Path, before: str, after: str) -> Path:
    """The configuration with a part replaced."""
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    return path


def ready(probe: Probe) -> bool:
    """Whether the service says that it is ready."""
    return probe.get("/-/ready").status_code == 200


def status(probe: Probe) -> dict:
    """The one item of the status."""
    (item,) = probe.listing("status")
    return item


@pytest.mark.parametrize(("part", "words"), [(world.HTTP, "sources: "), ('[state]\npath = "state"', "state: ")])
def test_a_service_needs_state_and_sources(configure, part, words):
    """Both are optional in the file, because replays need neither."""
    path = configure()
    text = path.read_text(encoding="utf-8").replace('checkpoint = "200ms"\n', "").replace(part, "", 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        Service(load(path, {}))


def test_what_could_not_be_built_leaves_nothing_open(configure):
    """A taken port: the state directory is free again."""
    with running(configure(state="first")) as (_, probe):
        taken = int(probe.url.rsplit(":", 1)[1])
        path = configure(state="second", port=taken)
        with pytest.raises(ConfigError, match=r"server\.listen"):
            Service(load(path, {}))
    with running(configure(state="second")) as (_, probe):
        assert ready(probe)


def test_two_services_never_share_a_state_directory(configure):
    """The second one is refused, the first one goes on."""
    path = configure()
    with running(path) as (_, probe):
        with pytest.raises(StateError, match="in use"):
            Service(load(path, {}))
        assert ready(probe)


def test_it_is_ready_once_its_sources_can_be_read(configure, tmp_path):
    """The reason is in the answer and in the status."""
    data = tmp_path / "late.jsonl"
    with running(configure(sources=world.files(data))) as (_, probe):
        assert not ready(probe)
        assert "no file matches" in probe.get("/-/ready").text
        assert probe.get("/-/healthy").status_code == 200
        assert "no file matches" in status(probe)["sources"][0]["error"]
        data.touch()
        probe.wait(lambda: ready(probe), "the file to be found")
        assert status(probe)["sources"][0] == {
            "name": "files", "ready": True, "error": None, "lag_records": 0, "paused": False, "reconnects": 0,
            "gap_records": 0, "refused_batches": 0, "warning": None,
        }  # fmt: skip


def test_events_over_http_need_an_http_source(configure, tmp_path):
    """200 would promise what nobody keeps."""
    data = tmp_path / "data.jsonl"
    data.touch()
    with running(configure(sources=world.files(data))) as (_, probe):
        answers = [probe.get("/v1/predictions"), probe.request("/v1/predictions", events.MALFORMED[0][0])]
    assert answers[0].status_code == 405
    assert answers[1].status_code == 404
    assert answers[1].json()["error"]["code"] == "no_http_source"


def test_a_full_disk_loses_nothing(stream, expected, configure):
    """SQLite says FULL: not ready, failures counted, events still taken; once there is room it goes on by itself."""
    with running(configure()) as (service, probe):
        half = len(stream.lines) // 2
        link = service.engine._doors.store._link
        with link.writing() as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")
        post_all(probe, events.portions(stream.lines[:half]))
        probe.wait(lambda: not ready(probe), "the disk to be full")
        assert "state cannot be saved" in probe.get("/-/ready").text
        assert "make room on its disk" in status(probe)["state"]["error"]
        assert probe.get("/-/healthy").status_code == 200
        assert probe.metrics().total("checkpoint_failures_total") >= 1
        post_all(probe, events.portions(stream.lines[half:]))
        with link.writing() as connection:
            connection.execute("PRAGMA max_page_count = 1000000")
        probe.wait(lambda: ready(probe), "the checkpoint to be saved")
        metrics = probe.wait_counted(len(stream.lines))
        service.finish(timeout_seconds=WAIT_SECONDS)
        listed = probe.listing("reports")
    assert metrics.results() == stream.results()
    assert_same(last_words(listed), last_words(report.document() for report in expected[0]))


@pytest.mark.parametrize(("before", "after"), [('size = "1h"', 'size = "2h"'), ('slide = "30m"', 'slide = "20m"')])
def test_another_form_of_windows_discards_open_panes_once(stream, configure, before, after):
    """Start, change, start, start: the old panes are gone from the disk, and alerts and counters go on."""
    path, lines = configure(), stream.lines[:1_570]
    with running(path) as (_, probe):
        post_all(probe, events.portions(lines))
        counted = probe.wait_counted(len(lines)).results()
        alerts = probe.listing("alerts")
    rewritten(path, before, after)
    with running(path) as (service, probe):
        assert service.engine.monitors[events.MODEL].memory.panes == {}
        post_all(probe, events.portions(stream.lines[len(lines) : len(lines) + 60]))
        probe.wait_counted(len(lines) + 60)
    with running(path) as (service, probe):
        panes = service.engine.monitors[events.MODEL].memory.panes
        assert 50 < sum(pane.rows for pane in panes.values()) <= 60
        assert {alert["id"] for alert in alerts} <= {alert["id"] for alert in probe.listing("alerts")}
        assert sum(probe.metrics().results().values()) == sum(counted.values()) + 60


def test_a_new_reference_discards_open_panes(stream, configure, tmp_path):
    """Rows counted over another layout cannot be gone on with."""
    path = configure()
    with running(path) as (_, probe):
        post_all(probe, events.portions(stream.lines[:300]))
        probe.wait_counted(300)
    (tmp_path / "new").mkdir()
    new = world.write_reference(tmp_path / "new", rows=1_000)
    path = world.configuration(tmp_path, new)
    for turn in range(2):
        first = 300 + 20 * turn
        with running(path) as (service, probe):
            panes = service.engine.monitors[events.MODEL].memory.panes.values()
            assert sum(pane.rows for pane in panes) <= 20 * turn
            post_all(probe, [b"\n".join(stream.lines[first : first + 20])])
            assert sum(probe.wait_counted(first + 20).results().values()) == first + 20


def test_models_and_status_are_told(configure, reference):
    """What a person asks first: what is watched, against which reference."""
    with running(configure()) as (_, probe):
        (model,) = probe.listing("models")
        state = status(probe)
    assert (model["name"], model["task"], model["reference"]["rows"]) == (events.MODEL, "binary", 4_000)
    assert {column["name"] for column in model["columns"]} == {
        "amount", "age", "delay", "score", "country", "channel",
    }  # fmt: skip
    weights = [column["importance"] for column in model["columns"]]
    assert (weights, weights[0]) == (sorted(weights, reverse=True), 1.0), "what matters most is listed first"
    assert (state["ready"], state["queue"]["records"], state["targets"]) == (True, 0, {"disabled": []})
    assert json.dumps(state)


def test_unknown_keys_are_told(configure):
    """Keys that no field reads are counted, every one of them, and named: a producer may have a new column."""
    event = {"model": events.MODEL, "id": "a", "time": events.START, "features": {"amount": 1, "typo": 2}, "extra": 3}
    with running(configure()) as (_, probe):
        probe.post(json.dumps(event).encode())
        probe.post(json.dumps({**event, "id": "b"}).encode())
        probe.wait_counted(2)

        probe.post(json.dumps({"model": events.MODEL, "columns": {"id": ["c"], "features.new": [1]}}).encode())
        probe.wait_counted(3)

        told = status(probe)["events"]
        assert told["unknown_keys"] == 5
        assert sorted(told["appeared"][events.MODEL]) == ["extra", "features.new", "features.typo"]


def test_a_bug_ends_the_process_with_1(configure, monkeypatch):
    """The engine cannot go on: nothing is saved over good state, and the exit code says so."""

    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(Monitor, "feed", broken)
    service = Service(load(configure(), {}), clock=lambda: NOW_MS)

    def post() -> None:
        with Probe(service.port) as probe:
            probe.post(events.calm_then_drifted(hours=1, drifted=range(0))[0])

    thread = threading.Thread(target=post)
    thread.start()
    code = run_until_stopped(service)
    thread.join(WAIT_SECONDS)
    assert code == 1
    assert isinstance(service.engine.failure, ZeroDivisionError)


def test_a_thread_that_dies_of_a_bug_ends_the_process_with_1(configure, tmp_path, monkeypatch):
    """A source that silently reads nothing any more would be the worst of all."""

    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(FilesSource, "_find", broken)
    service = Service(load(configure(sources=world.files(tmp_path / "any.jsonl")), {}))
    assert run_until_stopped(service) == 1
    assert service.engine.failure is None
