"""A record that holds far too much: refused as a whole and at little cost, and what is beside it is counted."""

import json
import tracemalloc
from collections import Counter

import pytest

from driftwatch.config import load
from driftwatch.daemon.queue import Command
from driftwatch.daemon.watch import load_watches
from driftwatch.stream.counting import MAX_EVENTS, MAX_VALUES
from driftwatch.stream.decode import Decoder
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reject import Reject
from tests.bounds.load import MEBIBYTE, rss_bytes
from tests.daemon.rigs import PARTITION, Rig, load_test_watch
from tests.scenarios import events, world
from tests.scenarios.fixtures import configure, reference
from tests.scenarios.probe import Probe, running
from tests.scenarios.process import Process
from tests.servers.bombs import record_of

__all__ = ["configure", "reference"]

LARGEST = 31 * MEBIBYTE
"""Just under what a compressed Kafka batch may unpack to."""
ON_THE_WAY = 6 * LARGEST
"""What three such batches in a row take while they are read, unpacked, waiting and decoded, whatever they hold."""
GOOD = [json.dumps({"model": events.MODEL, "id": f"g{row}", "time": events.START}).encode() for row in range(4)]
HEAD = b'{"model": "%s", "columns": {' % events.MODEL.encode()
ROWS = HEAD + b'"id": [%b]}}'


def array(element: bytes, count: int) -> bytes:
    """A JSON array of so many elements that are alike."""
    return b"[" + b",".join([element] * count) + b"]"


def rows(value: bytes, count: int) -> bytes:
    """A columnar batch of so many rows."""
    return ROWS % b",".join([value] * count)


