"""The same pipeline over files: at full speed, without server, state or webhooks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from driftwatch.daemon.watch import Watch
from driftwatch.evaluation.alerts import Transition
from driftwatch.evaluation.report import Report
from driftwatch.monitor import Monitor, Outcome
from driftwatch.sources import tables
from driftwatch.stream.decode import Decoder
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.table import forms_of, table_batch

LINES = 4_096


@dataclass(slots=True)
class Summary:
    """What a replay came to; received = accepted + late + duplicate + rejected."""

    accepted: int = 0
    late: int = 0
    duplicate: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    reports: int = 0
    transitions: list[Transition] = field(default_factory=list)

    def refuse(self, reason: str, count: int = 1) -> None:
        """Count events that could not be used."""
        if count:
            self.rejected[reason] = self.rejected.get(reason, 0) + count


def replay(
    watch: Watch,
    patterns: Sequence[str],
    *,
    now_ms: int,
    report: Callable[[Report], None],
    progress: Callable[[int], None],
) -> Summary:
    """Feed files to a new monitor of one model, and report every window, also the last one, which the end closes.

    Event files (JSON lines with a `model`) go through decode, tables straight into columns. now_ms: the time of
    receipt, against which events from the future are judged. DataError when a file cannot be read.
    """
    files = tables.find(patterns)
    monitor, summary = watch.monitor(), Summary()

    def tell(outcome: Outcome) -> None:
        summary.accepted += outcome.accepted
        summary.late += outcome.late
        summary.duplicate += outcome.duplicate
        summary.reports += len(outcome.reports)
        summary.transitions += outcome.transitions
        for line in outcome.reports:
            report(line)

    events = [path for path in files if _holds_events(path)]
    flat = [path for path in files if path not in events]
    for outcome in _feed_events(watch, monitor, events, summary, now_ms):
        tell(outcome)
    if flat:
        for outcome in _feed_tables(watch, monitor, flat, summary, progress):
            tell(outcome)
    tell(monitor.finish())
    return summary


def _feed_tables(
    watch: Watch, monitor: Monitor, files: Sequence[Path], summary: Summary, progress: Callable[[int], None]
) -> Iterator[Outcome]:
    for chunk in tables.read(files, forms_of(watch.schema), progress=progress):
        batch, bad = table_batch(chunk, watch.schema, partition="files/predictions")
        summary.refuse("bad_time", len(bad))
        if batch.rows:
            yield monitor.feed(batch, received_ms=0)


def _feed_events(
    watch: Watch, monitor: Monitor, files: Sequence[Path], summary: Summary, now_ms: int
) -> Iterator[Outcome]:
    decoder = Decoder([watch.intake()])
    for path in files:
        for lines in _lines(path):
            raw = Raw(Stream.PREDICTIONS, "files", f"files/predictions/{path}", lines, now_ms, 0)
            decoded = decoder.decode(raw)
            for rejection in decoded.rejected:
                summary.refuse(rejection.reason.value)
            for batch in decoded.batches.values():
                yield monitor.feed(batch, received_ms=now_ms)


def _lines(path: Path) -> Iterator[tuple[bytes, ...]]:
    with path.open("rb") as file:
        held: list[bytes] = []
        for line in file:
            if stripped := line.strip():
                held.append(stripped)
            if len(held) == LINES:
                yield tuple(held)
                held = []
        if held:
            yield tuple(held)


def _holds_events(path: Path) -> bool:
    """Whether a file's first line that is JSON is an event of the contract, and not a row of a table."""
    if path.suffix.lower() not in {".jsonl", ".ndjson", ".json"}:
        return False
    for lines in _lines(path):
        for line in lines:
            try:
                first = msgspec.json.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            return isinstance(first, dict) and "model" in first
    return True
