"""Letters on their way: saved with the state that decided them, kept until they are delivered or dead."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from driftwatch.ports.letters import Letter
from driftwatch.store.database import Database
from driftwatch.store.seal import row_crc
from driftwatch.store.tables import CHECKED


class LetterState(StrEnum):
    """Where a letter stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    HELD = "held"
    """A policy has it wait."""
    DROPPED = "dropped"
    """It will not be sent: rejected, too late, or overtaken by the end of its alerts."""


_COLUMNS = ", ".join(CHECKED["letters"])

_DUE = """
SELECT id, target, alert_id, lane, type, body, created_ms, attempts, next_ms, state, last_result, key, incident,
  hold, release_ms, expires_ms, repeats, alerts FROM letters
WHERE sequence IN (SELECT MIN(sequence) FROM letters WHERE target = :target AND state = 'pending' GROUP BY lane)
  AND next_ms <= :now
ORDER BY next_ms, sequence LIMIT :limit
"""

_PENDING = """
SELECT target, SUM(state = 'pending'), SUM(state = 'dead'), COALESCE(MIN(IIF(state = 'pending', created_ms, NULL)), 0)
FROM letters WHERE state IN ('pending', 'dead') GROUP BY target
"""

_ATTEMPTED = """
UPDATE letters SET attempts = attempts + 1, state = ?, next_ms = ?, finished_ms = ?, last_result = ?
WHERE id = ? AND state = 'pending'
"""


class SqliteOutbox:
    """The Outbox on one SQLite file."""

    def __init__(self, database: Database) -> None:
        self._link = database.connect()

    def due(self, target: str, now_ms: int, *, limit: int) -> list[Letter]:
        """Give the target's pending letters whose time has come, at most `limit`; per lane only the oldest."""
        with self._link.reading() as connection:
            rows = connection.execute(_DUE, {"target": target, "now": now_ms, "limit": limit}).fetchall()
        return [_letter(row) for row in rows]

    def delivered(self, letter: Letter, *, now_ms: int, result: str) -> None:
        """Note that the target took it."""
        self._attempted(letter, LetterState.DELIVERED, next_ms=letter.next_ms, finished_ms=now_ms, result=result)

    def retry(self, letter: Letter, *, next_ms: int, result: str) -> None:
        """Note that it failed and will be tried again at `next_ms`."""
        self._attempted(letter, LetterState.PENDING, next_ms=next_ms, finished_ms=None, result=result)

    def bury(self, letter: Letter, *, now_ms: int, result: str) -> None:
        """Note that it failed for good: a dead letter, after which the lane's next letter is due."""
        self._attempted(letter, LetterState.DEAD, next_ms=letter.next_ms, finished_ms=now_ms, result=result)

    def pending(self) -> Mapping[str, tuple[int, int, int]]:
        """Count by target: letters pending, letters dead, and creation time of the oldest pending one (0: none)."""
        with self._link.reading() as connection:
            return {target: (waiting, dead, oldest) for target, waiting, dead, oldest in connection.execute(_PENDING)}

    def last_sent_ms(self, target: str, key: str) -> int | None:
        """Say when a letter with this key was last created for the target; None when there was none."""
        with self._link.reading() as connection:
            row = connection.execute(
                "SELECT MAX(created_ms) FROM letters WHERE target = ? AND key = ?", (target, key)
            ).fetchone()
        latest: int | None = row[0]
        return latest

    def _attempted(
        self, letter: Letter, state: LetterState, *, next_ms: int, finished_ms: int | None, result: str
    ) -> None:
        with self._link.writing() as connection:
            connection.execute(_ATTEMPTED, (state, next_ms, finished_ms, result, letter.id))
            _reseal(connection, letter.id)


def insert_letters(connection: sqlite3.Connection, letters: Iterable[Letter]) -> None:
    """Add letters to the open transaction; one whose webhook id is known already is ignored."""
    places = ", ".join("?" for _ in CHECKED["letters"])
    connection.executemany(
        f"INSERT OR IGNORE INTO letters ({_COLUMNS}, crc) VALUES ({places}, ?)",  # noqa: S608 - constants
        [(*values, row_crc(*values)) for values in map(_values, letters)],
    )


def _letter(row: Sequence[Any]) -> Letter:
    return replace(Letter(*row[:-1]), alerts=tuple(json.loads(row[-1])))


def _values(letter: Letter) -> tuple[str | bytes | int | None, ...]:
    """A new letter's values, in the order of CHECKED."""
    return (
        letter.id, letter.target, letter.alert_id, letter.lane, letter.type, letter.key, letter.created_ms,
        letter.attempts, letter.next_ms, str(letter.state), letter.last_result, None,
        letter.incident, json.dumps(letter.alerts), letter.hold, letter.release_ms, letter.expires_ms, letter.repeats,
        letter.body,
    )  # fmt: skip


def _reseal(connection: sqlite3.Connection, name: str) -> None:
    """Write the checksum of a letter as it now is."""
    for values in connection.execute(f"SELECT {_COLUMNS} FROM letters WHERE id = ?", (name,)).fetchall():  # noqa: S608 - constants
        connection.execute("UPDATE letters SET crc = ? WHERE id = ?", (row_crc(*values), name))
