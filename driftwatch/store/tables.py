"""The tables of `driftwatch.db`: version 4.

Every row that a count, an alert or a letter depends on carries a checksum, `crc` (see `seal.row_crc`); the ledger's
seal says which rows there are. A change adds a text of its own, raises VERSION, and adds a step to `migration`.
"""

from collections.abc import Mapping
from types import MappingProxyType

_LETTERS_2 = """
CREATE TABLE letters (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, target TEXT NOT NULL, alert_id TEXT NOT NULL,
    type TEXT NOT NULL, key TEXT NOT NULL, created_ms INTEGER NOT NULL, attempts INTEGER NOT NULL,
    next_ms INTEGER NOT NULL, state TEXT NOT NULL, last_result TEXT NOT NULL, finished_ms INTEGER,
    body BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX letters_waiting ON letters (target, alert_id, sequence) WHERE state = 'pending';
CREATE INDEX letters_unsent ON letters (target, state, created_ms) WHERE state <> 'delivered';
CREATE INDEX letters_by_key ON letters (target, key, created_ms);
CREATE INDEX letters_newest ON letters (created_ms, sequence);
"""

LETTERS_3 = """
-- lane: letters of one lane keep their order.
CREATE TABLE letters (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, target TEXT NOT NULL, alert_id TEXT NOT NULL,
    lane TEXT NOT NULL, type TEXT NOT NULL, key TEXT NOT NULL, created_ms INTEGER NOT NULL, attempts INTEGER NOT NULL,
    next_ms INTEGER NOT NULL, state TEXT NOT NULL, last_result TEXT NOT NULL, finished_ms INTEGER,
    body BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX letters_waiting ON letters (target, lane, sequence) WHERE state = 'pending';
CREATE INDEX letters_unsent ON letters (target, state, created_ms) WHERE state <> 'delivered';
CREATE INDEX letters_by_key ON letters (target, key, created_ms);
CREATE INDEX letters_newest ON letters (created_ms, sequence);
"""

LETTERS_4 = """
-- lane: letters of one lane keep their order. incident: what it belongs to. alerts: ids of the alerts that it tells
-- of, a JSON list. hold: why it waits, beside state 'held'. repeats: how often it has been sent again on purpose.
CREATE TABLE letters (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, target TEXT NOT NULL, alert_id TEXT NOT NULL,
    lane TEXT NOT NULL, type TEXT NOT NULL, key TEXT NOT NULL, created_ms INTEGER NOT NULL, attempts INTEGER NOT NULL,
    next_ms INTEGER NOT NULL, state TEXT NOT NULL, last_result TEXT NOT NULL, finished_ms INTEGER,
    incident TEXT NOT NULL, alerts TEXT NOT NULL, hold TEXT NOT NULL, release_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL, repeats INTEGER NOT NULL, body BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX letters_waiting ON letters (target, lane, sequence) WHERE state = 'pending';
CREATE INDEX letters_of_lane ON letters (target, lane, sequence);
CREATE INDEX letters_held ON letters (release_ms) WHERE state = 'held';
CREATE INDEX letters_decided ON letters (hold) WHERE hold <> '';
CREATE INDEX letters_unsent ON letters (target, state, created_ms) WHERE state <> 'delivered';
CREATE INDEX letters_by_key ON letters (target, key, created_ms);
CREATE INDEX letters_of_incident ON letters (incident) WHERE incident <> '';
CREATE INDEX letters_newest ON letters (created_ms, sequence);
"""

OPERATIONS = """
CREATE INDEX alerts_firing ON alerts (alert_id) WHERE state = 'firing';

-- One row an incident, as its latest step left it, the document is JSON.
CREATE TABLE incidents (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, incident_id TEXT NOT NULL UNIQUE, model TEXT NOT NULL,
    version TEXT NOT NULL, state TEXT NOT NULL, open INTEGER NOT NULL, began_ms INTEGER NOT NULL,
    saved_ms INTEGER NOT NULL, document BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX incidents_newest ON incidents (began_ms, sequence);
CREATE INDEX incidents_open ON incidents (model) WHERE open = 1;

-- What people say over the API: matchers are a JSON list.
CREATE TABLE silences (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, silence_id TEXT NOT NULL UNIQUE, matchers TEXT NOT NULL,
    author TEXT NOT NULL, comment TEXT NOT NULL, starts_ms INTEGER NOT NULL, ends_ms INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX silences_end ON silences (ends_ms);
CREATE TABLE acknowledgements (
    alert_id TEXT PRIMARY KEY, author TEXT NOT NULL, comment TEXT NOT NULL, at_ms INTEGER NOT NULL,
    crc INTEGER NOT NULL);
"""

