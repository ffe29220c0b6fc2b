"""What a person sees of reports, alerts and webhooks."""

import io
import re

import pytest
from rich.console import Console

from driftwatch.demo.picture import Picture, drifting
from driftwatch.demo.producer import Progress
from driftwatch.demo.receiver import Arrival, Check
from driftwatch.demo.show import Screen, render, summary, trend


def reading(column, value, *, threshold=0.25, family="drift"):
    return {"column": column, "family": family, "statistic": "psi", "value": value, "threshold": threshold,
            "status": "ok"}  # fmt: skip


def alert(state, day, *, name="a1", column="dep_delay", value=0.47, statistic="psi"):
    """An alert as the service lists it, after the window that begins that day; it began on the second."""
    window = {"start": f"2013-07-{day:02d}T00:00:00Z", "end": f"2013-07-{day + 1:02d}T00:00:00Z"}
    return {"id": name, "version": "1", "segment": "", "rule": "drift", "column": column,
            "statistic": statistic, "severity": "warning", "state": state, "reason": "held_for",
            "started": "2013-07-02T00:00:00Z", "resolved": window["end"] if state == "resolved" else None,
            "window": window, "value": value, "threshold": 0.25}  # fmt: skip


def accuracy(value, *, coverage, stage="final"):
    return {"column": "", "family": "performance", "statistic": "accuracy", "value": value, "threshold": None,
            "status": "ok", "stage": stage, "coverage": coverage}  # fmt: skip


def labels(*, labelled, waiting=0, expired=0, cancelled=0):
    return {"predictions": labelled + waiting + expired + cancelled, "labelled": labelled, "waiting": waiting,
            "expired": expired, "cancelled": cancelled}  # fmt: skip


def note(state):
    return {"state": state}


def report(day, readings, alerts=(), *, revision=1, stage="final", **parts):
    window = {"start": f"2013-07-{day:02d}T00:00:00Z", "end": f"2013-07-{day + 1:02d}T00:00:00Z", "rows": 900,
              "stage": stage}  # fmt: skip
    return {"model": "flights", "version": "1", "segment": "", "window": window, "revision": revision,
            "readings": readings, "alerts": list(alerts), **parts}  # fmt: skip


STORY = [
    report(1, [reading("dep_delay", 0.05), reading("score", 0.01)]),
    report(2, [reading("dep_delay", 0.30)], [note("pending")]),
    report(3, [reading("dep_delay", 0.47)], [note("firing")]),
    report(4, [reading("dep_delay", 0.10)], [note("resolved")]),
]
ALERTS = [alert("pending", 2, value=0.30), alert("firing", 3), alert("resolved", 4, value=0.10)]
ARRIVAL = Arrival(id="m1", type="driftwatch.retrain.requested", check=Check.VERIFIED, repeat=False,
                  received_seconds=0.0, data={})  # fmt: skip


@pytest.fixture
def picture():
    told = Picture(progress=Progress(predictions=5000, labels=4000, accepted=9000, event_ms=1_372_636_800_000))
    told.add_reports(STORY)
    for step in ALERTS:
        told.add_alerts([step])
    told.add_arrivals((ARRIVAL,))
    return told


def text_of(picture):
    console = Console(file=io.StringIO(), width=160, color_system=None)
    console.print(render(picture, title="demo"))
    return console.file.getvalue()


def test_an_episode_runs_from_its_first_mention_to_its_last_with_its_peak(picture):
    (episode,) = picture.episodes()
    assert (episode.state, episode.fired, episode.peak, episode.threshold) == ("resolved", True, 0.47, 0.25)
    assert (episode.since, episode.until) == ("2013-07-02T00:00:00Z", "2013-07-05T00:00:00Z")


