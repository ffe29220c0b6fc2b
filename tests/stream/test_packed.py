"""Records in one buffer."""

from dataclasses import replace

import numpy as np
import pytest

from driftwatch.daemon.queue import Queue
from driftwatch.stream.decode import Decoder
from driftwatch.stream.packed import Packed
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reader import Intake
from tests.stream.test_decode import NOW_MS, schema

RECORDS = (b"one", b"", b'{"three": 3}', b"\n")
APART = Packed(b"..one--" + b'{"three": 3}' + b"\n\xff\n", np.array([2, 5, 7, 19]), np.array([5, 5, 19, 20]))


@pytest.mark.parametrize("packed", [Packed.of(RECORDS), APART])
def test_sequence(packed):
    """Packed records are the sequence of their records, whatever lies between them."""
    assert packed == RECORDS
    assert packed != RECORDS[:3]
    assert list(packed) == list(RECORDS)
    assert (packed[0], packed[-1]) == (b"one", b"\n")
    assert packed[1:3] == RECORDS[1:3]
    assert (len(packed), packed.size_bytes) == (4, sum(map(len, RECORDS)))
    assert hash(packed) == hash(RECORDS)


def test_none():
    """No records are packed, too."""
    empty = Packed.of(())

    assert empty == ()
    assert (len(empty), empty.size_bytes, empty.unpacked()) == (0, 0, ())


def test_weighed():
    """The queue weighs the records, not the buffer that they lie in."""
    queue = Queue(size_bytes=20)
    raw = Raw(Stream.PREDICTIONS, "kafka", "kafka/p/0", APART, 1, 1)

    assert raw.size_bytes == 16
    assert queue.offer(raw, timeout_seconds=0)
    assert not queue.offer(raw, timeout_seconds=0)


def test_decoded():
    """Packed events are decoded as they would be apart."""
    records = (b'{"model": "fraud", "id": "a"}', b"broken", b'{"model": "fraud", "id": "b"}\n{"model": "fraud"}')
    apart = Raw(Stream.PREDICTIONS, "kafka", "kafka/p/0", records, NOW_MS, 1, (NOW_MS, NOW_MS + 1, NOW_MS + 2))
    packed = replace(apart, records=Packed.of(records))
    found, known = (Decoder([Intake(schema(), 600_000)]).decode(raw) for raw in (packed, apart))

    assert packed == apart
    assert (found.received, found.rejected) == (known.received, known.rejected)
    assert found.batches["fraud"].ids.tolist() == known.batches["fraud"].ids.tolist()
    assert len(found.rejected) == 2
