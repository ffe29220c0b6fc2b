"""`driftwatch replay`: what it prints, what it writes, and what it refuses."""

import json
import os
import re
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from pyarrow import csv, parquet

from driftwatch.cli.replay_screen import Screen
from driftwatch.daemon.replay import Summary
from driftwatch.evaluation.alerts import Reason, State, Transition
from driftwatch.evaluation.outcome import Outcome
from driftwatch.evaluation.report import AlertNote, Report, Window
from driftwatch.statistics.checks import CHECKS
from driftwatch.statistics.control import CHANGED
from driftwatch.statistics.drift import STATISTIC_NAMES
from tests.cli.reports import START_MS, events, lines, stream
from tests.sinks.pictures import step

STATUSES = {"ok", "too_few", "no_reference", "degenerate", "no_labels"}


def test_screen(replayed, world, monkeypatch):
    """A line a window and a line a step of an alert, within the width; what it came to at the end."""
    monkeypatch.setenv("COLUMNS", "80")
    csv.write_csv(stream(), world / "stream.csv")
    ended, _ = replayed(world / "stream.csv")
    assert (ended.code, ended.err) == (0, "")
    head, *body, foot = ended.out.splitlines()
    assert head == "window ends               rows firing  most changed (PSI)"
    assert foot == "7 reports; rows: 3500 accepted, 0 late, 0 rejected"
    windows = [line for line in body if not line.startswith(" ")]
    steps = [(place, line) for place, line in enumerate(body) if line.startswith(" ")]
    assert [line.split()[:2] for line in windows[:2]] == [
        ["2026-01-01T00:08:19Z", "500"],
        ["2026-01-01T00:16:39Z", "500"],
    ]
    assert [bool(re.search(r" 500      1  amount \d", line)) for line in windows] == [0, 0, 0, 1, 1, 0, 0]
    assert steps == [
        (3, "  pending warning: drift of amount (threshold_crossed)"),
        (5, "  firing warning: drift of amount (held_for)"),
        (8, "  resolved warning: drift of amount (cleared)"),
    ]
    assert max(map(len, ended.out.splitlines())) <= 80


def test_report(replayed, world):
    """Every line of the report is valid against the contract, and consistent with itself."""
    csv.write_csv(stream(), world / "stream.csv")
    _, out = replayed(world / "stream.csv")
    reports = lines(out)
    assert [report.window.rows for report in reports] == [500] * 7
    for report in reports:
        assert (report.model, report.version, report.segment, report.revision) == ("loan", "", "", 1)
        assert (report.reference.rows, report.window.stage) == (2_000, "final")
        assert {reading.status for reading in report.readings} <= STATUSES
        named = {reading.statistic for reading in report.readings}
        assert set(STATISTIC_NAMES) <= named <= {*STATISTIC_NAMES, *CHECKS}
        assert {reading.threshold for reading in report.readings if reading.statistic == "psi"} == {0.1}
        for reading in report.readings:
            assert (reading.value is not None) == (reading.status == "ok")
    ends = [datetime.fromisoformat(report.window.end) for report in reports]
    assert all(earlier < later for earlier, later in pairwise(ends))
    states = [[(alert.column, alert.state) for alert in report.alerts] for report in reports]
    assert states == [
        [], [], [("amount", "pending")], [("amount", "firing")], [("amount", "firing")], [("amount", "resolved")], [],
    ]  # fmt: skip
    assert len({alert.id for report in reports for alert in report.alerts}) == 1


def without_rules(world, alerting=""):
    """The world's configuration with nothing but the defaults, and maybe a table of alerts."""
    path = world / "c.toml"
    config = path.read_text(encoding="utf-8")
    path.write_text(config[: config.index("[[models.rules]]")] + alerting, encoding="utf-8")


def drift_alerts(reports):
    """Of each window the state of the only alert of drift, empty where there is none."""
    found = [[note.state for note in report.alerts if note.rule == "drift"] for report in reports]
    assert max(map(len, found)) <= 1
    return ["".join(states) for states in found]


def test_without_rules_the_budget_finds_what_moved(replayed, world):
    """At once, that column alone, and for as long as it lasts; each reading stands beside what it is judged by."""
    without_rules(world)
    csv.write_csv(stream(), world / "stream.csv")
    ended, out = replayed(world / "stream.csv")
    assert (ended.code, ended.err) == (0, "")
    assert "  firing warning: drift of amount (threshold_crossed)" in ended.out
    reports = lines(out)
    assert drift_alerts(reports) == ["", "", "firing", "firing", "firing", "resolved", ""]
    assert {(note.rule, note.column) for report in reports for note in report.alerts} == {
        ("drift", "amount"), ("out_of_range", "amount"),
    }  # fmt: skip
    assert ["amount" in report.drifting.bh for report in reports] == [False, False, True, True, True, False, False]
    assert [report.drifting.e_bh for report in reports] == [[], [], ["amount"], ["amount"], ["amount"], [], []]
    for report in reports:
        limits = {(each.column, each.statistic): each.threshold for each in report.readings if each.family == "drift"}
        assert limits["amount", "tv"] == 0.05
        assert limits["amount", "abrupt"] == limits["amount", "slow"] > 3
        assert limits["amount", "psi"] is None


