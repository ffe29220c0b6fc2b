"""The dead-letter store: listed by reason, kept within bounds, replayed through the inbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from driftwatch.ports.storage import Rejected
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.inbox import SqliteInbox
from driftwatch.store.rejected import DeadLetterBounds, DeadLetters
from driftwatch.stream.raw import Stream
from driftwatch.stream.reject import Reject
from tests.store.examples import checkpoint


def refused(place: int, reason: Reject = Reject.BAD_TIME, *, payload: bytes | None = None, stream=Stream.LABELS):
    """An event that was refused, received at its place in ms."""
    size = len(payload or b"")
    return Rejected(stream, "kafka", "kafka/l/0", place, reason, place=place, size_bytes=size, payload=payload)


class Directory:
    """A state directory through three doors."""

    def __init__(self, path: Path, bounds: DeadLetterBounds) -> None:
        self.database = Database(path)
        self.store = SqliteStore(self.database, bounds)
        self.inbox = SqliteInbox(self.database)
        self.letters = DeadLetters(self.database)

    def keep(self, *events: Rejected) -> None:
        self.store.save(checkpoint(rejected=events))


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    opened = Directory(tmp_path, DeadLetterBounds(max_events=4, max_bytes=10))
    yield opened
    opened.database.close()


def test_counted_by_reason_and_listed_newest_first(directory: Directory) -> None:
    """With where, when and how large; the bytes are told of, not shown."""
    directory.keep(refused(1), refused(2, Reject.NOT_JSON, payload=b"[x"), refused(3, payload=b"{}"))

    counts = directory.letters.counts()
    assert {reason: (tally.listed, tally.kept, tally.size) for reason, tally in counts.items()} == {
        "bad_time": (2, 1, 2), "not_json": (1, 1, 2),
    }  # fmt: skip
    listed = directory.letters.listing()
    assert [(letter.place, letter.reason, letter.size, letter.kept) for letter in listed] == [
        (3, "bad_time", 2, True), (2, "not_json", 2, True), (1, "bad_time", 0, False),
    ]  # fmt: skip
    assert [letter.place for letter in directory.letters.listing(reason="bad_time", limit=1)] == [3]
    assert [letter.place for letter in directory.letters.listing(before=listed[1].sequence)] == [1]
    assert directory.letters.listing(stream="predictions") == []


def test_the_oldest_go_first(directory: Directory) -> None:
    """Beyond the count an event is forgotten, beyond the bytes it keeps its line; both are counted."""
    directory.keep(*(refused(place, payload=b"1234") for place in range(4)))
    assert [letter.kept for letter in directory.letters.listing()] == [True, True, False, False]
    assert directory.store.dead_letters_forgotten == 2

    directory.keep(refused(4))
    assert [letter.place for letter in directory.letters.listing()] == [4, 3, 2, 1]
    assert directory.store.dead_letters_forgotten == 3


def test_an_event_as_large_as_the_bound_is_kept(directory: Directory) -> None:
    """The bound belongs to the allowed side."""
    directory.keep(refused(0, payload=b"x" * 10))
    directory.keep(refused(1, Reject.NOT_JSON, payload=b"x" * 11))

    assert [(letter.place, letter.kept) for letter in directory.letters.listing()] == [(1, False), (0, False)]


def test_a_replay_moves_events_into_the_inbox(directory: Directory) -> None:
    """In their order, under their stream, at the time of their first receipt; what was not kept stays."""
    directory.keep(refused(1, payload=b"a"), refused(2), refused(3, Reject.NOT_JSON, payload=b"b"))
    directory.keep(refused(4, payload=b"c", stream=Stream.PREDICTIONS))

    assert directory.letters.replay(now_ms=99, reason="bad_time") == 2
    labels = directory.inbox.read(Stream.LABELS, 0, limit=9)
    predictions = directory.inbox.read(Stream.PREDICTIONS, 0, limit=9)
    assert [(row.received_ms, row.body) for row in labels + predictions] == [(1, b"a"), (4, b"c")]
    assert [letter.place for letter in directory.letters.listing()] == [3, 2]
    assert directory.letters.replay(now_ms=99, reason="bad_time") == 0


def test_an_event_from_the_future_is_judged_anew(directory: Directory) -> None:
    """At its first receipt it would be from the future for ever."""
    directory.keep(refused(1, Reject.FUTURE, payload=b"a"))
    directory.letters.replay(now_ms=99)

    assert [row.received_ms for row in directory.inbox.read(Stream.LABELS, 0, limit=9)] == [99]


def test_purge_forgets(directory: Directory) -> None:
    """By reason, or everything."""
    directory.keep(refused(1, payload=b"a"), refused(2, Reject.NOT_JSON))

    assert directory.letters.purge(reason="not_json") == 1
    assert directory.letters.purge() == 1
    assert directory.letters.counts() == {}
