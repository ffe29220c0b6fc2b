"""What the model said: each task, every form of a body, and awkward values."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.kernels.hashing import hash_texts
from driftwatch.stream.batch import Batch
from driftwatch.stream.outputs import CUTOFF, OutputForm, joined
from driftwatch.stream.reader import Intake
from driftwatch.stream.schema import PREDICTION, Column, FieldsSpec, Kind, Schema, Task
from tests.stream.answering import (
    INTERVAL,
    LISTS,
    NAMES,
    NAN,
    NUMBERS,
    decode,
    event,
    intake,
    outputs,
    same,
)
from tests.stream_strategies import assert_records_equal

with_columns = pytest.mark.parametrize("columns", [True, False], ids=["columns", "no columns"])


@with_columns
@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ('"score": 0.25, "prediction": 1', (0.25, 1, NAN)),
        ('"score": 0.75, "prediction": false', (0.75, 0, NAN)),
        ('"score": 0.5', (0.5, 1, NAN)),
        ('"score": 0.499', (0.499, 0, NAN)),
        ('"prediction": true, "value": 12', (NAN, 1, 12.0)),
        ('"prediction": "1"', (NAN, 1, NAN)),
        ('"prediction": 1.0', (NAN, 1, NAN)),
        ('"prediction": "true"', (NAN, 1, NAN)),
        ('"prediction": "maybe", "score": 0.9', (0.9, 1, NAN)),
        ('"prediction": 2', (NAN, -1, NAN)),
        ('"prediction": [1], "score": 0.1', (0.1, 0, NAN)),
        ('"score": 1.5, "value": "much"', (NAN, -1, NAN)),
        ('"score": -0.0', (-0.0, 0, NAN)),
        ('"score": "0.5", "value": 1e999', (NAN, -1, NAN)),
        ('"score": NaN, "prediction": null, "value": NaN', (NAN, -1, NAN)),
        ('"value": -2.5', (NAN, -1, -2.5)),
        ("", (NAN, -1, NAN)),
    ],
)
def test_binary(columns, members, expected) -> None:
    """A score, a class, or both; without a class, the score's side of the threshold."""
    same(outputs(intake(Task.BINARY, columns=columns), members), [expected])


@pytest.mark.parametrize(
    ("classes", "vocabulary", "prediction", "code"),
    [
        (("no", "yes"), ("yes", "no"), '"yes"', 1),
        (("no", "yes"), ("yes", "no"), "1", 1),
        (("no", "yes"), ("yes", "no"), "false", 0),
        (("yes", "no"), ("yes", "no"), '"yes"', 0),
        (("-1", "1"), ("1", "-1"), "-1", 0),
        (("-1", "1"), ("1", "-1"), "true", 1),
        (("-1", "1"), ("1", "-1"), "0", -1),
        (("false", "true"), (), "0", 0),
        (("0", "1"), ("0.0", "1.0"), "1", 1),
        (("0", "1"), ("0.0", "1.0"), '"1.0"', -1),
        (("a", "b"), ("a",), '"b"', 1),
    ],
)
def test_binary_classes(classes, vocabulary, prediction, code) -> None:
    """Whatever the classes are called, 0 and 1, false and true mean them too, unless one of them is a name."""
    schema = Schema("m", Task.BINARY, (), (Column(PREDICTION, Kind.CATEGORICAL, vocabulary),))
    got = outputs(Intake(schema, 0, OutputForm(Task.BINARY, classes)), f'"prediction": {prediction}')
    assert got["prediction"].tolist() == [code]


_PREDICTIONS = st.sampled_from(
    ["0", "1", "1.0", "0.0", '"1"', '"1.0"', '"0"', "true", "false", '"true"', '"x"', "null"]
)


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([("0", "1"), ("false", "true"), ("0.0", "1.0"), ("x", "1"), ("no", "yes")]),
    st.lists(st.sampled_from(["0", "1", "1.0", "true", "x"]), unique=True).map(tuple),
    st.lists(_PREDICTIONS, min_size=1, max_size=8),
)
def test_what_stands_beside_a_prediction_is_no_matter(classes, vocabulary, values: list[str]) -> None:
    """The class is that of the value alone, whatever the reference's slots are and whatever else is in its chunk."""
    schema = Schema("m", Task.BINARY, (), (Column(PREDICTION, Kind.CATEGORICAL, vocabulary),))
    without = Schema("m", Task.BINARY, (), ())
    form = OutputForm(Task.BINARY, classes)
    members = [f'"prediction": {value}' for value in values]
    alone = [outputs(Intake(without, 0, form), member)["prediction"].item() for member in members]
    assert outputs(Intake(schema, 0, form), *members)["prediction"].tolist() == alone


