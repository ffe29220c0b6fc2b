"""From a spool of events to a reference, by the same code as `driftwatch reference build`; and what comes after it.

The events that are learnt from become a file of events beside the spool, each with its time and with its label, if that
has come. That file is gone again when the reference is there.
"""

import glob
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import msgspec
import numpy as np

from driftwatch.config import ModelSpec
from driftwatch.daemon.learning import End, blank_intake
from driftwatch.errors import StateError
from driftwatch.failpoints import Point, reached
from driftwatch.store.spool import FOLDER, REFERENCE, Entry, entries_at, placed_entries, read_entries
from driftwatch.stream.batch import Hashes
from driftwatch.stream.decode import Decoder
from driftwatch.stream.raw import Stream
from driftwatch.stream.schema import Task
from driftwatch.summaries.reference import Reference

_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Learnt:
    """A reference, and the ids of the events that it is made of, sorted. unusable: events that could not be.

    others: where entries of before the end begin in the spool that hold something else.
    """

    reference: Reference
    ids: Hashes
    unusable: int
    others: Sequence[int]


def place(directory: Path, model: str, ending: str) -> Path:
    """Where a model keeps a file of its learning."""
    return directory / FOLDER / (quote(model, safe="") + ending)


def learn(spool: Path, spec: ModelSpec, end: End, *, now_ms: int, progress: Callable[[], None]) -> Learnt:
    """Build the reference and save it beside the spool; progress: called now and then, may raise to give up.

    DataError or ConfigError when the events are no reference, StateError when files cannot be written or read.
    """
    # With it come the readers of tables, which a service needs for nothing else: memory, and time at each start.
    from driftwatch.daemon.referencing import build_reference, save_reference  # noqa: PLC0415

    table = spool.with_suffix(".jsonl")
    try:
        with table.open("wb") as file:
            ids, unusable = _write(file, spool, spec, end, progress=progress)
        pattern = glob.escape(str(table))
        reference = build_reference([pattern], spec, now_ms=now_ms, progress=lambda *_: progress())
        save_reference(reference, spool.with_suffix(REFERENCE))
        reached(Point.REFERENCE_LEARNT)
        others = list(_others(spool, spec, end, ids))
    except OSError as error:
        raise StateError(f"{table}: cannot be written: {error.strerror}; make room on its disk") from error
    finally:
        table.unlink(missing_ok=True)
    return Learnt(reference, ids, unusable, others)


def before_the_end(spool: Path, end: End, others: Sequence[int]) -> Iterator[Entry]:
    """What came before the end and is not learnt from: predictions of later times, and labels."""
    for entry in entries_at(spool, others):
        if entry.stream is Stream.LABELS:
            yield entry
        elif end.before_ms is not None:
            later = [place for place, time in enumerate(entry.times_ms) if time >= end.before_ms]
            times, events = [entry.times_ms[each] for each in later], [entry.events[each] for each in later]
            yield Entry(entry.stream, entry.source, entry.partition, entry.received_ms, times, events)


def _others(spool: Path, spec: ModelSpec, end: End, ids: Hashes) -> Iterator[int]:
    decoder = Decoder([blank_intake(spec)])
    for start, entry in placed_entries(spool, 0, end.length):
        if entry.stream is Stream.LABELS:
            labels = decoder.decode(entry.raw()).labels.get(spec.name)
            if labels is not None and not np.isin(labels.ids, ids).all():
                yield start
        elif end.before_ms is not None and max(entry.times_ms) >= end.before_ms:
            yield start


def _write(
    file: BinaryIO, spool: Path, spec: ModelSpec, end: End, *, progress: Callable[[], None]
) -> tuple[Hashes, int]:
    """Write the events to learn from, one a line; their ids, and how many cannot be read as a table is."""
    decoder, ids, unusable = Decoder([blank_intake(spec)]), [np.zeros(0, dtype=np.uint64)], 0
    labels = _labels(spool, spec, end)
    time_key, label_key = _encode(spec.fields.time), _encode(spec.fields.label)
    for entry in read_entries(spool, 0, end.length):
        progress()
        decoded = decoder.decode(entry.raw()) if entry.stream is Stream.PREDICTIONS else None
        if decoded is None or spec.name not in decoded.batches:
            continue
        batch, places = decoded.batches[spec.name], decoded.places[spec.name]
        learnt = np.ones(batch.rows, dtype=np.bool_) if end.before_ms is None else batch.times < end.before_ms
        ids.append(batch.ids[learnt])
        for row in np.flatnonzero(learnt).tolist():
            label = labels.get(int(batch.ids[row]))
            said = b"" if label is None else b"," + label_key + b":" + label
            # A key that the event has itself comes later, and is the one that is read.
            event = entry.events[places[row]].strip().replace(b"\n", b" ")
            line = b"{" + time_key + b":%d" % batch.times[row] + said + b"," + event[1:]
            usable = _is_read(line)
            unusable += not usable
            file.write(line + b"\n" if usable else b"")
    return np.unique(np.concatenate(ids)), unusable


def _labels(spool: Path, spec: ModelSpec, end: End) -> Mapping[int, bytes]:
    """The last label of each event that has come by the end, as JSON; none for what is no table, such as rankings."""
    found: dict[int, bytes] = {}
    shared: dict[bytes, bytes] = {}  # most labels are one of a few
    if spec.task in {Task.NONE, Task.RANKING}:
        return found
    decoder = Decoder([blank_intake(spec)])
    for entry in read_entries(spool, 0, end.length):
        decoded = decoder.decode(entry.raw()) if entry.stream is Stream.LABELS else None
        if decoded is None or spec.name not in decoded.labels:
            continue
        labels, places = decoded.labels[spec.name], decoded.places[spec.name]
        for row, identity in enumerate(labels.ids.tolist()):
            found.pop(identity, None)
            if not labels.cancelled[row]:
                label = _encode(_said(json.loads(entry.events[places[row]]), spec.fields.label))
                found[identity] = shared.setdefault(label, label)
    return found


def _said(event: Any, path: str) -> Any:
    """A label, from an event or from a batch of one row."""
    columns = event.get("columns")
    if isinstance(columns, dict) and path in columns:
        return columns[path][0]
    for key in path.split("."):
        event = event.get(key) if isinstance(event, dict) else None
    return event


def _is_read(line: bytes) -> bool:
    """Whether a reader of event files takes it; it is stricter than the stream where nobody looks."""
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, RecursionError):
        try:
            return isinstance(json.loads(line), dict)
        except (ValueError, RecursionError):
            return False
