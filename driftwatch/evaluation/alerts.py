"""The life of an alert: inactive → pending → firing → resolved (design D9).

Law: what a step is called depends only on what it is, so that replaying the same windows gives the same identities.
Time is counted in windows, not by a clock.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from driftwatch.evaluation.report import AlertNote, Report, Window
from driftwatch.evaluation.rules import Judgement, RuleSpec, Standing, Verdict, watches
from driftwatch.statistics.checks import CHECKS, well
from driftwatch.statistics.reading import Reading, Status


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
    BY_HAND = "resolved_by_operator"


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of one alert. `identity` is made of what the step is, so a replay makes the same one.

    alert_id: the identity of the transition that began this episode; the same from pending to resolved.
    started_ms: start of the window in which the episode began. still_firing: of the end of an alert, how many of its
    rule's alerts still fire in that version.
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
    window_ordinal: int | None = None
    still_firing: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """Whose alert it is, beside its rule and column."""

    model: str
    version: str
    segment: str


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert that is not inactive. breaches, clears: consecutive windows beyond, and back inside, the threshold."""

    state: State
    alert_id: str
    started_ms: int
    breaches: int
    clears: int
    reason: Reason


Key = tuple[str, str, str, str]
"""rule, version, segment, column"""


@dataclass(frozen=True, slots=True)
class Alerts:
    """Every alert of one model that is pending or firing."""

    episodes: Mapping[Key, Episode] = field(default_factory=lambda: MappingProxyType({}))


def step(
    alerts: Alerts, judgements: Iterable[Judgement], *, cell: Cell, window: Window
) -> tuple[Alerts, list[Transition]]:
    """Let one window speak: the alerts after it, and the transitions that it caused.

    | state    | breach                       | clear                             | unknown |
    |----------|------------------------------|-----------------------------------|---------|
    | inactive | pending, or firing if for=1  | ·                                 | ·       |
    | pending  | firing once held `for`       | inactive                          | ·       |
    | firing   | ·                            | resolved once clear > `keep_for`  | ·       |
    """
    episodes = dict(alerts.episodes)
    transitions: list[Transition] = []
    for judgement in judgements:
        key = (judgement.rule.name, cell.version, cell.segment, judgement.reading.column)
        episode = episodes.get(key)
        moved = _moved(episode, judgement, cell=cell, window=window)
        if moved is None:
            continue
        if episode is None or moved.state is not episode.state:
            transitions.append(_transition(moved, judgement, cell=cell, window=window))
        if moved.state in {State.PENDING, State.FIRING}:
            episodes[key] = moved
        else:
            del episodes[key]
    return Alerts(MappingProxyType(episodes)), transitions


def begun(alerts: Alerts, cell: Cell) -> frozenset[Standing]:
    """The rules and columns of a cell's alerts that are pending or firing."""
    return frozenset(
        (rule, column)
        for rule, version, segment, column in alerts.episodes
        if (version, segment) == (cell.version, cell.segment)
    )


def notes(
    alerts: Alerts, transitions: Iterable[Transition], rules: Mapping[str, RuleSpec], *, cell: Cell
) -> tuple[AlertNote, ...]:
    """The alerts to show in a window's report: those that are active, and those that it ended."""
    active = [
        AlertNote(episode.alert_id, rule, column, episode.state, rules[rule].severity, episode.reason, rules[rule].of)
        for (rule, version, segment, column), episode in alerts.episodes.items()
        if (version, segment) == (cell.version, cell.segment) and rule in rules
    ]
    ended = [
        AlertNote(step.alert_id, step.rule, step.column, step.state, step.severity, step.reason, step.statistic)
        for step in transitions
        if step.state in {State.RESOLVED, State.INACTIVE}
    ]
    return (*active, *ended)


def standing(alerts: Alerts, report: Report, rules: Mapping[str, RuleSpec]) -> list[Transition]:
    """The last step of every alert that stands for a report's cell, with the report's values.

    This is what a board shows after a restart; the steps are called by the alerts' own names and never sent again.
    A metric that moved one need not be known yet of the latest window, as while labels are waited for: then the step
    has no value. A column that is no more has no alert to show.
    """
    cell = Cell(report.model, report.version, report.segment)
    steps = []
    for (rule, version, segment, column), episode in alerts.episodes.items():
        if rule not in rules or (version, segment) != (cell.version, cell.segment):
            continue
        found = [each for each in report.readings if each.column == column and watches(rules[rule], each)]
        if not found:
            found = _left_out(rules[rule], column, report)
        for reading in found:
            judgement = Judgement(rules[rule], reading, Verdict.UNKNOWN)
            steps.append(_transition(episode, judgement, cell=cell, window=report.window))
    return steps


def identity(*parts: str | int) -> str:
    """A name computed from what something is: 32 hex digits."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]


def _left_out(rule: RuleSpec, column: str, report: Report) -> list[Reading]:
    """What stands for a reading that a report does not have, if it may come again."""
    if rule.metric:
        nan = math.nan
        return [Reading(column, "", rule.of, nan, nan, nan, nan, nan, Status.NO_LABELS)]
    known = rule.of in CHECKS and any(each.column == column for each in report.readings)
    return [well(column, rule.of)] if known else []


def _moved(episode: Episode | None, judgement: Judgement, *, cell: Cell, window: Window) -> Episode | None:
    """The episode after this window; None when there is none and none begins."""
    rule, breach = judgement.rule, judgement.verdict is Verdict.BREACH
    if judgement.verdict is Verdict.UNKNOWN or (episode is None and not breach):
        return episode
    if episode is None:
        state = State.FIRING if rule.for_ == 1 else State.PENDING
        name = _name(judgement, state, cell=cell, window=window)
        return Episode(state, name, window.start_ms, 1, 0, Reason.CROSSED)
    pending = episode.state is State.PENDING
    if breach:
        held = replace(episode, breaches=episode.breaches + 1, clears=0)
        fires = pending and held.breaches >= rule.for_
        return replace(held, state=State.FIRING, reason=Reason.HELD) if fires else held
    if pending:
        return replace(episode, state=State.INACTIVE, reason=Reason.DROPPED)
    cleared = replace(episode, clears=episode.clears + 1)
    resolves = cleared.clears > rule.keep_for
    return replace(cleared, state=State.RESOLVED, reason=Reason.CLEARED) if resolves else cleared


def _name(judgement: Judgement, state: State, *, cell: Cell, window: Window) -> str:
    place = (window.start_ms,) if window.ordinal is None else (window.start_ms, window.ordinal)
    return identity(
        cell.model, judgement.rule.name, cell.version, cell.segment, judgement.reading.column, *place, state
    )


def _transition(episode: Episode, judgement: Judgement, *, cell: Cell, window: Window) -> Transition:
    rule, reading = judgement.rule, judgement.reading
    return Transition(
        identity=_name(judgement, episode.state, cell=cell, window=window),
        alert_id=episode.alert_id,
        model=cell.model,
        version=cell.version,
        segment=cell.segment,
        rule=rule.name,
        column=reading.column,
        statistic=reading.statistic,
        severity=rule.severity,
        action=rule.action,
        state=episode.state,
        reason=episode.reason,
        started_ms=episode.started_ms,
        window_start_ms=window.start_ms,
        window_end_ms=window.end_ms,
        value=reading.value,
        lower=reading.lower,
        threshold=reading.limit if rule.rests_on_limit else rule.threshold,
        window_ordinal=window.ordinal,
    )
