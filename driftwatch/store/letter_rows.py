"""Rows of the letters' table: how a letter is written, read and changed, with its checksum."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from driftwatch.ports.letters import Letter
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
    """It will not be sent: not wanted, rejected, too late, or overtaken by the end of its alerts."""


FIELDS = (
    "letters.id, letters.target, letters.alert_id, letters.lane, letters.type, letters.body, letters.created_ms,"
    " letters.attempts, letters.next_ms, letters.state, letters.last_result, letters.key, letters.incident,"
    " letters.hold, letters.release_ms, letters.expires_ms, letters.repeats, letters.alerts"
)
"""What a letter is read from, in order."""
WITHOUT_BODY = FIELDS.replace("letters.body", "x''")

_COLUMNS = ", ".join(CHECKED["letters"])
_CHANGED = """
UPDATE letters SET attempts = ?, next_ms = ?, state = ?, last_result = ?, hold = ?, release_ms = ?, expires_ms = ?,
  repeats = ?, finished_ms = IIF(?, finished_ms, ?)
WHERE id = ? AND state = ? AND hold = ? AND repeats = ? AND attempts = ?
"""


def letter_in(row: Sequence[Any]) -> Letter:
    """Read a letter from the values of FIELDS."""
    return replace(Letter(*row[:-1]), alerts=tuple(json.loads(row[-1])))


def insert_letters(connection: sqlite3.Connection, letters: Iterable[Letter]) -> None:
    """Add letters to the open transaction; one whose webhook id is known already is ignored."""
    places = ", ".join("?" for _ in CHECKED["letters"])
    connection.executemany(
        f"INSERT OR IGNORE INTO letters ({_COLUMNS}, crc) VALUES ({places}, ?)",  # noqa: S608 - constants
        [(*values, row_crc(*values)) for values in map(_values, letters)],
    )


def change(connection: sqlite3.Connection, letter: Letter, new: Letter, *, now_ms: int) -> bool:
    """Make a letter the new one, if it is still as it was; whether it was. It is finished when it is dropped."""
    pending = new.state == LetterState.PENDING
    finished = now_ms if new.state == LetterState.DROPPED else None
    done = connection.execute(
        _CHANGED,
        (
            new.attempts, new.next_ms, str(new.state), new.last_result, str(new.hold), new.release_ms, new.expires_ms,
            new.repeats, not pending and finished is None, finished,
            letter.id, letter.state, letter.hold, letter.repeats, letter.attempts,
        ),
    ).rowcount  # fmt: skip
    if done:
        reseal(connection, letter.id)
    return bool(done)


def reseal(connection: sqlite3.Connection, name: str) -> None:
    """Write the checksum of a letter as it now is."""
    for values in connection.execute(f"SELECT {_COLUMNS} FROM letters WHERE id = ?", (name,)).fetchall():  # noqa: S608 - constants
        connection.execute("UPDATE letters SET crc = ? WHERE id = ?", (row_crc(*values), name))


def _values(letter: Letter) -> tuple[str | bytes | int | None, ...]:
    """A new letter's values, in the order of CHECKED."""
    finished_ms = letter.created_ms if letter.state == LetterState.DROPPED else None
    return (
        letter.id, letter.target, letter.alert_id, letter.lane, letter.type, letter.key, letter.created_ms,
        letter.attempts, letter.next_ms, str(letter.state), letter.last_result, finished_ms,
        letter.incident, json.dumps(letter.alerts), str(letter.hold), letter.release_ms, letter.expires_ms,
        letter.repeats, letter.body,
    )  # fmt: skip
