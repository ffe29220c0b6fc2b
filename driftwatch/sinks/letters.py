"""From a group to the letters that targets get of it: one each, however many columns moved."""

from collections.abc import Iterable, Iterator, Sequence

from driftwatch.evaluation.alarm import Alarm, alarm_of
from driftwatch.evaluation.alerts import State, identity
from driftwatch.evaluation.event_body import event_body
from driftwatch.evaluation.events import Action, EventType, cooldown_key, event_type, webhook_id
from driftwatch.evaluation.groups import Group, lane
from driftwatch.evaluation.policies import REQUESTS, Withheld, unfulfilled
from driftwatch.ports.letters import Letter
from driftwatch.sinks.occasion import Occasion, is_counted, under_policies
from driftwatch.sinks.targets.spec import TargetSpec

_ASKS = {Action.RETRAIN: EventType.RETRAIN, Action.ROLLBACK: EventType.ROLLBACK}


def write_letters(group: Group, *, targets: Iterable[TargetSpec], occasion: Occasion) -> list[Letter]:
    """Write the letters of one group, in the order of the targets; also those that wait or are not to be sent.

    Of a group some of whose alerts are silenced, one letter tells of the others, and one waits that tells of these.
    A target that has been asked for the occasion's incident already is not asked again: if it takes notices it gets one
    instead.
    """
    parts = _parts(group, occasion)
    return [
        letter
        for target in targets
        for letter in (
            *_of_its_own(group, target, parts=parts, occasion=occasion),
            *_overdue(group, target, occasion=occasion),
        )
    ]


def counts_as_asked(letter: Letter) -> bool:
    """Whether the target has been asked by it, or will be once somebody approves."""
    return letter.type in REQUESTS and letter.state != "dropped" and letter.hold != Withheld.SILENCED


def _of_its_own(group: Group, target: TargetSpec, *, parts: Sequence[Group], occasion: Occasion) -> Iterator[Letter]:
    kind = event_type(group.lead.step, target.actions)
    if kind is not None and _is_asked(kind, target, model=group.lead.step.model, occasion=occasion):
        kind = EventType.FIRING if Action.NOTIFY in target.actions else None
    for place, part in enumerate(parts if kind is not None else ()):
        assert kind is not None
        # The first is called by the whole group: whatever is silenced, it is never sent twice.
        name = webhook_id(part if place else group, target.name)
        alarms = [alarm_of(move.step) for move in part.moves]
        yield _letter(kind, part, target, name=name, alarms=alarms, occasion=occasion)


def _overdue(group: Group, target: TargetSpec, *, occasion: Occasion) -> Iterator[Letter]:
    """Write the requests that other alerts asked for, and that `only_if` allows now that these fire, too."""
    lead = group.lead.step
    if lead.state is not State.FIRING or not target.only_if:
        return
    firing, own = occasion.firing_of(lead.model), {move.step.alert_id for move in group.moves}
    if unfulfilled(target, firing, occasion.importance.get(lead.model, {})):
        return
    for action, kind in _ASKS.items():
        asking = [alarm for alarm in firing if alarm.action == action and alarm.id not in own]
        if action not in target.actions or lead.action == action or not asking:
            continue
        if _is_asked(kind, target, model=lead.model, occasion=occasion):
            continue
        if _were_told(asking, occasion.past.asked(target.name, cooldown_key(kind, lead.model))):
            continue
        steps = sorted(move.step.identity for move in group.moves)
        name = "msg_" + identity("webhook", kind, *steps, target.name)
        yield _letter(kind, group, target, name=name, alarms=asking, occasion=occasion)


def _is_asked(kind: EventType, target: TargetSpec, *, model: str, occasion: Occasion) -> bool:
    """Whether the target has been asked for the occasion's incident, be it by what waited for the end of a silence."""
    incident = occasion.incident
    if kind not in REQUESTS or incident is None:
        return False
    before = occasion.past.asked(target.name, cooldown_key(kind, model))
    return incident.has_asked(kind, target.name) or any(
        each.incident == incident.id and is_counted(each) for each in before
    )


def _were_told(alarms: Iterable[Alarm], asked: Iterable[Letter]) -> bool:
    """Whether a request was made, or waits, that one of these alerts asked for."""
    made = {
        alert
        for letter in asked
        if letter.state != "dropped" or letter.last_result == Withheld.REJECTED
        for alert in letter.alerts
    }
    return any(alarm.id in made for alarm in alarms)


def _parts(group: Group, occasion: Occasion) -> list[Group]:
    """The group, or what of it is to be heard of before what is silenced."""
    silenced = [occasion.are_silenced([alarm_of(move.step)]) for move in group.moves]
    if all(silenced) or not any(silenced):
        return [group]
    return [
        Group(tuple(move for move, quiet in zip(group.moves, silenced, strict=True) if quiet is waits))
        for waits in (False, True)
    ]


def _letter(
    kind: EventType, group: Group, target: TargetSpec, *, name: str, alarms: Sequence[Alarm], occasion: Occasion
) -> Letter:
    lead = group.lead.step
    own = [move.step.alert_id for move in group.moves]
    letter = Letter(
        id=name,
        target=target.name,
        alert_id=lead.alert_id,
        lane=lane(lead.model, lead.version, rule=lead.rule),
        type=kind.value,
        body=event_body(kind, group, base_url=occasion.base_url),
        created_ms=occasion.now_ms,
        next_ms=occasion.now_ms,
        key=cooldown_key(kind, lead.model),
        incident="" if occasion.incident is None else occasion.incident.id,
        alerts=tuple(dict.fromkeys((*own, *(alarm.id for alarm in alarms)))),
    )
    return under_policies(letter, target, model=lead.model, alarms=alarms, occasion=occasion)
