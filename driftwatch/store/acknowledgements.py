"""Acknowledgements: somebody has seen an alert and takes care of it, so it is not told again and again."""

import sqlite3

from driftwatch.evaluation.alerts import State
from driftwatch.ports.operations import Acknowledgement, Refused, Word
from driftwatch.store.database import Database
from driftwatch.store.seal import row_crc

_WRITE = (
    "INSERT INTO acknowledgements (alert_id, author, comment, at_ms, crc) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (alert_id) DO UPDATE SET author = excluded.author, comment = excluded.comment,"
    " at_ms = excluded.at_ms, crc = excluded.crc"
)


class SqliteAcknowledgements:
    """The Acknowledgements on one SQLite file."""

    def __init__(self, database: Database) -> None:
        self._link = database.connect()

    def acknowledge(self, alert: str, word: Word, *, now_ms: int) -> Acknowledgement | Refused:
        """Note who has seen an alert, in place of who had before; refused when it is not known or has ended.

        The same word again changes nothing. Durable when this returns.
        """
        with self._link.writing() as connection:
            state = alert_state(connection, alert)
            if state is None:
                return Refused.UNKNOWN
            if state in {State.RESOLVED, State.INACTIVE}:
                return Refused.ENDED
            known = _read(connection, alert)
            if known is not None and known.word == word:
                return known
            values = (alert, word.author, word.comment, now_ms)
            connection.execute(_WRITE, (*values, row_crc(*values)))
            return Acknowledgement(word, now_ms)


def alert_state(connection: sqlite3.Connection, alert: str) -> str | None:
    """Give the state of an alert; None when it is not known."""
    row = connection.execute("SELECT state FROM alerts WHERE alert_id = ?", (alert,)).fetchone()
    return None if row is None else str(row[0])


def _read(connection: sqlite3.Connection, alert: str) -> Acknowledgement | None:
    row = connection.execute(
        "SELECT author, comment, at_ms FROM acknowledgements WHERE alert_id = ?", (alert,)
    ).fetchone()
    return None if row is None else Acknowledgement(Word(row[0], row[1]), row[2])
