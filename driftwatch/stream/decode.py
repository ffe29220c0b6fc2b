"""From raw bytes to batches, one per model: the only place where types are checked."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import msgspec
import numpy as np

from driftwatch.stream.batch import Batch, Ints, Labels
from driftwatch.stream.control import Controls
from driftwatch.stream.counting import SMALL_BYTES, has_too_many_values
from driftwatch.stream.packed import Packed
from driftwatch.stream.raw import EVENT_STREAMS, Raw
from driftwatch.stream.reader import PLACE_BITS, Intake, Read, Reader
from driftwatch.stream.reject import NAMELESS, Reject, Rejection
from driftwatch.stream.split import are_plain, split
from driftwatch.stream.tolerant import parse

_ROW_MASK = (1 << PLACE_BITS) - 1


@dataclass(slots=True)
class Decoded:
    """What came of one Raw: received = rows of batches, labels and controls + rejected.

    controls: rows of golden sets, which are in no batch.
    unknown_keys: keys that no field reads. appeared: by model, the names of those that were never met before.
    places: of models that are learning, the index of each row of their batch or labels.
    lines, first: the texts that were read, and the index of each one's first event.
    """

    received: int = 0
    batches: dict[str, Batch] = field(default_factory=dict)
    labels: dict[str, Labels] = field(default_factory=dict)
    controls: dict[str, list[Controls]] = field(default_factory=dict)
    rejected: list[Rejection] = field(default_factory=list)
    unknown_keys: int = 0
    appeared: dict[str, list[str]] = field(default_factory=dict)
    places: dict[str, Ints] = field(default_factory=dict)
    lines: Sequence[bytes | msgspec.Raw] = field(default=(), compare=False, repr=False)
    first: Ints | None = field(default=None, compare=False, repr=False)

    def sent(self, indices: Iterable[int]) -> Iterator[bytes]:
        """The events at these indices, rising, as they were sent; a row of a columnar batch as a batch of one row."""
        assert self.first is not None
        opened, document = -1, {}
        for index in indices:
            line = int(np.searchsorted(self.first, index, side="right")) - 1
            if self.first[line + 1] - self.first[line] == 1:
                yield bytes(self.lines[line])
                continue
            if line != opened:
                opened, document = line, json.loads(bytes(self.lines[line]), parse_int=_digits)
            row = index - int(self.first[line])
            columns = {name: values[row : row + 1] for name, values in document["columns"].items()}
            yield json.dumps({**document, "columns": columns}).encode()


def _digits(text: str) -> float:
    return int(text) if len(text) < _LONG else float("inf")


_LONG = 4_000
"""Digits; no number so long is one that we read, and int() refuses somewhat longer ones."""


class Decoder:
    """Decodes the events of several models; holds no state but what it has learnt of their forms."""

    def __init__(self, intakes: Iterable[Intake]) -> None:
        listed = list(intakes)
        self._readers = {
            (intake.schema.model, stream): Reader(intake, stream) for intake in listed for stream in EVENT_STREAMS
        }
        self._models = tuple(intake.schema.model for intake in listed)

    def replace(self, intake: Intake) -> None:
        """Read one of the models otherwise from now on."""
        self._readers |= {(intake.schema.model, stream): Reader(intake, stream) for stream in EVENT_STREAMS}

    def decode(self, raw: Raw, events: "Events | None" = None) -> Decoded:
        """Read one Raw; never raises for what a producer sent. events: of `events_of`, for who has asked already."""
        lines, stamps, unread = events or events_of(raw)
        decoded = Decoded()
        if not len(lines):
            return decoded
        routes, refused = self._route(lines, unread)
        counts = np.ones(len(lines), dtype=np.int64)
        reads: list[tuple[str, Ints, Read]] = []
        for model, positions in routes.items():
            at = np.arange(len(lines)) if positions is None else np.array(positions, dtype=np.int64)
            chosen = lines if positions is None else [lines[position] for position in positions]
            read = self._readers[model, raw.stream].read(chosen, raw, stamps=stamps[at])
            counts[at] = read.counts
            reads.append((model, at, read))
        first = np.concatenate([[0], np.cumsum(counts)])
        decoded.received, decoded.lines, decoded.first = int(first[-1]), lines, first
        decoded.rejected = [Rejection(int(first[place]), reason) for place, reason in refused]
        for model, at, read in reads:
            _finish(decoded, model, read, first=first[at])
            if self._readers[model, raw.stream].learning and read.pieces:
                kept = np.concatenate([piece.places for piece in read.pieces])
                decoded.places[model] = first[at][kept >> PLACE_BITS] + (kept & _ROW_MASK)
        decoded.rejected.sort(key=lambda rejection: rejection.index)
        return decoded

    def _route(
        self, lines: Sequence[Any], unread: Mapping[int, Reject]
    ) -> tuple[dict[str, list[int] | None], list[tuple[int, Reject]]]:
        """Which lines are whose: model → positions, None for all; and the lines that are nobody's."""
        if len(self._models) == 1:
            read = [position for position in range(len(lines)) if position not in unread] if unread else None
            return {self._models[0]: read}, list(unread.items())
        routes: dict[str, list[int] | None] = {}
        refused: list[tuple[int, Reject]] = []
        for position, line in enumerate(lines):
            model = unread.get(position) or _model_of(line)
            if isinstance(model, Reject):
                refused.append((position, model))
            elif isinstance(model, str) and model in self._models:
                found = routes.setdefault(model, [])
                assert found is not None
                found.append(position)
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


