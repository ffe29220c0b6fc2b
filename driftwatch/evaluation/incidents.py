"""The followed trouble of one model: detected → requested → deployed → recovered, or not recovered (contract §5)."""

from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """Where an incident stands."""

    DETECTED = "detected"
    REQUESTED = "requested"
    DEPLOYED = "deployed"
    NOT_RECOVERED = "not_recovered"
    """It is not over: a later version may still be well."""
    RECOVERED = "recovered"
    CLOSED = "closed"
    """By an operator."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One model's trouble; times in ms since the epoch, None while they have not come.

    id: made of the model and the first alert. version: that of the first alert. rules, columns, kinds: of the alerts
    that opened it or joined it. began_ms: start of the first window beyond its limits, in event time; the other times
    are the wall clock's. asked: "type target" of the requests that have been written for it.
    """

    id: str
    model: str
    version: str
    began_ms: int
    detected_ms: int
    state: Phase = Phase.DETECTED
    rules: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    requested_ms: int | None = None
    deployed_ms: int | None = None
    ended_ms: int | None = None
    new_version: str | None = None
    reason: str = ""
    known: tuple[str, ...] = field(default=())

    @property
    def is_open(self) -> bool:
        """Whether alerts join it, and no other incident of the model begins."""
        return self.state not in {Phase.RECOVERED, Phase.CLOSED}

    def has_asked(self, kind: str, target: str) -> bool:
        """Whether such a request has been written for this target."""
        return f"{kind} {target}" in self.asked
