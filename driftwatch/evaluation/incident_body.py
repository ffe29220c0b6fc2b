"""The JSON of an incident: as the API lists it, and as targets are told of the turns that it takes."""

from typing import Any
from urllib.parse import urlencode

import msgspec

from driftwatch.evaluation.alerts import State
from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.incidents import Incident, Phase, Stretch
from driftwatch.evaluation.report import rfc3339

_SEVERITIES = {Phase.RECOVERED: "info"}
_MOST_NAMED = 20
"""Columns in a webhook: names may be long, and a body has at most 20 000 bytes."""
_MAX_NAME = 200


def incident_document(incident: Incident) -> dict[str, Any]:
    """An incident as `/api/v1/incidents` writes it; what has not come is null."""
    return {
        "id": incident.id,
        "model": incident.model,
        "version": incident.version,
        "state": incident.state.value,
        "reason": incident.turn.value or None,
        "alert": incident.alert_id,
        "rules": list(incident.rules),
        "columns": list(incident.columns),
        "kinds": list(incident.kinds),
        "firing": len(incident.firing),
        "began": rfc3339(incident.began_ms),
        "detected": rfc3339(incident.detected_ms),
        "requested": _moment(incident.requested_ms),
        "deployed": _moment(incident.deployed_ms),
        "ended": _moment(incident.ended_ms),
        "new_version": incident.new_version,
        "calm_windows": incident.calm_windows,
        "seconds": {stretch.value: incident.seconds(stretch) for stretch in Stretch},
    }


def incident_body(kind: EventType, incident: Incident, *, base_url: str = "") -> bytes:
    """Write the event that tells of an incident's turn, in the form of all events (contract §7).

    `alert` is the one that opened the incident. `version` is the one that the turn is about: the new one, where one has
    come. `timestamp` is when the turn was taken.
    """
    document = incident_document(incident)
    ended = incident.state is Phase.RECOVERED
    times = incident.detected_ms, incident.requested_ms, incident.deployed_ms, incident.ended_ms
    at_ms = max(time_ms for time_ms in times if time_ms is not None)
    columns = [name[:_MAX_NAME] for name in incident.columns[:_MOST_NAMED]]
    version = incident.version if incident.new_version is None else incident.new_version
    return msgspec.json.encode({
        "type": kind.value,
        "timestamp": rfc3339(at_ms),
        "data": {
            "alert": {
                "id": incident.alert_id,
                "rule": next(iter(incident.rules), ""),
                "severity": _SEVERITIES.get(incident.state, "critical"),
                "state": (State.RESOLVED if ended else State.FIRING).value,
                "started": document["began"],
                "reason": incident.turn.value,
            },
            "model": incident.model,
            "version": version,
            "segment": "",
            "window": {"start": document["began"], "end": rfc3339(at_ms)},
            "evidence": [],
            "cause": {"kind": next(iter(incident.kinds), ""), "columns": columns},
            "suggested_training_range": {"start": document["began"], "end": rfc3339(at_ms)},
            "incident": document | {"columns": columns, "rules": [rule[:_MAX_NAME] for rule in incident.rules[:20]]},
            "links": _links(incident, base_url.rstrip("/")) if base_url else {},
        },
    })  # fmt: skip


def _links(incident: Incident, base_url: str) -> dict[str, str]:
    query = urlencode({"model": incident.model, "since": rfc3339(incident.began_ms)})
    return {
        "report": f"{base_url}/api/v1/reports?{query}",
        "incident": f"{base_url}/api/v1/incidents?{query}",
        "dashboard": f"{base_url}/",
    }


def _moment(time_ms: int | None) -> str | None:
    return None if time_ms is None else rfc3339(time_ms)
