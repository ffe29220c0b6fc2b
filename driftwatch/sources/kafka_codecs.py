"""What does a compressed batch of Kafka hold? All four codecs, none of them further than allowed.

They are read with what is installed anyway: gzip by the standard library, zstd by zstandard, lz4 and snappy by pyarrow,
which is loaded when the first such batch comes.
"""

import gzip
import io
import struct
from typing import Any

import zstandard

from driftwatch.errors import SourceError

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
"""How the attributes of a batch name its codec."""

_CHUNK_BYTES = 1 << 18
_XERIAL, _XERIAL_HEADER_BYTES = b"\x82SNAPPY\x00", 16


class TooLarge(Exception):  # noqa: N818 - an answer, not an error: the batch is left out
    """A batch would become larger than its limit."""


def unpack(codec: int, data: memoryview, *, limit: int) -> bytearray:
    """Undo the compression of a batch, 1 to 4 as in its attributes; TooLarge beyond `limit` bytes.

    SourceError when the bytes are not of the codec, where the decoder itself does not raise.
    At no time are more than `limit` bytes and a decoder's window of at most as many held.
    """
    if codec == GZIP:
        return _drain(gzip.GzipFile(fileobj=io.BytesIO(data)), limit)
    if codec == SNAPPY:
        return _unpack_snappy(bytes(data), limit)
    if codec == LZ4:
        import pyarrow as pa  # noqa: PLC0415 - a fifth of a second and 30 MB, for those who need it

        return _drain(pa.CompressedInputStream(pa.BufferReader(pa.py_buffer(data)), "lz4"), limit)
    if codec == ZSTD:
        return _drain(zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True), limit)
    raise SourceError(f"a batch is compressed by a codec of number {codec}, which is unknown")


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
                raise SourceError("a snappy batch has a block that ends beyond its end")
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
    raise SourceError("a snappy block does not say its size")