def test_threshold() -> None:
    """From the threshold on, it is the positive class."""
    schema = intake(Task.BINARY).schema
    got = outputs(Intake(schema, 0, OutputForm(Task.BINARY, ("0", "1"), 0.1)), '"score": 0.1', '"score": 0.09')
    assert got["prediction"].tolist() == [1, 0]


@with_columns
@pytest.mark.parametrize(
    ("members", "prediction", "scores"),
    [
        ('"prediction": "dog", "scores": {"cat": 0.25, "dog": 0.5, "3": 0.25}', 1, [0.25, 0.5, 0.25]),
        ('"prediction": 3', 2, [NAN] * 3),
        ('"prediction": "cow", "scores": {"cow": 1.0}', 3, [NAN] * 3),
        ('"prediction": true', 3, [NAN] * 3),
        ('"scores": {"cat": 1}', -1, [1.0, NAN, NAN]),
        ('"prediction": {}, "scores": [1]', -1, [NAN] * 3),
        ('"prediction": null, "scores": null', -1, [NAN] * 3),
        ('"prediction": "cat", "scores": {"cat": "1", "dog": -0.1, "3": 1}', 0, [NAN, NAN, 1.0]),
        ('"prediction": "cat", "scores": {"cat": 1e999, "dog": 1e300, "3": NaN}', 0, [NAN] * 3),
        ('"scores": "x"', -1, [NAN] * 3),
    ],
)
def test_multiclass(columns, members, prediction, scores) -> None:
    """A class, one that nobody knows, and the scores of those that are known."""
    got = outputs(intake(Task.MULTICLASS, columns=columns), members)
    assert got["prediction"].tolist() == [prediction]
    same(got["scores"], [scores])


@with_columns
@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ('"prediction": 7, "interval": [6, 8.5]', (7.0, 6.0, 8.5, NAN)),
        ('"prediction": -1e300, "value": 3', (-1e300, NAN, NAN, 3.0)),
        ('"prediction": "7", "interval": [6]', (NAN, NAN, NAN, NAN)),
        ('"prediction": true, "interval": [6, 7, 8]', (NAN, NAN, NAN, NAN)),
        ('"prediction": 1e999, "interval": ["6", 8]', (NAN, NAN, 8.0, NAN)),
        ('"prediction": 1, "interval": [2, 1]', (1.0, NAN, NAN, NAN)),
        ('"prediction": 1, "interval": [1, 1]', (1.0, 1.0, 1.0, NAN)),
        ('"prediction": 1, "interval": [null, 1]', (1.0, NAN, 1.0, NAN)),
        ('"prediction": 1, "interval": {"low": 1}', (1.0, NAN, NAN, NAN)),
        ('"prediction": null, "interval": [NaN, 1e999]', (NAN, NAN, NAN, NAN)),
        ("", (NAN, NAN, NAN, NAN)),
    ],
)
def test_regression(columns, members, expected) -> None:
    """A number and an interval; one that ends before it begins is none."""
    same(outputs(intake(Task.REGRESSION, columns=columns), members), [expected])


@pytest.mark.parametrize(
    ("prediction", "items"),
    [
        ('["a", "b", 7]', ["a", "b", "7"]),
        (json.dumps([f"i{n}" for n in range(30)]), [f"i{n}" for n in range(CUTOFF)]),
        ("[]", []),
        ("null", []),
        ('"a"', []),
        ('["a", null]', []),
        ('["a", 1.5]', []),
        ('["a", true]', []),
        ('["\\ud800"]', []),
        ('{"a": 1}', []),
    ],
)
def test_ranking(prediction, items) -> None:
    """The first items, hashed as ids are; what is no list of names is nothing."""
    got = outputs(intake(Task.RANKING), f'"prediction": {prediction}, "value": 2')
    expected = hash_texts(items).tolist() + [0] * (CUTOFF - len(items))
    assert got["items"].tolist() == [expected]
    assert got["value"].tolist() == [2.0]


def test_no_task() -> None:
    """A model without a task has a value, or nothing."""
    same(outputs(intake(Task.NONE), '"value": 3', ""), [(3.0,), (NAN,)])


