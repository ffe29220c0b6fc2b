"""Predictions and labels of files come in the order in which a live stream would have brought them."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.config import load
from driftwatch.daemon.label_files import LabelFiles
from driftwatch.daemon.merging import merged
from driftwatch.daemon.replay import Summary, replay
from driftwatch.daemon.watch import Watch, load_watch
from driftwatch.errors import DataError
from driftwatch.kernels.hashing import hash_texts
from driftwatch.stream.batch import Batch, Labels
from driftwatch.stream.outputs import OutputForm, blank
from driftwatch.stream.schema import Task
from driftwatch.stream.times import TIMELESS
from driftwatch.stream.windows import WindowSpec
from tests.scenarios import world
from tests.scenarios.probe import NOW_MS

FORM = OutputForm(Task.BINARY, ("0", "1"))
STEP = 10
TIMED = WindowSpec.model_validate({"size": "40ms", "slide": "10ms"})
COUNTED = WindowSpec.model_validate({"rows": 20})


def batch_of(times, ids) -> Batch:
    rows = len(times)
    return Batch(
        "p", np.array(times, dtype=np.int64), np.array(ids, dtype=np.uint64), np.zeros(rows, dtype=np.int32), ("",),
        np.zeros((0, rows)), np.zeros((0, rows), dtype=np.int32), blank(FORM.outputs, rows),
    )  # fmt: skip


def labels_of(times, ids) -> Labels:
    rows = len(times)
    return Labels(
        "l", np.array(times, dtype=np.int64), np.array(ids, dtype=np.uint64), blank(FORM.outcomes, rows),
        np.zeros(rows, dtype=np.bool_),
    )  # fmt: skip


def told(parts) -> list[tuple[str, int, int]]:
    """Every row in order: which it is, its time, its id."""
    return [
        ("label" if isinstance(part, Labels) else "prediction", time, identity)
        for part in parts
        for time, identity in zip(part.times.tolist(), part.ids.tolist(), strict=True)
    ]


_times = st.lists(st.integers(0, 100), max_size=30)


def cut(rows: int, places: set[int]) -> list[slice]:
    edges = [0, *sorted(place for place in places if place < rows), rows]
    return [slice(start, stop) for start, stop in pairwise(edges) if stop > start]


@settings(deadline=None, max_examples=150)
@given(_times, _times, st.sets(st.integers(1, 29)), st.sets(st.integers(1, 29)))
def test_labels_with_a_time(predictions: list[int], labels: list[int], cuts: set[int], label_cuts: set[int]) -> None:
    """Each comes before the first prediction of a later beat, after all of earlier ones; however files are cut."""
    labels = sorted(labels)
    batch, known = (
        batch_of(predictions, range(1, len(predictions) + 1)),
        labels_of(labels, range(100, 100 + len(labels))),
    )
    read = ((batch.between(part.start, part.stop), None) for part in cut(batch.rows, cuts))
    parts = (known.taken(part) for part in cut(known.rows, label_cuts))
    rows = told(merged(read, parts, timeless=None, window=TIMED))
    assert [identity for kind, _, identity in rows if kind == "prediction"] == batch.ids.tolist()
    assert [identity for kind, _, identity in rows if kind == "label"] == known.ids.tolist()
    for place, (kind, time, _) in enumerate(rows):
        before = [row[1] for row in rows[:place] if row[0] == "prediction"]
        after = [row[1] for row in rows[place:] if row[0] == "prediction"]
        if kind == "label":
            assert all(earlier // STEP <= time // STEP for earlier in before)
            assert not after or max([*before, after[0]]) // STEP > time // STEP


@settings(deadline=None, max_examples=100)
@given(_times, st.sampled_from([TIMED, COUNTED]), st.sets(st.integers(1, 29)), st.booleans(), st.data())
def test_labels_without_a_time(predictions, window, cuts, own, data) -> None:
    """Each comes at its prediction's time, in the same beat; one whose prediction never comes, at the end."""
    ids = data.draw(st.lists(st.integers(1, 40), min_size=len(predictions), max_size=len(predictions)))
    lone = [] if own else data.draw(st.lists(st.integers(50, 60), max_size=3))
    given_ids = sorted({*ids, *lone}, key=lambda identity: -identity)
    batch, labels = batch_of(predictions, ids), labels_of([TIMELESS] * len(given_ids), given_ids)
    if own:
        read = ((batch.between(s.start, s.stop), labels_of([TIMELESS] * (s.stop - s.start), ids[s.start : s.stop]))
                for s in cut(batch.rows, cuts))  # fmt: skip
    else:
        read = ((batch.between(part.start, part.stop), None) for part in cut(batch.rows, cuts))
    rows = told(merged(read, iter(()), timeless=None if own else labels, window=window))
    pairs = {(time, identity) for kind, time, identity in rows if kind == "label"}
    assert pairs >= set(zip(predictions, ids, strict=True))
    assert {identity for _, identity in pairs} == set(given_ids)
    assert [row[0] for row in rows[len(rows) - len(set(lone)) :]] == ["label"] * len(set(lone))
    for place, (kind, _, identity) in enumerate(rows):
        if kind == "label" and identity not in lone:
            assert ("prediction", identity) in {(row[0], row[2]) for row in rows[:place]}


