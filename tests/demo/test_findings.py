"""What the summary says of segments, fairness, versions and data quality."""

from driftwatch.demo.findings import fairness_lines, quality_lines, segment_lines, side_by_side, version_lines
from driftwatch.demo.picture import Picture
from driftwatch.demo.show import summary


def reading(family, statistic, value, **more):
    return {"column": "", "family": family, "statistic": statistic, "value": value, "lower": value - 0.1,
            "upper": value + 0.1, "threshold": None, "status": "ok"} | more  # fmt: skip


def report(day, readings=(), *, days=1, segment="", version="1", labelled=100):
    window = {"start": f"2013-07-{day:02d}T00:00:00Z", "end": f"2013-07-{day + days:02d}T00:00:00Z", "rows": 100,
              "stage": "final"}  # fmt: skip
    labels = {"predictions": labelled, "labelled": labelled, "waiting": 0, "expired": 0, "cancelled": 0}
    return {"model": "flights", "version": version, "segment": segment, "window": window, "revision": 1,
            "readings": list(readings), "alerts": [], "labels": labels}  # fmt: skip


def accuracy(value):
    return reading("performance", "accuracy", value, stage="final", coverage=1.0)


def alert(rule, column, day):
    """One that fired by the window of that day and stands."""
    window = {"start": f"2013-07-{day:02d}T00:00:00Z", "end": f"2013-07-{day + 1:02d}T00:00:00Z"}
    return {"id": rule + column, "version": "1", "segment": "", "rule": rule, "column": column, "statistic": rule,
            "severity": "warning", "state": "firing", "reason": "held_for", "started": window["start"],
            "resolved": None, "window": window, "value": 0.4, "threshold": 0.01}  # fmt: skip


def picture_of(*reports):
    picture = Picture()
    picture.add_reports(reports)
    return picture


def test_windows_side_by_side_are_counted_back_from_the_last():
    overlapping = [report(day, days=2) for day in range(1, 6)]
    assert [each["window"]["start"][8:10] for each in side_by_side(overlapping)] == ["05", "03", "01"]


def test_segments_are_ranked_by_the_accuracy_of_all_their_labelled_rows():
    picture = picture_of(
        report(1, [accuracy(0.9)]),
        report(1, [accuracy(0.8)], segment="evening", labelled=300),
        report(2, [accuracy(0.4)], segment="evening"),
        report(1, [accuracy(0.75)], segment="long"),
    )
    (line,) = segment_lines(picture)
    assert line == (
        "segments by accuracy: evening 0.7000, lowest 0.4000 in the window to 2013-07-03;"
        " long 0.7500, lowest 0.7500 in the window to 2013-07-02; all rows 0.9000"
    )


def test_fairness_tells_the_window_that_is_furthest_by_its_lower_bound():
    measured = [
        reading("fairness", "equal_opportunity_difference", value, column="origin", threshold=0.1,
                between=["origin=LGA", "origin=EWR"])
        for value in (0.15, 0.30)
    ]  # fmt: skip
    told = fairness_lines(picture_of(report(1, measured[:1]), report(2, measured[1:])))
    assert told[0].endswith("by origin: more than 0.1 apart by the lower bound in 1 of 2 windows")
    assert told[1] == "  furthest 0.300 (0.200 to 0.400) between LGA and EWR in the window to 2013-07-03"


def test_a_comparison_is_told_by_the_challengers_last_window():
    ruled = {"versus": "1", "rows": 50, "versus_rows": 150, "verdict": "worse", "decided_rows": 20,
             "decided_versus_rows": 60}  # fmt: skip
    open_ = ruled | {"verdict": "undecided", "decided_rows": None, "decided_versus_rows": None}
    picture = picture_of(
        report(1),
        report(2, version="2"),
        report(3, [reading("comparison", "accuracy", -0.2, **ruled), reading("comparison", "roc_auc", 0.0, **open_)],
               version="2"),
    )  # fmt: skip
    assert version_lines(picture) == [
        "versions: 2 beside 1, 50 of its rows, 150 of version 1",
        "  accuracy worse after 20 + 60 rows, now -0.2000 (-0.3000 to -0.1000)",
        "  roc_auc undecided: +0.0000 (-0.1000 to +0.1000)",
    ]


def test_a_check_that_fired_names_the_drift_that_it_explains():
    missing = reading("quality", "missing", 0.4, column="distance")
    effects = [reading("drift", "tv", 0.45, column="distance", threshold=0.05, explained_by="missing"),
               reading("drift", "psi", 0.5, column="distance", threshold=0.25, explained_by="missing")]  # fmt: skip
    picture = picture_of(report(1, [missing, *effects]))
    picture.add_alerts([alert("missing", "distance", 1)])
    (line,) = quality_lines(picture)
    assert line.startswith("quality: missing of distance, windows from 2013-07-01 to 2013-07-02, at most 40.0%")
    assert line.endswith(" of the rows, which explains its drift: tv up to 0.450, psi up to 0.500, and no alert")


def test_a_check_of_a_segment_is_told_by_its_own_windows():
    missing = [reading("quality", "missing", value, column="distance") for value in (0.4, 0.6)]
    picture = picture_of(report(1, missing[:1]), report(1, missing[1:], segment="evening"))
    picture.add_alerts([{**alert("missing", "distance", 1), "segment": "evening"}])
    (line,) = quality_lines(picture)
    assert line.startswith("quality: missing of distance in evening, windows from 2013-07-01 to 2013-07-02")
    assert line.endswith(", at most 60.0% of the rows")


def test_drift_that_raised_an_alert_meanwhile_is_not_said_to_be_explained():
    missing = reading("quality", "missing", 0.4, column="distance")
    drift = reading("drift", "tv", 0.45, column="distance", threshold=0.05, explained_by="missing")
    picture = picture_of(report(1, [missing, drift]))
    picture.add_alerts([alert("missing", "distance", 1), alert("drift", "distance", 1)])
    (line,) = quality_lines(picture)
    assert line.endswith(" of the rows")


def test_the_predictions_of_all_versions_are_accounted_for_once():
    """Segments are parts of what is counted already."""
    picture = picture_of(report(1), report(1, version="2", labelled=30), report(1, segment="evening", labelled=40))
    assert "labels: 130 predictions = 130 labelled + 0 waiting + 0 expired + 0 cancelled" in summary(picture)
    assert "windows: 1, " in summary(picture)
