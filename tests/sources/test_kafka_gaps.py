"""Where records are gone before they could be read: counted, logged, never silent."""

import pytest
from structlog.testing import capture_logs

from tests.fakes import FakeInlet
from tests.sources.rigs import numbered, offsets

pytestmark = pytest.mark.kafka


def test_passed_retention_is_counted(kafka, start):
    """When retention has passed a saved position, reading goes on at the first record there is, and says so once."""
    topic, inlet = kafka.topic(), FakeInlet()
    kafka.produce(topic, numbered(0, 10))
    kafka.delete_records(topic, before=7)
    with capture_logs() as logs:
        source = start(kafka.bootstrap, inlet, {f"kafka/{topic}/0": 3}, predictions=[topic])
        inlet.wait_records(3)
    assert inlet.records() == numbered(7, 10)
    inlet.wait(lambda: source.status().gap_records == 4, "the gap to be counted")
    gaps = [
        {key: entry[key] for key in ("partition", "wanted", "found")} for entry in logs if entry["log_level"] == "error"
    ]
    assert gaps == [{"partition": f"kafka/{topic}/0", "wanted": 3, "found": 7}]


def test_retention_passes_while_paused(kafka, start):
    """The same when records go while the source is held up by a full queue."""
    topic, inlet = kafka.topic(), FakeInlet()
    kafka.produce(topic, numbered(0, 2))
    source = start(kafka.bootstrap, inlet, predictions=[topic], max_partition_fetch_bytes=1)
    inlet.wait_records(2)
    inlet.fill()
    kafka.produce(topic, numbered(2, 3))
    inlet.wait(lambda: source.status().paused == {(topic, 0): True}, "the pause")
    for record in numbered(3, 20):
        kafka.produce(topic, [record])
    kafka.delete_records(topic, before=15)
    inlet.drain()
    inlet.wait(lambda: offsets(inlet) == {f"kafka/{topic}/0": 20}, "the end of the log")
    got = inlet.records()
    assert got == sorted(set(got), key=numbered(0, 20).index)
    assert got[:3] + got[-5:] == numbered(0, 3) + numbered(15, 20)
    inlet.wait(lambda: len(got) + source.status().gap_records == 20, "the gap to be counted")


def test_position_beyond_the_end(kafka, start):
    """A position behind the log's end, as after truncation, goes on at the end: nothing is read twice."""
    topic, inlet = kafka.topic(), FakeInlet()
    kafka.produce(topic, numbered(0, 3))
    with capture_logs() as logs:
        source = start(kafka.bootstrap, inlet, {f"kafka/{topic}/0": 50}, predictions=[topic])
        inlet.wait(lambda: offsets(inlet) == {f"kafka/{topic}/0": 3}, "the position")
    kafka.produce(topic, numbered(3, 4))
    inlet.wait_records(1)
    assert inlet.records() == numbered(3, 4)
    assert [entry["found"] for entry in logs if entry["event"] == "kafka_position_out_of_range"] == [3]
    assert source.status().warning == f"the log ended before our position: kafka/{topic}/0"


@pytest.mark.parametrize("count", [3, 80])
def test_a_broker_that_lost_its_disk(own_broker, start, count):
    """A log that begins anew under the same topic, shorter or longer than our position, is said to have ended early.

    What was written to it before the loss was seen cannot be told from what was counted: it is not read again.
    """
    from tests.servers.cluster import Cluster  # noqa: PLC0415 - loads kafka-python

    own_broker.start()
    cluster = Cluster(own_broker.bootstrap)
    cluster.topic(name="t")
    cluster.produce("t", numbered(0, 50))
    inlet = FakeInlet()
    source = start(own_broker.bootstrap, inlet, predictions=["t"])
    inlet.wait_records(50)
    cluster.close()
    own_broker.stop(kill=True)
    own_broker.lose("t")
    own_broker.start()
    cluster = Cluster(own_broker.bootstrap)
    try:
        cluster.produce("t", numbered(100, 100 + count))
        ended = "the log ended before our position: kafka/t/0"
        inlet.wait(lambda: source.status().warning == ended, "the loss to be seen")
        cluster.produce("t", numbered(200, 205))
        inlet.wait(lambda: offsets(inlet) == {"kafka/t/0": count + 5}, "the end of the log")
    finally:
        cluster.close()
    got = inlet.records()
    assert got[:50] == numbered(0, 50)
    assert got[-5:] == numbered(200, 205)
    assert len(set(got)) == len(got)


def test_begins_where_retention_has_passed(kafka, start):
    """A partition whose first records are gone, read without a saved position, has lost us nothing."""
    topic, inlet = kafka.topic(), FakeInlet()
    kafka.produce(topic, numbered(0, 5))
    kafka.delete_records(topic, before=2)
    source = start(kafka.bootstrap, inlet, predictions=[topic])
    inlet.wait_records(3)
    assert inlet.records() == numbered(2, 5)
    inlet.wait(lambda: source.status().ready, "the source to be ready")
    assert source.status().gap_records == 0
