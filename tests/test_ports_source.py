"""What every Source promises, asked of each of them."""

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from driftwatch.ports.streams import Source
from driftwatch.store.database import Database
from driftwatch.store.inbox import SqliteInbox
from driftwatch.stream.raw import EVENT_STREAMS, Raw
from tests.fakes import FakeInbox, FakeInlet
from tests.sources.rigs import FilesRig, InboxRig, KafkaRig, Rig, numbered

STOP_SECONDS = 5.0
PREDICTIONS, LABELS = EVENT_STREAMS


@pytest.fixture(params=["files", "inbox", "sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def rig(request, tmp_path) -> Iterator[Rig]:
    """One rig for each implementation."""
    if request.param == "kafka":
        yield KafkaRig(request.getfixturevalue("kafka"))
    elif request.param == "files":
        yield FilesRig(tmp_path)
    elif request.param == "inbox":
        yield InboxRig(FakeInbox())
    else:
        database = Database(tmp_path)
        yield InboxRig(SqliteInbox(database))
        database.close()


@pytest.fixture
def start(rig) -> Iterator:
    """Start sources of the rig; whatever was started is stopped at the end."""
    started: list[Source] = []

    def start(inlet: FakeInlet, positions: dict[str, int] | None = None) -> Source:
        started.append(rig.source())
        started[-1].start(inlet, positions or {})
        return started[-1]

    yield start
    while started:
        started.pop().stop()


def read_in_steps(rig: Rig, start, steps: int) -> list[Raw]:
    """Write and read in so many steps, so that there are at least as many Raws."""
    inlet = FakeInlet()
    source = start(inlet)
    for step in range(steps):
        rig.write(PREDICTIONS, numbered(step * 10, step * 10 + 10))
        inlet.wait_records(step * 10 + 10)
    source.stop()
    return inlet.raws


def test_everything_comes_in_order(rig, start):
    """All records of both streams come once, in order, in Raws of bounded size with rising positions."""
    rig.write(PREDICTIONS, numbered(0, rig.bulk))
    rig.write(LABELS, numbered(0, 3))
    inlet = FakeInlet()
    start(inlet)
    inlet.wait_records(rig.bulk + 3)
    for stream, count in ((PREDICTIONS, rig.bulk), (LABELS, 3)):
        assert inlet.records(rig.partition(stream)) == numbered(0, count)
        positions = [raw.position for raw in inlet.raws if raw.stream is stream and raw.records]
        assert all(earlier < later for earlier, later in itertools.pairwise(positions))
    assert all(len(raw.records) <= 4_096 for raw in inlet.raws)
    spoke = {(raw.stream, raw.partition) for raw in inlet.raws if raw.records}
    assert spoke == {(stream, rig.partition(stream)) for stream in EVENT_STREAMS}


def test_raw_is_bounded_in_bytes(rig, start):
    """Large records come in Raws of at most 4 MiB, or alone."""
    large = [b"%d" % number + b"x" * 900_000 for number in range(12)]
    rig.write(PREDICTIONS, large)
    inlet = FakeInlet()
    start(inlet)
    inlet.wait_records(12)
    assert inlet.records() == large
    assert all(sum(map(len, raw.records)) <= 5 << 20 for raw in inlet.raws)


def test_what_comes_later_is_read_too(rig, start):
    """A source that has come to the end goes on when more is written."""
    raws = read_in_steps(rig, start, 3)
    assert [record for raw in raws for record in raw.records] == numbered(0, 30)


def test_resumes_from_any_position(rig, start):
    """From the position of any Raw reading goes on behind it: nothing is lost, nothing comes twice."""
    raws = read_in_steps(rig, start, 3)
    for done in range(len(raws)):
        rest = [record for raw in raws[done + 1 :] for record in raw.records]
        inlet = FakeInlet()
        source = start(inlet, {raws[done].partition: raws[done].position})
        rig.write(LABELS, [b"end"])
        inlet.wait(lambda inlet=inlet, rest=rest: len(inlet.records(rig.partition(PREDICTIONS))) >= len(rest))
        inlet.wait(lambda inlet=inlet: b"end" in inlet.records(), "the last record")
        source.stop()
        assert inlet.records(rig.partition(PREDICTIONS)) == rest


def test_full_inlet_loses_nothing(rig, start):
    """While the inlet is full nothing is taken; when it takes again everything comes, in order."""
    rig.write(PREDICTIONS, numbered(0, 20))
    inlet = FakeInlet(full=True)
    start(inlet)
    inlet.wait(lambda: inlet.refused >= 2, "two refusals")
    rig.write(PREDICTIONS, numbered(20, 40))
    refused = inlet.refused
    inlet.wait(lambda: inlet.refused > refused, "another refusal")
    assert inlet.raws == []
    inlet.drain()
    inlet.wait_records(40)
    assert inlet.records() == numbered(0, 40)


def test_full_again_in_the_middle(rig, start):
    """A queue that fills and empties many times changes nothing."""
    inlet = FakeInlet()
    start(inlet)
    for step in range(4):
        inlet.fill()
        refused = inlet.refused
        rig.write(PREDICTIONS, numbered(step * 5, step * 5 + 5))
        inlet.wait(lambda refused=refused: inlet.refused > refused, "a refusal")
        inlet.drain()
        inlet.wait_records(step * 5 + 5)
    assert inlet.records() == numbered(0, 20)


@pytest.mark.parametrize("full", [False, True])
def test_stop_is_prompt_and_final(rig, start, full):
    """Stop returns soon, also while the inlet is full, leaves no thread behind, and may be called again."""
    before = set(threading.enumerate())
    rig.write(PREDICTIONS, numbered(0, 10))
    inlet = FakeInlet(full=full)
    source = start(inlet)
    inlet.wait(lambda: bool(inlet.refused if full else inlet.records()))
    began = time.monotonic()
    source.stop()
    assert time.monotonic() - began < STOP_SECONDS
    assert set(threading.enumerate()) <= before
    inlet.drain()
    rig.write(PREDICTIONS, numbered(10, 20))
    source.stop()
    assert inlet.records() == ([] if full else numbered(0, 10))


def test_stop_before_start(rig):
    """A source that never ran can be stopped."""
    rig.source().stop()


def test_saved_positions_are_told(rig, start):
    """Committed positions reach the outside world, and what was not saved stays there."""
    rig.write(PREDICTIONS, numbered(0, 10))
    inlet = FakeInlet()
    source = start(inlet)
    inlet.wait_records(10)
    saved = inlet.positions()
    rig.write(PREDICTIONS, numbered(10, 14))
    inlet.wait_records(14)
    source.commit(saved | {"another/source/0": 7})
    if rig.left(PREDICTIONS) is not None:
        inlet.wait(lambda: rig.left(PREDICTIONS) == 4, "the commit")


def test_partitions_are_announced_first(rig, start):
    """A partition is announced before its first record, and also when it has none."""
    rig.write(PREDICTIONS, numbered(0, 3))
    inlet = FakeInlet()
    start(inlet)
    inlet.wait_records(3)
    assert inlet.early == []
    assert sorted(inlet.announced) == sorted(rig.partition(stream) for stream in EVENT_STREAMS)


def test_status_follows_its_life(rig, start):
    """A source is not ready before it is started or after it is stopped, and ready without an error while it reads."""
    assert not rig.source().status().ready
    rig.write(PREDICTIONS, numbered(0, 3))
    inlet = FakeInlet()
    source = start(inlet)
    inlet.wait_records(3)
    inlet.wait(lambda: source.status().ready, "the source to be ready")
    assert source.status().error == ""
    source.stop()
    assert not source.status().ready
    assert source.status().error
