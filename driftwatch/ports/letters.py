"""Letters on their way to targets, and the outbox that keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from driftwatch.evaluation.policies import PolicySpec


@dataclass(frozen=True, slots=True)
class Letter:
    """One webhook on its way to one target. `id` is the `webhook-id`, the same on every attempt.

    alert_id: of a group's alerts the first by rank; alerts: those that it tells of. lane: letters of one lane keep
    their order. `key` says what a cool-down counts together, such as the type and the model. incident: what it belongs
    to, "" for none. hold: why a letter in state "held" waits, until release_ms (0: until somebody speaks); expires_ms:
    when it is too late for it (0: never). repeats: how often it has been sent again on purpose.
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
    incident: str = ""
    hold: str = ""
    release_ms: int = 0
    expires_ms: int = 0
    repeats: int = 0
    alerts: tuple[str, ...] = ()

    @property
    def sent_as(self) -> str:
        """The `webhook-id`: its own, with a number of its own for every repetition on purpose."""
        return f"{self.id}_{self.repeats}" if self.repeats else self.id


class Outbox(Protocol):
    """Letters that were decided and saved with the state that decided them; delivered at least once."""

    def due(self, target: str, now_ms: int, *, limit: int) -> list[Letter]:
        """The target's pending letters whose time has come; per lane only the oldest, so order is kept.

        `alerts` of a letter that is repeated are those that still fire.
        """

    def delivered(self, letter: Letter, *, now_ms: int, result: str) -> None:
        """The target took it."""

    def retry(self, letter: Letter, *, next_ms: int, result: str) -> None:
        """It failed; try again then."""

    def bury(self, letter: Letter, *, now_ms: int, result: str) -> None:
        """It failed for good: a dead letter."""

    def pending(self) -> Mapping[str, tuple[int, int, int]]:
        """By target: letters pending, dead, and creation time of the oldest pending one (0 when none)."""

    def first_delivered_ms(self, incident: str) -> int | None:
        """When the first request of an incident was delivered; None while none has been."""

    def asked(self, target: str, key: str) -> Sequence[Letter]:
        """Letters with this key, the newest first, without bodies: for limits of requests. Only so many are kept."""

    def told(self, target: str, lane: str, alerts: Sequence[str]) -> Sequence[Letter]:
        """Letters of a lane that tell of one of these alerts, but not of its end, without bodies."""

    def examine(self, policies: Mapping[str, PolicySpec], *, now_ms: int) -> Sequence[Letter]:
        """Look at letters that wait, and at notices that may be repeated; those that changed, as they now are.

        policies: by target.
        """
