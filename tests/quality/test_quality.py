"""What a monitor says of a window while its labels come: when it looks, what counts, and what it forgets."""

from collections.abc import Iterable

import pytest

from driftwatch.evaluation.report import Report
from tests.labelled import Prediction, Verdict, monitor, play, quality_of
from tests.monitors import SLIDING, TUMBLING, Row, Tick

Told = list[tuple[int, int, str, tuple[int, int, int, int] | None]]
"""End of a window, revision, stage, and predictions labelled, waiting, expired, cancelled."""


def predictions(times: Iterable[int], *, first: int = 1, version: str = "1", named: bool = True) -> list[Prediction]:
    """One a time, with events that count up; all of them predict class 1."""
    return [
        Prediction(Row("p", time, version, 1, 0), first + place if named else 0, 9)
        for place, time in enumerate(times)
    ]  # fmt: skip


def label(event: int, time: int, value: int | None = 1) -> Verdict:
    return Verdict("l", time, event, value)


def told(reports: list[Report], *, end: int | None = None) -> Told:
    return [
        (report.window.end_ms, report.revision, report.window.stage, _counts(report))
        for report in reports
        if end in {None, report.window.end_ms}
    ]


def _counts(report: Report) -> tuple[int, int, int, int] | None:
    said = report.arrivals
    return None if said is None else (said.labelled, said.waiting, said.expired, said.cancelled)


def accuracy(report: Report) -> float:
    return next(
        each.value for each in report.readings if (each.family, each.statistic) == ("performance", "accuracy")
    )  # fmt: skip


def test_labels_before_predictions_and_after() -> None:
    """Both count at the first look, later ones at the ages of one, two and four windows, and once more at the end."""
    target = monitor(TUMBLING, wait_ms=70)
    outcome = play(target, [label(1, 2), *predictions([1, 3, 5, 7]), label(2, 9), *predictions([13], first=11)])
    assert told(outcome.reports) == [(10, 1, "interim", (2, 2, 0, 0))]
    outcome = play(target, [label(3, 14, 0), label(900, 94), *predictions(range(23, 94, 10), first=12)])
    assert told(outcome.reports, end=10) == [(10, 2, "interim", (3, 1, 0, 0)), (10, 3, "final", (3, 0, 1, 0))]
    assert accuracy(outcome.reports[0]) == pytest.approx(2 / 3)


def test_a_look_without_news_is_no_revision() -> None:
    """Ages pass, nothing comes: the window is silent until it is final."""
    target = monitor(TUMBLING, wait_ms=50)
    outcome = play(target, [*predictions([1]), label(1, 2), label(900, 84), *predictions(range(13, 84, 10), first=2)])
    assert [revision for _, revision, *_ in told(outcome.reports, end=10)] == [1, 2]
    assert told(outcome.reports, end=10)[-1] == (10, 2, "final", (1, 0, 0, 0))


def test_a_corrected_label_changes_the_next_look() -> None:
    """As many labels as before, but another one."""
    target = monitor(TUMBLING, wait_ms=500)
    outcome = play(target, [*predictions([1, 2]), label(1, 3), label(2, 3), *predictions([13], first=3)])
    assert accuracy(outcome.reports[0]) == 1.0
    outcome = play(target, [label(2, 14, 0), *predictions([23], first=4)])
    assert told(outcome.reports, end=10) == [(10, 2, "interim", (2, 0, 0, 0))]
    assert accuracy(outcome.reports[0]) == 0.5
    outcome = play(target, [label(2, 24, None), *predictions([33], first=5)])
    assert told(outcome.reports, end=10) == [(10, 3, "interim", (1, 0, 0, 1))]
    outcome = play(target, [label(2, 14, 1), label(1, 30, 1), *predictions([43, 53, 63], first=6)])
    assert told(outcome.reports, end=10) == [], "an older label and a repeated one change nothing"


def test_final_comes_once_and_late_rows_after_it_are_still_counted() -> None:
    """The label wait is shorter here than late rows are taken."""
    target = monitor(TUMBLING.model_copy(update={"keep": 60}), wait_ms=20)
    outcome = play(target, [*predictions([1]), label(1, 2), label(900, 54), *predictions(range(13, 54, 10), first=2)])
    assert told(outcome.reports, end=10) == [(10, 1, "interim", (1, 0, 0, 0)), (10, 2, "final", (1, 0, 0, 0))]
    lessons = quality_of(target).assessor.learnt.lessons
    assert lessons.total("1", "right").tolist() == [1, 1]
    outcome = play(target, [label(99, 50), *predictions([5], first=99), *predictions([63], first=20)])
    assert told(outcome.reports, end=10) == [(10, 3, "final", (2, 0, 0, 0))]
    assert lessons.total("1", "right").tolist() == [1, 1], "a window is learnt from once"
    assert told(play(target, predictions([73, 83, 93], first=21)).reports, end=10) == []


