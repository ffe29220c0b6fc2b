"""Topics that are deleted and made again, and logs that end before they did."""

import pytest
from structlog.testing import capture_logs

from tests.fakes import FakeInlet
from tests.sources.rigs import numbered, offsets

pytestmark = pytest.mark.kafka


def test_made_again_while_down(kafka, start):
    """The saved positions are those of a topic that is gone: the new one is read from its beginning, once."""
    topic, inlet, later, last = kafka.topic(partitions=2), FakeInlet(), FakeInlet(), FakeInlet()
    kafka.produce(topic, numbered(0, 5))
    source = start(kafka.bootstrap, inlet, predictions=[topic])
    inlet.wait_records(5)
    inlet.wait(lambda: len(inlet.positions()) >= 2, "the positions")
    source.stop()
    kafka.recreate(topic)
    kafka.produce(topic, numbered(100, 108))
    with capture_logs() as logs:
        source = start(kafka.bootstrap, later, inlet.positions(), predictions=[topic])
        later.wait_records(8)
    assert later.records() == numbered(100, 108)
    assert [entry["log_level"] for entry in logs if entry["event"] == "kafka_topic_recreated"] == ["error"]
    later.wait(lambda: source.status().ready, "the source to be ready")
    assert source.status().warning == f"deleted and made again, so read from the beginning: {topic}"
    # Positions of partitions that do not exist yet must not outlive the topic they were of.
    assert offsets(later)[f"kafka/{topic}/0"] == 8
    source.stop()
    kafka.produce(topic, numbered(108, 110))
    source = start(kafka.bootstrap, last, inlet.positions() | later.positions(), predictions=[topic])
    last.wait_records(2)
    assert last.records() == numbered(108, 110)
    assert source.status().warning == ""


def test_positions_are_void_before_the_new_topic_is_known(kafka, start):
    """Saved at any moment in between, the state still says that the topic has changed, or that nothing was read."""
    topic, inlet, later = kafka.topic(), FakeInlet(), FakeInlet()
    kafka.produce(topic, numbered(0, 5))
    source = start(kafka.bootstrap, inlet, predictions=[topic])
    inlet.wait_records(5)
    source.stop()
    kafka.recreate(topic)
    kafka.produce(topic, numbered(10, 17))
    source = start(kafka.bootstrap, later, inlet.positions(), predictions=[topic])
    later.wait_records(7)
    source.stop()
    saved = inlet.positions()
    for raw in [None, *later.raws]:
        if raw is not None:
            saved[raw.partition] = raw.position
        if raw is not None and raw.records:
            break
        again = FakeInlet()
        source = start(kafka.bootstrap, again, saved, predictions=[topic])
        again.wait_records(7)
        source.stop()
        assert again.records() == numbered(10, 17)


@pytest.mark.parametrize("count", [3, 30])
def test_made_again_while_running(kafka, start, count):
    """Whether the new log is shorter or longer than our position, all of it comes, once and in order."""
    topic, calm, inlet = kafka.topic(), kafka.topic(), FakeInlet()
    kafka.produce(topic, numbered(0, 10))
    source = start(kafka.bootstrap, inlet, predictions=[topic], labels=[calm])
    inlet.wait_records(10)
    kafka.produce(calm, numbered(0, 4))
    with capture_logs() as logs:
        kafka.recreate(topic)
        kafka.produce(topic, numbered(100, 100 + count))
        inlet.wait_records(14 + count)
        inlet.wait(lambda: offsets(inlet) == {f"kafka/{topic}/0": count, f"kafka/{calm}/0": 4}, "the positions")
    assert inlet.records(f"kafka/{topic}/0") == numbered(0, 10) + numbered(100, 100 + count)
    assert inlet.records(f"kafka/{calm}/0") == numbered(0, 4)
    assert [entry["log_level"] for entry in logs if entry["event"] == "kafka_topic_recreated"] == ["error"]
    inlet.wait(lambda: source.status().ready, "the source to be ready")


def test_deleted_topic_is_named(kafka, start):
    """A topic that disappears is said to be missing; the others are read on."""
    topic, calm, inlet = kafka.topic(), kafka.topic(), FakeInlet()
    kafka.produce(topic, numbered(0, 3))
    source = start(kafka.bootstrap, inlet, predictions=[topic], labels=[calm])
    inlet.wait_records(3)
    kafka.delete(topic)
    inlet.wait(lambda: source.status().error == f"no such topic: {topic}", "the loss to be seen")
    kafka.produce(calm, numbered(0, 4))
    inlet.wait_records(7)


def test_fewer_partitions_than_before(kafka, start):
    """A partition that comes back later is not read from the position of the one that is gone."""
    topic, inlet, later = kafka.topic(partitions=2), FakeInlet(), FakeInlet()
    kafka.produce(topic, numbered(0, 5), partition=1)
    source = start(kafka.bootstrap, inlet, predictions=[topic])
    inlet.wait_records(5)
    source.stop()
    kafka.recreate(topic, partitions=1)
    source = start(kafka.bootstrap, later, inlet.positions(), predictions=[topic])
    later.wait(lambda: source.status().ready, "the source to be ready")
    source.stop()
    kafka.add_partitions(topic, total=2)
    kafka.produce(topic, numbered(10, 17), partition=1)
    last = FakeInlet()
    start(kafka.bootstrap, last, inlet.positions() | later.positions(), predictions=[topic])
    last.wait_records(7)
    assert last.records() == numbered(10, 17)
