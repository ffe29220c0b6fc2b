"""From chunks of a table to batches and labels, with the same judgement as events: id, time, label."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.hashing import hash_texts
from driftwatch.stream.answers import Classes, outcomes_of, outputs_of
from driftwatch.stream.batch import MISSING, Batch, Codes, Floats, Hashes, Ints, Labels
from driftwatch.stream.control import LONGEST_TEXT, Controls, golden_codes, is_free
from driftwatch.stream.convert import Lookup, bounded
from driftwatch.stream.form import CONTROL
from driftwatch.stream.outputs import LABELLED, Answers, OutputForm
from driftwatch.stream.reject import Reject
from driftwatch.stream.schema import Column, FieldsSpec, Schema, Task
from driftwatch.stream.table import NULL, WRONG, Chunk, Encoded, Form, form_of, source_names
from driftwatch.stream.times import BAD_TIME, TIMELESS
from driftwatch.stream.unique import UniqueColumns

_SECOND_MS = 1000
_MOST_SETS = 100
"""Golden sets that are looked at in one chunk."""
_CLASSES = {Task.BINARY, Task.MULTICLASS}

Values = Floats | Encoded | Ints | None
"""A column of a chunk, or None where the chunk has no such column."""


@dataclass(slots=True)
class Kept:
    """Which rows of a chunk can be used, (rows,), and how many not for which reason; each row has one at most."""

    rows: NDArray[np.bool_]
    refused: dict[Reject, int] = field(default_factory=dict)

    def refuse(self, bad: NDArray[np.bool_], reason: Reject) -> None:
        """Take out the rows that are still there."""
        bad = bad & self.rows
        if bad.any():
            self.refused[reason] = int(np.count_nonzero(bad))
            self.rows = self.rows & ~bad


@dataclass(frozen=True, slots=True)
class Marked:
    """The rows of a chunk that hold a label. places: (rows,) where in the chunk. refused: labels that are none.

    batch_places: (rows,) where in the batch that `table_batch` makes of the chunk when it joins nothing.
    """

    answers: Answers
    places: Ints
    batch_places: Ints
    refused: int


def table_batch(
    chunk: Chunk, schema: Schema, *, partition: str, form: OutputForm | None = None, golden: int = NULL
) -> tuple[Batch, dict[Reject, int]]:
    """Turn a chunk into a batch, and say how many rows were left out for which reason.

    A table without a time column has one row a second from 1970-01-01, one without a version column one nameless
    version, one without an id column its rows' numbers, from 0. A column that the chunk does not have is missing in
    every row. form: of the model's outputs; without one nothing is joined with the batch: ids are 0, outputs empty.
    golden: the rows of this golden set, by its code in the column `control`; else those of none.
    """
    times = _times(chunk, schema.fields)
    kept = Kept(np.ones(chunk.rows, dtype=np.bool_))
    ids = np.zeros(chunk.rows, dtype=np.uint64) if form is None else _ids(chunk, schema, kept)
    if times is None:
        times = (chunk.first_row + np.arange(chunk.rows, dtype=np.int64)) * _SECOND_MS
    kept.refuse(times == BAD_TIME, Reject.BAD_TIME)
    numeric = np.empty((len(schema.numeric), chunk.rows))
    for place, column in enumerate(schema.numeric):
        numeric[place] = _numbers(_find(chunk, column, schema), column)
    categorical = np.empty((len(schema.categorical), chunk.rows), dtype=np.int32)
    for place, column in enumerate(schema.categorical):
        categorical[place] = _codes(_find(chunk, column, schema), column)
    versions, names = _versions(chunk, schema.fields)
    shape = form or OutputForm(Task.NONE)
    outputs = outputs_of(shape, _output_parts(chunk, schema.fields, shape), chunk.rows)
    whole = Batch(partition, times, ids, versions, names, numeric, categorical, outputs)
    if schema.unique:
        whole = replace(whole, uniques=UniqueColumns(schema).of_table(chunk, numeric, categorical))
    kept.rows = kept.rows & (golden_codes(chunk, schema) == golden)
    return whole if kept.rows.all() else whole.where(kept.rows), kept.refused


def table_labels(
    chunk: Chunk, schema: Schema, *, partition: str, form: OutputForm, golden: int = NULL
) -> tuple[Labels, dict[Reject, int]]:
    """Turn a chunk into labels, and say how many rows were left out for which reason; golden: as of `table_batch`.

    Without a time column labels are TIMELESS, without an id column their ids are the rows' numbers, from 0. A row
    whose label is null says nothing, and is left out without a reason.
    """
    fields = schema.fields
    label, said, wrong = _label(chunk.columns.get(fields.label), form, chunk.rows)
    kept = Kept(said & (golden_codes(chunk, schema) == golden))
    ids = _ids(chunk, schema, kept)
    times = _times(chunk, fields)
    if times is None:
        times = np.full(chunk.rows, TIMELESS, dtype=np.int64)
    kept.refuse(times == BAD_TIME, Reject.BAD_TIME)
    kept.refuse(wrong, Reject.BAD_LABEL)
    parts = {"value": _plain(chunk.columns.get(fields.value), chunk.rows)}
    if form.task in _CLASSES or form.task is Task.REGRESSION:
        parts["label"] = label
    outcomes = outcomes_of(form, parts, chunk.rows)
    cancelled = np.zeros(chunk.rows, dtype=np.bool_)
    return Labels(partition, times, ids, outcomes, cancelled).taken(kept.rows), kept.refused


def table_controls(chunk: Chunk, schema: Schema, *, form: OutputForm, labels: bool = False) -> Iterator[Controls]:
    """Give the predictions, or the labels, of a chunk's golden sets, which the two functions above leave out."""
    codes, sets, ids = golden_codes(chunk, schema), chunk.columns.get(CONTROL), chunk.columns.get(schema.fields.id)
    make = table_labels if labels else table_batch
    for code in np.unique(codes[codes >= 0])[:_MOST_SETS].tolist():
        rows, _ = make(chunk, schema, partition="files/control", form=form, golden=code)
        texts = ids.categories if isinstance(ids, Encoded) else ()
        known = dict(zip(hash_texts(_safe(texts)).tolist(), texts, strict=True))
        if rows.rows and isinstance(sets, Encoded):
            names = (sets.categories[code][:LONGEST_TEXT],) * rows.rows
            yield Controls(rows, names, tuple(known.get(each, "")[:LONGEST_TEXT] for each in rows.ids.tolist()))


