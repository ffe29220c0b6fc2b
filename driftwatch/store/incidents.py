"""Incidents: saved with the checkpoint that moved them, given back at the start while they are open."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec

from driftwatch.errors import StateError
from driftwatch.evaluation.incidents import Incident
from driftwatch.store.integrity import refusal
from driftwatch.store.seal import row_crc

_SAVE = """
INSERT INTO incidents (incident_id, model, version, state, open, began_ms, document, saved_ms, crc)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (incident_id) DO UPDATE SET state = excluded.state, open = excluded.open,
  document = excluded.document, saved_ms = excluded.saved_ms, crc = excluded.crc
"""
_OPEN = """
SELECT incident_id, model, version, state, open, began_ms, document, crc FROM incidents WHERE open = 1 ORDER BY sequence
"""


def save_incidents(connection: sqlite3.Connection, incidents: Iterable[Incident], *, saved_ms: int) -> None:
    """Write incidents as they now stand, in the open transaction."""
    for each in incidents:
        checked = (
            each.id, each.model, each.version, str(each.state), int(each.is_open), each.began_ms,
            msgspec.json.encode(each),
        )  # fmt: skip
        connection.execute(_SAVE, (*checked, saved_ms, row_crc(*checked)))


def open_incidents(connection: sqlite3.Connection, file: Path) -> list[Incident]:
    """Read those that are open; StateError when one is damaged."""
    found = []
    for *checked, crc in connection.execute(_OPEN).fetchall():
        if row_crc(*checked) != crc:
            raise StateError(refusal(file, f"incident {checked[0]} does not fit its checksum"))
        found.append(incident_in(checked[-1]))
    return found


def incident_in(document: bytes) -> Incident:
    """Read an incident; StateError when it cannot be read."""
    try:
        return msgspec.json.decode(document, type=Incident)
    except msgspec.DecodeError as error:
        raise StateError(f"a stored incident is damaged: {error}; see what `driftwatch state verify` says") from error
