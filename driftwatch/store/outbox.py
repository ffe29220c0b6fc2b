"""Letters on their way: saved with the state that decided them, kept until they are delivered or dead."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace

from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.policies import PolicySpec
from driftwatch.ports.letters import Letter
from driftwatch.store.database import Database
from driftwatch.store.examination import Examination, asked, told
from driftwatch.store.letter_rows import FIELDS, LetterState, change, letter_in, reseal

_DUE = f"""
SELECT {FIELDS} FROM letters
WHERE sequence IN (SELECT MIN(sequence) FROM letters WHERE target = :target AND state = 'pending' GROUP BY lane)
  AND next_ms <= :now
ORDER BY next_ms, sequence LIMIT :limit
"""  # noqa: S608 - constants

_FIRING = """
SELECT value FROM json_each(:alerts) JOIN alerts ON alert_id = value WHERE state = 'firing' ORDER BY json_each.id
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
        """Give the target's pending letters whose time has come, at most `limit`; per lane only the oldest.

        `alerts` of one that is repeated are those that still fire.
        """
        with self._link.reading() as connection:
            rows = connection.execute(_DUE, {"target": target, "now": now_ms, "limit": limit}).fetchall()
            return [_as_of_now(connection, letter_in(row)) for row in rows]

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

    def asked(self, target: str, key: str) -> Sequence[Letter]:
        """Give the latest letters with this key, the newest first, without their bodies."""
        with self._link.reading() as connection:
            return asked(connection, target, key)

    def told(self, target: str, lane: str, alerts: Sequence[str]) -> Sequence[Letter]:
        """Give the letters of a lane that tell of one of these alerts, but not of its end, without their bodies."""
        with self._link.reading() as connection:
            return told(connection, target, lane, alerts=alerts)

    def examine(self, policies: Mapping[str, PolicySpec], *, now_ms: int) -> Sequence[Letter]:
        """Look at letters that wait and at notices that may be repeated; gives those that changed, as they now are.

        One that somebody has decided upon meanwhile stays as that left it.
        """
        with self._link.reading() as connection:
            changes = Examination(connection, policies, now_ms=now_ms).changes()
        if not changes:
            return ()
        with self._link.writing() as connection:
            return [after for before, after in changes if change(connection, before, after, now_ms=now_ms)]

    def first_delivered_ms(self, incident: str) -> int | None:
        """Say when the first request of an incident was delivered; None while none has been."""
        with self._link.reading() as connection:
            row = connection.execute(
                "SELECT MIN(finished_ms) FROM letters WHERE incident = ? AND state = 'delivered' AND type = ?",
                (incident, EventType.RETRAIN),
            ).fetchone()
        first: int | None = row[0]
        return first

    def _attempted(
        self, letter: Letter, state: LetterState, *, next_ms: int, finished_ms: int | None, result: str
    ) -> None:
        with self._link.writing() as connection:
            connection.execute(_ATTEMPTED, (state, next_ms, finished_ms, result, letter.id))
            reseal(connection, letter.id)


def _as_of_now(connection: sqlite3.Connection, letter: Letter) -> Letter:
    if not letter.repeats:
        return letter
    firing = connection.execute(_FIRING, {"alerts": json.dumps(letter.alerts)}).fetchall()
    return replace(letter, alerts=tuple(alert for (alert,) in firing))
