"""The contract of the Inbox: durable, in order, per stream, bounded."""

import threading
from pathlib import Path

import pytest

from driftwatch.ports.answers import Busy
from driftwatch.store.database import Database
from driftwatch.store.inbox import SqliteInbox
from driftwatch.stream.raw import Stream
from tests.store.doors import Doors
from tests.store.examples import checkpoint, letter

PREDICTIONS, LABELS = Stream.PREDICTIONS, Stream.LABELS


def test_the_inbox_is_read_per_stream(doors: Doors) -> None:
    """One rising sequence, read in order, stream by stream, from a position."""
    numbers = [
        doors.inbox.append(stream, b"b%d" % n, received_ms=n) for n, stream in enumerate([PREDICTIONS, LABELS] * 2)
    ]
    rows = doors.inbox.read(PREDICTIONS, 0, limit=9)

    assert numbers == sorted(set(numbers))
    assert [(row.sequence, row.stream, row.received_ms, row.body) for row in rows] == [
        (numbers[0], PREDICTIONS, 0, b"b0"),
        (numbers[2], PREDICTIONS, 2, b"b2"),
    ]
    assert [row.body for row in doors.inbox.read(LABELS, numbers[1], limit=9)] == [b"b3"]
    assert [row.body for row in doors.inbox.read(LABELS, 0, limit=1)] == [b"b1"]


def test_a_read_stops_after_4_mib(tmp_path: Path) -> None:
    """However many rows are asked for, memory stays bounded."""
    database = Database(tmp_path)
    inbox = SqliteInbox(database)
    for _ in range(3):
        inbox.append(LABELS, bytes(3 << 20), received_ms=0)

    assert len(inbox.read(LABELS, 0, limit=9)) == 2
    database.close()


def test_a_sequence_number_never_comes_back(doors: Doors) -> None:
    """Though everything was dropped and the process restarted, the next number is greater: it is a position."""
    last = [doors.inbox.append(LABELS, b"x", received_ms=0) for _ in range(3)][-1]
    doors.inbox.drop(LABELS, last)
    doors.reopen()

    assert doors.inbox.read(LABELS, 0, limit=9) == []
    assert doors.inbox.append(LABELS, b"x", received_ms=0) == last + 1


def test_drop_leaves_the_other_stream(doors: Doors) -> None:
    """Dropping one stream through a position touches neither later rows nor the other stream."""
    numbers = [doors.inbox.append(stream, b"x", received_ms=0) for stream in [PREDICTIONS, LABELS, LABELS]]
    doors.inbox.drop(LABELS, numbers[1])

    assert [row.sequence for row in doors.inbox.read(PREDICTIONS, 0, limit=9)] == numbers[:1]
    assert [row.sequence for row in doors.inbox.read(LABELS, 0, limit=9)] == numbers[2:]


def test_a_full_inbox_says_busy(doors: Doors) -> None:
    """Beyond its bytes nothing is taken, across restarts too, until something was dropped."""
    number = doors.inbox.append(LABELS, bytes(600), received_ms=0)
    doors.reopen()
    with pytest.raises(Busy) as caught:
        doors.inbox.append(PREDICTIONS, bytes(401), received_ms=0)
    doors.inbox.append(PREDICTIONS, bytes(400), received_ms=0)
    doors.inbox.drop(LABELS, number)
    doors.inbox.append(PREDICTIONS, bytes(600), received_ms=0)

    assert caught.value.retry_after_seconds > 0
    assert [len(row.body) for row in doors.inbox.read(PREDICTIONS, 0, limit=9)] == [400, 600]


def test_wait_is_woken_by_an_append(doors: Doors) -> None:
    """A reader sleeps until its stream has a new row."""
    woken: list[bool] = []
    reader = threading.Thread(target=lambda: woken.append(doors.inbox.wait(LABELS, 0, timeout_seconds=30)))
    reader.start()
    doors.inbox.append(PREDICTIONS, b"x", received_ms=0)
    number = doors.inbox.append(LABELS, b"x", received_ms=0)
    reader.join(10)

    assert woken == [True]
    assert not doors.inbox.wait(LABELS, number, timeout_seconds=0)
    doors.reopen()
    assert doors.inbox.wait(LABELS, 0, timeout_seconds=0)


def test_many_producers_lose_nothing(doors: Doors) -> None:
    """Concurrent appends, saves and reads: each body is stored once, under the number that its caller was told."""
    told: dict[int, bytes] = {}

    def produce(producer: int) -> None:
        for n in range(10):
            body = b"%d-%d" % (producer, n)
            told[doors.inbox.append(LABELS, body, received_ms=0)] = body

    producers = [threading.Thread(target=produce, args=(n,)) for n in range(6)]
    for producer in producers:
        producer.start()
    for n in range(10):
        doors.store.save(checkpoint(positions={"p": n}, letters=(letter(f"m{n}"),)))
    for producer in producers:
        producer.join(30)

    assert {row.sequence: row.body for row in doors.inbox.read(LABELS, 0, limit=99)} == told
    assert len(told) == 60
