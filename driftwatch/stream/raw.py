"""What a source hands over: bytes of one partition, with the receipt that may be committed once they are saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from driftwatch.stream.packed import Packed


class Stream(StrEnum):
    """What comes: the two kinds of events, and what people and other systems say of models (see `operations`)."""

    PREDICTIONS = "predictions"
    LABELS = "labels"
    OPERATIONS = "operations"


EVENT_STREAMS = (Stream.PREDICTIONS, Stream.LABELS)
"""The streams of events."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Consecutive records of one partition, as they came: objects, or packed in one buffer.

    `partition` is unique over all sources, such as "kafka/predictions/0". `position` is where reading goes on once
    these records are saved: the receipt travels with the goods; without any record only the position moves.
    `timestamps_ms` stand in for absent event times, one per record; without them `received_ms` does.
    """

    stream: Stream
    source: str
    partition: str
    records: tuple[bytes, ...] | Packed
    received_ms: int
    position: int
    timestamps_ms: Sequence[int] | None = None

    @property
    def size_bytes(self) -> int:
        """Bytes of all records."""
        return self.records.size_bytes if isinstance(self.records, Packed) else sum(map(len, self.records))
