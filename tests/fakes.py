"""Stand-ins for the doors of `driftwatch.ports`, with the real contract."""

import threading
import time
from collections.abc import Callable, Collection

from driftwatch.ports.streams import InboxRow, Keyed
from driftwatch.stream.raw import Raw, Stream

WAIT_SECONDS = 20.0


class FakeInlet:
    """An Inlet that keeps what it is given. While `full` it takes nothing, and counts what it refused.

    `announced` lists the partitions in the order they were announced; `early` those that spoke before,
    or for another stream than announced.
    """

    def __init__(self, *, full: bool = False) -> None:
        self.raws: list[Raw] = []
        self.announced: list[str] = []
        self.early: list[str] = []
        self.refused = 0
        self._streams: dict[str, Stream] = {}
        self._full = full
        self._changed = threading.Condition()

    def offer(self, raw: Raw, *, timeout_seconds: float) -> bool:
        """Take the records unless full."""
        with self._changed:
            taken = self._changed.wait_for(lambda: not self._full, timeout_seconds)
            if taken:
                self.raws.append(raw)
                told = not raw.records or self._streams.get(raw.partition) is raw.stream
                self.early += [] if told else [raw.partition]
            else:
                self.refused += 1
            self._changed.notify_all()
            return taken

    def announce(self, stream: Stream, partitions: Collection[str]) -> None:
        """Note the partitions."""
        with self._changed:
            self.announced += partitions
            self._streams |= dict.fromkeys(partitions, stream)
            self._changed.notify_all()

    def fill(self) -> None:
        """Take nothing from now on."""
        with self._changed:
            self._full = True

    def drain(self) -> None:
        """Take again."""
        with self._changed:
            self._full = False
            self._changed.notify_all()

    def wait(self, true: Callable[[], bool], what: str = "the source") -> None:
        """Return once the condition holds; it is looked at after every change, and twenty times a second."""
        end = time.monotonic() + WAIT_SECONDS
        with self._changed:
            while not true():
                assert time.monotonic() < end, f"waited {WAIT_SECONDS} s in vain for {what}; got {len(self.raws)} raws"
                self._changed.wait(0.05)

    def records(self, partition: str | None = None) -> list[bytes]:
        """Everything taken, in order, of one partition or all."""
        return [record for raw in list(self.raws) if partition in (None, raw.partition) for record in raw.records]

    def wait_records(self, count: int) -> None:
        """Return once so many records have been taken."""
        self.wait(lambda: len(self.records()) >= count, f"{count} records")

    def positions(self) -> dict[str, int]:
        """The position of each partition after everything taken."""
        return {raw.partition: raw.position for raw in list(self.raws)}


class FakeInbox:
    """An Inbox in memory."""

    def __init__(self) -> None:
        self.rows: list[InboxRow] = []
        self._next = 1
        self._arrived = threading.Condition()

    def append(self, stream: Stream, body: bytes, *, received_ms: int, keyed: Keyed | None = None) -> int:  # noqa: ARG002
        """Keep a body and return its sequence number; keys are not remembered."""
        with self._arrived:
            self.rows.append(InboxRow(self._next, stream, received_ms, body))
            self._next += 1
            self._arrived.notify_all()
            return self._next - 1

    def admit(self, size_bytes: int) -> None:
        """There is always room."""

    def known(self, stream: Stream, key: str, *, now_ms: int) -> Keyed | None:
        """Nothing is."""

    def read(self, stream: Stream, after: int, *, limit: int) -> list[InboxRow]:
        """Rows of the stream with a greater sequence number, in order."""
        with self._arrived:
            return self._after(stream, after)[:limit]

    def wait(self, stream: Stream, after: int, *, timeout_seconds: float) -> bool:
        """Wait until there is such a row."""
        with self._arrived:
            return self._arrived.wait_for(lambda: bool(self._after(stream, after)), timeout_seconds)

    def drop(self, stream: Stream, through: int) -> None:
        """Forget the stream's rows up to and including this sequence number."""
        with self._arrived:
            self.rows = [row for row in self.rows if row.stream != stream or row.sequence > through]

    def _after(self, stream: Stream, after: int) -> list[InboxRow]:
        return [row for row in self.rows if row.stream == stream and row.sequence > after]
