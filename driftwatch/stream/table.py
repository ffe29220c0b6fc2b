"""Columns of a table on their way to a Batch: files are read into these, a dictionary at a time and never a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from driftwatch.stream.batch import MISSING, Batch, Codes, Floats, Ints
from driftwatch.stream.convert import Lookup, bounded
from driftwatch.stream.schema import PREDICTION, SCORE, Column, FieldsSpec, Kind, Schema
from driftwatch.stream.times import BAD_TIME

NULL, WRONG = -1, -2
"""Codes of an `Encoded` value that is absent, and of one that is no category, such as a list."""

_SECOND_MS = 1000


class Form(StrEnum):
    """As what a column of a table is wanted; decides the array that it becomes."""

    NUMBER = "number"
    NUMBER_OR_TEXT = "number or text"
    """A number, also where typed data holds it as text (`coerce = true`)."""
    CATEGORY = "category"
    BOOLEAN = "boolean"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Encoded:
    """A column of texts: codes (rows,) point into `categories`, or are NULL or WRONG."""

    codes: Codes
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows of a table; `first_row` is the place of the first in the whole table, over all its files.

    columns: by the table's own names. Numbers are float64 with `MISSING` and `INVALID`, texts are Encoded, times
        int64 in ms since the epoch with `BAD_TIME`.
    """

    columns: Mapping[str, Floats | Encoded | Ints]
    rows: int
    first_row: int


def source_names(column: str, fields: FieldsSpec) -> tuple[str, ...]:
    """Where a table may hold a monitored column: in events under the features, in a flat table by its own name."""
    if column == SCORE:
        return (fields.score,)
    if column == PREDICTION:
        return (fields.prediction,)
    return (f"{fields.features}.{column}", column) if fields.features else (column,)


def table_batch(chunk: Chunk, schema: Schema, *, partition: str) -> tuple[Batch, Ints]:
    """Turn a chunk into a batch, and the places in the chunk of the rows left out because their time cannot be read.

    A table without a time column has one row a second from 1970-01-01, one without a version column one nameless
    version. Ids are 0: nothing joins a table yet. A column that the chunk does not have is missing in every row.
    """
    times = chunk.columns.get(schema.fields.time)
    if not isinstance(times, np.ndarray) or times.dtype != np.int64:
        times = (chunk.first_row + np.arange(chunk.rows, dtype=np.int64)) * _SECOND_MS
    numeric = np.empty((len(schema.numeric), chunk.rows))
    for place, column in enumerate(schema.numeric):
        numeric[place] = _numbers(_find(chunk, column, schema.fields), column)
    categorical = np.empty((len(schema.categorical), chunk.rows), dtype=np.int32)
    for place, column in enumerate(schema.categorical):
        categorical[place] = _codes(_find(chunk, column, schema.fields), column)
    bad = times == BAD_TIME
    kept = slice(None) if not bad.any() else ~bad
    times = times[kept].astype(np.int64, copy=False)
    ids = np.zeros(times.size, dtype=np.uint64)
    versions, names = _versions(chunk, schema.fields)
    batch = Batch(partition, times, ids, versions[kept], names, numeric[:, kept], categorical[:, kept])
    return batch, np.flatnonzero(bad)


def forms_of(schema: Schema) -> dict[str, Form]:
    """Say as what each column of a table that holds a model's predictions is wanted, by the table's own names."""
    forms = {
        name: form_of(column)
        for column in (*schema.numeric, *schema.categorical)
        for name in source_names(column.name, schema.fields)
    }
    return {**forms, schema.fields.time: Form.TIME, schema.fields.version: Form.CATEGORY}


def form_of(column: Column) -> Form:
    """Say as what a monitored column is wanted."""
    if column.kind is Kind.NUMERIC:
        return Form.NUMBER_OR_TEXT if column.coerce else Form.NUMBER
    return Form.BOOLEAN if column.kind is Kind.BOOLEAN else Form.CATEGORY


def _versions(chunk: Chunk, fields: FieldsSpec) -> tuple[Codes, tuple[str, ...]]:
    versions = chunk.columns.get(fields.version)
    if not isinstance(versions, Encoded):
        return np.zeros(chunk.rows, dtype=np.int32), ("",)
    # NULL and WRONG both count into the nameless version, which stands last.
    codes = np.where(versions.codes < 0, len(versions.categories), versions.codes).astype(np.int32)
    return codes, (*versions.categories, "")


def _find(chunk: Chunk, column: Column, fields: FieldsSpec) -> Floats | Encoded | Ints | None:
    found = (chunk.columns[name] for name in source_names(column.name, fields) if name in chunk.columns)
    return next(found, None)


def _numbers(values: Floats | Encoded | Ints | None, column: Column) -> Floats | float:
    if not isinstance(values, np.ndarray):
        return MISSING
    return bounded(values.astype(np.float64, copy=False), column)


def _codes(values: Floats | Encoded | Ints | None, column: Column) -> Codes | int:
    lookup = Lookup(column)
    if not isinstance(values, Encoded):
        return lookup.missing
    # The two codes below zero find their slots at the end of the table.
    known = np.append(lookup.remap(values.categories), [lookup.invalid, lookup.missing]).astype(np.int32)
    return known[values.codes]
