"""What a person sees of reports, alerts and webhooks."""

import io

import pytest
from rich.console import Console

from driftwatch.demo.picture import Picture, drifting
from driftwatch.demo.producer import Progress
from driftwatch.demo.receiver import Arrival, Check
from driftwatch.demo.show import Screen, render, summary, trend


def reading(column, value, *, threshold=0.25, family="drift"):
    return {"column": column, "family": family, "statistic": "psi", "value": value, "threshold": threshold,
            "status": "ok"}  # fmt: skip


def note(state, *, name="a1", column="dep_delay"):
    return {"id": name, "rule": "drift", "column": column, "state": state, "severity": "warning", "reason": "held_for"}


def report(day, readings, alerts=(), *, revision=1):
    window = {"start": f"2013-07-{day:02d}T00:00:00Z", "end": f"2013-07-{day + 1:02d}T00:00:00Z", "rows": 900,
              "stage": "final"}  # fmt: skip
    return {"model": "flights", "version": "1", "segment": "", "window": window, "revision": revision,
            "readings": readings, "alerts": list(alerts)}  # fmt: skip


STORY = [
    report(1, [reading("dep_delay", 0.05), reading("score", 0.01)]),
    report(2, [reading("dep_delay", 0.30)], [note("pending")]),
    report(3, [reading("dep_delay", 0.47)], [note("firing")]),
    report(4, [reading("dep_delay", 0.10)], [note("resolved")]),
]
ARRIVAL = Arrival(id="m1", type="driftwatch.retrain.requested", check=Check.VERIFIED, repeat=False,
                  received_seconds=0.0, data={})  # fmt: skip


@pytest.fixture
def picture():
    told = Picture(progress=Progress(predictions=5000, labels=4000, accepted=9000, event_ms=1_372_636_800_000))
    told.add_reports(STORY)
    told.add_arrivals((ARRIVAL,))
    return told


def text_of(picture):
    console = Console(file=io.StringIO(), width=160, color_system=None)
    console.print(render(picture, title="demo"))
    return console.file.getvalue()


def test_an_episode_runs_from_its_first_mention_to_its_last_with_its_peak(picture):
    (episode,) = picture.episodes()
    assert (episode.state, episode.fired, episode.peak, episode.threshold) == ("resolved", True, 0.47, 0.25)
    assert (episode.since, episode.until) == ("2013-07-03T00:00:00Z", "2013-07-05T00:00:00Z")


def test_an_alert_that_never_fired_is_not_in_the_summary():
    picture = Picture()
    picture.add_reports([report(1, [reading("score", 0.3)], [note("pending", column="score")])])
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
    picture.add_arrivals((ARRIVAL,))
    assert picture.news() == []


def test_only_watched_drift_readings_are_ranked_by_their_excess():
    mixed = report(1, [reading("a", 0.2, threshold=0.1), reading("b", 0.3), reading("c", None), reading("d", 9.0,
                   threshold=None), reading("", 0.9, family="performance")])  # fmt: skip
    assert [item["column"] for item in drifting(mixed)] == ["a", "b"]


def test_the_table_shows_progress_windows_columns_alerts_and_webhooks(picture):
    text = text_of(picture)
    for words in ("2013-07-01 00:00", "predictions 5,000", "2013-07-04 … 2013-07-05", "dep_delay psi", "drift of",
                  "resolved", "0.470", "driftwatch.retrain.requested", "verified"):  # fmt: skip
        assert words in text


def test_the_table_fits_the_smallest_usual_terminal(picture):
    """Eighty columns and 24 lines, however long the story."""
    many = [note("firing", name=f"a{number}", column=f"feature_{number}") for number in range(20)]
    readings = [reading(f"feature_{number}", 0.5) for number in range(20)]
    picture.add_reports([report(number, readings, many) for number in range(5, 25)])
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
    assert "  warning  drift of dep_delay  2013-07-03 to 2013-07-05  highest psi 0.470 (threshold 0.25)" in lines
    assert "windows: 4, 2013-07-01 to 2013-07-05" in lines
    assert "webhooks: 1 verified, 0 refused" in lines
    assert "  driftwatch.retrain.requested  m1  signature verified" in lines


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
