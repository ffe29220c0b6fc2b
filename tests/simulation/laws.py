"""What must hold: after every restart, and at the end against two oracles and an uninterrupted run."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from random import Random

from driftwatch.daemon.watch import Watch
from driftwatch.evaluation.alerts import Transition
from driftwatch.evaluation.casebook import Casebook, Notice
from driftwatch.evaluation.events import event_type, webhook_id
from driftwatch.evaluation.groups import Group, grouped
from driftwatch.evaluation.report import Arrivals, Report
from driftwatch.monitor import Monitor, Outcome
from driftwatch.sinks.incident_letters import write_incident_letters
from driftwatch.stream.raw import EVENT_STREAMS, Raw, Stream
from tests.simulation.book import Deed, Entry
from tests.simulation.models import TASKS, new_casebook, shared_decoder
from tests.simulation.oracle import Form, Oracle, Row
from tests.simulation.producer import Event

Counts = Counter[tuple[str, str, str]]
"""(stream, source, result) → events."""


@dataclass(slots=True)
class Account:
    """What an oracle makes of the book: each model's windows, and what became of every event."""

    oracles: Mapping[str, Oracle]
    counts: Counts = field(default_factory=Counter)


def account(entries: Iterable[Entry], watches: Iterable[Watch], events: Mapping[bytes, tuple[Event, ...]]) -> Account:
    """Go through the book by definition, event by event."""
    found = Account({watch.spec.name: Oracle(_form(watch)) for watch in watches})
    for entry in entries:
        if entry.deed is Deed.TAKE:
            _take(found, entry, events)
        else:
            for oracle in found.oracles.values():
                _move(oracle, entry)
    return found


def _move(oracle: Oracle, entry: Entry) -> None:
    match entry.deed:
        case Deed.EXPECT:
            oracle.expect(entry.families, now_ms=entry.now_ms)
        case Deed.ANNOUNCE if entry.message.stream is Stream.PREDICTIONS:
            oracle.announce(entry.message.partitions, now_ms=entry.now_ms)
        case Deed.TICK:
            oracle.tick(now_ms=entry.now_ms)
        case Deed.FINISH:
            oracle.finish()
        case Deed.RESTART:
            oracle.restart()


def _take(found: Account, entry: Entry, events: Mapping[bytes, tuple[Event, ...]]) -> None:
    raw = entry.message
    rows: dict[str, list[Row]] = {name: [] for name in TASKS}
    for record, stamp_ms in zip(raw.records, raw.timestamps_ms, strict=True):
        for event in events[record]:
            time_ms = stamp_ms if event.time_ms is None else event.time_ms
            if event.bad or time_ms > raw.received_ms + 600_000:
                found.counts[raw.stream, raw.source, "rejected"] += 1
            else:
                rows[event.model].append(Row(event.id, event.version, time_ms))
    for model, some in rows.items():
        if raw.stream is Stream.LABELS:
            found.counts[raw.stream, raw.source, "accepted"] += len(some)
        elif some:
            results = found.oracles[model].batch(raw.partition, some, heard_ms=entry.now_ms)
            for result, count in results.items():
                found.counts[raw.stream, raw.source, result] += count


def _form(watch: Watch) -> Form:
    spec = watch.spec.window
    return Form(spec.size or 0, spec.pane_ms, spec.lateness, spec.keep, spec.idle_after, spec.rows or 0)


