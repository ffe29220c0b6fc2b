"""Performance on the board and in a scrape: each stage shows the latest window that has a value of it."""

import math

from driftwatch.daemon.telemetry import Exposition
from driftwatch.evaluation.report import Report
from driftwatch.quality.standing import DELAY_BOUNDS_SECONDS, Delays, Standing
from driftwatch.sinks.board import Board
from driftwatch.sinks.prometheus import BoardCollector
from driftwatch.statistics.reading import Stage
from tests.sinks.pictures import START_MS, measure, reading, report
from tests.sinks.test_prometheus import RULES, scrape

DRIFT = reading("amount", "psi", 0.3)
CELL = ("fraud", "7", "")


def published(*reports: Report, **beside: object) -> Board:
    board = Board()
    for one in reports:
        board.publish(reports=[one], **beside)  # type: ignore[arg-type]  # a test says only what it cares about
    return board


def test_each_stage_shows_its_own_window():
    """The newest window is estimated, an older one has its first labels, the oldest all of them."""
    oldest = report(measure(Stage.FINAL, "accuracy", 0.9), hour=0, revision=4, follows=True)
    older = report(measure(Stage.INTERIM, "accuracy", 0.8), hour=1, revision=2, follows=True)
    newest = report(
        DRIFT, measure(Stage.ESTIMATED, "accuracy", 0.7), measure(Stage.INTERIM, "accuracy", math.nan), hour=2
    )

    shown = scrape(published(newest, older, oldest))

    assert [shown["performance_value", (*CELL, "accuracy", stage)] for stage in ("final", "interim", "estimated")] == [
        0.9, 0.8, 0.7
    ]  # fmt: skip
    assert shown["performance_lower", (*CELL, "accuracy", "final")] == 0.9 - 0.01
    assert shown["performance_upper", (*CELL, "accuracy", "final")] == 0.9 + 0.01
    assert shown["drift_value", (*CELL, "amount", "psi")] == 0.3, "what follows takes no drift off the board"


def test_an_older_window_does_not_turn_a_stage_back():
    """Finals may come out of order; the latest window stays, and of it the highest revision."""
    first, second = (report(measure(Stage.FINAL, "roc_auc", value), hour=hour) for hour, value in ((0, 0.6), (1, 0.7)))
    again = report(measure(Stage.FINAL, "roc_auc", 0.75), hour=1, revision=3, follows=True)

    assert scrape(published(second, first))["performance_value", (*CELL, "roc_auc", "final")] == 0.7
    assert scrape(published(second, again, first))["performance_value", (*CELL, "roc_auc", "final")] == 0.75


def test_classes_come_last_and_by_name():
    """A metric of one class is named with it; classes give way to columns when series are short."""
    whole = report(DRIFT, measure(Stage.FINAL, "f1", 0.5), measure(Stage.FINAL, "f1", 0.4, column="cat"))
    shown = scrape(published(whole))
    assert shown["performance_value", (*CELL, "f1/cat", "final")] == 0.4

    short = scrape(published(whole), max_series=len(shown) - 1)
    assert ("performance_value", (*CELL, "f1/cat", "final")) not in short
    assert ("performance_value", (*CELL, "f1", "final")) in short
    assert short["series_dropped", ()] == 3


def test_labels():
    """What became of labels is shown by model, coverage and delays by version."""
    delays = Delays((0, 2, 1, *[0] * (len(DELAY_BOUNDS_SECONDS) - 2)), 35.0)
    standing = Standing({"matched": 3, "corrected": 0}, {"7": delays}, {"7": 0.25}, 0.5)
    board = published(report(DRIFT), labels={"fraud": standing})
    board.publish(watermarks={"fraud": START_MS})
    shown = scrape(board)

    assert shown["label_coverage_ratio", ("fraud", "7")] == 0.25
    assert shown["label_sampling_ratio", ("fraud",)] == 0.5
    assert (shown["labels_total", ("fraud", "matched")], shown["labels_total", ("fraud", "corrected")]) == (3, 0)
    text = Exposition([BoardCollector(board, rules=RULES, max_series=10_000)]).render(openmetrics=False).decode()
    assert 'driftwatch_label_delay_seconds_bucket{le="10",model="fraud",version="7"} 2.0' in text
    assert 'driftwatch_label_delay_seconds_count{model="fraud",version="7"} 3.0' in text
    assert 'driftwatch_label_delay_seconds_sum{model="fraud",version="7"} 35.0' in text


def test_what_is_gone_is_forgotten():
    """A version whose windows are beyond retention leaves no series."""
    board = published(report(DRIFT, measure(Stage.FINAL, "f1", 0.5)))
    board.forget(before_ms=START_MS + 10**9)
    assert not [name for name, _ in scrape(board) if name.startswith("performance")]