def test_sliding_windows_share_their_labels() -> None:
    """Each window of a label's prediction is looked at again."""
    target = monitor(SLIDING, wait_ms=100)
    play(target, predictions([1, 11, 21, 28]))
    outcome = play(target, [label(2, 29), *predictions([34], first=5)])
    news = {end: counts for end, revision, _, counts in told(outcome.reports) if revision > 1}
    assert news == {20: (1, 1, 0, 0), 25: (1, 1, 0, 0)}
    assert [end for end, revision, *_ in told(outcome.reports) if revision == 1] == [30]
    outcome = play(target, predictions([38], first=6))
    assert told(outcome.reports, end=15) == [(15, 2, "interim", (1, 1, 0, 0))], "it is four slides old"


def test_a_backlog_of_labels_is_waited_for() -> None:
    """However far predictions are ahead, no window is final before its labels have been read, or their source idles."""
    target = monitor(TUMBLING, wait_ms=20)
    target.announce_labels(["l"], now_ms=0)
    outcome = play(target, [label(1, 2), *predictions([1, 3]), *predictions(range(13, 104, 10), first=3)])
    assert {stage for _, _, stage, _ in told(outcome.reports)} == {"interim"}
    outcome = play(target, [label(2, 25), label(99, 35), *predictions([113], first=50)])
    assert told(outcome.reports, end=10) == [(10, 2, "final", (2, 0, 0, 0))]
    assert told(outcome.reports, end=20) == []
    outcome = play(target, [Tick(51), *predictions([123], first=51)])
    assert told(outcome.reports, end=20) == [(20, 2, "final", (0, 0, 1, 0))]


def test_without_any_label_nothing_is_waited_for_and_nothing_grows() -> None:
    """Every window is final at its first look; what is remembered of it goes when a label would be too late."""
    target = monitor(TUMBLING, wait_ms=50)
    quality = quality_of(target)
    for step in range(60):
        outcome = play(target, predictions([step * 10 + 1], first=step + 1))
        assert [(revision, stage) for _, revision, stage, _ in told(outcome.reports)] == [(1, "final")] * (step > 1)
        assert len(quality.known.windows) <= 6
        assert sum(total.predictions for total in quality.join.totals().values()) <= 9
        assert len(target.memory.revisions) <= 7
    assert quality.standing.results["expired_unlabelled"] >= 50


def test_labels_without_predictions_are_forgotten() -> None:
    """One that nobody can have predicted any more goes unmatched."""
    target = monitor(TUMBLING, wait_ms=20)
    quality = quality_of(target)
    for step in range(40):
        play(target, [label(1_000 + step, step * 10), *predictions([step * 10 + 1], first=step + 1)])
        assert quality.join.waiting_labels <= 7
    results = quality.standing.results
    assert results["waiting"] == 40 == results["unmatched"] + quality.join.waiting_labels


def test_versions_come_and_go_and_their_codes_are_used_again() -> None:
    """A thousand versions in turn need a handful of codes, and nothing of them stays."""
    target = monitor(TUMBLING, wait_ms=20)
    quality = quality_of(target)
    for step in range(200):
        event = step + 1
        play(target, [*predictions([step * 10], first=event, version=f"v{step}"), label(event, step * 10)])
        assert max(quality.known.codes.values()) < 10
        assert len(quality.known.codes) < 10
        assert len(quality.known.counting.delays) < 10
        assert len(quality.known.windows) < 10
        assert set(quality.standing.coverage.values()) == {1.0}


def test_a_version_without_ids_does_not_disturb_the_others() -> None:
    """Nothing can be remembered of it: its windows are reported, and final, without labels."""
    target = monitor(TUMBLING, wait_ms=20)
    rows = [[*predictions([at], first=at, version="1"), *predictions([at], version="2", named=False)]
            for at in range(1, 92, 10)]  # fmt: skip
    reports = play(target, [row for pair in rows for row in [*pair, label(pair[0].event, pair[0].row.time)]]).reports
    finals = {report.version: _counts(report) for report in reports if told([report], end=10)}
    assert finals == {"1": (1, 0, 0, 0), "2": None}
    assert quality_of(target).standing.results["without_id"] == 10


def test_more_predictions_than_find_room_are_a_sample() -> None:
    """The rate says of which share; what is remembered is conserved."""
    target = monitor(TUMBLING, capacity=16, wait_ms=30)
    arrivals = [each for event in range(1, 400) for each in (
        *predictions([event // 4], first=event), label(event, event // 4 + 1, event % 2)
    )]  # fmt: skip
    outcome = play(target, arrivals)
    rates = [report.arrivals.rate for report in outcome.reports if report.arrivals]
    assert min(rates) < 1
    assert sum(total.predictions for total in quality_of(target).join.totals().values()) <= 16
    results = quality_of(target).standing.results
    assert results["thinned"] > 0
    assert results["sampled_out"] > 0
