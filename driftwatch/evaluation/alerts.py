"""The life of an alert: inactive → pending → firing → resolved (design D9)."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where an alert stands."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Reason(StrEnum):
    """Why an alert moved: the label of `driftwatch_alert_transitions_total`."""

    CROSSED = "threshold_crossed"
    HELD = "held_for"
    DROPPED = "dropped_before_held"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of one alert. `identity` is made of what the step is, so a replay makes the same one.

    alert_id: the identity of the transition that began this episode; the same from pending to resolved.
    started_ms: start of the window in which the episode began.
    """

    identity: str
    alert_id: str
    model: str
    version: str
    segment: str
    rule: str
    column: str
    statistic: str
    severity: str
    action: str
    state: State
    reason: Reason
    started_ms: int
    window_start_ms: int
    window_end_ms: int
    value: float
    lower: float
    threshold: float


def identity(*parts: str | int) -> str:
    """A name computed from what something is: 32 hex digits."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]
