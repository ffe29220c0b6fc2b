"""Tables become batches and labels: ids, outputs and labels as events would have them."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftwatch.kernels.hashing import hash_texts
from driftwatch.sources import tables
from driftwatch.stream.batch import Batch, Labels
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.reject import Reject
from driftwatch.stream.schema import PREDICTION, SCORE, Column, FieldsSpec, Kind, Schema, Task
from driftwatch.stream.tabled import forms_of, label_forms, table_batch, table_labels
from driftwatch.stream.times import TIMELESS

NAN = float("nan")
CLASSES = {Task.BINARY: ("0", "1"), Task.MULTICLASS: ("cat", "dog")}


def model(task: Task, *, fields: FieldsSpec | None = None, columns: bool = False) -> tuple[Schema, OutputForm]:
    score, prediction = Column(SCORE, Kind.NUMERIC, maximum=1.0), Column(PREDICTION, Kind.CATEGORICAL, ("0", "1"))
    numeric = (Column("x", Kind.NUMERIC), *([score] if columns else []))
    schema = Schema("m", task, numeric, (prediction,) if columns else (), fields or FieldsSpec())
    return schema, OutputForm(task, CLASSES.get(task, ()))


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def written(request, tmp_path):
    """Write rows as a file of each kind."""

    def write(rows: list[dict]):
        path = tmp_path / f"rows.{request.param}"
        if request.param == "parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
        elif request.param == "jsonl":
            path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        else:
            lines = [",".join(rows[0]), *(",".join("" if v is None else str(v) for v in row.values()) for row in rows)]
            path.write_text("\n".join(lines), encoding="utf-8")
        return path

    return write


def batch_of(path, schema: Schema, form: OutputForm) -> tuple[Batch, dict[Reject, int]]:
    (chunk,) = tables.read([path], forms_of(schema, form))
    return table_batch(chunk, schema, partition="p", form=form)


def labels_of(path, schema: Schema, form: OutputForm) -> tuple[Labels, dict[Reject, int]]:
    (chunk,) = tables.read([path], label_forms(schema, form))
    return table_labels(chunk, schema, partition="p", form=form)


@pytest.mark.parametrize("columns", [True, False], ids=["columns", "no columns"])
def test_binary(written, columns) -> None:
    """Score, prediction and value, whether or not the reference has such columns."""
    rows = [
        {"id": "a", "x": 1.0, "score": 0.25, "prediction": 1, "value": 5.0},
        {"id": "b", "x": 2.0, "score": 0.75, "prediction": None, "value": None},
        {"id": "c", "x": 3.0, "score": None, "prediction": None, "value": 1.5},
        {"id": "d", "x": 4.0, "score": 1.25, "prediction": 0, "value": -1.0},
    ]
    batch, refused = batch_of(written(rows), *model(Task.BINARY, columns=columns))
    assert repr(batch.outputs.tolist()) == repr([(0.25, 1, 5.0), (0.75, 1, NAN), (NAN, -1, 1.5), (NAN, 0, -1.0)])
    assert batch.ids.tolist() == hash_texts(list("abcd")).tolist()
    assert refused == {}


def test_mapped_names(written) -> None:
    """The table's names are those of [models.fields]."""
    fields = FieldsSpec(id="key", score="p", prediction="said", value="eur", label="truth", time="at", version="v")
    rows = [{"key": 7, "p": 0.5, "said": 0, "eur": 2.0, "truth": 1, "at": 1000, "v": "9", "x": 1.0}]
    path = written(rows)
    batch, _ = batch_of(path, *model(Task.BINARY, fields=fields))
    labels, _ = labels_of(path, *model(Task.BINARY, fields=fields))
    assert batch.outputs.tolist() == [(0.5, 0, 2.0)]
    assert labels.outcomes.tolist() == [(1, 2.0)]
    assert batch.ids.tolist() == labels.ids.tolist() == hash_texts(["7"]).tolist()
    assert batch.times.tolist() == labels.times.tolist() == [1000]
    assert [batch.version_names[code] for code in batch.versions] == ["9"]


def test_multiclass(written) -> None:
    """A column of scores for each class, named as in events."""
    rows = [{"x": 1.0, "prediction": "dog", "scores.cat": 0.25, "scores.dog": 0.75},
            {"x": 1.0, "prediction": "cow", "scores.cat": 7.0, "scores.dog": None}]  # fmt: skip
    batch, _ = batch_of(written(rows), *model(Task.MULTICLASS))
    assert batch.outputs["prediction"].tolist() == [1, 2]
    assert repr(batch.outputs["scores"].tolist()) == repr([[0.25, 0.75], [NAN, NAN]])


