"""The state directory: what one transaction saves, and what it gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from driftwatch.evaluation.alerts import Transition
from driftwatch.evaluation.incidents import Incident
from driftwatch.evaluation.report import Report
from driftwatch.ports.letters import Letter
from driftwatch.stream.raw import Stream


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
    incidents: Sequence[Incident] = ()


@dataclass(frozen=True, slots=True)
class Saved:
    """What a checkpoint gives back at start."""

    positions: Mapping[str, int]
    monitors: Mapping[str, bytes]
    panes: Mapping[str, Mapping[str, bytes]]
    engine: bytes
    incidents: Sequence[Incident] = ()
    """Those that are open."""


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
