"""The board: whole pictures, replaced by one writer."""

import pytest

from driftwatch.evaluation.alerts import Reason, State
from driftwatch.sinks.board import Board
from driftwatch.statistics.distribution import Distribution
from tests.sinks.pictures import START_MS, reading, report, step

CELL = ("fraud", "7", "")
SHARES = Distribution("amount", ("low", "high"), (0.5, 0.5), (0.2, 0.8))


def test_a_picture_once_taken_never_changes():
    """A reader works on one moment, whatever the engine publishes meanwhile."""
    board = Board()
    board.publish(reports=[report(hour=0)], watermarks={"fraud": 1})
    taken = board.picture

    board.publish(reports=[report(hour=1)], transitions=[step(State.FIRING, Reason.HELD)], watermarks={"fraud": 2})

    assert taken.reports[CELL].window.start_ms == START_MS
    assert taken.alerts == {}
    assert taken.watermarks == {"fraud": 1}
    with pytest.raises(TypeError, match="does not support item assignment"):
        taken.reports[CELL] = report()  # type: ignore[index]


def test_all_of_one_step_appears_at_once():
    """Nobody sees a report without the alert it raised: the writer replaces one reference, once."""
    swaps = []

    class Watched(Board):
        def __setattr__(self, name, value):
            swaps.append(name)
            super().__setattr__(name, value)

    board = Watched()
    swaps.clear()
    board.publish(reports=[report()], transitions=[step(State.FIRING, Reason.CROSSED)], watermarks={"fraud": 1})
    board.restore(reports=[report(hour=1)], alerts=[])
    board.forget(before_ms=0)

    assert swaps == ["_picture"] * 3


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        (report(hour=0), report(hour=1), "second"),
        (report(hour=0), report(hour=0, revision=2), "second"),
        (report(hour=1), report(hour=0, revision=9), "first"),
        (report(hour=0, revision=2), report(hour=0, revision=1), "first"),
    ],
    ids=["a newer window", "a newer revision", "a late revision of an old window", "an older revision"],
)
def test_the_latest_window_is_shown(first, second, shown):
    """The highest revision of the newest window counts, in one publication and in two."""
    expected = {"first": first, "second": second}[shown]
    together, apart = Board(), Board()

    together.publish(reports=[first, second])
    apart.publish(reports=[first])
    apart.publish(reports=[second])

    assert together.picture.reports[CELL] is expected
    assert apart.picture.reports[CELL] is expected


def test_cells_stand_side_by_side():
    """Each version and segment keeps its own latest report."""
    board = Board()

    board.publish(reports=[report(), report(cell=("fraud", "8", "")), report(cell=("fraud", "7", "channel=web"))])

    assert set(board.picture.reports) == {CELL, ("fraud", "8", ""), ("fraud", "7", "channel=web")}


def test_an_alert_stands_from_pending_to_resolved():
    """Pending and firing alerts are on the board once; resolved and dropped ones are not."""
    board = Board()

    board.publish(transitions=[step(State.PENDING, Reason.CROSSED)])
    pending = dict(board.picture.alerts)
    board.publish(transitions=[step(State.FIRING, Reason.HELD), step(State.PENDING, Reason.CROSSED, alert_id="a2")])
    firing = dict(board.picture.alerts)
    board.publish(
        transitions=[step(State.RESOLVED, Reason.CLEARED), step(State.INACTIVE, Reason.DROPPED, alert_id="a2")]
    )

    assert {name: alert.state for name, alert in pending.items()} == {"a1": State.PENDING}
    assert {name: alert.state for name, alert in firing.items()} == {"a1": State.FIRING, "a2": State.PENDING}
    assert board.picture.alerts == {}


def test_steps_are_counted_by_rule_and_reason():
    """Two alerts of one rule that begin are two steps of one kind."""
    board = Board()

    board.publish(transitions=[step(State.PENDING, Reason.CROSSED)])
    board.publish(transitions=[step(State.PENDING, Reason.CROSSED, alert_id="a2"), step(State.FIRING, Reason.HELD)])

    assert board.picture.transitions == {
        ("fraud", "drift", "pending", "threshold_crossed"): 2,
        ("fraud", "drift", "firing", "held_for"): 1,
    }


def test_restored_alerts_stand_but_are_not_counted_again():
    """After a restart the alert still fires, and it took no new step."""
    board = Board()

    board.restore(reports=[report()], alerts=[step(State.FIRING, Reason.HELD)])

    assert board.picture.alerts["a1"].state is State.FIRING
    assert board.picture.reports[CELL] == report()
    assert board.picture.transitions == {}


def test_a_distribution_is_shown_while_its_report_is():
    """Shares of one window never stand beside the readings of another."""
    board = Board()

    board.publish(reports=[report(hour=1)], distributions={CELL: (SHARES,)})
    shown = dict(board.picture.distributions)
    board.publish(watermarks={"fraud": 5})
    still = dict(board.picture.distributions)
    board.publish(reports=[report(hour=0)], distributions={CELL: (SHARES, SHARES)})
    unmoved = dict(board.picture.distributions)
    board.publish(reports=[report(hour=2)])

    assert shown == still == unmoved == {CELL: (SHARES,)}
    assert board.picture.distributions == {}


def test_cells_without_recent_windows_can_be_forgotten():
    """A version that was replaced leaves the board with everything that belongs to its windows."""
    board = Board()
    old = ("fraud", "6", "")
    board.publish(
        reports=[report(cell=old, hour=0), report(reading("amount", "psi", 0.1), hour=5)],
        distributions={old: (SHARES,)},
    )

    board.forget(before_ms=report(hour=2).window.end_ms)

    assert set(board.picture.reports) == {CELL}
    assert board.picture.distributions == {}
