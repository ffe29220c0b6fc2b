"""Alerts on performance: each episode asks once, in words that name the metric, and its end is told."""

import numpy as np
import pytest

from driftwatch.daemon.service import wall_clock_ms
from tests.quality_door.house import visiting
from tests.quality_door.rows import BINARY, HOUR, START, flow
from tests.receiver import Receiver
from tests.scenarios import world

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RULE = """
[[models.rules]]
name = "auc"
metric = "roc_auc"
below = 0.65
{more}
severity = "critical"
action = "retrain"
"""


@pytest.fixture
def hook(tmp_path):
    """Whoever trains models."""
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def target(hook, tmp_path):
    """Its table in the configuration."""
    return world.webhook(hook.url, tmp_path / "secret", actions=["retrain", "notify"])


def flipped(events, hours, *, seed=3):
    """The same events; in some hours their labels have nothing to do with the scores."""
    rng = np.random.default_rng(seed)
    return [
        event.__class__(**{**vars_of(event), "label": int(rng.random() < 0.4)})
        if (event.time_ms - START) // HOUR in hours
        else event
        for event in events
    ]


def vars_of(event):
    """An event's fields."""
    return {name: getattr(event, name) for name in event.__dataclass_fields__}


def told(visitor, hook):
    """The webhooks that came, verified, once nothing waits."""
    visitor.probe.wait(lambda: visitor.service.letters_waiting() == 0, "the outbox to be empty")
    return [request.verified(SECRET) for request in hook.wait(0)]


@pytest.mark.parametrize(
    ("stage", "more"), [("final", 'stage = "final"'), ("interim", 'stage = "interim"\nmin_coverage = 0.3')]
)
def test_a_bad_stretch_asks_once_and_its_end_is_told(configure, hook, target, stage, more):
    """Two bad hours are one episode: one request that names the metric, one notice of the end."""
    events = flipped(flow(BINARY, hours=8), range(2, 4))
    path = configure(BINARY, targets=target, rules=RULE.format(more=more))
    with visiting(path, clock=wall_clock_ms) as visitor:
        visitor.live(events)
        visitor.finish()
        letters = told(visitor, hook)
        (alert,) = visitor.probe.listing("alerts")
        metrics = visitor.metrics()
    types = ["driftwatch.retrain.requested", "driftwatch.alert.resolved", "driftwatch.incident.recovered"]
    assert [letter["type"] for letter in letters] == types
    assert letters[1]["data"]["still_firing"] == 0
    data = letters[0]["data"]
    assert data["alert"]["id"] == letters[1]["data"]["alert"]["id"] == alert["id"]
    assert data["window"]["start"] == "2026-01-05T02:00:00Z"
    evidence = data["evidence"][0]
    assert (evidence["column"], evidence["statistic"], evidence["threshold"]) == ("", "roc_auc", 0.65)
    assert evidence["stage"] == stage
    assert evidence["lower"] < evidence["value"] < 0.65
    assert data["cause"] == {"kind": "performance", "columns": []}
    assert alert["state"] == "resolved"
    assert metrics.total("alerts", state="firing") == 0
    assert metrics.total("alert_transitions_total", rule="auc", to="firing") == 1


def test_an_estimate_can_alert_without_new_labels(configure, hook, target):
    """Scores that crowd where classes mix promise less: the rule on the estimate fires, the one on labels does not."""
    events = flow(BINARY, hours=6)
    rng = np.random.default_rng(8)
    unsure = [
        event.__class__(**{**vars_of(event), "said": {"score": round(float(rng.uniform(0.45, 0.55)), 6)}})
        for event in events
        if event.time_ms >= START + 5 * HOUR
    ]
    sure = [event for event in events if event.time_ms < START + 5 * HOUR]
    path = configure(BINARY, targets=target, rules=RULE.format(more='stage = "estimated"'))
    with visiting(path, clock=wall_clock_ms) as visitor:
        visitor.live(sure)
        visitor.live(unsure, labels=[])
        visitor.finish()
        letters = told(visitor, hook)
    fired = {letter["data"]["alert"]["rule"]: letter for letter in letters}
    assert len(fired) == len(letters)
    # Scores that crowd have drifted, too, of which the budget tells beside the rule.
    assert {name: letter["type"] for name, letter in fired.items()} == {
        "drift": "driftwatch.alert.firing", "auc": "driftwatch.retrain.requested",
    }  # fmt: skip
    assert fired["drift"]["data"]["evidence"][0]["column"] == "score"
    data = fired["auc"]["data"]
    assert data["window"]["start"] == "2026-01-05T05:00:00Z"
    assert (data["evidence"][0]["statistic"], data["evidence"][0]["stage"]) == ("roc_auc", "estimated")
    assert data["cause"] == {"kind": "prediction", "columns": ["score"]}


def test_default_rules_tell_of_concept_drift(configure, hook, target):
    """Labels that part from the scores: "concept" and "gap" fire, "drift" does not, and their cause says so."""
    events = flipped(flow(BINARY, hours=12), range(8, 12))
    path = configure(BINARY, targets=target, rules=None)
    with visiting(path, clock=wall_clock_ms) as visitor:
        visitor.live(events)
        visitor.finish()
        letters = told(visitor, hook)
    fired = {letter["data"]["alert"]["rule"]: letter["data"] for letter in letters if letter["type"].endswith("firing")}
    assert set(fired) == {"concept", "gap"}
    assert {name: data["evidence"][0]["statistic"] for name, data in fired.items()} == {
        "concept": "loss_change", "gap": "gap_roc_auc",
    }  # fmt: skip
    assert {data["cause"]["kind"] for data in fired.values()} == {"concept"}
