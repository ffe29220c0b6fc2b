"""A model that learns its reference, and is interrupted: nothing is lost, and nothing is learnt twice."""

import json

import numpy as np
import pytest

from driftwatch.daemon.queue import Command
from driftwatch.daemon.state import verify
from driftwatch.errors import StateError
from tests.daemon.lessons import FLOW, LEARNT, LINES, whole
from tests.scenarios import events
from tests.scenarios.journal import assert_same, last_words

CRASHES = {
    "in the middle of learning": [350, 777],
    "between two checkpoints": [599],
    "when the last row was learnt": [1055, 1060, 1065, 1070],
    "long after": [2111],
}


@pytest.mark.parametrize("reference", ['{ first = "2h" }', "{ first_rows = 1001 }"])
@pytest.mark.parametrize("taught", [False, True], ids=["before it is taken over", "after it"])
@pytest.mark.parametrize("crashes", CRASHES.values(), ids=CRASHES)
def test_a_crash_changes_nothing(school, uninterrupted, crashes, taught, reference):
    """Reference, windows and counts are the same, wherever a stream of late, doubled and bad events is cut."""
    for row in crashes:
        with school(reference) as one:
            one.go(FLOW.lines[:row], rows=41)
            if taught:
                one.taught()
    with school(reference) as one:
        one.go(FLOW.lines, rows=53)
        reports, results, learnt = whole(one)
    expected_reports, expected_results, expected_learnt = uninterrupted(reference)
    assert learnt == expected_learnt
    assert results == expected_results
    assert sum(results.values()) == len(FLOW.lines)
    assert results["duplicate"] == FLOW.duplicate
    assert_same(last_words(reports), last_words(expected_reports))


def test_what_was_taken_over_and_not_saved_is_taken_over_again(school, uninterrupted):
    """A crash after the swap and before its checkpoint."""
    with school() as one:
        one.go(FLOW.lines[:1200], save=False)
        one.taught()
        assert not one.learners.by_model
    with school() as one:
        assert one.position == 0
        one.go(FLOW.lines)
        assert whole(one)[1:] == uninterrupted('{ first = "2h" }')[1:]


def test_a_restart_goes_on_with_what_was_learnt(school, tmp_path):
    """The reference is kept, and the events that it was made of are not."""
    with school() as one:
        one.go(LINES[: LEARNT + 100])
        one.taught()
        one.stop()
        assert [path.name for path in (tmp_path / "state" / "learning").iterdir()] == ["fraud.reference"]
    with school() as one:
        assert not one.learners.by_model
        late = events.event(np.random.default_rng(1), events.START + 1000, version="1")
        one.feed([late], position=LEARNT + 100)
        assert one.metrics().results()["late"] == 1
        one.go(LINES)
        one.order(Command.FINISH)
        assert sum(each["window"]["rows"] for each in one.reports()) == len(LINES) - LEARNT


def test_a_lost_spool_is_refused(school, tmp_path):
    """Events that the checkpoint counts on cannot be learnt from again: nothing is guessed."""
    with school() as one:
        one.go(LINES[:300])
        one.stop()
    (tmp_path / "state" / "learning" / "fraud.events").write_bytes(b"")
    with pytest.raises(StateError, match=r"fraud\.events: holds 0 bytes of \d+"), school():
        pass


def test_catching_up_is_cut_into_pieces(school, uninterrupted, monkeypatch):
    """Some rows between two messages, with a crash in the middle of it: nothing is lost and nothing counted twice."""
    monkeypatch.setattr("driftwatch.daemon.first_steps.ROWS_AT_ONCE", 60)
    for _ in range(2):
        with school() as one:
            one.go(FLOW.lines[:2500], save=False)
            one.learners.wait()
            for _ in range(5):
                one.order(Command.TICK)
                one.order(Command.SAVE)
            assert one.learners.by_model.keys() == {"fraud"}
            assert sum(one.metrics().results().values()) < 2000
    with school() as one:
        one.go(FLOW.lines)
        reports, *rest = whole(one)
    expected, *others = uninterrupted('{ first = "2h" }')
    assert rest == others
    assert_same(last_words(reports), last_words(expected))


def test_a_deleted_reference_is_learnt_again(school, tmp_path):
    """From then on, by the stream as it is now; alerts that stand go on standing."""
    with school() as one:
        one.go(LINES[:1800])
        one.taught()
        one.stop()
        assert one.engine.monitors["fraud"].memory.alerts.episodes
    (tmp_path / "state" / "learning" / "fraud.reference").unlink()
    with school() as one:
        one.go(LINES[:1900])
        one.stop()
        assert verify(tmp_path / "state").startswith(f"{tmp_path / 'state'}: good")
    more = events.calm_then_drifted(hours=14, drifted=range(14), seed=6)[1900:]
    with school() as one:
        one.go([*LINES[:1900], *more])
        one.taught()
        one.order(Command.FINISH)
        one.stop()
        assert one.watch("fraud").reference.first_ms >= json.loads(LINES[1800])["time"]
    assert verify(tmp_path / "state").startswith(f"{tmp_path / 'state'}: good")