@pytest.mark.parametrize("alerting", ['[models.alerting]\nbudget = "none"\n', "[models.alerting]\nmin_effect = 0.9\n"])
def test_a_budget_is_not_spent_where_nothing_is_asked(replayed, world, alerting):
    """Without a budget, and of changes that do not matter, no drift is told of."""
    without_rules(world, alerting)
    csv.write_csv(stream(), world / "stream.csv")
    _, out = replayed(world / "stream.csv")
    reports = lines(out)
    assert drift_alerts(reports) == [""] * 7
    assert {report.drifting is None for report in reports} == {"none" in alerting}


def test_every_form_gives_the_same_report(replayed, world):
    """CSV, Parquet, a table in JSON lines, and events: one pipeline."""
    rows = stream()
    csv.write_csv(rows, world / "stream.csv")
    parquet.write_table(rows, world / "stream.parquet")
    (world / "table.jsonl").write_text("\n".join(map(json.dumps, rows.to_pylist())), encoding="utf-8")
    (world / "events.jsonl").write_text("\n".join(events(rows)), encoding="utf-8")
    reports = []
    for name in ("stream.csv", "stream.parquet", "table.jsonl", "events.jsonl"):
        ended, out = replayed(world / name)
        assert ended.code == 0, ended.err
        reports.append(out.read_bytes())
    assert reports[0].count(b"\n") == 7
    assert [report == reports[0] for report in reports] == [True] * 4


def test_rejected_lines_are_counted(replayed, world):
    """What is no event is counted by reason, and changes nothing else."""
    rows = stream()
    good = events(rows)
    bad = [
        "{",
        '"text"',
        good[0].replace('"loan"', '"other"'),
        good[0].replace(f'"time": {START_MS}', '"time": "soon"'),
    ]
    (world / "good.jsonl").write_text("\n".join(good), encoding="utf-8")
    (world / "mixed.jsonl").write_text("\n".join([bad[0], *good[:700], *bad[1:], *good[700:]]), encoding="utf-8")
    _, out = replayed(world / "good.jsonl")
    expected = out.read_bytes()
    ended, out = replayed(world / "mixed.jsonl")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[-1] == (
        "7 reports; rows: 3500 accepted, 0 late, 4 rejected (bad_time 1, not_json 1, not_object 1, unknown_model 1)"
    )
    assert out.read_bytes() == expected


def test_bad_times_in_a_table_are_counted(replayed, world):
    """A row of a table without a time that can be read is rejected, too."""
    (world / "t.csv").write_text(
        "time,amount\n2026-01-05T10:00:00Z,1\nsoon,2\n2026-01-05T10:00:01Z,3\n", encoding="utf-8"
    )
    ended, _ = replayed(world / "t.csv")
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == "1 reports; rows: 2 accepted, 0 late, 1 rejected (bad_time 1)"


def test_rows_before_the_last_full_window_count(replayed, world):
    """The end of the files closes the window that was not full."""
    csv.write_csv(stream().slice(0, 600), world / "stream.csv")
    _, out = replayed(world / "stream.csv")
    assert [report.window.rows for report in lines(out)] == [500, 100]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", "", "empty file: give a file that holds data"),
        ("empty.jsonl", "", "empty file: give a file that holds data"),
        ("nowhere.csv", None, "no such file: check the path"),
        ("data.xlsx", "x", "unknown kind of file: name it .csv, .parquet or .jsonl according to what it holds"),
        ("broken.parquet", "PAR1", ""),
    ],
)
def test_data_that_cannot_be_used(replayed, world, name, content, said):
    """The file is named in one line, and the exit code is the operator's."""
    if content is not None:
        (world / name).write_text(content, encoding="utf-8")
    ended, _ = replayed(world / name)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith(f"driftwatch: {world / name}: {said}")


@pytest.mark.parametrize("out", ["nowhere/out.jsonl", "", "/dev/full"])
def test_a_report_that_cannot_be_written(driftwatch, world, out):
    """A missing folder, a folder, a full disk: the operator's to mend, in one line."""
    csv.write_csv(stream(), world / "stream.csv")
    path = os.path.join(world, out)  # noqa: PTH118 - keeps the slash of a folder
    ended = driftwatch("replay", "--config", world / "c.toml", "--predictions", world / "stream.csv", "--report", path)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "cannot be written: " in ended.err


