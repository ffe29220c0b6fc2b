"""Alerts of golden sets: they rise as soon as an answer has changed, and end when none has any more.

No window is waited for: a version may get golden sets only. Each event is judged by itself, in the order in which they
come, so that where they are cut into batches decides nothing. What a step is called is made of the answer that began
the episode and of what is known of it, so that a replay calls it the same, whichever of the two it reads first. Where
answers come in several partitions, which of several changed answers begins the episode depends on how these interleave.

Reports of windows say nothing of golden sets: which answers had come when a window closed depends on how both were cut
into batches.
"""

from dataclasses import replace
from types import MappingProxyType

from driftwatch.evaluation.alerts import Alerts, Episode, Key, Reason, State, Transition, identity
from driftwatch.evaluation.outcome import Outcome
from driftwatch.evaluation.report import AlertNote, Report, Window
from driftwatch.evaluation.rules import RuleSpec
from driftwatch.quality.control import ControlSets, Touched
from driftwatch.quality.segments import WHOLE
from driftwatch.statistics.control import CHANGED, control_reading
from driftwatch.stream.control import Controls


def moved(sets: ControlSets, controls: Controls, alerts: Alerts, *, model: str, outcome: Outcome) -> Alerts:
    """Compare events of golden sets with what is known: the alerts after them. Their steps are added to the outcome."""
    episodes = dict(alerts.episodes)
    for touched in sets.add(controls):
        for rule in sets.rules:
            if rule.columns is None or touched.name in rule.columns:
                step = _step(episodes, rule, touched, model=model)
                if step is not None:
                    outcome.transitions.append(step)
                    outcome.grounds.append(_ground(step))
    return Alerts(MappingProxyType(episodes)) if outcome.transitions else alerts


def standing(sets: ControlSets, alerts: Alerts, *, model: str) -> list[Transition]:
    """The step that began every alert of a set that is still followed, with the count of now: for a board."""
    rules = {rule.name: rule for rule in sets.rules}
    return [
        _transition(rules[name], episode, (model, version, column), changed=sets.changed(column, version),
                    at_ms=episode.started_ms)
        for (name, version, _, column), episode in alerts.episodes.items()
        if name in rules and column in sets.names
    ]  # fmt: skip


def _step(episodes: dict[Key, Episode], rule: RuleSpec, touched: Touched, *, model: str) -> Transition | None:
    key = (rule.name, touched.version, WHOLE, touched.name)
    whose = (model, touched.version, touched.name)
    episode, beyond = episodes.get(key), touched.changed > rule.threshold
    if beyond is (episode is not None):
        return None
    if episode is None:
        name = identity("control", model, *key, *touched.facts, State.FIRING)
        episodes[key] = episode = Episode(State.FIRING, name, touched.answered_ms, 1, 0, Reason.CROSSED)
        return _transition(rule, episode, whose, changed=touched.changed, at_ms=touched.answered_ms)
    del episodes[key]
    ended = Episode(State.RESOLVED, episode.alert_id, episode.started_ms, 1, 1, Reason.CLEARED)
    step = _transition(rule, ended, whose, changed=touched.changed, at_ms=max(touched.at_ms, episode.started_ms))
    firing = sum((name, version) == key[:2] for name, version, *_ in episodes)
    return replace(step, still_firing=firing)


def _transition(
    rule: RuleSpec, episode: Episode, whose: tuple[str, str, str], *, changed: int, at_ms: int
) -> Transition:
    model, version, name = whose
    begins = episode.state is State.FIRING
    return Transition(
        identity=episode.alert_id if begins else identity("control", episode.alert_id, episode.state),
        alert_id=episode.alert_id,
        model=model,
        version=version,
        segment=WHOLE,
        rule=rule.name,
        column=name,
        statistic=CHANGED,
        severity=rule.severity,
        action=rule.action,
        state=episode.state,
        reason=episode.reason,
        started_ms=episode.started_ms,
        window_start_ms=at_ms,
        window_end_ms=at_ms,
        value=float(changed),
        lower=float(changed),
        threshold=rule.threshold,
    )


def _ground(step: Transition) -> Report:
    """What moved the alert, in the form in which letters are written; it stands for no window, and has no rows."""
    note = AlertNote(step.alert_id, step.rule, step.column, step.state, step.severity, step.reason, step.statistic)
    return Report(
        model=step.model,
        version=step.version,
        segment=step.segment,
        window=Window(step.window_start_ms, step.window_end_ms, 0),
        revision=1,
        fingerprint="",
        reference_rows=0,
        readings=(control_reading(step.column, int(step.value), step.threshold),),
        thresholds={},
        alerts=(note,),
    )