def test_an_episode_is_told_by_the_windows_of_its_own_cell(picture):
    """A segment's highest value is not that of all rows; the alert of a version that is gone ends with its windows."""
    picture.add_reports([{**report(day, [reading("dep_delay", value)]), "segment": "evening", "version": "2"}
                         for day, value in ((2, 0.31), (3, 0.28))])  # fmt: skip
    picture.add_alerts([{**alert("firing", 3, name="a2"), "segment": "evening", "version": "2"}])
    (line,) = [line for line in summary(picture).splitlines() if "drift of dep_delay in evening, version 2" in line]
    assert line.endswith("  2013-07-02 to 2013-07-04  highest psi 0.310 (threshold 0.25)")


def test_what_a_failed_check_explains_is_no_peak(picture):
    broken = reading("dep_delay", 0.9) | {"explained_by": "missing"}
    picture.add_reports([report(3, [broken], [note("firing")], revision=2)])
    (episode,) = picture.episodes()
    assert episode.peak == 0.30


def test_an_alert_that_never_fired_is_not_in_the_summary():
    picture = Picture()
    picture.add_reports([report(1, [reading("score", 0.3)], [note("pending")])])
    picture.add_alerts([alert("pending", 2, column="score")])
    assert "alerts: 0 fired" in summary(picture)
    assert "score" not in summary(picture)


def test_the_highest_revision_of_a_window_counts(picture):
    picture.add_reports([report(1, [reading("dep_delay", 0.07)], revision=3)])
    picture.add_reports([report(1, [reading("dep_delay", 0.06)], revision=2)])
    assert picture.windows()[0]["readings"][0]["value"] == 0.07
    assert len(picture.windows()) == 4


def test_news_tell_each_step_once(picture):
    told = picture.news()
    assert [line.split(":")[0] for line in told[:3]] == [
        "2013-07-03 alert pending", "2013-07-04 alert firing", "2013-07-05 alert resolved",
    ]  # fmt: skip
    assert "psi 0.470 against 0.25" in told[1]
    assert told[3] == "webhook driftwatch.retrain.requested m1: signature verified"
    picture.add_reports([{**STORY[2], "revision": 2}])
    picture.add_alerts(ALERTS[-1:])
    picture.add_arrivals((ARRIVAL,))
    assert picture.news() == []


def test_the_news_name_the_segment_and_the_version_that_is_no_champion():
    told = Picture()
    told.add_alerts([alert("firing", 3, name="a"), {**alert("firing", 3, name="b"), "segment": "evening"}])
    told.add_alerts([{**alert("firing", 4, name="c"), "version": "2"}])
    assert [line.partition(": ")[2].partition(" (")[0] for line in told.news()] == [
        "drift of dep_delay, dep_delay in evening", "drift of dep_delay, version 2",
    ]  # fmt: skip


def test_what_moved_together_is_one_line_of_news():
    """By how far beyond the threshold, the model's own outputs first; what is not named is counted."""
    told = Picture()
    told.add_alerts([alert("firing", 3, name=f"a{n}", column=f"c{n}", value=0.3 + n / 10) for n in range(6)])
    told.add_alerts(
        [alert("firing", 4, name="s", column="score"), alert("firing", 4, name="b", column="c9", value=5.0)]
    )
    assert told.news() == [
        "2013-07-04 alert firing: drift of c5, c4, c3 and 3 more (warning, held_for), psi 0.800 against 0.25",
        "2013-07-05 alert firing: drift of score, c9 (warning, held_for), psi 0.470 against 0.25",
    ]


def test_only_watched_effects_are_ranked_by_their_excess():
    mixed = report(1, [reading("a", 0.2, threshold=0.1), reading("b", 0.3), reading("c", None), reading("d", 9.0,
                   threshold=None), reading("", 0.9, family="performance"), reading("a", 9.0) | {"statistic": "abrupt"},
                   reading("a", 9.0) | {"statistic": "slow"}])  # fmt: skip
    assert [item["column"] for item in drifting(mixed)] == ["a", "b"]


def test_the_table_shows_progress_windows_columns_alerts_and_webhooks(picture):
    text = text_of(picture)
    for words in ("2013-07-01 00:00", "predictions 5,000", "2013-07-05", "dep_delay psi", "drift of",
                  "resolved", "0.470", "driftwatch.retrain.requested", "verified"):  # fmt: skip
        assert words in text


