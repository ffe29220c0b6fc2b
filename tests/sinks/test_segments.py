"""The collector when a model has many segments: what comes first, and what the budget leaves out."""

from driftwatch.evaluation.alerts import Reason, State
from driftwatch.sinks.board import Board
from driftwatch.statistics.reading import Stage
from tests.sinks.pictures import measure, reading, report, step
from tests.sinks.test_prometheus import scrape

SEGMENTS = [f"channel=c{number:04}" for number in range(1_000)]


def crowded() -> Board:
    """All rows hardly drift, segment 500 most, and its alert fires; each cell has two columns and a metric."""
    board = Board()
    reports = [
        report(
            reading("amount", "psi", 0.3 if number == 500 else 0.001 * number / 1_000 + 0.001),
            reading("country", "psi", 0.0),
            measure(Stage.FINAL, "accuracy", 0.9),
            cell=("fraud", "7", segment),
            thresholds={("amount", "psi"): 0.1},
        )
        for number, segment in enumerate(["", *SEGMENTS])
    ]
    board.publish(reports=reports, transitions=[step(State.FIRING, Reason.CROSSED)])
    return board


def test_all_rows_come_before_segments_and_the_worst_of_these_first():
    """However many there are; the window's rows come with the segment's first column, and the budget holds."""
    found = scrape(crowded(), max_series=3_100)
    shown = {labels[2] for name, labels in found if name == "drift_value"}
    assert {""} < shown
    assert SEGMENTS[499] in shown
    assert len(shown) < 100
    assert {labels[2] for name, labels in found if name == "window_rows"} == shown
    assert {labels[3] for name, labels in found if name == "drift_value" and not labels[2]} == {"amount", "country"}
    assert len({labels for name, labels in found if name == "performance_value"}) == 1_001
    assert len(found) <= 3_100
    assert found["series_dropped", ()] > 1_000


def test_nothing_is_left_out_while_there_is_room():
    """Every segment has its rows and its drift."""
    found = scrape(crowded(), max_series=20_000)
    assert sum(name == "window_rows" for name, _ in found) == 1_001
    assert sum(name == "drift_state" for name, _ in found) == 2_002
    assert found["series_dropped", ()] == 0
