"""The service's own metrics."""

import os
import shutil
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from driftwatch.daemon.telemetry import Exposition, Gauges, LabelValues, Result, Telemetry
from driftwatch.ports.streams import SourceStatus
from driftwatch.sinks.attempts import Result as Attempt
from driftwatch.sinks.board import Board
from driftwatch.sinks.breaker import Circuit
from driftwatch.sinks.catalogue import Metric
from driftwatch.sinks.prometheus import BoardCollector
from driftwatch.stream.raw import Stream
from driftwatch.stream.reject import Reject

NOW_MS = 1_767_607_200_000
VALUES = LabelValues(
    models=["fraud"],
    sources=["kafka", "http"],
    rejects=list(Reject),
    targets=["retrain"],
)


DELIVERIES = {("retrain", Attempt.TIMEOUT): 1, ("retrain", Attempt.DELIVERED): 0}


def telemetry(*statuses: SourceStatus) -> Telemetry:
    return Telemetry(
        VALUES,
        gauges=Gauges(
            queue_records=lambda: 3, queue_capacity_records=64, sources=lambda: statuses, deliveries=lambda: DELIVERIES
        ),
        clock=lambda: NOW_MS,
        version="1.2.3",
    )


def scrape(subject: Telemetry) -> dict[tuple[str, tuple[str, ...]], float]:
    """By name without prefix and label values in the order of the form; histograms by their labels as they stand."""
    order = {metric.full_name: metric.value.labels for metric in Metric}
    return {
        (
            sample.name.removeprefix("driftwatch_"),
            tuple(sample.labels[name] for name in order.get(sample.name, sorted(sample.labels))),
        ): sample.value
        for family in parse_text(Exposition([subject]).render(openmetrics=False).decode())
        for sample in family.samples
    }


def test_every_closed_label_value_is_there_from_the_start():
    """Rates and alerts work from the first scrape: all is 0, also for events whose model is not known."""
    seen = scrape(telemetry())

    assert {labels for name, labels in seen if name == "events_total"} == {
        (model, stream, source, result)
        for model in ("", "fraud")
        for stream in ("predictions", "labels")
        for source in ("kafka", "http")
        for result in ("accepted", "late", "duplicate", "rejected")
    }
    assert {labels for name, labels in seen if name == "events_rejected_total"} == {
        (model, stream, reason.value)
        for model in ("", "fraud")
        for stream in ("predictions", "labels")
        for reason in Reject
    }
    assert [labels[0] for name, labels in seen if name == "build_info"] == ["1.2.3"]
    assert {labels for name, labels in seen if name == "deliveries_total"} == {
        ("retrain", "delivered"),
        ("retrain", "timeout"),
    }
    assert {name for (name, _), value in seen.items() if value} == {
        "queue_records", "queue_capacity_records", "config_reload_success", "build_info", "deliveries_total",
    }  # fmt: skip


def test_rejected_events_are_in_both_counters():
    """The law of conservation can be checked from outside: results add up, and reasons add up to the rejected."""
    subject = telemetry()

    subject.events("fraud", Stream.PREDICTIONS, source="http", result=Result.ACCEPTED, count=5)
    subject.rejected("fraud", Stream.PREDICTIONS, source="http", reason=Reject.BAD_TIME, count=2)
    seen = scrape(subject)

    assert seen["events_total", ("fraud", "predictions", "http", "accepted")] == 5
    assert seen["events_total", ("fraud", "predictions", "http", "rejected")] == 2
    assert seen["events_rejected_total", ("fraud", "predictions", "bad_time")] == 2


def test_a_model_out_of_a_payload_is_no_label():
    """Whoever sends events cannot make series: a model that is not configured counts as not known."""
    subject = telemetry()

    subject.rejected("evil-1", Stream.LABELS, source="kafka", reason=Reject.UNKNOWN_MODEL)
    seen = scrape(subject)

    assert seen["events_rejected_total", ("", "labels", "unknown_model")] == 1
    assert not any("evil-1" in labels for _, labels in seen)


def test_an_unknown_reason_is_a_bug():
    """The enums are closed."""
    with pytest.raises(KeyError):
        telemetry().rejected("fraud", Stream.LABELS, source="http", reason="because")


def test_counts_survive_a_restart():
    """What was saved with the state goes on; label values that are gone are left out."""
    first, second = telemetry(), telemetry()
    first.events("fraud", Stream.LABELS, source="kafka", result=Result.LATE, count=7)
    first.rejected("fraud", Stream.LABELS, source="kafka", reason=Reject.BAD_ID)

    second.restore(first.saved())
    fewer = Telemetry(
        LabelValues(models=[], sources=["http"], rejects=[], targets=[]),
        gauges=Gauges(queue_records=lambda: 0, queue_capacity_records=1, sources=list, deliveries=dict),
        clock=lambda: NOW_MS,
        version="1.2.3",
    )
    fewer.restore(first.saved())

    assert scrape(second) == scrape(first)
    assert not any(value for (name, _), value in scrape(fewer).items() if name == "events_total")


