"""The engine: what it saves and when, what it tells whom, and in which order."""

import pytest

from driftwatch.daemon import dead_letters
from driftwatch.daemon import engine as engine_module
from driftwatch.daemon.queue import Command
from driftwatch.errors import StateError
from driftwatch.evaluation.alerts import State
from tests.daemon.rigs import PARTITION, WAIT_SECONDS, Rig, load_test_watch
from tests.scenarios import events
from tests.scenarios.journal import assert_same

HOURS = 6
LINES = events.calm_then_drifted(hours=HOURS, drifted=range(2, 4), rows_an_hour=120)
AN_HOUR = len(LINES) // HOURS
OTHERS = events.calm_then_drifted(hours=2, drifted=range(0), seed=6, rows_an_hour=120)
CALM, DRIFTED = LINES[: 2 * AN_HOUR], LINES[2 * AN_HOUR : 4 * AN_HOUR]


@pytest.fixture(scope="module")
def watch(reference, tmp_path_factory):
    return load_test_watch(tmp_path_factory.mktemp("watch"), reference)


def panes(checkpoint) -> list[str]:
    """The names of the panes that a checkpoint holds; they begin with a number."""
    return [name for name in checkpoint.panes[events.MODEL] if name.partition("/")[0].isdigit()]


@pytest.fixture
def rig(watch):
    with Rig(watch) as rig:
        yield rig


def test_a_save_holds_everything_decided_since_the_last_one(rig):
    """Reports, panes, positions and counters go into one checkpoint; then, and not before, sources are told."""
    rig.feed(CALM, position=17)
    rig.order(Command.TICK)
    assert (rig.store.checkpoints, rig.committed) == ([], [])
    rig.order(Command.SAVE)
    (checkpoint,) = rig.store.checkpoints
    assert checkpoint.positions == {PARTITION: 17}
    assert checkpoint.taken_ms == rig.now_ms
    assert [report.window.rows for report in checkpoint.reports] == [60, 120, 120]
    names = [name for name in checkpoint.panes[events.MODEL] if not name.startswith("quality/")]
    assert len(names) == 6  # four panes, a chunk of ids, and the detector of slow change of the one version
    assert checkpoint.engine == rig.telemetry.saved()
    assert rig.committed == [{PARTITION: 17}]
    assert rig.engine.positions == {PARTITION: 17}


def test_only_changed_panes_are_saved_again(rig):
    """A checkpoint is as large as what happened since the last one."""
    rig.feed(CALM[:AN_HOUR])
    rig.order(Command.SAVE)
    rig.feed(CALM[AN_HOUR : AN_HOUR + 10], position=2)
    rig.order(Command.SAVE)
    first, second = rig.store.checkpoints
    assert len(panes(first)) == 2
    assert len(panes(second)) == 1


def test_nothing_new_is_not_saved(rig):
    """An idle service writes nothing."""
    rig.feed(CALM[:10])
    for _ in range(3):
        rig.order(Command.SAVE)
    assert len(rig.store.checkpoints) == 1


def test_letters_are_saved_and_sent_at_once(rig):
    """A request for retraining does not wait for the next checkpoint; it is durable before anybody is woken."""
    rig.feed(CALM + DRIFTED)
    rig.order(Command.TICK)
    assert rig.store.letters
    assert rig.woken == len([checkpoint for checkpoint in rig.store.checkpoints if checkpoint.letters])
    rig.order(Command.SAVE)
    assert rig.metrics().total("deliveries_pending", target="trainer") == len(rig.store.letters)


def test_a_target_in_its_cooldown_gets_no_second_request(watch):
    """Also when both are decided between two checkpoints."""
    with Rig(watch, cooldown_ms=3_600_000) as rig:
        rig.feed(CALM + DRIFTED)
        rig.order(Command.SAVE)
    requests = [letter for letter in rig.store.letters if letter.type == "driftwatch.retrain.requested"]
    fired = [
        step
        for checkpoint in rig.store.checkpoints
        for step in checkpoint.transitions
        if (step.rule, step.state) == ("shift", State.FIRING)
    ]
    assert len(fired) == 2
    assert len(requests) == 1


def test_a_failing_disk_loses_nothing_and_is_tried_again(watch):
    """Failures are counted and said; when the disk is back the engine goes on by itself, with everything."""
    with Rig(watch) as untroubled:
        untroubled.feed(LINES)
        untroubled.order(Command.FINISH)
    with Rig(watch) as rig:
        rig.store.broken = "driftwatch.db: database or disk is full; make room on its disk"
        rig.feed(CALM + DRIFTED, position=1)
        rig.order(Command.SAVE)
        assert rig.engine.store_error == rig.store.broken
        assert rig.metrics().total("checkpoint_failures_total") >= 1
        assert (rig.committed, rig.woken) == ([], 0)
        rig.feed(LINES[4 * AN_HOUR :], position=2)
        rig.order(Command.TICK)
        rig.store.broken = ""
        rig.order(Command.SAVE)
        assert rig.engine.store_error == ""
        assert rig.committed == [{PARTITION: 2}]
        assert rig.woken == 1
        rig.order(Command.FINISH)
    assert_same(
        [report.document() for report in rig.store.reports], [report.document() for report in untroubled.store.reports]
    )
    assert [letter.id for letter in rig.store.letters] == [letter.id for letter in untroubled.store.letters]
    assert rig.metrics().results()["accepted"] == len(LINES)


