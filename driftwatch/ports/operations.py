"""What people say to a running service: each word is one transaction, durable when it is answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from driftwatch.evaluation.silences import Silence
from driftwatch.ports.letters import Letter


@dataclass(frozen=True, slots=True)
class Word:
    """Who says it, and why."""

    author: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who has seen an alert, and when."""

    word: Word
    at_ms: int


class Refused(StrEnum):
    """Why a word changes nothing."""

    UNKNOWN = "unknown"
    """There is no such alert or letter."""
    ENDED = "ended"
    """The alert has ended."""
    NOTHING_WAITS = "nothing_waits"
    EXPIRED = "expired"
    """It was too late."""
    DECIDED = "decided"
    """Somebody has said the opposite before."""
    UNDER_WAY = "under_way"
    """The letter is still to be delivered, or waits."""
    DROPPED = "dropped"
    """The letter was not to be sent."""
    OVERTAKEN = "overtaken"
    """The end of what it tells the beginning of has been told."""


class Silences(Protocol):
    """What is not to be heard of."""

    def unexpired(self, *, now_ms: int) -> Sequence[Silence]:
        """Those that have not ended."""

    def every(self) -> Sequence[Silence]:
        """All that are remembered, the newest first."""

    def add(self, silence: Silence) -> Silence:
        """Keep a new one; gives it with its id. DataError when there are too many."""

    def expire(self, name: str, *, now_ms: int) -> Silence | None:
        """End one now; None when there is no such one."""


class Acknowledgements(Protocol):
    """Who takes care of which alert."""

    def acknowledge(self, alert: str, word: Word, *, now_ms: int) -> Acknowledgement | Refused:
        """Note it; the same word again changes nothing."""


class Decisions(Protocol):
    """What becomes of letters that wait for somebody, or were given up."""

    def approve(self, alert: str, *, now_ms: int) -> Sequence[Letter] | Refused:
        """Send the requests that wait for approval and tell of this alert; again, the same ones are given."""

    def reject(self, alert: str, *, now_ms: int) -> Sequence[Letter] | Refused:
        """Drop them instead."""

    def replay(self, name: str, *, now_ms: int) -> Letter | Refused:
        """Deliver a dead or delivered letter again, under the same id."""

    def replay_dead(self, target: str, *, now_ms: int) -> Sequence[Letter]:
        """Deliver all dead letters again, of one target or of all (""), but for those that were overtaken."""

    def purge(self, state: str, target: str) -> int:
        """Forget the dead or the dropped letters of one target or of all (""); how many there were."""
