"""Models of each task, and what decode reads of their answers."""

import numpy as np
from hypothesis import strategies as st

from driftwatch.stream.batch import Labels
from driftwatch.stream.decode import Decoded, Decoder
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reader import Intake
from driftwatch.stream.schema import PREDICTION, SCORE, Column, FieldsSpec, Kind, Schema, Task

NOW_MS = 1_767_607_200_000
NAN = float("nan")
INTERVAL = "interval"

_SCORE = Column(SCORE, Kind.NUMERIC, minimum=0.0, maximum=1.0)
_COLUMNS = {
    Task.BINARY: ((_SCORE,), (Column(PREDICTION, Kind.CATEGORICAL, ("1", "0")),)),
    Task.MULTICLASS: ((), (Column(PREDICTION, Kind.CATEGORICAL, ("cat", "dog", "3")),)),
    Task.REGRESSION: ((Column(PREDICTION, Kind.NUMERIC),), ()),
    Task.RANKING: ((), ()),
    Task.NONE: ((), ()),
}
_CLASSES = {Task.BINARY: ("0", "1"), Task.MULTICLASS: ("cat", "dog", "3")}


def intake(
    task: Task, *, columns: bool = True, fields: FieldsSpec | None = None, classes: tuple[str, ...] = ()
) -> Intake:
    """A model with, or without, columns of its own outputs in its reference."""
    numeric, categorical = _COLUMNS[task] if columns else ((), ())
    schema = Schema("m", task, (Column("x", Kind.NUMERIC), *numeric), categorical, fields or FieldsSpec())
    return Intake(schema, 0, OutputForm(task, classes or _CLASSES.get(task, ())))


def decode(taken: Intake, *texts: str, stream: Stream = Stream.PREDICTIONS) -> Decoded:
    records = tuple(text.encode() for text in texts)
    return Decoder([taken]).decode(Raw(stream, "test", "test/0", records, NOW_MS, 1))


def event(row: int, members: str) -> str:
    return f'{{"model": "m", "id": "{row}"{", " if members else ""}{members}}}'


def outputs(taken: Intake, *members: str) -> np.ndarray:
    """The outputs of events that each have these members, as JSON text."""
    decoded = decode(taken, *(event(row, text) for row, text in enumerate(members)))
    assert not decoded.rejected
    return decoded.batches["m"].outputs


def labels(taken: Intake, *members: str) -> Labels:
    decoded = decode(taken, *(event(row, text) for row, text in enumerate(members)), stream=Stream.LABELS)
    assert not decoded.rejected
    return decoded.labels["m"]


def same(got: np.ndarray, expected: list) -> None:
    """Equal as lists, where NaN equals NaN."""
    assert repr(got.tolist()) == repr(expected)


NUMBERS = st.sampled_from([None, 0, 1, 0.25, -1, 1.5, "x", "0.5", True, [1], {}, float("nan"), 10**400])
NAMES = st.sampled_from([None, "cat", "dog", 3, 3.0, "0", "1", 1, 0, True, "cow", [], {"cat": 1}])
LISTS = st.lists(st.sampled_from(["a", "b", 7, None, 1.5, "\ud800"]), max_size=12) | NAMES