def table_answers(chunk: Chunk, schema: Schema, *, form: OutputForm) -> Marked:
    """Say what the model answered to the rows whose label stands beside it; their labels came at once.

    A row whose time cannot be read is left out, as in `table_batch`.
    """
    fields = schema.fields
    label, said, wrong = _label(chunk.columns.get(fields.label), form, chunk.rows)
    times = _times(chunk, fields)
    timed = np.ones(chunk.rows, dtype=np.bool_) if times is None else times != BAD_TIME
    said = said & timed
    places = np.flatnonzero(said & ~wrong)
    outputs = outputs_of(form, _output_parts(chunk, fields, form), chunk.rows)[places]
    outcomes = outcomes_of(form, {"label": label[places]}, places.size)
    state = np.full(places.size, LABELLED, dtype=np.uint8)
    answers = Answers(outputs, outcomes, state, np.zeros(places.size, dtype=np.int64))
    return Marked(answers, places, np.cumsum(timed)[places] - 1, int(np.count_nonzero(said & wrong)))


def forms_of(schema: Schema, form: OutputForm, *, labels: bool = False) -> dict[str, Form]:
    """Say as what each column of a table of predictions is wanted, by the table's own names.

    labels: the table may hold the labels too.
    """
    fields = schema.fields
    columns = (*schema.numeric, *schema.categorical)
    forms = {name: form_of(column) for column in columns for name in source_names(column.name, fields, schema.segments)}
    forms |= {name: Form.CATEGORY for key in schema.keys for name in source_names(key, fields)}
    if form.task is Task.BINARY:
        forms = {fields.score: Form.NUMBER, **forms}
    if form.task is Task.MULTICLASS:
        forms = {**{f"scores.{name}": Form.NUMBER for name in form.classes}, **forms}
    if form.task in _CLASSES or form.task is Task.REGRESSION:
        forms = {fields.prediction: _answer_form(form), **forms}
    return {**forms, **(label_forms(schema, form) if labels else _shared_forms(schema))}


def label_forms(schema: Schema, form: OutputForm) -> dict[str, Form]:
    """Say as what each column of a table of labels is wanted."""
    return {schema.fields.label: _answer_form(form), **_shared_forms(schema)}


def _shared_forms(schema: Schema) -> dict[str, Form]:
    fields = schema.fields
    return {
        **({CONTROL: Form.CATEGORY} if is_free(schema) else {}),
        fields.value: Form.NUMBER, fields.id: Form.CATEGORY,
        fields.time: Form.TIME, fields.version: Form.CATEGORY,
    }  # fmt: skip


def _answer_form(form: OutputForm) -> Form:
    return Form.NUMBER if form.task is Task.REGRESSION else Form.CATEGORY


def _times(chunk: Chunk, fields: FieldsSpec) -> Ints | None:
    times = chunk.columns.get(fields.time)
    return times.view(np.int64) if isinstance(times, np.ndarray) and times.dtype == np.int64 else None


