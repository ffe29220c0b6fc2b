"""Where events come from: sources, the queue that they fill, and the durable inbox of the HTTP door."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from driftwatch.stream.raw import Raw, Stream

Clock = Callable[[], int]
"""Milliseconds since the epoch."""


class Inlet(Protocol):
    """The engine's bounded queue, as sources see it."""

    def offer(self, raw: Raw, *, timeout_seconds: float) -> bool:
        """Hand over records; False, with nothing taken, when the queue stayed full for so long."""

    def announce(self, stream: Stream, partitions: Collection[str]) -> None:
        """Say which partitions exist, so that one which has not spoken yet holds windows open until it idles."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source's health, for readiness and metrics. lag and paused are by (topic, partition).

    gap_records: how many records were gone before they could be read, because retention had passed, or were left out.
    refused_batches: how many batches were left out because of their size. warning: what a person has to look at,
    though it serves.
    """

    ready: bool
    error: str = ""
    lag_records: Mapping[tuple[str, int], int] = field(default_factory=dict)
    paused: Mapping[tuple[str, int], bool] = field(default_factory=dict)
    reconnects: int = 0
    gap_records: int = 0
    refused_batches: int = 0
    warning: str = ""


class Source(Protocol):
    """Where events come from. Its own thread only ever offers to the inlet."""

    @property
    def name(self) -> str:
        """The value of the label `source`: kafka, http or files."""

    def families(self) -> Collection[str]:
        """What partitions of predictions it will announce, by name or by what stands before a "/"; before the start."""

    def start(self, inlet: Inlet, positions: Mapping[str, int]) -> None:
        """Begin to read, from the saved position of each partition, or from the beginning where there is none."""

    def commit(self, positions: Mapping[str, int]) -> None:
        """These positions are saved: tell the world (lag tools), drop what is no longer needed. Must not block."""

    def status(self) -> SourceStatus:
        """How it is."""

    def stop(self) -> None:
        """Stop reading and return once nothing more will be offered."""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One accepted HTTP body."""

    sequence: int
    stream: Stream
    received_ms: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Keyed:
    """A body that came under an idempotency key: a digest of it, and when it came first."""

    key: str
    digest: bytes
    received_ms: int


class Inbox(Protocol):
    """The durable queue behind HTTP ingest: one rising sequence, read per stream."""

    def append(self, stream: Stream, body: bytes, *, received_ms: int, keyed: Keyed | None = None) -> int:
        """Store a body and return its sequence number; durable (fsynced) when this returns. Raises Busy when full.

        keyed: remembered in the same transaction; when its key is known already nothing is stored, and Repeated raised.
        """

    def admit(self, size_bytes: int) -> None:
        """Raise Busy when so large a body would find no room now: before any work is done on it."""

    def known(self, stream: Stream, key: str, *, now_ms: int) -> Keyed | None:
        """What came to the stream under this key, as long as that is remembered."""

    def read(self, stream: Stream, after: int, *, limit: int) -> list[InboxRow]:
        """Rows of the stream with a greater sequence number, in order: at most `limit`, none after they pass 4 MiB."""

    def wait(self, stream: Stream, after: int, *, timeout_seconds: float) -> bool:
        """Wait until the stream has a row with a greater sequence number; False after the time-out."""

    def drop(self, stream: Stream, through: int) -> None:
        """Forget the stream's rows up to and including this sequence number."""


class Repeated(Exception):  # noqa: N818 - an answer, not an error: the body is there already
    """Nothing was stored: something came under this key before."""

    def __init__(self, first: Keyed) -> None:
        super().__init__(f"the key {first.key} is known")
        self.first = first
