import json

import numpy as np
import pytest

from driftwatch.stream.decode import Decoder
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reader import Intake
from driftwatch.stream.schema import Column, FieldsSpec, Kind, Schema, Task
from driftwatch.stream.table import NULL, Chunk, Encoded
from driftwatch.stream.tabled import forms_of, table_batch, table_controls, table_labels

AMOUNT = Column("amount", Kind.NUMERIC)
SCHEMA = Schema("fraud", Task.BINARY, (AMOUNT,), ())
FORM = OutputForm(Task.BINARY, ("0", "1"))


def decoded(*events, stream=Stream.PREDICTIONS, schema=SCHEMA):
    lines = tuple(json.dumps({"model": "fraud", **event}).encode() for event in events)
    return Decoder([Intake(schema, 10**12, FORM)]).decode(Raw(stream, "http", "http/x", lines, 2_000, 0))


def event(name, **more):
    return {"id": name, "time": 1_000, "score": 0.7, "features": {"amount": 1.0}, **more}


def apart(found):
    """(set, id) of the rows of golden sets, and the number of the others."""
    rows = [pair for some in found.controls.get("fraud", []) for pair in zip(some.sets, some.ids, strict=True)]
    others = found.batches.get("fraud") or found.labels.get("fraud")
    return rows, 0 if others is None else others.rows


def test_events_of_golden_sets_are_in_no_batch():
    """They stand apart, with their set and id; null and no text at all are no set."""
    found = decoded(event("a", control="golden-1"), event("b"), event("c", control=None), event("d", control=""))
    assert apart(found) == ([("golden-1", "a")], 3)
    assert found.received == 4
    assert found.unknown_keys == 0


def test_labels_of_golden_sets_are_joined_with_nothing():
    """Label events have the key too."""
    found = decoded({"id": "a", "label": 1, "control": "golden-1"}, {"id": "b", "label": 1}, stream=Stream.LABELS)
    assert apart(found) == ([("golden-1", "a")], 1)


@pytest.mark.parametrize("wrong", [[], {}, True, 1.5])
def test_what_is_no_name_keeps_an_event_out_all_the_same(wrong):
    """Its owner has said that it is none of production's; a false says that it is."""
    (rows, others) = apart(decoded(event("a", control=wrong), event("b", control=False), event("c", control=17)))
    assert [identity for _, identity in rows] == ["a", "c"]
    assert rows[1] == ("17", "c")
    assert others == 1


def test_versions_of_golden_sets_leave_no_trace():
    """The batch knows only of the versions of its own rows, and the other way round."""
    found = decoded(event("a", control="golden-1", version="2"), event("b", version="1"))
    assert found.batches["fraud"].version_names == ("1",)
    assert found.controls["fraud"][0].rows.version_names == ("2",)


def test_columnar_batches_name_a_set_by_row_or_once():
    """As they do versions."""
    columns = {"id": ["a", "b"], "time": [1, 2], "score": [0.1, 0.9], "control": [None, "golden-1"]}
    assert apart(decoded({"columns": columns})) == ([("golden-1", "b")], 1)
    del columns["control"]
    assert apart(decoded({"columns": columns, "control": "golden-2"})) == ([("golden-2", "a"), ("golden-2", "b")], 0)


def test_a_column_of_that_name_is_a_column():
    """Where features stand beside the other keys, `control` is what the reference says."""
    schema = Schema("fraud", Task.BINARY, (Column("control", Kind.NUMERIC),), (), fields=FieldsSpec(features=""))
    found = decoded({"id": "a", "time": 1, "score": 0.5, "control": 3.0}, schema=schema)
    assert apart(found) == ([], 1)
    assert found.batches["fraud"].numeric.tolist() == [[3.0]]


def chunk():
    columns = {
        "id": Encoded(np.array([0, 1, 2], np.int32), ("a", "b", "c")),
        "time": np.array([1, 2, 3], np.int64),
        "score": np.array([0.1, 0.9, 0.8]),
        "label": Encoded(np.array([0, 1, 1], np.int32), ("0", "1")),
        "amount": np.array([1.0, 2.0, 3.0]),
        "control": Encoded(np.array([NULL, 0, 1], np.int32), ("golden-1", "")),
    }
    return Chunk(columns, 3, 0)


def test_tables_have_a_column_control():
    """Rows, and the labels beside them, of golden sets stand apart."""
    assert "control" in forms_of(SCHEMA, FORM)
    batch, refused = table_batch(chunk(), SCHEMA, partition="files", form=FORM)
    labels, _ = table_labels(chunk(), SCHEMA, partition="files", form=FORM)
    assert (batch.times.tolist(), labels.times.tolist(), refused) == ([1, 3], [1, 3], {})
    (answers,) = table_controls(chunk(), SCHEMA, form=FORM)
    (known,) = table_controls(chunk(), SCHEMA, form=FORM, labels=True)
    assert (answers.sets, answers.ids, answers.rows.times.tolist()) == (("golden-1",), ("b",), [2])
    assert (known.sets, known.ids, known.rows.outcomes["label"].tolist()) == (("golden-1",), ("b",), [1])


def test_a_tables_column_of_the_reference_is_a_column():
    """`control` of the reference is a feature, as before."""
    schema = Schema("fraud", Task.BINARY, (AMOUNT, Column("control", Kind.NUMERIC)), ())
    batch, _ = table_batch(chunk(), schema, partition="files", form=FORM)
    assert batch.rows == 3
    assert not list(table_controls(chunk(), schema, form=FORM))
