"""A bound on what a batch may become: kafka-python unpacks one whole, and 200 KB of it can be 200 MB.

`guard` changes one consumer, and nothing else of the library.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.memory_records import MemoryRecordsBuilder
from kafka.structs import TopicPartition

from driftwatch.sources.kafka_codecs import GZIP, TooLarge, unpack

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Refused:
    """A batch that was left out because it unpacks to more than its limit: offsets `first` up to before `end`."""

    place: tuple[str, int]
    first: int
    end: int
    packed_bytes: int


def guard(consumer: Any, max_bytes: int, *, refuse: Callable[[Refused], None]) -> bool:
    """Make a KafkaConsumer leave out batches that unpack to more than so many bytes, and tell `refuse` of each.

    Its position moves behind them, as it does behind compacted records. False, with an error logged and nothing
    changed, when this kafka-python does not work as the one this was written for: a trial batch decides.
    Batches in the formats before Kafka 0.11 are not bounded; brokers since 3.0 write no new ones.
    """
    try:
        fetcher = consumer._fetcher  # noqa: SLF001 - there is no other door
        plain = fetcher.PartitionRecords
        known = "PartitionRecords" in type(fetcher)._parse_fetched_data.__code__.co_names  # noqa: SLF001
        _try(plain)
    except Exception as error:  # noqa: BLE001 - whatever another version does, it is not known
        known, reason = False, f"{type(error).__name__}: {error}"
    else:
        reason = "records are read elsewhere"
    if known:
        fetcher.PartitionRecords = partial(_guarded, plain, max_bytes, refuse)
    else:
        _log.error("kafka_batches_unbounded", reason=reason, advice="install the kafka-python of requirements.lock")
    return known


class _Bounded(DefaultRecordBatch):  # type: ignore[misc]  # the library ships no types
    """A compressed batch that has no records when it would become too large."""

    _buffer: Any
    _pos: int
    _decompressed: bool

    def __init__(self, buffer: Any, limit: int, *, refuse: Callable[[Any], None]) -> None:
        super().__init__(buffer)
        self.packed_bytes = len(buffer)
        self._limit, self._refuse = limit, refuse

    def __iter__(self) -> Any:
        try:
            return super().__iter__()
        except TooLarge:
            self._refuse(self)
            return iter(())

    def _maybe_uncompress(self) -> None:
        if not self._decompressed:
            packed = memoryview(self._buffer)[self._pos :]
            self._buffer = unpack(self.compression_type, packed, limit=self._limit)
            self._pos, self._decompressed = 0, True


class _Batches:
    """What is asked of kafka-python's MemoryRecords, with bounded batches."""

    def __init__(self, records: Any, limit: int, *, refuse: Callable[[Any], None]) -> None:
        self._records, self._limit, self._refuse = records, limit, refuse

    def next_batch(self) -> Any:
        """The next batch, None at the end."""
        batch = self._records.next_batch()
        if isinstance(batch, DefaultRecordBatch) and batch.compression_type:
            return _Bounded(batch._buffer, self._limit, refuse=self._refuse)  # noqa: SLF001 - the bytes it came in
        return batch


def _guarded(
    plain: Any, limit: int, refuse: Callable[[Refused], None], offset: int, at: Any, records: Any, **options: Any
) -> Any:
    def note(batch: _Bounded) -> None:
        first = max(batch.base_offset, offset)
        refuse(Refused((at.topic, at.partition), first, batch.next_offset, batch.packed_bytes))

    return plain(offset, at, _Batches(records, limit, refuse=note), **options)


def _try(plain: Any) -> None:
    """Read one batch within the limit and one beyond it; raises when they do not come out as they must."""
    value = bytes(4096)
    for limit, values, refused in ((1 << 16, [value], []), (1 << 10, [], [(0, 1)])):
        builder = MemoryRecordsBuilder(magic=2, compression_type=GZIP, batch_size=1 << 16)
        builder.append(timestamp=0, key=None, value=value)
        builder.close()
        seen: list[Refused] = []
        read = _guarded(plain, limit, seen.append, 0, TopicPartition("trial", 0), builder.records())
        got = [record.value for record in read.take(10)]
        if (got, [(each.first, each.end) for each in seen], read.next_fetch_offset) != (values, refused, 1):
            raise RuntimeError("a trial batch was not read as it must be")
