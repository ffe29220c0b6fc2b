"""How a state file becomes one of this release: made when it is empty, brought forward step by step when it is older.

All steps of a start are one transaction: whoever is killed on the way finds the old file, and starts again.
"""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from driftwatch.errors import StateError
from driftwatch.evaluation.groups import lane
from driftwatch.store.seal import Row, Seal, row_crc
from driftwatch.store.tables import LETTERS_3, LETTERS_4, OPERATIONS, TABLES, VERSION

Step = Callable[[sqlite3.Connection], None]

_OURS = frozenset({"schema_version", "engine", "positions"})


def stored_version(file: Path, connection: sqlite3.Connection) -> int:
    """Give the file's schema version, 0 when it is empty; StateError when it is foreign, too old or too new."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return 0
    if not tables >= _OURS:
        raise StateError(f"{file}: this is a database of another program; use another [state] path")
    version: int = connection.execute("SELECT MAX(version) FROM schema_version").fetchone()[0]
    if version not in {*STEPS, VERSION}:
        raise StateError(
            f"{file}: its schema version is {version}, this driftwatch reads version {VERSION}"
            f" and brings {', '.join(map(str, STEPS))} forward; run the release that wrote it, or a newer one"
        )
    return version


def bring_forward(file: Path, connection: sqlite3.Connection) -> int:
    """Make the file one of this version, in one transaction; the version that it had, 0 for an empty one."""
    found = stored_version(file, connection)
    connection.execute("PRAGMA journal_mode = WAL")
    if found == VERSION:
        return found
    connection.create_function("row_crc", -1, row_crc, deterministic=True)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if found:
            for version in range(found, VERSION):
                STEPS[version](connection)
        else:
            create(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return found


def create(connection: sqlite3.Connection, version: int = VERSION) -> None:
    """Make the tables of a version that has checksums, in the open transaction."""
    for statement in TABLES[version].split(";"):
        connection.execute(statement)
    connection.execute("INSERT INTO schema_version VALUES (?)", (version,))
    connection.execute("INSERT INTO ledger VALUES (1, 1, ?)", (Seal().digest,))


def schema_of(connection: sqlite3.Connection) -> set[tuple[str, str, str]]:
    """Give the tables and indexes as they were declared: (type, name, SQL)."""
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {row for row in rows if row[1] != "sqlite_sequence"}


def seal_of(connection: sqlite3.Connection) -> Seal:
    """Compute the seal of what is stored, from the checksums in the rows."""
    rows: dict[Row, int] = {}
    for (crc,) in connection.execute("SELECT crc FROM engine"):
        rows["engine", "", ""] = crc
    rows |= {("positions", "", key): at for key, at in connection.execute("SELECT partition, position FROM positions")}
    rows |= {("monitors", model, ""): crc for model, crc in connection.execute("SELECT model, crc FROM monitors")}
    panes = connection.execute("SELECT model, key, crc FROM panes")
    rows |= {("panes", model, key): crc for model, key, crc in panes}
    return Seal(rows)


_COPIED_TO_2 = {
    "engine": "only, taken_ms, state, crc",
    "positions": "partition, position",
    "monitors": "model, state, crc",
    "panes": "model, key, state, crc",
    "reports": "sequence, model, version, segment, start_ms, -1, revision, saved_ms, document",
    "transitions": "identity, alert_id, state, reason, window_end_ms, saved_ms,"
    " row_crc(identity, alert_id, state, reason, window_end_ms)",
    "alerts": "sequence, alert_id, model, version, segment, state, started_ms, saved_ms, document,"
    " row_crc(alert_id, model, version, segment, state, started_ms, document)",
    "letters": "sequence, id, target, alert_id, type, key, created_ms, attempts, next_ms, state, last_result,"
    " finished_ms, body, row_crc(id, target, alert_id, type, key, created_ms, attempts, next_ms, state, last_result,"
    " finished_ms, body)",
    "rejected": "sequence, stream, source, partition, received_ms, reason, -1, 0, NULL",
    "inbox": "sequence, stream, received_ms, body, row_crc(stream, received_ms, body)",
}


def _to_2(connection: sqlite3.Connection) -> None:
    """Give every row a checksum, and the file a ledger, and put an ordinal into the key of reports.

    The tables are made anew and filled, so that a file that was brought forward is declared like a new one.
    """
    for (index,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql <> ''").fetchall():
        connection.execute(f"DROP INDEX {index}")
    for table in (*_COPIED_TO_2, "schema_version"):
        connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    create(connection, 2)
    for table, columns in _COPIED_TO_2.items():
        _copy(connection, table, columns)
    for table in (*_COPIED_TO_2, "schema_version"):
        connection.execute(f"DROP TABLE old_{table}")
    connection.execute("UPDATE ledger SET seal = ?", (seal_of(connection).digest,))


_COPIED_TO_3 = (
    "sequence, id, target, alert_id, lane, type, key, created_ms, attempts, next_ms, state, last_result, finished_ms,"
    " body, row_crc(id, target, alert_id, lane, type, key, created_ms, attempts, next_ms, state, last_result,"
    " finished_ms, body)"
)
_LANES = (
    "SELECT letters.id, model, version, json_extract(CAST(document AS TEXT), '$.rule')"
    " FROM letters JOIN alerts ON alerts.alert_id = letters.alert_id"
)


def _to_3(connection: sqlite3.Connection) -> None:
    """Give every letter the lane of its alert's model, version and rule; its alert's own where that is forgotten."""
    _drop_indexes_of_letters(connection)
    lanes = [
        (lane(model, version, rule=rule), name) for name, model, version, rule in connection.execute(_LANES).fetchall()
    ]
    connection.execute("ALTER TABLE letters RENAME TO old_letters")
    connection.execute("ALTER TABLE old_letters ADD COLUMN lane TEXT")
    connection.execute("UPDATE old_letters SET lane = alert_id")
    connection.executemany("UPDATE old_letters SET lane = ? WHERE id = ?", lanes)
    for statement in LETTERS_3.split(";"):
        connection.execute(statement)
    _copy(connection, "letters", _COPIED_TO_3)
    connection.execute("DROP TABLE old_letters")
    connection.execute("UPDATE schema_version SET version = 3")


_COPIED_TO_4 = (
    "sequence, id, target, alert_id, lane, type, key, created_ms, attempts, next_ms, state, last_result, finished_ms,"
    " '', json_array(alert_id), '', 0, 0, 0, body, row_crc(id, target, alert_id, lane, type, key, created_ms, attempts,"
    " next_ms, state, last_result, finished_ms, '', json_array(alert_id), '', 0, 0, 0, body)"
)


def _to_4(connection: sqlite3.Connection) -> None:
    """Give letters what policies ask of them, and make room for incidents and for what people say."""
    _drop_indexes_of_letters(connection)
    connection.execute("ALTER TABLE letters RENAME TO old_letters")
    for statement in (LETTERS_4 + OPERATIONS).split(";"):
        connection.execute(statement)
    _copy(connection, "letters", _COPIED_TO_4)
    connection.execute("DROP TABLE old_letters")
    connection.execute("UPDATE schema_version SET version = 4")


def _drop_indexes_of_letters(connection: sqlite3.Connection) -> None:
    """Their names are wanted for the table that takes the place of this one."""
    named = "SELECT name FROM sqlite_master WHERE tbl_name = 'letters' AND type = 'index' AND sql <> ''"
    for (index,) in connection.execute(named).fetchall():
        connection.execute(f"DROP INDEX {index}")


def _copy(connection: sqlite3.Connection, table: str, columns: str) -> None:
    """Fill a table from the old one, so that its next row gets the number that it would have got there."""
    connection.execute(f"INSERT INTO {table} SELECT {columns} FROM old_{table}")  # noqa: S608 - constants above
    connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
    connection.execute(
        "INSERT INTO sqlite_sequence SELECT ?, seq FROM sqlite_sequence WHERE name = ?", (table, f"old_{table}")
    )


STEPS: Mapping[int, Step] = MappingProxyType({1: _to_2, 2: _to_3, 3: _to_4})
"""From a version to the next one. A step that has been released is never changed."""
