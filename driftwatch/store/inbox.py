"""The durable queue behind HTTP ingest: an accepted body is on the disk before the producer hears "200"."""

import threading
from dataclasses import dataclass

from driftwatch.errors import StateError
from driftwatch.ports import Busy, InboxRow
from driftwatch.store.database import Database
from driftwatch.stream.raw import Stream

_RETRY_AFTER_SECONDS = 5
_READ_BYTES = 4 << 20
_READ = "SELECT sequence, received_ms, body FROM inbox WHERE stream = ? AND sequence > ? ORDER BY sequence LIMIT ?"


@dataclass(slots=True)
class _Entry:
    """A body on its way in: `sequence` is 0 until it is durable, `failure` says why it never will be."""

    stream: Stream
    body: bytes
    received_ms: int
    sequence: int = 0
    failure: str = ""


class SqliteInbox:
    """The Inbox on one SQLite file, at most `max_bytes` of bodies.

    Callers that come while another one's commit is under way are committed together by whoever is next, so many
    producers share one fsync.
    """

    def __init__(self, database: Database, *, max_bytes: int = 1 << 30) -> None:
        self._link = database.connect()
        self._max_bytes = max_bytes
        self._arrived = threading.Condition()
        self._committing = threading.Lock()
        self._queued: list[_Entry] = []
        with self._link.reading() as connection:
            self._bytes: int = connection.execute("SELECT COALESCE(SUM(LENGTH(body)), 0) FROM inbox").fetchone()[0]
            newest = connection.execute("SELECT stream, MAX(sequence) FROM inbox GROUP BY stream").fetchall()
        self._newest = {Stream(stream): sequence for stream, sequence in newest}

    def append(self, stream: Stream, body: bytes, *, received_ms: int) -> int:
        """Store a body and return its sequence number; durable when this returns.

        Raises Busy when the inbox is full, StateError when the disk refuses; in both cases nothing was stored.
        """
        entry = _Entry(stream, body, received_ms)
        with self._arrived:
            if self._bytes + len(body) > self._max_bytes:
                raise Busy(_RETRY_AFTER_SECONDS)
            self._bytes += len(body)
            self._queued.append(entry)
        with self._committing:
            if not (entry.sequence or entry.failure):
                self._commit()
        if entry.failure:
            raise StateError(entry.failure)
        return entry.sequence

    def read(self, stream: Stream, after: int, *, limit: int) -> list[InboxRow]:
        """Give the stream's rows with a greater sequence number, in order: at most `limit`, none after 4 MiB."""
        rows: list[InboxRow] = []
        size = 0
        with self._link.reading() as connection:
            for sequence, received_ms, body in connection.execute(_READ, (stream, after, limit)):
                rows.append(InboxRow(sequence, stream, received_ms, body))
                size += len(body)
                if size >= _READ_BYTES:
                    break
        return rows

    def wait(self, stream: Stream, after: int, *, timeout_seconds: float) -> bool:
        """Wait until the stream has a row with a greater sequence number; False after the time-out."""
        with self._arrived:
            return bool(self._arrived.wait_for(lambda: self._newest.get(stream, 0) > after, timeout_seconds))

    def drop(self, stream: Stream, through: int) -> None:
        """Forget the stream's rows up to and including this sequence number."""
        rows = (stream, through)
        with self._link.writing() as connection:
            (freed,) = connection.execute(
                "SELECT COALESCE(SUM(LENGTH(body)), 0) FROM inbox WHERE stream = ? AND sequence <= ?", rows
            ).fetchone()
            connection.execute("DELETE FROM inbox WHERE stream = ? AND sequence <= ?", rows)
        with self._arrived:
            self._bytes -= freed

    def _commit(self) -> None:
        with self._arrived:
            batch, self._queued = self._queued, []
        try:
            sequences = self._insert(batch)
        except BaseException as error:
            with self._arrived:
                self._bytes -= sum(len(entry.body) for entry in batch)
            for entry in batch:
                entry.failure = str(error) or type(error).__name__
            raise
        with self._arrived:
            for entry, sequence in zip(batch, sequences, strict=True):
                entry.sequence = sequence
                self._newest[entry.stream] = sequence
            self._arrived.notify_all()

    def _insert(self, batch: list[_Entry]) -> list[int]:
        statement = "INSERT INTO inbox (stream, received_ms, body) VALUES (?, ?, ?) RETURNING sequence"
        with self._link.writing() as connection:
            return [
                connection.execute(statement, (entry.stream, entry.received_ms, entry.body)).fetchone()[0]
                for entry in batch
            ]
