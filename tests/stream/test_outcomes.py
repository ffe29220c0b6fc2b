"""What turned out to be true: each task, every form of a body, and awkward values."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.kernels.hashing import hash_texts
from driftwatch.stream.batch import Labels
from driftwatch.stream.outputs import JUDGED, blank
from driftwatch.stream.raw import Stream
from driftwatch.stream.reject import Reject
from driftwatch.stream.schema import FieldsSpec, Task
from tests.stream.answering import (
    NAMES,
    NAN,
    NUMBERS,
    decode,
    event,
    intake,
    labels,
    same,
)
from tests.stream_strategies import assert_records_equal


@pytest.mark.parametrize(
    ("task", "label", "expected"),
    [
        (Task.BINARY, "1", [(1, 2.0)]),
        (Task.BINARY, "false", [(0, 2.0)]),
        (Task.MULTICLASS, '"dog"', [(1, 2.0)]),
        (Task.MULTICLASS, "3", [(2, 2.0)]),
        (Task.MULTICLASS, '"cow"', [(3, 2.0)]),
        (Task.REGRESSION, "-7.5", [(-7.5, 2.0)]),
        (Task.NONE, '"anything"', [(2.0,)]),
    ],
)
def test_labels(task, label, expected) -> None:
    """A label is coded as a prediction is; its value stands beside it."""
    got = labels(intake(task), f'"label": {label}, "value": 2')
    same(got.outcomes, expected)
    assert got.cancelled.tolist() == [False]


def test_relevance() -> None:
    """The most relevant items come first, as many as are kept; no relevance is no item."""
    many = {f"i{n}": n for n in range(-3, 100)}
    got = labels(intake(Task.RANKING), '"label": {"b": 1, "a": 3, "c": 0, "d": -1}', f'"label": {json.dumps(many)}',
                 '"label": {}', '"label": {"a": 1e300}')  # fmt: skip
    items, relevance = got.outcomes["items"], got.outcomes["relevance"]
    assert items[0, :3].tolist() == [*hash_texts(["a", "b"]).tolist(), 0]
    assert relevance[0, :3].tolist() == [3.0, 1.0, 0.0]
    assert relevance[1].tolist() == [float(n) for n in range(99, 99 - JUDGED, -1)]
    assert items[1].tolist() == hash_texts([f"i{n}" for n in range(99, 99 - JUDGED, -1)]).tolist()
    assert not items[2].any()
    assert np.isfinite(relevance[3, 0])
    assert labels(intake(Task.RANKING), '"label": {"b": 1, "a": 1}').outcomes["items"][0, :2].tolist() == (
        hash_texts(["a", "b"]).tolist()
    )


@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("wrong", [False, True], ids=["typed", "tolerant"])
def test_null_cancels_and_absence_does_not(task, wrong) -> None:
    """An explicit null says that no label will come; a label event without the key says nothing, and is refused."""
    odd = ', "value": "x"' if wrong else ""
    texts = [event(0, f'"label": null{odd}'), event(1, odd.removeprefix(", "))]
    decoded = decode(intake(task), *texts, stream=Stream.LABELS)
    assert decoded.labels["m"].cancelled.tolist() == [True]
    assert_records_equal(decoded.labels["m"].outcomes, blank(intake(task).output_form.outcomes, 1))
    assert [(rejection.index, rejection.reason) for rejection in decoded.rejected] == [(1, Reject.MISSING_LABEL)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", Reject.MISSING_LABEL),
        ("null", Reject.MISSING_LABEL),
        ('{"label": null}', None),
        ("[1]", Reject.BAD_LABEL),
    ],
)
def test_null_of_an_inner_label(text, reason) -> None:
    """Where the label stands in an object, the object's absence is the label's absence."""
    taken = intake(Task.BINARY, fields=FieldsSpec(label="outcome.label"))
    for odd in ("", ', "value": "x"'):
        decoded = decode(taken, event(0, f'"outcome": {text}{odd}'), stream=Stream.LABELS)
        assert [rejection.reason for rejection in decoded.rejected] == ([] if reason is None else [reason])


def test_labels_of_versions() -> None:
    """A label is of its event: which version it names changes nothing."""
    got = labels(intake(Task.BINARY), '"label": 1, "version": "7"', '"label": 1', '"label": 1, "version": 7')
    assert (got.outcomes["label"] == 1).all()
    assert len(set(got.ids.tolist())) == got.rows


def test_columnar_labels() -> None:
    """In columns a null cancels too; without a column of labels every row lacks one."""
    columns = {"id": ["a", "b", "c"], "label": [1, None, "no class"], "value": [1, "x", 3]}
    decoded = decode(
        intake(Task.BINARY), json.dumps({"model": "m", "version": "7", "columns": columns}), stream=Stream.LABELS
    )
    got = decoded.labels["m"]
    same(got.outcomes, [(1, 1.0), (-1, NAN)])
    assert got.cancelled.tolist() == [False, True]
    assert [(rejection.index, rejection.reason) for rejection in decoded.rejected] == [(2, Reject.BAD_LABEL)]
    bare = decode(intake(Task.BINARY), '{"model": "m", "columns": {"id": ["a", "b"]}}', stream=Stream.LABELS)
    assert [rejection.reason for rejection in bare.rejected] == [Reject.MISSING_LABEL] * 2


_LABELS = {
    Task.BINARY: NAMES,
    Task.MULTICLASS: NAMES,
    Task.REGRESSION: NUMBERS,
    Task.RANKING: st.dictionaries(st.sampled_from(["a", "b", "\ud800"]), NUMBERS) | NAMES,
    Task.NONE: NAMES,
}


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(Task), st.data())
def test_forms_give_the_same_labels(task, data) -> None:
    """Objects, an array, lines and columns of the same labels: rows, and reasons of the others."""
    row = st.fixed_dictionaries({"label": _LABELS[task], "value": NUMBERS, "version": st.sampled_from(["1", 2, None])})
    rows = data.draw(st.lists(row, min_size=1, max_size=6))
    taken = intake(task)
    events = [{"model": "m", "id": str(place), **each} for place, each in enumerate(rows)]
    texts = [json.dumps(each) for each in events]
    wide = {"model": "m", "columns": {key: [each[key] for each in events] for key in events[0] if key != "model"}}
    expected = decode(taken, *texts, stream=Stream.LABELS)
    bodies = (["[" + ", ".join(texts) + "]"], ["\n".join(texts)], [json.dumps(wide)])
    for body in bodies:
        got = decode(taken, *body, stream=Stream.LABELS)
        assert got.rejected == expected.rejected
        assert_labels_equal(got.labels.get("m"), expected.labels.get("m"))
    single = [decode(taken, text, stream=Stream.LABELS).labels.get("m") for text in texts]
    kept = [each for each in single if each is not None]
    assert_labels_equal(Labels.joined(kept) if kept else None, expected.labels.get("m"))


def assert_labels_equal(got: Labels | None, expected: Labels | None) -> None:
    assert (got is None) == (expected is None)
    if got is None or expected is None:
        return
    assert got.partition == expected.partition
    for name in ("times", "ids", "cancelled"):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name), err_msg=name, strict=True)
    assert_records_equal(got.outcomes, expected.outcomes)
