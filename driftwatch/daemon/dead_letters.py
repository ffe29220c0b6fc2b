"""Which rejected events a checkpoint lists, and whether with their bytes: bounded between two checkpoints, too.

And the store of a state directory that no service runs on, for the commands that list, replay and purge it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from driftwatch.errors import StateError
from driftwatch.ports.storage import Rejected
from driftwatch.store.database import FILE, Database
from driftwatch.store.rejected import DeadLetters
from driftwatch.stream.decode import Decoded
from driftwatch.stream.raw import Raw

MAX_REJECTED = 1_000
"""Rejected events that one checkpoint lists; all of them are counted."""
MAX_REJECTED_BYTES = 8 << 20
"""Bytes of them that wait for the checkpoint."""


@contextmanager
def open_dead_letters(directory: Path) -> Iterator[DeadLetters]:
    """Open a state directory's dead letters; StateError when there is none, or a service runs on it."""
    if not (directory / FILE).is_file():
        raise StateError(f"{directory}: there is no {FILE}; name the directory of [state] path")
    database = Database(directory)
    try:
        yield DeadLetters(database)
    finally:
        database.close()


class Unsaved:
    """The rejected events since the last checkpoint. dropped: how many have not been listed, or not been kept."""

    def __init__(self, *, keep_payload: bool) -> None:
        self.events: list[Rejected] = []
        self.dropped = 0
        self._keep_payload = keep_payload
        self._bytes = 0

    def add(self, raw: Raw, decoded: Decoded) -> None:
        """List what a batch had to be refused."""
        rejected = decoded.rejected[: max(0, MAX_REJECTED - len(self.events))]
        self.dropped += len(decoded.rejected) - len(rejected)
        sent = decoded.sent(rejection.index for rejection in rejected)
        for rejection, event in zip(rejected, sent, strict=True):
            self.events.append(
                Rejected(
                    raw.stream,
                    raw.source,
                    raw.partition,
                    raw.received_ms,
                    rejection.reason,
                    place=rejection.index,
                    size_bytes=len(event),
                    payload=self._payload(event),
                )
            )

    def saved(self) -> None:
        """What was listed has been saved."""
        self.events, self._bytes = [], 0

    def _payload(self, event: bytes) -> bytes | None:
        if not self._keep_payload:
            return None
        if self._bytes + len(event) > MAX_REJECTED_BYTES:
            self.dropped += 1
            return None
        self._bytes += len(event)
        return event
