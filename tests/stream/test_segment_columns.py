"""A column that rows are divided by may stand in an event's `segment`, which fills what its features do not have."""

import json

import numpy as np
import pytest

from driftwatch.sources import tables
from driftwatch.stream.decode import Decoder
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reader import Intake
from driftwatch.stream.schema import Column, FieldsSpec, Kind, Schema, Task
from driftwatch.stream.tabled import forms_of, table_batch

CHANNEL, AMOUNT = Column("channel", Kind.CATEGORICAL, ("web", "app")), Column("amount", Kind.NUMERIC)
WEB, APP, OTHER, MISSING, INVALID = range(5)


def schema(*segments, fields=None):
    return Schema("m", Task.NONE, (AMOUNT,), (CHANNEL,), fields or FieldsSpec(), segments=segments)


def decoded(events, form):
    """(amounts, channels, unknown keys) of events."""
    lines = tuple(json.dumps({"model": "m", "time": 0, **event}).encode() for event in events)
    found = Decoder([Intake(form, 10**15)]).decode(
        Raw(stream=Stream.PREDICTIONS, source="s", partition="p", records=lines, position=1, received_ms=0)
    )
    assert not found.rejected
    batch = found.batches["m"]
    return batch.numeric[0].tolist(), batch.categorical[0].tolist(), found.unknown_keys


EVENTS = [
    ({"features": {"channel": "web"}}, WEB),
    ({"features": {"channel": "web"}, "segment": {"channel": "app"}}, WEB),
    ({"features": {"channel": None}, "segment": {"channel": "app"}}, APP),
    ({"features": {}, "segment": {"channel": "app"}}, APP),
    ({"segment": {"channel": "app"}}, APP),
    ({"segment": {"channel": "fax"}}, OTHER),
    ({"segment": {"channel": None}}, MISSING),
    ({"segment": {}}, MISSING),
    ({"segment": None}, MISSING),
    ({}, MISSING),
    ({"segment": {"channel": [1]}}, INVALID),
    ({"segment": "app"}, INVALID),
    ({"features": {"channel": [1]}, "segment": {"channel": "app"}}, INVALID),
]


@pytest.mark.parametrize(("event", "code"), EVENTS, ids=range(len(EVENTS)))
def test_events(event, code):
    """What is nowhere is missing; a wrong value in the features is a value."""
    assert decoded([event], schema("channel"))[1] == [code]


def test_events_of_all_forms_together():
    """In one chunk, where some have a segment and some have none."""
    assert decoded([event for event, _ in EVENTS], schema("channel"))[1] == [code for _, code in EVENTS]


def test_without_segments_the_object_is_passed_over():
    """It stands in the contract: it is no unknown key, and it fills nothing."""
    assert decoded([{"segment": {"channel": "app", "tier": 1}}], schema()) == (
        [pytest.approx(np.nan, nan_ok=True)],
        [MISSING],
        0,
    )


def test_what_no_column_is_read_from_is_counted():
    """Beside a column that is read, other keys of the object are unknown ones; numbers are read as well."""
    amounts, channels, unknown = decoded(
        [{"segment": {"channel": "app", "tier": 1, "amount": 5}}], schema("channel", "amount")
    )
    assert (amounts, channels, unknown) == ([5.0], [APP], 1)


@pytest.mark.parametrize(
    "columns",
    [
        {"segment.channel": ["app", None, "web"]},
        {"segment": [{"channel": "app"}, None, {"channel": "web"}]},
        {"features.channel": ["app", None, None], "segment.channel": ["web", None, "web"]},
        {"features.channel": ["app", None, "web"]},
    ],
)
def test_columnar_batches(columns):
    """As a column of its own, or as objects."""
    rows = {"id": ["a", "b", "c"], "time": [0, 0, 0]}
    event = json.dumps({"model": "m", "columns": {**rows, **columns}}).encode()
    found = Decoder([Intake(schema("channel"), 10**15)]).decode(
        Raw(stream=Stream.PREDICTIONS, source="s", partition="p", records=(event,), position=1, received_ms=0)
    )
    assert found.batches["m"].categorical[0].tolist() == [APP, MISSING, WEB]
    assert found.unknown_keys == 0


LINES = [
    '{"features": {"amount": 1}, "segment": {"channel": "app"}}',
    '{"features": {"amount": 2}}',
    '{"features": {"amount": 3, "channel": "web"}, "segment": {"channel": "app"}}',
]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "channel,amount\napp,1\n,2\nweb,3\n"),
        ("a.csv", "segment.channel,amount\napp,1\n,2\nweb,3\n"),
        ("a.csv", "channel,segment.channel,amount\napp,web,1\n,,2\n,web,3\n"),
        ("a.jsonl", "\n".join(LINES)),
    ],
)  # fmt: skip
def test_tables(tmp_path, name, content):
    """`channel`, `segment.channel` or both, of which the first comes first."""
    path = tmp_path / name
    path.write_text(content)
    form = schema("channel")
    (chunk,) = tables.read([path], forms_of(form, OutputForm(Task.NONE)))
    batch, _ = table_batch(chunk, form, partition="p")
    assert batch.categorical[0].tolist() == [APP, MISSING, WEB]
    assert batch.numeric[0].tolist() == [1, 2, 3]


def test_a_feature_called_segment_stays_one():
    """Where features stand at the top, the object cannot be both."""
    form = Schema("m", Task.NONE, (), (Column("segment", Kind.CATEGORICAL, ("a",)), CHANNEL), FieldsSpec(features=""),
                  segments=("channel",))  # fmt: skip
    lines = (b'{"model": "m", "time": 0, "segment": "a", "channel": "app"}',)
    found = Decoder([Intake(form, 10**15)]).decode(
        Raw(stream=Stream.PREDICTIONS, source="s", partition="p", records=lines, position=1, received_ms=0)
    )
    assert found.batches["m"].categorical[:, 0].tolist() == [0, APP]
