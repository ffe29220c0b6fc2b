"""What Kafka does that other sources cannot: transactions, tombstones, retention, growth, absence."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from driftwatch.ports import Source
from driftwatch.sources.kafka import KafkaSource, KafkaSpec
from driftwatch.stream.raw import Stream
from tests.fakes import FakeInlet
from tests.servers.broker import PASSWORD, USER, free_ports
from tests.sources.rigs import RECEIVED_MS, numbered

pytestmark = pytest.mark.kafka
STOP_SECONDS = 6.0


def offsets(inlet: FakeInlet) -> dict[str, int]:
    """The positions of partitions, without the numbers that stand for topics."""
    return {name: at for name, at in inlet.positions().items() if name.count("/") == 2}


@pytest.fixture
def start() -> Iterator:
    """Start a source on topics of a broker; whatever was started is stopped at the end."""
    started: list[Source] = []

    def start(bootstrap: str, inlet: FakeInlet, positions: dict[str, int] | None = None, **options: Any) -> Source:
        spec = KafkaSpec(type="kafka", brokers=[bootstrap], **({"discover": "200ms"} | options))
        started.append(KafkaSource(spec, clock=lambda: RECEIVED_MS))
        started[-1].start(inlet, positions or {})
        return started[-1]

    yield start
    while started:
        started.pop().stop()


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
        start(kafka.bootstrap, inlet, {f"kafka/{topic}/0": 50}, predictions=[topic])
        inlet.wait(lambda: offsets(inlet) == {f"kafka/{topic}/0": 3}, "the position")
    kafka.produce(topic, numbered(3, 4))
    inlet.wait_records(1)
    assert inlet.records() == numbered(3, 4)
    assert [entry["found"] for entry in logs if entry["event"] == "kafka_position_out_of_range"] == [3]


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


def test_reads_with_a_password_over_tls(own_broker, start, tmp_path):
    """Both mechanisms are let in over TLS; a wrong password is named by the status, and the right one then serves."""
    from tests.servers.cluster import Cluster  # noqa: PLC0415 - loads kafka-python

    own_broker.start()
    cluster = Cluster(own_broker.bootstrap)
    cluster.topic(name="t")
    cluster.produce("t", numbered(0, 3))
    cluster.close()
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    security = {"protocol": "SASL_SSL", "username": USER, "ca_file": str(own_broker.certificate)}
    for mechanism in ("PLAIN", "SCRAM-SHA-512"):
        inlet = FakeInlet()
        secured = security | {"mechanism": mechanism, "password_file": str(password)}
        start(own_broker.secure, inlet, predictions=["t"], security=secured)
        inlet.wait_records(3)
    inlet = FakeInlet()
    password.write_text("wrong")
    source = start(own_broker.secure, inlet, predictions=["t"], security=secured)
    inlet.wait(lambda: "Authentication failed" in source.status().error, "the refusal")
    assert not source.status().ready
    assert "wrong" not in source.status().error
    password.write_text(PASSWORD)
    inlet.wait_records(3)


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
