"""What the running service says of itself: for the status endpoints, readiness and `/metrics`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import driftwatch
from driftwatch.daemon.alerting import described
from driftwatch.daemon.engine import Engine
from driftwatch.daemon.incident_times import IncidentTimes
from driftwatch.daemon.label_overview import labels, performance
from driftwatch.daemon.queue import Queue
from driftwatch.daemon.telemetry import Exposition
from driftwatch.daemon.watch import Watch
from driftwatch.evaluation.report import rfc3339
from driftwatch.monitor import Monitor
from driftwatch.ports.streams import Clock, Source
from driftwatch.quality.control import ControlStanding
from driftwatch.quality.quality import Quality
from driftwatch.sinks.board import Board, Picture


@dataclass(frozen=True)
class ServiceOverview:
    """The Overview of the running service; answers from memory, so that it never waits for engine or disk."""

    watches: Sequence[Watch]
    engine: Engine
    queue: Queue
    sources: Sequence[Source]
    board: Board
    exposition: Exposition
    clock: Clock
    disabled_targets: Callable[[], frozenset[str]]
    began_ms: int
    incidents: IncidentTimes
    keys_forgotten: Callable[[], int] = int

    def models(self) -> list[dict[str, Any]]:
        """One document a model: what it is compared with, what is watched, and its latest windows."""
        picture = self.board.picture
        learning = [_learner(name, each) for name, each in self.engine.learners.status.items()]
        return [*(_model(watch, picture) for watch in list(self.watches)), *learning]

    def status(self) -> dict[str, Any]:
        """Version, uptime, sources, queue, targets."""
        ready, reason = self.ready()
        return {
            "version": driftwatch.__version__,
            "started": rfc3339(self.began_ms),
            "uptime_seconds": (self.clock() - self.began_ms) / 1000,
            "ready": ready,
            "reason": reason,
            "queue": {"records": self.queue.records, "capacity": self.queue.capacity_records},
            "sources": [_source(source) for source in self.sources],
            "state": {"error": self.engine.store_error or None},
            "idempotency_keys": {"forgotten": self.keys_forgotten()},
            # Since the start: keys that no field reads, their names, and ids that are not remembered any more.
            "events": {
                "unknown_keys": self.engine.unknown_keys,
                "appeared": {model: list(names) for model, names in self.engine.appeared.items()},
                "ids_forgotten": {name: m.memory.seen.forgotten for name, m in self.engine.monitors.items()},
                "unique": {name: _unique(m) for name, m in self.engine.monitors.items() if m.attendance.repeats},
            },
            "learning": dict(self.engine.learners.status),
            "targets": {"disabled": sorted(self.disabled_targets())},
            "labels": {model: labels(standing) for model, standing in self.board.picture.labels.items()},
            "contests": {name: _contests(m.quality) for name, m in self.engine.monitors.items() if m.quality},
            "controls": {model: _controls(held) for model, held in self.board.picture.controls.items()},
            "incidents": {model: self.incidents.document(model) for model in self.incidents.models},
        }

    def ready(self) -> tuple[bool, str]:
        """Ready when the engine runs, state can be saved and every source can be read."""
        if self.engine.ended.is_set():
            return False, "the engine has ended"
        if self.engine.store_error:
            return False, f"state cannot be saved: {self.engine.store_error}"
        for source in self.sources:
            status = source.status()
            if not status.ready:
                return False, f"source {source.name}: {status.error or 'starting'}"
        return True, ""

    def metrics(self, *, openmetrics: bool) -> bytes:
        """The exposition of `/metrics`."""
        return self.exposition.render(openmetrics=openmetrics)


def _unique(monitor: Monitor) -> dict[str, Any]:
    """Values of unique columns: how many are remembered, and of which part of them all rows are looked at."""
    repeats = monitor.attendance.repeats
    assert repeats is not None
    return {"values": repeats.held, "sampling_rate": 0.5**repeats.repeated.level}


def _contests(quality: Quality) -> dict[str, int]:
    """Versions beside their champion, by segment: how many are compared, and for how many there was no room."""
    contests = quality.assessor.learnt.contests
    return {"held": 0, "refused": 0} if contests is None else {"held": contests.held, "refused": len(contests.refused)}


def _controls(standings: tuple[ControlStanding, ...]) -> list[dict[str, Any]]:
    """How each version stands in each golden set; ids: of some of the events whose answers have changed."""
    return [
        {
            "control": each.name,
            "version": each.version,
            "answers": each.answers,
            "changed": each.changed,
            "ids": list(each.ids),
        }
        for each in standings
    ]


def _model(watch: Watch, picture: Picture) -> dict[str, Any]:
    spec, reference = watch.spec, watch.reference
    latest = [report for report in picture.reports.values() if report.model == spec.name]
    standing = picture.labels.get(spec.name)
    kinds = {column.name: column.kind.value for column in (*watch.layout.numeric, *watch.layout.categorical)}
    return {
        "name": spec.name,
        "task": spec.task.value,
        "reference": {
            "fingerprint": reference.layout.fingerprint,
            "rows": reference.rows,
            # Made of declarations alone it has no rows, no files and no beginning.
            "source_hash": reference.source_hash or None,
            "created": rfc3339(reference.created_ms) if reference.rows else None,
        },
        "columns": [
            {
                "name": name,
                "kind": kinds[name],
                "importance": importance,
                "statistics": list(watch.baseline.statistics[name]),
            }
            for name, importance in watch.importance.items()
        ],
        "window": {key: value for key, value in spec.window.model_dump().items() if value is not None},
        "rules": [rule.model_dump(by_alias=True, exclude_none=True) for rule in spec.rules],
        "alerting": described(watch.budgeted),
        "latest": [
            {"version": report.version, "segment": report.segment, **report.window.document()} for report in latest
        ],
        "labels": None if standing is None else labels(standing),
        "performance": performance(picture, spec.name, spec.task),
    }


def _learner(name: str, status: Mapping[str, Any]) -> dict[str, Any]:
    """A model that learns its reference: nothing is known of its columns, and it has no windows yet."""
    empty: dict[str, Any] = {key: [] for key in ("columns", "rules", "latest", "performance")}
    return {"name": name, "task": status["task"], "reference": None, "learning": status, "labels": None, **empty}


def _source(source: Source) -> dict[str, Any]:
    status = source.status()
    return {
        "name": source.name,
        "ready": status.ready,
        "error": status.error or None,
        "lag_records": sum(status.lag_records.values()),
        "paused": any(status.paused.values()),
        "reconnects": status.reconnects,
        "gap_records": status.gap_records,
        "refused_batches": status.refused_batches,
        "warning": status.warning or None,
    }
