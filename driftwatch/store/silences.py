"""Silences: written by people through the API, durable when they are answered; read whenever letters are written."""

import json
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from driftwatch.errors import DataError
from driftwatch.evaluation.policies import Withheld
from driftwatch.evaluation.silences import Matcher, Operator, Silence, SilenceState
from driftwatch.store.database import Database
from driftwatch.store.letter_rows import WITHOUT_BODY, change, letter_in
from driftwatch.store.seal import row_crc

_FIELDS = "silence_id, matchers, author, comment, starts_ms, ends_ms, created_ms"
_READ_UNEXPIRED = f"SELECT {_FIELDS} FROM silences WHERE ends_ms > ? ORDER BY sequence"  # noqa: S608 - constants
_READ_ONE = f"SELECT {_FIELDS} FROM silences WHERE silence_id = ?"  # noqa: S608 - constants
_READ_ALL = f"SELECT {_FIELDS} FROM silences ORDER BY sequence DESC LIMIT ?"  # noqa: S608 - constants
_WRITE = f"INSERT INTO silences ({_FIELDS}, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
_END = "UPDATE silences SET starts_ms = ?, ends_ms = ?, crc = ? WHERE silence_id = ?"
_WAITING = f"SELECT {WITHOUT_BODY} FROM letters WHERE state = 'held' AND hold = ?"  # noqa: S608 - constants
_MOST_LISTED, _MOST = 10_000, 1_000
"""Silences that are listed, and that may be there at one time: every alert is held against all of them."""


def unexpired(connection: sqlite3.Connection, *, now_ms: int) -> list[Silence]:
    """Give the silences that have not ended, in the order in which they were made."""
    return [_silence(row) for row in connection.execute(_READ_UNEXPIRED, (now_ms,))]


class SqliteSilences:
    """The Silences on one SQLite file."""

    def __init__(self, database: Database) -> None:
        self._link = database.connect()

    def unexpired(self, *, now_ms: int) -> Sequence[Silence]:
        """Give the silences that have not ended."""
        with self._link.reading() as connection:
            return unexpired(connection, now_ms=now_ms)

    def every(self) -> Sequence[Silence]:
        """Give all that are remembered, the newest first."""
        with self._link.reading() as connection:
            return [_silence(row) for row in connection.execute(_READ_ALL, (_MOST_LISTED,))]

    def add(self, silence: Silence) -> Silence:
        """Keep a new one, under a name of its own; durable when this returns. DataError when there are too many."""
        named = replace(silence, id=uuid.uuid4().hex)
        values = _values(named)
        with self._link.writing() as connection:
            if len(unexpired(connection, now_ms=silence.created_ms)) >= _MOST:
                raise DataError(f"there are {_MOST} silences that have not ended; expire some first")
            connection.execute(_WRITE, (*values, row_crc(*values)))
        return named

    def expire(self, name: str, *, now_ms: int) -> Silence | None:
        """End a silence now, and have what waits for its end looked at; None when there is no such one.

        One that has ended already stays as it is; one that has not begun never will.
        """
        with self._link.writing() as connection:
            row = connection.execute(_READ_ONE, (name,)).fetchone()
            if row is None:
                return None
            silence = _silence(row)
            if silence.state(now_ms) is SilenceState.EXPIRED:
                return silence
            ended = replace(silence, starts_ms=min(silence.starts_ms, now_ms), ends_ms=now_ms)
            values = _values(ended)
            connection.execute(_END, (ended.starts_ms, ended.ends_ms, row_crc(*values), name))
            _wake(connection, now_ms=now_ms)
            return ended


def _wake(connection: sqlite3.Connection, *, now_ms: int) -> None:
    """Have every letter that waits for the end of a silence examined at once."""
    for letter in map(letter_in, connection.execute(_WAITING, (Withheld.SILENCED,)).fetchall()):
        change(connection, letter, replace(letter, release_ms=min(letter.release_ms, now_ms)), now_ms=now_ms)


def _silence(row: Sequence[Any]) -> Silence:
    name, matchers, *rest = row
    read = tuple(Matcher(label, Operator(operator), value) for label, operator, value in json.loads(matchers))
    return Silence(name, read, *rest)


def _values(silence: Silence) -> tuple[str | int, ...]:
    """In the order of CHECKED."""
    matchers = json.dumps([(each.name, each.operator.value, each.value) for each in silence.matchers])
    return (
        silence.id, matchers, silence.author, silence.comment, silence.starts_ms, silence.ends_ms, silence.created_ms,
    )  # fmt: skip
