"""The engine closes no window before every source has said which partitions it has; time is the test's."""

import pytest
import structlog

from driftwatch.daemon.engine import Engine
from driftwatch.daemon.queue import Command
from driftwatch.daemon.snapshot import resume
from driftwatch.stream.decode import Decoder
from tests.daemon.rigs import Rig, load_test_watch
from tests.scenarios import events

LINES = events.calm_then_drifted(hours=4, drifted=range(0), rows_an_hour=120)
OTHERS = events.calm_then_drifted(hours=4, drifted=range(0), seed=6, rows_an_hour=120)
HTTP, TOPIC, KAFKA = "http/predictions", "kafka/payments", "kafka/payments/0"
WHOLE = [120, 240, 240, 240, 240, 240, 240]


@pytest.fixture(scope="module")
def watch(reference, tmp_path_factory):
    return load_test_watch(tmp_path_factory.mktemp("watch"), reference)


@pytest.fixture
def rig(watch):
    rig = Rig(watch)
    rig.engine.expect([HTTP, TOPIC])
    with rig:
        rig.announce([HTTP])
        yield rig


def rows(rig: Rig) -> list[int]:
    """How many rows each window that was reported has."""
    rig.order(Command.TICK)
    rig.order(Command.SAVE)
    return [report.window.rows for report in rig.store.reports]


def test_a_source_that_is_slow_to_connect_loses_no_row(rig):
    """HTTP has been read to its end before the topic's partitions are known: all rows are in their windows at once."""
    rig.feed(LINES, partition=HTTP)
    assert rows(rig) == []
    rig.announce([KAFKA])
    assert rows(rig) == []
    rig.feed(OTHERS, position=2, partition=KAFKA)
    assert rows(rig) == WHOLE
    assert rig.metrics().results() == {"accepted": 960, "late": 0, "duplicate": 0, "rejected": 0}
    assert {report.revision for report in rig.store.reports} == {1}


def test_without_the_wait_rows_would_come_late(watch):
    """What the wait is for: the same in an engine that expects nobody."""
    with Rig(watch) as rig:
        rig.announce([HTTP])
        rig.feed(LINES, partition=HTTP)
        rig.announce([KAFKA])
        rig.feed(OTHERS, position=2, partition=KAFKA)
        rig.order(Command.SAVE)
        assert rig.metrics().results()["late"] > 0


def test_a_broker_that_is_down_stops_http_for_idle_after_only(rig):
    """Then its windows close, and a line in the log says who is waited for no longer."""
    rig.feed(LINES, partition=HTTP)
    rig.now_ms += events.HOUR
    assert rows(rig) == []
    rig.now_ms += 1
    with structlog.testing.capture_logs() as logs:
        assert len(rows(rig)) == len(WHOLE)
    assert [line for line in logs if line["event"] == "windows_wait_no_longer"] == [
        {"event": "windows_wait_no_longer", "log_level": "warning", "model": events.MODEL, "unannounced": [TOPIC]}
    ]


def test_ticks_while_the_disk_fails_do_not_shorten_the_wait(rig):
    """Announcements pass a queue that is held, but nobody is found silent meanwhile."""
    rig.feed(LINES, partition=HTTP)
    rig.order(Command.SAVE)
    rig.queue.hold(on=True)
    rig.now_ms += 2 * events.HOUR
    rig.order(Command.TICK)
    assert rig.monitor.windows.expected == {TOPIC}
    rig.queue.hold(on=False)


def test_a_restart_waits_for_the_partitions_in_the_state_and_for_the_topic(rig, watch):
    """What was announced is in the state and holds windows open; so does the topic, which may have grown meanwhile."""
    rig.announce([KAFKA])
    rig.feed(LINES, partition=HTTP)
    assert rows(rig) == []
    saved = rig.store.checkpoints[-1]
    panes = {name: data for name, data in saved.panes[events.MODEL].items() if data is not None}
    again = Rig(watch)
    again.monitor = watch.monitor()
    assert resume(again.monitor, saved.monitors[events.MODEL], panes) == 0
    again.engine = Engine(
        [again.monitor], decoder=Decoder([watch.intake()]), queue=again.queue, positions=saved.positions,
        doors=again.engine._doors,
    )  # fmt: skip
    again.engine.expect([HTTP, TOPIC])
    with again:
        again.announce([HTTP])
        again.feed(OTHERS[:360], position=2, partition=KAFKA)
        assert rows(again) == []
        again.announce([KAFKA, "kafka/payments/1"])
        again.feed(OTHERS[360:], position=3, partition=KAFKA)
        assert rows(again) == []
        again.now_ms += events.HOUR + 1
        assert rows(again) == WHOLE
    assert again.metrics().results()["late"] == 0
