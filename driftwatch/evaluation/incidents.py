"""The followed trouble of one model: detected → requested → deployed → recovered, or not recovered (contract §5).

Law: every step is a function of the incident and of what is told; the time is an argument, and what an incident is
called is made of its model and of the alert that opened it, so that a replay calls it the same.

| told                                  | detected, requested | deployed      | not recovered |
|---------------------------------------|---------------------|---------------|---------------|
| an alert fires                        | joins               | joins; of the incident's rules or kinds in the new version: not recovered | joins |
| the first request has been delivered  | requested           | ·             | ·             |
| a version comes that is new           | deployed            | deployed      | deployed      |
| enough calm windows, nothing firing   | recovered           | recovered     | recovered     |
| the time for it has passed            | not recovered       | not recovered | ·             |
| an operator closes it                 | closed              | closed        | closed        |
"""  # noqa: E501 - a table

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from driftwatch.evaluation.alerts import State, Transition, identity
from driftwatch.evaluation.recovery import RecoverySpec
from driftwatch.evaluation.rules import Verdict

MOST_COLUMNS = 100
"""Columns that an incident remembers, the most important of each group first."""


class Phase(StrEnum):
    """Where an incident stands."""

    DETECTED = "detected"
    REQUESTED = "requested"
    DEPLOYED = "deployed"
    NOT_RECOVERED = "not_recovered"
    """It is not over: a later version, or calm, may still end it."""
    RECOVERED = "recovered"
    CLOSED = "closed"
    """By an operator."""


class Turn(StrEnum):
    """Why an incident took its latest turn for the better or the worse."""

    NONE = ""
    CALM = "windows_inside_limits"
    BAD_VERSION = "new_version_drifts_too"
    NOT_DEPLOYED = "no_version_deployed_in_time"
    NOT_CALM = "not_calm_in_time"
    BY_HAND = "closed_by_operator"


class Stretch(StrEnum):
    """The stretches of an incident that are timed: the label `phase` of `driftwatch_incident_seconds`."""

    DETECT = "detect"
    """From the start of the first window beyond its limits, in event time, to the alert."""
    REQUEST = "request"
    """From the alert to the delivery of the first request."""
    DEPLOY = "deploy"
    """From that delivery, or from the alert where nothing was asked for, to the first new version."""
    RECOVER = "recover"
    """From the alert to the recovery."""


