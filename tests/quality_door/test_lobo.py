"""Known changes of concept, through the door: predictions and their labels at once, the default rules (issue 4, 6)."""

import json
import tomllib

import pytest

from driftwatch.evaluation.defaults import default_rules
from driftwatch.evaluation.rules import RuleSpec
from tests.benchmarks.concept import DRIFTS, read_stream
from tests.quality_door.house import stamp, visiting
from tests.quality_door.rows import BINARY, MODEL, START

pytestmark = pytest.mark.acceptance

SINE = "lobo_sine_0123_abrupto_err_RF_train0_5000"
SEA = "lobo_sea_0123_abrupto_noise_0.2_err_RF_train0_5000"
BATCH, WINDOW = 5_000, 100
"""Rows of a body, and of a window."""
RULES = """
[models.alerting]
budget = "none"

[[models.rules]]
name = "concept"
metric = "loss_change"
above = 0.0
judge = "lower"

[[models.rules]]
name = "doubled"
metric = "loss_change"
above = 0.5
"""
"""The first one is the default rule: it holds for as long as the loss is above what it was at first."""


def episodes(configure, losses):
    """By rule: rows, by the windows that moved them, at which its alerts fired and were resolved (or None).

    A row's time is its number in seconds. Labels are posted before their predictions and wait for them, so that each
    is known as its prediction comes, whichever way the two streams take turns.
    """
    truth = [number % 2 for number in range(len(losses))]
    said = [abs(label - int(loss)) for label, loss in zip(truth, losses, strict=True)]
    path = configure(BINARY, rules=RULES, window=f"{{ rows = {WINDOW} }}", wait="1s")
    with visiting(path) as visitor:
        for begin in range(0, len(losses), BATCH):
            rows = range(begin, min(begin + BATCH, len(losses)))
            common = {"id": [f"r{row}" for row in rows], "time": [START + 1000 * row for row in rows]}
            labels = common | {"label": [truth[row] for row in rows]}
            predictions = common | {"prediction": [said[row] for row in rows], "features.x": [0.5] * len(rows)}
            for stream, columns in (("labels", labels), ("predictions", predictions)):
                answer = visitor.probe.request(
                    f"/v1/{stream}", json.dumps({"model": MODEL, "columns": columns}).encode()
                )
                assert answer.json() == {"accepted": len(rows), "rejected": []}
                sent = begin + len(rows)
                visitor.probe.wait(
                    lambda stream=stream, sent=sent: visitor.probe.metrics().results(stream=stream)["accepted"] == sent,
                    f"{sent} {stream}",
                )
        visitor.save()
        alerts = visitor.probe.listing("alerts")
    # The end of a window counted in rows is the time of its last row.
    rows = {stamp(START + 1000 * row): row for row in range(len(losses))}
    found = {"concept": [], "doubled": []}
    for alert in sorted(alerts, key=lambda alert: alert["started"]):
        begun = rows[alert["started"]] + WINDOW - 1
        found[alert["rule"]].append((begun, rows[alert["resolved"]] if alert["resolved"] else None))
    return found


def test_the_default_rule_is_tried():
    """What stands in RULES is what a model without rules has."""
    (rule,) = [rule for rule in default_rules("binary") if rule.name == "concept"]
    assert rule == RuleSpec.model_validate(tomllib.loads(RULES)["models"]["rules"][0])


def test_sine_drifts_are_told_within_200_rows(configure, shared):
    """The first rise fires; the fall to a loss that is still worse, and the next rise, move the rule between them."""
    found = episodes(configure, read_stream(shared, SINE))
    first, _, _ = DRIFTS["lobo"]
    ((begun, ended),) = found["concept"]
    assert 0 <= begun - first < 200
    assert ended is None
    (one, fallen), (two, last) = found["doubled"]
    assert [0 <= row - drift < 200 for row, drift in zip((one, fallen, two), DRIFTS["lobo"], strict=True)] == [True] * 3
    assert last is None


@pytest.mark.soak
def test_sea_is_quiet_before_its_first_drift(configure, shared):
    """SEA's drifts are hardly more than its noise: of three, one is told, and a slow rise that is none."""
    found = episodes(configure, read_stream(shared, SEA))
    assert all(begun >= DRIFTS["lobo"][0] for begun, _ in found["concept"])
    assert len(found["concept"]) <= len(DRIFTS["lobo"])
    assert found["doubled"] == []
