"""Idempotency keys: remembered with the body in one transaction, bounded in count and time."""

import sqlite3
import threading
from pathlib import Path

import pytest

from driftwatch.errors import StateError
from driftwatch.ports.streams import Keyed, Repeated
from driftwatch.store.database import Database
from driftwatch.store.inbox import SqliteInbox
from driftwatch.stream.raw import Stream

LABELS, PREDICTIONS = Stream.LABELS, Stream.PREDICTIONS


@pytest.fixture
def database(tmp_path: Path):
    opened = Database(tmp_path)
    yield opened
    opened.close()


def keyed(key: str, *, at_ms: int = 0, digest: bytes = b"d") -> Keyed:
    return Keyed(key, digest, at_ms)


def test_a_key_is_remembered_with_its_body(database) -> None:
    """Per stream; a second body under it is not stored."""
    inbox = SqliteInbox(database)
    inbox.append(LABELS, b"one", received_ms=5, keyed=keyed("k", at_ms=5))
    with pytest.raises(Repeated) as caught:
        inbox.append(LABELS, b"two", received_ms=6, keyed=keyed("k", at_ms=6, digest=b"e"))

    assert caught.value.first == keyed("k", at_ms=5)
    assert inbox.known(LABELS, "k", now_ms=6) == keyed("k", at_ms=5)
    assert inbox.known(PREDICTIONS, "k", now_ms=6) is None
    assert [row.body for row in inbox.read(LABELS, 0, limit=9)] == [b"one"]
    assert inbox.append(PREDICTIONS, b"two", received_ms=6, keyed=keyed("k", at_ms=6)) == 2


def test_a_repeated_body_takes_no_room(database) -> None:
    """What is not stored is not counted against the inbox."""
    inbox = SqliteInbox(database, max_bytes=10)
    inbox.append(LABELS, b"12345", received_ms=0, keyed=keyed("k"))
    for _ in range(3):
        with pytest.raises(Repeated):
            inbox.append(LABELS, b"12345", received_ms=0, keyed=keyed("k"))

    assert inbox.append(LABELS, b"12345", received_ms=0) == 2


def test_keys_are_bounded_in_count(database) -> None:
    """The oldest are forgotten, and may come again."""
    inbox = SqliteInbox(database, max_keys=3)
    for number in range(5):
        inbox.append(LABELS, b"x", received_ms=0, keyed=keyed(f"k{number}"))

    assert [inbox.known(LABELS, f"k{number}", now_ms=0) is not None for number in range(5)] == [False] * 2 + [True] * 3
    assert inbox.append(LABELS, b"x", received_ms=0, keyed=keyed("k0")) == 6


def test_keys_are_bounded_in_time(database) -> None:
    """After that a key is new again, whether or not its row has been removed."""
    inbox = SqliteInbox(database, keep_keys_ms=100)
    inbox.append(LABELS, b"x", received_ms=0, keyed=keyed("k"))
    assert inbox.known(LABELS, "k", now_ms=99) is not None
    assert inbox.known(LABELS, "k", now_ms=100) is None
    inbox.append(LABELS, b"y", received_ms=100, keyed=keyed("k", at_ms=100))
    inbox.append(LABELS, b"z", received_ms=300, keyed=keyed("other", at_ms=300))

    with inbox._link.reading() as connection:
        assert connection.execute("SELECT key FROM receipts").fetchall() == [("other",)]


def test_one_of_many_at_the_same_moment_is_stored(database) -> None:
    """Whether they share a transaction or not."""
    inbox = SqliteInbox(database)
    told: list[object] = []

    def post() -> None:
        try:
            told.append(inbox.append(LABELS, b"x", received_ms=0, keyed=keyed("k")))
        except Repeated as repeated:
            told.append(repeated.first)

    threads = [threading.Thread(target=post) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(map(str, told)) == sorted(["1"] + [str(keyed("k"))] * 11)
    assert len(inbox.read(LABELS, 0, limit=99)) == 1


def test_a_full_disk_stores_neither_body_nor_key(database) -> None:
    """One transaction: what failed can be sent again under its key, once there is room."""
    inbox = SqliteInbox(database)
    with inbox._link.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StateError, match="full"):
        inbox.append(LABELS, bytes(100_000), received_ms=0, keyed=keyed("k"))
    assert inbox.known(LABELS, "k", now_ms=0) is None
    with inbox._link.reading() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")

    assert inbox.append(LABELS, bytes(100_000), received_ms=0, keyed=keyed("k")) == 1


def test_an_answer_never_precedes_its_commit(database, monkeypatch) -> None:
    """Every append, alone or together with others, returns after a COMMIT that held its row; each COMMIT is fsynced."""
    inbox = SqliteInbox(database)
    with inbox._link.reading() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    lock, missing = threading.Lock(), []

    def post(producer: int) -> None:
        for number in range(10):
            sequence = inbox.append(LABELS, b"%d-%d" % (producer, number), received_ms=0)
            with lock:  # another connection sees committed rows only
                row = other.execute("SELECT body FROM inbox WHERE sequence = ?", (sequence,)).fetchone()
            if row != (b"%d-%d" % (producer, number),):
                missing.append(sequence)

    other = sqlite3.connect(database.directory / "driftwatch.db", check_same_thread=False)
    threads = [threading.Thread(target=post, args=(producer,)) for producer in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    other.close()

    assert missing == []