def test_the_table_fits_the_smallest_usual_terminal(picture):
    """Eighty columns and 24 lines, however long the story."""
    readings = [reading(f"feature_{number}", 0.5) for number in range(20)] + [accuracy(0.9, coverage=0.985)]
    picture.add_reports([report(number, readings, [note("firing")] * 20) for number in range(5, 25)])
    picture.add_alerts([alert("firing", 5, name=f"a{number}", column=f"feature_{number}") for number in range(20)])
    picture.add_arrivals((ARRIVAL,) * 20)
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(render(picture, title="demo"))
    assert console.file.getvalue().count("\n") <= 24


def test_an_empty_picture_can_be_drawn_and_summed_up():
    assert "waiting" in text_of(Picture())
    assert summary(Picture()).splitlines() == [
        "events: 0 predictions and 0 labels posted, 0 accepted, 0 rejected",
        "windows: 0",
        "alerts: 0 fired, 0 still firing",
        "webhooks: 0 verified, 0 refused",
    ]


def test_the_summary_names_the_alert_and_the_verified_webhook(picture):
    lines = summary(picture).splitlines()
    assert "  warning  drift of dep_delay  2013-07-02 to 2013-07-05  highest psi 0.470 (threshold 0.25)" in lines
    assert "windows: 4, 2013-07-01 to 2013-07-05" in lines
    assert "webhooks: 1 verified, 0 refused" in lines
    assert "  driftwatch.retrain.requested  m1  signature verified" in lines


INTERIM = report(7, [accuracy(0.90, coverage=0.9, stage="interim")], stage="interim",
                 labels=labels(labelled=810, waiting=90))  # fmt: skip
FINAL = report(7, [accuracy(0.88, coverage=0.98)], revision=2, labels=labels(labelled=862, expired=18, cancelled=20))


def test_labels_are_accounted_for(picture):
    """Every prediction of windows side by side once, and how good the model was before and after the last label."""
    overlapping = {**INTERIM, "window": {**INTERIM["window"], "start": "2013-07-06T12:00:00Z",
                                         "end": "2013-07-07T12:00:00Z"}}  # fmt: skip
    before = report(6, [accuracy(0.95, coverage=1.0)], labels=labels(labelled=900))
    picture.add_reports([before, overlapping, INTERIM])
    assert "labels: 1800 predictions = 1710 labelled + 90 waiting + 0 expired + 0 cancelled" in summary(picture)
    picture.add_reports([FINAL])
    lines = summary(picture).splitlines()
    assert "labels: 1800 predictions = 1762 labelled + 0 waiting + 18 expired + 20 cancelled" in lines
    assert "accuracy: 0.8800 in the last window, lowest 0.8800 in the window to 2013-07-08" in lines
    told = "  interim, as seen of 1 windows: labels of 90.0%, accuracy 0.0200 from the final one on average"
    assert told in lines


def test_the_table_shows_the_stage_the_labels_and_the_accuracy(picture):
    picture.add_reports([INTERIM])
    assert re.search(r"interim +90.0% +0.9000", text_of(picture))
    picture.add_reports([FINAL])
    assert re.search(r"final +98.0% +0.8800", text_of(picture))


def test_without_a_terminal_only_the_news_are_printed(picture):
    console = Console(file=io.StringIO(), width=160)
    with Screen(picture, console=console, title="demo") as screen:
        screen.draw()
        screen.draw()
    assert console.file.getvalue().count("\n") == 4
    assert "watched column" not in console.file.getvalue()


def test_on_a_terminal_the_table_is_drawn(picture):
    console = Console(file=io.StringIO(), width=160, height=60, force_terminal=True)
    with Screen(picture, console=console, title="demo") as screen:
        screen.draw()
    assert "watched column" in console.file.getvalue()
    assert "alert firing" in console.file.getvalue()


def test_a_trend_fills_to_its_top():
    assert trend([0.0, 0.25, 0.5, 9.0], top=0.5) == " ▄██"
