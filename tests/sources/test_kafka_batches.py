"""Compressed batches: every codec is read, and none becomes larger than allowed."""

import contextlib
import os
import re
import struct
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from driftwatch.errors import SourceError
from driftwatch.sources.kafka_codecs import TooLarge, unpack
from tests.fakes import FakeInlet
from tests.servers.bombs import CODECS, HEADER, bomb, packed
from tests.sources.rigs import numbered, offsets

LIMIT, BOMB = 8 << 20, 200 << 20
# The limit once for the batch and once for a decoder's window, and what else a process does meanwhile.
ALLOWED = 3 * LIMIT + (16 << 20)
SIZES = {"gzip": BOMB, "zstd": BOMB, "lz4": BOMB, "snappy": 20 << 20}
DAMAGE = (SourceError, OSError, EOFError, ValueError, zlib.error, zstandard.ZstdError, struct.error)
XERIAL = b"\x82SNAPPY\x00" + (1).to_bytes(4, "big") * 2


class Peak:
    """How far the memory of this process grew since it was made, in bytes."""

    def __init__(self) -> None:
        if not os.access("/proc/self/clear_refs", os.W_OK):
            pytest.skip("only Linux lets a process measure the peak of its memory anew")
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self._before = self._read("VmRSS")

    def bytes(self) -> int:
        """Since then."""
        return self._read("VmHWM") - self._before

    def _read(self, name: str) -> int:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024


@pytest.mark.parametrize("codec", CODECS)
@given(data=st.binary(max_size=5_000))
def test_unpacks_what_was_packed(codec, data):
    """A batch that becomes exactly as large as allowed is read as it was, and one byte more is too much."""
    wire = memoryview(packed(codec, lambda: iter([data])))
    assert unpack(CODECS[codec], wire, limit=len(data)) == data
    if data:
        with pytest.raises(TooLarge):
            unpack(CODECS[codec], wire, limit=len(data) - 1)


@given(blocks=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=20))
def test_unpacks_snappy_in_blocks(blocks):
    """Java's library writes many blocks, which count together."""
    parts = [packed("snappy", lambda block=block: iter([block])) for block in blocks]
    wire = memoryview(XERIAL + b"".join(len(part).to_bytes(4, "big") + part for part in parts))
    whole = b"".join(blocks)
    assert unpack(CODECS["snappy"], wire, limit=len(whole)) == whole
    with pytest.raises(TooLarge):
        unpack(CODECS["snappy"], wire, limit=len(whole) - 1)


@pytest.mark.parametrize("codec", CODECS)
@given(data=st.binary(max_size=2_000), place=st.integers(0, 2_000), flip=st.integers(1, 255))
def test_damage_is_an_error_or_other_bytes(codec, data, place, flip):
    """Whatever a byte is changed to, the answer comes, within the limit: bytes, TooLarge, or an error of the codec."""
    wire = bytearray(packed(codec, lambda: iter([data])))
    wire[place % len(wire)] ^= flip
    with contextlib.suppress(TooLarge, *DAMAGE):
        assert len(unpack(CODECS[codec], memoryview(wire), limit=4_000)) <= 4_000


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_unpacks_frame_after_frame(codec):
    """Several frames are one batch, and are bounded together."""
    wire = memoryview(packed(codec, lambda: iter([b"one"])) + packed(codec, lambda: iter([b"two"])))
    assert unpack(CODECS[codec], wire, limit=6) == b"onetwo"
    with pytest.raises(TooLarge):
        unpack(CODECS[codec], wire, limit=5)


@pytest.mark.parametrize("codec", ["gzip", "zstd", "lz4"])
def test_memory_is_bounded_while_a_bomb_is_judged(codec):
    """200 MB of zeros are given up at the limit."""
    wire = memoryview(bomb(codec, BOMB))[HEADER.size :]
    assert len(wire) < 1 << 20
    peak = Peak()
    with pytest.raises(TooLarge):
        unpack(CODECS[codec], wire, limit=LIMIT)
    assert peak.bytes() < ALLOWED


def test_a_lie_about_the_size_costs_nothing():
    """A snappy block that says it holds 4 GB is judged before anything is made ready for it."""
    peak = Peak()
    with pytest.raises(TooLarge):
        unpack(CODECS["snappy"], memoryview(b"\xff\xff\xff\xff\x0f\x00"), limit=LIMIT)
    assert peak.bytes() < 1 << 20


