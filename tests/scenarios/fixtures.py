"""The model that the scenarios watch, and a journal of what its services decide."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from driftwatch.config import load
from driftwatch.daemon.replay import Summary, replay
from driftwatch.daemon.watch import load_watch
from driftwatch.evaluation.report import Report
from driftwatch.ports.storage import Checkpoint
from driftwatch.store.checkpoint import SqliteStore
from tests.scenarios import world
from tests.scenarios.events import Flow, flow
from tests.scenarios.journal import Journal
from tests.scenarios.probe import NOW_MS


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's reference file."""
    return world.write_reference(tmp_path_factory.mktemp("reference"))


@pytest.fixture(scope="session")
def stream() -> Flow:
    """The events of all scenarios."""
    return flow()


@pytest.fixture(scope="session")
def expected(reference, stream, tmp_path_factory) -> tuple[list[Report], Summary]:
    """What `replay` makes of the events: its reports in order, and its summary."""
    folder = tmp_path_factory.mktemp("replay")
    data = folder / "events.jsonl"
    data.write_bytes(b"\n".join(stream.lines) + b"\n")
    watch = load_watch(load(world.configuration(folder, reference), {}), 0)
    reports: list[Report] = []
    summary = replay(watch, [str(data)], now_ms=NOW_MS, report=reports.append)
    return reports, summary


@pytest.fixture
def configure(tmp_path, reference) -> Callable[..., Path]:
    """Write the configuration of a service; its state directory is called as asked."""

    def configure(**parts: Any) -> Path:
        return world.configuration(tmp_path, reference, **parts)

    return configure


@pytest.fixture
def journal(monkeypatch) -> Journal:
    """Listen to every checkpoint that was saved in this process."""
    heard, save = Journal(), SqliteStore.save

    def listen(store: SqliteStore, checkpoint: Checkpoint) -> None:
        save(store, checkpoint)
        heard.reports += checkpoint.reports
        heard.transitions += checkpoint.transitions
        heard.letters += checkpoint.letters

    monkeypatch.setattr(SqliteStore, "save", listen)
    return heard
