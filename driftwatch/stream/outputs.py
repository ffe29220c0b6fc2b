"""What a model said of each row and what turned out to be true: the columns that performance is computed from.

Both are structured arrays, one record a row, whose fields depend on the task, so that whoever keeps, joins or sorts
rows need not know what is in them.

task        outputs                                             outcomes
binary      score f8 in [0, 1], prediction i1 in {0, 1}         label i1 in {0, 1}
multiclass  prediction i2, scores f4 (classes,)                 label i2
regression  prediction f8, low f8, high f8                      label f8
ranking     items u8 (CUTOFF,) hashes, best first               items u8 (JUDGED,), relevance f4 (JUDGED,)

A float that was not given or is no finite number is NaN, a class -1, an item 0 (and relevance 0). A class that is not
among `classes` has the code len(classes). Both end with `value` f8, the business value, NaN where none was given.
Before it outputs have `groups` i2 (dimensions,) where rows are divided: which member of each dimension the row is in,
see `stream.dimensions`; -1 until somebody says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from driftwatch.spec import Spec
from driftwatch.stream.schema import PREDICTION, Schema, Task

Records = NDArray[Any]
"""A structured array, (rows,)."""

CUTOFF = 10
"""Places of a ranking that count."""
JUDGED = 64
"""Relevant items of a ranking's label that are kept, the most relevant ones."""


GROUPS = "groups"
"""The field of outputs that says which groups a row is in."""

_FLAGS = ("0", "1")


def _rank(text: str) -> tuple[float, str]:
    try:
        return float(text), text
    except ValueError:
        return float("inf"), text


def blank(dtype: np.dtype[np.void], rows: int) -> Records:
    """Records of which nothing is known, (rows,): numbers NaN, classes -1, items and their relevance 0."""
    records = np.empty(rows, dtype=dtype)
    for name in dtype.names or ():
        records[name] = unknown(name, dtype)
    return records


def unknown(name: str, dtype: np.dtype[np.void]) -> float:
    """What a record's field holds where nothing is known."""
    kind = dtype[name].base.kind
    return 0 if kind == "u" or name == "relevance" else float("nan") if kind == "f" else -1


def joined(records: Sequence[Records]) -> Records:
    """Records of one form, one after the other; NumPy would do it field by field and row by row."""
    whole = np.concatenate([np.ascontiguousarray(some).view(np.uint8) for some in records])
    return whole.view(records[0].dtype)


WAITING, LABELLED, CANCELLED = 0, 1, 2
"""What has become of a prediction: nothing yet; its label has come; none will ever come, as its producer said."""


class CostSpec(Spec):
    """`[models.value]`: what a true or false, positive or negative prediction of a binary model is worth."""

    tp: float = Field(default=0.0, allow_inf_nan=False)
    fp: float = Field(default=0.0, allow_inf_nan=False)
    fn: float = Field(default=0.0, allow_inf_nan=False)
    tn: float = Field(default=0.0, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class OutputForm:
    """How one model's outputs and outcomes are written down.

    classes: binary (negative, positive), multiclass all that are known, in the order of their codes; else empty.
    threshold: a binary score from here on predicts the positive class, where the event itself predicts none.
    groups: number of dimensions that divide the rows.
    """

    task: Task
    classes: tuple[str, ...] = ()
    threshold: float = 0.5
    groups: int = 0

    @classmethod
    def of(cls, schema: Schema, *, classes: Sequence[str] = (), threshold: float = 0.5) -> Self:
        """The form of a model's outputs; classes that are not declared are those of the reference's predictions.

        A binary model's two are then put in order, numbers by value and texts by the alphabet: the greater is the
        positive one. A reference that does not know just two leaves "0" and "1".
        """
        if schema.task not in {Task.BINARY, Task.MULTICLASS}:
            return cls(schema.task)
        known = next((column.vocabulary for column in schema.categorical if column.name == PREDICTION), ())
        if schema.task is Task.MULTICLASS:
            return cls(schema.task, tuple(classes) or known)
        pair = tuple(sorted(known, key=_rank)) if len(known) == len(_FLAGS) else _FLAGS
        return cls(schema.task, tuple(classes) or pair, threshold)

    @property
    def outputs(self) -> np.dtype[np.void]:
        """One record of what the model said."""
        fields: dict[Task, list[Any]] = {
            Task.BINARY: [("score", "<f8"), ("prediction", "i1")],
            Task.MULTICLASS: [("prediction", "<i2"), ("scores", "<f4", (len(self.classes),))],
            Task.REGRESSION: [("prediction", "<f8"), ("low", "<f8"), ("high", "<f8")],
            Task.RANKING: [("items", "<u8", (CUTOFF,))],
            Task.NONE: [],
        }
        groups = [(GROUPS, "<i2", (self.groups,))] if self.groups else []
        return np.dtype([*fields[self.task], *groups, ("value", "<f8")])

    @property
    def outcomes(self) -> np.dtype[np.void]:
        """One record of what turned out to be true."""
        fields: dict[Task, list[Any]] = {
            Task.BINARY: [("label", "i1")],
            Task.MULTICLASS: [("label", "<i2")],
            Task.REGRESSION: [("label", "<f8")],
            Task.RANKING: [("items", "<u8", (JUDGED,)), ("relevance", "<f4", (JUDGED,))],
            Task.NONE: [],
        }
        return np.dtype([*fields[self.task], ("value", "<f8")])


@dataclass(frozen=True, slots=True)
class Answers:
    """Some predictions and what has become of each.

    outputs, outcomes: (rows,) records; an outcome means something only where `state` is LABELLED.
    state: (rows,) WAITING, LABELLED or CANCELLED. delays_ms: (rows,) from a prediction to its label, at least 0,
    meaningful where it is LABELLED.
    """

    outputs: Records
    outcomes: Records
    state: NDArray[np.uint8]
    delays_ms: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """Number of predictions."""
        return int(self.state.size)

    def at(self, which: "NDArray[np.int64] | NDArray[np.bool_] | slice") -> Self:
        """Some of them."""
        return type(self)(self.outputs[which], self.outcomes[which], self.state[which], self.delays_ms[which])
