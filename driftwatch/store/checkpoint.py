"""Saving and loading: everything that a moment decided, in one transaction (design D5)."""

import sqlite3
import zlib
from collections.abc import Iterable

from driftwatch.errors import StateError
from driftwatch.ports import Checkpoint, Rejected, Saved
from driftwatch.store.database import Database
from driftwatch.store.history import insert_reports, record_transition
from driftwatch.store.outbox import insert_letters

_REJECTED_KEPT = 100_000
"""The dead-letter store keeps so many events; a broken producer must not fill the disk."""

_PRUNE = (
    "DELETE FROM reports WHERE saved_ms < :before",
    """DELETE FROM transitions WHERE alert_id IN
       (SELECT alert_id FROM alerts WHERE saved_ms < :before AND state IN ('resolved', 'inactive'))""",
    "DELETE FROM alerts WHERE saved_ms < :before AND state IN ('resolved', 'inactive')",
    "DELETE FROM letters WHERE finished_ms < :before",
    "DELETE FROM rejected WHERE received_ms < :before",
)


class SqliteStore:
    """The Store on one SQLite file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._link = database.connect()

    def load(self) -> Saved:
        """Give the last checkpoint; empty at the first start. Raises StateError when a checksum does not fit."""
        with self._link.reading() as connection:
            engine = connection.execute("SELECT state, crc FROM engine").fetchone()
            monitors = connection.execute("SELECT model, state, crc FROM monitors").fetchall()
            stored = connection.execute("SELECT model, key, state, crc FROM panes ORDER BY model, key").fetchall()
            positions = dict(connection.execute("SELECT partition, position FROM positions").fetchall())
        panes: dict[str, dict[str, bytes]] = {}
        for model, key, state, crc in stored:
            panes.setdefault(model, {})[key] = self._checked(state, crc, what=f"pane {key} of model {model}")
        return Saved(
            positions=positions,
            monitors={model: self._checked(state, crc, what=f"model {model}") for model, state, crc in monitors},
            panes=panes,
            engine=self._checked(*engine, what="the engine") if engine else b"",
        )

    def save(self, checkpoint: Checkpoint) -> None:
        """Save all of it or nothing; durable when this returns.

        What a replay made again is ignored: letters by their webhook id, transitions by their identity, reports of a
        lower revision. Raises StateError, after which the same checkpoint may be tried again.
        """
        documents = [zlib.compress(report.line(), 1) for report in checkpoint.reports]
        with self._link.writing() as connection:
            _save_state(connection, checkpoint)
            insert_reports(connection, checkpoint.reports, documents=documents, saved_ms=checkpoint.taken_ms)
            for transition in checkpoint.transitions:
                record_transition(connection, transition, saved_ms=checkpoint.taken_ms)
            insert_letters(connection, checkpoint.letters)
            _keep_rejected(connection, checkpoint.rejected)

    def prune(self, *, before_ms: int) -> int:
        """Forget history saved before that time (wall clock); how many rows went.

        Alerts that are pending or firing stay, and so do letters that are still to be delivered.
        """
        with self._link.writing() as connection:
            return sum(connection.execute(statement, {"before": before_ms}).rowcount for statement in _PRUNE)

    def close(self) -> None:
        """Release the directory, for every role."""
        self._database.close()

    def _checked(self, state: bytes, crc: int, *, what: str) -> bytes:
        if zlib.crc32(state) != crc:
            raise StateError(
                f"{self._database.directory}: the stored state of {what} is damaged; restore a backup of the directory"
            )
        return state


def _save_state(connection: sqlite3.Connection, checkpoint: Checkpoint) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO engine (only, taken_ms, state, crc) VALUES (1, ?, ?, ?)",
        (checkpoint.taken_ms, checkpoint.engine, zlib.crc32(checkpoint.engine)),
    )
    connection.executemany("INSERT OR REPLACE INTO positions VALUES (?, ?)", checkpoint.positions.items())
    connection.executemany(
        "INSERT OR REPLACE INTO monitors (model, state, crc) VALUES (?, ?, ?)",
        [(model, state, zlib.crc32(state)) for model, state in checkpoint.monitors.items()],
    )
    changes = [(model, key, state) for model, panes in checkpoint.panes.items() for key, state in panes.items()]
    connection.executemany(
        "INSERT OR REPLACE INTO panes (model, key, state, crc) VALUES (?, ?, ?, ?)",
        [(model, key, state, zlib.crc32(state)) for model, key, state in changes if state is not None],
    )
    connection.executemany(
        "DELETE FROM panes WHERE model = ? AND key = ?",
        [(model, key) for model, key, state in changes if state is None],
    )


def _keep_rejected(connection: sqlite3.Connection, rejected: Iterable[Rejected]) -> None:
    connection.executemany(
        "INSERT INTO rejected (stream, source, partition, received_ms, reason) VALUES (?, ?, ?, ?, ?)",
        [(event.stream, event.source, event.partition, event.received_ms, event.reason) for event in rejected],
    )
    connection.execute(
        "DELETE FROM rejected WHERE sequence <= (SELECT MAX(sequence) FROM rejected) - ?", (_REJECTED_KEPT,)
    )
