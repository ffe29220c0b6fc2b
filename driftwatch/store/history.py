"""What was reported and alerted: written with the checkpoint that decided it, read page by page, newest first."""

import re
import sqlite3
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec

from driftwatch.errors import DataError, StateError
from driftwatch.evaluation.alerts import State, Transition
from driftwatch.evaluation.incident_body import incident_document
from driftwatch.evaluation.report import Report, follow, rfc3339
from driftwatch.ports.answers import Page, Query
from driftwatch.store.database import Database
from driftwatch.store.incidents import incident_in
from driftwatch.store.seal import row_crc

_MAX_LIMIT = 1000
_CURSOR = re.compile(r"(-?[0-9]{1,18})\.([0-9]{1,18})")
"""Time and sequence number of a page's last row; both fit SQLite's integers."""

_REPORTS = "SELECT reports.start_ms, reports.sequence, reports.document FROM reports"
_ALERTS = (
    "SELECT alerts.started_ms, alerts.sequence, alerts.document, acknowledgements.author, acknowledgements.comment,"
    " acknowledgements.at_ms FROM alerts LEFT JOIN acknowledgements ON acknowledgements.alert_id = alerts.alert_id"
)
_INCIDENTS = "SELECT incidents.began_ms, incidents.sequence, incidents.document FROM incidents"
_LETTERS = (
    "SELECT letters.created_ms, letters.sequence, id, target, letters.alert_id, type, letters.state, attempts, next_ms,"
    " last_result, finished_ms, hold, release_ms, expires_ms, repeats, incident, alerts FROM letters"
    " LEFT JOIN alerts ON alerts.alert_id = letters.alert_id"
)


class SqliteHistory:
    """The History on one SQLite file.

    `since_ms` and `until_ms` bound the start of a report's window, the start of an alert's episode and the creation of
    a letter: since ≤ t < until. A cursor that this class did not give out raises DataError.
    """

    def __init__(self, database: Database) -> None:
        self._link = database.connect()

    def reports(self, query: Query) -> Page:
        """Give reports as contract §6 writes them, the highest revision of each window and cell."""
        rows, following = self._page(_REPORTS, query, names=_Names("reports", "reports.start_ms"))
        return Page([_report(row[2]) for row in rows], following)

    def alerts(self, query: Query) -> Page:
        """Give alert episodes as their latest transition left them."""
        rows, following = self._page(_ALERTS, query, names=_Names("alerts", "alerts.started_ms", state="alerts.state"))
        return Page([_alert(*row[2:]) for row in rows], following)

    def deliveries(self, query: Query) -> Page:
        """Give letters and how they fared; model, version and segment are those of the letter's alert."""
        names = _Names("alerts", "letters.created_ms", state="letters.state", sequence="letters.sequence")
        rows, following = self._page(_LETTERS, query, names=names)
        return Page([_delivery(row) for row in rows], following)

    def incidents(self, query: Query) -> Page:
        """Give incidents as their latest step left them; they are of no segment."""
        names = _Names("incidents", "incidents.began_ms", state="incidents.state", divided=False)
        rows, following = self._page(_INCIDENTS, query, names=names)
        return Page([incident_document(incident_in(row[2])) for row in rows], following)

    def _page(self, select: str, query: Query, *, names: "_Names") -> tuple[list[tuple[Any, ...]], str]:
        limit = max(1, min(query.limit, _MAX_LIMIT))
        conditions, values = names.conditions(query)
        where = " WHERE " + " AND ".join(conditions) if conditions else ""
        order = f" ORDER BY {names.time} DESC, {names.sequence} DESC LIMIT :limit"
        with self._link.reading() as connection:
            rows = connection.execute(select + where + order, values | {"limit": limit + 1}).fetchall()
        following = f"{rows[limit - 1][0]}.{rows[limit - 1][1]}" if len(rows) > limit else ""
        return rows[:limit], following


class _Names:
    """Under which names a listing's filters stand in SQL; every one of them is a constant of this file."""

    def __init__(self, table: str, time: str, *, state: str = "", sequence: str = "", divided: bool = True) -> None:
        self.table, self.time, self.state, self.divided = table, time, state, divided
        self.sequence = sequence or f"{table}.sequence"

    def conditions(self, query: Query) -> tuple[list[str], dict[str, Any]]:
        """Give the conditions of a query and the values of their parameters."""
        wanted: list[tuple[str, dict[str, Any]]] = []
        if query.model:
            wanted.append((f"{self.table}.model = :model", {"model": query.model}))
        if query.version is not None:
            wanted.append((f"{self.table}.version = :version", {"version": query.version}))
        if query.segment is not None and self.divided:
            wanted.append((f"{self.table}.segment = :segment", {"segment": query.segment}))
        if query.state and self.state:
            wanted.append((f"{self.state} = :state", {"state": query.state}))
        if query.since_ms is not None:
            wanted.append((f"{self.time} >= :since", {"since": query.since_ms}))
        if query.until_ms is not None:
            wanted.append((f"{self.time} < :until", {"until": query.until_ms}))
        if query.cursor:
            time, sequence = _cursor(query.cursor)
            wanted.append(
                (f"({self.time}, {self.sequence}) < (:time, :sequence)", {"time": time, "sequence": sequence})
            )
        values = {name: value for _, parameters in wanted for name, value in parameters.items()}
        return [condition for condition, _ in wanted], values