@dataclass(slots=True)
class Said:
    """What monitors said: transitions in order, and the last report of every window with what it says of labels.

    Transitions stand there alone and as they moved together; requests: what first asked for retraining in an incident;
    notices: of the turns of incidents. parts: rows and revision of the last report
    of every segment of a window.
    """

    transitions: list[Transition] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    requests: list[Group] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    casebook: Casebook = field(default_factory=new_casebook)
    reports: dict[tuple[str, str, int, int | None], tuple[int, int]] = field(default_factory=dict)
    labels: dict[tuple[str, str, int, int | None], Arrivals | None] = field(default_factory=dict)
    parts: dict[tuple[str, str, int, int | None], dict[str, tuple[int, int]]] = field(default_factory=dict)

    def hear(self, outcome: Outcome) -> None:
        self.transitions += outcome.transitions
        self.groups += grouped(outcome.transitions, (*outcome.reports, *outcome.grounds))
        for event in self.casebook.hear(outcome, now_ms=0):
            if isinstance(event, Notice):
                self.notices.append(event)
            elif event_type(event.group.lead.step, ("retrain",)) is not None and event.incident is not None:
                if not event.incident.asked:
                    self.requests.append(event.group)
                self.casebook.asked(event.incident.model, ["asked"])
        whole = [report for report in outcome.reports if not report.segment]
        self.reports |= {_key(report): (report.window.rows, report.revision) for report in whole}
        self.labels |= {_key(report): report.arrivals for report in whole}
        for report in outcome.reports:
            if report.segment:
                self.parts.setdefault(_key(report), {})[report.segment] = report.window.rows, report.revision

    def letters(self, target: str, actions: tuple[str, ...]) -> dict[str, list[str]]:
        """The letters that a target gets without a cool-down, by each alert that they tell of, in order."""
        found: dict[str, list[str]] = {}
        for group in self.groups:
            if event_type(group.lead.step, actions) is not None:
                for move in group.moves:
                    found.setdefault(move.step.alert_id, []).append(webhook_id(group, target))
        return found

    def turns(self, target: str) -> set[str]:
        """The letters that a target which takes everything gets of incidents."""
        return {
            letter.id
            for notice in self.notices
            for letter in write_incident_letters(notice.kind, notice.incident, targets=[_Everything(target)], now_ms=0)
        }


@dataclass(frozen=True)
class _Everything:
    """A target that takes everything."""

    name: str
    actions: tuple[str, ...] = ("notify", "retrain", "rollback")


def _key(report: Report) -> tuple[str, str, int, int | None]:
    return report.model, report.version, report.window.start_ms, report.window.ordinal


class Steady:
    """Monitors that never crash."""

    def __init__(self, watches: Iterable[Watch]) -> None:
        self.monitors: dict[str, Monitor] = {watch.spec.name: watch.monitor() for watch in watches}
        self._decoder = shared_decoder()
        self.said = Said()

    def replay(self, entries: Iterable[Entry]) -> None:
        """Do what stands in the book, once, without a stop."""
        for entry in entries:
            if entry.deed is Deed.TAKE:
                self.take(entry.message, heard_ms=entry.now_ms)
                continue
            for monitor in self.monitors.values():
                self._move(monitor, entry)

    def _move(self, monitor: Monitor, entry: Entry) -> None:
        match entry.deed:
            case Deed.EXPECT:
                monitor.expect(entry.families, now_ms=entry.now_ms)
            case Deed.ANNOUNCE if entry.message.stream is Stream.PREDICTIONS:
                monitor.announce(entry.message.partitions, now_ms=entry.now_ms)
            case Deed.ANNOUNCE:
                monitor.announce_labels(entry.message.partitions, now_ms=entry.now_ms)
            case Deed.TICK:
                self.said.hear(monitor.tick(now_ms=entry.now_ms))
            case Deed.RESTART:  # how long a partition has been silent is measured anew
                monitor.windows._heard.clear()
                monitor.windows._expected.clear()
                if monitor.quality is not None:
                    monitor.quality.frontier._heard.clear()
            case Deed.FINISH:
                self.said.hear(monitor.finish())

    def take(self, raw: Raw, *, heard_ms: int) -> None:
        decoded = self._decoder.decode(raw)
        for model, labels in decoded.labels.items():
            self.monitors[model].label(labels, received_ms=heard_ms)
        for model, batch in decoded.batches.items():
            self.said.hear(self.monitors[model].feed(batch, received_ms=heard_ms))

    def play(
        self,
        partitions: Mapping[str, Stream],
        records: Iterable[tuple[str, bytes]],
        *,
        dice: Random,
        now_ms: int,
    ) -> None:
        """Read an input from its beginning to its end, cut into other batches; records: partition and value."""
        names = {stream: [name for name in partitions if partitions[name] is stream] for stream in EVENT_STREAMS}
        for monitor in self.monitors.values():
            monitor.announce(names[Stream.PREDICTIONS], now_ms=now_ms)
            monitor.announce_labels(names[Stream.LABELS], now_ms=now_ms)
        for partition, run in groupby(records, key=lambda pair: pair[0]):
            values = [value for _, value in run]
            while values:
                cut = dice.randint(1, 30)
                raw = Raw(partitions[partition], "kafka", partition, tuple(values[:cut]), now_ms, 1)
                self.take(raw, heard_ms=now_ms)
                values = values[cut:]
        for monitor in self.monitors.values():
            self.said.hear(monitor.finish())
