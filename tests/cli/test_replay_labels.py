"""`driftwatch replay` with labels: what it writes of performance, when, and how often."""

import json
import re

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from tests.cli.conftest import table
from tests.cli.reports import START_MS, Line, lines, stream

HOUR_MS = 3_600_000


def labelled(rows: pa.Table) -> pa.Table:
    """The rows with ids and labels; every tenth has none, and the third one's is no class."""
    labels = [None if place % 10 == 0 else "perhaps" if place == 3 else str(place % 2) for place in range(len(rows))]
    rows = rows.append_column("id", pa.array([f"e{place}" for place in range(len(rows))]))
    return rows.append_column("label", pa.array(labels))


def test_labels_are_read(replayed, world):
    """From a table of their own, from events, or from the table of predictions; what is said of the data stays."""
    csv.write_csv(stream(), world / "plain.csv")
    _, out = replayed(world / "plain.csv")
    expected = lines(out)
    rows = labelled(stream())
    csv.write_csv(rows, world / "both.csv")
    parquet.write_table(rows.select(["id", "label"]), world / "labels.parquet")
    csv.write_csv(rows.drop(["label"]), world / "predictions.csv")
    events = [{"model": "loan", "id": row["id"], "label": row["label"]} for row in rows.to_pylist()]
    (world / "labels.jsonl").write_text(
        "\n".join(json.dumps(event) for event in events if event["label"]), encoding="utf-8"
    )
    for data, options in (
        ("both.csv", ()),
        ("both.csv", ("--labels", world / "both.csv")),
        ("predictions.csv", ("--labels", world / "labels.parquet")),
        ("predictions.csv", ("--labels", world / "labels.jsonl")),
    ):
        ended, out = replayed(world / data, *options)
        assert (ended.code, ended.err) == (0, "")
        assert re.search(
            r"^7 reports \(\d+ with revisions\); rows: 3500 accepted, 0 late, 0 rejected$", ended.out, re.MULTILINE
        )
        assert ended.out.splitlines()[-2:] == [
            "labels: 3149 read, 3149 joined, 1 rejected (bad_label 1)",
            "predictions: 351 without a label",
        ]
        reports = lines(out)
        assert [(report.window, report.alerts) for report in reports] == [
            (report.window, report.alerts) for report in expected
        ]
        assert drift(reports) == pytest.approx(drift(expected), rel=1e-9, abs=1e-12)  # batches are cut elsewhere
        assert [report.labels.labelled for report in reports] == [449, *[450] * 6]


def drift(reports: list[Line]) -> dict[tuple[str, str, str], float]:
    """What reports say of the data, by window, column and statistic."""
    return {
        (report.window.end, each.column, each.statistic): each.value
        for report in reports
        for each in report.readings
        if each.family == "drift"
    }


