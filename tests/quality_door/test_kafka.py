"""Predictions and labels over a real Kafka, each from a topic of its own."""

from collections.abc import Sequence

import pytest

from tests.quality_door.house import readings, visiting
from tests.quality_door.rows import BINARY, HOUR, START, flow
from tests.quality_door.test_performance import assert_exact


@pytest.mark.kafka
def test_two_topics_make_one_performance(configure, kafka):
    """Labels are joined, windows become final, and each stream's events are counted as its own."""
    topics = {"predictions": kafka.topic(), "labels": kafka.topic()}
    source = (
        f'[[sources]]\ntype = "kafka"\nbrokers = ["{kafka.bootstrap}"]\ngroup = "{topics["labels"]}"\n'
        f'predictions = ["{topics["predictions"]}"]\nlabels = ["{topics["labels"]}"]\n'
    )

    def send(stream: str, lines: Sequence[bytes]) -> None:
        kafka.produce(topics[stream], lines)

    events = flow(BINARY, hours=5)
    first = [event.row for event in events if event.time_ms < START + HOUR]
    with visiting(configure(BINARY, sources=source), send=send) as visitor:
        visitor.live(events[:450])
        early = visitor.report(START)
        visitor.live(events[450:], labels=events)
        report, metrics = visitor.report(START), visitor.metrics()
    assert (early["window"]["stage"], report["window"]["stage"]) == ("interim", "final")
    assert early["revision"] < report["revision"]
    assert_exact(readings(report, "performance"), BINARY.exact(first))
    came = sum(event.time_ms + event.delay_ms < START + 5 * HOUR for event in events)
    assert metrics.results(source="kafka", stream="predictions")["accepted"] == len(events)
    assert metrics.results(source="kafka", stream="labels")["accepted"] == came
    assert metrics.total("labels_total", result="matched") == came
