"""Alerts of golden sets: when they rise and end, what their steps are called, and that cutting changes nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.evaluation.alerts import Alerts, State
from driftwatch.evaluation.defaults import CONTROL_RULE
from driftwatch.evaluation.event_body import event_body
from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.groups import grouped
from driftwatch.evaluation.outcome import Outcome
from driftwatch.evaluation.rules import RuleSpec
from driftwatch.quality import control, control_state
from driftwatch.quality.control import ControlSets
from driftwatch.quality.control_alerts import moved, standing
from driftwatch.stream.raw import Stream
from tests.quality.test_control import FORM, controls, said


def sets_with(*rules):
    return ControlSets(FORM, ("golden-1", "golden-2"), rules=rules or (CONTROL_RULE,))


def play(sets, *parts, alerts=None):
    """Every step that these parts cause, and the alerts after them; each step has its ground."""
    outcome, alerts = Outcome(), alerts or Alerts()
    for part in parts:
        for some in part:
            alerts = moved(sets, some, alerts, model="fraud", outcome=outcome)
    told = grouped(outcome.transitions, outcome.grounds)
    assert [[move.step for move in group.moves] for group in told] == [[step] for step in outcome.transitions]
    assert all(event_body(EventType.FIRING, group) for group in told)
    return outcome.transitions, alerts


def brief(steps):
    return [(step.version, step.column, step.state, step.value, step.window_end_ms) for step in steps]


def test_a_changed_answer_fires_at_once_and_ends_when_all_are_as_known():
    """One alert of the set and the version, from the first changed answer to the last that is put right."""
    answers = [("a", 0.1, 2_000), ("b", 0.9, 2_500), ("a", 0.9, 3_000), ("b", 0.2, 4_000)]
    steps, alerts = play(
        sets_with(),
        controls(said("a", 0.9), said("b", 0.2)),
        controls(*(said(name, score, version="2", time=time) for name, score, time in answers)),
    )
    assert brief(steps) == [
        ("2", "golden-1", State.FIRING, 1.0, 2_000),
        ("2", "golden-1", State.RESOLVED, 0.0, 4_000),
    ]
    assert steps[0].alert_id == steps[1].alert_id
    assert {step.severity for step in steps} == {"critical"}
    assert alerts.episodes == {}


def test_a_rule_may_allow_some_and_name_its_sets():
    """Two may change where `above` is 1 and another set is nothing to it."""
    rule = RuleSpec.model_validate(
        {"name": "bias", "statistic": "control_changed", "above": 1, "columns": ["golden-1"]}
    )
    first = [said(name, 0.9) for name in "abc"]
    then = [said(name, 0.1, version="2", time=2_000 + place) for place, name in enumerate("abc")]
    other = [{**event, "control": "golden-2"} for event in (*first, *then)]
    steps, _ = play(sets_with(rule), controls(*first, *then, *other))
    assert brief(steps) == [("2", "golden-1", State.FIRING, 2.0, 2_001)]


def test_a_step_is_called_the_same_whether_the_label_or_the_answer_came_first():
    """It is made of the answer and of what is known of it; a corrected label is another thing."""
    answer, label = controls(said("a", 0.9, time=1_500)), {"id": "a", "label": 0, "time": 3_000}
    labels = controls(label, stream=Stream.LABELS)
    (early,), _ = play(sets_with(), labels, answer)
    (late,), _ = play(sets_with(), answer, labels)
    assert early == late
    again = [
        controls({**label, "label": known, "time": time}, stream=Stream.LABELS)
        for known, time in ((1, 4_000), (0, 5_000))
    ]
    steps, _ = play(sets_with(), answer, labels, *again)
    assert [step.state for step in steps] == [State.FIRING, State.RESOLVED, State.FIRING]
    assert len({step.identity for step in steps}) == 3


def test_a_version_that_is_let_go_has_no_alert_any_more(monkeypatch):
    """Nobody will put right what it said."""
    monkeypatch.setattr(control, "MOST_VERSIONS", 2)
    steps, alerts = play(
        sets_with(),
        controls(said("a", 0.9), said("a", 0.1, version="2", time=2_000)),
        controls(*(said("a", 0.9, version=name, time=3_000 + int(name)) for name in "345")),
    )
    assert [(step.version, step.state) for step in steps] == [("2", State.FIRING), ("2", State.RESOLVED)]
    assert alerts.episodes == {}


events = st.builds(
    said, st.sampled_from("ab"), st.sampled_from([0.1, 0.9]), version=st.sampled_from("12"), time=st.integers(1, 6)
)
outcomes = st.builds(lambda name, label, time: {"id": name, "label": label, "time": time},
                     st.sampled_from("ab"), st.sampled_from([0, 1]), st.integers(1, 6))  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.lists(events | outcomes, max_size=14), st.sets(st.integers(0, 14)))
def test_cutting_resuming_and_sending_again_change_no_step(arrivals, cuts):
    """However events are cut, written away between two of them or sent twice, the steps are the same and told apart."""
    parts = [controls(each, stream=Stream.LABELS if "label" in each else Stream.PREDICTIONS) for each in arrivals]
    expected, alerts = play(sets_with(), *parts)
    sets, found, held = sets_with(), [], Alerts()
    for place, part in enumerate(parts):
        steps, held = play(sets, part, part, alerts=held)
        found += steps
        if place in cuts:
            chunks, sets = {name: data for name, data in control_state.changes(sets).items() if data}, sets_with()
            assert control_state.resume(sets, chunks) == []
            sets.unsaved |= {(name.partition("/")[2], int(name.partition("/")[0])) for name in chunks}
    assert (found, held) == (expected, alerts)
    assert len({step.identity for step in expected}) == len(expected)
    open_ = {(step.version, step.alert_id) for step in standing(sets, held, model="fraud")}
    assert open_ == {(each.version, held.episodes["control", each.version, "", "golden-1"].alert_id)
                     for each in sets.standings if each.changed}  # fmt: skip


@pytest.mark.parametrize("key", ["for", "keep_for", "min_rows", "judge", "below", "segments"])
def test_a_rule_on_golden_sets_knows_no_windows(key):
    """What is about windows is refused, and said so."""
    value = {"judge": "value", "segments": False}.get(key, 2)
    with pytest.raises(ValueError, match="golden sets have no windows"):
        RuleSpec.model_validate({"name": "control", "statistic": "control_changed", key: value})
