"""What Kafka does that other sources cannot: transactions, tombstones, retention, growth, absence."""

import time

import pytest

from driftwatch.stream.raw import Stream
from tests.fakes import FakeInlet
from tests.servers.broker import free_ports
from tests.sources.rigs import RECEIVED_MS, numbered, offsets

pytestmark = pytest.mark.kafka
STOP_SECONDS = 6.0


def test_aborted_transactions_are_not_read(kafka, start):
    """Only committed records come, and the position goes beyond the marks that end the transactions."""
    topic, inlet = kafka.topic(), FakeInlet()
    kafka.transaction(topic, [b"no"], commit=False)
    kafka.transaction(topic, [b"1", b"2"], commit=True)
    kafka.transaction(topic, [b"never"], commit=False)
    source = start(kafka.bootstrap, inlet, predictions=[topic])
    # 1 + 2 + 1 records and a mark behind each transaction.
    inlet.wait(lambda: offsets(inlet) == {f"kafka/{topic}/0": 7}, "the end of the log")
    assert inlet.records() == [b"1", b"2"]
    inlet.wait(lambda: source.status().lag_records == {(topic, 0): 0}, "the lag to be gone")


def test_resumes_between_transactions(kafka, start):
    """A position behind a transaction's mark is a good place to go on."""
    topic, inlet = kafka.topic(), FakeInlet()
    kafka.transaction(topic, [b"1"], commit=True)
    source = start(kafka.bootstrap, inlet, predictions=[topic])
    inlet.wait(lambda: offsets(inlet) == {f"kafka/{topic}/0": 2}, "the end of the log")
    source.stop()
    kafka.transaction(topic, [b"2"], commit=True)
    later = FakeInlet()
    start(kafka.bootstrap, later, inlet.positions(), predictions=[topic])
    later.wait_records(1)
    assert later.records() == [b"2"]


def test_tombstones_only_move_the_position(kafka, start):
    """A record without a value is no event, but it is done."""
    topic, inlet = kafka.topic(), FakeInlet()
    kafka.produce(topic, [None, b"1", None, None])
    start(kafka.bootstrap, inlet, predictions=[topic])
    inlet.wait(lambda: offsets(inlet) == {f"kafka/{topic}/0": 4}, "the end of the log")
    assert inlet.records() == [b"1"]


def test_only_tombstones(kafka, start):
    """Even when nothing remains the position moves, so that they are not read again."""
    topic, inlet = kafka.topic(), FakeInlet()
    kafka.produce(topic, [None, None])
    start(kafka.bootstrap, inlet, predictions=[topic])
    inlet.wait(lambda: offsets(inlet) == {f"kafka/{topic}/0": 2}, "the end of the log")
    assert inlet.records() == []


def test_timestamps_belong_to_their_records(kafka, start):
    """Each record carries its own timestamp, also beside tombstones; keys and headers do no harm."""
    topic, inlet = kafka.topic(), FakeInlet()
    kafka.produce(topic, [b"1", None], timestamp_ms=1_700_000_000_001)
    kafka.produce(topic, [b"2"], timestamp_ms=1_700_000_000_002, key=b"k", headers=[("h", b"v")])
    start(kafka.bootstrap, inlet, predictions=[topic])
    inlet.wait_records(2)
    times = [time_ms for raw in inlet.raws for time_ms in raw.timestamps_ms]
    assert times == [1_700_000_000_001, 1_700_000_000_002]
    assert {raw.received_ms for raw in inlet.raws} == {RECEIVED_MS}


def test_partitions_keep_their_order(kafka, start):
    """Records of several partitions come each in its partition's order, under its own name."""
    topic, inlet = kafka.topic(partitions=3), FakeInlet()
    for partition in range(3):
        kafka.produce(topic, numbered(partition * 100, partition * 100 + 100), partition=partition)
    start(kafka.bootstrap, inlet, labels=[topic])
    inlet.wait_records(300)
    for partition in range(3):
        assert inlet.records(f"kafka/{topic}/{partition}") == numbered(partition * 100, partition * 100 + 100)
    assert {raw.stream for raw in inlet.raws} == {Stream.LABELS}