def test_a_table_of_labels_without_labels(replayed, world):
    """A column of another name is the operator's to map."""
    csv.write_csv(stream(), world / "stream.csv")
    ended, _ = replayed(world / "stream.csv", "--labels", world / "stream.csv")
    said = f'{world / "stream.csv"}: has no column "label"; name the one that holds the label in [models.fields]'
    assert (ended.code, ended.err) == (2, f"driftwatch: {said}\n")


def test_which_model(driftwatch, world):
    """With several models one has to be chosen, by a name that there is."""
    path = world / "c.toml"
    path.write_text(path.read_text() + '[[models]]\nname = "other"\ntask = "binary"\n', encoding="utf-8")
    csv.write_csv(stream(), world / "stream.csv")
    call = ("replay", "--config", path, "--predictions", world / "stream.csv")
    ended = driftwatch(*call)
    assert (ended.code, ended.err) == (
        2,
        f"driftwatch: {path}: has several models; choose one with --model: loan, other\n",
    )
    ended = driftwatch(*call, "--model", "third")
    assert ended.code == 2
    assert ended.err == f'driftwatch: {path}: models: no model is called "third"; the file has "loan", "other"\n'
    assert driftwatch(*call, "--model", "loan").code == 0


def outcome(version: str, *, segments: dict[str, list[Transition]], revision: int = 1) -> Outcome:
    """A window's reports, one of each segment, and the steps of alerts that moved in it."""
    made = Outcome()
    for segment, steps in segments.items():
        placed = [replace(each, version=version, segment=segment, window_start_ms=0, window_end_ms=60_000)
                  for each in steps]  # fmt: skip
        made.transitions += placed
        notes = tuple(AlertNote(each.alert_id, each.rule, each.column, each.state, "", "") for each in placed)
        window = Window(0, 60_000, 5)
        made.reports.append(
            Report("fraud", version, segment, window, revision, "", 1, readings=(), thresholds={}, alerts=notes)
        )
    return made


def moving(column: str, state: State = State.FIRING, **changes: Any) -> Transition:
    return replace(step(state, Reason.HELD, column=column, alert_id=column), **changes)


def test_versions_revisions_and_odd_names(capsys):
    """A version and a revision stand before the columns; a payload's control characters never reach the terminal."""
    screen = Screen()
    screen.show(outcome("7\x1b[2J", segments={"": [moving("a\nb")]}, revision=2))
    assert capsys.readouterr().out.splitlines()[1:] == [
        "1970-01-01T00:01:00Z         5      1  version 7?[2J, revision 2:",
        "  firing warning: drift of a?b (held_for)",
    ]


def test_what_moved_together_is_one_line(capsys, monkeypatch):
    """Of whole rows and segments, by rank, under the window's line; what has no room is counted."""
    monkeypatch.setenv("COLUMNS", "80")
    screen = Screen({"c3": 1.0, "c7": 0.5} | {f"c{n}": 0.1 for n in (0, 1, 2, 4, 5, 6, 8, 9)})
    steps = [moving(f"c{n}") for n in range(10)]
    screen.show(outcome("", segments={"": [moving("score"), *steps], "channel=web": steps}))
    screen.show(outcome("", segments={"": [moving("a", State.RESOLVED)], "channel=web": [moving("b"), moving("c")]}))
    screen.show(outcome("", segments={"": [moving("x" * 90), moving("y" * 90)]}))
    assert [line for line in capsys.readouterr().out.splitlines()[1:] if line.startswith("  ")] == [
        "  firing warning: drift of score, c3, c7, c0, c1 and 16 more (held_for)",
        "  resolved warning: drift of a (held_for)",
        "  firing warning: drift of b in channel=web, c in channel=web (held_for)",
        f"  firing warning: drift of {'x' * 39}… and 1 more (held_for)",
    ]


def test_alerts_without_a_column_name_their_segments(capsys):
    """Those of the whole model's performance are told apart by where they are."""
    auc = moving("", rule="auc")
    for segments in ({"": [auc]}, {"": [], "a=1": [auc]}, {"": [auc], "a=1": [auc], "a=2": [auc]}):
        Screen().show(outcome("", segments=segments))
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")] == [
        "  firing warning: auc (held_for)",
        "  firing warning: auc in a=1 (held_for)",
        "  firing warning: auc in all rows, a=1, a=2 (held_for)",
    ]


def test_alerts_of_golden_sets_are_told_at_the_end(capsys):
    """They belong to no window, so that no window's line could tell of them."""
    firing = replace(step(State.FIRING, Reason.CROSSED, column="golden-1"), statistic=CHANGED, rule="control", value=1)
    Screen().close(Summary(transitions=[firing, step(State.FIRING, Reason.CROSSED)]))
    assert capsys.readouterr().out.splitlines()[1:] == ["firing warning: control of golden-1, version 7, changed: 1"]
