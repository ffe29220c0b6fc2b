"""Replays: event files and tables, whole and to the end."""

import json
from pathlib import Path

import pytest

from driftwatch.config import load
from driftwatch.daemon.replay import Summary, replay
from driftwatch.daemon.watch import load_watch
from driftwatch.errors import DataError
from driftwatch.evaluation.report import Report
from tests.scenarios import events, world
from tests.scenarios.journal import assert_same
from tests.scenarios.probe import NOW_MS

LINES = events.calm_then_drifted(hours=4, drifted=range(2, 4))


@pytest.fixture
def replayed(tmp_path, reference):
    """Replay files over the scenarios' model; a window of so many rows when asked."""

    def replayed(*paths: Path, rows: int | None = None) -> tuple[list[Report], Summary]:
        path = world.configuration(tmp_path, reference)
        if rows is not None:
            lines = path.read_text(encoding="utf-8").splitlines()
            counted = [f"window = {{ rows = {rows} }}" if line.startswith("window = ") else line for line in lines]
            path.write_text("\n".join(counted), encoding="utf-8")
        reports: list[Report] = []
        summary = replay(
            load_watch(load(path, {}), 0), [str(each) for each in paths],
            now_ms=NOW_MS, report=reports.append,
        )  # fmt: skip
        return reports, summary

    return replayed


def as_table(path: Path, lines=LINES) -> Path:
    """The same events as a flat CSV file."""
    documents = [json.loads(line) for line in lines]
    names = ["amount", "age", "delay", "country", "channel"]
    rows = [",".join(["id", "time", "version", "score", *names])]
    for document in documents:
        features = ["" if document["features"][name] is None else str(document["features"][name]) for name in names]
        rows.append(
            ",".join([document["id"], str(document["time"]), document["version"], str(document["score"]), *features])
        )
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def as_events(path: Path, lines=LINES) -> Path:
    """An event file."""
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def documents(reports):
    return [report.document() for report in reports]


def test_a_table_gives_the_reports_of_its_events(replayed, tmp_path):
    """One pipeline, whatever the form of the file."""
    of_events, events_summary = replayed(as_events(tmp_path / "events.jsonl"))
    of_table, table_summary = replayed(as_table(tmp_path / "table.csv"))
    assert_same(documents(of_table), documents(of_events))
    assert table_summary.accepted == events_summary.accepted == len(LINES)
    assert [step.identity for step in table_summary.transitions] == [
        step.identity for step in events_summary.transitions
    ]


def test_the_end_of_the_files_closes_the_last_window(replayed, tmp_path):
    """Every row is in a report; no window reaches beyond the last pane."""
    reports, summary = replayed(as_events(tmp_path / "events.jsonl"))
    assert summary.reports == len(reports)
    assert sum(report.window.rows for report in reports[1::2]) == len(LINES)
    assert reports[-1].window.end_ms == events.START + 4 * events.HOUR


def test_windows_of_rows_close_by_count_and_at_the_end(replayed, tmp_path):
    """The last one holds what is left."""
    reports, _ = replayed(as_events(tmp_path / "events.jsonl"), rows=500)
    assert [report.window.rows for report in reports] == [500, 500, 200]
    starts = [json.loads(line)["time"] for line in LINES[::500]]
    assert [report.window.start_ms for report in reports] == starts


def test_several_files_are_one_stream(replayed, tmp_path):
    """In the order of their names, cut wherever."""
    whole, _ = replayed(as_events(tmp_path / "whole.jsonl"))
    parts = [as_events(tmp_path / f"part-{part}.jsonl", LINES[part * 500 : part * 500 + 500]) for part in range(3)]
    assert len(parts) == 3
    split, summary = replayed(tmp_path / "part-*.jsonl")
    assert_same(documents(split), documents(whole))
    assert summary.accepted == len(LINES)


def test_refused_events_are_counted_by_reason(replayed, tmp_path):
    """Nothing else is affected, even when the first line is one."""
    bad = [body for body, _ in events.MALFORMED]
    whole, _ = replayed(as_events(tmp_path / "whole.jsonl"))
    reports, summary = replayed(as_events(tmp_path / "bad.jsonl", [b"{", *LINES[:50], *bad, b"", *LINES[50:]]))
    assert_same(documents(reports), documents(whole))
    assert summary.rejected == {
        "not_json": 2, "bad_time": 1, "future": 1, "unknown_model": 1, "missing_model": 1, "missing_id": 1,
        "not_object": 1,
    }  # fmt: skip


def test_a_row_of_a_table_without_a_time_is_refused(replayed, tmp_path):
    """The other rows stay."""
    path = as_table(tmp_path / "table.csv")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f",{events.START},", ",whenever,", 1), encoding="utf-8")
    _, summary = replayed(path)
    assert (summary.accepted, summary.rejected) == (len(LINES) - 1, {"bad_time": 1})


def test_files_that_are_not_there_are_an_error(replayed, tmp_path):
    """One line names the pattern."""
    with pytest.raises(DataError, match="nothing-"):
        replayed(tmp_path / "nothing-*.jsonl")