def test_a_large_zstd_window_costs_what_is_written():
    """A frame that asks for a window of 128 MB does not get it before it fills it."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1)
    squeezer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    wire = memoryview(squeezer.compress(b"x" * 1000) + squeezer.flush())
    peak = Peak()
    assert unpack(CODECS["zstd"], wire, limit=LIMIT) == b"x" * 1000
    assert peak.bytes() < ALLOWED


@pytest.mark.kafka
def test_another_library_is_left_alone():
    """Where kafka-python reads records in another way nothing is changed, and an error says that there is no bound."""
    from driftwatch.sources.kafka_guard import guard  # noqa: PLC0415 - loads kafka-python

    class Fetcher:
        PartitionRecords = dict

        def _parse_fetched_data(self):
            return self.PartitionRecords()

    class Consumer:
        _fetcher = Fetcher()

    with capture_logs() as logs:
        assert not guard(Consumer(), LIMIT, refuse=lambda _: None)
    assert [entry["event"] for entry in logs] == ["kafka_batches_unbounded"]
    assert vars(Consumer._fetcher) == {}


@pytest.mark.kafka
@pytest.mark.parametrize("codec", CODECS)
def test_codec_is_read(kafka, start, codec):
    """Batches that a broker has packed are read, with keys, headers and tombstones between them."""
    topic, inlet = kafka.topic(configs={"compression.type": codec}), FakeInlet()
    kafka.produce(topic, numbered(0, 500))
    kafka.produce(topic, [None, b"x" * 100_000], key=b"k", headers=[("h", b"v")])
    source = start(kafka.bootstrap, inlet, predictions=[topic])
    inlet.wait(lambda: offsets(inlet) == {f"kafka/{topic}/0": 502}, "the end of the log")
    assert inlet.records() == [*numbered(0, 500), b"x" * 100_000]
    assert source.status().refused_batches == 0


@pytest.mark.kafka
@pytest.mark.parametrize("codec", CODECS)
def test_bomb_is_left_out(kafka, start, codec):
    """What is around it comes, also on another topic; the gap is counted, logged with its offsets, and passed."""
    topic, calm, inlet = kafka.topic(), kafka.topic(), FakeInlet()
    kafka.produce(topic, numbered(0, 3))
    kafka.write_batch(topic, bomb(codec, SIZES[codec], records=5))
    kafka.produce(topic, numbered(3, 6))
    kafka.write_batch(topic, bomb(codec, SIZES[codec]))
    kafka.produce(calm, numbered(0, 9))
    peak = Peak()
    with capture_logs() as logs:
        source = start(kafka.bootstrap, inlet, predictions=[topic], labels=[calm], max_batch_bytes=LIMIT)
        inlet.wait(lambda: offsets(inlet) == {f"kafka/{topic}/0": 12, f"kafka/{calm}/0": 9}, "the ends of the logs")
    assert peak.bytes() < ALLOWED
    assert inlet.records(f"kafka/{topic}/0") == numbered(0, 6)
    assert inlet.records(f"kafka/{calm}/0") == numbered(0, 9)
    assert (source.status().gap_records, source.status().refused_batches) == (6, 2)
    assert source.status().ready
    refused = [
        (entry["first"], entry["end"], entry["log_level"]) for entry in logs if entry["event"] == "kafka_batch_refused"
    ]
    assert refused == [(3, 8, "error"), (11, 12, "error")]


@pytest.mark.kafka
def test_reading_goes_on_in_the_middle_of_a_bomb(kafka, start):
    """From a position inside a batch that is too large only the rest of it is a gap."""
    topic, inlet = kafka.topic(), FakeInlet()
    kafka.write_batch(topic, bomb("gzip", 1 << 20, records=10))
    kafka.produce(topic, [b"1"])
    source = start(kafka.bootstrap, inlet, {f"kafka/{topic}/0": 4}, predictions=[topic], max_batch_bytes=1 << 16)
    inlet.wait(lambda: offsets(inlet) == {f"kafka/{topic}/0": 11}, "the end of the log")
    assert (source.status().gap_records, source.status().refused_batches) == (6, 1)
    assert inlet.records() == [b"1"]