def test_counted_windows_hear_of_labels_within() -> None:
    """After each tenth of a window."""
    batch = batch_of(range(20), range(1, 21))
    rows = told(merged([(batch, None)], iter(()), timeless=labels_of([TIMELESS] * 20, range(1, 21)), window=COUNTED))
    assert [row[0] for row in rows] == ["prediction", "prediction", "label", "label"] * 10


def test_without_labels_nothing_is_cut() -> None:
    """Predictions go through as they were read."""
    batch = batch_of(range(100), range(1, 101))
    (only,) = merged([(batch, None)], iter(()), timeless=None, window=TIMED)
    assert only is batch


@pytest.fixture
def model(tmp_path, reference) -> Watch:
    return load_watch(load(world.configuration(tmp_path, reference), {}), 0)


def read(model: Watch, *paths: Path) -> tuple[list[tuple[int, int]], list[int], Summary]:
    """Times and ids in order; ids of those without a time; what was refused."""
    summary = Summary()
    timed, timeless = LabelFiles.find(model, [str(path) for path in paths], now_ms=NOW_MS).read(
        summary.refuse_label, lambda _: None
    )
    rows = [pair for part in timed for pair in zip(part.times.tolist(), part.ids.tolist(), strict=True)]
    return rows, [] if timeless is None else timeless.ids.tolist(), summary


@pytest.mark.parametrize("form", ["csv", "events"])
@pytest.mark.parametrize("times", [[1000, 2000, 2000, 3000], [3000, 1000, 2000, 2000]], ids=["sorted", "unsorted"])
def test_label_files(model, tmp_path, form, times) -> None:
    """Sorted or not, in one file or two: in order of time, and every refusal is counted once."""
    name = model.spec.name
    for place, part in enumerate((times[:2], times[2:])):
        if form == "csv":
            text = "id,time,label\n" + "".join(f"{time}-{place},{time},1\n" for time in part) + "x,1,maybe\n"
        else:
            events = [{"model": name, "id": f"{time}-{place}", "time": time, "label": 1} for time in part]
            text = "\n".join(map(json.dumps, [*events, {"model": name, "id": "x", "time": 1, "label": "maybe"}]))
        (tmp_path / f"{place}.{'csv' if form == 'csv' else 'jsonl'}").write_text(text, encoding="utf-8")
    rows, timeless, summary = read(model, *sorted([*tmp_path.glob("[01].csv"), *tmp_path.glob("[01].jsonl")]))
    expected = sorted(((time, f"{time}-{place // 2}") for place, time in enumerate(times)), key=lambda pair: pair[0])
    assert rows == [(time, hash_texts([text])[0]) for time, text in expected]
    assert (timeless, summary.labels_rejected) == ([], {"bad_label": 2})


def test_events_without_a_time_are_their_predictions(model, tmp_path) -> None:
    """Beside others that have one."""
    events = [
        {"model": model.spec.name, "id": "a", "label": 1},
        {"model": model.spec.name, "id": "b", "label": 1, "time": 5},
    ]
    (tmp_path / "l.jsonl").write_text("\n".join(map(json.dumps, events)), encoding="utf-8")
    rows, timeless, _ = read(model, tmp_path / "l.jsonl")
    assert (rows, timeless) == ([(5, hash_texts(["b"])[0])], hash_texts(["a"]).tolist())


def test_a_ranking_has_no_table_of_labels(model, tmp_path) -> None:
    """Its labels are objects."""
    (tmp_path / "l.csv").write_text("id,label\na,1\n", encoding="utf-8")
    object.__setattr__(model.schema, "task", Task.RANKING)
    with pytest.raises(DataError, match="the labels of a ranking are no table; write them as events, one a line"):
        read(model, tmp_path / "l.csv")


def test_replay_counts_labels(model, tmp_path) -> None:
    """Read, refused, and nothing else: predictions are what they are without."""
    header = "id,time,version,score,amount,age,delay,country,channel"
    rows = [f"{n},{NOW_MS + n},1,0.5,1,1,1,DE,web" for n in range(10)]
    (tmp_path / "p.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (tmp_path / "l.csv").write_text("id,label\n1,1\n2,\n3,perhaps\n99,0\n", encoding="utf-8")
    summary = replay(
        model, [str(tmp_path / "p.csv")], labels=[str(tmp_path / "l.csv")],
        now_ms=NOW_MS, report=lambda _: None,
    )  # fmt: skip
    assert (summary.accepted, summary.labels, summary.labels_rejected) == (10, 2, {"bad_label": 1})
