"""Values of unique columns are hashed alike, whatever road an event takes; what is no value is 0."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stream.batch import Batch, Hashes
from driftwatch.stream.convert import WRONG
from driftwatch.stream.decode import Decoder
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reader import Intake
from driftwatch.stream.schema import Column, Kind, Schema, Task
from driftwatch.stream.table import NULL, Chunk, Encoded
from driftwatch.stream.table import WRONG as WRONG_CODE
from driftwatch.stream.tabled import forms_of, table_batch
from driftwatch.stream.unique import hash_values

SCHEMA = Schema(
    "shop",
    Task.NONE,
    (Column("number", Kind.NUMERIC, sentinels=(-1.0,)),),
    (Column("code", Kind.CATEGORICAL, ("A1",), pattern="A9", sentinels=("A0",)),),
    unique=("order", "number", "code"),
)
"""One column that is nothing else, one that is a number, one that is a category."""


def read(features: Sequence[dict[str, object]], *, columnar: bool = False, schema: Schema = SCHEMA) -> Batch:
    """The batch of such events."""
    events: list[object] = [{"model": "shop", "time": 1, "features": each} for each in features]
    if columnar:
        names = dict.fromkeys(name for each in features for name in each)
        columns = {f"features.{name}": [each.get(name) for each in features] for name in names}
        events = [{"model": "shop", "columns": {"time": [1] * len(features), **columns}}]
    records = tuple(json.dumps(event).encode() for event in events)
    decoded = Decoder([Intake(schema, 0)]).decode(Raw(Stream.PREDICTIONS, "test", "p", records, 10, 1))
    assert not decoded.rejected
    assert not decoded.unknown_keys
    return decoded.batches["shop"]


def same(hashes: Hashes) -> list[list[int]]:
    """For each value the place of its first equal, -1 for none."""
    return [[-1 if not value else line.tolist().index(value) for value in line.tolist()] for line in hashes]


ROWS = [
    {"order": "17", "number": 5, "code": "A1"},
    {"order": 17, "number": 5.0, "code": "A1"},
    {"order": 17.0, "number": 6, "code": "A2"},
    {"order": None, "number": None, "code": None},
    {"order": True, "number": -1, "code": "A0"},
    {"order": "true", "number": 7, "code": "nonsense"},
    {"order": "", "number": 2**53, "code": "A2"},
    {"order": 10**30, "number": 0.5, "code": "A3"},
    {},
]


@pytest.mark.parametrize("columnar", [False, True])
def test_events(columnar: bool) -> None:  # noqa: FBT001 - parametrized
    """A number is the text that it reads as; null, sentinels and what is not of the pattern are no value."""
    assert same(read(ROWS, columnar=columnar).uniques) == [
        [0, 0, 0, -1, 4, 4, 6, 7, -1], [0, 0, 2, -1, -1, 5, 6, 7, -1], [0, 0, 2, -1, -1, -1, 2, 7, -1],
    ]  # fmt: skip


@pytest.mark.parametrize("columnar", [False, True])
def test_wrong_values(columnar: bool) -> None:  # noqa: FBT001 - parametrized
    """What is no value of a column is none of its values, and spoils no other row; lone surrogates are values."""
    rows = [
        {"order": [1], "number": "5", "code": {}}, {"order": "\ud800", "number": 5, "code": "A1"},
        {"order": "\ud800", "number": 5, "code": "A1"}, {"order": [1], "number": "5", "code": []},
    ]  # fmt: skip
    assert same(read(rows, columnar=columnar).uniques) == [[-1, 1, 1, -1]] * 3


def test_table() -> None:
    """A table's columns give the same hashes as events."""
    events = read([{"order": "a", "number": 3, "code": "A1"}, {"order": "b", "number": 4, "code": "A2"}, {}, {}])
    chunk = Chunk(
        {
            "order": Encoded(np.array([1, 0, NULL, WRONG_CODE], dtype=np.int32), ("b", "a")),
            "number": np.array([3.0, 4.0, np.nan, np.inf]),
            "code": Encoded(np.array([0, 1, NULL, NULL], dtype=np.int32), ("A1", "A2")),
        },
        rows=4, first_row=0,
    )  # fmt: skip
    assert {"order", "features.order"} <= forms_of(SCHEMA, OutputForm(Task.NONE)).keys()
    batch, _ = table_batch(chunk, SCHEMA, partition="p")
    np.testing.assert_array_equal(batch.uniques, events.uniques)


def test_no_unique_column() -> None:
    """Nothing is hashed, and batches are cut and joined as ever."""
    plain = Schema("shop", Task.NONE, SCHEMA.numeric, SCHEMA.categorical)
    batch = read([{"number": 1}, {"number": 2}], schema=plain)
    assert batch.uniques.shape == (0, 0)
    assert Batch.joined([batch.between(0, 1), batch.where(np.array([False, True]))]).uniques.shape == (0, 0)


def test_cut_and_joined() -> None:
    """The hashes go with their rows."""
    batch = read(ROWS)
    pieces = [batch.between(0, 4), batch.between(4, 4), batch.where(np.arange(len(ROWS)) >= 4)]
    np.testing.assert_array_equal(Batch.joined(pieces).uniques, batch.uniques)


@given(
    st.lists(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4), max_size=9)
)
def test_any_values(values: list[object]) -> None:
    """A hash depends on the value alone, and only what is no value has none."""
    hashes = hash_values([*values, WRONG])
    assert hashes[-1] == 0
    assert [bool(value) for value in hashes[:-1]] == [value is not None for value in values]
    assert [int(hash_values([value])[0]) for value in values] == hashes[:-1].tolist()
