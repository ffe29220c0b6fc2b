"""The incidents of all models: at most one of each is open. Told what happens, in order; says what is to be told.

Law: what comes of it depends on the order in which windows speak and versions appear, never on how the stream was cut.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from driftwatch.evaluation.alerts import State
from driftwatch.evaluation.change import kind_of
from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.groups import NONE_KNOWN, Group, Importance, grouped
from driftwatch.evaluation.incidents import (
    Heard,
    Incident,
    Phase,
    Stretch,
    Turn,
    closed,
    deployed,
    is_bad,
    joined,
    judged,
    opened,
    passed,
    requested,
)
from driftwatch.evaluation.outcome import Appeared, Outcome, Spoken
from driftwatch.evaluation.recovery import RecoverySpec
from driftwatch.evaluation.report import Report
from driftwatch.evaluation.rules import Verdict


@dataclass(frozen=True, slots=True)
class Followed:
    """How a model's incidents are followed. of_control: its rules on golden sets, which have no windows."""

    spec: RecoverySpec = field(default_factory=RecoverySpec)
    of_control: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Told:
    """A group of steps, and the incident that it belongs to."""

    group: Group
    incident: Incident | None


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be told of an incident that has just taken a turn."""

    kind: EventType
    incident: Incident


class Casebook:
    """Keeps the open incidents. changed: what a checkpoint has not seen, by id. timed: stretches that have ended.

    importance: by model, of its columns, by which groups rank them.
    """

    def __init__(
        self, followed: Mapping[str, Followed], *, standing: Iterable[Incident] = (),
        importance: Mapping[str, Importance] = NONE_KNOWN,
    ) -> None:  # fmt: skip
        self._followed, self._importance = followed, importance
        self.open = {incident.model: incident for incident in standing}
        self.changed: dict[str, Incident] = {}
        self.timed: list[tuple[str, Stretch, float]] = []

    def hear(self, outcome: Outcome, *, now_ms: int) -> Iterator[Told | Notice]:
        """Take what came of one step of a monitor; to be used up, for what is told is noted in between."""
        if not outcome.course and outcome.transitions:  # of golden sets, which stand in no window
            heard = Heard(outcome.transitions[0].version, (0, 0), tuple(outcome.transitions), {})
            yield from self._tell(outcome.transitions[0].model, heard, reports=outcome.grounds, now_ms=now_ms)
        for look, events in groupby(outcome.course, key=_look):
            if look is None:
                for event in events:
                    if isinstance(event, Appeared):
                        self._appeared(event, now_ms=now_ms)
            else:
                yield from self._spoken([event for event in events if isinstance(event, Spoken)], now_ms=now_ms)

    def asked(self, model: str, requests: Collection[str]) -> None:
        """Requests, "type target", have been written for the model's incident."""
        incident = self.open.get(model)
        if incident is not None and requests:
            self._put(replace(incident, asked=tuple(dict.fromkeys((*incident.asked, *requests)))))

    def requested(self, model: str, *, at_ms: int) -> None:
        """The first request of the model's incident has been delivered."""
        self._put(requested(self.open[model], at_ms=at_ms))

    def deployed(self, model: str, version: str, *, at_ms: int) -> None:
        """Somebody says that a version has been deployed, be it known or not; nothing changes without an incident."""
        incident = self.open.get(model)
        if incident is not None:
            self._put(deployed(incident, version, at_ms=at_ms))

    def passed(self, *, now_ms: int) -> list[Notice]:
        """Let time pass."""
        return [
            notice
            for incident in list(self.open.values())
            for notice in self._put(passed(incident, spec=self._of(incident.model).spec, now_ms=now_ms))
        ]

    def closed(self, name: str, *, now_ms: int) -> bool:
        """Close an incident by hand; whether it was open."""
        incident = next((each for each in self.open.values() if each.id == name), None)
        if incident is not None:
            self._put(closed(incident, now_ms=now_ms))
        return incident is not None

    def saved(self) -> None:
        """A checkpoint has seen everything."""
        self.changed = {}

    def _of(self, model: str) -> Followed:
        return self._followed.get(model) or Followed()

    def _appeared(self, event: Appeared, *, now_ms: int) -> None:
        incident = self.open.get(event.model)
        if incident is None or event.version in {"", incident.version, *incident.known}:
            return
        self._put(deployed(incident, event.version, at_ms=now_ms))

    def _spoken(self, looks: list[Spoken], *, now_ms: int) -> Iterator[Told | Notice]:
        """Hear one look at one window of a version, with its segments."""
        report = looks[0].report
        steps = tuple(step for look in looks for step in look.transitions)
        if report.model not in self.open and not steps:
            return
        verdicts: dict[str, Verdict] = {}
        for name, verdict in (pair for look in looks for pair in look.verdicts.items()):
            if verdict is Verdict.BREACH or verdicts.get(name, Verdict.UNKNOWN) is Verdict.UNKNOWN:
                verdicts[name] = verdict
        if report.revision == 1 and report.window.rows:
            verdicts |= dict.fromkeys(self._of(report.model).of_control, Verdict.CLEAR)
        heard = Heard(report.version, (report.window.end_ms, report.window.ordinal or 0), steps, verdicts,
                      known=looks[0].versions)  # fmt: skip
        yield from self._tell(report.model, heard, reports=[look.report for look in looks], now_ms=now_ms)

    def _tell(self, model: str, heard: Heard, *, reports: Iterable[Report], now_ms: int) -> Iterator[Told | Notice]:
        groups = grouped(heard.steps, reports, importance=self._importance)
        firing = [group for group in groups if group.lead.step.state is State.FIRING]
        heard = replace(
            heard,
            kinds=tuple(dict.fromkeys(kind_of(group) for group in firing)),
            columns=tuple(dict.fromkeys(column for group in firing for column in group.columns)),
        )
        before = self.open.get(model)
        bad = before is not None and is_bad(before, heard)
        if before is not None:
            self._put(joined(before, heard))
        elif firing:
            self._put(opened(heard, now_ms=now_ms))
        for group in groups:
            yield Told(group, self.open.get(model))
        incident = self.open.get(model)
        if incident is not None:
            yield from self._put(judged(incident, heard, bad=bad, spec=self._of(model).spec, now_ms=now_ms))

    def _put(self, incident: Incident) -> list[Notice]:
        """Note how an incident stands now; what is to be told of the turn that it has taken."""
        before = self.open.get(incident.model)
        if incident == before:
            return []
        self.changed[incident.id] = incident
        self.open[incident.model] = incident
        if not incident.is_open:
            del self.open[incident.model]
        for stretch in Stretch:
            seconds = incident.seconds(stretch)
            if seconds is not None and (before is None or before.seconds(stretch) is None):
                self.timed.append((incident.model, stretch, seconds))
        if before is None or incident.state is before.state:
            return []
        return [Notice(kind, incident) for kind in self._kinds(incident)]

    def _kinds(self, incident: Incident) -> Iterator[EventType]:
        if incident.state is Phase.RECOVERED:
            yield EventType.RECOVERED
        if incident.state is Phase.NOT_RECOVERED:
            yield EventType.NOT_RECOVERED
            if incident.turn is Turn.BAD_VERSION and self._of(incident.model).spec.rollback:
                yield EventType.ROLLBACK


def _look(event: Appeared | Spoken) -> tuple[object, ...] | None:
    """What one look at one window of one version is told by."""
    if isinstance(event, Appeared):
        return None
    report, window = event.report, event.report.window
    return report.model, report.version, window.start_ms, window.end_ms, window.ordinal, report.revision