def test_records_wait_while_too_much_is_unsaved(watch, monkeypatch):
    """Memory is bounded: the queue gives out only orders, until one of them has saved."""
    monkeypatch.setattr(engine_module, "MAX_UNSAVED", 2)
    with Rig(watch) as rig:
        rig.store.broken = "full"
        rig.feed(CALM[:AN_HOUR], position=1)
        rig.order(Command.SAVE)
        rig.feed(CALM[AN_HOUR:] + DRIFTED, position=2)
        rig.order(Command.TICK)
        rig.feed(LINES[4 * AN_HOUR :], position=3)
        rig.order(Command.TICK)
        assert rig.engine.positions == {PARTITION: 2}
        assert rig.queue.records == 2 * AN_HOUR
        rig.store.broken = ""
        rig.order(Command.SAVE)
        rig.order(Command.SAVE)
        assert rig.queue.records == 0
        assert rig.engine.positions == {PARTITION: 3}
    assert rig.metrics().results()["accepted"] == len(LINES)


def test_a_clock_that_passes_closes_the_windows_of_an_idle_partition(rig):
    """Rows stop coming: after `idle_after` the watermark follows the wall clock, and what it closes is reported."""
    rig.feed(LINES[:AN_HOUR])
    rig.order(Command.SAVE)
    assert [report.window.rows for report in rig.store.reports] == [60]
    rig.now_ms += events.HOUR
    rig.order(Command.TICK)
    rig.order(Command.SAVE)
    assert len(rig.store.reports) == 1
    rig.now_ms += events.HOUR
    rig.order(Command.TICK)
    rig.order(Command.SAVE)
    assert [report.window.rows for report in rig.store.reports] == [60, 120, 60]


def test_time_that_closes_empty_windows_is_saved(rig):
    """Or a restart would open again what had been closed."""
    rig.feed(LINES[:AN_HOUR])
    rig.now_ms += 3 * events.HOUR
    rig.order(Command.TICK)
    rig.order(Command.SAVE)
    saved = len(rig.store.checkpoints)
    rig.now_ms += events.HOUR
    rig.order(Command.TICK)
    rig.order(Command.SAVE)
    assert len(rig.store.checkpoints) == saved + 1
    watermark = rig.board.picture.watermarks[events.MODEL]
    assert watermark == rig.monitor.windows.watermark_ms


def test_an_announced_partition_holds_windows_open(rig):
    """A partition that has not spoken yet may still have rows for them."""
    rig.announce(["test/predictions/1"])
    rig.feed(CALM)
    rig.order(Command.SAVE)
    assert rig.store.reports == []
    rig.feed(OTHERS, position=1, partition="test/predictions/1")
    rig.order(Command.SAVE)
    assert [report.window.rows for report in rig.store.reports] == [120, 240, 240]


def test_refused_events_are_counted_all_and_listed_up_to_a_bound(rig, monkeypatch):
    """A broken producer fills neither the memory nor the dead-letter store."""
    monkeypatch.setattr(dead_letters, "MAX_REJECTED", 30)
    rig.feed([line for start in range(0, 500, 10) for line in (b"{", *LINES[start : start + 10])])
    rig.order(Command.SAVE)
    (checkpoint,) = rig.store.checkpoints
    assert len(checkpoint.rejected) == 30
    assert {(event.source, event.partition, event.reason) for event in checkpoint.rejected} == {
        ("test", PARTITION, "not_json")
    }
    assert rig.metrics().results() == {"accepted": 500, "late": 0, "duplicate": 0, "rejected": 50}


def test_pruning_forgets_what_is_older_than_the_retention(rig):
    """In the store by the wall clock."""
    rig.feed(CALM)
    rig.order(Command.PRUNE)
    assert rig.store.pruned == [rig.now_ms - 1_000]


def test_pruning_that_fails_is_tried_again(rig):
    """It is no reason to stop counting."""
    rig.store.broken = "locked"
    rig.order(Command.PRUNE)
    rig.store.broken = ""
    rig.order(Command.PRUNE)
    assert rig.store.pruned == [rig.now_ms - 1_000]


def test_stopping_works_off_what_waits_and_saves_it(watch):
    """Everything that a source handed over before the end is in the last checkpoint."""
    rig = Rig(watch)
    for position, start in enumerate(range(0, len(LINES), 60), start=1):
        rig.feed(LINES[start : start + 60], position=position)
    rig.engine.start()
    assert rig.engine.stop(timeout_seconds=WAIT_SECONDS)
    assert rig.store.checkpoints[-1].positions == {PARTITION: len(LINES) // 60}
    assert rig.metrics().results()["accepted"] == len(LINES)
    assert rig.engine.ended.is_set()
    assert rig.engine.failure is None


def test_a_bug_ends_the_engine_and_is_kept(watch, monkeypatch):
    """Nothing is guessed: the service sees it and ends."""
    rig = Rig(watch)

    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(rig.monitor, "feed", broken)
    rig.engine.start()
    rig.feed(CALM[:1])
    assert rig.engine.ended.wait(WAIT_SECONDS)
    assert isinstance(rig.engine.failure, ZeroDivisionError)
    assert rig.store.checkpoints == []


def test_letters_that_cannot_be_counted_do_not_stop_the_engine(rig, monkeypatch):
    """The checkpoint was saved; how many letters wait is asked again at the next one."""

    def locked():
        raise StateError("locked")

    rig.feed(CALM + DRIFTED)
    with monkeypatch.context() as patch:
        patch.setattr(rig.store, "pending", locked)
        rig.order(Command.SAVE)
        assert rig.metrics().total("deliveries_pending") == 0
    rig.order(Command.SAVE)
    assert rig.metrics().total("deliveries_pending") == len(rig.store.letters) > 0
