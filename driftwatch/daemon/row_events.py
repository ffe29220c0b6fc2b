"""Rows of tables said as events, so that a reference may be learnt from them as from a stream."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import isinf, isnan
from typing import Any

import msgspec
import numpy as np

from driftwatch.config import ModelSpec
from driftwatch.daemon.learning import blank_intake
from driftwatch.stream.batch import Batch
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.schema import Column, Kind, Schema, Task
from driftwatch.stream.table import Chunk, Encoded, Form
from driftwatch.stream.tabled import table_batch

_ROW = "\0row"
"""A column that no table has: the place of each row in its chunk."""
_WRONG = json.loads("[]")
"""What is neither a number nor a category."""

_FLAGS: dict[str, Any] = {"true": True, "false": False}

_encode = msgspec.json.encode


class RowEvents:
    """Says the rows of one model's tables as events; kinds: of all columns."""

    def __init__(self, spec: ModelSpec, kinds: Mapping[str, Kind | None]) -> None:
        blank, fields = blank_intake(spec).schema, spec.fields
        self._spec = spec
        self._schema = Schema(blank.model, blank.task, (Column(_ROW, Kind.NUMERIC),), (), fields)
        self._form = OutputForm(Task.NONE)
        wanted = {name: each.kind for name, each in spec.columns.items() if each.kind is not None}
        known = {name: wanted.get(name.removeprefix(f"{fields.features}."), kind) for name, kind in kinds.items()}
        self.forms: dict[str, Form] = {name: _FORMS[kind] for name, kind in known.items() if kind is not None}
        self.forms |= {name: Form.CATEGORY for name in (fields.id, fields.version, "control") if name in kinds}
        if fields.time in kinds:
            self.forms[fields.time] = Form.TIME
        self._paths = {name: self._path(name, kinds) for name in self.forms}

    def of(self, chunk: Chunk, *, partition: str) -> tuple[Batch, Callable[[Iterable[int]], Iterator[bytes]]]:
        """The rows that can be used, and how those at some places among them are said."""
        numbered = Chunk({**chunk.columns, _ROW: np.arange(chunk.rows, dtype=np.float64)}, chunk.rows, chunk.first_row)
        batch, _ = table_batch(numbered, self._schema, partition=partition, form=self._form)
        rows = batch.numeric[0].astype(np.int64)

        def say(places: Iterable[int]) -> Iterator[bytes]:
            chosen = list(places)
            where = rows[chosen]
            columns = {
                name: _values(values, where, flags=self.forms[name] is Form.BOOLEAN)
                for name, values in chunk.columns.items()
            }
            columns[self._spec.fields.time] = batch.times[chosen].tolist()
            if self._spec.fields.id not in columns:
                columns[self._spec.fields.id] = [str(row) for row in (chunk.first_row + where).tolist()]
            paths = [self._paths.get(name) or tuple(name.split(".")) for name in columns]
            for row in zip(*columns.values(), strict=True):
                yield _encode(_nested(self._spec.name, paths, row))

        return batch, say

    def _path(self, name: str, kinds: Mapping[str, Kind | None]) -> tuple[str, ...]:
        """The keys that lead to a column's value in an event: features stand together there."""
        fields = self._spec.fields
        roles = {getattr(fields, each) for each in type(fields).model_fields} - {fields.features}
        prefix = f"{fields.features}."
        if name in roles:
            return tuple(name.split("."))
        if name.startswith(prefix):
            return (*fields.features.split("."), name.removeprefix(prefix))
        if not fields.features or any(each.startswith(prefix) for each in kinds) or name.startswith("segment."):
            return (name,)
        return (name,) if name == "control" else (*fields.features.split("."), name)


_FORMS = {
    Kind.NUMERIC: Form.NUMBER,
    Kind.CATEGORICAL: Form.CATEGORY,
    Kind.BOOLEAN: Form.BOOLEAN,
}


def _nested(model: str, paths: list[tuple[str, ...]], row: tuple[Any, ...]) -> dict[str, Any]:
    event: dict[str, Any] = {"model": model}
    for path, value in zip(paths, row, strict=True):
        node = event
        for key in path[:-1]:
            node = node.setdefault(key, {})
        node[path[-1]] = value
    return event


def _values(values: Any, rows: Any, *, flags: bool) -> list[Any]:
    """A column's values at some rows, as JSON would hold them. flags: they are true or false."""
    if isinstance(values, Encoded):  # whose codes WRONG and NULL are -2 and -1
        words = [*(_FLAGS.get(word, word) if flags else word for word in values.categories), _WRONG, None]
        return [words[code] for code in values.codes[rows].tolist()]
    if values.dtype == np.int64:
        found: list[Any] = values[rows].tolist()
        return found
    numbers: list[Any] = values[rows].tolist()
    return [None if isnan(number) else _WRONG if isinf(number) else number for number in numbers]
