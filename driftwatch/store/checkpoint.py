"""Saving and loading: everything that a moment decided, in one transaction (design D5)."""

import sqlite3
import zlib
from pathlib import Path

from driftwatch.errors import StateError
from driftwatch.failpoints import Point, reached
from driftwatch.ports.storage import Checkpoint, Saved
from driftwatch.store.database import FILE, Database
from driftwatch.store.history import insert_reports, record_transition
from driftwatch.store.incidents import open_incidents, save_incidents
from driftwatch.store.integrity import refusal
from driftwatch.store.letter_rows import insert_letters
from driftwatch.store.migration import seal_of
from driftwatch.store.rejected import DeadLetterBounds, keep_rejected
from driftwatch.store.seal import Row, Seal

_PRUNE = (
    "DELETE FROM reports WHERE saved_ms < :before",
    """DELETE FROM transitions WHERE alert_id IN
       (SELECT alert_id FROM alerts WHERE saved_ms < :before AND state IN ('resolved', 'inactive'))""",
    "DELETE FROM alerts WHERE saved_ms < :before AND state IN ('resolved', 'inactive')",
    # What told of an alert that still fires is kept: it may be repeated, and its end is told to whoever heard of it.
    """DELETE FROM letters WHERE finished_ms < :before AND NOT EXISTS
       (SELECT 1 FROM json_each(letters.alerts) JOIN alerts ON alert_id = value WHERE alerts.state = 'firing')""",
    "DELETE FROM silences WHERE ends_ms < :before",
    "DELETE FROM acknowledgements WHERE alert_id NOT IN (SELECT alert_id FROM alerts)",
    "DELETE FROM incidents WHERE saved_ms < :before AND open = 0",
    "DELETE FROM rejected WHERE received_ms < :before",
)


class SqliteStore:
    """The Store on one SQLite file."""

    def __init__(self, database: Database, dead_letters: DeadLetterBounds | None = None) -> None:
        self._dead_letters = dead_letters or DeadLetterBounds()
        self.dead_letters_forgotten = 0
        self._file = database.directory / FILE
        self._database = database
        self._link = database.connect()
        self._seal: Seal | None = None

    def load(self) -> Saved:
        """Give the last checkpoint; empty at the first start. Raises StateError when a checksum does not fit."""
        with self._link.reading() as connection:
            saved, self._seal = read_saved(connection, self._file)
        return saved

    def save(self, checkpoint: Checkpoint) -> None:
        """Save all of it or nothing; durable when this returns.

        What a replay made again is ignored: letters by their webhook id, transitions by their identity, reports of a
        lower revision. Raises StateError, after which the same checkpoint may be tried again.
        """
        documents = [zlib.compress(report.line(), 1) for report in checkpoint.reports]
        with self._link.writing() as connection:
            seal = (self._seal or seal_of(connection)).copy()
            seal.update(_save_state(connection, checkpoint))
            connection.execute("UPDATE ledger SET seal = ?", (seal.digest,))
            reached(Point.HALF_WRITTEN)
            insert_reports(connection, checkpoint.reports, documents=documents, saved_ms=checkpoint.taken_ms)
            for transition in checkpoint.transitions:
                record_transition(connection, transition, saved_ms=checkpoint.taken_ms)
            insert_letters(connection, checkpoint.letters)
            save_incidents(connection, checkpoint.incidents, saved_ms=checkpoint.taken_ms)
            gone = keep_rejected(connection, checkpoint.rejected, self._dead_letters)
            reached(Point.BEFORE_COMMIT)
        self._seal = seal
        self.dead_letters_forgotten += gone

    def prune(self, *, before_ms: int) -> int:
        """Forget history saved before that time (wall clock); how many rows went.

        Alerts that are pending or firing stay, and so do letters that are still to be delivered.
        """
        with self._link.writing() as connection:
            return sum(connection.execute(statement, {"before": before_ms}).rowcount for statement in _PRUNE)

    def close(self) -> None:
        """Release the directory, for every role."""
        self._database.close()


def read_saved(connection: sqlite3.Connection, file: Path) -> tuple[Saved, Seal]:
    """Read a checkpoint in the open transaction, with its seal; StateError when anything is changed, gone or extra."""
    engine = connection.execute("SELECT state, crc FROM engine").fetchone()
    monitors = connection.execute("SELECT model, state, crc FROM monitors").fetchall()
    stored = connection.execute("SELECT model, key, state, crc FROM panes ORDER BY model, key").fetchall()
    positions = dict(connection.execute("SELECT partition, position FROM positions").fetchall())
    for name, state, crc in (
        *(("the engine", *row) for row in ([engine] if engine else [])),
        *((f"model {model}", state, crc) for model, state, crc in monitors),
        *((f"pane {key} of model {model}", state, crc) for model, key, state, crc in stored),
    ):
        if not isinstance(state, bytes) or zlib.crc32(state) != crc:
            raise StateError(refusal(file, f"{name} does not fit its checksum"))
    seal = seal_of(connection)
    (written,) = connection.execute("SELECT seal FROM ledger").fetchone() or (None,)
    if seal.digest != written:
        raise StateError(refusal(file, "positions, models and panes are not those that were saved together"))
    panes: dict[str, dict[str, bytes]] = {}
    for model, key, state, _ in stored:
        panes.setdefault(model, {})[key] = state
    core = {model: state for model, state, _ in monitors}
    saved = Saved(
        positions=positions, monitors=core, panes=panes, engine=engine[0] if engine else b"",
        incidents=tuple(open_incidents(connection, file)),
    )  # fmt: skip
    return saved, seal


def _save_state(connection: sqlite3.Connection, checkpoint: Checkpoint) -> list[tuple[Row, int | None]]:
    """Write what changed, and give the rows under the seal as they now are."""
    engine_crc = zlib.crc32(checkpoint.engine)
    monitors = [(model, state, zlib.crc32(state)) for model, state in checkpoint.monitors.items()]
    changes = [(model, key, state) for model, panes in checkpoint.panes.items() for key, state in panes.items()]
    kept = [(model, key, state, zlib.crc32(state)) for model, key, state in changes if state is not None]
    gone = [(model, key) for model, key, state in changes if state is None]
    connection.execute(
        "INSERT OR REPLACE INTO engine (only, taken_ms, state, crc) VALUES (1, ?, ?, ?)",
        (checkpoint.taken_ms, checkpoint.engine, engine_crc),
    )
    connection.executemany("INSERT OR REPLACE INTO positions VALUES (?, ?)", checkpoint.positions.items())
    connection.executemany("INSERT OR REPLACE INTO monitors (model, state, crc) VALUES (?, ?, ?)", monitors)
    connection.executemany("INSERT OR REPLACE INTO panes (model, key, state, crc) VALUES (?, ?, ?, ?)", kept)
    connection.executemany("DELETE FROM panes WHERE model = ? AND key = ?", gone)
    return [
        (("engine", "", ""), engine_crc),
        *((("positions", "", partition), position) for partition, position in checkpoint.positions.items()),
        *((("monitors", model, ""), crc) for model, _, crc in monitors),
        *((("panes", model, key), crc) for model, key, _, crc in kept),
        *((("panes", model, key), None) for model, key in gone),
    ]
