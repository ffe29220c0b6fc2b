"""Record batches that unpack to far more than they weigh, made without ever holding what they unpack to."""

import struct
import zlib
from collections.abc import Callable, Iterator

import pyarrow as pa
import zstandard
from crc32c import crc32c

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
HEADER = struct.Struct(">qiibIhiqqqhii")
_CRC_AT, _CRC_FROM = 17, 21
_LZ4_HEAD = bytes.fromhex("04224d18 60 70 73")
_CHUNK = bytes(1 << 20)


def bomb(codec: str, size: int, *, records: int = 1) -> bytes:
    """A batch of so many records, of which the first has a value of `size` zeros and the others are empty."""
    return batch(codec, packed(codec, lambda: _records(size, records)), records=records)


def record_of(codec: str, value: bytes) -> bytes:
    """A batch of one record with this value."""
    head = b"\0\0" + _varint(0) + _varint(-1) + _varint(len(value))
    record = _varint(len(head) + len(value) + 1) + head + value + _varint(0)
    return batch(codec, packed(codec, lambda: iter([record])), records=1)


def batch(codec: str, payload: bytes, *, records: int) -> bytes:
    """A batch of format 2 around packed records."""
    now = 1_767_607_200_000
    fields = [0, HEADER.size + len(payload) - 12, -1, 2, 0, CODECS[codec], records - 1, now, now, -1, -1, -1, records]
    body = bytearray(HEADER.pack(*fields) + payload)
    struct.pack_into(">I", body, _CRC_AT, crc32c(bytes(body[_CRC_FROM:])))
    return bytes(body)


def packed(codec: str, chunks: Callable[[], Iterator[bytes]]) -> bytes:
    """The chunks in one frame of the codec; snappy as one block."""
    if codec == "gzip":
        squeeze = zlib.compressobj(9, wbits=31)
        return b"".join([*map(squeeze.compress, chunks()), squeeze.flush()])
    if codec == "zstd":
        squeezer = zstandard.ZstdCompressor().compressobj()
        return b"".join([*map(squeezer.compress, chunks()), squeezer.flush()])
    if codec == "lz4":
        # Blocks that do not depend on each other, as Kafka demands; pyarrow writes no such frames.
        blocks = [pa.compress(chunk, codec="lz4_raw", asbytes=True) for chunk in chunks() if chunk]
        return _LZ4_HEAD + b"".join(struct.pack("<I", len(block)) + block for block in blocks) + bytes(4)
    return pa.compress(b"".join(chunks()), codec="snappy", asbytes=True)


def _records(size: int, count: int) -> Iterator[bytes]:
    head = b"\0\0" + _varint(0) + _varint(-1) + _varint(size)
    yield _varint(len(head) + size + 1) + head
    for start in range(0, size, len(_CHUNK)):
        yield _CHUNK[: size - start]
    yield _varint(0)
    for number in range(1, count):
        body = b"\0\0" + _varint(number) + _varint(-1) + _varint(0) + _varint(0)
        yield _varint(len(body)) + body


def _varint(value: int) -> bytes:
    rest, out = (value << 1) ^ (value >> 63), bytearray()
    while rest > 0x7F:
        out.append(0x80 | (rest & 0x7F))
        rest >>= 7
    return bytes([*out, rest])
