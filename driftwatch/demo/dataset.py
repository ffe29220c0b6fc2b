"""The bundled flights as a stream: predictions at departure, labels when the plane has landed or is known not to go.

A canary and a fault are staged in it, see `staged`. The files are made by `tests/demo_data/build.py`; `data/SOURCE.md`
says where they come from.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from driftwatch.demo.staged import CHAMPION, THRESHOLD, staged
from driftwatch.errors import DataError

MODEL = "flights"
NUMERIC, CATEGORICAL = ("dep_delay", "hour", "distance"), ("carrier", "origin", "dest")
FOLDER = Path(__file__).parent / "data"

_MINUTE_MS = 60_000
_CANCELLED_AFTER_MS = 3 * 60 * _MINUTE_MS
"""The source does not say when a flight was cancelled: let it be known three hours after it should have left."""


class Part(StrEnum):
    """Which months: the file's name."""

    REFERENCE = "reference"
    FLIGHTS = "flights"


class Topic(StrEnum):
    """Which of the two streams a body belongs to: the last part of its path, `/v1/…`."""

    PREDICTIONS = "predictions"
    LABELS = "labels"


@dataclass(frozen=True, slots=True)
class Flights:
    """Predictions and labels of one part, each in the order of its own event time.

    predictions: contract name → (rows,); `time` in ms since the epoch, a missing value is None. labels: the same
    with `id`, `time` and `label`, one row for each flight that arrived, and one, whose label is None, for each that was
    cancelled. A flight that left and did not arrive where it should has none.
    """

    predictions: Mapping[str, NDArray[Any]]
    labels: Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Body:
    """One HTTP body: a columnar batch of `rows` events; the slice of event time it belongs to starts at `start_ms`."""

    topic: Topic
    start_ms: int
    rows: int
    content: bytes


def load(part: Part, folder: Path = FOLDER) -> Flights:
    """Read one part. DataError when the bundle is not there or not what it should be."""
    path = folder / f"{part}.parquet"
    try:
        table = pq.read_table(path)
        return Flights(*_columns(table, part))
    except (OSError, KeyError, pa.ArrowException) as error:
        raise DataError(f"{path}: the demo's data cannot be read ({error}); install driftwatch again") from error


def labelled(flights: Flights) -> pa.Table:
    """Predictions with their labels as one table, (rows, columns): what `driftwatch reference build` reads.

    The label of a flight that never arrived is null.
    """
    columns = {name: pa.array(values) for name, values in flights.predictions.items()}
    columns["time"] = columns["time"].cast(pa.timestamp("ms", "UTC"))
    found = pc.index_in(columns["id"], pa.array(flights.labels["id"]))
    columns["label"] = pc.take(pa.array(flights.labels["label"]), found)
    return pa.table(columns)


def slices(flights: Flights, *, span_ms: int) -> Iterator[Body]:
    """Both streams merged in order of event time, in slices of `span_ms` aligned to the epoch.

    Each slice gives at most one body of predictions, then at most one of labels. ValueError unless span_ms > 0.
    """
    if span_ms <= 0:
        raise ValueError("span_ms must be positive")
    streams = ((Topic.PREDICTIONS, flights.predictions), (Topic.LABELS, flights.labels))
    numbers = {topic: columns["time"] // span_ms for topic, columns in streams}
    for number in np.union1d(numbers[Topic.PREDICTIONS], numbers[Topic.LABELS]).tolist():
        for topic, columns in streams:
            first, stop = np.searchsorted(numbers[topic], (number, number + 1))
            if first < stop:
                content = _encode(columns, slice(first, stop))
                yield Body(topic=topic, start_ms=number * span_ms, rows=int(stop - first), content=content)


def _encode(columns: Mapping[str, NDArray[Any]], rows: slice) -> bytes:
    named = {f"features.{name}" if name in NUMERIC + CATEGORICAL else name: values for name, values in columns.items()}
    batch = {"model": MODEL, "columns": {name: values[rows].tolist() for name, values in named.items()}}
    return msgspec.json.encode(batch)


def _columns(table: pa.Table, part: Part) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    time = table["minute"].to_numpy().astype(np.int64) * _MINUTE_MS
    first = part.value[0]
    ids = np.array([f"{first}{row:06d}" for row in range(len(time))], dtype=object)
    score = table["score"].to_numpy() / 10_000
    predictions = {
        "id": ids,
        "time": time,
        "version": np.full(len(time), CHAMPION, dtype=object),
        "score": score,
        "prediction": (score >= THRESHOLD).astype(np.int64),
        "dep_delay": _nullable(table["dep_delay"]),
        "hour": table["hour"].to_numpy().astype(np.int64),
        "distance": table["distance"].to_numpy().astype(np.int64),
        **{name: table[name].to_numpy() for name in CATEGORICAL},
    }
    answered = staged(predictions) if part is Part.FLIGHTS else predictions
    return answered, _labels(table, ids, time)


def _labels(table: pa.Table, ids: NDArray[Any], time: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    landed = table["label"].is_valid().to_numpy()
    cancelled = table["dep_delay"].is_null().to_numpy()
    delay = pc.fill_null(table["label_delay"], 0).to_numpy().astype(np.int64) * _MINUTE_MS
    known = time + np.where(cancelled, _CANCELLED_AFTER_MS, delay)
    told = np.flatnonzero(landed | cancelled)
    order = told[np.argsort(known[told], kind="stable")]
    return {"id": ids[order], "time": known[order], "label": _nullable(table["label"])[order]}


def _nullable(column: pa.ChunkedArray) -> NDArray[Any]:
    """Whole numbers with None for null, (rows,)."""
    values: NDArray[Any] = pc.fill_null(column, 0).to_numpy().astype(object)
    values[column.is_null().to_numpy()] = None
    return values