AT_LIMIT = {
    "array": lambda more: array(b"{}", MAX_EVENTS + more),
    "array with NaN": lambda more: array(b"NaN", MAX_EVENTS + more),
    "array of texts": lambda more: array(b'"],[\\"{,"', MAX_EVENTS + more),
    "lines": lambda more: b"\n".join([b"{}"] * (MAX_EVENTS + more)),
    "lines and blank lines": lambda more: b"\r\n \n".join([b"1"] * (MAX_EVENTS + more)),
    "columns": lambda more: rows(b"1", MAX_EVENTS + more),
    "columns with NaN": lambda more: rows(b"NaN", MAX_EVENTS + more),
    "columns in an array": lambda more: b"[%b,%b]" % (rows(b"1", MAX_EVENTS // 2), rows(b"1", MAX_EVENTS // 2 + more)),
}
WIDE = HEAD + b",".join(b'"c%d":%b' % (place, array(b"1", 4_000)) for place in range(100)) + b',"z":["%b"]}}'
VALUES_AT_LIMIT = {
    "a list": lambda more: b'{"x": %b}' % array(b"[]", MAX_VALUES + 1 + more),
    "a text": lambda more: b'{"x": "%b"}' % (b"," * (MAX_VALUES + more)),
    "columns": lambda more: WIDE % (b"," * (MAX_VALUES + more - WIDE.count(b","))),
}
BOMBS = {
    "array": (lambda: array(b"{}", LARGEST // 3), Reject.TOO_MANY_EVENTS),
    "array of numbers": (lambda: array(b"1", LARGEST // 2), Reject.TOO_MANY_EVENTS),
    "array with NaN": (lambda: array(b"NaN", LARGEST // 4), Reject.TOO_MANY_VALUES),
    "lines": (lambda: b"{}\n" * (LARGEST // 3), Reject.TOO_MANY_EVENTS),
    "columns": (lambda: rows(b"1", LARGEST // 2), Reject.TOO_MANY_VALUES),
    "columns in an array": (lambda: array(rows(b"1", 90_000), LARGEST // 180_100), Reject.TOO_MANY_EVENTS),
    "an event": (lambda: b'{"model": "fraud", "x": %b}' % array(b"[]", LARGEST // 3), Reject.TOO_MANY_VALUES),
    "an array without an end": (lambda: array(b"{}", LARGEST // 3)[:-1], Reject.TOO_MANY_VALUES),
}


@pytest.fixture
def decoder(configure):
    """The decoder of a service."""
    return Decoder([watch.intake() for watch in load_watches(load(configure()))])


def raw(*records: bytes) -> Raw:
    """Records of one partition, one after the other."""
    times = tuple(events.START + place for place in range(len(records)))
    return Raw(Stream.PREDICTIONS, "kafka", "kafka/x/0", records, events.START, len(records), times)


def outcome(decoded) -> tuple[int, int, dict[Reject, int]]:
    """Events received, taken, and refused by reason."""
    taken = sum(batch.rows for batch in decoded.batches.values())
    return decoded.received, taken, Counter(rejection.reason for rejection in decoded.rejected)


@pytest.mark.parametrize("form", AT_LIMIT)
def test_events_of_a_record_are_bounded(decoder, form):
    """As many as allowed are judged one by one; with one more the record is one refused event."""
    within = decoder.decode(raw(AT_LIMIT[form](0)))
    assert within.received == MAX_EVENTS
    assert not {rejection.reason for rejection in within.rejected} & {Reject.TOO_MANY_EVENTS, Reject.TOO_MANY_VALUES}
    assert outcome(decoder.decode(raw(AT_LIMIT[form](1)))) == (1, 0, {Reject.TOO_MANY_EVENTS: 1})


@pytest.mark.parametrize("form", VALUES_AT_LIMIT)
def test_values_of_an_event_are_bounded(decoder, form):
    """One comma more, and the event is refused unread."""
    for more, refused in ((0, False), (1, True)):
        decoded = decoder.decode(raw(VALUES_AT_LIMIT[form](more)))
        assert ({rejection.reason for rejection in decoded.rejected} == {Reject.TOO_MANY_VALUES}) == refused


@pytest.mark.parametrize("form", BOMBS)
def test_a_bomb_costs_little_and_harms_no_neighbour(decoder, form):
    """At most 48 MiB beside the record; the events before and behind it keep their places and times."""
    make, reason = BOMBS[form]
    bomb = make()
    given = raw(GOOD[0], bomb, GOOD[1])
    tracemalloc.start()
    try:
        decoded = decoder.decode(given)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most <= 48 * MEBIBYTE
    assert outcome(decoded) == (3, 2, {reason: 1})
    assert [(rejection.index, rejection.model) for rejection in decoded.rejected] == [(1, "")]
    assert list(decoded.sent([0, 1, 2])) == [GOOD[0], bomb, GOOD[1]]


def test_an_event_too_large_spoils_no_other_of_its_record(decoder):
    """Beside it in an array and on lines events are taken; also where several models are watched."""
    large = VALUES_AT_LIMIT["a list"](1)
    for record in (b"[%b,%b,%b]" % (GOOD[0], large, GOOD[1]), b"%b\n%b\n%b" % (GOOD[2], large, GOOD[3])):
        assert outcome(decoder.decode(raw(record))) == (3, 2, {Reject.TOO_MANY_VALUES: 1})


def test_a_bomb_beside_the_events_of_several_models(reference, configure):
    """It is nobody's, and counted once."""
    path = configure()
    text = path.read_text(encoding="utf-8")
    twin = text[text.index("[[models]]") :].replace(f'"{events.MODEL}"', '"twin"')
    path.write_text(text + twin, encoding="utf-8")
    both = Decoder([watch.intake() for watch in load_watches(load(path))])
    other = GOOD[1].replace(events.MODEL.encode(), b"twin")
    decoded = both.decode(raw(GOOD[0], AT_LIMIT["array"](1), other))
    assert outcome(decoded) == (3, 2, {Reject.TOO_MANY_EVENTS: 1})
    assert set(decoded.batches) == {events.MODEL, "twin"}


def test_the_engine_goes_on_behind_a_bomb(reference, tmp_path):
    """It is counted as one rejected event, listed with its size, and the position that is saved lies behind it."""
    bomb = AT_LIMIT["lines"](1)
    with Rig(load_test_watch(tmp_path, reference)) as rig:
        rig.feed([GOOD[0], bomb], position=2)
        rig.feed([GOOD[1]], position=3)
        rig.order(Command.SAVE)
        (checkpoint,) = rig.store.checkpoints
        metrics = rig.metrics()
    assert checkpoint.positions == {PARTITION: 3}
    assert metrics.results() == {"accepted": 2, "late": 0, "duplicate": 0, "rejected": 1}
    assert metrics.reasons() == {"too_many_events": 1}
    assert [(letter.reason, letter.place, letter.size_bytes) for letter in checkpoint.rejected] == [
        ("too_many_events", 1, len(bomb))
    ]


def test_a_body_with_too_many_events_is_answered(configure):
    """With the largest bounds that can be configured: 413, nothing of it is stored, and the next body is taken."""
    path = configure()
    bounds = f"[server]\nmax_events = {MAX_EVENTS}\nmax_values = 9000000\n"
    path.write_text(path.read_text().replace("[server]\n", bounds), encoding="utf-8")
    with running(path) as (_, probe):
        for form in ("array", "lines", "columns", "columns in an array"):
            answer = probe.request("/v1/predictions", AT_LIMIT[form](1))
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_many_events"), form
            assert f"more than {MAX_EVENTS} events" in answer.json()["error"]["message"]
        assert probe.post(b"\n".join(GOOD[:2])) == {"accepted": 2, "rejected": []}
        large = probe.post(VALUES_AT_LIMIT["a list"](1))
        assert large == {"accepted": 0, "rejected": [{"index": 0, "reason": "too_many_values"}]}
        assert probe.wait_counted(3).reasons() == {"too_many_values": 1}


@pytest.mark.kafka
def test_a_process_survives_bombs_from_kafka(configure, kafka):
    """Batches of some kilobytes that unpack to eleven million events cost their bytes; a new start is behind them."""
    topic = kafka.topic()
    path = configure(sources=world.kafka(kafka.bootstrap, topic, topic) + f"max_batch_bytes = {32 << 20}\n")
    kafka.produce(topic, GOOD[:1])
    with Process(path) as process, Probe(process.port()) as probe:
        probe.wait_counted(1)
        before = rss_bytes(process.pid, key="VmHWM")
        for form in ("array", "columns in an array", "an event"):
            kafka.write_batch(topic, record_of("zstd", BOMBS[form][0]()))
        kafka.produce(topic, GOOD[1:3])
        metrics = probe.wait_counted(6)
        assert metrics.results() == {"accepted": 3, "late": 0, "duplicate": 0, "rejected": 3}
        assert metrics.reasons() == {"too_many_events": 2, "too_many_values": 1}
        assert rss_bytes(process.pid, key="VmHWM") - before <= ON_THE_WAY
        assert process.terminate() == 0, process.log()
    kafka.produce(topic, GOOD[3:])
    with Process(path) as process, Probe(process.port()) as probe:
        assert probe.wait_counted(7).results() == {"accepted": 4, "late": 0, "duplicate": 0, "rejected": 3}
        assert process.terminate() == 0, process.log()
