"""What is wrong with a stored state, in words; nothing is changed and nothing is guessed."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from driftwatch.store.migration import create, schema_of
from driftwatch.store.seal import MARK, row_crc
from driftwatch.store.tables import VERSION, checked_in
from driftwatch.stream.raw import Stream

HISTORY = frozenset({"reports", "rejected"})
"""Tables that only listings read: a start does not wait for their indexes to be checked, `state verify` does."""
RESTORE = "restore a backup of the directory (`driftwatch state backup` makes them), or use another [state] path"
_LINES = 20


def faults(
    connection: sqlite3.Connection, *, mark: int | None, thorough: bool, version: int = VERSION
) -> Iterator[str]:
    """Give what is wrong with a file of a version with checksums, the gravest first. mark: commits beside it.

    Without `thorough`, indexes of tables that only listings read are left out.
    """
    yield from pages(connection, thorough=thorough)
    yield from _declarations(connection, version)
    yield from _lost_commits(connection, mark)
    yield from _lost_sequence(connection)
    for table, columns in checked_in(version).items():
        chosen = f"SELECT crc, {', '.join(columns)} FROM {table}"  # noqa: S608 - both are constants
        bad = sum(row_crc(*values) != crc for crc, *values in connection.execute(chosen))
        if bad:
            yield f"{bad} rows of {table} do not fit their checksums"


def pages(connection: sqlite3.Connection, *, thorough: bool) -> Iterator[str]:
    """Give what SQLite finds wrong with its pages and, where they are asked for, its indexes."""
    if thorough:
        checks = [f"PRAGMA integrity_check({_LINES})"]
    else:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        named = [name for name in tables if name not in HISTORY]
        checks = [f"PRAGMA quick_check({_LINES})", *(f"PRAGMA integrity_check({name})" for name in named)]
    for check in checks:
        for (line,) in connection.execute(check).fetchall():
            if line != "ok":
                yield " ".join(line.split())


def _declarations(connection: sqlite3.Connection, version: int) -> Iterator[str]:
    model = sqlite3.connect(":memory:")
    try:
        create(model, version)
        if schema_of(connection) != schema_of(model):
            yield "its tables are not declared as its version declares them"
    finally:
        model.close()


def _lost_commits(connection: sqlite3.Connection, mark: int | None) -> Iterator[str]:
    row = connection.execute("SELECT commits FROM ledger").fetchone()
    if row is None or not isinstance(row[0], int):
        yield "its ledger is gone"
    elif mark is not None and row[0] < mark:
        yield (
            f"the last {mark - row[0]} committed transactions are gone: driftwatch.db-wal is damaged or was removed"
            f" (to go on from what is left, delete {MARK}: Kafka and files are read again from there, events that"
            " came over HTTP since then are lost)"
        )


def _lost_sequence(connection: sqlite3.Connection) -> Iterator[str]:
    """A sequence number that came again would be taken for a row that has been counted."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'inbox'").fetchone()
    given = row[0] if row else 0
    names = [f"http/{stream}" for stream in Stream]
    positions = connection.execute("SELECT position FROM positions WHERE partition IN (?, ?, ?)", names).fetchall()
    read = max([position for (position,) in positions if isinstance(position, int)], default=1)
    if not isinstance(given, int) or given < read - 1:
        yield f"the inbox's sequence stands at {given}, but {read - 1} have been read"


def refusal(file: Path, fault: str) -> str:
    """Say that a state is not used, and what to do."""
    return f"{file}: the stored state is damaged: {fault}; {RESTORE}"