@dataclass(frozen=True, slots=True)
class Calm:
    """Judged windows inside the limits, in turn, of one rule in one version. through: (end, ordinal) of the last."""

    version: str
    rule: str
    windows: int
    through: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Incident:
    """One model's trouble; times in ms since the epoch, None while they have not come.

    id: made of the model and the first alert, alert_id. version: that of the first alert. rules, columns, kinds: of the
    alerts that opened it or joined it. began_ms: start of the first window beyond its limits, in event time; the other
    times are the wall clock's. asked: "type target" of the requests that have been written for it. known: versions that
    had been seen when it opened. firing: (version, alert id) of its alerts that fire now. deployments: how often a new
    version has come.
    """

    id: str
    model: str
    version: str
    began_ms: int
    detected_ms: int
    alert_id: str = ""
    state: Phase = Phase.DETECTED
    turn: Turn = Turn.NONE
    rules: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    requested_ms: int | None = None
    deployed_ms: int | None = None
    ended_ms: int | None = None
    new_version: str | None = None
    deployments: int = 0
    known: tuple[str, ...] = ()
    firing: tuple[tuple[str, str], ...] = ()
    calm: tuple[Calm, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether alerts join it, and no other incident of the model begins."""
        return self.state not in {Phase.RECOVERED, Phase.CLOSED}

    def has_asked(self, kind: str, target: str) -> bool:
        """Whether such a request has been written for this target."""
        return f"{kind} {target}" in self.asked

    @property
    def calm_windows(self) -> int:
        """Windows inside the limits so far of whichever watched rule has the fewest."""
        held = {(each.version, each.rule): each.windows for each in self.calm}
        return min((held.get(pair, 0) for pair in self.watched()), default=0)

    def watched(self) -> list[tuple[str, str]]:
        """The versions and rules that have to be calm: of the new version all of its rules, else whatever fired."""
        if self.new_version is not None:
            return [(self.new_version, rule) for rule in self.rules]
        return [(each.version, each.rule) for each in self.calm]

    def seconds(self, stretch: Stretch) -> float | None:
        """How long a stretch took; None while it has not ended."""
        ends = {
            Stretch.DETECT: (self.began_ms, self.detected_ms),
            Stretch.REQUEST: (self.detected_ms, self.requested_ms),
            Stretch.DEPLOY: (self.detected_ms if self.requested_ms is None else self.requested_ms, self.deployed_ms),
            Stretch.RECOVER: (self.detected_ms, self.ended_ms if self.state is Phase.RECOVERED else None),
        }
        start, end = ends[stretch]
        return None if end is None else max(0, end - start) / 1000


@dataclass(frozen=True, slots=True)
class Heard:
    """What one look at one window of one version says to an incident.

    place: (end, ordinal) of the window. steps: of alerts. kinds: what they are about. verdicts: by rule. columns: those
    that moved, by rank. known: versions that have been seen by then.
    """

    version: str
    place: tuple[int, int]
    steps: tuple[Transition, ...]
    verdicts: Mapping[str, Verdict]
    kinds: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    @property
    def fired(self) -> list[Transition]:
        """The alerts that began to fire."""
        return [step for step in self.steps if step.state is State.FIRING]


def opened(heard: Heard, *, now_ms: int) -> Incident:
    """Begin an incident with alerts that fire; at least one does."""
    first = heard.fired[0]
    began_ms = min(step.started_ms for step in heard.fired)
    blank = Incident(
        identity("incident", first.model, first.alert_id), first.model, first.version, began_ms, now_ms,
        alert_id=first.alert_id, known=heard.known,
    )  # fmt: skip
    return joined(blank, heard)


def joined(incident: Incident, heard: Heard) -> Incident:
    """Let alerts that fire belong to it, and note which of its own have ended."""
    over = {step.alert_id for step in heard.steps if step.state is State.RESOLVED}
    firing = [each for each in incident.firing if each[1] not in over]
    firing += [(step.version, step.alert_id) for step in heard.fired]
    if not heard.fired:
        return replace(incident, firing=tuple(firing))
    rules = _with(incident.rules, (step.rule for step in heard.fired))
    known = {(each.version, each.rule) for each in incident.calm}
    pairs = dict.fromkeys((step.version, step.rule) for step in heard.fired)
    new = [Calm(version, rule, 0, heard.place) for version, rule in pairs if (version, rule) not in known]
    return replace(
        incident,
        rules=rules,
        columns=_with(incident.columns, heard.columns)[:MOST_COLUMNS],
        kinds=_with(incident.kinds, heard.kinds),
        firing=tuple(dict.fromkeys(firing)),
        calm=(*incident.calm, *new),
    )


def is_bad(incident: Incident, heard: Heard) -> bool:
    """Whether the new version has the same trouble; to be asked before the alerts join.

    An alert of its rules or of its kinds begins to fire there, or has done so since before that was the new version.
    """
    if incident.state is not Phase.DEPLOYED or heard.version != incident.new_version:
        return False
    if any(step.rule in incident.rules for step in heard.fired) or not set(heard.kinds).isdisjoint(incident.kinds):
        return True
    still = any(version == heard.version for version, _ in incident.firing)
    return still and any(heard.verdicts.get(rule) is Verdict.BREACH for rule in incident.rules)


def judged(incident: Incident, heard: Heard, *, bad: bool, spec: RecoverySpec, now_ms: int) -> Incident:
    """Let a window that was judged count: towards the recovery, or against the new version. bad: see `is_bad`."""
    incident = replace(incident, calm=_counted(incident, heard))
    if bad:
        return replace(incident, state=Phase.NOT_RECOVERED, turn=Turn.BAD_VERSION)
    versions = {version for version, _ in incident.watched()}
    quiet = not any(version in versions for version, _ in incident.firing)
    if quiet and incident.calm_windows >= spec.windows:
        return replace(incident, state=Phase.RECOVERED, turn=Turn.CALM, ended_ms=now_ms)
    return incident


def requested(incident: Incident, *, at_ms: int) -> Incident:
    """The first of its requests has been delivered."""
    if incident.requested_ms is not None:
        return incident
    state = Phase.REQUESTED if incident.state is Phase.DETECTED else incident.state
    return replace(incident, state=state, requested_ms=at_ms)


def deployed(incident: Incident, version: str, *, at_ms: int) -> Incident:
    """A version has come that is to make it well; nothing new where it is the one that came last."""
    if version == incident.new_version:
        return incident
    return replace(
        incident,
        state=Phase.DEPLOYED,
        turn=Turn.NONE,
        new_version=version,
        deployments=incident.deployments + 1,
        deployed_ms=max(at_ms, incident.detected_ms),
        calm=tuple(each for each in incident.calm if each.version != version),
    )


def passed(incident: Incident, *, spec: RecoverySpec, now_ms: int) -> Incident:
    """Let time pass: what has not come by now has failed."""
    waits = {
        Phase.REQUESTED: (incident.requested_ms, spec.deploy_within, Turn.NOT_DEPLOYED),
        Phase.DEPLOYED: (incident.deployed_ms, spec.recover_within, Turn.NOT_CALM),
    }
    since_ms, within, turn = waits.get(incident.state, (None, 0, Turn.NONE))
    if since_ms is None or not within or now_ms - since_ms <= within:
        return incident
    return replace(incident, state=Phase.NOT_RECOVERED, turn=turn)


def closed(incident: Incident, *, now_ms: int) -> Incident:
    """An operator says that it is over."""
    return replace(incident, state=Phase.CLOSED, turn=Turn.BY_HAND, ended_ms=now_ms)


def _counted(incident: Incident, heard: Heard) -> tuple[Calm, ...]:
    counts = {(each.version, each.rule): each for each in incident.calm}
    for rule, verdict in heard.verdicts.items():
        pair = heard.version, rule
        if rule not in incident.rules or verdict is Verdict.UNKNOWN:
            continue
        if pair not in counts and heard.version != incident.new_version:
            continue
        now = counts.get(pair) or Calm(heard.version, rule, 0, (heard.place[0] - 1, 0))
        if verdict is Verdict.BREACH:
            counts[pair] = replace(now, windows=0, through=max(now.through, heard.place))
        elif heard.place > now.through:
            counts[pair] = replace(now, windows=now.windows + 1, through=heard.place)
    return tuple(counts.values())


def _with(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *more)))
