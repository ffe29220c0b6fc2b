"""From events that drift to a signed request for retraining, and back to quiet."""

import pytest

from driftwatch.daemon.service import wall_clock_ms
from tests.receiver import Received, Receiver
from tests.scenarios import events, world
from tests.scenarios.probe import WAIT_SECONDS, Probe, post_all, running

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RULE = """
[models.alerting]
budget = "none"

[[models.rules]]
name = "shift"
statistic = "psi"
columns = ["amount"]
above = 0.25
for = 2
min_rows = 50
severity = "critical"
action = "retrain"
"""
HOURS, DRIFTED = 8, range(3, 6)
LINES = events.calm_then_drifted(hours=HOURS, drifted=DRIFTED)
AN_HOUR = len(LINES) // HOURS


@pytest.fixture
def hook(tmp_path):
    """Whoever trains models, and the secret that both know."""
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def target(hook, tmp_path):
    """Its table in the configuration."""
    return world.webhook(hook.url, tmp_path / "secret", actions=["retrain", "notify"])


@pytest.fixture
def service(configure, target):
    """A service that asks for retraining; its clock is right, for signatures grow old."""
    with running(configure(targets=target, rules=RULE), clock=wall_clock_ms) as (service, probe):
        yield service, probe


def send(probe: Probe, hours: range) -> None:
    """Post these hours of the stream."""
    post_all(probe, events.portions(LINES[hours.start * AN_HOUR : hours.stop * AN_HOUR]))


def only_alert(probe: Probe) -> dict:
    """The one alert that there is."""
    (alert,) = probe.listing("alerts")
    return alert


def quiet(service, probe: Probe, hook: Receiver, events_sent: int) -> list[Received]:
    """Everything that was received once all events are counted and nothing waits to be sent."""
    probe.wait_counted(events_sent)
    probe.wait(lambda: service.letters_waiting() == 0, "the outbox to be empty")
    return hook.wait(0)


def test_drift_asks_for_retraining_once_and_its_end_is_told(service, hook):
    """Calm hours say nothing; drift sends exactly one request, signed as the standard says; recovery resolves it."""
    running_service, probe = service
    send(probe, range(DRIFTED.start))
    assert quiet(running_service, probe, hook, DRIFTED.start * AN_HOUR) == []
    assert probe.listing("alerts") == []

    send(probe, DRIFTED)
    probe.wait(lambda: bool(probe.listing("alerts")) and only_alert(probe)["state"] == "firing", "the alert to fire")
    (request,) = quiet(running_service, probe, hook, DRIFTED.stop * AN_HOUR)
    document = request.verified(SECRET)
    data = document["data"]
    assert document["type"] == "driftwatch.retrain.requested"
    assert (data["model"], data["version"], data["alert"]["rule"], data["alert"]["state"]) == (
        events.MODEL, "1", "shift", "firing",
    )  # fmt: skip
    assert data["alert"]["id"] == only_alert(probe)["id"]
    evidence = data["evidence"][0]
    assert (evidence["column"], evidence["statistic"], evidence["threshold"]) == ("amount", "psi", 0.25)
    assert evidence["value"] > 0.25
    metrics = probe.metrics()
    assert metrics.values("alerts", state="firing", severity="critical", model=events.MODEL)[0][1] == 1
    assert metrics.total("deliveries_total", target="trainer", result="delivered") == 1
    assert metrics.values("drift_state", column="amount")[0][1] == 2

    send(probe, range(DRIFTED.stop, HOURS))
    probe.wait(lambda: only_alert(probe)["state"] == "resolved", "the alert to be resolved")
    first, second = quiet(running_service, probe, hook, len(LINES))
    told = second.verified(SECRET)
    assert told["type"] == "driftwatch.alert.resolved"
    assert told["data"]["alert"]["id"] == data["alert"]["id"]
    assert first.headers["webhook-id"] != second.headers["webhook-id"]
    assert probe.metrics().total("alerts", state="firing") == 0
    assert probe.metrics().values("drift_state", column="amount")[0][1] == 0


def test_the_outbox_is_listed_with_what_became_of_each_webhook(service, hook):
    """The deliveries that the API lists are the webhooks that were received."""
    running_service, probe = service
    send(probe, range(HOURS))
    received = quiet(running_service, probe, hook, len(LINES))
    deliveries = probe.listing("deliveries")
    assert {delivery["id"] for delivery in deliveries} == {request.headers["webhook-id"] for request in received}
    assert {(delivery["state"], delivery["attempts"]) for delivery in deliveries} == {("delivered", 1)}


def test_without_any_rule_all_columns_that_drift_make_one_webhook(configure, hook, target):
    """Nobody wrote a threshold: calm hours say nothing, a drift is told once with what moved, and its end is told."""
    with running(configure(targets=target, rules=""), clock=wall_clock_ms) as (service, probe):
        send(probe, range(HOURS))
        probe.wait_counted(len(LINES))
        assert service.finish(timeout_seconds=WAIT_SECONDS)
        told = [request.verified(SECRET) for request in quiet(service, probe, hook, len(LINES))]
        alarmed = [report["window"]["start"] for report in probe.listing("reports") if report["alerts"]]
    assert min(alarmed) == "2026-01-05T02:30:00Z", "the first window that has drifted rows"
    # A check of data quality fires beside it: a column that has drifted so far is out of its range, too.
    letters = [
        letter for letter in told if letter["data"]["alert"]["rule"] == "drift" and "incident" not in letter["data"]
    ]
    first, *ends = [letter["type"] for letter in letters]
    assert (first, set(ends)) == ("driftwatch.alert.firing", {"driftwatch.alert.resolved"})
    data = letters[0]["data"]
    assert data["window"]["start"] == "2026-01-05T02:30:00Z"
    assert {each["column"] for each in data["alerts"]} == {"amount", "country"}
    effect = data["evidence"][0]
    assert (effect["column"], effect["statistic"], effect["threshold"]) == (data["alerts"][0]["column"], "tv", 0.05)
    assert effect["lower"] > 0.05
    ended = [each["column"] for letter in letters[1:] for each in letter["data"]["alerts"]]
    assert sorted(ended) == ["amount", "country"]
