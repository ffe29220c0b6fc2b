"""The dead-letter store: events that could not be used, by reason, and the way back for those whose bytes were kept.

Bounded twice: so many events are listed, and so many bytes of them kept; the oldest go first. The bytes of an event are
other people's data, so they are kept only with `[state] keep_payload = true`.

Conservation: an event that is replayed leaves this store and enters the inbox in one transaction, and is then counted
as received once more. So received = accepted + late + duplicate + rejected goes on to hold; what was rejected before
stays counted as rejected, because it was.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from driftwatch.evaluation.report import rfc3339
from driftwatch.ports.storage import Rejected
from driftwatch.store.database import Database
from driftwatch.store.seal import row_crc
from driftwatch.stream.raw import Stream
from driftwatch.stream.reject import Reject

MAX_DEAD_LETTERS = 100_000
MAX_DEAD_LETTER_BYTES = 64 << 20

_KEEP = """
INSERT INTO rejected (stream, source, partition, received_ms, reason, place, size, payload)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_FORGET = "DELETE FROM rejected WHERE sequence <= (SELECT MAX(sequence) FROM rejected) - ?"
_EMPTY = """
UPDATE rejected SET payload = NULL WHERE sequence IN (
    SELECT sequence FROM (
        SELECT sequence, SUM(LENGTH(payload)) OVER (ORDER BY sequence DESC) AS total
        FROM rejected WHERE payload IS NOT NULL)
    WHERE total > ?)
"""
_WHERE = "(:reason = '' OR reason = :reason) AND (:stream = '' OR stream = :stream)"
_LIST = f"""
SELECT sequence, stream, source, partition, received_ms, reason, place, size, payload IS NOT NULL FROM rejected
WHERE {_WHERE} AND (:before = 0 OR sequence < :before) ORDER BY sequence DESC LIMIT :limit
"""  # noqa: S608 - a constant of this file
_COUNT = "SELECT reason, COUNT(*), COUNT(payload), SUM(size) FROM rejected GROUP BY reason"
_REPLAYABLE = (
    f"SELECT sequence, stream, received_ms, reason, payload FROM rejected WHERE {_WHERE} AND payload IS NOT NULL"  # noqa: S608
)
_RETURN = "INSERT INTO inbox (stream, received_ms, body, crc) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class DeadLetterBounds:
    """How many events are listed, and how many bytes of them are kept."""

    max_events: int = MAX_DEAD_LETTERS
    max_bytes: int = MAX_DEAD_LETTER_BYTES


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One refused event. place: among the events of its batch; size: in bytes; kept: whether it can be replayed."""

    sequence: int
    stream: Stream
    source: str
    partition: str
    received_ms: int
    reason: str
    place: int
    size: int
    kept: bool

    def document(self) -> dict[str, Any]:
        """The event as JSON lists it."""
        return {
            "sequence": self.sequence,
            "stream": self.stream.value,
            "source": self.source,
            "partition": self.partition,
            "received": rfc3339(self.received_ms),
            "reason": self.reason,
            "place": self.place,
            "bytes": self.size,
            "kept": self.kept,
        }


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one reason: events listed, those of them that can be replayed, and the bytes that all of them had."""

    listed: int
    kept: int
    size: int


def keep_rejected(connection: sqlite3.Connection, rejected: Iterable[Rejected], bounds: DeadLetterBounds) -> int:
    """Add events in the open transaction, within the bounds; how many older ones went, or lost their bytes."""
    rows = [
        (event.stream, event.source, event.partition, event.received_ms, event.reason, event.place, event.size_bytes,
         event.payload)
        for event in rejected
    ]  # fmt: skip
    if not rows:
        return 0
    connection.executemany(_KEEP, rows)
    gone = connection.execute(_FORGET, (bounds.max_events,)).rowcount
    if any(row[-1] is not None for row in rows):
        gone += connection.execute(_EMPTY, (bounds.max_bytes,)).rowcount
    return gone


class DeadLetters:
    """The store of a state directory that no service has open."""

    def __init__(self, database: Database) -> None:
        self._link = database.connect()

    def counts(self) -> Mapping[str, Tally]:
        """Count by reason."""
        with self._link.reading() as connection:
            return {reason: Tally(*counts) for reason, *counts in connection.execute(_COUNT)}

    def listing(self, *, reason: str = "", stream: str = "", limit: int = 100, before: int = 0) -> list[DeadLetter]:
        """List events, the newest first; before: a sequence number to go on from, 0 for the beginning."""
        asked = {"reason": reason, "stream": stream, "limit": limit, "before": before}
        with self._link.reading() as connection:
            rows = connection.execute(_LIST, asked).fetchall()
        return [
            DeadLetter(number, Stream(into), source, partition, received_ms, why, place, size, bool(kept))
            for number, into, source, partition, received_ms, why, place, size, kept in rows
        ]

    def replay(self, *, now_ms: int, reason: str = "", stream: str = "") -> int:
        """Put the kept events back into the inbox, under their stream, durably; how many there were.

        An event without a time of its own has that of its first receipt. One that was from the future is judged anew.
        """
        with self._link.writing() as connection:
            rows = connection.execute(_REPLAYABLE, {"reason": reason, "stream": stream}).fetchall()
            for number, into, received_ms, why, payload in rows:
                values = (into, now_ms if why == Reject.FUTURE else received_ms, payload)
                connection.execute(_RETURN, (*values, row_crc(*values)))
                connection.execute("DELETE FROM rejected WHERE sequence = ?", (number,))
        return len(rows)

    def purge(self, *, reason: str = "", stream: str = "") -> int:
        """Forget events, whether kept or only listed; how many."""
        with self._link.writing() as connection:
            statement = f"DELETE FROM rejected WHERE {_WHERE}"  # noqa: S608 - a constant of this file
            return connection.execute(statement, {"reason": reason, "stream": stream}).rowcount
