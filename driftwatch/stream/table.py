"""Columns of a table on their way to a batch: files are read into these, a dictionary at a time and never a value."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from driftwatch.stream.batch import Codes, Floats, Ints
from driftwatch.stream.form import SEGMENT
from driftwatch.stream.schema import PREDICTION, SCORE, Column, FieldsSpec, Kind

NULL, WRONG = -1, -2
"""Codes of an `Encoded` value that is absent, and of one that is no category, such as a list."""


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


def source_names(column: str, fields: FieldsSpec, segments: Collection[str] = ()) -> tuple[str, ...]:
    """Where a table may hold a monitored column: in events under the features, in a flat table by its own name.

    segments: columns that may stand in the events' `segment` too, for rows that have none of the former.
    """
    if column == SCORE:
        return (fields.score,)
    if column == PREDICTION:
        return (fields.prediction,)
    first = (f"{fields.features}.{column}", column) if fields.features else (column,)
    return (*first, f"{SEGMENT}.{column}") if column in segments else first


def form_of(column: Column) -> Form:
    """Say as what a monitored column is wanted."""
    if column.kind is Kind.NUMERIC:
        return Form.NUMBER_OR_TEXT if column.coerce else Form.NUMBER
    return Form.BOOLEAN if column.kind is Kind.BOOLEAN else Form.CATEGORY
