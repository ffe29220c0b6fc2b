"""From the turn of an incident to the letters that targets get of it."""

from collections.abc import Iterable

from driftwatch.evaluation.alerts import identity
from driftwatch.evaluation.events import Action, EventType, cooldown_key
from driftwatch.evaluation.incident_body import incident_body
from driftwatch.evaluation.incidents import Incident
from driftwatch.ports.letters import Letter
from driftwatch.sinks.targets.spec import TargetSpec


def write_incident_letters(
    kind: EventType, incident: Incident, *, targets: Iterable[TargetSpec], now_ms: int, base_url: str = ""
) -> list[Letter]:
    """Write one letter for each target that accepts it: notices, or rollbacks where nobody asked for one before.

    Each of them is called by the incident, its kind and the version that it is about, so it comes once. Policies
    are the caller's.
    """
    # A rollback that waits for somebody is not wanted any more once none of them fires.
    alerts = tuple(alert for _, alert in incident.firing) if kind is EventType.ROLLBACK else ()
    accepted = Action.ROLLBACK if kind is EventType.ROLLBACK else Action.NOTIFY
    return [
        Letter(
            id="msg_" + identity("incident", incident.id, kind, incident.new_version or "", target.name),
            target=target.name,
            alert_id=incident.alert_id,
            lane=identity("lane", incident.id),
            type=kind.value,
            body=incident_body(kind, incident, base_url=base_url),
            created_ms=now_ms,
            next_ms=now_ms,
            key=cooldown_key(kind, incident.model),
            incident=incident.id,
            alerts=alerts,
        )
        for target in targets
        if accepted in target.actions and not incident.has_asked(kind, target.name)
    ]
