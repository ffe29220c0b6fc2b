"""The durable queue behind HTTP ingest: an accepted body is on the disk before the producer hears "200"."""

import sqlite3
import threading
from dataclasses import dataclass

from driftwatch.errors import StateError
from driftwatch.ports.answers import Busy
from driftwatch.ports.streams import InboxRow, Keyed, Repeated
from driftwatch.store.database import Database
from driftwatch.store.seal import row_crc
from driftwatch.stream.raw import Stream

_RETRY_AFTER_SECONDS = 5
_READ_BYTES = 4 << 20
_DAY_MS = 86_400_000
_KNOWN = "SELECT key, digest, received_ms FROM receipts WHERE stream = ? AND key = ? AND received_ms > ?"
_REMEMBER = "INSERT OR REPLACE INTO receipts (stream, key, digest, received_ms) VALUES (?, ?, ?, ?)"
_FORGET = "DELETE FROM receipts WHERE received_ms <= ? OR sequence <= (SELECT MAX(sequence) FROM receipts) - ?"
_STORE = "INSERT INTO inbox (stream, received_ms, body, crc) VALUES (?, ?, ?, ?) RETURNING sequence"
_READ = "SELECT sequence, received_ms, body FROM inbox WHERE stream = ? AND sequence > ? ORDER BY sequence LIMIT ?"


@dataclass(slots=True)
class _Entry:
    """A body on its way in: `sequence` is 0 until it is durable, `failure` says why it never will be.

    repeated: what came under its key before, so that nothing was stored.
    """

    stream: Stream
    body: bytes
    received_ms: int
    keyed: Keyed | None = None
    sequence: int = 0
    failure: str = ""
    repeated: Keyed | None = None


class SqliteInbox:
    """The Inbox on one SQLite file, at most `max_bytes` of bodies, `max_keys` idempotency keys for `keep_keys_ms`.

    Callers that come while another one's commit is under way are committed together by whoever is next, so many
    producers share one fsync.
    """

    def __init__(
        self, database: Database, *, max_bytes: int = 1 << 30, max_keys: int = 100_000, keep_keys_ms: int = _DAY_MS
    ) -> None:
        self._link = database.connect()
        self._max_bytes, self._max_keys, self._keep_keys_ms = max_bytes, max_keys, keep_keys_ms
        self.keys_forgotten = 0
        self._arrived = threading.Condition()
        self._committing = threading.Lock()
        self._queued: list[_Entry] = []
        with self._link.reading() as connection:
            # Bodies are other people's data: what has been counted must not stay behind in free pages.
            connection.execute("PRAGMA secure_delete = ON")
            self._bytes: int = connection.execute("SELECT COALESCE(SUM(LENGTH(body)), 0) FROM inbox").fetchone()[0]
            newest = connection.execute("SELECT stream, MAX(sequence) FROM inbox GROUP BY stream").fetchall()
        self._newest = {Stream(stream): sequence for stream, sequence in newest}

    def append(self, stream: Stream, body: bytes, *, received_ms: int, keyed: Keyed | None = None) -> int:
        """Store a body and return its sequence number; durable when this returns.

        Raises Busy when the inbox is full, StateError when the disk refuses, Repeated when its key is known; in each
        case nothing was stored.
        """
        entry = _Entry(stream, body, received_ms, keyed)
        with self._arrived:
            self.admit(len(body))
            self._bytes += len(body)
            self._queued.append(entry)
        with self._committing:
            if not (entry.sequence or entry.failure or entry.repeated):
                self._commit()
        if entry.failure:
            raise StateError(entry.failure)
        if entry.repeated:
            raise Repeated(entry.repeated)
        return entry.sequence

    def admit(self, size_bytes: int) -> None:
        """Raise Busy when so large a body would find no room now."""
        if self._bytes + size_bytes > self._max_bytes:
            raise Busy(_RETRY_AFTER_SECONDS)

    def known(self, stream: Stream, key: str, *, now_ms: int) -> Keyed | None:
        """Give what came to the stream under this key, as long as that is remembered."""
        with self._link.reading() as connection:
            row = connection.execute(_KNOWN, (stream, key, now_ms - self._keep_keys_ms)).fetchone()
        return Keyed(*row) if row else None

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
            return bool(self._arrived.wait_for(lambda: self._newest.get(stream, -1) > after, timeout_seconds))

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
                if entry.repeated:
                    self._bytes -= len(entry.body)
                else:
                    self._newest[entry.stream] = sequence
            self._arrived.notify_all()

    def _insert(self, batch: list[_Entry]) -> list[int]:
        """Store the entries, each with its key; a sequence number for each, 0 where its key was known."""
        with self._link.writing() as connection:
            sequences = [self._insert_one(connection, entry) for entry in batch]
            newest_ms = max((entry.received_ms for entry in batch if entry.keyed), default=None)
            if newest_ms is not None:
                self.keys_forgotten += connection.execute(
                    _FORGET, (newest_ms - self._keep_keys_ms, self._max_keys)
                ).rowcount
        return sequences

    def _insert_one(self, connection: sqlite3.Connection, entry: _Entry) -> int:
        entry.repeated = None
        if entry.keyed is not None:
            since_ms = entry.received_ms - self._keep_keys_ms
            row = connection.execute(_KNOWN, (entry.stream, entry.keyed.key, since_ms)).fetchone()
            if row:
                entry.repeated = Keyed(*row)
                return 0
            keyed = entry.keyed
            connection.execute(_REMEMBER, (entry.stream, keyed.key, keyed.digest, keyed.received_ms))
        values = (entry.stream.value, entry.received_ms, entry.body)
        row = connection.execute(_STORE, (*values, row_crc(*values))).fetchone()
        sequence: int = row[0]
        return sequence