_ROWS = {
    Task.BINARY: {"score": NUMBERS, "prediction": NAMES},
    Task.MULTICLASS: {
        "prediction": NAMES,
        "scores": st.dictionaries(st.sampled_from(["cat", "dog", "3"]), NUMBERS) | NUMBERS,
    },
    Task.REGRESSION: {"prediction": NUMBERS, INTERVAL: st.lists(NUMBERS, max_size=3) | NUMBERS},
    Task.RANKING: {"prediction": LISTS},
    Task.NONE: {},
}


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(Task), st.booleans(), st.data())
def test_forms_give_the_same_outputs(task, columns, data) -> None:
    """Objects, an array, lines and columns of the same rows, cut anywhere."""
    kinds = {"value": NUMBERS, **_ROWS[task]}
    rows = data.draw(st.lists(st.fixed_dictionaries(kinds), min_size=1, max_size=6))
    taken = intake(task, columns=columns)
    events = [{"model": "m", "id": str(place), **row} for place, row in enumerate(rows)]
    texts = [json.dumps(each) for each in events]
    wide = {"model": "m", "columns": {key: [each[key] for each in events] for key in ("id", *kinds)}}
    expected = decode(taken, *texts).batches["m"]
    for bodies in (["[" + ", ".join(texts) + "]"], ["\n".join(texts)], [json.dumps(wide)]):
        assert_records_equal(decode(taken, *bodies).batches["m"].outputs, expected.outputs)
    single = [decode(taken, text).batches["m"] for text in texts]
    assert_records_equal(Batch.joined(single).outputs, expected.outputs)
    half = expected.between(0, len(rows) // 2), expected.between(len(rows) // 2, len(rows))
    assert_records_equal(joined([part.outputs for part in half]), expected.outputs)
    assert_records_equal(expected.where(np.arange(len(rows)) > 0).outputs, expected.outputs[1:])


def test_columnar_scores_by_class() -> None:
    """Scores may be a column each, or one of objects."""
    apart = {"id": ["a", "b"], "prediction": ["cat", "dog"], "scores.cat": [0.5, 1], "scores.dog": [0.25, "x"]}
    whole = {"id": ["a", "b"], "prediction": ["cat", "dog"], "scores": [{"cat": 0.5, "dog": 0.25}, {"cat": 1}]}
    for columns in (apart, whole):
        decoded = decode(intake(Task.MULTICLASS), json.dumps({"model": "m", "columns": columns}))
        same(decoded.batches["m"].outputs["scores"], [[0.5, 0.25, NAN], [1.0, NAN, NAN]])
        assert decoded.unknown_keys == 0


def test_mapped_outputs() -> None:
    """Outputs and values are read where the configuration says, also in objects that they share with others."""
    fields = FieldsSpec(score="out.p", prediction="out.class", value="money.eur")
    for columns in (True, False):
        got = outputs(
            intake(Task.BINARY, columns=columns, fields=fields), '"out": {"p": 0.25, "class": 1}, "money": {"eur": 5}'
        )
        same(got, [(0.25, 1, 5.0)])


def test_features_called_as_outputs_are() -> None:
    """Where features stand at the top, a feature called "interval" or "scores" is that feature."""
    numeric = (Column("interval", Kind.NUMERIC), Column("scores", Kind.NUMERIC))
    for task in (Task.REGRESSION, Task.MULTICLASS):
        schema = Schema("m", task, numeric, (), FieldsSpec(features=""))
        taken = Intake(schema, 0, OutputForm(task, ("a", "b") if task is Task.MULTICLASS else ()))
        decoded = decode(taken, event(0, '"interval": 3, "scores": 4, "prediction": 1'))
        assert decoded.batches["m"].numeric[:, 0].tolist() == [3.0, 4.0]
        assert decoded.unknown_keys == 0


def test_awkward_class_names() -> None:
    """A class that no typed form can hold is still predicted; only its score is not read."""
    got = outputs(intake(Task.MULTICLASS, classes=('say "hi"', "a.b", "ü")),
                  '"prediction": "say \\"hi\\"", "scores": {"a.b": 0.5, "ü": 0.25, "say \\"hi\\"": 0.25}')  # fmt: skip
    assert got["prediction"].tolist() == [0]
    same(got["scores"], [[NAN, 0.5, 0.25]])
