"""What is told to the outside: which event a group becomes for a target, and under which name."""

from collections.abc import Collection
from enum import StrEnum

from driftwatch.evaluation.alerts import State, Transition, identity
from driftwatch.evaluation.groups import Group


class Action(StrEnum):
    """What a rule asks for, and what a target is willing to be asked."""

    NOTIFY = "notify"
    RETRAIN = "retrain"
    ROLLBACK = "rollback"


class EventType(StrEnum):
    """The types of webhook events."""

    FIRING = "driftwatch.alert.firing"
    RESOLVED = "driftwatch.alert.resolved"
    RETRAIN = "driftwatch.retrain.requested"
    ROLLBACK = "driftwatch.rollback.requested"
    RECOVERED = "driftwatch.incident.recovered"
    NOT_RECOVERED = "driftwatch.incident.not_recovered"


_FIRST = {Action.NOTIFY: EventType.FIRING, Action.RETRAIN: EventType.RETRAIN, Action.ROLLBACK: EventType.ROLLBACK}


def event_type(transition: Transition, accepts: Collection[str]) -> EventType | None:
    """Say which event a target that accepts these actions gets of a transition, if any.

    A firing alert becomes what its rule's action asks for. A target that takes notices but not that action gets the
    notice instead, and the end of every alert, so that a person never hears an end without its beginning.
    """
    action = Action(transition.action)
    if transition.state is State.FIRING and action in accepts:
        return _FIRST[action]
    if Action.NOTIFY not in accepts:
        return None
    return {State.FIRING: EventType.FIRING, State.RESOLVED: EventType.RESOLVED}.get(transition.state)


def webhook_id(group: Group, target: str) -> str:
    """Name the message: one per group and target, the same on every attempt, replay and restart.

    It is made of what its steps are called, whatever their rank.
    """
    steps = sorted(move.step.identity for move in group.moves)
    return "msg_" + identity("webhook", *steps, target)


def cooldown_key(kind: EventType, model: str) -> str:
    """Name what a target's cool-down counts together: one kind of request for one model."""
    return f"{kind} {model}"
