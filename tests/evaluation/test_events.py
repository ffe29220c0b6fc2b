"""What a step of an alert becomes outside: which event, its bytes, its size, its name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.evaluation.alerts import State, Transition
from driftwatch.evaluation.event_body import MAX_BODY_BYTES, event_body
from driftwatch.evaluation.events import EventType, cooldown_key, event_type, webhook_id
from driftwatch.evaluation.groups import Group, Move
from driftwatch.evaluation.report import AlertNote, Report
from driftwatch.statistics.reading import Status
from tests.store.examples import NAN, reading, report, transition

FIRING, RESOLVED, RETRAIN, ROLLBACK = EventType.FIRING, EventType.RESOLVED, EventType.RETRAIN, EventType.ROLLBACK
ALL = ("notify", "retrain", "rollback")


def alone(step: Transition, mover: Report | None = None) -> Group:
    """One step, and the report that moved it."""
    return Group((Move(step, mover or report()),))


@pytest.mark.parametrize(
    ("action", "state", "accepts", "event"),
    [
        ("notify", State.FIRING, ALL, FIRING),
        ("notify", State.RESOLVED, ALL, RESOLVED),
        ("notify", State.FIRING, ("retrain", "rollback"), None),
        ("notify", State.RESOLVED, ("retrain", "rollback"), None),
        ("retrain", State.FIRING, ALL, RETRAIN),
        ("retrain", State.RESOLVED, ALL, RESOLVED),
        ("retrain", State.FIRING, ("retrain",), RETRAIN),
        ("retrain", State.RESOLVED, ("retrain",), None),
        ("retrain", State.FIRING, ("notify",), FIRING),
        ("retrain", State.RESOLVED, ("notify",), RESOLVED),
        ("retrain", State.FIRING, ("rollback",), None),
        ("rollback", State.FIRING, ALL, ROLLBACK),
        ("rollback", State.FIRING, ("rollback",), ROLLBACK),
        ("rollback", State.FIRING, ("notify",), FIRING),
        ("rollback", State.RESOLVED, ("notify", "rollback"), RESOLVED),
        ("rollback", State.RESOLVED, ("rollback",), None),
        *[(action, state, ALL, None) for action in ALL for state in (State.PENDING, State.INACTIVE)],
        *[(action, State.FIRING, (), None) for action in ALL],
    ],
)
def test_which_event(action: str, state: State, accepts: tuple[str, ...], event: EventType | None) -> None:
    """The table of rule action, state, and what the target accepts."""
    assert event_type(transition(state, action=action), accepts) is event


def test_the_body_is_the_contracts() -> None:
    """Every field of contract §7, in its form."""
    made = report(readings=(reading(), reading("age", "psi", 0.5), reading(statistic="js", value=0.2)))
    body = event_body(RETRAIN, alone(transition(window=2), made), base_url="https://driftwatch.example/")

    assert json.loads(body) == {
        "type": "driftwatch.retrain.requested",
        "timestamp": "2026-01-05T13:00:00Z",
        "data": {
            "alert": {
                "id": transition().alert_id, "rule": "drift", "severity": "warning", "state": "firing",
                "started": "2026-01-05T10:00:00Z", "reason": "held_for",
            },
            "model": "fraud",
            "version": "7",
            "segment": "",
            "window": {"start": "2026-01-05T12:00:00Z", "end": "2026-01-05T13:00:00Z"},
            "evidence": [
                {"column": "amount", "statistic": "psi", "value": 0.31, "lower": 0.27, "threshold": 0.1},
                {"column": "amount", "statistic": "js", "value": 0.2, "lower": 0.16, "threshold": None},
            ],
            "cause": {"kind": "covariate", "columns": ["amount"]},
            "suggested_training_range": {"start": "2026-01-05T10:00:00Z", "end": "2026-01-05T13:00:00Z"},
            "links": {
                "report": "https://driftwatch.example/api/v1/reports?model=fraud&version=7&segment="
                "&since=2026-01-05T12%3A00%3A00Z&until=2026-01-05T13%3A00%3A00Z",
                "dashboard": "https://driftwatch.example/",
                "alerts": "https://driftwatch.example/api/v1/alerts?model=fraud&version=7&state=firing",
                "incidents": "https://driftwatch.example/api/v1/incidents?model=fraud",
            },
        },
    }  # fmt: skip


def test_no_links_without_a_base_url() -> None:
    """An address that nobody configured is not guessed."""
    assert json.loads(event_body(FIRING, alone(transition())))["data"]["links"] == {}


def test_an_end_says_what_goes_on() -> None:
    """How many alerts of the rule still fire, so that whoever closes a case knows whether it was the last."""
    ended = transition(State.RESOLVED, still_firing=3)

    assert json.loads(event_body(RESOLVED, alone(ended)))["data"]["still_firing"] == 3
    assert "still_firing" not in json.loads(event_body(FIRING, alone(transition())))["data"]


def test_evidence_is_ranked() -> None:
    """The alert's own statistic, then those furthest beyond their thresholds, then those without one; NaN never."""
    readings = (
        reading(statistic="js", value=0.2),
        reading(statistic="ks", value=0.3),
        reading(statistic="kl", value=9.0),
        reading(),
        reading(statistic="tv", value=NAN, status=Status.TOO_FEW),
    )
    thresholds = {("amount", "psi"): 0.1, ("amount", "js"): 0.1, ("amount", "ks"): 0.1}
    made = report(readings=readings, thresholds=thresholds)

    evidence = json.loads(event_body(FIRING, alone(transition(), made)))["data"]["evidence"]
    assert [item["statistic"] for item in evidence] == ["psi", "ks", "js", "kl"]