_TABLES = """
CREATE TABLE schema_version (version INTEGER NOT NULL);

-- commits: rises with every transaction of any role. seal: of engine, positions, monitors and panes together.
CREATE TABLE ledger (only INTEGER PRIMARY KEY CHECK (only = 1), commits INTEGER NOT NULL, seal BLOB NOT NULL);

CREATE TABLE engine (
    only INTEGER PRIMARY KEY CHECK (only = 1), taken_ms INTEGER NOT NULL, state BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE positions (partition TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE monitors (model TEXT PRIMARY KEY, state BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE panes (
    model TEXT NOT NULL, key TEXT NOT NULL, state BLOB NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (model, key));

-- A report's document is JSON, compressed by zlib, saved_ms is when it was saved, by the wall clock.
-- ordinal tells windows counted in rows apart that begin in the same millisecond, -1 for windows of time.
CREATE TABLE reports (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, version TEXT NOT NULL, segment TEXT NOT NULL,
    start_ms INTEGER NOT NULL, ordinal INTEGER NOT NULL, revision INTEGER NOT NULL, saved_ms INTEGER NOT NULL,
    document BLOB NOT NULL, UNIQUE (model, version, segment, start_ms, ordinal));
CREATE INDEX reports_newest ON reports (start_ms, sequence);
CREATE INDEX reports_of_model ON reports (model, start_ms, sequence);
CREATE INDEX reports_saved ON reports (saved_ms);

CREATE TABLE transitions (
    identity TEXT PRIMARY KEY, alert_id TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    window_end_ms INTEGER NOT NULL, saved_ms INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX transitions_of_alert ON transitions (alert_id);
-- One row an episode, as its latest transition left it, the document is JSON.
CREATE TABLE alerts (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, alert_id TEXT NOT NULL UNIQUE, model TEXT NOT NULL,
    version TEXT NOT NULL, segment TEXT NOT NULL, state TEXT NOT NULL, started_ms INTEGER NOT NULL,
    saved_ms INTEGER NOT NULL, document BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX alerts_newest ON alerts (started_ms, sequence);

{letters}
CREATE TABLE rejected (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, source TEXT NOT NULL, partition TEXT NOT NULL,
    received_ms INTEGER NOT NULL, reason TEXT NOT NULL, place INTEGER NOT NULL, size INTEGER NOT NULL, payload BLOB);
CREATE INDEX rejected_kept ON rejected (sequence) WHERE payload IS NOT NULL;

-- AUTOINCREMENT: a sequence number is a position, so it must not come back after its row was dropped.
CREATE TABLE inbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, received_ms INTEGER NOT NULL, body BLOB NOT NULL,
    crc INTEGER NOT NULL);
CREATE INDEX inbox_of_stream ON inbox (stream, sequence);
-- What came under an idempotency key: which body, by a digest, and when.
CREATE TABLE receipts (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL,
    received_ms INTEGER NOT NULL, UNIQUE (stream, key));
CREATE INDEX receipts_old ON receipts (received_ms);
"""

_TABLES_2, _TABLES_3, _TABLES_4 = (
    _TABLES.format(letters=letters.strip()) for letters in (_LETTERS_2, LETTERS_3, LETTERS_4 + OPERATIONS)
)

VERSION, TABLES = 4, MappingProxyType({2: _TABLES_2, 3: _TABLES_3, 4: _TABLES_4})
"""The version of this release, and how each one that has checksums declares its tables."""

CHECKED: Mapping[str, tuple[str, ...]] = {
    "transitions": ("identity", "alert_id", "state", "reason", "window_end_ms"),
    "alerts": ("alert_id", "model", "version", "segment", "state", "started_ms", "document"),
    "letters": ("id", "target", "alert_id", "lane", "type", "key", "created_ms", "attempts", "next_ms", "state",
                "last_result", "finished_ms", "incident", "alerts", "hold", "release_ms", "expires_ms", "repeats",
                "body"),
    "inbox": ("stream", "received_ms", "body"),
    "incidents": ("incident_id", "model", "version", "state", "open", "began_ms", "document"),
    "silences": ("silence_id", "matchers", "author", "comment", "starts_ms", "ends_ms", "created_ms"),
    "acknowledgements": ("alert_id", "author", "comment", "at_ms"),
}  # fmt: skip
"""The tables whose rows carry a checksum of their own, and the columns that it covers, in order."""


_SINCE: Mapping[str, int] = {
    "lane": 3, "incident": 4, "alerts": 4, "hold": 4, "release_ms": 4, "expires_ms": 4, "repeats": 4,
}  # fmt: skip
"""Columns of letters that an earlier version did not have."""
_TABLES_SINCE_4 = frozenset({"incidents", "silences", "acknowledgements"})


def checked_in(version: int) -> Mapping[str, tuple[str, ...]]:
    """What `CHECKED` was in a version."""
    return {
        table: tuple(name for name in columns if table != "letters" or _SINCE.get(name, 1) <= version)
        for table, columns in CHECKED.items()
        if version >= 4 or table not in _TABLES_SINCE_4
    }
