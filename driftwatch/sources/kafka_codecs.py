"""How large may a compressed batch become? kafka-python unpacks one whole, and 200 KB of it can be 200 MB.

All codecs of Kafka are read with what is installed anyway: gzip by the standard library, zstd by zstandard, lz4 and
snappy by pyarrow, which is loaded when the first such batch comes. `guard` changes one consumer, and nothing else.
"""

import gzip
import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
import zstandard
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.memory_records import MemoryRecordsBuilder
from kafka.structs import TopicPartition

_log = structlog.get_logger()

_CHUNK_BYTES = 1 << 18
_XERIAL, _XERIAL_HEADER_BYTES = b"\x82SNAPPY\x00", 16
_GZIP, _SNAPPY, _LZ4, _ZSTD = 1, 2, 3, 4


class TooLarge(Exception):  # noqa: N818 - an answer, not an error: the batch is left out
    """A batch would become larger than its limit."""


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


def unpack(codec: int, data: memoryview, *, limit: int) -> bytearray:
    """Undo the compression of a batch, 1 to 4 as in its attributes; TooLarge beyond `limit` bytes.

    At no time are more than `limit` bytes and a decoder's window of at most as many held.
    """
    if codec == _GZIP:
        return _drain(gzip.GzipFile(fileobj=io.BytesIO(data)), limit)
    if codec == _SNAPPY:
        return _unpack_snappy(bytes(data), limit)
    if codec == _LZ4:
        import pyarrow as pa  # noqa: PLC0415 - a fifth of a second and 30 MB, for those who need it

        return _drain(pa.CompressedInputStream(pa.BufferReader(pa.py_buffer(data)), "lz4"), limit)
    if codec == _ZSTD:
        return _drain(zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True), limit)
    raise CorruptRecordError(f"a batch is compressed by a codec of number {codec}, which is unknown")


def _drain(stream: Any, limit: int) -> bytearray:
    out = bytearray()
    while chunk := stream.read(min(_CHUNK_BYTES, limit + 1 - len(out))):
        out += chunk
        if len(out) > limit:
            raise TooLarge
    return out


def _unpack_snappy(data: bytes, limit: int) -> bytearray:
    """One block, or many in the frame of Java's library. Blocks say their size first, so it is judged first."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    out, at = bytearray(), _XERIAL_HEADER_BYTES
    blocks = [data]
    if data.startswith(_XERIAL):
        blocks = []
        while at < len(data):
            (size,) = struct.unpack_from(">i", data, at)
            if not 0 < size <= len(data) - at - 4:
                raise CorruptRecordError("a snappy batch has a block that ends beyond its end")
            blocks.append(data[at + 4 : at + 4 + size])
            at += 4 + size
    for block in blocks:
        size = _varint(block)
        if len(out) + size > limit:
            raise TooLarge
        if size:
            out += pa.Codec("snappy").decompress(block, decompressed_size=size, asbytes=True)
    return out


def _varint(block: bytes) -> int:
    value = 0
    for index, byte in enumerate(block[:5]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value
    raise CorruptRecordError("a snappy block does not say its size")


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
        builder = MemoryRecordsBuilder(magic=2, compression_type=_GZIP, batch_size=1 << 16)
        builder.append(timestamp=0, key=None, value=value)
        builder.close()
        seen: list[Refused] = []
        read = _guarded(plain, limit, seen.append, 0, TopicPartition("trial", 0), builder.records())
        got = [record.value for record in read.take(10)]
        if (got, [(each.first, each.end) for each in seen], read.next_fetch_offset) != (values, refused, 1):
            raise RuntimeError("a trial batch was not read as it must be")
