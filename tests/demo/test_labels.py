"""The demo's labels: every flight of a month is accounted for, and what is said of the model is right."""

import numpy as np
import pytest

from driftwatch.daemon.replay import replay
from driftwatch.daemon.watch import load_watch
from driftwatch.demo.dataset import Flights, Part, Topic, load, slices
from driftwatch.demo.play import configuration

DAY_MS = 86_400_000
MONTH_MS = 31 * DAY_MS
YEAR_2014_MS = 1_388_534_400_000


def first_month(flights):
    """The flights of March, and what was heard of them."""
    begin = flights.predictions["time"][0]
    columns = {name: values[flights.predictions["time"] < begin + MONTH_MS] for name, values in
               flights.predictions.items()}  # fmt: skip
    heard = np.isin(flights.labels["id"].astype(str), columns["id"].astype(str))
    return Flights(columns, {name: values[heard] for name, values in flights.labels.items()})


@pytest.fixture(scope="module")
def month():
    return first_month(load(Part.FLIGHTS))


@pytest.fixture(scope="module")
def reports(month, tmp_path_factory):
    """Every report of the month, revisions too, as the demo's configuration has them."""
    folder = tmp_path_factory.mktemp("demo")
    config = configuration(folder, port=0, secret="whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ=", receiver="http://127.0.0.1:1/")
    for topic in Topic:
        bodies = [body.content for body in slices(month, span_ms=DAY_MS) if body.topic is topic]
        (folder / f"{topic}.jsonl").write_bytes(b"\n".join(bodies) + b"\n")
    found = []
    summary = replay(
        load_watch(config, 0), [str(folder / "predictions.jsonl")], labels=[str(folder / "labels.jsonl")],
        now_ms=YEAR_2014_MS, report=found.append,
    )  # fmt: skip
    assert (summary.accepted, summary.labels) == (len(month.predictions["id"]), len(month.labels["id"]))
    assert (summary.rejected, summary.labels_rejected) == ({}, {})
    assert {report.segment for report in found} == {"", "evening"}
    return [report for report in found if not report.segment]


def by_window(reports):
    windows = {}
    for report in reports:
        windows.setdefault(report.window.start_ms, []).append(report)
    return windows


def accuracy(report):
    return next(each for each in report.readings if (each.family, each.statistic) == ("performance", "accuracy"))


def test_every_prediction_is_accounted_for(reports):
    """At every look: labelled, waiting, expired or cancelled. None waits at the end, none has expired before."""
    told = [report for report in reports if report.arrivals is not None]
    assert len(told) > 50
    for report in told:
        labels = report.arrivals
        assert labels.predictions == labels.labelled + labels.waiting + labels.expired + labels.cancelled
        assert labels.predictions == report.window.rows
        assert (labels.waiting if report.window.stage == "final" else labels.expired) == 0


def test_what_has_become_of_each_window_is_what_the_table_says(reports, month):
    """Flights that landed, were cancelled, or went elsewhere; and the accuracy of those that landed."""
    labels = dict(zip(month.labels["id"], month.labels["label"], strict=True))
    outcome = np.array([labels.get(name, -1) for name in month.predictions["id"]], dtype=float)
    for revisions in by_window(reports).values():
        last = revisions[-1]
        times = month.predictions["time"]
        rows = (times >= last.window.start_ms) & (times < last.window.end_ms)
        landed = rows & (outcome >= 0)
        assert last.window.stage == "final"
        assert last.arrivals.labelled == landed.sum()
        assert last.arrivals.cancelled == (rows & np.isnan(outcome)).sum()
        assert last.arrivals.expired == (rows & (outcome == -1)).sum()
        right = month.predictions["prediction"][landed] == outcome[landed]
        assert accuracy(last).value == pytest.approx(right.mean(), abs=1e-12)


def test_coverage_rises_with_age_and_the_first_value_is_near_the_last(reports):
    """Of the flights of the last hours nothing is known as a window closes: most of the week is, and soon all."""
    for revisions in by_window(reports).values():
        first, last = revisions[0], revisions[-1]
        coverage = [report.arrivals.coverage for report in revisions if report.arrivals is not None]
        assert coverage == sorted(coverage)
        if first.window.stage == "interim" and first.window.rows > 3_000:
            early, late = accuracy(first), accuracy(last)
            assert 0.9 < early.support.coverage < late.support.coverage
            assert early.support.worst <= late.value <= early.support.best
            assert early.value == pytest.approx(late.value, abs=0.01)


def test_the_curve_of_arrival_rises_to_the_coverage(reports):
    """A flight lands hours after it left; the curve ends at the share that ever did."""
    for revisions in by_window(reports).values():
        curve = revisions[-1].arrivals.curve
        delays, shares = zip(*curve, strict=True)
        assert list(delays) == sorted(delays)
        assert list(shares) == sorted(shares)
        assert shares[-1] == pytest.approx(revisions[-1].arrivals.coverage, abs=1e-9)
        assert 3_600_000 < revisions[-1].arrivals.median_delay_ms < 4 * 3_600_000
        assert delays[-1] < DAY_MS
