"""Events of golden sets: sent through the model by its owner, and no part of what it meets in production."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import numpy as np

from driftwatch.stream.batch import Batch, Codes, Labels
from driftwatch.stream.form import CONTROL
from driftwatch.stream.schema import Schema
from driftwatch.stream.table import NULL, Chunk, Encoded, source_names

LONGEST_TEXT = 200
"""Characters of a set's name or of an event's id that are kept to speak of it."""


@dataclass(frozen=True, slots=True)
class Controls:
    """Rows of one model and stream, in the order they came; all (rows,).

    rows: as they would have been counted. sets: the golden set of each. ids: what each is called.
    labels: of predictions, those whose label stood beside them; labelled: (labels,) the place of each among the rows.
    """

    rows: Batch | Labels
    sets: tuple[str, ...]
    ids: tuple[str, ...]
    labels: Labels | None = None
    labelled: tuple[int, ...] = ()


def take_apart(
    rows: Batch | Labels, sets: Sequence[Any], ids: Sequence[Any]
) -> tuple[Batch | Labels | None, Controls | None]:
    """Divide rows into those for the windows and those of golden sets, None for none.

    sets, ids: (rows,) as they were sent; no name, None or "", is that of no set.
    """
    apart = np.array([name is not None and name != "" for name in sets], dtype=np.bool_)
    if not apart.any():
        return rows, None
    controls = Controls(
        _where(rows, apart),
        tuple(_text(name) for name in compress(sets, apart)),
        tuple(_text(identity) for identity in compress(ids, apart)),
    )
    return None if apart.all() else _where(rows, ~apart), controls


def golden_codes(chunk: Chunk, schema: Schema) -> Codes:
    """The code of each row's golden set, (rows,): NULL without one, WRONG where it cannot be read."""
    sets = chunk.columns.get(CONTROL) if is_free(schema) else None
    if not isinstance(sets, Encoded):
        return np.full(chunk.rows, NULL, dtype=np.int32)
    nameless = sets.categories.index("") if "" in sets.categories else NULL
    return np.where(sets.codes == nameless, NULL, sets.codes).astype(np.int32)


def is_free(schema: Schema) -> bool:
    """Whether the column `control` is nothing else to a model."""
    columns = (*schema.numeric, *schema.categorical)
    taken = {name for column in columns for name in source_names(column.name, schema.fields, schema.segments)}
    fields = schema.fields
    mapped = {fields.id, fields.time, fields.version, fields.score, fields.prediction, fields.label, fields.value}
    return CONTROL not in taken | mapped


def _where(rows: Batch | Labels, kept: Any) -> Batch | Labels:
    if isinstance(rows, Labels):
        return rows.taken(kept)
    batch = rows.where(kept)
    # A version that has answered golden sets only leaves no trace among the others.
    used, versions = np.unique(batch.versions, return_inverse=True)
    names = tuple(batch.version_names[code] for code in used.tolist())
    return replace(batch, versions=versions.astype(np.int32), version_names=names)


def _text(value: Any) -> str:
    return "" if value is None else str(value)[:LONGEST_TEXT]
