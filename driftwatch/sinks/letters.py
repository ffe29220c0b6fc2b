"""From a group to the letters that targets get of it: one each, however many columns moved."""

from collections.abc import Callable, Iterable
from typing import Protocol

from driftwatch.evaluation.event_body import event_body
from driftwatch.evaluation.events import Action, EventType, cooldown_key, event_type, webhook_id
from driftwatch.evaluation.groups import Group, lane
from driftwatch.evaluation.incidents import Incident
from driftwatch.ports.letters import Letter

LastSent = Callable[[str, str], int | None]
"""(target, key) → when such a letter was last created: `Outbox.last_sent_ms`."""

_REQUESTS = frozenset({EventType.RETRAIN, EventType.ROLLBACK})


class Addressee(Protocol):
    """What the Specs of all kinds of targets have in common."""

    @property
    def name(self) -> str:
        """Unique among the targets."""

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions that it accepts: notify, retrain, rollback."""

    @property
    def cooldown(self) -> int:
        """Milliseconds between two requests of one kind for one model."""


def write_letters(
    group: Group,
    *,
    targets: Iterable[Addressee],
    last_sent_ms: LastSent,
    now_ms: int,
    base_url: str = "",
    incident: Incident | None = None,
) -> list[Letter]:
    """Write the letters of one group, in the order of the targets.

    A target that was asked for the same thing for the same model less than its cool-down ago gets none. Notices to
    people (alert firing, alert resolved) are never held back. `last_sent_ms` sees only what is saved: whoever writes
    several letters between two checkpoints lets it look among those, too.
    incident: what the group belongs to. A target that has been asked for it already is not asked again: if it takes
    notices it gets one instead.
    """
    letters, lead = [], group.lead.step
    for target in targets:
        kind = event_type(lead, target.actions)
        if kind in _REQUESTS and incident is not None and incident.has_asked(kind, target.name):
            kind = EventType.FIRING if Action.NOTIFY in target.actions else None
        if kind is None:
            continue
        key = cooldown_key(kind, lead.model)
        if kind in _REQUESTS and _cooling(target, last_sent_ms, key=key, now_ms=now_ms):
            continue
        letters.append(
            Letter(
                id=webhook_id(group, target.name),
                target=target.name,
                alert_id=lead.alert_id,
                lane=lane(lead.model, lead.version, rule=lead.rule),
                type=kind.value,
                body=event_body(kind, group, base_url=base_url),
                created_ms=now_ms,
                next_ms=now_ms,
                key=key,
                incident="" if incident is None else incident.id,
            )
        )
    return letters


def _cooling(target: Addressee, last_sent_ms: LastSent, *, key: str, now_ms: int) -> bool:
    if not target.cooldown:
        return False
    last_ms = last_sent_ms(target.name, key)
    return last_ms is not None and now_ms - last_ms < target.cooldown