def insert_reports(
    connection: sqlite3.Connection, reports: Sequence[Report], *, documents: Sequence[bytes], saved_ms: int
) -> None:
    """Add reports to the open transaction; of each window and cell the highest revision stays.

    documents: the compressed JSON of each report, made before the transaction so that others wait less. One that
    follows is completed with what the revision before it says of the data.
    """
    for report, document in zip(reports, documents, strict=True):
        window = (report.model, report.version, report.segment, report.window.start_ms, _ordinal(report))
        connection.execute(
            "INSERT INTO reports (model, version, segment, start_ms, ordinal, revision, saved_ms, document)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (model, version, segment, start_ms, ordinal) DO UPDATE SET"
            " revision = excluded.revision, saved_ms = excluded.saved_ms, document = excluded.document"
            " WHERE excluded.revision >= revision",
            (
                *window,
                report.revision,
                saved_ms,
                _completed(connection, window, document) if report.follows else document,
            ),
        )


def _completed(connection: sqlite3.Connection, window: tuple[str | int, ...], document: bytes) -> bytes:
    before = connection.execute(
        "SELECT document FROM reports WHERE (model, version, segment, start_ms, ordinal) = (?, ?, ?, ?, ?)", window
    ).fetchone()
    if before is None:
        return document
    return zlib.compress(msgspec.json.encode(follow(_report(document), _report(before[0]))), 1)


def record_transition(connection: sqlite3.Connection, transition: Transition, *, saved_ms: int) -> None:
    """Add a transition to the open transaction and move its alert; one that is known already changes nothing."""
    step = (
        transition.identity, transition.alert_id, str(transition.state), str(transition.reason),
        transition.window_end_ms,
    )  # fmt: skip
    added = connection.execute(
        "INSERT OR IGNORE INTO transitions VALUES (?, ?, ?, ?, ?, ?, ?)", (*step, saved_ms, row_crc(*step))
    ).rowcount
    if not added:
        return
    document = msgspec.json.encode(alert_document(transition))
    checked = (
        transition.alert_id, transition.model, transition.version, transition.segment, str(transition.state),
        transition.started_ms, document,
    )  # fmt: skip
    connection.execute(
        "INSERT INTO alerts (alert_id, model, version, segment, state, started_ms, document, saved_ms, crc)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (alert_id) DO UPDATE SET state = excluded.state,"
        " started_ms = excluded.started_ms, saved_ms = excluded.saved_ms, document = excluded.document,"
        " crc = excluded.crc",
        (*checked, saved_ms, row_crc(*checked)),
    )


def alert_document(transition: Transition) -> dict[str, Any]:
    """Write an episode as its latest transition leaves it; `resolved` is the end of the window that cleared it."""
    resolved = rfc3339(transition.window_end_ms) if transition.state is State.RESOLVED else None
    return {
        "id": transition.alert_id,
        "model": transition.model,
        "version": transition.version,
        "segment": transition.segment,
        "rule": transition.rule,
        "column": transition.column,
        "statistic": transition.statistic,
        "severity": transition.severity,
        "action": transition.action,
        "state": transition.state.value,
        "reason": transition.reason.value,
        "started": rfc3339(transition.started_ms),
        "resolved": resolved,
        "window": {"start": rfc3339(transition.window_start_ms), "end": rfc3339(transition.window_end_ms)},
        "value": transition.value,
        "lower": transition.lower,
        "threshold": transition.threshold,
    }


def _report(document: bytes) -> dict[str, Any]:
    try:
        read: dict[str, Any] = msgspec.json.decode(zlib.decompress(document))
    except (zlib.error, msgspec.DecodeError, TypeError) as error:
        raise StateError(f"a stored report is damaged: {error}; see what `driftwatch state verify` says") from error
    return read


def _ordinal(report: Report) -> int:
    return -1 if report.window.ordinal is None else report.window.ordinal


def _alert(document: bytes, author: str | None, comment: str, at_ms: int) -> dict[str, Any]:
    """Write an episode with who has seen it."""
    shown: dict[str, Any] = msgspec.json.decode(document)
    said = None if author is None else {"author": author, "comment": comment, "at": rfc3339(at_ms)}
    return {**shown, "acknowledged": said}


def _delivery(row: tuple[Any, ...]) -> dict[str, Any]:
    created_ms, _, name, target, alert_id, kind, state, attempts, next_ms, last_result, finished_ms, *policy = row
    hold, release_ms, expires_ms, repeats, incident, alerts = policy
    return {
        "id": name,
        "target": target,
        "alert": alert_id,
        "type": kind,
        "state": state,
        "attempts": attempts,
        "created": rfc3339(created_ms),
        "next": rfc3339(next_ms) if state == "pending" and next_ms else None,
        "finished": rfc3339(finished_ms) if finished_ms is not None else None,
        "last_result": last_result,
        "hold": hold,
        "released": rfc3339(release_ms) if state == "held" and release_ms else None,
        "expires": rfc3339(expires_ms) if state == "held" and expires_ms else None,
        "repeats": repeats,
        "incident": incident,
        "alerts": msgspec.json.decode(alerts),
    }


def _cursor(text: str) -> tuple[int, int]:
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise DataError(f'cursor "{text}" was not given out by this service; begin without one')
    return int(found[1]), int(found[2])
