"""A service that is stopped and started again knows what labels said, and tells nobody twice."""

from driftwatch.daemon.service import wall_clock_ms
from tests.quality_door.house import visiting
from tests.quality_door.rows import BINARY, HOUR, START, flow
from tests.quality_door.test_alerting import RULE, flipped, hook, target, told

__all__ = ["hook", "target"]

KEPT = (
    "performance_value", "performance_lower", "performance_upper", "labels_total", "label_coverage_ratio",
    "label_delay_seconds_bucket", "label_delay_seconds_sum", "label_sampling_ratio", "alerts",
)  # fmt: skip


def shown(metrics):
    """What dashboards show of performance and labels."""
    return {name: sorted(map(repr, metrics.values(name))) for name in KEPT}


def test_metrics_stand_as_they_stood(configure):
    """Final, interim and estimated values, coverage, delays and counts are there before any event."""
    events = flow(BINARY, hours=6)
    path = configure(BINARY)
    with visiting(path) as visitor:
        visitor.live(events)
        # The next hour's first event: the last window has just been looked at, and no label has come since.
        visitor.predict([flow(BINARY, hours=7)[len(events)].prediction()])
        before = visitor.metrics()
    with visiting(path) as visitor:
        after = visitor.probe.metrics()
    assert {labels["stage"] for labels, _ in before.values("performance_value")} == {"interim", "final", "estimated"}
    assert shown(after) == shown(before)


def test_labels_go_on_where_they_were(configure):
    """Stopped between predictions and labels: they are joined, counted once, and windows become final."""
    events = flow(BINARY, hours=6)
    whole, parts = configure(BINARY, state="whole"), configure(BINARY, state="parts")
    with visiting(whole) as visitor:
        visitor.live(events)
        visitor.finish()
        wanted, metrics = visitor.probe.listing("reports"), visitor.metrics()
    for start in range(6):
        with visiting(parts) as visitor:
            begin = START + start * HOUR
            visitor.predict(event.prediction() for event in events if begin <= event.time_ms < begin + HOUR // 2)
            visitor.label(e.outcome() for e in events if begin <= e.time_ms + e.delay_ms < begin + HOUR // 2)
        with visiting(parts) as visitor:
            begin += HOUR // 2
            visitor.predict(event.prediction() for event in events if begin <= event.time_ms < begin + HOUR // 2)
            visitor.label(e.outcome() for e in events if begin <= e.time_ms + e.delay_ms < begin + HOUR // 2)
            if start == 5:
                visitor.finish()
                found, again = visitor.probe.listing("reports"), visitor.metrics()
    assert found == wanted
    for name in ("labels_total", "label_delay_seconds_bucket", "events_total"):
        assert sorted(map(repr, again.values(name))) == sorted(map(repr, metrics.values(name)))


def test_a_firing_alert_is_told_once(configure, hook, target):
    """Restarted while it fires: it stands in the metrics, nobody hears of it again, and its end is told once."""
    events = flipped(flow(BINARY, hours=9), range(2, 5))
    path = configure(BINARY, targets=target, rules=RULE.format(more=""))
    cut = START + 7 * HOUR
    with visiting(path, clock=wall_clock_ms) as visitor:
        visitor.live([event for event in events if event.time_ms < cut])
        assert [letter["type"] for letter in told(visitor, hook)] == ["driftwatch.retrain.requested"]
    with visiting(path, clock=wall_clock_ms) as visitor:
        assert visitor.probe.metrics().total("alerts", state="firing") == 1
        assert len(told(visitor, hook)) == 1
        visitor.live([event for event in events if event.time_ms >= cut], labels=events)
        visitor.finish()
        letters = told(visitor, hook)
        (alert,) = visitor.probe.listing("alerts")
    assert [letter["type"] for letter in letters] == [
        "driftwatch.retrain.requested", "driftwatch.alert.resolved", "driftwatch.incident.recovered",
    ]  # fmt: skip
    assert alert["state"] == "resolved"
