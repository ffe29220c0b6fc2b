"""Replays that learn their reference from the first part of the files: events and tables."""

import json

import pytest

from driftwatch.daemon.first_part import learn_first
from driftwatch.daemon.referencing import build_reference
from driftwatch.daemon.replay import replay
from driftwatch.errors import DataError
from tests.daemon.lessons import FLOW, LEARNT, LINES, alerts, configured, whole
from tests.daemon.school import School
from tests.daemon.test_replay import as_events, as_table
from tests.scenarios.journal import assert_same, last_words
from tests.scenarios.probe import NOW_MS


def replayed(config, *paths, labels=()):
    """Learn and judge: the reference, the reports and the summary."""
    names = [str(path) for path in paths]
    watch = learn_first(config, 0, names, now_ms=NOW_MS)
    reports = []
    summary = replay(
        watch, names, now_ms=NOW_MS, report=lambda each: reports.append(each.document()),
        labels=[str(path) for path in labels],
    )  # fmt: skip
    return watch.reference, reports, summary


@pytest.mark.parametrize("reference", ['{ first = "2h" }', "{ first_rows = 1001 }"])
def test_it_comes_to_what_a_service_comes_to(tmp_path, reference):
    """The same stream from a file: the same reference, the same windows, nothing lost."""
    config = configured(tmp_path, reference)
    learnt, reports, summary = replayed(config, as_events(tmp_path / "flow.jsonl", FLOW.lines))
    one = School(config, tmp_path / "state")
    one.go(FLOW.lines)
    expected, results, (_, digest) = whole(one)
    one.crash()
    assert learnt.source_hash == digest
    assert_same(last_words(reports), last_words(expected))
    assert summary.rejected == dict(FLOW.rejected)
    got = summary.learnt + summary.accepted + summary.late + summary.duplicate + sum(summary.rejected.values())
    assert got == len(FLOW.lines) == sum(results.values())


@pytest.mark.parametrize("form", [as_table, as_events])
@pytest.mark.parametrize("reference", ['{ first = "2h" }', f"{{ first_rows = {LEARNT} }}"])
def test_tables_are_learnt_from_as_events_are(tmp_path, form, reference):
    """The reference is that of the first part alone, by whatever kind of file it comes."""
    suffix = {as_table: "csv", as_events: "jsonl"}[form]
    config = configured(tmp_path, reference)
    learnt, reports, summary = replayed(config, form(tmp_path / f"all.{suffix}", LINES))
    part = build_reference(
        [str(form(tmp_path / f"part.{suffix}", LINES[:LEARNT]))], config.models[0], now_ms=0, progress=lambda *_: None
    )
    assert learnt.layout.fingerprint == part.layout.fingerprint
    assert learnt.profile.numeric.counts.tolist() == part.profile.numeric.counts.tolist()
    assert learnt.profile.categories.tolist() == part.profile.categories.tolist()
    assert (summary.learnt, summary.accepted) == (LEARNT, len(LINES) - LEARNT)
    assert {column for _, column in alerts(reports)} >= {"amount", "country"}


def test_the_labels_of_a_table_are_learnt_too(tmp_path):
    """They stand beside the predictions, and belong to the part that these belong to."""
    header, *rows = as_table(tmp_path / "plain.csv", LINES).read_text().splitlines()
    table = tmp_path / "labelled.csv"
    table.write_text("\n".join([f"{header},label", *(f"{row},{place % 2}" for place, row in enumerate(rows))]) + "\n")
    learnt, _, summary = replayed(configured(tmp_path, '{ first = "2h" }'), table)
    assert learnt.outcomes.rows == LEARNT
    assert summary.fate["learnt"] == LEARNT
    assert summary.fate["joined"] == len(LINES) - LEARNT


def test_booleans_words_and_gaps_of_a_table(tmp_path):
    """Every kind of column is learnt as it would be from the table itself, without ids and times, too."""
    rows = [
        f"{place % 7},{'' if place % 5 == 0 else 'ab'[place % 2]},{str(place % 3 == 0).lower()},oops"
        for place in range(700)
    ]
    rows[3] = "x,b,true,oops"
    table, part = tmp_path / "all.csv", tmp_path / "part.csv"
    table.write_text("\n".join(["number,word,flag,note", *rows]) + "\n")
    part.write_text("\n".join(["number,word,flag,note", *rows[:600]]) + "\n")
    config = configured(tmp_path, "{ first_rows = 600 }", task="none", rules="", window="window = { rows = 50 }")
    learnt, reports, _ = replayed(config, table)
    expected = build_reference([str(part)], config.models[0], now_ms=0, progress=lambda *_: None)
    assert learnt.layout.fingerprint == expected.layout.fingerprint
    assert learnt.profile.numeric.counts.tolist() == expected.profile.numeric.counts.tolist()
    assert learnt.profile.categories.tolist() == expected.profile.categories.tolist()
    assert [each["window"]["rows"] for each in reports] == [50, 50]


def test_data_that_end_too_early(tmp_path):
    """One line says how much there is and how much is wanted."""
    file = as_events(tmp_path / "few.jsonl", LINES[:400])
    with pytest.raises(DataError, match=r"few\.jsonl: the data end before the reference is learnt: there are 400 rows"):
        learn_first(configured(tmp_path, "{ first_rows = 401 }"), 0, [str(file)], now_ms=NOW_MS)
    with pytest.raises(DataError, match=r"wanted are 500 rows and all before 2026-01-12T00:00:00Z"):
        learn_first(configured(tmp_path, '{ first = "7d" }'), 0, [str(file)], now_ms=NOW_MS)


def test_label_files(tmp_path):
    """Labels of learnt predictions wait for nothing; the others are joined."""
    ids = [json.loads(line)["id"] for line in LINES]
    file = tmp_path / "labels.jsonl"
    file.write_text("".join(json.dumps({"model": "fraud", "id": each, "label": 1}) + "\n" for each in ids))
    _, _, summary = replayed(
        configured(tmp_path, '{ first = "2h" }'), as_events(tmp_path / "all.jsonl", LINES), labels=[file]
    )
    assert (summary.fate["joined"], summary.fate["learnt"]) == (len(LINES) - LEARNT, LEARNT)