def test_what_is_not_a_number_is_null() -> None:
    """A bound that a statistic does not have is null, so the body stays JSON."""
    evidence = json.loads(event_body(FIRING, alone(transition(lower=NAN))))["data"]["evidence"]

    assert evidence[0]["lower"] is None


def test_other_firing_columns_are_named() -> None:
    """Columns of the same kind whose alerts fire in the same report stand behind the alert's own."""
    states = [("zip", "firing"), ("age", "firing"), ("country", "pending"), ("score", "firing"), ("amount", "firing")]
    notes = tuple(AlertNote("id", "drift", column, state, "warning", "held_for") for column, state in states)

    cause = json.loads(event_body(FIRING, alone(transition(), report(alerts=notes))))["data"]["cause"]
    assert cause["columns"] == ["amount", "age", "zip"]


def test_a_large_report_keeps_its_best_evidence() -> None:
    """Too long a body loses its least important evidence first."""
    column = "c" * 500
    made = report(readings=tuple(reading(column, f"s{n}", n) for n in range(99)), thresholds={(column, "s9"): 0.1})
    body = event_body(FIRING, alone(transition(column=column), made), base_url="http://d")

    data = json.loads(body)["data"]
    assert len(body) <= MAX_BODY_BYTES
    assert [item["statistic"] for item in data["evidence"]][:2] == ["psi", "s9"]
    assert data["links"]


@given(
    texts=st.lists(st.text(max_size=30), min_size=5, max_size=5),
    times=st.sampled_from([1, 100, 1000]),
    columns=st.integers(0, 300),
)
def test_the_body_is_bounded_and_the_same_again(texts: list[str], times: int, columns: int) -> None:
    """Whatever names come in: valid JSON under 20 kB, and the same bytes on a replay."""
    model, version, segment, column, rule = (text * times for text in texts)
    step = transition(column=column, model=model, version=version, segment=segment, rule=rule)
    notes = tuple(AlertNote("i", "r", f"{column}{n}", "firing", "warning", "held_for") for n in range(columns))
    made = report(readings=(reading(column, "ks"),) * 40, thresholds={}, alerts=notes)
    body = event_body(RETRAIN, alone(step, made), base_url="http://d")

    assert len(body) <= MAX_BODY_BYTES
    assert json.loads(body)["data"]["alert"]["id"] == step.alert_id
    assert event_body(RETRAIN, alone(step, made), base_url="http://d") == body


def test_webhook_ids() -> None:
    """One name per transition and target, the same wherever and whenever it is made."""
    ids = [
        webhook_id(alone(transition(state)), target)
        for state in (State.FIRING, State.RESOLVED)
        for target in ("a", "b")
    ]

    assert len(set(ids)) == 4
    assert ids[0] == webhook_id(alone(transition(value=99.0)), "a") == "msg_25882646d4b685cf43c525152d2c9d4e"


def test_cooldowns_count_by_kind_and_model() -> None:
    """Two models, or two kinds of request, never hold each other back."""
    keys = {cooldown_key(kind, model) for kind in (RETRAIN, ROLLBACK) for model in ("fraud", "credit")}

    assert len(keys) == 4