def test_nothing_saved_is_nothing_restored():
    """The first start has empty bytes."""
    subject = telemetry()
    subject.restore(b"")

    assert scrape(subject) == scrape(telemetry())


def test_checkpoints_are_timed():
    """Durations fall in their buckets, bounds included; the last success and the failures show."""
    subject = telemetry()
    for seconds in (0.001, 0.005, 0.3, 60):
        subject.checkpoint(seconds=seconds, saved_ms=NOW_MS)
    subject.checkpoint_failed()
    seen = scrape(subject)

    buckets = {
        labels[0]: value for (name, labels), value in seen.items() if name == "checkpoint_duration_seconds_bucket"
    }
    assert (buckets["0.005"], buckets["0.25"], buckets["0.5"], buckets["10"], buckets["+Inf"]) == (2, 2, 3, 3, 4)
    assert seen["checkpoint_duration_seconds_count", ()] == 4
    assert seen["checkpoint_duration_seconds_sum", ()] == pytest.approx(60.306)
    assert seen["checkpoint_last_success_timestamp_seconds", ()] == NOW_MS / 1000
    assert seen["checkpoint_failures_total", ()] == 1


def test_letters_show_their_age():
    """Pending and dead by target; the oldest pending one counts from its creation."""
    subject = telemetry()
    subject.outbox({"retrain": (2, 1, NOW_MS - 90_500)})
    seen = scrape(subject)

    assert seen["deliveries_total", ("retrain", "timeout")] == 1
    assert seen["deliveries_pending", ("retrain",)] == 2
    assert seen["dead_letters", ("retrain",)] == 1
    assert seen["delivery_oldest_pending_seconds", ("retrain",)] == 90.5

    subject.outbox({"retrain": (0, 1, 0)})

    assert scrape(subject)["delivery_oldest_pending_seconds", ("retrain",)] == 0


def test_two_clusters_share_a_topic_name():
    """A series stands only once in an exposition: lags add up, and one paused partition is enough."""
    subject = telemetry(
        SourceStatus(
            ready=True, lag_records={("events", 0): 5, ("events", 1): 1}, paused={("events", 0): True}, reconnects=2
        ),
        SourceStatus(ready=True, lag_records={("events", 0): 7}, paused={("events", 0): False}, reconnects=1),
    )
    seen = scrape(subject)

    assert seen["kafka_lag_records", ("events", "0")] == 12
    assert seen["kafka_lag_records", ("events", "1")] == 1
    assert seen["kafka_paused", ("events", "0")] == 1
    assert seen["kafka_reconnects_total", ()] == 3


def test_a_failed_reload_shows():
    """A bad file changes nothing, and this says that it was there."""
    subject = telemetry()
    subject.config_loaded(success=False)

    assert scrape(subject)["config_reload_success", ()] == 0


def test_the_whole_exposition_is_complete_and_clean():
    """Every metric of the table is declared exactly once over both collectors, and promtool has no complaint."""
    status = SourceStatus(ready=True, lag_records={("events", 0): 5}, paused={("events", 0): False})
    board = BoardCollector(Board(), rules={"fraud": {"drift": "warning"}}, max_series=100)
    subject = telemetry(status)
    exposition = Exposition([board, subject])
    text = exposition.render(openmetrics=False)

    declared = [family.name for collector in (board, subject) for family in collector.describe()]
    assert sorted(declared) == sorted(metric.family().name for metric in Metric)
    assert list(parse_openmetrics(exposition.render(openmetrics=True).decode()))
    promtool = shutil.which("promtool")
    if promtool is None:
        assert not os.environ.get("CI"), "CI must have promtool (Debian package prometheus)"
        pytest.skip("promtool is not installed (Debian package prometheus)")
    ran = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")


def test_circuits() -> None:
    """The state of each target's circuit is a number: 0 closed, 1 half-open, 2 open."""
    subject = Telemetry(
        VALUES,
        gauges=Gauges(
            queue_records=lambda: 0, queue_capacity_records=1, sources=list, deliveries=dict,
            circuits=lambda: {"retrain": Circuit.OPEN, "page": Circuit.CLOSED},
        ),
        clock=lambda: NOW_MS,
        version="1.2.3",
    )  # fmt: skip
    seen = scrape(subject)

    assert (seen["target_circuit_state", ("retrain",)], seen["target_circuit_state", ("page",)]) == (2, 0)
