"""Where parts of an event may stand, whose it is, and which keys nobody reads."""

import json

import numpy as np
import pytest

from driftwatch.errors import ConfigError
from driftwatch.kernels.hashing import hash_texts
from driftwatch.stream import reader
from driftwatch.stream.decode import Decoded, Decoder
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reader import Intake
from driftwatch.stream.reject import Reject
from driftwatch.stream.schema import PREDICTION, Column, FieldsSpec, Kind, Schema, Task

NOW_MS = 1_767_607_200_000


def schema(fields: FieldsSpec | None = None, *, model="fraud", task=Task.BINARY, ignore=()) -> Schema:
    numeric = (Column("amount", Kind.NUMERIC), Column("score", Kind.NUMERIC))
    categorical = (Column(PREDICTION, Kind.CATEGORICAL, ("no", "yes")),)
    return Schema(model, task, numeric, categorical, fields or FieldsSpec(), ignore)


def decode(forms: Schema | list[Schema] | Decoder, *events: dict, stream=Stream.PREDICTIONS, **raw) -> Decoded:
    forms = [forms] if isinstance(forms, Schema) else forms
    decoder = forms if isinstance(forms, Decoder) else Decoder([Intake(form, 600_000) for form in forms])
    records = tuple(json.dumps(event).encode() for event in events)
    return decoder.decode(Raw(stream, "test", "test/0", records, NOW_MS, 1, **raw))


def test_fields_may_stand_anywhere() -> None:
    """Dotted paths lead to every part of the event, through objects that they share."""
    fields = FieldsSpec(
        id="request.id",
        time="request.at",
        version="meta.model.version",
        score="output.p",
        prediction="output.class",
        features="input.row",
    )
    event = {
        "model": "fraud",
        "request": {"id": "a", "at": "2026-01-05T09:59:00Z", "trace": "not ours"},
        "meta": {"model": {"version": 3}},
        "output": {"p": 0.25, "class": "yes"},
        "input": {"row": {"amount": 8}},
    }
    decoded = decode(schema(fields), event)
    batch = decoded.batches["fraud"]
    assert batch.numeric[:, 0].tolist() == [8.0, 0.25]
    assert batch.categorical[:, 0].tolist() == [1]
    assert batch.times.tolist() == [NOW_MS - 60_000]
    assert batch.version_names == ("3",)
    assert batch.ids.tolist() == hash_texts(["a"]).tolist()
    assert decoded.unknown_keys == 1


def test_features_at_the_top() -> None:
    """With features = "" the columns stand beside the id."""
    decoded = decode(schema(FieldsSpec(features="")), {"model": "fraud", "id": "a", "amount": 8, "score": 0.5})
    assert decoded.batches["fraud"].numeric[:, 0].tolist() == [8.0, 0.5]
    assert decoded.unknown_keys == 0


def test_columnar_by_the_same_paths() -> None:
    """A columnar event names columns by their dotted paths; a version said once, where it stands, is every row's."""
    fields = FieldsSpec(id="request.id", version="meta.version", features="in")
    event = {
        "model": "fraud",
        "meta": {"version": "7"},
        "columns": {"request.id": ["a", "b"], "in.amount": [1, 2], "segment.channel": ["x", "y"], "who": [0, 0]},
    }
    decoded = decode(schema(fields), event)
    batch = decoded.batches["fraud"]
    assert batch.numeric[0].tolist() == [1.0, 2.0]
    assert batch.version_names == ("7",)
    assert batch.ids.tolist() == hash_texts(["a", "b"]).tolist()
    assert decoded.unknown_keys == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (FieldsSpec(id="a", time="a"), 'two fields are read from "a": map them apart in [models.fields]'),
        (FieldsSpec(id="a", time="a.b"), 'field "a.b" stands inside field "a": map them apart in [models.fields]'),
        (FieldsSpec(time="id.at"), 'field "id.at" stands inside field "id": map them apart in [models.fields]'),
    ],
)  # fmt: skip
def test_fields_must_not_meet(fields: FieldsSpec, message: str) -> None:
    """Two parts of an event cannot be read from one place."""
    with pytest.raises(ConfigError) as raised:
        Decoder([Intake(schema(fields), 0)])
    assert str(raised.value) == message


@pytest.mark.parametrize("name", ['say "hi"', "back\\slash", "new\nline", "\ud800"])
def test_column_that_no_event_can_hold(name: str) -> None:
    """A column whose name the decoder cannot read is the operator's to rename, unless it is ignored."""
    form = Schema("fraud", Task.NONE, (Column(name, Kind.NUMERIC),), ())
    with pytest.raises(ConfigError, match="cannot be read: no quote, backslash or control character"):
        Decoder([Intake(form, 0)])
    ignoring = Decoder([Intake(schema(ignore=(name,)), 0)])
    decoded = decode(ignoring, {"model": "fraud", "id": 1, "features": {name: 1}})
    assert decoded.batches["fraud"].rows == 1


