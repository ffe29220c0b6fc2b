"""Every door of the shell as a Protocol, on one page. Implementations never import each other."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from driftwatch.evaluation.alerts import Transition
from driftwatch.evaluation.report import Report
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


@dataclass(frozen=True, slots=True)
class Letter:
    """One webhook on its way to one target. `id` is the `webhook-id`, the same on every attempt.

    alert_id: of an incident's alerts the first by rank. lane: letters of one lane keep their order. `key` says what a
    cool-down counts together, such as the type and the model.
    """

    id: str
    target: str
    alert_id: str
    lane: str
    type: str
    body: bytes
    created_ms: int
    attempts: int = 0
    next_ms: int = 0
    state: str = "pending"
    last_result: str = ""
    key: str = ""


class Outbox(Protocol):
    """Letters that were decided and saved with the state that decided them; delivered at least once."""

    def due(self, target: str, now_ms: int, *, limit: int) -> list[Letter]:
        """The target's pending letters whose time has come; per lane only the oldest, so order is kept."""

    def delivered(self, letter: Letter, *, now_ms: int, result: str) -> None:
        """The target took it."""

    def retry(self, letter: Letter, *, next_ms: int, result: str) -> None:
        """It failed; try again then."""

    def bury(self, letter: Letter, *, now_ms: int, result: str) -> None:
        """It failed for good: a dead letter."""

    def pending(self) -> Mapping[str, tuple[int, int, int]]:
        """By target: letters pending, dead, and creation time of the oldest pending one (0 when none)."""

    def last_sent_ms(self, target: str, key: str) -> int | None:
        """When a letter with this key was last created for the target: for cool-downs."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An event that could not be used, for the dead-letter store.

    place: among the events of its batch. payload: the event as it came, None where it is not to be kept.
    """

    stream: Stream
    source: str
    partition: str
    received_ms: int
    reason: str
    place: int = -1
    size_bytes: int = 0
    payload: bytes | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What one transaction saves (design D5).

    panes: model → pane key → bytes, None for a pane that is gone; only what changed. monitors: model → the rest of
    its state. engine: the engine's own counters. Everything in bytes: the store knows no type.
    """

    taken_ms: int
    positions: Mapping[str, int]
    monitors: Mapping[str, bytes]
    panes: Mapping[str, Mapping[str, bytes | None]]
    engine: bytes
    reports: Sequence[Report] = ()
    transitions: Sequence[Transition] = ()
    letters: Sequence[Letter] = ()
    rejected: Sequence[Rejected] = ()


@dataclass(frozen=True, slots=True)
class Saved:
    """What a checkpoint gives back at start."""

    positions: Mapping[str, int]
    monitors: Mapping[str, bytes]
    panes: Mapping[str, Mapping[str, bytes]]
    engine: bytes


class Store(Protocol):
    """The state directory."""

    def load(self) -> Saved:
        """The last checkpoint; empty at the first start. StateError when it cannot be trusted."""

    def save(self, checkpoint: Checkpoint) -> None:
        """One transaction: all of it or nothing; durable when this returns."""

    def prune(self, *, before_ms: int) -> int:
        """Forget reports, alerts and finished letters older than that; how many rows went."""

    def close(self) -> None:
        """Release the directory."""


@dataclass(frozen=True, slots=True)
class Query:
    """Filters of the history endpoints; empty means "any"."""

    model: str = ""
    version: str | None = None
    segment: str | None = None
    state: str = ""
    since_ms: int | None = None
    until_ms: int | None = None
    limit: int = 100
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of JSON documents and where the next begins ("" at the end)."""

    items: list[dict[str, Any]]
    next: str


class History(Protocol):
    """What was reported and alerted, newest first."""

    def reports(self, query: Query) -> Page:
        """Reports, the highest revision of each window and cell."""

    def alerts(self, query: Query) -> Page:
        """Alert episodes with their present state."""

    def deliveries(self, query: Query) -> Page:
        """Letters and how they fared."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to an HTTP body: how many events were taken, and which were refused and why."""

    accepted: int
    rejected: tuple[tuple[int, str], ...]


class Ingest(Protocol):
    """What the HTTP door needs of the daemon to take events."""

    def accept(self, stream: Stream, body: bytes, *, key: str = "") -> Receipt:
        """Check and store a body; durable when this returns. `Busy` is raised when it must wait.

        key: the sender's idempotency key; the same one with the same body gives the same receipt and stores nothing.
        """


class Repeated(Exception):  # noqa: N818 - an answer, not an error: the body is there already
    """Nothing was stored: something came under this key before."""

    def __init__(self, first: Keyed) -> None:
        super().__init__(f"the key {first.key} is known")
        self.first = first


class Busy(Exception):  # noqa: N818 - an answer, not an error: the caller is asked to wait
    """Nothing was taken; try again after so many seconds."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"busy: retry after {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class Overview(Protocol):
    """What the query endpoints need of the running service."""

    def models(self) -> list[dict[str, Any]]:
        """One document a model: task, reference, columns, windows, rules, latest window."""

    def status(self) -> dict[str, Any]:
        """Version, uptime, sources, queue, checkpoint, targets: for `/api/v1/status`."""

    def ready(self) -> tuple[bool, str]:
        """Whether the service serves, and why not."""

    def metrics(self, *, openmetrics: bool) -> bytes:
        """The exposition of `/metrics`."""
