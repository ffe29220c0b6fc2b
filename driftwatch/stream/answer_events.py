"""From columns of clean values to records of what a model said and what turned out to be true."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from driftwatch.stream.answers import Classes, judged, outcomes_of, outputs_of, ranked
from driftwatch.stream.batch import INVALID, Codes, Floats
from driftwatch.stream.convert import WRONG, Lookup, numbers
from driftwatch.stream.form import LABEL_ROLES, Leaf, Path, Role, output_path
from driftwatch.stream.outputs import OutputForm, Records
from driftwatch.stream.schema import PREDICTION, SCORE, Column, Kind, Schema, Task

_NUMBER = Column("", Kind.NUMERIC)


class EventAnswers:
    """Reads the answers of one model's events; built once per schema."""

    def __init__(self, schema: Schema, leaves: Sequence[Leaf], form: OutputForm) -> None:
        self._form = form
        self._classes = Classes(form)
        self._paths = {leaf.role: leaf.path for leaf in leaves if leaf.column is None}
        self._probabilities = {leaf.path[-1]: leaf.path for leaf in leaves if leaf.role is Role.PROBABILITY}
        self._prediction_path = output_path(schema, PREDICTION)
        self.label_path = next((leaf.path for leaf in leaves if leaf.role in {*LABEL_ROLES, Role.ANSWER}), ())
        self._numeric = {column.name: place for place, column in enumerate(schema.numeric)}
        self._slots = next(
            (_Slots(place, column, self._classes)
             for place, column in enumerate(schema.categorical) if column.name == PREDICTION), None
        )  # fmt: skip

    def outputs(self, columns: Mapping[Path, Sequence[Any]], numeric: Floats, categorical: Codes) -> Records:
        """What the model said, (rows,); numeric, categorical: the batch's columns, read already."""
        rows, task = numeric.shape[1], self._form.task
        parts: dict[str, NDArray[Any]] = self._value(columns)
        if task is Task.BINARY:
            parts["score"] = self._number(SCORE, columns.get(self._paths.get(Role.SCORE, ())), numeric)
            parts["prediction"] = self._class(columns.get(self._prediction_path), categorical)
        elif task is Task.MULTICLASS:
            parts["prediction"] = self._class(columns.get(self._prediction_path), categorical)
            parts["scores"] = self._scores(columns, rows)
        elif task is Task.REGRESSION:
            parts["prediction"] = self._number(PREDICTION, columns.get(self._paths.get(Role.ESTIMATE, ())), numeric)
            parts |= _interval(columns.get(self._paths.get(Role.INTERVAL, ())))
        elif task is Task.RANKING and (lists := columns.get(self._paths.get(Role.ITEMS, ()))) is not None:
            parts["items"] = ranked(lists)
        return outputs_of(self._form, parts, rows)

    def outcomes(self, columns: Mapping[Path, Sequence[Any]], rows: int) -> tuple[Records, "Said"]:
        """What turned out to be true, and how each label was said, (rows,)."""
        labels = columns.get(self.label_path, (UNSET,) * rows)
        said = Said(labels)
        parts: dict[str, NDArray[Any]] = self._value(columns)
        known = [None if label is UNSET or label is WRONG else label for label in labels]
        if self._form.task in {Task.BINARY, Task.MULTICLASS}:
            parts["label"] = self._classes.of(known)
        elif self._form.task is Task.REGRESSION:
            parts["label"] = numbers(known, _NUMBER)
        elif self._form.task is Task.RANKING:
            parts["items"], parts["relevance"] = judged(known)
        if self._form.task is Task.BINARY:
            said.wrong |= (parts["label"] < 0) & ~said.absent & ~said.cancelled
        return outcomes_of(self._form, parts, rows), said

    def _value(self, columns: Mapping[Path, Sequence[Any]]) -> dict[str, NDArray[Any]]:
        values = columns.get(self._paths[Role.VALUE])
        # Most models have none, and counting None is far quicker than turning it into NaN.
        return {} if values is None or values.count(None) == len(values) else {"value": numbers(values, _NUMBER)}

    def _number(self, name: str, values: Sequence[Any] | None, numeric: Floats) -> Floats:
        if name in self._numeric:
            found: Floats = numeric[self._numeric[name]]
            return found
        return np.full(numeric.shape[1], np.nan) if values is None else numbers(values, _NUMBER)

    def _class(self, values: Sequence[Any] | None, categorical: Codes) -> Codes:
        if values is None:
            return np.full(categorical.shape[1], -1, dtype=np.int32)
        found = self._slots.read(categorical) if self._slots else None
        return self._classes.of(values) if found is None else found

    def _scores(self, columns: Mapping[Path, Sequence[Any]], rows: int) -> Floats:
        scores = np.full((rows, len(self._form.classes)), np.nan)
        for place, name in enumerate(self._form.classes):
            values = columns.get(self._probabilities.get(name, ()))
            if values is not None:
                scores[:, place] = numbers(values, _NUMBER)
        return scores


class Said:
    """How each label was said, (rows,) each: not at all, as null, or as something that is no label."""

    def __init__(self, labels: Sequence[Any]) -> None:
        rows = len(labels)
        self.absent = np.fromiter((label is UNSET for label in labels), np.bool_, rows)
        self.cancelled = np.fromiter((label is None for label in labels), np.bool_, rows)
        self.wrong = np.fromiter((label is WRONG or label == INVALID for label in labels), np.bool_, rows)


class _Slots:
    """The prediction's categorical column, whose slots are classes: its values need not be looked up again.

    Values outside the reference's vocabulary share a slot; where there is one, the values themselves must be read.
    """

    def __init__(self, place: int, column: Column, classes: Classes) -> None:
        lookup = Lookup(column)
        self._place = place
        self._classes = np.full(lookup.invalid + 1, -1, dtype=np.int32)
        self._shared = np.zeros(lookup.invalid + 1, dtype=np.bool_)
        self._shared[[lookup.unseen, lookup.other]] = True
        met: set[int] = set()
        for slot, code in zip(lookup.codes.values(), classes.of(list(lookup.codes)).tolist(), strict=True):
            # A text and the number that it reads as share a slot, but they need not be one class.
            self._shared[slot] |= slot in met and self._classes[slot] != code
            self._classes[slot] = code
            met.add(slot)

    def read(self, categorical: Codes) -> Codes | None:
        """Class codes, (rows,), or None where slots do not tell."""
        slots = categorical[self._place]
        found: Codes = self._classes[slots]
        return None if self._shared[slots].any() else found


def _interval(values: Sequence[Any] | None) -> dict[str, Floats]:
    if values is None or values.count(None) == len(values):
        return {}
    ends = np.array([(None, None) if pair is None else pair for pair in values], dtype=np.float64)
    return {"low": ends[:, 0], "high": ends[:, 1]}