def hourly(rows: int) -> pa.Table:
    """Rows of 24 hours, the score being what the label is drawn by, and labels some of which come hours later."""
    rng = np.random.default_rng(9)
    data = table(rows=rows, seed=4)
    score = data["score"].to_numpy()
    times = START_MS + np.arange(rows) * (24 * HOUR_MS // rows)
    return pa.table({
        **{name: data[name] for name in data.column_names},
        "time": times,
        "id": [f"e{place}" for place in range(rows)],
        "label": (rng.random(rows) < score).astype(int),
        "known": times + rng.choice([HOUR_MS // 10, 2 * HOUR_MS, 5 * HOUR_MS], rows),
    })  # fmt: skip


@pytest.fixture
def late_labels(world):
    """Predictions of a day in windows of an hour, and their labels; four in ten of these never come."""
    config = (world / "c.toml").read_text(encoding="utf-8")
    window = 'window = { size = "1h", lateness = "0s", keep = "1h" }\nlabel_wait = "6h"'
    (world / "c.toml").write_text(config.replace("window = { rows = 500 }", window), encoding="utf-8")
    rows = hourly(4_800)
    csv.write_csv(rows.drop(["label", "known"]), world / "p.csv")
    labels = rows.select(["id", "label", "known"]).rename_columns(["id", "label", "time"]).slice(0, 2_880)
    csv.write_csv(labels, world / "l.csv")
    return world / "p.csv", ("--labels", world / "l.csv")


def test_one_line_a_window(replayed, late_labels):
    """However often a window is revised, its line is the last word: what the data and what the labels say."""
    data, options = late_labels
    ended, out = replayed(data, *options)
    assert (ended.code, ended.err) == (0, "")
    reports = lines(out)
    assert [report.window.start[11:13] for report in reports] == [f"{hour:02d}" for hour in range(24)]
    for place, report in enumerate(reports):
        labels = report.labels
        assert report.window.stage == "final"
        assert {each.family for each in report.readings} >= {"drift", "performance"}
        assert len({(each.column, each.family, each.statistic) for each in report.readings}) == len(report.readings)
        assert (labels.predictions, labels.waiting) == (200, 0)
        assert labels.labelled == (200 if place * 200 < 2_880 - 200 else 80 if place == 14 else 0)
        assert labels.predictions == labels.labelled + labels.waiting + labels.expired + labels.cancelled


def test_every_revision(replayed, late_labels):
    """Asked for, each is written as it comes, whole; the highest of a window is its last word."""
    data, options = late_labels
    _, out = replayed(data, *options)
    last = {report.window.start: report for report in lines(out)}
    _, out = replayed(data, *options, "--revisions")
    every = lines(out)
    assert len(every) > 3 * len(last)
    by_window = {}
    for report in every:
        assert report.revision == len(by_window.setdefault(report.window.start, [])) + 1
        by_window[report.window.start].append(report)
    for start, revisions in by_window.items():
        assert [len([each for each in report.readings if each.family == "drift"]) for report in revisions] == [
            len([each for each in last[start].readings if each.family == "drift"])
        ] * len(revisions)
        settled = [report.labels.labelled for report in revisions if report.labels]
        assert settled == sorted(settled)
        assert (revisions[-1].labels, revisions[-1].readings) == (last[start].labels, last[start].readings)


def test_the_screen_tells_of_performance_once(replayed, late_labels, monkeypatch):
    """A line as the window closes, without labels that are to come, and one when they have come or will not."""
    monkeypatch.setenv("COLUMNS", "80")
    data, options = late_labels
    ended, _ = replayed(data, *options)
    said = ended.out.splitlines()
    assert [line[11:13] for line in said if re.match("2026-", line)] == [f"{hour % 24:02d}" for hour in range(1, 25)]
    final = [line for line in said if " final: " in line]
    assert [line[13:15] for line in final] == [f"{hour % 24:02d}" for hour in range(1, 25)]
    form = r"  2026-01-01T01:00:00Z final: accuracy 0\.\d+, roc_auc 0\.\d+, labels of 100.0%"
    assert re.fullmatch(form, final[0])
    assert final[-1] == "  2026-01-02T00:00:00Z final: labels of 0.0%"
    assert said.index(final[0]) < said.index(next(line for line in said if line.startswith("2026-01-01T09")))
    assert max(map(len, said)) <= 80
    assert said[-2:] == ["labels: 2880 read, 2880 joined, 0 rejected", "predictions: 1920 without a label"]


def test_what_became_of_labels(replayed, late_labels, world):
    """Each that was read is told of once: here twice the same, another one, too early, of nobody, and none to come."""
    said = [
        ("e0", START_MS + 1, 1), ("e0", START_MS + 2, 1),
        ("e1", START_MS + HOUR_MS, 0), ("e1", START_MS + HOUR_MS + 1, 1),
        ("e1000", START_MS + 1, 1), ("nobody", START_MS + 1, 1), ("e3", START_MS + HOUR_MS, None),
    ]  # fmt: skip
    events = [json.dumps({"model": "loan", "id": name, "time": time, "label": label}) for name, time, label in said]
    (world / "l.jsonl").write_text("\n".join(events), encoding="utf-8")
    data, _ = late_labels
    ended, _ = replayed(data, "--labels", world / "l.jsonl")
    assert ended.out.splitlines()[-2:] == [
        "labels: 7 read, 3 joined, 1 duplicate, 1 corrected, 1 cancelled, 1 unmatched, 0 rejected",
        "predictions: 4796 without a label",
    ]