def test_new_partition_is_found(kafka, start):
    """A partition that is added later is announced and read from its beginning."""
    topic, inlet = kafka.topic(), FakeInlet()
    kafka.produce(topic, [b"1"])
    start(kafka.bootstrap, inlet, predictions=[topic])
    inlet.wait_records(1)
    kafka.add_partitions(topic, total=2)
    kafka.produce(topic, [b"2"], partition=1)
    inlet.wait_records(2)
    assert inlet.records(f"kafka/{topic}/1") == [b"2"]
    assert inlet.announced == [f"kafka/{topic}/0", f"kafka/{topic}/1"]
    assert inlet.early == []


def test_missing_topic_is_waited_for(kafka, start):
    """A topic that does not exist is named by the status, holds up no other topic, and is read once it is there."""
    topic, missing, inlet = kafka.topic(), f"later-{time.monotonic_ns()}", FakeInlet()
    kafka.produce(topic, [b"1"])
    source = start(kafka.bootstrap, inlet, predictions=[topic], labels=[missing])
    inlet.wait_records(1)
    inlet.wait(lambda: source.status().error == f"no such topic: {missing}", "the error")
    assert not source.status().ready
    kafka.topic(name=missing)
    kafka.produce(missing, [b"2"])
    inlet.wait_records(2)
    inlet.wait(lambda: source.status().ready, "the source to be ready")


def test_lag_and_pause_are_shown(kafka, start):
    """While the queue is full the partition is paused and its lag grows with what is written."""
    topic, inlet = kafka.topic(), FakeInlet(full=True)
    kafka.produce(topic, numbered(0, 5))
    source = start(kafka.bootstrap, inlet, predictions=[topic])
    inlet.wait(lambda: source.status().paused == {(topic, 0): True}, "the pause")
    kafka.produce(topic, numbered(5, 12))
    inlet.wait(lambda: source.status().lag_records == {(topic, 0): 12}, "the lag")
    inlet.drain()
    inlet.wait(lambda: source.status().paused == {(topic, 0): False}, "the pause to end")
    inlet.wait(lambda: source.status().lag_records == {(topic, 0): 0}, "the lag to be gone")


def test_group_offsets_are_never_read_back(kafka, start):
    """Whatever the group has committed, a source without saved positions begins at the beginning."""
    topic, inlet, later = kafka.topic(), FakeInlet(), FakeInlet()
    kafka.produce(topic, numbered(0, 5))
    source = start(kafka.bootstrap, inlet, predictions=[topic], group=f"group-{topic}")
    inlet.wait_records(5)
    source.commit(inlet.positions())
    source.stop()
    assert kafka.committed(f"group-{topic}") == {(topic, 0): 5}
    start(kafka.bootstrap, later, predictions=[topic], group=f"group-{topic}")
    later.wait_records(5)
    assert later.records() == numbered(0, 5)


def test_stops_although_no_broker_answers(start):
    """A source that waits for brokers that never come is not ready, says why, and stops soon."""
    (port,) = free_ports(1)
    inlet = FakeInlet()
    source = start(f"127.0.0.1:{port}", inlet, predictions=["t"])
    assert not source.status().ready
    assert f"127.0.0.1:{port}" in source.status().error
    began = time.monotonic()
    source.stop()
    assert time.monotonic() - began < STOP_SECONDS


def test_broker_comes_goes_and_returns(own_broker, start):
    """Not ready before the broker is there and after it is killed; every record comes once, in order, all the same."""
    from tests.servers.cluster import Cluster  # noqa: PLC0415 - loads kafka-python

    inlet = FakeInlet()
    source = start(own_broker.bootstrap, inlet, predictions=["t"])
    assert not source.status().ready
    own_broker.start()
    cluster = Cluster(own_broker.bootstrap)
    cluster.topic(name="t")
    cluster.produce("t", numbered(0, 50))
    inlet.wait_records(50)
    inlet.wait(lambda: source.status().ready, "the source to be ready")
    cluster.close()
    own_broker.stop(kill=True)
    inlet.wait(lambda: not source.status().ready, "the loss to be seen")
    assert own_broker.bootstrap in source.status().error
    own_broker.start()
    cluster = Cluster(own_broker.bootstrap)
    cluster.produce("t", numbered(50, 100))
    inlet.wait_records(100)
    assert inlet.records() == numbered(0, 100)
    inlet.wait(lambda: source.status().ready and source.status().reconnects == 1, "the reconnection")
    cluster.close()
    own_broker.stop(kill=True)
    began = time.monotonic()
    source.stop()
    assert time.monotonic() - began < STOP_SECONDS
