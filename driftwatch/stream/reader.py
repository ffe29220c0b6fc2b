"""Reads the events of one model and stream, in chunks, through a typed form that learns.

Events are read in chunks of 512 rows and become arrays before the next chunk is read: small enough that the decoder's
objects stay in the cache. A row that the typed decoder refuses goes through `tolerant` alone; a key that was never met
before is learnt, so that the next event that has it is read at full speed and every occurrence is counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from driftwatch.stream.assemble import Assembler, Columns, Piece
from driftwatch.stream.batch import Ints
from driftwatch.stream.columnar import Table, read_columnar
from driftwatch.stream.form import ABSENT, Leaf, Path, Role, build, flatten, is_field, leaves_of
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reject import Reject
from driftwatch.stream.schema import Schema
from driftwatch.stream.tolerant import extra_paths, parse, restore

CHUNK_ROWS = 512
LEARNT_KEYS = 256
"""How many unknown keys a form remembers; beyond it, further ones are ignored without being counted."""

PLACE_BITS = 32
"""A row's index is its line's place shifted by so many bits, plus its row within a columnar event."""


@dataclass(frozen=True, slots=True)
class Intake:
    """One model as decode sees it; without a form, its outputs are read as the schema alone would have it.

    learning: its columns are not known yet, so that no key is unknown, and the place of each row is told.
    """

    schema: Schema
    max_future_ms: int
    output_form: OutputForm | None = None
    learning: bool = False


@dataclass(slots=True)
class Read:
    """What came of some lines: batches in order, refused lines, and how many events each line was.

    appeared: names of keys that no field reads and that were never met before, in the order in which they were.
    """

    counts: Ints
    pieces: list[Piece] = field(default_factory=list)
    refused: list[tuple[int, Reject]] = field(default_factory=list)
    unknown_keys: int = 0
    appeared: list[str] = field(default_factory=list)


class Reader:
    """Reads the events of one model and stream."""

    def __init__(self, intake: Intake, stream: Stream) -> None:
        self.learning = intake.learning
        self._schema = intake.schema
        form = intake.output_form or OutputForm.of(intake.schema)
        self._leaves = leaves_of(intake.schema, stream, form)
        self._learnt: dict[Path, Leaf] = {}
        self._met: set[str] = set()
        self._assembler = Assembler(
            intake.schema, self._leaves, stream=stream, form=form, max_future_ms=intake.max_future_ms
        )
        self._generate()

    def read(self, lines: Sequence[Any], raw: Raw, *, stamps: Ints) -> Read:
        """Decode lines of a Raw in chunks; stamps: (lines,) the time of events that carry none."""
        read = Read(np.ones(len(lines), dtype=np.int64))
        for start in range(0, len(lines), CHUNK_ROWS):
            events, places = self._chunk(lines[start : start + CHUNK_ROWS], read, start=start)
            if events:
                self._collect(events, np.array(places), read, source=_Source(raw, lines, stamps))
        if self.learning:
            read.unknown_keys, read.appeared = 0, []
        return read

    def _chunk(self, chunk: Sequence[Any], read: Read, *, start: int) -> tuple[list[Any], list[int]]:
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

    def _one(self, line: Any, read: Read) -> Any:
        try:
            return self._decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            document = parse(bytes(line))
            if isinstance(document, Reject):
                return document
            read.unknown_keys += self._learn(extra_paths(self._form, document), read)
            return restore(self._form, document)

    def _again(self, line: Any) -> Any:
        try:
            return self._decode(line)
        except msgspec.DecodeError:
            document = parse(bytes(line))
            assert not isinstance(document, Reject)
            return restore(self._form, document)

    def _learn(self, paths: Iterable[Path], read: Read) -> int:
        """Remember unknown keys while there is room; how many of them no form can hold, and have to be counted now."""
        room = LEARNT_KEYS - len(self._learnt)
        if room <= 0:
            return 0
        listed = list(paths)
        new = [path for path in listed if is_field(path)]
        if new:
            self._meet([".".join(path) for path in new[:room]], read)
            self._learnt |= {path: Leaf(path, Role.EXTRA) for path in new[:room]}
            self._generate()
        return len(listed) - len(new)

    def _meet(self, names: Iterable[str], read: Read) -> None:
        """Tell of names the first time they are met, while there is room to remember them."""
        for name in names:
            if name not in self._met and len(self._met) < LEARNT_KEYS:
                self._met.add(name)
                read.appeared.append(name)

    def _generate(self) -> None:
        leaves = (*self._leaves, *self._learnt.values())
        self._form = build(leaves, strict=len(self._learnt) < LEARNT_KEYS)
        self._decode = msgspec.json.Decoder(self._form.type).decode

    def _collect(self, events: list[Any], places: Ints, read: Read, *, source: "_Source") -> None:
        columns = flatten(self._form, events)
        read.unknown_keys += sum(len(events) - columns[path].count(ABSENT) for path in self._learnt)
        held = columns[("columns",)]
        if held.count(ABSENT) == len(held):
            self._assemble(columns, places << PLACE_BITS, read, source=source)
            return
        start = 0
        for row in [*(row for row, value in enumerate(held) if value is not ABSENT), len(held)]:
            if row > start:
                part = {path: values[start:row] for path, values in columns.items()}
                self._assemble(part, places[start:row] << PLACE_BITS, read, source=source)
            if row < len(held):
                self._columnar(int(places[row]), read, source=source)
            start = row + 1

    def _columnar(self, place: int, read: Read, *, source: "_Source") -> None:
        document = parse(bytes(source.lines[place]))
        found = document if isinstance(document, Reject) else self._table(document)
        if isinstance(found, Reject):
            read.refused.append((place, found))
            return
        read.counts[place] = found.rows
        read.unknown_keys += found.rows * len(found.unknown)
        self._meet(found.unknown, read)
        self._assemble(found.columns, (place << PLACE_BITS) + np.arange(found.rows), read, source=source)

    def _assemble(self, columns: Columns, indices: Ints, read: Read, *, source: "_Source") -> None:
        raw = source.raw
        stamps = source.stamps[indices >> PLACE_BITS]
        read.pieces.append(
            self._assembler.assemble(
                columns, partition=raw.partition, stamps=stamps, received_ms=raw.received_ms, indices=indices
            )
        )

    def _table(self, document: dict[str, Any]) -> Table | Reject:
        model = document.get("model")
        if model == self._schema.model:
            return read_columnar(document, self._leaves)
        return Reject.UNKNOWN_MODEL if isinstance(model, str) else Reject.MISSING_MODEL


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a chunk's events stand."""

    raw: Raw
    lines: Sequence[Any]
    stamps: Ints
