"""From raw bytes to batches, one per model: the only place where types are checked.

Events are read in chunks of 256 rows: small enough that the decoder's objects stay in the cache. A row that the typed
decoder refuses goes through `tolerant` alone; a key that was never met before is learnt, so that the next event that
has it is read at full speed and every occurrence is counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from driftwatch.stream.assemble import Assembler, Columns, Piece
from driftwatch.stream.batch import Batch, Ints, Labels
from driftwatch.stream.columnar import Table, read_columnar
from driftwatch.stream.form import ABSENT, Leaf, Path, Role, build, flatten, is_field, leaves_of
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reject import NAMELESS, Reject, Rejection
from driftwatch.stream.schema import Schema
from driftwatch.stream.split import split
from driftwatch.stream.tolerant import extra_paths, parse, restore

CHUNK_ROWS = 256
LEARNT_KEYS = 256
"""How many unknown keys a form remembers; beyond it, further ones are ignored without being counted."""


@dataclass(frozen=True, slots=True)
class Intake:
    """One model as decode sees it."""

    schema: Schema
    max_future_ms: int


@dataclass(slots=True)
class Decoded:
    """What came of one Raw: received = rows of the batches + rejected; `unknown_keys`: keys that no field reads."""

    received: int = 0
    batches: dict[str, Batch] = field(default_factory=dict)
    labels: dict[str, Labels] = field(default_factory=dict)
    rejected: list[Rejection] = field(default_factory=list)
    unknown_keys: int = 0


class Decoder:
    """Decodes the events of several models; holds no state but what it has learnt of their forms."""

    def __init__(self, intakes: Iterable[Intake]) -> None:
        listed = list(intakes)
        self._readers = {
            (intake.schema.model, stream): Reader(intake, stream) for intake in listed for stream in Stream
        }
        self._models = tuple(intake.schema.model for intake in listed)

    def decode(self, raw: Raw) -> Decoded:
        """Read one Raw; never raises for what a producer sent."""
        lines: list[bytes | msgspec.Raw] = []
        stamps: list[int] = []
        given = raw.timestamps_ms or (raw.received_ms,) * len(raw.records)
        for record, stamp in zip(raw.records, given, strict=True):
            events = split(record)
            lines.extend(events)
            stamps.extend([stamp] * len(events))
        decoded = Decoded()
        if not lines:
            return decoded
        places = np.arange(len(lines))
        routes, refused = self._route(lines)
        counts = np.ones(len(lines), dtype=np.int64)
        pieces: list[tuple[str, _Read]] = []
        for model, positions in routes.items():
            reader = self._readers[model, raw.stream]
            chosen = lines if positions is None else [lines[position] for position in positions]
            at = places if positions is None else np.array(positions)
            read = reader.read(chosen, stamps=np.array(stamps, dtype=np.int64)[at])
            counts[at] = read.counts
            pieces.append((model, read.placed(at)))
        first = np.concatenate([[0], np.cumsum(counts)])
        decoded.received = int(first[-1])
        decoded.rejected = [Rejection(int(first[place]), reason) for place, reason in refused]
        for model, read in pieces:
            self._finish(decoded, raw, model=model, read=read, first=first)
        decoded.rejected.sort(key=lambda rejection: rejection.index)
        return decoded

    def _finish(self, decoded: Decoded, raw: Raw, *, model: str, read: "_Read", first: Ints) -> None:
        reader = self._readers[model, raw.stream]
        decoded.unknown_keys += read.unknown_keys
        decoded.rejected += [
            Rejection(int(first[place]), reason, "" if reason in NAMELESS else model) for place, reason in read.refused
        ]
        made: list[Piece] = []
        for part in read.parts:
            indices = first[part.places] + (np.arange(len(part.stamps)) if part.columnar else 0)
            made.append(
                reader.assembler.assemble(
                    part.columns,
                    partition=raw.partition,
                    stamps=part.stamps,
                    received_ms=raw.received_ms,
                    indices=indices,
                )
            )
        decoded.rejected += [rejection for piece in made for rejection in piece.rejected]
        batches = [piece.batch for piece in made if isinstance(piece.batch, Batch)]
        if batches:
            decoded.batches[model] = Batch.joined(batches)
        labels = [piece.batch for piece in made if isinstance(piece.batch, Labels)]
        if labels:
            decoded.labels[model] = Labels(
                raw.partition,
                np.concatenate([batch.times for batch in labels]),
                np.concatenate([batch.ids for batch in labels]),
                np.concatenate([batch.outcomes for batch in labels]),
            )

    def _route(self, lines: Sequence[Any]) -> tuple[dict[str, list[int] | None], list[tuple[int, Reject]]]:
        """Which lines are whose: model → positions, None for all; and the lines that are nobody's."""
        if len(self._models) == 1:
            return {self._models[0]: None}, []
        routes: dict[str, list[int] | None] = {}
        refused: list[tuple[int, Reject]] = []
        for position, line in enumerate(lines):
            model = _model_of(line)
            if isinstance(model, str) and model in self._models:
                found = routes.setdefault(model, [])
                assert found is not None
                found.append(position)
            elif isinstance(model, Reject):
                refused.append((position, model))
            else:
                refused.append((position, Reject.UNKNOWN_MODEL if isinstance(model, str) else Reject.MISSING_MODEL))
        return routes, refused


class _Head(msgspec.Struct, gc=False):
    model: str | None = None


_head = msgspec.json.Decoder(_Head)