def _ids(chunk: Chunk, schema: Schema, kept: Kept) -> Hashes:
    values = chunk.columns.get(schema.fields.id)
    if not isinstance(values, Encoded):
        first = chunk.first_row
        return hash_texts([str(row) for row in range(first, first + chunk.rows)])
    texts = values.categories
    known = hash_texts(_safe(texts))
    if "" in texts:
        known[texts.index("")] = 0
    # The two codes below zero find what stands for no id at the end of the table.
    hashes: Hashes = np.append(known, np.zeros(2, dtype=np.uint64))[values.codes]
    kept.refuse(values.codes == WRONG, Reject.BAD_ID)
    if schema.task is not Task.NONE:
        kept.refuse(hashes == 0, Reject.MISSING_ID)
    return hashes


def _safe(texts: Sequence[str]) -> Sequence[str]:
    # A lone surrogate, which only JSON can hold, has no bytes.
    return texts if all(map(str.isascii, texts)) else [text.encode(errors="replace").decode() for text in texts]


def _output_parts(chunk: Chunk, fields: FieldsSpec, form: OutputForm) -> dict[str, NDArray[Any]]:
    columns, rows = chunk.columns, chunk.rows
    parts: dict[str, NDArray[Any]] = {"value": _plain(columns.get(fields.value), rows)}
    if form.task is Task.BINARY:
        parts["score"] = _plain(columns.get(fields.score), rows)
    if form.task is Task.MULTICLASS:
        parts["scores"] = np.empty((rows, len(form.classes)))
        for place, name in enumerate(form.classes):
            parts["scores"][:, place] = _plain(columns.get(f"scores.{name}"), rows)
    if form.task in _CLASSES:
        parts["prediction"] = _classes(columns.get(fields.prediction), form, rows)
    if form.task is Task.REGRESSION:
        parts["prediction"] = _plain(columns.get(fields.prediction), rows)
    return parts


def _label(values: Values, form: OutputForm, rows: int) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.bool_]]:
    """A label column as codes or numbers; where something is said at all; and where it is no label, (rows,) each."""
    if form.task is Task.REGRESSION:
        numbers = _plain(values, rows)
        return numbers, ~np.isnan(numbers), np.isinf(numbers)
    codes = _classes(values, form, rows)
    if not isinstance(values, Encoded):
        return codes, np.zeros(rows, dtype=np.bool_), np.zeros(rows, dtype=np.bool_)
    unfit = (codes < 0) & (form.task in _CLASSES)
    return codes, values.codes != NULL, unfit | (values.codes == WRONG)


def _classes(values: Values, form: OutputForm, rows: int) -> Codes:
    if not isinstance(values, Encoded):
        return np.full(rows, -1, dtype=np.int32)
    known = np.append(Classes(form).of_texts(values.categories), [-1, -1]).astype(np.int32)
    codes: Codes = known[values.codes]
    return codes


def _plain(values: Values, rows: int) -> Floats:
    if isinstance(values, np.ndarray) and values.dtype == np.float64:
        return values.view(np.float64)
    return np.full(rows, MISSING)


def _versions(chunk: Chunk, fields: FieldsSpec) -> tuple[Codes, tuple[str, ...]]:
    versions = chunk.columns.get(fields.version)
    if not isinstance(versions, Encoded):
        return np.zeros(chunk.rows, dtype=np.int32), ("",)
    # NULL and WRONG both count into the nameless version, which stands last.
    codes = np.where(versions.codes < 0, len(versions.categories), versions.codes).astype(np.int32)
    return codes, (*versions.categories, "")


def _find(chunk: Chunk, column: Column, schema: Schema) -> list[Values]:
    """What the chunk holds of a column, at its own place and in the segments, for rows where it is missing there."""
    first = source_names(column.name, schema.fields)
    further = source_names(column.name, schema.fields, schema.segments)[len(first) :]
    own = next((name for name in first if name in chunk.columns), "")
    return [chunk.columns[name] for name in (own, *further) if name in chunk.columns]


def _numbers(found: list[Values], column: Column) -> Floats | float:
    lines = [
        bounded(values.astype(np.float64, copy=False), column) for values in found if isinstance(values, np.ndarray)
    ]
    if not lines:
        return MISSING
    numbers = lines[0]
    for line in lines[1:]:
        numbers = np.where(np.isnan(numbers), line, numbers)
    return numbers


def _codes(found: list[Values], column: Column) -> Codes | int:
    lookup = Lookup(column)
    codes: Codes | None = None
    for values in found:
        if not isinstance(values, Encoded):
            continue
        # The two codes below zero find their slots at the end of the table.
        known = np.append(lookup.remap(values.categories), [lookup.invalid, lookup.missing]).astype(np.int32)
        line: Codes = known[values.codes]
        codes = line if codes is None else np.where(codes == lookup.missing, line, codes)
    return lookup.missing if codes is None else codes
