"""Events that came over HTTP: the durable inbox, read like any other stream."""

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import structlog
from pydantic import Field

from driftwatch.errors import StateError
from driftwatch.ports.streams import Inbox, InboxRow, Inlet, SourceStatus
from driftwatch.sources.portions import MAX_RECORDS, portions
from driftwatch.spec import PositiveDurationMs, Spec
from driftwatch.stream.raw import EVENT_STREAMS, Raw, Stream

_log = structlog.get_logger()

_WAIT_SECONDS, _RETRY_SECONDS, _STOP_SECONDS = 0.2, 1.0, 5.0


class HttpSpec(Spec):
    """A `[[sources]]` table with `type = "http"`: how much of what the HTTP door takes may wait.

    max_keys, keep_keys: how many idempotency keys are remembered, and for how long.
    """

    type: Literal["http"]
    max_inbox_bytes: int = Field(default=1 << 30, ge=1)
    max_keys: int = Field(default=100_000, ge=1, le=10_000_000)
    keep_keys: PositiveDurationMs = 86_400_000


class InboxSource:
    """The Source on an Inbox, with one partition a stream: "http/predictions" and "http/labels".

    Both streams share the inbox's sequence. A position is the sequence number after the last row read: a saved
    position p says that the stream's rows below p are done, and those are what `commit` drops. One body is one record,
    and the time of its receipt stands in where its events give none.
    """

    name = "http"

    def __init__(self, inbox: Inbox, streams: Sequence[Stream] = EVENT_STREAMS) -> None:
        self._inbox, self._streams = inbox, streams
        self._readers: list[_StreamReader] = []

    def families(self) -> Collection[str]:
        """Give the one partition of predictions."""
        return [_name(Stream.PREDICTIONS)]

    def start(self, inlet: Inlet, positions: Mapping[str, int]) -> None:
        """Begin to read both streams, from the saved positions or from the beginning."""
        self._readers = [
            _StreamReader(self._inbox, inlet, stream, position=positions.get(_name(stream), 0))
            for stream in self._streams
        ]
        for stream in self._streams:
            inlet.announce(stream, [_name(stream)])
        for reader in self._readers:
            reader.thread.start()

    def commit(self, positions: Mapping[str, int]) -> None:
        """Let the readers drop the rows below these positions, soon."""
        for reader in self._readers:
            reader.saved = positions.get(_name(reader.stream), reader.saved)

    def status(self) -> SourceStatus:
        """Ready unless the inbox cannot be read."""
        errors = [reader.error for reader in self._readers if reader.error]
        errors += [f"{reader.thread.name} has ended" for reader in self._readers if not reader.thread.is_alive()]
        if not self._readers:
            errors = ["not started"]
        return SourceStatus(ready=not errors, error="; ".join(errors))

    def stop(self) -> None:
        """Stop reading and return once nothing more will be offered."""
        for reader in self._readers:
            reader.stopping.set()
        for reader in self._readers:
            if reader.thread.is_alive():
                reader.thread.join(_STOP_SECONDS)


class _StreamReader:
    """The thread of one stream. Others only set `saved` and `stopping`, and read `error`."""

    def __init__(self, inbox: Inbox, inlet: Inlet, stream: Stream, *, position: int) -> None:
        self._inbox, self._inlet, self.stream = inbox, inlet, stream
        self._position = self.saved = position
        # Rows that were saved but not dropped before a crash are dropped by the first step.
        self._dropped = 0
        self.error = ""
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"http-{stream}", daemon=True)

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                self._step()
                self.error = ""
            except StateError as error:
                self.error = str(error)
                _log.error("inbox_unreadable", stream=str(self.stream), error=str(error))
                self.stopping.wait(_RETRY_SECONDS)

    def _step(self) -> None:
        self._drop_saved()
        if not self._inbox.wait(self.stream, self._position - 1, timeout_seconds=_WAIT_SECONDS):
            return
        rows = self._inbox.read(self.stream, self._position - 1, limit=MAX_RECORDS)
        for portion in portions([row.body for row in rows]):
            if not self._hand_over(rows[portion]):
                return

    def _hand_over(self, rows: Sequence[InboxRow]) -> bool:
        raw = Raw(
            stream=self.stream,
            source="http",
            partition=_name(self.stream),
            records=tuple(row.body for row in rows),
            received_ms=max(row.received_ms for row in rows),  # an event that is replayed keeps its first receipt
            position=rows[-1].sequence + 1,
            timestamps_ms=tuple(row.received_ms for row in rows),
        )
        while not self.stopping.is_set():
            if self._inlet.offer(raw, timeout_seconds=_WAIT_SECONDS):
                self._position = raw.position
                return True
            self._drop_saved()
        return False

    def _drop_saved(self) -> None:
        saved = self.saved
        if saved > self._dropped:
            self._inbox.drop(self.stream, saved - 1)
            self._dropped = saved


def _name(stream: Stream) -> str:
    return f"http/{stream}"