def _model_of(line: Any) -> Any:
    try:
        return _head.decode(line).model
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        document = parse(bytes(line))
        return document if isinstance(document, Reject) else document.get("model")


@dataclass(frozen=True, slots=True)
class _Part:
    """Columns of some rows: one chunk of events, or one columnar event."""

    columns: Columns
    places: Ints
    stamps: Ints
    columnar: bool = False


@dataclass(slots=True)
class _Read:
    """What a reader made of its lines: parts in order, refused lines, and how many events each line was."""

    counts: Ints
    parts: list[_Part] = field(default_factory=list)
    refused: list[tuple[int, Reject]] = field(default_factory=list)
    unknown_keys: int = 0

    def placed(self, at: Ints) -> "_Read":
        """The same with positions among the reader's lines turned into positions among all lines."""
        parts = [_Part(part.columns, at[part.places], part.stamps, part.columnar) for part in self.parts]
        return _Read(
            self.counts, parts, [(int(at[place]), reason) for place, reason in self.refused], self.unknown_keys
        )


class Reader:
    """Reads the events of one model and stream."""

    def __init__(self, intake: Intake, stream: Stream) -> None:
        self._schema = intake.schema
        self._leaves = leaves_of(intake.schema, stream)
        self._learnt: dict[Path, Leaf] = {}
        self.assembler = Assembler(intake.schema, self._leaves, stream=stream, max_future_ms=intake.max_future_ms)
        self._generate()

    def read(self, lines: Sequence[Any], *, stamps: Ints) -> _Read:
        """Decode lines in chunks; stamps: (lines,) the time of events that carry none."""
        read = _Read(np.ones(len(lines), dtype=np.int64))
        for start in range(0, len(lines), CHUNK_ROWS):
            chunk = lines[start : start + CHUNK_ROWS]
            events, places = self._chunk(chunk, read, start=start)
            self._collect(events, places, read, lines=lines, stamps=stamps)
        return read

    def _chunk(self, chunk: Sequence[Any], read: _Read, *, start: int) -> tuple[list[Any], list[int]]:
        try:
            return list(map(self._decode, chunk)), list(range(start, start + len(chunk)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            events, places = [], []
            for place, line in enumerate(chunk, start):
                event = self._one(line, read)
                if isinstance(event, Reject):
                    read.refused.append((place, event))
                else:
                    events.append(event)
                    places.append(place)
            # Learning a key changes the struct type, and one chunk is of one type.
            return [
                event if type(event) is self._form.type else self._again(chunk[place - start])
                for event, place in zip(events, places, strict=True)
            ], places

    def _one(self, line: Any, read: _Read) -> Any:
        try:
            return self._decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            document = parse(bytes(line))
            if isinstance(document, Reject):
                return document
            read.unknown_keys += self._learn(extra_paths(self._form, document))
            return restore(self._form, document)

    def _again(self, line: Any) -> Any:
        try:
            return self._decode(line)
        except msgspec.DecodeError:
            document = parse(bytes(line))
            assert not isinstance(document, Reject)
            return restore(self._form, document)

    def _learn(self, paths: Iterable[Path]) -> int:
        """Remember unknown keys while there is room; how many of them no form can hold, and have to be counted now."""
        room = LEARNT_KEYS - len(self._learnt)
        if room <= 0:
            return 0
        listed = list(paths)
        new = [path for path in listed if is_field(path)]
        if new:
            self._learnt |= {path: Leaf(path, Role.EXTRA) for path in new[:room]}
            self._generate()
        return len(listed) - len(new)

    def _generate(self) -> None:
        leaves = (*self._leaves, *self._learnt.values())
        self._form = build(leaves, strict=len(self._learnt) < LEARNT_KEYS)
        self._decode = msgspec.json.Decoder(self._form.type).decode

    def _collect(
        self, events: list[Any], places: list[int], read: _Read, *, lines: Sequence[Any], stamps: Ints
    ) -> None:
        if not events:
            return
        columns = flatten(self._form, events)
        read.unknown_keys += sum(len(events) - columns[path].count(ABSENT) for path in self._learnt)
        at = np.array(places)
        held = columns[("columns",)]
        whole = [row for row, value in enumerate(held) if value is not ABSENT] if held.count(ABSENT) < len(held) else []
        start = 0
        for row in [*whole, len(places)]:
            if row > start:
                part = (
                    columns
                    if row - start == len(places)
                    else {path: values[start:row] for path, values in columns.items()}
                )
                read.parts.append(_Part(part, at[start:row], stamps[at[start:row]]))
            if row < len(places):
                self._columnar(lines[places[row]], read, place=places[row], stamp=int(stamps[places[row]]))
            start = row + 1

    def _columnar(self, line: Any, read: _Read, *, place: int, stamp: int) -> None:
        document = parse(bytes(line))
        found = document if isinstance(document, Reject) else self._table(document)
        if isinstance(found, Reject):
            read.refused.append((place, found))
            return
        read.counts[place] = found.rows
        read.unknown_keys += found.unknown_keys
        places = np.full(found.rows, place)
        read.parts.append(_Part(found.columns, places, np.full(found.rows, stamp, dtype=np.int64), columnar=True))

    def _table(self, document: dict[str, Any]) -> Table | Reject:
        model = document.get("model")
        if model == self._schema.model:
            return read_columnar(document, self._leaves)
        return Reject.UNKNOWN_MODEL if isinstance(model, str) else Reject.MISSING_MODEL