class Events(NamedTuple):
    """The texts of a Raw's events, a columnar batch being one; the time of each one's record, in ms.

    unread: those of which nothing is read, by place. A record of too many events is one such text.
    """

    texts: Sequence[bytes | msgspec.Raw]
    stamps: Ints
    unread: Mapping[int, Reject]


def events_of(raw: Raw) -> Events:
    """Divide a Raw into its events, and say which of them are too large to be read."""
    records = raw.records.unpacked() if isinstance(raw.records, Packed) else raw.records
    given = np.full(len(records), raw.received_ms) if raw.timestamps_ms is None else np.array(raw.timestamps_ms)
    given = given.astype(np.int64)
    if max(map(len, records), default=0) <= SMALL_BYTES and are_plain(records):
        return Events(records, given, {})
    texts: list[bytes | msgspec.Raw] = []
    unread: dict[int, Reject] = {}
    counts = []
    for record in records:
        found = split(record)
        if isinstance(found, Reject):
            unread[len(texts)] = found
            found = (record,)
        counts.append(len(found))
        texts += found
    for place, text in enumerate(texts):
        if place not in unread and len(text) > SMALL_BYTES and has_too_many_values(bytes(text)):
            unread[place] = Reject.TOO_MANY_VALUES
    return Events(texts, np.repeat(given, counts), unread)


def _finish(decoded: Decoded, model: str, read: Read, *, first: Ints) -> None:
    """Put what a reader made with the rest; first: (lines,) the index of each of the reader's lines' first event."""
    decoded.unknown_keys += read.unknown_keys
    if read.appeared:
        decoded.appeared[model] = read.appeared
    decoded.rejected += [
        Rejection(int(first[place]), reason, "" if reason in NAMELESS else model) for place, reason in read.refused
    ]
    decoded.rejected += [
        replace(rejection, index=int(first[rejection.index >> PLACE_BITS]) + (rejection.index & _ROW_MASK))
        for piece in read.pieces
        for rejection in piece.rejected
    ]
    controls = [piece.controls for piece in read.pieces if piece.controls is not None]
    if controls:
        decoded.controls[model] = controls
    batches = [piece.batch for piece in read.pieces if isinstance(piece.batch, Batch)]
    if batches:
        decoded.batches[model] = Batch.joined(batches)
    labels = [piece.batch for piece in read.pieces if isinstance(piece.batch, Labels)]
    if labels:
        decoded.labels[model] = Labels.joined(labels)
