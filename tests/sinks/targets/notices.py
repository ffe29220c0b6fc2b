"""Letters as the outbox keeps them, written by what writes them in the service."""

from dataclasses import replace
from typing import Any

from driftwatch.evaluation.alerts import State
from driftwatch.evaluation.event_body import event_body
from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.groups import Group, Move, lane
from driftwatch.evaluation.incident_body import incident_body
from driftwatch.evaluation.incidents import Incident, Phase
from driftwatch.ports.letters import Letter
from tests.store.examples import HOUR, START, reading, report, transition

ID = "msg_25882646d4b685cf43c525152d2c9d4e"
BASE = "https://driftwatch.example"
NOW_MS = START + 2 * HOUR


def notice(
    *columns: str, kind: EventType = EventType.FIRING, state: State = State.FIRING, base: str = BASE, **changes: Any
) -> Letter:
    """A letter that tells of alerts of one rule, one in each column; changes: of their steps."""
    steps = [transition(state, column=column, alert_id=column, **changes) for column in columns or ("amount",)]
    made = report(readings=tuple(reading(step.column) for step in steps))
    group = Group(tuple(Move(replace(step, identity=f"{step.alert_id} {state}"), made) for step in steps))
    return _letter(kind, event_body(kind, group, base_url=base), lane("fraud", "7", rule="drift"))


def end(*columns: str, still_firing: int = 0, **changes: Any) -> Letter:
    """A letter that tells of their end."""
    return notice(
        *columns, kind=EventType.RESOLVED, state=State.RESOLVED, still_firing=still_firing, **changes
    )  # fmt: skip


def turn(kind: EventType, incident: Incident) -> Letter:
    """A letter that tells how an incident goes on."""
    return replace(_letter(kind, incident_body(kind, incident, base_url=BASE), "incident lane"), incident=incident.id)


def incident(state: Phase, **changes: Any) -> Incident:
    """One whose first alert was in version 7."""
    fields = {
        "id": "i1", "model": "fraud", "version": "7", "alert_id": "a1", "state": state, "rules": ("drift",),
        "columns": ("amount",), "kinds": ("covariate",), "began_ms": START, "detected_ms": START + HOUR,
    }  # fmt: skip
    return Incident(**(fields | changes))


def _letter(kind: EventType, body: bytes, of_lane: str) -> Letter:
    return Letter(
        id=ID, target="trainer", alert_id="amount", lane=of_lane, type=kind.value, body=body, created_ms=START
    )  # fmt: skip