def test_models_are_told_apart() -> None:
    """Each model gets its own rows, in their order; nobody's events are refused in their places."""
    forms = [schema(), schema(model="churn", task=Task.NONE)]
    names = ["fraud", "churn", "other", "fraud", None, "churn"]
    events = [{"model": name, "id": str(n), "features": {"amount": n}} for n, name in enumerate(names)]
    decoded = decode(forms, *events)
    assert {model: batch.numeric[0].tolist() for model, batch in decoded.batches.items()} == {
        "fraud": [0.0, 3.0],
        "churn": [1.0, 5.0],
    }
    assert [(r.index, r.reason) for r in decoded.rejected] == [(2, Reject.UNKNOWN_MODEL), (4, Reject.MISSING_MODEL)]
    assert decoded.received == 6


def test_places_after_a_columnar_event() -> None:
    """A columnar event takes as many places as it has rows; those behind it move on."""
    wide = {"model": "fraud", "columns": {"id": ["a", None, "c"]}}
    decoded = decode([schema(), schema(model="churn")], {"model": "fraud", "id": "z"}, wide, {"model": "no"}, {"id": 1})
    assert [(r.index, r.reason) for r in decoded.rejected] == [
        (2, Reject.MISSING_ID),
        (4, Reject.UNKNOWN_MODEL),
        (5, Reject.MISSING_MODEL),
    ]
    assert decoded.received == 6


def test_id_where_nothing_is_joined() -> None:
    """A model without a task needs no ids in predictions, but its labels do."""
    form = schema(task=Task.NONE)
    decoded = decode(form, {"model": "fraud"}, {"model": "fraud", "id": ""}, {"model": "fraud", "id": "a"})
    assert decoded.batches["fraud"].rows == 3
    assert decoded.batches["fraud"].ids[2] == hash_texts(["a"])[0]
    assert decoded.batches["fraud"].ids[:2].tolist() == [0, 0], "they are nobody's duplicates, whatever stands beside"
    assert decode(form, {"model": "fraud", "label": 1}, stream=Stream.LABELS).rejected[0].reason is Reject.MISSING_ID


def test_labels_take_the_classes_of_the_prediction() -> None:
    """A label is coded in the vocabulary of the model's own prediction."""
    events = [{"model": "fraud", "id": n, "label": label} for n, label in enumerate(["yes", "no", True])]
    labels = decode(schema(), *events, stream=Stream.LABELS).labels["fraud"]
    assert labels.outcomes["label"].tolist() == [1, 0, 1]
    assert labels.ids.tolist() == hash_texts(["0", "1", "2"]).tolist()
    assert labels.rows == 3


def test_absent_time_is_the_records() -> None:
    """Without a time of its own an event has its record's, or that of its receipt."""
    events = [{"model": "fraud", "id": 1}, {"model": "fraud", "id": 2, "time": NOW_MS - 7}]
    assert decode(schema(), *events).batches["fraud"].times.tolist() == [NOW_MS, NOW_MS - 7]
    stamped = decode(schema(), *events, timestamps_ms=(NOW_MS - 1, NOW_MS - 2))
    assert stamped.batches["fraud"].times.tolist() == [NOW_MS - 1, NOW_MS - 7]


def test_a_number_and_its_text_are_one_id() -> None:
    """The id 17 and the id "17" are the same, or a label could not find its prediction."""
    batch = decode(schema(), {"model": "fraud", "id": 17}, {"model": "fraud", "id": "17"}).batches["fraud"]
    assert batch.ids[0] == batch.ids[1] != 0


def test_refused_rows_leave_no_version() -> None:
    """The version of a refused event is not one of the batch's."""
    bad = {"model": "fraud", "id": None, "version": "poison"}
    batch = decode(schema(), bad, {"model": "fraud", "id": 1, "version": "7"}).batches["fraud"]
    assert batch.version_names == ("7",)
    assert batch.versions.tolist() == [0]


def test_unknown_keys_are_counted_exactly() -> None:
    """Every occurrence counts, the first too; what the contract names or the operator ignores does not."""
    decoder = Decoder([Intake(schema(ignore=("row_id",)), 0)])
    known = {"segment": {}, "control": "a", "scores": {}, "interval": [0, 1], "label": 1, "value": 2.0}
    event = {"model": "fraud", "id": 1, **known, "x": 1, "y": None, "features": {"z": [1], "row_id": 1, "amount": 1}}
    plain = {"model": "fraud", "id": 1}
    assert decode(decoder, plain, event, plain, event).unknown_keys == 6
    assert decode(decoder, event, {**plain, "score": "wrong", "x": 1}, plain).unknown_keys == 4


def test_keys_of_another_model_teach_nothing() -> None:
    """With several models, keys of an event that is refused are not counted for any."""
    assert decode([schema(), schema(model="churn")], {"model": "other", "x": 1}).unknown_keys == 0


def test_learnt_keys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A producer that invents keys fills the memory for them, and goes on being read."""
    monkeypatch.setattr(reader, "LEARNT_KEYS", 3)
    decoder = Decoder([Intake(schema(), 0)])
    events = [{"model": "fraud", "id": n, f"key{n}": 1, "features": {"amount": n}} for n in range(9)]
    assert decode(decoder, *events).unknown_keys == 3
    again = decode(decoder, *events)
    assert again.unknown_keys == 3
    np.testing.assert_array_equal(again.batches["fraud"].numeric[0], np.arange(9.0))


def test_no_records_are_nothing() -> None:
    """A Raw that only moves the position has no events."""
    decoded = decode(schema())
    assert (decoded.received, decoded.batches, decoded.rejected) == (0, {}, [])
