"""What the HTTP door asks of the rest: to take events, and to tell what happened."""

from dataclasses import dataclass
from typing import Any, Protocol

from driftwatch.stream.raw import Stream


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

    def incidents(self, query: Query) -> Page:
        """Incidents as they stand; their version is the one that the first alert was of."""


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