def test_regression(written) -> None:
    """Numbers; what is none says nothing as a prediction, and is refused as a label."""
    rows = [
        {"id": "a", "x": 1.0, "prediction": 1.5, "label": 2.0},
        {"id": "b", "x": 1.0, "prediction": None, "label": None},
    ]
    path = written(rows)
    batch, _ = batch_of(path, *model(Task.REGRESSION))
    labels, refused = labels_of(path, *model(Task.REGRESSION))
    assert repr(batch.outputs.tolist()) == repr([(1.5, NAN, NAN, NAN), (NAN, NAN, NAN, NAN)])
    assert repr(labels.outcomes.tolist()) == repr([(2.0, NAN)])
    assert refused == {}


def test_row_numbers_are_ids(written) -> None:
    """In predictions and in labels, from 0."""
    path = written([{"x": float(row), "label": row % 2} for row in range(3)])
    batch, _ = batch_of(path, *model(Task.BINARY))
    labels, _ = labels_of(path, *model(Task.BINARY))
    assert batch.ids.tolist() == labels.ids.tolist() == hash_texts(["0", "1", "2"]).tolist()
    assert labels.times.tolist() == [TIMELESS] * 3


def test_labels(written) -> None:
    """A null label says nothing; a word that is no class, no id and no time are refused, once each."""
    rows = [
        {"id": "a", "time": 1000, "label": "1"},
        {"id": "b", "time": 2000, "label": None},
        {"id": None, "time": 3000, "label": "0"},
        {"id": "d", "time": None, "label": "0"},
        {"id": "e", "time": 5000, "label": "perhaps"},
        {"id": None, "time": None, "label": "perhaps"},
        {"id": "g", "time": 6000, "label": "true"},
    ]
    labels, refused = labels_of(written(rows), *model(Task.BINARY))
    assert labels.ids.tolist() == hash_texts(["a", "g"]).tolist()
    assert labels.outcomes["label"].tolist() == [1, 1]
    assert not labels.cancelled.any()
    assert refused == {Reject.MISSING_ID: 2, Reject.BAD_TIME: 1, Reject.BAD_LABEL: 1}


@pytest.mark.parametrize(
    ("texts", "codes"),
    [(["0", "1"], [0, 1]), (["0.0", "1.0"], [0, 1]), (["True", "False"], [1, 0]), ([" true", "2"], [1, -1])],
)
def test_classes_in_text(tmp_path, texts, codes) -> None:
    """CSV has no types: what reads as the number or the boolean is the class."""
    path = tmp_path / "a.csv"
    path.write_text("x,prediction\n" + "".join(f"1,{text}\n" for text in texts), encoding="utf-8")
    batch, _ = batch_of(path, *model(Task.BINARY))
    assert batch.outputs["prediction"].tolist() == codes


def test_odd_ids(tmp_path) -> None:
    """A list is no id, an empty text is none; a lone surrogate harms nobody."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": [1], "x": 1}\n{"id": "", "x": 2}\n{"id": "\\ud800", "x": 3}\n{"id": "ü", "x": 4}\n')
    batch, refused = batch_of(path, *model(Task.BINARY))
    assert refused == {Reject.BAD_ID: 1, Reject.MISSING_ID: 1}
    assert batch.numeric[0].tolist() == [3.0, 4.0]
    assert batch.ids[1] == hash_texts(["ü"])[0]


def test_no_task_needs_no_id(tmp_path) -> None:
    """Rows of a model without a task stay, whoever they are."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": null, "x": 1}\n{"id": "a", "x": 2}\n')
    batch, refused = batch_of(path, *model(Task.NONE))
    assert (batch.rows, refused) == (2, {})
    assert batch.ids[0] == 0


def test_without_a_form_nothing_is_joined(tmp_path) -> None:
    """A reference's rows have neither ids nor outputs."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": null, "x": 1, "score": 0.5}\n')
    schema, form = model(Task.BINARY)
    (chunk,) = tables.read([path], forms_of(schema, form))
    batch, refused = table_batch(chunk, schema, partition="p")
    assert (batch.ids.tolist(), batch.outputs.dtype.names, refused) == ([0], ("value",), {})
    assert np.isnan(batch.outputs["value"]).all()
